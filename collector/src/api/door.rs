//! The joint: all slices' routes behind one guard. The only file of the toolkit that knows slices' edges.

use axum::Router;
use axum::middleware;
use axum::routing::get;

use super::guard;
use super::openapi;
use super::problem::Problem;
use super::{ApiState, Route};
use crate::{calendars, contracts, inventory, loans, remote, reports, search, teams, tickets, visits};

/// The REST interface under `/api/v1`, to be merged into the listener for people and programs.
pub fn router(state: ApiState) -> Router {
    let guarded =
        routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    guarded
        .route("/api/{*rest}", axum::routing::any(unknown))
        .layer(middleware::from_fn_with_state(state.clone(), guard::authenticated))
        .route(openapi::PATH, get(openapi::document))
        .layer(middleware::from_fn_with_state(state.clone(), guard::finished))
        .with_state(state)
}

/// Every route that needs a key.
pub(super) fn routes() -> Vec<Route> {
    [
        tickets::api::routes(),
        teams::api::routes(),
        inventory::api::routes(),
        visits::api::routes(),
        loans::api::routes(),
        remote::api::routes(),
        reports::api::routes(),
        calendars::api::routes(),
        contracts::api::routes(),
        search::api::routes(),
    ]
    .concat()
}

/// Other paths below `/api` are problems too, and need a key like the rest.
async fn unknown() -> Problem {
    Problem::not_found()
}
