//! REST of remote sessions: programs read the register and write down what was agreed by voice. Consent on the portal is
//! for people only.

use axum::Json;
use axum::extract::State;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::model::{RemoteSession, RemoteStatus};
use super::service;
use crate::api::{ApiPath, ApiQuery, ApiState, Caller, Problem, ProblemDetails, Route, page_request};
use crate::kernel::time::UtcMicros;
use crate::tickets::{self, TicketNumber};

/// The slice's part of the OpenAPI document.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(paths(of_ticket, register))]
pub struct RemoteDocument;

/// Paths of the slice.
pub fn routes() -> Vec<Route> {
    vec![
        ("/api/v1/tickets/{number}/remote-sessions", get(of_ticket)),
        ("/api/v1/remote-sessions", get(register)),
    ]
}

/// A remote session.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RemoteView {
    /// Its id.
    id: String,
    /// The ticket's number.
    ticket: String,
    /// Name of the organisation.
    organisation: String,
    /// Name of who asked.
    technician: String,
    /// Whose screen it is.
    asked: String,
    /// Program used.
    tool: String,
    /// Where it stands.
    status: RemoteStatus,
    /// RFC 3339.
    asked_at: String,
    /// RFC 3339.
    answered_at: Option<String>,
    /// Who answered, in words.
    answered_by: String,
    /// `portal`, `oral`, or empty before.
    means: String,
    /// RFC 3339.
    started_at: Option<String>,
    /// RFC 3339.
    ended_at: Option<String>,
    /// What was seen and done.
    report: String,
}

impl RemoteView {
    fn of(session: &RemoteSession, now: UtcMicros) -> Self {
        Self {
            id: session.id.to_string(),
            ticket: session.ticket_number.to_string(),
            organisation: session.organisation_name.clone(),
            technician: session.technician_name.clone(),
            asked: session.asked_name.clone(),
            tool: session.tool.clone(),
            status: session.status_at(now),
            asked_at: session.asked_at.rfc3339(),
            answered_at: session.answered_at.map(UtcMicros::rfc3339),
            answered_by: session.answered_by.clone(),
            means: session.means.clone(),
            started_at: session.started_at.map(UtcMicros::rfc3339),
            ended_at: session.ended_at.map(UtcMicros::rfc3339),
            report: session.report.clone(),
        }
    }
}

/// Sessions of a ticket, or a page of the register.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RemotePage {
    /// The rows.
    items: Vec<RemoteView>,
    /// Cursor of the next page, if there is one.
    next: Option<String>,
}

/// Which part of the register.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct RemoteQuery {
    /// Where the last page ended.
    cursor: Option<String>,
    /// Rows, 1 to 200.
    limit: Option<u32>,
}

/// Remote sessions of a ticket, the latest first.
#[utoipa::path(get, path = "/api/v1/tickets/{number}/remote-sessions", tag = "remote", params(("number" = String, Path)), responses(
    (status = 200, body = RemotePage), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn of_ticket(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(number): ApiPath,
) -> Result<Json<RemotePage>, Problem> {
    let number: TicketNumber = number.parse().map_err(|_| Problem::not_found())?;
    let mut tx = state.context.db.read().await?;
    tickets::find_for(&mut tx, &actor, &number).await?.ok_or_else(Problem::not_found)?;
    let found = service::list_sessions_of_ticket(&mut tx, &number).await?;
    let now = state.context.now();
    Ok(Json(RemotePage { items: found.iter().map(|it| RemoteView::of(it, now)).collect(), next: None }))
}

/// The register of interventions, the latest first.
#[utoipa::path(get, path = "/api/v1/remote-sessions", tag = "remote", params(RemoteQuery), responses(
    (status = 200, body = RemotePage), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn register(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiQuery(query): ApiQuery<RemoteQuery>,
) -> Result<Json<RemotePage>, Problem> {
    let request = page_request(query.cursor.as_deref(), query.limit)?;
    let mut tx = state.context.db.read().await?;
    let found = service::list_register(&mut tx, &actor, &request).await?;
    let now = state.context.now();
    Ok(Json(RemotePage {
        items: found.rows.iter().map(|it| RemoteView::of(it, now)).collect(),
        next: found.next,
    }))
}
