//! Toolkit of the REST interface: who calls, how bodies and queries are read, how refusals look, how often a key
//! may call. [`router`] joins the slices' routes behind one guard; the rest knows no slice.
//!
//! Invariants: no route but the document is answered without a key; every refusal is an RFC 9457 problem; no
//! answer is kept by caches; no cause of an internal failure leaves the process.

mod body;
mod conditional;
mod csv;
mod door;
mod guard;
mod openapi;
mod problem;
mod rate;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use crate::context::Context;

pub use body::{ApiJson, ApiPath, ApiQuery, page_request};
pub use conditional::{IfMatch, IfNoneMatch, etag};
pub use csv::csv_cell;
pub use door::router;
pub use guard::Caller;
pub use openapi::Document;
pub use problem::{FieldProblem, Problem, ProblemDetails};
pub use rate::{Rate, RateLimiter};

/// What every handler is given.
#[derive(Clone, Debug)]
pub struct ApiState {
    /// Database, clock, randomness.
    pub context: Context,
    /// How often each key may call.
    pub limiter: RateLimiter,
}

impl ApiState {
    /// With the default rate.
    pub fn new(context: Context) -> Self {
        Self { context, limiter: RateLimiter::new(rate::USUAL) }
    }
}

/// A path and what answers there; tests hold the list against the document.
pub type Route = (&'static str, axum::routing::MethodRouter<ApiState>);
