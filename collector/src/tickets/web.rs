//! Pages of tickets: the queue, opening one, one ticket.

mod actions;
mod answer;
mod availability;
mod call;
mod clock_mark;
mod coverage;
mod field;
mod fields;
mod home;
mod inputs;
mod letterbox;
mod look_up;
mod mail_settings;
mod mine;
mod new;
mod notices;
mod parties;
#[cfg(test)]
mod portal_tests;
mod queue;
pub(crate) mod rows;
#[cfg(test)]
pub(crate) mod samples;
mod slot_picker;
mod summary;
mod ticket;
pub(crate) mod timeline;
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
        .route("/", get(home::show))
        .route("/tickets.csv", get(mine::export))
        .route("/tickets/new", get(new::ask).post(new::open).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)))
        .route("/tickets/new/summary", get(summary::show).post(summary::send_it))
        .route("/tickets/{number}/availability", post(availability::keep))
        .route("/tickets/new/look-up", get(look_up::fragment))
        .route("/tickets/bulk", post(together::bulk))
        .route("/tickets/views", post(together::save_view))
        .route("/canned-replies", get(together::canned_replies).post(together::save_canned_reply))
        .route("/tickets/{number}/presence", post(together::presence))
        .route("/tickets/{number}", get(ticket::show))
        .route("/tickets/{number}/coverage", post(coverage::decide))
        .route("/tickets/{number}/call", get(call::show))
        .route("/tickets/{number}/{action}", post(actions::act).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)))
        .route("/tickets/{number}/files/{file}", get(uploads::download))
        .route("/answer/{token}", get(answer::ask).post(answer::answer))
        .route("/mail-settings", get(mail_settings::show).post(mail_settings::save))
        .route("/incoming-mail", get(letterbox::show))
        .route("/incoming-mail/{mail}", get(letterbox::one))
        .route("/incoming-mail/{mail}/raw", get(letterbox::raw))
        .route("/incoming-mail/{mail}/convert", post(letterbox::convert))
        .route("/incoming-mail/{mail}/release", post(letterbox::release))
        .route("/incoming-mail/{mail}/discard", post(letterbox::discard))
        .route("/notices", get(notices::show))
        .route("/notices/count", get(notices::count))
        .route("/notices/read", post(notices::read))
}
