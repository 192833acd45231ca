//! What a file is, read from its first bytes (WHATWG MIME Sniffing §6, and the formats' own signatures).

use super::name::extension;

/// Bytes in which a text is told from a binary file and a mark-up language is recognised.
const LOOKED_AT_BYTES: usize = 4_096;

/// Where a signature stands, and what it means.
const SIGNATURES: [(usize, &[u8], &str); 19] = [
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"{\\rtf", "application/rtf"),
];

/// Office documents are archives; their name says which.
const IN_ARCHIVE: [(&str, &str); 6] = [
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
];

/// The media type of a file. `said` is what the sender called it: it is believed only between kinds of plain text.
pub(super) fn media_type(bytes: &[u8], name: &str, said: &str) -> &'static str {
    let found =
        SIGNATURES.iter().find(|(at, mark, _)| bytes.get(*at..).is_some_and(|it| it.starts_with(mark)));
    match found.map(|it| it.2) {
        Some("application/zip") => {
            let extension = extension(name);
            IN_ARCHIVE.iter().find(|it| it.0 == extension).map_or("application/zip", |it| it.1)
        }
        Some("image/webp") if !bytes.starts_with(b"RIFF") => "application/octet-stream",
        Some(known) => known,
        None => text_type(bytes, name, said).unwrap_or("application/octet-stream"),
    }
}

/// Which kind of text, if it is one at all.
fn text_type(bytes: &[u8], name: &str, said: &str) -> Option<&'static str> {
    let start = &bytes[..bytes.len().min(LOOKED_AT_BYTES)];
    let text = match std::str::from_utf8(start) {
        Ok(text) => text.to_owned(),
        // The cut may have parted a character; old programs write one byte per letter.
        Err(_) => start.iter().map(|&byte| char::from(byte)).collect(),
    };
    if text.contains(|it: char| {
        it.is_control() && !matches!(it, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}' | '\u{80}'..='\u{9f}')
    }) {
        return None;
    }
    let beginning = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if beginning.starts_with('<') {
        return Some(markup_type(&beginning));
    }
    if said == "message/rfc822" || extension(name) == "eml" {
        return Some("message/rfc822");
    }
    let table = said == "text/csv" || extension(name) == "csv";
    Some(if table { "text/csv" } else { "text/plain" })
}

/// Anything that begins with `<` is taken for the most dangerous thing it can be.
fn markup_type(beginning: &str) -> &'static str {
    if beginning.contains("<svg") {
        "image/svg+xml"
    } else if beginning.starts_with("<?xml") && !beginning.contains("<html") {
        "application/xml"
    } else {
        "text/html"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_decide_not_the_name() {
        let of = |bytes: &[u8], name: &str| media_type(bytes, name, "image/png");
        assert_eq!(of(b"\x89PNG\r\n\x1a\nrest", "a.html"), "image/png");
        assert_eq!(of(b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "a.png"), "image/svg+xml");
        assert_eq!(of(b"\xef\xbb\xbf  <!DOCTYPE html><p>", "a.png"), "text/html");
        assert_eq!(of(b"<?xml version='1.0'?><note/>", "a.png"), "application/xml");
        assert_eq!(of(b"<script>x()</script>", "a.txt"), "text/html");
        assert_eq!(of(b"MZ\x90\0", "invoice.pdf"), "application/vnd.microsoft.portable-executable");
        assert_eq!(of(b"%PDF-1.7", "x"), "application/pdf");
        assert_eq!(of(b"RIFF\0\0\0\0WEBPVP8 ", "x"), "image/webp");
        assert_eq!(of(b"\0\0\0\0\0\0\0\0WEBP", "x"), "application/octet-stream");
    }

    #[test]
    fn texts_are_told_from_binary_files() {
        let of = |bytes: &[u8], name: &str| media_type(bytes, name, "");
        assert_eq!(of("journal\n\u{e9}t\u{e9}".as_bytes(), "log.txt"), "text/plain");
        assert_eq!(of(b"nom;pr\xe9nom\r\n", "liste.csv"), "text/csv");
        assert_eq!(of(b"a\0b", "log.txt"), "application/octet-stream");
        assert_eq!(of(b"From: a\r\n\r\nb", "mail.eml"), "message/rfc822");
        assert_eq!(of(b"PK\x03\x04", "note.docx"), IN_ARCHIVE[0].1);
        assert_eq!(of(b"PK\x03\x04", "note.zip"), "application/zip");
    }
}
