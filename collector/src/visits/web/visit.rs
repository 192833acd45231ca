//! One visit: where it stands and what becomes of it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::form::{refusal, times};
use super::on_ticket::{VisitLine, visit_line};
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::VisitId;
use crate::visits::calendar::{self, Words};
use crate::visits::{self, Visit, VisitStatus, VisitStep};
use crate::web::error::page_with;
use crate::web::parts::{Choice, FieldErrors};
use crate::web::{PageError, Posted, Reader, Section, Shell, WebState};

#[derive(Debug, Template)]
#[template(path = "visits/web/visit.html")]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each asked for by its own form")]
struct VisitPage {
    shell: Shell,
    id: String,
    line: VisitLine,
    sequence: i64,
    form: StepForm,
    technicians: Vec<Choice>,
    may_fix: bool,
    may_move: bool,
    may_finish: bool,
    may_cancel: bool,
    errors: FieldErrors,
}

/// What a step sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StepForm {
    sequence: String,
    text: String,
    day: String,
    from: String,
    until: String,
    technician: String,
}

pub(super) async fn show(
    State(state): State<WebState>,
    Path(id): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let visit = found(&state, &reader, &id).await?;
    render(&state, &reader, &visit, None, FieldErrors::default(), StatusCode::OK).await
}

pub(super) async fn calendar_file(
    State(state): State<WebState>,
    Path(id): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let id: VisitId = id.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    let found = visits::find_visit(&mut tx, &reader.actor, id).await?;
    let visit = found.ok_or_else(PageError::not_found)?;
    let name = format!("{}.ics", visit.ticket_number);
    Ok(file(&state, &reader, &[visit], &name))
}

/// Visits as a file to be saved.
pub(super) fn file(state: &WebState, reader: &Reader, visits: &[Visit], name: &str) -> Response {
    let title = reader.texts().t("visit-calendar-title").into_owned();
    let words = Words { title, public_url: state.public_url.to_string() };
    let text = calendar::calendar(visits, &words, state.context.now());
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers =
        [(header::CONTENT_TYPE, calendar::MEDIA_TYPE.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, text).into_response()
}

pub(super) async fn step(
    State(state): State<WebState>,
    Path((id, step)): Path<(String, String)>,
    Posted { reader, fields }: Posted<StepForm>,
) -> Result<Response, PageError> {
    let visit = found(&state, &reader, &id).await?;
    let (zone, texts) = (visit.zone(), reader.texts());
    let text = || fields.text.clone();
    let step = match step.as_str() {
        "fix" => VisitStep::Fix,
        "done" => VisitStep::Done { outcome: text() },
        "missed" => VisitStep::Missed { reason: text() },
        "cancel" => VisitStep::Cancel { reason: text() },
        "move" => match times(texts, (&fields.day, &fields.from, &fields.until), &zone) {
            Ok((starts_at, ends_at)) => VisitStep::Move {
                technician_id: fields.technician.parse().unwrap_or(visit.technician_id),
                starts_at,
                ends_at,
            },
            Err(errors) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return render(&state, &reader, &visit, Some(fields), errors, status).await;
            }
        },
        _ => return Err(PageError::not_found()),
    };
    let seen = fields.sequence.parse().ok();
    match visits::step_visit(&state.context, &reader.actor, visit.id, seen, step).await {
        Ok(done) => Ok(Redirect::to(&format!("/tickets/{}?done=visit", done.ticket_number)).into_response()),
        Err(error) => {
            let (errors, status) = refusal(texts, error, &zone)?;
            let current = found(&state, &reader, &id).await?;
            render(&state, &reader, &current, Some(fields), errors, status).await
        }
    }
}

async fn found(state: &WebState, reader: &Reader, id: &str) -> Result<Visit, PageError> {
    reader.require(Permission::ReadTickets)?;
    let id: VisitId = id.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    visits::find_visit(&mut tx, &reader.actor, id).await?.ok_or_else(PageError::not_found)
}

