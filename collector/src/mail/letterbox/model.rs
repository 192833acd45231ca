//! Types of the letterbox.

use crate::kernel::id::{InboundMailId, PersonId};
use crate::kernel::time::UtcMicros;

/// Attempts to deal with a message before a person looks at it.
pub const ATTEMPTS_MAX: i64 = 3;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum InboundState {
    /// Stored, not dealt with yet.
    Received,
    /// It opened a ticket.
    Opened,
    /// It was added to a ticket.
    Appended,
    /// A machine's mail: kept, and nobody was told.
    Silent,
    /// From nobody we know.
    Refused,
    /// Somebody must look at it.
    Quarantined,
    /// One of our own came back.
    Dropped,
    /// A report about a mail of ours.
    Bounced,
    /// The same came before.
    Duplicate,
    /// A person made a ticket of it.
    Converted,
    /// A person threw it away.
    Discarded,
}

impl InboundState {
    /// Every state, in the order they are shown.
    pub const ALL: [Self; 11] = [
        Self::Received,
        Self::Refused,
        Self::Quarantined,
        Self::Opened,
        Self::Appended,
        Self::Silent,
        Self::Bounced,
        Self::Duplicate,
        Self::Dropped,
        Self::Converted,
        Self::Discarded,
    ];
    /// Those that wait for a person.
    pub const TRAY: [Self; 2] = [Self::Refused, Self::Quarantined];

    /// The word stored and used in addresses and text keys.
    pub fn code(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Opened => "opened",
            Self::Appended => "appended",
            Self::Silent => "silent",
            Self::Refused => "refused",
            Self::Quarantined => "quarantined",
            Self::Dropped => "dropped",
            Self::Bounced => "bounced",
            Self::Duplicate => "duplicate",
            Self::Converted => "converted",
            Self::Discarded => "discarded",
        }
    }

    /// The state with that word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// Whether it waits for a person.
    pub fn in_tray(self) -> bool {
        Self::TRAY.contains(&self)
    }
}

/// A message as the server had it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Name of the mailbox it lay in.
    pub mailbox: &'a str,
    /// With `uid` its lasting number there.
    pub uid_validity: i64,
    /// See `uid_validity`.
    pub uid: i64,
    /// Of the whole message, bytes.
    pub size_bytes: i64,
    /// What was fetched of it.
    pub raw: &'a [u8],
}

/// A message that is to be dealt with now.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Due {
    /// Its id.
    pub id: InboundMailId,
    /// Name of the mailbox it lay in.
    pub mailbox: String,
    /// Of the whole message, bytes.
    pub size_bytes: i64,
    /// Attempts, this one included.
    pub attempts: i64,
}

/// What a message says about itself.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    /// Message-ID without angle brackets.
    pub message_id: &'a str,
    /// Hash of its body.
    pub body_hash: &'a [u8],
    /// Sender.
    pub from_address: &'a str,
    /// Name beside it.
    pub from_name: &'a str,
    /// Subject.
    pub subject: &'a str,
    /// `passed`, `failed` or `unknown`.
    pub authenticity: &'static str,
}

/// What was decided about a message.
#[derive(Clone, Debug)]
pub struct Settlement<'a> {
    /// What became of it.
    pub state: InboundState,
    /// A word that says why.
    pub reason: &'a str,
    /// The ticket it is on.
    pub ticket_number: Option<String>,
    /// The sender, if known.
    pub person_id: Option<PersonId>,
    /// The sender gets an answer.
    pub answered: bool,
    /// Who decided.
    pub by: &'a str,
}

/// A message as the journal shows it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct InboundRow {
    /// Its id.
    pub id: InboundMailId,
    /// Name of the mailbox it lay in.
    pub mailbox: String,
    /// When it was stored.
    pub received_at: UtcMicros,
    /// Of the whole message, bytes.
    pub size_bytes: i64,
    /// What became of it.
    pub state: InboundState,
    /// A word that says why.
    pub reason: String,
    /// How often it was taken.
    pub attempts: i64,
    /// Message-ID without angle brackets.
    pub message_id: Option<String>,
    /// Sender; empty before it was read.
    pub from_address: String,
    /// Name beside it.
    pub from_name: String,
    /// Subject.
    pub subject: String,
    /// `passed`, `failed` or `unknown`.
    pub authenticity: String,
    /// The ticket it is on.
    pub ticket_number: Option<String>,
    /// The sender, if known.
    pub person_id: Option<PersonId>,
    /// The sender was told.
    pub answered: bool,
    /// When it was decided.
    pub settled_at: Option<UtcMicros>,
    /// Who decided.
    pub settled_by: String,
}

/// Which messages are listed; all given ones must hold.
#[derive(Clone, Debug, Default)]
pub struct InboundFilter {
    /// In one of these states; empty for any.
    pub states: Vec<InboundState>,
    /// Part of the sender's address or of the subject, or the ticket's number.
    pub query: String,
}

/// How a mailbox is doing.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Mailbox {
    /// Its name.
    pub name: String,
    /// Changes when the server numbers anew.
    pub uid_validity: Option<i64>,
    /// The last message stored.
    pub uid_stored: i64,
    /// When it was last looked at with success.
    pub checked_at: Option<UtcMicros>,
    /// Since when it cannot be fetched.
    pub failing_since: Option<UtcMicros>,
    /// Why; empty while it can.
    pub failure: String,
}
