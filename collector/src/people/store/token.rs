//! SQL of `person_token` and `person_mail_request`.

use crate::db::{StoreError, Tx};
use crate::kernel::id::PersonId;
use crate::kernel::time::UtcMicros;
use crate::people::token::LinkPurpose;
use crate::sql;

/// Rows deleted in one go: a few milliseconds of the writer.
const PRUNE_ROWS: i64 = 1_000;

pub(in crate::people) async fn insert(
    tx: &mut Tx,
    token_hash: &[u8; 32],
    person: PersonId,
    purpose: LinkPurpose,
    created_at: UtcMicros,
    expires_at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO person_token (token_hash, person_id, purpose, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)"
    )
    .bind(&token_hash[..])
    .bind(person)
    .bind(purpose)
    .bind(created_at)
    .bind(expires_at)
    .execute(conn)
    .await
    .map(drop)
    })
}

pub(in crate::people) async fn delete_of_person(tx: &mut Tx, person: PersonId) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM person_token WHERE person_id = $1")
        .bind(person)
        .execute(conn)
        .await
        .map(drop))
}

pub(in crate::people) async fn find(
    tx: &mut Tx,
    token_hash: &[u8; 32],
    now: UtcMicros,
) -> Result<Option<PersonId>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT person_id FROM person_token WHERE token_hash = $1 AND expires_at > $2"
    )
    .bind(&token_hash[..])
    .bind(now)
    .fetch_optional(conn)
    .await)
}

/// Deletes a living token and says whose it was: of two who come with the same one, one gets it.
pub(in crate::people) async fn take(
    tx: &mut Tx,
    token_hash: &[u8; 32],
    now: UtcMicros,
) -> Result<Option<PersonId>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "DELETE FROM person_token WHERE token_hash = $1 AND expires_at > $2 RETURNING person_id"
    )
    .bind(&token_hash[..])
    .bind(now)
    .fetch_optional(conn)
    .await)
}

/// Counts one more request for an address; those before `forget_before` no longer count.
pub(in crate::people) async fn count_mail(
    tx: &mut Tx,
    address_hash: &[u8; 32],
    now: UtcMicros,
    forget_before: UtcMicros,
) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "INSERT INTO person_mail_request AS r (address_hash, requests, first_at) VALUES ($1, 1, $2)
         ON CONFLICT (address_hash) DO UPDATE SET
           requests = CASE WHEN r.first_at < $3 THEN 1 ELSE r.requests + 1 END,
           first_at = CASE WHEN r.first_at < $3 THEN $2 ELSE r.first_at END
         RETURNING requests"
    )
    .bind(&address_hash[..])
    .bind(now)
    .bind(forget_before)
    .fetch_one(conn)
    .await)
}

/// Deletes tokens and counts that no longer mean anything.
pub(in crate::people) async fn delete_old(
    tx: &mut Tx,
    now: UtcMicros,
    forget_before: UtcMicros,
) -> Result<u64, StoreError> {
    let tokens = sql!(&mut *tx, |conn| sqlx::query(
        "DELETE FROM person_token WHERE token_hash IN (
           SELECT token_hash FROM person_token WHERE expires_at <= $1 LIMIT $2)"
    )
    .bind(now)
    .bind(PRUNE_ROWS)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    let counts = sql!(tx, |conn| sqlx::query(
        "DELETE FROM person_mail_request WHERE address_hash IN (
           SELECT address_hash FROM person_mail_request WHERE first_at < $1 LIMIT $2)"
    )
    .bind(forget_before)
    .bind(PRUNE_ROWS)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(tokens + counts)
}
