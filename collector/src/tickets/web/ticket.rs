//! One ticket: for staff with the machine beside it, for its people in plain words.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::actions::{ActionForm, ActionView, buttons};
use super::clock_mark::{ClockMark, clock_mark};
use super::coverage::{CoverageMark, coverage_mark};
use super::field::{self, FieldPart};
use super::inputs::Offers;
use super::look_up::described;
use super::rows::{TicketLine, ticket_line};
use super::slot_picker::{PickDay, pick_days, slots_in_words};
use super::timeline::{EventView, event_view};
use super::together::sentences;
use crate::inventory::CiSummary;
use crate::inventory::web::asset::lifecycle_warning;
use crate::inventory::web::changes::{CHANGES_SHOWN_MAX, ChangeView, change_view, rarest_first};
use crate::inventory::web::machine::{Lens, MachineView, Standing, machine_view, make_and_model};
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::kernel::time::Zone;
use crate::matching::AssetMatch;
use crate::people::Language;
use crate::surveys::web::is_offered;
use crate::teams;
use crate::tickets::{
    self, ActionKind, CannedReply, Check, FieldChange, PendingReason, Ticket, TicketAsset, TicketNumber,
    TicketRow, TicketState, TicketView,
};
use crate::web::error::page_with;
use crate::web::parts::Pair;
use crate::web::{Asked, PageError, Reader, Section, Shell, Stamp, Texts, WebState};

