//! SQL of `audit_event`.

use super::{Deed, actor_columns};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::id::AuditEventId;
use crate::sql;

pub(super) async fn append(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    deed: &Deed<'_>,
) -> Result<(), StoreError> {
    let now = context.now();
    let id = AuditEventId::generate(now, context.entropy.as_ref());
    let (actor_kind, actor_id) = actor_columns(actor);
    let detail = deed.detail.to_string();
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO audit_event (id, at, organisation_id, actor_kind, actor_id, actor_label, action, subject_kind, subject_id, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    )
    .bind(id)
    .bind(now)
    .bind(deed.organisation_id)
    .bind(actor_kind)
    .bind(actor_id)
    .bind(&actor.label)
    .bind(deed.action)
    .bind(deed.subject_kind)
    .bind(&deed.subject_id)
    .bind(&detail)
    .execute(conn)
    .await
    .map(drop)
    })
}

#[cfg(test)]
pub(super) async fn labels_of(tx: &mut Tx, kind: &str, id: &str) -> Result<Vec<String>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT actor_label FROM audit_event WHERE subject_kind = $1 AND subject_id = $2 ORDER BY at, id"
    )
    .bind(kind)
    .bind(id)
    .fetch_all(conn)
    .await)
}

#[cfg(test)]
pub(super) async fn deeds_of(tx: &mut Tx, subject_id: &str) -> Result<Vec<(String, String)>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT action, detail FROM audit_event WHERE subject_id = $1 ORDER BY at, id"
    )
    .bind(subject_id)
    .fetch_all(conn)
    .await)
}
