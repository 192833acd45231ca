//! The handlers: parse, ask, show.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::export::asset_csv;
use super::machine::{AssetRow, ChangeView, Configuration, FactView, ProblemView};
use crate::api::{ApiPath, ApiQuery, ApiState, Caller, Problem, ProblemDetails, page_request};
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::Tx;
use crate::inventory::{self, CiFilter, CiSummary, InstalledTitle, Machine};
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::kernel::id::{OrganisationId, SiteId};
use crate::kernel::page::PageRequest;
use crate::kernel::text::{AssetTag, tag_key};
use crate::kernel::time::{UtcMicros, Zone, days};
use crate::sites;
use crate::tickets;
use crate::tickets::api::{TicketLine, TicketPage};

/// Characters of a search text.
const QUERY_CHARS_MAX: usize = 200;

/// A machine with what it says about itself and what people declared about it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssetDetail {
    /// What lists show.
    #[serde(flatten)]
    pub summary: AssetRow,
    /// What is in it.
    pub configuration: Configuration,
    /// Declared and discovered side by side.
    pub facts: Vec<FactView>,
    /// What it could not be asked.
    pub problems: Vec<ProblemView>,
    /// A second machine claims its number.
    pub contested: bool,
    /// The moment the state is of.
    pub observed_at: String,
}

/// A page of machines.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssetPage {
    /// The machines.
    pub items: Vec<AssetRow>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// An installed title.
#[derive(Debug, Serialize, ToSchema)]
pub struct SoftwareView {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Publisher.
    pub publisher: String,
    /// Architecture.
    pub architecture: String,
    /// `dpkg`, `rpm`, `registry`…
    pub source: String,
}

/// A page of titles.
#[derive(Debug, Serialize, ToSchema)]
pub struct SoftwarePage {
    /// The titles.
    pub items: Vec<SoftwareView>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// A page of changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryPage {
    /// The changes, newest first.
    pub items: Vec<ChangeView>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// Which state of a machine.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct AtQuery {
    /// RFC 3339 moment, or a date: the end of that day on site. The present if left out or still to come.
    at: Option<String>,
    /// Code of the organisation, when several have the number.
    organisation: Option<String>,
}

/// Part of a list that belongs to one machine.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct PartQuery {
    /// Words to look for (software only).
    q: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// Rows, 1 to 200.
    limit: Option<u32>,
    /// Code of the organisation, when several have the number.
    organisation: Option<String>,
}

/// Filters of the parc list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Words in number, name, serial, make, model, person, location.
    q: Option<String>,
    /// Organisation's code.
    organisation: Option<String>,
    /// Site's name.
    site: Option<String>,
    /// `laptop`, `desktop`, `server`, `virtual`, `other`.
    kind: Option<String>,
    /// Operating system.
    os: Option<String>,
    /// Manufacturer.
    make: Option<String>,
    /// Agent silent for more than so many days.
    silent_days: Option<u32>,
    /// Only machines without number.
    without_tag: Option<bool>,
    /// Less memory than this.
    memory_below_mib: Option<i64>,
    /// Has a title whose name contains this.
    software: Option<String>,
    /// Retired machines too.
    include_retired: Option<bool>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// Rows, 1 to 200.
    limit: Option<u32>,
}

/// The parc list.
#[utoipa::path(get, path = "/api/v1/assets", tag = "assets", params(ListQuery), responses(
    (status = 200, body = AssetPage), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn list_assets(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<AssetPage>, Problem> {
    allow(&actor, Permission::ReadAssets)?;
    let mut tx = state.context.db.read().await?;
    let filter = query.filter(&mut tx, actor.scope, state.context.now()).await?;
    let request = page_request(query.cursor.as_deref(), query.limit)?;
    let page = inventory::list_cis(&mut tx, actor.scope, &filter, &request).await?;
    Ok(Json(AssetPage { items: page.rows.iter().map(AssetRow::from).collect(), next: page.next }))
}

/// One machine, now or at a moment.
#[utoipa::path(get, path = "/api/v1/assets/{tag}", tag = "assets", params(("tag" = String, Path), AtQuery), responses(
    (status = 200, body = AssetDetail), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn get_asset(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(tag): ApiPath,
    ApiQuery(query): ApiQuery<AtQuery>,
) -> Result<Json<AssetDetail>, Problem> {
    let mut tx = state.context.db.read().await?;
    let ci = find(&mut tx, &actor, &tag, query.organisation.as_deref()).await?;
    let at = moment(&mut tx, &ci, query.at.as_deref()).await?;
    let now = state.context.now();
    let at = at.filter(|it| *it < now);
    let machine = match at {
        Some(at) => inventory::machine_at(&mut tx, ci.id, at).await?,
        None => inventory::current_machine(&mut tx, ci.id).await?,
    };
    let machine = machine.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "no-state", "nothing is known about the machine at that moment")
    })?;
    let contested = match ci.tag.as_deref().map(tag_key) {
        Some(key) => inventory::find_open_conflict(&mut tx, ci.organisation_id, &key).await?.is_some(),
        None => false,
    };
    Ok(Json(detail(&ci, &machine, contested, at.unwrap_or(now))))
}

