//! REST of loans. Paths and field names are a promise to other programs.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::equivalent::Shortfall;
use super::model::{Acknowledgement, Loan, LoanFilter, LoanStatus, LoanStep, NewLoan};
use super::service;
use crate::api::{
    ApiJson, ApiPath, ApiQuery, ApiState, Caller, Problem, ProblemDetails, Route, page_request,
};
use crate::db::Tx;
use crate::inventory;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::{CiId, LoanId, OrganisationId};
use crate::kernel::text::tag_key;
use crate::kernel::time::{UtcMicros, Zone};
use crate::tickets::{self, Ticket, TicketNumber};

/// The slice's part of the OpenAPI document.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(paths(offers, of_ticket, prepare, register, read, out, extend, back, restore, cancel))]
pub struct LoansDocument;

/// Paths of the slice.
pub fn routes() -> Vec<Route> {
    vec![
        ("/api/v1/tickets/{number}/loaners", get(offers)),
        ("/api/v1/tickets/{number}/loans", get(of_ticket).post(prepare)),
        ("/api/v1/loans", get(register)),
        ("/api/v1/loans/{id}", get(read)),
        ("/api/v1/loans/{id}/out", post(out)),
        ("/api/v1/loans/{id}/extend", post(extend)),
        ("/api/v1/loans/{id}/back", post(back)),
        ("/api/v1/loans/{id}/restore", post(restore)),
        ("/api/v1/loans/{id}/cancel", post(cancel)),
    ]
}

/// Reserves a machine of the stock.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoanRequest {
    /// Inventory number of a machine in stock.
    loaner: String,
    /// Day on which it is expected back, `YYYY-MM-DD`.
    expected: String,
    /// What is to be set up on it.
    #[serde(default)]
    note: String,
}

/// Hands it out.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutRequest {
    /// As it is, and what goes along; 1 to 1,000 characters.
    condition: String,
    /// How the borrower acknowledged.
    acknowledged: Acknowledgement,
    /// The sequence that was seen; whatever is current if left out.
    sequence: Option<i64>,
}

/// Another day.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtendRequest {
    /// `YYYY-MM-DD`.
    expected: String,
    /// The sequence that was seen; whatever is current if left out.
    sequence: Option<i64>,
}

/// Takes it back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackRequest {
    /// As it is, and what is missing; 1 to 1,000 characters.
    condition: String,
    /// The sequence that was seen; whatever is current if left out.
    sequence: Option<i64>,
}

/// The borrower has their own machine again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestoreRequest {
    /// The sequence that was seen; whatever is current if left out.
    sequence: Option<i64>,
}

/// Calls it off.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelLoanRequest {
    /// 1 to 1,000 characters.
    reason: String,
    /// The sequence that was seen; whatever is current if left out.
    sequence: Option<i64>,
}

/// A loan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LoanView {
    /// Its id.
    id: String,
    /// The ticket's number.
    ticket: String,
    /// Name of the organisation.
    organisation: String,
    /// Name of who has the loaner.
    borrower: String,
    /// Inventory number of the machine that is away, empty without.
    original: String,
    /// Inventory number of the machine that stands in.
    loaner: String,
    /// Make and model of the loaner.
    loaner_machine: String,
    /// Where it stands.
    status: LoanStatus,
    /// Out for longer than was said.
    overdue: bool,
    /// Last moment of the day on which it is expected back, RFC 3339.
    expected: String,
    /// The loaner as it was handed out, with what went along.
    condition_out: String,
    /// The loaner as it came back.
    condition_back: String,
    /// `signature`, `mail`, `oral`, or empty before it was handed out.
    acknowledged: String,
    /// What was to be set up, why it was called off.
    note: String,
    /// RFC 3339.
    out_at: Option<String>,
    /// RFC 3339.
    back_at: Option<String>,
    /// Rises with every change.
    sequence: i64,
}

impl LoanView {
    fn of(loan: &Loan, now: UtcMicros) -> Self {
        Self {
            id: loan.id.to_string(),
            ticket: loan.ticket_number.to_string(),
            organisation: loan.organisation_name.clone(),
            borrower: loan.borrower_name.clone(),
            original: loan.original_tag.clone(),
            loaner: loan.loaner_tag.clone(),
            loaner_machine: loan.loaner_machine.clone(),
            status: loan.status,
            overdue: loan.is_overdue(now),
            expected: loan.expected_at.rfc3339(),
            condition_out: loan.condition_out.clone(),
            condition_back: loan.condition_back.clone(),
            acknowledged: loan.acknowledged.clone(),
            note: loan.note.clone(),
            out_at: loan.out_at.map(UtcMicros::rfc3339),
            back_at: loan.back_at.map(UtcMicros::rfc3339),
            sequence: loan.sequence,
        }
    }
}

