//! What becomes of a message. Pure: all it needs to know was gathered before.

use parc_mail::reading::{Authenticity, Class, Incoming};

use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::OrganisationId;
use crate::people::Person;
use crate::tickets::model::Ticket;
use crate::tickets::words::TicketState;

/// Tickets one sender opens by mail in an hour; more is a program gone wrong.
const OPENED_PER_SENDER_MAX: i64 = 10;
/// Answers of one sender in an hour.
const APPENDED_PER_SENDER_MAX: i64 = 30;
/// Tickets all senders together open by mail in an hour: beyond that somebody looks first.
const OPENED_MAX: i64 = 300;
/// How often mails open one closed ticket again in a day.
const REOPENED_MAX: i64 = 3;

/// How a message shows which ticket it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// A word that only we can have written.
    Signed,
    /// It answers a message that is on the ticket.
    Known,
    /// The number stands in the subject; anybody can write that.
    Subject,
}

/// The ticket a message points at.
#[derive(Clone, Debug)]
pub(super) struct Thread {
    pub(super) ticket: Ticket,
    pub(super) proof: Proof,
    /// Closed so recently that its people may open it again.
    pub(super) closed_recently: bool,
    /// Mails that opened it again today.
    pub(super) reopened_today: i64,
}

/// Somebody we know.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) person: Person,
    /// Nothing for the suspended.
    pub(super) actor: Option<Actor>,
}

/// Everything a decision is made from, besides the message.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) sender: Option<Sender>,
    pub(super) thread: Option<Thread>,
    /// The organisation whose code stands first in the subject.
    pub(super) named: Option<OrganisationId>,
    /// Of this sender, in the last hour.
    pub(super) opened_by_sender: i64,
    /// See `opened_by_sender`.
    pub(super) appended_by_sender: i64,
    /// Of everybody, in the last hour.
    pub(super) opened: i64,
    /// A refusal went to this address in the last day.
    pub(super) refused_today: bool,
    /// A person looked at it and lets it through.
    pub(super) released: bool,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// One of our own came back.
    Drop,
    /// It is about a mail of ours.
    Report,
    /// A machine's; noted on the ticket it answers.
    Silence {
        /// The mark that gave it away.
        mark: &'static str,
    },
    /// A person must look at it.
    SetAside {
        /// Why.
        reason: &'static str,
    },
    /// Nobody we know.
    Refuse {
        /// The sender is told.
        answer: bool,
    },
    /// An answer of somebody who has part in the ticket.
    Answer,
    /// Words of a colleague: on the ticket, without effect on it.
    Remark,
    /// On the ticket for staff only, since nobody vouches for the sender.
    Unverified {
        /// Why.
        reason: &'static str,
    },
    /// The closed ticket is opened again.
    Reopen,
    /// A new ticket.
    Open {
        /// Whose.
        organisation: OrganisationId,
        /// It goes on from the one it points at.
        follows: bool,
    },
}

/// Decides, in the order of the rules: kind of message, trust, sender, thread, floods.
pub(super) fn decide(mail: &Incoming, facts: &Facts) -> Decision {
    match &mail.class {
        Class::Own => return Decision::Drop,
        Class::Bounce(_) => return Decision::Report,
        Class::Automatic { mark } if !facts.released => return Decision::Silence { mark },
        Class::Automatic { .. } | Class::Human => {}
    }
    if mail.junk && !facts.released {
        return Decision::SetAside { reason: "junk" };
    }
    if mail.from.address.is_empty() {
        return Decision::SetAside { reason: "no_sender" };
    }
    match &facts.sender {
        None => from_stranger(mail, facts),
        Some(Sender { actor: None, .. }) => Decision::Refuse { answer: may_answer(mail, facts) },
        Some(Sender { person, actor: Some(actor) }) => match person.organisation_id {
            None => from_provider(mail, facts),
            Some(organisation) => from_client(mail, facts, (actor, organisation)),
        },
    }
}

/// No answer to an address that nobody vouches for: it would hit whoever was forged.
fn may_answer(mail: &Incoming, facts: &Facts) -> bool {
    mail.authenticity == Authenticity::Passed && !facts.refused_today
}

/// Who holds a signed word was written to by us, if under another address; staff reads it.
fn from_stranger(mail: &Incoming, facts: &Facts) -> Decision {
    match &facts.thread {
        Some(Thread { proof: Proof::Signed, ticket, .. }) if ticket.state.is_open() => {
            Decision::Unverified { reason: "unknown_sender" }
        }
        _ => Decision::Refuse { answer: may_answer(mail, facts) },
    }
}

/// The provider's own staff may do much, so their mails count only when verified.
fn from_provider(mail: &Incoming, facts: &Facts) -> Decision {
    let verified = mail.authenticity == Authenticity::Passed || facts.released;
    match (&facts.thread, verified) {
        (Some(thread), true) if thread.ticket.state.is_open() => Decision::Answer,
        (Some(thread), false) if thread.ticket.state.is_open() => {
            Decision::Unverified { reason: "sender_unverified" }
        }
        (_, false) => Decision::SetAside { reason: "sender_unverified" },
        (thread, true) => match facts.named {
            Some(organisation) => Decision::Open { organisation, follows: thread.is_some() },
            None => Decision::SetAside { reason: "which_organisation" },
        },
    }
}

fn from_client(mail: &Incoming, facts: &Facts, (actor, own): (&Actor, OrganisationId)) -> Decision {
    if mail.authenticity == Authenticity::Failed && !facts.released {
        return Decision::SetAside { reason: "sender_forged" };
    }
    // Words about another organisation's ticket are a request of their own.
    let thread = facts.thread.as_ref().filter(|it| it.ticket.organisation_id == own);
    let flooded = !facts.released && facts.appended_by_sender >= APPENDED_PER_SENDER_MAX;
    match thread {
        Some(_) if flooded => Decision::SetAside { reason: "flood" },
        Some(thread) => in_thread(facts, thread, actor, own),
        None => open(facts, actor, (own, false)),
    }
}

fn in_thread(facts: &Facts, thread: &Thread, actor: &Actor, own: OrganisationId) -> Decision {
    let ticket = &thread.ticket;
    let party = actor.person().is_some_and(|it| it == ticket.requester_id || it == ticket.beneficiary_id);
    match ticket.state {
        TicketState::Closed if party && thread.closed_recently => {
            if facts.released || thread.reopened_today < REOPENED_MAX {
                Decision::Reopen
            } else {
                Decision::SetAside { reason: "reopened_too_often" }
            }
        }
        TicketState::Closed | TicketState::Cancelled => open(facts, actor, (own, true)),
        _ if party || actor.may(Permission::ReadTickets) => Decision::Answer,
        // A colleague may not even know that it is there.
        _ if ticket.restricted => open(facts, actor, (own, false)),
        _ => Decision::Remark,
    }
}

fn open(facts: &Facts, actor: &Actor, (organisation, follows): (OrganisationId, bool)) -> Decision {
    let flooded = facts.opened_by_sender >= OPENED_PER_SENDER_MAX || facts.opened >= OPENED_MAX;
    if !actor.may(Permission::CreateTicket) {
        Decision::Refuse { answer: false }
    } else if flooded && !facts.released {
        Decision::SetAside { reason: "flood" }
    } else {
        Decision::Open { organisation, follows }
    }
}
