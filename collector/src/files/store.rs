//! SQL of `file` and `file_content`.

use super::model::StoredFile;
use crate::db::{StoreError, Tx};
use crate::kernel::id::FileId;
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Rows dropped in one go: contents are large, the writer must stay free.
const PRUNE_ROWS: i64 = 100;

pub(super) async fn insert(
    tx: &mut Tx,
    file: &StoredFile,
    hash: &[u8; 32],
    bytes: &[u8],
    at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(&mut *tx, |conn| sqlx::query(
        "INSERT INTO file_content (hash, size_bytes, bytes) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING"
    )
    .bind(&hash[..])
    .bind(file.size_bytes)
    .bind(bytes)
    .execute(conn)
    .await
    .map(drop))?;
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO file (id, content_hash, name, media_type, restricted, claimed, created_at)
         VALUES ($1, $2, $3, $4, $5, FALSE, $6)"
    )
    .bind(file.id)
    .bind(&hash[..])
    .bind(&file.name)
    .bind(&file.media_type)
    .bind(file.restricted)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))
}

/// The file with that id, without its bytes.
pub async fn find(tx: &mut Tx, file: FileId) -> Result<Option<StoredFile>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT f.id, f.name, f.media_type, c.size_bytes, f.restricted
         FROM file f JOIN file_content c ON c.hash = f.content_hash WHERE f.id = $1"
    )
    .bind(file)
    .fetch_optional(conn)
    .await)
}

/// The bytes of a file. Whoever calls has decided who may read them.
pub async fn read(tx: &mut Tx, file: FileId) -> Result<Option<Vec<u8>>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT c.bytes FROM file f JOIN file_content c ON c.hash = f.content_hash WHERE f.id = $1"
    )
    .bind(file)
    .fetch_optional(conn)
    .await)
}

/// The bytes of a file nothing points at yet: one that was only tried.
pub async fn read_unclaimed(tx: &mut Tx, file: FileId) -> Result<Option<Vec<u8>>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT c.bytes FROM file f JOIN file_content c ON c.hash = f.content_hash
         WHERE f.id = $1 AND f.claimed = FALSE"
    )
    .bind(file)
    .fetch_optional(conn)
    .await)
}

/// Says that something points at the file from now on; false when something does already, or there is none.
pub async fn claim(tx: &mut Tx, file: FileId) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE file SET claimed = TRUE WHERE id = $1 AND claimed = FALSE")
        .bind(file)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Marks a file as showing personal data. There is no way back.
pub async fn restrict(tx: &mut Tx, file: FileId) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE file SET restricted = TRUE WHERE id = $1")
        .bind(file)
        .execute(conn)
        .await
        .map(drop))
}

/// Drops a file that nothing claimed; its content goes with the next round of upkeep.
pub async fn forget(tx: &mut Tx, file: FileId) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM file WHERE id = $1 AND claimed = FALSE")
        .bind(file)
        .execute(conn)
        .await
        .map(drop))
}

pub(super) async fn delete_unclaimed(tx: &mut Tx, before: UtcMicros) -> Result<u64, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "DELETE FROM file WHERE id IN (
           SELECT id FROM file WHERE claimed = FALSE AND created_at < $1 LIMIT $2)"
    )
    .bind(before)
    .bind(PRUNE_ROWS)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))
}

/// Contents no file names any more.
pub(super) async fn delete_unnamed(tx: &mut Tx) -> Result<u64, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "DELETE FROM file_content WHERE hash IN (
           SELECT c.hash FROM file_content c
           WHERE NOT EXISTS (SELECT 1 FROM file f WHERE f.content_hash = c.hash) LIMIT $1)"
    )
    .bind(PRUNE_ROWS)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))
}

/// How many contents are stored. For tests.
#[cfg(test)]
pub(super) async fn count_contents(tx: &mut Tx) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar("SELECT COUNT(*) FROM file_content").fetch_one(conn).await)
}
