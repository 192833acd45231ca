//! Signing in and out; the pages of accounts.

mod account;
#[cfg(test)]
mod account_tests;
mod letters;
mod list;
mod password;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{SignInError, SignedIn};
use crate::people::{self, Language};
use crate::web::error::{page, page_with};
use crate::web::forms::PostedByAnyone;
use crate::web::preferences::{chosen_language, remembered_language};
use crate::web::reader::{cookie, session_cookie};
use crate::web::{Asked, PageError, Posted, Shell, Texts, Visitor, WebState, links};

/// Seconds a browser keeps the session's cookie: the longest a session lives.
const SESSION_SECONDS: u32 = 12 * 3_600;

#[derive(Debug, Template)]
#[template(path = "people/web/sign_in.html")]
struct SignInPage {
    shell: Shell,
    /// Where to go afterwards.
    next: String,
    /// Typed before, shown again.
    email: String,
    /// Why it did not work.
    refusal: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Next {
    next: String,
    done: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Credentials {
    email: String,
    password: String,
    next: String,
}

#[derive(Debug, Default, Deserialize)]
struct Nothing {}

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/sign-in", get(ask).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/password", get(password::ask).post(password::send_link))
        .route("/password/{token}", get(password::choose).post(password::set))
        .route("/account", get(account::show).post(account::keep))
        .route("/account/password", post(account::password))
        .route("/people", get(list::show))
        .route("/people/new", get(list::ask).post(list::add))
        .route("/people/{id}", get(list::one))
        .route("/people/{id}/{action}", post(list::change))
}

async fn ask(visitor: Visitor, Asked(asked): Asked<Next>) -> Result<Response, PageError> {
    let mut shown = sign_in_page(&visitor, &asked.next, "", None);
    shown.shell = shown.shell.with_notice(&asked.done);
    page(&shown)
}

async fn sign_in(
    State(state): State<WebState>,
    visitor: Visitor,
    headers: HeaderMap,
    PostedByAnyone(given): PostedByAnyone<Credentials>,
) -> Result<Response, PageError> {
    match people::sign_in(&state.context, &given.email, SecretString::from(given.password)).await {
        Ok(signed_in) => {
            let chosen = chosen_language(&headers).filter(|it| *it != signed_in.person.language);
            if let Some(language) = chosen {
                people::set_language(&state.context, signed_in.person.id, language).await?;
            }
            Ok(welcome(&state, &signed_in, chosen, &given.next))
        }
        Err(error) => {
            let now = state.context.now();
            let refusal = refusal(visitor.texts, &error, |until| until.since(now).as_secs().div_ceil(60))?;
            let shown = sign_in_page(&visitor, &given.next, &given.email, Some(refusal));
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
    }
}

async fn sign_out(
    State(state): State<WebState>,
    headers: HeaderMap,
    _form: Posted<Nothing>,
) -> Result<Response, PageError> {
    if let Some(token) = cookie(&headers, session_cookie(&state)) {
        people::sign_out(&state.context, token).await?;
    }
    Ok((AppendHeaders([(SET_COOKIE, session(&state, "", 0))]), Redirect::to("/sign-in")).into_response())
}

/// Neutral about which of the two was wrong; a lock says how long it lasts.
fn refusal(
    texts: Texts,
    error: &SignInError,
    minutes_until: impl Fn(crate::kernel::time::UtcMicros) -> u64,
) -> Result<String, PageError> {
    match error {
        SignInError::Refused => Ok(texts.t("sign-in-refused").into_owned()),
        SignInError::Locked { until } => {
            let minutes = i64::try_from(minutes_until(*until).max(1)).unwrap_or(i64::MAX);
            Ok(texts.tn("sign-in-locked", minutes).into_owned())
        }
        SignInError::Busy => Ok(texts.t("sign-in-busy").into_owned()),
        SignInError::Store(cause) => {
            Err(PageError::of(crate::kernel::error::Fault::kind(cause), crate::kernel::error::Chain(cause)))
        }
    }
}

fn welcome(state: &WebState, signed_in: &SignedIn, chosen: Option<Language>, next: &str) -> Response {
    let language = chosen.unwrap_or(signed_in.person.language);
    let cookies = [
        (SET_COOKIE, session(state, signed_in.token.expose_secret(), SESSION_SECONDS)),
        (SET_COOKIE, remembered_language(state, language)),
    ];
    (AppendHeaders(cookies), Redirect::to(links::local_path(next, "/"))).into_response()
}

fn session(state: &WebState, token: &str, seconds: u32) -> HeaderValue {
    let secure = if state.is_tls() { "; Secure" } else { "" };
    let name = session_cookie(state);
    let text = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("parc=; Max-Age=0"));
    value.set_sensitive(true);
    value
}

fn sign_in_page(visitor: &Visitor, next: &str, email: &str, refusal: Option<String>) -> SignInPage {
    let title = visitor.texts.t("sign-in-title").into_owned();
    let next = links::local_path(next, "").to_owned();
    SignInPage { shell: Shell::of(visitor, title), next, email: email.chars().take(254).collect(), refusal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::UtcMicros;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, visitor};

    #[test]
    fn the_sign_in_page_is_drawn_in_both_languages_with_and_without_a_refusal() {
        for language in LANGUAGES {
            let visitor = visitor(language);
            check("sign-in", language, &sign_in_page(&visitor, "/parc?q=a", "", None));
            let refusal = refusal(visitor.texts, &SignInError::Refused, |_| 0).expect("said");
            let html =
                check("sign-in-refused", language, &sign_in_page(&visitor, "//evil", HOSTILE, Some(refusal)));
            assert!(!html.contains("//evil"));
        }
    }

    #[test]
    fn a_lock_says_how_long_it_lasts() {
        let locked = SignInError::Locked { until: UtcMicros(0) };
        let said = refusal(Texts::of(people::Language::Fr), &locked, |_| 14).expect("said");
        assert!(said.contains("14"), "{said}");
    }
}
