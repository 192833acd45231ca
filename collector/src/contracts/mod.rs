//! Maintenance contracts: what the provider agreed with an organisation, what they cover and how soon. Owns `contract`,
//! `contract_item`.
//!
//! Invariants: coverage is decided by a pure rule from the contracts of one organisation, the day on site and the
//! machine; a contract never decides over another organisation's machine.

pub mod api;
mod coverage;
mod model;
#[cfg(test)]
mod samples;
mod service;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use coverage::{Coverage, Subject};
pub use model::{Contract, ContractError, Covers, NewContract};
pub use service::{change_contract, create_contract, find_verdict, standing};
pub use store::{find_contract, list_contracts};