#[derive(Debug, Template)]
#[template(path = "tickets/web/ticket.html")]
#[expect(clippy::struct_excessive_bools, reason = "independent rights, each tested by the template")]
struct TicketPage {
    shell: Shell,
    head: Head,
    clocks: Vec<ClockMark>,
    coverage: Option<CoverageMark>,
    facts: Vec<Vec<Pair>>,
    description: String,
    problem: String,
    /// What changed while the reader was writing.
    changes: Vec<ChangedField>,
    buttons: Vec<ActionView>,
    more_buttons: Vec<ActionView>,
    /// Just claimed: one press gives it back.
    may_undo: bool,
    children: Vec<TicketLine>,
    watchers: String,
    /// Who else has the page open; nothing for who does not work on tickets.
    present: Option<Vec<String>>,
    replies: Vec<CannedReply>,
    reply: Option<String>,
    note: Option<String>,
    events: Vec<EventView>,
    notice: Option<MatchNotice>,
    panels: Vec<Panel>,
    may_attach: bool,
    may_detach: bool,
    may_read_assets: bool,
    field: FieldPart,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/ticket_plain.html")]
#[expect(clippy::struct_excessive_bools, reason = "one for each button the reader may be given")]
struct PlainPage {
    shell: Shell,
    head: Head,
    description: String,
    problem: String,
    solution: String,
    reply: Option<String>,
    confirm: bool,
    refuse: Option<String>,
    cancel: bool,
    reopen: bool,
    /// The reader may say how it went.
    survey: bool,
    /// Owner and place of the call.
    call: Vec<Pair>,
    /// Slots to choose from; none when the ticket is over.
    slot_days: Vec<PickDay>,
    events: Vec<EventView>,
    machines: Vec<Pair>,
    notice: Option<MatchNotice>,
    field: FieldPart,
}

/// A field before and after, in words.
#[derive(Debug)]
struct ChangedField {
    label: String,
    before: String,
    after: String,
}

/// What stands above everything.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks, each drawn by itself")]
struct Head {
    number: String,
    summary: String,
    priority: i64,
    state_code: &'static str,
    state: String,
    state_plain: String,
    kind: String,
    owner: String,
    opened: Stamp,
    version: i64,
    /// Number of the last event on the page.
    seen: i64,
    /// A second-level ticket.
    level_two: bool,
    team: String,
    restricted: bool,
    security: bool,
    major: bool,
    /// Just opened: a draft in the browser is done with.
    fresh: bool,
}

/// What came of the inventory number.
#[derive(Debug)]
struct MatchNotice {
    tone: &'static str,
    icon: &'static str,
    title: String,
    help: String,
    candidates: Vec<Candidate>,
}

/// A machine it could be.
#[derive(Debug)]
struct Candidate {
    ci: String,
    href: String,
    tag: String,
    name: String,
    detail: String,
}

/// A machine on the ticket.
#[derive(Debug)]
struct Panel {
    machine: MachineView,
    machine_href: Option<String>,
    link: String,
    /// What must be known before anything is done with it.
    warning: Option<String>,
    role: String,
    pinned: String,
    before: Vec<ChangeView>,
    before_more: String,
    since: Vec<ChangeView>,
    since_more: String,
    other_tickets: Vec<TicketLine>,
}

/// A posted action that did not happen; what was typed is shown again.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub problem: String,
    pub changes: Vec<FieldChange>,
    pub kind: ActionKind,
    pub form: ActionForm,
    /// Last event the reader had seen.
    pub seen: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TicketQuery {
    done: String,
    /// Code of a canned reply to begin with.
    canned: String,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Path(number): Path<String>,
    Asked(asked): Asked<TicketQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    render(&state, &reader, &number, StatusCode::OK, (&asked.done, &asked.canned), None).await
}

/// The page after an action that did not happen.
pub(crate) async fn show_again(
    state: &WebState,
    reader: &Reader,
    number: &TicketNumber,
    status: StatusCode,
    attempt: Attempt,
) -> Result<Response, PageError> {
    render(state, reader, number, status, ("", ""), Some(attempt)).await
}

async fn render(
    state: &WebState,
    reader: &Reader,
    number: &TicketNumber,
    status: StatusCode,
    (done, canned): (&str, &str),
    attempt: Option<Attempt>,
) -> Result<Response, PageError> {
    let found = tickets::find_ticket(&state.context, &reader.actor, number).await?;
    let view = found.ok_or_else(PageError::not_found)?;
    let zone = Zone::named(&view.ticket.time_zone).unwrap_or_else(Zone::utc);
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let title = format!("{} {}", view.ticket.number, view.ticket.summary);
    let shell = reader.shell(title, Section::Tickets).with_notice(done);
    let fresh = done == "opened";
    let field = field::load(state, lens, &reader.actor, &view.ticket).await?;
    if reader.actor.is_staff() {
        let offers = offers(state, reader, &view, canned).await?;
        let shown = Shown { view: &view, offers: &offers, attempt: attempt.as_ref(), done };
        let page = ticket_page(shell, lens, &reader.actor, shown);
        page_with(status, &TicketPage { field, ..page })
    } else {
        let page = plain_page(shell, lens, &view, attempt.as_ref(), fresh);
        let survey = is_offered(state, reader, &view.ticket).await?;
        page_with(status, &PlainPage { survey, field, ..page })
    }
}

/// What the selects of the allowed actions offer.
async fn offers(
    state: &WebState,
    reader: &Reader,
    view: &TicketView,
    canned: &str,
) -> Result<Offers, PageError> {
    let ticket = &view.ticket;
    let mut tx = state.context.db.read().await?;
    let mut all = teams::list_teams(&mut tx, Scope::Organisation(ticket.organisation_id)).await?;
    all.retain(|it| it.active);
    let members = match ticket.team_id {
        Some(team) if view.allowed.contains(&ActionKind::Assign) => {
            teams::list_members(&mut tx, team).await?
        }
        _ => Vec::new(),
    };
    let reasons = tickets::pending_reasons(&mut tx).await?;
    let unsolved = |it: &TicketRow| it.ticket.state.is_open() && it.ticket.state != TicketState::Resolved;
    let replies = tickets::canned_replies(&mut tx, &reader.actor, reader.language()).await?;
    let present = tickets::present(&mut tx, &state.context, &reader.actor).await?;
    let works = reader.actor.may(Permission::WorkTickets);
    Ok(Offers {
        teams: all,
        members,
        reasons,
        has_children: view.children.iter().any(unsolved),
        canned: replies.iter().find(|it| it.code == canned).map(|it| it.body.clone()).unwrap_or_default(),
        replies,
        present: works.then(|| sentences(reader.texts(), &present, &ticket.number)),
    })
}

/// What the page of a ticket shows to staff.
#[derive(Clone, Copy)]
struct Shown<'a> {
    view: &'a TicketView,
    offers: &'a Offers,
    attempt: Option<&'a Attempt>,
    done: &'a str,
}

