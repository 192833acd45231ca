//! Incoming mail: the journal, one message, and what a person may do with those that wait.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::{ApiJson, ApiPath, ApiQuery, ApiState, Caller, Problem, ProblemDetails, page_request};
use crate::kernel::actor::Actor;
use crate::kernel::id::InboundMailId;
use crate::mail::letterbox::{self, InboundFilter, InboundRow, InboundState, Mailbox};
use crate::people::Language;
use crate::sites;
use crate::tickets::by_mail::{self, Conversion, MailRoom, TrayError};

/// Characters of a search text.
const QUERY_CHARS_MAX: usize = 100;

/// Filters of the journal.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct JournalQuery {
    /// One or several states, separated by commas.
    state: Option<String>,
    /// Part of the sender's address or of the subject, or a ticket's number.
    q: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// Rows, 1 to 200.
    limit: Option<u32>,
}

/// A message that arrived, without its content.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncomingMail {
    /// Last part of its address.
    pub id: String,
    /// Name of the mailbox it lay in.
    pub mailbox: String,
    /// When it was stored.
    pub received_at: String,
    /// Of the whole message, bytes.
    pub size_bytes: i64,
    /// `received`, `refused`, `quarantined`, `opened`, `appended`, `silent`, `bounced`, `duplicate`, `dropped`,
    /// `converted` or `discarded`.
    pub state: String,
    /// A word that says why; may be empty.
    pub reason: String,
    /// Sender's address; proves nothing.
    pub from_address: String,
    /// Sender's name; proves nothing.
    pub from_name: String,
    /// Subject.
    pub subject: String,
    /// What our mail server found out about the sender: `passed`, `failed` or `unknown`.
    pub authenticity: String,
    /// The ticket it is on.
    pub ticket: Option<String>,
    /// The sender was told that they are not known.
    pub answered: bool,
    /// When it was decided.
    pub settled_at: Option<String>,
    /// Who decided.
    pub settled_by: String,
}

/// A part of the journal.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncomingPage {
    /// Messages, newest first.
    pub items: Vec<IncomingMail>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// How a mailbox is doing.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailboxHealth {
    /// Its name.
    pub name: String,
    /// When it was last looked at with success.
    pub checked_at: Option<String>,
    /// Since when it cannot be fetched.
    pub failing_since: Option<String>,
    /// Why; empty while it can.
    pub failure: String,
}

/// All mailboxes.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailboxList {
    /// By name.
    pub items: Vec<MailboxHealth>,
}

/// Whom a refused message is made a person of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversionRequest {
    /// Code of the organisation they work for.
    pub organisation: String,
    /// Name, 1 to 120 characters.
    pub name: String,
    /// Language of their mails: `fr` or `en`.
    pub language: Language,
}

/// What arrived, newest first. For staff of all organisations who receive or administer.
#[utoipa::path(get, path = "/api/v1/incoming-mail", tag = "mail", params(JournalQuery), responses(
    (status = 200, body = IncomingPage), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiQuery(query): ApiQuery<JournalQuery>,
) -> Result<Json<IncomingPage>, Problem> {
    allowed(&actor)?;
    let request = page_request(query.cursor.as_deref(), query.limit)?;
    let words = query.state.as_deref().unwrap_or_default().split(',').filter(|it| !it.is_empty());
    let states: Option<Vec<InboundState>> = words.map(|it| InboundState::from_code(it.trim())).collect();
    let filter = InboundFilter {
        states: states.ok_or_else(|| Problem::invalid("state", "is not a state of a message"))?,
        query: query.q.unwrap_or_default().chars().take(QUERY_CHARS_MAX).collect(),
    };
    let mut tx = state.context.db.read().await?;
    let mut page = letterbox::list(&mut tx, &filter, &request).await?;
    by_mail::hide_unreadable(&mut tx, &actor, &mut page.rows).await?;
    let page = page.map(IncomingMail::from);
    Ok(Json(IncomingPage { items: page.rows, next: page.next }))
}

/// One message.
#[utoipa::path(get, path = "/api/v1/incoming-mail/{id}", tag = "mail", params(("id" = String, Path)), responses(
    (status = 200, body = IncomingMail), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn one(
    Extension(room): Extension<Arc<MailRoom>>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
) -> Result<Json<IncomingMail>, Problem> {
    let row = by_mail::open_message(&room, &actor, known(&id)?).await?;
    Ok(Json(row.into()))
}

