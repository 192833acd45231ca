//! SQL of `ticket_draft`, `ticket_draft_file` and `ticket_slot`.

use crate::db::{StoreError, Tx};
use crate::files::StoredFile;
use crate::kernel::id::{FileId, PersonId};
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::model::Slot;
use crate::tickets::number::TicketNumber;
use crate::tickets::service::Draft;
use crate::tickets::words::TicketKind;

/// Rows dropped in one go.
const PRUNE_ROWS: i64 = 500;
/// Slots of one ticket.
const SLOTS_MAX: i64 = 40;

pub(in crate::tickets) async fn find_draft(
    tx: &mut Tx,
    person: PersonId,
    kind: TicketKind,
) -> Result<Option<Draft>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT fields, updated_at FROM ticket_draft WHERE person_id = $1 AND kind = $2"
    )
    .bind(person)
    .bind(kind)
    .fetch_optional(conn)
    .await)
}

pub(in crate::tickets) async fn upsert_draft(
    tx: &mut Tx,
    person: PersonId,
    kind: TicketKind,
    fields: &str,
    at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO ticket_draft (person_id, kind, fields, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (person_id, kind) DO UPDATE SET fields = excluded.fields, updated_at = excluded.updated_at"
    )
    .bind(person)
    .bind(kind)
    .bind(fields)
    .bind(at)
    .execute(conn)
    .await
    .map(drop)
    })
}

pub(in crate::tickets) async fn insert_draft_file(
    tx: &mut Tx,
    person: PersonId,
    kind: TicketKind,
    file: FileId,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO ticket_draft_file (person_id, kind, file_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
    )
    .bind(person)
    .bind(kind)
    .bind(file)
    .execute(conn)
    .await
    .map(drop))
}

pub(in crate::tickets) async fn delete_draft_file(
    tx: &mut Tx,
    person: PersonId,
    kind: TicketKind,
    file: FileId,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "DELETE FROM ticket_draft_file WHERE person_id = $1 AND kind = $2 AND file_id = $3"
    )
    .bind(person)
    .bind(kind)
    .bind(file)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

pub(in crate::tickets) async fn list_draft_files(
    tx: &mut Tx,
    person: PersonId,
    kind: TicketKind,
) -> Result<Vec<StoredFile>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT f.id, f.name, f.media_type, c.size_bytes, f.restricted
         FROM ticket_draft_file d JOIN file f ON f.id = d.file_id JOIN file_content c ON c.hash = f.content_hash
         WHERE d.person_id = $1 AND d.kind = $2 AND f.claimed = FALSE ORDER BY f.id"
    )
    .bind(person)
    .bind(kind)
    .fetch_all(conn)
    .await
    })
}

pub(in crate::tickets) async fn delete_draft(
    tx: &mut Tx,
    person: PersonId,
    kind: TicketKind,
) -> Result<(), StoreError> {
    sql!(&mut *tx, |conn| sqlx::query("DELETE FROM ticket_draft_file WHERE person_id = $1 AND kind = $2")
        .bind(person)
        .bind(kind)
        .execute(conn)
        .await
        .map(drop))?;
    sql!(tx, |conn| sqlx::query("DELETE FROM ticket_draft WHERE person_id = $1 AND kind = $2")
        .bind(person)
        .bind(kind)
        .execute(conn)
        .await
        .map(drop))
}

/// Drafts and the files beside them go together: a file that is still listed could not be dropped.
pub(in crate::tickets) async fn delete_old_drafts(tx: &mut Tx, before: UtcMicros) -> Result<u64, StoreError> {
    let old: Vec<(PersonId, TicketKind)> = sql!(&mut *tx, |conn| sqlx::query_as(
        "SELECT person_id, kind FROM ticket_draft WHERE updated_at < $1 LIMIT $2"
    )
    .bind(before)
    .bind(PRUNE_ROWS)
    .fetch_all(conn)
    .await)?;
    for (person, kind) in &old {
        delete_draft(tx, *person, *kind).await?;
    }
    Ok(old.len() as u64)
}

/// Replaces when a ticket's people can be called.
pub(in crate::tickets) async fn replace_slots(
    tx: &mut Tx,
    number: &TicketNumber,
    slots: &[Slot],
) -> Result<(), StoreError> {
    sql!(&mut *tx, |conn| sqlx::query("DELETE FROM ticket_slot WHERE ticket_number = $1")
        .bind(number)
        .execute(conn)
        .await
        .map(drop))?;
    for slot in slots {
        sql!(&mut *tx, |conn| sqlx::query(
            "INSERT INTO ticket_slot (ticket_number, from_at, to_at) VALUES ($1, $2, $3)"
        )
        .bind(number)
        .bind(slot.from)
        .bind(slot.to)
        .execute(conn)
        .await
        .map(drop))?;
    }
    Ok(())
}

/// When a ticket's people can be called, earliest first.
pub(in crate::tickets) async fn list_slots(
    tx: &mut Tx,
    number: &TicketNumber,
) -> Result<Vec<Slot>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT from_at, to_at FROM ticket_slot WHERE ticket_number = $1 ORDER BY from_at LIMIT $2"
    )
    .bind(number)
    .bind(SLOTS_MAX)
    .fetch_all(conn)
    .await)
}
