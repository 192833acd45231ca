//! Size and free space of mounted volumes: asked from the kernel on the live machine, read from the
//! capture otherwise.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use parc_wire::v1::ProblemKind;
use sysinfo::{DiskRefreshKind, Disks};

use super::super::{Failure, Probed};
use super::unescape;
use crate::root::{Root, STATVFS};

/// Asking takes microseconds; a user-space file system whose server is gone never answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const STATVFS_BYTES_MAX: u64 = 1024 * 1024;

/// A question that was never answered keeps its thread; there is at most one.
static ASKING: AtomicBool = AtomicBool::new(false);

/// Size and free space, both for ordinary users' data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    pub size_bytes: u64,
    pub free_bytes: u64,
}

/// By mount point. A machine that does not answer in time is a problem, not a wait.
pub(super) fn read(root: &Root, probed: &mut Probed) -> BTreeMap<String, Space> {
    if !root.is_live() {
        return parse(&root.read_text(STATVFS, STATVFS_BYTES_MAX).unwrap_or_default());
    }
    ask_with_timeout().unwrap_or_else(|| {
        let reason = "A mounted file system does not answer, so the free space cannot be known.";
        probed.problem(Failure::new(ProblemKind::TimedOut, "statvfs", reason));
        BTreeMap::new()
    })
}

fn ask_with_timeout() -> Option<BTreeMap<String, Space>> {
    if ASKING.swap(true, Ordering::AcqRel) {
        return None;
    }
    let (sender, receiver) = mpsc::channel();
    let asking = std::thread::Builder::new().name("statvfs".into()).spawn(move || {
        // Nobody listens any more when the answer came too late.
        let _ = sender.send(ask());
        ASKING.store(false, Ordering::Release);
    });
    if asking.is_err() {
        ASKING.store(false, Ordering::Release);
        return None;
    }
    receiver.recv_timeout(ANSWER_TIMEOUT).ok()
}

fn ask() -> BTreeMap<String, Space> {
    let Ok(disks) = Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage())
    else {
        return BTreeMap::new();
    };
    let known = disks.iter().filter(|it| it.total_space() > 0);
    let pair = |disk: &sysinfo::Disk| {
        let space = Space { size_bytes: disk.total_space(), free_bytes: disk.available_space() };
        Some((disk.mount_point().to_str()?.to_owned(), space))
    };
    known.filter_map(pair).collect()
}

/// The capture's lines `MOUNTPOINT SIZE_BYTES FREE_BYTES`; lines that make no sense are passed over.
fn parse(text: &str) -> BTreeMap<String, Space> {
    let line = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let point = unescape(fields.next()?);
        let (size_bytes, free_bytes) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        Some((point, Space { size_bytes, free_bytes }))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captured_lines_give_size_and_free_space() {
        let space = parse("/ 1000 400\n/mnt/my\\040disk 5 0\nnonsense\n/x y z\n");
        assert_eq!(space.len(), 2);
        assert_eq!(space["/mnt/my disk"], Space { size_bytes: 5, free_bytes: 0 });
    }

    #[test]
    fn this_machine_answers_with_less_free_than_there_is() {
        let space = ask();
        assert!(space.values().all(|it| it.free_bytes <= it.size_bytes), "{space:?}");
    }
}
