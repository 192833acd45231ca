//! REST of visits. Paths and field names are a promise to other programs.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::calendar::{self, Words};
use super::model::{NewVisit, Visit, VisitFilter, VisitStatus, VisitStep};
use super::service;
use crate::api::{ApiJson, ApiPath, ApiQuery, ApiState, Caller, Problem, ProblemDetails, Route};
use crate::db::Tx;
use crate::kernel::actor::Actor;
use crate::kernel::id::{OrganisationId, PersonId, SiteId, VisitId};
use crate::kernel::text::EmailAddress;
use crate::kernel::time::{UtcMicros, Zone, days};
use crate::tickets::{self, TicketNumber};
use crate::{people, sites};

/// Days of a planning when the caller does not say.
const DAYS_DEFAULT: u64 = 7;
/// Days of the longest planning.
const DAYS_MAX: u64 = 62;

/// The slice's part of the OpenAPI document.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(paths(plan, of_ticket, planning, read, calendar_file, fix, change, done, missed, cancel,))]
pub struct VisitsDocument;

/// Paths of the slice.
pub fn routes() -> Vec<Route> {
    vec![
        ("/api/v1/tickets/{number}/visits", get(of_ticket).post(plan)),
        ("/api/v1/visits", get(planning)),
        ("/api/v1/visits/{id}", get(read)),
        ("/api/v1/visits/{id}/calendar.ics", get(calendar_file)),
        ("/api/v1/visits/{id}/fix", post(fix)),
        ("/api/v1/visits/{id}/move", post(change)),
        ("/api/v1/visits/{id}/done", post(done)),
        ("/api/v1/visits/{id}/missed", post(missed)),
        ("/api/v1/visits/{id}/cancel", post(cancel)),
    ]
}

/// Plans a visit.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VisitRequest {
    /// E-mail address of the technician.
    technician: String,
    /// RFC 3339, on a quarter of an hour.
    start: String,
    /// RFC 3339, on a quarter of an hour, at most 12 hours after the start.
    end: String,
    /// Name of a site of the organisation; the ticket's if left out.
    site: Option<String>,
    /// Building, floor, room.
    #[serde(default)]
    location: String,
    /// Whom to ask for; the beneficiary if left out.
    #[serde(default)]
    contact: String,
    /// Their number.
    #[serde(default)]
    phone: String,
    /// What is to be done or brought.
    #[serde(default)]
    purpose: String,
    /// Agreed with the contact already.
    #[serde(default)]
    fixed: bool,
}

/// Another time or technician.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveRequest {
    /// E-mail address; the same technician if left out.
    technician: Option<String>,
    /// RFC 3339, on a quarter of an hour.
    start: String,
    /// RFC 3339, on a quarter of an hour.
    end: String,
    /// The sequence that was seen; whatever is current if left out.
    sequence: Option<i64>,
}

/// What came of a visit, or why it did not take place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeRequest {
    /// 1 to 2,000 characters.
    text: String,
    /// The sequence that was seen; whatever is current if left out.
    sequence: Option<i64>,
}

/// Agreed with the contact.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FixRequest {
    /// The sequence that was seen; whatever is current if left out.
    sequence: Option<i64>,
}

/// A visit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct VisitView {
    /// Its id.
    id: String,
    /// The ticket's number.
    ticket: String,
    /// Name of the organisation.
    organisation: String,
    /// Name of who goes.
    technician: String,
    /// RFC 3339.
    start: String,
    /// RFC 3339.
    end: String,
    /// Site and postal address.
    address: String,
    /// Building, floor, room.
    location: String,
    /// Whom to ask for.
    contact: String,
    /// Their number.
    phone: String,
    /// What is to be done or brought.
    purpose: String,
    /// Where it stands.
    status: VisitStatus,
    /// What came of it, or why it did not take place.
    outcome: String,
    /// Rises with every change.
    sequence: i64,
}

/// Visits, in the order of the clock.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct VisitList {
    /// The rows.
    items: Vec<VisitView>,
}

/// Which planning.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlanningQuery {
    /// RFC 3339 moment or date; now if left out.
    from: Option<String>,
    /// RFC 3339 moment or date, at most 62 days later; 7 days later if left out.
    until: Option<String>,
    /// E-mail address of a technician.
    technician: Option<String>,
}

