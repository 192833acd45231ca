//! Pages of agents and their enroll tokens.

mod agents;
mod tokens;

use axum::Router;
use axum::routing::{get, post};

use crate::web::WebState;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/agents", get(agents::show))
        .route("/agents/{agent}/{action}", post(agents::act))
        .route("/enroll-tokens", get(tokens::show).post(tokens::create))
        .route("/enroll-tokens/{token}/revoke", post(tokens::revoke))
}
