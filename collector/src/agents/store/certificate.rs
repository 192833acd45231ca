//! SQL of `agent_certificate`.

use crate::agents::authority::IssuedCertificate;
use crate::agents::csr::Csr;
use crate::agents::model::AgentStatus;
use crate::db::{StoreError, Tx};
use crate::inventory::TagPolicy;
use crate::kernel::id::{AgentId, CiId, OrganisationId};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// A certificate and the agent it belongs to.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::agents) struct CertifiedAgentRow {
    pub(in crate::agents) agent_id: AgentId,
    pub(in crate::agents) ci_id: CiId,
    pub(in crate::agents) organisation_id: OrganisationId,
    pub(in crate::agents) tag_policy: TagPolicy,
    pub(in crate::agents) status: AgentStatus,
    pub(in crate::agents) version: String,
    pub(in crate::agents) current_generation: i64,
    pub(in crate::agents) generation: i64,
    pub(in crate::agents) certificate_der: Vec<u8>,
    pub(in crate::agents) not_before: UtcMicros,
    pub(in crate::agents) not_after: UtcMicros,
    pub(in crate::agents) first_used_at: Option<UtcMicros>,
}

/// A certificate by itself.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::agents) struct CertificateRow {
    pub(in crate::agents) generation: i64,
    pub(in crate::agents) certificate_der: Vec<u8>,
    pub(in crate::agents) not_before: UtcMicros,
    pub(in crate::agents) first_used_at: Option<UtcMicros>,
}

pub(in crate::agents) async fn insert_certificate(
    tx: &mut Tx,
    agent: AgentId,
    generation: i64,
    csr: &Csr,
    issued: &IssuedCertificate,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO agent_certificate
           (serial, agent_id, generation, csr_hash, key_hash, certificate_der, not_before, not_after)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(&issued.serial)
    .bind(agent)
    .bind(generation)
    .bind(&csr.csr_hash()[..])
    .bind(&csr.key_hash()[..])
    .bind(&issued.der)
    .bind(issued.not_before)
    .bind(issued.not_after)
    .execute(conn)
    .await
    .map(drop))
}

/// The certificate with that serial and its agent.
pub(in crate::agents) async fn find_certified_agent(
    tx: &mut Tx,
    serial: &[u8],
) -> Result<Option<CertifiedAgentRow>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT c.agent_id, a.ci_id, a.organisation_id, a.tag_policy, a.status, a.version,
                a.generation AS current_generation, c.generation, c.certificate_der, c.not_before, c.not_after, c.first_used_at
         FROM agent_certificate c JOIN agent a ON a.id = c.agent_id WHERE c.serial = $1"
    )
    .bind(serial)
    .fetch_optional(conn)
    .await
    })
}

/// The agent's certificate of a generation.
pub(in crate::agents) async fn find_certificate(
    tx: &mut Tx,
    agent: AgentId,
    generation: i64,
) -> Result<Option<CertificateRow>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT generation, certificate_der, not_before, first_used_at FROM agent_certificate
         WHERE agent_id = $1 AND generation = $2"
    )
    .bind(agent)
    .bind(generation)
    .fetch_optional(conn)
    .await)
}

/// The agent's newest certificate made for a request.
pub(in crate::agents) async fn find_certificate_for_csr(
    tx: &mut Tx,
    agent: AgentId,
    csr_hash: &[u8; 32],
) -> Result<Option<CertificateRow>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT generation, certificate_der, not_before, first_used_at FROM agent_certificate
         WHERE agent_id = $1 AND csr_hash = $2 ORDER BY generation DESC LIMIT 1"
    )
    .bind(agent)
    .bind(&csr_hash[..])
    .fetch_optional(conn)
    .await)
}

/// Whether a key was certified for an agent other than `except`.
pub(in crate::agents) async fn key_is_known(
    tx: &mut Tx,
    key_hash: &[u8; 32],
    except: Option<AgentId>,
) -> Result<bool, StoreError> {
    let count: i64 = sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COUNT(*) FROM agent_certificate WHERE key_hash = $1 AND ($2 IS NULL OR agent_id <> $2)"
    )
    .bind(&key_hash[..])
    .bind(except)
    .fetch_one(conn)
    .await)?;
    Ok(count > 0)
}

/// Notes the first use of a certificate; later ones change nothing.
pub(in crate::agents) async fn note_first_use(
    tx: &mut Tx,
    serial: &[u8],
    at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE agent_certificate SET first_used_at = $2 WHERE serial = $1 AND first_used_at IS NULL"
    )
    .bind(serial)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))
}

/// Deletes certificates that ended before a moment, except each agent's newest, `limit` at most.
pub(in crate::agents) async fn delete_certificates(
    tx: &mut Tx,
    before: UtcMicros,
    limit: i64,
) -> Result<u64, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "DELETE FROM agent_certificate WHERE serial IN (
           SELECT c.serial FROM agent_certificate c JOIN agent a ON a.id = c.agent_id
           WHERE c.not_after < $1 AND c.generation < a.generation LIMIT $2)"
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))
}
