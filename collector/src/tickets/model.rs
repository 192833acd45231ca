//! Types of the slice.

use super::clocks::ClockReading;
use super::coverage::TicketCoverage;
use super::difference::FieldChange;
use super::number::TicketNumber;
use super::words::{
    ActionKind, AssetRole, AttachedBy, Channel, ImpactScope, Severity, TicketKind, TicketState, Urgency,
};
use crate::inventory::{Change, CiSummary, Machine};
use crate::kernel::id::{CiId, FileId, OrganisationId, PersonId, SiteId, TicketAssetId};
use crate::kernel::time::UtcMicros;
use crate::matching::AssetMatch;

/// What opens a ticket (rules R031–R049). Texts are as typed; [`open_ticket`](super::open_ticket) cleans and bounds them.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// Whose ticket it is; the number is looked up in its parc.
    pub organisation_id: OrganisationId,
    /// What kind of help.
    pub kind: TicketKind,
    /// How it came in.
    pub channel: Channel,
    /// Where, if said.
    pub site_id: Option<SiteId>,
    /// Office, room, building; at most 120 characters.
    pub location: String,
    /// Who asks.
    pub requester_id: PersonId,
    /// Who needs the help; often the same person.
    pub beneficiary_id: PersonId,
    /// One line, 1 to 200 characters.
    pub summary: String,
    /// At most 20,000 characters.
    pub description: String,
    /// Application concerned, at most 120 characters.
    pub application: String,
    /// Number to call back, at most 40 characters.
    pub phone: String,
    /// When the person can be reached, at most 500 characters.
    pub availability: String,
    /// Number in another helpdesk, at most 120 characters.
    pub external_ref: String,
    /// As declared.
    pub severity: Severity,
    /// As declared.
    pub scope: ImpactScope,
    /// As declared.
    pub urgency: Urgency,
    /// As typed, at most 100 characters; empty when none was given. Never blocks creation (rule R051).
    pub inventory_number: String,
    /// The machine itself, known by its certificate or a signed link; used when no number was typed.
    pub machine: Option<CiId>,
    /// The same id from the same actor opens one ticket only.
    pub request_id: Option<[u8; 16]>,
    /// Kept files that belong to it, at most [`FILES_MAX`](crate::files::FILES_MAX).
    pub files: Vec<FileId>,
}

/// What came of opening a ticket, as far as the actor may know it.
#[derive(Clone, Debug)]
pub struct OpenedTicket {
    /// Its number.
    pub number: TicketNumber,
    /// Where it stands.
    pub state: TicketState,
    /// 1 highest to 5.
    pub priority: i64,
    /// What the inventory number led to; foreign shows as unknown.
    pub asset_match: AssetMatch,
    /// Near misses of an unknown number.
    pub suggestions: Vec<CiSummary>,
    /// What `If-Match` carries.
    pub version: i64,
    /// The request was known already; nothing was written.
    pub repeated: bool,
}

/// A ticket without its machines and history.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Ticket {
    /// Its number.
    pub number: TicketNumber,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Name of that organisation.
    pub organisation_name: String,
    /// What kind of help.
    pub kind: TicketKind,
    /// How it came in.
    pub channel: Channel,
    /// Where it stands.
    pub state: TicketState,
    /// 1 highest to 5.
    pub priority: i64,
    /// Declared site.
    pub site_id: Option<SiteId>,
    /// Its name, empty without one.
    pub site_name: String,
    /// Declared place inside the site.
    pub location: String,
    /// Who asked.
    pub requester_id: PersonId,
    /// Name.
    pub requester_name: String,
    /// Who needs the help.
    pub beneficiary_id: PersonId,
    /// Name.
    pub beneficiary_name: String,
    /// Who wrote it down: a person's, key's or machine's name.
    pub created_by: String,
    /// Id of that person, key or agent; none for Parc itself.
    pub created_by_id: Option<uuid::Uuid>,
    /// Who works on it.
    pub owner_id: Option<PersonId>,
    /// Name, empty without owner.
    pub owner_name: String,
    /// Support level, 1 or 2.
    pub level: i64,
    /// One line.
    pub summary: String,
    /// The whole story.
    pub description: String,
    /// Application concerned.
    pub application: String,
    /// Number to call back.
    pub phone: String,
    /// When the person can be reached.
    pub availability: String,
    /// Number in another helpdesk.
    pub external_ref: String,
    /// As qualified; as declared until then.
    pub severity: Severity,
    /// As qualified; as declared until then.
    pub scope: ImpactScope,
    /// As qualified; as declared until then.
    pub urgency: Urgency,
    /// As typed.
    pub inventory_number: String,
    /// As the actor may see it (foreign shows as unknown).
    pub asset_match: AssetMatch,
    /// Why it waits.
    pub pending_reason: Option<String>,
    /// Until when it waits.
    pub pending_until: Option<UtcMicros>,
    /// How it was solved.
    pub solution: Option<String>,
    /// When it was opened.
    pub created_at: UtcMicros,
    /// When anything was last done to it.
    pub updated_at: UtcMicros,
    /// When it was first taken or qualified.
    pub qualified_at: Option<UtcMicros>,
    /// When it was solved.
    pub resolved_at: Option<UtcMicros>,
    /// When it was confirmed or cancelled.
    pub closed_at: Option<UtcMicros>,
    /// Rises with every change; what `If-Match` carries.
    pub version: i64,
    /// On-site visits that are not over.
    pub open_visits: i64,
    /// Machines lent that are not back.
    pub open_loans: i64,
    /// IANA zone of the organisation.
    pub time_zone: String,
}

