//! Whether a contract covers the ticket, and the form that says what happens when none does.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::actions::NumberText;
use crate::contracts::Coverage;
use crate::inventory::web::machine::Lens;
use crate::tickets::{self, CoverageDecision, TicketError, TicketNumber, TicketView};
use crate::web::parts::{Badge, Choice};
use crate::web::{PageError, Posted, Stamp, WebState};

/// What the page says about coverage.
#[derive(Clone, Debug)]
pub(crate) struct CoverageMark {
    pub badge: Badge,
    /// Kind and number, empty without contract.
    pub contract: String,
    /// What was decided and by whom, empty when nothing was.
    pub decision: String,
    /// Decisions to choose from; none for who may not or need not.
    pub choices: Vec<Choice>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CoverageForm {
    version: NumberText,
    decision: String,
    note: String,
}

pub(crate) async fn decide(
    State(state): State<WebState>,
    Path(number): Path<String>,
    Posted { reader, fields }: Posted<CoverageForm>,
) -> Result<Response, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    let decision = CoverageDecision::from_code(&fields.decision).ok_or_else(PageError::not_found)?;
    let target = (&number, fields.version.0);
    let done =
        match tickets::decide_coverage(&state.context, &reader.actor, target, decision, &fields.note).await {
            Ok(_) => "ticket",
            Err(TicketError::Stale { .. } | TicketError::State { .. }) => "ticket-changed",
            Err(other) => return Err(other.into()),
        };
    Ok(Redirect::to(&format!("/tickets/{number}?done={done}")).into_response())
}

/// Coverage of the ticket as the page shows it.
pub(crate) fn coverage_mark(lens: Lens<'_>, view: &TicketView) -> Option<CoverageMark> {
    let (coverage, texts) = (view.coverage.as_ref()?, lens.texts);
    let code = coverage.coverage.code();
    let (tone, icon) = match coverage.coverage {
        Coverage::Covered => ("ok", "ok"),
        Coverage::Unknown => ("quiet", "clock"),
        Coverage::Expired | Coverage::NotListed | Coverage::NoContract if coverage.decision.is_some() => {
            ("quiet", "shield")
        }
        Coverage::Expired | Coverage::NotListed | Coverage::NoContract => ("warn", "warn"),
    };
    let decision = coverage.decision.map(|it| {
        let said = texts.word("coverage-decision", it.code());
        texts.t2("coverage-decided-by", ("decision", &said), ("name", &coverage.decision_by)).into_owned()
    });
    let day = Stamp::day(texts, lens.zone, coverage.decided_at);
    let choices = CoverageDecision::ALL.iter().filter(|_| view.may_decide_coverage).map(|it| {
        let chosen = coverage.decision.unwrap_or(CoverageDecision::Accept) == *it;
        Choice::new(it.code(), texts.word("coverage-decision", it.code()), chosen)
    });
    Some(CoverageMark {
        badge: Badge {
            tone,
            icon,
            text: texts.word("coverage", code).into_owned(),
            hint: texts.t1("coverage-as-of", "date", day.text()).into_owned(),
        },
        contract: coverage.contract.clone(),
        decision: decision.unwrap_or_default(),
        choices: choices.collect(),
    })
}
