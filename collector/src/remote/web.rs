//! Remote sessions on their ticket's page, and the register of interventions.

pub(crate) mod on_ticket;
mod register;
mod steps;

use axum::Router;
use axum::routing::{get, post};

use crate::web::WebState;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/interventions", get(register::show))
        .route("/tickets/{number}/remote", post(steps::ask))
        .route("/remote/{id}/{step}", post(steps::step))
}
