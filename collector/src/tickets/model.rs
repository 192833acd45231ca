//! Types of the slice.

use super::clocks::ClockReading;
use super::coverage::TicketCoverage;
use super::difference::FieldChange;
use super::number::TicketNumber;
use super::words::{
    ActionKind, AssetRole, AttachedBy, CancelReason, Channel, ImpactScope, ResolutionCode, Severity, SubKind,
    TicketKind, TicketState, Urgency,
};
use crate::inventory::{Change, CiSummary, Machine};
use crate::kernel::id::{CiId, FileId, OrganisationId, PersonId, SiteId, TeamId, TicketAssetId};
use crate::kernel::time::UtcMicros;
use crate::matching::AssetMatch;
use crate::people::Language;

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
    /// What exactly is asked for; of the same type.
    pub sub_kind: Option<SubKind>,
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
    /// When the beneficiary can be called, besides what is said in words.
    pub slots: Vec<Slot>,
    /// Kept files that belong to it, at most [`FILES_MAX`](crate::files::FILES_MAX).
    pub files: Vec<FileId>,
}

/// When somebody can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Slot {
    /// From this moment.
    #[sqlx(rename = "from_at")]
    pub from: UtcMicros,
    /// Until this one.
    #[sqlx(rename = "to_at")]
    pub to: UtcMicros,
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
    /// The team whose pot it is in; none for the common pot.
    pub team_id: Option<TeamId>,
    /// Its code, empty without one.
    pub team_code: String,
    /// Its name, empty without one.
    pub team_name: String,
    /// Since when the owner has it.
    pub owned_since: Option<UtcMicros>,
    /// What exactly is asked for.
    pub sub_kind: Option<SubKind>,
    /// As the person declared it; never changes.
    pub declared_severity: Severity,
    /// As the person declared it; never changes.
    pub declared_scope: ImpactScope,
    /// As the person declared it; never changes.
    pub declared_urgency: Urgency,
    /// Version of the matrix that gave the priority.
    pub matrix_version: i64,
    /// Why somebody set the priority by hand.
    pub priority_reason: Option<String>,
    /// Referred to the security manager: hidden from everybody else but its people.
    pub restricted: bool,
    /// A matter of security.
    pub security: bool,
    /// A major incident that others may belong to.
    pub major: bool,
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
    /// Why it waits: code of a [`PendingReason`].
    pub pending_reason: Option<String>,
    /// Until when it waits.
    pub pending_until: Option<UtcMicros>,
    /// More about why it waits.
    pub pending_note: Option<String>,
    /// How it was solved.
    pub solution: Option<String>,
    /// What came of it.
    pub resolution_code: Option<ResolutionCode>,
    /// What caused it.
    pub cause: Option<String>,
    /// How to live with it.
    pub workaround: Option<String>,
    /// Date of the training, as written.
    pub session_on: Option<String>,
    /// Codes of what was checked, separated by commas.
    pub verified_checks: Option<String>,
    /// Name of who checked.
    pub verified_by: Option<String>,
    /// When.
    pub verified_at: Option<UtcMicros>,
    /// Why it was withdrawn.
    pub cancel_reason: Option<CancelReason>,
    /// The major incident it belongs to.
    pub parent_number: Option<TicketNumber>,
    /// The problem behind it.
    pub problem_number: Option<TicketNumber>,
    /// The ticket it was merged into.
    pub duplicate_of: Option<TicketNumber>,
    /// How often its closing was refused.
    pub refusals: i64,
    /// How often it was opened again.
    pub reopenings: i64,
    /// When the requester was reminded to confirm.
    pub reminded_at: Option<UtcMicros>,
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
    /// When the beneficiary can be called, earliest first.
    pub slots: Vec<Slot>,
    /// What the actor may do now.
    pub allowed: Vec<ActionKind>,
    /// Tickets under this one: of a major incident, or those a problem explains.
    pub children: Vec<TicketRow>,
    /// Names of who keeps an eye on it; empty for who does not work on tickets.
    pub watchers: Vec<String>,
    /// The actor keeps an eye on it.
    pub watched: bool,
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

/// Why tickets wait, as data: what is offered, what it is called, what it does to the clocks.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags of a reason, each a column")]
pub struct PendingReason {
    /// Stored word.
    pub code: String,
    /// In French.
    pub label_fr: String,
    /// In English.
    pub label_en: String,
    /// The call-back clock stands still meanwhile.
    pub pauses_call: bool,
    /// The resolution clock stands still meanwhile.
    pub pauses_resolution: bool,
    /// It needs a day on which the wait ends.
    pub requires_date: bool,
    /// Offered.
    pub active: bool,
}

/// Somebody who has a ticket open.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Presence {
    /// The ticket.
    pub ticket_number: TicketNumber,
    /// Who.
    pub person_id: PersonId,
    /// Name.
    pub name: String,
    /// Writes rather than reads.
    pub writing: bool,
}

/// A view of the queue somebody keeps: a link with a name.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SavedView {
    /// 1 to 60 characters.
    pub name: String,
    /// Query of the address, at most 500 characters.
    pub query: String,
}

/// An answer written once and used often (rule R145).
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CannedReply {
    /// 2 to 32 of a–z, 0–9, hyphen.
    pub code: String,
    /// 1 to 60 characters.
    pub title: String,
    /// At most 4,000 characters.
    pub body: String,
    /// Language it is written in.
    pub language: Language,
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
    /// In this team's pot.
    pub team: Option<TeamId>,
    /// In a pot of one of the actor's teams.
    pub own_teams: bool,
    /// Of this type.
    pub kind: Option<TicketKind>,
    /// Under this major incident or problem.
    pub under: Option<TicketNumber>,
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
