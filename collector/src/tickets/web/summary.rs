//! Everything read over once before it is sent.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::fields::NewForm;
use super::look_up::{Answer, look_up, organisation};
use super::new::{WaitingFile, kept_draft, send, waiting};
use super::slot_picker::slots_in_words;
use crate::files::{StoredFile, holds_social_security_number};
use crate::kernel::actor::Permission;
use crate::kernel::time::{UtcMicros, Zone};
use crate::sites::{self, Site};
use crate::tickets::slots::chosen;
use crate::tickets::{self, TicketKind};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::parts::Pair;
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, WebState};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Kind {
    kind: String,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/summary.html")]
struct SummaryPage {
    shell: Shell,
    kind: &'static str,
    summary: String,
    description: String,
    facts: Vec<Pair>,
    waiting: Vec<WaitingFile>,
    answer: Answer,
    personal_number: bool,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<Kind>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::CreateTicket)?;
    let Some((form, kind)) = draft(&state, &reader, &asked.kind).await? else {
        return Ok(Redirect::to("/tickets/new").into_response());
    };
    let organisation = organisation(&reader, &form.organisation);
    let answer = look_up(&state, &reader, organisation, &form.tag).await?;
    let mut tx = state.context.db.read().await?;
    let files = tickets::list_draft_files(&mut tx, reader.person.id, kind).await?;
    let sites = match organisation.filter(|it| reader.actor.scope.contains(*it)) {
        Some(organisation) => sites::list_sites(&mut tx, organisation).await?,
        None => Vec::new(),
    };
    let zone = reader.zone(&mut tx).await?;
    drop(tx);
    let shell = reader.shell(reader.texts().t("summary-title"), Section::NewTicket);
    page(&summary_page(shell, &form, (&sites, &files, answer), (&zone, state.context.now())))
}

pub(crate) async fn send_draft(
    state: &WebState,
    reader: &Reader,
    form: &NewForm,
    kind: TicketKind,
) -> Result<Redirect, PageError> {
    Ok(match send(state, reader, form).await? {
        Ok(link) => Redirect::to(&link),
        // What is wrong is found again when the form is looked at.
        Err(_) => Redirect::to(&with_query("/tickets/new", &[("kind", kind.code())])),
    })
}

pub(crate) async fn send_it(
    State(state): State<WebState>,
    Posted { reader, fields }: Posted<Kind>,
) -> Result<Response, PageError> {
    reader.require(Permission::CreateTicket)?;
    match draft(&state, &reader, &fields.kind).await? {
        Some((form, kind)) => Ok(send_draft(&state, &reader, &form, kind).await?.into_response()),
        // Sent a moment ago by the same button.
        None => Ok(Redirect::to("/tickets").into_response()),
    }
}

async fn draft(
    state: &WebState,
    reader: &Reader,
    kind: &str,
) -> Result<Option<(NewForm, TicketKind)>, PageError> {
    let Some(kind) = TicketKind::from_code(kind) else { return Ok(None) };
    let kept = kept_draft(state, reader, kind, false).await?;
    Ok(kept.map(|(form, _)| (NewForm { kind: kind.code().into(), ..form }, kind)))
}

fn summary_page(
    shell: Shell,
    form: &NewForm,
    (sites, files, answer): (&[Site], &[StoredFile], Answer),
    (zone, now): (&Zone, UtcMicros),
) -> SummaryPage {
    let texts = shell.texts;
    let word = |family: &str, code: &str| texts.word(family, code).into_owned();
    let site =
        sites.iter().find(|it| it.id.to_string() == form.site).or_else(|| sites.iter().find(|it| it.main));
    let site = site.map(|it| it.name.clone()).unwrap_or_default();
    let incident = form.ticket_kind() == TicketKind::Incident;
    let only = |wanted: bool, text: String| if wanted { text } else { String::new() };
    let mut when = slots_in_words(texts, zone, &chosen(&form.slot, now, zone));
    when.extend((!form.availability.trim().is_empty()).then(|| form.availability.trim().to_owned()));
    let facts = [
        ("label-kind", word("ticket-kind", form.ticket_kind().code())),
        ("label-beneficiary", form.beneficiary.trim().to_owned()),
        ("label-tag", form.tag.trim().to_owned()),
        ("label-severity", only(incident, word("severity", form.severity().code()))),
        ("label-scope", only(incident, word("scope", form.scope().code()))),
        ("label-urgency", word("urgency", form.urgency().code())),
        ("label-application", form.application.trim().to_owned()),
        ("label-site", site),
        ("label-location", form.location.trim().to_owned()),
        ("label-phone", form.phone.trim().to_owned()),
        ("label-availability", when.join("\n")),
    ];
    SummaryPage {
        kind: form.ticket_kind().code(),
        facts: facts
            .into_iter()
            .filter(|it| !it.1.is_empty())
            .map(|(key, value)| Pair::new(texts.t(key), value))
            .collect(),
        waiting: files.iter().map(|it| waiting(texts, it)).collect(),
        personal_number: holds_social_security_number(&format!("{}\n{}", form.summary, form.description)),
        summary: form.summary.trim().to_owned(),
        description: form.description.trim().to_owned(),
        answer,
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    #[test]
    fn what_will_be_sent_is_read_over() {
        for language in LANGUAGES {
            let frame = shell(language, &[Role::Requester], "Summary", Section::NewTicket);
            let form = NewForm {
                kind: "incident".into(),
                summary: HOSTILE.into(),
                description: HOSTILE.into(),
                slot: "2026-11-23 8 10".into(),
                availability: HOSTILE.into(),
                ..NewForm::default()
            };
            let html = check(
                "new-summary",
                language,
                &summary_page(frame, &form, (&[], &[], Answer::default()), (&zone(), now())),
            );
            assert!(html.contains("23/11"));
        }
    }
}