/// One row of the queue.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TicketRow {
    /// The ticket.
    #[sqlx(flatten)]
    pub ticket: Ticket,
    /// "Dell Inc. Latitude 5420", empty without machine.
    pub machine: String,
    /// The machine's tag, empty without machine.
    pub machine_tag: String,
    /// Answers so far.
    pub reply_count: i64,
    /// Its clocks; empty for who does not work on it.
    #[sqlx(skip)]
    pub clocks: Vec<ClockReading>,
}

/// A ticket with its machines and its history, as far as the actor may see them.
#[derive(Clone, Debug)]
pub struct TicketView {
    /// The ticket.
    pub ticket: Ticket,
    /// Machines linked now, the affected one first.
    pub assets: Vec<TicketAsset>,
    /// History, oldest first.
    pub events: Vec<TicketEvent>,
    /// Near misses of an unknown number.
    pub suggestions: Vec<CiSummary>,
    /// Who claims an ambiguous number; for staff of all organisations also who holds a foreign one.
    pub candidates: Vec<CiSummary>,
    /// What the actor may do now.
    pub allowed: Vec<ActionKind>,
    /// Its clocks; empty for who does not work on it.
    pub clocks: Vec<ClockReading>,
    /// Whether a contract covers it, for who works on it.
    pub coverage: Option<TicketCoverage>,
    /// The actor may say what happens with what is not covered.
    pub may_decide_coverage: bool,
}

/// A machine on a ticket.
#[derive(Clone, Debug)]
pub struct TicketAsset {
    /// Id of the link, for detaching.
    pub id: TicketAssetId,
    /// The machine today.
    pub ci: CiSummary,
    /// What it has to do with the ticket.
    pub role: AssetRole,
    /// How it came here.
    pub attached_by: AttachedBy,
    /// When.
    pub attached_at: UtcMicros,
    /// As it was when attached; later reports never change it.
    pub pinned: Machine,
    /// What changed between the pin and now, newest first.
    pub changed_since: Vec<Change>,
    /// What changed in the seven days before the ticket was opened, newest first.
    pub changed_before: Vec<Change>,
    /// The tag is claimed by a second machine.
    pub contested: bool,
    /// The machine's latest other tickets that the actor may see.
    pub other_tickets: Vec<TicketRow>,
}

/// One entry of a ticket's history.
#[derive(Clone, Debug)]
pub struct TicketEvent {
    /// Place in the history, from 1.
    pub event_no: i64,
    /// When.
    pub at: UtcMicros,
    /// What: `created`, `asset_attached`, `claimed`, `reply`…
    pub kind: String,
    /// Whether requesters see it.
    pub public: bool,
    /// Who.
    pub actor_label: String,
    /// Facts: `from`, `to`, `text`, `reason`…
    pub data: serde_json::Value,
    /// Fields of the ticket that changed; empty for who does not work on it.
    pub changes: Vec<FieldChange>,
}

/// What is written into a ticket's history.
#[derive(Clone, Debug)]
pub struct Entry {
    /// One of the words of the history: `created`, `claimed`, `reply`, `visit_planned`…
    pub kind: &'static str,
    /// Whether requesters see it.
    pub public: bool,
    /// Facts, a JSON object.
    pub data: serde_json::Value,
}

/// Filters of the queue; all given ones must hold.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    /// In one of these states; empty for any.
    pub states: Vec<TicketState>,
    /// Of this organisation.
    pub organisation_id: Option<OrganisationId>,
    /// Owned by this person.
    pub owner: Option<PersonId>,
    /// Owned by nobody.
    pub unowned: bool,
    /// Requester or beneficiary.
    pub person: Option<PersonId>,
    /// Typed inventory number or the attached machine's tag.
    pub tag: Option<String>,
    /// Words in number, summary, names; the first four count.
    pub query: String,
    /// Support level.
    pub level: Option<i64>,
    /// What the number led to, `unknown` for those that wait for a machine.
    pub asset_match: Option<AssetMatch>,
}

/// How many tickets a filter finds, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TicketCounts {
    /// At the single point of entry.
    pub new: i64,
    /// In the pot.
    pub queued: i64,
    /// Being worked on.
    pub in_progress: i64,
    /// Waiting.
    pub pending: i64,
    /// To be confirmed.
    pub resolved: i64,
    /// Open and owned by the actor.
    pub mine: i64,
    /// All, closed and cancelled ones too.
    pub total: i64,
}
