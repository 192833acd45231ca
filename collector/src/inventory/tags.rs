//! Which item has which asset tag: claims of machines, decisions of people.
//!
//! A tag belongs to one item per organisation, live or retired. An admin's word is above the agent's
//! configuration, that above the firmware; a claim on a tag that another item has changes nothing and
//! opens one conflict for a person (reliability rule on takeover).

use parc_wire::v1;
use serde_json::json;

use super::model::{
    AgentBinding, ConflictResolution, InventoryError, Lifecycle, TagBound, TagConflict, TagListener,
    TagPolicy, TagSource,
};
use super::record::Columns;
use super::store::conflict::{self as conflict_store, Settlement};
use super::store::{ci as ci_store, contact as contact_store};
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::id::{CiId, OrganisationId, TagConflictId};
use crate::kernel::text::{self, AssetTag, TagRefusal};
use crate::kernel::time::{UtcMicros, days};

/// Different tags one machine may claim a day; more is a script that tries stickers.
const CLAIMS_A_DAY_MAX: i64 = 3;
/// Characters of a reason.
const REASON_CHARS_MAX: usize = 500;

/// A tag as a machine claims it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub tag: AssetTag,
    pub source: TagSource,
}

/// Reads a claim; nothing when the machine claims none. The refusal's code goes back to the agent.
pub(super) fn claim_of(item: &v1::AssetTagItem) -> Result<Option<Claim>, TagRefusal> {
    let source = match item.source() {
        v1::TagSource::Configuration => TagSource::Configuration,
        v1::TagSource::Firmware | v1::TagSource::Unspecified => TagSource::Firmware,
    };
    match item.tag.parse::<AssetTag>() {
        Ok(tag) => Ok(Some(Claim { tag, source })),
        Err(TagRefusal::Empty) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// What the rules make of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The item has that tag, or a better one.
    Keep,
    /// The tag is free.
    Bind,
    /// The tag waits on a record that was made in advance for this machine.
    TakeOver,
    /// Another item has it.
    Conflict,
    /// Not bound; the word goes back to the agent.
    Refuse(&'static str),
}

/// Facts a claim is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub policy: TagPolicy,
    /// Key and source of the tag the item has.
    pub current: Option<(&'a str, TagSource)>,
    /// Another item that has the claimed tag.
    pub holder: Option<&'a ci_store::Holder>,
    /// Serial number the machine reports; empty when unknown.
    pub serial: &'a str,
    /// Other tags the item claimed today.
    pub other_claims: i64,
}

/// Judges a claim. Pure.
pub(super) fn decide(claim: &Claim, case: Case<'_>) -> Decision {
    if let Some((key, source)) = case.current {
        let better = claim.source >= source && source != TagSource::Admin;
        if key == claim.tag.key() {
            return if claim.source > source && better {
                Decision::Bind
            } else {
                Decision::Keep
            };
        }
        if !better {
            return Decision::Keep;
        }
    }
    if case.other_claims >= CLAIMS_A_DAY_MAX {
        return Decision::Refuse("too-many-claims");
    }
    if case.policy == TagPolicy::None {
        return Decision::Refuse("not-allowed");
    }
    match case.holder {
        Some(holder) if awaits(holder, case.serial) => Decision::TakeOver,
        Some(_) => Decision::Conflict,
        None if case.policy == TagPolicy::MustExist => Decision::Refuse("must-exist"),
        None => Decision::Bind,
    }
}

/// Whether a record was made in advance for a machine with this serial.
pub(super) fn awaits(holder: &ci_store::Holder, serial: &str) -> bool {
    let gone = matches!(holder.lifecycle, Lifecycle::Retired | Lifecycle::Stolen);
    let declared = holder
        .declared_serial
        .as_deref()
        .map(text::tag_key)
        .unwrap_or_default();
    let matches = declared.is_empty() || declared == text::tag_key(serial);
    !holder.has_agent && !gone && matches
}

/// Whether a note may change without a new claim: the other item may give the tag up, the policy may change.
pub(super) fn may_clear(note: &str) -> bool {
    matches!(
        note,
        "conflict" | "not-allowed" | "must-exist" | "too-many-claims"
    )
}

/// Judges and carries out a machine's claim; gives the note for the agent, empty when there is none.
pub(super) async fn settle_claim(
    tx: &mut Tx,
    context: &Context,
    listener: &dyn TagListener,
    binding: &AgentBinding,
    item: &v1::AssetTagItem,
) -> Result<&'static str, StoreError> {
    let claim = claim_of(item);
    let claimed_key = claim
        .as_ref()
        .ok()
        .and_then(Option::as_ref)
        .map_or("", |it| it.tag.key());
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
            open_conflict(tx, context, &actor, binding, &claim, holder.id).await?;
            return Ok("conflict");
        }
        (Decision::TakeOver, Some(holder)) => {
            take_over(tx, context, &actor, binding, &holder).await?;
            let source = holder.tag_source.unwrap_or(claim.source);
            give(
                tx,
                context,
                &actor,
                (organisation, ci),
                &Claim {
                    source,
                    ..claim.clone()
                },
            )
            .await?;
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

async fn open_conflict(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    binding: &AgentBinding,
    claim: &Claim,
    holder: CiId,
) -> Result<(), StoreError> {
    if conflict_store::is_known(tx, binding.ci_id, holder, claim.tag.key()).await? {
        return Ok(());
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
    record(
        tx,
        context,
        actor,
        (binding.organisation_id, binding.ci_id),
        "tag.contested",
        detail,
    )
    .await
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
    let untagged = Columns {
        tag: None,
        ..old.clone()
    };
    ci_store::clear_tag(tx, from.id, &refreshed(untagged).search_key).await?;
    ci_store::retire(tx, from.id, context.now()).await?;
    ci_store::take_over(tx, binding.ci_id, from).await?;
    super::declare::refresh(tx, binding.ci_id).await?;
    let organisation = binding.organisation_id;
    let detail = json!({ "into": binding.ci_id.to_string(), "tag": old.tag });
    record(tx, context, actor, (organisation, from.id), "ci.merged", detail).await?;
    let detail = json!({ "from": from.id.to_string(), "tag": old.tag });
    record(
        tx,
        context,
        actor,
        (organisation, binding.ci_id),
        "ci.took-over",
        detail,
    )
    .await
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
    let new = refreshed(Columns {
        tag: Some(claim.tag.display().to_owned()),
        ..old.clone()
    });
    if !ci_store::set_tag(tx, ci, &claim.tag, claim.source, &new.search_key, context.now()).await? {
        return Ok(false);
    }
    let settled = Settlement {
        resolution: "moved",
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

async fn tell(
    tx: &mut Tx,
    listener: &dyn TagListener,
    organisation_id: OrganisationId,
    ci_id: CiId,
    tag: &AssetTag,
) -> Result<(), StoreError> {
    let bound = TagBound {
        organisation_id,
        tag: tag.clone(),
        ci_id,
    };
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
    let summary = super::find_ci(tx, actor.scope, ci)
        .await?
        .ok_or(InventoryError::NotFound)?;
    if summary.lifecycle == Lifecycle::Retired {
        return Err(InventoryError::Conflict("a retired item keeps its tag"));
    }
    let organisation = summary.organisation_id;
    let Some(tag) = tag else {
        let columns = refreshed(Columns {
            tag: None,
            ..columns_of(tx, ci).await?
        });
        ci_store::clear_tag(tx, ci, &columns.search_key).await?;
        let detail = json!({ "before": summary.tag });
        return Ok(record(tx, context, actor, (organisation, ci), "tag.removed", detail).await?);
    };
    let claim = Claim {
        tag,
        source: TagSource::Admin,
    };
    if !give(tx, context, actor, (organisation, ci), &claim).await? {
        return Err(InventoryError::TagTaken(claim.tag.display().to_owned()));
    }
    Ok(tell(tx, listener, organisation, ci, &claim.tag).await?)
}

/// Settles a conflict: keep the holder or move the tag to the claimant, which wakes waiting tickets. A
/// retired holder keeps its tag for ever.
pub async fn resolve_conflict(
    context: &Context,
    actor: &Actor,
    conflict: TagConflictId,
    resolution: ConflictResolution,
    reason: &str,
    listener: &dyn TagListener,
) -> Result<(), InventoryError> {
    let reason = text::line(reason, REASON_CHARS_MAX).map_err(|it| InventoryError::Invalid {
        field: "reason",
        reason: it.to_string(),
    })?;
    let mut tx = context.db.begin().await?;
    let found = conflict_store::find_open(&mut tx, actor.scope, conflict)
        .await?
        .ok_or(InventoryError::NotFound)?;
    let word = match resolution {
        ConflictResolution::KeepHolder => "kept",
        ConflictResolution::MoveToClaimant => "moved",
    };
    let end = Settlement {
        resolution: word,
        by: &actor.label,
        reason: &reason,
        at: context.now(),
    };
    if !conflict_store::settle(&mut tx, found.id, end).await? {
        return Err(InventoryError::NotFound);
    }
    if resolution == ConflictResolution::MoveToClaimant {
        move_tag(&mut tx, context, actor, &found, listener).await?;
    }
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

async fn move_tag(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    conflict: &TagConflict,
    listener: &dyn TagListener,
) -> Result<(), InventoryError> {
    let organisation = conflict.organisation_id;
    let tag: AssetTag = conflict
        .tag
        .parse()
        .map_err(|_| StoreError::inconsistent("inventory_tag_conflict", "tag", conflict.id))?;
    if let Some(holder) = ci_store::find_holder(tx, organisation, &conflict.tag_key).await? {
        if holder.lifecycle == Lifecycle::Retired {
            return Err(InventoryError::Conflict("a retired item keeps its tag"));
        }
        let columns = refreshed(Columns {
            tag: None,
            ..columns_of(tx, holder.id).await?
        });
        ci_store::clear_tag(tx, holder.id, &columns.search_key).await?;
        let detail = json!({ "before": conflict.tag });
        record(
            tx,
            context,
            actor,
            (organisation, holder.id),
            "tag.removed",
            detail,
        )
        .await?;
    }
    let claim = Claim {
        tag,
        source: TagSource::Admin,
    };
    if !give(
        tx,
        context,
        actor,
        (organisation, conflict.claimant_ci_id),
        &claim,
    )
    .await?
    {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(text: &str, source: TagSource) -> Claim {
        Claim {
            tag: text.parse().expect("tag"),
            source,
        }
    }

    fn holder(has_agent: bool, lifecycle: Lifecycle, serial: Option<&str>) -> ci_store::Holder {
        ci_store::Holder {
            id: uuid::Uuid::from_u128(9).into(),
            has_agent,
            lifecycle,
            tag_source: Some(TagSource::Admin),
            site_id: None,
            assigned_to_id: None,
            location: String::new(),
            declared_serial: serial.map(str::to_owned),
        }
    }

    const FREE: Case<'static> = Case {
        policy: TagPolicy::MayCreate,
        current: None,
        holder: None,
        serial: "S123",
        other_claims: 0,
    };

    fn decided(source: TagSource, case: Case<'_>) -> Decision {
        decide(&claim("INV-1", source), case)
    }

    #[test]
    fn a_lower_source_never_overwrites_a_higher_one() {
        use TagSource::{Admin, Configuration, Firmware};
        let has = |key, source| Case {
            current: Some((key, source)),
            ..FREE
        };
        assert_eq!(decided(Configuration, FREE), Decision::Bind);
        assert_eq!(decided(Configuration, has("INV1", Configuration)), Decision::Keep);
        assert_eq!(
            decided(Configuration, has("INV1", Firmware)),
            Decision::Bind,
            "the better source is noted"
        );
        assert_eq!(decided(Configuration, has("OTHER", Firmware)), Decision::Bind);
        assert_eq!(decided(Firmware, has("OTHER", Configuration)), Decision::Keep);
        assert_eq!(decided(Configuration, has("OTHER", Admin)), Decision::Keep);
    }

    #[test]
    fn a_tag_of_another_item_is_contested_unless_it_waits_for_this_machine() {
        let held = |holder: &ci_store::Holder| {
            decided(
                TagSource::Configuration,
                Case {
                    holder: Some(holder),
                    ..FREE
                },
            )
        };
        assert_eq!(held(&holder(true, Lifecycle::InUse, None)), Decision::Conflict);
        assert_eq!(held(&holder(false, Lifecycle::Retired, None)), Decision::Conflict);
        assert_eq!(held(&holder(false, Lifecycle::Stolen, None)), Decision::Conflict);
        assert_eq!(held(&holder(false, Lifecycle::Stock, None)), Decision::TakeOver);
        assert_eq!(
            held(&holder(false, Lifecycle::Stock, Some("s-123"))),
            Decision::TakeOver
        );
        assert_eq!(
            held(&holder(false, Lifecycle::Stock, Some("S999"))),
            Decision::Conflict
        );
    }

    #[test]
    fn a_policy_or_a_fourth_claim_refuses() {
        let refused = |case| decided(TagSource::Configuration, case);
        assert_eq!(
            refused(Case {
                policy: TagPolicy::None,
                ..FREE
            }),
            Decision::Refuse("not-allowed")
        );
        assert_eq!(
            refused(Case {
                policy: TagPolicy::MustExist,
                ..FREE
            }),
            Decision::Refuse("must-exist")
        );
        assert_eq!(
            refused(Case {
                other_claims: 3,
                ..FREE
            }),
            Decision::Refuse("too-many-claims")
        );
        assert_eq!(
            refused(Case {
                other_claims: 2,
                ..FREE
            }),
            Decision::Bind
        );
    }

    #[test]
    fn a_blank_tag_claims_nothing_and_a_placeholder_says_why() {
        let item = |tag: &str| v1::AssetTagItem {
            tag: tag.into(),
            source: v1::TagSource::Firmware as i32,
        };
        assert_eq!(claim_of(&item("  ")), Ok(None));
        assert_eq!(
            claim_of(&item("Default string")).map_err(TagRefusal::code),
            Err("placeholder")
        );
        assert!(matches!(claim_of(&item("INV-1")), Ok(Some(_))));
    }
}
