//! SQL of the letterbox.

use super::model::{
    ATTEMPTS_MAX, Arrival, Due, Envelope, InboundFilter, InboundRow, InboundState, Mailbox, Settlement,
};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::id::InboundMailId;
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::text::like_literal;
use crate::kernel::time::{UtcMicros, days};
use crate::sql;

/// Rows that one round of upkeep changes: its transaction must stay short.
const TIDY_ROWS_MAX: i64 = 500;
/// Days the bytes of a settled message are kept (three months).
const RAW_DAYS: u64 = 92;
/// Days the row of a settled message is kept: repetitions and answers are recognised by it.
const ROW_DAYS: u64 = 400;
/// Mailboxes shown.
const MAILBOXES_MAX: i64 = 100;
/// Message-IDs of one message that are looked up.
const KNOWN_IDS_MAX: usize = 30;
/// Between the two halves of a list cursor.
const CURSOR_SEPARATOR: char = '/';
/// How long an attempt may take before the message is due again, seconds.
const ATTEMPT_S: u64 = 120;

/// What the journal shows of a message.
macro_rules! row_columns {
    () => {
        "id, mailbox, received_at, size_bytes, state, reason, attempts, message_id, from_address, from_name, subject,
         authenticity, ticket_number, person_id, answered, settled_at, settled_by"
    };
}

/// Stores a message and moves the mailbox's mark. False when it was stored before.
pub async fn insert(tx: &mut Tx, context: &Context, new: Arrival<'_>) -> Result<bool, StoreError> {
    let now = context.now();
    let id = InboundMailId::generate(now, context.entropy.as_ref());
    let fresh = sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO mail_inbound (id, mailbox, uid_validity, uid, received_at, size_bytes, state, reason, attempts,
            next_attempt_at, from_address, from_name, subject, authenticity, answered, settled_by)
         VALUES ($1, $2, $3, $4, $5, $6, 'received', '', 0, $5, '', '', '', 'unknown', FALSE, '')
         ON CONFLICT (mailbox, uid_validity, uid) DO NOTHING"
    )
    .bind(id)
    .bind(new.mailbox)
    .bind(new.uid_validity)
    .bind(new.uid)
    .bind(now)
    .bind(new.size_bytes)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })?;
    if fresh {
        sql!(tx, |conn| sqlx::query("INSERT INTO mail_inbound_raw (inbound_id, raw) VALUES ($1, $2)")
            .bind(id)
            .bind(new.raw)
            .execute(conn)
            .await
            .map(drop))?;
    }
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO mail_mailbox (name, uid_validity, uid_stored, failure) VALUES ($1, $2, $3, '')
         ON CONFLICT (name) DO UPDATE SET uid_validity = $2,
            uid_stored = CASE WHEN mail_mailbox.uid_validity = $2 AND mail_mailbox.uid_stored > $3
                              THEN mail_mailbox.uid_stored ELSE $3 END"
    )
    .bind(new.mailbox)
    .bind(new.uid_validity)
    .bind(new.uid)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(fresh)
}

/// The mailbox' row, if it was ever looked at.
pub(super) async fn find_mailbox(tx: &mut Tx, name: &str) -> Result<Option<Mailbox>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT name, uid_validity, uid_stored, checked_at, failing_since, failure FROM mail_mailbox WHERE name = $1"
    )
    .bind(name)
    .fetch_optional(conn)
    .await
    })
}

/// How the mailboxes are doing.
pub async fn list_mailboxes(tx: &mut Tx) -> Result<Vec<Mailbox>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT name, uid_validity, uid_stored, checked_at, failing_since, failure FROM mail_mailbox
         ORDER BY name LIMIT $1"
    )
    .bind(MAILBOXES_MAX)
    .fetch_all(conn)
    .await)
}

