//! SQL of loans. Names of people, organisations and machines are read by join; only `loan` is written.

use super::model::{Loan, LoanFilter, LoanStatus};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{CiId, LoanId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::TicketNumber;

/// Loans of one ticket or machine that are shown.
const SHOWN_MAX: i64 = 50;
/// Overdue loans noticed in one round.
const OVERDUE_ROUND: i64 = 100;

macro_rules! loan_query {
    ($rest:literal) => {
        concat!(
            "SELECT l.id, l.ticket_number, l.organisation_id, o.name AS organisation_name, o.time_zone, l.borrower_id,
                    p.name AS borrower_name, l.original_ci_id, COALESCE(a.tag, '') AS original_tag,
                    COALESCE(TRIM(a.make || ' ' || a.model), '') AS original_machine, l.loaner_ci_id,
                    COALESCE(b.tag, '') AS loaner_tag, TRIM(b.make || ' ' || b.model) AS loaner_machine, l.status,
                    l.expected_at, l.condition_out, l.condition_back, l.acknowledged, l.acknowledged_by, l.note,
                    l.sequence, l.created_at, l.out_at, l.back_at, l.overdue_at, l.updated_at
             FROM loan l
             JOIN site_organisation o ON o.id = l.organisation_id
             JOIN person p ON p.id = l.borrower_id
             JOIN inventory_ci b ON b.id = l.loaner_ci_id
             LEFT JOIN inventory_ci a ON a.id = l.original_ci_id ",
            $rest
        )
    };
}

/// Writes a new loan; false when one of its machines is in another.
pub(super) async fn insert(tx: &mut Tx, new: &Loan) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
            "INSERT INTO loan (id, ticket_number, organisation_id, borrower_id, original_ci_id, loaner_ci_id, status,
             expected_at, condition_out, condition_back, acknowledged, acknowledged_by, note, sequence, created_at,
             updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', '', '', $9, 0, $10, $10) ON CONFLICT DO NOTHING",
        )
        .bind(new.id)
        .bind(&new.ticket_number)
        .bind(new.organisation_id)
        .bind(new.borrower_id)
        .bind(new.original_ci_id)
        .bind(new.loaner_ci_id)
        .bind(new.status)
        .bind(new.expected_at)
        .bind(&new.note)
        .bind(new.created_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
    })
}

/// Writes what steps change, if `seen` is still the stored sequence; false when somebody was faster.
pub(super) async fn save(tx: &mut Tx, loan: &Loan, seen: i64) -> Result<bool, StoreError> {
    let closed_at = (!loan.status.is_open()).then_some(loan.updated_at);
    sql!(tx, |conn| {
        sqlx::query(
            "UPDATE loan SET status = $3, expected_at = $4, condition_out = $5, condition_back = $6, acknowledged = $7,
             acknowledged_by = $8, note = $9, sequence = $10, out_at = $11, back_at = $12, closed_at = $13,
             overdue_at = $14, updated_at = $15
         WHERE id = $1 AND sequence = $2",
        )
        .bind(loan.id)
        .bind(seen)
        .bind(loan.status)
        .bind(loan.expected_at)
        .bind(&loan.condition_out)
        .bind(&loan.condition_back)
        .bind(&loan.acknowledged)
        .bind(&loan.acknowledged_by)
        .bind(&loan.note)
        .bind(loan.sequence)
        .bind(loan.out_at)
        .bind(loan.back_at)
        .bind(closed_at)
        .bind(loan.overdue_at)
        .bind(loan.updated_at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
    })
}

/// Notes that a loan is overdue; false when that was noted already or it came back.
pub(super) async fn mark_overdue(tx: &mut Tx, loan: LoanId, at: UtcMicros) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE loan SET overdue_at = $2 WHERE id = $1 AND overdue_at IS NULL AND status = $3 AND expected_at < $2"
    )
    .bind(loan)
    .bind(at)
    .bind(LoanStatus::Out)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

pub(super) async fn find(tx: &mut Tx, loan: LoanId) -> Result<Option<Loan>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(loan_query!("WHERE l.id = $1")).bind(loan).fetch_optional(conn).await)
}

