//! One SQL text, two engines. [`Db`] is opened from a URL, [`Tx`] is what store functions take, and
//! [`sql!`](crate::sql) runs the same expression on whichever engine the transaction belongs to.
//!
//! Invariants: SQLite has one writer connection and every write transaction begins IMMEDIATE (a deferred
//! one loses writes under load); a read transaction cannot write on either engine; statements stay in
//! the portable subset (`$n`, `ON CONFLICT`, `RETURNING`, CTEs, window functions), what is not portable
//! lives in [`dialect`].

pub mod dialect;
mod health;
mod lock;
mod postgres;
mod room;
mod rows;
mod sqlite;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use std::fmt;
use std::path::PathBuf;

pub use self::health::until_broken;
pub use self::lock::ServingLock;
pub use self::rows::fetch_in;
use crate::kernel::error::{ErrorKind, Fault};

/// A database: the embedded SQLite or a PostgreSQL.
#[derive(Clone)]
pub enum Db {
    /// One writer, several readers on one file.
    Sqlite(sqlite::SqliteDb),
    /// A pool of connections.
    Postgres(sqlx::PgPool),
}

/// Which engine a database runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded engine.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// A running transaction. Dropping it rolls back.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    /// On PostgreSQL.
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine refused or broke.
    #[error("the database refused a statement")]
    Driver(#[source] sqlx::Error),
    /// The engine is away, out of connections or asks to try again.
    #[error("the database is not available")]
    Busy(#[source] sqlx::Error),
    /// There is no room left on the disk.
    #[error("the disk of the database is full")]
    Full(#[source] sqlx::Error),
    /// The disk failed, or the file is damaged; see [`until_broken`].
    #[error("the disk of the database failed")]
    Broken(#[source] sqlx::Error),
    /// A row that the invariants exclude.
    #[error("table {table} holds an inconsistent {column} for {row}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
    },
    /// The schema could not be brought up to date.
    #[error("the database schema could not be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A file of the SQLite engine cannot be made.
    #[error("cannot make {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// There is no such SQLite file.
    #[error("there is no database {}: `parc-collector migrate` or `serve` makes it", .0.display())]
    Missing(PathBuf),
    /// A SQLite file has one collector.
    #[error("{} is served already{}", path.display(), pid.map(|it| format!(" by process {it}")).unwrap_or_default())]
    Served {
        /// The database.
        path: PathBuf,
        /// The process, if its number can be read.
        pid: Option<u32>,
    },
    /// The configured address names no supported engine, or the engine is unusable.
    #[error("{0}")]
    Unsupported(String),
}

/// Runs one expression on the transaction's engine: `sql!(tx, |conn| sqlx::query("…").execute(conn).await)`.
#[macro_export]
macro_rules! sql {
    ($tx:expr, |$conn:ident| $body:expr) => {
        match $tx {
            $crate::db::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body.map_err($crate::db::StoreError::from)
            }
            $crate::db::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body.map_err($crate::db::StoreError::from)
            }
        }
    };
}

impl Db {
    /// The same as [`Db::open`], but a SQLite file that is missing is refused and not made.
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:").map(sqlite::path_of)
            && !path.is_file()
        {
            return Err(StoreError::Missing(path.to_owned()));
        }
        Self::open(url).await
    }

    /// Opens `sqlite:PATH` or `postgres://…`; creates the SQLite file when it is missing. Does not migrate.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            sqlite::SqliteDb::open(path).await.map(Self::Sqlite)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            postgres::open(url).await.map(Self::Postgres)
        } else {
            Err(StoreError::Unsupported("the database address must begin with sqlite: or postgres:".into()))
        }
    }

    /// Brings the schema up to date. Safe to repeat.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(db) => sqlite::MIGRATIONS.run(db.writer()).await?,
            Self::Postgres(pool) => postgres::MIGRATIONS.run(pool).await?,
        }
        Ok(())
    }

    /// Begins a transaction that may write.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite(db) => Tx::Sqlite(db.writer().begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that sees one consistent state and cannot write.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite(db) => Tx::Sqlite(db.readers().begin().await?),
            Self::Postgres(pool) => {
                Tx::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        })
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Ends all connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(db) => db.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Db({:?})", self.engine())
    }
}

impl Tx {
    /// Makes everything done durable. After this returns, a power cut loses nothing of it.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// The engine the transaction runs on.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }
}

impl StoreError {
    /// A row that the invariants exclude.
    pub fn inconsistent(table: &'static str, column: &'static str, row: impl fmt::Display) -> Self {
        Self::Inconsistent { table, column, row: row.to_string() }
    }

    /// Whether repeating the whole transaction may succeed: a lock, a serialization failure, a lost connection.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match state_of_disk(&error) {
            Disk::Full => Self::Full(error),
            Disk::Broken => {
                health::note_broken();
                Self::Broken(error)
            }
            Disk::Unsuspected if is_transient(&error) => Self::Busy(error),
            Disk::Unsuspected => Self::Driver(error),
        }
    }
}

impl Fault for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Busy(_) | Self::Full(_) => ErrorKind::Unavailable,
            Self::Driver(_)
            | Self::Broken(_)
            | Self::Inconsistent { .. }
            | Self::Migration(_)
            | Self::File { .. }
            | Self::Missing(_)
            | Self::Served { .. }
            | Self::Unsupported(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Busy(_) | Self::Full(_) => "database-unavailable",
            Self::Driver(_)
            | Self::Broken(_)
            | Self::Inconsistent { .. }
            | Self::Migration(_)
            | Self::File { .. }
            | Self::Missing(_)
            | Self::Served { .. }
            | Self::Unsupported(_) => "internal",
        }
    }
}

/// What an error says about the disk under the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    Unsuspected,
    Full,
    Broken,
}

fn state_of_disk(error: &sqlx::Error) -> Disk {
    let sqlx::Error::Database(cause) = error else { return Disk::Unsuspected };
    disk_of_code(&cause.code().unwrap_or_default())
}

/// SQLite's codes are numbers of at most four digits whose last byte is the kind; PostgreSQL's have five
/// characters, and a server whose disk fails ends by itself.
fn disk_of_code(code: &str) -> Disk {
    const IO_ERROR: u32 = 10;
    const CORRUPT: u32 = 11;
    const FULL: u32 = 13;
    if code == "53100" {
        return Disk::Full;
    }
    match code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|it| it & 0xFF) {
        Some(FULL) => Disk::Full,
        Some(IO_ERROR | CORRUPT) => Disk::Broken,
        _ => Disk::Unsuspected,
    }
}

/// SQLite's busy and locked; PostgreSQL's serialization failure, deadlock, shutdown, lost connections.
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
        sqlx::Error::Database(cause) => cause.code().is_some_and(|code| {
            matches!(
                code.as_ref(),
                "5" | "6" | "517" | "40001" | "40P01" | "57P01" | "57P02" | "57P03" | "25006" | "55P03"
            ) || code.starts_with("08")
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_flush_is_told_from_a_full_disk_and_from_a_lock() {
        // SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE, SQLITE_CORRUPT.
        for code in ["1034", "778", "11"] {
            assert_eq!(disk_of_code(code), Disk::Broken, "{code}");
        }
        for code in ["13", "53100"] {
            assert_eq!(disk_of_code(code), Disk::Full, "{code}");
        }
        // SQLITE_BUSY, SQLITE_CONSTRAINT_UNIQUE; a unique violation and a deadlock of PostgreSQL.
        for code in ["5", "2067", "23505", "40P01", "", "42703"] {
            assert_eq!(disk_of_code(code), Disk::Unsuspected, "{code}");
        }
    }
}
