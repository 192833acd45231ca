//! SQL of privacy. What is known about a person is read from every slice's tables; only the tables of this slice are
//! written.

use serde_json::{Value, json};

use super::model::{Erasure, ErasureStatus};
use crate::db::{StoreError, Tx};
use crate::kernel::id::{ErasureId, PersonId};
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::TicketNumber;

/// Rows of one kind in an export: more than one person leaves behind.
pub(super) const ROWS_MAX: i64 = 20_000;
/// Demands shown at once, and texts of one page.
const SHOWN_MAX: i64 = 100;

macro_rules! erasure_query {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.person_id, p.name AS person_name, e.reason, e.status, e.pseudonym, e.asked_by_id,
                    a.name AS asked_by, e.asked_at,
                    (SELECT COUNT(*) FROM privacy_text w WHERE w.erasure_id = e.id AND w.status = 'waiting') AS waiting
             FROM privacy_erasure e JOIN person p ON p.id = e.person_id JOIN person a ON a.id = e.asked_by_id ",
            $rest
        )
    };
}

/// Writes a demand; false when there is an open one about the person.
pub(super) async fn insert(tx: &mut Tx, new: &Erasure) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO privacy_erasure (id, person_id, reason, status, pseudonym, asked_by_id, asked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
    )
    .bind(new.id)
    .bind(new.person_id)
    .bind(&new.reason)
    .bind(new.status)
    .bind(&new.pseudonym)
    .bind(new.asked_by_id)
    .bind(new.asked_at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

pub(super) async fn find(tx: &mut Tx, id: ErasureId) -> Result<Option<Erasure>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(erasure_query!("WHERE e.id = $1")).bind(id).fetch_optional(conn).await)
}

/// Demands, the latest first.
pub(super) async fn list(tx: &mut Tx) -> Result<Vec<Erasure>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(erasure_query!("ORDER BY e.asked_at DESC, e.id DESC LIMIT $1"))
        .bind(SHOWN_MAX)
        .fetch_all(conn)
        .await)
}

/// Moves a demand on, if it still stands where it was seen.
pub(super) async fn decide(
    tx: &mut Tx,
    id: ErasureId,
    (from, to): (ErasureStatus, ErasureStatus),
    by: Option<PersonId>,
    at: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE privacy_erasure SET status = $3, decided_by_id = COALESCE($4, decided_by_id), decided_at = $5
         WHERE id = $1 AND status = $2"
    )
    .bind(id)
    .bind(from)
    .bind(to)
    .bind(by)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

pub(super) async fn insert_text(
    tx: &mut Tx,
    erasure: ErasureId,
    number: &TicketNumber,
    event_no: i64,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO privacy_text (erasure_id, ticket_number, event_no, status, decided_by)
         VALUES ($1, $2, $3, 'waiting', '') ON CONFLICT DO NOTHING"
    )
    .bind(erasure)
    .bind(number)
    .bind(event_no)
    .execute(conn)
    .await
    .map(drop))
}

#[derive(sqlx::FromRow)]
struct TextRow {
    ticket_number: TicketNumber,
    event_no: i64,
}

/// Texts of a demand that nobody decided about.
pub(super) async fn list_waiting(
    tx: &mut Tx,
    erasure: ErasureId,
) -> Result<Vec<(TicketNumber, i64)>, StoreError> {
    let rows: Vec<TextRow> = sql!(tx, |conn| sqlx::query_as(
        "SELECT ticket_number, event_no FROM privacy_text WHERE erasure_id = $1 AND status = 'waiting'
         ORDER BY ticket_number, event_no LIMIT $2"
    )
    .bind(erasure)
    .bind(SHOWN_MAX)
    .fetch_all(conn)
    .await)?;
    Ok(rows.into_iter().map(|it| (it.ticket_number, it.event_no)).collect())
}

