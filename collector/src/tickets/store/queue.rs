//! Lists of tickets.

use super::visibility::{Visibility, bind_visible, visible_sql};
use super::{ticket_columns, ticket_tables};
use crate::db::{StoreError, Tx};
use crate::kernel::id::{CiId, OrganisationId, PersonId, TeamId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::text::{like_literal, search_key, tag_key};
use crate::kernel::time::UtcMicros;
use crate::matching::AssetMatch;
use crate::sql;
use crate::tickets::model::{TicketCounts, TicketFilter, TicketRow};
use crate::tickets::number::TicketNumber;
use crate::tickets::words::{TicketKind, TicketState};

/// Words of a query that count.
const WORDS: usize = 4;

/// A filter as it is bound: `$1` to `$30`, the same for rows and counts.
struct Bound {
    visible: Visibility,
    organisation: Option<OrganisationId>,
    states: [TicketState; TicketState::ALL.len()],
    owner: Option<PersonId>,
    unowned: bool,
    person: Option<PersonId>,
    tag_key: Option<String>,
    words: [String; WORDS],
    level: Option<i64>,
    matches: Option<[AssetMatch; 2]>,
    team: Option<TeamId>,
    own_teams: bool,
    kind: Option<TicketKind>,
    under: Option<TicketNumber>,
}

macro_rules! filter_sql {
    () => {
        concat!(
            visible_sql!(),
            " AND ($8 IS NULL OR t.organisation_id = $8)
          AND t.state IN ($9, $10, $11, $12, $13, $14, $15)
          AND ($16 IS NULL OR t.owner_id = $16)
          AND ($17 = FALSE OR t.owner_id IS NULL)
          AND ($18 IS NULL OR t.requester_id = $18 OR t.beneficiary_id = $18)
          AND ($19 IS NULL OR t.inventory_key = $19 OR EXISTS (
              SELECT 1 FROM ticket_asset ta JOIN inventory_ci tc ON tc.id = ta.ci_id
              WHERE ta.ticket_number = t.number AND ta.detached_at IS NULL AND tc.tag_key = $19))
          AND t.search_key LIKE $20 ESCAPE '\\' AND t.search_key LIKE $21 ESCAPE '\\'
          AND t.search_key LIKE $22 ESCAPE '\\' AND t.search_key LIKE $23 ESCAPE '\\'
          AND ($24 IS NULL OR t.level = $24)
          AND ($25 IS NULL OR t.asset_match = $25 OR t.asset_match = $26)
          AND ($27 IS NULL OR t.team_id = $27)
          AND ($28 = FALSE OR t.team_id IN (SELECT tm.team_id FROM team_member tm WHERE tm.person_id = $2))
          AND ($29 IS NULL OR t.kind = $29)
          AND ($30 IS NULL OR t.parent_number = $30 OR t.problem_number = $30) "
        )
    };
}

macro_rules! bind_filter {
    ($query:expr, $filter:ident) => {{
        let [new, queued, in_progress, pending, resolved, closed, cancelled] = $filter.states;
        let [first, second, third, fourth] = &$filter.words;
        bind_visible!($query, $filter.visible)
            .bind($filter.organisation)
            .bind(new)
            .bind(queued)
            .bind(in_progress)
            .bind(pending)
            .bind(resolved)
            .bind(closed)
            .bind(cancelled)
            .bind($filter.owner)
            .bind($filter.unowned)
            .bind($filter.person)
            .bind($filter.tag_key.as_deref())
            .bind(first)
            .bind(second)
            .bind(third)
            .bind(fourth)
            .bind($filter.level)
            .bind($filter.matches.map(|it| it[0]))
            .bind($filter.matches.map(|it| it[1]))
            .bind($filter.team)
            .bind($filter.own_teams)
            .bind($filter.kind)
            .bind(&$filter.under)
    }};
}

impl Bound {
    fn new(visible: Visibility, filter: &TicketFilter) -> Self {
        Self {
            visible,
            organisation: filter.organisation_id,
            states: padded(&filter.states),
            owner: filter.owner,
            unowned: filter.unowned,
            person: filter.person,
            tag_key: filter.tag.as_deref().map(key_or_none),
            words: patterns(&filter.query),
            level: filter.level,
            matches: filter.asset_match.map(|wanted| stored_matches(wanted, visible)),
            team: filter.team,
            own_teams: filter.own_teams,
            kind: filter.kind,
            under: filter.under.clone(),
        }
    }
}

/// Seven states whatever was asked: none means all, fewer are repeated.
fn padded(states: &[TicketState]) -> [TicketState; TicketState::ALL.len()] {
    let chosen = if states.is_empty() { TicketState::ALL } else { states };
    std::array::from_fn(|place| chosen[place.min(chosen.len() - 1)])
}

/// One pattern per word; unused ones match everything.
fn patterns(query: &str) -> [String; WORDS] {
    let folded = search_key(query);
    let mut words = folded.split_whitespace();
    std::array::from_fn(|_| {
        words.next().map_or_else(|| "%".into(), |word| format!("%{}%", like_literal(word)))
    })
}

/// Who may not be told that a number is foreign finds those tickets among the unknown.
fn stored_matches(wanted: AssetMatch, visible: Visibility) -> [AssetMatch; 2] {
    match (wanted, visible.organisation()) {
        (AssetMatch::Unknown, Some(_)) => [AssetMatch::Unknown, AssetMatch::Foreign],
        (it, _) => [it; 2],
    }
}

/// A key no ticket has, for a text without letter and digit: keys hold nothing else.
const NO_KEY: &str = "-";

fn key_or_none(typed: &str) -> String {
    let key = tag_key(typed);
    if key.is_empty() { NO_KEY.into() } else { key }
}

/// Sort key of the queue: priority, then newest.
struct Place {
    priority: i64,
    created_at: UtcMicros,
    number: String,
}

impl Place {
    fn parse(cursor: &str) -> Option<Self> {
        let mut parts = cursor.splitn(3, '|');
        let priority = parts.next()?.parse().ok()?;
        let created_at = UtcMicros(parts.next()?.parse().ok()?);
        Some(Self { priority, created_at, number: parts.next()?.to_owned() })
    }

    /// Where a page begins, as it is bound.
    fn bound(page: &PageRequest) -> (Option<i64>, Option<UtcMicros>, Option<String>) {
        let after = page.after.as_deref().and_then(Self::parse);
        after.map_or((None, None, None), |it| (Some(it.priority), Some(it.created_at), Some(it.number)))
    }

    fn of(row: &TicketRow) -> String {
        format!("{}|{}|{}", row.ticket.priority, row.ticket.created_at.0, row.ticket.number)
    }
}

macro_rules! row_sql {
    ($keyset:literal, $order:literal) => {
        concat!(
            "SELECT ",
            ticket_columns!(),
            ", COALESCE(TRIM(c.make || ' ' || c.model), '') AS machine, COALESCE(c.tag, '') AS machine_tag,
               (SELECT COUNT(*) FROM ticket_event e WHERE e.ticket_number = t.number AND e.kind = 'reply') AS reply_count
               FROM ",
            ticket_tables!(),
            " LEFT JOIN ticket_asset a ON a.ticket_number = t.number AND a.role = 'affected' AND a.detached_at IS NULL
              LEFT JOIN inventory_ci c ON c.id = a.ci_id WHERE ",
            filter_sql!(),
            $keyset,
            $order
        )
    };
}

/// Tickets the filter finds, most urgent first, newest first among equals.
pub(in crate::tickets) async fn list(
    tx: &mut Tx,
    visible: Visibility,
    filter: &TicketFilter,
    page: &PageRequest,
) -> Result<Page<TicketRow>, StoreError> {
    let bound = Bound::new(visible, filter);
    let (priority, created_at, number) = Place::bound(page);
    let rows: Vec<TicketRow> = sql!(tx, |conn| bind_filter!(
        sqlx::query_as(row_sql!(
            " AND ($31 IS NULL OR t.priority > $31 OR (t.priority = $31 AND (t.created_at < $32
                  OR (t.created_at = $32 AND t.number < $33)))) ",
            " ORDER BY t.priority, t.created_at DESC, t.number DESC LIMIT $34"
        )),
        bound
    )
    .bind(priority)
    .bind(created_at)
    .bind(number.as_deref())
    .bind(page.fetch_limit())
    .fetch_all(conn)
    .await)?;
    Ok(Page::cut(rows, page, Place::of))
}

