//! What programs get.

use serde::Serialize;
use utoipa::ToSchema;

use crate::inventory::api::{ChangeView, Configuration, FactView, ProblemView, fact};
use crate::inventory::{CiSummary, DeclaredField};
use crate::kernel::time::UtcMicros;
use crate::tickets::{
    ClockReading, FieldChange, OpenedTicket, Ticket, TicketAsset, TicketCoverage, TicketEvent, TicketNumber,
    TicketRow, TicketView,
};

/// A ticket just opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketCreated {
    /// `I202611_0042`.
    pub number: String,
    /// Where it stands.
    pub state: String,
    /// 1 highest to 5.
    pub priority: i64,
    /// `attached`, `unknown`, `ambiguous`, `placeholder`, `none`; `foreign` for keys of all organisations only.
    pub asset_match: String,
    /// The machine the number led to.
    pub assets: Vec<TicketAssetView>,
    /// Near misses of an unknown number.
    pub suggestions: Vec<Candidate>,
}

/// A ticket in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketLine {
    /// `I202611_0042`.
    pub number: String,
    /// Where it stands.
    pub state: String,
    /// 1 highest to 5.
    pub priority: i64,
    /// What kind of help.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line.
    pub summary: String,
    /// Organisation's name.
    pub organisation: String,
    /// Site's name.
    pub site: String,
    /// Name.
    pub requester: String,
    /// Name.
    pub beneficiary: String,
    /// Name, empty without owner.
    pub owner: String,
    /// Support level.
    pub level: i64,
    /// Code of the team whose pot it is in, empty for the common one.
    pub team: String,
    /// As typed.
    pub inventory_number: String,
    /// What the number led to.
    pub asset_match: String,
    /// Make and model, empty without machine.
    pub machine: String,
    /// The machine's number.
    pub machine_tag: String,
    /// Answers so far.
    pub reply_count: i64,
    /// Its clocks, for who works on tickets.
    pub clocks: Vec<ClockView>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
}

/// A page of tickets.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketPage {
    /// The tickets, most urgent first.
    pub items: Vec<TicketLine>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// A ticket with its machines and history.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketDetail {
    /// `I202611_0042`.
    pub number: String,
    /// What `If-Match` carries.
    pub version: i64,
    /// Where it stands.
    pub state: String,
    /// 1 highest to 5.
    pub priority: i64,
    /// What kind of help.
    #[serde(rename = "type")]
    pub kind: String,
    /// How it came in.
    pub channel: String,
    /// One line.
    pub summary: String,
    /// The whole story.
    pub description: String,
    /// Organisation's name.
    pub organisation: String,
    /// Site's name.
    pub site: String,
    /// Place inside the site.
    pub location: String,
    /// Name.
    pub requester: String,
    /// Name.
    pub beneficiary: String,
    /// Name of who wrote it down.
    pub created_by: String,
    /// Name, empty without owner.
    pub owner: String,
    /// Support level.
    pub level: i64,
    /// Code of the team whose pot it is in, empty for the common one.
    pub team: String,
    /// What exactly is asked for, within the type.
    pub sub_kind: Option<String>,
    /// What the person said, whatever staff think of it.
    pub declared: DeclaredView,
    /// Why the priority is not the one of the matrix.
    pub priority_reason: Option<String>,
    /// Referred to the security manager.
    pub restricted: bool,
    /// A matter of security.
    pub security: bool,
    /// A major incident.
    pub major: bool,
    /// Number of the major incident it belongs to.
    pub parent: Option<String>,
    /// Number of the problem behind it.
    pub problem: Option<String>,
    /// Number of the ticket it was merged into.
    pub duplicate_of: Option<String>,
    /// As qualified.
    pub severity: String,
    /// As qualified.
    pub scope: String,
    /// As qualified.
    pub urgency: String,
    /// Application concerned.
    pub application: String,
    /// Number to call back.
    pub phone: String,
    /// When the person can be reached.
    pub availability: String,
    /// Number in another helpdesk.
    pub external_ref: String,
    /// As typed.
    pub inventory_number: String,
    /// What the number led to.
    pub asset_match: String,
    /// Why it waits: code of a pending reason.
    pub pending_reason: Option<String>,
    /// More about why it waits.
    pub pending_note: Option<String>,
    /// RFC 3339.
    pub pending_until: Option<String>,
    /// How it was solved.
    pub solution: Option<String>,
    /// What came of it.
    pub resolution_code: Option<String>,
    /// What caused it.
    pub cause: Option<String>,
    /// How to live with it.
    pub workaround: Option<String>,
    /// Date of the training.
    pub session_on: Option<String>,
    /// What was checked before it was resolved.
    pub verification: Option<VerificationView>,
    /// Why it was withdrawn.
    pub cancel_reason: Option<String>,
    /// How often its closing was refused.
    pub refusals: i64,
    /// How often it was opened again.
    pub reopenings: i64,
    /// On-site visits that are not over.
    pub open_visits: i64,
    /// Machines lent that are not back.
    pub open_loans: i64,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// RFC 3339.
    pub resolved_at: Option<String>,
    /// RFC 3339.
    pub closed_at: Option<String>,
    /// Tickets under this one.
    pub children: Vec<TicketLine>,
    /// Names of who keeps an eye on it.
    pub watchers: Vec<String>,
    /// Its machines.
    pub assets: Vec<TicketAssetView>,
    /// Near misses of an unknown number.
    pub suggestions: Vec<Candidate>,
    /// Who claims an ambiguous number.
    pub candidates: Vec<Candidate>,
    /// History, oldest first.
    pub events: Vec<EventView>,
    /// What this key may do now: last parts of the paths.
    pub allowed: Vec<String>,
    /// Its clocks, for who works on tickets.
    pub clocks: Vec<ClockView>,
    /// Whether a contract covers it, for who works on tickets.
    pub coverage: Option<CoverageView>,
}

