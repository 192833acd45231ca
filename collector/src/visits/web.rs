//! Pages of visits: the planning, planning one, one visit; and what stands on a ticket's page.

mod form;
pub(crate) mod on_ticket;
mod planning;
#[cfg(test)]
pub(crate) mod samples;
mod visit;

use axum::Router;
use axum::routing::{get, post};

use crate::web::WebState;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/planning", get(planning::show))
        .route("/planning.ics", get(planning::calendar_file))
        .route("/tickets/{number}/visits/new", get(form::ask))
        .route("/tickets/{number}/visits", post(form::plan))
        .route("/visits/{id}", get(visit::show))
        .route("/visits/{id}/calendar.ics", get(visit::calendar_file))
        .route("/visits/{id}/{step}", post(visit::step))
}
