//! Writing a message: one recipient, one plain and one HTML form of the same text, headers that keep other
//! programs from answering (RFC 3834) and other people's threads together (RFC 5322 §3.6.4).
//!
//! Invariants: no value of a draft can add a header or a recipient; the bytes are UTF-8 in a transport encoding
//! that every server takes.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, Date, HeaderName, HeaderValue};
use lettre::message::{Attachment as AttachedPart, Mailbox, Message, MultiPart, SinglePart};
use lettre::{Address, address};

/// Header by which an installation recognises its own mails.
pub const INSTANCE_HEADER: &str = "X-Parc-Instance";
/// Characters of a subject; longer ones are cut. Lists show fewer.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// Message-IDs kept in `References`: the root and the latest.
const REFERENCES_MAX: usize = 10;

/// Why a machine writes, as `Auto-Submitted` says it (RFC 3834 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Something happened: `auto-generated`.
    Notification,
    /// The recipient has just written: `auto-replied`.
    Acknowledgement,
    /// A person typed the text: no header.
    Person,
}

/// A name and an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// As shown, may be empty.
    pub name: String,
    /// `local@domain`.
    pub address: String,
}

/// A file in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosure {
    /// Name as shown.
    pub name: String,
    /// `text/calendar; method=REQUEST; charset=utf-8`
    pub media_type: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Everything a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Whose name people see.
    pub from: Party,
    /// The one recipient.
    pub to: Party,
    /// Where answers go.
    pub reply_to: String,
    /// One line; control characters and what is over [`SUBJECT_CHARS_MAX`] is left out.
    pub subject: String,
    /// With angle brackets.
    pub message_id: String,
    /// With angle brackets, the ticket's root first. The last one is what the mail answers.
    pub references: Vec<String>,
    /// Language of the text, `fr`.
    pub language: String,
    /// Name of the list, `acme.parc.example`, for filters; nothing for mails of no organisation.
    pub list: Option<String>,
    /// Who writes.
    pub origin: Origin,
    /// Value of [`INSTANCE_HEADER`].
    pub instance: String,
    /// When it was written, seconds since 1970.
    pub date_s: u64,
    /// The text.
    pub plain: String,
    /// The same text as a page of its own.
    pub html: String,
    /// Files.
    pub enclosures: Vec<Enclosure>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// Not an address a mail can go to.
    #[error("{field} is not an address")]
    Address {
        /// `from`, `to` or `reply_to`.
        field: &'static str,
        /// What is wrong with it.
        #[source]
        cause: address::AddressError,
    },
    /// Not a media type.
    #[error("{0:?} is not a media type")]
    MediaType(String),
    /// A header could not be made.
    #[error("the message could not be put together")]
    Build(#[source] lettre::error::Error),
}

/// The bytes of a message.
///
/// # Errors
///
/// An address or media type that is none.
pub fn compose(draft: &Draft) -> Result<Vec<u8>, ComposeError> {
    let mut builder = Message::builder()
        .from(mailbox("from", &draft.from)?)
        .to(mailbox("to", &draft.to)?)
        .reply_to(Mailbox::new(None, address("reply_to", &draft.reply_to)?))
        .subject(line(&draft.subject).chars().take(SUBJECT_CHARS_MAX).collect::<String>())
        .message_id(Some(line(&draft.message_id)))
        .header(Date::new(UNIX_EPOCH + Duration::from_secs(draft.date_s)));
    let references: Vec<String> = draft.references.iter().map(|it| line(it)).collect();
    if let Some(last) = references.last() {
        builder = builder.in_reply_to(last.clone()).references(thread(&references).join(" "));
    }
    for (name, value) in more_headers(draft) {
        builder = builder.raw_header(HeaderValue::new(name, line(&value)));
    }
    let text = MultiPart::alternative_plain_html(draft.plain.clone(), draft.html.clone());
    let message = if draft.enclosures.is_empty() {
        builder.multipart(text)
    } else {
        let parts: Result<Vec<SinglePart>, ComposeError> = draft.enclosures.iter().map(part).collect();
        let mixed = MultiPart::mixed().multipart(text);
        builder.multipart(parts?.into_iter().fold(mixed, MultiPart::singlepart))
    };
    Ok(message.map_err(ComposeError::Build)?.formatted())
}

