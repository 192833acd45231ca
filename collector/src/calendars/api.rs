//! REST of calendars, for administration.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parc_calendar::{ClockKind, Targets};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{CalendarError, CalendarHours, CalendarVersion, NewCalendar, ServiceCalendar, moment, utc};
use crate::api::{
    ApiJson, ApiPath, ApiQuery, ApiState, Caller, IfMatch, Problem, ProblemDetails, Route, etag,
};
use crate::calendars;
use crate::db::Tx;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::{CalendarId, OrganisationId};
use crate::kernel::time::{UtcMicros, Zone};
use crate::sites;

/// The slice's part of the OpenAPI document.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(paths(list_calendars, create_calendar, get_calendar, change_calendar, list_deadlines))]
pub struct CalendarsDocument;

/// Paths of the slice.
pub fn routes() -> Vec<Route> {
    vec![
        ("/api/v1/calendars", get(list_calendars).post(create_calendar)),
        ("/api/v1/calendars/{id}", get(get_calendar).put(change_calendar)),
        ("/api/v1/calendars/{id}/deadlines", get(list_deadlines)),
    ]
}

/// A calendar.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarView {
    /// Its id.
    pub id: String,
    /// Name of the organisation; none for the provider's, which every organisation may use.
    pub organisation: Option<String>,
    /// Name.
    pub name: String,
    /// Holds when no contract says otherwise.
    pub standard: bool,
    /// Rises with every change of the hours; what `If-Match` carries.
    pub version: i64,
    /// IANA name.
    pub time_zone: String,
    /// `mon-fri 08:00-12:00 13:00-18:00; sat 09:00-12:00`.
    pub hours: String,
    /// `none`, `france` or `alsace_moselle`.
    pub holidays: String,
    /// One line per day or period that differs.
    pub exceptions: String,
    /// RFC 3339: when the hours were last changed.
    pub changed_at: String,
    /// By whom.
    pub changed_by: String,
}

/// All calendars of a caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarList {
    /// The provider's first, then by organisation and name.
    pub items: Vec<CalendarView>,
}

/// A calendar to make, or what it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarRequest {
    /// Organisation's code; left out for one that every organisation may use. Cannot be changed.
    pub organisation: Option<String>,
    /// 1 to 80 characters.
    pub name: String,
    /// Holds when no contract says otherwise.
    #[serde(default)]
    pub standard: bool,
    /// IANA name; `Europe/Paris` if left out.
    pub time_zone: Option<String>,
    /// `mon-fri 08:00-12:00 13:00-18:00; sat 09:00-12:00`.
    pub hours: String,
    /// `none`, `france` or `alsace_moselle`; `france` if left out.
    pub holidays: Option<String>,
    /// One line per day or period that differs: `2026-12-24 08:00-12:00`, `2026-08-03..2026-08-14 closed`.
    #[serde(default)]
    pub exceptions: String,
}

/// What if a ticket were opened then.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DeadlineQuery {
    /// 1 to 5; 3 if left out.
    priority: Option<i64>,
    /// RFC 3339; now if left out.
    from: Option<String>,
}

/// Deadlines of a ticket opened at a moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadlineView {
    /// RFC 3339.
    pub from: String,
    /// RFC 3339; none when the service does not open for so long.
    pub call_back_due: Option<String>,
    /// RFC 3339; none when the service does not open for so long.
    pub resolution_due: Option<String>,
}

impl From<&ServiceCalendar> for CalendarView {
    fn from(it: &ServiceCalendar) -> Self {
        Self {
            id: it.id.to_string(),
            organisation: it.organisation_id.map(|_| it.organisation_name.clone()),
            name: it.name.clone(),
            standard: it.standard,
            version: it.version,
            time_zone: it.hours.time_zone.clone(),
            hours: it.hours.hours.clone(),
            holidays: it.hours.holidays.clone(),
            exceptions: it.hours.exceptions.clone(),
            changed_at: it.changed_at.rfc3339(),
            changed_by: it.changed_by.clone(),
        }
    }
}

/// Every calendar the key may use.
#[utoipa::path(get, path = "/api/v1/calendars", tag = "service", responses(
    (status = 200, body = CalendarList), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn list_calendars(
    State(state): State<ApiState>,
    Caller(actor): Caller,
) -> Result<Json<CalendarList>, Problem> {
    require_administration(&actor)?;
    let mut tx = state.context.db.read().await?;
    let all = calendars::list_calendars(&mut tx, actor.scope).await?;
    Ok(Json(CalendarList { items: all.iter().map(CalendarView::from).collect() }))
}

