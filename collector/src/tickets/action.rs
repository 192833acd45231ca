//! What can be done to a ticket, and why it may not be.

use super::difference::FieldChange;
use super::model::Slot;
use super::number::TicketNumber;
use super::words::{
    ActionKind, AssetRole, CancelReason, Check, ImpactScope, LinkKind, ResolutionCode, Severity, SubKind,
    TaskKind, TicketKind, Urgency,
};
use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{CiId, FileId, PersonId, TeamId, TicketAssetId};
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
    /// Type, severity, scope and urgency as staff see them; sets priority and team.
    Qualify(Qualification),
    /// Into the pot of another team.
    Transfer {
        /// Which; none for the common pot.
        team: Option<TeamId>,
        /// Why; mandatory.
        comment: String,
    },
    /// To the second level.
    Escalate {
        /// A team of the second level; the nearest one if left out.
        team: Option<TeamId>,
        /// What was tried, and why more is needed; mandatory.
        comment: String,
    },
    /// Back to the first level.
    Deescalate {
        /// A team of the first level; the usual one for such tickets if left out.
        team: Option<TeamId>,
        /// Why; mandatory.
        comment: String,
    },
    /// To the security manager: hidden from everybody else but its people.
    Refer {
        /// Why; mandatory.
        comment: String,
    },
    /// Visible again to who worked on it.
    Unrestrict {
        /// Why; mandatory.
        comment: String,
    },
    /// Wait.
    Hold {
        /// Code of a pending reason. Other words, 1 to 200 characters, are kept as a note to the reason `other`.
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
        /// What work.
        kind: TaskKind,
        /// What was done.
        text: String,
        /// How long it took.
        duration_min: Option<u32>,
        /// When a call that nobody answered is tried again.
        next_attempt: Option<UtcMicros>,
        /// A setting as it was; may be empty.
        before: String,
        /// The setting as it is now; may be empty.
        after: String,
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
    /// Says when one can be called; replaces what was said before.
    Availability {
        /// The slots, at most twenty.
        slots: Vec<Slot>,
    },
    /// Solved.
    Resolve(Resolution),
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
        /// Which kind of reason; withdrawn if left out.
        code: Option<CancelReason>,
        /// Why; mandatory.
        reason: String,
    },
    /// It is the same as another one of the organisation, in which it goes on.
    Merge {
        /// The one that stays.
        into: TicketNumber,
        /// Why, may be empty.
        comment: String,
    },
    /// Put it under a major incident or a problem of the organisation.
    Link {
        /// The major incident or problem.
        to: TicketNumber,
        /// Which of both.
        kind: LinkKind,
    },
    /// Take it out from there.
    Unlink {
        /// From which of both.
        kind: LinkKind,
    },
    /// Call it a major incident, or no longer.
    Major {
        /// Whether it is one.
        major: bool,
    },
    /// The actor keeps an eye on it.
    Watch,
    /// No longer.
    Unwatch,
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

/// A ticket as staff see it.
#[derive(Clone, Debug)]
pub struct Qualification {
    /// Type.
    pub kind: TicketKind,
    /// What exactly is asked for, within the type.
    pub sub_kind: Option<SubKind>,
    /// Severity.
    pub severity: Severity,
    /// Scope.
    pub scope: ImpactScope,
    /// Urgency.
    pub urgency: Urgency,
    /// Whose pot it goes to; if left out the present one, or the usual one for a ticket in none.
    pub team: Option<TeamId>,
    /// Another priority than the matrix gives, 1 to 5.
    pub priority: Option<i64>,
    /// Why another; needed with one, 1 to 200 characters.
    pub priority_reason: String,
}

/// How a ticket was solved, with what its type needs to be closed.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// What solved it, what was delivered, the answer, the reason; mandatory.
    pub solution: String,
    /// What came of it; may be left out where there is one way only.
    pub code: Option<ResolutionCode>,
    /// What caused it: incidents and problems.
    pub cause: String,
    /// How to live with it: problems.
    pub workaround: String,
    /// Date of the session: training.
    pub session_on: String,
    /// What was checked: incidents.
    pub checks: Vec<Check>,
    /// A visit or loan that is not over is known and goes on.
    pub acknowledged: bool,
    /// The same for the tickets under this major incident or problem.
    pub with_children: bool,
}

impl TicketAction {
    /// Which action it is.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Claim => ActionKind::Claim,
            Self::Assign { .. } => ActionKind::Assign,
            Self::Release { .. } => ActionKind::Release,
            Self::Qualify(_) => ActionKind::Qualify,
            Self::Transfer { .. } => ActionKind::Transfer,
            Self::Escalate { .. } => ActionKind::Escalate,
            Self::Deescalate { .. } => ActionKind::Deescalate,
            Self::Refer { .. } => ActionKind::Refer,
            Self::Unrestrict { .. } => ActionKind::Unrestrict,
            Self::Hold { .. } => ActionKind::Hold,
            Self::Resume => ActionKind::Resume,
            Self::Task { .. } => ActionKind::Task,
            Self::Reply { .. } | Self::Attach { internal: false, .. } | Self::Availability { .. } => {
                ActionKind::Reply
            }
            Self::Note { .. } | Self::Attach { internal: true, .. } => ActionKind::Note,
            Self::Resolve(_) => ActionKind::Resolve,
            Self::Confirm { .. } => ActionKind::Confirm,
            Self::Refuse { .. } => ActionKind::Refuse,
            Self::Reopen { .. } => ActionKind::Reopen,
            Self::Cancel { .. } => ActionKind::Cancel,
            Self::Merge { .. } => ActionKind::Merge,
            Self::Link { .. } => ActionKind::Link,
            Self::Unlink { .. } => ActionKind::Unlink,
            Self::Major { .. } => ActionKind::Major,
            Self::Watch => ActionKind::Watch,
            Self::Unwatch => ActionKind::Unwatch,
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
        /// Since when.
        since: Option<UtcMicros>,
    },
    /// The ticket is not as the actor saw it.
    #[error("the ticket changed: version {current} is current")]
    Stale {
        /// The present version.
        current: i64,
        /// What changed since, for who works on tickets.
        changes: Vec<FieldChange>,
    },
    /// It was done, and the actor sees the ticket no longer.
    #[error("done; the ticket is no longer visible to you")]
    Gone,
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
            Self::NotFound | Self::Gone => ErrorKind::NotFound,
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
            Self::Gone => "gone",
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
