//! What the two engines say differently. Everything else is one text.

use super::{Db, StoreError, Tx};

/// Size of the database in bytes, for metrics and `check`.
pub async fn database_bytes(tx: &mut Tx) -> Result<i64, StoreError> {
    match tx {
        Tx::Sqlite(tx) => sqlx::query_scalar(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        )
        .fetch_one(&mut **tx)
        .await
        .map_err(StoreError::from),
        Tx::Postgres(tx) => sqlx::query_scalar("SELECT pg_database_size(current_database())")
            .fetch_one(&mut **tx)
            .await
            .map_err(StoreError::from),
    }
}

/// Writes a consistent copy of the embedded database to `target` while others read and write.
pub async fn backup(db: &Db, target: &str) -> Result<(), StoreError> {
    let Db::Sqlite(db) = db else {
        return Err(StoreError::Unsupported(
            "a PostgreSQL database is backed up with its own tools: pg_basebackup with archived WAL, or pg_dump".into(),
        ));
    };
    let mut connection = db.writer().acquire().await?;
    sqlx::query("VACUUM INTO $1").bind(target).execute(&mut *connection).await?;
    Ok(())
}
