//! Doing something to a ticket.

use serde_json::json;

use super::apply::apply;
use super::attach;
use super::attachments;
use super::open::unmatched_entry;
use super::step::{Step, record_step};
use super::texts::clean_action;
use super::view::find_ticket;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::inventory::{self, CiSummary};
use crate::kernel::actor::{Actor, ActorKind, Permission, Scope};
use crate::kernel::id::PersonId;
use crate::kernel::time::UtcMicros;
use crate::matching::{self, AssetMatch};
use crate::people;
use crate::tickets::action::{TicketAction, TicketError};
use crate::tickets::model::{Entry, Ticket, TicketView};
use crate::tickets::number::TicketNumber;
use crate::tickets::rules::{self, Refusal, Situation, Standing};
use crate::tickets::store::{self, Visibility};
use crate::tickets::words::{ActionKind, AssetRole, AttachedBy, TicketState};

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
    let seen = store::find(&mut tx, number).await?.filter(|it| Visibility::of(actor).contains(it));
    let ticket = seen.ok_or(TicketError::NotFound)?;
    let action = clean_action(action)?;
    check_owner_and_version(actor, &ticket, version, &action)?;
    perform(&mut tx, context, actor, ticket, action).await?;
    tx.commit().await?;
    find_ticket(context, actor, number).await?.ok_or(TicketError::NotFound)
}

/// The actions the actor may take on a ticket at `now`, for buttons.
pub fn allowed_actions(actor: &Actor, ticket: &Ticket, now: UtcMicros) -> Vec<ActionKind> {
    rules::allowed(Situation::of(ticket, true, now), Standing::of(actor, ticket))
}

/// Who comes second to a claim is told who was first, before being told that the ticket changed.
fn check_owner_and_version(
    actor: &Actor,
    ticket: &Ticket,
    version: i64,
    action: &TicketAction,
) -> Result<(), TicketError> {
    let by_another = ticket.owner_id.is_some() && ticket.owner_id != actor.person();
    if matches!(action, TicketAction::Claim) && by_another {
        return Err(TicketError::Taken { owner: ticket.owner_name.clone() });
    }
    let appends = matches!(action.kind(), ActionKind::Reply | ActionKind::Note | ActionKind::Task);
    if !appends && ticket.version != version {
        return Err(TicketError::Stale { current: ticket.version });
    }
    Ok(())
}

/// Asks the rules, applies, writes: row, links, event, audit.
async fn perform(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    before: Ticket,
    action: TicketAction,
) -> Result<(), TicketError> {
    let mut ticket = before.clone();
    let now = context.now();
    let who = Standing::of(actor, &ticket);
    let owner_active = match ticket.owner_id {
        Some(owner) => store::find_party(tx, owner).await?.is_some_and(|it| it.active),
        None => false,
    };
    let next = next_state(&ticket, owner_active, &action, (actor, who), now)?;
    let mut entry = apply(&mut ticket, &action, next, (actor, who), now)?;
    let special = match &action {
        TicketAction::Assign { owner } => Some(assigned_entry(tx, &ticket, *owner).await?),
        TicketAction::AttachAsset { inventory_number, role } => {
            Some(attach_typed(tx, context, &mut ticket, inventory_number, *role).await?)
        }
        TicketAction::AttachCi { ci, role } => {
            let own = Scope::Organisation(ticket.organisation_id);
            let ci = inventory::find_ci(tx, own, *ci).await?;
            let ci = ci.ok_or_else(|| {
                TicketError::invalid("inventory_number", "is not a machine of the organisation")
            })?;
            Some(attach_found(tx, context, &mut ticket, &ci, *role).await?)
        }
        TicketAction::Attach { files, internal, .. } => {
            let files = attachments::claim(tx, &ticket.number, files, !internal).await?;
            Some(Entry { data: json!({ "files": files }), ..entry.clone() })
        }
        TicketAction::DetachAsset { asset, reason } => {
            if !store::detach(tx, &ticket.number, *asset, now, reason).await? {
                return Err(TicketError::invalid("asset", "is not a machine of this ticket"));
            }
            forget_match(tx, &mut ticket).await?;
            None
        }
        _ => None,
    };
    if let Some(special) = special {
        entry = Entry { data: merged(entry.data, special.data), ..special };
    }
    ticket.owner_name = owner_name(tx, actor, &ticket).await?;
    let step = Step { actor, before: Some(&before), ticket: &ticket, entries: &[entry] };
    if record_step(tx, context, step).await? {
        Ok(())
    } else {
        Err(TicketError::Stale { current: before.version })
    }
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
    // A program owns nothing itself, and only who distributes work may choose for others.
    let program = matches!(actor.kind, ActorKind::ApiKey(_));
    let fits = match action {
        TicketAction::Claim => who.can_own,
        TicketAction::Assign { .. } => who.dispatches || (program && who.works),
        TicketAction::AttachCi { .. } => who.works,
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

/// Only somebody who does such work can be made an owner.
async fn assigned_entry(tx: &mut Tx, ticket: &Ticket, owner: PersonId) -> Result<Entry, TicketError> {
    let refused = || TicketError::invalid("owner", "is not a technician of this organisation's tickets");
    let person = people::find_person(tx, owner).await?.ok_or_else(refused)?;
    let in_reach = person.organisation_id.is_none_or(|own| own == ticket.organisation_id);
    let candidate =
        Actor { kind: ActorKind::Person(owner), label: person.name, scope: Scope::All, roles: person.roles };
    if !(person.active && in_reach && candidate.may(Permission::WorkTickets)) {
        return Err(refused());
    }
    Ok(Entry { kind: "assigned", public: true, data: json!({ "owner": candidate.label }) })
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
