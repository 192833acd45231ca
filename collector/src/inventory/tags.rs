//! Which item has which asset tag: claims of machines, decisions of people.
//!
//! A tag belongs to one item per organisation, live or retired. An admin's word is above the agent's
//! configuration, that above the firmware; a claim on a tag that another item has changes nothing and
//! opens one conflict for a person (reliability rule on takeover).

use parc_wire::v1;
use serde_json::json;

use super::model::{
    AgentBinding, ConflictResolution, InventoryError, Lifecycle, TagBound, TagConflict, TagListener,
    TagSource,
};
use super::record::Columns;
use super::store::conflict::{self as conflict_store, Dispute, Settlement};
use super::store::{ci as ci_store, contact as contact_store};
use super::tag_rules::{Case, Claim, Decision, HELD_BY_ANOTHER, claim_of, decide};
pub(super) use super::tag_rules::{awaits, may_clear};
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::id::{CiId, OrganisationId, TagConflictId};
use crate::kernel::text::{self, AssetTag};
use crate::kernel::time::{UtcMicros, days};

/// Characters of a reason.
const REASON_CHARS_MAX: usize = 500;

/// Judges and carries out a machine's claim; gives the note for the agent, empty when there is none.
pub(super) async fn settle_claim(
    tx: &mut Tx,
    context: &Context,
    listener: &dyn TagListener,
    binding: &AgentBinding,
    item: &v1::AssetTagItem,
) -> Result<&'static str, StoreError> {
    let claim = claim_of(item);
    let claimed_key = claim.as_ref().ok().and_then(Option::as_ref).map_or("", |it| it.tag.key());
    let settled = Settlement {
        resolution: "withdrawn",
        by: "Parc",
        reason: "the machine no longer claims this tag",
        at: context.now(),
    };
    conflict_store::withdraw_others(tx, binding.ci_id, claimed_key, settled).await?;
    match claim {
        Ok(Some(claim)) => judge(tx, context, listener, binding, claim).await,
        Ok(None) => Ok(""),
        Err(refusal) => Ok(refusal.code()),
    }
}

async fn judge(
    tx: &mut Tx,
    context: &Context,
    listener: &dyn TagListener,
    binding: &AgentBinding,
    claim: Claim,
) -> Result<&'static str, StoreError> {
    let (organisation, ci) = (binding.organisation_id, binding.ci_id);
    let columns = columns_of(tx, ci).await?;
    let head = contact_store::read_heads(tx, &[ci]).await?;
    let source = head.get(&ci).and_then(|it| it.tag_source);
    let key = columns.tag.as_deref().map(text::tag_key);
    let holder = ci_store::find_holder(tx, organisation, claim.tag.key()).await?;
    let holder = holder.filter(|it| it.id != ci);
    let now = context.now();
    let other_claims = if key.as_deref() == Some(claim.tag.key()) {
        0
    } else {
        conflict_store::note_claim(tx, ci, claim.tag.key(), now, now - days(1)).await?
    };
    let case = Case {
        policy: binding.tag_policy,
        current: key.as_deref().zip(source),
        holder: holder.as_ref(),
        serial: &columns.serial,
        other_claims,
    };
    let actor = agent_actor(binding, &columns);
    match (decide(&claim, case), holder) {
        (Decision::Keep, _) => return Ok(""),
        (Decision::Refuse(note), _) => return Ok(note),
        (Decision::Conflict, Some(holder)) => {
            return open_conflict(tx, context, &actor, binding, &claim, holder.id).await;
        }
        (Decision::TakeOver, Some(holder)) => {
            take_over(tx, context, &actor, binding, &holder).await?;
            let source = holder.tag_source.unwrap_or(claim.source);
            give(tx, context, &actor, (organisation, ci), &Claim { source, ..claim.clone() }).await?;
        }
        (Decision::Bind | Decision::TakeOver | Decision::Conflict, _) => {
            if !give(tx, context, &actor, (organisation, ci), &claim).await? {
                return Ok("conflict");
            }
        }
    }
    tell(tx, listener, organisation, ci, &claim.tag).await?;
    Ok("")
}

fn agent_actor(binding: &AgentBinding, columns: &Columns) -> Actor {
    use crate::kernel::actor::{ActorKind, Scope};
    Actor {
        kind: ActorKind::Agent(binding.agent_id),
        label: columns.name.clone(),
        scope: Scope::Organisation(binding.organisation_id),
        roles: Vec::new(),
    }
}

