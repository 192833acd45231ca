//! Mounted volumes of this machine's own disks.
//!
//! Left out: what the kernel invents (proc, tmpfs, overlay…), packages mounted as images (squashfs), optical
//! media, network shares (they belong to another machine, and asking a dead server for its free space never
//! returns) and further mounts of a device already listed. Of several mounts the one nearest to `/` is kept.

mod space;

use std::collections::BTreeMap;

use parc_wire::v1::{Encryption, ProblemKind, VolumeItem};

use super::{Failure, Probed};
use crate::root::{ReadError, Root};

const MOUNT_FILES: [&str; 2] = ["/proc/self/mountinfo", "/proc/mounts"];
/// A container host with 10,000 mounts stays below.
const MOUNTS_BYTES_MAX: u64 = 4 * 1024 * 1024;
const BLOCK: &str = "/sys/class/block";
const BLOCK_DEVICES_MAX: usize = 4096;
const UDEV_BYTES_MAX: u64 = 64 * 1024;
/// LVM on LUKS on RAID on partitions is four deep.
const STACK_DEPTH_MAX: usize = 8;
const MIB: u64 = 1024 * 1024;

/// One line of the mount table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mount {
    /// `MAJOR:MINOR`; empty when read from `/proc/mounts`.
    number: String,
    /// The folder of the file system that is mounted; `/` unless this is a bind mount or a subvolume.
    folder: String,
    point: String,
    filesystem: String,
    source: String,
}

/// The kernel's block devices: by number, and mapper names.
#[derive(Debug, Default)]
struct BlockNames {
    by_number: BTreeMap<String, String>,
    by_mapper_name: BTreeMap<String, String>,
}

/// Reads the VOLUMES section.
pub(super) fn run(root: &Root) -> Result<Probed, Failure> {
    let mounts =
        own_volumes(read_mounts(root).map_err(|(file, error)| Failure::reading(file, "volumes", &error))?);
    if mounts.is_empty() {
        let reason = "No volume of a disk is mounted here; a container sees only what it was given.";
        return Err(Failure::new(ProblemKind::Absent, MOUNT_FILES[0], reason));
    }
    let mut probed = Probed::default();
    let names = block_names(root);
    let space = space::read(root, &mut probed);
    for mount in mounts {
        let block = names.find(&mount);
        let known = space.get(&mount.point);
        let size = known.map(|it| it.size_bytes).or_else(|| block_size_bytes(root, block?));
        let item = VolumeItem {
            device: probed.text(&mount.source),
            filesystem: probed.text(&mount.filesystem),
            size_mib: size.unwrap_or(0) / MIB,
            free_mib: known.map_or(0, |it| it.free_bytes / MIB),
            free_known: known.is_some(),
            label: probed.text(&block.and_then(|it| label(root, it)).unwrap_or_default()),
            encryption: block.map_or(Encryption::Unknown, |it| encryption(root, it, STACK_DEPTH_MAX)).into(),
            system: mount.point == "/",
        };
        probed.put(&mount.point, &item);
    }
    Ok(probed)
}

fn read_mounts(root: &Root) -> Result<Vec<Mount>, (&'static str, ReadError)> {
    match root.read_text(MOUNT_FILES[0], MOUNTS_BYTES_MAX) {
        Ok(text) => Ok(parse_mountinfo(&text)),
        Err(ReadError::Absent) => {
            let text = root.read_text(MOUNT_FILES[1], MOUNTS_BYTES_MAX).map_err(|it| (MOUNT_FILES[1], it))?;
            Ok(parse_mounts(&text))
        }
        Err(error) => Err((MOUNT_FILES[0], error)),
    }
}

/// `proc_pid_mountinfo(5)`: six fixed fields, optional ones up to a lone dash, then type and source.
fn parse_mountinfo(text: &str) -> Vec<Mount> {
    let parse = |line: &str| {
        let (fixed, rest) = line.split_once(" - ")?;
        let mut fixed = fixed.split(' ');
        let number = fixed.nth(2)?.to_owned();
        let (folder, point) = (unescape(fixed.next()?), unescape(fixed.next()?));
        let mut rest = rest.split(' ');
        let (filesystem, source) = (rest.next()?.to_owned(), unescape(rest.next()?));
        Some(Mount { number, folder, point, filesystem, source })
    };
    text.lines().filter_map(parse).collect()
}

