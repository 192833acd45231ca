//! Types of the slice.

use parc_calendar::{CalendarRefusal, Targets, Term};

use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{CalendarId, ContractId, OrganisationId};
use crate::kernel::time::UtcMicros;

/// Which machines of the organisation a contract covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[clap(rename_all = "snake_case")]
pub enum Covers {
    /// All of them.
    All,
    /// Those with a number on its list.
    List,
    /// Those of a model on its list.
    Models,
}

impl Covers {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::All, Self::List, Self::Models];

    /// The word stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::List => "list",
            Self::Models => "models",
        }
    }

    /// The way with that word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// A machine's number or a model on a contract's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) item_key: String,
    pub(super) label: String,
}

/// A maintenance contract.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// With whom.
    pub organisation_id: OrganisationId,
    /// Name of that organisation.
    pub organisation_name: String,
    /// IANA zone of that organisation: its days begin and end there.
    pub time_zone: String,
    /// What it is called: `PSAI` for instance.
    pub kind: String,
    /// Its number, unique in the organisation.
    pub reference: String,
    /// From when until when.
    pub term: Term,
    /// Months by which it goes on when nobody ends it.
    pub renewal_months: i64,
    /// Which machines.
    pub covers: Covers,
    /// By which calendar deadlines are measured; without one by the standard calendar.
    pub calendar_id: Option<CalendarId>,
    /// How soon.
    pub targets: Targets,
    /// Emergencies are measured around the clock.
    pub emergency_always: bool,
    /// The call-back clock waits for who is away.
    pub away_pauses: bool,
    /// Rises with every change.
    pub version: i64,
    /// When it was last changed.
    pub changed_at: UtcMicros,
    pub(super) items: Vec<Item>,
}

impl Contract {
    /// Numbers or models on its list, as they were written.
    pub fn item_labels(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|it| it.label.as_str())
    }
}

/// What makes a contract, or what it shall be.
#[derive(Clone, Debug)]
pub struct NewContract {
    /// With whom.
    pub organisation_id: OrganisationId,
    /// What it is called, 1 to 40 characters.
    pub kind: String,
    /// Its number, 1 to 60 characters.
    pub reference: String,
    /// First day, `2026-01-01`.
    pub starts_on: String,
    /// Last day, may be empty.
    pub ends_on: String,
    /// Months of tacit renewal, 0 to 120.
    pub renewal_months: i64,
    /// Which machines.
    pub covers: Covers,
    /// Numbers or models, one line each.
    pub items: String,
    /// By which calendar.
    pub calendar_id: Option<CalendarId>,
    /// Five targets, may be empty for the usual ones.
    pub call_back: String,
    /// Five targets, may be empty for the usual ones.
    pub resolution: String,
    /// Emergencies are measured around the clock.
    pub emergency_always: bool,
    /// The call-back clock waits for who is away.
    pub away_pauses: bool,
}

/// Why a contract was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A date or target is not what it should be.
    #[error("{field} {refusal}")]
    Refused {
        /// The field.
        field: &'static str,
        /// Why.
        refusal: CalendarRefusal,
    },
    /// The organisation has a contract of that number.
    #[error("reference {0:?} is taken")]
    Taken(String),
    /// There is none in scope.
    #[error("no such contract")]
    NotFound,
    /// None of the actor's roles gives it.
    #[error("not allowed for these roles")]
    Forbidden,
    /// Somebody changed it meanwhile.
    #[error("the contract changed: version {current} is current")]
    Stale {
        /// The present version.
        current: i64,
    },
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ContractError {
    pub(super) fn invalid(field: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }
}

impl Fault for ContractError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::Refused { .. } => ErrorKind::Invalid,
            Self::Taken(_) | Self::Stale { .. } => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } | Self::Refused { .. } => "invalid",
            Self::Taken(_) => "taken",
            Self::Stale { .. } => "stale",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } | Self::Refused { field, .. } => Some(field),
            Self::Taken(_) => Some("reference"),
            Self::NotFound | Self::Forbidden | Self::Stale { .. } | Self::Store(_) => None,
        }
    }
}
