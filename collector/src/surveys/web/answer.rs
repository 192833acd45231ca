//! One to five per criterion: nothing chosen beforehand, nothing that must be answered.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::kernel::time::Zone;
use crate::surveys::{self, Answer, Criterion, Rating, SurveyError};
use crate::tickets::{self, Ticket, TicketNumber};
use crate::web::error::{page, page_with};
use crate::web::parts::FieldErrors;
use crate::web::{PageError, Posted, Reader, Section, Shell, Stamp, WebState};

/// One criterion with what was chosen, when a form comes back.
#[derive(Debug)]
struct Question {
    id: String,
    label: String,
    scores: [Score; 5],
    comment: String,
}

#[derive(Clone, Debug)]
struct Score {
    value: i64,
    chosen: bool,
}

#[derive(Debug, Template)]
#[template(path = "surveys/web/answer.html")]
struct SurveyPage {
    shell: Shell,
    number: String,
    summary: String,
    ends: Stamp,
    questions: Vec<Question>,
    comment: String,
    errors: FieldErrors,
}

/// Every field of the form: `score-ID`, `comment-ID`, `comment`.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct SurveyForm(HashMap<String, String>);

impl SurveyForm {
    fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// Whether the reader may rate the ticket now.
pub(crate) async fn is_offered(
    state: &WebState,
    reader: &Reader,
    ticket: &Ticket,
) -> Result<bool, PageError> {
    let mut tx = state.context.db.read().await?;
    Ok(surveys::offered(&mut tx, &state.context, &reader.actor, ticket).await?.is_some())
}

pub(super) async fn ask(
    State(state): State<WebState>,
    Path(number): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    page(&load(&state, &reader, &number, &SurveyForm::default(), FieldErrors::default()).await?)
}

pub(super) async fn keep(
    State(state): State<WebState>,
    Path(number): Path<String>,
    Posted { reader, fields: form }: Posted<SurveyForm>,
) -> Result<Response, PageError> {
    let ticket: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.begin().await?;
    match surveys::answer(&mut tx, &state.context, &reader.actor, &ticket, rating(&form)).await {
        Ok(()) => {
            tx.commit().await?;
            Ok(Redirect::to(&format!("/tickets/{number}?done=rated")).into_response())
        }
        Err(SurveyError::Invalid { field, .. }) => {
            drop(tx);
            let mut errors = FieldErrors::default();
            let key = if field == "answers" { "survey-empty" } else { "survey-long" };
            errors.add("comment", reader.texts().t(key));
            let shown = load(&state, &reader, &number, &form, errors).await?;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
        Err(other) => Err(other.into()),
    }
}

fn rating(form: &SurveyForm) -> Rating {
    let answer = |(name, value): (&String, &String)| {
        let id = name.strip_prefix("score-")?;
        let comment = form.text(&format!("comment-{id}")).to_owned();
        Some(Answer { criterion: id.parse().ok()?, score: value.parse().ok()?, comment })
    };
    Rating { answers: form.0.iter().filter_map(answer).collect(), comment: form.text("comment").to_owned() }
}

async fn load(
    state: &WebState,
    reader: &Reader,
    number: &str,
    form: &SurveyForm,
    errors: FieldErrors,
) -> Result<SurveyPage, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    let ticket = tickets::find_for(&mut tx, &reader.actor, &number).await?;
    let ticket = ticket.ok_or_else(PageError::not_found)?;
    let survey = surveys::offered(&mut tx, &state.context, &reader.actor, &ticket).await?;
    let survey = survey.ok_or_else(PageError::not_found)?;
    drop(tx);
    let zone = Zone::named(&ticket.time_zone).unwrap_or_else(Zone::utc);
    let ends = Stamp::day(reader.texts(), &zone, survey.ends_at);
    let shell = reader.shell(reader.texts().t("survey-title"), Section::Tickets);
    Ok(survey_page(shell, &ticket, (&survey.criteria, ends), form, errors))
}

fn survey_page(
    mut shell: Shell,
    ticket: &Ticket,
    (criteria, ends): (&[Criterion], Stamp),
    form: &SurveyForm,
    errors: FieldErrors,
) -> SurveyPage {
    shell.plain = true;
    let language = shell.texts.language();
    let question = |it: &Criterion| {
        let given = form.text(&format!("score-{}", it.id));
        Question {
            id: it.id.to_string(),
            label: it.label(language).to_owned(),
            scores: [1, 2, 3, 4, 5].map(|value: i64| Score { value, chosen: given == value.to_string() }),
            comment: form.text(&format!("comment-{}", it.id)).to_owned(),
        }
    };
    SurveyPage {
        number: ticket.number.to_string(),
        summary: ticket.summary.clone(),
        ends,
        questions: criteria.iter().map(question).collect(),
        comment: form.text("comment").to_owned(),
        errors,
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::tickets::web::samples;
    use crate::web::Texts;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    #[test]
    fn nothing_is_chosen_beforehand_and_what_was_typed_comes_back() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let frame = || shell(language, &[Role::Requester], "Survey", Section::Tickets);
            let ticket = samples::resolved().ticket;
            let criterion = Criterion {
                id: uuid::Uuid::nil().into(),
                organisation_id: None,
                label_fr: HOSTILE.into(),
                label_en: HOSTILE.into(),
            };
            let ends = Stamp::day(texts, &zone(), now());
            let asked = (&[criterion.clone()][..], ends.clone());
            let blank = survey_page(frame(), &ticket, asked, &SurveyForm::default(), FieldErrors::default());
            assert!(!check("survey", language, &blank).contains(" checked"));
            let typed =
                [(format!("score-{}", criterion.id), "4".to_owned()), ("comment".into(), HOSTILE.into())];
            let form = SurveyForm(typed.into_iter().collect());
            let mut errors = FieldErrors::default();
            errors.add("comment", texts.t("survey-long"));
            let again = survey_page(frame(), &ticket, (&[criterion], ends), &form, errors);
            assert_eq!(check("survey-refused", language, &again).matches(" checked").count(), 1);
        }
    }
}
