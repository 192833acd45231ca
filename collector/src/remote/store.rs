//! SQL of remote sessions. Names of people and organisations are read by join; only `remote_session` is written.

use super::model::{RemoteSession, RemoteStatus};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{PersonId, RemoteSessionId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::TicketNumber;

/// Sessions of one ticket that are shown.
const OF_TICKET_MAX: i64 = 20;
/// Sessions whose time ran out that are noted in one round.
const EXPIRED_ROUND: i64 = 100;

macro_rules! session_query {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.ticket_number, s.organisation_id, o.name AS organisation_name, o.time_zone, s.tool,
                    s.technician_id, t.name AS technician_name, s.asked_id, a.name AS asked_name, s.status, s.asked_at,
                    s.answered_at, s.answered_by, s.means, s.started_at, s.ended_at, s.report, s.sequence, s.updated_at
             FROM remote_session s
             JOIN site_organisation o ON o.id = s.organisation_id
             JOIN person t ON t.id = s.technician_id
             JOIN person a ON a.id = s.asked_id ",
            $rest
        )
    };
}

pub(super) async fn insert(tx: &mut Tx, new: &RemoteSession) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
            "INSERT INTO remote_session (id, ticket_number, organisation_id, tool, technician_id, asked_id, status,
             asked_at, answered_by, means, report, sequence, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', '', 0, $8)",
        )
        .bind(new.id)
        .bind(&new.ticket_number)
        .bind(new.organisation_id)
        .bind(&new.tool)
        .bind(new.technician_id)
        .bind(new.asked_id)
        .bind(new.status)
        .bind(new.asked_at)
        .execute(conn)
        .await
        .map(drop)
    })
}

/// Writes what steps change, if `seen` is still the stored sequence; false when somebody was faster.
pub(super) async fn save(tx: &mut Tx, session: &RemoteSession, seen: i64) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
            "UPDATE remote_session SET status = $3, answered_at = $4, answered_by = $5, means = $6, started_at = $7,
             ended_at = $8, report = $9, sequence = $10, updated_at = $11
         WHERE id = $1 AND sequence = $2",
        )
        .bind(session.id)
        .bind(seen)
        .bind(session.status)
        .bind(session.answered_at)
        .bind(&session.answered_by)
        .bind(&session.means)
        .bind(session.started_at)
        .bind(session.ended_at)
        .bind(&session.report)
        .bind(session.sequence)
        .bind(session.updated_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
    })
}

pub(super) async fn find(tx: &mut Tx, id: RemoteSessionId) -> Result<Option<RemoteSession>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(session_query!("WHERE s.id = $1")).bind(id).fetch_optional(conn).await)
}

/// Sessions of a ticket, the latest first.
pub(super) async fn list_of_ticket(
    tx: &mut Tx,
    number: &TicketNumber,
) -> Result<Vec<RemoteSession>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(session_query!(
        "WHERE s.ticket_number = $1 ORDER BY s.asked_at DESC, s.id DESC LIMIT $2"
    ))
    .bind(number)
    .bind(OF_TICKET_MAX)
    .fetch_all(conn)
    .await)
}

/// Sessions that wait since before the two moments: for an answer, for a start.
pub(super) async fn list_expired(
    tx: &mut Tx,
    (asked_before, accepted_before): (UtcMicros, UtcMicros),
) -> Result<Vec<RemoteSession>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(session_query!(
        "WHERE (s.status = $1 AND s.updated_at <= $2) OR (s.status = $3 AND s.updated_at <= $4)
         ORDER BY s.updated_at LIMIT $5"
    ))
    .bind(RemoteStatus::Requested)
    .bind(asked_before)
    .bind(RemoteStatus::Accepted)
    .bind(accepted_before)
    .bind(EXPIRED_ROUND)
    .fetch_all(conn)
    .await)
}

/// The register, the latest first: of one person, or of everybody in scope.
pub(super) async fn list(
    tx: &mut Tx,
    scope: Scope,
    person: Option<PersonId>,
    page: &PageRequest,
) -> Result<Page<RemoteSession>, StoreError> {
    let after = page.after.as_deref().and_then(|it| {
        let (at, id) = it.split_once(' ')?;
        Some((UtcMicros(at.parse().ok()?), id.parse::<RemoteSessionId>().ok()?))
    });
    let (after_at, after_id) = after.unzip();
    let rows: Vec<RemoteSession> = sql!(tx, |conn| sqlx::query_as(session_query!(
        "WHERE ($1 IS NULL OR s.organisation_id = $1) AND ($2 IS NULL OR s.asked_id = $2)
           AND ($3 IS NULL OR s.asked_at < $3 OR (s.asked_at = $3 AND s.id < $4))
         ORDER BY s.asked_at DESC, s.id DESC LIMIT $5"
    ))
    .bind(scope.organisation())
    .bind(person)
    .bind(after_at)
    .bind(after_id)
    .bind(page.fetch_limit())
    .fetch_all(conn)
    .await)?;
    Ok(Page::cut(rows, page, |it| format!("{} {}", it.asked_at.0, it.id)))
}
