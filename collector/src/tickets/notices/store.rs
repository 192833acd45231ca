//! SQL of `ticket_notice` and `ticket_notice_switch`.

use crate::db::{StoreError, Tx};
use crate::kernel::id::{OrganisationId, PersonId};
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::number::TicketNumber;

/// Switches of one organisation: fewer than the table has places.
const SWITCHES_MAX: i64 = 200;

/// Something a person is told on the pages.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Notice {
    /// The ticket.
    pub ticket_number: TicketNumber,
    /// Version of the ticket it tells of.
    pub version: i64,
    /// Word of the occasion.
    pub occasion: String,
    /// Who did it.
    pub actor_label: String,
    /// When.
    pub at: UtcMicros,
    /// When the person said that it was read.
    pub read_at: Option<UtcMicros>,
}

/// A mail switched on or off by an organisation.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Switch {
    pub(super) occasion: String,
    pub(super) audience: String,
    pub(super) mail: bool,
}

/// Tells a person; the same once.
pub(super) async fn insert(tx: &mut Tx, person: PersonId, notice: &Notice) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO ticket_notice (person_id, ticket_number, version, occasion, actor_label, at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
    )
    .bind(person)
    .bind(&notice.ticket_number)
    .bind(notice.version)
    .bind(&notice.occasion)
    .bind(&notice.actor_label)
    .bind(notice.at)
    .execute(conn)
    .await
    .map(drop))
}

/// A person's notices, newest first.
pub(super) async fn list(tx: &mut Tx, person: PersonId, limit: i64) -> Result<Vec<Notice>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT ticket_number, version, occasion, actor_label, at, read_at FROM ticket_notice
         WHERE person_id = $1 ORDER BY at DESC, ticket_number DESC, version DESC LIMIT $2"
    )
    .bind(person)
    .bind(limit)
    .fetch_all(conn)
    .await)
}

/// How many a person has not read.
pub(super) async fn count_unread(tx: &mut Tx, person: PersonId) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COUNT(*) FROM ticket_notice WHERE person_id = $1 AND read_at IS NULL"
    )
    .bind(person)
    .fetch_one(conn)
    .await)
}

/// A person has read what was told until a moment.
pub(super) async fn mark_read(
    tx: &mut Tx,
    person: PersonId,
    until: UtcMicros,
    now: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE ticket_notice SET read_at = $3 WHERE person_id = $1 AND read_at IS NULL AND at <= $2"
    )
    .bind(person)
    .bind(until)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))
}

/// Forgets what was told before a moment, a bounded number at a time.
pub(super) async fn delete_before(tx: &mut Tx, before: UtcMicros, limit: i64) -> Result<u64, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "DELETE FROM ticket_notice WHERE at < $1
           AND at <= (SELECT MAX(o.at) FROM (SELECT at FROM ticket_notice WHERE at < $1 ORDER BY at LIMIT $2) o)"
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
    })
}

/// What an organisation switched on or off.
pub(super) async fn list_switches(
    tx: &mut Tx,
    organisation: OrganisationId,
) -> Result<Vec<Switch>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT occasion, audience, mail FROM ticket_notice_switch WHERE organisation_id = $1 LIMIT $2"
    )
    .bind(organisation)
    .bind(SWITCHES_MAX)
    .fetch_all(conn)
    .await)
}

/// Switches a mail on or off.
pub(super) async fn set_switch(
    tx: &mut Tx,
    organisation: OrganisationId,
    switch: &Switch,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO ticket_notice_switch (organisation_id, occasion, audience, mail) VALUES ($1, $2, $3, $4)
         ON CONFLICT (organisation_id, occasion, audience) DO UPDATE SET mail = $4"
    )
    .bind(organisation)
    .bind(&switch.occasion)
    .bind(&switch.audience)
    .bind(switch.mail)
    .execute(conn)
    .await
    .map(drop))
}

/// What the mails about a ticket say, as stored. For tests.
#[cfg(test)]
pub(super) async fn letters_of(context: &crate::context::Context, number: &str) -> Vec<String> {
    let mut tx = context.db.read().await.expect("read");
    let tx = &mut tx;
    let found: Result<Vec<String>, StoreError> =
        sql!(tx, |conn| sqlx::query_scalar("SELECT letter FROM mail_outbox WHERE ticket_number = $1")
            .bind(number)
            .fetch_all(conn)
            .await);
    found.expect("letters")
}
