//! Remote sessions: nobody takes over a screen without having asked and been told yes (rules R089–R093). Owns
//! `remote_session`, the register of interventions.
//!
//! Invariants: a session starts only from an agreement that is not older than a working day; who agreed, when and how
//! stays for ever; the person asked reads all of it; every step is one event of the ticket in the same transaction.

pub mod api;
mod model;
mod service;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use model::{Consent, RemoteError, RemoteSession, RemoteStatus, RemoteStep};
pub use service::{
    ask, find_session, list_register, list_sessions_of_ticket, may_ask, note_expired, step_session,
};
