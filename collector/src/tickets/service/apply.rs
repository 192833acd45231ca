//! What an action the rules allow does to a ticket. Pure.

use serde_json::{Map, Value, json};

use super::prepare::{Prepared, TeamAfter};
use crate::kernel::actor::{Actor, ActorKind};
use crate::kernel::text::TextRefusal;
use crate::kernel::time::{UtcMicros, minutes};
use crate::teams::TeamKind;
use crate::tickets::action::{Qualification, Resolution, TicketAction, TicketError};
use crate::tickets::closing;
use crate::tickets::model::{Entry, Slot, Ticket};
use crate::tickets::priority::{Case, Matrix, priority};
use crate::tickets::rules::Standing;
use crate::tickets::words::{CancelReason, Check, LinkKind, SubKind, TaskKind, TicketState};

/// Support levels.
const LEVEL_ONE: i64 = 1;
const LEVEL_TWO: i64 = 2;
/// How long a claim is undone without saying why: opened in edit mode by mistake.
const UNDO_MINUTES: u64 = 10;
/// Refused closings after which whoever leads is told.
const REFUSALS_TOLERATED: i64 = 1;

/// Who acts, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acting<'a> {
    pub(super) actor: &'a Actor,
    pub(super) who: Standing,
    pub(super) now: UtcMicros,
}

/// Moves `ticket` to `next` as `action` does it and says what the history will tell.
pub(super) fn apply(
    ticket: &mut Ticket,
    action: &TicketAction,
    next: TicketState,
    acting: Acting<'_>,
    found: &Prepared,
) -> Result<Entry, TicketError> {
    let from = ticket.state;
    let entry = effect(ticket, action, acting, found)?;
    ticket.updated_at = acting.now;
    Ok(enter(ticket, from, next, (entry, acting.now)))
}

/// Puts `ticket` into a state: what holds there whatever led to it, and what the history says about the move.
pub(super) fn enter(
    ticket: &mut Ticket,
    from: TicketState,
    next: TicketState,
    (entry, now): (Entry, UtcMicros),
) -> Entry {
    ticket.state = next;
    settle(ticket, from, now);
    moved(entry, from, next)
}

/// What holds in a state: who owns it, why it waits, when it ended.
fn settle(ticket: &mut Ticket, from: TicketState, now: UtcMicros) {
    if ticket.state != TicketState::Pending {
        ticket.pending_reason = None;
        ticket.pending_until = None;
        ticket.pending_note = None;
    }
    if ticket.state == from {
        return;
    }
    match ticket.state {
        TicketState::New | TicketState::Queued => {
            ticket.owner_id = None;
            ticket.owned_since = None;
        }
        TicketState::Resolved => ticket.resolved_at = Some(now),
        TicketState::Closed | TicketState::Cancelled => ticket.closed_at = Some(now),
        TicketState::InProgress | TicketState::Pending => {}
    }
    if matches!(from, TicketState::Resolved | TicketState::Closed) && ticket.state != TicketState::Closed {
        reopen(ticket);
    }
}

/// Nothing of a solution that did not hold stays on the ticket; the history has it.
fn reopen(ticket: &mut Ticket) {
    ticket.solution = None;
    ticket.resolution_code = None;
    ticket.cause = None;
    ticket.workaround = None;
    ticket.session_on = None;
    ticket.verified_checks = None;
    ticket.verified_by = None;
    ticket.verified_at = None;
    ticket.reminded_at = None;
    ticket.resolved_at = None;
    ticket.closed_at = None;
}

