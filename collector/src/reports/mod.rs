//! Indicators (rule R125): how much, of what, how fast, how often in vain. Owns no table: counts what tickets and their
//! histories hold, in the scope of who asks, and never shows a text.

pub mod api;
mod model;
mod service;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use model::{Breakdown, Delay, Dimension, Report, ReportError, Span, Step};
pub use service::{may_report, report};
