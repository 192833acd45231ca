//! One's own account: language, phone, usual site, shortcuts, password.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;

use crate::people::{self, Contact, PASSWORD_CHARS, PeopleError};
use crate::sites::{self, Site};
use crate::web::error::{page, page_with};
use crate::web::parts::{Choice, FieldErrors};
use crate::web::preferences::{preference, remembered_language};
use crate::web::reader::SHORTCUTS_COOKIE;
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Texts, WebState, texts};

#[derive(Debug, Template)]
#[template(path = "people/web/account.html")]
struct AccountPage {
    shell: Shell,
    name: String,
    email: String,
    login: String,
    organisation: String,
    phone: String,
    sites: Vec<Choice>,
    languages: Vec<Choice>,
    /// Pages of staff have single-key shortcuts.
    has_shortcuts: bool,
    password_min: String,
    errors: FieldErrors,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    done: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AccountForm {
    language: String,
    phone: String,
    site: String,
    shortcuts: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PasswordForm {
    current: String,
    password: String,
    again: String,
}

pub(super) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<Done>,
    reader: Reader,
) -> Result<Response, PageError> {
    let form = form_of(&reader);
    page(&load(&state, &reader, form, FieldErrors::default(), &asked.done).await?)
}

fn form_of(reader: &Reader) -> AccountForm {
    AccountForm {
        language: reader.texts().code().to_owned(),
        phone: reader.person.phone.clone(),
        site: reader.person.default_site_id.map(|it| it.to_string()).unwrap_or_default(),
        shortcuts: String::new(),
    }
}

pub(super) async fn keep(
    State(state): State<WebState>,
    Posted { reader, fields: form }: Posted<AccountForm>,
) -> Result<Response, PageError> {
    let contact = Contact { phone: form.phone.clone(), default_site_id: form.site.parse().ok() };
    let mut tx = state.context.db.begin().await?;
    let set = people::set_contact(&mut tx, &state.context, &reader.actor, reader.person.id, contact).await;
    if let Err(error) = set {
        let Some(errors) = refused(reader.texts(), &error) else { return Err(error.into()) };
        drop(tx);
        let shown = load(&state, &reader, form, errors, "").await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    }
    tx.commit().await?;
    let mut cookies = Vec::new();
    if let Some(language) = texts::spoken(&form.language) {
        people::set_language(&state.context, reader.person.id, language).await?;
        cookies.push((SET_COOKIE, remembered_language(&state, language)));
    }
    if reader.actor.is_staff() {
        let shortcuts = if form.shortcuts == "on" { "on" } else { "off" };
        cookies.push((SET_COOKIE, preference(&state, SHORTCUTS_COOKIE, shortcuts)));
    }
    Ok((AppendHeaders(cookies), Redirect::to("/account?done=account")).into_response())
}

pub(super) async fn password(
    State(state): State<WebState>,
    Posted { reader, fields }: Posted<PasswordForm>,
) -> Result<Response, PageError> {
    let texts = reader.texts();
    let mut errors = FieldErrors::default();
    if fields.password == fields.again {
        let (current, new) = (SecretString::from(fields.current), SecretString::from(fields.password));
        match people::change_password(&state.context, &reader.person, current, new).await {
            Ok(()) => return Ok(Redirect::to("/sign-in?done=password").into_response()),
            Err(error) => match refused(texts, &error) {
                Some(found) => errors = found,
                None => return Err(error.into()),
            },
        }
    } else {
        errors.add("again", texts.t("password-differs"));
    }
    let shown = load(&state, &reader, form_of(&reader), errors, "").await?;
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// A refusal at the field it names, in the reader's language.
pub(super) fn refused(texts: Texts, error: &PeopleError) -> Option<FieldErrors> {
    let mut errors = FieldErrors::default();
    match error {
        PeopleError::Invalid { field: "password", reason } => errors.add("password", weak(texts, reason)),
        PeopleError::Invalid { field: "current", .. } => {
            errors.add("current", texts.t("password-current-wrong"));
        }
        PeopleError::Invalid { field: "login", reason } if reason.contains("taken") => {
            errors.add("login", texts.t("person-login-taken"));
        }
        PeopleError::Invalid { field: "login", .. } => errors.add("login", texts.t("person-login-malformed")),
        PeopleError::Invalid { field: "default_site_id", .. } => errors.add("site", texts.t("field-refused")),
        PeopleError::Invalid { field: "organisation_id", .. } => {
            errors.add("organisation", texts.t("new-organisation-missing"));
        }
        PeopleError::Invalid { field: "name", .. } => {
            errors.add("name", texts.t1("too-long-or-empty", "max", "120"));
        }
        PeopleError::Invalid { field: "phone", .. } => errors.add("phone", texts.t1("too-long", "max", "40")),
        PeopleError::Invalid { field, .. } => errors.add(field, texts.t("field-refused")),
        PeopleError::Taken(_) => errors.add("email", texts.t("person-email-taken")),
        PeopleError::Busy => errors.add("password", texts.t("sign-in-busy")),
        PeopleError::NotFound | PeopleError::Forbidden | PeopleError::Store(_) => return None,
    }
    Some(errors)
}

/// Why a password was refused.
fn weak(texts: Texts, reason: &str) -> std::borrow::Cow<'static, str> {
    if reason.contains("characters") {
        texts.t1("password-length", "min", &PASSWORD_CHARS.start().to_string())
    } else if reason.contains("address") {
        texts.t("password-is-address")
    } else {
        texts.t("password-common")
    }
}

async fn load(
    state: &WebState,
    reader: &Reader,
    form: AccountForm,
    errors: FieldErrors,
    done: &str,
) -> Result<AccountPage, PageError> {
    let (mut organisation, mut sites) = (String::new(), Vec::new());
    if let Some(id) = reader.person.organisation_id {
        let mut tx = state.context.db.read().await?;
        organisation = sites::find_organisation(&mut tx, id).await?.map(|it| it.name).unwrap_or_default();
        sites = sites::list_sites(&mut tx, id).await?;
    }
    let shell = reader.shell(reader.texts().t("account-title"), Section::Account).with_notice(done);
    Ok(account_page(shell, reader, (organisation, sites), form, errors))
}

fn account_page(
    shell: Shell,
    reader: &Reader,
    (organisation, sites): (String, Vec<Site>),
    form: AccountForm,
    errors: FieldErrors,
) -> AccountPage {
    let language = |code: &str, name: &str| Choice::new(code, name, form.language == code);
    AccountPage {
        name: reader.person.name.clone(),
        email: reader.person.email.to_string(),
        login: reader.person.login.clone().unwrap_or_default(),
        organisation,
        sites: sites
            .iter()
            .map(|it| Choice::new(it.id.to_string(), it.name.clone(), it.id.to_string() == form.site))
            .collect(),
        languages: vec![language("fr", "Français"), language("en", "English")],
        has_shortcuts: reader.actor.is_staff(),
        password_min: PASSWORD_CHARS.start().to_string(),
        phone: form.phone,
        errors,
        shell,
    }
}
