//! Who is to be forgotten: demands, the second person's answer, texts to be read; and what retention would do next.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::kernel::id::{ErasureId, PersonId};
use crate::kernel::text::EmailAddress;
use crate::kernel::time::{Zone, days};
use crate::people;
use crate::privacy::{self, Erasure, ErasureStatus, PrivacyError, RetentionPreview, WaitingText};
use crate::web::error::page_with;
use crate::web::{Asked, PageError, Posted, Reader, Shell, Stamp, WebState};

#[derive(Debug, Template)]
#[template(path = "privacy/web/erasures.html")]
struct ErasuresPage {
    shell: Shell,
    problem: String,
    email: String,
    reason: String,
    rows: Vec<ErasureLine>,
    preview_count: String,
    preview_before: Stamp,
    preview: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "privacy/web/texts.html")]
struct TextsPage {
    shell: Shell,
    erasure: ErasureLine,
    texts: Vec<TextLine>,
}

/// A demand.
#[derive(Debug)]
struct ErasureLine {
    id: String,
    person: String,
    data_href: String,
    reason: String,
    status_code: &'static str,
    status: String,
    asked: String,
    at: Stamp,
    waiting: String,
    may_decide: bool,
    may_read: bool,
}

/// A text to be read.
#[derive(Debug)]
struct TextLine {
    ticket: String,
    event_no: i64,
    at: Stamp,
    text: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AskForm {
    email: String,
    reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DecideForm {
    ticket: String,
    event_no: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DoneQuery {
    done: String,
}

pub(super) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<DoneQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    render(&state, &reader, (&asked.done, ""), AskForm::default(), StatusCode::OK).await
}

pub(super) async fn ask(
    State(state): State<WebState>,
    Posted { reader, fields }: Posted<AskForm>,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.read().await?;
    let person = match fields.email.parse::<EmailAddress>() {
        Ok(email) => people::find_person_by_email(&mut tx, &email).await?.map(|it| it.id),
        Err(_) => None,
    };
    drop(tx);
    // An address nobody has is refused like one of somebody out of sight.
    let nobody = PersonId::from(uuid::Uuid::nil());
    let person = person.unwrap_or(nobody);
    match privacy::ask_erasure(&state.context, &reader.actor, person, &fields.reason).await {
        Ok(_) => Ok(Redirect::to("/privacy/erasures?done=erasure").into_response()),
        Err(error) => {
            let (key, status) = match error {
                PrivacyError::NotFound => ("erasure-unknown", StatusCode::UNPROCESSABLE_ENTITY),
                PrivacyError::Invalid { .. } => ("erasure-reason-needed", StatusCode::UNPROCESSABLE_ENTITY),
                PrivacyError::Decided => ("erasure-open", StatusCode::CONFLICT),
                other => return Err(other.into()),
            };
            render(&state, &reader, ("", key), fields, status).await
        }
    }
}

pub(super) async fn texts(
    State(state): State<WebState>,
    Path(id): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let id: ErasureId = id.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let (erasure, waiting) = privacy::list_waiting_texts(&mut tx, &reader.actor, id).await?;
    let title = reader.texts().t1("erasure-texts", "name", &erasure.person_name).into_owned();
    let shell = reader.frame(title, None);
    page_with(StatusCode::OK, &texts_page(shell, reader.person.id, &zone, &erasure, &waiting))
}

pub(super) async fn decide(
    State(state): State<WebState>,
    Path((id, step)): Path<(String, String)>,
    Posted { reader, fields }: Posted<DecideForm>,
) -> Result<Response, PageError> {
    let id: ErasureId = id.parse().map_err(|_| PageError::not_found())?;
    let text = async |redact: bool| -> Result<Response, PageError> {
        let number = fields.ticket.parse().map_err(|_| PageError::not_found())?;
        let event_no = fields.event_no.parse().map_err(|_| PageError::not_found())?;
        match privacy::decide_text(&state.context, &reader.actor, id, (&number, event_no), redact).await {
            Ok(()) | Err(PrivacyError::Decided) => {}
            Err(other) => return Err(other.into()),
        }
        Ok(Redirect::to(&format!("/privacy/erasures/{id}")).into_response())
    };
    let agreed = match step.as_str() {
        "agree" => true,
        "refuse" => false,
        "redact" => return text(true).await,
        "keep" => return text(false).await,
        _ => return Err(PageError::not_found()),
    };
    match privacy::decide_erasure(&state.context, &reader.actor, id, agreed).await {
        Ok(()) => Ok(Redirect::to("/privacy/erasures?done=erasure").into_response()),
        Err(PrivacyError::SamePerson) => {
            let status = StatusCode::CONFLICT;
            render(&state, &reader, ("", "erasure-second"), AskForm::default(), status).await
        }
        Err(PrivacyError::Decided) => Ok(Redirect::to("/privacy/erasures").into_response()),
        Err(other) => Err(other.into()),
    }
}

async fn render(
    state: &WebState,
    reader: &Reader,
    (done, problem): (&str, &str),
    form: AskForm,
    status: StatusCode,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let rows = privacy::list_erasures(&mut tx, &reader.actor).await?;
    let before = state.context.now() - days(state.ticket_days);
    let preview = privacy::preview_retention(&mut tx, &reader.actor, before).await?;
    let shell = reader.frame(reader.texts().t("erasures-title"), None).with_notice(done);
    page_with(status, &build(shell, reader.person.id, &zone, &rows, &preview, (problem, form)))
}

fn build(
    shell: Shell,
    reader: PersonId,
    zone: &Zone,
    rows: &[Erasure],
    preview: &RetentionPreview,
    (problem, form): (&str, AskForm),
) -> ErasuresPage {
    let texts = shell.texts;
    ErasuresPage {
        problem: if problem.is_empty() { String::new() } else { texts.t(problem).into_owned() },
        email: form.email,
        reason: form.reason,
        rows: rows.iter().map(|it| line(&shell, reader, zone, it)).collect(),
        preview_count: crate::web::numbers::integer(texts.language(), preview.tickets),
        preview_before: Stamp::day(texts, zone, preview.before),
        preview: preview.first.iter().map(ToString::to_string).collect(),
        shell,
    }
}

fn line(shell: &Shell, reader: PersonId, zone: &Zone, erasure: &Erasure) -> ErasureLine {
    let texts = shell.texts;
    ErasureLine {
        id: erasure.id.to_string(),
        person: erasure.person_name.clone(),
        data_href: format!("/privacy/people/{}/data", erasure.person_id),
        reason: erasure.reason.clone(),
        status_code: match erasure.status {
            ErasureStatus::Asked => "requested",
            ErasureStatus::Refused => "refused",
            ErasureStatus::Approved => "started",
            ErasureStatus::Done => "done",
        },
        status: texts.word("erasure-status", erasure.status.code()).into_owned(),
        asked: erasure.asked_by.clone(),
        at: Stamp::moment(texts, zone, erasure.asked_at),
        waiting: texts.tn("erasure-waiting", erasure.waiting).into_owned(),
        may_decide: erasure.status == ErasureStatus::Asked && erasure.asked_by_id != reader,
        may_read: erasure.waiting > 0,
    }
}

fn texts_page(
    shell: Shell,
    reader: PersonId,
    zone: &Zone,
    erasure: &Erasure,
    waiting: &[WaitingText],
) -> TextsPage {
    let text = |it: &WaitingText| TextLine {
        ticket: it.ticket.to_string(),
        event_no: it.event_no,
        at: Stamp::moment(shell.texts, zone, it.at),
        text: it.text.clone(),
    };
    let texts = waiting.iter().map(text).collect();
    TextsPage { erasure: line(&shell, reader, zone, erasure), texts, shell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::Section;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    fn an_erasure(status: ErasureStatus, asked_by: u128) -> Erasure {
        Erasure {
            id: ErasureId::from(uuid::Uuid::from_u128(1)),
            person_id: PersonId::from(uuid::Uuid::from_u128(2)),
            person_name: HOSTILE.into(),
            reason: HOSTILE.into(),
            status,
            pseudonym: "P-4F2A11".into(),
            asked_by_id: PersonId::from(uuid::Uuid::from_u128(asked_by)),
            asked_by: "Ada".into(),
            asked_at: now(),
            waiting: 3,
        }
    }

    #[test]
    fn who_asked_is_not_offered_to_agree() {
        for language in LANGUAGES {
            let reader = PersonId::from(uuid::Uuid::from_u128(7));
            let preview = RetentionPreview {
                before: now(),
                tickets: 12,
                first: vec!["I202311_0001".parse().expect("number")],
            };
            let draw = |name: &str, rows: &[Erasure]| {
                let shell = shell(language, &[Role::Admin], "Effacement", Section::Agents);
                check(
                    name,
                    language,
                    &build(shell, reader, &zone(), rows, &preview, ("erasure-second", AskForm::default())),
                )
            };
            assert!(!draw("erasures-own", &[an_erasure(ErasureStatus::Asked, 7)]).contains("/agree\""));
            let html =
                draw("erasures", &[an_erasure(ErasureStatus::Asked, 8), an_erasure(ErasureStatus::Done, 8)]);
            assert_eq!(html.matches("/agree\"").count(), 1);
            draw("erasures-none", &[]);
            let text = WaitingText {
                erasure: ErasureId::from(uuid::Uuid::from_u128(1)),
                ticket: "I202611_0042".parse().expect("number"),
                event_no: 3,
                at: now(),
                text: HOSTILE.into(),
            };
            let shell = shell(language, &[Role::Admin], "Textes", Section::Agents);
            let page = texts_page(shell, reader, &zone(), &an_erasure(ErasureStatus::Approved, 8), &[text]);
            assert!(check("erasure-texts", language, &page).contains("/redact\""));
        }
    }
}
