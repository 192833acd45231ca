//! REST of the search.

use axum::Json;
use axum::extract::State;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::service;
use crate::api::{ApiQuery, ApiState, Caller, Problem, ProblemDetails, Route};
use crate::tickets::TicketState;

/// The slice's part of the OpenAPI document.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(paths(search))]
pub struct SearchDocument;

/// Paths of the slice.
pub fn routes() -> Vec<Route> {
    vec![("/api/v1/search", get(search))]
}

/// What to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// Words; the first 100 characters count.
    q: String,
}

/// A ticket that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TicketHit {
    /// Its number.
    number: String,
    /// One line.
    summary: String,
    /// Where it stands.
    state: TicketState,
}

/// A machine that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MachineHit {
    /// Its id.
    id: String,
    /// Inventory number, empty without.
    tag: String,
    /// Host name, or the declared name.
    name: String,
    /// Manufacturer.
    make: String,
    /// Model.
    model: String,
    /// Serial number.
    serial: String,
}

/// Somebody who was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PersonHit {
    /// Name.
    name: String,
    /// E-mail address.
    email: String,
}

/// Up to ten of each kind.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SearchView {
    /// Tickets, most urgent first.
    tickets: Vec<TicketHit>,
    /// Machines, by name.
    machines: Vec<MachineHit>,
    /// People, by name.
    people: Vec<PersonHit>,
}

/// Looks for words in numbers, summaries, tags, serials, names and people, as far as the key may see them.
#[utoipa::path(get, path = "/api/v1/search", tag = "search", params(SearchQuery), responses(
    (status = 200, body = SearchView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn search(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiQuery(query): ApiQuery<SearchQuery>,
) -> Result<Json<SearchView>, Problem> {
    let found = service::search(&state.context, &actor, &query.q).await?;
    Ok(Json(SearchView {
        tickets: found
            .tickets
            .into_iter()
            .map(|it| TicketHit {
                number: it.ticket.number.to_string(),
                summary: it.ticket.summary,
                state: it.ticket.state,
            })
            .collect(),
        machines: found
            .machines
            .into_iter()
            .map(|it| MachineHit {
                id: it.id.to_string(),
                tag: it.tag.unwrap_or_default(),
                name: it.name,
                make: it.make,
                model: it.model,
                serial: it.serial,
            })
            .collect(),
        people: found
            .people
            .into_iter()
            .map(|it| PersonHit { name: it.name, email: it.email.to_string() })
            .collect(),
    }))
}
