//! Room on the disk that is kept for tickets: a file of a few MiB beside the embedded database. When the disk is
//! full the file is given up and reports are turned away, so that tickets can still be opened; once the file fits
//! again, reports are taken again. Agents send what they have later; people do not.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Db;

/// A ticket with its machine writes about 100 KiB of log: enough for a morning.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;
/// How often a full disk is looked at again.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// The file, and whether it had to be given up.
#[derive(Clone, Debug)]
pub(super) struct Room {
    path: PathBuf,
    short: Arc<AtomicBool>,
}

impl Room {
    pub(super) fn beside(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(".room");
        Self { path: path.into(), short: Arc::default() }
    }

    /// Makes the file unless it is there; real bytes, for a hole keeps no room.
    fn keep(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|it| it.len() == KEPT_BYTES as u64) {
            return Ok(());
        }
        let written = self.write();
        if written.is_err() {
            drop(fs::remove_file(&self.path));
        }
        written
    }

    fn write(&self) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.path)?;
        let chunk = vec![0; CHUNK_BYTES];
        for _ in 0..KEPT_BYTES / CHUNK_BYTES {
            file.write_all(&chunk)?;
        }
        file.sync_all()
    }
}

impl Db {
    /// Keeps room for tickets. Where that is not possible the disk counts as full already.
    pub async fn keep_room(&self) {
        if !self.try_to_keep_room().await {
            self.give_room_up();
        }
    }

    /// Whether reports are to be turned away because the disk is full.
    pub fn is_short_of_room(&self) -> bool {
        match self {
            Self::Sqlite(db) => db.room().short.load(Ordering::Relaxed),
            Self::Postgres(_) => false,
        }
    }

    /// Gives the room to whoever writes next, and looks again later whether there is more.
    pub fn give_room_up(&self) {
        let Self::Sqlite(db) = self else { return };
        let room = db.room();
        if room.short.swap(true, Ordering::Relaxed) {
            return;
        }
        drop(fs::remove_file(&room.path));
        tracing::error!(
            "the disk of the database is full: reports are turned away so that tickets find room"
        );
        let db = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_AGAIN).await;
                if db.try_to_keep_room().await {
                    tracing::info!("the disk of the database has room again: reports are taken");
                    return;
                }
            }
        });
    }

    async fn try_to_keep_room(&self) -> bool {
        let Self::Sqlite(db) = self else { return true };
        let room = db.room().clone();
        let short = Arc::clone(&room.short);
        let kept = tokio::task::spawn_blocking(move || room.keep()).await;
        let kept = matches!(kept, Ok(Ok(())));
        if kept {
            short.store(false, Ordering::Relaxed);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_is_kept_given_up_and_kept_again() {
        let folder = tempfile::tempdir().expect("folder");
        let database = folder.path().join("parc.db");
        let db = Db::open(&format!("sqlite:{}", database.display())).await.expect("open");
        let file = folder.path().join("parc.db.room");
        db.keep_room().await;
        assert_eq!(file.metadata().expect("kept").len(), KEPT_BYTES as u64);
        assert!(!db.is_short_of_room());
        db.give_room_up();
        db.give_room_up();
        assert!(db.is_short_of_room() && !file.exists());
        assert!(db.try_to_keep_room().await, "there is room again");
        assert!(!db.is_short_of_room() && file.exists());
    }
}
