//! REST of tickets. Paths and field names are a promise to other programs.

mod actions;
mod attachments;
mod coverage;
mod handlers;
mod incoming;
mod reference;
mod requests;
mod responses;
#[cfg(test)]
mod tests;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::api::Route;
use crate::files::web::BODY_BYTES_MAX;

pub use attachments::{AttachmentView, AttachmentsAdded, AttachmentsForm};
pub use incoming::{ConversionRequest, IncomingMail, IncomingPage, MailboxHealth, MailboxList};
pub use requests::{
    AssetRequest, AssignRequest, CancelRequest, ClaimRequest, CommentRequest, CoverageRequest, DetachRequest,
    EmptyRequest, HoldRequest, LinkRequest, MajorRequest, MatrixRequest, MergeRequest, QualifyRequest,
    ReleaseRequest, ResolveRequest, TaskRequest, TeamCommentRequest, TextRequest, TicketRequest,
    UnlinkRequest,
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
    actions::assign,
    actions::transfer,
    actions::escalate,
    actions::deescalate,
    actions::refer,
    actions::unrestrict,
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
    actions::merge,
    actions::link,
    actions::unlink,
    actions::major,
    actions::assets,
    actions::detach,
    attachments::add,
    attachments::download,
    reference::list_pending_reasons,
    reference::get_matrix,
    reference::put_matrix,
    incoming::list,
    incoming::one,
    incoming::raw,
    incoming::convert,
    incoming::release,
    incoming::discard,
    incoming::mailboxes,
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
        ("/api/v1/tickets/{number}/assign", post(actions::assign)),
        ("/api/v1/tickets/{number}/transfer", post(actions::transfer)),
        ("/api/v1/tickets/{number}/escalate", post(actions::escalate)),
        ("/api/v1/tickets/{number}/deescalate", post(actions::deescalate)),
        ("/api/v1/tickets/{number}/refer", post(actions::refer)),
        ("/api/v1/tickets/{number}/unrestrict", post(actions::unrestrict)),
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
        ("/api/v1/tickets/{number}/merge", post(actions::merge)),
        ("/api/v1/tickets/{number}/link", post(actions::link)),
        ("/api/v1/tickets/{number}/unlink", post(actions::unlink)),
        ("/api/v1/tickets/{number}/major", post(actions::major)),
        ("/api/v1/tickets/{number}/assets", post(actions::assets)),
        ("/api/v1/tickets/{number}/detach", post(actions::detach)),
        (
            "/api/v1/tickets/{number}/attachments",
            post(attachments::add).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)),
        ),
        ("/api/v1/tickets/{number}/attachments/{file}", get(attachments::download)),
        ("/api/v1/pending-reasons", get(reference::list_pending_reasons)),
        ("/api/v1/priority-matrix", get(reference::get_matrix).put(reference::put_matrix)),
        ("/api/v1/incoming-mail", get(incoming::list)),
        ("/api/v1/incoming-mail/{id}", get(incoming::one)),
        ("/api/v1/incoming-mail/{id}/raw", get(incoming::raw)),
        ("/api/v1/incoming-mail/{id}/convert", post(incoming::convert)),
        ("/api/v1/incoming-mail/{id}/release", post(incoming::release)),
        ("/api/v1/incoming-mail/{id}/discard", post(incoming::discard)),
        ("/api/v1/mailboxes", get(incoming::mailboxes)),
        ("/api/v1/tickets/{number}/coverage", post(coverage::decide)),
    ]
}
