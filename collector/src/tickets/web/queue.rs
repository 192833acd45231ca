//! The queue for staff; "my tickets" for who opened them.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::mine;
use super::rows::{TicketLine, ticket_line};
use super::together::sentences;
use crate::db::Tx;
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::page::{Page, PageRequest};
use crate::matching::AssetMatch;
use crate::teams::{self, Team};
use crate::tickets::{self, Presence, SavedView, TicketCounts, TicketFilter, TicketRow, TicketState};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::numbers::integer;
use crate::web::parts::{Chip, Choice, Pager, Tab};
use crate::web::{Asked, PageError, Reader, Section, Shell, Texts, WebState};

/// States somebody still has to do something about.
const OPEN: [TicketState; 4] =
    [TicketState::New, TicketState::Queued, TicketState::InProgress, TicketState::Pending];

/// What the filter of teams says for one's own; a team's code has no underscore.
const OWN_TEAMS: &str = "my_teams";

/// The filters as they stand in the address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct QueueQuery {
    /// A state, or `all`; nothing means the open ones.
    pub state: String,
    /// `me` or `nobody`.
    pub owner: String,
    /// `waiting`: an unknown tag.
    pub machine: String,
    /// A team's code, or `my_teams`.
    pub team: String,
    pub q: String,
    pub cursor: String,
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
    teams: Vec<Choice>,
    /// Teams a ticket can be handed to.
    hands: Vec<Choice>,
    /// The reader works on tickets: picks several, keeps views.
    works: bool,
    saved: Vec<Tab>,
    /// The address of this very view.
    here: String,
    /// Name of the kept view that is shown now.
    shown_view: String,
}

/// What stands around the rows of the queue.
#[derive(Clone, Debug, Default)]
struct Around {
    teams: Vec<Team>,
    present: Vec<Presence>,
    views: Vec<SavedView>,
    may_open: bool,
    works: bool,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(query): Asked<QueueQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    if !reader.actor.is_staff() {
        return mine::show(&state, &reader, query).await;
    }
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let around = around(&mut tx, &state, &reader).await?;
    drop(tx);
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let filter = filter(&query, &reader.actor, &around.teams);
    let request = PageRequest::from_query(Some(&query.cursor), None);
    let found = tickets::list_tickets(&state.context, &reader.actor, &filter, &request).await?;
    let any_state = TicketFilter { states: Vec::new(), ..filter };
    let counts = tickets::count_tickets(&state.context, &reader.actor, &any_state).await?;
    let shell = reader.shell(lens.texts.t("nav-queue"), Section::Tickets);
    page(&queue_page(shell, lens, query, (&found, counts), &around))
}

async fn around(tx: &mut Tx, state: &WebState, reader: &Reader) -> Result<Around, PageError> {
    Ok(Around {
        teams: teams::list_teams(tx, reader.actor.scope).await?,
        present: tickets::present(tx, &state.context, &reader.actor).await?,
        views: tickets::saved_views(tx, &reader.actor).await?,
        may_open: reader.actor.may(Permission::CreateTicket),
        works: reader.actor.may(Permission::WorkTickets),
    })
}

/// What the address asks for.
pub(super) fn filter(query: &QueueQuery, actor: &Actor, teams: &[Team]) -> TicketFilter {
    let states = match query.state.as_str() {
        "all" => Vec::new(),
        code => TicketState::from_code(code).map_or_else(|| OPEN.to_vec(), |it| vec![it]),
    };
    TicketFilter {
        states,
        owner: actor.person().filter(|_| query.owner == "me"),
        unowned: query.owner == "nobody",
        query: query.q.trim().chars().take(100).collect(),
        team: teams.iter().find(|it| it.code == query.team).map(|it| it.id),
        own_teams: query.team == OWN_TEAMS,
        asset_match: (query.machine == "waiting").then_some(AssetMatch::Unknown),
        ..TicketFilter::default()
    }
}

impl QueueQuery {
    fn with(&self, name: &str, value: &str) -> String {
        let pairs = [
            ("state", &self.state),
            ("owner", &self.owner),
            ("team", &self.team),
            ("machine", &self.machine),
            ("q", &self.q),
        ];
        let pairs = pairs.map(|(own, kept)| if own == name { (own, value) } else { (own, kept.as_str()) });
        with_query("/tickets", &pairs)
    }
}