/// Makes a calendar.
#[utoipa::path(post, path = "/api/v1/calendars", tag = "service", request_body = CalendarRequest, responses(
    (status = 201, body = CalendarView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn create_calendar(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiJson(request): ApiJson<CalendarRequest>,
) -> Result<Response, Problem> {
    require_administration(&actor)?;
    let mut tx = state.context.db.begin().await?;
    let organisation_id = organisation(&mut tx, &actor, request.organisation.as_deref()).await?;
    let new = request.into_new(organisation_id);
    let made = calendars::create_calendar(&mut tx, &state.context, &actor, new).await?;
    tx.commit().await?;
    Ok(shown(StatusCode::CREATED, &made))
}

/// One calendar.
#[utoipa::path(get, path = "/api/v1/calendars/{id}", tag = "service", params(("id" = String, Path)), responses(
    (status = 200, body = CalendarView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn get_calendar(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
) -> Result<Response, Problem> {
    require_administration(&actor)?;
    let mut tx = state.context.db.read().await?;
    let found = find(&mut tx, &actor, &id).await?;
    Ok(shown(StatusCode::OK, &found))
}

/// Changes a calendar. Tickets that are open stay measured by the hours they were opened under.
#[utoipa::path(put, path = "/api/v1/calendars/{id}", tag = "service", request_body = CalendarRequest,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "the version that was seen")), responses(
    (status = 200, body = CalendarView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn change_calendar(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
    seen: IfMatch,
    ApiJson(request): ApiJson<CalendarRequest>,
) -> Result<Response, Problem> {
    require_administration(&actor)?;
    let mut tx = state.context.db.begin().await?;
    let found = find(&mut tx, &actor, &id).await?;
    if !seen.allows(found.version) {
        let detail = CalendarError::Stale { current: found.version }.to_string();
        return Err(Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail));
    }
    let new = request.into_new(found.organisation_id);
    let version = CalendarVersion { calendar_id: found.id, version: found.version };
    let changed = calendars::change_calendar(&mut tx, &state.context, &actor, version, new).await?;
    tx.commit().await?;
    Ok(shown(StatusCode::OK, &changed))
}

/// What the deadlines of a ticket would be, by the usual targets.
#[utoipa::path(get, path = "/api/v1/calendars/{id}/deadlines", tag = "service", params(("id" = String, Path), DeadlineQuery), responses(
    (status = 200, body = DeadlineView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn list_deadlines(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
    ApiQuery(query): ApiQuery<DeadlineQuery>,
) -> Result<Json<DeadlineView>, Problem> {
    require_administration(&actor)?;
    let priority = query.priority.unwrap_or(3);
    if !(1..=5).contains(&priority) {
        return Err(Problem::invalid("priority", "must be between 1 and 5"));
    }
    let mut tx = state.context.db.read().await?;
    let calendar = find(&mut tx, &actor, &id).await?.hours.calendar()?;
    let from = match query.from.as_deref() {
        None => state.context.now(),
        Some(text) => UtcMicros::parse(text, &Zone::utc())
            .ok_or_else(|| Problem::invalid("from", "is not an RFC 3339 moment"))?,
    };
    let due = |clock| {
        let target = Targets::default().of(clock, priority).in_calendar(&calendar);
        calendar.after(moment(from), target).map(|it| utc(it).rfc3339())
    };
    Ok(Json(DeadlineView {
        from: from.rfc3339(),
        call_back_due: due(ClockKind::CallBack),
        resolution_due: due(ClockKind::Resolution),
    }))
}

impl CalendarRequest {
    fn into_new(self, organisation_id: Option<OrganisationId>) -> NewCalendar {
        let Self { name, standard, time_zone, hours, holidays, exceptions, .. } = self;
        NewCalendar {
            organisation_id,
            name,
            standard,
            hours: CalendarHours {
                time_zone: time_zone.unwrap_or_else(|| "Europe/Paris".into()),
                hours,
                holidays: holidays.unwrap_or_else(|| "france".into()),
                exceptions,
            },
        }
    }
}

fn require_administration(actor: &Actor) -> Result<(), Problem> {
    if actor.may(Permission::Administer) { Ok(()) } else { Err(CalendarError::Forbidden.into()) }
}

async fn find(tx: &mut Tx, actor: &Actor, id: &str) -> Result<ServiceCalendar, Problem> {
    let id: CalendarId = id.parse().map_err(|_| Problem::not_found())?;
    let found = calendars::find_calendar(tx, actor.scope, id).await?;
    found.filter(|it| it.belongs_to(actor.scope)).ok_or_else(Problem::not_found)
}

/// The organisation of a code in scope. A key of one organisation that names none means its own.
async fn organisation(
    tx: &mut Tx,
    actor: &Actor,
    code: Option<&str>,
) -> Result<Option<OrganisationId>, Problem> {
    let Some(code) = code else { return Ok(actor.scope.organisation()) };
    let found = sites::find_organisation_by_code(tx, &code.trim().to_ascii_uppercase()).await?;
    let found = found.filter(|it| actor.scope.contains(it.id));
    Ok(Some(found.ok_or_else(|| Problem::invalid("organisation", "is not known"))?.id))
}

fn shown(status: StatusCode, calendar: &ServiceCalendar) -> Response {
    let mut response = (status, Json(CalendarView::from(calendar))).into_response();
    response.headers_mut().insert(header::ETAG, etag(calendar.version));
    response
}
