//! SQL of visits. Names of people and organisations are read by join; only the tables of this slice are written.

use std::ops::RangeInclusive;

use super::model::{Visit, VisitFilter, VisitStatus};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{OrganisationId, PersonId, VisitId};
use crate::sql;
use crate::tickets::TicketNumber;

/// Visits of one planning: a week of a large team.
const PLANNING_MAX: i64 = 1_000;
/// Visits of one ticket that are shown.
const OF_TICKET_MAX: i64 = 50;
/// Technicians offered by one form.
const TECHNICIANS_MAX: i64 = 500;

macro_rules! visit_query {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.ticket_number, v.organisation_id, o.name AS organisation_name, o.time_zone, v.technician_id,
                    p.name AS technician_name, v.starts_at, v.ends_at, v.site_id, v.address, v.location, v.contact,
                    v.phone, v.purpose, v.status, v.outcome, v.sequence, v.updated_at
             FROM visit v
             JOIN site_organisation o ON o.id = v.organisation_id
             JOIN person p ON p.id = v.technician_id ",
            $rest
        )
    };
}

pub(super) async fn insert(tx: &mut Tx, new: &Visit) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO visit (id, ticket_number, organisation_id, technician_id, starts_at, ends_at, site_id, address,
             location, contact, phone, purpose, status, outcome, sequence, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)"
    )
    .bind(new.id)
    .bind(&new.ticket_number)
    .bind(new.organisation_id)
    .bind(new.technician_id)
    .bind(new.starts_at)
    .bind(new.ends_at)
    .bind(new.site_id)
    .bind(&new.address)
    .bind(&new.location)
    .bind(&new.contact)
    .bind(&new.phone)
    .bind(&new.purpose)
    .bind(new.status)
    .bind(&new.outcome)
    .bind(new.sequence)
    .bind(new.updated_at)
    .execute(conn)
    .await
    .map(drop)
    })
}

/// Writes what steps change, if `seen` is still the stored sequence; false when somebody was faster.
pub(super) async fn save(tx: &mut Tx, visit: &Visit, seen: i64) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
            "UPDATE visit SET technician_id = $3, starts_at = $4, ends_at = $5, status = $6, outcome = $7,
             sequence = $8, updated_at = $9
         WHERE id = $1 AND sequence = $2",
        )
        .bind(visit.id)
        .bind(seen)
        .bind(visit.technician_id)
        .bind(visit.starts_at)
        .bind(visit.ends_at)
        .bind(visit.status)
        .bind(&visit.outcome)
        .bind(visit.sequence)
        .bind(visit.updated_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
    })
}

/// Takes quarters of an hour of a technician; gives how many were free. With fewer than wanted the transaction must be
/// given up. The rows are written in order, so that two who want the same time wait for each other and never deadlock.
pub(super) async fn take_quarters(
    tx: &mut Tx,
    technician: PersonId,
    visit: VisitId,
    quarters: &RangeInclusive<i64>,
) -> Result<u64, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
            "INSERT INTO visit_slot (technician_id, quarter, visit_id)
         WITH RECURSIVE taken(quarter) AS (
             SELECT $2 UNION ALL SELECT quarter + 1 FROM taken WHERE quarter < $3
         )
         SELECT $1, quarter, $4 FROM taken WHERE TRUE ORDER BY quarter
         ON CONFLICT (technician_id, quarter) DO NOTHING",
        )
        .bind(technician)
        .bind(*quarters.start())
        .bind(*quarters.end())
        .bind(visit)
        .execute(conn)
        .await
        .map(|done| done.rows_affected())
    })
}

pub(super) async fn free_quarters(tx: &mut Tx, visit: VisitId) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM visit_slot WHERE visit_id = $1")
        .bind(visit)
        .execute(conn)
        .await
        .map(drop))
}

/// The visit of another that takes one of these quarters of a technician.
pub(super) async fn find_overlapping(
    tx: &mut Tx,
    technician: PersonId,
    visit: VisitId,
    quarters: &RangeInclusive<i64>,
) -> Result<Option<Visit>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(visit_query!(
        "JOIN visit_slot s ON s.visit_id = v.id
         WHERE s.technician_id = $1 AND s.quarter >= $2 AND s.quarter <= $3 AND v.id <> $4
         ORDER BY s.quarter LIMIT 1"
    ))
    .bind(technician)
    .bind(*quarters.start())
    .bind(*quarters.end())
    .bind(visit)
    .fetch_optional(conn)
    .await)
}

pub(super) async fn find(tx: &mut Tx, visit: VisitId) -> Result<Option<Visit>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(visit_query!("WHERE v.id = $1")).bind(visit).fetch_optional(conn).await)
}

/// Visits of a ticket, the latest first.
pub(super) async fn list_of_ticket(tx: &mut Tx, number: &TicketNumber) -> Result<Vec<Visit>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(visit_query!(
        "WHERE v.ticket_number = $1 ORDER BY v.starts_at DESC, v.id DESC LIMIT $2"
    ))
    .bind(number)
    .bind(OF_TICKET_MAX)
    .fetch_all(conn)
    .await)
}

/// How many visits of a ticket are still to come about.
pub(super) async fn count_standing(tx: &mut Tx, number: &TicketNumber) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COUNT(*) FROM visit WHERE ticket_number = $1 AND status IN ($2, $3)"
    )
    .bind(number)
    .bind(VisitStatus::Proposed)
    .bind(VisitStatus::Fixed)
    .fetch_one(conn)
    .await)
}

/// Visits in scope that the filter finds, in the order of the clock.
pub(super) async fn list(tx: &mut Tx, scope: Scope, filter: &VisitFilter) -> Result<Vec<Visit>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(visit_query!(
        "WHERE ($1 IS NULL OR v.organisation_id = $1) AND v.ends_at > $2 AND v.starts_at < $3
           AND v.starts_at > $4 AND ($5 IS NULL OR v.technician_id = $5) AND ($6 IS NULL OR v.site_id = $6)
         ORDER BY v.starts_at, p.name, v.id LIMIT $7"
    ))
    .bind(scope.organisation())
    .bind(filter.from)
    .bind(filter.until)
    // No visit is longer than a day: gives the index by time a beginning.
    .bind(filter.from - crate::kernel::time::days(1))
    .bind(filter.technician)
    .bind(filter.site)
    .bind(PLANNING_MAX)
    .fetch_all(conn)
    .await)
}

#[derive(sqlx::FromRow)]
struct TechnicianRow {
    id: PersonId,
    name: String,
}

/// Active people who do such work for an organisation: the provider's own and its own, by name.
pub(super) async fn list_technicians(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
) -> Result<Vec<(PersonId, String)>, StoreError> {
    let rows: Vec<TechnicianRow> = sql!(tx, |conn| {
        sqlx::query_as(
            "SELECT p.id, p.name FROM person p
         WHERE p.status = 'active' AND (p.organisation_id IS NULL OR $1 IS NULL OR p.organisation_id = $1)
           AND EXISTS (SELECT 1 FROM person_role r WHERE r.person_id = p.id
                       AND r.role IN ('technician_n1', 'technician_n2', 'lead', 'peu', 'mssi'))
         ORDER BY p.search_key, p.id LIMIT $2",
        )
        .bind(organisation)
        .bind(TECHNICIANS_MAX)
        .fetch_all(conn)
        .await
    })?;
    Ok(rows.into_iter().map(|it| (it.id, it.name)).collect())
}