/// The bytes as they came.
#[utoipa::path(get, path = "/api/v1/incoming-mail/{id}/raw", tag = "mail", params(("id" = String, Path)), responses(
    (status = 200, description = "the bytes, typed so that nothing in them runs", content_type = "application/octet-stream"),
    (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn raw(
    State(state): State<ApiState>,
    Extension(room): Extension<Arc<MailRoom>>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
) -> Result<Response, Problem> {
    let row = by_mail::open_message(&room, &actor, known(&id)?).await?;
    let mut tx = state.context.db.read().await?;
    let bytes = letterbox::find_raw(&mut tx, row.id).await?.ok_or_else(Problem::not_found)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// Makes a requester of the sender of a refused message, and a ticket of the message.
#[utoipa::path(post, path = "/api/v1/incoming-mail/{id}/convert", tag = "mail", params(("id" = String, Path)),
    request_body = ConversionRequest, responses((status = 200, body = IncomingMail),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn convert(
    State(state): State<ApiState>,
    Extension(room): Extension<Arc<MailRoom>>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
    ApiJson(request): ApiJson<ConversionRequest>,
) -> Result<Json<IncomingMail>, Problem> {
    allowed(&actor)?;
    let mut tx = state.context.db.read().await?;
    let organisation = sites::find_organisation_by_code(&mut tx, &request.organisation).await?;
    drop(tx);
    let organisation = organisation.ok_or_else(|| Problem::invalid("organisation", "is not known"))?;
    let conversion =
        Conversion { organisation_id: organisation.id, name: request.name, language: request.language };
    Ok(Json(by_mail::convert(&room, &actor, known(&id)?, conversion).await?.into()))
}

/// Deals with a message again, as if somebody vouched for it.
#[utoipa::path(post, path = "/api/v1/incoming-mail/{id}/release", tag = "mail", params(("id" = String, Path)),
    responses((status = 200, body = IncomingMail),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn release(
    Extension(room): Extension<Arc<MailRoom>>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
) -> Result<Json<IncomingMail>, Problem> {
    Ok(Json(by_mail::replay(&room, &actor, known(&id)?).await?.into()))
}

/// Throws a waiting message away.
#[utoipa::path(post, path = "/api/v1/incoming-mail/{id}/discard", tag = "mail", params(("id" = String, Path)),
    responses((status = 200, body = IncomingMail),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn discard(
    Extension(room): Extension<Arc<MailRoom>>,
    Caller(actor): Caller,
    ApiPath(id): ApiPath,
) -> Result<Json<IncomingMail>, Problem> {
    Ok(Json(by_mail::discard(&room, &actor, known(&id)?).await?.into()))
}

/// How the mailboxes are doing.
#[utoipa::path(get, path = "/api/v1/mailboxes", tag = "mail", responses(
    (status = 200, body = MailboxList), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn mailboxes(
    State(state): State<ApiState>,
    Caller(actor): Caller,
) -> Result<Json<MailboxList>, Problem> {
    allowed(&actor)?;
    let mut tx = state.context.db.read().await?;
    let items = letterbox::list_mailboxes(&mut tx).await?.into_iter().map(MailboxHealth::from).collect();
    Ok(Json(MailboxList { items }))
}

fn allowed(actor: &Actor) -> Result<(), Problem> {
    if by_mail::looks_after_mail(actor) { Ok(()) } else { Err(TrayError::Forbidden.into()) }
}

fn known(id: &str) -> Result<InboundMailId, Problem> {
    id.parse().map_err(|_| Problem::not_found())
}

impl From<InboundRow> for IncomingMail {
    fn from(row: InboundRow) -> Self {
        Self {
            id: row.id.to_string(),
            mailbox: row.mailbox,
            received_at: row.received_at.rfc3339(),
            size_bytes: row.size_bytes,
            state: row.state.code().to_owned(),
            reason: row.reason,
            from_address: row.from_address,
            from_name: row.from_name,
            subject: row.subject,
            authenticity: row.authenticity,
            ticket: row.ticket_number,
            answered: row.answered,
            settled_at: row.settled_at.map(crate::kernel::time::UtcMicros::rfc3339),
            settled_by: row.settled_by,
        }
    }
}

impl From<Mailbox> for MailboxHealth {
    fn from(mailbox: Mailbox) -> Self {
        Self {
            name: mailbox.name,
            checked_at: mailbox.checked_at.map(crate::kernel::time::UtcMicros::rfc3339),
            failing_since: mailbox.failing_since.map(crate::kernel::time::UtcMicros::rfc3339),
            failure: mailbox.failure,
        }
    }
}