/// Writes down how looking at a mailbox went: nothing when it went well, else why it did not.
pub(super) async fn note_check(
    tx: &mut Tx,
    name: &str,
    at: UtcMicros,
    failure: Option<&str>,
) -> Result<(), StoreError> {
    let checked_at = failure.is_none().then_some(at);
    let failing_since = failure.map(|_| at);
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO mail_mailbox (name, uid_stored, checked_at, failing_since, failure) VALUES ($1, 0, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET
            checked_at = COALESCE($2, mail_mailbox.checked_at),
            failing_since = CASE WHEN $4 = '' THEN NULL ELSE COALESCE(mail_mailbox.failing_since, $3) END,
            failure = $4"
    )
    .bind(name)
    .bind(checked_at)
    .bind(failing_since)
    .bind(failure.unwrap_or_default())
    .execute(conn)
    .await
    .map(drop)
    })
}

/// Whether a message waits to be dealt with.
pub(crate) async fn is_due(tx: &mut Tx, now: UtcMicros) -> Result<bool, StoreError> {
    let waiting: i64 = sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COUNT(*) FROM (
            SELECT 1 FROM mail_inbound WHERE state = 'received' AND next_attempt_at <= $1 LIMIT 1) AS due"
    )
    .bind(now)
    .fetch_one(conn)
    .await)?;
    Ok(waiting > 0)
}

/// The next message to deal with. The attempt is booked at once; one that was tried too often is set aside.
pub(crate) async fn take_due(tx: &mut Tx, now: UtcMicros) -> Result<Option<Due>, StoreError> {
    let worn_out = Settlement {
        state: InboundState::Quarantined,
        reason: "failed",
        ticket_number: None,
        person_id: None,
        answered: false,
        by: "Parc",
    };
    loop {
        let found: Option<Due> = sql!(tx, |conn| sqlx::query_as(
            "SELECT id, mailbox, size_bytes, attempts FROM mail_inbound
             WHERE state = 'received' AND next_attempt_at <= $1 ORDER BY next_attempt_at, id LIMIT 1"
        )
        .bind(now)
        .fetch_optional(conn)
        .await)?;
        let Some(due) = found else { return Ok(None) };
        if due.attempts >= ATTEMPTS_MAX {
            settle(tx, due.id, InboundState::Received, now, &worn_out).await?;
            continue;
        }
        let taken = sql!(tx, |conn| sqlx::query(
            "UPDATE mail_inbound SET attempts = attempts + 1, next_attempt_at = $3
             WHERE id = $1 AND attempts = $2 AND state = 'received'"
        )
        .bind(due.id)
        .bind(due.attempts)
        .bind(now + std::time::Duration::from_secs(ATTEMPT_S))
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))?;
        if taken {
            return Ok(Some(Due { attempts: due.attempts + 1, ..due }));
        }
    }
}

/// The bytes of a message, as long as they are kept.
pub async fn find_raw(tx: &mut Tx, id: InboundMailId) -> Result<Option<Vec<u8>>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar("SELECT raw FROM mail_inbound_raw WHERE inbound_id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await)
}

/// Writes down what a message says about itself. Nothing is written, and the earlier one is named, when the same
/// message was read before.
pub async fn note_envelope(
    tx: &mut Tx,
    id: InboundMailId,
    envelope: &Envelope<'_>,
) -> Result<Option<InboundMailId>, StoreError> {
    let twin: Option<InboundMailId> = sql!(tx, |conn| sqlx::query_scalar(
        "SELECT id FROM mail_inbound WHERE message_id = $1 AND body_hash = $2 AND id <> $3"
    )
    .bind(envelope.message_id)
    .bind(envelope.body_hash)
    .bind(id)
    .fetch_optional(conn)
    .await)?;
    let (message_id, body_hash) = match twin {
        None => (Some(envelope.message_id), Some(envelope.body_hash)),
        Some(_) => (None, None),
    };
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE mail_inbound SET message_id = $2, body_hash = $3, from_address = $4, from_name = $5, subject = $6,
            authenticity = $7 WHERE id = $1"
    )
    .bind(id)
    .bind(message_id)
    .bind(body_hash)
    .bind(envelope.from_address)
    .bind(envelope.from_name)
    .bind(envelope.subject)
    .bind(envelope.authenticity)
    .execute(conn)
    .await
    .map(drop)
    })?;
    Ok(twin)
}

