//! SQL of contracts and their lists.

use std::collections::HashMap;

use parc_calendar::{Targets, Term};

use super::model::{Contract, Covers, Item};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{CalendarId, ContractId, OrganisationId};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Contracts in one list.
const CONTRACTS_MAX: i64 = 1_000;
/// Lines of one list.
const ITEMS_MAX: i64 = 10_000;

#[derive(sqlx::FromRow)]
struct ContractRecord {
    id: ContractId,
    organisation_id: OrganisationId,
    organisation_name: String,
    time_zone: String,
    kind: String,
    reference: String,
    starts_on: String,
    ends_on: String,
    renewal_months: i64,
    covers: String,
    calendar_id: Option<CalendarId>,
    call_back: String,
    resolution: String,
    emergency_always: bool,
    away_pauses: bool,
    version: i64,
    changed_at: UtcMicros,
}

#[derive(sqlx::FromRow)]
struct ItemRecord {
    contract_id: ContractId,
    item_key: String,
    label: String,
}

macro_rules! contract_sql {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.organisation_id, o.name AS organisation_name, o.time_zone, c.kind, c.reference, c.starts_on, c.ends_on,
               c.renewal_months, c.covers, c.calendar_id, c.call_back, c.resolution, c.emergency_always,
               c.away_pauses, c.version, c.changed_at
             FROM contract c JOIN site_organisation o ON o.id = c.organisation_id
             WHERE ($1 IS NULL OR c.organisation_id = $1) AND ($2 IS NULL OR c.id = $2) ",
            $rest
        )
    };
}

impl ItemRecord {
    fn parse(self) -> Item {
        Item { item_key: self.item_key, label: self.label }
    }
}

impl ContractRecord {
    fn parse(self, items: Vec<Item>) -> Result<Contract, StoreError> {
        let id = self.id;
        let broken = |column| move || StoreError::inconsistent("contract", column, id);
        let term = Term::parse(&self.starts_on, &self.ends_on, self.renewal_months).ok();
        let targets = Targets::parse(&self.call_back, &self.resolution).ok();
        Ok(Contract {
            id,
            organisation_id: self.organisation_id,
            organisation_name: self.organisation_name,
            time_zone: self.time_zone,
            kind: self.kind,
            reference: self.reference,
            term: term.ok_or_else(broken("starts_on"))?,
            renewal_months: self.renewal_months,
            covers: Covers::from_code(&self.covers).ok_or_else(broken("covers"))?,
            calendar_id: self.calendar_id,
            targets: targets.ok_or_else(broken("call_back"))?,
            emergency_always: self.emergency_always,
            away_pauses: self.away_pauses,
            version: self.version,
            changed_at: self.changed_at,
            items,
        })
    }
}

