//! Language, theme and shortcuts: plain forms that set a cookie and lead back.

use axum::Router;
use axum::extract::State;
use axum::http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::post;
use serde::Deserialize;

use super::forms::PostedByAnyone;
use super::reader::{LANGUAGE_COOKIE, SHORTCUTS_COOKIE, THEME_COOKIE, Theme, cookie, session_cookie};
use super::{PageError, WebState, links, texts};
use crate::people::{self, Language};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wishes {
    language: String,
    theme: String,
    shortcuts: String,
    back: String,
}

pub(crate) fn routes() -> Router<WebState> {
    Router::new().route("/preferences", post(keep))
}

/// Keeps what was chosen; a signed-in person's language is also kept with the person.
async fn keep(
    State(state): State<WebState>,
    headers: HeaderMap,
    PostedByAnyone(wishes): PostedByAnyone<Wishes>,
) -> Result<Response, PageError> {
    let mut cookies = Vec::new();
    if let Some(language) = texts::spoken(&wishes.language) {
        let mut kept = preference(&state, LANGUAGE_COOKIE, texts::Texts::of(language).code());
        if let Some(token) = cookie(&headers, session_cookie(&state))
            && let Some(session) = people::find_session(&state.context, token).await?
        {
            people::set_language(&state.context, session.person.id, language).await?;
            kept = remembered_language(&state, language);
        }
        cookies.push(kept);
    }
    if !wishes.theme.is_empty() {
        cookies.push(preference(&state, THEME_COOKIE, Theme::from_code(&wishes.theme).code()));
    }
    if !wishes.shortcuts.is_empty() {
        cookies.push(preference(
            &state,
            SHORTCUTS_COOKIE,
            if wishes.shortcuts == "off" { "off" } else { "on" },
        ));
    }
    let headers = AppendHeaders(cookies.into_iter().map(|it| (SET_COOKIE, it)));
    Ok((headers, Redirect::to(links::local_path(&wishes.back, "/"))).into_response())
}

/// After the language of a signed-in person in the cookie: no wish of whoever signs in next.
const REMEMBERED: &str = "-of-person";

/// The cookie that keeps a signed-in person's language for the pages before the next sign-in.
pub(crate) fn remembered_language(state: &WebState, language: Language) -> HeaderValue {
    preference(state, LANGUAGE_COOKIE, &format!("{}{REMEMBERED}", texts::Texts::of(language).code()))
}

/// The language somebody chose before signing in.
pub(crate) fn chosen_language(headers: &HeaderMap) -> Option<Language> {
    cookie(headers, LANGUAGE_COOKIE).filter(|it| !it.ends_with(REMEMBERED)).and_then(texts::spoken)
}

/// A cookie for a year. The values are words of ours.
pub(crate) fn preference(state: &WebState, name: &str, value: &str) -> HeaderValue {
    let secure = if state.is_tls() { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("parc-preference=; Max-Age=0"))
}
