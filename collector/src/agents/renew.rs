//! A new certificate for a new key, with a counter that shows when two machines share one identity.

use serde_json::json;

use super::authority::Authority;
use super::csr::Csr;
use super::identity::AgentIdentity;
use super::lifecycle::{quarantine_agent, record};
use super::model::{AgentError, AgentStatus};
use super::store;
use crate::context::Context;
use crate::db::Tx;
use crate::kernel::actor::Scope;

/// A renewed identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The new certificate.
    pub certificate_der: Vec<u8>,
    /// Its generation.
    pub generation: u64,
}

/// What one look at the agent led to.
enum Outcome {
    Done(Renewed),
    Forked,
    /// Another call renewed the agent meanwhile; look again.
    Overtaken,
}

/// Renews `identity` with a request for a new key. `generation` must be the agent's current one; the same
/// request again gets the same certificate, so that a lost answer is harmless. Anything older than that means
/// the identity lives on two machines: the agent is quarantined. The old certificate serves until the new
/// one is first used, for a day at most. Opens its own transaction.
pub async fn renew(
    context: &Context,
    authority: &Authority,
    identity: &AgentIdentity,
    csr_der: &[u8],
    generation: u64,
) -> Result<Renewed, AgentError> {
    let csr = Csr::parse(csr_der)?;
    loop {
        let mut tx = context.db.begin().await?;
        match renew_once(&mut tx, context, authority, identity, (&csr, generation)).await? {
            Outcome::Done(renewed) => {
                tx.commit().await?;
                return Ok(renewed);
            }
            Outcome::Forked => {
                let reason = format!("renewal asked for generation {generation} again");
                quarantine_agent(&mut tx, context, identity.binding.agent_id, &reason).await?;
                tx.commit().await?;
                return Err(AgentError::Forked { presented: generation });
            }
            // Ends: generations only rise, so the next look sees an older one presented.
            Outcome::Overtaken => drop(tx),
        }
    }
}

async fn renew_once(
    tx: &mut Tx,
    context: &Context,
    authority: &Authority,
    identity: &AgentIdentity,
    (csr, presented): (&Csr, u64),
) -> Result<Outcome, AgentError> {
    let id = identity.binding.agent_id;
    let agent = store::agent::find_agent(tx, Scope::All, id).await?.ok_or(AgentError::NotFound)?;
    if agent.status != AgentStatus::Active {
        return Err(AgentError::Refused("only an active agent may renew".into()));
    }
    let current = u64::try_from(agent.generation).unwrap_or(0);
    let made = store::certificate::find_certificate_for_csr(tx, id, csr.csr_hash()).await?;
    if let Some(made) =
        made.filter(|it| it.generation == agent.generation && presented.saturating_add(1) == current)
    {
        return Ok(Outcome::Done(Renewed { certificate_der: made.certificate_der, generation: current }));
    }
    if presented > current {
        return Err(AgentError::invalid("generation", "is not one this collector gave"));
    }
    if presented < current || identity.generation < current {
        return Ok(Outcome::Forked);
    }
    if store::certificate::key_is_known(tx, csr.key_hash(), Some(id)).await? {
        return Err(AgentError::Refused("the key belongs to another agent".into()));
    }
    if !store::agent::advance_generation(tx, id, agent.generation).await? {
        return Ok(Outcome::Overtaken);
    }
    let issued = authority.issue_client(csr, id, agent.organisation_id, context.now())?;
    store::certificate::insert_certificate(tx, id, agent.generation + 1, csr, &issued).await?;
    let detail = json!({ "generation": agent.generation + 1 });
    record(tx, context, &identity.actor(), (agent.organisation_id, id), "agent.renewed", detail).await?;
    Ok(Outcome::Done(Renewed { certificate_der: issued.der, generation: current + 1 }))
}
