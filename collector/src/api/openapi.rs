//! The OpenAPI document, generated from the handlers and their types.

use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

use super::problem::{FieldProblem, ProblemDetails};
use crate::{calendars, contracts, inventory, loans, remote, reports, search, teams, tickets, visits};

/// Where the document is.
pub(super) const PATH: &str = "/api/v1/openapi.json";

/// The whole document.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Parc",
        description = "Inventory and tickets. An inventory number on a ticket becomes the machine it stands on.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(document),
    components(schemas(ProblemDetails, FieldProblem)),
    tags((name = "tickets"), (name = "assets"), (name = "teams"), (name = "visits"), (name = "loans"), (name = "remote"), (name = "reports"), (name = "search"), (name = "service"), (name = "document")),
)]
pub struct Document;

impl Document {
    /// With the slices' parts and the way to sign in.
    pub fn whole() -> utoipa::openapi::OpenApi {
        let mut document = Self::openapi();
        document.merge(tickets::api::TicketsDocument::openapi());
        document.merge(teams::api::TeamsDocument::openapi());
        document.merge(inventory::api::AssetsDocument::openapi());
        document.merge(visits::api::VisitsDocument::openapi());
        document.merge(remote::api::RemoteDocument::openapi());
        document.merge(reports::api::ReportsDocument::openapi());
        document.merge(search::api::SearchDocument::openapi());
        document.merge(loans::api::LoansDocument::openapi());
        document.merge(calendars::api::CalendarsDocument::openapi());
        document.merge(contracts::api::ContractsDocument::openapi());
        remove_paging(&mut document, inventory::api::EXPORT_PATH);
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_default().add_security_scheme("key", scheme);
        document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("key", [])]);
        document
    }
}

/// An export shares the filters of its list and not its pages.
fn remove_paging(document: &mut utoipa::openapi::OpenApi, path: &str) {
    let operation = document.paths.paths.get_mut(path).and_then(|it| it.get.as_mut());
    if let Some(parameters) = operation.and_then(|it| it.parameters.as_mut()) {
        parameters.retain(|it| match it {
            RefOr::T(parameter) => !matches!(parameter.name.as_str(), "cursor" | "limit"),
            RefOr::Ref(_) => true,
        });
    }
}

/// This document. The only answer that needs no key: it holds no data.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "document", security(()), responses((status = 200, body = Object)))]
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::whole())
}
