//! `ETag` and `If-Match` (RFC 9110 §13.1.1) over version numbers.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

/// The entity tag of a version.
pub fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// What the caller says it saw. Absent or `*`: whatever is current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    fn parse(headers: &HeaderMap) -> Self {
        let mut tags = Vec::new();
        for value in headers.get_all(header::IF_MATCH) {
            let text = String::from_utf8_lossy(value.as_bytes());
            tags.extend(text.split(',').map(|it| it.trim().to_owned()));
        }
        Self((!tags.is_empty() && !tags.iter().any(|it| it == "*")).then_some(tags))
    }

    /// Whether the caller insists on a version.
    pub fn insists(&self) -> bool {
        self.0.is_some()
    }

    /// Whether `version` is one the caller saw. Weak tags never match.
    pub fn allows(&self, version: i64) -> bool {
        let current = format!("\"{version}\"");
        self.0.as_ref().is_none_or(|tags| tags.contains(&current))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &'static str) -> IfMatch {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static(value));
        IfMatch::parse(&headers)
    }

    #[test]
    fn only_the_version_that_was_seen_is_changed() {
        assert!(sent("\"3\"").allows(3));
        assert!(sent("\"2\", \"3\"").allows(3));
        assert!(!sent("\"2\"").allows(3));
        assert!(!sent("W/\"3\"").allows(3));
        assert!(!sent("nonsense").allows(3));
    }

    #[test]
    fn without_a_condition_the_current_version_is_changed() {
        assert!(sent("*").allows(3) && !sent("*").insists());
        assert!(IfMatch::parse(&HeaderMap::new()).allows(3));
    }
}
