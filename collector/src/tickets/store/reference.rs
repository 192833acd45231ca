//! What tickets are described and ordered with, as data: pending reasons, the priority matrix. Who watches a ticket.

use crate::db::{StoreError, Tx};
use crate::kernel::id::PersonId;
use crate::kernel::time::{UtcMicros, days};
use crate::sql;
use crate::tickets::model::PendingReason;
use crate::tickets::number::TicketNumber;
use crate::tickets::priority::Matrix;

/// Watchers of one ticket that are named.
const WATCHERS_MAX: i64 = 100;
/// Days that two, or five, working days last at least.
const REMIND_DAYS_MIN: u64 = 2;
const CLOSE_DAYS_MIN: u64 = 5;
/// Reasons that are offered.
const REASONS_MAX: i64 = 100;

/// Every reason, in the order they are offered, those no longer offered too.
pub(in crate::tickets) async fn list_pending_reasons(tx: &mut Tx) -> Result<Vec<PendingReason>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT code, label_fr, label_en, pauses_call, pauses_resolution, requires_date, active
         FROM ticket_pending_reason ORDER BY position, code LIMIT $1"
    )
    .bind(REASONS_MAX)
    .fetch_all(conn)
    .await)
}

/// The reason with that code.
pub(in crate::tickets) async fn find_pending_reason(
    tx: &mut Tx,
    code: &str,
) -> Result<Option<PendingReason>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT code, label_fr, label_en, pauses_call, pauses_resolution, requires_date, active
         FROM ticket_pending_reason WHERE code = $1"
    )
    .bind(code)
    .fetch_optional(conn)
    .await)
}

/// The matrix in force: the latest version.
pub(in crate::tickets) async fn current_matrix(tx: &mut Tx) -> Result<Matrix, StoreError> {
    let (version, cells): (i64, String) = sql!(tx, |conn| sqlx::query_as(
        "SELECT version, cells FROM ticket_matrix ORDER BY version DESC LIMIT 1"
    )
    .fetch_one(conn)
    .await)?;
    Matrix::parse(version, &cells).ok_or_else(|| StoreError::inconsistent("ticket_matrix", "cells", version))
}

/// Adds a version of the matrix; false when somebody else just did.
pub(in crate::tickets) async fn insert_matrix(
    tx: &mut Tx,
    matrix: &Matrix,
    by: &str,
    at: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO ticket_matrix (version, cells, created_by, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (version) DO NOTHING"
    )
    .bind(matrix.version)
    .bind(matrix.cells())
    .bind(by)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Tickets whose wait is over, the longest first.
pub(in crate::tickets) async fn list_waits_over(
    tx: &mut Tx,
    now: UtcMicros,
    limit: i64,
) -> Result<Vec<TicketNumber>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_scalar(
        "SELECT number FROM ticket WHERE state = 'pending' AND pending_until <= $1 ORDER BY pending_until, number LIMIT $2"
    )
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await
    })
}

/// Solved tickets that a person may have forgotten to confirm, the longest solved first: those to be reminded of and
/// those to be closed. Whoever was refused or is restricted waits for a person.
pub(in crate::tickets) async fn list_unconfirmed(
    tx: &mut Tx,
    now: UtcMicros,
    limit: i64,
) -> Result<Vec<TicketNumber>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT number FROM ticket WHERE state = 'resolved' AND restricted = FALSE AND refusals = 0
         AND ((reminded_at IS NULL AND resolved_at < $1) OR (reminded_at IS NOT NULL AND resolved_at < $2))
         ORDER BY resolved_at, number LIMIT $3"
    )
    .bind(now - days(REMIND_DAYS_MIN))
    .bind(now - days(CLOSE_DAYS_MIN))
    .bind(limit)
    .fetch_all(conn)
    .await)
}

/// Adds a watcher; false when there already.
pub(in crate::tickets) async fn watch(
    tx: &mut Tx,
    number: &TicketNumber,
    person: PersonId,
    since: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO ticket_watcher (ticket_number, person_id, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
    )
    .bind(number)
    .bind(person)
    .bind(since)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

/// Takes a watcher out; false when there was none.
pub(in crate::tickets) async fn unwatch(
    tx: &mut Tx,
    number: &TicketNumber,
    person: PersonId,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM ticket_watcher WHERE ticket_number = $1 AND person_id = $2")
        .bind(number)
        .bind(person)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Who watches a ticket, by name.
pub(in crate::tickets) async fn list_watchers(
    tx: &mut Tx,
    number: &TicketNumber,
) -> Result<Vec<(PersonId, String)>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT p.id, p.name FROM ticket_watcher w JOIN person p ON p.id = w.person_id
         WHERE w.ticket_number = $1 ORDER BY p.name, p.id LIMIT $2"
    )
    .bind(number)
    .bind(WATCHERS_MAX)
    .fetch_all(conn)
    .await)
}

/// The watchers of one ticket watch another too.
pub(in crate::tickets) async fn carry_watchers(
    tx: &mut Tx,
    from: &TicketNumber,
    to: &TicketNumber,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO ticket_watcher (ticket_number, person_id, since)
         SELECT $2, person_id, since FROM ticket_watcher WHERE ticket_number = $1 ON CONFLICT DO NOTHING"
    )
    .bind(from)
    .bind(to)
    .execute(conn)
    .await
    .map(drop))
}

/// How many tickets stand under one, as its children or as incidents of a problem.
pub(in crate::tickets) async fn count_under(tx: &mut Tx, number: &TicketNumber) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COUNT(*) FROM ticket WHERE parent_number = $1 OR problem_number = $1"
    )
    .bind(number)
    .fetch_one(conn)
    .await)
}

/// Tickets under one that are neither solved nor over, oldest first.
pub(in crate::tickets) async fn list_unsolved_under(
    tx: &mut Tx,
    number: &TicketNumber,
    limit: i64,
) -> Result<Vec<TicketNumber>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT number FROM ticket WHERE (parent_number = $1 OR problem_number = $1)
         AND state IN ('new', 'queued', 'in_progress', 'pending') ORDER BY created_at, number LIMIT $2"
    )
    .bind(number)
    .bind(limit)
    .fetch_all(conn)
    .await)
}
