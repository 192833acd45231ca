//! Which step leads where, and which times a visit may have. Pure.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::model::{VisitError, VisitStatus, VisitStep};
use crate::kernel::time::{UtcMicros, days};

/// Visits are planned in quarters of an hour: what a planning shows and a technician keeps.
const QUARTER: Duration = Duration::from_mins(15);
/// A longer stay is several visits.
const LENGTH_MAX: Duration = Duration::from_hours(12);
/// A visit may be written down the day after it took place.
const LATE: Duration = days(1);
/// Nobody plans further ahead; a year typed wrong is noticed.
const AHEAD: Duration = days(400);

/// The quarters of an hour since 1970 that a visit takes.
pub(super) fn quarters(
    starts_at: UtcMicros,
    ends_at: UtcMicros,
    now: UtcMicros,
) -> Result<RangeInclusive<i64>, VisitError> {
    let quarter = i64::try_from(QUARTER.as_micros()).unwrap_or(i64::MAX);
    for (field, at) in [("start", starts_at), ("end", ends_at)] {
        if at.0.rem_euclid(quarter) != 0 {
            return Err(VisitError::invalid(field, "must lie on a quarter of an hour"));
        }
    }
    if ends_at <= starts_at {
        return Err(VisitError::invalid("end", "must lie after the start"));
    }
    if ends_at.since(starts_at) > LENGTH_MAX {
        return Err(VisitError::invalid("end", "must be at most 12 hours after the start"));
    }
    if starts_at < now - LATE || starts_at > now + AHEAD {
        return Err(VisitError::invalid("start", "must lie between yesterday and 400 days from now"));
    }
    Ok(starts_at.0.div_euclid(quarter)..=ends_at.0.div_euclid(quarter) - 1)
}

/// Where `step` leads.
pub(super) fn next_status(
    status: VisitStatus,
    step: &VisitStep,
    started: bool,
) -> Result<VisitStatus, VisitError> {
    use VisitStatus::{Cancelled, Done, Fixed, Missed, Proposed};
    let next = match (step, status) {
        (VisitStep::Fix, Proposed) | (VisitStep::Move { .. }, Fixed) => Some(Fixed),
        (VisitStep::Move { .. }, Proposed) => Some(Proposed),
        (VisitStep::Done { .. }, Fixed) => Some(Done),
        (VisitStep::Missed { .. }, Fixed) if started => Some(Missed),
        (VisitStep::Cancel { .. }, Proposed | Fixed) => Some(Cancelled),
        _ => None,
    };
    next.ok_or(VisitError::State { status: status.code(), step: step.code() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: UtcMicros = UtcMicros(1_794_484_800_000_000);

    fn after(minutes: u64) -> UtcMicros {
        NOON + Duration::from_mins(minutes)
    }

    #[test]
    fn a_visit_takes_every_quarter_it_touches() {
        let taken = quarters(after(60), after(120), NOON).expect("valid");
        assert_eq!(taken.count(), 4);
        let (first, second) = (quarters(after(60), after(75), NOON), quarters(after(75), after(90), NOON));
        assert_eq!(
            *first.expect("valid").end() + 1,
            *second.expect("valid").start(),
            "back to back is no overlap"
        );
    }

    #[test]
    fn a_time_that_cannot_be_says_which_field_and_limit() {
        let field = |from, until| match quarters(from, until, NOON) {
            Err(VisitError::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(after(61), after(120)), "start");
        assert_eq!(field(after(60), after(121)), "end");
        assert_eq!(field(after(60), after(60)), "end");
        assert_eq!(field(after(60), after(60 + 13 * 60)), "end");
        assert_eq!(field(NOON - days(2), NOON - days(2) + QUARTER), "start");
        assert_eq!(field(NOON + days(500), NOON + days(500) + QUARTER), "start");
    }

    #[test]
    fn the_life_of_a_visit() {
        let outcome = || VisitStep::Done { outcome: "fan replaced".into() };
        let cancel = || VisitStep::Cancel { reason: "solved by phone".into() };
        let missed = || VisitStep::Missed { reason: "nobody there".into() };
        let to = |status, step: VisitStep| next_status(status, &step, true).ok();
        assert_eq!(to(VisitStatus::Proposed, VisitStep::Fix), Some(VisitStatus::Fixed));
        assert_eq!(to(VisitStatus::Fixed, outcome()), Some(VisitStatus::Done));
        assert_eq!(to(VisitStatus::Fixed, missed()), Some(VisitStatus::Missed));
        assert_eq!(to(VisitStatus::Proposed, cancel()), Some(VisitStatus::Cancelled));
        assert_eq!(to(VisitStatus::Proposed, outcome()), None, "what was never agreed did not take place");
        assert!(
            next_status(VisitStatus::Fixed, &missed(), false).is_err(),
            "nobody missed what has not begun"
        );
        for over in [VisitStatus::Done, VisitStatus::Missed, VisitStatus::Cancelled] {
            for step in [VisitStep::Fix, outcome(), missed(), cancel()] {
                assert_eq!(to(over, step), None, "{over:?} is final");
            }
        }
    }
}