/// Loans of a ticket.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LoanList {
    /// The rows.
    items: Vec<LoanView>,
}

/// A page of the register.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LoanPage {
    /// The rows.
    items: Vec<LoanView>,
    /// Cursor of the next page, if there is one.
    next: Option<String>,
}

/// A machine of the stock that could stand in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OfferView {
    /// Inventory number, empty without.
    tag: String,
    /// Manufacturer.
    make: String,
    /// Model.
    model: String,
    /// Name of its site, empty without.
    site: String,
    /// System and version.
    os: String,
    /// Memory, MiB.
    memory_mib: i64,
    /// Fixed disks together, MiB.
    disk_mib: i64,
    /// At least what is needed, in every respect.
    equivalent: bool,
    /// It is where it is needed.
    on_site: bool,
    /// What it lacks.
    shortfalls: Vec<Shortfall>,
}

/// The stock in the order in which it is offered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OfferList {
    /// The rows.
    items: Vec<OfferView>,
}

/// Which loans.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct RegisterQuery {
    /// `prepared`, `out`, `overdue`, `back`, `restored` or `cancelled`.
    status: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// Rows, 1 to 200.
    limit: Option<u32>,
}

/// Machines of the stock for the ticket's machine: equivalents first, those on site before others.
#[utoipa::path(get, path = "/api/v1/tickets/{number}/loaners", tag = "loans", params(("number" = String, Path)), responses(
    (status = 200, body = OfferList), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn offers(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(number): ApiPath,
) -> Result<Json<OfferList>, Problem> {
    if !actor.may(Permission::ReadAssets) {
        return Err(Problem::forbidden());
    }
    let mut tx = state.context.db.read().await?;
    let ticket = ticket(&mut tx, &actor, &number).await?;
    let found = service::list_offers(&mut tx, &ticket).await?;
    let view = |(ci, offer): (inventory::CiSummary, super::equivalent::Offer)| OfferView {
        equivalent: offer.is_equivalent(),
        on_site: offer.on_site,
        shortfalls: offer.shortfalls,
        tag: ci.tag.unwrap_or_default(),
        make: ci.make,
        model: ci.model,
        site: ci.site_name,
        os: format!("{} {}", ci.os_name, ci.os_version).trim().to_owned(),
        memory_mib: ci.memory_mib,
        disk_mib: ci.disk_mib,
    };
    Ok(Json(OfferList { items: found.into_iter().map(view).collect() }))
}

/// Loans of a ticket, the latest first.
#[utoipa::path(get, path = "/api/v1/tickets/{number}/loans", tag = "loans", params(("number" = String, Path)), responses(
    (status = 200, body = LoanList), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn of_ticket(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(number): ApiPath,
) -> Result<Json<LoanList>, Problem> {
    let mut tx = state.context.db.read().await?;
    let ticket = ticket(&mut tx, &actor, &number).await?;
    let now = state.context.now();
    let loans = service::list_loans_of_ticket(&mut tx, &ticket.number).await?;
    Ok(Json(LoanList { items: loans.iter().map(|it| LoanView::of(it, now)).collect() }))
}