/// Decides about a text; false when that was done already.
pub(super) async fn decide_text(
    tx: &mut Tx,
    erasure: ErasureId,
    (number, event_no): (&TicketNumber, i64),
    status: &str,
    (by, at): (&str, UtcMicros),
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE privacy_text SET status = $4, decided_by = $5, decided_at = $6
         WHERE erasure_id = $1 AND ticket_number = $2 AND event_no = $3 AND status = 'waiting'"
    )
    .bind(erasure)
    .bind(number)
    .bind(event_no)
    .bind(status)
    .bind(by)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

#[derive(sqlx::FromRow)]
struct FourRow {
    first: String,
    second: String,
    third: String,
    at: UtcMicros,
}

/// One kind of record about a person: the names of three texts, and the query that gives them with a moment.
pub(super) struct Kind {
    names: [&'static str; 3],
    query: &'static str,
}

pub(super) const SESSIONS: Kind = Kind {
    names: ["kind", "state", "note"],
    query: "SELECT 'session' AS first, '' AS second, '' AS third, created_at AS at FROM person_session
            WHERE person_id = $1 ORDER BY created_at LIMIT $2",
};
pub(super) const TICKETS: Kind = Kind {
    names: ["number", "summary", "description"],
    query: "SELECT number AS first, summary AS second, description AS third, created_at AS at FROM ticket
            WHERE requester_id = $1 OR beneficiary_id = $1 OR owner_id = $1 ORDER BY created_at LIMIT $2",
};
pub(super) const HISTORY: Kind = Kind {
    names: ["ticket", "event", "data"],
    query: "SELECT e.ticket_number AS first, e.kind AS second, e.data AS third, e.at AS at
            FROM ticket_event e JOIN ticket t ON t.number = e.ticket_number
            WHERE e.actor_id = $1 OR ((t.requester_id = $1 OR t.beneficiary_id = $1) AND e.public = TRUE)
            ORDER BY e.at LIMIT $2",
};
pub(super) const MACHINES: Kind = Kind {
    names: ["tag", "name", "model"],
    query: "SELECT COALESCE(tag, '') AS first, name AS second, TRIM(make || ' ' || model) AS third, created_at AS at
            FROM inventory_ci WHERE assigned_to_id = $1 ORDER BY name LIMIT $2",
};
pub(super) const LOANS: Kind = Kind {
    names: ["ticket", "status", "condition"],
    query:
        "SELECT ticket_number AS first, status AS second, condition_out AS third, created_at AS at FROM loan
            WHERE borrower_id = $1 ORDER BY created_at LIMIT $2",
};
pub(super) const REMOTE_SESSIONS: Kind = Kind {
    names: ["ticket", "status", "report"],
    query:
        "SELECT ticket_number AS first, status AS second, report AS third, asked_at AS at FROM remote_session
            WHERE asked_id = $1 OR technician_id = $1 ORDER BY asked_at LIMIT $2",
};
pub(super) const AUDIT: Kind = Kind {
    names: ["action", "subject", "detail"],
    query: "SELECT action AS first, subject_kind AS second, detail AS third, at FROM audit_event
            WHERE actor_id = $1 OR (subject_kind = 'person' AND subject_id = $3) ORDER BY at LIMIT $2",
};

/// Records of one kind about a person, the oldest first; one more than the limit tells that there are more.
pub(super) async fn records(tx: &mut Tx, kind: &Kind, person: PersonId) -> Result<Vec<Value>, StoreError> {
    let by_text = kind.query.contains("$3");
    let rows: Vec<FourRow> = sql!(tx, |conn| {
        let query = sqlx::query_as(kind.query).bind(*person.as_uuid()).bind(ROWS_MAX + 1);
        if by_text {
            query.bind(person.to_string()).fetch_all(conn).await
        } else {
            query.fetch_all(conn).await
        }
    })?;
    let [first, second, third] = kind.names;
    let shown = |it: FourRow| {
        // Facts that are stored as JSON are shown as such.
        let last = serde_json::from_str::<Value>(&it.third).ok().filter(Value::is_object);
        json!({
            "at": it.at.rfc3339(),
            first: it.first,
            second: it.second,
            third: last.unwrap_or(Value::String(it.third)),
        })
    };
    Ok(rows.into_iter().map(shown).collect())
}