/// fstab(5) fields: source, mount point, type.
fn parse_mounts(text: &str) -> Vec<Mount> {
    let parse = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (source, point) = (unescape(fields.next()?), unescape(fields.next()?));
        let filesystem = fields.next()?.to_owned();
        Some(Mount { number: String::new(), folder: "/".into(), point, filesystem, source })
    };
    text.lines().filter_map(parse).collect()
}

/// The kernel writes blanks, tabs, line ends and backslashes as `\` and three octal digits.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] = rest {
            bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
            rest = after;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Keeps one mount per device, the one nearest to `/`, and no bind mounts of single folders.
fn own_volumes(mounts: Vec<Mount>) -> Vec<Mount> {
    let mut by_source = BTreeMap::<String, Mount>::new();
    for mount in mounts.into_iter().filter(is_own_volume) {
        let nearness = |it: &Mount| (it.point.matches('/').count(), it.point.len(), it.point.clone());
        match by_source.get(disk_of(&mount)) {
            Some(kept) if nearness(kept) <= nearness(&mount) => {}
            _ => {
                by_source.insert(disk_of(&mount).to_owned(), mount);
            }
        }
    }
    by_source.into_values().collect()
}

/// What the volume is on: a device, or a ZFS pool with its hundreds of datasets.
fn disk_of(mount: &Mount) -> &str {
    let pool = mount.source.split('/').next().filter(|_| mount.filesystem == "zfs");
    pool.unwrap_or(&mount.source)
}

fn is_own_volume(mount: &Mount) -> bool {
    const NOT_VOLUMES: [&str; 7] =
        ["squashfs", "erofs", "iso9660", "udf", "devtmpfs", "fuse.portal", "fuse.gvfsd-fuse"];
    let on_disk =
        mount.source.starts_with("/dev/") || matches!(mount.filesystem.as_str(), "zfs" | "bcachefs");
    let subvolumes = matches!(mount.filesystem.as_str(), "btrfs" | "bcachefs" | "zfs");
    on_disk
        && !mount.source.starts_with("/dev/loop")
        && !NOT_VOLUMES.contains(&mount.filesystem.as_str())
        && (mount.folder == "/" || subvolumes)
}

fn block_names(root: &Root) -> BlockNames {
    let mut names = BlockNames::default();
    let Ok(listing) = root.list_dir(BLOCK, BLOCK_DEVICES_MAX) else {
        return names;
    };
    for name in listing.names {
        if name.starts_with("loop") {
            continue;
        }
        if let Some(mapper) = root.attribute(&format!("{BLOCK}/{name}/dm/name")) {
            names.by_mapper_name.insert(mapper, name.clone());
        }
        if let Some(number) = root.attribute(&format!("{BLOCK}/{name}/dev")) {
            names.by_number.insert(number, name);
        }
    }
    names
}

impl BlockNames {
    /// By number, else by name: btrfs mounts have numbers of no device.
    fn find<'a>(&'a self, mount: &'a Mount) -> Option<&'a str> {
        if let Some(name) = self.by_number.get(&mount.number) {
            return Some(name);
        }
        if let Some(mapper) = mount.source.strip_prefix("/dev/mapper/") {
            return self.by_mapper_name.get(mapper).map(String::as_str);
        }
        let name = mount.source.strip_prefix("/dev/")?;
        self.by_number.values().find(|it| *it == name).map(String::as_str)
    }
}

fn block_size_bytes(root: &Root, block: &str) -> Option<u64> {
    root.number::<u64>(&format!("{BLOCK}/{block}/size"))?.checked_mul(512)
}

/// The file system's label as udev read it.
fn label(root: &Root, block: &str) -> Option<String> {
    let number = root.attribute(&format!("{BLOCK}/{block}/dev"))?;
    let udev = root.read_text(&format!("/run/udev/data/b{number}"), UDEV_BYTES_MAX).ok()?;
    udev.lines().find_map(|it| it.strip_prefix("E:ID_FS_LABEL=")).map(str::to_owned)
}

