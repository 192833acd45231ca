//! SQL of `survey`, `survey_answer`, `survey_criterion`.

use super::model::{Answer, Criterion, OwnerMean};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{CriterionId, OrganisationId, PersonId};
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::{Ticket, TicketNumber};

/// Criteria read at once, retired ones too.
const CRITERIA_MAX: i64 = 200;
/// Technicians listed.
const OWNERS_MAX: i64 = 200;

/// Whose answer about which closure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) ticket: &'a Ticket,
    pub(super) person: PersonId,
    pub(super) closed_at: UtcMicros,
    pub(super) at: UtcMicros,
}

/// How often a score was given.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct ScoreCount {
    pub(super) criterion_id: CriterionId,
    pub(super) score: i64,
    pub(super) count: i64,
}

pub(super) async fn is_answered(
    tx: &mut Tx,
    number: &TicketNumber,
    person: PersonId,
    closed_at: UtcMicros,
) -> Result<bool, StoreError> {
    let found: Option<i64> = sql!(tx, |conn| sqlx::query_scalar(
        "SELECT answered_at FROM survey WHERE ticket_number = $1 AND person_id = $2 AND closed_at = $3"
    )
    .bind(number)
    .bind(person)
    .bind(closed_at)
    .fetch_optional(conn)
    .await)?;
    Ok(found.is_some())
}

/// Keeps the head of an answer; false when the person answered about this closure before.
pub(super) async fn insert(tx: &mut Tx, head: Head<'_>, comment: &str) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO survey (ticket_number, person_id, closed_at, organisation_id, owner_id, answered_at, comment)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
    )
    .bind(&head.ticket.number)
    .bind(head.person)
    .bind(head.closed_at)
    .bind(head.ticket.organisation_id)
    .bind(head.ticket.owner_id)
    .bind(head.at)
    .bind(comment)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

pub(super) async fn insert_answer(tx: &mut Tx, head: Head<'_>, answer: &Answer) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO survey_answer (ticket_number, person_id, closed_at, criterion_id, score, comment)
         VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(&head.ticket.number)
    .bind(head.person)
    .bind(head.closed_at)
    .bind(answer.criterion)
    .bind(answer.score)
    .bind(&answer.comment)
    .execute(conn)
    .await
    .map(drop))
}

/// Criteria that are asked, those of all organisations first.
pub(super) async fn list_criteria(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
) -> Result<Vec<Criterion>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, organisation_id, label_fr, label_en FROM survey_criterion
         WHERE retired_at IS NULL AND (organisation_id IS NULL OR organisation_id = $1)
         ORDER BY position, id LIMIT $2"
    )
    .bind(organisation)
    .bind(CRITERIA_MAX)
    .fetch_all(conn)
    .await)
}

/// Criteria in scope, retired ones too.
pub(super) async fn list_all_criteria(tx: &mut Tx, scope: Scope) -> Result<Vec<Criterion>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, organisation_id, label_fr, label_en FROM survey_criterion
         WHERE $1 IS NULL OR organisation_id IS NULL OR organisation_id = $1 ORDER BY position, id LIMIT $2"
    )
    .bind(scope.organisation())
    .bind(CRITERIA_MAX)
    .fetch_all(conn)
    .await)
}

pub(super) async fn insert_criterion(tx: &mut Tx, new: &Criterion, position: i64) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO survey_criterion (id, organisation_id, position, label_fr, label_en, retired_at)
         VALUES ($1, $2, $3, $4, $5, NULL)"
    )
    .bind(new.id)
    .bind(new.organisation_id)
    .bind(position)
    .bind(&new.label_fr)
    .bind(&new.label_en)
    .execute(conn)
    .await
    .map(drop))
}

pub(super) async fn retire_criterion(
    tx: &mut Tx,
    criterion: CriterionId,
    at: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE survey_criterion SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL"
    )
    .bind(criterion)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Scores per criterion since a moment; of one owner's tickets, if one is named.
pub(super) async fn count_scores(
    tx: &mut Tx,
    scope: Scope,
    owner: Option<PersonId>,
    since: UtcMicros,
) -> Result<Vec<ScoreCount>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT a.criterion_id, a.score, COUNT(*) AS count FROM survey s
         JOIN survey_answer a ON a.ticket_number = s.ticket_number AND a.person_id = s.person_id
           AND a.closed_at = s.closed_at
         WHERE ($1 IS NULL OR s.organisation_id = $1) AND ($2 IS NULL OR s.owner_id = $2) AND s.answered_at >= $3
         GROUP BY a.criterion_id, a.score"
    )
    .bind(scope.organisation())
    .bind(owner)
    .bind(since)
    .fetch_all(conn)
    .await
    })
}

/// Scores per owner since a moment.
pub(super) async fn means_by_owner(
    tx: &mut Tx,
    scope: Scope,
    since: UtcMicros,
) -> Result<Vec<OwnerMean>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT s.owner_id, p.name, COUNT(*) AS count, CAST(SUM(a.score) AS BIGINT) AS sum FROM survey s
         JOIN survey_answer a ON a.ticket_number = s.ticket_number AND a.person_id = s.person_id
           AND a.closed_at = s.closed_at
         JOIN person p ON p.id = s.owner_id
         WHERE ($1 IS NULL OR s.organisation_id = $1) AND s.answered_at >= $2
         GROUP BY s.owner_id, p.name ORDER BY p.name LIMIT $3"
    )
    .bind(scope.organisation())
    .bind(since)
    .bind(OWNERS_MAX)
    .fetch_all(conn)
    .await)
}
