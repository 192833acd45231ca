//! Types of the slice.
use crate::db::StoreError;
use crate::inventory::{Change, CiSummary, Machine};
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::*;
use crate::kernel::time::UtcMicros;
use crate::matching::AssetMatch;

/// `I202611_0042`: I, year and month in the organisation's time zone, a sequence of at least four digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type, serde::Serialize)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct TicketNumber(pub(super) String);
impl std::fmt::Display for TicketNumber { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) } }
impl std::str::FromStr for TicketNumber { type Err = (); fn from_str(text: &str) -> Result<Self, ()> { Ok(Self(text.to_owned())) } }

macro_rules! words { ($(#[$m:meta])* $name:ident { $($variant:ident = $code:literal),+ $(,)? }) => {
    $(#[$m])*
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type, serde::Serialize, serde::Deserialize)]
    #[sqlx(type_name = "text", rename_all = "snake_case")]
    #[serde(rename_all = "snake_case")]
    pub enum $name { $($variant),+ }
    impl $name {
        /// All, in the order they are shown.
        pub const ALL: &[Self] = &[$(Self::$variant),+];
        /// Stored word, REST value and text key.
        pub fn code(self) -> &'static str { match self { $(Self::$variant => $code),+ } }
        /// From the stored word.
        pub fn from_code(code: &str) -> Option<Self> { Self::ALL.iter().copied().find(|it| it.code() == code) }
    }
} }
words! { /// R053
    TicketKind { Incident = "incident", ServiceRequest = "service_request", Problem = "problem", Information = "information", Improvement = "improvement", Training = "training", Emergency = "emergency" } }
words! { Channel { Portal = "portal", Mail = "mail", Phone = "phone", Api = "api", Agent = "agent" } }
words! { TicketState { New = "new", Queued = "queued", InProgress = "in_progress", Pending = "pending", Resolved = "resolved", Closed = "closed", Cancelled = "cancelled" } }
words! { /// Gênant / Bloquant (R039)
    Severity { Minor = "minor", Blocking = "blocking" } }
words! { /// R040
    ImpactScope { One = "one", Group = "group", All = "all" } }
words! { /// R035
    Urgency { Low = "low", Medium = "medium", High = "high" } }
words! { AssetRole { Affected = "affected", Related = "related", Loaner = "loaner", Replacement = "replacement" } }
words! { AttachedBy { Opening = "opening", Late = "late", Person = "person" } }
words! { /// T1–T17, without those of later sub-flows
    ActionKind { Claim = "claim", Release = "release", Qualify = "qualify", Transfer = "transfer", Escalate = "escalate", Hold = "hold", Resume = "resume", Task = "tasks", Reply = "replies", Note = "notes", Resolve = "resolve", Confirm = "confirm", Refuse = "refuse", Reopen = "reopen", Cancel = "cancel", AttachAsset = "assets", DetachAsset = "detach" } }

#[derive(Clone, Debug)]
pub struct NewTicket {
    pub organisation_id: OrganisationId,
    pub kind: TicketKind,
    pub channel: Channel,
    pub site_id: Option<SiteId>,
    pub location: String,
    pub requester_id: PersonId,
    pub beneficiary_id: PersonId,
    pub summary: String,
    pub description: String,
    pub application: String,
    pub phone: String,
    pub availability: String,
    pub external_ref: String,
    pub severity: Severity,
    pub scope: ImpactScope,
    pub urgency: Urgency,
    /// As typed; empty when none was given. Never blocks creation (R051).
    pub inventory_number: String,
    pub request_id: Option<[u8; 16]>,
}

#[derive(Clone, Debug)]
pub struct OpenedTicket { pub number: TicketNumber, pub state: TicketState, pub priority: i64, pub asset_match: AssetMatch, pub suggestions: Vec<CiSummary>, pub repeated: bool }

#[derive(Clone, Debug)]
pub struct Ticket {
    pub number: TicketNumber,
    pub organisation_id: OrganisationId,
    pub organisation_name: String,
    pub kind: TicketKind,
    pub channel: Channel,
    pub state: TicketState,
    /// 1 highest to 5.
    pub priority: i64,
    pub site_id: Option<SiteId>,
    pub site_name: String,
    pub location: String,
    pub requester_id: PersonId,
    pub requester_name: String,
    pub beneficiary_id: PersonId,
    pub beneficiary_name: String,
    pub created_by: String,
    pub owner_id: Option<PersonId>,
    pub owner_name: String,
    pub level: i64,
    pub summary: String,
    pub description: String,
    pub application: String,
    pub phone: String,
    pub availability: String,
    pub external_ref: String,
    pub severity: Severity,
    pub scope: ImpactScope,
    pub urgency: Urgency,
    pub inventory_number: String,
    /// As the actor may see it (foreign shows as unknown).
    pub asset_match: AssetMatch,
    pub pending_reason: Option<String>,
    pub pending_until: Option<UtcMicros>,
    pub solution: Option<String>,
    pub qualified_at: Option<UtcMicros>,
    pub created_at: UtcMicros,
    pub updated_at: UtcMicros,
    pub resolved_at: Option<UtcMicros>,
    pub closed_at: Option<UtcMicros>,
    pub version: i64,
    /// IANA zone of the organisation.
    pub time_zone: String,
}