/// Installed software of a machine, by name.
#[utoipa::path(get, path = "/api/v1/assets/{tag}/software", tag = "assets", params(("tag" = String, Path), PartQuery), responses(
    (status = 200, body = SoftwarePage), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn list_asset_software(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(tag): ApiPath,
    ApiQuery(query): ApiQuery<PartQuery>,
) -> Result<Json<SoftwarePage>, Problem> {
    let words = bounded("q", query.q.as_deref())?;
    let mut tx = state.context.db.read().await?;
    let ci = find(&mut tx, &actor, &tag, query.organisation.as_deref()).await?;
    let page = inventory::list_software(&mut tx, ci.id, words, &query.page()?).await?;
    Ok(Json(SoftwarePage { items: page.rows.into_iter().map(SoftwareView::from).collect(), next: page.next }))
}

/// What changed on a machine, newest first.
#[utoipa::path(get, path = "/api/v1/assets/{tag}/history", tag = "assets", params(("tag" = String, Path), PartQuery), responses(
    (status = 200, body = HistoryPage), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn list_asset_history(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(tag): ApiPath,
    ApiQuery(query): ApiQuery<PartQuery>,
) -> Result<Json<HistoryPage>, Problem> {
    query.without_words()?;
    let mut tx = state.context.db.read().await?;
    let ci = find(&mut tx, &actor, &tag, query.organisation.as_deref()).await?;
    let page = inventory::history(&mut tx, ci.id, &query.page()?).await?;
    Ok(Json(HistoryPage { items: page.rows.iter().map(ChangeView::from).collect(), next: page.next }))
}

/// Tickets of a machine, newest first.
#[utoipa::path(get, path = "/api/v1/assets/{tag}/tickets", tag = "assets", params(("tag" = String, Path), PartQuery), responses(
    (status = 200, body = TicketPage), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn list_asset_tickets(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(tag): ApiPath,
    ApiQuery(query): ApiQuery<PartQuery>,
) -> Result<Json<TicketPage>, Problem> {
    query.without_words()?;
    let mut tx = state.context.db.read().await?;
    let ci = find(&mut tx, &actor, &tag, query.organisation.as_deref()).await?;
    drop(tx);
    let page = tickets::list_tickets_of_ci(&state.context, &actor, ci.id, &query.page()?).await?;
    Ok(Json(TicketPage { items: page.rows.iter().map(TicketLine::from).collect(), next: page.next }))
}

/// The parc list as CSV, whole.
#[utoipa::path(get, path = "/api/v1/exports/assets.csv", tag = "assets", params(ListQuery), responses(
    (status = 200, body = String, content_type = "text/csv"),
    (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn export_assets(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Response, Problem> {
    allow(&actor, Permission::Export)?;
    query.without_page()?;
    let mut tx = state.context.db.read().await?;
    let filter = query.filter(&mut tx, actor.scope, state.context.now()).await?;
    drop(tx);
    record_export(&state.context, &actor).await?;
    let body = Body::from_stream(asset_csv(state.context, actor.scope, filter));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"assets.csv\""),
    ];
    Ok((headers, body).into_response())
}

/// An export leaves the system: who took it is remembered before the first byte goes out.
async fn record_export(context: &Context, actor: &Actor) -> Result<(), Problem> {
    let mut tx = context.db.begin().await?;
    let deed = Deed {
        organisation_id: actor.scope.organisation(),
        action: "assets.exported",
        subject_kind: "export",
        subject_id: "assets.csv".into(),
        detail: json!({}),
    };
    audit::record(&mut tx, context, actor, deed).await?;
    Ok(tx.commit().await?)
}

fn allow(actor: &Actor, permission: Permission) -> Result<(), Problem> {
    if actor.may(permission) { Ok(()) } else { Err(Problem::forbidden()) }
}

/// The machine with that number in the caller's scope. Elsewhere, nowhere and unreadable are one answer after one query.
async fn find(
    tx: &mut Tx,
    actor: &Actor,
    tag: &str,
    organisation: Option<&str>,
) -> Result<CiSummary, Problem> {
    allow(actor, Permission::ReadAssets)?;
    let scope = match organisation {
        Some(code) => Scope::Organisation(organisation_of(tx, actor.scope, code).await?),
        None => actor.scope,
    };
    let tag: AssetTag = tag.parse().map_err(|_| Problem::not_found())?;
    let mut found = inventory::list_cis_by_tag(tx, scope, tag.key()).await?;
    match (found.pop(), found.is_empty()) {
        (Some(ci), true) => Ok(ci),
        (None, _) => Err(Problem::not_found()),
        (Some(_), false) => {
            let detail = "several organisations have this number; name one with organisation";
            Err(Problem::new(StatusCode::CONFLICT, "ambiguous", detail))
        }
    }
}

