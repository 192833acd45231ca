//! The outbox as a courier sees it: what is due, what he holds, what became of it.

use crate::db::{StoreError, Tx};
use crate::kernel::id::{OrganisationId, OutgoingMailId, PersonId};
use crate::kernel::time::UtcMicros;
use crate::mail::model::{MailState, Origin};
use crate::sql;

/// A mail in a courier's hands.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::mail) struct Leased {
    pub(in crate::mail) id: OutgoingMailId,
    pub(in crate::mail) event: String,
    pub(in crate::mail) template: String,
    pub(in crate::mail) address: String,
    pub(in crate::mail) name: String,
    pub(in crate::mail) person_id: Option<PersonId>,
    pub(in crate::mail) organisation_id: Option<OrganisationId>,
    pub(in crate::mail) organisation_code: Option<String>,
    pub(in crate::mail) ticket_number: Option<String>,
    pub(in crate::mail) origin: Origin,
    pub(in crate::mail) answers: Option<String>,
    pub(in crate::mail) letter: String,
    pub(in crate::mail) created_at: UtcMicros,
    pub(in crate::mail) attempts: i64,
    pub(in crate::mail) first_tried_at: UtcMicros,
    pub(in crate::mail) message_id: Option<String>,
}

/// What became of a mail for good.
#[derive(Clone, Copy, Debug)]
pub(in crate::mail) struct Outcome<'a> {
    pub(in crate::mail) state: MailState,
    pub(in crate::mail) at: UtcMicros,
    pub(in crate::mail) answer: &'a str,
}

/// Whether anything waits whose moment has come, or was left behind by a courier that died.
pub(in crate::mail) async fn is_due(tx: &mut Tx, now: UtcMicros) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM mail_outbox WHERE state = 'waiting' AND not_before <= $1)
             OR EXISTS (SELECT 1 FROM mail_outbox WHERE state = 'sending' AND lease_until <= $1)"
    )
    .bind(now)
    .fetch_one(conn)
    .await)
}

/// Takes the oldest mail that is due. The test stands in both places: between choosing a row and changing it
/// another courier may have been faster.
pub(in crate::mail) async fn lease(
    tx: &mut Tx,
    now: UtcMicros,
    lease: uuid::Uuid,
    until: UtcMicros,
) -> Result<Option<Leased>, StoreError> {
    let taken: Option<OutgoingMailId> = sql!(&mut *tx, |conn| {
        sqlx::query_scalar(
            "UPDATE mail_outbox SET state = 'sending', lease = $2, lease_until = $3, attempts = attempts + 1,
                first_tried_at = COALESCE(first_tried_at, $1)
             WHERE id = (SELECT id FROM mail_outbox
                         WHERE (state = 'waiting' AND not_before <= $1) OR (state = 'sending' AND lease_until <= $1)
                         ORDER BY not_before, id LIMIT 1)
               AND ((state = 'waiting' AND not_before <= $1) OR (state = 'sending' AND lease_until <= $1))
             RETURNING id",
        )
        .bind(now)
        .bind(lease)
        .bind(until)
        .fetch_optional(conn)
        .await
    })?;
    let Some(id) = taken else { return Ok(None) };
    sql!(tx, |conn| {
        sqlx::query_as(
            "SELECT m.id, m.event, m.template, m.address, m.name, m.person_id, m.organisation_id,
                o.code AS organisation_code, m.ticket_number,
                m.origin, m.answers, m.letter, m.created_at, m.attempts, m.first_tried_at, m.message_id
         FROM mail_outbox m LEFT JOIN site_organisation o ON o.id = m.organisation_id WHERE m.id = $1",
        )
        .bind(id)
        .fetch_optional(conn)
        .await
    })
}

/// Remembers under which Message-ID a mail goes out.
pub(in crate::mail) async fn set_message_id(
    tx: &mut Tx,
    mail: OutgoingMailId,
    message_id: &str,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE mail_outbox SET message_id = $2 WHERE id = $1")
        .bind(mail)
        .bind(message_id)
        .execute(conn)
        .await
        .map(drop))
}

/// Settles a mail that this lease holds; false when the lease had run out and somebody else has it.
pub(in crate::mail) async fn settle(
    tx: &mut Tx,
    mail: OutgoingMailId,
    lease: uuid::Uuid,
    outcome: Outcome<'_>,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE mail_outbox SET state = $3, settled_at = $4, answer = $5, lease = NULL, lease_until = NULL
         WHERE id = $1 AND lease = $2"
    )
    .bind(mail)
    .bind(lease)
    .bind(outcome.state)
    .bind(outcome.at)
    .bind(outcome.answer)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Puts a mail back until a later moment; an attempt that was none is not counted.
pub(in crate::mail) async fn wait_again(
    tx: &mut Tx,
    mail: OutgoingMailId,
    lease: uuid::Uuid,
    not_before: UtcMicros,
    (answer, counts): (&str, bool),
) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE mail_outbox SET state = 'waiting', not_before = $3, answer = $4, lease = NULL, lease_until = NULL,
            attempts = CASE WHEN $5 = TRUE THEN attempts ELSE attempts - 1 END,
            first_tried_at = CASE WHEN $5 = TRUE OR attempts > 1 THEN first_tried_at ELSE NULL END
         WHERE id = $1 AND lease = $2"
    )
    .bind(mail)
    .bind(lease)
    .bind(not_before)
    .bind(answer)
    .bind(counts)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}
