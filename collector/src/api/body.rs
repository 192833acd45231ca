//! Reading bodies and queries: bounded, strict, and with the field at fault named.

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::problem::{FieldProblem, Problem};
use crate::kernel::page::PageRequest;

/// Bytes of a body: a description of 20,000 four-byte characters, escaped, and the other fields.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Fields named in one refusal: more than any request has.
const FAULTS_MAX: usize = 32;

/// A JSON body. Nothing at all counts as `{}`. Depth is bounded by the parser (128 levels).
#[derive(Debug)]
pub struct ApiJson<T>(pub T);

/// The one variable part of a path. What is not UTF-8 names nothing that there is.
#[derive(Debug)]
pub struct ApiPath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for ApiPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = Path::<String>::from_request_parts(parts, state).await;
        found.map(|Path(part)| Self(part)).map_err(|_| Problem::not_found())
    }
}

/// The query of the address.
#[derive(Debug)]
pub struct ApiQuery<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let is_json = request.headers().get(header::CONTENT_TYPE).is_some_and(|it| is_json(it.as_bytes()));
        let bytes = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(|_| {
            let detail = format!("the body must have at most {BODY_BYTES_MAX} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
        })?;
        if bytes.is_empty() {
            return parsed(b"{}").map(Self);
        }
        if !is_json {
            let detail = "the body must be application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", detail));
        }
        parsed(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Problem::invalid_fields(vec![fault("query", &cause_of(&rejection))])),
        }
    }
}

/// Which part of a list a program wants.
///
/// # Errors
///
/// Names `cursor` or `limit`.
pub fn page_request(cursor: Option<&str>, limit: Option<u32>) -> Result<PageRequest, Problem> {
    PageRequest::from_program(cursor, limit).map_err(|(field, reason)| Problem::invalid(field, reason))
}

/// What the query's deserializer said, without the framework's preamble.
fn cause_of(rejection: &dyn std::error::Error) -> String {
    rejection.source().map_or_else(|| rejection.to_string(), ToString::to_string)
}

fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|b| *b == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// In two steps, so that what is not JSON (or is nested too deeply) is told from what has a wrong field.
fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "malformed", format!("the body is not JSON: {error}"))
    })?;
    let Value::Object(fields) = value else {
        return Err(Problem::invalid("body", "must be an object"));
    };
    fitted(fields)
}

/// The deserializer stops at the first fault. To name the others too, what it blames is taken out, or filled in
/// where it is missing, and it is asked again.
fn fitted<T: DeserializeOwned>(mut fields: Map<String, Value>) -> Result<T, Problem> {
    let mut faults: Vec<FieldProblem> = Vec::new();
    while faults.len() < FAULTS_MAX {
        let error = match serde_path_to_error::deserialize(Value::Object(fields.clone())) {
            Ok(value) if faults.is_empty() => return Ok(value),
            Ok(_) => break,
            Err(error) => error,
        };
        let fault = fault(&error.path().to_string(), &error.inner().to_string());
        let name = fault.field.split(['.', '[']).next().unwrap_or_default().to_owned();
        let known = faults.iter().any(|it| it.field == fault.field);
        match (fields.remove(&name), known) {
            (None, _) => drop(fields.insert(name, Value::String(String::new()))),
            (Some(_), false) => {}
            (Some(_), true) => break,
        }
        if !known {
            faults.push(fault);
        }
    }
    Err(Problem::invalid_fields(faults))
}

/// Turns a deserializer's words into field and reason. An unknown or missing field is named in the words, any
/// other fault by the path.
fn fault(path: &str, message: &str) -> FieldProblem {
    let because =
        |field: &str, reason: &str| FieldProblem { field: field.to_owned(), reason: reason.to_owned() };
    let quoted = |prefix: &str| message.strip_prefix(prefix).and_then(|rest| rest.split('`').next());
    if let Some(field) = find_after(message, "unknown field `") {
        return because(field, "is not a known field");
    }
    if let Some(field) = quoted("missing field `") {
        return because(field, "is needed");
    }
    let (field, reason) = message.split_once(": ").filter(|_| path == "query").unwrap_or((path, message));
    because(field, plain(reason))
}

/// Our types' names are nobody's business.
fn plain(reason: &str) -> &str {
    match reason {
        it if it.contains("struct ") || it.contains("enum ") => "has the wrong type",
        "invalid digit found in string" | "number too large to fit in target type" => {
            "must be a whole number in range"
        }
        it => it,
    }
}

fn find_after<'a>(message: &'a str, mark: &str) -> Option<&'a str> {
    message.split_once(mark).and_then(|(_, rest)| rest.split('`').next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tickets::Severity;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "read by the deserializer")]
        summary: String,
        #[expect(dead_code, reason = "read by the deserializer")]
        severity: Option<Severity>,
    }

    fn refusal(body: &str) -> (u16, Option<String>, String) {
        let problem = parsed::<Body>(body.as_bytes()).expect_err("refused").0;
        (problem.status, problem.field, problem.detail)
    }

    #[test]
    fn the_field_at_fault_is_named() {
        assert_eq!(refusal(r#"{"summary":"a","colour":1}"#).1.as_deref(), Some("colour"));
        assert_eq!(refusal("{}").1.as_deref(), Some("summary"));
        assert_eq!(refusal(r#"{"summary":5}"#).1.as_deref(), Some("summary"));
        let (status, field, detail) = refusal(r#"{"summary":"a","severity":"awful"}"#);
        assert_eq!((status, field.as_deref()), (422, Some("severity")));
        assert!(detail.contains("`minor`"), "{detail}");
    }

    #[test]
    fn every_field_at_fault_is_named() {
        let body = r#"{"colour":1,"severity":"awful","size":{"x":1}}"#;
        let problem = parsed::<Body>(body.as_bytes()).expect_err("refused").0;
        let mut fields: Vec<&str> = problem.errors.iter().map(|it| it.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["colour", "severity", "size", "summary"]);
        let many = (0..200).map(|it| format!("\"f{it}\":1,")).collect::<Vec<_>>().concat();
        let problem = parsed::<Body>(format!("{{{many}\"summary\":5}}").as_bytes()).expect_err("refused").0;
        assert_eq!(problem.errors.len(), FAULTS_MAX);
    }

    #[test]
    fn a_refusal_names_none_of_our_types() {
        for body in ["[]", "5", "null", r#"{"summary":"a","severity":5}"#, r#"{"summary":"a","severity":{}}"#]
        {
            let (status, field, detail) = refusal(body);
            assert_eq!(status, 422, "{body}");
            assert_eq!(field.as_deref(), Some(if body.starts_with('{') { "severity" } else { "body" }));
            assert!(!detail.contains("struct") && !detail.contains("enum"), "{detail}");
        }
    }

    #[test]
    fn what_is_not_json_is_not_blamed_on_a_field() {
        assert_eq!(refusal("{").0, 400);
        assert_eq!(refusal(r#"{"summary":"a"} {}"#).0, 400);
        assert_eq!(refusal(&"[".repeat(100_000)).0, 400);
        assert_eq!(refusal(&format!(r#"{{"x":{}"#, "[".repeat(100_000))).0, 400);
    }
}
