//! Pages of tickets: the queue, opening one, one ticket.

mod actions;
mod call;
mod field;
mod fields;
mod inputs;
mod look_up;
mod new;
mod queue;
pub(crate) mod rows;
#[cfg(test)]
pub(crate) mod samples;
mod ticket;
mod timeline;
mod together;
#[cfg(test)]
mod upload_tests;
pub(crate) mod uploads;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::files::web::BODY_BYTES_MAX;
use crate::web::WebState;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/tickets", get(queue::show))
        .route("/tickets/new", get(new::ask).post(new::open))
        .route("/tickets/new/look-up", get(look_up::fragment))
        .route("/tickets/bulk", post(together::bulk))
        .route("/tickets/views", post(together::save_view))
        .route("/canned-replies", get(together::canned_replies).post(together::save_canned_reply))
        .route("/tickets/{number}/presence", post(together::presence))
        .route("/tickets/{number}", get(ticket::show))
        .route("/tickets/{number}/call", get(call::show))
        .route("/tickets/{number}/{action}", post(actions::act).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)))
        .route("/tickets/{number}/files/{file}", get(uploads::download))
}
