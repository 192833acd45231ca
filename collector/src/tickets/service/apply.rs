//! What an action the rules allow does to a ticket. Pure.

use serde_json::{Map, Value, json};

use crate::kernel::actor::{Actor, ActorKind};
use crate::kernel::time::UtcMicros;
use crate::tickets::action::{TicketAction, TicketError};
use crate::tickets::model::{Entry, Ticket};
use crate::tickets::priority::priority;
use crate::tickets::rules::Standing;
use crate::tickets::words::TicketState;

/// Second-level support.
const LEVEL_TWO: i64 = 2;

/// Moves `ticket` to `next` as `action` does it and says what the history will tell.
pub(super) fn apply(
    ticket: &mut Ticket,
    action: &TicketAction,
    next: TicketState,
    (actor, who): (&Actor, Standing),
    now: UtcMicros,
) -> Result<Entry, TicketError> {
    let from = ticket.state;
    let entry = effect(ticket, action, (actor, who), now)?;
    ticket.state = next;
    ticket.updated_at = now;
    settle(ticket, from, now);
    Ok(moved(entry, from, next))
}

/// What holds in a state whatever led there: who owns it, why it waits, when it ended.
fn settle(ticket: &mut Ticket, from: TicketState, now: UtcMicros) {
    if ticket.state != TicketState::Pending {
        ticket.pending_reason = None;
        ticket.pending_until = None;
    }
    if ticket.state == from {
        return;
    }
    match ticket.state {
        TicketState::New | TicketState::Queued => ticket.owner_id = None,
        TicketState::Resolved => ticket.resolved_at = Some(now),
        TicketState::Closed | TicketState::Cancelled => ticket.closed_at = Some(now),
        TicketState::InProgress | TicketState::Pending => {}
    }
    if matches!(from, TicketState::Resolved | TicketState::Closed) && ticket.state != TicketState::Closed {
        ticket.solution = None;
        ticket.resolved_at = None;
        ticket.closed_at = None;
    }
}

fn effect(
    ticket: &mut Ticket,
    action: &TicketAction,
    (actor, who): (&Actor, Standing),
    now: UtcMicros,
) -> Result<Entry, TicketError> {
    use TicketAction as A;
    Ok(match action {
        A::Claim => {
            ticket.owner_id = actor.person();
            ticket.qualified_at.get_or_insert(now);
            public("claimed", json!({ "owner": actor.label }))
        }
        A::Assign { owner } => {
            ticket.owner_id = Some(*owner);
            ticket.qualified_at.get_or_insert(now);
            public("assigned", json!({}))
        }
        A::Release { reason } => internal_text("released", reason),
        A::Qualify { .. } => qualify(ticket, action, now),
        A::Transfer { comment } => {
            ticket.qualified_at.get_or_insert(now);
            internal_text("transferred", comment)
        }
        A::Escalate { comment } => {
            ticket.level = LEVEL_TWO;
            internal_text("escalated", comment)
        }
        A::Hold { reason, until, note } => hold(ticket, (reason, *until, note), now)?,
        A::Resume => public("resumed", json!({})),
        A::Task { kind, text, duration_min } => {
            internal("task", json!({ "task": kind, "text": text, "duration_min": duration_min }))
        }
        A::Reply { text } => public("reply", json!({ "text": text, "by_staff": who.works })),
        A::Note { text } => internal("note", json!({ "text": text })),
        A::Attach { text, internal: for_staff, .. } => {
            let data = json!({ "text": text, "by_staff": who.works });
            if *for_staff { internal("note", data) } else { public("reply", data) }
        }
        A::Resolve { solution } => {
            ticket.solution = Some(solution.clone());
            public("resolved", json!({ "text": solution }))
        }
        A::Confirm { on_behalf_of } => confirm(actor, who, on_behalf_of.as_deref())?,
        A::Refuse { comment } => public("refused", json!({ "text": comment })),
        A::Reopen { comment } => public("reopened", json!({ "text": comment })),
        A::Cancel { reason } => public("cancelled", json!({ "text": reason })),
        A::AttachAsset { .. } | A::AttachCi { .. } => public("asset_attached", json!({})),
        A::DetachAsset { reason, .. } => internal_text("asset_detached", reason),
    })
}

fn qualify(ticket: &mut Ticket, action: &TicketAction, now: UtcMicros) -> Entry {
    if let TicketAction::Qualify { kind, severity, scope, urgency } = action {
        ticket.kind = *kind;
        ticket.severity = *severity;
        ticket.scope = *scope;
        ticket.urgency = *urgency;
    }
    let before = ticket.priority;
    ticket.priority = priority(ticket.kind, ticket.severity, ticket.scope, ticket.urgency);
    ticket.qualified_at.get_or_insert(now);
    let data = json!({
        "type": ticket.kind.code(),
        "severity": ticket.severity.code(),
        "scope": ticket.scope.code(),
        "urgency": ticket.urgency.code(),
        "priority_before": before,
        "priority": ticket.priority,
    });
    public("qualified", data)
}

/// What was said by voice is written down with the name of who said it. A program is nobody: it always has to say.
fn confirm(actor: &Actor, who: Standing, on_behalf_of: Option<&str>) -> Result<Entry, TicketError> {
    let oral = !(who.is_party || who.is_referent);
    let program = matches!(actor.kind, ActorKind::ApiKey(_));
    match on_behalf_of.filter(|_| oral || program) {
        Some(name) => Ok(public("confirmed", json!({ "oral": true, "on_behalf_of": name }))),
        None if program => {
            Err(TicketError::invalid("on_behalf_of", "is needed: who confirmed that it is solved"))
        }
        None => Ok(public("confirmed", json!({ "oral": oral }))),
    }
}

fn hold(
    ticket: &mut Ticket,
    (reason, until, note): (&str, Option<UtcMicros>, &str),
    now: UtcMicros,
) -> Result<Entry, TicketError> {
    if until.is_some_and(|it| it <= now) {
        return Err(TicketError::invalid("until", "must lie in the future"));
    }
    ticket.pending_reason = Some(reason.to_owned());
    ticket.pending_until = until;
    let until = until.map(UtcMicros::rfc3339);
    Ok(public("held", json!({ "reason": reason, "until": until, "text": note })))
}

fn public(kind: &'static str, data: Value) -> Entry {
    Entry { kind, public: true, data }
}

fn internal(kind: &'static str, data: Value) -> Entry {
    Entry { kind, public: false, data }
}

/// Everybody sees that it happened, staff what was said about it.
fn internal_text(kind: &'static str, text: &str) -> Entry {
    public(kind, json!({ "text": text, "internal": true }))
}

/// Adds where from and where to, when the state changed.
fn moved(mut entry: Entry, from: TicketState, to: TicketState) -> Entry {
    if from != to
        && let Value::Object(data) = &mut entry.data
    {
        let states: Map<String, Value> =
            [("from".to_owned(), from.code().into()), ("to".to_owned(), to.code().into())]
                .into_iter()
                .collect();
        data.extend(states);
    }
    entry
}
