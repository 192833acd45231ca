//! Pages of loans: the register with the stock, preparing one, one loan; what stands on the pages of tickets and
//! machines; the sticker of a machine.

mod form;
mod loan;
pub(crate) mod on_page;
mod register;

use axum::Router;
use axum::routing::{get, post};

use crate::web::WebState;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/loans", get(register::show))
        .route("/tickets/{number}/loans/new", get(form::ask))
        .route("/tickets/{number}/loans", post(form::prepare))
        .route("/loans/{id}", get(loan::show))
        .route("/loans/{id}/{step}", post(loan::step))
}
