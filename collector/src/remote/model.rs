//! Types of the slice, and which step leads where.

use std::time::Duration;

use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{OrganisationId, PersonId, RemoteSessionId};
use crate::kernel::time::{UtcMicros, Zone};
use crate::tickets::{TicketError, TicketNumber};
use crate::words;

/// Who does not answer is not asked for ever: the technician is on the phone with them.
const ANSWER_WITHIN: Duration = Duration::from_mins(30);
/// Yes means today.
const START_WITHIN: Duration = Duration::from_hours(8);

words! {
    /// Where a session stands.
    RemoteStatus {
        /// The person was asked.
        Requested = "requested",
        /// They said yes.
        Accepted = "accepted",
        /// They said no.
        Refused = "refused",
        /// They said nothing in time, or yes and nobody came.
        Expired = "expired",
        /// Under way.
        Started = "started",
        /// Over, with a report.
        Ended = "ended",
        /// Not needed after all.
        Withdrawn = "withdrawn",
    }
    /// How a person answered.
    Consent {
        /// By a button on the page of their ticket.
        Portal = "portal",
        /// By voice, written down by staff.
        Oral = "oral",
    }
}

/// A remote session.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RemoteSession {
    /// Its id.
    pub id: RemoteSessionId,
    /// What it is for.
    pub ticket_number: TicketNumber,
    /// Whose ticket that is.
    pub organisation_id: OrganisationId,
    /// Name of that organisation.
    pub organisation_name: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Program used, as its name is known.
    pub tool: String,
    /// Who asks.
    pub technician_id: PersonId,
    /// Name.
    pub technician_name: String,
    /// Whose screen it is.
    pub asked_id: PersonId,
    /// Name.
    pub asked_name: String,
    /// As stored; see [`status_at`](Self::status_at).
    pub status: RemoteStatus,
    /// When the person was asked.
    pub asked_at: UtcMicros,
    /// When they answered.
    pub answered_at: Option<UtcMicros>,
    /// Who answered, in words.
    pub answered_by: String,
    /// How: a word of [`Consent`], empty before.
    pub means: String,
    /// When it began.
    pub started_at: Option<UtcMicros>,
    /// When it ended.
    pub ended_at: Option<UtcMicros>,
    /// What was seen and done, settings before and after.
    pub report: String,
    /// Rises with every change.
    pub sequence: i64,
    /// When it last changed.
    pub updated_at: UtcMicros,
}

impl RemoteSession {
    /// Where it stands at a moment: what nobody answered or used in time is over, whether or not that was noted yet.
    pub fn status_at(&self, now: UtcMicros) -> RemoteStatus {
        let late = |since: UtcMicros, within: Duration| now.since(since) >= within;
        match self.status {
            RemoteStatus::Requested if late(self.asked_at, ANSWER_WITHIN) => RemoteStatus::Expired,
            RemoteStatus::Accepted if late(self.answered_at.unwrap_or(self.asked_at), START_WITHIN) => {
                RemoteStatus::Expired
            }
            status => status,
        }
    }

    /// The clock on the person's wall.
    pub fn zone(&self) -> Zone {
        Zone::named(&self.time_zone).unwrap_or_else(Zone::utc)
    }
}

/// Moments before which a question and an agreement are over.
pub(super) fn expiry(now: UtcMicros) -> (UtcMicros, UtcMicros) {
    (now - ANSWER_WITHIN, now - START_WITHIN)
}

/// What is done to a session.
#[derive(Clone, Debug)]
pub enum RemoteStep {
    /// The person says yes.
    Accept {
        /// Who said so by voice, when staff write it down.
        oral: Option<String>,
    },
    /// The person says no.
    Refuse {
        /// Who said so by voice, when staff write it down.
        oral: Option<String>,
    },
    /// The technician is on the screen.
    Start,
    /// The technician is off the screen.
    End {
        /// What was seen and done; mandatory.
        report: String,
    },
    /// Not needed after all.
    Withdraw,
}

impl RemoteStep {
    /// The step's word in addresses.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Accept { .. } => "accept",
            Self::Refuse { .. } => "refuse",
            Self::Start => "start",
            Self::End { .. } => "end",
            Self::Withdraw => "withdraw",
        }
    }
}

/// Where `step` leads.
pub(super) fn next_status(status: RemoteStatus, step: &RemoteStep) -> Result<RemoteStatus, RemoteError> {
    use RemoteStatus::{Accepted, Ended, Refused, Requested, Started, Withdrawn};
    let next = match (step, status) {
        (RemoteStep::Accept { .. }, Requested) => Some(Accepted),
        // A yes may be taken back until somebody is on the screen.
        (RemoteStep::Refuse { .. }, Requested | Accepted) => Some(Refused),
        (RemoteStep::Start, Accepted) => Some(Started),
        (RemoteStep::End { .. }, Started) => Some(Ended),
        (RemoteStep::Withdraw, Requested | Accepted) => Some(Withdrawn),
        _ => None,
    };
    next.ok_or(RemoteError::State { status: status.code(), step: step.code() })
}

/// Why a session was not asked for or changed.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is none, or the actor may not know that there is.
    #[error("no such remote session")]
    NotFound,
    /// Not by this actor.
    #[error("not allowed for these roles")]
    Forbidden,
    /// Not in this state.
    #[error("a remote session that is {status} does not allow {step}")]
    State {
        /// Where it stands.
        status: &'static str,
        /// What was asked.
        step: &'static str,
    },
    /// Somebody else changed it meanwhile.
    #[error("the remote session was changed meanwhile")]
    Stale,
    /// The ticket does not take it.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RemoteError {
    pub(super) fn invalid(field: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }
}

impl Fault for RemoteError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::State { .. } | Self::Stale => ErrorKind::Conflict,
            Self::Ticket(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::State { .. } => "state",
            Self::Stale => "stale",
            Self::Ticket(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::Ticket(error) => error.field(),
            Self::NotFound | Self::Forbidden | Self::State { .. } | Self::Stale | Self::Store(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_on_a_screen_without_a_yes() {
        let start = |status| next_status(status, &RemoteStep::Start);
        for status in RemoteStatus::ALL {
            assert_eq!(start(*status).is_ok(), *status == RemoteStatus::Accepted, "{status:?}");
        }
        let no = RemoteStep::Refuse { oral: None };
        assert_eq!(next_status(RemoteStatus::Accepted, &no).ok(), Some(RemoteStatus::Refused));
        assert!(next_status(RemoteStatus::Started, &no).is_err());
        let report = RemoteStep::End { report: "driver installed".into() };
        assert_eq!(next_status(RemoteStatus::Started, &report).ok(), Some(RemoteStatus::Ended));
    }
}
