//! `inventory_section` and `inventory_content`.

use std::collections::{BTreeMap, HashMap};

use parc_wire::digest::Digest;
use parc_wire::v1::SectionKind;
use sqlx::QueryBuilder;

use super::super::content::Unpacked;
use super::super::items::known_kind;
use super::{ROWS_MAX, digest};
use crate::db::{StoreError, Tx, fetch_in};
use crate::kernel::id::CiId;
use crate::kernel::time::UtcMicros;
use crate::sql;

/// The current content of one section of an item.
#[derive(Clone, Debug)]
pub(in super::super) struct SectionRow {
    pub ci_id: CiId,
    pub kind: SectionKind,
    /// What agent and collector agree on.
    pub digest: Digest,
    pub content_id: Digest,
    pub received_at: UtcMicros,
}

/// A content to be written.
#[derive(Clone, Debug)]
pub(in super::super) struct NewContent {
    pub id: Digest,
    pub kind: SectionKind,
    /// Compressed.
    pub body: Vec<u8>,
}

/// An existing content younger than this is not touched when it is used again.
const REFRESH_AFTER_US: i64 = 6 * 3_600 * 1_000_000;

#[derive(sqlx::FromRow)]
struct Row {
    ci_id: CiId,
    section: i64,
    digest: Vec<u8>,
    content_id: Vec<u8>,
    received_at: UtcMicros,
}

/// The sections of many items in one read.
pub(in super::super) async fn read_sections(
    tx: &mut Tx,
    cis: &[CiId],
) -> Result<HashMap<CiId, BTreeMap<SectionKind, SectionRow>>, StoreError> {
    const HEAD: &str =
        "SELECT ci_id, section, digest, content_id, received_at FROM inventory_section WHERE ci_id IN (";
    let rows: Vec<Row> = fetch_in(tx, HEAD, cis).await?;
    let mut sections: HashMap<CiId, BTreeMap<SectionKind, SectionRow>> = HashMap::new();
    for row in rows {
        // A section that only a newer collector knows.
        let Some(kind) = i32::try_from(row.section).ok().and_then(known_kind) else {
            continue;
        };
        let row = SectionRow {
            ci_id: row.ci_id,
            kind,
            digest: digest("inventory_section", "digest", &row.digest)?,
            content_id: digest("inventory_section", "content_id", &row.content_id)?,
            received_at: row.received_at,
        };
        sections.entry(row.ci_id).or_default().insert(kind, row);
    }
    Ok(sections)
}

/// Contents by id; one that is missing is an error.
pub(in super::super) async fn read_contents(
    tx: &mut Tx,
    wanted: &BTreeMap<Digest, SectionKind>,
) -> Result<HashMap<Digest, Unpacked>, StoreError> {
    let ids: Vec<Vec<u8>> = wanted.keys().map(|it| it.to_vec()).collect();
    let rows: Vec<(Vec<u8>, Vec<u8>)> =
        fetch_in(tx, "SELECT id, body FROM inventory_content WHERE id IN (", &ids).await?;
    let mut contents = HashMap::with_capacity(rows.len());
    for (id, body) in rows {
        let id = digest("inventory_content", "id", &id)?;
        if let Some(kind) = wanted.get(&id) {
            contents.insert(id, Unpacked::new(*kind, &body)?);
        }
    }
    if contents.len() == wanted.len() {
        Ok(contents)
    } else {
        Err(StoreError::inconsistent(
            "inventory_content",
            "id",
            format!("{} of {}", contents.len(), wanted.len()),
        ))
    }
}

/// Writes contents in the order given (by id, so that two collectors never wait for each other in a
/// circle). One that exists is made young again, so that the collection of unused contents, which asks
/// for age, cannot take it away before the transaction ends.
pub(in super::super) async fn insert_contents(
    tx: &mut Tx,
    now: UtcMicros,
    contents: &[NewContent],
) -> Result<(), StoreError> {
    for chunk in contents.chunks(ROWS_MAX) {
        sql!(&mut *tx, |conn| {
            let mut query =
                QueryBuilder::new("INSERT INTO inventory_content (id, section, body, created_at) ");
            query.push_values(chunk, |mut values, row| {
                values
                    .push_bind(row.id.to_vec())
                    .push_bind(i64::from(row.kind as i32))
                    .push_bind(&row.body)
                    .push_bind(now);
            });
            query.push(" ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at WHERE inventory_content.created_at < ");
            query.push_bind(now.0 - REFRESH_AFTER_US);
            query.build().execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// Points sections to their contents.
pub(in super::super) async fn upsert_sections(tx: &mut Tx, rows: &[SectionRow]) -> Result<(), StoreError> {
    for chunk in rows.chunks(ROWS_MAX) {
        sql!(&mut *tx, |conn| {
            let mut query = QueryBuilder::new(
                "INSERT INTO inventory_section (ci_id, section, digest, content_id, received_at) ",
            );
            query.push_values(chunk, |mut values, row| {
                values
                    .push_bind(row.ci_id)
                    .push_bind(i64::from(row.kind as i32))
                    .push_bind(row.digest.to_vec())
                    .push_bind(row.content_id.to_vec())
                    .push_bind(row.received_at);
            });
            query.push(
                " ON CONFLICT (ci_id, section) DO UPDATE SET digest = excluded.digest,
                  content_id = excluded.content_id, received_at = excluded.received_at",
            );
            query.build().execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// Contents after `after` in order of id that nothing refers to and that were last used before `older_than`.
pub(in super::super) async fn list_unused_contents(
    tx: &mut Tx,
    after: &[u8],
    older_than: UtcMicros,
    limit: i64,
) -> Result<Vec<Vec<u8>>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT c.id FROM inventory_content c WHERE c.id > $1 AND c.created_at < $2
           AND NOT EXISTS (SELECT 1 FROM inventory_section s WHERE s.content_id = c.id)
           AND NOT EXISTS (SELECT 1 FROM inventory_pin_section p WHERE p.content_id = c.id)
         ORDER BY c.id LIMIT $3"
    )
    .bind(after)
    .bind(older_than)
    .bind(limit)
    .fetch_all(conn)
    .await)
}

/// Deletes contents that are still unused and old.
pub(in super::super) async fn delete_unused_contents(
    tx: &mut Tx,
    ids: &[Vec<u8>],
    older_than: UtcMicros,
) -> Result<u64, StoreError> {
    if ids.is_empty() {
        return Ok(0);
    }
    sql!(tx, |conn| {
        let mut query = QueryBuilder::new(
            "DELETE FROM inventory_content
             WHERE NOT EXISTS (SELECT 1 FROM inventory_section s WHERE s.content_id = inventory_content.id)
               AND NOT EXISTS (SELECT 1 FROM inventory_pin_section p WHERE p.content_id = inventory_content.id)
               AND created_at < ",
        );
        query.push_bind(older_than);
        query.push(" AND id IN (");
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(id);
        }
        query.push(")");
        query.build().execute(conn).await.map(|done| done.rows_affected())
    })
}
