//! SQL of the clocks of tickets.

use parc_calendar::{ClockKind, ClockState, History, Interval, Targets};

use crate::calendars::{CalendarVersion, moment, utc};
use crate::db::dialect::{ListSql, fetch_for_texts};
use crate::db::{StoreError, Tx};
use crate::kernel::id::CalendarId;
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::clocks::{ClockRow, Terms};
use crate::tickets::number::TicketNumber;

/// Intervals of one clock that are read: a ticket is put on hold some times, not hundreds.
const INTERVALS_MAX: i64 = 2_000;

/// What intervals are measured by; nothing for around the clock.
pub(in crate::tickets) type Measure = Option<CalendarVersion>;

/// A clock that has reached a mark nobody was told of.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::tickets) struct Reached {
    pub(in crate::tickets) ticket_number: TicketNumber,
    pub(in crate::tickets) kind: String,
    pub(in crate::tickets) due_at: Option<UtcMicros>,
    pub(in crate::tickets) calendar_id: Option<CalendarId>,
    pub(in crate::tickets) calendar_version: Option<i64>,
}

/// Which mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tickets) enum Mark {
    /// Three quarters of the target.
    Warning,
    /// The whole target.
    Breach,
}

#[derive(sqlx::FromRow)]
struct TermsRecord {
    calendar_id: CalendarId,
    calendar_version: i64,
    call_back: String,
    resolution: String,
    emergency_always: bool,
    away_pauses: bool,
    away_until: Option<UtcMicros>,
    called_at: Option<UtcMicros>,
}

#[derive(sqlx::FromRow)]
struct IntervalRecord {
    state: String,
    from_at: UtcMicros,
    to_at: Option<UtcMicros>,
    calendar_id: Option<CalendarId>,
    calendar_version: Option<i64>,
}

/// One of two columns alone means nothing.
pub(in crate::tickets) fn measure(calendar_id: Option<CalendarId>, version: Option<i64>) -> Measure {
    Some(CalendarVersion { calendar_id: calendar_id?, version: version? })
}

/// What the ticket's clocks are measured by.
pub(in crate::tickets) async fn find_terms(
    tx: &mut Tx,
    number: &TicketNumber,
) -> Result<Option<Terms>, StoreError> {
    let found: Option<TermsRecord> = sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT calendar_id, calendar_version, call_back, resolution, emergency_always, away_pauses, away_until,
           called_at FROM ticket_clock_terms WHERE ticket_number = $1"
    )
    .bind(number)
    .fetch_optional(conn)
    .await
    })?;
    found.map(|it| it.parse(number)).transpose()
}

impl TermsRecord {
    fn parse(self, number: &TicketNumber) -> Result<Terms, StoreError> {
        let targets = Targets::parse(&self.call_back, &self.resolution)
            .map_err(|_| StoreError::inconsistent("ticket_clock_terms", "call_back", number))?;
        Ok(Terms {
            calendar: CalendarVersion { calendar_id: self.calendar_id, version: self.calendar_version },
            targets,
            emergency_always: self.emergency_always,
            away_pauses: self.away_pauses,
            away_until: self.away_until,
            called_at: self.called_at,
        })
    }
}

/// Writes what the ticket's clocks are measured by, new or changed.
pub(in crate::tickets) async fn save_terms(
    tx: &mut Tx,
    number: &TicketNumber,
    terms: &Terms,
) -> Result<(), StoreError> {
    let (call_back, resolution) = terms.targets.texts();
    sql!(tx, |conn| {
        sqlx::query(
            "INSERT INTO ticket_clock_terms (ticket_number, calendar_id, calendar_version, call_back, resolution,
               emergency_always, away_pauses, away_until, called_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (ticket_number) DO UPDATE SET calendar_id = excluded.calendar_id,
               calendar_version = excluded.calendar_version, call_back = excluded.call_back,
               resolution = excluded.resolution, emergency_always = excluded.emergency_always,
               away_pauses = excluded.away_pauses, away_until = excluded.away_until, called_at = excluded.called_at",
        )
        .bind(number)
        .bind(terms.calendar.calendar_id)
        .bind(terms.calendar.version)
        .bind(&call_back)
        .bind(&resolution)
        .bind(terms.emergency_always)
        .bind(terms.away_pauses)
        .bind(terms.away_until)
        .bind(terms.called_at)
        .execute(conn)
        .await
        .map(drop)
    })
}

/// What a clock went through; none when it has not begun.
pub(in crate::tickets) async fn find_history(
    tx: &mut Tx,
    number: &TicketNumber,
    clock: ClockKind,
) -> Result<Option<History<Measure>>, StoreError> {
    let records: Vec<IntervalRecord> = sql!(tx, |conn| sqlx::query_as(
        "SELECT state, from_at, to_at, calendar_id, calendar_version FROM ticket_clock_interval
         WHERE ticket_number = $1 AND kind = $2 ORDER BY interval_no LIMIT $3"
    )
    .bind(number)
    .bind(clock.code())
    .bind(INTERVALS_MAX)
    .fetch_all(conn)
    .await)?;
    if records.is_empty() {
        return Ok(None);
    }
    let broken = || StoreError::inconsistent("ticket_clock_interval", "from_at", number);
    let intervals = records.into_iter().map(IntervalRecord::parse).collect::<Option<Vec<_>>>();
    let history = intervals.and_then(History::from_intervals).ok_or_else(broken)?;
    Ok(Some(history))
}

impl IntervalRecord {
    fn parse(self) -> Option<Interval<Measure>> {
        Some(Interval {
            state: ClockState::from_code(&self.state)?,
            from: moment(self.from_at),
            to: self.to_at.map(moment),
            calendar: measure(self.calendar_id, self.calendar_version),
        })
    }
}

