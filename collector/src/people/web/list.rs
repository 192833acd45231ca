//! The people who may contact support (rules R006, R007): found, added, suspended, removed.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::account::refused;
use super::letters;
use crate::db::Tx;
use crate::kernel::actor::{Permission, Role};
use crate::kernel::id::{OrganisationId, PersonId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::text::EmailAddress;
use crate::people::{self, Contact, Language, LinkPurpose, NewPerson, Person, grantable_roles, may_manage};
use crate::sites::{self, Organisation, Site};
use crate::web::error::{page, page_with};
use crate::web::links::with_query;
use crate::web::parts::{Choice, FieldErrors, Pager};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Texts, WebState};

/// Characters of a search.
const QUERY_CHARS_MAX: usize = 100;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    q: String,
    organisation: String,
    cursor: String,
    done: String,
}

/// Everything the forms of a person send.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PersonForm {
    organisation: String,
    email: String,
    name: String,
    login: String,
    phone: String,
    language: String,
    site: String,
    /// Ticked roles, one a line.
    role: String,
    /// Pressed: show the sites of the chosen organisation.
    check: String,
}

/// One row.
#[derive(Debug)]
struct PersonLine {
    href: String,
    name: String,
    email: String,
    phone: String,
    organisation: String,
    roles: String,
    suspended: bool,
}

#[derive(Debug, Template)]
#[template(path = "people/web/list.html")]
struct ListPage {
    shell: Shell,
    query: ListQuery,
    organisations: Vec<Choice>,
    rows: Vec<PersonLine>,
    pager: Pager,
}

#[derive(Debug, Template)]
#[template(path = "people/web/new.html")]
struct NewPage {
    shell: Shell,
    form: PersonForm,
    organisations: Vec<Choice>,
    sites: Vec<Choice>,
    languages: Vec<Choice>,
    roles: Vec<Choice>,
    errors: FieldErrors,
}

#[derive(Debug, Template)]
#[template(path = "people/web/person.html")]
struct PersonPage {
    shell: Shell,
    id: String,
    email: String,
    organisation: String,
    roles: String,
    suspended: bool,
    form: PersonForm,
    sites: Vec<Choice>,
    errors: FieldErrors,
}

pub(super) async fn show(
    State(state): State<WebState>,
    Asked(query): Asked<ListQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::ManagePeople)?;
    let mut tx = state.context.db.read().await?;
    let organisations = offered(&mut tx, &reader).await?;
    let scope = match query.organisation.parse::<OrganisationId>() {
        Ok(id) if reader.actor.scope.contains(id) => crate::kernel::actor::Scope::Organisation(id),
        _ => reader.actor.scope,
    };
    let wanted: String = query.q.chars().take(QUERY_CHARS_MAX).collect();
    let request = PageRequest::from_query(Some(&query.cursor), None);
    let found = people::list_people(&mut tx, scope, &wanted, &request).await?;
    drop(tx);
    let title = if organisations.is_empty() { "people-title-own" } else { "people-title" };
    let shell = reader.shell(reader.texts().t(title), Section::People).with_notice(&query.done);
    page(&list_page(shell, &reader, query, (&organisations, &found)))
}

fn list_page(
    shell: Shell,
    reader: &Reader,
    query: ListQuery,
    (organisations, found): (&[Organisation], &Page<Person>),
) -> ListPage {
    let texts = shell.texts;
    let row = |person: &Person| PersonLine {
        href: if may_manage(&reader.actor, person) {
            format!("/people/{}", person.id)
        } else {
            String::new()
        },
        name: person.name.clone(),
        email: person.email.to_string(),
        phone: person.phone.clone(),
        organisation: named(organisations, person.organisation_id),
        roles: roles_in_words(texts, &person.roles),
        suspended: !person.active,
    };
    let here = with_query("/people", &[("q", &query.q), ("organisation", &query.organisation)]);
    ListPage {
        rows: found.rows.iter().map(row).collect(),
        pager: Pager::of(&here, &query.cursor, found.next.as_deref()),
        organisations: picks(organisations, &query.organisation),
        query,
        shell,
    }
}

fn named(organisations: &[Organisation], id: Option<OrganisationId>) -> String {
    organisations.iter().find(|it| Some(it.id) == id).map(|it| it.name.clone()).unwrap_or_default()
}

fn roles_in_words(texts: Texts, roles: &[Role]) -> String {
    roles.iter().map(|it| texts.word("role", it.code()).into_owned()).collect::<Vec<_>>().join(", ")
}

fn picks(organisations: &[Organisation], chosen: &str) -> Vec<Choice> {
    let pick =
        |it: &Organisation| Choice::new(it.id.to_string(), it.name.clone(), it.id.to_string() == chosen);
    organisations.iter().map(pick).collect()
}

