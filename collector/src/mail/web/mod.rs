//! How mails look, and the page of the outbox.

pub(crate) mod letter;
mod outbox;

use axum::Router;
use axum::routing::{get, post};

use crate::web::WebState;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/outbox", get(outbox::show))
        .route("/outbox/switch", post(outbox::turn))
        .route("/outbox/test", post(outbox::test))
        .route("/outbox/{mail}/retry", post(outbox::retry))
}