/// Writes what changed of a history: those of `before` that stayed the same are left alone.
pub(in crate::tickets) async fn save_history(
    tx: &mut Tx,
    (number, clock): (&TicketNumber, ClockKind),
    before: &[Interval<Measure>],
    after: &[Interval<Measure>],
) -> Result<(), StoreError> {
    let same = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let first = i64::try_from(same).unwrap_or(i64::MAX);
    if same < before.len() {
        sql!(&mut *tx, |conn| sqlx::query(
            "DELETE FROM ticket_clock_interval WHERE ticket_number = $1 AND kind = $2 AND interval_no > $3"
        )
        .bind(number)
        .bind(clock.code())
        .bind(first)
        .execute(conn)
        .await
        .map(drop))?;
    }
    for (interval, interval_no) in after[same..].iter().zip(first + 1..) {
        insert_interval(tx, (number, clock), interval_no, interval).await?;
    }
    Ok(())
}

async fn insert_interval(
    tx: &mut Tx,
    (number, clock): (&TicketNumber, ClockKind),
    interval_no: i64,
    interval: &Interval<Measure>,
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
            "INSERT INTO ticket_clock_interval
               (ticket_number, kind, interval_no, state, from_at, to_at, calendar_id, calendar_version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(number)
        .bind(clock.code())
        .bind(interval_no)
        .bind(interval.state.code())
        .bind(utc(interval.from))
        .bind(interval.to.map(utc))
        .bind(interval.calendar.map(|it| it.calendar_id))
        .bind(interval.calendar.map(|it| it.version))
        .execute(conn)
        .await
        .map(drop)
    })
}

/// Writes what follows from a clock's history. A mark that lies ahead again is told again when it is reached.
pub(in crate::tickets) async fn save_clock(
    tx: &mut Tx,
    row: &ClockRow,
    now: UtcMicros,
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
            "INSERT INTO ticket_clock (ticket_number, kind, state, target_us, spent_us, runs_from, due_at, warn_from,
               breach_from, calendar_id, calendar_version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (ticket_number, kind) DO UPDATE SET state = excluded.state, target_us = excluded.target_us,
               spent_us = excluded.spent_us, runs_from = excluded.runs_from, due_at = excluded.due_at,
               warn_from = excluded.warn_from, breach_from = excluded.breach_from,
               calendar_id = excluded.calendar_id, calendar_version = excluded.calendar_version,
               warned_at = CASE WHEN excluded.warn_from > $12 THEN NULL ELSE ticket_clock.warned_at END,
               breached_at = CASE WHEN excluded.breach_from > $12 THEN NULL ELSE ticket_clock.breached_at END",
        )
        .bind(&row.ticket_number)
        .bind(&row.kind)
        .bind(&row.state)
        .bind(row.target_us)
        .bind(row.spent_us)
        .bind(row.runs_from)
        .bind(row.due_at)
        .bind(row.warn_from)
        .bind(row.breach_from)
        .bind(row.calendar_id)
        .bind(row.calendar_version)
        .bind(now)
        .execute(conn)
        .await
        .map(drop)
    })
}

/// The clocks of these tickets.
pub(in crate::tickets) async fn list_clocks(
    tx: &mut Tx,
    numbers: &[String],
) -> Result<Vec<ClockRow>, StoreError> {
    const SQL: ListSql = ListSql {
        sqlite: "SELECT k.* FROM json_each($1) j JOIN ticket_clock k ON k.ticket_number = j.value ORDER BY k.kind",
        postgres: "SELECT k.* FROM unnest($1::text[]) AS j (number) JOIN ticket_clock k ON k.ticket_number = j.number
             ORDER BY k.kind",
    };
    fetch_for_texts(tx, SQL, numbers).await
}

/// Clocks that reached the mark by `now` and whose people were not told, those that wait longest first.
pub(in crate::tickets) async fn list_reached(
    tx: &mut Tx,
    mark: Mark,
    now: UtcMicros,
    limit: i64,
) -> Result<Vec<Reached>, StoreError> {
    let sql = match mark {
        Mark::Warning => {
            "SELECT ticket_number, kind, due_at, calendar_id, calendar_version FROM ticket_clock
             WHERE warned_at IS NULL AND warn_from IS NOT NULL AND warn_from <= $1 ORDER BY warn_from LIMIT $2"
        }
        Mark::Breach => {
            "SELECT ticket_number, kind, due_at, calendar_id, calendar_version FROM ticket_clock
             WHERE breached_at IS NULL AND breach_from IS NOT NULL AND breach_from <= $1
             ORDER BY breach_from LIMIT $2"
        }
    };
    sql!(tx, |conn| sqlx::query_as(sql).bind(now).bind(limit).fetch_all(conn).await)
}

/// Remembers that a mark is told; false when somebody else did, or it is not reached any more. A breach is a warning
/// as well.
pub(in crate::tickets) async fn mark_told(
    tx: &mut Tx,
    mark: Mark,
    reached: &Reached,
    now: UtcMicros,
) -> Result<bool, StoreError> {
    let sql = match mark {
        Mark::Warning => {
            "UPDATE ticket_clock SET warned_at = $3
             WHERE ticket_number = $1 AND kind = $2 AND warned_at IS NULL AND warn_from <= $3"
        }
        Mark::Breach => {
            "UPDATE ticket_clock SET breached_at = $3, warned_at = COALESCE(warned_at, $3)
             WHERE ticket_number = $1 AND kind = $2 AND breached_at IS NULL AND breach_from <= $3"
        }
    };
    sql!(tx, |conn| sqlx::query(sql)
        .bind(&reached.ticket_number)
        .bind(&reached.kind)
        .bind(now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}
