//! Blanking out what people wrote, when somebody has a right to that. The hashes of a history stay, so that its chain
//! still holds; that something was blanked out, and when, stays visible.

use serde_json::json;

use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::id::{OrganisationId, PersonId};
use crate::kernel::time::UtcMicros;
use crate::tickets::number::TicketNumber;
use crate::tickets::store::{self, redaction};

pub use crate::tickets::store::redaction::WrittenText;

/// Puts a pseudonym in the place of a person's name wherever tickets keep the name itself: who wrote a ticket down, who
/// did what. Gives how many events were changed.
pub async fn pseudonymise_author(
    tx: &mut Tx,
    context: &Context,
    person: PersonId,
    pseudonym: &str,
) -> Result<u64, StoreError> {
    redaction::rename_creator(tx, person, pseudonym).await?;
    redaction::rename_actor(tx, person, pseudonym, context.now()).await
}

/// Texts in which a person may be told: on their own tickets and wherever their name stands. The event 0 is summary and
/// description.
pub async fn list_texts_about(
    tx: &mut Tx,
    person: PersonId,
    name: &str,
) -> Result<Vec<(TicketNumber, i64)>, StoreError> {
    redaction::list_texts_about(tx, person, name).await
}

/// What is written there, for who decides about it; nothing when it was blanked out already.
pub async fn find_text(
    tx: &mut Tx,
    number: &TicketNumber,
    event_no: i64,
) -> Result<Option<WrittenText>, StoreError> {
    redaction::find_text(tx, number, event_no).await
}

/// Blanks out a text: an event of a history, or with 0 summary, description and what else people typed on the ticket.
pub async fn redact_text(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    event_no: i64,
) -> Result<(), StoreError> {
    store::hold_still(tx, number).await?;
    if event_no == 0 {
        redaction::blank_ticket(tx, number).await?;
    } else {
        redaction::blank_event(tx, number, event_no, context.now()).await?;
    }
    record(tx, context, actor, number, "ticket.redacted", json!({ "event_no": event_no })).await
}

/// How many tickets ended before a moment and still name people.
pub async fn count_expired(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
    before: UtcMicros,
) -> Result<i64, StoreError> {
    redaction::count_expired(tx, organisation, before).await
}

/// Tickets that ended before a moment and still name people, the oldest first.
pub async fn list_expired(
    tx: &mut Tx,
    before: UtcMicros,
    limit: i64,
) -> Result<Vec<(TicketNumber, OrganisationId)>, StoreError> {
    redaction::list_expired(tx, before, limit).await
}

/// Takes people and texts off a ticket whose time is over; numbers, kinds, dates and machines stay to be counted.
pub async fn anonymise(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    nobody: PersonId,
) -> Result<(), StoreError> {
    store::hold_still(tx, number).await?;
    redaction::blank_ticket(tx, number).await?;
    redaction::blank_history(tx, number, context.now()).await?;
    redaction::forget_people(tx, number, nobody, context.now()).await?;
    record(tx, context, actor, number, "ticket.anonymised", json!({})).await
}

async fn record(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    action: &str,
    detail: serde_json::Value,
) -> Result<(), StoreError> {
    let organisation_id = store::find(tx, number).await?.map(|it| it.organisation_id);
    let deed =
        Deed { organisation_id, action, subject_kind: "ticket", subject_id: number.to_string(), detail };
    audit::record(tx, context, actor, deed).await
}
