//! What kind of message it is, decided before any rule of business: our own, a report of non-delivery, a machine's
//! answer, or somebody writing to us (rule 3 of inbound mail).

use super::address::{self, Correspondent};
use super::charset;
use super::fold::fold;
use super::header::Headers;
use super::parts::Leaf;
use super::transfer;

/// Recipients kept of one report.
const RECIPIENTS_MAX: usize = 50;

/// What kind of message it is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Class {
    /// Somebody writes, or a program that may open tickets.
    Human,
    /// One of our own mails came back to us: a loop.
    Own,
    /// A mail of ours was not delivered, or late (RFC 3464).
    Bounce(Bounce),
    /// A machine answers or announces.
    Automatic {
        /// The mark that says so.
        mark: &'static str,
    },
}

/// A report about a mail of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Bounce {
    /// Whom it did not reach.
    pub recipients: Vec<Undelivered>,
    /// Message-ID of the mail it is about.
    pub original_message_id: Option<String>,
}

/// One address of a report.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Undelivered {
    /// In lower case.
    pub address: String,
    /// Never, rather than not yet.
    pub permanent: bool,
    /// "5.1.1", empty when none was given.
    pub status: String,
    /// What the other server said, at most 300 characters.
    pub diagnostic: String,
}

/// What classification needs to know about us.
pub(crate) struct About<'a> {
    pub(crate) headers: &'a Headers<'a>,
    pub(crate) leaves: &'a [Leaf<'a>],
    pub(crate) report: bool,
    pub(crate) from: &'a Correspondent,
    pub(crate) subject: &'a str,
    pub(crate) own_addresses: &'a [String],
    pub(crate) instance: &'a str,
    pub(crate) monitoring: &'a [String],
}

/// Decides.
pub(crate) fn classify(about: &About<'_>) -> Class {
    let headers = about.headers;
    let sender = about.from.address.as_str();
    let instance = headers.text("x-parc-instance");
    if about.own_addresses.iter().any(|it| *it == without_token(sender))
        || (!about.instance.is_empty() && instance.as_deref() == Some(about.instance))
    {
        return Class::Own;
    }
    if let Some(bounce) = bounce(about) {
        return Class::Bounce(bounce);
    }
    if about.monitoring.iter().any(|it| it == sender) {
        return Class::Human;
    }
    automatic(headers, sender, about.subject).map_or(Class::Human, |mark| Class::Automatic { mark })
}

/// `support+word@parc.example` is `support@parc.example`.
fn without_token(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or_default()),
        None => address.to_owned(),
    }
}

fn bounce(about: &About<'_>) -> Option<Bounce> {
    let headers = about.headers;
    let local = about.from.address.split('@').next().unwrap_or_default();
    let postmaster = matches!(local, "mailer-daemon" | "postmaster") || about.from.address.is_empty();
    let silent = null_return_path(headers) || postmaster;
    let named = headers.first("x-failed-recipients").is_some();
    let worded = postmaster
        && [
            "undeliver",
            "delivery status",
            "mail delivery",
            "non remis",
            "echec de la remise",
            "returned mail",
            "delayed",
        ]
        .iter()
        .any(|it| fold(about.subject).contains(it));
    if !(about.report || (silent && (named || worded))) {
        return None;
    }
    let mut bounce = Bounce::default();
    for leaf in about.leaves {
        match leaf.content_type.value.as_str() {
            "message/delivery-status" | "message/global-delivery-status" => recipients(leaf, &mut bounce),
            "message/rfc822" | "text/rfc822-headers" | "message/global" => {
                let original =
                    transfer::decode(leaf.body, leaf.headers.text("content-transfer-encoding").as_deref());
                let (original, _) = Headers::split(&original);
                bounce.original_message_id = message_ids(original.first("message-id")).into_iter().next();
            }
            _ => {}
        }
    }
    if bounce.recipients.is_empty() {
        let failed = headers.all("x-failed-recipients").flat_map(address::bare);
        bounce.recipients.extend(failed.take(RECIPIENTS_MAX).map(|address| Undelivered {
            address,
            permanent: true,
            status: String::new(),
            diagnostic: String::new(),
        }));
    }
    if bounce.original_message_id.is_none() {
        let related = message_ids(headers.first("in-reply-to"))
            .into_iter()
            .chain(message_ids(headers.first("references")));
        bounce.original_message_id = related.last();
    }
    Some(bounce)
}

