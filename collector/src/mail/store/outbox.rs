//! The outbox as those see it who write into it and look after it.

use crate::db::{StoreError, Tx};
use crate::kernel::id::{OrganisationId, OutgoingMailId, PersonId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::text::like_literal;
use crate::kernel::time::UtcMicros;
use crate::mail::model::{MailState, Origin, OutboxFilter, OutboxRow, Undelivered};
use crate::sql;

/// Rows that one round of upkeep changes: its transaction must stay short.
const TIDY_ROWS_MAX: i64 = 1_000;
/// Between the two halves of a list cursor.
const CURSOR_SEPARATOR: char = '/';

/// A mail as it is written.
#[derive(Debug)]
pub(in crate::mail) struct NewRow<'a> {
    pub(in crate::mail) id: OutgoingMailId,
    pub(in crate::mail) event: &'a str,
    pub(in crate::mail) template: &'a str,
    pub(in crate::mail) address: &'a str,
    pub(in crate::mail) name: &'a str,
    pub(in crate::mail) person_id: Option<PersonId>,
    pub(in crate::mail) organisation_id: Option<OrganisationId>,
    pub(in crate::mail) ticket_number: Option<&'a str>,
    pub(in crate::mail) origin: Origin,
    pub(in crate::mail) answers: Option<&'a str>,
    pub(in crate::mail) merge_key: Option<&'a str>,
    pub(in crate::mail) letter: &'a str,
    pub(in crate::mail) created_at: UtcMicros,
    pub(in crate::mail) not_before: UtcMicros,
}

/// Writes a mail; false when this event, address and template have one.
pub(in crate::mail) async fn insert(tx: &mut Tx, new: &NewRow<'_>) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO mail_outbox (id, event, template, address, name, person_id, organisation_id, ticket_number, origin,
            answers, merge_key, letter, state, created_at, not_before, attempts, answer)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'waiting', $13, $14, 0, '')
         ON CONFLICT (event, address, template) DO NOTHING"
    )
    .bind(new.id)
    .bind(new.event)
    .bind(new.template)
    .bind(new.address)
    .bind(new.name)
    .bind(new.person_id)
    .bind(new.organisation_id)
    .bind(new.ticket_number)
    .bind(new.origin)
    .bind(new.answers)
    .bind(new.merge_key)
    .bind(new.letter)
    .bind(new.created_at)
    .bind(new.not_before)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

/// A mail of the kind that still waits for more to be said, and what it says so far.
pub(in crate::mail) async fn find_mergeable(
    tx: &mut Tx,
    merge_key: &str,
    address: &str,
    now: UtcMicros,
) -> Result<Option<(OutgoingMailId, String)>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, letter FROM mail_outbox
         WHERE merge_key = $1 AND address = $2 AND state = 'waiting' AND attempts = 0 AND not_before > $3
         ORDER BY created_at, id LIMIT 1"
    )
    .bind(merge_key)
    .bind(address)
    .bind(now)
    .fetch_optional(conn)
    .await)
}

/// Replaces what a waiting mail says; false when a courier has taken it meanwhile.
pub(in crate::mail) async fn add_to(
    tx: &mut Tx,
    mail: OutgoingMailId,
    letter: &str,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE mail_outbox SET letter = $2 WHERE id = $1 AND state = 'waiting' AND attempts = 0"
    )
    .bind(mail)
    .bind(letter)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Mails newest first.
pub(in crate::mail) async fn list(
    tx: &mut Tx,
    filter: &OutboxFilter,
    page: &PageRequest,
) -> Result<Page<OutboxRow>, StoreError> {
    let after = page.after.as_deref().and_then(|it| it.split_once(CURSOR_SEPARATOR));
    let after =
        after.and_then(|(at, id)| Some((UtcMicros(at.parse().ok()?), id.parse::<OutgoingMailId>().ok()?)));
    let like = format!("%{}%", like_literal(&filter.query.to_lowercase()));
    let rows: Vec<OutboxRow> = sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT id, template, address, ticket_number, state, created_at, not_before, attempts, settled_at, bounced_at, answer
         FROM mail_outbox
         WHERE ($1 IS NULL OR state = $1)
           AND (address LIKE $2 ESCAPE '\\' OR LOWER(COALESCE(ticket_number, '')) LIKE $2 ESCAPE '\\')
           AND ($3 IS NULL OR (created_at, id) < ($3, $4))
         ORDER BY created_at DESC, id DESC LIMIT $5"
    )
    .bind(filter.state)
    .bind(&like)
    .bind(after.map(|it| it.0))
    .bind(after.map(|it| it.1))
    .bind(page.fetch_limit())
    .fetch_all(conn)
    .await
    })?;
    Ok(Page::cut(rows, page, |it| format!("{}{CURSOR_SEPARATOR}{}", it.created_at.0, it.id)))
}

