//! What the two engines say differently. Everything else is one text.

use std::path::Path;

use super::{Db, StoreError, Tx, sqlite};

/// Size of the database in bytes, for metrics and `check`.
pub async fn database_bytes(tx: &mut Tx) -> Result<i64, StoreError> {
    match tx {
        Tx::Sqlite(tx) => {
            sqlx::query_scalar("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
                .fetch_one(&mut **tx)
                .await
                .map_err(StoreError::from)
        }
        Tx::Postgres(tx) => sqlx::query_scalar("SELECT pg_database_size(current_database())")
            .fetch_one(&mut **tx)
            .await
            .map_err(StoreError::from),
    }
}

/// Writes a consistent copy of the embedded database to `target`, readable by its owner only, while others
/// read and write.
pub async fn backup(db: &Db, target: &str) -> Result<(), StoreError> {
    let Db::Sqlite(db) = db else {
        return Err(StoreError::Unsupported(
            "a PostgreSQL database is backed up with its own tools: pg_basebackup with archived WAL, or pg_dump".into(),
        ));
    };
    sqlite::make_private(Path::new(target))?;
    let mut connection = db.writer().acquire().await?;
    sqlx::query("VACUUM INTO $1").bind(target).execute(&mut *connection).await?;
    Ok(())
}

/// One statement in both dialects, for a list bound as a single parameter: SQLite takes it as JSON
/// (`json_each`), PostgreSQL as an array (`unnest`). Several times faster than one row per statement.
#[derive(Clone, Copy, Debug)]
pub struct ListSql {
    /// For SQLite; the list is `$1`, JSON.
    pub sqlite: &'static str,
    /// For PostgreSQL; the list is `$1`, `bigint[]` or `text[]`.
    pub postgres: &'static str,
}

/// Rows for a list of integers, bound as `$1`.
pub async fn fetch_for_integers<R>(tx: &mut Tx, sql: ListSql, list: &[i64]) -> Result<Vec<R>, StoreError>
where
    R: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>
        + Send
        + Unpin,
{
    match tx {
        Tx::Sqlite(tx) => sqlx::query_as(sql.sqlite).bind(json_list(list)).fetch_all(&mut **tx).await,
        Tx::Postgres(tx) => sqlx::query_as(sql.postgres).bind(list).fetch_all(&mut **tx).await,
    }
    .map_err(StoreError::from)
}

/// Rows for a list of texts, bound as `$1`: JSON for SQLite, `text[]` for PostgreSQL.
pub async fn fetch_for_texts<R>(tx: &mut Tx, sql: ListSql, list: &[String]) -> Result<Vec<R>, StoreError>
where
    R: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>
        + Send
        + Unpin,
{
    match tx {
        Tx::Sqlite(tx) => {
            let json = serde_json::Value::from(list).to_string();
            sqlx::query_as(sql.sqlite).bind(json).fetch_all(&mut **tx).await
        }
        Tx::Postgres(tx) => sqlx::query_as(sql.postgres).bind(list).fetch_all(&mut **tx).await,
    }
    .map_err(StoreError::from)
}

/// Runs a statement for a list of integers, bound as `$1`, and one key, bound as `$2`.
pub async fn execute_for_integers(
    tx: &mut Tx,
    sql: ListSql,
    list: &[i64],
    key: i64,
) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(tx) => {
            sqlx::query(sql.sqlite).bind(json_list(list)).bind(key).execute(&mut **tx).await.map(drop)
        }
        Tx::Postgres(tx) => sqlx::query(sql.postgres).bind(list).bind(key).execute(&mut **tx).await.map(drop),
    }
    .map_err(StoreError::from)
}

fn json_list(list: &[i64]) -> String {
    let mut text = String::with_capacity(list.len() * 21 + 2);
    text.push('[');
    for (index, value) in list.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&value.to_string());
    }
    text.push(']');
    text
}
