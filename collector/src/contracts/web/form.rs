//! A contract as it is typed, and what is wrong with it. Pure.

use serde::Deserialize;

use crate::calendars::ServiceCalendar;
use crate::calendars::web::refused;
use crate::contracts::{Contract, ContractError, Covers, NewContract};
use crate::kernel::id::OrganisationId;
use crate::sites::Organisation;
use crate::web::parts::{Choice, FieldErrors};
use crate::web::{PageError, Texts};

/// What the form sends.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct ContractForm {
    pub(super) organisation: String,
    pub(super) kind: String,
    pub(super) reference: String,
    pub(super) starts_on: String,
    pub(super) ends_on: String,
    pub(super) renewal_months: String,
    pub(super) covers: String,
    pub(super) items: String,
    pub(super) calendar: String,
    pub(super) call_back: String,
    pub(super) resolution: String,
    pub(super) emergency_always: String,
    pub(super) away_pauses: String,
    pub(super) version: String,
}

/// What the form offers.
#[derive(Clone, Debug)]
pub(super) struct Offered {
    pub(super) organisations: Vec<Choice>,
    pub(super) covers: Vec<Choice>,
    pub(super) calendars: Vec<Choice>,
}

const ON: &str = "on";

/// What a browser sends of a form without the boxes that were left empty.
impl Default for ContractForm {
    fn default() -> Self {
        let text = String::from;
        let (call_back, resolution) = parc_calendar::Targets::default().texts();
        Self {
            organisation: String::new(),
            kind: text("PSAI"),
            reference: String::new(),
            starts_on: String::new(),
            ends_on: String::new(),
            renewal_months: text("0"),
            covers: text("all"),
            items: String::new(),
            calendar: String::new(),
            call_back,
            resolution,
            emergency_always: String::new(),
            away_pauses: String::new(),
            version: String::new(),
        }
    }
}

impl ContractForm {
    /// The form of a new contract: who is away is waited for unless somebody says otherwise.
    pub(super) fn fresh() -> Self {
        Self { away_pauses: ON.into(), ..Self::default() }
    }

    /// The form of a known one.
    pub(super) fn of(contract: &Contract) -> Self {
        let (call_back, resolution) = contract.targets.texts();
        let on = |it: bool| if it { ON.to_owned() } else { String::new() };
        Self {
            organisation: contract.organisation_id.to_string(),
            kind: contract.kind.clone(),
            reference: contract.reference.clone(),
            starts_on: contract.term.starts_on().to_string(),
            ends_on: contract.term.ends_on().map(|it| it.to_string()).unwrap_or_default(),
            renewal_months: contract.renewal_months.to_string(),
            covers: contract.covers.code().into(),
            items: contract.item_labels().collect::<Vec<_>>().join("\n"),
            calendar: contract.calendar_id.map(|it| it.to_string()).unwrap_or_default(),
            call_back,
            resolution,
            emergency_always: on(contract.emergency_always),
            away_pauses: on(contract.away_pauses),
            version: contract.version.to_string(),
        }
    }

    /// What it means. What is no number of months is refused further on.
    pub(super) fn parse(&self, organisation_id: OrganisationId) -> NewContract {
        NewContract {
            organisation_id,
            kind: self.kind.clone(),
            reference: self.reference.clone(),
            starts_on: self.starts_on.clone(),
            ends_on: self.ends_on.clone(),
            renewal_months: self.renewal_months.trim().parse().unwrap_or(-1),
            covers: Covers::from_code(&self.covers).unwrap_or(Covers::List),
            items: self.items.clone(),
            calendar_id: self.calendar.parse().ok(),
            call_back: self.call_back.clone(),
            resolution: self.resolution.clone(),
            emergency_always: self.emergency_always == ON,
            away_pauses: self.away_pauses == ON,
        }
    }

    pub(super) fn offered(
        &self,
        texts: Texts,
        organisations: &[Organisation],
        calendars: &[ServiceCalendar],
    ) -> Offered {
        let choice = |value: String, label: String, chosen: &str| {
            let now = value == chosen;
            Choice::new(value, label, now)
        };
        let calendar = |it: &ServiceCalendar| {
            let label = match it.organisation_id {
                Some(_) => format!("{} · {}", it.organisation_name, it.name),
                None => it.name.clone(),
            };
            choice(it.id.to_string(), label, &self.calendar)
        };
        Offered {
            organisations: organisations
                .iter()
                .map(|it| choice(it.id.to_string(), it.name.clone(), &self.organisation))
                .collect(),
            covers: Covers::ALL
                .map(|it| Choice::new(it.code(), texts.word("covers", it.code()), it.code() == self.covers))
                .to_vec(),
            calendars: calendars.iter().map(calendar).collect(),
        }
    }
}

/// What is wrong with a field, in the reader's words; other errors stay errors.
pub(super) fn field_error(texts: Texts, error: ContractError) -> Result<FieldErrors, PageError> {
    let mut errors = FieldErrors::default();
    match error {
        ContractError::Refused { field, refusal } => errors.add(field, refused(texts, &refusal)),
        ContractError::Invalid { field: "items", reason } => {
            errors.add("items", texts.t1("contract-items-wrong", "reason", &reason));
        }
        ContractError::Invalid { field, .. } => errors.add(field, texts.t("contract-field-wrong")),
        ContractError::Taken(_) => errors.add("reference", texts.t("contract-reference-taken")),
        ContractError::Stale { .. } => errors.add("reference", texts.t("contract-stale")),
        other => return Err(other.into()),
    }
    Ok(errors)
}
