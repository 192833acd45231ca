//! One ticket: for staff with the machine beside it, for its people in plain words.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::actions::{ActionView, buttons};
use super::clock_mark::{ClockMark, clock_mark};
use super::coverage::{CoverageMark, coverage_mark};
use super::field::{self, FieldPart};
use super::look_up::described;
use super::rows::{TicketLine, ticket_line};
use super::timeline::{EventView, event_view};
use crate::inventory::CiSummary;
use crate::inventory::web::asset::lifecycle_warning;
use crate::inventory::web::changes::{CHANGES_SHOWN_MAX, ChangeView, change_view, rarest_first};
use crate::inventory::web::machine::{Lens, MachineView, Standing, machine_view, make_and_model};
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::time::Zone;
use crate::matching::AssetMatch;
use crate::tickets::{self, ActionKind, Ticket, TicketAsset, TicketNumber, TicketView};
use crate::web::error::page_with;
use crate::web::parts::Pair;
use crate::web::{Asked, PageError, Reader, Section, Shell, Stamp, Texts, WebState};

#[derive(Debug, Template)]
#[template(path = "tickets/web/ticket.html")]
struct TicketPage {
    shell: Shell,
    head: Head,
    clocks: Vec<ClockMark>,
    coverage: Option<CoverageMark>,
    facts: Vec<Vec<Pair>>,
    description: String,
    problem: String,
    buttons: Vec<ActionView>,
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
    events: Vec<EventView>,
    machines: Vec<Pair>,
    notice: Option<MatchNotice>,
    field: FieldPart,
}

/// What stands above everything.
#[derive(Debug)]
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
    pub kind: ActionKind,
    pub text: String,
    /// Last event the reader had seen.
    pub seen: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TicketQuery {
    done: String,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Path(number): Path<String>,
    Asked(asked): Asked<TicketQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    render(&state, &reader, &number, StatusCode::OK, &asked.done, None).await
}

/// The page after an action that did not happen.
pub(crate) async fn show_again(
    state: &WebState,
    reader: &Reader,
    number: &TicketNumber,
    status: StatusCode,
    attempt: Attempt,
) -> Result<Response, PageError> {
    render(state, reader, number, status, "", Some(attempt)).await
}

async fn render(
    state: &WebState,
    reader: &Reader,
    number: &TicketNumber,
    status: StatusCode,
    done: &str,
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
        let page = ticket_page(shell, lens, &reader.actor, &view, attempt.as_ref(), fresh);
        page_with(status, &TicketPage { field, ..page })
    } else {
        let page = plain_page(shell, lens, &view, attempt.as_ref(), fresh);
        page_with(status, &PlainPage { field, ..page })
    }
}

fn ticket_page(
    shell: Shell,
    lens: Lens<'_>,
    actor: &Actor,
    view: &TicketView,
    attempt: Option<&Attempt>,
    fresh: bool,
) -> TicketPage {
    let allowed = |kind| view.allowed.contains(&kind);
    let may_read_assets = actor.may(Permission::ReadAssets);
    TicketPage {
        head: head(lens, view, fresh),
        clocks: view.clocks.iter().map(|it| clock_mark(lens, it)).collect(),
        coverage: coverage_mark(lens, view),
        facts: facts(lens, &view.ticket),
        description: view.ticket.description.clone(),
        problem: attempt.map(|it| it.problem.clone()).unwrap_or_default(),
        buttons: buttons(lens.texts, &view.ticket, &view.allowed, attempt),
        reply: allowed(ActionKind::Reply).then(|| typed(attempt, ActionKind::Reply)),
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
        events,
        machines: view.assets.iter().map(|it| plain_machine(lens.texts, &it.ci)).collect(),
        notice: notice(lens, view),
        field: FieldPart::default(),
        shell,
    }
}

fn typed(attempt: Option<&Attempt>, kind: ActionKind) -> String {
    attempt.filter(|it| it.kind == kind).map(|it| it.text.clone()).unwrap_or_default()
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
        fresh,
    }
}

/// Who, where, when to call, how it is classed: four groups, empty facts left out.
fn facts(lens: Lens<'_>, ticket: &Ticket) -> Vec<Vec<Pair>> {
    let texts = lens.texts;
    let beneficiary =
        if ticket.beneficiary_id == ticket.requester_id { "" } else { ticket.beneficiary_name.as_str() };
    let word = |family: &str, code: &str| texts.word(family, code).into_owned();
    let waits = ticket.pending_reason.as_deref().map(|it| word("pending", it)).unwrap_or_default();
    let until =
        ticket.pending_until.map(|at| Stamp::day(texts, lens.zone, at).text().to_owned()).unwrap_or_default();
    let groups: [&[(&str, String)]; 4] = [
        &[
            ("label-requester", ticket.requester_name.clone()),
            ("label-beneficiary", beneficiary.to_owned()),
            ("label-phone", ticket.phone.clone()),
            ("label-availability", ticket.availability.clone()),
        ],
        &[
            ("label-organisation", ticket.organisation_name.clone()),
            ("label-site", ticket.site_name.clone()),
            ("label-location", ticket.location.clone()),
            ("label-typed-number", ticket.inventory_number.clone()),
            ("label-application", ticket.application.clone()),
        ],
        &[
            ("label-severity", word("severity", ticket.severity.code())),
            ("label-scope", word("scope", ticket.scope.code())),
            ("label-urgency", word("urgency", ticket.urgency.code())),
            ("label-channel", word("channel", ticket.channel.code())),
            ("label-created-by", ticket.created_by.clone()),
            ("label-external-ref", ticket.external_ref.clone()),
        ],
        &[("label-pending", waits), ("label-pending-until", until)],
    ];
    groups.into_iter().map(|it| pairs(texts, it)).filter(|it| !it.is_empty()).collect()
}

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
    use crate::kernel::actor::{ActorKind, Role, Scope};
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
                check(name, language, &ticket_page(shell, lens, &actor(&roles), view, attempt, false))
            };
            let html = draw("ticket", &samples::attached(), None);
            assert!(html.contains("Dell Latitude 5420") && html.contains("PC-004217"));
            draw("ticket-virtual", &samples::on_virtual_machine(), None);
            draw("ticket-hostile", &samples::hostile(), None);
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
                kind: ActionKind::Reply,
                text: HOSTILE.into(),
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
