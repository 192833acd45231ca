//! Bytes to text: the declared character set, else UTF-8, else windows-1252 (rule 9 of inbound mail).

use mail_parser::decoders::charsets::map::charset_decoder;

/// Letters of a character set's name; the longest registered one has 45.
const NAME_BYTES_MAX: usize = 45;

/// Decodes with the declared set; an unknown, missing or wrong one does not lose the text.
pub(crate) fn decode(bytes: &[u8], declared: Option<&str>) -> String {
    let name = declared.unwrap_or_default().trim().trim_matches('"').to_ascii_lowercase();
    if matches!(name.as_str(), "" | "utf-8" | "utf8" | "us-ascii" | "ascii" | "unknown-8bit" | "binary") {
        return unlabelled(bytes);
    }
    let known = Some(name).filter(|it| it.len() <= NAME_BYTES_MAX);
    match known.and_then(|it| charset_decoder(it.as_bytes())) {
        Some(decode) => decode(bytes),
        None => unlabelled(bytes),
    }
}

/// UTF-8, else windows-1252.
pub(crate) fn unlabelled(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => charset_decoder(b"windows-1252")
            .map_or_else(|| String::from_utf8_lossy(bytes).into_owned(), |decode| decode(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_or_missing_label_does_not_lose_accents() {
        assert_eq!(decode(b"g\xEAn\xE9", Some("iso-8859-1")), "gêné");
        assert_eq!(decode(b"\x80 \x93a\x94", Some("windows-1252")), "€ “a”");
        assert_eq!(decode(b"g\xEAn\xE9", Some("utf-8")), "gêné");
        assert_eq!(decode("gêné".as_bytes(), None), "gêné");
        assert_eq!(decode(b"g\xEAn\xE9", Some("x-nobody-knows")), "gêné");
        assert_eq!(decode(b"a", Some(&"long".repeat(100))), "a");
    }
}