fn ticket_page(shell: Shell, lens: Lens<'_>, actor: &Actor, shown: Shown<'_>) -> TicketPage {
    let Shown { view, offers, attempt, done } = shown;
    let allowed = |kind| view.allowed.contains(&kind);
    let may_read_assets = actor.may(Permission::ReadAssets);
    let (buttons, more_buttons) = buttons(lens.texts, &view.ticket, (&view.allowed, offers), attempt);
    TicketPage {
        head: head(lens, view, done == "opened"),
        clocks: view.clocks.iter().map(|it| clock_mark(lens, it)).collect(),
        coverage: coverage_mark(lens, view),
        facts: facts(lens, &view.ticket, &when_to_call(lens, view), &offers.reasons),
        changes: attempt.map(|it| changed_fields(lens.texts, &it.changes)).unwrap_or_default(),
        more_buttons,
        may_undo: done == "claimed" && allowed(ActionKind::Release),
        children: view.children.iter().map(|it| ticket_line(lens, it)).collect(),
        watchers: view.watchers.join(", "),
        present: offers.present.clone(),
        replies: offers.replies.clone(),
        description: view.ticket.description.clone(),
        problem: attempt.map(|it| it.problem.clone()).unwrap_or_default(),
        buttons,
        reply: allowed(ActionKind::Reply).then(|| typed_or_canned(attempt, offers)),
        note: allowed(ActionKind::Note).then(|| typed(attempt, ActionKind::Note)),
        events: events(lens, view, attempt),
        notice: notice(lens, view),
        panels: view.assets.iter().map(|it| panel(lens, it, may_read_assets)).collect(),
        may_attach: allowed(ActionKind::AttachAsset),
        may_detach: allowed(ActionKind::DetachAsset),
        may_read_assets,
        field: FieldPart::default(),
        shell,
    }
}

fn plain_page(
    shell: Shell,
    lens: Lens<'_>,
    view: &TicketView,
    attempt: Option<&Attempt>,
    fresh: bool,
) -> PlainPage {
    let allowed = |kind| view.allowed.contains(&kind);
    let mut events = events(lens, view, attempt);
    // Requesters read what was said and what happened to their request, not how it was sorted.
    events.retain(|it| !it.internal);
    PlainPage {
        head: head(lens, view, fresh),
        description: view.ticket.description.clone(),
        problem: attempt.map(|it| it.problem.clone()).unwrap_or_default(),
        solution: view.ticket.solution.clone().unwrap_or_default(),
        reply: allowed(ActionKind::Reply).then(|| typed(attempt, ActionKind::Reply)),
        confirm: allowed(ActionKind::Confirm),
        refuse: allowed(ActionKind::Refuse).then(|| typed(attempt, ActionKind::Refuse)),
        cancel: allowed(ActionKind::Cancel),
        reopen: allowed(ActionKind::Reopen),
        survey: false,
        call: plain_facts(lens, view),
        slot_days: if allowed(ActionKind::Reply) && view.ticket.state.is_open() {
            pick_days(lens.texts, lens.now, lens.zone, &view.slots)
        } else {
            Vec::new()
        },
        events,
        machines: view.assets.iter().map(|it| plain_machine(lens.texts, &it.ci)).collect(),
        notice: notice(lens, view),
        field: FieldPart::default(),
        shell,
    }
}

/// What was written and refused, else the canned reply that was chosen.
fn typed_or_canned(attempt: Option<&Attempt>, offers: &Offers) -> String {
    let typed = typed(attempt, ActionKind::Reply);
    if typed.is_empty() { offers.canned.clone() } else { typed }
}