/// Organisations to choose from; none for who has an own one.
async fn offered(tx: &mut Tx, reader: &Reader) -> Result<Vec<Organisation>, PageError> {
    match reader.actor.scope.organisation() {
        Some(_) => Ok(Vec::new()),
        None => Ok(sites::list_organisations(tx, reader.actor.scope).await?),
    }
}

pub(super) async fn ask(State(state): State<WebState>, reader: Reader) -> Result<Response, PageError> {
    reader.require(Permission::ManagePeople)?;
    let form = PersonForm {
        language: reader.texts().code().into(),
        role: Role::Requester.code().into(),
        ..PersonForm::default()
    };
    page(&load_new(&state, &reader, form, FieldErrors::default()).await?)
}

pub(super) async fn add(
    State(state): State<WebState>,
    Posted { reader, fields: form }: Posted<PersonForm>,
) -> Result<Response, PageError> {
    reader.require(Permission::ManagePeople)?;
    if !form.check.is_empty() {
        return page(&load_new(&state, &reader, form, FieldErrors::default()).await?);
    }
    let errors = match new_person(&reader, &form) {
        Ok(new) => match authorise(&state, &reader, &form, new).await? {
            Ok(()) => return Ok(Redirect::to("/people?done=person-added").into_response()),
            Err(errors) => errors,
        },
        Err(errors) => errors,
    };
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &load_new(&state, &reader, form, errors).await?)
}

/// Adds the person and the mail with which they choose a password, in one transaction.
async fn authorise(
    state: &WebState,
    reader: &Reader,
    form: &PersonForm,
    new: NewPerson,
) -> Result<Result<(), FieldErrors>, PageError> {
    let (context, actor) = (&state.context, &reader.actor);
    let mut tx = context.db.begin().await?;
    let mut made = people::authorise_person(&mut tx, context, actor, new).await;
    if let Ok(person) = &made
        && !form.login.trim().is_empty()
        && let Err(error) = people::set_login(&mut tx, context, actor, person.id, &form.login).await
    {
        made = Err(error);
    }
    match made {
        Ok(person) => {
            letters::send_link(&mut tx, state, &person, LinkPurpose::First).await?;
            tx.commit().await?;
            Ok(Ok(()))
        }
        Err(error) => match refused(reader.texts(), &error) {
            Some(errors) => Ok(Err(errors)),
            None => Err(error.into()),
        },
    }
}

fn new_person(reader: &Reader, form: &PersonForm) -> Result<NewPerson, FieldErrors> {
    let texts = reader.texts();
    let mut errors = FieldErrors::default();
    let organisation_id = match reader.actor.scope.organisation() {
        Some(own) => Some(own),
        None => form.organisation.parse().ok(),
    };
    if form.name.trim().is_empty() {
        errors.add("name", texts.t("person-name-missing"));
    }
    let email = form.email.parse::<EmailAddress>();
    if email.is_err() {
        errors.add("email", texts.t("person-email-malformed"));
    }
    let roles = form.role.lines().filter_map(|code| Role::ALL.into_iter().find(|it| it.code() == code));
    let roles: Vec<Role> = roles.collect();
    let needs_organisation = roles.iter().any(|it| matches!(it, Role::Requester | Role::Referent));
    if organisation_id.is_none() && (needs_organisation || roles.is_empty()) {
        errors.add("organisation", texts.t("new-organisation-missing"));
    }
    match email {
        Ok(email) if errors.is_empty() => Ok(NewPerson {
            organisation_id,
            email,
            name: form.name.clone(),
            phone: form.phone.clone(),
            language: if form.language == "en" { Language::En } else { Language::Fr },
            default_site_id: form.site.parse().ok(),
            roles: if roles.is_empty() { vec![Role::Requester] } else { roles },
        }),
        _ => Err(errors),
    }
}

async fn load_new(
    state: &WebState,
    reader: &Reader,
    form: PersonForm,
    errors: FieldErrors,
) -> Result<NewPage, PageError> {
    let mut tx = state.context.db.read().await?;
    let organisations = offered(&mut tx, reader).await?;
    let organisation = reader.actor.scope.organisation().or_else(|| form.organisation.parse().ok());
    let sites = match organisation.filter(|it| reader.actor.scope.contains(*it)) {
        Some(id) => sites::list_sites(&mut tx, id).await?,
        None => Vec::new(),
    };
    drop(tx);
    let shell = reader.shell(reader.texts().t("person-add"), Section::People);
    Ok(new_page(shell, grantable_roles(&reader.actor), (&organisations, &sites), form, errors))
}

