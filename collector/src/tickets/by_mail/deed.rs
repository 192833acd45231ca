//! Does what was decided about a message, and settles it, in one transaction.

use parc_mail::identity::AddressToken;
use parc_mail::reading::{Bounce, Class, Incoming};

use super::decide::{Decision, Facts, Sender, Thread};
use super::draft::{self, Source, Spoken};
use super::facts::own_token;
use super::postman::{MailRoom, MailRoomError};
use super::refusal;
use crate::db::Tx;
use crate::kernel::actor::Actor;
use crate::kernel::id::{FileId, InboundMailId, OrganisationId, OutgoingMailId};
use crate::kernel::text::EmailAddress;
use crate::mail::letterbox::{InboundState, Settlement};
use crate::mail::{self, Report};
use crate::sites::Site;
use crate::tickets::action::{TicketAction, TicketError};
use crate::tickets::model::Entry;
use crate::tickets::notices;
use crate::tickets::number::TicketNumber;
use crate::tickets::service::{act_within, claim_files, note_event, open_within};

/// Characters of an answer; a longer one is whole in the stored message.
const ANSWER_CHARS_MAX: usize = 20_000;
/// Characters of a reason to open a ticket again.
const COMMENT_CHARS_MAX: usize = 2_000;

/// A message with everything that was found out about it.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) id: InboundMailId,
    pub(super) mail: &'a Incoming,
    pub(super) facts: &'a Facts,
    /// Sites of the organisation a ticket would be opened for.
    pub(super) sites: &'a [Site],
    pub(super) spoken: &'a Spoken,
    /// Kept already, claimed by the ticket.
    pub(super) files: Vec<FileId>,
}

/// What was done: how the message is settled.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) state: InboundState,
    pub(super) reason: &'static str,
    pub(super) ticket: Option<TicketNumber>,
    pub(super) answered: bool,
}

impl Done {
    fn of(state: InboundState, reason: &'static str) -> Self {
        Self { state, reason, ticket: None, answered: false }
    }

    fn on(state: InboundState, reason: &'static str, ticket: TicketNumber) -> Self {
        Self { state, reason, ticket: Some(ticket), answered: false }
    }

    /// For the letterbox.
    pub(super) fn settlement<'a>(&self, case: &Case<'_>, by: &'a str) -> Settlement<'a>
    where
        Self: 'a,
    {
        Settlement {
            state: self.state,
            reason: self.reason,
            ticket_number: self.ticket.as_ref().map(ToString::to_string),
            person_id: case.facts.sender.as_ref().map(|it| it.person.id),
            answered: self.answered,
            by,
        }
    }
}

/// Does it.
pub(super) async fn carry_out(
    tx: &mut Tx,
    room: &MailRoom,
    case: &mut Case<'_>,
    decision: Decision,
) -> Result<Done, MailRoomError> {
    match decision {
        Decision::Drop => Ok(Done::of(InboundState::Dropped, "own")),
        Decision::Report => report(tx, room, case).await,
        Decision::Silence { mark } => silence(tx, room, case, mark).await,
        Decision::SetAside { reason } => Ok(Done::of(InboundState::Quarantined, reason)),
        Decision::Refuse { answer } => {
            if answer {
                refusal::refuse(tx, &room.context, case.id, case.mail).await?;
            }
            Ok(Done { answered: answer, ..Done::of(InboundState::Refused, "unknown_sender") })
        }
        Decision::Open { organisation, follows } => open(tx, room, case, (organisation, follows)).await,
        Decision::Answer | Decision::Reopen => answer(tx, room, case, decision == Decision::Reopen).await,
        Decision::Remark => remark(tx, room, case, (true, "remark")).await,
        Decision::Unverified { reason } => remark(tx, room, case, (false, reason)).await,
    }
}

/// Books what a server reports; only what is for good counts.
async fn report(tx: &mut Tx, room: &MailRoom, case: &Case<'_>) -> Result<Done, MailRoomError> {
    let Class::Bounce(bounce) = &case.mail.class else { return Ok(Done::of(InboundState::Silent, "report")) };
    let permanent = bounce.recipients.is_empty() || bounce.recipients.iter().any(|it| it.permanent);
    if !permanent {
        return Ok(Done::of(InboundState::Bounced, "delayed"));
    }
    let known = notices::bounced(tx, &room.context, &about(room, case.mail, bounce)).await?;
    Ok(Done::of(InboundState::Bounced, if known.is_some() { "booked" } else { "not_ours" }))
}

fn about(room: &MailRoom, mail: &Incoming, bounce: &Bounce) -> Report {
    let tokens = mail.recipients.iter().filter_map(|it| own_token(room, it));
    let outgoing = tokens.filter_map(|it| match room.signer.read_address_token(it)? {
        AddressToken::Bounce { outgoing } => Some(OutgoingMailId::from(uuid::Uuid::from_bytes(outgoing))),
        AddressToken::Reply { .. } => None,
    });
    let worst = bounce.recipients.iter().find(|it| it.permanent);
    Report {
        mail: outgoing.into_iter().next(),
        message_id: bounce.original_message_id.as_ref().map(|it| format!("<{it}>")),
        answer: worst.map(|it| format!("{} {}", it.status, it.diagnostic)).unwrap_or_default(),
    }
}

