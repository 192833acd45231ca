//! From a client certificate to the agent behind it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use parc_wire::limits::RENEW_GRACE_DAYS;

use super::lifecycle::quarantine_agent;
use super::model::{AgentError, AgentStatus};
use super::store;
use super::store::certificate::CertifiedAgentRow;
use crate::context::Context;
use crate::inventory::AgentBinding;
use crate::kernel::actor::{Actor, ActorKind, Scope};
use crate::kernel::id::AgentId;
use crate::kernel::time::{UtcMicros, days};
use crate::rpc::PeerCertificate;

/// How long an answer is remembered: what is decided about an agent on a page, on the command line or on another
/// collector acts within this time. One indexed read per agent and half minute is cheap.
const CACHE_FOR: Duration = Duration::from_secs(30);
/// Identities remembered; half a minute of a collector at full speed on kept connections, 10 MiB.
const CACHE_ENTRIES_MAX: usize = 20_000;
/// How long the certificate before the newest one serves while the newest was never used.
pub(super) const OLD_GENERATION_FOR: Duration = Duration::from_hours(24);

/// An agent as its certificate shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentIdentity {
    /// Agent, machine, organisation, tag policy.
    pub binding: AgentBinding,
    /// Active or quarantined; a revoked agent has no identity.
    pub status: AgentStatus,
    /// Version of the agent, as last noted ([`note_version`](super::note_version)).
    pub version: String,
    /// Generation of the certificate that was shown.
    pub generation: u64,
    /// End of that certificate.
    pub certificate_not_after: UtcMicros,
    /// When the agent should renew: half of the certificate's life, a tenth of it earlier or later so that a
    /// fleet enrolled in one day does not renew in one hour.
    pub half_life_at: UtcMicros,
    /// The certificate is past its time or its successor is a day old: it may only renew.
    pub expired: bool,
}

impl AgentIdentity {
    /// The machine as actor: sees its own organisation, holds no role.
    pub fn actor(&self) -> Actor {
        Actor {
            kind: ActorKind::Agent(self.binding.agent_id),
            label: format!("agent {}", self.binding.agent_id),
            scope: Scope::Organisation(self.binding.organisation_id),
            roles: Vec::new(),
        }
    }
}

/// Resolves certificates, remembering the answers for half a minute.
#[derive(Debug)]
pub struct Identities {
    context: Context,
    cache: Mutex<HashMap<Vec<u8>, Remembered>>,
}

#[derive(Debug)]
struct Remembered {
    row: CertifiedAgentRow,
    at: UtcMicros,
}

impl Identities {
    /// Resolves against the context's database.
    pub fn new(context: Context) -> Self {
        Self { context, cache: Mutex::default() }
    }

    /// The agent a certificate belongs to. Refused: a certificate that is not ours word for word, a revoked
    /// agent, one expired beyond the grace period. A certificate whose successor is in use means two machines
    /// share the identity: it is quarantined and [`AgentError::Forked`] told.
    pub async fn resolve(&self, peer: &PeerCertificate) -> Result<AgentIdentity, AgentError> {
        let now = self.context.now();
        let row = match self.remembered(&peer.serial, now) {
            Some(row) => row,
            None => self.load(&peer.serial, now).await?,
        };
        if row.certificate_der != peer.der {
            return Err(AgentError::UnknownCertificate);
        }
        if row.status == AgentStatus::Revoked {
            return Err(AgentError::Refused("the agent is revoked".into()));
        }
        identity_at(&row, &peer.serial, now)
    }

