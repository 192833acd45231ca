//! Preparing a loan: the stock measured against the machine that is away.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::inventory::web::machine::make_and_model;
use crate::inventory::{self, CiSummary};
use crate::kernel::actor::Scope;
use crate::kernel::id::CiId;
use crate::kernel::time::{Day, UtcMicros, Zone};
use crate::loans::{self, LoanError, NewLoan, Offer};
use crate::tickets::{self, Ticket, TicketNumber};
use crate::web::error::page_with;
use crate::web::numbers::{memory, storage};
use crate::web::parts::FieldErrors;
use crate::web::{PageError, Posted, Reader, Section, Shell, Texts, WebState};

/// Days of a loan as proposed: two weeks are a usual repair.
const DAYS_PROPOSED: i32 = 14;

#[derive(Debug, Template)]
#[template(path = "loans/web/form.html")]
struct FormPage {
    shell: Shell,
    number: String,
    summary: String,
    borrower: String,
    original: Option<MachineLine>,
    offers: Vec<OfferLine>,
    form: LoanForm,
    errors: FieldErrors,
}

/// A machine in one line.
#[derive(Clone, Debug)]
struct MachineLine {
    tag: String,
    name: String,
    detail: String,
}

/// A machine of the stock.
#[derive(Clone, Debug)]
struct OfferLine {
    id: String,
    machine: MachineLine,
    equivalent: bool,
    on_site: bool,
    /// What it lacks, in words; empty for an equivalent.
    lacks: String,
    chosen: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LoanForm {
    loaner: String,
    expected: String,
    note: String,
}

pub(super) async fn ask(
    State(state): State<WebState>,
    Path(number): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let ticket = ticket_for(&state, &reader, &number).await?;
    let expected = Day::of(state.context.now(), &zone_of(&ticket)).plus(DAYS_PROPOSED).to_string();
    let form = LoanForm { expected, ..LoanForm::default() };
    show(&state, &reader, &ticket, form, FieldErrors::default(), StatusCode::OK).await
}

pub(super) async fn prepare(
    State(state): State<WebState>,
    Path(number): Path<String>,
    Posted { reader, fields }: Posted<LoanForm>,
) -> Result<Response, PageError> {
    let ticket = ticket_for(&state, &reader, &number).await?;
    let texts = reader.texts();
    let mut errors = FieldErrors::default();
    let loaner = fields.loaner.parse::<CiId>().ok();
    let expected_at = UtcMicros::parse_until(fields.expected.trim(), &zone_of(&ticket));
    for (field, missing) in [("loaner", loaner.is_none()), ("expected", expected_at.is_none())] {
        if missing {
            errors.add(field, texts.word("loan-refused", field).into_owned().into());
        }
    }
    let (Some(loaner), Some(expected_at)) = (loaner, expected_at) else {
        return show(&state, &reader, &ticket, fields, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let new = NewLoan { loaner, expected_at, note: fields.note.clone() };
    match loans::prepare_loan(&state.context, &reader.actor, &ticket.number, new).await {
        Ok(_) => Ok(Redirect::to(&format!("/tickets/{}?done=loan", ticket.number)).into_response()),
        Err(error) => {
            let (errors, status) = refusal(texts, error)?;
            show(&state, &reader, &ticket, fields, errors, status).await
        }
    }
}

/// A refused loan as forms show it; other failures are the guard's.
pub(super) fn refusal(texts: Texts, error: LoanError) -> Result<(FieldErrors, StatusCode), PageError> {
    let (field, key, status) = match &error {
        LoanError::Invalid { field, .. } => (form_field(field), "", StatusCode::UNPROCESSABLE_ENTITY),
        LoanError::Lent => ("loaner", "loan-lent", StatusCode::CONFLICT),
        LoanError::Stale | LoanError::State { .. } => ("loaner", "loan-stale", StatusCode::CONFLICT),
        _ => return Err(error.into()),
    };
    let mut errors = FieldErrors::default();
    let message = if key.is_empty() { texts.word("loan-refused", field) } else { texts.t(key) };
    errors.add(field, message.into_owned().into());
    Ok((errors, status))
}

fn form_field(field: &str) -> &'static str {
    match field {
        "loaner" => "loaner",
        "expected" => "expected",
        "note" => "note",
        _ => "text",
    }
}

async fn ticket_for(state: &WebState, reader: &Reader, number: &str) -> Result<Ticket, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    let found = tickets::find_for(&mut tx, &reader.actor, &number).await?;
    let ticket = found.ok_or_else(PageError::not_found)?;
    if loans::may_prepare(&reader.actor, &ticket) { Ok(ticket) } else { Err(PageError::forbidden()) }
}

fn zone_of(ticket: &Ticket) -> Zone {
    Zone::named(&ticket.time_zone).unwrap_or_else(Zone::utc)
}

async fn show(
    state: &WebState,
    reader: &Reader,
    ticket: &Ticket,
    form: LoanForm,
    errors: FieldErrors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.read().await?;
    let found = loans::list_offers(&mut tx, ticket).await?;
    let original = match tickets::affected_machine(&mut tx, &ticket.number).await? {
        Some(ci) => inventory::find_ci(&mut tx, Scope::Organisation(ticket.organisation_id), ci).await?,
        None => None,
    };
    let shell = reader.shell(reader.texts().t("loan-prepare"), Section::Loans);
    page_with(status, &build(shell, ticket, original.as_ref(), &found, form, errors))
}

fn build(
    shell: Shell,
    ticket: &Ticket,
    original: Option<&CiSummary>,
    found: &[(CiSummary, Offer)],
    form: LoanForm,
    errors: FieldErrors,
) -> FormPage {
    let texts = shell.texts;
    // The best one is proposed, never one that lacks something.
    let best = found.first().filter(|it| it.1.is_equivalent()).map(|it| it.0.id.to_string());
    let chosen = if form.loaner.is_empty() { best.unwrap_or_default() } else { form.loaner.clone() };
    let offers = found.iter().map(|(ci, offer)| OfferLine {
        id: ci.id.to_string(),
        machine: machine_line(texts, ci),
        equivalent: offer.is_equivalent(),
        on_site: offer.on_site,
        lacks: offer
            .shortfalls
            .iter()
            .map(|it| texts.word("shortfall", it.code()).into_owned())
            .collect::<Vec<_>>()
            .join(", "),
        chosen: ci.id.to_string() == chosen,
    });
    FormPage {
        number: ticket.number.to_string(),
        summary: ticket.summary.clone(),
        borrower: ticket.beneficiary_name.clone(),
        original: original.map(|it| machine_line(texts, it)),
        offers: offers.collect(),
        form,
        errors,
        shell,
    }
}

fn machine_line(texts: Texts, ci: &CiSummary) -> MachineLine {
    let language = texts.language();
    let known = |value: i64, shown: String| if value > 0 { shown } else { String::new() };
    let detail = [
        format!("{} {}", ci.os_name, ci.os_version).trim().to_owned(),
        known(ci.memory_mib, memory(language, ci.memory_mib)),
        known(ci.disk_mib, storage(language, ci.disk_mib)),
        ci.site_name.clone(),
        ci.location.clone(),
    ];
    MachineLine {
        tag: ci.tag.clone().unwrap_or_default(),
        name: if ci.model.is_empty() { ci.name.clone() } else { make_and_model(&ci.make, &ci.model) },
        detail: detail.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::web::samples;
    use crate::kernel::actor::Role;
    use crate::loans::Shortfall;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    fn the_stock_is_offered_with_what_each_machine_lacks() {
        for language in LANGUAGES {
            let view = crate::tickets::web::samples::attached();
            let row = samples::latitude_row();
            let other =
                CiSummary { id: CiId::from(uuid::Uuid::from_u128(77)), model: HOSTILE.into(), ..row.clone() };
            let stock = [
                (row.clone(), Offer { index: 0, shortfalls: vec![], on_site: true }),
                (other, Offer { index: 1, shortfalls: Shortfall::ALL.to_vec(), on_site: false }),
            ];
            let draw = |name: &str, stock: &[(CiSummary, Offer)], errors: FieldErrors| {
                let shell = shell(language, &[Role::Lead], "Prêter un poste", Section::Loans);
                let form =
                    LoanForm { expected: "2026-12-06".into(), note: HOSTILE.into(), ..LoanForm::default() };
                check(name, language, &build(shell, &view.ticket, Some(&row), stock, form, errors))
            };
            let html = draw("loan-form", &stock, FieldErrors::default());
            assert_eq!(html.matches(" checked").count(), 1, "the equivalent is proposed");
            assert_eq!(
                draw("loan-form-short", &stock[1..], FieldErrors::default()).matches(" checked").count(),
                0
            );
            let (errors, _) = refusal(Texts::of(language), LoanError::Lent).expect("shown");
            draw("loan-form-none", &[], errors);
        }
    }
}
