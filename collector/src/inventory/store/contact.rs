//! `inventory_contact`: the hot row of each item.

use std::collections::HashMap;

use parc_wire::digest::Digest;
use sqlx::QueryBuilder;

use super::super::intake::Last;
use super::super::model::TagSource;
use super::{ROWS_MAX, digest};
use crate::db::{StoreError, Tx};
use crate::kernel::id::{AgentId, CiId};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// What the intake must know of an item before it looks at a report.
#[derive(Clone, Debug)]
pub(in super::super) struct Head {
    pub tag: Option<String>,
    pub tag_source: Option<TagSource>,
    /// Nothing before the first contact.
    pub last: Option<Last>,
    pub last_change_at: UtcMicros,
    pub problem_count: i64,
    pub tag_note: String,
}

/// A contact to be written.
#[derive(Clone, Debug)]
pub(in super::super) struct ContactRow {
    pub ci_id: CiId,
    pub last: Last,
    pub last_contact_at: UtcMicros,
    pub last_change_at: UtcMicros,
    pub collected_at: UtcMicros,
    pub problem_count: i64,
    pub tag_note: String,
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    ci_id: CiId,
    tag: Option<String>,
    tag_source: Option<TagSource>,
    agent_id: Option<AgentId>,
    epoch: Option<i64>,
    seq: Option<i64>,
    report_id: Option<Vec<u8>>,
    state_digest: Option<Vec<u8>>,
    previous_seq: Option<i64>,
    previous_id: Option<Vec<u8>>,
    last_change_at: Option<UtcMicros>,
    problem_count: Option<i64>,
    tag_note: Option<String>,
}

/// The heads of many items in one read.
pub(in super::super) async fn read_heads(
    tx: &mut Tx,
    cis: &[CiId],
) -> Result<HashMap<CiId, Head>, StoreError> {
    let rows: Vec<HeadRow> = sql!(tx, |conn| {
        let mut query = QueryBuilder::new(
            "SELECT c.id AS ci_id, c.tag, c.tag_source, k.agent_id, k.epoch, k.seq, k.report_id, k.state_digest,
                    k.previous_seq, k.previous_id, k.last_change_at, k.problem_count, k.tag_note
             FROM inventory_ci c LEFT JOIN inventory_contact k ON k.ci_id = c.id WHERE c.id IN (",
        );
        let mut list = query.separated(", ");
        for ci in cis {
            list.push_bind(*ci);
        }
        query.push(")");
        query.build_query_as().fetch_all(conn).await
    })?;
    rows.into_iter().map(|row| Ok((row.ci_id, head(row)?))).collect()
}

fn head(row: HeadRow) -> Result<Head, StoreError> {
    let id = |column, bytes: Option<Vec<u8>>| digest("inventory_contact", column, &bytes.unwrap_or_default());
    let last = match (row.agent_id, row.epoch, row.seq, row.previous_seq) {
        (Some(agent_id), Some(epoch), Some(seq), Some(previous_seq)) => Some(Last {
            agent_id,
            epoch,
            seq,
            report_id: id("report_id", row.report_id)?,
            state_digest: id("state_digest", row.state_digest)?,
            previous: (previous_seq, id("previous_id", row.previous_id)?),
        }),
        _ => None,
    };
    Ok(Head {
        tag: row.tag,
        tag_source: row.tag_source,
        last,
        last_change_at: row.last_change_at.unwrap_or_default(),
        problem_count: row.problem_count.unwrap_or(0),
        tag_note: row.tag_note.unwrap_or_default(),
    })
}

/// Writes contacts, each only if the stored one is still the one it follows (`previous`): with several
/// collectors on one database the slower of two notices. False when one was overtaken.
pub(in super::super) async fn upsert(tx: &mut Tx, rows: &[ContactRow]) -> Result<bool, StoreError> {
    let mut written = 0;
    for chunk in rows.chunks(ROWS_MAX) {
        written += sql!(&mut *tx, |conn| {
            let mut query = QueryBuilder::new(
                "INSERT INTO inventory_contact (ci_id, agent_id, last_contact_at, last_change_at, collected_at, epoch, seq,
                     report_id, state_digest, previous_seq, previous_id, problem_count, tag_note) ",
            );
            query.push_values(chunk, |mut values, row| {
                let Last { agent_id, epoch, seq, report_id, state_digest, previous } = &row.last;
                values
                    .push_bind(row.ci_id)
                    .push_bind(*agent_id)
                    .push_bind(row.last_contact_at)
                    .push_bind(row.last_change_at)
                    .push_bind(row.collected_at)
                    .push_bind(*epoch)
                    .push_bind(*seq)
                    .push_bind(report_id.to_vec())
                    .push_bind(state_digest.to_vec())
                    .push_bind(previous.0)
                    .push_bind(previous.1.to_vec())
                    .push_bind(row.problem_count)
                    .push_bind(&row.tag_note);
            });
            query.push(
                " ON CONFLICT (ci_id) DO UPDATE SET agent_id = excluded.agent_id,
                     last_contact_at = excluded.last_contact_at, last_change_at = excluded.last_change_at,
                     collected_at = excluded.collected_at, epoch = excluded.epoch, seq = excluded.seq,
                     report_id = excluded.report_id, state_digest = excluded.state_digest,
                     previous_seq = excluded.previous_seq, previous_id = excluded.previous_id,
                     problem_count = excluded.problem_count, tag_note = excluded.tag_note
                 WHERE inventory_contact.report_id = excluded.previous_id",
            );
            query.build().execute(conn).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(written == rows.len() as u64)
}

/// Rewrites why a claimed tag is not bound.
pub(in super::super) async fn set_tag_note(tx: &mut Tx, ci: CiId, note: &str) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE inventory_contact SET tag_note = $2 WHERE ci_id = $1 AND tag_note <> $2"
    )
    .bind(ci)
    .bind(note)
    .execute(conn)
    .await
    .map(drop))
}

/// Id of a report that was never sent: what the first contact follows.
pub(in super::super) const NO_REPORT: Digest = [0; 16];
