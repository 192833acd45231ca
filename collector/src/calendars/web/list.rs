//! All calendars, and the form that makes one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::field_error;
use crate::calendars::{self, CalendarHours, NewCalendar, ServiceCalendar};
use crate::kernel::actor::{Permission, Scope};
use crate::kernel::id::OrganisationId;
use crate::people::Language;
use crate::sites::{self, Organisation};
use crate::web::error::{page, page_with};
use crate::web::parts::{Choice, FieldErrors, Tab};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Texts, WebState};

#[derive(Debug, Template)]
#[template(path = "calendars/web/list.html")]
struct CalendarsPage {
    shell: Shell,
    tabs: Vec<Tab>,
    rows: Vec<CalendarRow>,
    form: CalendarForm,
    organisations: Vec<Choice>,
    holidays: Vec<Choice>,
    errors: FieldErrors,
}

#[derive(Debug)]
struct CalendarRow {
    /// Only for who may change it.
    href: Option<String>,
    name: String,
    organisation: String,
    hours: String,
    holidays: String,
    zone: String,
    standard: bool,
}

/// A calendar as it is typed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(super) struct CalendarForm {
    pub(super) organisation: String,
    pub(super) name: String,
    pub(super) standard: String,
    pub(super) time_zone: String,
    pub(super) hours: String,
    pub(super) holidays: String,
    pub(super) exceptions: String,
    pub(super) version: String,
}

impl Default for CalendarForm {
    fn default() -> Self {
        let text = String::from;
        Self {
            organisation: String::new(),
            name: String::new(),
            standard: String::new(),
            time_zone: text("Europe/Paris"),
            hours: String::new(),
            holidays: text("france"),
            exceptions: String::new(),
            version: String::new(),
        }
    }
}

