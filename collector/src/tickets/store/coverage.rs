//! SQL of the coverage of tickets.

use crate::contracts::Coverage;
use crate::db::{StoreError, Tx};
use crate::kernel::id::ContractId;
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::coverage::{CoverageDecision, TicketCoverage};
use crate::tickets::number::TicketNumber;

#[derive(sqlx::FromRow)]
struct CoverageRecord {
    coverage: String,
    contract_id: Option<ContractId>,
    contract: String,
    decided_at: UtcMicros,
    decision: Option<String>,
    decision_by: String,
}

/// What was decided about the ticket.
pub(in crate::tickets) async fn find_coverage(
    tx: &mut Tx,
    number: &TicketNumber,
) -> Result<Option<TicketCoverage>, StoreError> {
    let found: Option<CoverageRecord> = sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT v.coverage, v.contract_id, COALESCE(c.kind || ' ' || c.reference, '') AS contract, v.decided_at,
           v.decision, COALESCE(v.decision_by, '') AS decision_by
         FROM ticket_coverage v LEFT JOIN contract c ON c.id = v.contract_id WHERE v.ticket_number = $1"
    )
    .bind(number)
    .fetch_optional(conn)
    .await
    })?;
    found.map(|it| it.parse(number)).transpose()
}

impl CoverageRecord {
    fn parse(self, number: &TicketNumber) -> Result<TicketCoverage, StoreError> {
        let coverage = Coverage::from_code(&self.coverage)
            .ok_or_else(|| StoreError::inconsistent("ticket_coverage", "coverage", number))?;
        Ok(TicketCoverage {
            coverage,
            contract_id: self.contract_id,
            contract: self.contract,
            decided_at: self.decided_at,
            decision: self.decision.as_deref().and_then(CoverageDecision::from_code),
            decision_by: self.decision_by,
        })
    }
}

/// Keeps what was decided when the ticket was opened.
pub(in crate::tickets) async fn insert_coverage(
    tx: &mut Tx,
    number: &TicketNumber,
    (coverage, contract): (Coverage, Option<ContractId>),
    at: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO ticket_coverage (ticket_number, coverage, contract_id, decided_at) VALUES ($1, $2, $3, $4)"
    )
    .bind(number)
    .bind(coverage.code())
    .bind(contract)
    .bind(at)
    .execute(conn)
    .await
    .map(drop)
    })
}

/// Settles what was unknown; false when it was not, or somebody decided meanwhile.
pub(in crate::tickets) async fn settle_coverage(
    tx: &mut Tx,
    number: &TicketNumber,
    (coverage, contract): (Coverage, Option<ContractId>),
    at: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE ticket_coverage SET coverage = $2, contract_id = $3, decided_at = $4
         WHERE ticket_number = $1 AND coverage = 'unknown' AND decision IS NULL"
    )
    .bind(number)
    .bind(coverage.code())
    .bind(contract)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Writes what happens with what is not covered.
pub(in crate::tickets) async fn save_decision(
    tx: &mut Tx,
    number: &TicketNumber,
    decision: CoverageDecision,
    (by, at): (&str, UtcMicros),
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "UPDATE ticket_coverage SET decision = $2, decision_by = $3, decision_at = $4 WHERE ticket_number = $1"
    )
    .bind(number)
    .bind(decision.code())
    .bind(by)
    .bind(at)
    .execute(conn)
    .await
    .map(drop)
    })
}
