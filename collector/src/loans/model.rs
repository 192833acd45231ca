//! Types of the slice.

use crate::db::StoreError;
use crate::inventory::InventoryError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{CiId, LoanId, OrganisationId, PersonId};
use crate::kernel::time::{UtcMicros, Zone};
use crate::tickets::{TicketError, TicketNumber};
use crate::words;

words! {
    /// Where a loan stands.
    LoanStatus {
        /// Chosen and set up; nobody else can have it.
        Prepared = "prepared",
        /// The borrower has it.
        Out = "out",
        /// Returned; the borrower's own machine is not yet.
        Back = "back",
        /// Everybody has their own machine again.
        Restored = "restored",
        /// Not needed after all.
        Cancelled = "cancelled",
    }
    /// How a borrower acknowledged to have received a machine.
    Acknowledgement {
        /// On paper.
        Signature = "signature",
        /// By mail.
        Mail = "mail",
        /// By voice, written down by staff.
        Oral = "oral",
    }
}

impl LoanStatus {
    /// Whether something is still to be done, so that the ticket stays open for it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Prepared | Self::Out | Self::Back)
    }
}

/// A loan, with the names of its machines as they are now.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Loan {
    /// Its id.
    pub id: LoanId,
    /// What it is for.
    pub ticket_number: TicketNumber,
    /// Whose machines they are.
    pub organisation_id: OrganisationId,
    /// Name of that organisation.
    pub organisation_name: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Who has the loaner.
    pub borrower_id: PersonId,
    /// Name.
    pub borrower_name: String,
    /// The machine that is away.
    pub original_ci_id: Option<CiId>,
    /// Its tag; empty without.
    pub original_tag: String,
    /// Make and model of the original.
    pub original_machine: String,
    /// The machine that stands in.
    pub loaner_ci_id: CiId,
    /// Its tag; empty without.
    pub loaner_tag: String,
    /// Make and model of the loaner.
    pub loaner_machine: String,
    /// Where it stands.
    pub status: LoanStatus,
    /// Last moment of the day on which it is expected back.
    pub expected_at: UtcMicros,
    /// The loaner as it was handed out, with what went along.
    pub condition_out: String,
    /// The loaner as it came back.
    pub condition_back: String,
    /// How the borrower acknowledged: a word of [`Acknowledgement`], empty before.
    pub acknowledged: String,
    /// Who wrote that down.
    pub acknowledged_by: String,
    /// What was to be set up, why it was called off.
    pub note: String,
    /// Rises with every change.
    pub sequence: i64,
    /// When it was prepared.
    pub created_at: UtcMicros,
    /// When it was handed out.
    pub out_at: Option<UtcMicros>,
    /// When it came back.
    pub back_at: Option<UtcMicros>,
    /// When it was noticed to be overdue.
    pub overdue_at: Option<UtcMicros>,
    /// When it last changed.
    pub updated_at: UtcMicros,
}

impl Loan {
    /// The clock on the borrower's wall.
    pub fn zone(&self) -> Zone {
        Zone::named(&self.time_zone).unwrap_or_else(Zone::utc)
    }

    /// Out for longer than was said.
    pub fn is_overdue(&self, now: UtcMicros) -> bool {
        self.status == LoanStatus::Out && self.expected_at < now
    }

    /// The status's word; `overdue` for a loan that should be back.
    pub fn status_code(&self, now: UtcMicros) -> &'static str {
        if self.is_overdue(now) { "overdue" } else { self.status.code() }
    }
}

/// What prepares a loan.
#[derive(Clone, Debug)]
pub struct NewLoan {
    /// The machine that will stand in: one of the organisation's stock.
    pub loaner: CiId,
    /// Last moment of the day on which it is expected back.
    pub expected_at: UtcMicros,
    /// What is to be set up on it; at most 1,000 characters.
    pub note: String,
}

/// What is done to a loan.
#[derive(Clone, Debug)]
pub enum LoanStep {
    /// Handed to the borrower.
    HandOut {
        /// As it is, and what goes along; mandatory.
        condition: String,
        /// How the borrower acknowledged.
        acknowledged: Acknowledgement,
    },
    /// Kept longer.
    Extend {
        /// Last moment of the new day.
        expected_at: UtcMicros,
    },
    /// Returned.
    TakeBack {
        /// As it is, and what is missing; mandatory.
        condition: String,
    },
    /// The borrower has their own machine again.
    Restore,
    /// Not needed after all.
    Cancel {
        /// Why; mandatory.
        reason: String,
    },
}

impl LoanStep {
    /// The step's word in addresses.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HandOut { .. } => "out",
            Self::Extend { .. } => "extend",
            Self::TakeBack { .. } => "back",
            Self::Restore => "restore",
            Self::Cancel { .. } => "cancel",
        }
    }
}

/// Which loans a list shows; all given ones must hold.
#[derive(Clone, Debug, Default)]
pub struct LoanFilter {
    /// In one of these states; empty for any.
    pub statuses: Vec<LoanStatus>,
    /// Out and expected before this moment.
    pub overdue_at: Option<UtcMicros>,
}

/// Why a loan was not prepared or changed.
#[derive(Debug, thiserror::Error)]
pub enum LoanError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is none, or the actor may not know that there is.
    #[error("no such loan")]
    NotFound,
    /// None of the actor's roles gives it.
    #[error("not allowed for these roles")]
    Forbidden,
    /// One of the machines is in another loan.
    #[error("loaner is lent already")]
    Lent,
    /// Not in this state.
    #[error("a loan that is {status} does not allow {step}")]
    State {
        /// Where it stands.
        status: &'static str,
        /// What was asked.
        step: &'static str,
    },
    /// Somebody else changed it meanwhile.
    #[error("the loan was changed meanwhile")]
    Stale,
    /// A machine does not take it.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// The ticket does not take it.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LoanError {
    pub(super) fn invalid(field: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }
}

impl Fault for LoanError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::Lent | Self::State { .. } | Self::Stale => ErrorKind::Conflict,
            Self::Inventory(error) => error.kind(),
            Self::Ticket(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::Lent => "lent",
            Self::State { .. } => "state",
            Self::Stale => "stale",
            Self::Inventory(error) => error.code(),
            Self::Ticket(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::Lent => Some("loaner"),
            Self::Inventory(error) => error.field(),
            Self::Ticket(error) => error.field(),
            Self::NotFound | Self::Forbidden | Self::State { .. } | Self::Stale | Self::Store(_) => None,
        }
    }
}