/// What requesters want to check: who takes care, for whom, where, and when they will be called.
fn plain_facts(lens: Lens<'_>, view: &TicketView) -> Vec<Pair> {
    let ticket = &view.ticket;
    let beneficiary =
        if ticket.beneficiary_id == ticket.requester_id { "" } else { ticket.beneficiary_name.as_str() };
    let place = [ticket.site_name.as_str(), ticket.location.as_str()];
    let place = place.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ");
    let facts = [
        ("label-owner", ticket.owner_name.clone()),
        ("label-beneficiary", beneficiary.to_owned()),
        ("label-application", ticket.application.clone()),
        ("label-site", place),
        ("label-phone", ticket.phone.clone()),
        ("label-availability", when_to_call(lens, view)),
    ];
    pairs(lens.texts, &facts)
}

fn typed(attempt: Option<&Attempt>, kind: ActionKind) -> String {
    attempt.filter(|it| it.kind == kind).map(|it| it.form.text.clone()).unwrap_or_default()
}

/// What stands on the machine's case.
fn plain_machine(texts: Texts, ci: &CiSummary) -> Pair {
    Pair::new(described(texts, ci), ci.tag.clone().unwrap_or_default())
}

fn head(lens: Lens<'_>, view: &TicketView, fresh: bool) -> Head {
    let (ticket, texts) = (&view.ticket, lens.texts);
    Head {
        number: ticket.number.to_string(),
        summary: ticket.summary.clone(),
        priority: ticket.priority,
        state_code: ticket.state.code(),
        state: texts.word("state", ticket.state.code()).into_owned(),
        state_plain: texts.word("state-plain", ticket.state.code()).into_owned(),
        kind: texts.word("ticket-kind", ticket.kind.code()).into_owned(),
        owner: ticket.owner_name.clone(),
        opened: Stamp::ago(texts, lens.zone, ticket.created_at, lens.now),
        version: ticket.version,
        seen: view.events.iter().map(|it| it.event_no).max().unwrap_or(0),
        level_two: ticket.level > 1,
        team: ticket.team_name.clone(),
        restricted: ticket.restricted,
        security: ticket.security,
        major: ticket.major,
        fresh,
    }
}

/// The chosen slots, then what was said in words.
fn when_to_call(lens: Lens<'_>, view: &TicketView) -> String {
    let slots = slots_in_words(lens.texts, lens.zone, &view.slots);
    let words = (!view.ticket.availability.is_empty()).then(|| view.ticket.availability.clone());
    slots.into_iter().chain(words).collect::<Vec<_>>().join("\n")
}