/// Reserves a machine of the stock; the ticket's machine goes in repair. A machine that is lent already is refused with
/// 409.
#[utoipa::path(post, path = "/api/v1/tickets/{number}/loans", tag = "loans", request_body = LoanRequest,
    params(("number" = String, Path)), responses((status = 201, body = LoanView),
    (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn prepare(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(number): ApiPath,
    ApiJson(body): ApiJson<LoanRequest>,
) -> Result<Response, Problem> {
    let mut tx = state.context.db.read().await?;
    let ticket = ticket(&mut tx, &actor, &number).await?;
    let loaner = machine(&mut tx, ticket.organisation_id, &body.loaner).await?;
    drop(tx);
    let zone = Zone::named(&ticket.time_zone).unwrap_or_else(Zone::utc);
    let new = NewLoan { loaner, expected_at: day(&body.expected, &zone)?, note: body.note };
    let loan = service::prepare_loan(&state.context, &actor, &ticket.number, new).await?;
    let view = LoanView::of(&loan, state.context.now());
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/loans/{}", loan.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The register, the loan expected first on top.
#[utoipa::path(get, path = "/api/v1/loans", tag = "loans", params(RegisterQuery), responses(
    (status = 200, body = LoanPage), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn register(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiQuery(query): ApiQuery<RegisterQuery>,
) -> Result<Json<LoanPage>, Problem> {
    let now = state.context.now();
    let request = page_request(query.cursor.as_deref(), query.limit)?;
    let filter = match query.status.as_deref() {
        None => LoanFilter::default(),
        Some("overdue") => LoanFilter { overdue_at: Some(now), ..LoanFilter::default() },
        Some(word) => {
            let status = LoanStatus::from_code(word);
            let status = status.ok_or_else(|| Problem::invalid("status", "is not a known word"))?;
            LoanFilter { statuses: vec![status], ..LoanFilter::default() }
        }
    };
    let mut tx = state.context.db.read().await?;
    let page = service::list_loans(&mut tx, &actor, &filter, &request).await?;
    Ok(Json(LoanPage { items: page.rows.iter().map(|it| LoanView::of(it, now)).collect(), next: page.next }))
}

/// One loan.
#[utoipa::path(get, path = "/api/v1/loans/{id}", tag = "loans", params(("id" = String, Path)), responses(
    (status = 200, body = LoanView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(crate) async fn read(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
) -> Result<Json<LoanView>, Problem> {
    Ok(Json(LoanView::of(&found(&state, &actor, &id).await?, state.context.now())))
}

/// Declares the handler of one step: its path, its body, its documentation.
macro_rules! steps {
    ($($(#[doc = $doc:literal])* $name:ident, $path:literal, $body:ident => $convert:expr;)+) => {$(
        $(#[doc = $doc])*
        #[utoipa::path(post, path = $path, tag = "loans", request_body = $body, params(("id" = String, Path)), responses(
            (status = 200, body = LoanView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
        pub(crate) async fn $name(
            State(state): State<ApiState>,
            Caller(actor): Caller,
            ApiPath(id): ApiPath,
            ApiJson(body): ApiJson<$body>,
        ) -> Result<Json<LoanView>, Problem> {
            let loan = found(&state, &actor, &id).await?;
            let seen = body.sequence;
            let step: LoanStep = ($convert)(body, &loan)?;
            let loan = service::step_loan(&state.context, &actor, loan.id, seen, step).await?;
            Ok(Json(LoanView::of(&loan, state.context.now())))
        }
    )+};
}

steps! {
    /// Handed to the borrower; the ticket shows both machines.
    out, "/api/v1/loans/{id}/out", OutRequest =>
        |it: OutRequest, _: &Loan| Ok::<_, Problem>(LoanStep::HandOut { condition: it.condition, acknowledged: it.acknowledged });
    /// Kept longer.
    extend, "/api/v1/loans/{id}/extend", ExtendRequest =>
        |it: ExtendRequest, loan: &Loan| Ok::<_, Problem>(LoanStep::Extend { expected_at: day(&it.expected, &loan.zone())? });
    /// Returned; it is in stock again.
    back, "/api/v1/loans/{id}/back", BackRequest =>
        |it: BackRequest, _: &Loan| Ok::<_, Problem>(LoanStep::TakeBack { condition: it.condition });
    /// The borrower has their own machine again.
    restore, "/api/v1/loans/{id}/restore", RestoreRequest =>
        |_: RestoreRequest, _: &Loan| Ok::<_, Problem>(LoanStep::Restore);
    /// Not needed after all.
    cancel, "/api/v1/loans/{id}/cancel", CancelLoanRequest =>
        |it: CancelLoanRequest, _: &Loan| Ok::<_, Problem>(LoanStep::Cancel { reason: it.reason });
}

async fn ticket(tx: &mut Tx, actor: &Actor, number: &str) -> Result<Ticket, Problem> {
    let number: TicketNumber = number.parse().map_err(|_| Problem::not_found())?;
    tickets::find_for(tx, actor, &number).await?.ok_or_else(Problem::not_found)
}

async fn found(state: &ApiState, actor: &Actor, id: &str) -> Result<Loan, Problem> {
    let id: LoanId = id.parse().map_err(|_| Problem::not_found())?;
    let mut tx = state.context.db.read().await?;
    service::find_loan(&mut tx, actor, id).await?.ok_or_else(Problem::not_found)
}

/// The organisation's machine with that number.
async fn machine(tx: &mut Tx, organisation: OrganisationId, tag: &str) -> Result<CiId, Problem> {
    let found = inventory::find_ci_by_tag(tx, organisation, &tag_key(tag)).await?;
    Ok(found.ok_or_else(|| Problem::invalid("loaner", "is not in the organisation's stock"))?.id)
}

/// The last moment of a day on the borrower's wall.
fn day(text: &str, zone: &Zone) -> Result<UtcMicros, Problem> {
    UtcMicros::parse_until(text.trim(), zone)
        .ok_or_else(|| Problem::invalid("expected", "must be a date, YYYY-MM-DD"))
}
