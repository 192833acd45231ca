//! The embedded engine: one writer, a few readers, everything durable before it is acknowledged.

use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::StoreError;

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
}

impl SqliteDb {
    pub(super) async fn open(path: &str) -> Result<Self, StoreError> {
        let path = Path::new(path.trim_start_matches("//"));
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(256)
            .pragma("temp_store", "memory")
            .optimize_on_close(true, 400);
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
        Ok(Self { writer, readers })
    }

    pub(super) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    pub(super) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
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