/// Whether a contract covers what a ticket is about, as decided when it was opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoverageView {
    /// `covered`, `expired`, `not_listed`, `no_contract`, `unknown`.
    pub coverage: String,
    /// Kind and number of the contract, empty without one.
    pub contract: String,
    /// RFC 3339.
    pub decided_at: String,
    /// `accept`, `billable`, `cancel`; none until somebody said what happens with what is not covered.
    pub decision: Option<String>,
    /// Name of who said so.
    pub decision_by: String,
}

impl From<&TicketCoverage> for CoverageView {
    fn from(it: &TicketCoverage) -> Self {
        Self {
            coverage: it.coverage.code().to_owned(),
            contract: it.contract.clone(),
            decided_at: it.decided_at.rfc3339(),
            decision: it.decision.map(|it| it.code().to_owned()),
            decision_by: it.decision_by.clone(),
        }
    }
}

/// One clock of a service level, in open minutes of the ticket's calendar.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockView {
    /// `call_back` or `resolution`.
    pub clock: String,
    /// `running`, `paused` or `stopped`.
    pub state: String,
    /// `in_time`, `near` from three quarters of the target on, `late`.
    pub standing: String,
    /// Open minutes it may take.
    pub target_min: i64,
    /// Open minutes left; less than nothing when late.
    pub remaining_min: i64,
    /// RFC 3339: when the target is or was reached; none while that depends on somebody else.
    pub due_at: Option<String>,
}

impl From<&ClockReading> for ClockView {
    fn from(it: &ClockReading) -> Self {
        Self {
            clock: it.kind.code().to_owned(),
            state: it.state.code().to_owned(),
            standing: it.standing().code().to_owned(),
            target_min: i64::try_from(it.target.as_secs() / 60).unwrap_or(i64::MAX),
            remaining_min: it.remaining_min(),
            due_at: it.due_at.map(UtcMicros::rfc3339),
        }
    }
}

/// What the person said when the ticket was opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeclaredView {
    /// How much it hinders.
    pub severity: String,
    /// Whom it hinders.
    pub scope: String,
    /// How soon it is needed.
    pub urgency: String,
}

/// What was checked, by whom and when.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerificationView {
    /// `tested`, `seen_by_user`, `settings_restored`, `data_checked`.
    pub checks: Vec<String>,
    /// Name.
    pub by: String,
    /// RFC 3339.
    pub at: Option<String>,
}

impl DeclaredView {
    fn of(ticket: &Ticket) -> Self {
        Self {
            severity: ticket.declared_severity.code().to_owned(),
            scope: ticket.declared_scope.code().to_owned(),
            urgency: ticket.declared_urgency.code().to_owned(),
        }
    }
}

impl VerificationView {
    fn of(ticket: &Ticket) -> Option<Self> {
        let checks = ticket.verified_checks.as_deref()?.split(',').map(str::to_owned).collect();
        let by = ticket.verified_by.clone().unwrap_or_default();
        Some(Self { checks, by, at: ticket.verified_at.map(UtcMicros::rfc3339) })
    }
}