async fn columns_of(tx: &mut Tx, ci: CiId) -> Result<Columns, StoreError> {
    let found = ci_store::read_columns(tx, &[ci]).await?.remove(&ci);
    found.ok_or_else(|| StoreError::inconsistent("inventory_ci", "id", ci))
}

/// Lets a person decide, unless one did; gives the note for the claimant.
async fn open_conflict(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    binding: &AgentBinding,
    claim: &Claim,
    holder: CiId,
) -> Result<&'static str, StoreError> {
    match conflict_store::find_dispute(tx, binding.ci_id, holder, claim.tag.key()).await? {
        Dispute::New => {}
        Dispute::Open => return Ok("conflict"),
        Dispute::Decided => return Ok(HELD_BY_ANOTHER),
    }
    let now = context.now();
    let conflict = TagConflict {
        id: TagConflictId::generate(now, context.entropy.as_ref()),
        organisation_id: binding.organisation_id,
        tag: claim.tag.display().to_owned(),
        tag_key: claim.tag.key().to_owned(),
        holder_ci_id: holder,
        claimant_ci_id: binding.ci_id,
        opened_at: now,
    };
    conflict_store::insert(tx, &conflict).await?;
    let detail = json!({ "tag": conflict.tag, "holder": holder.to_string() });
    record(tx, context, actor, (binding.organisation_id, binding.ci_id), "tag.contested", detail).await?;
    Ok("conflict")
}

/// The record that waited ends; what was declared on it goes on at the machine that came.
async fn take_over(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    binding: &AgentBinding,
    from: &ci_store::Holder,
) -> Result<(), StoreError> {
    let old = columns_of(tx, from.id).await?;
    let untagged = Columns { tag: None, ..old.clone() };
    ci_store::clear_tag(tx, from.id, &refreshed(untagged).search_key).await?;
    ci_store::retire(tx, from.id, context.now()).await?;
    ci_store::take_over(tx, binding.ci_id, from).await?;
    super::declare::refresh(tx, binding.ci_id).await?;
    let organisation = binding.organisation_id;
    let detail = json!({ "into": binding.ci_id.to_string(), "tag": old.tag });
    record(tx, context, actor, (organisation, from.id), "ci.merged", detail).await?;
    let detail = json!({ "from": from.id.to_string(), "tag": old.tag });
    record(tx, context, actor, (organisation, binding.ci_id), "ci.took-over", detail).await
}

fn refreshed(mut columns: Columns) -> Columns {
    columns.refresh_search_key();
    columns
}

/// Binds a free tag; false when another item was faster.
async fn give(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    (organisation, ci): (OrganisationId, CiId),
    claim: &Claim,
) -> Result<bool, StoreError> {
    let old = columns_of(tx, ci).await?;
    let new = refreshed(Columns { tag: Some(claim.tag.display().to_owned()), ..old.clone() });
    if !ci_store::set_tag(tx, ci, &claim.tag, claim.source, &new.search_key, context.now()).await? {
        return Ok(false);
    }
    let settled = Settlement {
        resolution: "freed",
        by: &actor.label,
        reason: "the tag became free",
        at: context.now(),
    };
    conflict_store::settle_key(tx, organisation, claim.tag.key(), ci, settled).await?;
    contact_store::set_tag_note(tx, ci, "").await?;
    let detail = json!({ "tag": claim.tag.display(), "before": old.tag, "source": claim.source });
    record(tx, context, actor, (organisation, ci), "tag.bound", detail).await?;
    Ok(true)
}

/// Tells that an item has a tag now, or has it undisputed now.
pub(super) async fn tell(
    tx: &mut Tx,
    listener: &dyn TagListener,
    organisation_id: OrganisationId,
    ci_id: CiId,
    tag: &AssetTag,
) -> Result<(), StoreError> {
    let bound = TagBound { organisation_id, tag: tag.clone(), ci_id };
    listener.tag_bound(tx, &bound).await
}

/// Gives an item a tag by hand, above every other source, or takes it away; wakes waiting tickets.
pub async fn assign_tag(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    ci: CiId,
    tag: Option<AssetTag>,
    listener: &dyn TagListener,
) -> Result<(), InventoryError> {
    let summary = super::find_ci(tx, actor.scope, ci).await?.ok_or(InventoryError::NotFound)?;
    if summary.lifecycle == Lifecycle::Retired {
        return Err(InventoryError::Conflict("a retired item keeps its tag"));
    }
    let organisation = summary.organisation_id;
    let Some(tag) = tag else {
        let columns = refreshed(Columns { tag: None, ..columns_of(tx, ci).await? });
        ci_store::clear_tag(tx, ci, &columns.search_key).await?;
        let detail = json!({ "before": summary.tag });
        return Ok(record(tx, context, actor, (organisation, ci), "tag.removed", detail).await?);
    };
    let claim = Claim { tag, source: TagSource::Admin };
    if !give(tx, context, actor, (organisation, ci), &claim).await? {
        return Err(InventoryError::TagTaken(claim.tag.display().to_owned()));
    }
    Ok(tell(tx, listener, organisation, ci, &claim.tag).await?)
}

