//! A mail about a ticket did not arrive: the ticket's history says so to staff.

use serde_json::json;

use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::mail::{self, FailureListener, HookFuture, Report, Undelivered};
use crate::tickets::model::Entry;
use crate::tickets::note_event;
use crate::tickets::number::TicketNumber;

/// Writes undelivered mails into their tickets' histories. Given to the courier.
#[derive(Clone, Debug)]
pub struct FailureNotes {
    /// Clock and randomness for what is written.
    pub context: Context,
}

impl FailureListener for FailureNotes {
    fn undelivered<'a>(&'a self, tx: &'a mut Tx, mail: &'a Undelivered) -> HookFuture<'a> {
        Box::pin(note(tx, &self.context, mail))
    }
}

/// Books a server's report of non-delivery (action `failed`, RFC 3464): the mail has failed, its address after the
/// third time is left alone, its ticket says so. Nothing when no mail of ours is meant, or it was known.
pub async fn bounced(
    tx: &mut Tx,
    context: &Context,
    report: &Report,
) -> Result<Option<Undelivered>, StoreError> {
    let found = mail::bounced(tx, context, report).await?;
    if let Some(undelivered) = &found {
        note(tx, context, undelivered).await?;
    }
    Ok(found)
}

async fn note(tx: &mut Tx, context: &Context, mail: &Undelivered) -> Result<(), StoreError> {
    let Some(number) = mail.ticket_number.as_deref().and_then(|it| it.parse::<TicketNumber>().ok()) else {
        return Ok(());
    };
    let data = json!({
        "name": &mail.name,
        "address": &mail.address,
        "template": &mail.template,
        "text": &mail.answer,
        "mail": mail.id,
    });
    let entry = Entry { kind: "mail_failed", public: false, data };
    note_event(tx, context, &Actor::system(), &number, entry).await?;
    Ok(())
}