/// False when the organisation has one of that number.
pub(super) async fn insert_contract(tx: &mut Tx, new: &Contract) -> Result<bool, StoreError> {
    let (call_back, resolution) = new.targets.texts();
    sql!(tx, |conn| {
        sqlx::query(
            "INSERT INTO contract (id, organisation_id, kind, reference, starts_on, ends_on, renewal_months, covers,
               calendar_id, call_back, resolution, emergency_always, away_pauses, version, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING",
        )
        .bind(new.id)
        .bind(new.organisation_id)
        .bind(&new.kind)
        .bind(&new.reference)
        .bind(new.term.starts_on().to_string())
        .bind(new.term.ends_on().map(|it| it.to_string()).unwrap_or_default())
        .bind(new.renewal_months)
        .bind(new.covers.code())
        .bind(new.calendar_id)
        .bind(&call_back)
        .bind(&resolution)
        .bind(new.emergency_always)
        .bind(new.away_pauses)
        .bind(new.version)
        .bind(new.changed_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
    })
}

/// False when the contract is not at the version that was seen.
pub(super) async fn update_contract(tx: &mut Tx, new: &Contract, seen: i64) -> Result<bool, StoreError> {
    let (call_back, resolution) = new.targets.texts();
    sql!(tx, |conn| {
        sqlx::query(
            "UPDATE contract SET kind = $3, reference = $4, starts_on = $5, ends_on = $6, renewal_months = $7,
               covers = $8, calendar_id = $9, call_back = $10, resolution = $11, emergency_always = $12,
               away_pauses = $13, version = $14, changed_at = $15
             WHERE id = $1 AND version = $2",
        )
        .bind(new.id)
        .bind(seen)
        .bind(&new.kind)
        .bind(&new.reference)
        .bind(new.term.starts_on().to_string())
        .bind(new.term.ends_on().map(|it| it.to_string()).unwrap_or_default())
        .bind(new.renewal_months)
        .bind(new.covers.code())
        .bind(new.calendar_id)
        .bind(&call_back)
        .bind(&resolution)
        .bind(new.emergency_always)
        .bind(new.away_pauses)
        .bind(new.version)
        .bind(new.changed_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
    })
}

/// Whether another contract of the organisation has that number.
pub(super) async fn reference_is_taken(tx: &mut Tx, contract: &Contract) -> Result<bool, StoreError> {
    let found: Option<i64> = sql!(tx, |conn| sqlx::query_scalar(
        "SELECT version FROM contract WHERE organisation_id = $1 AND reference = $2 AND id <> $3"
    )
    .bind(contract.organisation_id)
    .bind(&contract.reference)
    .bind(contract.id)
    .fetch_optional(conn)
    .await)?;
    Ok(found.is_some())
}

/// Writes a contract's list anew.
pub(super) async fn replace_items(tx: &mut Tx, id: ContractId, items: &[Item]) -> Result<(), StoreError> {
    sql!(&mut *tx, |conn| sqlx::query("DELETE FROM contract_item WHERE contract_id = $1")
        .bind(id)
        .execute(conn)
        .await
        .map(drop))?;
    for item in items {
        sql!(&mut *tx, |conn| sqlx::query(
            "INSERT INTO contract_item (contract_id, item_key, label) VALUES ($1, $2, $3)"
        )
        .bind(id)
        .bind(&item.item_key)
        .bind(&item.label)
        .execute(conn)
        .await
        .map(drop))?;
    }
    Ok(())
}

/// The contract with that id and its list, if it is in scope.
pub async fn find_contract(
    tx: &mut Tx,
    scope: Scope,
    id: ContractId,
) -> Result<Option<Contract>, StoreError> {
    let Some(record) = read(tx, scope, Some(id)).await?.into_iter().next() else { return Ok(None) };
    let items: Vec<ItemRecord> = sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT contract_id, item_key, label FROM contract_item WHERE contract_id = $1 ORDER BY item_key LIMIT $2"
    )
    .bind(id)
    .bind(ITEMS_MAX)
    .fetch_all(conn)
    .await
    })?;
    record.parse(items.into_iter().map(ItemRecord::parse).collect()).map(Some)
}

/// Contracts in scope by organisation, the latest first, without their lists.
pub async fn list_contracts(tx: &mut Tx, scope: Scope) -> Result<Vec<Contract>, StoreError> {
    read(tx, scope, None).await?.into_iter().map(|it| it.parse(Vec::new())).collect()
}

/// The organisation's contracts, the latest first, with those lines of their lists that have one of the keys.
pub(super) async fn list_concerning(
    tx: &mut Tx,
    organisation: OrganisationId,
    [tag, model, make_and_model]: &[String; 3],
) -> Result<Vec<Contract>, StoreError> {
    let records = read(tx, Scope::Organisation(organisation), None).await?;
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let items: Vec<ItemRecord> = sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT i.contract_id, i.item_key, i.label FROM contract_item i JOIN contract c ON c.id = i.contract_id
         WHERE c.organisation_id = $1 AND i.item_key IN ($2, $3, $4) LIMIT $5"
    )
    .bind(organisation)
    .bind(tag)
    .bind(model)
    .bind(make_and_model)
    .bind(ITEMS_MAX)
    .fetch_all(conn)
    .await
    })?;
    let mut by_contract: HashMap<ContractId, Vec<Item>> = HashMap::new();
    for item in items {
        by_contract.entry(item.contract_id).or_default().push(item.parse());
    }
    let own = |it: ContractRecord| {
        let items = by_contract.remove(&it.id).unwrap_or_default();
        it.parse(items)
    };
    records.into_iter().map(own).collect()
}

async fn read(tx: &mut Tx, scope: Scope, id: Option<ContractId>) -> Result<Vec<ContractRecord>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(contract_sql!("ORDER BY o.name, c.starts_on DESC, c.reference LIMIT $3"))
        .bind(scope.organisation())
        .bind(id)
        .bind(CONTRACTS_MAX)
        .fetch_all(conn)
        .await)
}
