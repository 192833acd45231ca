//! Saying what happens with what no contract covers (rule R076).

use serde_json::json;

use super::apply::enter;
use super::step::{Step, record_step};
use super::view::find_ticket;
use crate::context::Context;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::text::optional_paragraphs;
use crate::kernel::time::UtcMicros;
use crate::tickets::action::TicketError;
use crate::tickets::coverage::{CoverageDecision, TicketCoverage};
use crate::tickets::model::{Entry, Ticket, TicketView};
use crate::tickets::number::TicketNumber;
use crate::tickets::store::{self, Visibility};
use crate::tickets::words::{CancelReason, TicketState};

/// Characters of the reason.
const NOTE_CHARS_MAX: usize = 2_000;

/// Records what the single point of entry decided about a ticket that no contract covers, and cancels it when that is
/// the decision. The people of the ticket see it in its history. `version` must be the one the actor saw.
pub async fn decide_coverage(
    context: &Context,
    actor: &Actor,
    (number, version): (&TicketNumber, i64),
    decision: CoverageDecision,
    note: &str,
) -> Result<TicketView, TicketError> {
    let note = optional_paragraphs(note, NOTE_CHARS_MAX)
        .map_err(|it| TicketError::invalid("note", it))?
        .unwrap_or_default();
    let mut tx = context.db.begin().await?;
    store::hold_still(&mut tx, number).await?;
    let seen = store::find_visible(&mut tx, Visibility::of(actor), number).await?;
    let before = seen.ok_or(TicketError::NotFound)?;
    let coverage = store::find_coverage(&mut tx, number).await?.ok_or(TicketError::NotFound)?;
    may_decide(actor, &before, &coverage)?;
    if before.version != version {
        return Err(stale(&before));
    }
    let mut ticket = before.clone();
    let now = context.now();
    let entry = decided_entry(&mut ticket, (decision, &note), now);
    store::save_decision(&mut tx, number, decision, (&actor.label, now)).await?;
    let step = Step { actor, before: Some(&before), ticket: &ticket, entries: &[entry] };
    if !record_step(&mut tx, context, step).await? {
        return Err(stale(&before));
    }
    tx.commit().await?;
    find_ticket(context, actor, number).await?.ok_or(TicketError::Gone)
}

/// Whether the actor may decide about the ticket now.
pub(super) fn may_decide(
    actor: &Actor,
    ticket: &Ticket,
    coverage: &TicketCoverage,
) -> Result<(), TicketError> {
    if !actor.may(Permission::QualifyTickets) {
        return Err(TicketError::Forbidden);
    }
    let over = matches!(ticket.state, TicketState::Resolved | TicketState::Closed | TicketState::Cancelled);
    if over {
        return Err(TicketError::State { state: ticket.state.code(), action: "coverage" });
    }
    if !coverage.coverage.needs_decision() {
        return Err(TicketError::invalid(
            "decision",
            "is not needed: a contract covers it, or that is not known yet",
        ));
    }
    Ok(())
}

fn decided_entry(ticket: &mut Ticket, (decision, note): (CoverageDecision, &str), now: UtcMicros) -> Entry {
    ticket.updated_at = now;
    if decision != CoverageDecision::Cancel {
        let data = json!({ "decision": decision.code(), "text": note });
        return Entry { kind: "coverage_decided", public: true, data };
    }
    let (from, reason) = (ticket.state, CancelReason::NotCovered);
    ticket.cancel_reason = Some(reason);
    let data = json!({ "decision": decision.code(), "reason": reason.code(), "text": note });
    enter(ticket, from, TicketState::Cancelled, (Entry { kind: "cancelled", public: true, data }, now))
}

fn stale(ticket: &Ticket) -> TicketError {
    TicketError::Stale { current: ticket.version, changes: Vec::new() }
}
