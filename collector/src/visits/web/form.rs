//! Planning a visit: the form, and what it says when it is refused. What was typed is kept.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::on_ticket::{VisitLine, visit_line};
use crate::kernel::actor::Permission;
use crate::kernel::id::{PersonId, SiteId};
use crate::kernel::time::{Day, UtcMicros, Zone, parse_clock};
use crate::sites;
use crate::tickets::{self, Ticket, TicketNumber};
use crate::visits::{self, NewVisit, VisitError, VisitFilter};
use crate::web::error::page_with;
use crate::web::parts::{Choice, FieldErrors};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Texts, WebState};

#[derive(Debug, Template)]
#[template(path = "visits/web/form.html")]
struct FormPage {
    shell: Shell,
    number: String,
    summary: String,
    form: VisitForm,
    technicians: Vec<Choice>,
    sites: Vec<Choice>,
    may_fix: bool,
    errors: FieldErrors,
    /// What the chosen technician has on that day already.
    day: String,
    busy: Vec<VisitLine>,
}

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct VisitForm {
    pub day: String,
    pub from: String,
    pub until: String,
    pub technician: String,
    pub site: String,
    pub location: String,
    pub contact: String,
    pub phone: String,
    pub purpose: String,
    pub fixed: String,
}

pub(super) async fn ask(
    State(state): State<WebState>,
    Path(number): Path<String>,
    Asked(mut form): Asked<VisitForm>,
    reader: Reader,
) -> Result<Response, PageError> {
    let ticket = ticket_for(&state, &reader, &number).await?;
    let zone = zone_of(&ticket);
    if form.day.is_empty() {
        let tomorrow = Day::of(state.context.now(), &zone).plus(1);
        form = VisitForm {
            day: tomorrow.to_string(),
            from: "09:00".into(),
            until: "10:00".into(),
            technician: reader.person.id.to_string(),
            site: ticket.site_id.map(|it| it.to_string()).unwrap_or_default(),
            location: ticket.location.clone(),
            contact: ticket.beneficiary_name.clone(),
            phone: ticket.phone.clone(),
            ..VisitForm::default()
        };
    }
    show(&state, &reader, &ticket, form, FieldErrors::default(), StatusCode::OK).await
}

