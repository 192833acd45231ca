//! What can be done to a ticket, and why it may not be.

use super::words::{ActionKind, AssetRole, ImpactScope, Severity, TicketKind, Urgency};
use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{CiId, FileId, PersonId, TicketAssetId};
use crate::kernel::time::UtcMicros;

/// One thing done to a ticket.
#[derive(Clone, Debug)]
pub enum TicketAction {
    /// The actor takes it; exactly one of many wins.
    Claim,
    /// Somebody is made its owner: by who distributes work, or by a program for a person.
    Assign {
        /// The new owner.
        owner: PersonId,
    },
    /// Back to the pot.
    Release {
        /// Why, may be empty.
        reason: String,
    },
    /// Type, severity, scope and urgency as staff see them; sets the priority.
    Qualify {
        /// Type.
        kind: TicketKind,
        /// Severity.
        severity: Severity,
        /// Scope.
        scope: ImpactScope,
        /// Urgency.
        urgency: Urgency,
    },
    /// Back to the pot for another team.
    Transfer {
        /// Why; mandatory.
        comment: String,
    },
    /// To the second level.
    Escalate {
        /// What was tried; mandatory.
        comment: String,
    },
    /// Wait.
    Hold {
        /// For what, a short line; mandatory.
        reason: String,
        /// Until when.
        until: Option<UtcMicros>,
        /// More about it, may be empty.
        note: String,
    },
    /// Stop waiting.
    Resume,
    /// Record work done.
    Task {
        /// `call`, `pdr`, `diagnosis` or `other`.
        kind: String,
        /// What was done.
        text: String,
        /// How long it took.
        duration_min: Option<u32>,
    },
    /// Answer, seen by the requester. One of the requester's own stops a wait.
    Reply {
        /// The answer.
        text: String,
    },
    /// For staff only.
    Note {
        /// The note.
        text: String,
    },
    /// Files, with or without words: as an answer, or as a note for staff only.
    Attach {
        /// What is said about them, may be empty.
        text: String,
        /// Kept files that belong to nothing yet.
        files: Vec<FileId>,
        /// For staff only.
        internal: bool,
    },
    /// Solved.
    Resolve {
        /// How; mandatory.
        solution: String,
    },
    /// It is really solved.
    Confirm {
        /// Who said so, when a program or staff write it down for somebody.
        on_behalf_of: Option<String>,
    },
    /// It is not.
    Refuse {
        /// What still fails; mandatory.
        comment: String,
    },
    /// Open a closed one again.
    Reopen {
        /// Why; mandatory.
        comment: String,
    },
    /// Withdraw.
    Cancel {
        /// Why; mandatory.
        reason: String,
    },
    /// Link the machine with this number. An unknown number is kept and waits when no machine is affected yet.
    AttachAsset {
        /// As typed.
        inventory_number: String,
        /// What it has to do with the ticket.
        role: AssetRole,
    },
    /// Link this machine: how staff settle an ambiguous number.
    AttachCi {
        /// The machine.
        ci: CiId,
        /// What it has to do with the ticket.
        role: AssetRole,
    },
    /// Unlink a machine; the link stays in the history.
    DetachAsset {
        /// The link.
        asset: TicketAssetId,
        /// Why; mandatory.
        reason: String,
    },
}

impl TicketAction {
    /// Which action it is.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Claim | Self::Assign { .. } => ActionKind::Claim,
            Self::Release { .. } => ActionKind::Release,
            Self::Qualify { .. } => ActionKind::Qualify,
            Self::Transfer { .. } => ActionKind::Transfer,
            Self::Escalate { .. } => ActionKind::Escalate,
            Self::Hold { .. } => ActionKind::Hold,
            Self::Resume => ActionKind::Resume,
            Self::Task { .. } => ActionKind::Task,
            Self::Reply { .. } | Self::Attach { internal: false, .. } => ActionKind::Reply,
            Self::Note { .. } | Self::Attach { internal: true, .. } => ActionKind::Note,
            Self::Resolve { .. } => ActionKind::Resolve,
            Self::Confirm { .. } => ActionKind::Confirm,
            Self::Refuse { .. } => ActionKind::Refuse,
            Self::Reopen { .. } => ActionKind::Reopen,
            Self::Cancel { .. } => ActionKind::Cancel,
            Self::AttachAsset { .. } | Self::AttachCi { .. } => ActionKind::AttachAsset,
            Self::DetachAsset { .. } => ActionKind::DetachAsset,
        }
    }
}

/// Why a ticket use case did not do it.
#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The request's id was used before, for something else.
    #[error("idempotency_key was used for another request")]
    KeyReused,
    /// There is none, or the actor may not know that there is.
    #[error("no such ticket")]
    NotFound,
    /// None of the actor's roles gives it.
    #[error("not allowed for these roles")]
    Forbidden,
    /// Not in this state.
    #[error("a ticket that is {state} does not allow {action}")]
    State {
        /// Where it stands.
        state: &'static str,
        /// What was asked.
        action: &'static str,
    },
    /// Somebody was faster.
    #[error("taken by {owner}")]
    Taken {
        /// Name of the owner.
        owner: String,
    },
    /// The ticket is not as the actor saw it.
    #[error("the ticket changed: version {current} is current")]
    Stale {
        /// The present version.
        current: i64,
    },
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TicketError {
    /// A field and what is wrong with it.
    pub(super) fn invalid(field: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }
}

impl Fault for TicketError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::KeyReused => ErrorKind::Invalid,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::State { .. } | Self::Taken { .. } | Self::Stale { .. } => ErrorKind::Conflict,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::KeyReused => "idempotency-key-reused",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::State { .. } => "state",
            Self::Taken { .. } => "taken",
            Self::Stale { .. } => "stale",
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::KeyReused => Some("idempotency_key"),
            _ => None,
        }
    }
}