async fn render(
    state: &WebState,
    reader: &Reader,
    visit: &Visit,
    typed: Option<StepForm>,
    errors: FieldErrors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.read().await?;
    let found = visits::list_technicians(&mut tx, &reader.actor, Some(visit.organisation_id)).await?;
    let technicians = found.into_iter().map(|it| (it.0.to_string(), it.1)).collect();
    let title = reader.texts().t1("visit-of", "number", visit.ticket_number.as_str()).into_owned();
    let shell = reader.shell(title, Section::Planning);
    page_with(status, &build(shell, &reader.actor, visit, technicians, typed, errors))
}

fn build(
    shell: Shell,
    actor: &Actor,
    visit: &Visit,
    technicians: Vec<(String, String)>,
    typed: Option<StepForm>,
    errors: FieldErrors,
) -> VisitPage {
    let zone = visit.zone();
    let form = typed.filter(|it| !it.day.is_empty() || !it.text.is_empty()).unwrap_or_else(|| StepForm {
        day: visit.starts_at.format(&zone, "%Y-%m-%d"),
        from: visit.starts_at.format(&zone, "%H:%M"),
        until: visit.ends_at.format(&zone, "%H:%M"),
        technician: visit.technician_id.to_string(),
        ..StepForm::default()
    });
    let plans = actor.may(Permission::PlanFieldWork);
    let goes = actor.person() == Some(visit.technician_id);
    let choice = |(id, name): (String, String)| {
        let chosen = id == form.technician;
        Choice::new(id, name, chosen)
    };
    VisitPage {
        id: visit.id.to_string(),
        line: visit_line(shell.texts, &zone, actor, visit),
        sequence: visit.sequence,
        technicians: technicians.into_iter().map(choice).collect(),
        may_fix: plans && visit.status == VisitStatus::Proposed,
        may_move: plans && visit.status.stands(),
        may_finish: (plans || goes) && visit.status == VisitStatus::Fixed,
        may_cancel: visit.status.stands()
            && (plans || (visit.status == VisitStatus::Proposed && actor.may(Permission::WorkTickets))),
        form,
        errors,
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::{ActorKind, Role, Scope};
    use crate::visits::web::samples::a_visit;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    fn person(roles: &[Role]) -> Actor {
        let id = crate::kernel::id::PersonId::from(uuid::Uuid::from_u128(9));
        Actor { kind: ActorKind::Person(id), label: "x".into(), scope: Scope::All, roles: roles.to_vec() }
    }

    #[test]
    fn a_visit_offers_what_its_state_and_the_readers_roles_allow() {
        for language in LANGUAGES {
            let draw = |name: &str, roles: &[Role], visit: &Visit| {
                let technicians = vec![(visit.technician_id.to_string(), "Nadia Lefèvre".to_owned())];
                let shell = shell(language, roles, "I202611_0042", Section::Planning);
                let errors = FieldErrors::default();
                check(name, language, &build(shell, &person(roles), visit, technicians, None, errors))
            };
            let fixed = a_visit();
            let html = draw("visit", &[Role::Lead], &fixed);
            assert!(html.contains("/move\"") && html.contains("/done\"") && !html.contains("/fix\""));
            let proposed = Visit { status: VisitStatus::Proposed, purpose: HOSTILE.into(), ..a_visit() };
            let html = draw("visit-proposed", &[Role::Peu], &proposed);
            assert!(html.contains("/fix\"") && !html.contains("/done\""));
            let html = draw("visit-auditor", &[Role::Auditor], &fixed);
            assert!(!html.contains("<form method=\"post\" action=\"/visits"), "an auditor only reads");
            let done = Visit { status: VisitStatus::Done, outcome: HOSTILE.into(), ..a_visit() };
            assert!(!draw("visit-done", &[Role::Lead], &done).contains("/cancel\""));
        }
    }
}