/// Settles a message that is in state `from`; false when somebody else was faster.
pub async fn settle(
    tx: &mut Tx,
    id: InboundMailId,
    from: InboundState,
    at: UtcMicros,
    outcome: &Settlement<'_>,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE mail_inbound SET state = $3, reason = $4, ticket_number = $5, person_id = $6, answered = $7,
            settled_at = $8, settled_by = $9
         WHERE id = $1 AND state = $2"
    )
    .bind(id)
    .bind(from)
    .bind(outcome.state)
    .bind(outcome.reason)
    .bind(&outcome.ticket_number)
    .bind(outcome.person_id)
    .bind(outcome.answered)
    .bind(at)
    .bind(outcome.by)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Lets a settled message be dealt with again, by the caller, from the beginning; false when its bytes are gone or it
/// is on a ticket already. Should the caller fail, it is due again after a while.
pub async fn reopen(tx: &mut Tx, id: InboundMailId, now: UtcMicros) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE mail_inbound SET state = 'received', reason = '', attempts = 1, next_attempt_at = $2, message_id = NULL,
            body_hash = NULL, settled_at = NULL, settled_by = ''
         WHERE id = $1 AND state IN ('refused', 'quarantined', 'silent', 'dropped', 'discarded')
           AND EXISTS (SELECT 1 FROM mail_inbound_raw WHERE inbound_id = $1)"
    )
    .bind(id)
    .bind(now + std::time::Duration::from_secs(ATTEMPT_S))
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

/// One message.
pub async fn find(tx: &mut Tx, id: InboundMailId) -> Result<Option<InboundRow>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(concat!("SELECT ", row_columns!(), " FROM mail_inbound WHERE id = $1"))
        .bind(id)
        .fetch_optional(conn)
        .await)
}

/// The ticket that one of these messages is on: an answer to a mail that came before, from whoever it was.
pub async fn find_ticket_of_message(tx: &mut Tx, ids: &[String]) -> Result<Option<String>, StoreError> {
    for id in ids.iter().rev().take(KNOWN_IDS_MAX) {
        let found: Option<String> = sql!(tx, |conn| sqlx::query_scalar(
            "SELECT ticket_number FROM mail_inbound WHERE message_id = $1 AND ticket_number IS NOT NULL
             ORDER BY received_at LIMIT 1"
        )
        .bind(id)
        .fetch_optional(conn)
        .await)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Messages, newest first.
pub async fn list(
    tx: &mut Tx,
    filter: &InboundFilter,
    page: &PageRequest,
) -> Result<Page<InboundRow>, StoreError> {
    let mut states = [None; 11];
    for (slot, state) in states.iter_mut().zip(&filter.states) {
        *slot = Some(state.code());
    }
    let any_state = filter.states.is_empty();
    let query = filter.query.trim().to_lowercase();
    let pattern = format!("%{}%", like_literal(&query));
    let after = page.after.as_deref().and_then(|it| it.split_once(CURSOR_SEPARATOR));
    let after = after.and_then(|(at, id)| Some((at.parse::<i64>().ok()?, id.parse::<InboundMailId>().ok()?)));
    let rows: Vec<InboundRow> = sql!(tx, |conn| sqlx::query_as(concat!(
        "SELECT ",
        row_columns!(),
        " FROM mail_inbound
         WHERE ($1 OR state IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))
           AND ($13 = '' OR LOWER(from_address) LIKE $14 ESCAPE '\\' OR LOWER(subject) LIKE $14 ESCAPE '\\'
                OR LOWER(ticket_number) = $13)
           AND ($15 IS NULL OR received_at < $15 OR (received_at = $15 AND id < $16))
         ORDER BY received_at DESC, id DESC LIMIT $17"
    ))
    .bind(any_state)
    .bind(states[0])
    .bind(states[1])
    .bind(states[2])
    .bind(states[3])
    .bind(states[4])
    .bind(states[5])
    .bind(states[6])
    .bind(states[7])
    .bind(states[8])
    .bind(states[9])
    .bind(states[10])
    .bind(&query)
    .bind(&pattern)
    .bind(after.map(|(at, _)| at))
    .bind(after.map(|(_, id)| id))
    .bind(page.fetch_limit())
    .fetch_all(conn)
    .await)?;
    Ok(Page::cut(rows, page, |it| format!("{}{CURSOR_SEPARATOR}{}", it.received_at.0, it.id)))
}

/// How many messages are in each state that has any.
pub async fn counts(tx: &mut Tx) -> Result<Vec<(InboundState, i64)>, StoreError> {
    sql!(tx, |conn| sqlx::query_as("SELECT state, COUNT(*) FROM mail_inbound GROUP BY state ORDER BY state")
        .fetch_all(conn)
        .await)
}

/// What a sender did since a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Counted {
    /// Tickets opened.
    pub opened: i64,
    /// Messages added to tickets.
    pub appended: i64,
}