/// Who, where, when to call, how it is classed: four groups, empty facts left out.
fn facts(lens: Lens<'_>, ticket: &Ticket, availability: &str, reasons: &[PendingReason]) -> Vec<Vec<Pair>> {
    let texts = lens.texts;
    let beneficiary =
        if ticket.beneficiary_id == ticket.requester_id { "" } else { ticket.beneficiary_name.as_str() };
    let word = |family: &str, code: &str| texts.word(family, code).into_owned();
    let waits = waits_for(texts, ticket, reasons);
    let number = |it: &Option<TicketNumber>| it.as_ref().map(ToString::to_string).unwrap_or_default();
    let declared = declared(texts, ticket);
    let until =
        ticket.pending_until.map(|at| Stamp::day(texts, lens.zone, at).text().to_owned()).unwrap_or_default();
    let sub_kind = ticket.sub_kind.map(|it| word("sub-kind", it.code())).unwrap_or_default();
    let outcome = ticket.resolution_code.map(|it| word("resolution", it.code())).unwrap_or_default();
    let groups: [&[(&str, String)]; 6] = [
        &[
            ("label-requester", ticket.requester_name.clone()),
            ("label-beneficiary", beneficiary.to_owned()),
            ("label-phone", ticket.phone.clone()),
            ("label-availability", availability.to_owned()),
        ],
        &[
            ("label-organisation", ticket.organisation_name.clone()),
            ("label-site", ticket.site_name.clone()),
            ("label-location", ticket.location.clone()),
            ("label-typed-number", ticket.inventory_number.clone()),
            ("label-application", ticket.application.clone()),
        ],
        &[
            ("label-team", ticket.team_name.clone()),
            ("label-sub-kind", sub_kind),
            ("label-severity", word("severity", ticket.severity.code())),
            ("label-scope", word("scope", ticket.scope.code())),
            ("label-urgency", word("urgency", ticket.urgency.code())),
            ("label-declared", declared),
            ("label-priority-reason", ticket.priority_reason.clone().unwrap_or_default()),
            ("label-channel", word("channel", ticket.channel.code())),
            ("label-created-by", ticket.created_by.clone()),
            ("label-external-ref", ticket.external_ref.clone()),
        ],
        &[
            ("label-pending", waits),
            ("label-pending-until", until),
            ("label-pending-note", ticket.pending_note.clone().unwrap_or_default()),
        ],
        &[
            ("label-parent", number(&ticket.parent_number)),
            ("label-problem", number(&ticket.problem_number)),
            ("label-duplicate-of", number(&ticket.duplicate_of)),
        ],
        &[
            ("label-outcome", outcome),
            ("label-cause", ticket.cause.clone().unwrap_or_default()),
            ("label-workaround", ticket.workaround.clone().unwrap_or_default()),
            ("label-session-on", ticket.session_on.clone().unwrap_or_default()),
            ("label-checked", checked(texts, ticket)),
        ],
    ];
    groups.into_iter().map(|it| pairs(texts, it)).filter(|it| !it.is_empty()).collect()
}

fn waits_for(texts: Texts, ticket: &Ticket, reasons: &[PendingReason]) -> String {
    let known = reasons.iter().find(|it| Some(&it.code) == ticket.pending_reason.as_ref());
    known.map(|it| reason_label(texts, it)).unwrap_or_default()
}

/// The reason in the reader's language.
pub(super) fn reason_label(texts: Texts, reason: &PendingReason) -> String {
    match texts.language() {
        Language::Fr => reason.label_fr.clone(),
        Language::En => reason.label_en.clone(),
    }
}

/// What the person said, where staff see it otherwise.
fn declared(texts: Texts, ticket: &Ticket) -> String {
    let words = [
        (ticket.declared_severity != ticket.severity, "severity", ticket.declared_severity.code()),
        (ticket.declared_scope != ticket.scope, "scope", ticket.declared_scope.code()),
        (ticket.declared_urgency != ticket.urgency, "urgency", ticket.declared_urgency.code()),
    ];
    let differing = words.into_iter().filter(|it| it.0).map(|it| texts.word(it.1, it.2).into_owned());
    differing.collect::<Vec<_>>().join(" · ")
}