/// Tickets of one machine, newest first. Read from the machine's links, so that the number of all tickets is no matter.
pub(in crate::tickets) async fn list_of_ci(
    tx: &mut Tx,
    visible: Visibility,
    ci: CiId,
    page: &PageRequest,
) -> Result<Page<TicketRow>, StoreError> {
    let bound = Bound::new(visible, &TicketFilter::default());
    let (_, created_at, number) = Place::bound(page);
    let rows: Vec<TicketRow> = sql!(tx, |conn| bind_filter!(
        sqlx::query_as(row_sql!(
            " AND t.number IN (SELECT tb.ticket_number FROM ticket_asset tb WHERE tb.ci_id = $31)
              AND ($32 IS NULL OR t.created_at < $32 OR (t.created_at = $32 AND t.number < $33)) ",
            " ORDER BY t.created_at DESC, t.number DESC LIMIT $34"
        )),
        bound
    )
    .bind(ci)
    .bind(created_at)
    .bind(number.as_deref())
    .bind(page.fetch_limit())
    .fetch_all(conn)
    .await)?;
    Ok(Page::cut(rows, page, Place::of))
}

#[derive(sqlx::FromRow)]
struct StateCount {
    state: TicketState,
    tickets: i64,
    own: i64,
}

/// How many tickets the filter finds, by state; `person` owns the ones counted as mine.
pub(in crate::tickets) async fn count(
    tx: &mut Tx,
    visible: Visibility,
    filter: &TicketFilter,
    person: Option<PersonId>,
) -> Result<TicketCounts, StoreError> {
    let bound = Bound::new(visible, filter);
    let rows: Vec<StateCount> = sql!(tx, |conn| {
        bind_filter!(
        sqlx::query_as(concat!(
            "SELECT t.state, COUNT(*) AS tickets, COUNT(CASE WHEN t.owner_id = $31 THEN 1 END) AS own FROM ticket t WHERE ",
            filter_sql!(),
            " GROUP BY t.state"
        )),
        bound
    )
    .bind(person)
    .fetch_all(conn)
    .await
    })?;
    let mut counts = TicketCounts::default();
    for StateCount { state, tickets, own } in rows {
        counts.total += tickets;
        counts.mine += if state.is_open() { own } else { 0 };
        match state {
            TicketState::New => counts.new = tickets,
            TicketState::Queued => counts.queued = tickets,
            TicketState::InProgress => counts.in_progress = tickets,
            TicketState::Pending => counts.pending = tickets,
            TicketState::Resolved => counts.resolved = tickets,
            TicketState::Closed | TicketState::Cancelled => {}
        }
    }
    Ok(counts)
}
