//! REST of tickets. Paths and field names are a promise to other programs.

mod actions;
mod attachments;
mod coverage;
mod handlers;
mod requests;
mod responses;
#[cfg(test)]
mod tests;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::api::Route;
use crate::files::web::BODY_BYTES_MAX;

pub use attachments::{AttachmentView, AttachmentsAdded, AttachmentsForm};
pub use requests::{
    AssetRequest, CancelRequest, ClaimRequest, CommentRequest, CoverageRequest, DetachRequest, EmptyRequest,
    HoldRequest, QualifyRequest, ReleaseRequest, ResolveRequest, TaskRequest, TextRequest, TicketRequest,
};
pub use responses::{
    Candidate, ClockView, CoverageView, EventView, TicketAssetView, TicketCreated, TicketDetail, TicketLine,
    TicketPage,
};

/// The slice's part of the OpenAPI document.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(paths(
    handlers::create_ticket,
    handlers::list_tickets,
    handlers::get_ticket,
    actions::claim,
    actions::release,
    actions::qualify,
    actions::transfer,
    actions::escalate,
    actions::hold,
    actions::resume,
    actions::tasks,
    actions::replies,
    actions::notes,
    actions::resolve,
    actions::confirm,
    actions::refuse,
    actions::reopen,
    actions::cancel,
    actions::assets,
    actions::detach,
    attachments::add,
    attachments::download,
    coverage::decide,
))]
pub struct TicketsDocument;

/// Paths of the slice.
pub fn routes() -> Vec<Route> {
    vec![
        ("/api/v1/tickets", get(handlers::list_tickets).post(handlers::create_ticket)),
        ("/api/v1/tickets/{number}", get(handlers::get_ticket)),
        ("/api/v1/tickets/{number}/claim", post(actions::claim)),
        ("/api/v1/tickets/{number}/release", post(actions::release)),
        ("/api/v1/tickets/{number}/qualify", post(actions::qualify)),
        ("/api/v1/tickets/{number}/transfer", post(actions::transfer)),
        ("/api/v1/tickets/{number}/escalate", post(actions::escalate)),
        ("/api/v1/tickets/{number}/hold", post(actions::hold)),
        ("/api/v1/tickets/{number}/resume", post(actions::resume)),
        ("/api/v1/tickets/{number}/tasks", post(actions::tasks)),
        ("/api/v1/tickets/{number}/replies", post(actions::replies)),
        ("/api/v1/tickets/{number}/notes", post(actions::notes)),
        ("/api/v1/tickets/{number}/resolve", post(actions::resolve)),
        ("/api/v1/tickets/{number}/confirm", post(actions::confirm)),
        ("/api/v1/tickets/{number}/refuse", post(actions::refuse)),
        ("/api/v1/tickets/{number}/reopen", post(actions::reopen)),
        ("/api/v1/tickets/{number}/cancel", post(actions::cancel)),
        ("/api/v1/tickets/{number}/assets", post(actions::assets)),
        ("/api/v1/tickets/{number}/detach", post(actions::detach)),
        (
            "/api/v1/tickets/{number}/attachments",
            post(attachments::add).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)),
        ),
        ("/api/v1/tickets/{number}/attachments/{file}", get(attachments::download)),
        ("/api/v1/tickets/{number}/coverage", post(coverage::decide)),
    ]
}
