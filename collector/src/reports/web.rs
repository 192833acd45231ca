//! The page of indicators and its export.

mod chart;
mod export;
mod show;

use axum::Router;
use axum::routing::get;

use crate::web::WebState;

pub(crate) fn routes() -> Router<WebState> {
    Router::new().route("/reports", get(show::show)).route("/reports.csv", get(export::send))
}
