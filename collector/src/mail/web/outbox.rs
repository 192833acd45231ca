//! The outbox: what was sent, what waits, what did not arrive and why. Never what a mail says: who administers
//! mail does not read tickets.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::kernel::actor::Permission;
use crate::kernel::id::OutgoingMailId;
use crate::kernel::page::PageRequest;
use crate::kernel::time::{UtcMicros, Zone};
use crate::mail::{self, Letter, MailState, Origin, OutboxFilter, OutboxRow, OutgoingMail, Recipient};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::numbers::integer;
use crate::web::parts::{Badge, Pager, Tab};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Stamp, Texts, WebState};

/// Characters of the search that are looked at.
const QUERY_CHARS_MAX: usize = 100;

#[derive(Debug, Template)]
#[template(path = "mail/web/outbox.html")]
struct OutboxPage {
    shell: Shell,
    stopped: bool,
    tabs: Vec<Tab>,
    query: OutboxQuery,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Debug)]
struct Row {
    id: String,
    state: Badge,
    subject: String,
    ticket: Option<String>,
    address: String,
    written: Stamp,
    /// When it is tried next, or was settled.
    then: Option<Stamp>,
    attempts: String,
    answer: String,
    may_retry: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OutboxQuery {
    state: String,
    q: String,
    cursor: String,
    done: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SwitchForm {
    /// `stop` or `start`.
    turn: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Nothing {}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<OutboxQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let filter = OutboxFilter {
        state: MailState::from_code(&asked.state),
        query: asked.q.trim().chars().take(QUERY_CHARS_MAX).collect(),
    };
    let request = PageRequest::from_query(Some(&asked.cursor), None);
    let found = mail::list_outbox(&mut tx, &reader.actor, &filter, &request).await?;
    let counts = mail::outbox_counts(&mut tx, &reader.actor).await?;
    let stopped = mail::is_stopped(&mut tx).await?;
    drop(tx);
    let texts = reader.texts();
    let shell = reader.shell(texts.t("nav-outbox"), Section::Outbox).with_notice(&asked.done);
    let rows = found.rows.iter().map(|it| row(texts, &zone, state.context.now(), it)).collect();
    let next = found.next;
    page(&outbox_page(shell, asked, stopped, &counts, (rows, next.as_deref())))
}

pub(crate) async fn retry(
    State(state): State<WebState>,
    Path(mail): Path<String>,
    Posted { reader, .. }: Posted<Nothing>,
) -> Result<Response, PageError> {
    let id: OutgoingMailId = mail.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.begin().await?;
    mail::retry(&mut tx, &state.context, &reader.actor, id).await?;
    tx.commit().await?;
    Ok(Redirect::to("/outbox?done=mail-retried").into_response())
}

/// A mail to oneself, the way every mail goes: what shows that it works shows it for all.
pub(crate) async fn test(
    State(state): State<WebState>,
    Posted { reader, .. }: Posted<Nothing>,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let texts = reader.texts();
    let letter = Letter {
        language: texts.language(),
        subject: texts.t("mail-test-subject").into_owned(),
        title: texts.t("mail-test-subject").into_owned(),
        opening: texts.t("mail-test-opening").into_owned(),
        blocks: Vec::new(),
        buttons: Vec::new(),
        footer: Vec::new(),
        appointment: None,
    };
    let person = reader.person;
    let mail = OutgoingMail {
        event: format!("test/{}", state.context.now().0),
        template: "test",
        to: Recipient { person_id: Some(person.id), name: person.name, address: person.email },
        organisation_id: person.organisation_id,
        ticket: None,
        origin: Origin::Notification,
        answers: None,
        merge: None,
        letter,
    };
    let mut tx = state.context.db.begin().await?;
    mail::enqueue(&mut tx, &state.context, mail).await?;
    tx.commit().await?;
    Ok(Redirect::to("/outbox?done=mail-test").into_response())
}

pub(crate) async fn turn(
    State(state): State<WebState>,
    Posted { reader, fields }: Posted<SwitchForm>,
) -> Result<Response, PageError> {
    let (stopped, done) = match fields.turn.as_str() {
        "stop" => (true, "mail-stopped"),
        "start" => (false, "mail-started"),
        _ => return Err(PageError::not_found()),
    };
    let mut tx = state.context.db.begin().await?;
    mail::set_stopped(&mut tx, &state.context, &reader.actor, stopped).await?;
    tx.commit().await?;
    Ok(Redirect::to(&with_query("/outbox", &[("done", done)])).into_response())
}

fn outbox_page(
    shell: Shell,
    query: OutboxQuery,
    stopped: bool,
    counts: &[(MailState, i64)],
    (rows, next): (Vec<Row>, Option<&str>),
) -> OutboxPage {
    let texts = shell.texts;
    let here = |state: &str| with_query("/outbox", &[("state", state), ("q", &query.q)]);
    let all = Tab {
        label: texts.t("filter-all").into_owned(),
        count: None,
        href: here(""),
        current: MailState::from_code(&query.state).is_none(),
    };
    let tab = |(state, count): &(MailState, i64)| Tab {
        label: texts.word("mail-state", state.code()).into_owned(),
        count: Some(integer(texts.language(), *count)),
        href: here(state.code()),
        current: query.state == state.code(),
    };
    let tabs = std::iter::once(all).chain(counts.iter().map(tab)).collect();
    let pager = Pager::of(&here(&query.state), &query.cursor, next);
    OutboxPage { shell, stopped, tabs, query, rows, pager }
}

fn row(texts: Texts, zone: &Zone, now: UtcMicros, mail: &OutboxRow) -> Row {
    let (tone, icon) = match mail.state {
        MailState::Waiting => ("info", "clock"),
        MailState::Sending => ("info", "next"),
        MailState::Sent => ("ok", "ok"),
        MailState::Failed => ("danger", "danger"),
        MailState::Withheld => ("warn", "warn"),
    };
    let hint = if mail.bounced_at.is_some() { texts.t("mail-bounced") } else { "".into() };
    let next = (mail.state == MailState::Waiting && mail.not_before > now).then_some(mail.not_before);
    Row {
        id: mail.id.to_string(),
        state: Badge {
            tone,
            icon,
            text: texts.word("mail-state", mail.state.code()).into_owned(),
            hint: hint.into_owned(),
        },
        subject: texts.word("mail-template", &mail.template).into_owned(),
        ticket: mail.ticket_number.clone(),
        address: mail.address.clone(),
        written: Stamp::moment(texts, zone, mail.created_at),
        then: next.or(mail.settled_at).map(|it| Stamp::moment(texts, zone, it)),
        attempts: integer(texts.language(), mail.attempts),
        answer: mail.answer.clone(),
        may_retry: matches!(mail.state, MailState::Failed | MailState::Withheld),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    fn mail(state: MailState, template: &str) -> OutboxRow {
        OutboxRow {
            id: OutgoingMailId::from(uuid::Uuid::from_u128(5)),
            template: template.into(),
            address: format!("{HOSTILE}@client.example"),
            ticket_number: Some("I202611_0042".into()),
            state,
            created_at: now(),
            not_before: UtcMicros(now().0 + 60_000_000),
            attempts: 2,
            settled_at: (state != MailState::Waiting).then(now),
            bounced_at: (state == MailState::Failed).then(now),
            answer: format!("550 5.1.1 {HOSTILE}"),
        }
    }

    #[test]
    fn the_outbox_is_drawn_empty_full_and_stopped() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let counts: Vec<(MailState, i64)> = MailState::ALL.into_iter().zip(1_000..).collect();
            let frame = || shell(language, &[Role::Admin], &texts.t("nav-outbox"), Section::Outbox);
            let empty = outbox_page(frame(), OutboxQuery::default(), false, &counts, (Vec::new(), None));
            check("outbox-none", language, &empty);
            let rows = MailState::ALL.map(|it| row(texts, &zone(), now(), &mail(it, "created")));
            let query = OutboxQuery { state: "failed".into(), q: HOSTILE.into(), ..OutboxQuery::default() };
            let full = outbox_page(frame(), query, true, &counts, (rows.into(), Some("next")));
            let html = check("outbox", language, &full);
            assert_eq!(html.matches("/retry\"").count(), 2, "what failed and what was withheld");
        }
    }
}
