//! SQL of `agent` and `agent_enroll_attempt`.

use crate::agents::model::{Agent, AgentStatus};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{AgentId, CiId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::time::UtcMicros;
use crate::sql;

macro_rules! agent_query {
    ($rest:literal) => {
        concat!(
            "SELECT id, organisation_id, ci_id, status, status_reason, tag_policy, generation, version, enrolled_at,
                    status_since
             FROM agent ",
            $rest
        )
    };
}

/// Stores a new agent; `false` when its key already belongs to one or its item has a live one.
pub(in crate::agents) async fn insert_agent(
    tx: &mut Tx,
    new: &Agent,
    key_hash: &[u8; 32],
) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO agent (id, organisation_id, ci_id, status, status_reason, tag_policy, key_hash, generation, version,
                            enrolled_at, status_since)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING"
    )
    .bind(new.id)
    .bind(new.organisation_id)
    .bind(new.ci_id)
    .bind(new.status)
    .bind(&new.status_reason)
    .bind(new.tag_policy)
    .bind(&key_hash[..])
    .bind(new.generation)
    .bind(&new.version)
    .bind(new.enrolled_at)
    .bind(new.status_since)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

/// The agent with that id, if it is in scope.
pub(in crate::agents) async fn find_agent(
    tx: &mut Tx,
    scope: Scope,
    id: AgentId,
) -> Result<Option<Agent>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(agent_query!("WHERE id = $1 AND ($2 IS NULL OR organisation_id = $2)"))
        .bind(id)
        .bind(scope.organisation())
        .fetch_optional(conn)
        .await)
}

/// The item's agent: the one not revoked, else the last that was.
pub async fn find_agent_of_ci(tx: &mut Tx, ci: CiId) -> Result<Option<Agent>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_as(agent_query!(
        "WHERE ci_id = $1 ORDER BY CASE WHEN status = 'revoked' THEN 1 ELSE 0 END, enrolled_at DESC, id DESC LIMIT 1"
    ))
    .bind(ci)
    .fetch_optional(conn)
    .await
    })
}

/// Agents in scope, newest first, of one status or all.
pub async fn list_agents(
    tx: &mut Tx,
    scope: Scope,
    status: Option<AgentStatus>,
    page: &PageRequest,
) -> Result<Page<Agent>, StoreError> {
    let after = page.after.as_deref().and_then(|it| it.parse::<AgentId>().ok());
    let rows: Vec<Agent> = sql!(tx, |conn| {
        sqlx::query_as(agent_query!(
        "WHERE ($1 IS NULL OR organisation_id = $1) AND ($2 IS NULL OR status = $2) AND ($3 IS NULL OR id < $3)
         ORDER BY id DESC LIMIT $4"
    ))
    .bind(scope.organisation())
    .bind(status)
    .bind(after)
    .bind(page.fetch_limit())
    .fetch_all(conn)
    .await
    })?;
    Ok(Page::cut(rows, page, |it| it.id.to_string()))
}

/// Changes an agent's status if it has the status expected; `false` when it had another.
pub(in crate::agents) async fn update_status(
    tx: &mut Tx,
    id: AgentId,
    (from, to): (AgentStatus, AgentStatus),
    reason: &str,
    at: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE agent SET status = $3, status_reason = $4, status_since = $5 WHERE id = $1 AND status = $2"
    )
    .bind(id)
    .bind(from)
    .bind(to)
    .bind(reason)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Stores the version an agent runs; `false` when it is stored already.
pub(in crate::agents) async fn update_version(
    tx: &mut Tx,
    id: AgentId,
    version: &str,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE agent SET version = $2 WHERE id = $1 AND version <> $2")
        .bind(id)
        .bind(version)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

/// Revokes every agent of an item that is not revoked; gives their ids.
pub(in crate::agents) async fn supersede_agents(
    tx: &mut Tx,
    ci: CiId,
    at: UtcMicros,
) -> Result<Vec<AgentId>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "UPDATE agent SET status = 'revoked', status_reason = 'superseded', status_since = $2
         WHERE ci_id = $1 AND status <> 'revoked' RETURNING id"
    )
    .bind(ci)
    .bind(at)
    .fetch_all(conn)
    .await)
}

/// Moves an active agent from one generation to the next; `false` when somebody else was faster.
pub(in crate::agents) async fn advance_generation(
    tx: &mut Tx,
    id: AgentId,
    from: i64,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE agent SET generation = generation + 1 WHERE id = $1 AND generation = $2 AND status = 'active'"
    )
    .bind(id)
    .bind(from)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// An enrollment that succeeded.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::agents) struct AttemptRow {
    pub(in crate::agents) token_id: String,
    pub(in crate::agents) agent_id: AgentId,
    pub(in crate::agents) csr_hash: Vec<u8>,
}

pub(in crate::agents) async fn find_attempt(
    tx: &mut Tx,
    attempt_id: &[u8],
) -> Result<Option<AttemptRow>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT token_id, agent_id, csr_hash FROM agent_enroll_attempt WHERE attempt_id = $1"
    )
    .bind(attempt_id)
    .fetch_optional(conn)
    .await)
}

/// Remembers an enrollment; `false` when the attempt id is taken.
pub(in crate::agents) async fn insert_attempt(
    tx: &mut Tx,
    attempt_id: &[u8],
    row: &AttemptRow,
    at: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO agent_enroll_attempt (attempt_id, token_id, agent_id, csr_hash, at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (attempt_id) DO NOTHING"
    )
    .bind(attempt_id)
    .bind(&row.token_id)
    .bind(row.agent_id)
    .bind(&row.csr_hash)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Forgets attempts made before a moment, `limit` at most.
pub(in crate::agents) async fn delete_attempts(
    tx: &mut Tx,
    before: UtcMicros,
    limit: i64,
) -> Result<u64, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "DELETE FROM agent_enroll_attempt WHERE attempt_id IN (
           SELECT attempt_id FROM agent_enroll_attempt WHERE at < $1 LIMIT $2)"
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))
}
