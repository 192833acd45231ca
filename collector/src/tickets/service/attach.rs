//! Linking a machine to a ticket, pinned as it is at that moment.

use serde_json::json;

use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::inventory::{self, CiSummary};
use crate::kernel::id::{PinId, TicketAssetId};
use crate::tickets::model::Entry;
use crate::tickets::number::TicketNumber;
use crate::tickets::store::{self, Link};
use crate::tickets::words::{AssetRole, AttachedBy};

/// Pins `ci` and links it; false when the ticket has an affected machine already.
pub(super) async fn link(
    tx: &mut Tx,
    context: &Context,
    number: &TicketNumber,
    ci: &CiSummary,
    role: AssetRole,
    attached_by: AttachedBy,
) -> Result<bool, StoreError> {
    let pin = inventory::pin(tx, context, ci.id).await?;
    link_pinned(tx, context, number, ci, (role, attached_by), pin).await
}

/// Links `ci` as it was pinned; several tickets may share one pin.
pub(super) async fn link_pinned(
    tx: &mut Tx,
    context: &Context,
    number: &TicketNumber,
    ci: &CiSummary,
    (role, attached_by): (AssetRole, AttachedBy),
    pin_id: PinId,
) -> Result<bool, StoreError> {
    let attached_at = context.now();
    let id = TicketAssetId::generate(attached_at, context.entropy.as_ref());
    store::insert_link(tx, number, &Link { id, ci_id: ci.id, role, attached_by, attached_at, pin_id }).await
}

/// The history's words about a linked machine. Make, model and tag stand on its case: requesters may read them.
pub(super) fn attached_entry(kind: &'static str, ci: &CiSummary, role: AssetRole) -> Entry {
    let data = json!({ "tag": ci.tag, "machine": machine_name(ci), "role": role.code() });
    Entry { kind, public: true, data }
}

/// "Dell Inc. Latitude 5420".
pub(super) fn machine_name(ci: &CiSummary) -> String {
    format!("{} {}", ci.make, ci.model).trim().to_owned()
}
