//! REST of contracts, for administration.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parc_calendar::TermStanding;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Contract, ContractError, Covers, NewContract};
use crate::api::{ApiJson, ApiPath, ApiState, Caller, IfMatch, Problem, ProblemDetails, Route, etag};
use crate::db::Tx;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::{ContractId, OrganisationId};
use crate::kernel::time::UtcMicros;
use crate::{calendars, contracts, sites};

/// The slice's part of the OpenAPI document.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(paths(list_contracts, create_contract, get_contract, change_contract))]
pub struct ContractsDocument;

/// Paths of the slice.
pub fn routes() -> Vec<Route> {
    vec![
        ("/api/v1/contracts", get(list_contracts).post(create_contract)),
        ("/api/v1/contracts/{id}", get(get_contract).put(change_contract)),
    ]
}

/// A maintenance contract in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContractLine {
    /// Its id.
    pub id: String,
    /// Organisation's name.
    pub organisation: String,
    /// `PSAI` for instance.
    pub kind: String,
    /// Its number.
    pub reference: String,
    /// First day.
    pub starts_on: String,
    /// Last day as agreed.
    pub ends_on: Option<String>,
    /// Months of tacit renewal, 0 for none.
    pub renewal_months: i64,
    /// `ahead`, `live` or `ended` today.
    pub standing: String,
    /// Last day of the present period, renewal counted.
    pub live_until: Option<String>,
    /// `all`, `list` or `models`.
    pub covers: String,
    /// Five targets, priorities 1 to 5: `15m 1h 4h 1d 2d`.
    pub call_back: String,
    /// Five targets, priorities 1 to 5.
    pub resolution: String,
    /// Emergencies are measured around the clock.
    pub emergency_always: bool,
    /// The call-back clock waits for who is away.
    pub away_pauses: bool,
    /// What `If-Match` carries.
    pub version: i64,
}

/// A maintenance contract with its list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContractView {
    /// What lists show.
    #[serde(flatten)]
    pub summary: ContractLine,
    /// Inventory numbers or models.
    pub items: Vec<String>,
}

/// All contracts of a caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContractList {
    /// By organisation, the latest first.
    pub items: Vec<ContractLine>,
}

/// A contract to make, or what it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractRequest {
    /// Organisation's code; needed with a key for all organisations. Cannot be changed.
    pub organisation: Option<String>,
    /// 1 to 40 characters.
    pub kind: String,
    /// 1 to 60 characters, unique in the organisation.
    pub reference: String,
    /// `2026-01-01`.
    pub starts_on: String,
    /// Last day; none if left out.
    pub ends_on: Option<String>,
    /// Months of tacit renewal, 0 to 120.
    #[serde(default)]
    pub renewal_months: i64,
    /// `all`, `list` or `models`; `all` if left out.
    pub covers: Option<String>,
    /// Inventory numbers or models.
    #[serde(default)]
    pub items: Vec<String>,
    /// Name of a calendar of the organisation or of the provider; the standard one if left out.
    pub calendar: Option<String>,
    /// Five targets; the usual ones if left out.
    #[serde(default)]
    pub call_back: String,
    /// Five targets; the usual ones if left out.
    #[serde(default)]
    pub resolution: String,
    /// Emergencies are measured around the clock.
    #[serde(default)]
    pub emergency_always: bool,
    /// The call-back clock waits for who is away; true if left out.
    pub away_pauses: Option<bool>,
}

impl ContractLine {
    fn new(it: &Contract, standing: TermStanding) -> Self {
        let (call_back, resolution) = it.targets.texts();
        let (standing, live_until) = match standing {
            TermStanding::Ahead => ("ahead", None),
            TermStanding::Live { until } => ("live", until),
            TermStanding::Ended => ("ended", None),
        };
        Self {
            id: it.id.to_string(),
            organisation: it.organisation_name.clone(),
            kind: it.kind.clone(),
            reference: it.reference.clone(),
            starts_on: it.term.starts_on().to_string(),
            ends_on: it.term.ends_on().map(|it| it.to_string()),
            renewal_months: it.renewal_months,
            standing: standing.to_owned(),
            live_until: live_until.map(|it| it.to_string()),
            covers: it.covers.code().to_owned(),
            call_back,
            resolution,
            emergency_always: it.emergency_always,
            away_pauses: it.away_pauses,
            version: it.version,
        }
    }
}

/// Every contract in scope.
#[utoipa::path(get, path = "/api/v1/contracts", tag = "service", responses(
    (status = 200, body = ContractList), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn list_contracts(
    State(state): State<ApiState>,
    Caller(actor): Caller,
) -> Result<Json<ContractList>, Problem> {
    require_administration(&actor)?;
    let mut tx = state.context.db.read().await?;
    let all = contracts::list_contracts(&mut tx, actor.scope).await?;
    let now = state.context.now();
    let items = all.iter().map(|it| ContractLine::new(it, contracts::standing(it, now))).collect();
    Ok(Json(ContractList { items }))
}