/// One row of the queue.
#[derive(Clone, Debug)]
pub struct TicketRow { pub ticket: Ticket, /// "Dell Inc. Latitude 5420", empty without machine
    pub machine: String, pub machine_tag: String, pub reply_count: i64 }

/// A ticket with its machines and its history.
#[derive(Clone, Debug)]
pub struct TicketView {
    pub ticket: Ticket,
    pub assets: Vec<TicketAsset>,
    pub events: Vec<TicketEvent>,
    /// For an unknown tag.
    pub suggestions: Vec<CiSummary>,
    /// For an ambiguous tag.
    pub candidates: Vec<CiSummary>,
    pub allowed: Vec<ActionKind>,
}

#[derive(Clone, Debug)]
pub struct TicketAsset {
    pub id: TicketAssetId,
    pub ci: CiSummary,
    pub role: AssetRole,
    pub attached_by: AttachedBy,
    pub attached_at: UtcMicros,
    /// As it was when attached; later reports never change it.
    pub pinned: Machine,
    /// What differs today from the pin.
    pub changed_since: Vec<Change>,
    /// What changed in the seven days before the pin.
    pub changed_before: Vec<Change>,
    /// The tag is claimed by a second machine.
    pub contested: bool,
    pub other_tickets: Vec<TicketRow>,
}

#[derive(Clone, Debug)]
pub struct TicketEvent { pub event_no: i64, pub at: UtcMicros, pub kind: String, pub public: bool, pub actor_label: String, pub data: serde_json::Value }

#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    pub states: Vec<TicketState>,
    pub organisation_id: Option<OrganisationId>,
    /// Owned by this person.
    pub owner: Option<PersonId>,
    pub unowned: bool,
    /// Requester or beneficiary.
    pub person: Option<PersonId>,
    /// Typed inventory number or the attached machine's tag.
    pub tag: Option<String>,
    /// Words in number, summary, names.
    pub query: String,
    pub level: Option<i64>,
    /// Waiting for an unknown tag.
    pub asset_match: Option<AssetMatch>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct TicketCounts { pub new: i64, pub queued: i64, pub in_progress: i64, pub pending: i64, pub resolved: i64, pub mine: i64, pub total: i64 }

#[derive(Clone, Debug)]
pub enum TicketAction {
    Claim,
    Release { reason: String },
    Qualify { kind: TicketKind, severity: Severity, scope: ImpactScope, urgency: Urgency },
    /// Back to the pot for another team; the comment is mandatory.
    Transfer { comment: String },
    Escalate { comment: String },
    Hold { reason: String, until: Option<UtcMicros>, note: String },
    Resume,
    /// `call`, `pdr`, `diagnosis`, `other`.
    Task { kind: String, text: String, duration_min: Option<u32> },
    Reply { text: String },
    Note { text: String },
    Resolve { solution: String },
    Confirm,
    Refuse { comment: String },
    Reopen { comment: String },
    Cancel { reason: String },
    AttachAsset { inventory_number: String, role: AssetRole },
    AttachCi { ci: CiId, role: AssetRole },
    DetachAsset { asset: TicketAssetId, reason: String },
}

#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    #[error("{field} {reason}")]
    Invalid { field: &'static str, reason: String },
    #[error("no such ticket")]
    NotFound,
    #[error("not allowed for these roles")]
    Forbidden,
    #[error("a ticket that is {state} does not allow {action}")]
    State { state: &'static str, action: &'static str },
    #[error("taken by {owner}")]
    Taken { owner: String },
    #[error("the ticket changed: version {current} is current")]
    Stale { current: i64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for TicketError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::State { .. } | Self::Taken { .. } | Self::Stale { .. } => ErrorKind::Conflict,
            Self::Store(e) => e.kind(),
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::State { .. } => "state",
            Self::Taken { .. } => "taken",
            Self::Stale { .. } => "stale",
            Self::Store(e) => e.code(),
        }
    }
    fn field(&self) -> Option<&str> { if let Self::Invalid { field, .. } = self { Some(field) } else { None } }
}
