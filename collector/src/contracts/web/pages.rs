//! The pages.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use parc_calendar::TermStanding;
use serde::Deserialize;

use super::form::{ContractForm, Offered, field_error};
use crate::calendars::web::tabs;
use crate::calendars::{self, ServiceCalendar};
use crate::contracts::{self, Contract};
use crate::kernel::actor::{Permission, Scope};
use crate::kernel::id::ContractId;
use crate::kernel::time::UtcMicros;
use crate::sites::{self, Organisation};
use crate::web::error::{page, page_with};
use crate::web::parts::{Badge, FieldErrors, Tab};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Texts, WebState};

#[derive(Debug, Template)]
#[template(path = "contracts/web/list.html")]
struct ContractsPage {
    shell: Shell,
    tabs: Vec<Tab>,
    rows: Vec<ContractRow>,
    form: ContractForm,
    offered: Offered,
    errors: FieldErrors,
}

#[derive(Debug, Template)]
#[template(path = "contracts/web/edit.html")]
struct ContractPage {
    shell: Shell,
    tabs: Vec<Tab>,
    row: ContractRow,
    form: ContractForm,
    offered: Offered,
    errors: FieldErrors,
}

#[derive(Debug)]
struct ContractRow {
    href: String,
    name: String,
    organisation: String,
    standing: Badge,
    period: String,
    covers: String,
    targets: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ContractsQuery {
    done: String,
}

/// What the forms choose from.
struct Loaded {
    organisations: Vec<Organisation>,
    calendars: Vec<ServiceCalendar>,
}

pub(crate) async fn list(
    State(state): State<WebState>,
    Asked(asked): Asked<ContractsQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let (all, loaded) = load(&state, &reader).await?;
    let shell = reader.shell(reader.texts().t("nav-contracts"), Section::Service).with_notice(&asked.done);
    let form = ContractForm::fresh();
    page(&list_page(shell, (&all, state.context.now()), &loaded, form, FieldErrors::default()))
}

pub(crate) async fn create(
    State(state): State<WebState>,
    Posted { reader, fields: form }: Posted<ContractForm>,
) -> Result<Response, PageError> {
    let (all, loaded) = load(&state, &reader).await?;
    let texts = reader.texts();
    let chosen = loaded.organisations.iter().find(|it| it.id.to_string() == form.organisation);
    let only = loaded.organisations.first().filter(|_| loaded.organisations.len() == 1);
    let Some(organisation) = chosen.or(only) else {
        let mut errors = FieldErrors::default();
        errors.add("organisation", texts.t("new-organisation-missing"));
        return again(&reader, (&all, state.context.now()), &loaded, form, errors);
    };
    let mut tx = state.context.db.begin().await?;
    let new = form.parse(organisation.id);
    match contracts::create_contract(&mut tx, &state.context, &reader.actor, new).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(Redirect::to("/contracts?done=contract").into_response())
        }
        Err(error) => {
            drop(tx);
            let errors = field_error(texts, error)?;
            again(&reader, (&all, state.context.now()), &loaded, form, errors)
        }
    }
}

/// The list with what was typed and what is wrong with it.
fn again(
    reader: &Reader,
    all: (&[Contract], UtcMicros),
    loaded: &Loaded,
    form: ContractForm,
    errors: FieldErrors,
) -> Result<Response, PageError> {
    let shell = reader.shell(reader.texts().t("nav-contracts"), Section::Service);
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &list_page(shell, all, loaded, form, errors))
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Path(contract): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let (found, loaded) = load_one(&state, &reader, &contract).await?;
    let form = ContractForm::of(&found);
    let shell = reader.shell(name(&found), Section::Service);
    page(&edit_page(shell, (&found, state.context.now()), &loaded, form, FieldErrors::default()))
}

pub(crate) async fn change(
    State(state): State<WebState>,
    Path(contract): Path<String>,
    Posted { reader, fields: form }: Posted<ContractForm>,
) -> Result<Response, PageError> {
    let (found, loaded) = load_one(&state, &reader, &contract).await?;
    // A form without version is from nobody's browser: it changes nothing.
    let seen = (found.id, form.version.parse().unwrap_or(0));
    let new = form.parse(found.organisation_id);
    let mut tx = state.context.db.begin().await?;
    match contracts::change_contract(&mut tx, &state.context, &reader.actor, seen, new).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(Redirect::to("/contracts?done=contract").into_response())
        }
        Err(error) => {
            drop(tx);
            let errors = field_error(reader.texts(), error)?;
            let shell = reader.shell(name(&found), Section::Service);
            let again = edit_page(shell, (&found, state.context.now()), &loaded, form, errors);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
    }
}

