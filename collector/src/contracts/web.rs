//! Pages of contracts: the list with the form that makes one, and one with the form that changes it.

mod form;
mod pages;

use axum::Router;
use axum::routing::get;

use crate::web::WebState;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/contracts", get(pages::list).post(pages::create))
        .route("/contracts/{contract}", get(pages::show).post(pages::change))
}
