//! The queue for staff; "my tickets" for who opened them.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::rows::{TicketLine, ticket_line};
use crate::branding::web::{Banner, banners};
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::page::{Page, PageRequest};
use crate::matching::AssetMatch;
use crate::tickets::{self, TicketCounts, TicketFilter, TicketRow, TicketState};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::numbers::integer;
use crate::web::parts::{Chip, Pager, Tab};
use crate::web::{Asked, PageError, Reader, Section, Shell, Texts, WebState};

/// States somebody still has to do something about.
const OPEN: [TicketState; 4] =
    [TicketState::New, TicketState::Queued, TicketState::InProgress, TicketState::Pending];

/// The filters as they stand in the address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct QueueQuery {
    /// A state, or `all`; nothing means the open ones.
    state: String,
    /// `me` or `nobody`.
    owner: String,
    /// `waiting`: an unknown tag.
    machine: String,
    q: String,
    cursor: String,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/queue.html")]
struct QueuePage {
    shell: Shell,
    query: QueueQuery,
    states: Vec<Tab>,
    views: Vec<Tab>,
    chips: Vec<Chip>,
    rows: Vec<TicketLine>,
    pager: Pager,
    may_open: bool,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/my_tickets.html")]
struct MyTicketsPage {
    shell: Shell,
    banners: Vec<Banner>,
    rows: Vec<TicketLine>,
    pager: Pager,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(query): Asked<QueueQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let staff = reader.actor.is_staff();
    if !staff {
        reader.require(Permission::CreateTicket)?;
    }
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    drop(tx);
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let filter = if staff { filter(&query, &reader.actor) } else { own(&reader.actor) };
    let request = PageRequest::from_query(Some(&query.cursor), None);
    let found = tickets::list_tickets(&state.context, &reader.actor, &filter, &request).await?;
    if !staff {
        let shell = reader.shell(lens.texts.t("nav-my-tickets"), Section::Tickets);
        let banners = banners(&state, &reader, &zone).await?;
        return page(&my_tickets_page(shell, lens, &query, &found, banners));
    }
    let any_state = TicketFilter { states: Vec::new(), ..filter };
    let counts = tickets::count_tickets(&state.context, &reader.actor, &any_state).await?;
    let shell = reader.shell(lens.texts.t("nav-queue"), Section::Tickets);
    page(&queue_page(shell, lens, query, (&found, counts), reader.actor.may(Permission::CreateTicket)))
}

fn own(actor: &Actor) -> TicketFilter {
    TicketFilter { person: actor.person(), ..TicketFilter::default() }
}

/// What the address asks for.
fn filter(query: &QueueQuery, actor: &Actor) -> TicketFilter {
    let states = match query.state.as_str() {
        "all" => Vec::new(),
        code => TicketState::from_code(code).map_or_else(|| OPEN.to_vec(), |it| vec![it]),
    };
    TicketFilter {
        states,
        owner: actor.person().filter(|_| query.owner == "me"),
        unowned: query.owner == "nobody",
        query: query.q.trim().chars().take(100).collect(),
        asset_match: (query.machine == "waiting").then_some(AssetMatch::Unknown),
        ..TicketFilter::default()
    }
}

impl QueueQuery {
    fn with(&self, name: &str, value: &str) -> String {
        let pairs =
            [("state", &self.state), ("owner", &self.owner), ("machine", &self.machine), ("q", &self.q)];
        let pairs = pairs.map(|(own, kept)| if own == name { (own, value) } else { (own, kept.as_str()) });
        with_query("/tickets", &pairs)
    }
}

fn queue_page(
    shell: Shell,
    lens: Lens<'_>,
    query: QueueQuery,
    (found, counts): (&Page<TicketRow>, TicketCounts),
    may_open: bool,
) -> QueuePage {
    QueuePage {
        states: states(lens.texts, &query, counts),
        views: views(lens.texts, &query, counts),
        chips: chips(lens.texts, &query),
        rows: found.rows.iter().map(|it| ticket_line(lens, it)).collect(),
        pager: Pager::of(&query.with("", ""), &query.cursor, found.next.as_deref()),
        may_open,
        shell,
        query,
    }
}

fn states(texts: Texts, query: &QueueQuery, counts: TicketCounts) -> Vec<Tab> {
    let open = counts.new + counts.queued + counts.in_progress + counts.pending;
    let tab = |code: &str, label: String, count: Option<i64>| Tab {
        label,
        count: count.map(|it| integer(texts.language(), it)),
        href: query.with("state", code),
        current: query.state == code,
    };
    let word = |state: TicketState| texts.word("state", state.code()).into_owned();
    let mut tabs = vec![tab("", texts.t("queue-open").into_owned(), Some(open))];
    for (state, count) in [
        (TicketState::New, Some(counts.new)),
        (TicketState::Queued, Some(counts.queued)),
        (TicketState::InProgress, Some(counts.in_progress)),
        (TicketState::Pending, Some(counts.pending)),
        (TicketState::Resolved, Some(counts.resolved)),
        (TicketState::Closed, None),
    ] {
        tabs.push(tab(state.code(), word(state), count));
    }
    tabs.push(tab("all", texts.t("queue-all").into_owned(), Some(counts.total)));
    tabs
}

/// Links that switch a filter on, or off again when it holds.
fn views(texts: Texts, query: &QueueQuery, counts: TicketCounts) -> Vec<Tab> {
    let view = |key: &str, name: &str, value: &str, now: &str, count: Option<i64>| Tab {
        label: texts.t(key).into_owned(),
        count: count.map(|it| integer(texts.language(), it)),
        href: query.with(name, if now == value { "" } else { value }),
        current: now == value,
    };
    vec![
        view("queue-mine", "owner", "me", &query.owner, Some(counts.mine)),
        view("queue-unowned", "owner", "nobody", &query.owner, None),
        view("queue-waiting", "machine", "waiting", &query.machine, None),
    ]
}

fn chips(texts: Texts, query: &QueueQuery) -> Vec<Chip> {
    let state = match query.state.as_str() {
        "all" => Some(texts.t("queue-all").into_owned()),
        code => TicketState::from_code(code).map(|it| texts.word("state", it.code()).into_owned()),
    };
    let owner = match query.owner.as_str() {
        "me" => Some(texts.t("queue-mine").into_owned()),
        "nobody" => Some(texts.t("queue-unowned").into_owned()),
        _ => None,
    };
    let labels = [
        ("state", state),
        ("owner", owner),
        ("machine", (query.machine == "waiting").then(|| texts.t("queue-waiting").into_owned())),
        ("q", (!query.q.trim().is_empty()).then(|| texts.t1("quoted", "text", query.q.trim()).into_owned())),
    ];
    labels
        .into_iter()
        .filter_map(|(name, label)| Some(Chip { label: label?, remove: query.with(name, "") }))
        .collect()
}

fn my_tickets_page(
    shell: Shell,
    lens: Lens<'_>,
    query: &QueueQuery,
    found: &Page<TicketRow>,
    banners: Vec<Banner>,
) -> MyTicketsPage {
    MyTicketsPage {
        shell,
        banners,
        rows: found.rows.iter().map(|it| ticket_line(lens, it)).collect(),
        pager: Pager::of("/tickets", &query.cursor, found.next.as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    fn counts() -> TicketCounts {
        TicketCounts { new: 4, queued: 12, in_progress: 9, pending: 3, resolved: 7, mine: 5, total: 12_408 }
    }

    #[test]
    fn the_queue_is_drawn_full_filtered_and_empty() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let frame = || {
                shell(
                    language,
                    &[Role::TechnicianN1, Role::Lead],
                    &lens.texts.t("nav-queue"),
                    Section::Tickets,
                )
            };
            let full = Page { rows: samples::rows(50), next: Some("b".into()) };
            check(
                "queue-many",
                language,
                &queue_page(frame(), lens, QueueQuery::default(), (&full, counts()), true),
            );
            let asked = QueueQuery {
                q: HOSTILE.into(),
                owner: "me".into(),
                state: "new".into(),
                ..QueueQuery::default()
            };
            let some = Page { rows: vec![samples::hostile_row()], next: None };
            check("queue-filtered", language, &queue_page(frame(), lens, asked, (&some, counts()), true));
            let none = Page { rows: Vec::new(), next: None };
            check(
                "queue-none",
                language,
                &queue_page(frame(), lens, QueueQuery::default(), (&none, TicketCounts::default()), true),
            );
        }
    }

    #[test]
    fn requesters_see_their_own_tickets_in_plain_words() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let frame =
                || shell(language, &[Role::Requester], &lens.texts.t("nav-my-tickets"), Section::Tickets);
            let some = Page { rows: samples::rows(6), next: Some("b".into()) };
            let html = check(
                "my-tickets",
                language,
                &my_tickets_page(frame(), lens, &QueueQuery::default(), &some, Vec::new()),
            );
            assert!(!html.contains("href=\"/parc"));
            let none = Page { rows: Vec::new(), next: None };
            check(
                "my-tickets-none",
                language,
                &my_tickets_page(frame(), lens, &QueueQuery::default(), &none, Vec::new()),
            );
        }
    }

    #[test]
    fn an_address_without_state_shows_what_is_open() {
        let actor = Actor::system();
        assert_eq!(filter(&QueueQuery::default(), &actor).states, OPEN);
        let all = QueueQuery { state: "all".into(), ..QueueQuery::default() };
        assert!(filter(&all, &actor).states.is_empty());
        let one = QueueQuery { state: "resolved".into(), ..QueueQuery::default() };
        assert_eq!(filter(&one, &actor).states, [TicketState::Resolved]);
    }
}
