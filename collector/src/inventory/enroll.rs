//! Which item an enrolling machine is: one that was made for its tag, one that is recognised by its
//! hardware, or a new one.

use parc_wire::v1;
use serde_json::json;

use super::model::{InventoryError, Lifecycle, TagPolicy};
use super::recognise::recognise;
use super::record::{Columns, evidence_identifiers};
use super::store::identity::{self, IdentifierRow};
use super::store::{ci as ci_store, list};
use super::tags;
use crate::context::Context;
use crate::db::Tx;
use crate::kernel::actor::{Actor, Scope};
use crate::kernel::id::{CiId, OrganisationId, SiteId};
use crate::kernel::text::{self, AssetTag};

/// Characters of a host name (RFC 1035 §2.3.4).
const HOSTNAME_CHARS_MAX: usize = 253;

/// A machine that shows a valid enroll token.
#[derive(Clone, Debug)]
pub struct EnrollingMachine {
    /// The token's organisation.
    pub organisation_id: OrganisationId,
    /// The token's site.
    pub site_id: Option<SiteId>,
    /// What the machine says about its hardware; evidence, never a credential.
    pub evidence: v1::Evidence,
    /// The tag the agent was told.
    pub claimed_tag: Option<AssetTag>,
    /// The token's policy.
    pub tag_policy: TagPolicy,
    /// What the machine calls itself.
    pub hostname: String,
}

/// The item of an enrolling machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnrolledCi {
    /// The item.
    pub ci_id: CiId,
    /// It was known by its hardware: an earlier agent of it is obsolete.
    pub recognised: bool,
}

/// Finds or makes the item of an enrolling machine, in the transaction that enrolls it. A tag leads to
/// an item only if that has no agent yet and waits for one; an item with an agent is found by its
/// hardware alone.
pub async fn enroll_ci(
    tx: &mut Tx,
    context: &Context,
    machine: EnrollingMachine,
) -> Result<EnrolledCi, InventoryError> {
    let identifiers = evidence_identifiers(&machine.evidence);
    let holders = identity::holders(tx, machine.organisation_id, &identifiers).await?;
    let recognised = recognise(&identifiers, &holders);
    let ci_id = match recognised {
        Some(ci) => ci,
        None => match find_waiting(tx, &machine).await? {
            Some(ci) => ci,
            None => create(tx, context, &machine).await?,
        },
    };
    ci_store::adopt(tx, ci_id, machine.site_id).await?;
    let rows: Vec<IdentifierRow> = identifiers
        .into_iter()
        .map(|identifier| IdentifierRow { organisation_id: machine.organisation_id, identifier, ci_id })
        .collect();
    identity::insert(tx, &rows).await?;
    let detail = json!({ "recognised": recognised.is_some() });
    tags::record(tx, context, &Actor::system(), (machine.organisation_id, ci_id), "ci.enrolled", detail)
        .await?;
    Ok(EnrolledCi { ci_id, recognised: recognised.is_some() })
}

/// An item made in advance for the claimed tag.
async fn find_waiting(tx: &mut Tx, machine: &EnrollingMachine) -> Result<Option<CiId>, InventoryError> {
    let Some(tag) = machine.claimed_tag.as_ref().filter(|_| machine.tag_policy != TagPolicy::None) else {
        return Ok(None);
    };
    let holder = ci_store::find_holder(tx, machine.organisation_id, tag.key()).await?;
    let Some(holder) = holder.filter(|it| tags::awaits(it, &machine.evidence.system_serial)) else {
        return Ok(None);
    };
    let summary = list::find(tx, Scope::All, holder.id).await?;
    Ok(summary.filter(|it| it.lifecycle != Lifecycle::Retired).map(|it| it.id))
}

async fn create(tx: &mut Tx, context: &Context, machine: &EnrollingMachine) -> Result<CiId, InventoryError> {
    let name: String = text::cleaned(&machine.hostname, false).chars().take(HOSTNAME_CHARS_MAX).collect();
    let mut columns = Columns { name, ..Columns::default() };
    columns.refresh_search_key();
    let row = ci_store::NewRow {
        id: CiId::generate(context.now(), context.entropy.as_ref()),
        organisation_id: machine.organisation_id,
        site_id: machine.site_id,
        assigned_to_id: None,
        lifecycle: Lifecycle::InUse,
        has_agent: true,
        columns,
    };
    ci_store::insert(tx, &row, context.now()).await?;
    Ok(row.id)
}
