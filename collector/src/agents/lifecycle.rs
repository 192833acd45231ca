//! What people and the machine itself do to an agent's status, and housekeeping.

use serde_json::json;

use super::model::{Agent, AgentError, AgentStatus};
use super::store;
use super::token::may_administer;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Scope};
use crate::kernel::id::{AgentId, OrganisationId};
use crate::kernel::text;
use crate::kernel::time::days;

/// Characters of a reason.
const REASON_CHARS_MAX: usize = 200;
/// Characters of a version: none has more.
const VERSION_CHARS_MAX: usize = 128;
/// Enrollments are repeatable for so long; an agent that never got its answer has long begun anew.
const ATTEMPT_DAYS: u64 = 30;
/// Old certificates are kept for so long after their end, to tell a fork from a stranger.
const CERTIFICATE_DAYS: u64 = 90;
/// Rows deleted in one go: a few milliseconds of the writer.
const PRUNE_ROWS: i64 = 1_000;

/// Revokes an agent for good. Effective within 60 s on every collector.
pub async fn revoke_agent(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    agent: AgentId,
    reason: &str,
) -> Result<(), AgentError> {
    let found = agent_to_administer(tx, actor, agent).await?;
    if found.status == AgentStatus::Revoked {
        return Err(AgentError::Refused("the agent is revoked already".into()));
    }
    change(tx, context, actor, &found, AgentStatus::Revoked, reason).await
}

/// Puts an active agent aside because two machines seem to share its identity; in another status nothing
/// changes.
pub async fn quarantine_agent(
    tx: &mut Tx,
    context: &Context,
    agent: AgentId,
    reason: &str,
) -> Result<(), AgentError> {
    let found = store::agent::find_agent(tx, Scope::All, agent).await?.ok_or(AgentError::NotFound)?;
    if found.status != AgentStatus::Active {
        return Ok(());
    }
    change(tx, context, &Actor::system(), &found, AgentStatus::Quarantined, reason).await
}

/// Makes a quarantined agent active again after review.
pub async fn release_agent(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    agent: AgentId,
    reason: &str,
) -> Result<(), AgentError> {
    let found = agent_to_administer(tx, actor, agent).await?;
    if found.status != AgentStatus::Quarantined {
        return Err(AgentError::Refused("the agent is not in quarantine".into()));
    }
    change(tx, context, actor, &found, AgentStatus::Active, reason).await
}

/// Notes the version an agent says it runs; over-long and control characters are cut. `true` when it changed.
pub async fn note_version(tx: &mut Tx, agent: AgentId, version: &str) -> Result<bool, StoreError> {
    let version: String = text::cleaned(version, false).chars().take(VERSION_CHARS_MAX).collect();
    store::agent::update_version(tx, agent, &version).await
}

/// Forgets old enrollment attempts and certificates, a bounded number at a time; gives how many rows went.
pub async fn prune(tx: &mut Tx, context: &Context) -> Result<u64, StoreError> {
    let now = context.now();
    let attempts = store::agent::delete_attempts(tx, now - days(ATTEMPT_DAYS), PRUNE_ROWS).await?;
    let certificates =
        store::certificate::delete_certificates(tx, now - days(CERTIFICATE_DAYS), PRUNE_ROWS).await?;
    Ok(attempts + certificates)
}

async fn agent_to_administer(tx: &mut Tx, actor: &Actor, agent: AgentId) -> Result<Agent, AgentError> {
    may_administer(actor)?;
    store::agent::find_agent(tx, actor.scope, agent).await?.ok_or(AgentError::NotFound)
}

async fn change(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    agent: &Agent,
    to: AgentStatus,
    reason: &str,
) -> Result<(), AgentError> {
    let reason =
        text::line(reason, REASON_CHARS_MAX).map_err(|it| AgentError::invalid("reason", it.to_string()))?;
    if !store::agent::update_status(tx, agent.id, (agent.status, to), &reason, context.now()).await? {
        return Err(AgentError::Refused("the agent was changed by somebody else meanwhile".into()));
    }
    let action = match to {
        AgentStatus::Active => "agent.released",
        AgentStatus::Quarantined => "agent.quarantined",
        AgentStatus::Revoked => "agent.revoked",
    };
    record(tx, context, actor, (agent.organisation_id, agent.id), action, json!({ "reason": reason })).await
}

/// Writes a deed about an agent down.
pub(super) async fn record(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    (organisation, agent): (OrganisationId, AgentId),
    action: &str,
    detail: serde_json::Value,
) -> Result<(), AgentError> {
    let deed = Deed {
        organisation_id: Some(organisation),
        action,
        subject_kind: "agent",
        subject_id: agent.to_string(),
        detail,
    };
    audit::record(tx, context, actor, deed).await?;
    Ok(())
}
