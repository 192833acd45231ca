//! What a person does with messages that wait for one: make a person and a ticket of it, let it through, throw it away.

use serde_json::json;

use super::postman::{MailRoom, MailRoomError};
use crate::audit::{self, Deed};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Role, Scope};
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{InboundMailId, OrganisationId};
use crate::kernel::text::EmailAddress;
use crate::mail::letterbox::{self, Due, InboundRow, InboundState, Settlement};
use crate::people::{self, Language, NewPerson, PeopleError};
use crate::tickets::service::find_for;

/// Whom a refused message is made a person of.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// Whom they work for.
    pub organisation_id: OrganisationId,
    /// Name, 1 to 120 characters.
    pub name: String,
    /// Language of their mails.
    pub language: Language,
}

/// Why nothing was done with a message.
#[derive(Debug, thiserror::Error)]
pub enum TrayError {
    /// The actor may not.
    #[error("looking after incoming mail is not permitted")]
    Forbidden,
    /// There is none, or it is settled and stays so.
    #[error("no such message that waits for a person")]
    NotFound,
    /// The person could not be made.
    #[error(transparent)]
    Person(#[from] PeopleError),
    /// It could not be dealt with.
    #[error(transparent)]
    Room(#[from] MailRoomError),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for TrayError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden => ErrorKind::Forbidden,
            Self::NotFound => ErrorKind::NotFound,
            Self::Person(error) => error.kind(),
            Self::Room(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Person(error) => error.code(),
            Self::Room(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Person(error) => error.field(),
            Self::Forbidden | Self::NotFound | Self::Room(_) | Self::Store(_) => None,
        }
    }
}

/// Whether the actor looks after incoming mail: strangers' mails belong to no organisation, so only who works for all.
pub(crate) fn looks_after_mail(actor: &Actor) -> bool {
    let allowed = actor.may(Permission::QualifyTickets) || actor.may(Permission::Administer);
    allowed && actor.scope == Scope::All
}

/// A message that the actor may read: one on a ticket only with the right to see that ticket.
pub async fn open_message(
    room: &MailRoom,
    actor: &Actor,
    id: InboundMailId,
) -> Result<InboundRow, TrayError> {
    let row = known(room, actor, id).await?;
    if let Some(number) = row.ticket_number.as_deref().and_then(|it| it.parse().ok()) {
        let mut tx = room.context.db.read().await?;
        find_for(&mut tx, actor, &number).await?.ok_or(TrayError::NotFound)?;
    }
    Ok(row)
}

/// Takes out of a list what the actor may not read: the words of messages on tickets that they do not see.
pub async fn hide_unreadable(tx: &mut Tx, actor: &Actor, rows: &mut [InboundRow]) -> Result<(), StoreError> {
    for row in rows {
        let Some(number) = row.ticket_number.as_deref().and_then(|it| it.parse().ok()) else { continue };
        if find_for(tx, actor, &number).await?.is_none() {
            row.subject.clear();
            row.ticket_number = None;
        }
    }
    Ok(())
}

/// Makes a requester of the sender, unless somebody has the address, and a ticket of the message.
pub async fn convert(
    room: &MailRoom,
    actor: &Actor,
    id: InboundMailId,
    conversion: Conversion,
) -> Result<InboundRow, TrayError> {
    let row = waiting(room, actor, id).await?;
    let email: EmailAddress = row.from_address.parse().map_err(|_| TrayError::NotFound)?;
    let mut tx = room.context.db.begin().await?;
    if people::find_person_by_email(&mut tx, &email).await?.is_none() {
        let new = NewPerson {
            organisation_id: Some(conversion.organisation_id),
            email,
            name: conversion.name,
            phone: String::new(),
            language: conversion.language,
            default_site_id: None,
            roles: vec![Role::Requester],
        };
        // Who receives the mail may add its sender as a requester, and nothing else about people.
        let adding = Actor { roles: vec![Role::Admin], ..actor.clone() };
        people::create_person(&mut tx, &room.context, &adding, new).await?;
    }
    tx.commit().await?;
    let_through(room, actor, row, "mail.converted").await
}

/// Deals with a message again, as if a person had let it through.
pub async fn replay(room: &MailRoom, actor: &Actor, id: InboundMailId) -> Result<InboundRow, TrayError> {
    let row = known(room, actor, id).await?;
    let_through(room, actor, row, "mail.replayed").await
}

/// Throws a waiting message away; its bytes stay as long as all others.
pub async fn discard(room: &MailRoom, actor: &Actor, id: InboundMailId) -> Result<InboundRow, TrayError> {
    let row = waiting(room, actor, id).await?;
    let mut tx = room.context.db.begin().await?;
    let thrown = Settlement {
        state: InboundState::Discarded,
        reason: &row.reason,
        ticket_number: None,
        person_id: row.person_id,
        answered: row.answered,
        by: &actor.label,
    };
    if !letterbox::settle(&mut tx, id, row.state, room.context.now(), &thrown).await? {
        return Err(TrayError::NotFound);
    }
    audit::record(&mut tx, &room.context, actor, deed("mail.discarded", id)).await?;
    tx.commit().await?;
    known(room, actor, id).await
}

async fn let_through(
    room: &MailRoom,
    actor: &Actor,
    row: InboundRow,
    action: &'static str,
) -> Result<InboundRow, TrayError> {
    let mut tx = room.context.db.begin().await?;
    if !letterbox::reopen(&mut tx, row.id, room.context.now()).await? {
        return Err(TrayError::NotFound);
    }
    audit::record(&mut tx, &room.context, actor, deed(action, row.id)).await?;
    tx.commit().await?;
    let due = Due { id: row.id, mailbox: row.mailbox, size_bytes: row.size_bytes, attempts: 1 };
    Box::pin(room.deal_with(&due, Some(actor))).await?;
    known(room, actor, row.id).await
}

fn deed(action: &'static str, id: InboundMailId) -> Deed<'static> {
    Deed {
        organisation_id: None,
        action,
        subject_kind: "mail",
        subject_id: id.to_string(),
        detail: json!({}),
    }
}

async fn known(room: &MailRoom, actor: &Actor, id: InboundMailId) -> Result<InboundRow, TrayError> {
    if !looks_after_mail(actor) {
        return Err(TrayError::Forbidden);
    }
    let mut tx = room.context.db.read().await?;
    letterbox::find(&mut tx, id).await?.ok_or(TrayError::NotFound)
}

async fn waiting(room: &MailRoom, actor: &Actor, id: InboundMailId) -> Result<InboundRow, TrayError> {
    let row = known(room, actor, id).await?;
    if row.state.in_tray() { Ok(row) } else { Err(TrayError::NotFound) }
}
