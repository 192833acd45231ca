//! The one middleware around all routes: names the request, asks who calls, counts the call, and finishes what
//! problems leave open.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::ApiState;
use super::problem::{MEDIA_TYPE, Problem};
use crate::kernel::actor::{Actor, ActorKind};
use crate::people;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a request id that a caller brings along.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller(pub Actor);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unauthenticated)
    }
}

/// Around every route that needs a key.
pub(super) async fn authenticated(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&state, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refused) => refused,
    }
}

/// Around everything: request id, no caching, problems made whole. The router itself adds `Allow` to what a path
/// refuses; to who asks for it (`OPTIONS`), the same is no refusal.
pub(super) async fn finished(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let request_id = request_id(&state, request.headers());
    let path = request.uri().path().to_owned();
    let asks_for_methods = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED && asks_for_methods {
        *response.status_mut() = StatusCode::NO_CONTENT;
    } else if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && response.extensions().get::<Problem>().is_none()
    {
        let allow = response.headers().get(header::ALLOW).cloned();
        let detail = "this path does not answer this method";
        response = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", detail).into_response();
        response.headers_mut().extend(allow.map(|it| (header::ALLOW, it)));
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = whole(problem, response, path, &request_id);
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, value);
    }
    response
}

async fn admit(state: &ApiState, headers: &HeaderMap) -> Result<Caller, Response> {
    let refuse = || {
        let mut response = unauthenticated().into_response();
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"parc\""));
        response
    };
    let key = bearer(headers).ok_or_else(refuse)?;
    let actor = people::find_api_key_actor(&state.context, key)
        .await
        .map_err(|error| Problem::from(error).into_response())?
        .ok_or_else(refuse)?;
    if let ActorKind::ApiKey(id) = actor.kind
        && let Err(wait) = state.limiter.take(id, state.context.now())
    {
        let detail = "too many calls with this key; wait as long as Retry-After says";
        let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate", detail).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        return Err(response);
    }
    Ok(Caller(actor))
}

/// The key of `Authorization: Bearer KEY`; the scheme's case does not matter (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim()).filter(|it| !it.is_empty())
}

/// A missing, unknown, expired and revoked key are refused in the same words.
fn unauthenticated() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        "a valid API key is needed: Authorization: Bearer KEY",
    )
}

/// The caller's own id if it is harmless, so that both sides' logs can be joined; a fresh one otherwise.
fn request_id(state: &ApiState, headers: &HeaderMap) -> String {
    let plain = |it: &&str| {
        (1..=REQUEST_ID_CHARS_MAX).contains(&it.len())
            && it.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if let Some(brought) = headers.get(REQUEST_ID).and_then(|it| it.to_str().ok()).filter(plain) {
        return brought.to_owned();
    }
    let mut random = [0_u8; 8];
    state.context.entropy.fill(&mut random);
    format!("{:016x}", u64::from_be_bytes(random))
}

/// Gives a problem its instance and body; the cause of an internal one goes to the log under the request id.
fn whole(mut problem: Problem, response: Response, path: String, request_id: &str) -> Response {
    let details = &mut problem.0;
    if let Some(cause) = details.cause.take() {
        tracing::error!(request.id = request_id, http.status = details.status, cause, "request failed");
        details.instance = format!("urn:parc:incident:{request_id}");
    } else {
        details.instance = path;
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = serde_json::to_vec(details).unwrap_or_default();
    Response::from_parts(parts, body.into())
}
