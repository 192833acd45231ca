//! Late attachment: the day a tag becomes known, the tickets that quoted it get their machine (rule A5).

use serde_json::json;

use super::attach;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::inventory::{self, CiSummary, HookFuture, TagBound, TagListener};
use crate::kernel::actor::{Actor, Scope};
use crate::kernel::id::PinId;
use crate::matching::AssetMatch;
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

/// Links one ticket, unless somebody was faster. Open tickets get a note, closed ones only the link.
async fn attach_one(
    tx: &mut Tx,
    context: &Context,
    number: &TicketNumber,
    ci: &CiSummary,
    pin: PinId,
) -> Result<(), StoreError> {
    store::hold_still(tx, number).await?;
    let Some(mut ticket) = store::find(tx, number).await? else {
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
    let now = context.now();
    ticket.asset_match = AssetMatch::Attached;
    if ticket.state.is_open() {
        ticket.updated_at = now;
        let entry = attach::attached_entry("asset_attached_late", ci, role);
        store::append_event(tx, number, &actor, now, &entry).await?;
    }
    store::save(tx, &ticket).await?;
    let deed = Deed {
        organisation_id: Some(ticket.organisation_id),
        action: "ticket.asset_attached_late",
        subject_kind: "ticket",
        subject_id: number.to_string(),
        detail: json!({ "ci": ci.id }),
    };
    audit::record(tx, context, &actor, deed).await
}
