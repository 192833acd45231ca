//! Reading queries and posted forms. Every field is text and may be missing; what it means is decided by
//! the page, which can then show it back beside its error.

use std::collections::HashMap;

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as FieldsError, MapDeserializer};

use super::{PageError, Reader, WebState};
use crate::files::web::{LeftOut, Parts as FormParts, Upload, read_parts};
use crate::kernel::error::ErrorKind;

/// The query string. Missing, doubled or unreadable parts never refuse a page: a link is always a view.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequestParts<WebState> for Asked<T> {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, PageError> {
        let pairs = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let pairs = pairs.map(|it| it.0).unwrap_or_default();
        Ok(Self(typed(pairs.into_iter().collect()).unwrap_or_default()))
    }
}

/// A form posted by a signed-in reader with the session's token.
#[derive(Debug)]
pub(crate) struct Posted<T> {
    /// Who posted it.
    pub reader: Reader,
    /// What was posted.
    pub fields: T,
}

impl<T: DeserializeOwned> FromRequest<WebState> for Posted<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let reader = Reader::from_request_parts(&mut parts, state).await?;
        let fields = read_fields(Request::from_parts(parts, body), state).await?;
        let token = fields.get("csrf").map_or("", String::as_str);
        if !same_bytes(token.as_bytes(), reader.csrf.as_bytes()) {
            return Err(PageError::of(ErrorKind::Forbidden, "the form's token is not the session's"));
        }
        Ok(Self { reader, fields: typed(fields)? })
    }
}

/// A form with files, posted by a signed-in reader with the session's token, which stands before the files. The
/// same form without files may come in the plain encoding.
#[derive(Debug)]
pub(crate) struct Uploaded<T> {
    /// Who posted it.
    pub reader: Reader,
    /// What was posted.
    pub fields: T,
    /// Files that came with it.
    pub files: Vec<Upload>,
    /// Files that are too large or too many.
    pub left_out: Vec<(String, LeftOut)>,
}

impl<T: DeserializeOwned> FromRequest<WebState> for Uploaded<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, PageError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        if !kind.is_some_and(|it| it.starts_with("multipart/form-data")) {
            let Posted { reader, fields } = Posted::from_request(request, state).await?;
            return Ok(Self { reader, fields, files: Vec::new(), left_out: Vec::new() });
        }
        let (mut head, body) = request.into_parts();
        let reader = Reader::from_request_parts(&mut head, state).await?;
        let form = Multipart::from_request(Request::from_parts(head, body), state).await;
        let form = form.map_err(|it| PageError::of(ErrorKind::Invalid, it.body_text()))?;
        let owns = |fields: &HashMap<String, String>| {
            fields.get("csrf").is_some_and(|it| same_bytes(it.as_bytes(), reader.csrf.as_bytes()))
        };
        let FormParts { fields, files, left_out } = read_parts(form, owns).await?;
        if !owns(&fields) {
            return Err(PageError::of(ErrorKind::Forbidden, "the form's token is not the session's"));
        }
        Ok(Self { reader, fields: typed(fields)?, files, left_out })
    }
}

/// A form posted by somebody who may not be signed in. Protected by the origin check alone.
#[derive(Debug)]
pub(crate) struct PostedByAnyone<T>(pub T);

impl<T: DeserializeOwned> FromRequest<WebState> for PostedByAnyone<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, PageError> {
        Ok(Self(typed(read_fields(request, state).await?)?))
    }
}

async fn read_fields(request: Request, state: &WebState) -> Result<HashMap<String, String>, PageError> {
    let pairs = Form::<Vec<(String, String)>>::from_request(request, state).await;
    let pairs = pairs.map_err(|it| PageError::of(ErrorKind::Invalid, it.body_text()))?;
    Ok(joined(pairs.0))
}

/// Fields by name; those of the same name, such as ticked boxes, are joined by line breaks.
fn joined(pairs: Vec<(String, String)>) -> HashMap<String, String> {
    let mut fields: HashMap<String, String> = HashMap::new();
    for (name, value) in pairs {
        fields.entry(name).and_modify(|it| *it = format!("{it}\n{value}")).or_insert(value);
    }
    fields
}

fn typed<T: DeserializeOwned>(fields: HashMap<String, String>) -> Result<T, PageError> {
    let fields = MapDeserializer::<_, FieldsError>::new(fields.into_iter());
    T::deserialize(fields).map_err(|it| PageError::of(ErrorKind::Invalid, it))
}

/// Compares without stopping at the first difference.
fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && !right.is_empty()
        && left.iter().zip(right).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_token_is_never_the_sessions() {
        assert!(same_bytes(b"abc", b"abc"));
        assert!(!same_bytes(b"abc", b"abd"));
        assert!(!same_bytes(b"ab", b"abc"));
        assert!(!same_bytes(b"", b""));
    }
}
