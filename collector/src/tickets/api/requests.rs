//! What programs send. Unknown fields are refused by name.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::tickets::{
    AssetRole, CancelReason, Channel, Check, CoverageDecision, ImpactScope, LinkKind, ResolutionCode,
    Severity, SubKind, TaskKind, TicketKind, Urgency,
};

/// Opens a ticket.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketRequest {
    /// One line, 1 to 200 characters.
    pub summary: String,
    /// At most 20,000 characters.
    #[serde(default)]
    pub description: String,
    /// `incident` if left out.
    #[serde(rename = "type")]
    pub kind: Option<TicketKind>,
    /// As it stands on the sticker or was typed; at most 100 characters.
    pub inventory_number: Option<String>,
    /// Organisation's code. Needed with a key for all organisations.
    pub organisation: Option<String>,
    /// Name of a site of the organisation.
    pub site: Option<String>,
    /// Building, floor, room.
    pub location: Option<String>,
    /// E-mail address of a person of the organisation.
    pub requester: String,
    /// E-mail address; the requester if left out.
    pub beneficiary: Option<String>,
    /// What exactly is asked for, within the type.
    pub sub_kind: Option<SubKind>,
    /// `minor` if left out.
    pub severity: Option<Severity>,
    /// `one` if left out.
    pub scope: Option<ImpactScope>,
    /// `medium` if left out.
    pub urgency: Option<Urgency>,
    /// Application concerned.
    pub application: Option<String>,
    /// Number to call back.
    pub phone: Option<String>,
    /// When the person can be reached.
    pub availability: Option<String>,
    /// `api` if left out.
    pub channel: Option<Channel>,
    /// Number in another helpdesk.
    pub external_ref: Option<String>,
}

/// Nothing to say.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyRequest {}

/// What somebody confirmed by voice.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmRequest {
    /// Name of who said that it is solved, 1 to 120 characters: a key is nobody and confirms nothing itself.
    pub on_behalf_of: Option<String>,
}

/// Makes somebody the owner.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// E-mail address of the technician. A key is no person, so it has to name one.
    pub owner: Option<String>,
}

/// Puts a ticket back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// What staff think of it. What is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QualifyRequest {
    /// Type.
    #[serde(rename = "type")]
    pub kind: Option<TicketKind>,
    /// Severity.
    pub severity: Option<Severity>,
    /// Scope.
    pub scope: Option<ImpactScope>,
    /// Urgency.
    pub urgency: Option<Urgency>,
    /// What exactly is asked for, within the type.
    pub sub_kind: Option<SubKind>,
    /// Code of the team whose pot it goes to; if left out its present one, or the usual one for such tickets.
    pub team: Option<String>,
    /// Another priority than the matrix gives, 1 to 5.
    pub priority: Option<i64>,
    /// Why another, 1 to 200 characters; needed with one.
    #[serde(default)]
    pub priority_reason: String,
}

/// Hands a ticket on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamCommentRequest {
    /// Code of the team. Left out: the common pot for a transfer, the nearest team of the level otherwise.
    pub team: Option<String>,
    /// 1 to 2,000 characters.
    pub comment: String,
}

/// Gives a ticket to somebody.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRequest {
    /// E-mail address of the technician.
    pub owner: String,
}

/// The same as another ticket.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeRequest {
    /// Number of the one that stays.
    pub into: String,
    /// Why.
    #[serde(default)]
    pub comment: String,
}

/// Puts a ticket under another.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// Number of the major incident or problem.
    pub to: String,
    /// Which of both.
    #[serde(rename = "as")]
    pub kind: LinkKind,
}

/// Takes a ticket out from under another.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlinkRequest {
    /// From the major incident or the problem.
    #[serde(rename = "as")]
    pub kind: LinkKind,
}

/// Calls a ticket a major incident.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MajorRequest {
    /// Whether it is one.
    pub major: bool,
}

/// The priority matrix.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixRequest {
    /// Eighteen digits 1 to 5: urgency low, medium, high for each scope one, group, all for each severity minor,
    /// blocking.
    pub cells: String,
}

/// A mandatory comment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentRequest {
    /// 1 to 2,000 characters.
    pub comment: String,
}

/// A wait.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// Code of a pending reason; other words, 1 to 200 characters, are kept as a note to the reason `other`.
    pub reason: String,
    /// RFC 3339 moment or date in the future.
    pub until: Option<String>,
    /// More about it.
    #[serde(default)]
    pub note: String,
}

/// Work done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskRequest {
    /// What work; `pdr` is a call that nobody answered.
    pub kind: TaskKind,
    /// What was done; may be empty for `pdr`.
    #[serde(default)]
    pub text: String,
    /// How long it took.
    pub duration_min: Option<u32>,
    /// RFC 3339 moment at which a call that nobody answered is tried again.
    pub next_attempt: Option<String>,
    /// A setting as it was.
    #[serde(default)]
    pub before: String,
    /// The setting as it is now.
    #[serde(default)]
    pub after: String,
}

/// An answer or note.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TextRequest {
    /// 1 to 20,000 characters.
    pub text: String,
}

/// A solution.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// 1 to 20,000 characters.
    pub solution: String,
    /// What came of it; each type has its own. May be left out where there is one only.
    pub code: Option<ResolutionCode>,
    /// What caused it; needed for incidents and problems.
    #[serde(default)]
    pub cause: String,
    /// How to live with it; needed for problems.
    #[serde(default)]
    pub workaround: String,
    /// Date of the session, YYYY-MM-DD; needed for training that is planned.
    #[serde(default)]
    pub session_on: String,
    /// What was checked; at least one for incidents.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// A visit or loan that is not over is known and goes on.
    #[serde(default)]
    pub acknowledged: bool,
    /// The same for the tickets under this major incident or problem.
    #[serde(default)]
    pub with_children: bool,
}

/// A withdrawal.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// `withdrawn` if left out.
    pub code: Option<CancelReason>,
    /// 1 to 2,000 characters.
    pub reason: String,
}

/// A machine for the ticket.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetRequest {
    /// As it stands on the sticker or was typed.
    pub inventory_number: String,
    /// `affected` if left out.
    pub role: Option<AssetRole>,
    /// Serial number: chooses between the machines that claim one number.
    pub serial: Option<String>,
}

/// What happens with what no contract covers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageRequest {
    /// The decision; `cancel` cancels the ticket.
    pub decision: CoverageDecision,
    /// Why, at most 2,000 characters; the requester reads it.
    #[serde(default)]
    pub note: String,
}

/// Ends a link.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DetachRequest {
    /// `id` of the ticket's asset.
    pub asset: String,
    /// 1 to 2,000 characters.
    pub reason: String,
}