async fn load(state: &WebState, reader: &Reader) -> Result<(Vec<Contract>, Loaded), PageError> {
    reader.require(Permission::Administer)?;
    let mut tx = state.context.db.read().await?;
    let scope = reader.actor.scope;
    let all = contracts::list_contracts(&mut tx, scope).await?;
    let loaded = Loaded {
        organisations: sites::list_organisations(&mut tx, scope).await?,
        calendars: calendars::list_calendars(&mut tx, scope).await?,
    };
    Ok((all, loaded))
}

async fn load_one(state: &WebState, reader: &Reader, id: &str) -> Result<(Contract, Loaded), PageError> {
    reader.require(Permission::Administer)?;
    let id: ContractId = id.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    let found = contracts::find_contract(&mut tx, reader.actor.scope, id).await?;
    let found = found.ok_or_else(PageError::not_found)?;
    let own = Scope::Organisation(found.organisation_id);
    let calendars = calendars::list_calendars(&mut tx, own).await?;
    Ok((found, Loaded { organisations: Vec::new(), calendars }))
}

fn name(contract: &Contract) -> String {
    format!("{} {}", contract.kind, contract.reference)
}

fn row(texts: Texts, contract: &Contract, now: UtcMicros) -> ContractRow {
    let (tone, icon, code, until) = match contracts::standing(contract, now) {
        TermStanding::Ahead => ("info", "clock", "ahead", contract.term.ends_on()),
        TermStanding::Live { until } => ("ok", "ok", "live", until),
        TermStanding::Ended => ("quiet", "close", "ended", contract.term.ends_on()),
    };
    let from = contract.term.starts_on();
    let until = until.map_or_else(|| "…".to_owned(), |it| it.to_string());
    let (call_back, resolution) = contract.targets.texts();
    ContractRow {
        href: format!("/contracts/{}", contract.id),
        name: name(contract),
        organisation: contract.organisation_name.clone(),
        standing: Badge {
            tone,
            icon,
            text: texts.word("contract-standing", code).into_owned(),
            hint: String::new(),
        },
        period: format!("{from} – {until}"),
        covers: texts.word("covers", contract.covers.code()).into_owned(),
        targets: format!("{call_back} · {resolution}"),
    }
}

fn list_page(
    shell: Shell,
    (all, now): (&[Contract], UtcMicros),
    loaded: &Loaded,
    form: ContractForm,
    errors: FieldErrors,
) -> ContractsPage {
    let texts = shell.texts;
    ContractsPage {
        tabs: tabs(texts, "/contracts"),
        rows: all.iter().map(|it| row(texts, it, now)).collect(),
        offered: form.offered(texts, &loaded.organisations, &loaded.calendars),
        form,
        errors,
        shell,
    }
}

fn edit_page(
    shell: Shell,
    (contract, now): (&Contract, UtcMicros),
    loaded: &Loaded,
    form: ContractForm,
    errors: FieldErrors,
) -> ContractPage {
    let texts = shell.texts;
    ContractPage {
        tabs: tabs(texts, ""),
        row: row(texts, contract, now),
        offered: form.offered(texts, &loaded.organisations, &loaded.calendars),
        form,
        errors,
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::ContractError;
    use crate::contracts::samples::contract;
    use crate::inventory::web::samples::places;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell};

    #[test]
    fn contracts_are_drawn_empty_listed_opened_and_refused() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let frame = || shell(language, &[Role::Admin], &texts.t("nav-contracts"), Section::Service);
            let loaded = Loaded { organisations: places().0, calendars: Vec::new() };
            let all = [
                contract(1, "2025-01-01", "2025-12-31", 12),
                contract(2, "2020-01-01", "2020-12-31", 0),
                contract(3, "2030-01-01", "", 0),
            ];
            let draw = |name: &str, all: &[Contract], form, errors| {
                check(name, language, &list_page(frame(), (all, now()), &loaded, form, errors))
            };
            draw("contracts-none", &[], ContractForm::fresh(), FieldErrors::default());
            let html = draw("contracts", &all, ContractForm::fresh(), FieldErrors::default());
            assert!(html.contains("2025-01-01 – 2026-12-31"), "a renewal is counted");
            let wrong = ContractError::Invalid { field: "items", reason: HOSTILE.into() };
            let errors = field_error(texts, wrong).expect("a field");
            let form = ContractForm { items: HOSTILE.into(), ..ContractForm::fresh() };
            draw("contracts-refused", &all, form, errors);
            let form = ContractForm::of(&all[0]);
            let opened = edit_page(frame(), (&all[0], now()), &loaded, form, FieldErrors::default());
            check("contract", language, &opened);
        }
    }
}
