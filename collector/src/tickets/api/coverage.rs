//! Deciding about what no contract covers.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::handlers::{seen, shown};
use super::requests::CoverageRequest;
use super::responses::TicketDetail;
use crate::api::{ApiJson, ApiPath, ApiState, Caller, IfMatch, Problem, ProblemDetails};
use crate::tickets::{self, TicketError};

/// Says what happens with a ticket that no contract covers.
#[utoipa::path(post, path = "/api/v1/tickets/{number}/coverage", tag = "tickets", request_body = CoverageRequest,
    params(("number" = String, Path), ("If-Match" = Option<String>, Header, description = "entity tag that was seen")),
    responses((status = 200, body = TicketDetail),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn decide(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    if_match: IfMatch,
    ApiPath(number): ApiPath,
    ApiJson(body): ApiJson<CoverageRequest>,
) -> Result<Response, Problem> {
    let ticket = seen(&state.context, &actor, &number).await?.ticket;
    let target = (&ticket.number, ticket.version);
    let done = if if_match.allows(ticket.version) {
        tickets::decide_coverage(&state.context, &actor, target, body.decision, &body.note).await
    } else {
        Err(TicketError::Stale { current: ticket.version, changes: Vec::new() })
    };
    match done {
        Ok(view) => Ok(shown(&actor, view)),
        Err(error @ TicketError::Stale { .. }) => {
            Err(Problem::new(StatusCode::PRECONDITION_FAILED, "stale", error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}
