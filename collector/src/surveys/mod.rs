//! Satisfaction (rule R115): criteria as data, one to five each with a comment, once per person and closure. Owns
//! `survey`, `survey_answer`, `survey_criterion`.
//!
//! Invariants: whoever owned the ticket never rates it; nothing is chosen beforehand and nothing must be answered;
//! an answer is given once and never changed; a survey is over after thirty days. Scores of one technician are
//! shown to that technician and to leads only.

mod model;
mod service;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use model::{Answer, Criterion, NewCriterion, OwnerMean, Rating, Results, Survey, SurveyError};
pub use service::{add_criterion, answer, criteria, offered, results, results_by_owner, retire_criterion};
