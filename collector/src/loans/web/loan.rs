//! One loan: where it stands and what becomes of it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::form::refusal;
use super::on_page::{LoanLine, loan_line};
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::LoanId;
use crate::kernel::time::UtcMicros;
use crate::loans::{self, Acknowledgement, Loan, LoanStatus, LoanStep};
use crate::web::error::page_with;
use crate::web::parts::{Choice, FieldErrors};
use crate::web::{PageError, Posted, Reader, Section, Shell, WebState};

#[derive(Debug, Template)]
#[template(path = "loans/web/loan.html")]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each asked for by its own form")]
struct LoanPage {
    shell: Shell,
    id: String,
    line: LoanLine,
    sequence: i64,
    typed: String,
    expected: String,
    ways: Vec<Choice>,
    may_hand_out: bool,
    may_extend: bool,
    may_take_back: bool,
    may_restore: bool,
    may_cancel: bool,
    errors: FieldErrors,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StepForm {
    sequence: String,
    text: String,
    expected: String,
    acknowledged: String,
}

pub(super) async fn show(
    State(state): State<WebState>,
    Path(id): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let loan = found(&state, &reader, &id).await?;
    render(&state, &reader, &loan, "", FieldErrors::default(), StatusCode::OK)
}

pub(super) async fn step(
    State(state): State<WebState>,
    Path((id, step)): Path<(String, String)>,
    Posted { reader, fields }: Posted<StepForm>,
) -> Result<Response, PageError> {
    let loan = found(&state, &reader, &id).await?;
    let text = || fields.text.clone();
    let step = match step.as_str() {
        "out" => LoanStep::HandOut {
            condition: text(),
            acknowledged: Acknowledgement::from_code(&fields.acknowledged)
                .ok_or_else(PageError::not_found)?,
        },
        "extend" => LoanStep::Extend {
            expected_at: UtcMicros::parse_until(fields.expected.trim(), &loan.zone()).unwrap_or(UtcMicros(0)),
        },
        "back" => LoanStep::TakeBack { condition: text() },
        "restore" => LoanStep::Restore,
        "cancel" => LoanStep::Cancel { reason: text() },
        _ => return Err(PageError::not_found()),
    };
    let seen = fields.sequence.parse().ok();
    match loans::step_loan(&state.context, &reader.actor, loan.id, seen, step).await {
        Ok(done) => Ok(Redirect::to(&format!("/loans/{}?done=loan", done.id)).into_response()),
        Err(error) => {
            let (errors, status) = refusal(reader.texts(), error)?;
            let current = found(&state, &reader, &id).await?;
            render(&state, &reader, &current, &fields.text, errors, status)
        }
    }
}

async fn found(state: &WebState, reader: &Reader, id: &str) -> Result<Loan, PageError> {
    reader.require(Permission::ReadTickets)?;
    let id: LoanId = id.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    loans::find_loan(&mut tx, &reader.actor, id).await?.ok_or_else(PageError::not_found)
}

fn render(
    state: &WebState,
    reader: &Reader,
    loan: &Loan,
    typed: &str,
    errors: FieldErrors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let title = reader.texts().t1("loan-of", "tag", &loan.loaner_tag).into_owned();
    let shell = reader.shell(title, Section::Loans);
    page_with(status, &build(shell, &reader.actor, loan, state.context.now(), typed, errors))
}

fn build(
    shell: Shell,
    actor: &Actor,
    loan: &Loan,
    now: UtcMicros,
    typed: &str,
    errors: FieldErrors,
) -> LoanPage {
    let (zone, texts) = (loan.zone(), shell.texts);
    let lends = actor.may(Permission::PlanFieldWork);
    let is = |status| lends && loan.status == status;
    LoanPage {
        id: loan.id.to_string(),
        line: loan_line(Lens { texts, zone: &zone, now }, actor, loan),
        sequence: loan.sequence,
        typed: typed.to_owned(),
        expected: loan.expected_at.format(&zone, "%Y-%m-%d"),
        ways: Acknowledgement::ALL
            .iter()
            .map(|it| Choice::new(it.code(), texts.word("acknowledged", it.code()), false))
            .collect(),
        may_hand_out: is(LoanStatus::Prepared),
        may_extend: is(LoanStatus::Prepared) || is(LoanStatus::Out),
        may_take_back: is(LoanStatus::Out),
        may_restore: is(LoanStatus::Back),
        may_cancel: is(LoanStatus::Prepared),
        errors,
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::super::on_page::a_loan;
    use super::*;
    use crate::kernel::actor::{ActorKind, Role, Scope};
    use crate::kernel::id::PersonId;
    use crate::kernel::time::days;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell};

    fn person(role: Role) -> Actor {
        let id = PersonId::from(uuid::Uuid::from_u128(9));
        Actor { kind: ActorKind::Person(id), label: "x".into(), scope: Scope::All, roles: vec![role] }
    }

    #[test]
    fn a_loan_offers_what_its_state_and_the_readers_roles_allow() {
        for language in LANGUAGES {
            let draw = |name: &str, role: Role, loan: &Loan| {
                let shell = shell(language, &[role], "PRET-07", Section::Loans);
                let errors = FieldErrors::default();
                check(name, language, &build(shell, &person(role), loan, now(), "", errors))
            };
            let prepared =
                Loan { status: LoanStatus::Prepared, out_at: None, note: HOSTILE.into(), ..a_loan() };
            let html = draw("loan-prepared", Role::Lead, &prepared);
            assert!(html.contains("/out\"") && html.contains("/cancel\"") && !html.contains("/back\""));
            let html = draw("loan-out", Role::Lead, &a_loan());
            assert!(html.contains("/back\"") && !html.contains("/cancel\""));
            let overdue = Loan { expected_at: now() - days(3), ..a_loan() };
            assert!(draw("loan-overdue", Role::Lead, &overdue).contains("mark overdue"));
            let html = draw("loan-auditor", Role::Auditor, &a_loan());
            assert!(!html.contains("action=\"/loans"), "an auditor only reads");
            let back = Loan { status: LoanStatus::Back, condition_back: HOSTILE.into(), ..a_loan() };
            assert!(draw("loan-back", Role::Peu, &back).contains("/restore\""));
        }
    }
}
