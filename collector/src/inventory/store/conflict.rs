//! `inventory_tag_conflict` and `inventory_tag_claim`.

use super::super::model::TagConflict;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{CiId, OrganisationId, TagConflictId};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// How an open conflict ended, and who says so.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Settlement<'a> {
    /// `kept` or `moved` by a person, `freed` or `withdrawn` by the machines.
    pub resolution: &'static str,
    pub by: &'a str,
    pub reason: &'a str,
    pub at: UtcMicros,
}

pub(in super::super) async fn insert(tx: &mut Tx, conflict: &TagConflict) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO inventory_tag_conflict
             (id, organisation_id, tag, tag_key, holder_ci_id, claimant_ci_id, opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(conflict.id)
    .bind(conflict.organisation_id)
    .bind(&conflict.tag)
    .bind(&conflict.tag_key)
    .bind(conflict.holder_ci_id)
    .bind(conflict.claimant_ci_id)
    .bind(conflict.opened_at)
    .execute(conn)
    .await
    .map(drop))
}

/// Where two items stand about a key that one holds and the other claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Dispute {
    /// None so far.
    New,
    /// A person has to decide.
    Open,
    /// A person decided for the holder: no report opens it again.
    Decided,
}

pub(in super::super) async fn find_dispute(
    tx: &mut Tx,
    claimant: CiId,
    holder: CiId,
    key: &str,
) -> Result<Dispute, StoreError> {
    let found: Option<String> = sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COALESCE(resolution, 'open') FROM inventory_tag_conflict
         WHERE tag_key = $3 AND ((claimant_ci_id = $1 AND holder_ci_id = $2
                 AND (resolved_at IS NULL OR resolution = 'kept'))
             OR (claimant_ci_id = $2 AND holder_ci_id = $1 AND resolution = 'moved'))
         ORDER BY opened_at DESC LIMIT 1"
    )
    .bind(claimant)
    .bind(holder)
    .bind(key)
    .fetch_optional(conn)
    .await)?;
    Ok(match found.as_deref() {
        None => Dispute::New,
        Some("open") => Dispute::Open,
        Some(_) => Dispute::Decided,
    })
}

/// Settles one open conflict; false when it was settled already.
pub(in super::super) async fn settle(
    tx: &mut Tx,
    id: TagConflictId,
    end: Settlement<'_>,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE inventory_tag_conflict SET resolved_at = $2, resolution = $3, resolved_by = $4, reason = $5
         WHERE id = $1 AND resolved_at IS NULL"
    )
    .bind(id)
    .bind(end.at)
    .bind(end.resolution)
    .bind(end.by)
    .bind(end.reason)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Settles the open conflicts of a claimant: those on other keys than `kept_key`.
pub(in super::super) async fn withdraw_others(
    tx: &mut Tx,
    claimant: CiId,
    kept_key: &str,
    end: Settlement<'_>,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE inventory_tag_conflict SET resolved_at = $3, resolution = $4, resolved_by = $5, reason = $6
         WHERE claimant_ci_id = $1 AND tag_key <> $2 AND resolved_at IS NULL"
    )
    .bind(claimant)
    .bind(kept_key)
    .bind(end.at)
    .bind(end.resolution)
    .bind(end.by)
    .bind(end.reason)
    .execute(conn)
    .await
    .map(drop))
}

/// Settles the open conflicts on a key that have become pointless: the key's item changed.
pub(in super::super) async fn settle_key(
    tx: &mut Tx,
    organisation: OrganisationId,
    key: &str,
    claimant: CiId,
    end: Settlement<'_>,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE inventory_tag_conflict SET resolved_at = $4, resolution = $5, resolved_by = $6, reason = $7
         WHERE organisation_id = $1 AND tag_key = $2 AND claimant_ci_id = $3 AND resolved_at IS NULL"
    )
    .bind(organisation)
    .bind(key)
    .bind(claimant)
    .bind(end.at)
    .bind(end.resolution)
    .bind(end.by)
    .bind(end.reason)
    .execute(conn)
    .await
    .map(drop))
}

/// An open conflict in scope.
pub(in super::super) async fn find_open(
    tx: &mut Tx,
    scope: Scope,
    id: TagConflictId,
) -> Result<Option<TagConflict>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, organisation_id, tag, tag_key, holder_ci_id, claimant_ci_id, opened_at
         FROM inventory_tag_conflict
         WHERE id = $1 AND ($2 IS NULL OR organisation_id = $2) AND resolved_at IS NULL"
    )
    .bind(id)
    .bind(scope.organisation())
    .fetch_optional(conn)
    .await)
}

/// Open conflicts on a key, oldest first.
pub(in super::super) async fn list_open_on_key(
    tx: &mut Tx,
    organisation: OrganisationId,
    key: &str,
    limit: i64,
) -> Result<Vec<TagConflict>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, organisation_id, tag, tag_key, holder_ci_id, claimant_ci_id, opened_at
         FROM inventory_tag_conflict
         WHERE organisation_id = $1 AND tag_key = $2 AND resolved_at IS NULL ORDER BY opened_at, id LIMIT $3"
    )
    .bind(organisation)
    .bind(key)
    .bind(limit)
    .fetch_all(conn)
    .await)
}

/// Open conflicts in scope after a place, oldest first.
pub(in super::super) async fn list_open(
    tx: &mut Tx,
    scope: Scope,
    (at, id): (UtcMicros, TagConflictId),
    limit: i64,
) -> Result<Vec<TagConflict>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, organisation_id, tag, tag_key, holder_ci_id, claimant_ci_id, opened_at
         FROM inventory_tag_conflict
         WHERE ($1 IS NULL OR organisation_id = $1) AND resolved_at IS NULL
           AND (opened_at > $2 OR (opened_at = $2 AND id > $3))
         ORDER BY opened_at, id LIMIT $4"
    )
    .bind(scope.organisation())
    .bind(at)
    .bind(id)
    .bind(limit)
    .fetch_all(conn)
    .await)
}

/// Notes a claim and says how many other tags the item claimed since `since`.
pub(in super::super) async fn note_claim(
    tx: &mut Tx,
    ci: CiId,
    key: &str,
    now: UtcMicros,
    since: UtcMicros,
) -> Result<i64, StoreError> {
    sql!(&mut *tx, |conn| sqlx::query(
        "INSERT INTO inventory_tag_claim (ci_id, tag_key, claimed_at) VALUES ($1, $2, $3)
         ON CONFLICT (ci_id, tag_key) DO NOTHING"
    )
    .bind(ci)
    .bind(key)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    sql!(&mut *tx, |conn| sqlx::query(
        "DELETE FROM inventory_tag_claim WHERE ci_id = $1 AND claimed_at < $2 AND tag_key <> $3"
    )
    .bind(ci)
    .bind(since)
    .bind(key)
    .execute(conn)
    .await
    .map(drop))?;
    sql!(tx, |conn| {
        sqlx::query_scalar(
        "SELECT COUNT(*) FROM inventory_tag_claim other JOIN inventory_tag_claim own ON own.ci_id = other.ci_id
         WHERE own.ci_id = $1 AND own.tag_key = $2 AND other.tag_key <> $2 AND other.claimed_at <= own.claimed_at"
    )
    .bind(ci)
    .bind(key)
    .fetch_one(conn)
    .await
    })
}
