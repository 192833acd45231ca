//! SQL of `person_api_key`.

use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{ApiKeyId, OrganisationId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::time::UtcMicros;
use crate::people::model::{ApiKey, NewApiKey};
use crate::sql;

pub(in crate::people) async fn insert_api_key(
    tx: &mut Tx,
    id: ApiKeyId,
    key_hash: &[u8; 32],
    new: &NewApiKey,
    at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO person_api_key (id, key_hash, name, role, organisation_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(id)
    .bind(&key_hash[..])
    .bind(&new.name)
    .bind(new.role)
    .bind(new.organisation_id)
    .bind(at)
    .bind(new.expires_at)
    .execute(conn)
    .await
    .map(drop))
}

/// The key with that hash, if it works at `now`.
pub(in crate::people) async fn find_api_key(
    tx: &mut Tx,
    key_hash: &[u8; 32],
    now: UtcMicros,
) -> Result<Option<ApiKey>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, name, role, organisation_id, created_at, expires_at, revoked_at FROM person_api_key
         WHERE key_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)"
    )
    .bind(&key_hash[..])
    .bind(now)
    .fetch_optional(conn)
    .await)
}

/// Withdraws a key in scope that was not withdrawn; gives the organisation it saw.
pub(in crate::people) async fn revoke_api_key(
    tx: &mut Tx,
    scope: Scope,
    id: ApiKeyId,
    at: UtcMicros,
) -> Result<Option<Option<OrganisationId>>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_scalar(
        "UPDATE person_api_key SET revoked_at = $3
         WHERE id = $1 AND revoked_at IS NULL AND ($2 IS NULL OR organisation_id = $2) RETURNING organisation_id"
    )
    .bind(id)
    .bind(scope.organisation())
    .bind(at)
    .fetch_optional(conn)
    .await
    })
}

/// Keys in scope, newest first, withdrawn ones too.
pub async fn list_api_keys(
    tx: &mut Tx,
    scope: Scope,
    page: &PageRequest,
) -> Result<Page<ApiKey>, StoreError> {
    let after = page.after.as_deref().and_then(|it| it.parse::<ApiKeyId>().ok());
    let rows: Vec<ApiKey> = sql!(tx, |conn| sqlx::query_as(
        "SELECT id, name, role, organisation_id, created_at, expires_at, revoked_at FROM person_api_key
         WHERE ($1 IS NULL OR organisation_id = $1) AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
    )
    .bind(scope.organisation())
    .bind(after)
    .bind(page.fetch_limit())
    .fetch_all(conn)
    .await)?;
    Ok(Page::cut(rows, page, |it| it.id.to_string()))
}
