//! One step of a ticket: whatever leads to it, everything it leaves behind is written here, in the transaction of
//! who took it.

use serde_json::json;

use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::tickets::clocks;
use crate::tickets::coverage;
use crate::tickets::difference::differences;
use crate::tickets::model::{Entry, Ticket};
use crate::tickets::notices::{Telling, announce};
use crate::tickets::number::TicketNumber;
use crate::tickets::store::{self, Stamp, Visibility};

/// What was done to a ticket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    /// Who did it.
    pub(crate) actor: &'a Actor,
    /// The ticket as it was read; `None` for one just inserted.
    pub(crate) before: Option<&'a Ticket>,
    /// The ticket as it is to be; its `version` is the one that was read.
    pub(crate) ticket: &'a Ticket,
    /// What the history will tell, the step itself first. Never empty.
    pub(crate) entries: &'a [Entry],
}

/// Writes a step: the row, the events with what changed, the audit entry. False, and nothing is written, when
/// somebody else changed the ticket since it was read.
pub(crate) async fn record_step(tx: &mut Tx, context: &Context, step: Step<'_>) -> Result<bool, StoreError> {
    let Step { actor, before, ticket, entries } = step;
    if before.is_some() && !store::save(tx, ticket).await? {
        return Ok(false);
    }
    let version = if before.is_some() { ticket.version + 1 } else { ticket.version };
    let changes = before.map(|it| differences(it, ticket)).unwrap_or_default();
    let decided = coverage::follow(tx, context, before, ticket).await?;
    let told = coverage::told(entries, decided.as_ref());
    let entries: &[Entry] = &told;
    let stamp = Stamp { actor, at: context.now(), version };
    store::append_events(tx, &ticket.number, stamp, entries, &changes).await?;
    record_deed(tx, context, step, version).await?;
    let now = Ticket { version, ..ticket.clone() };
    announce(tx, context, Telling { actor, before, ticket: &now, entries }).await?;
    let contract = decided.as_ref().and_then(|it| it.terms());
    clocks::follow(tx, context, before, ticket, (entries, contract)).await?;
    Ok(true)
}

/// The audit tells what was done, not what was written: free text stays on the ticket.
async fn record_deed(tx: &mut Tx, context: &Context, step: Step<'_>, version: i64) -> Result<(), StoreError> {
    let ticket = step.ticket;
    let action = format!("ticket.{}", step.entries.first().map_or("changed", |it| it.kind));
    let detail = json!({
        "state": ticket.state.code(),
        "version": version,
        "channel": ticket.channel.code(),
        "asset_match": ticket.asset_match.code(),
    });
    let deed = Deed {
        organisation_id: Some(ticket.organisation_id),
        action: &action,
        subject_kind: "ticket",
        subject_id: ticket.number.to_string(),
        detail,
    };
    audit::record(tx, context, step.actor, deed).await
}

/// The ticket with that number, if the actor may see it: for slices that hang something on tickets.
pub async fn find_for(
    tx: &mut Tx,
    actor: &Actor,
    number: &TicketNumber,
) -> Result<Option<Ticket>, StoreError> {
    store::find_visible(tx, Visibility::of(actor), number).await
}

/// Tells a ticket's history what another slice did for it, and returns the ticket as it now stands. The slice's own
/// transaction carries it, so that both stand or fall together.
pub async fn note_event(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    entry: Entry,
) -> Result<Ticket, StoreError> {
    store::hold_still(tx, number).await?;
    let gone = || StoreError::inconsistent("ticket", "number", number);
    let before = store::find(tx, number).await?.ok_or_else(gone)?;
    let ticket = Ticket { updated_at: context.now(), ..before.clone() };
    let step = Step { actor, before: Some(&before), ticket: &ticket, entries: &[entry] };
    // The row is held, so nobody can have been faster.
    if !record_step(tx, context, step).await? {
        return Err(gone());
    }
    Ok(Ticket { version: ticket.version + 1, ..ticket })
}

/// How many visits and loans of a ticket are not over: while there are some, it is not resolved by oversight.
pub async fn set_obligations(
    tx: &mut Tx,
    number: &TicketNumber,
    visits: i64,
    loans: i64,
) -> Result<(), StoreError> {
    store::set_obligations(tx, number, visits, loans).await
}

/// How many tickets have a history that was changed afterwards, and where a few of them break.
pub async fn verify_histories(tx: &mut Tx, limit: usize) -> Result<(i64, Vec<String>), StoreError> {
    store::chain_faults(tx, limit).await
}
