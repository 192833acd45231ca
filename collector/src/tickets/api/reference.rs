//! What tickets are described and ordered with: pending reasons, the priority matrix.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::requests::MatrixRequest;
use crate::api::{ApiJson, ApiState, Caller, Problem, ProblemDetails};
use crate::kernel::actor::{Actor, Permission};
use crate::tickets::{self, Matrix, PendingReason, TicketError};

/// Why tickets may wait.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PendingReasonList {
    /// In the order they are offered.
    pub items: Vec<PendingReasonView>,
}

/// A reason to wait.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags of a reason, each a field")]
pub(crate) struct PendingReasonView {
    /// Goes into `reason` of a hold.
    pub code: String,
    /// In French.
    pub label_fr: String,
    /// In English.
    pub label_en: String,
    /// The call-back clock stands still meanwhile.
    pub pauses_call: bool,
    /// The resolution clock stands still meanwhile.
    pub pauses_resolution: bool,
    /// A hold needs `until`.
    pub requires_date: bool,
    /// Offered.
    pub active: bool,
}

/// A version of the priority matrix.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MatrixView {
    /// Counts up; tickets name the one they were qualified by.
    pub version: i64,
    /// Eighteen digits 1 to 5: urgency low, medium, high for each scope one, group, all for each severity minor,
    /// blocking.
    pub cells: String,
}

/// Why tickets may wait, and what that does to their clocks.
#[utoipa::path(get, path = "/api/v1/pending-reasons", tag = "tickets", responses(
    (status = 200, body = PendingReasonList), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn list_pending_reasons(
    State(state): State<ApiState>,
    Caller(actor): Caller,
) -> Result<Json<PendingReasonList>, Problem> {
    may_read(&actor)?;
    let mut tx = state.context.db.read().await?;
    let items = tickets::pending_reasons(&mut tx).await?.into_iter().map(PendingReasonView::from).collect();
    Ok(Json(PendingReasonList { items }))
}

/// The priority matrix in force.
#[utoipa::path(get, path = "/api/v1/priority-matrix", tag = "tickets", responses(
    (status = 200, body = MatrixView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn get_matrix(
    State(state): State<ApiState>,
    Caller(actor): Caller,
) -> Result<Json<MatrixView>, Problem> {
    may_read(&actor)?;
    let mut tx = state.context.db.read().await?;
    Ok(Json(tickets::matrix(&mut tx).await?.into()))
}

/// Puts another matrix into force, with a new version.
#[utoipa::path(put, path = "/api/v1/priority-matrix", tag = "tickets", request_body = MatrixRequest, responses(
    (status = 200, body = MatrixView), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn put_matrix(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiJson(request): ApiJson<MatrixRequest>,
) -> Result<Json<MatrixView>, Problem> {
    let mut tx = state.context.db.begin().await?;
    let matrix = tickets::set_matrix(&mut tx, &state.context, &actor, &request.cells).await?;
    tx.commit().await?;
    Ok(Json(matrix.into()))
}

fn may_read(actor: &Actor) -> Result<(), Problem> {
    let may = actor.may(Permission::ReadTickets) || actor.may(Permission::Administer);
    if may { Ok(()) } else { Err(TicketError::Forbidden.into()) }
}

impl From<PendingReason> for PendingReasonView {
    fn from(it: PendingReason) -> Self {
        let PendingReason { code, label_fr, label_en, pauses_call, pauses_resolution, requires_date, active } =
            it;
        Self { code, label_fr, label_en, pauses_call, pauses_resolution, requires_date, active }
    }
}

impl From<Matrix> for MatrixView {
    fn from(it: Matrix) -> Self {
        Self { version: it.version, cells: it.cells() }
    }
}