/// A machine on a ticket, as it was when it was attached.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketAssetView {
    /// Id of the link, for detaching.
    pub id: String,
    /// `affected`, `related`, `loaner`, `replacement`.
    pub role: String,
    /// Inventory number.
    pub tag: Option<String>,
    /// `attached`: a linked machine was found or chosen.
    #[serde(rename = "match")]
    pub asset_match: String,
    /// Host name or declared name.
    pub name: String,
    /// Manufacturer.
    pub make: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Site's name.
    pub site: String,
    /// Place inside the site.
    pub location: String,
    /// Assigned person.
    pub user: String,
    /// What was in it.
    pub configuration: Configuration,
    /// Declared and discovered side by side.
    pub facts: Vec<FactView>,
    /// What it could not be asked.
    pub problems: Vec<ProblemView>,
    /// `opening`, `late`, `person`.
    pub attached_by: String,
    /// RFC 3339: the moment the state is of.
    pub pinned_at: String,
    /// RFC 3339: the agent's last report.
    pub last_report_at: Option<String>,
    /// Between the pin and now, newest first.
    pub changed_since: Vec<ChangeView>,
    /// In the seven days before the ticket, newest first.
    pub changed_before: Vec<ChangeView>,
    /// A second machine claims its number.
    pub contested: bool,
    /// The machine's latest other tickets.
    pub other_tickets: Vec<TicketLine>,
}

/// A machine that may be meant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Candidate {
    /// Inventory number.
    pub tag: Option<String>,
    /// Host name or declared name.
    pub name: String,
    /// Manufacturer.
    pub make: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Site's name.
    pub site: String,
    /// Assigned person.
    pub user: String,
    /// RFC 3339.
    pub last_report_at: Option<String>,
}

/// One entry of the history.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView {
    /// Place in the history.
    pub event_no: i64,
    /// RFC 3339.
    pub at: String,
    /// `created`, `asset_attached`, `claimed`, `reply`…
    pub kind: String,
    /// Whether requesters see it.
    pub public: bool,
    /// Who.
    pub actor: String,
    /// Facts of the event.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// Fields of the ticket that changed, for who works on tickets.
    pub changes: Vec<FieldChange>,
}

impl TicketCreated {
    /// With the machines of the ticket's view.
    pub(super) fn new(opened: &OpenedTicket, assets: &[TicketAsset], names_serials: bool) -> Self {
        Self {
            number: opened.number.to_string(),
            state: opened.state.code().to_owned(),
            priority: opened.priority,
            asset_match: opened.asset_match.code().to_owned(),
            assets: assets.iter().map(TicketAssetView::from).collect(),
            suggestions: opened.suggestions.iter().map(|it| Candidate::new(it, names_serials)).collect(),
        }
    }
}

impl From<&TicketRow> for TicketLine {
    fn from(row: &TicketRow) -> Self {
        let ticket = &row.ticket;
        Self {
            number: ticket.number.to_string(),
            state: ticket.state.code().to_owned(),
            priority: ticket.priority,
            kind: ticket.kind.code().to_owned(),
            summary: ticket.summary.clone(),
            organisation: ticket.organisation_name.clone(),
            site: ticket.site_name.clone(),
            requester: ticket.requester_name.clone(),
            beneficiary: ticket.beneficiary_name.clone(),
            owner: ticket.owner_name.clone(),
            level: ticket.level,
            team: ticket.team_code.clone(),
            inventory_number: ticket.inventory_number.clone(),
            asset_match: ticket.asset_match.code().to_owned(),
            machine: row.machine.clone(),
            machine_tag: row.machine_tag.clone(),
            reply_count: row.reply_count,
            clocks: row.clocks.iter().map(ClockView::from).collect(),
            created_at: ticket.created_at.rfc3339(),
            updated_at: ticket.updated_at.rfc3339(),
        }
    }
}