/// The organisation of a code, if it is in scope.
async fn organisation_of(tx: &mut Tx, scope: Scope, code: &str) -> Result<OrganisationId, Problem> {
    let code = code.trim().to_ascii_uppercase();
    let found = sites::find_organisation_by_code(tx, &code).await?.filter(|it| scope.contains(it.id));
    Ok(found.ok_or_else(|| Problem::invalid("organisation", "is not known"))?.id)
}

/// `?at=`: a date means the end of that day in the time zone of the machine's organisation.
async fn moment(tx: &mut Tx, ci: &CiSummary, at: Option<&str>) -> Result<Option<UtcMicros>, Problem> {
    let Some(text) = at else { return Ok(None) };
    let organisation = sites::find_organisation(tx, ci.organisation_id).await?;
    let zone = organisation.map_or_else(Zone::utc, |it| it.zone());
    let refused = || Problem::invalid("at", "must be a date or an RFC 3339 moment");
    UtcMicros::parse_until(text, &zone).ok_or_else(refused).map(Some)
}

fn bounded<'a>(field: &'static str, text: Option<&'a str>) -> Result<&'a str, Problem> {
    let text = text.unwrap_or_default();
    if text.chars().nth(QUERY_CHARS_MAX).is_some() {
        return Err(Problem::invalid(field, format!("must have at most {QUERY_CHARS_MAX} characters")));
    }
    Ok(text)
}

fn detail(ci: &CiSummary, machine: &Machine, contested: bool, at: UtcMicros) -> AssetDetail {
    AssetDetail {
        summary: AssetRow::from(ci),
        configuration: Configuration::from(machine),
        facts: machine.facts.iter().map(FactView::from).collect(),
        problems: machine.problems.iter().map(ProblemView::from).collect(),
        contested,
        observed_at: at.rfc3339(),
    }
}

impl PartQuery {
    fn page(&self) -> Result<PageRequest, Problem> {
        page_request(self.cursor.as_deref(), self.limit)
    }

    fn without_words(&self) -> Result<(), Problem> {
        if self.q.is_some() { Err(Problem::invalid("q", "is not a filter of this list")) } else { Ok(()) }
    }
}

impl ListQuery {
    /// An export is whole.
    fn without_page(&self) -> Result<(), Problem> {
        let asked = [("cursor", self.cursor.is_some()), ("limit", self.limit.is_some())];
        match asked.into_iter().find(|(_, asked)| *asked) {
            Some((field, _)) => Err(Problem::invalid(field, "is not for exports, which are whole")),
            None => Ok(()),
        }
    }

    async fn filter(&self, tx: &mut Tx, scope: Scope, now: UtcMicros) -> Result<CiFilter, Problem> {
        let organisation_id = match self.organisation.as_deref() {
            Some(code) => Some(organisation_of(tx, scope, code).await?),
            None => scope.organisation(),
        };
        for (field, text) in
            [("kind", &self.kind), ("os", &self.os), ("make", &self.make), ("software", &self.software)]
        {
            bounded(field, text.as_deref())?;
        }
        Ok(CiFilter {
            query: bounded("q", self.q.as_deref())?.to_owned(),
            organisation_id,
            site_id: site_of(tx, organisation_id, self.site.as_deref()).await?,
            kind: self.kind.clone(),
            os: self.os.clone(),
            make: self.make.clone(),
            silent_since: self.silent_days.map(|it| now - days(u64::from(it))),
            without_tag: self.without_tag.unwrap_or_default(),
            memory_below_mib: self.memory_below_mib,
            software: self.software.clone(),
            include_retired: self.include_retired.unwrap_or_default(),
        })
    }
}

/// A site is named inside an organisation.
async fn site_of(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
    site: Option<&str>,
) -> Result<Option<SiteId>, Problem> {
    let Some(name) = site else { return Ok(None) };
    let organisation = organisation.ok_or_else(|| Problem::invalid("organisation", "is needed with site"))?;
    let found = sites::find_site_by_name(tx, organisation, name.trim()).await?;
    Ok(Some(found.ok_or_else(|| Problem::invalid("site", "is not a site of the organisation"))?.id))
}

impl From<InstalledTitle> for SoftwareView {
    fn from(it: InstalledTitle) -> Self {
        let InstalledTitle { name, version, publisher, architecture, source } = it;
        Self { name, version, publisher, architecture, source }
    }
}
