//! Late attachment: the day a tag becomes known, the tickets that quoted it get their machine (rule A5).

use super::attach;
use super::step::{Step, record_step};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::inventory::{self, CiSummary, HookFuture, TagBound, TagListener};
use crate::kernel::actor::{Actor, Scope};
use crate::kernel::id::PinId;
use crate::matching::AssetMatch;
use crate::tickets::model::Ticket;
use crate::tickets::number::TicketNumber;
use crate::tickets::store;
use crate::tickets::words::{AssetRole, AttachedBy};

/// Tickets served by one binding. The binding's transaction carries other machines' reports too and must stay
/// short; open tickets come first, and nobody waits for a sticker in more tickets than this.
const TICKETS_MAX: i64 = 200;

/// Wakes the tickets that wait for a tag. Given to `inventory`, which calls it in the transaction that binds one.
#[derive(Clone, Debug)]
pub struct LateAttachment {
    /// Clock and randomness for what is written.
    pub context: Context,
}

impl TagListener for LateAttachment {
    fn tag_bound<'a>(&'a self, tx: &'a mut Tx, bound: &'a TagBound) -> HookFuture<'a> {
        Box::pin(attach_waiting(tx, &self.context, bound))
    }
}

async fn attach_waiting(tx: &mut Tx, context: &Context, bound: &TagBound) -> Result<(), StoreError> {
    let waiting = store::list_waiting(tx, bound.organisation_id, bound.tag.key(), TICKETS_MAX).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    // A contested tag is a person's decision.
    if inventory::find_open_conflict(tx, bound.organisation_id, bound.tag.key()).await?.is_some() {
        return Ok(());
    }
    let own = Scope::Organisation(bound.organisation_id);
    let Some(ci) = inventory::find_ci(tx, own, bound.ci_id).await? else {
        return Ok(());
    };
    let pin = inventory::pin(tx, context, ci.id).await?;
    for number in &waiting {
        attach_one(tx, context, number, &ci, pin).await?;
    }
    Ok(())
}

/// Links one ticket, unless somebody was faster. Open tickets tell everybody, closed ones
/// only staff.
async fn attach_one(
    tx: &mut Tx,
    context: &Context,
    number: &TicketNumber,
    ci: &CiSummary,
    pin: PinId,
) -> Result<(), StoreError> {
    store::hold_still(tx, number).await?;
    let Some(ticket) = store::find(tx, number).await? else {
        return Ok(());
    };
    if !matches!(ticket.asset_match, AssetMatch::Unknown | AssetMatch::Ambiguous | AssetMatch::Foreign) {
        return Ok(());
    }
    let role = AssetRole::Affected;
    if !attach::link_pinned(tx, context, number, ci, (role, AttachedBy::Late), pin).await? {
        return Ok(());
    }
    let actor = Actor::system();
    let mut attached = Ticket { asset_match: AssetMatch::Attached, ..ticket.clone() };
    let mut entry = attach::attached_entry("asset_attached_late", ci, role);
    if ticket.state.is_open() {
        attached.updated_at = context.now();
    } else {
        entry.public = false;
    }
    let step = Step { actor: &actor, before: Some(&ticket), ticket: &attached, entries: &[entry] };
    record_step(tx, context, step).await.map(drop)
}
