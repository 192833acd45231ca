//! How a file goes out again: shown only where a browser can do nothing but draw it.

use std::fmt::Write;

use super::model::StoredFile;

/// How a file is sent to a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serving {
    /// What the browser is told it is.
    pub media_type: &'static str,
    /// May be drawn inside a page; otherwise it is saved.
    pub inline: bool,
}

/// Pictures are drawn; whatever could carry a script (SVG, HTML, XML) or opens another program is only saved,
/// under a type that no browser interprets.
pub fn serving(media_type: &str) -> Serving {
    let shown = |media_type| Serving { media_type, inline: true };
    let saved = |media_type| Serving { media_type, inline: false };
    match media_type {
        "image/png" => shown("image/png"),
        "image/jpeg" => shown("image/jpeg"),
        "image/gif" => shown("image/gif"),
        "image/webp" => shown("image/webp"),
        "application/pdf" => saved("application/pdf"),
        "text/plain" | "text/csv" => saved("text/plain; charset=utf-8"),
        _ => saved("application/octet-stream"),
    }
}

/// The header that names the file (RFC 6266): plain letters for old programs, the whole name percent-encoded.
pub fn content_disposition(file: &StoredFile) -> String {
    let kind = if serving(&file.media_type).inline { "inline" } else { "attachment" };
    let plain: String = file
        .name
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() || "-_. ".contains(it) { it } else { '_' })
        .collect();
    let mut encoded = String::new();
    for byte in file.name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::id::FileId;

    #[test]
    fn nothing_that_could_run_is_shown_or_named_as_what_it_is() {
        for media_type in
            ["image/svg+xml", "text/html", "application/xml", "application/zip", "anything/else"]
        {
            assert_eq!(
                serving(media_type),
                Serving { media_type: "application/octet-stream", inline: false }
            );
        }
        assert!(serving("image/png").inline);
        assert!(!serving("application/pdf").inline);
    }

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        let file = StoredFile {
            id: FileId::from(uuid::Uuid::nil()),
            name: "l\u{2019}été \"1\".svg".into(),
            media_type: "image/svg+xml".into(),
            size_bytes: 1,
            restricted: false,
        };
        assert_eq!(
            content_disposition(&file),
            "attachment; filename=\"l__t_ _1_.svg\"; filename*=UTF-8''l%E2%80%99%C3%A9t%C3%A9%20%221%22.svg"
        );
    }
}