/// A machine's answer is noted where it belongs, and that is all.
async fn silence(
    tx: &mut Tx,
    room: &MailRoom,
    case: &Case<'_>,
    mark: &'static str,
) -> Result<Done, MailRoomError> {
    let known = case.facts.sender.as_ref().and_then(|it| it.person.organisation_id);
    let thread = case.facts.thread.as_ref().filter(|it| Some(it.ticket.organisation_id) == known);
    let Some(thread) = thread.filter(|it| it.ticket.state.is_open()) else {
        return Ok(Done::of(InboundState::Silent, mark));
    };
    let number = thread.ticket.number.clone();
    let mut data = draft::arrival(case.id, case.mail);
    if let Some(data) = data.as_object_mut() {
        data.insert("automatic".into(), mark.into());
    }
    let entry = Entry { kind: "mail_in", public: false, data };
    note_event(tx, &room.context, &Actor::system(), &number, entry).await?;
    Ok(Done::on(InboundState::Silent, mark, number))
}

async fn open(
    tx: &mut Tx,
    room: &MailRoom,
    case: &mut Case<'_>,
    (organisation, follows): (OrganisationId, bool),
) -> Result<Done, MailRoomError> {
    let Some(Sender { person, actor: Some(actor) }) = &case.facts.sender else {
        return Ok(Done::of(InboundState::Refused, "unknown_sender"));
    };
    let source = Source {
        id: case.id,
        mail: case.mail,
        person,
        organisation,
        named: case.facts.named,
        sites: case.sites,
        spoken: case.spoken,
        files: std::mem::take(&mut case.files),
    };
    let (new, mut told) = draft::draft(source);
    if let (true, Some(thread), Some(data)) = (follows, &case.facts.thread, told.data.as_object_mut()) {
        data.insert("follows".into(), thread.ticket.number.as_str().into());
    }
    let opened = open_within(tx, &room.context, actor, new).await?;
    note_event(tx, &room.context, actor, &opened.number, told).await?;
    heard_from(tx, case.mail).await?;
    Ok(Done::on(InboundState::Opened, if follows { "follows" } else { "" }, opened.number))
}

/// The machine of states decides what an answer does; what it refuses is kept as words.
async fn answer(
    tx: &mut Tx,
    room: &MailRoom,
    case: &mut Case<'_>,
    reopen: bool,
) -> Result<Done, MailRoomError> {
    let (Some(Sender { actor: Some(actor), .. }), Some(thread)) = (&case.facts.sender, &case.facts.thread)
    else {
        return Ok(Done::of(InboundState::Refused, "unknown_sender"));
    };
    let number = thread.ticket.number.clone();
    for action in actions(case, reopen) {
        match act_within(tx, &room.context, actor, &number, action).await {
            Ok(()) => {}
            // Nothing was written yet: who may not answer may still say something.
            Err(TicketError::Forbidden | TicketError::NotFound) if thread.ticket.restricted => {
                return Ok(Done::of(InboundState::Quarantined, "restricted"));
            }
            Err(TicketError::Forbidden | TicketError::NotFound) => {
                return remark(tx, room, case, (true, "remark")).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let told = Entry { kind: "mail_in", public: false, data: draft::arrival(case.id, case.mail) };
    note_event(tx, &room.context, actor, &number, told).await?;
    heard_from(tx, case.mail).await?;
    Ok(Done::on(InboundState::Appended, if reopen { "reopened" } else { "" }, number))
}

/// What an answer asks of the ticket: to be opened again, to take words, to take files.
fn actions(case: &Case<'_>, reopen: bool) -> Vec<TicketAction> {
    let files = case.files.clone();
    let attach = |text| TicketAction::Attach { text, files: files.clone(), internal: false };
    match (reopen, files.is_empty()) {
        (true, true) => vec![TicketAction::Reopen { comment: words(case.mail, COMMENT_CHARS_MAX) }],
        (true, false) => {
            vec![TicketAction::Reopen { comment: words(case.mail, COMMENT_CHARS_MAX) }, attach(String::new())]
        }
        (false, true) => vec![TicketAction::Reply { text: words(case.mail, ANSWER_CHARS_MAX) }],
        (false, false) => vec![attach(words(case.mail, ANSWER_CHARS_MAX))],
    }
}

/// Words on a ticket that change nothing: of a colleague for all to see, of a doubtful sender for staff.
async fn remark(
    tx: &mut Tx,
    room: &MailRoom,
    case: &mut Case<'_>,
    (public, reason): (bool, &'static str),
) -> Result<Done, MailRoomError> {
    let Some(Thread { ticket, .. }) = &case.facts.thread else {
        return Ok(Done::of(InboundState::Quarantined, reason));
    };
    let known = case.facts.sender.as_ref().and_then(|it| it.actor.clone()).filter(|_| public);
    let actor = known.unwrap_or_else(Actor::system);
    let mut data = draft::arrival(case.id, case.mail);
    if let Some(data) = data.as_object_mut() {
        data.insert("text".into(), words(case.mail, ANSWER_CHARS_MAX).into());
        data.insert("by_staff".into(), false.into());
        data.insert("doubt".into(), if public { "" } else { reason }.into());
        let files = claim_files(tx, &ticket.number, &case.files, public).await?;
        if !files.is_empty() {
            data.insert("files".into(), files.into());
        }
    }
    case.files.clear();
    let entry = Entry { kind: "mail_in", public, data };
    note_event(tx, &room.context, &actor, &ticket.number, entry).await?;
    Ok(Done::on(InboundState::Appended, reason, ticket.number.clone()))
}

async fn heard_from(tx: &mut Tx, mail: &Incoming) -> Result<(), MailRoomError> {
    if let Ok(address) = mail.from.address.parse::<EmailAddress>() {
        mail::heard_from(tx, &address).await?;
    }
    Ok(())
}

/// What was written, or the subject when there is nothing else.
fn words(mail: &Incoming, max: usize) -> String {
    let said = [mail.written.as_str(), mail.text.as_str(), mail.subject.as_str(), "…"];
    let said = said.into_iter().map(str::trim).find(|it| !it.is_empty()).unwrap_or_default();
    said.chars().take(max).collect()
}