/// Headers that are for programs.
fn more_headers(draft: &Draft) -> Vec<(HeaderName, String)> {
    let mut headers = vec![
        (HeaderName::new_from_ascii_str("Content-Language"), draft.language.clone()),
        (HeaderName::new_from_ascii_str(INSTANCE_HEADER), draft.instance.clone()),
        // Exchange answers "out of office" even to what is marked automatic, unless told in its own words.
        (HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"), "OOF, AutoReply".to_owned()),
    ];
    let automatic = match draft.origin {
        Origin::Notification => Some("auto-generated"),
        Origin::Acknowledgement => Some("auto-replied"),
        Origin::Person => None,
    };
    headers.extend(automatic.map(|it| (HeaderName::new_from_ascii_str("Auto-Submitted"), it.to_owned())));
    headers
        .extend(draft.list.as_ref().map(|it| (HeaderName::new_from_ascii_str("List-Id"), format!("<{it}>"))));
    headers
}

/// The root and the latest of a long thread.
fn thread(references: &[String]) -> Vec<&str> {
    let surplus = references.len().saturating_sub(REFERENCES_MAX);
    let first = references.first().into_iter();
    first.chain(references.iter().skip(1 + surplus)).map(String::as_str).collect()
}

fn part(enclosure: &Enclosure) -> Result<SinglePart, ComposeError> {
    let media_type = ContentType::parse(&enclosure.media_type)
        .map_err(|_| ComposeError::MediaType(enclosure.media_type.clone()))?;
    Ok(AttachedPart::new(line(&enclosure.name)).body(enclosure.bytes.clone(), media_type))
}

fn mailbox(field: &'static str, party: &Party) -> Result<Mailbox, ComposeError> {
    let name = line(&party.name);
    Ok(Mailbox::new((!name.is_empty()).then_some(name), address(field, &party.address)?))
}

fn address(field: &'static str, text: &str) -> Result<Address, ComposeError> {
    text.parse().map_err(|cause| ComposeError::Address { field, cause })
}

/// A text on one line: what could begin another header is gone.
fn line(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            from: Party { name: "Support Été".into(), address: "support@parc.example".into() },
            to: Party { name: "Élodie Dupont".into(), address: "elodie@client.example".into() },
            reply_to: "support+rword.mac@parc.example".into(),
            subject: "[I202611_0042] Écran noir après le mot de passe".into(),
            message_id: "<I202611_0042.1-created.aeaqcaibaeaqcaibaeaqcaibae.abcdefghijklmnop@parc.example>"
                .into(),
            references: vec!["<root@parc.example>".into(), "<theirs@client.example>".into()],
            language: "fr".into(),
            list: Some("dupont.parc.example".into()),
            origin: Origin::Notification,
            instance: "abcdefghijklmnop".into(),
            date_s: 1_795_299_300,
            plain: "Bonjour,\nvotre demande est enregistrée.\n".into(),
            html: "<p>Bonjour,<br>votre demande est enregistrée.</p>".into(),
            enclosures: Vec::new(),
        }
    }

    fn read(bytes: &[u8]) -> mail_parser::Message<'_> {
        mail_parser::MessageParser::default().parse(bytes).expect("a message")
    }

    fn raw<'a>(message: &'a mail_parser::Message<'a>, name: &'a str) -> Option<&'a str> {
        message.header_raw(name).map(str::trim)
    }

    #[test]
    fn a_reader_finds_again_what_was_written() {
        let bytes = compose(&draft()).expect("composed");
        let message = read(&bytes);
        assert_eq!(message.subject(), Some("[I202611_0042] Écran noir après le mot de passe"));
        assert_eq!(message.from().and_then(|it| it.first()).and_then(|it| it.name()), Some("Support Été"));
        assert_eq!(format!("<{}>", message.message_id().expect("an id")), draft().message_id);
        assert_eq!(
            message.body_text(0).expect("text").trim_end(),
            "Bonjour,\r\nvotre demande est enregistrée."
        );
        assert!(message.body_html(0).expect("html").contains("enregistrée"));
        assert_eq!(message.date().map(mail_parser::DateTime::to_timestamp), Some(1_795_299_300));
        assert!(bytes.is_ascii(), "any relay takes it");
        assert!(bytes.split(|it| *it == b'\n').all(|it| it.len() < 999), "RFC 5322 §2.1.1");
        let text = String::from_utf8(bytes.clone()).expect("ascii");
        assert!(text.contains("multipart/alternative"), "{text}");
        assert!(text.contains("References: <root@parc.example> <theirs@client.example>\r\n"), "{text}");
        assert!(text.contains("In-Reply-To: <theirs@client.example>\r\n"), "{text}");
        assert!(text.contains("Reply-To: support+rword.mac@parc.example\r\n"), "{text}");
    }

    #[test]
    fn programs_are_told_not_to_answer_and_people_are_left_people() {
        let bytes = compose(&draft()).expect("composed");
        let message = read(&bytes);
        assert_eq!(raw(&message, "Auto-Submitted"), Some("auto-generated"));
        assert_eq!(raw(&message, "X-Auto-Response-Suppress"), Some("OOF, AutoReply"));
        assert_eq!(raw(&message, "List-Id"), Some("<dupont.parc.example>"));
        assert_eq!(raw(&message, INSTANCE_HEADER), Some("abcdefghijklmnop"));
        assert_eq!(raw(&message, "Content-Language"), Some("fr"));
        let bytes = compose(&Draft { origin: Origin::Acknowledgement, ..draft() }).expect("composed");
        assert_eq!(raw(&read(&bytes), "Auto-Submitted"), Some("auto-replied"));
        let bytes = compose(&Draft { origin: Origin::Person, ..draft() }).expect("composed");
        assert_eq!(raw(&read(&bytes), "Auto-Submitted"), None);
    }

    #[test]
    fn no_text_of_a_stranger_becomes_a_header_or_a_recipient() {
        let hostile = "x\r\nBcc: evil@evil.example\r\n\r\nbody";
        let bytes = compose(&Draft {
            subject: hostile.into(),
            from: Party { name: hostile.into(), ..draft().from },
            message_id: hostile.into(),
            references: vec![hostile.into()],
            instance: hostile.into(),
            list: Some(hostile.into()),
            enclosures: vec![Enclosure {
                name: hostile.into(),
                media_type: "text/plain".into(),
                bytes: vec![65],
            }],
            ..draft()
        })
        .expect("composed");
        assert!(!String::from_utf8_lossy(&bytes).contains("\nBcc:"));
        let to = Party { name: String::new(), address: "a@b.example, c@d.example".into() };
        let refused = compose(&Draft { to, ..draft() }).expect_err("two addresses are none");
        assert!(matches!(refused, ComposeError::Address { field: "to", .. }));
    }

    #[test]
    fn a_file_comes_beside_the_text() {
        let calendar = Enclosure {
            name: "rendez-vous.ics".into(),
            media_type: "text/calendar; method=REQUEST; charset=utf-8".into(),
            bytes: b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".to_vec(),
        };
        let bytes = compose(&Draft { enclosures: vec![calendar.clone()], ..draft() }).expect("composed");
        let message = read(&bytes);
        let file = message.attachment(0).expect("a file");
        assert_eq!(file.contents(), calendar.bytes);
        assert!(message.body_text(0).is_some() && message.body_html(0).is_some());
        let wrong = Enclosure { media_type: "nonsense".into(), ..calendar };
        assert!(compose(&Draft { enclosures: vec![wrong], ..draft() }).is_err());
    }

    #[test]
    fn a_long_thread_keeps_its_root_and_its_end() {
        let references: Vec<String> = (0..40).map(|it| format!("<{it}@x.example>")).collect();
        let kept = thread(&references);
        assert_eq!((kept.len(), kept[0], kept[9]), (10, "<0@x.example>", "<39@x.example>"));
        assert_eq!(thread(&references[..1]), ["<0@x.example>"]);
    }
}
