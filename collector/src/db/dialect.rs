//! What the two engines say differently. Everything else is one text.

use super::{StoreError, Tx};

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