impl From<&Visit> for VisitView {
    fn from(visit: &Visit) -> Self {
        Self {
            id: visit.id.to_string(),
            ticket: visit.ticket_number.to_string(),
            organisation: visit.organisation_name.clone(),
            technician: visit.technician_name.clone(),
            start: visit.starts_at.rfc3339(),
            end: visit.ends_at.rfc3339(),
            address: visit.address.clone(),
            location: visit.location.clone(),
            contact: visit.contact.clone(),
            phone: visit.phone.clone(),
            purpose: visit.purpose.clone(),
            status: visit.status,
            outcome: visit.outcome.clone(),
            sequence: visit.sequence,
        }
    }
}

fn list(visits: &[Visit]) -> Json<VisitList> {
    Json(VisitList { items: visits.iter().map(VisitView::from).collect() })
}

/// Plans a visit; the technician's time is taken at once, an overlap is refused with 409.
#[utoipa::path(post, path = "/api/v1/tickets/{number}/visits", tag = "visits", request_body = VisitRequest,
    params(("number" = String, Path)), responses((status = 201, body = VisitView),
    (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn plan(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(number): ApiPath,
    ApiJson(body): ApiJson<VisitRequest>,
) -> Result<Response, Problem> {
    let number: TicketNumber = number.parse().map_err(|_| Problem::not_found())?;
    let mut tx = state.context.db.read().await?;
    let ticket = tickets::find_for(&mut tx, &actor, &number).await?.ok_or_else(Problem::not_found)?;
    let new = NewVisit {
        technician_id: technician(&mut tx, &body.technician).await?,
        starts_at: moment("start", &body.start)?,
        ends_at: moment("end", &body.end)?,
        site_id: site(&mut tx, ticket.organisation_id, body.site.as_deref()).await?,
        location: body.location,
        contact: body.contact,
        phone: body.phone,
        purpose: body.purpose,
        fixed: body.fixed,
    };
    drop(tx);
    let visit = service::plan_visit(&state.context, &actor, &number, new).await?;
    let mut response = (StatusCode::CREATED, Json(VisitView::from(&visit))).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/visits/{}", visit.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Visits of a ticket, the latest first.
#[utoipa::path(get, path = "/api/v1/tickets/{number}/visits", tag = "visits", params(("number" = String, Path)), responses(
    (status = 200, body = VisitList), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn of_ticket(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(number): ApiPath,
) -> Result<Json<VisitList>, Problem> {
    let number: TicketNumber = number.parse().map_err(|_| Problem::not_found())?;
    let mut tx = state.context.db.read().await?;
    tickets::find_for(&mut tx, &actor, &number).await?.ok_or_else(Problem::not_found)?;
    Ok(list(&service::list_visits_of_ticket(&mut tx, &number).await?))
}

/// The planning of a span of days.
#[utoipa::path(get, path = "/api/v1/visits", tag = "visits", params(PlanningQuery), responses(
    (status = 200, body = VisitList), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn planning(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiQuery(query): ApiQuery<PlanningQuery>,
) -> Result<Json<VisitList>, Problem> {
    let from = query.from.as_deref().map(|it| moment("from", it)).transpose()?;
    let from = from.unwrap_or_else(|| state.context.now());
    let until = query.until.as_deref().map(|it| moment("until", it)).transpose()?;
    let until = until.unwrap_or(from + days(DAYS_DEFAULT));
    if until.since(from) > days(DAYS_MAX) {
        return Err(Problem::invalid("until", format!("must be at most {DAYS_MAX} days after from")));
    }
    let mut tx = state.context.db.read().await?;
    let technician = match query.technician.as_deref() {
        Some(address) => Some(technician(&mut tx, address).await?),
        None => None,
    };
    let filter = VisitFilter { from, until, technician, site: None };
    Ok(list(&service::list_visits(&mut tx, &actor, &filter).await?))
}

/// One visit.
#[utoipa::path(get, path = "/api/v1/visits/{id}", tag = "visits", params(("id" = String, Path)), responses(
    (status = 200, body = VisitView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn read(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
) -> Result<Json<VisitView>, Problem> {
    Ok(Json(VisitView::from(&found(&state, &actor, &id).await?)))
}

/// One visit as a calendar file (iCalendar, RFC 5545).
#[utoipa::path(get, path = "/api/v1/visits/{id}/calendar.ics", tag = "visits", params(("id" = String, Path)), responses(
    (status = 200, body = String, content_type = "text/calendar"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn calendar_file(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
) -> Result<Response, Problem> {
    let visit = found(&state, &actor, &id).await?;
    let words = Words { title: "Visit".into(), public_url: String::new() };
    let text = calendar::calendar(&[visit], &words, state.context.now());
    Ok(([(header::CONTENT_TYPE, calendar::MEDIA_TYPE)], text).into_response())
}

/// Declares the handler of one step: its path, its body, its documentation.
macro_rules! steps {
    ($($(#[doc = $doc:literal])* $name:ident, $path:literal, $body:ident => $convert:expr;)+) => {$(
        $(#[doc = $doc])*
        #[utoipa::path(post, path = $path, tag = "visits", request_body = $body, params(("id" = String, Path)), responses(
            (status = 200, body = VisitView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
        pub(crate) async fn $name(
            State(state): State<ApiState>,
            Caller(actor): Caller,
            ApiPath(id): ApiPath,
            ApiJson(body): ApiJson<$body>,
        ) -> Result<Json<VisitView>, Problem> {
            let visit = found(&state, &actor, &id).await?;
            let seen = body.sequence;
            let step: VisitStep = ($convert)(body);
            let visit = service::step_visit(&state.context, &actor, visit.id, seen, step).await?;
            Ok(Json(VisitView::from(&visit)))
        }
    )+};
}

steps! {
    /// The contact agreed.
    fix, "/api/v1/visits/{id}/fix", FixRequest => |_: FixRequest| VisitStep::Fix;
    /// It took place.
    done, "/api/v1/visits/{id}/done", OutcomeRequest => |it: OutcomeRequest| VisitStep::Done { outcome: it.text };
    /// Somebody did not come.
    missed, "/api/v1/visits/{id}/missed", OutcomeRequest => |it: OutcomeRequest| VisitStep::Missed { reason: it.text };
    /// Called off; the technician's time is free again.
    cancel, "/api/v1/visits/{id}/cancel", OutcomeRequest => |it: OutcomeRequest| VisitStep::Cancel { reason: it.text };
}

/// Another time or technician.
#[utoipa::path(post, path = "/api/v1/visits/{id}/move", tag = "visits", request_body = MoveRequest, params(("id" = String, Path)), responses(
    (status = 200, body = VisitView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn change(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
    ApiJson(body): ApiJson<MoveRequest>,
) -> Result<Json<VisitView>, Problem> {
    let visit = found(&state, &actor, &id).await?;
    let mut tx = state.context.db.read().await?;
    let technician_id = match body.technician.as_deref() {
        Some(address) => technician(&mut tx, address).await?,
        None => visit.technician_id,
    };
    drop(tx);
    let step = VisitStep::Move {
        technician_id,
        starts_at: moment("start", &body.start)?,
        ends_at: moment("end", &body.end)?,
    };
    let visit = service::step_visit(&state.context, &actor, visit.id, body.sequence, step).await?;
    Ok(Json(VisitView::from(&visit)))
}

async fn found(state: &ApiState, actor: &Actor, id: &str) -> Result<Visit, Problem> {
    let id: VisitId = id.parse().map_err(|_| Problem::not_found())?;
    let mut tx = state.context.db.read().await?;
    service::find_visit(&mut tx, actor, id).await?.ok_or_else(Problem::not_found)
}

/// A moment as programs write it; a plain date is midnight in UTC.
fn moment(field: &str, text: &str) -> Result<UtcMicros, Problem> {
    UtcMicros::parse(text.trim(), &Zone::utc())
        .ok_or_else(|| Problem::invalid(field, "must be an RFC 3339 moment"))
}

/// An address nobody has is refused like one of somebody who does no such work.
async fn technician(tx: &mut Tx, address: &str) -> Result<PersonId, Problem> {
    let refused = || Problem::invalid("technician", "is not a technician for this organisation");
    let email: EmailAddress = address.parse().map_err(|_| refused())?;
    Ok(people::find_person_by_email(tx, &email).await?.ok_or_else(refused)?.id)
}

async fn site(
    tx: &mut Tx,
    organisation: OrganisationId,
    name: Option<&str>,
) -> Result<Option<SiteId>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let found = sites::find_site_by_name(tx, organisation, name.trim()).await?;
    Ok(Some(found.ok_or_else(|| Problem::invalid("site", "is not a site of the organisation"))?.id))
}
