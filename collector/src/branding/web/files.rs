//! The style sheet of an accent and the logos. Both are named by what is in them, so browsers keep them for ever.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::branding::{self, Colour, Logo, Palette};
use crate::web::{PageError, WebState};

/// A year, the longest that caches honour.
const KEEP: &str = "public, max-age=31536000, immutable";
/// Where the preview of a colour stands on the settings page.
const PREVIEW: &str = ".brand-preview";

/// Address of an accent's style sheet.
pub(crate) fn style_address(accent: Colour) -> String {
    format!("/brand/{}.css", accent.to_string().trim_start_matches('#'))
}

/// Address of the style sheet that shows an accent inside the preview only.
pub(crate) fn preview_address(accent: Colour) -> String {
    format!("/brand/{}.preview.css", accent.to_string().trim_start_matches('#'))
}

/// Address of a logo.
pub(crate) fn logo_address(hash: &str) -> String {
    format!("/brand/logo/{hash}")
}

pub(super) async fn style(Path(name): Path<String>) -> Result<Response, PageError> {
    let stem = name.strip_suffix(".css").ok_or_else(PageError::not_found)?;
    let (digits, selector) = stem.strip_suffix(".preview").map_or((stem, ":root"), |it| (it, PREVIEW));
    let accent: Colour = digits.parse().map_err(|()| PageError::not_found())?;
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, KEEP)];
    Ok((headers, Palette::of(accent).style_sheet(selector)).into_response())
}

pub(super) async fn logo(
    State(state): State<WebState>,
    Path(hash): Path<String>,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.read().await?;
    let bytes = branding::find_logo(&mut tx, &hash).await?.ok_or_else(PageError::not_found)?;
    drop(tx);
    let logo = Logo::check(&bytes).map_err(|_| PageError::not_found())?;
    let headers = [(header::CONTENT_TYPE, logo.media_type), (header::CACHE_CONTROL, KEEP)];
    Ok((headers, logo.bytes).into_response())
}