pub(super) async fn plan(
    State(state): State<WebState>,
    Path(number): Path<String>,
    Posted { reader, fields }: Posted<VisitForm>,
) -> Result<Response, PageError> {
    let ticket = ticket_for(&state, &reader, &number).await?;
    let texts = reader.texts();
    let new = match parse(texts, &fields, &zone_of(&ticket)) {
        Ok(new) => new,
        Err(errors) => {
            return show(&state, &reader, &ticket, fields, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    match visits::plan_visit(&state.context, &reader.actor, &ticket.number, new).await {
        Ok(_) => Ok(Redirect::to(&format!("/tickets/{}?done=visit", ticket.number)).into_response()),
        Err(error) => {
            let (errors, status) = refusal(texts, error, &zone_of(&ticket))?;
            show(&state, &reader, &ticket, fields, errors, status).await
        }
    }
}

/// A refused visit as the form shows it; other failures are the guard's.
pub(super) fn refusal(
    texts: Texts,
    error: VisitError,
    zone: &Zone,
) -> Result<(FieldErrors, StatusCode), PageError> {
    let mut errors = FieldErrors::default();
    let status = match &error {
        VisitError::Invalid { field, .. } => {
            let field = form_field(field);
            errors.add(field, texts.word("visit-refused", field).into_owned().into());
            StatusCode::UNPROCESSABLE_ENTITY
        }
        VisitError::Overlap { technician, from, until } => {
            let clock = |text: &str| {
                UtcMicros::parse(text, zone).map(|it| it.format(zone, "%H:%M")).unwrap_or_default()
            };
            let span = format!("{}–{}", clock(from), clock(until));
            errors.add("from", texts.t2("visit-overlap", ("name", technician), ("span", &span)));
            StatusCode::CONFLICT
        }
        VisitError::Stale | VisitError::State { .. } => {
            errors.add("from", texts.t("visit-stale"));
            StatusCode::CONFLICT
        }
        _ => return Err(error.into()),
    };
    Ok((errors, status))
}

/// The service's fields by the names the form has for them.
fn form_field(field: &str) -> &'static str {
    match field {
        "start" => "from",
        "end" => "until",
        "technician" => "technician",
        "site" => "site",
        "location" => "location",
        "contact" => "contact",
        "phone" => "phone",
        "purpose" => "purpose",
        _ => "text",
    }
}

async fn ticket_for(state: &WebState, reader: &Reader, number: &str) -> Result<Ticket, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    let found = tickets::find_for(&mut tx, &reader.actor, &number).await?;
    let ticket = found.ok_or_else(PageError::not_found)?;
    if visits::may_plan(&reader.actor, &ticket) { Ok(ticket) } else { Err(PageError::forbidden()) }
}

fn zone_of(ticket: &Ticket) -> Zone {
    Zone::named(&ticket.time_zone).unwrap_or_else(Zone::utc)
}

/// The times of a form: day, from, until. An end at or before the start is on the next day, for night work.
pub(super) fn times(
    texts: Texts,
    (day, from, until): (&str, &str, &str),
    zone: &Zone,
) -> Result<(UtcMicros, UtcMicros), FieldErrors> {
    let mut errors = FieldErrors::default();
    let (day, from, until) = (Day::parse(day), parse_clock(from), parse_clock(until));
    for (field, missing) in [("day", day.is_none()), ("from", from.is_none()), ("until", until.is_none())] {
        if missing {
            errors.add(field, texts.word("visit-refused", field).into_owned().into());
        }
    }
    match (day, from, until) {
        (Some(day), Some(from), Some(until)) => {
            let last = if until > from { day } else { day.plus(1) };
            Ok((day.at(from, zone), last.at(until, zone)))
        }
        _ => Err(errors),
    }
}

fn parse(texts: Texts, form: &VisitForm, zone: &Zone) -> Result<NewVisit, FieldErrors> {
    let (starts_at, ends_at) = times(texts, (&form.day, &form.from, &form.until), zone)?;
    let mut errors = FieldErrors::default();
    let Ok(technician_id) = form.technician.parse::<PersonId>() else {
        errors.add("technician", texts.word("visit-refused", "technician").into_owned().into());
        return Err(errors);
    };
    Ok(NewVisit {
        technician_id,
        starts_at,
        ends_at,
        site_id: form.site.parse::<SiteId>().ok(),
        location: form.location.clone(),
        contact: form.contact.clone(),
        phone: form.phone.clone(),
        purpose: form.purpose.clone(),
        fixed: form.fixed == "on",
    })
}

async fn show(
    state: &WebState,
    reader: &Reader,
    ticket: &Ticket,
    form: VisitForm,
    errors: FieldErrors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let zone = zone_of(ticket);
    let mut tx = state.context.db.read().await?;
    let technicians = visits::list_technicians(&mut tx, &reader.actor, Some(ticket.organisation_id)).await?;
    let places = sites::list_sites(&mut tx, ticket.organisation_id).await?;
    let day = Day::parse(&form.day).unwrap_or_else(|| Day::of(state.context.now(), &zone));
    let filter = VisitFilter {
        from: day.start(&zone),
        until: day.plus(1).start(&zone),
        technician: form.technician.parse().ok(),
        site: None,
    };
    let busy = visits::list_visits(&mut tx, &reader.actor, &filter).await?;
    let busy = busy.iter().filter(|it| it.status.stands());
    let choice = |id: String, name: &str, chosen: &str| Choice::new(id.clone(), name, id == chosen);
    let page = FormPage {
        shell: reader.shell(reader.texts().t("visit-plan"), Section::Planning),
        number: ticket.number.to_string(),
        summary: ticket.summary.clone(),
        technicians: technicians.iter().map(|it| choice(it.0.to_string(), &it.1, &form.technician)).collect(),
        sites: places.iter().map(|it| choice(it.id.to_string(), &it.name, &form.site)).collect(),
        may_fix: reader.actor.may(Permission::PlanFieldWork),
        busy: busy.map(|it| visit_line(reader.texts(), &zone, &reader.actor, it)).collect(),
        day: day.shown(),
        form,
        errors,
    };
    page_with(status, &page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::{Actor, Role};
    use crate::visits::web::samples::a_visit;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell, zone};

    #[test]
    fn the_form_is_drawn_empty_and_refused() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let line = visit_line(texts, &zone(), &Actor::system(), &a_visit());
            let mut errors = FieldErrors::default();
            for field in ["day", "from", "until", "technician", "purpose"] {
                errors.add(field, texts.word("visit-refused", field).into_owned().into());
            }
            for (name, errors) in [("visit-form", FieldErrors::default()), ("visit-form-refused", errors)] {
                let page = FormPage {
                    shell: shell(language, &[Role::Lead], &texts.t("visit-plan"), Section::Planning),
                    number: "I202611_0042".into(),
                    summary: HOSTILE.into(),
                    form: VisitForm {
                        day: "2026-11-23".into(),
                        from: "09:00".into(),
                        purpose: HOSTILE.into(),
                        ..VisitForm::default()
                    },
                    technicians: vec![Choice::new("a", "Nadia Lefèvre", true)],
                    sites: vec![Choice::new("b", HOSTILE, true)],
                    may_fix: true,
                    errors,
                    day: "23/11/2026".into(),
                    busy: vec![line.clone()],
                };
                check(name, language, &page);
            }
        }
    }

    #[test]
    fn an_end_before_the_start_is_the_next_morning() {
        let texts = Texts::of(crate::people::Language::Fr);
        let (from, until) = times(texts, ("2026-11-23", "22:00", "02:00"), &zone()).expect("valid");
        assert_eq!(until.since(from), std::time::Duration::from_hours(4));
        let errors = times(texts, ("tomorrow", "25:00", ""), &zone()).expect_err("refused");
        assert!(["day", "from", "until"].iter().all(|it| errors.of(it).is_some()));
    }
}