fn effect(
    ticket: &mut Ticket,
    action: &TicketAction,
    acting: Acting<'_>,
    found: &Prepared,
) -> Result<Entry, TicketError> {
    use TicketAction as A;
    Ok(match action {
        A::Claim => {
            own(ticket, acting.actor.person(), acting.now);
            move_to(ticket, &found.team);
            public("claimed", json!({ "owner": acting.actor.label }))
        }
        A::Assign { owner } => {
            own(ticket, Some(*owner), acting.now);
            move_to(ticket, &found.team);
            public("assigned", json!({ "owner": found.owner }))
        }
        A::Release { reason } => release(ticket, reason, acting)?,
        A::Qualify(it) => qualify(ticket, it, found, acting.now),
        A::Transfer { .. }
        | A::Escalate { .. }
        | A::Deescalate { .. }
        | A::Refer { .. }
        | A::Unrestrict { .. } => handed_on(ticket, action, found, acting.now),
        A::Hold { reason, until, note } => hold(ticket, (reason, *until, note), found, acting.now)?,
        A::Resume => public("resumed", json!({})),
        A::Task { .. } => task(action),
        A::Reply { text } => public("reply", json!({ "text": text, "by_staff": acting.who.works })),
        A::Note { text } => internal("note", json!({ "text": text })),
        A::Availability { slots } => {
            public("reply", json!({ "text": "", "slots": slot_words(slots), "by_staff": acting.who.works }))
        }
        A::Attach { text, internal: for_staff, .. } => {
            let data = json!({ "text": text, "by_staff": acting.who.works });
            if *for_staff { internal("note", data) } else { public("reply", data) }
        }
        A::Resolve(it) => resolve(ticket, it, acting, found)?,
        A::Confirm { on_behalf_of } => confirm(acting.actor, acting.who, on_behalf_of.as_deref())?,
        A::Refuse { comment } => {
            ticket.refusals += 1;
            let alert = ticket.refusals > REFUSALS_TOLERATED;
            public("refused", json!({ "text": comment, "refusals": ticket.refusals, "alert": alert }))
        }
        A::Reopen { comment } => {
            ticket.reopenings += 1;
            public("reopened", json!({ "text": comment }))
        }
        A::Cancel { code, reason } => {
            let code = code.unwrap_or(CancelReason::Withdrawn);
            ticket.cancel_reason = Some(code);
            public("cancelled", json!({ "text": reason, "reason": code.code() }))
        }
        A::Merge { .. } | A::Link { .. } | A::Unlink { .. } | A::Major { .. } => {
            related(ticket, action, found)
        }
        A::Watch => internal("watched", json!({ "watching": true })),
        A::Unwatch => internal("watched", json!({ "watching": false })),
        A::AttachAsset { .. } | A::AttachCi { .. } => public("asset_attached", json!({})),
        A::DetachAsset { reason, .. } => internal_text("asset_detached", reason),
    })
}

/// Slots as the history tells them.
pub(super) fn slot_words(slots: &[Slot]) -> Vec<Value> {
    slots.iter().map(|it| json!({ "from": it.from.rfc3339(), "to": it.to.rfc3339() })).collect()
}

/// Somebody has it from now on.
fn own(ticket: &mut Ticket, owner: Option<crate::kernel::id::PersonId>, now: UtcMicros) {
    ticket.owner_id = owner;
    ticket.owned_since = Some(now);
    ticket.qualified_at.get_or_insert(now);
}

/// Into a team's pot, or into the common one; nothing happens when the team stays.
fn move_to(ticket: &mut Ticket, team: &TeamAfter) {
    let team = match team {
        TeamAfter::Same => return,
        TeamAfter::CommonPot => None,
        TeamAfter::Of(team) => Some(team),
    };
    ticket.team_id = team.map(|it| it.id);
    ticket.team_code = team.map(|it| it.code.clone()).unwrap_or_default();
    ticket.team_name = team.map(|it| it.name.clone()).unwrap_or_default();
    ticket.level = team.map_or(ticket.level, |it| it.level);
    let guards = team.is_some_and(|it| it.kind == TeamKind::Security);
    ticket.security = guards || ticket.restricted || ticket.sub_kind.is_some_and(SubKind::is_security);
}

/// Without a reason only right after the claim, by who claimed.
fn release(ticket: &Ticket, reason: &str, acting: Acting<'_>) -> Result<Entry, TicketError> {
    let own = ticket.owner_id.is_some() && ticket.owner_id == acting.actor.person();
    let fresh = ticket.owned_since.is_some_and(|it| acting.now.since(it) <= minutes(UNDO_MINUTES));
    if reason.is_empty() && !(own && fresh) {
        return Err(TicketError::invalid("reason", TextRefusal::Empty));
    }
    Ok(internal_text("released", reason))
}