/// Makes a contract.
#[utoipa::path(post, path = "/api/v1/contracts", tag = "service", request_body = ContractRequest, responses(
    (status = 201, body = ContractView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn create_contract(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiJson(request): ApiJson<ContractRequest>,
) -> Result<Response, Problem> {
    require_administration(&actor)?;
    let mut tx = state.context.db.begin().await?;
    let organisation = organisation(&mut tx, &actor, request.organisation.as_deref()).await?;
    let new = request.into_new(&mut tx, organisation).await?;
    let made = contracts::create_contract(&mut tx, &state.context, &actor, new).await?;
    tx.commit().await?;
    Ok(shown(StatusCode::CREATED, &made, state.context.now()))
}

/// One contract with its list.
#[utoipa::path(get, path = "/api/v1/contracts/{id}", tag = "service", params(("id" = String, Path)), responses(
    (status = 200, body = ContractView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn get_contract(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
) -> Result<Response, Problem> {
    require_administration(&actor)?;
    let mut tx = state.context.db.read().await?;
    let found = find(&mut tx, &actor, &id).await?;
    Ok(shown(StatusCode::OK, &found, state.context.now()))
}

/// Changes a contract. Tickets keep what was decided when they were opened.
#[utoipa::path(put, path = "/api/v1/contracts/{id}", tag = "service", request_body = ContractRequest,
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "the version that was seen")), responses(
    (status = 200, body = ContractView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn change_contract(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
    seen: IfMatch,
    ApiJson(request): ApiJson<ContractRequest>,
) -> Result<Response, Problem> {
    require_administration(&actor)?;
    let mut tx = state.context.db.begin().await?;
    let found = find(&mut tx, &actor, &id).await?;
    if !seen.allows(found.version) {
        let detail = ContractError::Stale { current: found.version }.to_string();
        return Err(Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail));
    }
    let new = request.into_new(&mut tx, found.organisation_id).await?;
    let version = (found.id, found.version);
    let changed = contracts::change_contract(&mut tx, &state.context, &actor, version, new).await?;
    tx.commit().await?;
    Ok(shown(StatusCode::OK, &changed, state.context.now()))
}

impl ContractRequest {
    async fn into_new(self, tx: &mut Tx, organisation_id: OrganisationId) -> Result<NewContract, Problem> {
        let covers = match self.covers.as_deref() {
            None => Covers::All,
            Some(word) => Covers::from_code(word)
                .ok_or_else(|| Problem::invalid("covers", "must be all, list or models"))?,
        };
        let calendar_id = match self.calendar.as_deref() {
            None => None,
            Some(name) => {
                let found = calendars::find_calendar_by_name(tx, organisation_id, name.trim()).await?;
                Some(found.ok_or_else(|| Problem::invalid("calendar", "is not known"))?.id)
            }
        };
        Ok(NewContract {
            organisation_id,
            kind: self.kind,
            reference: self.reference,
            starts_on: self.starts_on,
            ends_on: self.ends_on.unwrap_or_default(),
            renewal_months: self.renewal_months,
            covers,
            items: self.items.join("\n"),
            calendar_id,
            call_back: self.call_back,
            resolution: self.resolution,
            emergency_always: self.emergency_always,
            away_pauses: self.away_pauses.unwrap_or(true),
        })
    }
}

fn require_administration(actor: &Actor) -> Result<(), Problem> {
    if actor.may(Permission::Administer) { Ok(()) } else { Err(ContractError::Forbidden.into()) }
}

async fn find(tx: &mut Tx, actor: &Actor, id: &str) -> Result<Contract, Problem> {
    let id: ContractId = id.parse().map_err(|_| Problem::not_found())?;
    contracts::find_contract(tx, actor.scope, id).await?.ok_or_else(Problem::not_found)
}

async fn organisation(tx: &mut Tx, actor: &Actor, code: Option<&str>) -> Result<OrganisationId, Problem> {
    let Some(code) = code else {
        let own = actor.scope.organisation();
        return own
            .ok_or_else(|| Problem::invalid("organisation", "is needed with a key for all organisations"));
    };
    let found = sites::find_organisation_by_code(tx, &code.trim().to_ascii_uppercase()).await?;
    let found = found.filter(|it| actor.scope.contains(it.id));
    Ok(found.ok_or_else(|| Problem::invalid("organisation", "is not known"))?.id)
}

fn shown(status: StatusCode, contract: &Contract, now: UtcMicros) -> Response {
    let summary = ContractLine::new(contract, contracts::standing(contract, now));
    let items = contract.item_labels().map(str::to_owned).collect();
    let mut response = (status, Json(ContractView { summary, items })).into_response();
    response.headers_mut().insert(header::ETAG, etag(contract.version));
    response
}
