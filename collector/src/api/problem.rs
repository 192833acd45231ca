//! Refusals as RFC 9457 problem details.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::kernel::error::{Chain, ErrorKind, Fault};

/// Media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was refused. Boxed, because most answers are none.
#[derive(Clone, Debug)]
pub struct Problem(pub(super) Box<ProblemDetails>);

/// What the refused caller reads.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDetails {
    /// URI of the kind of problem: `urn:parc:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short text of the status.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong, in English.
    pub detail: String,
    /// Path of the request; the incident for internal errors.
    pub instance: String,
    /// Stable word for programs.
    pub code: String,
    /// The field at fault, as the caller spelt it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Every field at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// For the log only.
    #[serde(skip)]
    pub(super) cause: Option<String>,
}

/// One field at fault.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldProblem {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Problem {
    /// A problem of that status and code.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(ProblemDetails {
            kind: format!("urn:parc:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            code: code.to_owned(),
            field: None,
            errors: Vec::new(),
            cause: None,
        }))
    }

    /// There is no such thing, or the caller may not know that there is: always the same words.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is no such thing")
    }

    /// The caller's role does not give it.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "not allowed for this key's role")
    }

    /// One field is wrong.
    pub fn invalid(field: &str, reason: impl std::fmt::Display) -> Self {
        Self::invalid_fields(vec![FieldProblem { field: field.to_owned(), reason: reason.to_string() }])
    }

    /// The same with a list of fields and what there is to know about each.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldProblem>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Fields are wrong; the first one is the problem's `field`.
    pub fn invalid_fields(errors: Vec<FieldProblem>) -> Self {
        let detail = errors.first().map(|it| format!("{} {}", it.field, it.reason)).unwrap_or_default();
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail);
        problem.0.field = errors.first().map(|it| it.field.clone());
        problem.0.errors = errors;
        problem
    }
}

impl<E: Fault> From<E> for Problem {
    fn from(error: E) -> Self {
        let status = status_of(error.kind());
        let hidden = matches!(error.kind(), ErrorKind::Internal | ErrorKind::Unavailable);
        let detail = match error.kind() {
            ErrorKind::Internal => {
                "an internal error; tell the operator the incident named in instance".to_owned()
            }
            ErrorKind::Unavailable => "not available now; try again".to_owned(),
            _ => error.to_string(),
        };
        let mut problem = Self::new(status, error.code(), detail);
        if let Some(field) = error.field() {
            let reason = error.to_string();
            let reason = reason.strip_prefix(field).unwrap_or(&reason).trim().to_owned();
            problem.0.errors.push(FieldProblem { field: field.to_owned(), reason });
            problem.0.field = Some(field.to_owned());
        }
        problem.0.cause = hidden.then(|| Chain(&error).to_string());
        problem
    }
}

/// The table from kinds of errors to HTTP.
fn status_of(kind: ErrorKind) -> StatusCode {
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

impl IntoResponse for Problem {
    /// Status and, for the guard, the problem itself: only the guard knows the request it belongs to.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::StoreError;

    #[test]
    fn the_cause_of_an_internal_error_is_for_the_log() {
        let problem = Problem::from(StoreError::inconsistent("ticket", "number", "I202611_0001"));
        let problem = problem.0;
        assert_eq!(problem.status, 500);
        assert!(problem.cause.as_deref().is_some_and(|it| it.contains("I202611_0001")));
        let shown = serde_json::to_string(&problem).expect("json");
        assert!(!shown.contains("I202611_0001"), "{shown}");
    }

    #[test]
    fn a_refused_field_is_named_once() {
        let problem = Problem::invalid("summary", "must not be empty").0;
        assert_eq!(problem.detail, "summary must not be empty");
        assert_eq!(problem.field.as_deref(), Some("summary"));
        assert_eq!(problem.errors.len(), 1);
    }
}
