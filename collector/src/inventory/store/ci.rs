//! `inventory_ci` and `inventory_declared`: one item.

use std::collections::{BTreeMap, HashMap};

use super::super::machine::{DeclaredField, SourcedValue};
use super::super::model::{Lifecycle, Placement, TagSource};
use super::super::record::Columns;
use crate::db::{StoreError, Tx, fetch_in};
use crate::kernel::id::{CiId, OrganisationId, PersonId, SiteId};
use crate::kernel::text::AssetTag;
use crate::kernel::time::UtcMicros;
use crate::sql;

/// A new item, before anything is known about it.
#[derive(Clone, Debug)]
pub(in super::super) struct NewRow {
    pub id: CiId,
    pub organisation_id: OrganisationId,
    pub site_id: Option<SiteId>,
    pub assigned_to_id: Option<PersonId>,
    pub lifecycle: Lifecycle,
    pub has_agent: bool,
    pub columns: Columns,
}

pub(in super::super) async fn insert(tx: &mut Tx, row: &NewRow, at: UtcMicros) -> Result<(), StoreError> {
    let retired_at = (row.lifecycle == Lifecycle::Retired).then_some(at);
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO inventory_ci (id, short_id, organisation_id, site_id, location, assigned_to_id, lifecycle, name, kind, make,
             model, serial, os_name, os_version, cpu, memory_mib, disk_mib, software_count, search_key, has_agent,
             created_at, retired_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', '', 0, 0, 0, $13, $14, $15, $16)"
    )
    .bind(row.id)
    .bind(row.id.short())
    .bind(row.organisation_id)
    .bind(row.site_id)
    .bind(&row.columns.location)
    .bind(row.assigned_to_id)
    .bind(row.lifecycle)
    .bind(&row.columns.name)
    .bind(&row.columns.kind)
    .bind(&row.columns.make)
    .bind(&row.columns.model)
    .bind(&row.columns.serial)
    .bind(&row.columns.search_key)
    .bind(row.has_agent)
    .bind(at)
    .bind(retired_at)
    .execute(conn)
    .await
    .map(drop)
    })
}

#[derive(sqlx::FromRow)]
struct ColumnsRow {
    id: CiId,
    #[sqlx(flatten)]
    columns: Columns,
}

/// List columns of many items.
pub(in super::super) async fn read_columns(
    tx: &mut Tx,
    cis: &[CiId],
) -> Result<HashMap<CiId, Columns>, StoreError> {
    const HEAD: &str =
        "SELECT id, tag, location, name, kind, make, model, serial, os_name, os_version, cpu, memory_mib,
             disk_mib, software_count, search_key FROM inventory_ci WHERE id IN (";
    let rows: Vec<ColumnsRow> = fetch_in(tx, HEAD, cis).await?;
    Ok(rows.into_iter().map(|it| (it.id, it.columns)).collect())
}

/// Rewrites the list columns of an item, tag and location excepted.
pub(in super::super) async fn update_columns(
    tx: &mut Tx,
    ci: CiId,
    columns: &Columns,
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE inventory_ci SET name = $2, kind = $3, make = $4, model = $5, serial = $6, os_name = $7,
             os_version = $8, cpu = $9, memory_mib = $10, disk_mib = $11, software_count = $12, search_key = $13
         WHERE id = $1"
    )
    .bind(ci)
    .bind(&columns.name)
    .bind(&columns.kind)
    .bind(&columns.make)
    .bind(&columns.model)
    .bind(&columns.serial)
    .bind(&columns.os_name)
    .bind(&columns.os_version)
    .bind(&columns.cpu)
    .bind(columns.memory_mib)
    .bind(columns.disk_mib)
    .bind(columns.software_count)
    .bind(&columns.search_key)
    .execute(conn)
    .await
    .map(drop)
    })
}

/// Notes that an agent is enrolled on an item; one without a site takes the token's.
pub(in super::super) async fn adopt(tx: &mut Tx, ci: CiId, site: Option<SiteId>) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE inventory_ci SET has_agent = TRUE, site_id = COALESCE(site_id, $2),
             lifecycle = CASE lifecycle WHEN 'stock' THEN 'in_use' ELSE lifecycle END
         WHERE id = $1"
    )
    .bind(ci)
    .bind(site)
    .execute(conn)
    .await
    .map(drop))
}

/// Moves an item to a site, a location and a person.
pub(in super::super) async fn place(
    tx: &mut Tx,
    ci: CiId,
    placement: &Placement,
    columns: &Columns,
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE inventory_ci SET site_id = $2, location = $3, assigned_to_id = $4, search_key = $5 WHERE id = $1"
    )
    .bind(ci)
    .bind(placement.site_id)
    .bind(&columns.location)
    .bind(placement.assigned_to_id)
    .bind(&columns.search_key)
    .execute(conn)
    .await
    .map(drop)
    })
}

/// What tag rules must know of the item that has a tag.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(in super::super) struct Holder {
    pub id: CiId,
    pub has_agent: bool,
    pub lifecycle: Lifecycle,
    pub tag_source: Option<TagSource>,
    pub site_id: Option<SiteId>,
    pub assigned_to_id: Option<PersonId>,
    pub location: String,
    /// Declared; nothing when it is not.
    pub declared_serial: Option<String>,
}