    /// Forgets a certificate, so that a change made on this collector acts at once.
    pub fn forget(&self, peer: &PeerCertificate) {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).remove(&peer.serial);
    }

    /// Forgets every certificate of an agent, so that a decision about it acts at once on this collector.
    pub fn forget_agent(&self, agent: AgentId) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.retain(|_, it| it.row.agent_id != agent);
    }

    fn remembered(&self, serial: &[u8], now: UtcMicros) -> Option<CertifiedAgentRow> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(serial).filter(|it| is_fresh(it, now)).map(|it| it.row.clone())
    }

    async fn load(&self, serial: &[u8], now: UtcMicros) -> Result<CertifiedAgentRow, AgentError> {
        let mut tx = self.context.db.read().await?;
        let mut row = store::certificate::find_certified_agent(&mut tx, serial)
            .await?
            .ok_or(AgentError::UnknownCertificate)?;
        if row.generation < row.current_generation {
            let agent = row.agent_id;
            let newest = store::certificate::find_certificate(&mut tx, agent, row.current_generation).await?;
            drop(tx);
            let replaced = newest.as_ref().is_none_or(|it| it.first_used_at.is_some());
            if replaced && row.status != AgentStatus::Revoked {
                return Err(self.fork(&row).await?);
            }
            // Not remembered: whether the successor was used must be seen at once.
            if let Some(newest) = newest {
                row.not_after = row.not_after.min(newest.not_before + OLD_GENERATION_FOR);
            }
            return Ok(row);
        }
        drop(tx);
        if row.first_used_at.is_none() && row.status != AgentStatus::Revoked {
            let mut tx = self.context.db.begin().await?;
            store::certificate::note_first_use(&mut tx, serial, now).await?;
            tx.commit().await?;
            row.first_used_at = Some(now);
        }
        self.remember(serial, row.clone(), now);
        Ok(row)
    }

    fn remember(&self, serial: &[u8], row: CertifiedAgentRow, now: UtcMicros) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE_ENTRIES_MAX {
            cache.retain(|_, it| is_fresh(it, now));
        }
        if cache.len() >= CACHE_ENTRIES_MAX {
            cache.clear();
        }
        cache.insert(serial.to_vec(), Remembered { row, at: now });
    }

    async fn fork(&self, row: &CertifiedAgentRow) -> Result<AgentError, AgentError> {
        let mut tx = self.context.db.begin().await?;
        let reason = format!("certificate {} used after {} was", row.generation, row.current_generation);
        quarantine_agent(&mut tx, &self.context, row.agent_id, &reason).await?;
        tx.commit().await?;
        self.forget_agent(row.agent_id);
        Ok(AgentError::Forked { presented: u64::try_from(row.generation).unwrap_or(0) })
    }
}

/// Neither too old nor, after the clock stepped back, from the future.
fn is_fresh(remembered: &Remembered, now: UtcMicros) -> bool {
    remembered.at <= now && now.since(remembered.at) < CACHE_FOR
}

/// What the stored row means at a moment.
fn identity_at(row: &CertifiedAgentRow, serial: &[u8], now: UtcMicros) -> Result<AgentIdentity, AgentError> {
    let grace = days(u64::try_from(RENEW_GRACE_DAYS).unwrap_or(0));
    if now > row.not_after + grace {
        return Err(AgentError::Refused("the certificate expired too long ago; enroll again".into()));
    }
    Ok(AgentIdentity {
        binding: AgentBinding {
            agent_id: row.agent_id,
            ci_id: row.ci_id,
            organisation_id: row.organisation_id,
            tag_policy: row.tag_policy,
        },
        status: row.status,
        version: row.version.clone(),
        generation: u64::try_from(row.generation).unwrap_or(0),
        certificate_not_after: row.not_after,
        half_life_at: renewal_moment(row.not_before, row.not_after, serial.last().copied().unwrap_or(0)),
        expired: now > row.not_after,
    })
}

/// Between 40 and 60 % of a certificate's life, by a random byte of its serial.
fn renewal_moment(not_before: UtcMicros, not_after: UtcMicros, spread: u8) -> UtcMicros {
    let life = not_after.since(not_before);
    not_before + life.mul_f64(0.4 + 0.2 * f64::from(spread) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewals_spread_over_a_fifth_of_the_life() {
        let at = |spread| renewal_moment(UtcMicros(0), UtcMicros::from_seconds(1_000), spread).seconds();
        assert_eq!((at(0), at(255)), (400, 600));
        assert!((499..=501).contains(&at(127)));
    }
}
