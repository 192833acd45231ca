//! Addresses inside the pages: percent-encoding, query strings, and the rule for where a form may lead back.

use std::fmt::Write;

/// Percent-encodes everything but unreserved characters (RFC 3986 §2.3).
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// `path?name=value&…` with the pairs whose value is not empty.
pub(crate) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut link = path.to_owned();
    for (name, value) in pairs.iter().filter(|it| !it.1.is_empty()) {
        link.push(if link.contains('?') { '&' } else { '?' });
        link.push_str(name);
        link.push('=');
        link.push_str(&encode(value));
    }
    link
}

/// A path of this site as given in a form or query, else `otherwise`: never another host
/// (`//elsewhere`, `/\elsewhere`), never a header injection.
pub(crate) fn local_path<'a>(given: &'a str, otherwise: &'a str) -> &'a str {
    let plain = given.len() <= 2_048 && given.bytes().all(|it| it.is_ascii_graphic() && it != b'\\');
    if plain && given.starts_with('/') && !given.starts_with("//") { given } else { otherwise }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_carries_any_text_and_leaves_empty_filters_out() {
        let link = with_query("/parc", &[("q", "Élodie & co"), ("site", ""), ("os", "x=y")]);
        assert_eq!(link, "/parc?q=%C3%89lodie%20%26%20co&os=x%3Dy");
    }

    #[test]
    fn a_form_never_leads_to_another_host() {
        for hostile in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "",
            "/a\r\nSet-Cookie: x",
            "javascript:x",
        ] {
            assert_eq!(local_path(hostile, "/tickets"), "/tickets", "{hostile:?}");
        }
        assert_eq!(local_path("/tickets?state=new", "/"), "/tickets?state=new");
    }
}
