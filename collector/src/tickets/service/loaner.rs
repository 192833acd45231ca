//! The loaner beside the affected machine: two links on one ticket, each pinned as its machine was (rule A12). The
//! history tells of the loan, not of the link.

use super::attach;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::inventory::CiSummary;
use crate::kernel::id::CiId;
use crate::tickets::number::TicketNumber;
use crate::tickets::store;
use crate::tickets::words::{AssetRole, AttachedBy};

/// The machine that a ticket is about now, if one is.
pub async fn affected_machine(tx: &mut Tx, number: &TicketNumber) -> Result<Option<CiId>, StoreError> {
    let links = store::list_links(tx, number).await?;
    Ok(links.into_iter().find(|it| it.role == AssetRole::Affected).map(|it| it.ci_id))
}

/// Puts a loaner on a ticket, pinned as it is now. Once is enough.
pub async fn link_loaner(
    tx: &mut Tx,
    context: &Context,
    number: &TicketNumber,
    loaner: &CiSummary,
) -> Result<(), StoreError> {
    let known = store::list_links(tx, number).await?;
    if known.iter().any(|it| it.ci_id == loaner.id) {
        return Ok(());
    }
    attach::link(tx, context, number, loaner, AssetRole::Loaner, AttachedBy::Person).await.map(drop)
}

/// Ends a loaner's link; it stays in the history with the reason.
pub async fn unlink_loaner(
    tx: &mut Tx,
    context: &Context,
    number: &TicketNumber,
    loaner: CiId,
    reason: &str,
) -> Result<(), StoreError> {
    for link in store::list_links(tx, number).await? {
        if link.ci_id == loaner && link.role == AssetRole::Loaner {
            store::detach(tx, number, link.id, context.now(), reason).await?;
        }
    }
    Ok(())
}