/// A volume is encrypted when it, or everything it lies on, is a dm-crypt target.
fn encryption(root: &Root, block: &str, depth: usize) -> Encryption {
    let folder = format!("{BLOCK}/{block}");
    let target = root.attribute(&format!("{folder}/dm/uuid")).unwrap_or_default();
    if let Some(crypt) = target.strip_prefix("CRYPT-") {
        return match crypt.split('-').next() {
            Some("LUKS1" | "LUKS2") => Encryption::Luks,
            Some("BITLK") => Encryption::Bitlocker,
            Some("FVAULT2") => Encryption::Filevault,
            _ => Encryption::Other,
        };
    }
    let below = root.list_dir(&format!("{folder}/slaves"), BLOCK_DEVICES_MAX).unwrap_or_default().names;
    if depth == 0 {
        return Encryption::Unknown;
    }
    let mut kinds = below.iter().map(|it| encryption(root, it, depth - 1));
    let Some(first) = kinds.next() else {
        return Encryption::None;
    };
    // One plain disk in the stack makes the whole readable in part.
    if kinds.all(|it| it == first) { first } else { Encryption::None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOUNTINFO: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 27 254:0 /var/lib/docker /mnt/bind rw - ext4 /dev/vda rw
32 27 8:17 / /mnt/my\\040disk rw - ext4 /dev/sdb1 rw
33 27 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro
34 27 0:40 / /srv rw - nfs4 server:/srv rw
35 27 0:41 /@home /home rw - btrfs /dev/mapper/data rw
36 27 0:41 /@ /data rw - btrfs /dev/mapper/data rw
37 27 0:42 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
38 27 0:43 / /tank/a rw - zfs tank/a rw
39 27 0:44 / /tank rw - zfs tank rw
";

    #[test]
    fn only_volumes_of_own_disks_are_kept_each_once() {
        let volumes = own_volumes(parse_mountinfo(MOUNTINFO));
        let points: Vec<_> = volumes.iter().map(|it| (it.point.as_str(), it.source.as_str())).collect();
        let expected = [
            ("/data", "/dev/mapper/data"),
            ("/mnt/my disk", "/dev/sdb1"),
            ("/", "/dev/vda"),
            ("/tank", "tank"),
        ];
        assert_eq!(points, expected);
    }

    #[test]
    fn the_short_mount_table_is_read_too() {
        let volumes = own_volumes(parse_mounts("/dev/sda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n"));
        assert_eq!(volumes.len(), 1);
        assert_eq!((volumes[0].point.as_str(), volumes[0].filesystem.as_str()), ("/", "ext4"));
    }

    #[test]
    fn escapes_of_the_kernel_are_undone() {
        assert_eq!(unescape("a\\040b\\134c"), "a b\\c");
        assert_eq!(unescape("a\\0"), "a\\0");
        assert_eq!(unescape("\\777"), "\\777");
    }

    fn write(dir: &std::path::Path, path: &str, text: &str) {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn luks_is_seen_below_lvm_and_one_plain_disk_undoes_it() {
        let dir = tempfile::tempdir().unwrap();
        let block = "sys/class/block";
        write(dir.path(), &format!("{block}/dm-0/dm/uuid"), "CRYPT-LUKS2-0123-luks-0123\n");
        write(dir.path(), &format!("{block}/dm-0/slaves/sda3/dev"), "8:3");
        write(dir.path(), &format!("{block}/dm-1/dm/uuid"), "LVM-abc\n");
        write(dir.path(), &format!("{block}/dm-1/slaves/dm-0/dev"), "253:0");
        write(dir.path(), &format!("{block}/dm-2/slaves/dm-0/dev"), "253:0");
        write(dir.path(), &format!("{block}/dm-2/slaves/sdb1/dev"), "8:17");
        write(dir.path(), &format!("{block}/sdb1/dev"), "8:17");
        let root = Root::captured(dir.path().to_owned());
        assert_eq!(encryption(&root, "dm-1", STACK_DEPTH_MAX), Encryption::Luks);
        assert_eq!(encryption(&root, "dm-2", STACK_DEPTH_MAX), Encryption::None);
        assert_eq!(encryption(&root, "sdb1", STACK_DEPTH_MAX), Encryption::None);
    }

    #[test]
    fn a_stack_that_contains_itself_ends() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "sys/class/block/dm-0/slaves/dm-0/dev", "253:0");
        let root = Root::captured(dir.path().to_owned());
        assert_eq!(encryption(&root, "dm-0", STACK_DEPTH_MAX), Encryption::Unknown);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "([0-9:/\\\\ -]| - |ext4|/dev/|\n|\\PC)*") {
            own_volumes(parse_mountinfo(&text));
            own_volumes(parse_mounts(&text));
        }
    }
}
