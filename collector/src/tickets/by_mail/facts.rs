//! Gathers what a decision is made from.

use std::time::Duration;

use parc_mail::identity::{AddressToken, OwnMessageId, Signer, token_of};
use parc_mail::reading::{Class, Incoming};

use super::decide::{Facts, Proof, Sender, Thread};
use super::postman::MailRoom;
use crate::db::{StoreError, Tx};
use crate::kernel::id::OrganisationId;
use crate::kernel::text::EmailAddress;
use crate::kernel::time::{UtcMicros, days};
use crate::mail::letterbox;
use crate::people::{self, actor_of};
use crate::sites;
use crate::tickets::number::TicketNumber;
use crate::tickets::rules::Situation;
use crate::tickets::store;

/// The window of the limits per sender.
const WINDOW: Duration = Duration::from_hours(1);
/// Recipients and references that are looked at for signed words.
const SIGNED_WORDS_MAX: usize = 100;

/// Reads everything a decision needs.
pub(super) async fn gather(
    tx: &mut Tx,
    room: &MailRoom,
    mail: &Incoming,
    released: bool,
) -> Result<Facts, StoreError> {
    let now = room.context.now();
    let address = mail.from.address.as_str();
    let sender = find_sender(tx, address).await?;
    let counted = letterbox::count_by_sender(tx, address, now - WINDOW).await?;
    Ok(Facts {
        sender,
        thread: find_thread(tx, room, mail).await?,
        named: find_named(tx, mail).await?,
        opened_by_sender: counted.opened,
        appended_by_sender: counted.appended,
        opened: letterbox::count_opened(tx, now - WINDOW).await?,
        refused_today: letterbox::was_answered(tx, address, now - days(1)).await?,
        released,
    })
}

async fn find_sender(tx: &mut Tx, address: &str) -> Result<Option<Sender>, StoreError> {
    let Ok(address) = address.parse::<EmailAddress>() else { return Ok(None) };
    let person = people::find_person_by_email(tx, &address).await?;
    Ok(person.map(|person| Sender { actor: actor_of(&person), person }))
}

/// A code counts when an organisation has it.
async fn find_named(tx: &mut Tx, mail: &Incoming) -> Result<Option<OrganisationId>, StoreError> {
    let Some((code, _)) = &mail.topic.code else { return Ok(None) };
    Ok(sites::find_organisation_by_code(tx, code).await?.map(|it| it.id))
}

/// The ticket a message points at, by the strongest proof there is.
async fn find_thread(tx: &mut Tx, room: &MailRoom, mail: &Incoming) -> Result<Option<Thread>, StoreError> {
    if let Some(number) = signed_number(room, mail)
        && let Some(thread) = thread(tx, &number, Proof::Signed, room.context.now()).await?
    {
        return Ok(Some(thread));
    }
    let ids: Vec<String> = mail.references.iter().chain(&mail.in_reply_to).cloned().collect();
    if let Some(number) = letterbox::find_ticket_of_message(tx, &ids).await?
        && let Ok(number) = number.parse()
        && let Some(thread) = thread(tx, &number, Proof::Known, room.context.now()).await?
    {
        return Ok(Some(thread));
    }
    match mail.topic.ticket_number.as_deref().map(str::parse) {
        Some(Ok(number)) => thread(tx, &number, Proof::Subject, room.context.now()).await,
        _ => Ok(None),
    }
}

async fn thread(
    tx: &mut Tx,
    number: &TicketNumber,
    proof: Proof,
    now: UtcMicros,
) -> Result<Option<Thread>, StoreError> {
    let Some(ticket) = store::find(tx, number).await? else { return Ok(None) };
    let reopened_today = letterbox::count_of_ticket(tx, number.as_str(), "reopened", now - days(1)).await?;
    let closed_recently = Situation::of(&ticket, true, now).closed_recently;
    Ok(Some(Thread { ticket, proof, closed_recently, reopened_today }))
}

/// From the address it was sent to, else from what it refers to, the latest first.
fn signed_number(room: &MailRoom, mail: &Incoming) -> Option<TicketNumber> {
    let tokens = mail.recipients.iter().take(SIGNED_WORDS_MAX).filter_map(|it| own_token(room, it));
    let by_address = tokens.filter_map(|it| match room.signer.read_address_token(it)? {
        AddressToken::Reply { ticket, .. } => ticket.parse().ok(),
        AddressToken::Bounce { .. } => None,
    });
    let words = mail.in_reply_to.iter().chain(mail.references.iter().rev()).take(SIGNED_WORDS_MAX);
    let by_reference = words.filter_map(|it| referred(&room.signer, it));
    by_address.chain(by_reference).next()
}

fn referred(signer: &Signer, word: &str) -> Option<TicketNumber> {
    match signer.read_message_id(word)? {
        OwnMessageId::Root { ticket } => ticket.parse().ok(),
        OwnMessageId::Message(of) => of.ticket.parse().ok(),
    }
}

/// What stands after the `+` of one of our addresses.
pub(super) fn own_token<'a>(room: &MailRoom, address: &'a str) -> Option<&'a str> {
    room.own_addresses.iter().find_map(|own| token_of(address, own))
}

/// Whether the message is a mail that we sent ourselves: its own id carries our signature.
pub(super) fn is_own(room: &MailRoom, mail: &Incoming) -> bool {
    mail.class == Class::Human && room.signer.read_message_id(&mail.message_id).is_some()
}
