//! The bell: what somebody was told lately about tickets they may see.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::kernel::actor::{Actor, Permission};
use crate::kernel::time::{UtcMicros, Zone};
use crate::tickets::notices::{self, Notice};
use crate::tickets::{self, Ticket};
use crate::web::error::page;
use crate::web::numbers::integer;
use crate::web::{PageError, Posted, Reader, Section, Shell, Stamp, Texts, WebState};

#[derive(Debug, Template)]
#[template(path = "tickets/web/notices.html")]
struct NoticesPage {
    shell: Shell,
    rows: Vec<Row>,
    /// Microseconds of the newest one: only what was on the page is marked as read.
    until: i64,
    unread: bool,
}

#[derive(Debug)]
struct Row {
    href: String,
    number: String,
    summary: String,
    /// Who, and what happened.
    said: String,
    ago: Stamp,
    unread: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ReadForm {
    until: String,
}

pub(crate) async fn show(State(state): State<WebState>, reader: Reader) -> Result<Response, PageError> {
    may(&reader.actor)?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let mut found = Vec::new();
    for notice in notices::list_notices(&mut tx, &reader.actor).await? {
        // Rights may have changed since it was written.
        if let Some(ticket) = tickets::find_for(&mut tx, &reader.actor, &notice.ticket_number).await? {
            found.push((notice, ticket));
        }
    }
    drop(tx);
    let shell = reader.shell(reader.texts().t("nav-notices"), Section::Notices);
    page(&notices_page(shell, &zone, state.context.now(), &found))
}

/// How many are unread, as the bell shows it; nothing when none is.
pub(crate) async fn count(State(state): State<WebState>, reader: Reader) -> Result<String, PageError> {
    let Some(person) = reader.actor.person() else { return Ok(String::new()) };
    let mut tx = state.context.db.read().await?;
    let unread = notices::count_unread(&mut tx, person).await?;
    Ok(if unread == 0 { String::new() } else { integer(reader.language(), unread) })
}

pub(crate) async fn read(
    State(state): State<WebState>,
    Posted { reader, fields }: Posted<ReadForm>,
) -> Result<Response, PageError> {
    let until = UtcMicros(fields.until.parse().unwrap_or(0));
    if let Some(person) = reader.actor.person() {
        let mut tx = state.context.db.begin().await?;
        notices::mark_read(&mut tx, &state.context, person, until).await?;
        tx.commit().await?;
    }
    Ok(Redirect::to("/notices").into_response())
}

fn may(actor: &Actor) -> Result<(), PageError> {
    let told = actor.is_staff() || actor.may(Permission::CreateTicket);
    if told { Ok(()) } else { Err(PageError::forbidden()) }
}

fn notices_page(shell: Shell, zone: &Zone, now: UtcMicros, found: &[(Notice, Ticket)]) -> NoticesPage {
    let texts = shell.texts;
    let rows = found.iter().map(|(notice, ticket)| row(texts, zone, now, notice, ticket)).collect();
    let until = found.iter().map(|it| it.0.at.0).max().unwrap_or(0);
    let unread = found.iter().any(|it| it.0.read_at.is_none());
    NoticesPage { shell, rows, until, unread }
}

fn row(texts: Texts, zone: &Zone, now: UtcMicros, notice: &Notice, ticket: &Ticket) -> Row {
    let occasion = texts.word("occasion", &notice.occasion);
    Row {
        href: format!("/tickets/{}", notice.ticket_number),
        number: notice.ticket_number.to_string(),
        summary: ticket.summary.clone(),
        said: texts.t2("notice-said", ("what", &occasion), ("who", &notice.actor_label)).into_owned(),
        ago: Stamp::ago(texts, zone, notice.at, now),
        unread: notice.read_at.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::tickets::notices::Occasion;
    use crate::tickets::web::samples;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    #[test]
    fn the_bell_is_drawn_empty_and_with_every_occasion() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let frame = || shell(language, &[Role::TechnicianN1], &texts.t("nav-notices"), Section::Notices);
            check("notices-none", language, &notices_page(frame(), &zone(), now(), &[]));
            let found: Vec<(Notice, Ticket)> = Occasion::ALL
                .into_iter()
                .enumerate()
                .map(|(index, occasion)| {
                    let notice = Notice {
                        ticket_number: samples::ticket().number,
                        version: 3,
                        occasion: occasion.code().into(),
                        actor_label: HOSTILE.into(),
                        at: now(),
                        read_at: (index > 3).then(now),
                    };
                    (notice, Ticket { summary: HOSTILE.into(), ..samples::ticket() })
                })
                .collect();
            let html = check("notices", language, &notices_page(frame(), &zone(), now(), &found));
            assert_eq!(html.matches("class=\"fresh\"").count(), 4);
        }
    }
}
