//! SQL of reports. Reads tickets, their machines and histories; writes nothing.

use super::model::{Delay, Dimension};
use crate::db::{StoreError, Tx};
use crate::kernel::id::OrganisationId;
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Rows of one breakdown that are read: names beyond would not be told apart.
const ROWS_READ: i64 = 2_000;
/// Quarters of an hour of the longest span in which something can have happened.
const QUARTERS_READ: i64 = 80_000;

/// What is counted: one organisation or all, from a moment, before another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) organisation: Option<OrganisationId>,
    pub(super) from: UtcMicros,
    pub(super) until: UtcMicros,
}

#[derive(sqlx::FromRow)]
struct CountRow {
    word: String,
    tickets: i64,
}

macro_rules! counted {
    ($word:literal, $joins:literal) => {
        concat!(
            "SELECT ",
            $word,
            " AS word, COUNT(*) AS tickets FROM ticket t ",
            $joins,
            " WHERE t.created_at >= $2 AND t.created_at < $3 AND ($1 IS NULL OR t.organisation_id = $1)
              GROUP BY ",
            $word,
            " ORDER BY COUNT(*) DESC, 1 LIMIT $4"
        )
    };
}

/// Tickets opened in the range by one thing, the largest first.
pub(super) async fn count_by(
    tx: &mut Tx,
    range: Range,
    by: Dimension,
) -> Result<Vec<(String, i64)>, StoreError> {
    let text = match by {
        Dimension::Kind => counted!("t.kind", ""),
        Dimension::Channel => counted!("t.channel", ""),
        Dimension::State => counted!("t.state", ""),
        Dimension::Priority => counted!("CAST(t.priority AS TEXT)", ""),
        Dimension::Organisation => {
            counted!("o.name", "JOIN site_organisation o ON o.id = t.organisation_id")
        }
        Dimension::Site => counted!("COALESCE(s.name, '')", "LEFT JOIN site s ON s.id = t.site_id"),
        Dimension::Model => counted!(
            "COALESCE(TRIM(c.make || ' ' || c.model), '')",
            "LEFT JOIN ticket_asset a ON a.ticket_number = t.number AND a.role = 'affected' AND a.detached_at IS NULL
             LEFT JOIN inventory_ci c ON c.id = a.ci_id"
        ),
    };
    let rows: Vec<CountRow> = sql!(tx, |conn| sqlx::query_as(text)
        .bind(range.organisation)
        .bind(range.from)
        .bind(range.until)
        .bind(ROWS_READ)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|it| (it.word, it.tickets)).collect())
}

#[derive(sqlx::FromRow)]
struct QuarterRow {
    quarter: i64,
    tickets: i64,
}

macro_rules! quarters {
    ($column:literal) => {
        concat!(
            "SELECT t.",
            $column,
            " / 900000000 AS quarter, COUNT(*) AS tickets FROM ticket t WHERE t.",
            $column,
            " >= $2 AND t.",
            $column,
            " < $3 AND ($1 IS NULL OR t.organisation_id = $1) GROUP BY t.",
            $column,
            " / 900000000 LIMIT $4"
        )
    };
}

/// Tickets opened, per quarter of an hour since 1970 in which there were any.
pub(super) async fn opened_by_quarter(tx: &mut Tx, range: Range) -> Result<Vec<(i64, i64)>, StoreError> {
    by_quarter(tx, range, quarters!("created_at")).await
}

/// Tickets solved, likewise.
pub(super) async fn resolved_by_quarter(tx: &mut Tx, range: Range) -> Result<Vec<(i64, i64)>, StoreError> {
    by_quarter(tx, range, quarters!("resolved_at")).await
}

async fn by_quarter(tx: &mut Tx, range: Range, text: &'static str) -> Result<Vec<(i64, i64)>, StoreError> {
    let rows: Vec<QuarterRow> = sql!(tx, |conn| sqlx::query_as(text)
        .bind(range.organisation)
        .bind(range.from)
        .bind(range.until)
        .bind(QUARTERS_READ)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|it| (it.quarter, it.tickets)).collect())
}

macro_rules! delay {
    ($column:literal, $head:literal, $tail:literal) => {
        concat!(
            "SELECT ",
            $head,
            " FROM ticket t WHERE t.created_at >= $2 AND t.created_at < $3 AND t.",
            $column,
            " IS NOT NULL AND ($1 IS NULL OR t.organisation_id = $1) ",
            $tail
        )
    };
}

/// From opening to being taken or qualified, of tickets opened in the range.
pub(super) async fn until_taken(tx: &mut Tx, range: Range) -> Result<Delay, StoreError> {
    let count = delay!("qualified_at", "COUNT(*)", "");
    let nth = delay!(
        "qualified_at",
        "(t.qualified_at - t.created_at) / 1000000",
        "ORDER BY (t.qualified_at - t.created_at) / 1000000 LIMIT 1 OFFSET $4"
    );
    delay_of(tx, range, count, nth).await
}

/// From opening to the solution, of tickets opened in the range.
pub(super) async fn until_resolved(tx: &mut Tx, range: Range) -> Result<Delay, StoreError> {
    let count = delay!("resolved_at", "COUNT(*)", "");
    let nth = delay!(
        "resolved_at",
        "(t.resolved_at - t.created_at) / 1000000",
        "ORDER BY (t.resolved_at - t.created_at) / 1000000 LIMIT 1 OFFSET $4"
    );
    delay_of(tx, range, count, nth).await
}

async fn delay_of(
    tx: &mut Tx,
    range: Range,
    count: &'static str,
    nth: &'static str,
) -> Result<Delay, StoreError> {
    let count: i64 = sql!(&mut *tx, |conn| sqlx::query_scalar(count)
        .bind(range.organisation)
        .bind(range.from)
        .bind(range.until)
        .fetch_one(conn)
        .await)?;
    let mut at = [None, None];
    for (slot, tenths) in at.iter_mut().zip([5, 9]) {
        // The smallest value that so many tenths do not exceed.
        let place = (count * tenths + 9) / 10 - 1;
        if place < 0 {
            continue;
        }
        *slot = sql!(&mut *tx, |conn| sqlx::query_scalar(nth)
            .bind(range.organisation)
            .bind(range.from)
            .bind(range.until)
            .bind(place)
            .fetch_optional(conn)
            .await)?;
    }
    Ok(Delay { count, median_s: at[0], ninth_s: at[1] })
}

/// How often something stands in the histories of a range. `data` is a pattern of the facts, such as `"task":"pdr"`:
/// quotation marks inside texts are escaped there, so nobody can write one.
pub(super) async fn count_events(
    tx: &mut Tx,
    range: Range,
    kind: &str,
    data: &str,
) -> Result<i64, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COUNT(*) FROM ticket_event e JOIN ticket t ON t.number = e.ticket_number
         WHERE e.kind = $4 AND e.at >= $2 AND e.at < $3 AND ($1 IS NULL OR t.organisation_id = $1)
           AND e.data LIKE $5"
    )
    .bind(range.organisation)
    .bind(range.from)
    .bind(range.until)
    .bind(kind)
    .bind(data)
    .fetch_one(conn)
    .await)
}