/// The groups of a delivery status: the first is about the message, each further one about a recipient.
fn recipients(leaf: &Leaf<'_>, bounce: &mut Bounce) {
    let body = transfer::decode(leaf.body, leaf.headers.text("content-transfer-encoding").as_deref());
    let mut rest = body.as_slice();
    while !rest.is_empty() && bounce.recipients.len() < RECIPIENTS_MAX {
        let (group, after) = Headers::split(rest);
        rest = after;
        let recipient = group.text("final-recipient").or_else(|| group.text("original-recipient"));
        let Some(address) =
            recipient.and_then(|it| address::plain(it.rsplit(';').next().unwrap_or_default()))
        else {
            continue;
        };
        let status = group.text("status").unwrap_or_default();
        let action = group.text("action").unwrap_or_default().to_lowercase();
        let diagnostic = group.text("diagnostic-code").unwrap_or_default();
        if matches!(action.as_str(), "delivered" | "relayed" | "expanded") {
            continue;
        }
        bounce.recipients.push(Undelivered {
            address,
            permanent: status.starts_with('5') || (action == "failed" && !status.starts_with('4')),
            status: status.chars().take(20).collect(),
            diagnostic: diagnostic.chars().take(300).collect(),
        });
    }
}

fn null_return_path(headers: &Headers<'_>) -> bool {
    headers.text("return-path").is_some_and(|it| it.replace(' ', "") == "<>")
}

/// The mark that shows a machine's mail. A list alone is none: a support address may stand behind one.
fn automatic(headers: &Headers<'_>, sender: &str, subject: &str) -> Option<&'static str> {
    let value = |name: &str| headers.text(name).map(|it| fold(&it));
    if value("auto-submitted")
        .is_some_and(|it| it != "no" && !it.starts_with("no ") && !it.starts_with("no;"))
    {
        return Some("auto-submitted");
    }
    if value("precedence")
        .is_some_and(|it| matches!(it.as_str(), "bulk" | "junk" | "auto_reply" | "auto-reply"))
    {
        return Some("precedence");
    }
    for name in ["x-autoreply", "x-autorespond", "x-autoreply-from", "x-mail-autoreply"] {
        if value(name).is_some_and(|it| it != "no") {
            return Some("x-autoreply");
        }
    }
    if value("x-auto-response-suppress").is_some_and(|it| it != "none") {
        return Some("x-auto-response-suppress");
    }
    if null_return_path(headers) {
        return Some("null-return-path");
    }
    let local = sender.split('@').next().unwrap_or_default();
    if matches!(local, "mailer-daemon" | "postmaster") {
        return Some("postmaster");
    }
    let folded = fold(subject);
    let announced = [
        "reponse automatique",
        "absence du bureau",
        "absent du bureau",
        "message d'absence",
        "automatic reply",
        "automatic response",
        "auto-reply",
        "autoreply",
        "auto reply",
        "out of office",
        "out of the office",
        "accuse de lecture",
        "lu :",
        "read:",
        "lu:",
    ];
    announced.iter().any(|it| folded.starts_with(it)).then_some("subject")
}

/// Words an absence notice without any mark says.
const ABSENT: [&str; 14] = [
    "je suis absent",
    "je suis actuellement absent",
    "je suis en conge",
    "je suis actuellement en conge",
    "absent du bureau",
    "absente du bureau",
    "absent jusqu",
    "absente jusqu",
    "de retour le",
    "i am out of the office",
    "i am currently out",
    "i'm out of the office",
    "i am on leave",
    "i will be out of the office",
];
/// And what it says besides.
const UNTIL: [&str; 12] = [
    "jusqu",
    "de retour",
    "retour le",
    "en mon absence",
    "en cas d'urgence",
    "acces limite",
    "until",
    "return",
    "in my absence",
    "limited access",
    "back on",
    "urgent",
];
/// Characters of an absence notice looked at.
const ABSENCE_CHARS: usize = 400;

/// Whether an answer only says that somebody is away: some programs send that without any mark. Only asked of
/// answers, since "I am away tomorrow, please repair it meanwhile" opens a ticket.
pub(crate) fn only_absence(written: &str) -> bool {
    let start: String = written.chars().take(ABSENCE_CHARS).collect();
    let folded = fold(&start);
    written.chars().count() <= ABSENCE_CHARS * 2
        && ABSENT.iter().any(|it| folded.contains(it))
        && UNTIL.iter().any(|it| folded.contains(it))
        && !folded.contains('?')
}

/// Ids between angle brackets, without them; at most a hundred, the first and the last ones.
pub(crate) fn message_ids(field: Option<&[u8]>) -> Vec<String> {
    let text = charset::unlabelled(field.unwrap_or_default());
    let mut ids: Vec<String> = text
        .split('<')
        .skip(1)
        .filter_map(|it| it.split_once('>').map(|(id, _)| id.split_whitespace().collect::<String>()))
        .filter(|it| (3..=500).contains(&it.len()))
        .collect();
    if ids.is_empty() {
        let word = text.trim();
        if word.contains('@') && word.len() <= 500 && !word.contains(char::is_whitespace) {
            ids.push(word.to_owned());
        }
    }
    if ids.len() > 100 {
        ids.drain(50..ids.len() - 50);
    }
    ids
}
