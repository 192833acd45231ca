//! Who may call: the certificate authority, enroll tokens, agents and their certificates. Owns
//! `agent_authority`, `agent_enroll_token`, `agent`, `agent_certificate`, `agent_enroll_attempt`.
//!
//! Invariants: identity is a private key, hardware identifiers are only evidence; one key belongs to one
//! agent (rule R2); a certificate's name, dates and usages are the collector's, never the request's (rule
//! R13); a token is used at most as often as it says, whatever races; an identity seen in two places goes to
//! quarantine and is never silently taken over; a configuration item has at most one agent that is not revoked.

mod authority;
mod csr;
#[cfg(test)]
mod door_tests;
mod enroll;
pub mod grpc;
mod identity;
mod lifecycle;
pub mod model;
mod renew;
mod seal;
mod store;
#[cfg(test)]
mod tests;
mod token;
pub(crate) mod web;

pub use authority::{
    Authority, CLIENT_DAYS, IssuedCertificate, SERVER_DAYS, check_authority, open_authority,
};
pub use csr::Csr;
pub use enroll::enroll;
pub use identity::{AgentIdentity, Identities};
pub use lifecycle::{note_version, prune, quarantine_agent, release_agent, revoke_agent};
pub use model::{Agent, AgentError, AgentStatus, AuthorityError, EnrollToken, NewEnrollToken};
pub use renew::{Renewed, renew};
pub use seal::SealKey;
pub use store::agent::{find_agent_of_ci, list_agents};
pub use store::token::list_enroll_tokens;
pub use token::{create_enroll_token, revoke_enroll_token};
