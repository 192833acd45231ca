//! "My tickets" of who asks for help, and the list as a file for a spreadsheet.

use std::convert::Infallible;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::queue::{QueueQuery, filter};
use super::rows::{TicketLine, ticket_line};
use crate::api::csv_cell;
use crate::context::Context;
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::error::Chain;
use crate::kernel::page::{PAGE_ROWS_MAX, Page, PageRequest};
use crate::kernel::time::Zone;
use crate::teams;
use crate::tickets::{self, TicketFilter, TicketRow, TicketState};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::parts::{Pager, Tab};
use crate::web::{Asked, PageError, Reader, Section, Shell, Texts, WebState};

/// What the tabs show: a code in the address, a text, the states.
const VIEWS: [(&str, &str, &[TicketState]); 4] = [
    (
        "",
        "mine-under-way",
        &[TicketState::New, TicketState::Queued, TicketState::InProgress, TicketState::Pending],
    ),
    ("resolved", "mine-to-confirm", &[TicketState::Resolved]),
    ("closed", "mine-over", &[TicketState::Closed, TicketState::Cancelled]),
    ("all", "mine-all", TicketState::ALL),
];
/// Text keys of the columns, in order.
const COLUMNS: [&str; 13] = [
    "label-number",
    "label-state",
    "label-kind",
    "label-priority",
    "label-summary",
    "label-requester",
    "label-beneficiary",
    "label-organisation",
    "label-site",
    "label-machine",
    "label-tag",
    "label-opened-at",
    "label-closed-at",
];

#[derive(Debug, Template)]
#[template(path = "tickets/web/my_tickets.html")]
struct MyTicketsPage {
    shell: Shell,
    query: QueueQuery,
    views: Vec<Tab>,
    rows: Vec<TicketLine>,
    export: String,
    pager: Pager,
}

pub(super) async fn show(
    state: &WebState,
    reader: &Reader,
    query: QueueQuery,
) -> Result<Response, PageError> {
    reader.require(Permission::CreateTicket)?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    drop(tx);
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let request = PageRequest::from_query(Some(&query.cursor), None);
    let filter = own(&query, &reader.actor);
    let found = tickets::list_tickets(&state.context, &reader.actor, &filter, &request).await?;
    let shell = reader.shell(lens.texts.t("nav-my-tickets"), Section::Tickets);
    page(&my_tickets_page(shell, lens, query, &found))
}

/// Tickets in which the actor is requester or beneficiary.
fn own(query: &QueueQuery, actor: &Actor) -> TicketFilter {
    let view = VIEWS.iter().find(|it| it.0 == query.state).unwrap_or(&VIEWS[0]);
    // Who searches wants to find, whatever became of it.
    let states = if query.state.is_empty() && !query.q.trim().is_empty() { &VIEWS[3] } else { view };
    TicketFilter {
        states: states.2.to_vec(),
        person: actor.person(),
        query: query.q.trim().chars().take(100).collect(),
        ..TicketFilter::default()
    }
}

fn my_tickets_page(
    shell: Shell,
    lens: Lens<'_>,
    query: QueueQuery,
    found: &Page<TicketRow>,
) -> MyTicketsPage {
    let here = |path: &str, state: &str| with_query(path, &[("state", state), ("q", query.q.trim())]);
    let tab = |it: &(&str, &str, &[TicketState])| Tab {
        label: lens.texts.t(it.1).into_owned(),
        count: None,
        href: here("/tickets", it.0),
        current: it.0 == query.state,
    };
    MyTicketsPage {
        views: VIEWS.iter().map(tab).collect(),
        rows: found.rows.iter().map(|it| ticket_line(lens, it)).collect(),
        export: here("/tickets.csv", &query.state),
        pager: Pager::of(&here("/tickets", &query.state), &query.cursor, found.next.as_deref()),
        query,
        shell,
    }
}

