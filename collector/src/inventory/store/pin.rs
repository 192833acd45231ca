//! `inventory_pin` and its sections.

use std::collections::BTreeMap;

use parc_wire::digest::Digest;
use parc_wire::v1::SectionKind;

use super::super::items::known_kind;
use super::digest;
use crate::db::{StoreError, Tx};
use crate::kernel::id::{CiId, PinId};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// A pin without its sections.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in super::super) struct PinRow {
    pub ci_id: CiId,
    pub pinned_at: UtcMicros,
    pub last_report_at: Option<UtcMicros>,
    pub facts: String,
}

pub(in super::super) async fn insert(tx: &mut Tx, id: PinId, pin: &PinRow) -> Result<(), StoreError> {
    sql!(&mut *tx, |conn| sqlx::query(
        "INSERT INTO inventory_pin (id, ci_id, pinned_at, last_report_at, facts) VALUES ($1, $2, $3, $4, $5)"
    )
    .bind(id)
    .bind(pin.ci_id)
    .bind(pin.pinned_at)
    .bind(pin.last_report_at)
    .bind(&pin.facts)
    .execute(conn)
    .await
    .map(drop))?;
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO inventory_pin_section (pin_id, section, content_id)
         SELECT $1, section, content_id FROM inventory_section WHERE ci_id = $2"
    )
    .bind(id)
    .bind(pin.ci_id)
    .execute(conn)
    .await
    .map(drop))
}

pub(in super::super) async fn find(tx: &mut Tx, id: PinId) -> Result<Option<PinRow>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT ci_id, pinned_at, last_report_at, facts FROM inventory_pin WHERE id = $1"
    )
    .bind(id)
    .fetch_optional(conn)
    .await)
}

/// Content of each section a pin holds.
pub(in super::super) async fn read_sections(
    tx: &mut Tx,
    id: PinId,
) -> Result<BTreeMap<SectionKind, Digest>, StoreError> {
    let rows: Vec<(i64, Vec<u8>)> = sql!(tx, |conn| sqlx::query_as(
        "SELECT section, content_id FROM inventory_pin_section WHERE pin_id = $1"
    )
    .bind(id)
    .fetch_all(conn)
    .await)?;
    let known = |(section, content): (i64, Vec<u8>)| {
        let kind = i32::try_from(section).ok().and_then(known_kind)?;
        Some(digest("inventory_pin_section", "content_id", &content).map(|it| (kind, it)))
    };
    rows.into_iter().filter_map(known).collect()
}
