//! Machines and events of tickets.

use crate::audit;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::id::{CiId, OrganisationId, PinId, TicketAssetId};
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::model::TicketEvent;
use crate::tickets::number::TicketNumber;
use crate::tickets::words::{AssetRole, AttachedBy};

/// Machines of one ticket that are shown; a ticket about more is about a site.
const LINKS_MAX: i64 = 20;
/// Events of one ticket that are shown; the latest are kept when a ticket has more.
const EVENTS_MAX: i64 = 1_000;

/// A machine on a ticket, as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::tickets) struct Link {
    pub(in crate::tickets) id: TicketAssetId,
    pub(in crate::tickets) ci_id: CiId,
    pub(in crate::tickets) role: AssetRole,
    pub(in crate::tickets) attached_by: AttachedBy,
    pub(in crate::tickets) attached_at: UtcMicros,
    pub(in crate::tickets) pin_id: PinId,
}

/// What is written into a ticket's history.
#[derive(Clone, Debug)]
pub(in crate::tickets) struct Entry {
    pub(in crate::tickets) kind: &'static str,
    /// Whether requesters see it.
    pub(in crate::tickets) public: bool,
    pub(in crate::tickets) data: serde_json::Value,
}

/// Links a machine; false when the ticket has an affected one already.
pub(in crate::tickets) async fn insert_link(
    tx: &mut Tx,
    number: &TicketNumber,
    link: &Link,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO ticket_asset (id, ticket_number, ci_id, role, attached_by, attached_at, pin_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
    )
    .bind(link.id)
    .bind(number)
    .bind(link.ci_id)
    .bind(link.role)
    .bind(link.attached_by)
    .bind(link.attached_at)
    .bind(link.pin_id)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Machines linked now, the affected one first.
pub(in crate::tickets) async fn list_links(
    tx: &mut Tx,
    number: &TicketNumber,
) -> Result<Vec<Link>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, ci_id, role, attached_by, attached_at, pin_id FROM ticket_asset
         WHERE ticket_number = $1 AND detached_at IS NULL ORDER BY role, attached_at LIMIT $2"
    )
    .bind(number)
    .bind(LINKS_MAX)
    .fetch_all(conn)
    .await)
}

/// Ends a link; false when there is no such live one.
pub(in crate::tickets) async fn detach(
    tx: &mut Tx,
    number: &TicketNumber,
    link: TicketAssetId,
    at: UtcMicros,
    reason: &str,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE ticket_asset SET detached_at = $3, detach_reason = $4
         WHERE id = $1 AND ticket_number = $2 AND detached_at IS NULL"
    )
    .bind(link)
    .bind(number)
    .bind(at)
    .bind(reason)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Appends to a ticket's history. The ticket's row must have been written before in this transaction: its lock
/// keeps the numbers in order.
pub(in crate::tickets) async fn append_event(
    tx: &mut Tx,
    number: &TicketNumber,
    actor: &Actor,
    at: UtcMicros,
    entry: &Entry,
) -> Result<(), StoreError> {
    let (actor_kind, actor_id) = audit::actor_columns(actor);
    let data = entry.data.to_string();
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO ticket_event (ticket_number, event_no, at, kind, public, actor_kind, actor_id, actor_label, data)
         SELECT $1, COALESCE(MAX(event_no), 0) + 1, $2, $3, $4, $5, $6, $7, $8 FROM ticket_event WHERE ticket_number = $1"
    )
    .bind(number)
    .bind(at)
    .bind(entry.kind)
    .bind(entry.public)
    .bind(actor_kind)
    .bind(actor_id)
    .bind(&actor.label)
    .bind(&data)
    .execute(conn)
    .await
    .map(drop)
    })
}

#[derive(sqlx::FromRow)]
struct EventRecord {
    event_no: i64,
    at: UtcMicros,
    kind: String,
    public: bool,
    actor_label: String,
    data: String,
}

/// The history, oldest first; without internal events unless `internal`.
pub(in crate::tickets) async fn list_events(
    tx: &mut Tx,
    number: &TicketNumber,
    internal: bool,
) -> Result<Vec<TicketEvent>, StoreError> {
    let records: Vec<EventRecord> = sql!(tx, |conn| sqlx::query_as(
        "SELECT event_no, at, kind, public, actor_label, data FROM ticket_event
         WHERE ticket_number = $1 AND (public = TRUE OR $2 = TRUE) ORDER BY event_no DESC LIMIT $3"
    )
    .bind(number)
    .bind(internal)
    .bind(EVENTS_MAX)
    .fetch_all(conn)
    .await)?;
    records.into_iter().rev().map(|it| it.parse(number)).collect()
}

impl EventRecord {
    fn parse(self, number: &TicketNumber) -> Result<TicketEvent, StoreError> {
        let data = serde_json::from_str(&self.data).map_err(|_| {
            StoreError::inconsistent("ticket_event", "data", format!("{number}/{}", self.event_no))
        })?;
        let Self { event_no, at, kind, public, actor_label, .. } = self;
        Ok(TicketEvent { event_no, at, kind, public, actor_label, data })
    }
}

/// Tickets of the organisation that quoted `key` and have no machine, open ones first, then newest first.
pub(in crate::tickets) async fn list_waiting(
    tx: &mut Tx,
    organisation: OrganisationId,
    key: &str,
    limit: i64,
) -> Result<Vec<TicketNumber>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_scalar(
        "SELECT number FROM ticket
         WHERE organisation_id = $1 AND inventory_key = $2 AND asset_match IN ('unknown', 'ambiguous', 'foreign')
         ORDER BY CASE WHEN state IN ('closed', 'cancelled') THEN 1 ELSE 0 END, created_at DESC LIMIT $3"
    )
    .bind(organisation)
    .bind(key)
    .bind(limit)
    .fetch_all(conn)
    .await
    })
}