/// The list as it is filtered, as far as the reader sees it: own tickets for requesters; those in scope for who may
/// export.
pub(crate) async fn export(
    State(state): State<WebState>,
    Asked(query): Asked<QueueQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let filter = if reader.actor.is_staff() {
        reader.require(Permission::Export)?;
        filter(&query, &reader.actor, &teams::list_teams(&mut tx, reader.actor.scope).await?)
    } else {
        reader.require(Permission::CreateTicket)?;
        own(&query, &reader.actor)
    };
    drop(tx);
    let export = Export { context: state.context, texts: reader.texts(), actor: reader.actor, filter, zone };
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"tickets.csv\""),
    ];
    let pages = stream::unfold(Some((export, None)), next_page);
    Ok((headers, Body::from_stream(pages)).into_response())
}

struct Export {
    context: Context,
    texts: Texts,
    actor: Actor,
    filter: TicketFilter,
    zone: Zone,
}

/// The cursor is `None` before the first page.
type Progress = Option<(Export, Option<String>)>;

async fn next_page(progress: Progress) -> Option<(Result<Vec<u8>, Infallible>, Progress)> {
    let (export, cursor) = progress?;
    let request = PageRequest::from_query(cursor.as_deref(), Some(PAGE_ROWS_MAX));
    // The mark tells spreadsheets that the file is UTF-8.
    let mut bytes = if cursor.is_none() { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
    if cursor.is_none() {
        bytes.extend(line(COLUMNS.map(|it| export.texts.t(it).into_owned())));
    }
    match tickets::list_tickets(&export.context, &export.actor, &export.filter, &request).await {
        Ok(page) => {
            bytes.extend(page.rows.iter().flat_map(|it| line(cells(export.texts, &export.zone, it))));
            Some((Ok(bytes), page.next.map(|next| (export, Some(next)))))
        }
        Err(error) => {
            tracing::error!(error = %Chain(&error), "an export broke off");
            bytes.extend(line([export.texts.t("export-broken").into_owned()]));
            Some((Ok(bytes), None))
        }
    }
}

fn cells(texts: Texts, zone: &Zone, row: &TicketRow) -> [String; COLUMNS.len()] {
    let ticket = &row.ticket;
    let moment = |at: crate::kernel::time::UtcMicros| at.format(zone, "%Y-%m-%d %H:%M");
    [
        ticket.number.to_string(),
        texts.word("state", ticket.state.code()).into_owned(),
        texts.word("ticket-kind", ticket.kind.code()).into_owned(),
        format!("P{}", ticket.priority),
        ticket.summary.clone(),
        ticket.requester_name.clone(),
        ticket.beneficiary_name.clone(),
        ticket.organisation_name.clone(),
        ticket.site_name.clone(),
        row.machine.clone(),
        row.machine_tag.clone(),
        moment(ticket.created_at),
        ticket.closed_at.map(moment).unwrap_or_default(),
    ]
}

/// One line; semicolons, because that is what spreadsheets in French expect and those in English accept.
fn line<const N: usize>(cells: [String; N]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(cells.map(|it| csv_cell(&it)));
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    #[test]
    fn requesters_see_their_own_tickets_in_plain_words() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let frame =
                || shell(language, &[Role::Requester], &lens.texts.t("nav-my-tickets"), Section::Tickets);
            let some = Page { rows: samples::rows(6), next: Some("b".into()) };
            let html =
                check("my-tickets", language, &my_tickets_page(frame(), lens, QueueQuery::default(), &some));
            assert!(!html.contains("href=\"/parc"));
            let none = Page { rows: Vec::new(), next: None };
            let query = QueueQuery { q: HOSTILE.into(), ..QueueQuery::default() };
            check("my-tickets-none", language, &my_tickets_page(frame(), lens, query, &none));
        }
    }

    #[test]
    fn a_search_looks_through_everything() {
        let actor = Actor::system();
        let query = QueueQuery { q: "0042".into(), ..QueueQuery::default() };
        assert_eq!(own(&query, &actor).states, TicketState::ALL);
        assert_eq!(own(&QueueQuery::default(), &actor).states.len(), 4);
    }

    #[test]
    fn a_summary_that_is_a_formula_is_only_text() {
        let mut row = samples::rows(1).remove(0);
        row.ticket.summary = "=cmd|'/c calc'!A1; \"x\"".into();
        let text = line(cells(Texts::of(crate::people::Language::En), &zone(), &row));
        let text = String::from_utf8(text).expect("utf-8");
        assert!(text.contains("\"'=cmd|'/c calc'!A1; \"\"x\"\"\""), "{text}");
    }
}