fn queue_page(
    shell: Shell,
    lens: Lens<'_>,
    query: QueueQuery,
    (found, counts): (&Page<TicketRow>, TicketCounts),
    around: &Around,
) -> QueuePage {
    let mut rows: Vec<TicketLine> = found.rows.iter().map(|it| ticket_line(lens, it)).collect();
    for (line, row) in rows.iter_mut().zip(&found.rows) {
        line.looking = sentences(lens.texts, &around.present, &row.ticket.number);
    }
    let here = query.with("", "").trim_start_matches("/tickets").trim_start_matches('?').to_owned();
    let shown = around.views.iter().find(|it| it.query == here);
    let saved = around.views.iter().map(|it| Tab {
        label: it.name.clone(),
        count: None,
        href: format!("/tickets?{}", it.query),
        current: it.query == here,
    });
    let hands = around.teams.iter().filter(|it| it.active);
    QueuePage {
        shown_view: shown.map(|it| it.name.clone()).unwrap_or_default(),
        saved: saved.collect(),
        here,
        works: around.works,
        hands: hands.map(|it| Choice::new(it.id.to_string(), &it.name, false)).collect(),
        teams: team_choices(lens.texts, &query, &around.teams),
        states: states(lens.texts, &query, counts),
        views: views(lens.texts, &query, counts),
        chips: chips(lens.texts, &query, &around.teams),
        rows,
        pager: Pager::of(&query.with("", ""), &query.cursor, found.next.as_deref()),
        may_open: around.may_open,
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
        view("queue-my-teams", "team", OWN_TEAMS, &query.team, None),
        view("queue-unowned", "owner", "nobody", &query.owner, None),
        view("queue-waiting", "machine", "waiting", &query.machine, None),
    ]
}

/// All teams, to filter by one; nothing to choose from where there are none.
fn team_choices(texts: Texts, query: &QueueQuery, teams: &[Team]) -> Vec<Choice> {
    if teams.is_empty() {
        return Vec::new();
    }
    let every = Choice::new("", texts.t("queue-every-team"), query.team.is_empty());
    let own = Choice::new(OWN_TEAMS, texts.t("queue-my-teams"), query.team == OWN_TEAMS);
    let others = teams.iter().map(|it| Choice::new(&it.code, &it.name, it.code == query.team));
    [every, own].into_iter().chain(others).collect()
}

fn chips(texts: Texts, query: &QueueQuery, teams: &[Team]) -> Vec<Chip> {
    let state = match query.state.as_str() {
        "all" => Some(texts.t("queue-all").into_owned()),
        code => TicketState::from_code(code).map(|it| texts.word("state", it.code()).into_owned()),
    };
    let owner = match query.owner.as_str() {
        "me" => Some(texts.t("queue-mine").into_owned()),
        "nobody" => Some(texts.t("queue-unowned").into_owned()),
        _ => None,
    };
    let team = match query.team.as_str() {
        OWN_TEAMS => Some(texts.t("queue-my-teams").into_owned()),
        code => teams.iter().find(|it| it.code == code).map(|it| it.name.clone()),
    };
    let labels = [
        ("state", state),
        ("owner", owner),
        ("team", team),
        ("machine", (query.machine == "waiting").then(|| texts.t("queue-waiting").into_owned())),
        ("q", (!query.q.trim().is_empty()).then(|| texts.t1("quoted", "text", query.q.trim()).into_owned())),
    ];
    labels
        .into_iter()
        .filter_map(|(name, label)| Some(Chip { label: label?, remove: query.with(name, "") }))
        .collect()
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

    fn around() -> Around {
        let present = samples::rows(1).into_iter().map(|it| Presence {
            ticket_number: it.ticket.number,
            person_id: uuid::Uuid::from_u128(7).into(),
            name: HOSTILE.into(),
            writing: true,
        });
        Around {
            teams: samples::offers().teams,
            present: present.collect(),
            views: vec![SavedView { name: HOSTILE.into(), query: "state=new".into() }],
            may_open: true,
            works: true,
        }
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
                &queue_page(frame(), lens, QueueQuery::default(), (&full, counts()), &around()),
            );
            let asked = QueueQuery {
                q: HOSTILE.into(),
                owner: "me".into(),
                team: OWN_TEAMS.into(),
                state: "new".into(),
                ..QueueQuery::default()
            };
            let some = Page { rows: vec![samples::hostile_row()], next: None };
            check(
                "queue-filtered",
                language,
                &queue_page(frame(), lens, asked, (&some, counts()), &around()),
            );
            let none = Page { rows: Vec::new(), next: None };
            check(
                "queue-none",
                language,
                &queue_page(
                    frame(),
                    lens,
                    QueueQuery::default(),
                    (&none, TicketCounts::default()),
                    &Around::default(),
                ),
            );
        }
    }

    #[test]
    fn an_address_without_state_shows_what_is_open() {
        let actor = Actor::system();
        assert_eq!(filter(&QueueQuery::default(), &actor, &[]).states, OPEN);
        let all = QueueQuery { state: "all".into(), ..QueueQuery::default() };
        assert!(filter(&all, &actor, &[]).states.is_empty());
        let one = QueueQuery { state: "resolved".into(), ..QueueQuery::default() };
        assert_eq!(filter(&one, &actor, &[]).states, [TicketState::Resolved]);
    }
}