fn qualify(ticket: &mut Ticket, wanted: &Qualification, found: &Prepared, now: UtcMicros) -> Entry {
    ticket.kind = wanted.kind;
    ticket.sub_kind = wanted.sub_kind;
    ticket.severity = wanted.severity;
    ticket.scope = wanted.scope;
    ticket.urgency = wanted.urgency;
    move_to(ticket, &found.team);
    let before = ticket.priority;
    if let Some(matrix) = &found.matrix {
        set_priority(ticket, matrix);
    }
    if let Some(other) = wanted.priority.filter(|it| *it != ticket.priority) {
        ticket.priority = other;
        ticket.priority_reason = Some(wanted.priority_reason.clone());
    }
    ticket.qualified_at.get_or_insert(now);
    let data = json!({
        "type": ticket.kind.code(),
        "sub_kind": ticket.sub_kind.map(SubKind::code),
        "severity": ticket.severity.code(),
        "scope": ticket.scope.code(),
        "urgency": ticket.urgency.code(),
        "team": ticket.team_name,
        "priority_before": before,
        "priority": ticket.priority,
    });
    public("qualified", data)
}

fn set_priority(ticket: &mut Ticket, matrix: &Matrix) {
    let Ticket { kind, security, severity, scope, urgency, .. } = *ticket;
    ticket.priority = priority(matrix, Case { kind, security, severity, scope, urgency });
    ticket.matrix_version = matrix.version;
    ticket.priority_reason = None;
}

/// To another team, up, down, to the security manager and back.
fn handed_on(ticket: &mut Ticket, action: &TicketAction, found: &Prepared, now: UtcMicros) -> Entry {
    let (kind, comment) = match action {
        TicketAction::Escalate { comment, .. } => {
            ticket.level = LEVEL_TWO;
            ("escalated", comment)
        }
        TicketAction::Deescalate { comment, .. } => {
            ticket.level = LEVEL_ONE;
            ("deescalated", comment)
        }
        TicketAction::Refer { comment } => {
            ticket.restricted = true;
            ("referred", comment)
        }
        TicketAction::Unrestrict { comment } => {
            ticket.restricted = false;
            ("unrestricted", comment)
        }
        TicketAction::Transfer { comment, .. } => ("transferred", comment),
        _ => return internal("note", json!({})),
    };
    let level = ticket.level;
    let before = ticket.team_name.clone();
    move_to(ticket, &found.team);
    match action {
        // A level is asked for whatever the team that keeps the ticket usually does.
        TicketAction::Escalate { .. } | TicketAction::Deescalate { .. } => ticket.level = level,
        TicketAction::Refer { .. } => {
            ticket.security = true;
            if let Some(matrix) = &found.matrix {
                set_priority(ticket, matrix);
            }
        }
        _ => {}
    }
    ticket.qualified_at.get_or_insert(now);
    public(
        kind,
        json!({ "text": comment, "internal": true, "team_before": before, "team": ticket.team_name }),
    )
}

/// A code of the list, with a date where it needs one; other words are a note to the reason `other`.
fn hold(
    ticket: &mut Ticket,
    (reason, until, note): (&str, Option<UtcMicros>, &str),
    found: &Prepared,
    now: UtcMicros,
) -> Result<Entry, TicketError> {
    if until.is_some_and(|it| it <= now) {
        return Err(TicketError::invalid("until", "must lie in the future"));
    }
    let Some(known) = &found.reason else {
        return Err(TicketError::invalid("reason", "is not a known reason"));
    };
    if known.requires_date && until.is_none() {
        return Err(TicketError::invalid("until", TextRefusal::Empty));
    }
    let note = match (known.code == reason, note) {
        (true, note) => note.to_owned(),
        (false, "") => reason.to_owned(),
        (false, note) => format!("{reason}\n{note}"),
    };
    ticket.pending_reason = Some(known.code.clone());
    ticket.pending_until = until;
    ticket.pending_note = Some(note.clone()).filter(|it| !it.is_empty());
    let data = json!({
        "reason": known.code,
        "reason_fr": known.label_fr,
        "reason_en": known.label_en,
        "until": until.map(UtcMicros::rfc3339),
        "text": note,
    });
    Ok(public("held", data))
}

