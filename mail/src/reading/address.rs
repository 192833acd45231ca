//! Addresses of `From`, `To` and their like.

use super::charset;
use super::words;
use mail_parser::{HeaderValue, MessageParser};

/// Addresses kept of one message.
const ADDRESSES_MAX: usize = 100;
/// Bytes of an address (RFC 5321 §4.5.3.1).
const ADDRESS_BYTES_MAX: usize = 254;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 120;

/// A name and an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Correspondent {
    /// As shown; may be empty. Proves nothing.
    pub name: String,
    /// In lower case.
    pub address: String,
}

/// Reads a field with addresses; what has no shape of an address is left out.
pub(crate) fn read(field: &[u8]) -> Vec<Correspondent> {
    let value = String::from_utf8_lossy(field).replace(['\r', '\n', '\0'], " ");
    let header = format!("From: {value}\r\n\r\n");
    let Some(message) = MessageParser::new().header_address("From").parse_headers(header.as_bytes()) else {
        return Vec::new();
    };
    let Some(HeaderValue::Address(list)) =
        message.parts.first().and_then(|it| it.headers.first()).map(|it| &it.value)
    else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|it| {
            Some(Correspondent { name: name(it.name().unwrap_or_default()), address: plain(it.address()?)? })
        })
        .take(ADDRESSES_MAX)
        .collect()
}

/// Bare addresses of a field such as `Delivered-To`.
pub(crate) fn bare(field: &[u8]) -> Vec<String> {
    charset::unlabelled(field).split([',', ' ', '\t']).filter_map(plain).take(ADDRESSES_MAX).collect()
}

fn name(text: &str) -> String {
    let decoded = if text.contains("=?") { words::decode(text.as_bytes()) } else { words::one_line(text) };
    decoded.chars().take(NAME_CHARS_MAX).collect()
}

/// Lower case, without angle brackets; nothing without exactly one `@` between two texts.
pub(crate) fn plain(text: &str) -> Option<String> {
    let address = text.trim().trim_matches(['<', '>']).trim().to_lowercase();
    let (local, domain) = address.split_once('@')?;
    let bad = |c: char| c.is_whitespace() || c.is_control() || "@<>(),;:\"[]\\".contains(c);
    let shaped = !local.is_empty() && !domain.is_empty() && !local.contains(bad) && !domain.contains(bad);
    (shaped && address.len() <= ADDRESS_BYTES_MAX).then_some(address)
}

/// What follows the `@`.
pub(crate) fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(field: &str) -> Vec<(String, String)> {
        read(field.as_bytes()).into_iter().map(|it| (it.name, it.address)).collect()
    }

    #[test]
    fn names_and_addresses_are_read() {
        let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
        assert_eq!(addresses("Luc@Client.EXAMPLE"), [pair("", "luc@client.example")]);
        assert_eq!(
            addresses("\"Petit, Luc\" <luc@c.example>, b@c.example"),
            [pair("Petit, Luc", "luc@c.example"), pair("", "b@c.example")]
        );
        assert_eq!(addresses("=?utf-8?Q?H=C3=A9l=C3=A8ne?= <h@c.example>"), [pair("Hélène", "h@c.example")]);
        assert_eq!(addresses("nobody"), []);
        assert_eq!(addresses("a@b@c"), []);
    }
}
