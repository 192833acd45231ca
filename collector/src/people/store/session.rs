//! SQL of `person_session` and `person_sign_in_failure`.

use crate::db::{StoreError, Tx};
use crate::kernel::id::PersonId;
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Rows deleted in one go: a few milliseconds of the writer.
const PRUNE_ROWS: i64 = 1_000;

/// A session to store.
pub(in crate::people) struct NewSession<'a> {
    pub(in crate::people) token_hash: &'a [u8; 32],
    pub(in crate::people) person_id: PersonId,
    pub(in crate::people) csrf_token: &'a str,
    pub(in crate::people) created_at: UtcMicros,
    pub(in crate::people) expires_at: UtcMicros,
}

/// A stored session.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::people) struct SessionRow {
    pub(in crate::people) person_id: PersonId,
    pub(in crate::people) csrf_token: String,
    pub(in crate::people) last_seen_at: UtcMicros,
    pub(in crate::people) expires_at: UtcMicros,
}

/// Failures of an address so far.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::people) struct FailureRow {
    pub(in crate::people) failures: i64,
    pub(in crate::people) locked_until: Option<UtcMicros>,
}

pub(in crate::people) async fn insert_session(tx: &mut Tx, new: &NewSession<'_>) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO person_session (token_hash, person_id, csrf_token, created_at, last_seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $4, $5)"
    )
    .bind(&new.token_hash[..])
    .bind(new.person_id)
    .bind(new.csrf_token)
    .bind(new.created_at)
    .bind(new.expires_at)
    .execute(conn)
    .await
    .map(drop))
}

pub(in crate::people) async fn find_session(
    tx: &mut Tx,
    token_hash: &[u8; 32],
) -> Result<Option<SessionRow>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT person_id, csrf_token, last_seen_at, expires_at FROM person_session WHERE token_hash = $1"
    )
    .bind(&token_hash[..])
    .fetch_optional(conn)
    .await)
}

pub(in crate::people) async fn touch_session(
    tx: &mut Tx,
    token_hash: &[u8; 32],
    at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE person_session SET last_seen_at = $2 WHERE token_hash = $1 AND last_seen_at < $2"
    )
    .bind(&token_hash[..])
    .bind(at)
    .execute(conn)
    .await
    .map(drop))
}

pub(in crate::people) async fn delete_session(tx: &mut Tx, token_hash: &[u8; 32]) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM person_session WHERE token_hash = $1")
        .bind(&token_hash[..])
        .execute(conn)
        .await
        .map(drop))
}

pub(in crate::people) async fn delete_sessions_of(tx: &mut Tx, person: PersonId) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM person_session WHERE person_id = $1")
        .bind(person)
        .execute(conn)
        .await
        .map(drop))
}

/// Deletes sessions past their age or not seen since `idle_before`.
pub(in crate::people) async fn delete_dead_sessions(
    tx: &mut Tx,
    now: UtcMicros,
    idle_before: UtcMicros,
) -> Result<u64, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "DELETE FROM person_session WHERE token_hash IN (
           SELECT token_hash FROM person_session WHERE expires_at <= $1 OR last_seen_at <= $2 LIMIT $3)"
    )
    .bind(now)
    .bind(idle_before)
    .bind(PRUNE_ROWS)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))
}

/// Counts one more failure unless the address is locked; failures before `forget_before` start anew.
/// The row stays locked for other writers until the transaction ends, so none is lost.
pub(in crate::people) async fn count_failure(
    tx: &mut Tx,
    address_hash: &[u8; 32],
    now: UtcMicros,
    forget_before: UtcMicros,
) -> Result<FailureRow, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "INSERT INTO person_sign_in_failure AS f (address_hash, failures, last_failed_at, locked_until)
         VALUES ($1, 1, $2, NULL)
         ON CONFLICT (address_hash) DO UPDATE SET
           failures = CASE WHEN f.locked_until > $2 THEN f.failures WHEN f.last_failed_at < $3 THEN 1
                           ELSE f.failures + 1 END,
           last_failed_at = CASE WHEN f.locked_until > $2 THEN f.last_failed_at ELSE $2 END
         RETURNING failures, locked_until"
    )
    .bind(&address_hash[..])
    .bind(now)
    .bind(forget_before)
    .fetch_one(conn)
    .await)
}

pub(in crate::people) async fn lock(
    tx: &mut Tx,
    address_hash: &[u8; 32],
    until: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE person_sign_in_failure SET locked_until = $2 WHERE address_hash = $1"
    )
    .bind(&address_hash[..])
    .bind(until)
    .execute(conn)
    .await
    .map(drop))
}

pub(in crate::people) async fn clear_failures(
    tx: &mut Tx,
    address_hash: &[u8; 32],
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM person_sign_in_failure WHERE address_hash = $1")
        .bind(&address_hash[..])
        .execute(conn)
        .await
        .map(drop))
}

/// Deletes failures that no longer count and lock nobody.
pub(in crate::people) async fn delete_old_failures(
    tx: &mut Tx,
    now: UtcMicros,
    forget_before: UtcMicros,
) -> Result<u64, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "DELETE FROM person_sign_in_failure WHERE address_hash IN (
           SELECT address_hash FROM person_sign_in_failure
           WHERE last_failed_at < $2 AND (locked_until IS NULL OR locked_until <= $1) LIMIT $3)"
    )
    .bind(now)
    .bind(forget_before)
    .bind(PRUNE_ROWS)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))
}
