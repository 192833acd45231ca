//! Machines of tickets.

use crate::db::{StoreError, Tx};
use crate::kernel::id::{CiId, OrganisationId, PinId, TicketAssetId};
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::number::TicketNumber;
use crate::tickets::words::{AssetRole, AttachedBy};

/// Machines of one ticket that are shown; a ticket about more is about a site.
const LINKS_MAX: i64 = 20;

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