/// What the type needs to be closed is there, and nothing goes on unnoticed.
fn resolve(
    ticket: &mut Ticket,
    wanted: &Resolution,
    acting: Acting<'_>,
    found: &Prepared,
) -> Result<Entry, TicketError> {
    let code = closing::check(ticket.kind, wanted, found.under)?;
    if ticket.open_visits + ticket.open_loans > 0 && !wanted.acknowledged {
        let reason = "is needed: a visit or loan of this ticket is not over";
        return Err(TicketError::invalid("acknowledged", reason));
    }
    let some = |text: &str| Some(text.to_owned()).filter(|it| !it.is_empty());
    let checks = wanted.checks.iter().map(|it| it.code()).collect::<Vec<_>>().join(",");
    ticket.solution = some(&wanted.solution);
    ticket.resolution_code = Some(code);
    ticket.cause = some(&wanted.cause);
    ticket.workaround = some(&wanted.workaround);
    ticket.session_on = some(&wanted.session_on);
    if !checks.is_empty() {
        ticket.verified_checks = some(&checks);
        ticket.verified_by = Some(acting.actor.label.clone());
        ticket.verified_at = Some(acting.now);
    }
    ticket.reminded_at = None;
    if ticket.owner_id.is_none() {
        own(ticket, acting.actor.person(), acting.now);
    }
    let checks: Vec<&str> = wanted.checks.iter().copied().map(Check::code).collect();
    let data = json!({
        "text": wanted.solution,
        "code": code.code(),
        "checks": checks,
        "acknowledged": wanted.acknowledged && ticket.open_visits + ticket.open_loans > 0,
    });
    Ok(public("resolved", data))
}

/// What was said by voice is written down with the name of who said it. A program is nobody: it always has to say.
fn confirm(actor: &Actor, who: Standing, on_behalf_of: Option<&str>) -> Result<Entry, TicketError> {
    let oral = !(who.is_party || who.is_referent);
    let program = matches!(actor.kind, ActorKind::ApiKey(_));
    match on_behalf_of.filter(|_| oral || program) {
        Some(name) => Ok(public("confirmed", json!({ "oral": true, "on_behalf_of": name }))),
        None if program || oral => {
            Err(TicketError::invalid("on_behalf_of", "is needed: who confirmed that it is solved"))
        }
        None => Ok(public("confirmed", json!({ "oral": false }))),
    }
}

/// What one ticket is to another.
fn related(ticket: &mut Ticket, action: &TicketAction, found: &Prepared) -> Entry {
    let other = found.other.as_ref().map(|it| it.number.clone());
    match action {
        TicketAction::Merge { comment, .. } => {
            ticket.cancel_reason = Some(CancelReason::Duplicate);
            ticket.duplicate_of.clone_from(&other);
            public("merged", json!({ "into": other, "text": comment }))
        }
        TicketAction::Link { kind, .. } => {
            linked(ticket, *kind).clone_from(&other);
            internal("linked", json!({ "to": other, "as": kind.code() }))
        }
        TicketAction::Unlink { kind } => {
            let before = linked(ticket, *kind).take();
            internal("unlinked", json!({ "from_ticket": before, "as": kind.code() }))
        }
        TicketAction::Major { major } => {
            ticket.major = *major;
            internal("linked", json!({ "major": major }))
        }
        _ => internal("note", json!({})),
    }
}

fn linked(ticket: &mut Ticket, kind: LinkKind) -> &mut Option<crate::tickets::number::TicketNumber> {
    match kind {
        LinkKind::Parent => &mut ticket.parent_number,
        LinkKind::Problem => &mut ticket.problem_number,
    }
}

/// That nobody answered a call is told to the people who were called; what staff wrote about it is not.
fn task(action: &TicketAction) -> Entry {
    let TicketAction::Task { kind, text, duration_min, next_attempt, before, after } = action else {
        return internal("task", json!({}));
    };
    let mut data = json!({ "task": kind, "text": text, "duration_min": duration_min });
    if let Value::Object(facts) = &mut data {
        let next = next_attempt.map(UtcMicros::rfc3339);
        let known = [("next_attempt", next), ("before", some(before)), ("after", some(after))];
        facts.extend(known.into_iter().filter_map(|(key, it)| it.map(|it| (key.to_owned(), it.into()))));
    }
    if *kind == TaskKind::Pdr {
        return Entry { data: with_internal_text(data), ..public("task", json!({})) };
    }
    internal("task", data)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn with_internal_text(mut data: Value) -> Value {
    if let Value::Object(facts) = &mut data {
        facts.insert("internal".into(), true.into());
    }
    data
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
