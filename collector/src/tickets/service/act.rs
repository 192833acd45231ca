//! Doing something to a ticket.

use serde_json::json;

use super::apply::{Acting, apply, enter};
use super::attach;
use super::attachments;
use super::open::unmatched_entry;
use super::prepare::{Prepared, prepare, teams_of};
use super::step::{Step, note_event, record_step};
use super::texts::clean_action;
use super::view::{changed, find_ticket};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::inventory::{self, CiSummary};
use crate::kernel::actor::{Actor, Scope};
use crate::kernel::time::UtcMicros;
use crate::matching::{self, AssetMatch};
use crate::tickets::action::{Resolution, TicketAction, TicketError};
use crate::tickets::model::{Entry, Ticket, TicketView};
use crate::tickets::number::TicketNumber;
use crate::tickets::rules::{self, Refusal, Situation, Standing};
use crate::tickets::store::{self, Visibility};
use crate::tickets::words::{ActionKind, AssetRole, AttachedBy, ResolutionCode, TicketState};

/// Tickets under one that are solved with it in one step; a major incident with more is solved again.
const CHILDREN_MAX: i64 = 200;

/// Does one thing to a ticket. `version` must be the one the actor saw; replies, notes and tasks are only added
/// and so never collide. Of many who claim one ticket one wins and the others learn who it was.
pub async fn act_on_ticket(
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    version: i64,
    action: TicketAction,
) -> Result<TicketView, TicketError> {
    let mut tx = context.db.begin().await?;
    store::hold_still(&mut tx, number).await?;
    let seen = store::find_visible(&mut tx, Visibility::of(actor), number).await?;
    let ticket = seen.ok_or(TicketError::NotFound)?;
    let action = clean_action(action)?;
    check_owner_and_version(&mut tx, actor, &ticket, version, &action).await?;
    perform(&mut tx, context, actor, ticket, action).await?;
    tx.commit().await?;
    // Whoever refers a ticket does not see it any more.
    find_ticket(context, actor, number).await?.ok_or(TicketError::Gone)
}

/// Does one thing to a ticket as it stands now, in the caller's transaction.
pub(in crate::tickets) async fn act_within(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    action: TicketAction,
) -> Result<(), TicketError> {
    store::hold_still(tx, number).await?;
    let seen = store::find_visible(tx, Visibility::of(actor), number).await?;
    perform(tx, context, actor, seen.ok_or(TicketError::NotFound)?, clean_action(action)?).await
}

/// Who comes second to a claim is told who was first, before being told that the ticket changed.
async fn check_owner_and_version(
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
    version: i64,
    action: &TicketAction,
) -> Result<(), TicketError> {
    let by_another = ticket.owner_id.is_some() && ticket.owner_id != actor.person();
    if matches!(action, TicketAction::Claim) && by_another {
        return Err(TicketError::Taken { owner: ticket.owner_name.clone(), since: ticket.owned_since });
    }
    let appends = matches!(
        action.kind(),
        ActionKind::Reply | ActionKind::Note | ActionKind::Task | ActionKind::Watch | ActionKind::Unwatch
    );
    if appends || ticket.version == version {
        return Ok(());
    }
    let changes = changed(tx, actor, ticket, version).await?;
    Err(TicketError::Stale { current: ticket.version, changes })
}

/// Asks the rules, applies, writes: row, links, events, audit.
async fn perform(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    before: Ticket,
    action: TicketAction,
) -> Result<(), TicketError> {
    let now = context.now();
    let mut ticket = before.clone();
    let who = Standing::of(actor, &ticket, &teams_of(tx, actor).await?);
    let owner_active = match ticket.owner_id {
        Some(owner) => store::find_party(tx, owner).await?.is_some_and(|it| it.active),
        None => false,
    };
    let next = next_state(&ticket, owner_active, &action, (actor, who), now)?;
    let found = prepare(tx, actor, &ticket, &action).await?;
    let mut entry = apply(&mut ticket, &action, next, Acting { actor, who, now }, &found)?;
    if let Some(special) = beside(tx, context, actor, &mut ticket, &action).await? {
        entry = Entry { data: merged(entry.data, special.data), ..special };
    }
    ticket.owner_name = owner_name(tx, actor, &ticket).await?;
    let step = Step { actor, before: Some(&before), ticket: &ticket, entries: &[entry] };
    if !record_step(tx, context, step).await? {
        return Err(TicketError::Stale { current: before.version, changes: Vec::new() });
    }
    follow_up(tx, context, actor, &ticket, (&action, &found)).await
}

