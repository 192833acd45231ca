//! Types of the slice.

use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{ErasureId, PersonId};
use crate::kernel::time::UtcMicros;
use crate::people::PeopleError;
use crate::tickets::TicketNumber;
use crate::words;

words! {
    /// Where a demand to be forgotten stands.
    ErasureStatus {
        /// A second person has to agree.
        Asked = "asked",
        /// They did not.
        Refused = "refused",
        /// Name and address are gone; texts are being read.
        Approved = "approved",
        /// Nothing is left to decide.
        Done = "done",
    }
}

/// A demand to be forgotten.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Erasure {
    /// Its id.
    pub id: ErasureId,
    /// Who is to be forgotten.
    pub person_id: PersonId,
    /// Their name as it is now: the pseudonym, once they are forgotten.
    pub person_name: String,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub status: ErasureStatus,
    /// What stands in the place of the name.
    pub pseudonym: String,
    /// Who asked.
    pub asked_by_id: PersonId,
    /// Name.
    pub asked_by: String,
    /// When.
    pub asked_at: UtcMicros,
    /// Texts that nobody decided about yet.
    pub waiting: i64,
}

/// A text that somebody has to decide about.
#[derive(Clone, Debug)]
pub struct WaitingText {
    /// For which demand.
    pub erasure: ErasureId,
    /// Where it stands.
    pub ticket: TicketNumber,
    /// Which event; 0 for summary and description.
    pub event_no: i64,
    /// When it was written.
    pub at: UtcMicros,
    /// What is written there.
    pub text: String,
}

/// Everything about somebody, by kind of record.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PersonalData {
    /// When it was put together, RFC 3339.
    pub exported_at: String,
    /// The person's own record.
    pub person: serde_json::Value,
    /// Sign-ins that still hold.
    pub sessions: Vec<serde_json::Value>,
    /// Tickets opened by, for or about them.
    pub tickets: Vec<serde_json::Value>,
    /// What they did and wrote, and what was answered on their tickets.
    pub history: Vec<serde_json::Value>,
    /// Machines given to them.
    pub machines: Vec<serde_json::Value>,
    /// Machines lent to them.
    pub loans: Vec<serde_json::Value>,
    /// Who asked to take over their screen.
    pub remote_sessions: Vec<serde_json::Value>,
    /// What the audit log holds of them.
    pub audit: Vec<serde_json::Value>,
    /// Kinds of record that had more rows than are listed.
    pub cut: Vec<&'static str>,
}

/// What the next rounds of retention would do.
#[derive(Clone, Debug)]
pub struct RetentionPreview {
    /// Tickets that ended before this moment lose people and texts.
    pub before: UtcMicros,
    /// How many there are.
    pub tickets: i64,
    /// The oldest of them.
    pub first: Vec<TicketNumber>,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// No such person or demand, or the actor may not know that there is.
    #[error("no such person or demand")]
    NotFound,
    /// None of the actor's roles gives it.
    #[error("not allowed for these roles")]
    Forbidden,
    /// The same person cannot ask and agree.
    #[error("a second person has to agree")]
    SamePerson,
    /// Somebody decided already.
    #[error("this was decided already")]
    Decided,
    /// The person's record does not take it.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for PrivacyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::SamePerson | Self::Decided => ErrorKind::Conflict,
            Self::People(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::SamePerson => "same-person",
            Self::Decided => "decided",
            Self::People(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::People(error) => error.field(),
            Self::NotFound | Self::Forbidden | Self::SamePerson | Self::Decided | Self::Store(_) => None,
        }
    }
}
