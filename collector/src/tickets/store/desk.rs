//! What helps those who work with tickets: who looks at which one, saved views, canned replies.

use crate::db::{StoreError, Tx};
use crate::kernel::id::PersonId;
use crate::kernel::time::UtcMicros;
use crate::people::Language;
use crate::sql;
use crate::tickets::model::{CannedReply, Presence, SavedView};
use crate::tickets::number::TicketNumber;

/// People who look at tickets at one moment: more than any desk has.
const PRESENT_MAX: i64 = 1_000;
/// Views one person keeps.
pub(in crate::tickets) const VIEWS_MAX: i64 = 30;
/// Canned replies of one installation.
pub(in crate::tickets) const REPLIES_MAX: i64 = 200;

/// Somebody looks at a ticket, or writes.
pub(in crate::tickets) async fn touch_presence(
    tx: &mut Tx,
    number: &TicketNumber,
    person: PersonId,
    (writing, at): (bool, UtcMicros),
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO ticket_presence (ticket_number, person_id, writing, seen_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (ticket_number, person_id) DO UPDATE SET writing = $3, seen_at = $4"
    )
    .bind(number)
    .bind(person)
    .bind(writing)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))
}

/// Who was seen at which ticket after `since`.
pub(in crate::tickets) async fn list_present(
    tx: &mut Tx,
    since: UtcMicros,
) -> Result<Vec<Presence>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT v.ticket_number, v.person_id, p.name, v.writing FROM ticket_presence v
         JOIN person p ON p.id = v.person_id WHERE v.seen_at > $1 ORDER BY v.ticket_number, p.name LIMIT $2"
    )
    .bind(since)
    .bind(PRESENT_MAX)
    .fetch_all(conn)
    .await)
}

/// Forgets who has gone.
pub(in crate::tickets) async fn sweep_presence(tx: &mut Tx, before: UtcMicros) -> Result<u64, StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM ticket_presence WHERE seen_at < $1")
        .bind(before)
        .execute(conn)
        .await
        .map(|done| done.rows_affected()))
}

/// Whether anybody has gone: a reader asks before a writer is disturbed.
pub(in crate::tickets) async fn has_stale_presence(
    tx: &mut Tx,
    before: UtcMicros,
) -> Result<bool, StoreError> {
    let rows: i64 =
        sql!(tx, |conn| sqlx::query_scalar("SELECT COUNT(*) FROM ticket_presence WHERE seen_at < $1")
            .bind(before)
            .fetch_one(conn)
            .await)?;
    Ok(rows > 0)
}

/// A person's views by name.
pub(in crate::tickets) async fn list_views(
    tx: &mut Tx,
    person: PersonId,
) -> Result<Vec<SavedView>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT name, query FROM ticket_saved_view WHERE person_id = $1 ORDER BY name LIMIT $2"
    )
    .bind(person)
    .bind(VIEWS_MAX)
    .fetch_all(conn)
    .await)
}

/// Keeps a view; one of that name is replaced.
pub(in crate::tickets) async fn save_view(
    tx: &mut Tx,
    person: PersonId,
    view: &SavedView,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO ticket_saved_view (person_id, name, query) VALUES ($1, $2, $3)
         ON CONFLICT (person_id, name) DO UPDATE SET query = $3"
    )
    .bind(person)
    .bind(&view.name)
    .bind(&view.query)
    .execute(conn)
    .await
    .map(drop))
}

/// Drops a view.
pub(in crate::tickets) async fn drop_view(
    tx: &mut Tx,
    person: PersonId,
    name: &str,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM ticket_saved_view WHERE person_id = $1 AND name = $2")
        .bind(person)
        .bind(name)
        .execute(conn)
        .await
        .map(drop))
}

/// Canned replies, those of `language` first.
pub(in crate::tickets) async fn list_replies(
    tx: &mut Tx,
    language: Language,
) -> Result<Vec<CannedReply>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT code, title, body, language FROM ticket_canned_reply
         ORDER BY CASE WHEN language = $1 THEN 0 ELSE 1 END, title, code LIMIT $2"
    )
    .bind(language)
    .bind(REPLIES_MAX)
    .fetch_all(conn)
    .await)
}

/// Keeps a canned reply; one of that code is replaced.
pub(in crate::tickets) async fn save_reply(tx: &mut Tx, reply: &CannedReply) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO ticket_canned_reply (code, title, body, language) VALUES ($1, $2, $3, $4)
         ON CONFLICT (code) DO UPDATE SET title = $2, body = $3, language = $4"
    )
    .bind(&reply.code)
    .bind(&reply.title)
    .bind(&reply.body)
    .bind(reply.language)
    .execute(conn)
    .await
    .map(drop))
}

/// Drops a canned reply; false when there is none.
pub(in crate::tickets) async fn drop_reply(tx: &mut Tx, code: &str) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM ticket_canned_reply WHERE code = $1")
        .bind(code)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}
