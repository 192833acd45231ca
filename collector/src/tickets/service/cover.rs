//! Saying what happens with what no contract covers (rule R076).

use serde_json::json;

use super::apply::apply;
use super::step::{Step, record_step};
use super::view::find_ticket;
use crate::context::Context;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::text::optional_paragraphs;
use crate::kernel::time::UtcMicros;
use crate::tickets::action::{TicketAction, TicketError};
use crate::tickets::coverage::{CoverageDecision, TicketCoverage};
use crate::tickets::model::{Entry, Ticket, TicketView};
use crate::tickets::number::TicketNumber;
use crate::tickets::rules::Standing;
use crate::tickets::store::{self, Visibility};
use crate::tickets::words::TicketState;

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
    let seen = store::find(&mut tx, number).await?.filter(|it| Visibility::of(actor).contains(it));
    let before = seen.ok_or(TicketError::NotFound)?;
    let coverage = store::find_coverage(&mut tx, number).await?.ok_or(TicketError::NotFound)?;
    may_decide(actor, &before, &coverage)?;
    if before.version != version {
        return Err(TicketError::Stale { current: before.version });
    }
    let mut ticket = before.clone();
    let now = context.now();
    let entry = decided_entry(&mut ticket, actor, (decision, &note), now)?;
    store::save_decision(&mut tx, number, decision, (&actor.label, now)).await?;
    let step = Step { actor, before: Some(&before), ticket: &ticket, entries: &[entry] };
    if !record_step(&mut tx, context, step).await? {
        return Err(TicketError::Stale { current: before.version });
    }
    tx.commit().await?;
    find_ticket(context, actor, number).await?.ok_or(TicketError::NotFound)
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

fn decided_entry(
    ticket: &mut Ticket,
    actor: &Actor,
    (decision, note): (CoverageDecision, &str),
    now: UtcMicros,
) -> Result<Entry, TicketError> {
    if decision == CoverageDecision::Cancel {
        let action = TicketAction::Cancel { reason: note.to_owned() };
        let who = Standing::of(actor, ticket);
        let mut entry = apply(ticket, &action, TicketState::Cancelled, (actor, who), now)?;
        if let Some(data) = entry.data.as_object_mut() {
            data.insert("decision".into(), decision.code().into());
        }
        return Ok(entry);
    }
    ticket.updated_at = now;
    let data = json!({ "decision": decision.code(), "text": note });
    Ok(Entry { kind: "coverage_decided", public: true, data })
}
