//! A raw message becomes a typed [`Incoming`]: pure, bounded in time and memory, and it never panics. Every byte of a
//! message is an attacker's; what is too much is left out and listed, what is wrong is read as well as possible.

mod address;
mod attachment;
mod authenticity;
mod charset;
mod classify;
pub mod fields;
mod fold;
mod header;
pub mod html;
mod parts;
pub mod quotes;
pub mod subject;
mod transfer;
mod words;

pub use address::Correspondent;
pub use attachment::{
    ATTACHMENT_BYTES_MAX, ATTACHMENTS_BYTES_MAX, ATTACHMENTS_MAX, Attachment, DropReason, Dropped, normalised,
};
pub use authenticity::Authenticity;
pub use classify::{Bounce, Class, Undelivered};
pub use fields::Fields;
pub use quotes::Stretch;
pub use subject::Subject;

use attachment::Files;
use classify::{About, message_ids};
use header::Headers;
use parts::{Leaf, Walk};

/// Bytes of a message that is fetched and read whole. Larger ones are read from their first [`HEAD_BYTES`] bytes.
pub const MESSAGE_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Bytes fetched of a message that is too large: its header and, as programs write them, its text.
pub const HEAD_BYTES: usize = 256 * 1024;
/// Characters of the text; a longer one is a log, and stays whole in the raw message.
const TEXT_CHARS_MAX: usize = 200_000;
/// Characters of a subject.
const SUBJECT_CHARS_MAX: usize = 500;

/// What reading must know about us.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Addresses we receive and send with, in lower case.
    pub own_addresses: Vec<String>,
    /// What our own mails carry in `X-Parc-Instance`.
    pub instance: String,
    /// The name our mail server signs its `Authentication-Results` with; empty when it writes none.
    pub authentication_server: String,
    /// Programs whose automatic mails open tickets all the same, in lower case.
    pub monitoring_senders: Vec<String>,
}

/// A message, read.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Without angle brackets; made from the content when the message has none.
    pub message_id: String,
    /// Hash of everything below the header: with the id it recognises a message that comes twice.
    pub body_hash: [u8; blake3::OUT_LEN],
    /// `In-Reply-To`, without angle brackets.
    pub in_reply_to: Vec<String>,
    /// `References`, oldest first.
    pub references: Vec<String>,
    /// Who says they wrote it.
    pub from: Correspondent,
    /// Where answers shall go, when it is another address.
    pub reply_to: Option<String>,
    /// Everybody it was sent to: `To`, `Cc`, and what our server noted down.
    pub recipients: Vec<String>,
    /// As written, decoded.
    pub subject: String,
    /// The subject taken apart.
    pub topic: Subject,
    /// The whole text.
    pub text: String,
    /// The text, cut into what was written now and what was quoted.
    pub stretches: Vec<Stretch>,
    /// What was written now.
    pub written: String,
    /// The HTML made harmless, for display only.
    pub html: Option<String>,
    /// Its labelled lines.
    pub fields: Fields,
    /// Words that could be inventory numbers, of subject and text.
    pub candidates: Vec<String>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// What was not kept.
    pub dropped: Vec<Dropped>,
    /// What kind of message it is.
    pub class: Class,
    /// Whether the sender is who they say.
    pub authenticity: Authenticity,
    /// Our mail server thinks it is junk.
    pub junk: bool,
}

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Neither sender nor text nor file.
    #[error("no sender and no content")]
    Empty,
    /// More than was agreed to read.
    #[error("larger than {MESSAGE_BYTES_MAX} bytes")]
    TooLarge,
}

/// Reads a message. `whole_size_bytes` is larger than `raw` when only its beginning was fetched.
pub fn read(raw: &[u8], whole_size_bytes: usize, around: &Surroundings) -> Result<Incoming, Unreadable> {
    if raw.len() > MESSAGE_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    let trimmed = raw.trim_ascii_start();
    let (headers, body) = Headers::split(trimmed);
    let report = words::Parameterised::read(headers.first("content-type").unwrap_or_default());
    let report = report.value == "multipart/report"
        && report.get("report-type").is_none_or(|it| it.eq_ignore_ascii_case("delivery-status"));
    let (envelope, _) = Headers::split(trimmed);
    let walk = Walk::of(headers, body);
    let from =
        envelope.first("from").map(address::read).unwrap_or_default().into_iter().next().unwrap_or_default();
    let content = content(&walk, (raw.len(), whole_size_bytes));
    if from.address.is_empty() && content.text.trim().is_empty() && content.files.kept.is_empty() {
        return Err(Unreadable::Empty);
    }
    let subject: String = words::decode(envelope.first("subject").unwrap_or_default())
        .chars()
        .take(SUBJECT_CHARS_MAX)
        .collect();
    let about = About {
        headers: &envelope,
        leaves: &walk.leaves,
        report,
        from: &from,
        subject: &subject,
        own_addresses: &around.own_addresses,
        instance: &around.instance,
        monitoring: &around.monitoring_senders,
    };
    let class = classify::classify(&about);
    let authenticity = authenticity::read(&envelope, &around.authentication_server, &from.address);
    Ok(assembled(&envelope, body, (from, subject), content, (class, authenticity)))
}

