//! Reading queries and posted forms. Every field is text and may be missing; what it means is decided by
//! the page, which can then show it back beside its error.

use std::collections::HashMap;

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as FieldsError, MapDeserializer};

use super::{PageError, Reader, WebState};
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
    Ok(pairs.0.into_iter().collect())
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
