//! Around every page: the origin check before, the headers and the error page after.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::error::{self, ErrorPage, PageError};
use super::reader::{Reader, cookie, session_cookie};
use super::{Visitor, WebState, links};
use crate::kernel::error::ErrorKind;

/// Everything from here, nothing inline, no frame around us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// The middleware.
pub(crate) async fn guard(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let brand = state.brands.of(&state.context, None).await;
    let visitor = Visitor::of(request.headers(), request.uri(), brand);
    let token = cookie(request.headers(), session_cookie(&state)).map(ToOwned::to_owned);
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let mut response = if safe || comes_from_us(request.headers(), &state.public_url) {
        next.run(request).await
    } else {
        PageError::of(ErrorKind::Forbidden, "the form comes from another site").into_response()
    };
    if let Some(failure) = response.extensions_mut().remove::<PageError>() {
        let reader = known_reader(&state, &visitor, token.as_deref(), failure.kind()).await;
        response = show(&state, &visitor, reader.as_ref(), &failure, safe);
    }
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Browsers say where a form comes from; what says nothing is no browser and carries no cookie of a victim.
fn comes_from_us(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else { return true };
    let authority = origin.split_once("://").map_or("", |it| it.1);
    origin == public_url || (!authority.is_empty() && text("host") == Some(authority))
}

/// Whose navigation stands on an error page. While the store does not answer, nobody waits for it twice.
async fn known_reader(
    state: &WebState,
    visitor: &Visitor,
    token: Option<&str>,
    kind: ErrorKind,
) -> Option<Reader> {
    if matches!(kind, ErrorKind::Unauthenticated | ErrorKind::Unavailable) {
        return None;
    }
    Reader::of_session(state, visitor.clone(), token?).await.ok().flatten()
}

fn show(
    state: &WebState,
    visitor: &Visitor,
    reader: Option<&Reader>,
    failure: &PageError,
    safe: bool,
) -> Response {
    if failure.kind() == ErrorKind::Unauthenticated {
        let next = if safe { visitor.here.as_str() } else { "" };
        let next = if next == "/" { "" } else { next };
        return Redirect::to(&links::with_query("/sign-in", &[("next", next)])).into_response();
    }
    let incident =
        matches!(failure.kind(), ErrorKind::Internal | ErrorKind::Unavailable).then(|| number(state));
    if let Some(incident) = &incident {
        tracing::error!(%incident, cause = failure.cause(), "a page failed");
    } else {
        tracing::debug!(cause = failure.cause(), kind = ?failure.kind(), "a page was refused");
    }
    let shown = error::page_with(
        error::status(failure.kind()),
        &ErrorPage::of(visitor, reader, failure.kind(), incident),
    );
    shown.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Eight characters that are easy to read over the phone.
fn number(state: &WebState) -> String {
    const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let mut bytes = [0_u8; 8];
    state.context.entropy.fill(&mut bytes);
    bytes.iter().map(|it| char::from(LETTERS[usize::from(it % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_form_from_another_site_is_refused() {
        let url = "https://parc.example";
        let ours = [("origin", "https://parc.example"), ("host", "internal:8080")];
        assert!(comes_from_us(&headers(&ours), url));
        assert!(comes_from_us(
            &headers(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]),
            url
        ));
        assert!(!comes_from_us(
            &headers(&[("origin", "https://evil.example"), ("host", "parc.example")]),
            url
        ));
        assert!(!comes_from_us(&headers(&[("origin", "null"), ("host", "parc.example")]), url));
        let lies = [("sec-fetch-site", "cross-site"), ("origin", "https://parc.example")];
        assert!(!comes_from_us(&headers(&lies), url));
        assert!(!comes_from_us(&headers(&[("sec-fetch-site", "same-site")]), url));
        assert!(comes_from_us(&headers(&[]), url));
    }
}
