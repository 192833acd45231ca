//! REST of indicators.

use axum::Json;
use axum::extract::State;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::model::{Delay, Dimension, Report, Span};
use super::service;
use crate::api::{ApiQuery, ApiState, Caller, Problem, ProblemDetails, Route};
use crate::kernel::time::{Day, Zone};
use crate::sites;

/// Days of the report that nobody asked otherwise for.
const DAYS_DEFAULT: i32 = 30;

/// The slice's part of the OpenAPI document.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(paths(report))]
pub struct ReportsDocument;

/// Paths of the slice.
pub fn routes() -> Vec<Route> {
    vec![("/api/v1/reports", get(report))]
}

/// Which report.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// First day, `YYYY-MM-DD`; 29 days before the last if left out.
    from: Option<String>,
    /// Last day, `YYYY-MM-DD`; today if left out.
    until: Option<String>,
    /// Organisation's code; all in scope if left out.
    organisation: Option<String>,
}

/// How long something took.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DelayView {
    /// How many are known.
    count: i64,
    /// Half of them took at most so many seconds.
    median_s: Option<i64>,
    /// Nine in ten took at most so many seconds.
    ninth_s: Option<i64>,
}

/// One point of the curve.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PointView {
    /// Its first day, `YYYY-MM-DD`.
    day: String,
    /// Opened from that day to the next point.
    opened: i64,
    /// Solved from that day to the next point.
    resolved: i64,
}

/// One row of a breakdown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CountView {
    /// Word or name; empty for tickets without one.
    value: String,
    /// How many.
    tickets: i64,
}

/// Tickets counted by one thing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct BreakdownView {
    /// By what.
    by: Dimension,
    /// The largest first.
    rows: Vec<CountView>,
    /// All those beyond the rows.
    others: i64,
}

/// The indicators of a span of days.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ReportView {
    /// First day.
    from: String,
    /// Last day.
    until: String,
    /// Opened in the span.
    opened: i64,
    /// Solved in the span.
    resolved: i64,
    /// From opening to being taken or qualified.
    until_taken: DelayView,
    /// From opening to the solution.
    until_resolved: DelayView,
    /// Calls that were answered.
    calls_reached: i64,
    /// Calls that were not.
    calls_unanswered: i64,
    /// Solutions that were refused.
    refused: i64,
    /// Closed tickets that were opened again.
    reopened: i64,
    /// By day, week or month, as the span is long.
    curve: Vec<PointView>,
    /// Tickets opened in the span, counted by each thing.
    breakdowns: Vec<BreakdownView>,
}

impl From<Delay> for DelayView {
    fn from(it: Delay) -> Self {
        Self { count: it.count, median_s: it.median_s, ninth_s: it.ninth_s }
    }
}

impl From<Report> for ReportView {
    fn from(it: Report) -> Self {
        let point =
            |(day, opened, resolved): (Day, i64, i64)| PointView { day: day.to_string(), opened, resolved };
        let count = |(value, tickets): (String, i64)| CountView { value, tickets };
        Self {
            from: it.span.from.to_string(),
            until: it.span.until.to_string(),
            opened: it.opened,
            resolved: it.resolved,
            until_taken: it.until_taken.into(),
            until_resolved: it.until_resolved.into(),
            calls_reached: it.calls_reached,
            calls_unanswered: it.calls_unanswered,
            refused: it.refused,
            reopened: it.reopened,
            curve: it.curve.into_iter().map(point).collect(),
            breakdowns: it
                .breakdowns
                .into_iter()
                .map(|it| BreakdownView {
                    by: it.by,
                    rows: it.rows.into_iter().map(count).collect(),
                    others: it.others,
                })
                .collect(),
        }
    }
}

/// The indicators of a span of days, on the clock of the organisation, of the first one in scope without.
#[utoipa::path(get, path = "/api/v1/reports", tag = "reports", params(ReportQuery), responses(
    (status = 200, body = ReportView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn report(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiQuery(query): ApiQuery<ReportQuery>,
) -> Result<Json<ReportView>, Problem> {
    let mut tx = state.context.db.read().await?;
    let organisation = match query.organisation.as_deref() {
        Some(code) => {
            let found = sites::find_organisation_by_code(&mut tx, &code.trim().to_ascii_uppercase()).await?;
            let found = found.filter(|it| actor.scope.contains(it.id));
            Some(found.ok_or_else(|| Problem::invalid("organisation", "is not known"))?)
        }
        None => sites::list_organisations(&mut tx, actor.scope).await?.into_iter().next(),
    };
    let zone = organisation.as_ref().map_or_else(Zone::utc, sites::Organisation::zone);
    let day = |field: &str, text: Option<&str>| {
        let parsed = text
            .map(|it| Day::parse(it).ok_or_else(|| Problem::invalid(field, "must be a date, YYYY-MM-DD")));
        parsed.transpose()
    };
    let until = day("until", query.until.as_deref())?.unwrap_or_else(|| Day::of(state.context.now(), &zone));
    let from = day("from", query.from.as_deref())?.unwrap_or(until.plus(1 - DAYS_DEFAULT));
    let wanted = organisation.filter(|_| query.organisation.is_some()).map(|it| it.id);
    let span = Span::new(from, until, zone, wanted);
    Ok(Json(service::report(&mut tx, &actor, span).await?.into()))
}
