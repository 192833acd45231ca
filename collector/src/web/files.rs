//! The three embedded files. Their addresses carry a hash of the content, so browsers keep them for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{PageError, WebState};

/// A year, the longest that caches honour.
const KEEP: &str = "public, max-age=31536000, immutable";

struct File {
    address: String,
    media_type: &'static str,
    content: &'static str,
}

static FILES: LazyLock<[File; 3]> = LazyLock::new(|| {
    [
        file("parc", "css", "text/css; charset=utf-8", include_str!("parc.css")),
        file("parc", "js", "text/javascript; charset=utf-8", include_str!("parc.js")),
        file("parc", "svg", "image/svg+xml", include_str!("parc.svg")),
    ]
});

fn file(stem: &str, extension: &str, media_type: &'static str, content: &'static str) -> File {
    let hash = blake3::hash(content.as_bytes()).to_hex();
    File { address: format!("/static/{stem}.{}.{extension}", &hash[..16]), media_type, content }
}

/// Address of the style sheet.
pub(crate) fn style() -> &'static str {
    &FILES[0].address
}

/// Address of the script.
pub(crate) fn script() -> &'static str {
    &FILES[1].address
}

/// Address of the picture in the browser's tab.
pub(crate) fn picture() -> &'static str {
    &FILES[2].address
}

pub(crate) fn routes() -> Router<WebState> {
    Router::new().route("/static/{name}", get(send))
}

async fn send(Path(name): Path<String>) -> Result<Response, PageError> {
    let found = FILES.iter().find(|it| it.address.strip_prefix("/static/") == Some(name.as_str()));
    let file = found.ok_or_else(PageError::not_found)?;
    let headers = [(header::CONTENT_TYPE, file.media_type), (header::CACHE_CONTROL, KEEP)];
    Ok((headers, file.content).into_response())
}
