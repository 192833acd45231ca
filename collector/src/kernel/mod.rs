//! Words every slice shares: typed ids, time, parsed texts, who acts, kinds of errors, pages of lists.
//! Knows no slice and no database engine.

pub mod actor;
pub mod entropy;
pub mod error;
pub mod id;
pub mod page;
pub mod rate;
pub mod text;
pub mod time;
mod words;
