//! Blanking out texts and names of tickets.

use crate::db::{StoreError, Tx};
use crate::kernel::id::{OrganisationId, PersonId};
use crate::kernel::text::{like_literal, search_key};
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::number::TicketNumber;

/// Texts one demand brings to light at most; a person with more is looked at again afterwards.
const TEXTS_MAX: i64 = 5_000;

/// A text that somebody has to decide about.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WrittenText {
    /// When it was written.
    pub at: UtcMicros,
    /// What kind of event it is; `created` for summary and description.
    pub kind: String,
    /// What is written there.
    pub text: String,
}

pub(in crate::tickets) async fn rename_creator(
    tx: &mut Tx,
    person: PersonId,
    pseudonym: &str,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE ticket SET created_by = $2 WHERE created_by_id = $1")
        .bind(*person.as_uuid())
        .bind(pseudonym)
        .execute(conn)
        .await
        .map(drop))
}

/// A changed label changes what the event said: its own hash no longer fits and need not.
pub(in crate::tickets) async fn rename_actor(
    tx: &mut Tx,
    person: PersonId,
    pseudonym: &str,
    at: UtcMicros,
) -> Result<u64, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE ticket_event SET actor_label = $2, redacted_at = COALESCE(redacted_at, $3)
         WHERE actor_id = $1 AND actor_label <> $2"
    )
    .bind(*person.as_uuid())
    .bind(pseudonym)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))
}

#[derive(sqlx::FromRow)]
struct PlaceRow {
    ticket_number: TicketNumber,
    event_no: i64,
}

pub(in crate::tickets) async fn list_texts_about(
    tx: &mut Tx,
    person: PersonId,
    name: &str,
) -> Result<Vec<(TicketNumber, i64)>, StoreError> {
    // As JSON writes it, so that a name with a quotation mark is found too.
    let written = serde_json::to_string(name).unwrap_or_default();
    let in_data = format!("%{}%", like_literal(written.trim_matches('"')));
    let in_text = format!("%{}%", like_literal(name));
    let in_key = format!("%{}%", like_literal(&search_key(name)));
    let rows: Vec<PlaceRow> = sql!(tx, |conn| sqlx::query_as(
        "SELECT t.number AS ticket_number, 0 AS event_no FROM ticket t
         WHERE t.requester_id = $1 OR t.beneficiary_id = $1 OR t.search_key LIKE $4 ESCAPE '\\'
            OR t.description LIKE $3 ESCAPE '\\'
         UNION ALL
         SELECT e.ticket_number, e.event_no FROM ticket_event e JOIN ticket t ON t.number = e.ticket_number
         WHERE (t.requester_id = $1 OR t.beneficiary_id = $1 OR e.actor_id = $1 OR e.data LIKE $2 ESCAPE '\\')
           AND e.data LIKE '%\"text\":\"_%'
         ORDER BY 1, 2 LIMIT $5"
    )
    .bind(person)
    .bind(&in_data)
    .bind(&in_text)
    .bind(&in_key)
    .bind(TEXTS_MAX)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|it| (it.ticket_number, it.event_no)).collect())
}

pub(in crate::tickets) async fn find_text(
    tx: &mut Tx,
    number: &TicketNumber,
    event_no: i64,
) -> Result<Option<WrittenText>, StoreError> {
    if event_no == 0 {
        return sql!(tx, |conn| sqlx::query_as(
            "SELECT created_at AS at, 'created' AS kind, summary || '\n' || description AS text FROM ticket
             WHERE number = $1"
        )
        .bind(number)
        .fetch_optional(conn)
        .await);
    }
    sql!(tx, |conn| sqlx::query_as(
        "SELECT at, kind, data AS text FROM ticket_event WHERE ticket_number = $1 AND event_no = $2"
    )
    .bind(number)
    .bind(event_no)
    .fetch_optional(conn)
    .await)
}

/// What stands in the place of a summary; lists need something to show.
const BLANK: &str = "—";

pub(in crate::tickets) async fn blank_ticket(tx: &mut Tx, number: &TicketNumber) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE ticket SET summary = $2, description = '', phone = '', availability = '', location = '',
             solution = CASE WHEN solution IS NULL THEN NULL ELSE $2 END,
             cause = NULL, workaround = NULL, pending_note = NULL, search_key = LOWER(number)
         WHERE number = $1"
    )
    .bind(number)
    .bind(BLANK)
    .execute(conn)
    .await
    .map(drop))
}

pub(in crate::tickets) async fn blank_event(
    tx: &mut Tx,
    number: &TicketNumber,
    event_no: i64,
    at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE ticket_event SET data = '{}', changes = '[]', redacted_at = COALESCE(redacted_at, $3)
         WHERE ticket_number = $1 AND event_no = $2"
    )
    .bind(number)
    .bind(event_no)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))
}

pub(in crate::tickets) async fn blank_history(
    tx: &mut Tx,
    number: &TicketNumber,
    at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE ticket_event SET data = '{}', changes = '[]', actor_label = $2,
             redacted_at = COALESCE(redacted_at, $3) WHERE ticket_number = $1"
    )
    .bind(number)
    .bind(BLANK)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))
}

pub(in crate::tickets) async fn forget_people(
    tx: &mut Tx,
    number: &TicketNumber,
    nobody: PersonId,
    at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE ticket SET requester_id = $2, beneficiary_id = $2, created_by = $3, created_by_id = NULL,
             anonymised_at = $4 WHERE number = $1"
    )
    .bind(number)
    .bind(nobody)
    .bind(BLANK)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))
}

macro_rules! expired {
    ($head:literal, $tail:literal) => {
        concat!(
            "SELECT ",
            $head,
            " FROM ticket t WHERE t.state IN ('closed', 'cancelled') AND t.closed_at < $1 AND t.anonymised_at IS NULL ",
            $tail
        )
    };
}

pub(in crate::tickets) async fn count_expired(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
    before: UtcMicros,
) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(expired!("COUNT(*)", "AND ($2 IS NULL OR t.organisation_id = $2)"))
        .bind(before)
        .bind(organisation)
        .fetch_one(conn)
        .await)
}

#[derive(sqlx::FromRow)]
struct ExpiredRow {
    number: TicketNumber,
    organisation_id: OrganisationId,
}

pub(in crate::tickets) async fn list_expired(
    tx: &mut Tx,
    before: UtcMicros,
    limit: i64,
) -> Result<Vec<(TicketNumber, OrganisationId)>, StoreError> {
    let rows: Vec<ExpiredRow> = sql!(tx, |conn| sqlx::query_as(expired!(
        "t.number, t.organisation_id",
        "ORDER BY t.closed_at, t.number LIMIT $2"
    ))
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|it| (it.number, it.organisation_id)).collect())
}
