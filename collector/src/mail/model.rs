//! Types of the slice.

use std::time::Duration;

use super::letter::Letter;
use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{OrganisationId, OutgoingMailId, PersonId};
use crate::kernel::text::EmailAddress;
use crate::kernel::time::UtcMicros;

/// To whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The person, if the address is a known one's.
    pub person_id: Option<PersonId>,
    /// Name as shown, may be empty.
    pub name: String,
    /// Address.
    pub address: EmailAddress,
}

/// What makes a mail.
#[derive(Clone, Debug)]
pub struct OutgoingMail {
    /// What happened, `I202611_0042/17`: the same event, address and template give one mail, however often asked.
    pub event: String,
    /// Which text: a fixed word of lower-case letters and `-`.
    pub template: &'static str,
    /// To whom.
    pub to: Recipient,
    /// Whose mail it is; names the list for filters.
    pub organisation_id: Option<OrganisationId>,
    /// The ticket's number, for threads, answers and failures; nothing for mails about accounts.
    pub ticket: Option<String>,
    /// Who writes.
    pub origin: Origin,
    /// Message-ID of the mail from outside that this one answers, with angle brackets.
    pub answers: Option<String>,
    /// Whether it may be joined with others of its kind.
    pub merge: Option<Merge>,
    /// What it says.
    pub letter: Letter,
}

/// Several mails about one thing become one: it waits a while, and what is said meanwhile is added to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Mails with the same key to the same address are joined.
    pub key: String,
    /// How long the first one waits.
    pub wait: Duration,
}

/// Who writes (RFC 3834 §5); decides whether programs are told that a machine did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Origin {
    /// Something happened.
    Notification,
    /// The recipient has just written.
    Acknowledgement,
    /// A person typed the text.
    Person,
}

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MailState {
    /// Waits for its moment.
    Waiting,
    /// A courier has it.
    Sending,
    /// The relay has taken it.
    Sent,
    /// Refused for good, tried for too long, or reported as undeliverable.
    Failed,
    /// Not for sending: our own address, or one that keeps failing.
    Withheld,
}

impl MailState {
    /// Every state, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Sending, Self::Sent, Self::Failed, Self::Withheld];

    /// The word stored and used in addresses and text keys.
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Withheld => "withheld",
        }
    }

    /// The state with that word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// A mail as the outbox shows it: never what it says.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OutboxRow {
    /// Its id.
    pub id: OutgoingMailId,
    /// Which text.
    pub template: String,
    /// To which address.
    pub address: String,
    /// The ticket's number, if it is about one.
    pub ticket_number: Option<String>,
    /// Where it stands.
    pub state: MailState,
    /// When it was written.
    pub created_at: UtcMicros,
    /// When it is tried next.
    pub not_before: UtcMicros,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was sent or given up.
    pub settled_at: Option<UtcMicros>,
    /// When a server reported that it did not arrive.
    pub bounced_at: Option<UtcMicros>,
    /// The last words of a server.
    pub answer: String,
}

/// Which mails are listed; all given ones must hold.
#[derive(Clone, Debug, Default)]
pub struct OutboxFilter {
    /// In this state.
    pub state: Option<MailState>,
    /// To this address, or about this ticket.
    pub query: String,
}

/// A mail that did not arrive, for whoever tells people about it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Undelivered {
    /// Which one.
    pub id: OutgoingMailId,
    /// The ticket's number, if it was about one.
    pub ticket_number: Option<String>,
    /// Which text.
    pub template: String,
    /// Whose address, as shown.
    pub name: String,
    /// To which address.
    pub address: String,
    /// Why, in the server's words.
    pub answer: String,
}

/// Why a use case about mails did nothing.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The actor may not.
    #[error("administering mail is not permitted")]
    Forbidden,
    /// There is no such mail, or it is not one that can be sent again.
    #[error("no such failed mail")]
    NotFound,
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for MailError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden => ErrorKind::Forbidden,
            Self::NotFound => ErrorKind::NotFound,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Store(error) => error.code(),
        }
    }
}