/// The organisation's item with that tag key, live or retired.
pub(in super::super) async fn find_holder(
    tx: &mut Tx,
    organisation: OrganisationId,
    tag_key: &str,
) -> Result<Option<Holder>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT c.id, c.has_agent, c.lifecycle, c.tag_source, c.site_id, c.assigned_to_id, c.location,
                d.value AS declared_serial
         FROM inventory_ci c LEFT JOIN inventory_declared d ON d.ci_id = c.id AND d.field = 'serial'
         WHERE c.organisation_id = $1 AND c.tag_key = $2"
    )
    .bind(organisation)
    .bind(tag_key)
    .fetch_optional(conn)
    .await)
}

/// Gives an item a tag. False when another item of the organisation has the key.
pub(in super::super) async fn set_tag(
    tx: &mut Tx,
    ci: CiId,
    tag: &AssetTag,
    source: TagSource,
    search_key: &str,
    at: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE inventory_ci SET tag = $2, tag_key = $3, tag_source = $4, tag_since = $5, search_key = $6
         WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM inventory_ci other WHERE other.tag_key = $3 AND other.id <> $1
             AND other.organisation_id = inventory_ci.organisation_id)"
    )
    .bind(ci)
    .bind(tag.display())
    .bind(tag.key())
    .bind(source)
    .bind(at)
    .bind(search_key)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

pub(in super::super) async fn clear_tag(tx: &mut Tx, ci: CiId, search_key: &str) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE inventory_ci SET tag = NULL, tag_key = NULL, tag_source = NULL, tag_since = NULL, search_key = $2
         WHERE id = $1"
    )
    .bind(ci)
    .bind(search_key)
    .execute(conn)
    .await
    .map(drop)
    })
}

/// Ends an item's life.
pub(in super::super) async fn retire(tx: &mut Tx, ci: CiId, at: UtcMicros) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE inventory_ci SET lifecycle = 'retired', retired_at = $2 WHERE id = $1"
    )
    .bind(ci)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))
}

/// Where an item stands in its life, short of its end.
pub(in super::super) async fn set_lifecycle(
    tx: &mut Tx,
    ci: CiId,
    lifecycle: Lifecycle,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE inventory_ci SET lifecycle = $2 WHERE id = $1")
        .bind(ci)
        .bind(lifecycle)
        .execute(conn)
        .await
        .map(drop))
}

/// Fills what an item lacks from the record it takes over.
pub(in super::super) async fn take_over(tx: &mut Tx, ci: CiId, from: &Holder) -> Result<(), StoreError> {
    sql!(&mut *tx, |conn| {
        sqlx::query(
        "UPDATE inventory_ci SET site_id = COALESCE($2, site_id), assigned_to_id = COALESCE(assigned_to_id, $3),
             location = CASE location WHEN '' THEN $4 ELSE location END WHERE id = $1"
    )
    .bind(ci)
    .bind(from.site_id)
    .bind(from.assigned_to_id)
    .bind(&from.location)
    .execute(conn)
    .await
    .map(drop)
    })?;
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO inventory_declared (ci_id, field, value, declared_at, declared_by)
         SELECT $1, field, value, declared_at, declared_by FROM inventory_declared WHERE ci_id = $2
         ON CONFLICT (ci_id, field) DO NOTHING"
    )
    .bind(ci)
    .bind(from.id)
    .execute(conn)
    .await
    .map(drop))
}

#[derive(sqlx::FromRow)]
struct DeclaredRow {
    ci_id: CiId,
    field: String,
    value: String,
    declared_at: UtcMicros,
    declared_by: String,
}

/// What is declared about items.
pub(in super::super) async fn read_declared(
    tx: &mut Tx,
    cis: &[CiId],
) -> Result<HashMap<CiId, BTreeMap<DeclaredField, SourcedValue>>, StoreError> {
    const HEAD: &str =
        "SELECT ci_id, field, value, declared_at, declared_by FROM inventory_declared WHERE ci_id IN (";
    let rows: Vec<DeclaredRow> = fetch_in(tx, HEAD, cis).await?;
    let mut declared: HashMap<CiId, BTreeMap<DeclaredField, SourcedValue>> = HashMap::new();
    for row in rows {
        let field = DeclaredField::from_code(&row.field)
            .ok_or_else(|| StoreError::inconsistent("inventory_declared", "field", &row.field))?;
        let value = SourcedValue { value: row.value, source: row.declared_by, at: row.declared_at };
        declared.entry(row.ci_id).or_default().insert(field, value);
    }
    Ok(declared)
}

/// Declares a field; nothing takes the declaration back.
pub(in super::super) async fn declare(
    tx: &mut Tx,
    ci: CiId,
    field: DeclaredField,
    value: Option<&SourcedValue>,
) -> Result<(), StoreError> {
    let Some(value) = value else {
        return sql!(tx, |conn| sqlx::query(
            "DELETE FROM inventory_declared WHERE ci_id = $1 AND field = $2"
        )
        .bind(ci)
        .bind(field.code())
        .execute(conn)
        .await
        .map(drop));
    };
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO inventory_declared (ci_id, field, value, declared_at, declared_by) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (ci_id, field) DO UPDATE SET value = excluded.value, declared_at = excluded.declared_at,
             declared_by = excluded.declared_by"
    )
    .bind(ci)
    .bind(field.code())
    .bind(&value.value)
    .bind(value.at)
    .bind(&value.source)
    .execute(conn)
    .await
    .map(drop)
    })
}
