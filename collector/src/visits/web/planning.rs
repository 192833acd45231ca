//! The planning: who is where, by day or week.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::on_ticket::{VisitLine, visit_line};
use super::visit::file;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::{PersonId, SiteId};
use crate::kernel::time::{Day, UtcMicros, Zone};
use crate::sites;
use crate::visits::{self, Visit, VisitFilter};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::parts::{Choice, Tab};
use crate::web::{Asked, PageError, Reader, Section, Shell, Texts, WebState};

/// Value and name of something to choose.
type Named = (String, String);

/// Days of a week.
const WEEK: i32 = 7;

#[derive(Debug, Template)]
#[template(path = "visits/web/planning.html")]
struct PlanningPage {
    shell: Shell,
    spans: Vec<Tab>,
    earlier: String,
    today: String,
    later: String,
    calendar_href: String,
    day: String,
    span: String,
    technicians: Vec<Choice>,
    sites: Vec<Choice>,
    days: Vec<DayHead>,
    rows: Vec<TechnicianRow>,
}

/// A column.
#[derive(Clone, Debug)]
struct DayHead {
    /// `lun. 23/11`.
    label: String,
    today: bool,
}

/// A row: one technician's days.
#[derive(Clone, Debug)]
struct TechnicianRow {
    name: String,
    cells: Vec<Cell>,
}

#[derive(Clone, Debug)]
struct Cell {
    label: String,
    visits: Vec<VisitLine>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PlanningQuery {
    day: String,
    span: String,
    technician: String,
    site: String,
}

impl PlanningQuery {
    fn is_day(&self) -> bool {
        self.span == "day"
    }

    /// The first day shown and how many.
    fn days(&self, today: Day) -> (Day, i32) {
        let asked = Day::parse(&self.day).unwrap_or(today);
        if self.is_day() { (asked, 1) } else { (asked.monday(), WEEK) }
    }

    fn filter(&self, (first, count): (Day, i32), zone: &Zone) -> VisitFilter {
        VisitFilter {
            from: first.start(zone),
            until: first.plus(count).start(zone),
            technician: self.technician.parse::<PersonId>().ok(),
            site: self.site.parse::<SiteId>().ok(),
        }
    }

    /// The same planning on another day.
    fn link(&self, path: &str, day: Day, span: &str) -> String {
        let day = day.to_string();
        let pairs =
            [("day", day.as_str()), ("span", span), ("technician", &self.technician), ("site", &self.site)];
        with_query(path, &pairs)
    }
}

pub(super) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<PlanningQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::ReadTickets)?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let today = Day::of(state.context.now(), &zone);
    let span = asked.days(today);
    let found = visits::list_visits(&mut tx, &reader.actor, &asked.filter(span, &zone)).await?;
    let technicians = visits::list_technicians(&mut tx, &reader.actor, None).await?;
    let mut places = Vec::new();
    for organisation in sites::list_organisations(&mut tx, reader.actor.scope).await? {
        for site in sites::list_sites(&mut tx, organisation.id).await? {
            places.push((site.id.to_string(), format!("{} · {}", organisation.name, site.name)));
        }
    }
    let shell = reader.shell(reader.texts().t("planning-title"), Section::Planning);
    let people: Vec<Named> = technicians.into_iter().map(|it| (it.0.to_string(), it.1)).collect();
    page(&build(shell, &reader.actor, &asked, (today, &zone), &found, (&people, &places)))
}

pub(super) async fn calendar_file(
    State(state): State<WebState>,
    Asked(asked): Asked<PlanningQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::ReadTickets)?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let span = asked.days(Day::of(state.context.now(), &zone));
    let found = visits::list_visits(&mut tx, &reader.actor, &asked.filter(span, &zone)).await?;
    drop(tx);
    Ok(file(&state, &reader, &found, &format!("planning-{}.ics", span.0)))
}

