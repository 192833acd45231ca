//! Types of the slice.

use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{OrganisationId, PersonId, SiteId, VisitId};
use crate::kernel::time::{UtcMicros, Zone};
use crate::tickets::{TicketError, TicketNumber};
use crate::words;

words! {
    /// Where a visit stands.
    VisitStatus {
        /// Asked for; the time is kept free.
        Proposed = "proposed",
        /// Agreed with the contact.
        Fixed = "fixed",
        /// It took place.
        Done = "done",
        /// Somebody did not come.
        Missed = "missed",
        /// Called off.
        Cancelled = "cancelled",
    }
}

impl VisitStatus {
    /// Whether the visit is still to come about: it takes its technician's time and holds its ticket open.
    pub fn stands(self) -> bool {
        matches!(self, Self::Proposed | Self::Fixed)
    }
}

/// An appointment on site.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Visit {
    /// Its id.
    pub id: VisitId,
    /// What it is for.
    pub ticket_number: TicketNumber,
    /// Whose site it is.
    pub organisation_id: OrganisationId,
    /// Name of that organisation.
    pub organisation_name: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Who goes.
    pub technician_id: PersonId,
    /// Name.
    pub technician_name: String,
    /// First moment.
    pub starts_at: UtcMicros,
    /// First moment after it.
    pub ends_at: UtcMicros,
    /// Where; none for a place that is no site.
    pub site_id: Option<SiteId>,
    /// Site and postal address, as they stood when it was planned.
    pub address: String,
    /// Building, floor, room.
    pub location: String,
    /// Whom to ask for.
    pub contact: String,
    /// Their number.
    pub phone: String,
    /// What is to be done or brought.
    pub purpose: String,
    /// Where it stands.
    pub status: VisitStatus,
    /// What came of it, or why it did not take place.
    pub outcome: String,
    /// Rises with every change.
    pub sequence: i64,
    /// When it last changed.
    pub updated_at: UtcMicros,
}

impl Visit {
    /// The clock on the wall of the site.
    pub fn zone(&self) -> Zone {
        Zone::named(&self.time_zone).unwrap_or_else(Zone::utc)
    }
}

/// What plans a visit. Texts are as typed; the service cleans and bounds them.
#[derive(Clone, Debug)]
pub struct NewVisit {
    /// Who goes.
    pub technician_id: PersonId,
    /// First moment, on a quarter of an hour.
    pub starts_at: UtcMicros,
    /// First moment after it, on a quarter of an hour; at most twelve hours later.
    pub ends_at: UtcMicros,
    /// Where; the ticket's site if not said.
    pub site_id: Option<SiteId>,
    /// At most 120 characters; the ticket's place if empty.
    pub location: String,
    /// At most 120 characters; the beneficiary if empty.
    pub contact: String,
    /// At most 40 characters; the ticket's number to call back if empty.
    pub phone: String,
    /// At most 500 characters.
    pub purpose: String,
    /// Agreed with the contact already.
    pub fixed: bool,
}

/// What is done to a visit.
#[derive(Clone, Debug)]
pub enum VisitStep {
    /// The contact agreed.
    Fix,
    /// Another time or technician.
    Move {
        /// Who goes.
        technician_id: PersonId,
        /// First moment.
        starts_at: UtcMicros,
        /// First moment after it.
        ends_at: UtcMicros,
    },
    /// It took place.
    Done {
        /// What was found and done; mandatory.
        outcome: String,
    },
    /// Somebody did not come.
    Missed {
        /// Who and why; mandatory.
        reason: String,
    },
    /// Called off.
    Cancel {
        /// Why; mandatory.
        reason: String,
    },
}

impl VisitStep {
    /// The step's word in addresses.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fix => "fix",
            Self::Move { .. } => "move",
            Self::Done { .. } => "done",
            Self::Missed { .. } => "missed",
            Self::Cancel { .. } => "cancel",
        }
    }
}

/// Which visits a planning shows; all given ones must hold.
#[derive(Clone, Copy, Debug)]
pub struct VisitFilter {
    /// Ends after this moment.
    pub from: UtcMicros,
    /// Starts before this moment.
    pub until: UtcMicros,
    /// Of this technician.
    pub technician: Option<PersonId>,
    /// At this site.
    pub site: Option<SiteId>,
}

/// Why a visit was not planned or changed.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is none, or the actor may not know that there is.
    #[error("no such visit")]
    NotFound,
    /// None of the actor's roles gives it.
    #[error("not allowed for these roles")]
    Forbidden,
    /// The technician has another visit at that time.
    #[error("start {technician} is elsewhere from {from} to {until}")]
    Overlap {
        /// Name of the technician.
        technician: String,
        /// When the other visit begins, RFC 3339.
        from: String,
        /// When it ends, RFC 3339.
        until: String,
    },
    /// Not in this state.
    #[error("a visit that is {status} does not allow {step}")]
    State {
        /// Where it stands.
        status: &'static str,
        /// What was asked.
        step: &'static str,
    },
    /// Somebody else changed it meanwhile.
    #[error("the visit was changed meanwhile")]
    Stale,
    /// The ticket does not take it.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl VisitError {
    pub(super) fn invalid(field: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }
}

impl Fault for VisitError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::Overlap { .. } | Self::State { .. } | Self::Stale => ErrorKind::Conflict,
            Self::Ticket(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::Overlap { .. } => "overlap",
            Self::State { .. } => "state",
            Self::Stale => "stale",
            Self::Ticket(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::Overlap { .. } => Some("start"),
            Self::Ticket(error) => error.field(),
            Self::NotFound | Self::Forbidden | Self::State { .. } | Self::Stale | Self::Store(_) => None,
        }
    }
}
