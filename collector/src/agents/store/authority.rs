//! SQL of `agent_authority`: one row.

use crate::agents::authority::StoredAuthority;
use crate::db::{StoreError, Tx};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Stores the authority unless there is one.
pub(in crate::agents) async fn insert_authority(
    tx: &mut Tx,
    new: &StoredAuthority,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO agent_authority (id, certificate_der, sealed_key, created_at, not_after)
         VALUES (1, $1, $2, $3, $4) ON CONFLICT (id) DO NOTHING"
    )
    .bind(&new.certificate_der)
    .bind(&new.sealed_key)
    .bind(new.created_at)
    .bind(new.not_after)
    .execute(conn)
    .await
    .map(drop))
}

pub(in crate::agents) async fn find_authority(tx: &mut Tx) -> Result<Option<StoredAuthority>, StoreError> {
    let row: Option<(Vec<u8>, Vec<u8>, UtcMicros, UtcMicros)> = sql!(tx, |conn| sqlx::query_as(
        "SELECT certificate_der, sealed_key, created_at, not_after FROM agent_authority WHERE id = 1"
    )
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(|(certificate_der, sealed_key, created_at, not_after)| StoredAuthority {
        certificate_der,
        sealed_key,
        created_at,
        not_after,
    }))
}