/// What came from an address since a moment.
pub async fn count_by_sender(tx: &mut Tx, address: &str, since: UtcMicros) -> Result<Counted, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT COUNT(CASE WHEN state IN ('opened', 'converted') THEN 1 END) AS opened,
                COUNT(CASE WHEN state = 'appended' THEN 1 END) AS appended
         FROM mail_inbound WHERE from_address = $1 AND settled_at >= $2"
    )
    .bind(address)
    .bind(since)
    .fetch_one(conn)
    .await)
}

/// Tickets opened by mail since a moment, whoever wrote.
pub async fn count_opened(tx: &mut Tx, since: UtcMicros) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COUNT(*) FROM mail_inbound WHERE state = 'opened' AND received_at >= $1"
    )
    .bind(since)
    .fetch_one(conn)
    .await)
}

/// Messages that were settled with this reason on a ticket since a moment.
pub async fn count_of_ticket(
    tx: &mut Tx,
    ticket_number: &str,
    reason: &str,
    since: UtcMicros,
) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COUNT(*) FROM mail_inbound WHERE ticket_number = $1 AND reason = $2 AND settled_at >= $3"
    )
    .bind(ticket_number)
    .bind(reason)
    .bind(since)
    .fetch_one(conn)
    .await)
}

/// Whether a refusal went to this address since a moment.
pub async fn was_answered(tx: &mut Tx, address: &str, since: UtcMicros) -> Result<bool, StoreError> {
    let answers: i64 = sql!(tx, |conn| {
        sqlx::query_scalar(
        "SELECT COUNT(*) FROM mail_inbound WHERE from_address = $1 AND settled_at >= $2 AND answered = TRUE"
    )
    .bind(address)
    .bind(since)
    .fetch_one(conn)
    .await
    })?;
    Ok(answers > 0)
}

/// Drops the bytes, later the rows of settled messages, a bounded number at a time; gives how many rows went.
pub async fn prune(tx: &mut Tx, context: &Context) -> Result<u64, StoreError> {
    let bytes_kept_since = context.now() - days(RAW_DAYS);
    let rows_kept_since = context.now() - days(ROW_DAYS);
    let bytes = sql!(tx, |conn| sqlx::query(
        "DELETE FROM mail_inbound_raw WHERE inbound_id IN (
            SELECT id FROM mail_inbound JOIN mail_inbound_raw ON inbound_id = id
            WHERE received_at < $1 AND state <> 'received' ORDER BY received_at LIMIT $2)"
    )
    .bind(bytes_kept_since)
    .bind(TIDY_ROWS_MAX)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    let rows = sql!(tx, |conn| {
        sqlx::query(
        "DELETE FROM mail_inbound WHERE id IN (
            SELECT id FROM mail_inbound WHERE received_at < $1 AND state <> 'received' ORDER BY received_at LIMIT $2)"
    )
    .bind(rows_kept_since)
    .bind(TIDY_ROWS_MAX)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
    })?;
    Ok(bytes + rows)
}