/// What was checked, and who did.
fn checked(texts: Texts, ticket: &Ticket) -> String {
    let Some(checks) = ticket.verified_checks.as_deref() else { return String::new() };
    let known = checks.split(',').filter_map(Check::from_code);
    let words: Vec<String> = known.map(|it| texts.word("check", it.code()).into_owned()).collect();
    let by = ticket.verified_by.clone().unwrap_or_default();
    [words.join(", "), by].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// What somebody else changed meanwhile, in the reader's words.
fn changed_fields(texts: Texts, changes: &[FieldChange]) -> Vec<ChangedField> {
    let shown = |field: &str, value: &Value| match value {
        Value::String(text) => match FIELD_FAMILIES.iter().find(|it| it.0 == field) {
            Some((_, family)) if !text.is_empty() => texts.word(family, text).into_owned(),
            _ => text.clone(),
        },
        Value::Null => String::new(),
        Value::Bool(true) => texts.t("yes").into_owned(),
        Value::Bool(false) => texts.t("no").into_owned(),
        other => other.to_string(),
    };
    changes
        .iter()
        .map(|it| ChangedField {
            label: texts.word("changed", &it.field).into_owned(),
            before: shown(&it.field, &it.before),
            after: shown(&it.field, &it.after),
        })
        .collect()
}

/// Fields whose values are words of a list.
const FIELD_FAMILIES: [(&str, &str); 8] = [
    ("state", "state"),
    ("type", "ticket-kind"),
    ("severity", "severity"),
    ("scope", "scope"),
    ("urgency", "urgency"),
    ("sub_kind", "sub-kind"),
    ("resolution_code", "resolution"),
    ("cancel_reason", "cancel-reason"),
];

fn pairs(texts: Texts, group: &[(&str, String)]) -> Vec<Pair> {
    group
        .iter()
        .filter(|it| !it.1.is_empty())
        .map(|(key, value)| Pair::new(texts.t(key), value.clone()))
        .collect()
}

fn events(lens: Lens<'_>, view: &TicketView, attempt: Option<&Attempt>) -> Vec<EventView> {
    let seen = attempt.map(|it| it.seen);
    view.events.iter().map(|it| event_view(lens, &view.ticket.number, it, seen)).collect()
}

/// The six results, each in words; the found machine speaks for itself.
fn notice(lens: Lens<'_>, view: &TicketView) -> Option<MatchNotice> {
    let (tone, icon) = match view.ticket.asset_match {
        AssetMatch::Attached => return None,
        // A machine attached by hand settles what the number left open.
        _ if !view.assets.is_empty() => return None,
        AssetMatch::Unknown => ("warn", "clock"),
        AssetMatch::Ambiguous => ("danger", "conflict"),
        AssetMatch::Foreign => ("danger", "warn"),
        AssetMatch::Placeholder => ("warn", "warn"),
        AssetMatch::None => ("", "info"),
    };
    let code = match_code(view.ticket.asset_match);
    let texts = lens.texts;
    let found = if view.candidates.is_empty() { &view.suggestions } else { &view.candidates };
    Some(MatchNotice {
        tone,
        icon,
        title: texts.t1(&format!("match-{code}"), "tag", &view.ticket.inventory_number).into_owned(),
        help: texts.word("match-help", code).into_owned(),
        candidates: found.iter().map(|it| candidate(lens, it)).collect(),
    })
}

fn match_code(outcome: AssetMatch) -> &'static str {
    match outcome {
        AssetMatch::Attached => "attached",
        AssetMatch::Unknown => "unknown",
        AssetMatch::Ambiguous => "ambiguous",
        AssetMatch::Foreign => "foreign",
        AssetMatch::Placeholder => "placeholder",
        AssetMatch::None => "none",
    }
}

fn candidate(lens: Lens<'_>, ci: &CiSummary) -> Candidate {
    let texts = lens.texts;
    let contact = ci.last_contact_at.map(|at| Stamp::ago(texts, lens.zone, at, lens.now).text().to_owned());
    let serial = if ci.serial.is_empty() {
        String::new()
    } else {
        texts.t1("candidate-serial", "serial", &ci.serial).into_owned()
    };
    let detail = [ci.name.clone(), serial, ci.assigned_to_name.clone(), contact.unwrap_or_default()];
    Candidate {
        ci: ci.id.to_string(),
        href: format!("/parc/{}", ci.id),
        tag: ci.tag.clone().unwrap_or_default(),
        name: described(texts, ci),
        detail: detail.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · "),
    }
}

fn panel(lens: Lens<'_>, asset: &TicketAsset, may_read_assets: bool) -> Panel {
    let texts = lens.texts;
    let standing = Standing {
        contested: asset.contested,
        lifecycle: asset.ci.lifecycle,
        has_agent: asset.ci.has_agent,
        last_contact_at: asset.ci.last_contact_at,
    };
    let mut machine = machine_view(lens, &asset.pinned, standing);
    if machine.headline == texts.t("machine-unknown-model") {
        // The pin may be older than what is known today.
        let today = make_and_model(&asset.ci.make, &asset.ci.model);
        machine.headline = if today.is_empty() { machine.headline } else { today };
    }
    let attached = texts.word("attached-by", asset.attached_by.code());
    let date = Stamp::moment(texts, lens.zone, asset.pinned.observed_at);
    let (before, before_more) = some_changes(lens, &asset.changed_before);
    let (since, since_more) = some_changes(lens, &asset.changed_since);
    Panel {
        machine,
        machine_href: may_read_assets.then(|| format!("/parc/{}", asset.ci.id)),
        link: asset.id.to_string(),
        warning: lifecycle_warning(texts, asset.ci.lifecycle),
        role: texts.word("asset-role", asset.role.code()).into_owned(),
        pinned: texts.t2("pinned", ("how", &attached), ("date", date.text())).into_owned(),
        before,
        before_more,
        since,
        since_more,
        other_tickets: asset.other_tickets.iter().take(5).map(|it| ticket_line(lens, it)).collect(),
    }
}

