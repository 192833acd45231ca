//! Types of the slice, and the pure parts of a report.

use std::collections::BTreeMap;

use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::OrganisationId;
use crate::kernel::time::{Day, UtcMicros, Zone};
use crate::words;

/// Days of the longest report: two years and a bit.
const DAYS_MAX: i64 = 800;
/// Rows of one breakdown; the rest is summed up.
pub(super) const ROWS_MAX: usize = 12;

words! {
    /// What tickets are counted by.
    Dimension {
        /// Type.
        Kind = "kind",
        /// How they came in.
        Channel = "channel",
        /// Priority.
        Priority = "priority",
        /// Client organisation.
        Organisation = "organisation",
        /// Site.
        Site = "site",
        /// Make and model of the machine.
        Model = "model",
        /// Where they stand now.
        State = "state",
    }
    /// How long one point of a curve is.
    Step {
        /// A day.
        Day = "day",
        /// A week, from Monday.
        Week = "week",
        /// A month.
        Month = "month",
    }
}

/// What a report covers.
#[derive(Clone, Debug)]
pub struct Span {
    /// First day.
    pub from: Day,
    /// Last day.
    pub until: Day,
    /// The clock that says when a day begins.
    pub zone: Zone,
    /// Only this organisation.
    pub organisation: Option<OrganisationId>,
}

impl Span {
    /// From two days in either order; a span that is too long loses its beginning.
    pub fn new(from: Day, until: Day, zone: Zone, organisation: Option<OrganisationId>) -> Self {
        let (from, until) = if from <= until { (from, until) } else { (until, from) };
        let earliest = until.plus(1 - i32::try_from(DAYS_MAX).unwrap_or(0));
        Self { from: from.max(earliest), until, zone, organisation }
    }

    /// First moment.
    pub fn starts_at(&self) -> UtcMicros {
        self.from.start(&self.zone)
    }

    /// First moment after it.
    pub fn ends_at(&self) -> UtcMicros {
        self.until.plus(1).start(&self.zone)
    }

    /// How many days it has.
    pub fn days(&self) -> i64 {
        let seconds = self.ends_at().since(self.starts_at()).as_secs();
        // A day that loses or gains an hour is still a day.
        i64::try_from((seconds + 43_200) / 86_400).unwrap_or(1)
    }

    /// Points that a reader can tell apart.
    pub fn step(&self) -> Step {
        match self.days() {
            ..=45 => Step::Day,
            46..=190 => Step::Week,
            _ => Step::Month,
        }
    }

    /// The first day of every point, in order.
    pub fn points(&self) -> Vec<Day> {
        let step = self.step();
        let mut points = vec![first_of(self.from, step)];
        loop {
            let last = points[points.len() - 1];
            let next = match step {
                Step::Day => last.plus(1),
                Step::Week => last.plus(7),
                Step::Month => last.plus_months(1),
            };
            // The end of the calendar has no next day.
            if next > self.until || next == last {
                return points;
            }
            points.push(next);
        }
    }
}

/// The first day of the point that a day belongs to.
pub(super) fn first_of(day: Day, step: Step) -> Day {
    match step {
        Step::Day => day,
        Step::Week => day.monday(),
        Step::Month => day.first_of_month(),
    }
}

/// Sums moments that were counted in quarters of an hour up to the points of a span. Days begin on a quarter of an hour
/// in every time zone there is.
pub(super) fn by_point(span: &Span, quarters: &[(i64, i64)]) -> Vec<i64> {
    const QUARTER_MICROS: i64 = 900_000_000;
    let points = span.points();
    let place: BTreeMap<Day, usize> = points.iter().enumerate().map(|(index, day)| (*day, index)).collect();
    let mut counts = vec![0; points.len()];
    for (quarter, count) in quarters {
        let day = Day::of(UtcMicros(quarter.saturating_mul(QUARTER_MICROS)), &span.zone);
        if let Some(index) = place.get(&first_of(day, span.step())) {
            counts[*index] += count;
        }
    }
    counts
}

/// Tickets counted by one thing, the largest first. An empty word stands for tickets without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    /// By what.
    pub by: Dimension,
    /// Word or name, and how many.
    pub rows: Vec<(String, i64)>,
    /// All those beyond the rows shown.
    pub others: i64,
}

