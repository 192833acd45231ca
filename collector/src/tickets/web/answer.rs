//! The page behind the two links of a "solved" mail: it works? it does not? Nobody has to sign in; the signed word
//! in the address says who answers about which solution. Opening the page does nothing, because mail scanners open
//! pages: only its buttons do.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use parc_mail::identity::LinkClaim;
use serde::Deserialize;

use crate::kernel::actor::Actor;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::PersonId;
use crate::people;
use crate::tickets::notices::{ANSWER_PATH, CONFIRM, REFUSE};
use crate::tickets::{self, Ticket, TicketAction, TicketError, TicketNumber, TicketState};
use crate::web::error::{page, page_with};
use crate::web::forms::PostedByAnyone;
use crate::web::{PageError, Shell, Texts, Visitor, WebState};

/// Characters of what still fails, as far as they are shown again.
const COMMENT_CHARS_MAX: usize = 4_000;

#[derive(Debug, Template)]
#[template(path = "tickets/web/answer.html")]
struct AnswerPage {
    shell: Shell,
    number: String,
    summary: String,
    solution: String,
    /// Address of this page, where both buttons lead.
    action: String,
    /// The question can still be answered.
    open: bool,
    /// What became of it, when it cannot.
    outcome: String,
    /// "It does not work" was chosen in the mail.
    refusing: bool,
    comment: String,
    /// Why the answer was not taken.
    problem: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    /// `confirm` or `refuse`.
    answer: String,
    text: String,
}

/// Who answers about what.
struct Question {
    claim: LinkClaim,
    actor: Actor,
    texts: Texts,
    ticket: Ticket,
}

impl Question {
    /// Still the solution that the mail told of.
    fn is_open(&self) -> bool {
        self.ticket.state == TicketState::Resolved
            && self.ticket.resolved_at.is_some_and(|it| it.0 == self.claim.event_no)
    }
}

pub(crate) async fn ask(
    State(state): State<WebState>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Result<Response, PageError> {
    let question = question(&state, &token).await?;
    page(&answer_page(&visitor, &question, &token, "", ""))
}

pub(crate) async fn answer(
    State(state): State<WebState>,
    visitor: Visitor,
    Path(token): Path<String>,
    PostedByAnyone(given): PostedByAnyone<Answer>,
) -> Result<Response, PageError> {
    let question = question(&state, &token).await?;
    let here = format!("{ANSWER_PATH}{token}");
    if !question.is_open() {
        return Ok(Redirect::to(&here).into_response());
    }
    let action = match given.answer.as_str() {
        CONFIRM => TicketAction::Confirm { on_behalf_of: None },
        REFUSE => TicketAction::Refuse { comment: given.text.clone() },
        _ => return Err(PageError::of(ErrorKind::Invalid, "neither confirmed nor refused")),
    };
    let Ticket { number, version, .. } = &question.ticket;
    match tickets::act_on_ticket(&state.context, &question.actor, number, *version, action).await {
        // Somebody was faster: the page says what is so now.
        Ok(_) | Err(TicketError::Stale { .. } | TicketError::State { .. }) => {
            Ok(Redirect::to(&here).into_response())
        }
        Err(error) if error.kind() == ErrorKind::Invalid => {
            let problem = question.texts.t("answer-say-what").into_owned();
            let text: String = given.text.chars().take(COMMENT_CHARS_MAX).collect();
            let shown = answer_page(&visitor, &question, &token, &text, &problem);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whatever is wrong with a link, there is no such page: nobody learns which tickets exist.
async fn question(state: &WebState, token: &str) -> Result<Question, PageError> {
    let claim = state.signer.read_link_token(token, state.context.now().seconds());
    let claim = claim.filter(|it| it.purpose == CONFIRM || it.purpose == REFUSE);
    let claim = claim.ok_or_else(PageError::not_found)?;
    let number: TicketNumber = claim.ticket.parse().map_err(|_| PageError::not_found())?;
    let person = PersonId::from(uuid::Uuid::from_bytes(claim.recipient));
    let mut tx = state.context.db.read().await?;
    let person = people::find_person(&mut tx, person).await?.ok_or_else(PageError::not_found)?;
    let actor = people::actor_of(&person).ok_or_else(PageError::not_found)?;
    let ticket = tickets::find_for(&mut tx, &actor, &number).await?.ok_or_else(PageError::not_found)?;
    Ok(Question { claim, actor, texts: Texts::of(person.language), ticket })
}

fn answer_page(
    visitor: &Visitor,
    question: &Question,
    token: &str,
    comment: &str,
    problem: &str,
) -> AnswerPage {
    let texts = question.texts;
    let reader = Visitor { texts, ..visitor.clone() };
    let Ticket { number, summary, solution, state, .. } = &question.ticket;
    let open = question.is_open();
    let outcome = match state {
        _ if open => String::new(),
        TicketState::Closed => texts.t("answer-closed").into_owned(),
        TicketState::Resolved => texts.t("answer-newer").into_owned(),
        _ => texts.t("answer-refused").into_owned(),
    };
    AnswerPage {
        shell: Shell::of(&reader, texts.t("answer-title")),
        number: number.to_string(),
        summary: summary.clone(),
        solution: solution.clone().unwrap_or_default(),
        action: format!("{ANSWER_PATH}{token}"),
        open,
        outcome,
        refusing: question.claim.purpose == REFUSE || !problem.is_empty(),
        comment: comment.to_owned(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::UtcMicros;
    use crate::tickets::web::samples;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, visitor};

    fn question(language: people::Language, purpose: &str, state: TicketState) -> Question {
        let ticket = Ticket {
            state,
            summary: HOSTILE.into(),
            solution: Some(format!("Câble remplacé.\n{HOSTILE}")),
            resolved_at: Some(now()),
            ..samples::ticket()
        };
        let claim = LinkClaim {
            purpose: purpose.into(),
            ticket: ticket.number.to_string(),
            event_no: now().0,
            recipient: [1; 16],
            until_s: now().seconds() + 1,
        };
        Question { claim, actor: Actor::system(), texts: Texts::of(language), ticket }
    }

    #[test]
    fn both_links_and_every_outcome_are_drawn() {
        for language in LANGUAGES {
            for (name, purpose, state) in [
                ("answer-confirm", CONFIRM, TicketState::Resolved),
                ("answer-refuse", REFUSE, TicketState::Resolved),
                ("answer-closed", CONFIRM, TicketState::Closed),
                ("answer-refused", REFUSE, TicketState::InProgress),
            ] {
                let question = question(language, purpose, state);
                let problem = if name == "answer-refuse" { "Dites ce qui ne marche pas." } else { "" };
                let html = check(
                    name,
                    language,
                    &answer_page(&visitor(language), &question, "t.o.k", HOSTILE, problem),
                );
                assert_eq!(html.contains("<textarea"), state == TicketState::Resolved, "{name}");
            }
        }
    }

    #[test]
    fn the_links_of_an_earlier_solution_ask_nothing() {
        let mut question = question(people::Language::Fr, CONFIRM, TicketState::Resolved);
        assert!(question.is_open());
        question.ticket.resolved_at = Some(UtcMicros(now().0 + 1));
        assert!(!question.is_open());
    }
}
