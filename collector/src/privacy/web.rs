//! Pages of privacy: what is collected, everything about oneself, and for who administers, who is to be forgotten.

mod data;
mod erasures;
mod notice;

use axum::Router;
use axum::routing::{get, post};

use crate::web::WebState;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/privacy", get(notice::show))
        .route("/privacy/data", get(data::show_own))
        .route("/privacy/data.json", get(data::send_own))
        .route("/privacy/erasures", get(erasures::show).post(erasures::ask))
        .route("/privacy/erasures/{id}", get(erasures::texts))
        .route("/privacy/erasures/{id}/{step}", post(erasures::decide))
        .route("/privacy/people/{person}/data", get(data::show))
        .route("/privacy/people/{person}/data.json", get(data::send))
}
