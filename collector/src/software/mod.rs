//! Every distinct software title once, and which configuration item has which. Owns `software_title`
//! and `software_installation`.
//!
//! Invariants: a title's id is the hash of its five texts, so two collectors give it the same id without
//! asking each other; a title is never changed or removed (tickets and histories refer to it);
//! installations are written as differences only.

mod catalogue;
pub mod model;
mod store;

pub use catalogue::Catalogue;
pub use model::{InstalledTitle, Mark, NewTitle, Title, TitleId};
#[cfg(test)]
pub(crate) use store::list_installed_ids;
pub use store::{install, list_titles, uninstall};
