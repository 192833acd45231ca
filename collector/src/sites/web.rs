//! The applications an organisation's people choose from when they ask for help.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::{Organisation, SiteError};
use crate::kernel::actor::Permission;
use crate::kernel::id::OrganisationId;
use crate::sites;
use crate::web::error::{page, page_with};
use crate::web::links::with_query;
use crate::web::parts::{Choice, FieldErrors};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, WebState};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ApplicationsQuery {
    organisation: String,
    done: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ApplicationsForm {
    organisation: String,
    /// One a line.
    applications: String,
}

#[derive(Debug, Template)]
#[template(path = "sites/web/applications.html")]
struct ApplicationsPage {
    shell: Shell,
    form: ApplicationsForm,
    organisations: Vec<Choice>,
    errors: FieldErrors,
}

pub(crate) fn routes() -> Router<WebState> {
    Router::new().route("/applications", get(show).post(keep))
}

async fn show(
    State(state): State<WebState>,
    Asked(query): Asked<ApplicationsQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let mut tx = state.context.db.read().await?;
    let organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
    let chosen = chosen(&organisations, &query.organisation);
    let applications = match chosen {
        Some(organisation) => sites::list_applications(&mut tx, organisation.id).await?.join("\n"),
        None => String::new(),
    };
    drop(tx);
    let organisation = chosen.map(|it| it.id.to_string()).unwrap_or_default();
    let shell = frame(&reader).with_notice(&query.done);
    let form = ApplicationsForm { organisation, applications };
    page(&applications_page(shell, &organisations, form, FieldErrors::default()))
}

fn frame(reader: &Reader) -> Shell {
    reader.shell(reader.texts().t("applications-title"), Section::Applications)
}

/// The named organisation, else the first.
fn chosen<'a>(organisations: &'a [Organisation], id: &str) -> Option<&'a Organisation> {
    organisations.iter().find(|it| it.id.to_string() == id).or_else(|| organisations.first())
}

async fn keep(
    State(state): State<WebState>,
    Posted { reader, fields: form }: Posted<ApplicationsForm>,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let id: OrganisationId = form.organisation.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.begin().await?;
    let known = sites::find_organisation(&mut tx, id).await?.is_some();
    if !known || !reader.actor.scope.contains(id) {
        return Err(PageError::not_found());
    }
    match sites::set_applications(&mut tx, &state.context, &reader.actor, id, &form.applications).await {
        Ok(_) => {
            tx.commit().await?;
            let back = [("organisation", form.organisation.as_str()), ("done", "applications")];
            Ok(Redirect::to(&with_query("/applications", &back)).into_response())
        }
        Err(SiteError::Store(error)) => Err(error.into()),
        Err(SiteError::Invalid { .. } | SiteError::Taken { .. }) => {
            let organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
            let mut errors = FieldErrors::default();
            errors.add("applications", reader.texts().t("applications-refused"));
            let shown = applications_page(frame(&reader), &organisations, form, errors);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
    }
}

fn applications_page(
    shell: Shell,
    organisations: &[Organisation],
    form: ApplicationsForm,
    errors: FieldErrors,
) -> ApplicationsPage {
    let pick = |it: &Organisation| {
        Choice::new(it.id.to_string(), it.name.clone(), it.id.to_string() == form.organisation)
    };
    ApplicationsPage { organisations: organisations.iter().map(pick).collect(), form, errors, shell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;
    use crate::db_test;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};
    use crate::web::testing::Site;

    #[test]
    fn the_applications_are_drawn_with_and_without_organisation() {
        for language in LANGUAGES {
            let frame = || shell(language, &[Role::Admin], "Applications", Section::Applications);
            let none = applications_page(frame(), &[], ApplicationsForm::default(), FieldErrors::default());
            check("applications-none", language, &none);
            let form = ApplicationsForm { organisation: HOSTILE.into(), applications: HOSTILE.into() };
            let mut errors = FieldErrors::default();
            errors.add("applications", crate::web::Texts::of(language).t("applications-refused"));
            check("applications", language, &applications_page(frame(), &[], form, errors));
        }
    }

    db_test! {
        async fn what_is_listed_is_offered_to_the_organisations_people_only(db: Db) {
            let site = Site::open(db).await;
            let admin = site.desk.person(None, "ada@desk.example", Role::Admin).await;
            let ada = site.sign_in(&admin).await;
            let acme = site.desk.acme.id.to_string();
            let kept = ada.post("/applications", &[("organisation", &acme), ("applications", "Payroll\r\n\r\nMail\nMail")]).await;
            assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.body);
            assert!(ada.get(kept.location()).await.body.contains("Mail\nPayroll"));
            let rita = site.sign_in(&site.desk.requester).await;
            assert!(rita.get("/tickets/new?kind=incident").await.body.contains("<option value=\"Payroll\">"));
            let sven = site.sign_in(&site.desk.stranger).await;
            assert!(!sven.get("/tickets/new?kind=incident").await.body.contains("Payroll"));
            assert_eq!(rita.get("/applications").await.status, StatusCode::FORBIDDEN);
            let long = ada.post("/applications", &[("organisation", &acme), ("applications", &"x".repeat(200))]).await;
            assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
}