impl Breakdown {
    /// The largest rows, and the rest in one sum.
    pub(super) fn cut(by: Dimension, mut rows: Vec<(String, i64)>) -> Self {
        let others = rows.iter().skip(ROWS_MAX).map(|it| it.1).sum();
        rows.truncate(ROWS_MAX);
        Self { by, rows, others }
    }
}

/// How long something took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay {
    /// How many are known.
    pub count: i64,
    /// Half of them took at most so many seconds.
    pub median_s: Option<i64>,
    /// Nine in ten took at most so many seconds.
    pub ninth_s: Option<i64>,
}

/// The indicators of a span.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it covers.
    pub span: Span,
    /// Opened in the span.
    pub opened: i64,
    /// Solved in the span.
    pub resolved: i64,
    /// Opened, solved per point.
    pub curve: Vec<(Day, i64, i64)>,
    /// Tickets opened in the span, counted by each dimension.
    pub breakdowns: Vec<Breakdown>,
    /// From opening to the first time somebody took or qualified it.
    pub until_taken: Delay,
    /// From opening to the solution, by the clock on the wall.
    pub until_resolved: Delay,
    /// Calls that were answered.
    pub calls_reached: i64,
    /// Calls that were not (pdr).
    pub calls_unanswered: i64,
    /// Solutions that were refused.
    pub refused: i64,
    /// Closed tickets that were opened again.
    pub reopened: i64,
}

impl Report {
    /// Calls in vain, in tenths of a percent of all calls.
    pub fn unanswered_permille(&self) -> Option<i64> {
        permille(self.calls_unanswered, self.calls_reached + self.calls_unanswered)
    }

    /// Solutions that did not hold, in tenths of a percent of all solutions.
    pub fn reopened_permille(&self) -> Option<i64> {
        permille(self.refused + self.reopened, self.resolved)
    }
}

/// Nothing of nothing is no rate.
fn permille(part: i64, whole: i64) -> Option<i64> {
    (whole > 0).then(|| (part * 2_000 + whole) / (whole * 2))
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// None of the actor's roles gives it.
    #[error("not allowed for these roles")]
    Forbidden,
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for ReportError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden => ErrorKind::Forbidden,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Store(error) => error.code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: &str, until: &str) -> Span {
        let day = |text| Day::parse(text).expect("day");
        Span::new(day(from), day(until), Zone::named("Europe/Paris").expect("zone data"), None)
    }

    #[test]
    fn a_span_has_as_many_points_as_a_reader_can_tell_apart() {
        assert_eq!(span("2026-11-01", "2026-11-30").points().len(), 30);
        assert_eq!(span("2026-11-30", "2026-11-01").days(), 30, "in either order");
        let weeks = span("2026-09-01", "2026-11-30");
        assert_eq!((weeks.step(), weeks.points()[0].to_string()), (Step::Week, "2026-08-31".to_owned()));
        let months = span("2026-01-15", "2026-12-31");
        assert_eq!((months.step(), months.points().len()), (Step::Month, 12));
        assert_eq!(span("2000-01-01", "2026-12-31").days(), DAYS_MAX, "nobody asks for everything at once");
        assert_eq!(span("2026-10-20", "2026-10-26").days(), 7, "the clock goes back in between");
    }

    #[test]
    fn a_moment_counts_on_the_day_that_stands_on_the_wall() {
        let span = span("2026-11-01", "2026-11-03");
        // 1 November 2026, 23:30 in Paris is 22:30 in UTC; half an hour later it is the 2nd.
        let quarter = UtcMicros::parse("2026-11-01T22:30:00Z", &Zone::utc()).expect("valid").0 / 900_000_000;
        assert_eq!(by_point(&span, &[(quarter, 2), (quarter + 2, 5), (quarter + 400, 9)]), [2, 5, 0]);
    }

    #[test]
    fn what_is_beyond_the_largest_rows_is_summed_up() {
        let rows: Vec<(String, i64)> = (0..20).map(|it| (format!("model {it}"), 20 - it)).collect();
        let total: i64 = rows.iter().map(|it| it.1).sum();
        let cut = Breakdown::cut(Dimension::Model, rows);
        assert_eq!(cut.rows.len(), ROWS_MAX);
        assert_eq!(cut.rows.iter().map(|it| it.1).sum::<i64>() + cut.others, total);
    }

    #[test]
    fn a_rate_is_rounded_and_nothing_of_nothing_is_none() {
        assert_eq!(permille(1, 3), Some(333));
        assert_eq!(permille(2, 3), Some(667));
        assert_eq!(permille(0, 0), None);
    }
}
