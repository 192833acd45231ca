//! Files of a message: decoded, named, bounded (rule 12 of inbound mail). Archives are never unpacked.

use super::parts::Leaf;
use super::transfer;

/// Files kept of one message.
pub const ATTACHMENTS_MAX: usize = 20;
/// Bytes of one file.
pub const ATTACHMENT_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Bytes of all files of one message.
pub const ATTACHMENTS_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 120;

/// A file that came with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Without folders or control characters.
    pub name: String,
    /// By its first bytes where they tell, else as declared. Never to be trusted for showing.
    pub media_type: String,
    /// Decoded.
    pub bytes: Vec<u8>,
    /// What `cid:` references in the HTML call it.
    pub content_id: Option<String>,
    /// Shown inside the text rather than listed below it.
    pub inline: bool,
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {} bytes)", self.name, self.media_type, self.bytes.len())
    }
}

/// A file that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Dropped {
    /// Its name, as far as it had one.
    pub name: String,
    /// Its size, bytes; zero when it was not looked at.
    pub size_bytes: usize,
    /// Why.
    pub reason: DropReason,
}

/// Why a file was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// More than 20 MiB.
    TooLarge,
    /// All together more than 25 MiB.
    TogetherTooLarge,
    /// After the twentieth.
    TooMany,
    /// The message has more than 64 parts.
    TooManyParts,
    /// More than eight containers inside each other.
    TooDeep,
    /// The message was larger than what is fetched; this is its whole size.
    MessageTooLarge,
}

/// Files kept so far.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) kept: Vec<Attachment>,
    pub(crate) dropped: Vec<Dropped>,
    bytes: usize,
}

impl Files {
    /// Keeps a part as a file, or says why not.
    pub(crate) fn take(&mut self, leaf: &Leaf<'_>) {
        let declared = leaf.content_type.value.as_str();
        let name = name(leaf, self.kept.len() + self.dropped.len() + 1);
        if self.kept.len() >= ATTACHMENTS_MAX {
            self.drop(name, leaf.body.len(), DropReason::TooMany);
            return;
        }
        let bytes = transfer::decode(leaf.body, leaf.headers.text("content-transfer-encoding").as_deref());
        if bytes.len() > ATTACHMENT_BYTES_MAX {
            self.drop(name, bytes.len(), DropReason::TooLarge);
        } else if self.bytes + bytes.len() > ATTACHMENTS_BYTES_MAX {
            self.drop(name, bytes.len(), DropReason::TogetherTooLarge);
        } else if !bytes.is_empty() {
            self.bytes += bytes.len();
            let content_id =
                leaf.headers.text("content-id").map(|it| it.trim_matches(['<', '>', ' ']).to_owned());
            let inline = leaf.disposition.value != "attachment" && content_id.is_some();
            let media_type = sniffed(&bytes).map_or_else(|| token(declared), str::to_owned);
            self.kept.push(Attachment { name, media_type, bytes, content_id, inline });
        }
    }

    /// Notes what was not kept.
    pub(crate) fn drop(&mut self, name: String, size_bytes: usize, reason: DropReason) {
        if self.dropped.len() < ATTACHMENTS_MAX {
            self.dropped.push(Dropped { name, size_bytes, reason });
        }
    }
}

/// A media type that is safe to write into a header, whatever was declared.
fn token(declared: &str) -> String {
    let plain =
        |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-_".contains(&b));
    match declared.split_once('/') {
        Some((kind, sub)) if plain(kind) && plain(sub) && declared.len() <= 100 => declared.to_owned(),
        _ => "application/octet-stream".to_owned(),
    }
}

/// What the first bytes say.
fn sniffed(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    Some(match () {
        () if starts(b"\x89PNG\r\n\x1a\n") => "image/png",
        () if starts(b"\xFF\xD8\xFF") => "image/jpeg",
        () if starts(b"GIF87a") || starts(b"GIF89a") => "image/gif",
        () if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => "image/webp",
        () if starts(b"%PDF-") => "application/pdf",
        () if starts(b"MZ") => "application/x-msdownload",
        () if starts(b"BEGIN:VCALENDAR") => "text/calendar",
        () => return None,
    })
}

fn name(leaf: &Leaf<'_>, number: usize) -> String {
    let declared = leaf.disposition.get("filename").or_else(|| leaf.content_type.get("name"));
    let cleaned = declared.map(normalised).unwrap_or_default();
    if !cleaned.is_empty() {
        return cleaned;
    }
    let ending = match leaf.content_type.value.as_str() {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "text/calendar" => "ics",
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        "text/html" => "html",
        kind if kind.starts_with("message/") => "eml",
        _ => "bin",
    };
    format!("file-{number}.{ending}")
}

/// The last part of a path, without characters that mean something to a file system or a reader's eye.
pub fn normalised(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut cleaned: String = last
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
        .collect();
    cleaned = cleaned.trim().trim_start_matches('.').to_owned();
    let count = cleaned.chars().count();
    if count <= NAME_CHARS_MAX {
        return cleaned;
    }
    let ending: String =
        cleaned.rsplit_once('.').map(|(_, it)| it.chars().take(10).collect()).unwrap_or_default();
    let kept: String = cleaned.chars().take(NAME_CHARS_MAX - ending.chars().count() - 1).collect();
    format!("{kept}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_folders_tricks_and_length_but_not_their_ending() {
        assert_eq!(normalised("..\\..\\etc/passwd"), "passwd");
        assert_eq!(normalised("facture\u{202e}gnp.exe"), "facturegnp.exe");
        assert_eq!(normalised("a<b>:c.txt"), "a_b__c.txt");
        assert_eq!(normalised(".htaccess"), "htaccess");
        let long = normalised(&format!("{}.pdf", "é".repeat(500)));
        assert!(long.chars().count() <= NAME_CHARS_MAX && long.rsplit('.').next() == Some("pdf"), "{long}");
    }

    #[test]
    fn a_declared_type_is_written_nowhere_unless_it_is_one() {
        assert_eq!(token("image/svg+xml"), "image/svg+xml");
        assert_eq!(token("text/html\r\nX: y"), "application/octet-stream");
        assert_eq!(token(""), "application/octet-stream");
    }
}
