//! One ticket: number, insert, find, save.

use super::{ticket_columns, ticket_tables};
use crate::db::{StoreError, Tx};
use crate::kernel::id::{OrganisationId, PersonId};
use crate::kernel::text::AssetTag;
use crate::sql;
use crate::tickets::model::Ticket;
use crate::tickets::number::TicketNumber;

/// Somebody a ticket may be opened for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::tickets) struct Party {
    pub(in crate::tickets) organisation_id: Option<OrganisationId>,
    pub(in crate::tickets) name: String,
    pub(in crate::tickets) active: bool,
}

/// The next sequence of a month (`202611`). The row is locked until the transaction ends, so take it last.
pub(in crate::tickets) async fn next_in_month(tx: &mut Tx, month: &str) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "INSERT INTO ticket_number (month, last) VALUES ($1, 1)
         ON CONFLICT (month) DO UPDATE SET last = ticket_number.last + 1 RETURNING last"
    )
    .bind(month)
    .fetch_one(conn)
    .await)
}

/// A person as the parties of a ticket are checked.
pub(in crate::tickets) async fn find_party(
    tx: &mut Tx,
    person: PersonId,
) -> Result<Option<Party>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT organisation_id, name, status = 'active' AS active FROM person WHERE id = $1"
    )
    .bind(person)
    .fetch_optional(conn)
    .await)
}

/// A request as a ticket remembers it.
#[derive(Clone, Copy, Debug)]
pub(in crate::tickets) struct Remembered<'a> {
    /// What it is recognised by.
    pub(in crate::tickets) key: &'a [u8],
    /// Digest of what it said.
    pub(in crate::tickets) digest: &'a [u8],
}

/// A ticket and the digest of the request that opened it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::tickets) struct Requested {
    #[sqlx(flatten)]
    pub(in crate::tickets) ticket: Ticket,
    pub(in crate::tickets) request_digest: Option<Vec<u8>>,
}

/// Writes a new ticket; false when its request id opened one already.
pub(in crate::tickets) async fn insert(
    tx: &mut Tx,
    new: &Ticket,
    search_key: &str,
    request: Option<Remembered<'_>>,
) -> Result<bool, StoreError> {
    let waiting_key = waiting_key(&new.inventory_number);
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO ticket (number, organisation_id, kind, channel, state, priority, site_id, location, requester_id,
            beneficiary_id, created_by, created_by_id, level, summary, description, application, phone, availability, external_ref,
            severity, scope, urgency, inventory_number, inventory_key, asset_match, search_key, request_id, request_digest, created_at,
            updated_at, version, sub_kind, declared_severity, declared_scope, declared_urgency, matrix_version, restricted, security,
            major)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $28, $29, $29, $30, $31, $20, $21, $22, $32, $33, $34, $35)
         ON CONFLICT (request_id) DO NOTHING"
    )
    .bind(&new.number)
    .bind(new.organisation_id)
    .bind(new.kind)
    .bind(new.channel)
    .bind(new.state)
    .bind(new.priority)
    .bind(new.site_id)
    .bind(&new.location)
    .bind(new.requester_id)
    .bind(new.beneficiary_id)
    .bind(&new.created_by)
    .bind(new.created_by_id)
    .bind(new.level)
    .bind(&new.summary)
    .bind(&new.description)
    .bind(&new.application)
    .bind(&new.phone)
    .bind(&new.availability)
    .bind(&new.external_ref)
    .bind(new.severity)
    .bind(new.scope)
    .bind(new.urgency)
    .bind(&new.inventory_number)
    .bind(&waiting_key)
    .bind(new.asset_match)
    .bind(search_key)
    .bind(request.map(|it| it.key))
    .bind(request.map(|it| it.digest))
    .bind(new.created_at)
    .bind(new.version)
    .bind(new.sub_kind)
    .bind(new.matrix_version)
    .bind(new.restricted)
    .bind(new.security)
    .bind(new.major)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

/// The ticket with that number, whoever asks.
pub(in crate::tickets) async fn find(
    tx: &mut Tx,
    number: &TicketNumber,
) -> Result<Option<Ticket>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(concat!(
        "SELECT ",
        ticket_columns!(),
        " FROM ",
        ticket_tables!(),
        " WHERE t.number = $1"
    ))
    .bind(number)
    .fetch_optional(conn)
    .await)
}

