//! `ETag`, `If-Match` and `If-None-Match` (RFC 9110 §13.1) over version numbers.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The entity tag of a version.
pub fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// What the caller says it saw. Absent or `*`: whatever is current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    fn parse(headers: &HeaderMap) -> Self {
        let tags = tags(headers, &header::IF_MATCH);
        Self((!tags.is_empty() && !tags.iter().any(|it| it == "*")).then_some(tags))
    }

    /// Whether the caller insists on a version.
    pub fn insists(&self) -> bool {
        self.0.is_some()
    }

    /// The latest version the caller saw, when `version` is none of those; 0 for tags that are none of ours.
    pub fn outdated(&self, version: i64) -> Option<i64> {
        let number = |tag: &String| tag.trim_matches('"').parse().ok();
        let tags = self.0.as_ref().filter(|_| !self.allows(version))?;
        Some(tags.iter().filter_map(number).max().unwrap_or(0))
    }

    /// Whether `version` is one the caller saw. Weak tags never match.
    pub fn allows(&self, version: i64) -> bool {
        let current = format!("\"{version}\"");
        self.0.as_ref().is_none_or(|tags| tags.contains(&current))
    }
}

/// What the caller has already (RFC 9110 §13.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfNoneMatch(Vec<String>);

impl IfNoneMatch {
    /// Whether the caller has `version` already. Weak tags count as strong ones: what is compared is a reading.
    pub fn has(&self, version: i64) -> bool {
        let current = format!("\"{version}\"");
        self.0.iter().any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == current)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(tags(&parts.headers, &header::IF_NONE_MATCH)))
    }
}

/// The entity tags of a header, whether in one line or in several. None of ours has a comma in it.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().map(|it| String::from_utf8_lossy(it.as_bytes()));
    let tags = lines.flat_map(|it| it.split(',').map(|tag| tag.trim().to_owned()).collect::<Vec<_>>());
    tags.filter(|it| !it.is_empty()).collect()
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
        assert!(sent("\"2\",, \"3\",").allows(3));
        assert!(!sent("\"2\"").allows(3));
        assert!(!sent("W/\"3\"").allows(3));
        assert!(!sent("nonsense").allows(3));
        assert_eq!(sent("\"1\", \"2\"").outdated(3), Some(2));
        assert_eq!((sent("nonsense").outdated(3), sent("\"3\"").outdated(3)), (Some(0), None));
    }

    #[test]
    fn a_version_the_caller_has_is_recognised_in_a_list() {
        let mut headers = HeaderMap::new();
        headers.append(header::IF_NONE_MATCH, HeaderValue::from_static("\"1\", W/\"3\""));
        headers.append(header::IF_NONE_MATCH, HeaderValue::from_static("\"7\""));
        let seen = IfNoneMatch(tags(&headers, &header::IF_NONE_MATCH));
        assert!(seen.has(3) && seen.has(7) && !seen.has(2));
        assert!(!IfNoneMatch(Vec::new()).has(1));
    }

    #[test]
    fn without_a_condition_the_current_version_is_changed() {
        assert!(sent("*").allows(3) && !sent("*").insists());
        assert!(IfMatch::parse(&HeaderMap::new()).allows(3));
    }
}
