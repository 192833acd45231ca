//! `inventory_change`.

use parc_wire::v1::SectionKind;
use serde_json::{Map, Value};
use sqlx::QueryBuilder;

use super::super::diff::ItemChange;
use super::super::items::known_kind;
use super::super::machine::Operation;
use super::ROWS_MAX;
use crate::db::{StoreError, Tx};
use crate::kernel::id::CiId;
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Where a change stands in an item's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Place {
    pub at: UtcMicros,
    pub change_no: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    at: UtcMicros,
    change_no: i64,
    section: i64,
    item_key: String,
    label: String,
    operation: Operation,
    before: Option<String>,
    after: Option<String>,
}

/// Appends changes of many items.
pub(in super::super) async fn insert_changes(
    tx: &mut Tx,
    changes: &[(CiId, Place, ItemChange)],
) -> Result<(), StoreError> {
    for chunk in changes.chunks(ROWS_MAX) {
        sql!(&mut *tx, |conn| {
            let mut query = QueryBuilder::new(
                "INSERT INTO inventory_change (ci_id, at, change_no, section, item_key, label, operation, before, after) ",
            );
            query.push_values(chunk, |mut values, (ci, place, change)| {
                values
                    .push_bind(*ci)
                    .push_bind(place.at)
                    .push_bind(place.change_no)
                    .push_bind(i64::from(change.kind as i32))
                    .push_bind(&change.key)
                    .push_bind(&change.label)
                    .push_bind(change.operation)
                    .push_bind(json(&change.before))
                    .push_bind(json(&change.after));
            });
            query.build().execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

fn json(fields: &Map<String, Value>) -> Option<String> {
    (!fields.is_empty()).then(|| Value::Object(fields.clone()).to_string())
}

/// Changes in `[from, to)` before `cursor`, newest first; those of software are left out when `hardware_only`.
pub(in super::super) async fn list_changes(
    tx: &mut Tx,
    ci: CiId,
    (from, to): (UtcMicros, UtcMicros),
    cursor: Option<Place>,
    hardware_only: bool,
    limit: i64,
) -> Result<Vec<(Place, ItemChange)>, StoreError> {
    let cursor = cursor.unwrap_or(Place { at: UtcMicros(i64::MAX), change_no: i64::MAX });
    let left_out = if hardware_only { i64::from(SectionKind::Software as i32) } else { 0 };
    let rows: Vec<Row> = sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT at, change_no, section, item_key, label, operation, before, after FROM inventory_change
         WHERE ci_id = $1 AND at >= $2 AND at < $3 AND (at < $4 OR (at = $4 AND change_no < $5)) AND section <> $6
         ORDER BY at DESC, change_no DESC LIMIT $7"
    )
    .bind(ci)
    .bind(from)
    .bind(to)
    .bind(cursor.at)
    .bind(cursor.change_no)
    .bind(left_out)
    .bind(limit)
    .fetch_all(conn)
    .await
    })?;
    Ok(rows.into_iter().map(change).collect())
}

fn change(row: Row) -> (Place, ItemChange) {
    let fields = |text: Option<String>| match text.as_deref().map(serde_json::from_str) {
        Some(Ok(Value::Object(fields))) => fields,
        _ => Map::new(),
    };
    let kind = i32::try_from(row.section).ok().and_then(known_kind).unwrap_or(SectionKind::Unspecified);
    let change = ItemChange {
        kind,
        key: row.item_key,
        label: row.label,
        operation: row.operation,
        before: fields(row.before),
        after: fields(row.after),
    };
    (Place { at: row.at, change_no: row.change_no }, change)
}

/// How many more titles there are now than at `since`.
pub(in super::super) async fn software_growth(
    tx: &mut Tx,
    ci: CiId,
    since: UtcMicros,
) -> Result<i64, StoreError> {
    let growth: Option<i64> = sql!(tx, |conn| sqlx::query_scalar(
        "SELECT CAST(SUM(CASE operation WHEN 'added' THEN 1 WHEN 'removed' THEN -1 ELSE 0 END) AS BIGINT)
         FROM inventory_change WHERE ci_id = $1 AND at >= $2 AND section = $3"
    )
    .bind(ci)
    .bind(since)
    .bind(i64::from(SectionKind::Software as i32))
    .fetch_one(conn)
    .await)?;
    Ok(growth.unwrap_or(0))
}

/// Deletes at most `limit` changes older than a moment.
pub(in super::super) async fn prune(
    tx: &mut Tx,
    older_than: UtcMicros,
    limit: i64,
) -> Result<u64, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "DELETE FROM inventory_change WHERE (ci_id, at, change_no) IN
             (SELECT ci_id, at, change_no FROM inventory_change WHERE at < $1 ORDER BY at LIMIT $2)"
    )
    .bind(older_than)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))
}