/// The ticket that a request id opened.
pub(in crate::tickets) async fn find_by_request(
    tx: &mut Tx,
    request_key: &[u8],
) -> Result<Option<Requested>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(concat!(
        "SELECT ",
        ticket_columns!(),
        ", t.request_digest FROM ",
        ticket_tables!(),
        " WHERE t.request_id = $1"
    ))
    .bind(request_key)
    .fetch_optional(conn)
    .await)
}

/// Locks the ticket's row for this transaction, on both engines alike, so that what is read next stays true.
pub(in crate::tickets) async fn hold_still(tx: &mut Tx, number: &TicketNumber) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE ticket SET version = version WHERE number = $1")
        .bind(number)
        .execute(conn)
        .await
        .map(drop))
}

/// Writes everything of a ticket that actions change, if `ticket.version` is still the stored one; then the
/// stored one is one higher.
pub(in crate::tickets) async fn save(tx: &mut Tx, ticket: &Ticket) -> Result<bool, StoreError> {
    let waiting_key = waiting_key(&ticket.inventory_number);
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE ticket SET kind = $3, state = $4, priority = $5, owner_id = $6, level = $7, severity = $8, scope = $9,
            urgency = $10, inventory_number = $11, inventory_key = $12, asset_match = $13, pending_reason = $14,
            pending_until = $15, solution = $16, updated_at = $17, qualified_at = $18, resolved_at = $19,
            closed_at = $20, team_id = $21, owned_since = $22, sub_kind = $23, matrix_version = $24, priority_reason = $25,
            restricted = $26, security = $27, major = $28, pending_note = $29, resolution_code = $30, cause = $31,
            workaround = $32, session_on = $33, verified_checks = $34, verified_by = $35, verified_at = $36,
            cancel_reason = $37, parent_number = $38, problem_number = $39, duplicate_of = $40, refusals = $41,
            reopenings = $42, reminded_at = $43, version = version + 1
         WHERE number = $1 AND version = $2"
    )
    .bind(&ticket.number)
    .bind(ticket.version)
    .bind(ticket.kind)
    .bind(ticket.state)
    .bind(ticket.priority)
    .bind(ticket.owner_id)
    .bind(ticket.level)
    .bind(ticket.severity)
    .bind(ticket.scope)
    .bind(ticket.urgency)
    .bind(&ticket.inventory_number)
    .bind(&waiting_key)
    .bind(ticket.asset_match)
    .bind(&ticket.pending_reason)
    .bind(ticket.pending_until)
    .bind(&ticket.solution)
    .bind(ticket.updated_at)
    .bind(ticket.qualified_at)
    .bind(ticket.resolved_at)
    .bind(ticket.closed_at)
    .bind(ticket.team_id)
    .bind(ticket.owned_since)
    .bind(ticket.sub_kind)
    .bind(ticket.matrix_version)
    .bind(&ticket.priority_reason)
    .bind(ticket.restricted)
    .bind(ticket.security)
    .bind(ticket.major)
    .bind(&ticket.pending_note)
    .bind(ticket.resolution_code)
    .bind(&ticket.cause)
    .bind(&ticket.workaround)
    .bind(&ticket.session_on)
    .bind(&ticket.verified_checks)
    .bind(&ticket.verified_by)
    .bind(ticket.verified_at)
    .bind(ticket.cancel_reason)
    .bind(&ticket.parent_number)
    .bind(&ticket.problem_number)
    .bind(&ticket.duplicate_of)
    .bind(ticket.refusals)
    .bind(ticket.reopenings)
    .bind(ticket.reminded_at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

/// Sets how many visits and loans are not over; the ticket's version stays.
pub(in crate::tickets) async fn set_obligations(
    tx: &mut Tx,
    number: &TicketNumber,
    visits: i64,
    loans: i64,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE ticket SET open_visits = $2, open_loans = $3 WHERE number = $1")
        .bind(number)
        .bind(visits)
        .bind(loans)
        .execute(conn)
        .await
        .map(drop))
}

/// The key a typed number waits under; empty, and so never met, for what cannot be a tag.
fn waiting_key(typed: &str) -> String {
    typed.parse::<AssetTag>().map(|tag| tag.key().to_owned()).unwrap_or_default()
}
