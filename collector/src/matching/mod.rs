//! From a typed inventory number to a configuration item. Owns no table: pure rules, and the look-ups in
//! `inventory` they need.
//!
//! Invariants: a near miss is suggested and never linked; a tag of another organisation takes the same
//! queries as one that nobody has, so that neither the answer nor its timing tells them apart.

mod model;
mod near_miss;
mod service;

pub use model::{AssetMatch, Lookup, visible};
pub use near_miss::near_misses;
pub use service::look_up;
