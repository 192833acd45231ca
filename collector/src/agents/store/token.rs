//! SQL of `agent_enroll_token`.

use crate::agents::model::{EnrollToken, NewEnrollToken};
use crate::db::{StoreError, Tx};
use crate::inventory::TagPolicy;
use crate::kernel::actor::Scope;
use crate::kernel::id::{OrganisationId, SiteId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Between the halves of a list cursor; in no token id.
const CURSOR_SEPARATOR: char = ' ';

/// A token to store.
pub(in crate::agents) struct NewTokenRow<'a> {
    pub(in crate::agents) id: &'a str,
    pub(in crate::agents) secret_hash: blake3::Hash,
    pub(in crate::agents) new: &'a NewEnrollToken,
    pub(in crate::agents) created_at: UtcMicros,
    pub(in crate::agents) expires_at: UtcMicros,
    pub(in crate::agents) created_by: &'a str,
}

/// What enrolling needs of a token.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::agents) struct TokenRow {
    pub(in crate::agents) id: String,
    pub(in crate::agents) secret_hash: Vec<u8>,
    pub(in crate::agents) organisation_id: OrganisationId,
    pub(in crate::agents) site_id: Option<SiteId>,
    pub(in crate::agents) tag_policy: TagPolicy,
}

pub(in crate::agents) async fn insert_token(tx: &mut Tx, row: &NewTokenRow<'_>) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO agent_enroll_token
           (id, secret_hash, organisation_id, site_id, tag_policy, uses_max, uses, created_at, expires_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9)"
    )
    .bind(row.id)
    .bind(&row.secret_hash.as_bytes()[..])
    .bind(row.new.organisation_id)
    .bind(row.new.site_id)
    .bind(row.new.tag_policy)
    .bind(i64::from(row.new.uses_max))
    .bind(row.created_at)
    .bind(row.expires_at)
    .bind(row.created_by)
    .execute(conn)
    .await
    .map(drop)
    })
}

/// The token with that id, usable or not.
pub(in crate::agents) async fn find_token(tx: &mut Tx, id: &str) -> Result<Option<TokenRow>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, secret_hash, organisation_id, site_id, tag_policy FROM agent_enroll_token WHERE id = $1"
    )
    .bind(id)
    .fetch_optional(conn)
    .await)
}

/// Takes one use; `false` when there is none left, or the token is expired or withdrawn. The row stays
/// locked until the transaction ends, so that uses never exceed their limit.
pub(in crate::agents) async fn consume_token(
    tx: &mut Tx,
    id: &str,
    now: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE agent_enroll_token SET uses = uses + 1
         WHERE id = $1 AND uses < uses_max AND revoked_at IS NULL AND expires_at > $2"
    )
    .bind(id)
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Withdraws a token in scope that was not withdrawn; gives its organisation.
pub(in crate::agents) async fn revoke_token(
    tx: &mut Tx,
    scope: Scope,
    id: &str,
    at: UtcMicros,
) -> Result<Option<OrganisationId>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_scalar(
        "UPDATE agent_enroll_token SET revoked_at = $3
         WHERE id = $1 AND revoked_at IS NULL AND ($2 IS NULL OR organisation_id = $2) RETURNING organisation_id"
    )
    .bind(id)
    .bind(scope.organisation())
    .bind(at)
    .fetch_optional(conn)
    .await
    })
}

/// Tokens in scope, newest first, spent and withdrawn ones too.
pub async fn list_enroll_tokens(
    tx: &mut Tx,
    scope: Scope,
    page: &PageRequest,
) -> Result<Page<EnrollToken>, StoreError> {
    let after = page.after.as_deref().and_then(|it| it.split_once(CURSOR_SEPARATOR));
    let after = after.and_then(|(at, id)| at.parse::<i64>().ok().map(|at| (UtcMicros(at), id)));
    let rows: Vec<EnrollToken> = sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT t.id, t.organisation_id, o.name AS organisation_name, COALESCE(s.name, '') AS site_name, t.tag_policy,
                t.uses_max, t.uses, t.created_at, t.expires_at, t.created_by, t.revoked_at
         FROM agent_enroll_token t
         JOIN site_organisation o ON o.id = t.organisation_id
         LEFT JOIN site s ON s.id = t.site_id
         WHERE ($1 IS NULL OR t.organisation_id = $1) AND ($2 IS NULL OR (t.created_at, t.id) < ($2, $3))
         ORDER BY t.created_at DESC, t.id DESC LIMIT $4"
    )
    .bind(scope.organisation())
    .bind(after.map(|(at, _)| at))
    .bind(after.map(|(_, id)| id))
    .bind(page.fetch_limit())
    .fetch_all(conn)
    .await
    })?;
    Ok(Page::cut(rows, page, |it| format!("{}{CURSOR_SEPARATOR}{}", it.created_at.0, it.id)))
}
