//! The embedded engine: one writer, a few readers, everything durable before it is acknowledged.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqlitePool};

use super::StoreError;
use super::room::Room;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// Before this release two connections could corrupt the write-ahead log between write and reset.
const VERSION_MIN: (u32, u32, u32) = (3, 51, 3);
/// Readers beside the one writer: pages and look-ups of a small server.
const READERS: u32 = 4;
/// Page cache of each connection, KiB: indexes of 100,000 machines stay in memory on the writer.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
const READER_CACHE_KIB: i64 = 16 * 1024;

/// One file, one writer, several readers.
#[derive(Clone, Debug)]
pub struct SqliteDb {
    writer: SqlitePool,
    readers: SqlitePool,
    room: Room,
}

impl SqliteDb {
    pub(super) async fn open(path: &str) -> Result<Self, StoreError> {
        let path = path_of(path);
        make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(256)
            .pragma("temp_store", "memory")
            .optimize_on_close(true, 400)
            .disable_statement_logging(); // a check reads everything, which is slow by nature
        let writer_options =
            options.clone().create_if_missing(true).pragma("cache_size", format!("-{WRITER_CACHE_KIB}"));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .connect_with(writer_options)
            .await?;
        refuse_old_library(&writer).await?;
        let reader_options = options.read_only(true).pragma("cache_size", format!("-{READER_CACHE_KIB}"));
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(reader_options);
        Ok(Self { writer, readers, room: Room::beside(path) })
    }

    pub(super) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    pub(super) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    pub(super) fn room(&self) -> &Room {
        &self.room
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The file that a `sqlite:` address names.
pub(super) fn path_of(address: &str) -> &Path {
    Path::new(address.trim_start_matches("//"))
}

/// Makes an empty file that only its owner reads, unless there is one; the log beside it gets the same rights
/// from the engine. The rows hold names, telephone numbers and password hashes.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
            Err(StoreError::File { path: path.to_owned(), cause })
        }
        _ => Ok(()),
    }
}

async fn refuse_old_library(pool: &SqlitePool) -> Result<(), StoreError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(pool).await?;
    let mut parts = version.split('.').map(|it| it.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if (next(), next(), next()) < VERSION_MIN {
        return Err(StoreError::Unsupported(format!(
            "SQLite {version} may corrupt its write-ahead log; 3.51.3 or newer is needed"
        )));
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use crate::db::{Db, StoreError, dialect};

    #[tokio::test]
    async fn the_file_its_log_and_its_copies_are_their_owners_only() {
        let folder = tempfile::tempdir().expect("folder");
        let file = |name: &str| folder.path().join(name);
        let url = format!("sqlite:{}", file("parc.db").display());
        let refused = Db::open_existing(&url).await.expect_err("refused");
        assert!(matches!(refused, StoreError::Missing(_)) && !file("parc.db").exists(), "{refused}");
        let db = Db::open(&url).await.expect("open");
        db.migrate().await.expect("migrate");
        let copy = file("copy.db");
        dialect::backup(&db, copy.to_str().expect("UTF-8")).await.expect("backup");
        for name in ["parc.db", "parc.db-wal", "parc.db-shm", "copy.db"] {
            let mode = file(name).metadata().expect(name).permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert!(copy.metadata().expect("copy").len() > 0);
        Db::open_existing(&url).await.expect("it is there now");
    }
}
