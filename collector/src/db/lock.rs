//! One collector per SQLite file: the engine has one writer, and the applier relies on being the only one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::{StoreError, sqlite};

/// Bytes of the file that are read: a process number has at most ten digits.
const PID_BYTES_MAX: u64 = 20;

/// Held as long as a collector serves a SQLite file. The system lets go of it when the process ends, however it
/// ends. Other commands work beside it.
#[derive(Debug)]
pub struct ServingLock {
    _file: File,
}

impl ServingLock {
    /// Locks the SQLite file that `url` names, by a file of its own beside it; a PostgreSQL needs no lock.
    ///
    /// # Errors
    /// [`StoreError::Served`] names the process that serves the file already.
    pub fn take(url: &str) -> Result<Option<Self>, StoreError> {
        let Some(address) = url.strip_prefix("sqlite:") else { return Ok(None) };
        let database = sqlite::path_of(address);
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let cannot = |cause| StoreError::File { path: path.clone(), cause };
        let mut file = open(&path).map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Served { path: database.to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(cause)) => return Err(cannot(cause)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(cannot)?;
        Ok(Some(Self { _file: file }))
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The process number in the file; nothing when the holder has not written it yet.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(PID_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_collector_on_one_file_is_told_who_serves_it() {
        let folder = tempfile::tempdir().expect("folder");
        let url = format!("sqlite:{}", folder.path().join("parc.db").display());
        let first = ServingLock::take(&url).expect("free");
        let refused = ServingLock::take(&url).expect_err("served");
        let words = refused.to_string();
        assert!(words.contains("parc.db") && words.contains(&std::process::id().to_string()), "{words}");
        drop(first);
        ServingLock::take(&url).expect("free again");
    }

    #[test]
    fn a_server_needs_no_lock() {
        assert!(ServingLock::take("postgres://nowhere/parc").expect("no lock").is_none());
    }
}
