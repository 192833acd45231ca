//! One calendar: its form and what comes next.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::field_error;
use super::list::{CalendarForm, holiday_choices, hours_shown, tabs};
use crate::calendars::{self, CalendarVersion, ServiceCalendar};
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::Permission;
use crate::kernel::id::CalendarId;
use crate::kernel::time::{UtcMicros, Zone};
use crate::web::error::{page, page_with};
use crate::web::parts::{Choice, FieldErrors, Pair, Tab};
use crate::web::{PageError, Posted, Reader, Section, Shell, Stamp, Texts, WebState};

/// Days ahead that are looked through: a year.
const SPECIAL_DAYS_SHOWN: u16 = 366;
/// Lines of the list; a summer of closed days is enough to see.
const SPECIAL_ROWS_MAX: usize = 60;

#[derive(Debug, Template)]
#[template(path = "calendars/web/edit.html")]
struct CalendarPage {
    shell: Shell,
    tabs: Vec<Tab>,
    href: String,
    organisation: String,
    /// Version, when and by whom.
    version: i64,
    changed: Stamp,
    changed_by: String,
    form: CalendarForm,
    holidays: Vec<Choice>,
    errors: FieldErrors,
    /// Days of the coming year that differ from the week: the day, and what it is.
    special: Vec<Pair>,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Path(calendar): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let found = load(&state, &reader, &calendar).await?;
    let shell = reader.shell(found.name.clone(), Section::Service);
    let form = form_of(&shell, &found);
    page(&edit_page(shell, &state, &found, form, FieldErrors::default()))
}

pub(crate) async fn change(
    State(state): State<WebState>,
    Path(calendar): Path<String>,
    Posted { reader, fields: form }: Posted<CalendarForm>,
) -> Result<Response, PageError> {
    let found = load(&state, &reader, &calendar).await?;
    // A form without version is from nobody's browser: it changes nothing.
    let version = form.version.parse().unwrap_or(0);
    let seen = CalendarVersion { calendar_id: found.id, version };
    let new = form.parse(found.organisation_id);
    let mut tx = state.context.db.begin().await?;
    match calendars::change_calendar(&mut tx, &state.context, &reader.actor, seen, new).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(Redirect::to("/calendars?done=calendar").into_response())
        }
        Err(error) => {
            drop(tx);
            let errors = field_error(reader.texts(), error)?;
            let shell = reader.shell(found.name.clone(), Section::Service);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &edit_page(shell, &state, &found, form, errors))
        }
    }
}

async fn load(state: &WebState, reader: &Reader, id: &str) -> Result<ServiceCalendar, PageError> {
    reader.require(Permission::Administer)?;
    let id: CalendarId = id.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    let found = calendars::find_calendar(&mut tx, reader.actor.scope, id).await?;
    found.filter(|it| it.belongs_to(reader.actor.scope)).ok_or_else(PageError::not_found)
}

fn form_of(shell: &Shell, calendar: &ServiceCalendar) -> CalendarForm {
    CalendarForm {
        organisation: String::new(),
        name: calendar.name.clone(),
        standard: if calendar.standard { "on".into() } else { String::new() },
        time_zone: calendar.hours.time_zone.clone(),
        hours: hours_shown(shell.texts, calendar).replace("; ", "\n"),
        holidays: calendar.hours.holidays.clone(),
        exceptions: calendar.hours.exceptions.clone(),
        version: calendar.version.to_string(),
    }
}

fn edit_page(
    shell: Shell,
    state: &WebState,
    calendar: &ServiceCalendar,
    form: CalendarForm,
    errors: FieldErrors,
) -> CalendarPage {
    let zone = Zone::named(&calendar.hours.time_zone).unwrap_or_else(Zone::utc);
    let lens = Lens { texts: shell.texts, zone: &zone, now: state.context.now() };
    drawn(shell, lens, calendar, form, errors)
}

fn drawn(
    shell: Shell,
    lens: Lens<'_>,
    calendar: &ServiceCalendar,
    form: CalendarForm,
    errors: FieldErrors,
) -> CalendarPage {
    CalendarPage {
        tabs: tabs(lens.texts, ""),
        href: format!("/calendars/{}", calendar.id),
        organisation: match calendar.organisation_id {
            Some(_) => calendar.organisation_name.clone(),
            None => lens.texts.t("calendar-shared").into_owned(),
        },
        version: calendar.version,
        changed: Stamp::moment(lens.texts, lens.zone, calendar.changed_at),
        changed_by: calendar.changed_by.clone(),
        holidays: holiday_choices(lens.texts, &form.holidays),
        special: special_days(lens, calendar),
        form,
        errors,
        shell,
    }
}

/// Days of the coming year that differ from the week.
fn special_days(lens: Lens<'_>, calendar: &ServiceCalendar) -> Vec<Pair> {
    let Ok(measured) = calendar.hours.calendar() else { return Vec::new() };
    let texts = lens.texts;
    let pair = |it: parc_calendar::SpecialDay| {
        let name = match it.holiday {
            Some(holiday) => texts.word("holiday", holiday.code()).into_owned(),
            None => it.label,
        };
        let hours = match it.hours.to_string() {
            closed if closed.is_empty() => texts.t("calendar-closed").into_owned(),
            open => open,
        };
        let parts = [name, hours].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>();
        Pair::new(day_shown(texts, it.date), parts.join(" · "))
    };
    let days = measured.special_days(calendars::moment(lens.now), SPECIAL_DAYS_SHOWN);
    days.into_iter().take(SPECIAL_ROWS_MAX).map(pair).collect()
}

/// A day as the reader writes it: `24/12/2026`.
fn day_shown(texts: Texts, date: parc_calendar::Day) -> String {
    let utc = Zone::utc();
    UtcMicros::parse(&date.to_string(), &utc)
        .map_or_else(|| date.to_string(), |at| Stamp::day(texts, &utc, at).text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::list::samples::calendar;
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{LANGUAGES, check, now, shell, zone};

    #[test]
    fn a_calendar_is_drawn_with_its_hours_one_line_each() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            for known in [calendar(1, false), calendar(2, true)] {
                let shell = shell(language, &[Role::Admin], &known.name, Section::Service);
                let form = form_of(&shell, &known);
                assert_eq!(form.hours.lines().count(), 2);
                let name = if known.standard { "calendar" } else { "calendar-own" };
                let html = check(name, language, &drawn(shell, lens, &known, form, FieldErrors::default()));
                assert!(html.contains("24/12/2026") && html.contains("25/12/2026"), "{html}");
            }
        }
    }
}
