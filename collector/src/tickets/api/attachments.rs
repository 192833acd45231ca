//! Files on tickets.

use axum::Json;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::handlers::seen;
use crate::api::{ApiPath, ApiState, Caller, Problem, ProblemDetails};
use crate::files::web::{LeftOut, Parts, read_parts, send};
use crate::files::{self, FILE_BYTES_MAX, FILES_BYTES_MAX, FILES_MAX, StoredFile};
use crate::kernel::id::FileId;
use crate::tickets::{self, TicketAction, TicketNumber};

/// A file that lies on a ticket from now on.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentView {
    /// Last part of its address.
    pub id: String,
    /// As kept: one line, no path.
    pub name: String,
    /// What the bytes are, whatever was said.
    pub media_type: String,
    /// Bytes.
    pub size_bytes: i64,
    /// It shows personal data, so fewer people may open it.
    pub restricted: bool,
}

/// What was added.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentsAdded {
    /// The files, in the order they came.
    pub attachments: Vec<AttachmentView>,
}

/// The fields of the form.
#[derive(Debug, ToSchema)]
pub struct AttachmentsForm {
    /// One or several files.
    #[schema(value_type = Vec<String>, format = Binary)]
    #[expect(dead_code, reason = "describes the form; it is read part by part")]
    file: Vec<u8>,
    /// What is said about them.
    #[expect(dead_code, reason = "describes the form; it is read part by part")]
    text: Option<String>,
    /// `true`: for staff only.
    #[expect(dead_code, reason = "describes the form; it is read part by part")]
    internal: Option<bool>,
    /// `true`: they show personal data.
    #[expect(dead_code, reason = "describes the form; it is read part by part")]
    restricted: Option<bool>,
}

/// Adds files as an answer, or as an internal note. At most 20 files of 20 MiB, 25 MiB together; texts come first.
#[utoipa::path(post, path = "/api/v1/tickets/{number}/attachments", tag = "tickets", params(("number" = String, Path)),
    request_body(content = AttachmentsForm, content_type = "multipart/form-data"),
    responses((status = 201, body = AttachmentsAdded),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn add(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(number): ApiPath,
    request: Request,
) -> Result<Response, Problem> {
    let context = &state.context;
    let ticket = seen(context, &actor, &number).await?.ticket;
    let form = Multipart::from_request(request, &state)
        .await
        .map_err(|it| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", it.body_text()))?;
    let Parts { fields, files, left_out } = read_parts(form, |_| true).await?;
    if let Some((name, why)) = left_out.first() {
        return Err(refused(name, *why));
    }
    if files.is_empty() {
        return Err(Problem::invalid("file", "is needed"));
    }
    let says = |name: &str| fields.get(name).is_some_and(|it| it.trim() == "true");
    let mut kept = Vec::with_capacity(files.len());
    for upload in files {
        let mut tx = context.db.begin().await?;
        let mut file = files::keep(&mut tx, context, &upload.name, &upload.media_type, &upload.bytes).await?;
        if says("restricted") {
            files::restrict(&mut tx, file.id).await?;
            file.restricted = true;
        }
        tx.commit().await?;
        kept.push(file);
    }
    let action = TicketAction::Attach {
        text: fields.get("text").cloned().unwrap_or_default(),
        files: kept.iter().map(|it| it.id).collect(),
        internal: says("internal"),
    };
    tickets::act_on_ticket(context, &actor, &ticket.number, ticket.version, action).await?;
    let attachments = kept.into_iter().map(AttachmentView::from).collect();
    Ok((StatusCode::CREATED, Json(AttachmentsAdded { attachments })).into_response())
}

/// A file's bytes.
#[utoipa::path(get, path = "/api/v1/tickets/{number}/attachments/{file}", tag = "tickets",
    params(("number" = String, Path), ("file" = String, Path)),
    responses((status = 200, description = "the bytes, named and typed so that nothing in them runs", content_type = "application/octet-stream"),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn download(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    path: Option<Path<(String, String)>>,
) -> Result<Response, Problem> {
    let Path((number, file)) = path.ok_or_else(Problem::not_found)?;
    let number: TicketNumber = number.parse().map_err(|_| Problem::not_found())?;
    let file: FileId = file.parse().map_err(|_| Problem::not_found())?;
    let found = tickets::find_attachment(&state.context, &actor, &number, file).await?;
    let (file, bytes) = found.ok_or_else(Problem::not_found)?;
    Ok(send(&file, bytes))
}

fn refused(name: &str, why: LeftOut) -> Problem {
    let detail = match why {
        LeftOut::FileSize => format!("{name:?} has more than {FILE_BYTES_MAX} bytes"),
        LeftOut::TotalSize => format!("with {name:?} the files have more than {FILES_BYTES_MAX} bytes"),
        LeftOut::Count => format!("{name:?} is one more than {FILES_MAX} files"),
    };
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
}

impl From<StoredFile> for AttachmentView {
    fn from(file: StoredFile) -> Self {
        Self {
            id: file.id.to_string(),
            name: file.name,
            media_type: file.media_type,
            size_bytes: file.size_bytes,
            restricted: file.restricted,
        }
    }
}
