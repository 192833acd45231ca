//! Contracts for looking at pages.

use parc_calendar::{Targets, Term};

use super::model::{Contract, Covers};
use crate::inventory::web::samples::organisation_id;
use crate::kernel::id::ContractId;
use crate::web::rendering::{HOSTILE, now};

pub(super) fn contract(id: u128, starts_on: &str, ends_on: &str, renewal_months: i64) -> Contract {
    Contract {
        id: ContractId::from(uuid::Uuid::from_u128(id)),
        organisation_id: organisation_id(),
        organisation_name: HOSTILE.into(),
        time_zone: "Europe/Paris".into(),
        kind: "PSAI".into(),
        reference: HOSTILE.into(),
        term: Term::parse(starts_on, ends_on, renewal_months).expect("a term"),
        renewal_months,
        covers: Covers::All,
        calendar_id: None,
        targets: Targets::default(),
        emergency_always: true,
        away_pauses: false,
        version: 4,
        changed_at: now(),
        items: Vec::new(),
    }
}