/// Loans of a ticket, the latest first.
pub(super) async fn list_of_ticket(tx: &mut Tx, number: &TicketNumber) -> Result<Vec<Loan>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(loan_query!(
        "WHERE l.ticket_number = $1 ORDER BY l.created_at DESC, l.id DESC LIMIT $2"
    ))
    .bind(number)
    .bind(SHOWN_MAX)
    .fetch_all(conn)
    .await)
}

/// Loans of or for a machine, the latest first.
pub(super) async fn list_of_ci(tx: &mut Tx, ci: CiId) -> Result<Vec<Loan>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(loan_query!(
        "WHERE l.loaner_ci_id = $1 OR l.original_ci_id = $1 ORDER BY l.created_at DESC, l.id DESC LIMIT $2"
    ))
    .bind(ci)
    .bind(SHOWN_MAX)
    .fetch_all(conn)
    .await)
}

/// Machines that are prepared for a loan or out.
pub(super) async fn list_lent(tx: &mut Tx) -> Result<Vec<CiId>, StoreError> {
    let rows: Vec<CiRow> =
        sql!(tx, |conn| sqlx::query_as("SELECT loaner_ci_id AS id FROM loan WHERE status IN ($1, $2)")
            .bind(LoanStatus::Prepared)
            .bind(LoanStatus::Out)
            .fetch_all(conn)
            .await)?;
    Ok(rows.into_iter().map(|it| it.id).collect())
}

#[derive(sqlx::FromRow)]
struct CiRow {
    id: CiId,
}

/// Loans out since before `now` that nobody noticed to be overdue.
pub(super) async fn list_unnoticed(tx: &mut Tx, now: UtcMicros) -> Result<Vec<Loan>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(loan_query!(
        "WHERE l.status = $1 AND l.expected_at < $2 AND l.overdue_at IS NULL ORDER BY l.expected_at LIMIT $3"
    ))
    .bind(LoanStatus::Out)
    .bind(now)
    .bind(OVERDUE_ROUND)
    .fetch_all(conn)
    .await)
}

/// How many loans of a ticket are still to be ended.
pub(super) async fn count_open(tx: &mut Tx, number: &TicketNumber) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COUNT(*) FROM loan WHERE ticket_number = $1 AND status IN ($2, $3, $4)"
    )
    .bind(number)
    .bind(LoanStatus::Prepared)
    .bind(LoanStatus::Out)
    .bind(LoanStatus::Back)
    .fetch_one(conn)
    .await)
}

/// Loans in scope that the filter finds, the one expected first on top.
pub(super) async fn list(
    tx: &mut Tx,
    scope: Scope,
    filter: &LoanFilter,
    page: &PageRequest,
) -> Result<Page<Loan>, StoreError> {
    let status = |index: usize| filter.statuses.get(index).copied();
    let after = page.after.as_deref().and_then(|it| {
        let (at, id) = it.split_once(' ')?;
        Some((UtcMicros(at.parse().ok()?), id.parse::<LoanId>().ok()?))
    });
    let (after_at, after_id) = after.unzip();
    let rows: Vec<Loan> = sql!(tx, |conn| sqlx::query_as(loan_query!(
        "WHERE ($1 IS NULL OR l.organisation_id = $1)
           AND ($2 IS NULL OR l.status = $2 OR l.status = $3 OR l.status = $4)
           AND ($5 IS NULL OR (l.status = 'out' AND l.expected_at < $5))
           AND ($6 IS NULL OR l.expected_at > $6 OR (l.expected_at = $6 AND l.id > $7))
         ORDER BY l.expected_at, l.id LIMIT $8"
    ))
    .bind(scope.organisation())
    .bind(status(0))
    .bind(status(1))
    .bind(status(2))
    .bind(filter.overdue_at)
    .bind(after_at)
    .bind(after_id)
    .bind(page.fetch_limit())
    .fetch_all(conn)
    .await)?;
    Ok(Page::cut(rows, page, |it| format!("{} {}", it.expected_at.0, it.id)))
}
