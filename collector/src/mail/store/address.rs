//! What is known of an address: does it work, and how much went there lately.

use crate::db::{StoreError, Tx};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// An address' record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(in crate::mail) struct Standing {
    pub(in crate::mail) failures: i64,
    pub(in crate::mail) last_failed_at: Option<UtcMicros>,
    pub(in crate::mail) failing_since: Option<UtcMicros>,
    pub(in crate::mail) window_started_at: UtcMicros,
    pub(in crate::mail) window_mails: i64,
}

/// What is known of an address; nothing bad of one never written to.
pub(in crate::mail) async fn find_standing(tx: &mut Tx, address: &str) -> Result<Standing, StoreError> {
    let found: Option<Standing> = sql!(tx, |conn| sqlx::query_as(
        "SELECT failures, last_failed_at, failing_since, window_started_at, window_mails
         FROM mail_address WHERE address = $1"
    )
    .bind(address)
    .fetch_optional(conn)
    .await)?;
    Ok(found.unwrap_or_default())
}

/// Counts a mail into the running window, or begins a new one at `window_started_at`.
pub(in crate::mail) async fn book(
    tx: &mut Tx,
    address: &str,
    window_started_at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO mail_address (address, failures, window_started_at, window_mails) VALUES ($1, 0, $2, 1)
         ON CONFLICT (address) DO UPDATE SET
            window_mails = CASE WHEN mail_address.window_started_at = $2 THEN mail_address.window_mails + 1 ELSE 1 END,
            window_started_at = $2"
    )
    .bind(address)
    .bind(window_started_at)
    .execute(conn)
    .await
    .map(drop)
    })
}

/// Writes down that a mail did not arrive there.
pub(in crate::mail) async fn note_failure(
    tx: &mut Tx,
    address: &str,
    standing: Standing,
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO mail_address (address, failures, last_failed_at, failing_since, window_started_at, window_mails)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (address) DO UPDATE SET failures = $2, last_failed_at = $3, failing_since = $4"
    )
    .bind(address)
    .bind(standing.failures)
    .bind(standing.last_failed_at)
    .bind(standing.failing_since)
    .bind(standing.window_started_at)
    .bind(standing.window_mails)
    .execute(conn)
    .await
    .map(drop)
    })
}

/// The address works again, or is believed to.
pub(in crate::mail) async fn forgive(tx: &mut Tx, address: &str) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE mail_address SET failures = 0, last_failed_at = NULL, failing_since = NULL WHERE address = $1"
    )
    .bind(address)
    .execute(conn)
    .await
    .map(drop))
}
