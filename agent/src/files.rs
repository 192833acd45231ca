//! Files that survive being killed at any moment: written beside, flushed, renamed, folder flushed.
//!
//! Invariant: under a final name there is always a complete old or a complete new file. Everything
//! here is private to the agent's account (0600 in a 0700 folder).

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;

/// A file or folder of the agent could not be used.
#[derive(Debug, Error)]
#[error("cannot {action} {path}: {source}")]
pub struct FileError {
    /// What was tried: `read`, `write`, `remove`…
    pub action: &'static str,
    /// Which file.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl FileError {
    fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, path: path.to_owned(), source }
    }

    /// Whether only another account may do this.
    pub fn is_permission(&self) -> bool {
        self.source.kind() == io::ErrorKind::PermissionDenied
    }
}

/// Makes the folder, readable by the agent's account only.
pub fn make_private_folder(folder: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(FileError::new("make", folder))
}

/// Puts `bytes` in the place of the file, all or nothing.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let beside = beside(path);
    remove(&beside)?;
    write_flushed(&beside, bytes).map_err(FileError::new("write", &beside))?;
    fs::rename(&beside, path).map_err(FileError::new("replace", path))?;
    flush_folder_of(path)
}

/// Reads a whole file; `None` when there is none. Longer than `bytes_max` is an error.
pub fn read(path: &Path, bytes_max: usize) -> Result<Option<Vec<u8>>, FileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::new("read", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(FileError::new("read", path))?;
    if bytes.len() > bytes_max {
        let too_long = io::Error::other(format!("the file is longer than {bytes_max} bytes"));
        return Err(FileError::new("read", path)(too_long));
    }
    Ok(Some(bytes))
}

/// Removes a file for good; it is no error when there is none.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Ok(()) => flush_folder_of(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(FileError::new("remove", path)(error)),
    }
}

/// Keeps two agents from working on one state; released when dropped, also by a kill.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Waits at most `wait` for the lock file.
pub fn lock(path: &Path, wait: Duration) -> Result<Lock, FileError> {
    const STEP: Duration = Duration::from_millis(50);
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    private(&mut options);
    let file = options.open(path).map_err(FileError::new("open", path))?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) if started.elapsed() < wait => std::thread::sleep(STEP),
            Err(TryLockError::WouldBlock) => {
                let busy =
                    io::Error::new(io::ErrorKind::WouldBlock, "another parc-agent is at work, try again");
                return Err(FileError::new("lock", path)(busy));
            }
            Err(TryLockError::Error(error)) => return Err(FileError::new("lock", path)(error)),
        }
    }
}

/// Where the new content waits before it takes the name.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

fn write_flushed(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    private(&mut options);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options; // the folder's access list, set by the installer, is inherited
}

/// A rename is durable only once its folder is; only Unix lets a folder be flushed.
fn flush_folder_of(path: &Path) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        File::open(folder).and_then(|it| it.sync_all()).map_err(FileError::new("flush", folder))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_before_the_rename_leaves_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        replace(&path, b"old").unwrap();
        fs::write(beside(&path), b"half of the n").unwrap();
        assert_eq!(read(&path, 64).unwrap().as_deref(), Some(b"old".as_slice()));
        replace(&path, b"new").unwrap();
        assert_eq!(read(&path, 64).unwrap().as_deref(), Some(b"new".as_slice()));
        assert!(!beside(&path).exists());
    }

    #[test]
    fn a_file_over_the_limit_is_refused_and_a_missing_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        assert!(read(&path, 4).unwrap().is_none());
        replace(&path, b"1234").unwrap();
        assert!(read(&path, 4).unwrap().is_some());
        replace(&path, b"12345").unwrap();
        assert!(read(&path, 4).unwrap_err().to_string().contains("longer than 4 bytes"));
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_neither_folder_nor_file() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("agent");
        make_private_folder(&folder).unwrap();
        replace(&folder.join("key"), b"secret").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("key"))), (0o700, 0o600));
    }

    #[test]
    fn the_second_agent_is_told_to_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = lock(&path, Duration::ZERO).unwrap();
        assert!(lock(&path, Duration::ZERO).unwrap_err().to_string().contains("another parc-agent"));
        drop(held);
        assert!(lock(&path, Duration::ZERO).is_ok());
    }
}