impl CalendarForm {
    pub(super) fn parse(&self, organisation_id: Option<OrganisationId>) -> NewCalendar {
        NewCalendar {
            organisation_id,
            name: self.name.clone(),
            standard: self.standard == "on",
            hours: CalendarHours {
                time_zone: self.time_zone.clone(),
                hours: self.hours.replace('\r', ""),
                holidays: self.holidays.clone(),
                exceptions: self.exceptions.replace('\r', ""),
            },
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CalendarsQuery {
    done: String,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<CalendarsQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let (calendars, organisations) = load(&state, &reader).await?;
    let shell = reader.shell(reader.texts().t("nav-calendars"), Section::Service).with_notice(&asked.done);
    let form = CalendarForm::default();
    let calendars = (calendars.as_slice(), reader.actor.scope);
    page(&list_page(shell, calendars, &organisations, form, FieldErrors::default()))
}

pub(crate) async fn create(
    State(state): State<WebState>,
    Posted { reader, fields: form }: Posted<CalendarForm>,
) -> Result<Response, PageError> {
    let (calendars, organisations) = load(&state, &reader).await?;
    let chosen = organisations.iter().find(|it| it.id.to_string() == form.organisation).map(|it| it.id);
    let new = form.parse(chosen.or(reader.actor.scope.organisation()));
    let mut tx = state.context.db.begin().await?;
    match calendars::create_calendar(&mut tx, &state.context, &reader.actor, new).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(Redirect::to("/calendars?done=calendar").into_response())
        }
        Err(error) => {
            drop(tx);
            let errors = field_error(reader.texts(), error)?;
            let shell = reader.shell(reader.texts().t("nav-calendars"), Section::Service);
            let calendars = (calendars.as_slice(), reader.actor.scope);
            let again = list_page(shell, calendars, &organisations, form, errors);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
    }
}

async fn load(
    state: &WebState,
    reader: &Reader,
) -> Result<(Vec<ServiceCalendar>, Vec<Organisation>), PageError> {
    reader.require(Permission::Administer)?;
    let mut tx = state.context.db.read().await?;
    let calendars = calendars::list_calendars(&mut tx, reader.actor.scope).await?;
    let organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
    Ok((calendars, organisations))
}

/// The pages that say what service people get.
pub(crate) fn tabs(texts: Texts, current: &str) -> Vec<Tab> {
    let tab = |href: &str, key: &str| Tab {
        label: texts.t(key).into_owned(),
        count: None,
        href: href.to_owned(),
        current: href == current,
    };
    vec![
        tab("/calendars", "nav-calendars"),
        tab("/contracts", "nav-contracts"),
        tab("/calendars/what-if", "what-if"),
    ]
}

/// Rules for holidays as choices.
pub(super) fn holiday_choices(texts: Texts, chosen: &str) -> Vec<Choice> {
    let choice = |code: &'static str| Choice::new(code, texts.word("holidays", code), code == chosen);
    parc_calendar::Holidays::ALL.map(|it| choice(it.code())).to_vec()
}

/// Hours with the reader's names of the days.
pub(super) fn hours_shown(texts: Texts, calendar: &ServiceCalendar) -> String {
    match (texts.language(), calendar.hours.hours.parse::<parc_calendar::Week>()) {
        (Language::Fr, Ok(week)) => week.in_french(),
        (Language::Fr | Language::En, _) => calendar.hours.hours.clone(),
    }
}

fn row(texts: Texts, scope: Scope, calendar: &ServiceCalendar) -> CalendarRow {
    let organisation = match calendar.organisation_id {
        Some(_) => calendar.organisation_name.clone(),
        None => texts.t("calendar-shared").into_owned(),
    };
    CalendarRow {
        href: calendar.belongs_to(scope).then(|| format!("/calendars/{}", calendar.id)),
        name: calendar.name.clone(),
        organisation,
        hours: hours_shown(texts, calendar),
        holidays: texts.word("holidays", &calendar.hours.holidays).into_owned(),
        zone: calendar.hours.time_zone.clone(),
        standard: calendar.standard,
    }
}

fn list_page(
    shell: Shell,
    (calendars, scope): (&[ServiceCalendar], Scope),
    organisations: &[Organisation],
    form: CalendarForm,
    errors: FieldErrors,
) -> CalendarsPage {
    let texts = shell.texts;
    let choice = |it: &Organisation| {
        let value = it.id.to_string();
        let chosen = value == form.organisation;
        Choice::new(value, it.name.clone(), chosen)
    };
    CalendarsPage {
        tabs: tabs(texts, "/calendars"),
        rows: calendars.iter().map(|it| row(texts, scope, it)).collect(),
        organisations: organisations.iter().map(choice).collect(),
        holidays: holiday_choices(texts, &form.holidays),
        errors,
        form,
        shell,
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::inventory::web::samples::organisation_id;
    use crate::kernel::id::CalendarId;
    use crate::web::rendering::{HOSTILE, now};

    pub(in crate::calendars) fn calendar(id: u128, organisation: bool) -> ServiceCalendar {
        ServiceCalendar {
            id: CalendarId::from(uuid::Uuid::from_u128(id)),
            organisation_id: organisation.then(organisation_id),
            organisation_name: if organisation { HOSTILE.into() } else { String::new() },
            name: "Heures ouvrées".into(),
            standard: !organisation,
            version: 3,
            hours: CalendarHours {
                time_zone: "Europe/Paris".into(),
                hours: "mon-fri 08:00-12:00 13:00-18:00; sat 09:00-12:00".into(),
                holidays: "france".into(),
                exceptions: "2026-12-24 08:00-12:00 Réveillon\n".into(),
            },
            changed_at: now(),
            changed_by: HOSTILE.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::web::samples::places;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    fn calendars_are_drawn_listed_and_refused() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let frame = || shell(language, &[Role::Admin], &texts.t("nav-calendars"), Section::Service);
            let (organisations, _) = places();
            let all = [samples::calendar(1, false), samples::calendar(2, true)];
            let draw = |name: &str, form, errors| {
                check(name, language, &list_page(frame(), (&all, Scope::All), &organisations, form, errors))
            };
            let html = draw("calendars", CalendarForm::default(), FieldErrors::default());
            let days = if language == Language::Fr { "lun-ven 08:00" } else { "mon-fri 08:00" };
            assert!(html.contains(days));
            let form = CalendarForm { hours: HOSTILE.into(), name: "x".into(), ..CalendarForm::default() };
            let error = form.parse(None).hours.calendar().expect_err("refused");
            draw("calendars-refused", form, field_error(texts, error).expect("a field"));
        }
    }
}
