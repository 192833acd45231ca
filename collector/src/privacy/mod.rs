//! What is known about people, and how it is forgotten again: export of everything about somebody, erasure that two people
//! agree to, texts that are read before they are blanked out, tickets whose time is over. Owns `privacy_erasure`,
//! `privacy_text`.
//!
//! Invariants: who asks for an erasure does not approve it; whoever is forgotten stays countable under a pseudonym; an
//! export is itself in the audit log; nothing is deleted that another record needs.

mod model;
mod service;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use model::{Erasure, ErasureStatus, PersonalData, PrivacyError, RetentionPreview, WaitingText};
pub use service::{
    ask_erasure, decide_erasure, decide_text, export, list_erasures, list_waiting_texts, preview_retention,
    retain,
};