fn new_page(
    shell: Shell,
    grantable: &[Role],
    (organisations, sites): (&[Organisation], &[Site]),
    form: PersonForm,
    errors: FieldErrors,
) -> NewPage {
    let texts = shell.texts;
    let ticked = |code: &str| form.role.lines().any(|it| it == code);
    let role = |it: &Role| Choice::new(it.code(), texts.word("role", it.code()), ticked(it.code()));
    let language = |code: &str, name: &str| Choice::new(code, name, form.language == code);
    NewPage {
        organisations: picks(organisations, &form.organisation),
        sites: site_choices(sites, &form.site),
        languages: vec![language("fr", "Français"), language("en", "English")],
        // One role is no choice.
        roles: if grantable.len() > 1 { grantable.iter().map(role).collect() } else { Vec::new() },
        form,
        errors,
        shell,
    }
}

fn site_choices(sites: &[Site], chosen: &str) -> Vec<Choice> {
    let pick = |it: &Site| Choice::new(it.id.to_string(), it.name.clone(), it.id.to_string() == chosen);
    sites.iter().map(pick).collect()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    done: String,
}

pub(super) async fn one(
    State(state): State<WebState>,
    Path(id): Path<String>,
    Asked(asked): Asked<Done>,
    reader: Reader,
) -> Result<Response, PageError> {
    let person = managed(&state, &reader, &id).await?;
    page(&load_person(&state, &reader, &person, None, FieldErrors::default(), &asked.done).await?)
}

/// The person of an address, if the reader may manage them: whoever is elsewhere is simply not there.
async fn managed(state: &WebState, reader: &Reader, id: &str) -> Result<Person, PageError> {
    reader.require(Permission::ManagePeople)?;
    let id: PersonId = id.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    let found = people::find_person(&mut tx, id).await?;
    found.filter(|it| may_manage(&reader.actor, it)).ok_or_else(PageError::not_found)
}

pub(super) async fn change(
    State(state): State<WebState>,
    Path((id, action)): Path<(String, String)>,
    Posted { reader, fields: form }: Posted<PersonForm>,
) -> Result<Response, PageError> {
    let person = managed(&state, &reader, &id).await?;
    let (context, actor) = (&state.context, &reader.actor);
    let mut tx = context.db.begin().await?;
    let done = match action.as_str() {
        "suspend" => people::set_status(&mut tx, context, actor, person.id, false).await,
        "reactivate" => people::set_status(&mut tx, context, actor, person.id, true).await,
        "remove" => people::remove_person(&mut tx, context, actor, person.id).await,
        "link" if person.active => {
            letters::send_link(&mut tx, &state, &person, LinkPurpose::First).await?;
            Ok(())
        }
        "contact" => {
            let contact = Contact { phone: form.phone.clone(), default_site_id: form.site.parse().ok() };
            match people::set_contact(&mut tx, context, actor, person.id, contact).await {
                Ok(()) => people::set_login(&mut tx, context, actor, person.id, &form.login).await,
                refused => refused,
            }
        }
        _ => return Err(PageError::not_found()),
    };
    if let Err(error) = done {
        drop(tx);
        let Some(errors) = refused(reader.texts(), &error) else { return Err(error.into()) };
        let shown = load_person(&state, &reader, &person, Some(form), errors, "").await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    }
    tx.commit().await?;
    let back = match action.as_str() {
        "remove" => "/people?done=person-removed".to_owned(),
        "link" => format!("/people/{}?done=person-link", person.id),
        _ => format!("/people/{}?done=person-changed", person.id),
    };
    Ok(Redirect::to(&back).into_response())
}

async fn load_person(
    state: &WebState,
    reader: &Reader,
    person: &Person,
    form: Option<PersonForm>,
    errors: FieldErrors,
    done: &str,
) -> Result<PersonPage, PageError> {
    let (mut organisation, mut sites) = (String::new(), Vec::new());
    if let Some(id) = person.organisation_id {
        let mut tx = state.context.db.read().await?;
        organisation = sites::find_organisation(&mut tx, id).await?.map(|it| it.name).unwrap_or_default();
        sites = sites::list_sites(&mut tx, id).await?;
    }
    let shell = reader.shell(person.name.clone(), Section::People).with_notice(done);
    Ok(person_page(shell, person, (organisation, &sites), form, errors))
}

fn person_page(
    shell: Shell,
    person: &Person,
    (organisation, sites): (String, &[Site]),
    form: Option<PersonForm>,
    errors: FieldErrors,
) -> PersonPage {
    let form = form.unwrap_or_else(|| PersonForm {
        login: person.login.clone().unwrap_or_default(),
        phone: person.phone.clone(),
        site: person.default_site_id.map(|it| it.to_string()).unwrap_or_default(),
        ..PersonForm::default()
    });
    PersonPage {
        id: person.id.to_string(),
        email: person.email.to_string(),
        organisation,
        roles: roles_in_words(shell.texts, &person.roles),
        suspended: !person.active,
        sites: site_choices(sites, &form.site),
        form,
        errors,
        shell,
    }
}
