//! The pages that set names, colours and announcements, and the files that follow from them.

mod announcements;
mod files;
mod settings;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::LOGO_BYTES_MAX;
use crate::web::WebState;

pub(crate) use announcements::{Banner, banners};
pub(crate) use files::{logo_address, style_address};

/// Room for the texts beside a logo that is too large, so that its form comes back.
const FORM_BYTES_MAX: usize = 4 * 1024 * 1024 + LOGO_BYTES_MAX;

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/brand/{name}", get(files::style))
        .route("/brand/logo/{hash}", get(files::logo))
        .route(
            "/branding",
            get(settings::show).post(settings::keep).layer(DefaultBodyLimit::max(FORM_BYTES_MAX)),
        )
        .route("/announcements", get(announcements::show).post(announcements::publish))
        .route("/announcements/{id}/end", post(announcements::end))
}
