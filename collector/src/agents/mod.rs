//! Certificate authority, enroll tokens, agents. PUBLIC FACE (contract).
pub mod model;
pub(crate) mod web;
use crate::{context::Context, db::{StoreError, Tx}, kernel::{actor::{Actor, Scope}, id::*, page::{Page, PageRequest}}};
pub use model::*;

/// Makes a token; the text is shown once. `fingerprint` is the authority's.
pub async fn create_enroll_token(_tx: &mut Tx, _context: &Context, _actor: &Actor, _fingerprint: &str, _new: NewEnrollToken) -> Result<secrecy::SecretString, AgentError> { todo!() }
pub async fn list_enroll_tokens(_tx: &mut Tx, _scope: Scope, _page: &PageRequest) -> Result<Page<EnrollToken>, StoreError> { todo!() }
pub async fn revoke_enroll_token(_tx: &mut Tx, _context: &Context, _actor: &Actor, _id: &str) -> Result<(), AgentError> { todo!() }
/// Effective within 60 s on every collector.
pub async fn revoke_agent(_tx: &mut Tx, _context: &Context, _actor: &Actor, _agent: AgentId, _reason: &str) -> Result<(), AgentError> { todo!() }
pub async fn quarantine_agent(_tx: &mut Tx, _context: &Context, _agent: AgentId, _reason: &str) -> Result<(), AgentError> { todo!() }
/// Back to active after review.
pub async fn release_agent(_tx: &mut Tx, _context: &Context, _actor: &Actor, _agent: AgentId, _reason: &str) -> Result<(), AgentError> { todo!() }
pub async fn list_agents(_tx: &mut Tx, _scope: Scope, _status: Option<AgentStatus>, _page: &PageRequest) -> Result<Page<Agent>, StoreError> { todo!() }
pub async fn find_agent_of_ci(_tx: &mut Tx, _ci: CiId) -> Result<Option<Agent>, StoreError> { todo!() }
