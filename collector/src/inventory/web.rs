//! Pages of the parc: the list, one item, conflicts of tags.

pub(crate) mod asset;
mod asset_forms;
pub(crate) mod changes;
mod conflicts;
mod csv_export;
pub(crate) mod machine;
mod parc;
#[cfg(test)]
pub(crate) mod samples;
mod sticker;

use axum::Router;
use axum::routing::{get, post};

use crate::web::WebState;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/parc", get(parc::show))
        .route("/parc/export.csv", get(csv_export::send))
        .route("/parc/{ci}", get(asset::overview))
        .route("/parc/{ci}/software", get(asset::software))
        .route("/parc/{ci}/history", get(asset::history))
        .route("/parc/{ci}/tickets", get(asset::tickets))
        .route("/parc/{ci}/declare", post(asset_forms::declare))
        .route("/parc/{ci}/tag", post(asset_forms::assign_tag))
        .route("/parc/{ci}/lifecycle", post(asset_forms::set_lifecycle))
        .route("/parc/{ci}/loans", get(asset::loans))
        .route("/parc/{ci}/sticker", get(sticker::show))
        .route("/conflicts", get(conflicts::show))
        .route("/conflicts/{conflict}", post(conflicts::settle))
}