/// The rarest few, and how many more there are.
fn some_changes(lens: Lens<'_>, changes: &[crate::inventory::Change]) -> (Vec<ChangeView>, String) {
    let shown =
        rarest_first(changes).into_iter().take(CHANGES_SHOWN_MAX).map(|it| change_view(lens, it)).collect();
    let more = changes.len().saturating_sub(CHANGES_SHOWN_MAX);
    let more = if more == 0 {
        String::new()
    } else {
        lens.texts.tn("changes-more", i64::try_from(more).unwrap_or(0)).into_owned()
    };
    (shown, more)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::kernel::actor::{ActorKind, Role};
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    fn actor(roles: &[Role]) -> Actor {
        let id = uuid::Uuid::from_u128(7).into();
        Actor {
            kind: ActorKind::Person(id),
            label: "Camille".into(),
            scope: Scope::All,
            roles: roles.to_vec(),
        }
    }

    #[test]
    fn a_ticket_is_drawn_for_staff_whatever_came_of_its_number() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let roles = [Role::TechnicianN1, Role::Peu];
            let draw = |name: &str, view: &TicketView, attempt: Option<&Attempt>| {
                let title = format!("{} {}", view.ticket.number, view.ticket.summary);
                let shell = shell(language, &roles, &title, Section::Tickets);
                let shown = Shown { view, offers: &samples::offers(), attempt, done: "claimed" };
                check(name, language, &ticket_page(shell, lens, &actor(&roles), shown))
            };
            let html = draw("ticket", &samples::attached(), None);
            assert!(html.contains("Dell Latitude 5420") && html.contains("PC-004217"));
            draw("ticket-virtual", &samples::on_virtual_machine(), None);
            draw("ticket-hostile", &samples::hostile(), None);
            draw("ticket-major", &samples::major(), None);
            for outcome in [
                AssetMatch::Unknown,
                AssetMatch::Ambiguous,
                AssetMatch::Foreign,
                AssetMatch::Placeholder,
                AssetMatch::None,
            ] {
                draw(&format!("ticket-{}", match_code(outcome)), &samples::unmatched(outcome), None);
            }
            let attempt = Attempt {
                problem: lens.texts.t("action-stale").into_owned(),
                changes: vec![FieldChange {
                    field: "state".into(),
                    before: "queued".into(),
                    after: "in_progress".into(),
                }],
                kind: ActionKind::Reply,
                form: ActionForm::saying(HOSTILE),
                seen: 3,
            };
            let html = draw("ticket-stale", &samples::attached(), Some(&attempt));
            assert!(
                html.contains("fresh") && html.contains("Ünbreakable"),
                "the typed text and the news are shown"
            );
        }
    }

    #[test]
    fn people_read_their_ticket_in_plain_words_without_internal_notes() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let draw = |name: &str, view: &TicketView| {
                let shell = shell(language, &[Role::Requester], &view.ticket.summary, Section::Tickets);
                check(name, language, &plain_page(shell, lens, view, None, true))
            };
            let html = draw("ticket-plain", &samples::attached());
            assert!(!html.contains("Nadia pense"), "an internal note reached the requester");
            draw("ticket-plain-resolved", &samples::resolved());
            draw("ticket-plain-unknown", &samples::unmatched(AssetMatch::Unknown));
        }
    }
}
