//! One search over everything: ticket numbers and words, tags, serials, machines, people. Owns no table; asks each slice
//! for what the actor may see of it, a few of each.

pub mod api;
mod service;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use service::{Found, SearchError, search};
