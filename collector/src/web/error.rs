//! Failures of pages. A handler returns [`PageError`]; the guard, which knows the reader's language,
//! turns it into a page and logs the cause once under the incident number the reader sees.

use std::fmt;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::{Reader, Shell, Visitor};
use crate::kernel::error::{Chain, ErrorKind, Fault};

/// Why a page could not be shown.
#[derive(Clone, Debug)]
pub(crate) struct PageError {
    kind: ErrorKind,
    cause: String,
}

impl PageError {
    /// With a cause for the log; readers never see it.
    pub(crate) fn of(kind: ErrorKind, cause: impl fmt::Display) -> Self {
        Self { kind, cause: cause.to_string() }
    }

    /// There is no such thing, or the reader may not know that there is.
    pub(crate) fn not_found() -> Self {
        Self::of(ErrorKind::NotFound, "no such page")
    }

    /// The reader's roles do not allow it.
    pub(crate) fn forbidden() -> Self {
        Self::of(ErrorKind::Forbidden, "not allowed for these roles")
    }

    /// What a reader can do about it.
    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The cause, for one log line.
    pub(crate) fn cause(&self) -> &str {
        &self.cause
    }
}

impl<E: Fault> From<E> for PageError {
    fn from(error: E) -> Self {
        Self { kind: error.kind(), cause: Chain(&error).to_string() }
    }
}

/// A template that could not be written out.
pub(crate) fn broken_template(error: &askama::Error) -> PageError {
    PageError::of(ErrorKind::Internal, error)
}

/// Carries the failure to the guard.
impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = status(self.kind).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer to an address nothing lives at.
pub(crate) async fn no_such_page() -> PageError {
    PageError::not_found()
}

/// Renders a page.
pub(crate) fn page(template: &impl Template) -> Result<Response, PageError> {
    page_with(StatusCode::OK, template)
}

/// Renders a page with another status than 200.
pub(crate) fn page_with(status: StatusCode, template: &impl Template) -> Result<Response, PageError> {
    let body = template.render().map_err(|it| broken_template(&it))?;
    Ok((status, Html(body)).into_response())
}

#[derive(Debug, Template)]
#[template(path = "web/error.html")]
pub(crate) struct ErrorPage {
    pub shell: Shell,
    pub help: String,
    /// Named to whoever is asked for help; only for failures that are ours.
    pub incident: Option<String>,
}

impl ErrorPage {
    /// The page of a failure; a signed-in reader keeps navigation and account menu.
    pub(crate) fn of(
        visitor: &Visitor,
        reader: Option<&Reader>,
        kind: ErrorKind,
        incident: Option<String>,
    ) -> Self {
        let texts = reader.map_or(visitor.texts, Reader::texts);
        let title = texts.word("error-title", word(kind)).into_owned();
        Self {
            shell: match reader {
                Some(reader) => reader.frame(title, None),
                None => Shell::of(visitor, title),
            },
            help: texts.word("error-help", word(kind)).into_owned(),
            incident,
        }
    }
}

fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid",
        ErrorKind::NotFound => "not-found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Forbidden | ErrorKind::Unauthenticated => "forbidden",
        ErrorKind::Exhausted => "exhausted",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Internal => "internal",
    }
}

/// The table from kinds to statuses.
pub(crate) fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Exhausted => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
