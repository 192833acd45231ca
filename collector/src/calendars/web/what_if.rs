//! What the deadlines of a ticket would be: a calendar, a priority and a moment.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use parc_calendar::{Calendar, ClockKind, Targets};
use serde::Deserialize;

use super::list::tabs;
use crate::calendars::{self, ServiceCalendar, moment, utc};
use crate::kernel::actor::Permission;
use crate::kernel::time::{UtcMicros, Zone};
use crate::web::error::page;
use crate::web::parts::{Choice, Tab};
use crate::web::{Asked, PageError, Reader, Section, Shell, Stamp, WebState};

/// As a browser's field for a local moment writes it.
const LOCAL_MOMENT: &str = "%Y-%m-%dT%H:%M";

#[derive(Debug, Template)]
#[template(path = "calendars/web/what_if.html")]
struct WhatIfPage {
    shell: Shell,
    tabs: Vec<Tab>,
    calendars: Vec<Choice>,
    priorities: Vec<Choice>,
    from: String,
    hours: String,
    /// The moment asked for is none.
    unreadable: bool,
    open: bool,
    rows: Vec<DeadlineRow>,
}

#[derive(Debug)]
struct DeadlineRow {
    clock: String,
    target: String,
    /// None when the service does not open for so long.
    due: Option<Stamp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WhatIfQuery {
    calendar: String,
    priority: String,
    from: String,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<WhatIfQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let mut tx = state.context.db.read().await?;
    let all = calendars::list_calendars(&mut tx, reader.actor.scope).await?;
    drop(tx);
    let chosen = all.iter().find(|it| it.id.to_string() == asked.calendar).or(all.first());
    let chosen = chosen.ok_or_else(PageError::not_found)?;
    let calendar = chosen.hours.calendar()?;
    let shell = reader.shell(reader.texts().t("what-if"), Section::Service);
    page(&what_if_page(shell, &all, (chosen, &calendar), &asked, state.context.now()))
}

fn what_if_page(
    shell: Shell,
    all: &[ServiceCalendar],
    (chosen, calendar): (&ServiceCalendar, &Calendar),
    asked: &WhatIfQuery,
    now: UtcMicros,
) -> WhatIfPage {
    let texts = shell.texts;
    let zone = Zone::named(&chosen.hours.time_zone).unwrap_or_else(Zone::utc);
    let asked_from = UtcMicros::parse_local(asked.from.trim(), &zone);
    let from = asked_from.unwrap_or(now);
    let priority = asked.priority.parse().ok().filter(|it| (1..=5).contains(it)).unwrap_or(3);
    let targets = Targets::default();
    let row = |clock: ClockKind| {
        let target = targets.of(clock, priority);
        let due = calendar.after(moment(from), target.in_calendar(calendar));
        DeadlineRow {
            clock: texts.word("clock", clock.code()).into_owned(),
            target: target.to_string(),
            due: due.map(|it| Stamp::moment(texts, &zone, utc(it))),
        }
    };
    let label = |it: &ServiceCalendar| match it.organisation_id {
        Some(_) => format!("{} · {}", it.organisation_name, it.name),
        None => it.name.clone(),
    };
    WhatIfPage {
        tabs: tabs(texts, "/calendars/what-if"),
        calendars: all
            .iter()
            .map(|it| Choice::new(it.id.to_string(), label(it), it.id == chosen.id))
            .collect(),
        priorities: (1..=5)
            .map(|it: i64| Choice::new(it.to_string(), format!("P{it}"), it == priority))
            .collect(),
        from: from.format(&zone, LOCAL_MOMENT),
        hours: super::list::hours_shown(texts, chosen),
        unreadable: asked_from.is_none() && !asked.from.trim().is_empty(),
        open: calendar.is_open(moment(from)),
        rows: ClockKind::ALL.map(row).into(),
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::super::list::samples;
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::Texts;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell};

    #[test]
    fn a_deadline_is_shown_for_the_asked_moment_and_for_an_unreadable_one() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let all = [samples::calendar(1, false), samples::calendar(2, true)];
            let calendar = all[0].hours.calendar().expect("hours");
            let draw = |name: &str, from: &str| {
                let shell = shell(language, &[Role::Admin], &texts.t("what-if"), Section::Service);
                let asked = WhatIfQuery { from: from.into(), priority: "1".into(), ..WhatIfQuery::default() };
                check(name, language, &what_if_page(shell, &all, (&all[0], &calendar), &asked, now()))
            };
            // Friday, a quarter to six; Saturday is open until noon.
            let html = draw("what-if", "2026-11-20T17:50");
            assert!(html.contains("21/11/2026 09:05") && html.contains("23/11/2026 08:50"), "{html}");
            draw("what-if-unreadable", HOSTILE);
        }
    }
}
