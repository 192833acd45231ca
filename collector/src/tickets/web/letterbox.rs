//! Incoming mail: the tray of messages that wait for a person, the journal of all, one message and what can be done
//! with it. For staff of all organisations who receive or administer; a message on a ticket is for who may see the
//! ticket.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use parc_mail::reading::Incoming;
use serde::Deserialize;

use crate::kernel::id::InboundMailId;
use crate::kernel::page::PageRequest;
use crate::kernel::time::Zone;
use crate::mail::letterbox::{self, InboundFilter, InboundRow, InboundState, Mailbox};
use crate::people::Language;
use crate::sites::{self, Organisation};
use crate::tickets::by_mail::{self, Conversion, MailRoom, TrayError};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::numbers::{file_size, integer};
use crate::web::parts::{Badge, Choice, Pager, Tab};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Stamp, Texts, WebState};

/// Characters of the search that are looked at.
const QUERY_CHARS_MAX: usize = 100;
/// Where the pages are.
const PATH: &str = "/incoming-mail";

#[derive(Debug, Template)]
#[template(path = "tickets/web/letterbox.html")]
struct LetterboxPage {
    shell: Shell,
    mailboxes: Vec<BoxView>,
    tabs: Vec<Tab>,
    query: LetterboxQuery,
    rows: Vec<RowView>,
    pager: Pager,
}

/// How a mailbox is doing.
#[derive(Debug)]
struct BoxView {
    name: String,
    checked: Option<Stamp>,
    failing: Option<Stamp>,
    failure: String,
}

