//! Loans: an equivalent machine while somebody's own is away (rules R105–R107, A12). Owns `loan`.
//!
//! Invariants: a machine is in at most one loan that is prepared or out, and replaced by at most one; the machine that
//! is replaced is in repair as long; a loan out shows both machines on its ticket, each pinned; numbers never move
//! from one machine to another; every change is one event of the ticket in the same transaction.

pub mod api;
mod equivalent;
mod model;
mod rules;
mod service;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use equivalent::{Configuration, Offer, OsClass, Shortfall, offers};
pub use model::{Acknowledgement, Loan, LoanError, LoanFilter, LoanStatus, LoanStep, NewLoan};
pub use service::{
    find_loan, list_loans, list_loans_of_ci, list_loans_of_ticket, list_offers, may_prepare, note_overdue,
    prepare_loan, step_loan,
};
