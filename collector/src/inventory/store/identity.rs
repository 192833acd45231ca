//! `inventory_identifier`.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::QueryBuilder;

use super::super::recognise::SHARERS_MAX;
use super::super::record::{Identifier, IdentifierKind};
use super::ROWS_MAX;
use crate::db::{StoreError, Tx};
use crate::kernel::id::{CiId, OrganisationId};
use crate::sql;

/// One identifier of one item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct IdentifierRow {
    pub organisation_id: OrganisationId,
    pub identifier: Identifier,
    pub ci_id: CiId,
}

pub(in super::super) async fn insert(tx: &mut Tx, rows: &[IdentifierRow]) -> Result<(), StoreError> {
    for chunk in rows.chunks(ROWS_MAX) {
        sql!(&mut *tx, |conn| {
            let mut query =
                QueryBuilder::new("INSERT INTO inventory_identifier (organisation_id, kind, value, ci_id) ");
            query.push_values(chunk, |mut values, row| {
                values
                    .push_bind(row.organisation_id)
                    .push_bind(row.identifier.0)
                    .push_bind(&row.identifier.1)
                    .push_bind(row.ci_id);
            });
            query.push(" ON CONFLICT (organisation_id, kind, value, ci_id) DO NOTHING");
            query.build().execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

pub(in super::super) async fn delete(tx: &mut Tx, rows: &[IdentifierRow]) -> Result<(), StoreError> {
    for row in rows {
        sql!(&mut *tx, |conn| {
            sqlx::query(
            "DELETE FROM inventory_identifier WHERE organisation_id = $1 AND kind = $2 AND value = $3 AND ci_id = $4"
        )
        .bind(row.organisation_id)
        .bind(row.identifier.0)
        .bind(&row.identifier.1)
        .bind(row.ci_id)
        .execute(conn)
        .await
        .map(drop)
        })?;
    }
    Ok(())
}

/// Which live items of the organisation have each identifier; more than needed to see that it is shared
/// are not read.
pub(in super::super) async fn holders(
    tx: &mut Tx,
    organisation: OrganisationId,
    identifiers: &BTreeSet<Identifier>,
) -> Result<BTreeMap<Identifier, BTreeSet<CiId>>, StoreError> {
    let mut holders = BTreeMap::new();
    let limit = i64::try_from(SHARERS_MAX).unwrap_or(i64::MAX) + 1;
    for identifier in identifiers {
        let (kind, value): &(IdentifierKind, String) = identifier;
        let cis: Vec<CiId> = sql!(&mut *tx, |conn| sqlx::query_scalar(
            "SELECT i.ci_id FROM inventory_identifier i JOIN inventory_ci c ON c.id = i.ci_id
             WHERE i.organisation_id = $1 AND i.kind = $2 AND i.value = $3 AND c.retired_at IS NULL LIMIT $4"
        )
        .bind(organisation)
        .bind(kind)
        .bind(value)
        .bind(limit)
        .fetch_all(conn)
        .await)?;
        holders.insert(identifier.clone(), cis.into_iter().collect());
    }
    Ok(holders)
}