/// What is written beside the ticket's row: its machines, its watchers.
async fn beside(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    ticket: &mut Ticket,
    action: &TicketAction,
) -> Result<Option<Entry>, TicketError> {
    match action {
        TicketAction::AttachAsset { inventory_number, role } => {
            Ok(Some(attach_typed(tx, context, ticket, inventory_number, *role).await?))
        }
        TicketAction::AttachCi { ci, role } => {
            let own = Scope::Organisation(ticket.organisation_id);
            let ci = inventory::find_ci(tx, own, *ci).await?;
            let ci = ci.ok_or_else(|| {
                TicketError::invalid("inventory_number", "is not a machine of the organisation")
            })?;
            Ok(Some(attach_found(tx, context, ticket, &ci, *role).await?))
        }
        TicketAction::Availability { slots } => {
            store::replace_slots(tx, &ticket.number, slots).await?;
            Ok(None)
        }
        TicketAction::Attach { files, internal, .. } => {
            let files = attachments::claim(tx, &ticket.number, files, !internal).await?;
            let kind = if *internal { "note" } else { "reply" };
            Ok(Some(Entry { kind, public: !internal, data: json!({ "files": files }) }))
        }
        TicketAction::DetachAsset { asset, reason } => {
            if !store::detach(tx, &ticket.number, *asset, context.now(), reason).await? {
                return Err(TicketError::invalid("asset", "is not a machine of this ticket"));
            }
            forget_match(tx, ticket).await?;
            Ok(None)
        }
        TicketAction::Watch | TicketAction::Unwatch => {
            let person = actor.person().ok_or(TicketError::Forbidden)?;
            if matches!(action, TicketAction::Watch) {
                store::watch(tx, &ticket.number, person, context.now()).await?;
            } else {
                store::unwatch(tx, &ticket.number, person).await?;
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// What the step does to other tickets: the one that a duplicate goes on in, those under a solved one.
async fn follow_up(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    ticket: &Ticket,
    (action, found): (&TicketAction, &Prepared),
) -> Result<(), TicketError> {
    match action {
        TicketAction::Merge { .. } => {
            let Some(other) = &found.other else { return Ok(()) };
            store::carry_watchers(tx, &ticket.number, &other.number).await?;
            let data = json!({ "duplicate": ticket.number, "text": ticket.summary });
            let entry = Entry { kind: "merged", public: false, data };
            note_event(tx, context, actor, &other.number, entry).await?;
            Ok(())
        }
        TicketAction::Resolve(resolution) if resolution.with_children => {
            resolve_children(tx, context, actor, (ticket, resolution)).await
        }
        _ => Ok(()),
    }
}

/// The tickets under a solved one are solved with it; those nobody owns go to who solved it.
async fn resolve_children(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    (parent, resolution): (&Ticket, &Resolution),
) -> Result<(), TicketError> {
    for number in store::list_unsolved_under(tx, &parent.number, CHILDREN_MAX).await? {
        store::hold_still(tx, &number).await?;
        let Some(before) = store::find(tx, &number).await? else { continue };
        let mut child = Ticket {
            owner_id: before.owner_id.or(parent.owner_id),
            owned_since: before.owned_since.or(Some(context.now())),
            solution: parent.solution.clone(),
            cause: parent.cause.clone(),
            workaround: parent.workaround.clone(),
            resolution_code: ResolutionCode::of(before.kind).first().copied(),
            verified_checks: parent.verified_checks.clone(),
            verified_by: parent.verified_by.clone(),
            verified_at: parent.verified_at,
            updated_at: context.now(),
            ..before.clone()
        };
        child.qualified_at.get_or_insert(context.now());
        let data = json!({ "text": resolution.solution, "with": parent.number });
        let entry = Entry { kind: "resolved", public: true, data };
        let entry = enter(&mut child, before.state, TicketState::Resolved, (entry, context.now()));
        child.owner_name = owner_name(tx, actor, &child).await?;
        let step = Step { actor, before: Some(&before), ticket: &child, entries: &[entry] };
        record_step(tx, context, step).await?;
    }
    Ok(())
}

/// The owner's name as the history tells it.
async fn owner_name(tx: &mut Tx, actor: &Actor, ticket: &Ticket) -> Result<String, StoreError> {
    match ticket.owner_id {
        None => Ok(String::new()),
        own if own == actor.person() => Ok(actor.label.clone()),
        Some(owner) => Ok(store::find_party(tx, owner).await?.map(|it| it.name).unwrap_or_default()),
    }
}

fn next_state(
    ticket: &Ticket,
    owner_active: bool,
    action: &TicketAction,
    (actor, who): (&Actor, Standing),
    now: UtcMicros,
) -> Result<TicketState, TicketError> {
    // A program watches nothing and works for whoever it names.
    let person = actor.person().is_some();
    let fits = match action {
        TicketAction::AttachCi { .. } => who.works,
        TicketAction::Watch | TicketAction::Unwatch => person,
        _ => true,
    };
    if !fits {
        return Err(TicketError::Forbidden);
    }
    let kind = action.kind();
    rules::next_state(Situation::of(ticket, owner_active, now), kind, who).map_err(|refusal| match refusal {
        Refusal::Role => TicketError::Forbidden,
        Refusal::State => TicketError::State { state: ticket.state.code(), action: kind.code() },
    })
}

/// Attaches what a typed number leads to. Without machine the number is kept and waits, if none is affected yet.
async fn attach_typed(
    tx: &mut Tx,
    context: &Context,
    ticket: &mut Ticket,
    typed: &str,
    role: AssetRole,
) -> Result<Entry, TicketError> {
    let lookup = matching::look_up(tx, ticket.organisation_id, typed).await?;
    if let (AssetMatch::Attached, Some(ci)) = (lookup.outcome, lookup.candidates.first()) {
        ticket.inventory_number =
            if role == AssetRole::Affected { typed.to_owned() } else { ticket.inventory_number.clone() };
        return attach_found(tx, context, ticket, ci, role).await;
    }
    let affected =
        store::list_links(tx, &ticket.number).await?.iter().any(|it| it.role == AssetRole::Affected);
    let can_wait = !matches!(lookup.outcome, AssetMatch::Placeholder | AssetMatch::None);
    match unmatched_entry(lookup.outcome, typed) {
        Some(entry) if can_wait && role == AssetRole::Affected && !affected => {
            typed.clone_into(&mut ticket.inventory_number);
            ticket.asset_match = lookup.outcome;
            Ok(entry)
        }
        _ => Err(TicketError::invalid("inventory_number", why_unmatched(lookup.outcome))),
    }
}

fn why_unmatched(outcome: AssetMatch) -> &'static str {
    match outcome {
        AssetMatch::Ambiguous => "is claimed by two machines; choose one",
        AssetMatch::Placeholder => "is a factory placeholder, not an inventory number",
        AssetMatch::Unknown | AssetMatch::Foreign | AssetMatch::Attached | AssetMatch::None => {
            "is not the number of a known machine"
        }
    }
}

async fn attach_found(
    tx: &mut Tx,
    context: &Context,
    ticket: &mut Ticket,
    ci: &CiSummary,
    role: AssetRole,
) -> Result<Entry, TicketError> {
    let links = store::list_links(tx, &ticket.number).await?;
    if links.iter().any(|it| it.ci_id == ci.id) {
        return Err(TicketError::invalid("inventory_number", "is on this ticket already"));
    }
    if !attach::link(tx, context, &ticket.number, ci, role, AttachedBy::Person).await? {
        return Err(TicketError::invalid(
            "role",
            "is taken: detach the affected machine first, or attach as related",
        ));
    }
    if role == AssetRole::Affected {
        ticket.asset_match = AssetMatch::Attached;
    }
    Ok(attach::attached_entry("asset_attached", ci, role))
}

/// Without affected machine the ticket waits for none: the number was wrong.
async fn forget_match(tx: &mut Tx, ticket: &mut Ticket) -> Result<(), TicketError> {
    let links = store::list_links(tx, &ticket.number).await?;
    if ticket.asset_match == AssetMatch::Attached && !links.iter().any(|it| it.role == AssetRole::Affected) {
        ticket.asset_match = AssetMatch::None;
    }
    Ok(())
}

fn merged(mut base: serde_json::Value, more: serde_json::Value) -> serde_json::Value {
    if let (Some(base), serde_json::Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}