/// How many mails are in which state.
pub(in crate::mail) async fn counts(tx: &mut Tx) -> Result<Vec<(MailState, i64)>, StoreError> {
    sql!(tx, |conn| sqlx::query_as("SELECT state, COUNT(*) FROM mail_outbox GROUP BY state")
        .fetch_all(conn)
        .await)
}

/// When the oldest mail was written that is due and not sent.
pub(in crate::mail) async fn oldest_waiting(
    tx: &mut Tx,
    now: UtcMicros,
) -> Result<Option<UtcMicros>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT MIN(created_at) FROM mail_outbox WHERE state = 'waiting' AND not_before <= $1"
    )
    .bind(now)
    .fetch_one(conn)
    .await)
}

/// Lets a mail that was given up be tried again; false when there is no such one. Its Message-ID stays.
pub(in crate::mail) async fn reopen(
    tx: &mut Tx,
    mail: OutgoingMailId,
    now: UtcMicros,
) -> Result<Option<String>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "UPDATE mail_outbox SET state = 'waiting', not_before = $2, attempts = 0, first_tried_at = NULL,
            created_at = $2, settled_at = NULL, bounced_at = NULL
         WHERE id = $1 AND state IN ('failed', 'withheld') RETURNING address"
    )
    .bind(mail)
    .bind(now)
    .fetch_optional(conn)
    .await)
}

/// The mail that a report is about, unless it is known already that it did not arrive.
pub(in crate::mail) async fn find_bounced(
    tx: &mut Tx,
    mail: Option<OutgoingMailId>,
    message_id: Option<&str>,
) -> Result<Option<Undelivered>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, ticket_number, template, name, address, answer FROM mail_outbox
         WHERE (id = $1 OR message_id = $2) AND bounced_at IS NULL AND message_id IS NOT NULL LIMIT 1"
    )
    .bind(mail)
    .bind(message_id)
    .fetch_optional(conn)
    .await)
}

/// A server reported that it did not arrive; false when that was known.
pub(in crate::mail) async fn set_bounced(
    tx: &mut Tx,
    mail: OutgoingMailId,
    at: UtcMicros,
    answer: &str,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE mail_outbox SET state = 'failed', bounced_at = $2, settled_at = $2, answer = $3, lease = NULL,
            lease_until = NULL
         WHERE id = $1 AND bounced_at IS NULL"
    )
    .bind(mail)
    .bind(at)
    .bind(answer)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

/// Gives up what no courier has touched since `before`: after a long stop nobody wants last month's news.
pub(in crate::mail) async fn expire(
    tx: &mut Tx,
    before: UtcMicros,
    now: UtcMicros,
    answer: &str,
) -> Result<u64, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE mail_outbox SET state = 'withheld', settled_at = $2, answer = $3
         WHERE id IN (SELECT id FROM mail_outbox WHERE state = 'waiting' AND created_at < $1 AND answer = ''
                      ORDER BY created_at LIMIT $4)"
    )
    .bind(before)
    .bind(now)
    .bind(answer)
    .bind(TIDY_ROWS_MAX)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))
}

/// Forgets mails that were settled before a moment.
pub(in crate::mail) async fn delete_settled(tx: &mut Tx, before: UtcMicros) -> Result<u64, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "DELETE FROM mail_outbox
         WHERE id IN (SELECT id FROM mail_outbox WHERE state IN ('sent', 'failed', 'withheld') AND created_at < $1
                        AND settled_at < $1 ORDER BY created_at LIMIT $2)"
    )
    .bind(before)
    .bind(TIDY_ROWS_MAX)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
    })
}

/// Whether somebody has stopped all mail.
pub(in crate::mail) async fn is_stopped(tx: &mut Tx) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM mail_switch WHERE id = 1 AND stopped = TRUE)"
    )
    .fetch_one(conn)
    .await)
}

/// Stops all mail or lets it go again.
pub(in crate::mail) async fn set_stopped(
    tx: &mut Tx,
    stopped: bool,
    at: UtcMicros,
    by: &str,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO mail_switch (id, stopped, changed_at, changed_by) VALUES (1, $1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET stopped = $1, changed_at = $2, changed_by = $3"
    )
    .bind(stopped)
    .bind(at)
    .bind(by)
    .execute(conn)
    .await
    .map(drop))
}