impl TicketDetail {
    /// The whole ticket; serials of other machines only for who may read machines.
    #[expect(clippy::too_many_lines, reason = "one line per field of the answer")]
    pub(super) fn new(view: TicketView, names_serials: bool) -> Self {
        let TicketView {
            ticket,
            assets,
            events,
            suggestions,
            candidates,
            allowed,
            children,
            watchers,
            clocks,
            coverage,
            ..
        } = view;
        let declared = DeclaredView::of(&ticket);
        let verification = VerificationView::of(&ticket);
        let text = |number: Option<TicketNumber>| number.map(|it| it.to_string());
        let candidate = |it: &CiSummary| Candidate::new(it, names_serials);
        let Ticket { summary, description, location, application, phone, availability, .. } = ticket;
        Self {
            number: ticket.number.to_string(),
            version: ticket.version,
            state: ticket.state.code().to_owned(),
            priority: ticket.priority,
            kind: ticket.kind.code().to_owned(),
            channel: ticket.channel.code().to_owned(),
            summary,
            description,
            organisation: ticket.organisation_name,
            site: ticket.site_name,
            location,
            requester: ticket.requester_name,
            beneficiary: ticket.beneficiary_name,
            created_by: ticket.created_by,
            owner: ticket.owner_name,
            level: ticket.level,
            team: ticket.team_code,
            sub_kind: ticket.sub_kind.map(|it| it.code().to_owned()),
            declared,
            priority_reason: ticket.priority_reason,
            restricted: ticket.restricted,
            security: ticket.security,
            major: ticket.major,
            parent: text(ticket.parent_number),
            problem: text(ticket.problem_number),
            duplicate_of: text(ticket.duplicate_of),
            severity: ticket.severity.code().to_owned(),
            scope: ticket.scope.code().to_owned(),
            urgency: ticket.urgency.code().to_owned(),
            application,
            phone,
            availability,
            external_ref: ticket.external_ref,
            inventory_number: ticket.inventory_number,
            asset_match: ticket.asset_match.code().to_owned(),
            pending_reason: ticket.pending_reason,
            pending_until: ticket.pending_until.map(UtcMicros::rfc3339),
            pending_note: ticket.pending_note,
            solution: ticket.solution,
            resolution_code: ticket.resolution_code.map(|it| it.code().to_owned()),
            cause: ticket.cause,
            workaround: ticket.workaround,
            session_on: ticket.session_on,
            verification,
            cancel_reason: ticket.cancel_reason.map(|it| it.code().to_owned()),
            refusals: ticket.refusals,
            reopenings: ticket.reopenings,
            open_visits: ticket.open_visits,
            open_loans: ticket.open_loans,
            children: children.iter().map(TicketLine::from).collect(),
            watchers,
            created_at: ticket.created_at.rfc3339(),
            updated_at: ticket.updated_at.rfc3339(),
            resolved_at: ticket.resolved_at.map(UtcMicros::rfc3339),
            closed_at: ticket.closed_at.map(UtcMicros::rfc3339),
            assets: assets.iter().map(TicketAssetView::from).collect(),
            suggestions: suggestions.iter().map(candidate).collect(),
            candidates: candidates.iter().map(candidate).collect(),
            events: events.into_iter().map(EventView::from).collect(),
            allowed: allowed.into_iter().map(|it| it.code().to_owned()).collect(),
            clocks: clocks.iter().map(ClockView::from).collect(),
            coverage: coverage.as_ref().map(CoverageView::from),
        }
    }
}

impl From<&TicketAsset> for TicketAssetView {
    fn from(asset: &TicketAsset) -> Self {
        let pinned = &asset.pinned;
        Self {
            id: asset.id.to_string(),
            role: asset.role.code().to_owned(),
            tag: pinned.tag.clone(),
            asset_match: crate::matching::AssetMatch::Attached.code().to_owned(),
            name: pinned.name.clone(),
            make: fact(pinned, DeclaredField::Make),
            model: fact(pinned, DeclaredField::Model),
            serial: fact(pinned, DeclaredField::Serial),
            site: pinned.site_name.clone(),
            location: pinned.location.clone(),
            user: pinned.assigned_to_name.clone(),
            configuration: Configuration::from(pinned),
            facts: pinned.facts.iter().map(FactView::from).collect(),
            problems: pinned.problems.iter().map(ProblemView::from).collect(),
            attached_by: asset.attached_by.code().to_owned(),
            pinned_at: asset.attached_at.rfc3339(),
            last_report_at: pinned.last_report_at.map(UtcMicros::rfc3339),
            changed_since: asset.changed_since.iter().map(ChangeView::from).collect(),
            changed_before: asset.changed_before.iter().map(ChangeView::from).collect(),
            contested: asset.contested,
            other_tickets: asset.other_tickets.iter().map(TicketLine::from).collect(),
        }
    }
}

impl Candidate {
    fn new(ci: &CiSummary, names_serials: bool) -> Self {
        let private = |text: &str| {
            if names_serials { text.to_owned() } else { String::new() }
        };
        Self {
            tag: ci.tag.clone(),
            name: private(&ci.name),
            make: ci.make.clone(),
            model: ci.model.clone(),
            serial: private(&ci.serial),
            site: ci.site_name.clone(),
            user: private(&ci.assigned_to_name),
            last_report_at: ci.last_contact_at.filter(|_| names_serials).map(UtcMicros::rfc3339),
        }
    }
}

impl From<TicketEvent> for EventView {
    fn from(event: TicketEvent) -> Self {
        let TicketEvent { event_no, at, kind, public, actor_label, data, changes } = event;
        Self { event_no, at: at.rfc3339(), kind, public, actor: actor_label, data, changes }
    }
}