/// The last step: everything that follows from text and header.
fn assembled(
    envelope: &Headers<'_>,
    body: &[u8],
    (from, subject): (Correspondent, String),
    content: Content,
    (mut class, authenticity): (Class, Authenticity),
) -> Incoming {
    let topic = subject::read(&subject);
    let stretches = quotes::stretches(&content.text);
    let written = quotes::written(&stretches);
    let in_reply_to = message_ids(envelope.first("in-reply-to"));
    let references = message_ids(envelope.first("references"));
    let answers = topic.reply || !in_reply_to.is_empty() || !references.is_empty();
    if class == Class::Human && answers && classify::only_absence(&written) {
        class = Class::Automatic { mark: "absence" };
    }
    let body_hash = *blake3::hash(body).as_bytes();
    let message_id = message_ids(envelope.first("message-id")).into_iter().next();
    Incoming {
        message_id: message_id.unwrap_or_else(|| synthetic_id(&from, &subject, envelope, &body_hash)),
        body_hash,
        in_reply_to,
        references,
        reply_to: reply_to(envelope, &from),
        recipients: recipients(envelope),
        candidates: subject::candidates(&format!("{subject}\n{written}")),
        fields: fields::read(&written),
        junk: envelope.text("x-spam-flag").is_some_and(|it| it.eq_ignore_ascii_case("yes")),
        from,
        subject,
        topic,
        text: content.text,
        stretches,
        written,
        html: content.html,
        attachments: content.files.kept,
        dropped: content.files.dropped,
        class,
        authenticity,
    }
}

/// An id for a message without one: the same message gets the same.
fn synthetic_id(from: &Correspondent, subject: &str, headers: &Headers<'_>, body_hash: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in
        [from.address.as_bytes(), subject.as_bytes(), headers.first("date").unwrap_or_default(), body_hash]
    {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    format!("{}@without-id.invalid", &hasher.finalize().to_hex()[..32])
}

fn reply_to(headers: &Headers<'_>, from: &Correspondent) -> Option<String> {
    let first = address::read(headers.first("reply-to")?).into_iter().next()?;
    (first.address != from.address).then_some(first.address)
}

fn recipients(headers: &Headers<'_>) -> Vec<String> {
    let written =
        ["to", "cc"].iter().flat_map(|it| headers.all(it)).flat_map(address::read).map(|it| it.address);
    let noted = ["delivered-to", "x-original-to", "envelope-to"]
        .iter()
        .flat_map(|it| headers.all(it))
        .flat_map(address::bare);
    let mut all: Vec<String> = Vec::new();
    for address in written.chain(noted).take(200) {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

/// Text, display and files of a message.
#[derive(Default)]
struct Content {
    text: String,
    html: Option<String>,
    files: Files,
}

fn content(walk: &Walk<'_>, (fetched_bytes, whole_bytes): (usize, usize)) -> Content {
    let mut content = Content::default();
    let mut html = String::new();
    let plain_in: Vec<usize> = walk
        .leaves
        .iter()
        .filter(|it| is_text(it, "text/plain") && !it.body.trim_ascii().is_empty())
        .filter_map(|it| it.alternative)
        .collect();
    for leaf in &walk.leaves {
        if is_text(leaf, "text/plain") {
            add_paragraph(&mut content.text, &plain_text(leaf));
        } else if is_text(leaf, "text/html") {
            let source = decoded_text(leaf);
            if leaf.alternative.is_none_or(|it| !plain_in.contains(&it)) {
                add_paragraph(&mut content.text, &html::to_text(&source));
            }
            html.push_str(&source);
        } else if !matches!(
            leaf.content_type.value.as_str(),
            "message/delivery-status" | "text/rfc822-headers"
        ) {
            content.files.take(leaf);
        }
    }
    content.html = html::harmless(&html);
    if let Some((end, _)) = content.text.char_indices().nth(TEXT_CHARS_MAX) {
        content.text.truncate(end);
    }
    for (count, reason) in
        [(walk.beyond_count, DropReason::TooManyParts), (walk.beyond_depth, DropReason::TooDeep)]
    {
        if count > 0 {
            content.files.drop(format!("{count} ×"), 0, reason);
        }
    }
    if whole_bytes > fetched_bytes {
        content.files.drop(String::new(), whole_bytes, DropReason::MessageTooLarge);
    }
    content
}

/// A text that belongs to the message itself: not named, not marked as a file. A part without type is plain text.
fn is_text(leaf: &Leaf<'_>, media_type: &str) -> bool {
    let declared = match leaf.content_type.value.as_str() {
        "" | "text" => "text/plain",
        kind if kind.starts_with("multipart/") => "text/plain",
        kind => kind,
    };
    let named = leaf.disposition.get("filename").is_some() || leaf.content_type.get("name").is_some();
    declared == media_type && leaf.disposition.value != "attachment" && !named
}

fn decoded_text(leaf: &Leaf<'_>) -> String {
    let bytes = transfer::decode(leaf.body, leaf.headers.text("content-transfer-encoding").as_deref());
    charset::decode(&bytes, leaf.content_type.get("charset"))
        .replace("\r\n", "\n")
        .replace(['\r', '\0'], "\n")
}

/// Plain text, with lines that were broken for transport joined again (RFC 3676).
fn plain_text(leaf: &Leaf<'_>) -> String {
    let text = decoded_text(leaf);
    if !leaf.content_type.get("format").is_some_and(|it| it.eq_ignore_ascii_case("flowed")) {
        return text;
    }
    let joins = leaf.content_type.get("delsp").is_some_and(|it| it.eq_ignore_ascii_case("yes"));
    let mut flowed = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        let soft = line.ends_with(' ') && line != "-- " && !line.starts_with('>');
        flowed.push_str(if soft && joins { &line[..line.len() - 1] } else { line });
        if !soft {
            flowed.push('\n');
        }
    }
    flowed
}

fn add_paragraph(text: &mut String, more: &str) {
    let more = more.trim_matches('\n');
    if !more.trim().is_empty() {
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(more);
    }
}
