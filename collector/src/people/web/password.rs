//! Forgotten and first passwords: one neutral answer for every address, then a link that works once.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;

use super::account::refused;
use super::letters;
use crate::people::{self, LinkPurpose, PASSWORD_CHARS, PeopleError, actor_of};
use crate::web::error::{page, page_with};
use crate::web::forms::PostedByAnyone;
use crate::web::parts::FieldErrors;
use crate::web::{PageError, Shell, Visitor, WebState};

/// Characters of an address that are looked at.
const ADDRESS_CHARS_MAX: usize = 254;

#[derive(Debug, Template)]
#[template(path = "people/web/forgotten.html")]
struct ForgottenPage {
    shell: Shell,
    /// The answer, the same for every address.
    asked: bool,
}

#[derive(Debug, Template)]
#[template(path = "people/web/choose.html")]
struct ChoosePage {
    shell: Shell,
    /// Part of the form's address.
    token: String,
    /// Whose password it is; nothing when the link no longer works.
    email: String,
    password_min: String,
    errors: FieldErrors,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Address {
    email: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    password: String,
    again: String,
}

pub(super) async fn ask(visitor: Visitor) -> Result<Response, PageError> {
    page(&forgotten_page(&visitor, false))
}

/// Answers before anything is looked up, so that neither words nor time tell who has an account.
pub(super) async fn send_link(
    State(state): State<WebState>,
    visitor: Visitor,
    PostedByAnyone(given): PostedByAnyone<Address>,
) -> Result<Response, PageError> {
    let address: String = given.email.trim().to_lowercase().chars().take(ADDRESS_CHARS_MAX).collect();
    if !address.is_empty() {
        tokio::spawn(async move {
            if let Err(error) = send_if_known(&state, &address).await {
                tracing::error!(error = error.cause(), "a password link was not sent");
            }
        });
    }
    page(&forgotten_page(&visitor, true))
}

async fn send_if_known(state: &WebState, address: &str) -> Result<(), PageError> {
    let mut tx = state.context.db.begin().await?;
    let wanted = people::count_mail(&mut tx, &state.context, address).await?;
    let person = people::find_person_by_identifier(&mut tx, address).await?;
    if let Some(person) = person.filter(|it| wanted && actor_of(it).is_some()) {
        letters::send_link(&mut tx, state, &person, LinkPurpose::Reset).await?;
    }
    tx.commit().await?;
    Ok(())
}

pub(super) async fn choose(
    State(state): State<WebState>,
    Path(token): Path<String>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let person = people::find_link(&state.context, &token).await?;
    let status = if person.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let email = person.map(|it| it.email.to_string()).unwrap_or_default();
    page_with(status, &choose_page(&visitor, token, email, FieldErrors::default()))
}

pub(super) async fn set(
    State(state): State<WebState>,
    Path(token): Path<String>,
    visitor: Visitor,
    PostedByAnyone(chosen): PostedByAnyone<Chosen>,
) -> Result<Response, PageError> {
    let texts = visitor.texts;
    let mut errors = FieldErrors::default();
    if chosen.password == chosen.again {
        let secret = SecretString::from(token.clone());
        match people::use_link(&state.context, &secret, chosen.password.into()).await {
            Ok(_) => return Ok(Redirect::to("/sign-in?done=password").into_response()),
            Err(PeopleError::NotFound) => {
                let gone = choose_page(&visitor, token, String::new(), errors);
                return page_with(StatusCode::NOT_FOUND, &gone);
            }
            Err(error) => match refused(texts, &error) {
                Some(found) => errors = found,
                None => return Err(error.into()),
            },
        }
    } else {
        errors.add("again", texts.t("password-differs"));
    }
    let person = people::find_link(&state.context, &token).await?;
    let email = person.map(|it| it.email.to_string()).unwrap_or_default();
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &choose_page(&visitor, token, email, errors))
}

fn forgotten_page(visitor: &Visitor, asked: bool) -> ForgottenPage {
    ForgottenPage { shell: Shell::of(visitor, visitor.texts.t("forgotten-title")), asked }
}

fn choose_page(visitor: &Visitor, token: String, email: String, errors: FieldErrors) -> ChoosePage {
    let title = if email.is_empty() { "link-gone-title" } else { "choose-password-title" };
    ChoosePage {
        shell: Shell::of(visitor, visitor.texts.t(title)),
        token,
        email,
        password_min: PASSWORD_CHARS.start().to_string(),
        errors,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::rendering::{LANGUAGES, check, visitor};

    #[test]
    fn the_pages_around_a_password_are_drawn_in_both_languages() {
        for language in LANGUAGES {
            let visitor = visitor(language);
            check("forgotten", language, &forgotten_page(&visitor, false));
            check("forgotten-asked", language, &forgotten_page(&visitor, true));
            let none = FieldErrors::default;
            check("choose-gone", language, &choose_page(&visitor, "t".into(), String::new(), none()));
            let mut errors = none();
            errors.add("again", visitor.texts.t("password-differs"));
            let html = check("choose", language, &choose_page(&visitor, "t".into(), "a@b.fr".into(), errors));
            assert!(html.contains("action=\"/password/t\""));
        }
    }
}
