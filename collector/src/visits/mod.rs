//! Visits on site: who goes where and when, for which ticket (rules R102–R104). Owns `visit`, `visit_slot`.
//!
//! Invariants: a technician is never in two places at once: every quarter of an hour of a visit that stands is a row
//! whose key is technician and quarter; every change is one event of the ticket in the same transaction; a visit that
//! was cancelled or missed frees its time and stays in the history.

pub mod api;
pub mod calendar;
mod model;
mod rules;
mod service;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use model::{NewVisit, Visit, VisitError, VisitFilter, VisitStatus, VisitStep};
pub use service::{
    find_visit, list_technicians, list_visits, list_visits_of_ticket, may_plan, plan_visit, step_visit,
};