fn build(
    shell: Shell,
    actor: &Actor,
    asked: &PlanningQuery,
    (today, zone): (Day, &Zone),
    found: &[Visit],
    (people, places): (&[Named], &[Named]),
) -> PlanningPage {
    let texts = shell.texts;
    let (first, count) = asked.days(today);
    let word = if asked.is_day() { "day" } else { "week" };
    let days: Vec<Day> = (0..count).map(|it| first.plus(it)).collect();
    let tab = |span: &str, key: &str| Tab {
        label: texts.t(key).into_owned(),
        count: None,
        href: asked.link("/planning", first, span),
        current: span == word,
    };
    let choices = |list: &[Named], chosen: &str| {
        list.iter().map(|it| Choice::new(it.0.clone(), it.1.clone(), it.0 == chosen)).collect()
    };
    PlanningPage {
        spans: vec![tab("day", "planning-day"), tab("week", "planning-week")],
        earlier: asked.link("/planning", first.plus(-count), word),
        today: asked.link("/planning", today, word),
        later: asked.link("/planning", first.plus(count), word),
        calendar_href: asked.link("/planning.ics", first, word),
        day: first.to_string(),
        span: word.to_owned(),
        technicians: choices(people, &asked.technician),
        sites: choices(places, &asked.site),
        days: days.iter().map(|it| DayHead { label: day_label(texts, *it), today: *it == today }).collect(),
        rows: rows(texts, actor, zone, &days, found),
        shell,
    }
}

/// `lun. 23/11`.
fn day_label(texts: Texts, day: Day) -> String {
    format!("{} {}", texts.word("weekday", &day.weekday().to_string()), day.short())
}

/// One row per technician who has something to do, by name; visits called off are left out.
fn rows(texts: Texts, actor: &Actor, zone: &Zone, days: &[Day], found: &[Visit]) -> Vec<TechnicianRow> {
    let mut people: Vec<(&str, PersonId)> =
        found.iter().map(|it| (it.technician_name.as_str(), it.technician_id)).collect();
    people.sort_unstable();
    people.dedup();
    let on = |person: PersonId, day: Day| {
        let (from, until): (UtcMicros, UtcMicros) = (day.start(zone), day.plus(1).start(zone));
        found.iter().filter(move |it| {
            it.technician_id == person
                && it.status != visits::VisitStatus::Cancelled
                && it.starts_at < until
                && it.ends_at > from
        })
    };
    let row = |(name, person): (&str, PersonId)| TechnicianRow {
        name: name.to_owned(),
        cells: days
            .iter()
            .map(|day| Cell {
                label: day_label(texts, *day),
                visits: on(person, *day).map(|it| visit_line(texts, zone, actor, it)).collect(),
            })
            .collect(),
    };
    people.into_iter().map(row).filter(|it| it.cells.iter().any(|cell| !cell.visits.is_empty())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::visits::VisitStatus;
    use crate::visits::web::samples::a_visit;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    #[test]
    fn a_week_and_a_day_are_drawn_with_everybody_who_is_out() {
        for language in LANGUAGES {
            let zone = zone();
            let today = Day::of(now(), &zone);
            let other = PersonId::from(uuid::Uuid::from_u128(5));
            let visits = [
                a_visit(),
                Visit { technician_id: other, technician_name: HOSTILE.into(), ..a_visit() },
                Visit { status: VisitStatus::Cancelled, purpose: "called off".into(), ..a_visit() },
            ];
            let people = [("a".to_owned(), HOSTILE.to_owned())];
            let draw = |name: &str, query: &PlanningQuery, visits: &[Visit]| {
                let shell = shell(language, &[Role::Lead], "Planning", Section::Planning);
                let page = build(shell, &Actor::system(), query, (today, &zone), visits, (&people, &people));
                let count =
                    page.rows.iter().flat_map(|it| &it.cells).map(|it| it.visits.len()).sum::<usize>();
                (check(name, language, &page), count, page.days.len())
            };
            let week = PlanningQuery { day: "2026-11-25".into(), ..PlanningQuery::default() };
            let (html, count, days) = draw("planning-week", &week, &visits);
            assert_eq!((count, days), (2, 7), "a visit that was called off takes no place");
            assert!(html.contains("day=2026-11-16") && html.contains("day=2026-11-30"));
            let day = PlanningQuery { day: "2026-11-23".into(), span: "day".into(), ..week };
            assert_eq!(draw("planning-day", &day, &visits).2, 1);
            draw("planning-none", &PlanningQuery::default(), &[]);
        }
    }
}