#[derive(Debug)]
struct RowView {
    href: String,
    state: Badge,
    reason: String,
    sender: String,
    address: String,
    subject: String,
    received: Stamp,
    ticket: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/incoming_mail.html")]
struct MailPage {
    shell: Shell,
    row: RowView,
    here: String,
    size: String,
    verified: String,
    attempts: String,
    settled_by: String,
    text: String,
    files: Vec<String>,
    readable: bool,
    can: Possible,
    organisations: Vec<Choice>,
    languages: Vec<Choice>,
    name: String,
}

/// What can be done with a message.
#[derive(Clone, Copy, Debug)]
struct Possible {
    convert: bool,
    release: bool,
    discard: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LetterboxQuery {
    state: String,
    q: String,
    cursor: String,
    done: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConvertForm {
    organisation: String,
    name: String,
    language: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Nothing {}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<LetterboxQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    allowed(&reader)?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let filter = InboundFilter {
        states: wanted(&asked.state),
        query: asked.q.trim().chars().take(QUERY_CHARS_MAX).collect(),
    };
    let request = PageRequest::from_query(Some(&asked.cursor), None);
    let mut found = letterbox::list(&mut tx, &filter, &request).await?;
    by_mail::hide_unreadable(&mut tx, &reader.actor, &mut found.rows).await?;
    let counts = letterbox::counts(&mut tx).await?;
    let mailboxes = letterbox::list_mailboxes(&mut tx).await?;
    drop(tx);
    let texts = reader.texts();
    let shell = reader.shell(texts.t("nav-letterbox"), Section::Letterbox).with_notice(&asked.done);
    let rows = found.rows.iter().map(|it| row_view(texts, &zone, it)).collect();
    let boxes = mailboxes.iter().map(|it| box_view(texts, &zone, it)).collect();
    page(&letterbox_page(shell, asked, &counts, boxes, (rows, found.next.as_deref())))
}

pub(crate) async fn one(
    State(state): State<WebState>,
    Extension(room): Extension<Arc<MailRoom>>,
    Path(mail): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let row = visible(&room, &reader, &mail).await?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
    drop(tx);
    let read = room.look_at(&row).await?;
    let shell = reader.shell(reader.texts().t("letterbox-mail"), Section::Letterbox);
    page(&mail_page(shell, &zone, &row, read.as_ref(), &organisations))
}

/// The bytes as they came, to be saved; no browser interprets them.
pub(crate) async fn raw(
    State(state): State<WebState>,
    Extension(room): Extension<Arc<MailRoom>>,
    Path(mail): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let row = visible(&room, &reader, &mail).await?;
    let mut tx = state.context.db.read().await?;
    let bytes = letterbox::find_raw(&mut tx, row.id).await?.ok_or_else(PageError::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.eml\"", row.id)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

pub(crate) async fn convert(
    Extension(room): Extension<Arc<MailRoom>>,
    Path(mail): Path<String>,
    Posted { reader, fields }: Posted<ConvertForm>,
) -> Result<Response, PageError> {
    let conversion = Conversion {
        organisation_id: fields.organisation.parse().map_err(|_| PageError::not_found())?,
        name: fields.name,
        language: if fields.language == "en" { Language::En } else { Language::Fr },
    };
    let row = by_mail::convert(&room, &reader.actor, known(&mail)?, conversion).await?;
    Ok(after(&row, "mail-converted"))
}

pub(crate) async fn release(
    Extension(room): Extension<Arc<MailRoom>>,
    Path(mail): Path<String>,
    Posted { reader, .. }: Posted<Nothing>,
) -> Result<Response, PageError> {
    let row = by_mail::replay(&room, &reader.actor, known(&mail)?).await?;
    Ok(after(&row, "mail-released"))
}

pub(crate) async fn discard(
    Extension(room): Extension<Arc<MailRoom>>,
    Path(mail): Path<String>,
    Posted { reader, .. }: Posted<Nothing>,
) -> Result<Response, PageError> {
    by_mail::discard(&room, &reader.actor, known(&mail)?).await?;
    Ok(Redirect::to(&with_query(PATH, &[("done", "mail-discarded")])).into_response())
}

/// To the ticket it became, else back to the list.
fn after(row: &InboundRow, done: &str) -> Response {
    let place = match &row.ticket_number {
        Some(number) => with_query(&format!("/tickets/{number}"), &[("done", done)]),
        None => with_query(PATH, &[("done", "mail-replayed")]),
    };
    Redirect::to(&place).into_response()
}

fn known(mail: &str) -> Result<InboundMailId, PageError> {
    mail.parse().map_err(|_| PageError::not_found())
}

fn allowed(reader: &Reader) -> Result<(), PageError> {
    if by_mail::looks_after_mail(&reader.actor) { Ok(()) } else { Err(TrayError::Forbidden.into()) }
}

async fn visible(room: &MailRoom, reader: &Reader, mail: &str) -> Result<InboundRow, PageError> {
    Ok(by_mail::open_message(room, &reader.actor, known(mail)?).await?)
}

/// Without a word the tray; `all` for everything.
fn wanted(state: &str) -> Vec<InboundState> {
    match state {
        "" => InboundState::TRAY.to_vec(),
        word => InboundState::from_code(word).into_iter().collect(),
    }
}

fn letterbox_page(
    shell: Shell,
    query: LetterboxQuery,
    counts: &[(InboundState, i64)],
    mailboxes: Vec<BoxView>,
    (rows, next): (Vec<RowView>, Option<&str>),
) -> LetterboxPage {
    let texts = shell.texts;
    let here = |state: &str| with_query(PATH, &[("state", state), ("q", &query.q)]);
    let count = |state: InboundState| counts.iter().find(|it| it.0 == state).map_or(0, |it| it.1);
    let tab = |code: &str, label: String, number: Option<i64>| Tab {
        label,
        count: number.map(|it| integer(texts.language(), it)),
        href: here(code),
        current: query.state == code,
    };
    let waiting = InboundState::TRAY.into_iter().map(count).sum();
    let mut tabs = vec![tab("", texts.t("letterbox-tray").into_owned(), Some(waiting))];
    tabs.push(tab("all", texts.t("filter-all").into_owned(), None));
    for state in InboundState::ALL.into_iter().filter(|it| count(*it) > 0) {
        tabs.push(tab(state.code(), state_word(texts, state), Some(count(state))));
    }
    let pager = Pager::of(&here(&query.state), &query.cursor, next);
    LetterboxPage { shell, mailboxes, tabs, query, rows, pager }
}

fn state_word(texts: Texts, state: InboundState) -> String {
    texts.word("inbound-state", state.code()).into_owned()
}

fn box_view(texts: Texts, zone: &Zone, mailbox: &Mailbox) -> BoxView {
    BoxView {
        name: mailbox.name.clone(),
        checked: mailbox.checked_at.map(|it| Stamp::moment(texts, zone, it)),
        failing: mailbox.failing_since.map(|it| Stamp::moment(texts, zone, it)),
        failure: mailbox.failure.clone(),
    }
}

fn row_view(texts: Texts, zone: &Zone, row: &InboundRow) -> RowView {
    let (tone, icon) = match row.state {
        InboundState::Received => ("info", "clock"),
        InboundState::Refused | InboundState::Quarantined => ("warn", "warn"),
        InboundState::Opened | InboundState::Appended | InboundState::Converted => ("ok", "ok"),
        InboundState::Bounced => ("danger", "danger"),
        InboundState::Silent | InboundState::Dropped | InboundState::Duplicate | InboundState::Discarded => {
            ("quiet", "close")
        }
    };
    RowView {
        href: format!("{PATH}/{}", row.id),
        state: Badge { tone, icon, text: state_word(texts, row.state), hint: String::new() },
        reason: reason(texts, row),
        sender: row.from_name.clone(),
        address: row.from_address.clone(),
        subject: row.subject.clone(),
        received: Stamp::moment(texts, zone, row.received_at),
        ticket: row.ticket_number.clone(),
    }
}

/// A repetition's reason is the id of the first, a machine's is a header: neither says anything to people.
fn reason(texts: Texts, row: &InboundRow) -> String {
    let silent = matches!(row.state, InboundState::Duplicate | InboundState::Silent);
    if row.reason.is_empty() || silent {
        return String::new();
    }
    texts.word("inbound-reason", &row.reason).into_owned()
}

fn mail_page(
    shell: Shell,
    zone: &Zone,
    row: &InboundRow,
    read: Option<&Incoming>,
    organisations: &[Organisation],
) -> MailPage {
    let texts = shell.texts;
    let file = |name: &str, bytes: usize| {
        let size = file_size(texts.language(), i64::try_from(bytes).unwrap_or(i64::MAX));
        format!("{name} · {size}")
    };
    let before_at = row.from_address.split('@').next().unwrap_or_default();
    MailPage {
        row: row_view(texts, zone, row),
        here: format!("{PATH}/{}", row.id),
        size: file_size(texts.language(), row.size_bytes),
        verified: texts.word("inbound-verified", &row.authenticity).into_owned(),
        attempts: integer(texts.language(), row.attempts),
        settled_by: row.settled_by.clone(),
        text: read.map(|it| it.text.clone()).unwrap_or_default(),
        files: read
            .into_iter()
            .flat_map(|it| &it.attachments)
            .map(|it| file(&it.name, it.bytes.len()))
            .collect(),
        readable: read.is_some(),
        can: Possible {
            convert: row.state == InboundState::Refused,
            release: row.state.in_tray()
                || matches!(row.state, InboundState::Silent | InboundState::Discarded),
            discard: row.state.in_tray(),
        },
        organisations: organisations
            .iter()
            .map(|it| Choice::new(it.id.to_string(), &it.name, false))
            .collect(),
        languages: ["fr", "en"].map(|it| Choice::new(it, texts.word("letterbox-language", it), false)).into(),
        name: if row.from_name.is_empty() { before_at.to_owned() } else { row.from_name.clone() },
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    fn row(state: InboundState, reason: &str) -> InboundRow {
        InboundRow {
            id: InboundMailId::from(uuid::Uuid::from_u128(9)),
            mailbox: "support".into(),
            received_at: now(),
            size_bytes: 42_000,
            state,
            reason: reason.into(),
            attempts: 1,
            message_id: Some(HOSTILE.into()),
            from_address: format!("{HOSTILE}@client.example"),
            from_name: HOSTILE.into(),
            subject: HOSTILE.into(),
            authenticity: "unknown".into(),
            ticket_number: (state == InboundState::Opened).then(|| "I202611_0042".into()),
            person_id: None,
            answered: false,
            settled_at: Some(now()),
            settled_by: "Parc".into(),
        }
    }

    fn mailbox(failure: &str) -> Mailbox {
        Mailbox {
            name: "support".into(),
            uid_validity: Some(1),
            uid_stored: 7,
            checked_at: Some(now()),
            failing_since: (!failure.is_empty()).then(now),
            failure: failure.into(),
        }
    }

    #[test]
    fn the_tray_is_drawn_empty_and_full() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let frame = || shell(language, &[Role::Peu], &texts.t("nav-letterbox"), Section::Letterbox);
            let boxes = |failure| vec![box_view(texts, &zone(), &mailbox(failure))];
            let empty =
                letterbox_page(frame(), LetterboxQuery::default(), &[], boxes(""), (Vec::new(), None));
            check("letterbox-none", language, &empty);
            let rows = InboundState::ALL.map(|it| row_view(texts, &zone(), &row(it, "flood")));
            let counts: Vec<(InboundState, i64)> = InboundState::ALL.into_iter().zip(1..).collect();
            let query =
                LetterboxQuery { state: "all".into(), q: HOSTILE.into(), ..LetterboxQuery::default() };
            let full = letterbox_page(frame(), query, &counts, boxes(HOSTILE), (rows.into(), Some("next")));
            check("letterbox", language, &full);
        }
    }

    #[test]
    fn a_message_is_drawn_with_what_can_be_done() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let raw = format!("From: a@b.example\nSubject: x\n\n{HOSTILE}\n");
            let around = parc_mail::reading::Surroundings::default();
            let read = parc_mail::reading::read(raw.as_bytes(), raw.len(), &around).ok();
            for (state, forms) in
                [(InboundState::Refused, 3), (InboundState::Quarantined, 2), (InboundState::Opened, 0)]
            {
                let frame = shell(language, &[Role::Peu], &texts.t("letterbox-mail"), Section::Letterbox);
                let shown = mail_page(frame, &zone(), &row(state, "unknown_sender"), read.as_ref(), &[]);
                let html = check("incoming-mail", language, &shown);
                assert_eq!(html.matches("action=\"/incoming-mail/").count(), forms, "{state:?}");
            }
        }
    }
}
