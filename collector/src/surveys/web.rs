//! Pages of satisfaction: the survey itself, what came of all of them, and the criteria.

mod answer;
mod results;

use axum::Router;
use axum::routing::{get, post};

use crate::web::WebState;

pub(crate) use answer::is_offered;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/tickets/{number}/survey", get(answer::ask).post(answer::keep))
        .route("/surveys", get(results::show))
        .route("/surveys/criteria", post(results::add))
        .route("/surveys/criteria/{id}/retire", post(results::retire))
}