/// Settles a conflict: keep the holder or move the tag to the claimant. Either wakes the tickets that wait for
/// the tag. A retired holder keeps its tag for ever.
pub async fn resolve_conflict(
    context: &Context,
    actor: &Actor,
    conflict: TagConflictId,
    resolution: ConflictResolution,
    reason: &str,
    listener: &dyn TagListener,
) -> Result<(), InventoryError> {
    let reason = text::line(reason, REASON_CHARS_MAX)
        .map_err(|it| InventoryError::Invalid { field: "reason", reason: it.to_string() })?;
    let mut tx = context.db.begin().await?;
    let found =
        conflict_store::find_open(&mut tx, actor.scope, conflict).await?.ok_or(InventoryError::NotFound)?;
    let word = match resolution {
        ConflictResolution::KeepHolder => "kept",
        ConflictResolution::MoveToClaimant => "moved",
    };
    let end = Settlement { resolution: word, by: &actor.label, reason: &reason, at: context.now() };
    if !conflict_store::settle(&mut tx, found.id, end).await? {
        return Err(InventoryError::NotFound);
    }
    let loser = match resolution {
        ConflictResolution::KeepHolder => {
            tell(&mut tx, listener, found.organisation_id, found.holder_ci_id, &tag_of(&found)?).await?;
            found.claimant_ci_id
        }
        ConflictResolution::MoveToClaimant => {
            move_tag(&mut tx, context, actor, &found, listener).await?;
            found.holder_ci_id
        }
    };
    contact_store::set_tag_note(&mut tx, loser, HELD_BY_ANOTHER).await?;
    let detail = json!({ "tag": found.tag, "resolution": word, "reason": reason });
    record(
        &mut tx,
        context,
        actor,
        (found.organisation_id, found.claimant_ci_id),
        "tag.conflict-settled",
        detail,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

fn tag_of(conflict: &TagConflict) -> Result<AssetTag, StoreError> {
    conflict.tag.parse().map_err(|_| StoreError::inconsistent("inventory_tag_conflict", "tag", conflict.id))
}

async fn move_tag(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    conflict: &TagConflict,
    listener: &dyn TagListener,
) -> Result<(), InventoryError> {
    let organisation = conflict.organisation_id;
    let tag = tag_of(conflict)?;
    if let Some(holder) = ci_store::find_holder(tx, organisation, &conflict.tag_key).await? {
        if holder.lifecycle == Lifecycle::Retired {
            return Err(InventoryError::Conflict("a retired item keeps its tag"));
        }
        let columns = refreshed(Columns { tag: None, ..columns_of(tx, holder.id).await? });
        ci_store::clear_tag(tx, holder.id, &columns.search_key).await?;
        let detail = json!({ "before": conflict.tag });
        record(tx, context, actor, (organisation, holder.id), "tag.removed", detail).await?;
    }
    let claim = Claim { tag, source: TagSource::Admin };
    if !give(tx, context, actor, (organisation, conflict.claimant_ci_id), &claim).await? {
        return Err(InventoryError::TagTaken(conflict.tag.clone()));
    }
    Ok(tell(tx, listener, organisation, conflict.claimant_ci_id, &claim.tag).await?)
}

pub(super) async fn record(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    (organisation, ci): (OrganisationId, CiId),
    action: &'static str,
    detail: serde_json::Value,
) -> Result<(), StoreError> {
    let deed = Deed {
        organisation_id: Some(organisation),
        action,
        subject_kind: "ci",
        subject_id: ci.to_string(),
        detail,
    };
    audit::record(tx, context, actor, deed).await
}

/// Where the list of open conflicts begins.
pub(super) fn conflict_place(cursor: Option<&str>) -> (UtcMicros, TagConflictId) {
    let parsed = cursor.and_then(|it| {
        let (at, id) = it.split_once(' ')?;
        Some((UtcMicros(at.parse().ok()?), id.parse().ok()?))
    });
    parsed.unwrap_or((UtcMicros(i64::MIN), uuid::Uuid::nil().into()))
}
