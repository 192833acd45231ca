//! When a service is open, and time measured in open minutes.
//!
//! Hours are those of the wall clock. When the clock goes forward, the minutes it jumps over do not exist; when it
//! goes back, those it shows twice count twice.

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::exceptions::Exceptions;
use crate::holidays::{Holiday, Holidays};
use crate::hours::{OpenHours, Slot, Week};
use crate::moment::Moment;
use crate::refusal::{CalendarRefusal, quoted};

/// How far a deadline is looked for, days: ten years. What is not open until then counts as never.
pub const HORIZON_DAYS: u16 = 3_660;

/// Minutes between two moments of the wall clock, in microseconds.
const MINUTE_MICROS: i64 = 60_000_000;

/// A day that differs from the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecialDay {
    /// The day.
    pub date: Date,
    /// When it is open; never when closed.
    pub hours: OpenHours,
    /// The public holiday that closes it.
    pub holiday: Option<Holiday>,
    /// What the exception was labelled, may be empty.
    pub label: String,
}

/// The hours of a service.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    week: Week,
    holidays: Holidays,
    exceptions: Exceptions,
}

impl Calendar {
    /// A calendar in the zone with that IANA name.
    ///
    /// # Errors
    ///
    /// [`CalendarRefusal::Zone`].
    pub fn new(
        zone: &str,
        week: Week,
        holidays: Holidays,
        exceptions: Exceptions,
    ) -> Result<Self, CalendarRefusal> {
        let zone = TimeZone::get(zone).map_err(|_| CalendarRefusal::Zone(quoted(zone)))?;
        Ok(Self { zone, week, holidays, exceptions })
    }

    /// Day and night, every day.
    pub fn always() -> Self {
        Self {
            zone: TimeZone::UTC,
            week: Week::always(),
            holidays: Holidays::None,
            exceptions: Exceptions::default(),
        }
    }

    /// Openings of its week.
    pub fn week(&self) -> &Week {
        &self.week
    }

    /// Its rule for public holidays.
    pub fn holidays(&self) -> Holidays {
        self.holidays
    }

    /// Its days that differ from the week.
    pub fn exceptions(&self) -> &Exceptions {
        &self.exceptions
    }

    /// What one day of a target means: the open minutes of the longest day of the week.
    pub fn target_day(&self) -> Duration {
        Duration::from_secs(u64::from(self.week.longest_day_min()) * 60)
    }

    /// When it is open on that day: by exception, else never on a public holiday, else by the week.
    pub fn hours_on(&self, date: Date) -> OpenHours {
        if let Some(exception) = self.exceptions.on(date) {
            return exception.hours.clone();
        }
        if self.holidays.on(date).is_some() {
            return OpenHours::default();
        }
        let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        self.week.days()[weekday].clone()
    }

    /// Days from the one of `from` on, `days` of them, that differ from the week: exceptions, and public holidays that
    /// close it.
    pub fn special_days(&self, from: Moment, days: u16) -> Vec<SpecialDay> {
        let Some(at) = from.timestamp() else { return Vec::new() };
        let first = self.zone.to_datetime(at).date();
        let day = |count: u16| first.checked_add(i64::from(count).days()).ok();
        (0..days).map_while(day).filter_map(|it| self.special_day(it)).collect()
    }

    fn special_day(&self, date: Date) -> Option<SpecialDay> {
        if let Some(exception) = self.exceptions.on(date) {
            let (hours, label) = (exception.hours.clone(), exception.label.clone());
            return Some(SpecialDay { date, hours, holiday: None, label });
        }
        let holiday = self.holidays.on(date)?;
        let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        let closes = !self.week.days()[weekday].slots().is_empty();
        closes.then(|| SpecialDay {
            date,
            hours: OpenHours::default(),
            holiday: Some(holiday),
            label: String::new(),
        })
    }

    /// Whether it is open at that moment.
    pub fn is_open(&self, at: Moment) -> bool {
        self.next_open(at) == Some(at)
    }

    /// The first open moment not before `from`; none within [`HORIZON_DAYS`].
    pub fn next_open(&self, from: Moment) -> Option<Moment> {
        self.openings(from).next().map(|it| it.0)
    }

    /// Open time from one moment to a later one; nothing when it is not later. Counted for at most [`HORIZON_DAYS`].
    pub fn open_between(&self, from: Moment, to: Moment) -> Duration {
        self.openings(from)
            .take_while(|it| it.0 < to)
            .map(|(opens, closes)| closes.min(to).since(opens))
            .sum()
    }

    /// The first moment at which `span` of open time has passed since `from`; none within [`HORIZON_DAYS`].
    pub fn after(&self, from: Moment, span: Duration) -> Option<Moment> {
        let mut left = span;
        if left.is_zero() {
            return Some(from);
        }
        for (opens, closes) in self.openings(from) {
            let open = closes.since(opens);
            if left <= open {
                return Some(opens.plus(left));
            }
            left -= open;
        }
        None
    }

    /// Openings from a moment on, in their order.
    fn openings(&self, from: Moment) -> Openings<'_> {
        Openings { calendar: self, at: from, stretch: None, ready: Vec::new(), days_left: HORIZON_DAYS }
    }
}

/// Part of the time line during which the wall clock keeps its distance from UTC.
#[derive(Clone, Copy)]
struct Stretch {
    offset: Offset,
    /// Where the clock changes; none when it never does again.
    ends: Option<Moment>,
}

/// Walks the time line day by day, and within a day from one change of the clock to the next, so that every minute
/// is met once and in order whatever the clock does.
struct Openings<'a> {
    calendar: &'a Calendar,
    at: Moment,
    stretch: Option<Stretch>,
    /// Openings found and not given yet, the next one last.
    ready: Vec<(Moment, Moment)>,
    days_left: u16,
}

impl Openings<'_> {
    fn stretch(&mut self, at: Timestamp) -> Stretch {
        let zone = &self.calendar.zone;
        let fresh = || Stretch {
            offset: zone.to_offset(at),
            ends: zone.following(at).next().map(|it| Moment::of(it.timestamp())),
        };
        *self.stretch.get_or_insert_with(fresh)
    }

    /// Finds the openings of what is left of one day in one stretch; none when the calendar of the library ends.
    fn fill(&mut self) -> Option<()> {
        let at = self.at.timestamp()?;
        let Stretch { offset, ends } = self.stretch(at);
        let date = offset.to_datetime(at).date();
        let midnight = Moment::of(offset.to_timestamp(date.to_datetime(Time::midnight())).ok()?);
        let tomorrow = date.checked_add(1.day()).ok()?.to_datetime(Time::midnight());
        let day_ends = Moment::of(offset.to_timestamp(tomorrow).ok()?);
        let until = ends.map_or(day_ends, |it| it.min(day_ends));
        let at = self.at;
        let clipped = |slot: &Slot| {
            let minute = |it: u16| Moment(midnight.0 + i64::from(it) * MINUTE_MICROS);
            let (opens, closes) = (minute(slot.from_min).max(at), minute(slot.to_min).min(until));
            (opens < closes).then_some((opens, closes))
        };
        self.ready.extend(self.calendar.hours_on(date).slots().iter().rev().filter_map(clipped));
        if ends == Some(until) {
            self.stretch = None;
        }
        self.at = until;
        Some(())
    }
}

impl Iterator for Openings<'_> {
    type Item = (Moment, Moment);

    fn next(&mut self) -> Option<(Moment, Moment)> {
        while self.ready.is_empty() {
            self.days_left = self.days_left.checked_sub(1)?;
            self.fill()?;
        }
        self.ready.pop()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn calendar(week: &str, exceptions: &str) -> Calendar {
        let week = week.parse().expect("a week");
        let exceptions = exceptions.parse().expect("exceptions");
        Calendar::new("Europe/Paris", week, Holidays::France, exceptions).expect("a calendar")
    }

    fn office() -> Calendar {
        calendar("mon-fri 08:00-12:00 13:00-18:00", "")
    }

    fn at(text: &str) -> Moment {
        Moment::of(text.parse().expect("a moment"))
    }

    #[test]
    fn a_break_and_a_week_end_do_not_count() {
        // Friday 2026-11-20 in winter time.
        let from = at("2026-11-20T16:30+01");
        assert_eq!(office().after(from, 2 * HOUR), Some(at("2026-11-23T08:30+01")));
        assert_eq!(office().open_between(from, at("2026-11-23T13:30+01")), 6 * HOUR);
        assert_eq!(office().open_between(from, from), Duration::ZERO);
        assert_eq!(office().open_between(at("2026-11-23T13:30+01"), from), Duration::ZERO);
    }

    #[test]
    fn the_end_of_an_opening_is_early_enough() {
        assert_eq!(office().after(at("2026-11-20T17:00+01"), HOUR), Some(at("2026-11-20T18:00+01")));
        assert_eq!(
            office().after(at("2026-11-20T18:00+01"), Duration::ZERO),
            Some(at("2026-11-20T18:00+01"))
        );
    }

    #[test]
    fn open_is_open_from_the_first_minute_to_before_the_last() {
        assert!(office().is_open(at("2026-11-20T08:00+01")));
        assert!(!office().is_open(at("2026-11-20T12:00+01")));
        assert!(!office().is_open(at("2026-11-11T10:00+01")));
        assert_eq!(office().next_open(at("2026-11-20T12:00+01")), Some(at("2026-11-20T13:00+01")));
    }

    #[test]
    fn the_year_ends_on_a_holiday() {
        let from = at("2026-12-31T17:00+01");
        // Friday 1 January, Saturday, Sunday, then Monday 4 January 2027.
        assert_eq!(office().after(from, 2 * HOUR), Some(at("2027-01-04T09:00+01")));
    }

    #[test]
    fn a_service_day_and_night_has_days_of_23_and_25_hours() {
        let service = calendar("mon-sun 00:00-24:00", "");
        let day = |from: &str, to: &str| service.open_between(at(from), at(to));
        assert_eq!(day("2026-03-29T00:00+01", "2026-03-30T00:00+02"), 23 * HOUR);
        assert_eq!(day("2026-10-25T00:00+02", "2026-10-26T00:00+01"), 25 * HOUR);
        assert_eq!(service.after(at("2026-03-28T12:00+01"), 24 * HOUR), Some(at("2026-03-29T13:00+02")));
        assert_eq!(service.after(at("2026-10-24T12:00+02"), 24 * HOUR), Some(at("2026-10-25T11:00+01")));
    }

    #[test]
    fn hours_the_clock_jumps_over_do_not_exist_and_those_it_repeats_count_twice() {
        let night = calendar("mon-sun 02:00-03:00", "");
        let open = |from: &str, to: &str| night.open_between(at(from), at(to));
        assert_eq!(open("2026-03-29T00:00+01", "2026-03-29T12:00+02"), Duration::ZERO);
        assert_eq!(open("2026-10-25T00:00+02", "2026-10-25T12:00+01"), 2 * HOUR);
        let half = calendar("mon-sun 02:30-03:30", "");
        assert_eq!(half.open_between(at("2026-03-29T00:00+01"), at("2026-03-29T12:00+02")), HOUR / 2);
        // 02:30–03:00 in summer time, then 02:30–03:30 in winter time.
        assert_eq!(half.open_between(at("2026-10-25T00:00+02"), at("2026-10-25T12:00+01")), HOUR * 3 / 2);
    }

    #[test]
    fn an_exception_goes_before_the_week_and_before_holidays() {
        let service = calendar(
            "mon-fri 08:00-18:00",
            "2026-12-24 08:00-12:00\n2026-12-25 09:00-10:00\n2026-12-28..2026-12-31 closed",
        );
        assert_eq!(service.open_between(at("2026-12-24T00:00+01"), at("2027-01-01T00:00+01")), 5 * HOUR);
        assert_eq!(service.hours_on(date(2026, 12, 28)), OpenHours::default());
        assert_eq!(service.after(at("2026-12-24T11:00+01"), 2 * HOUR), Some(at("2026-12-25T10:00+01")));
    }

    #[test]
    fn special_days_are_exceptions_and_holidays_that_would_have_been_open() {
        let service = calendar("mon-fri 08:00-18:00", "2026-12-24 08:00-12:00 Christmas Eve");
        let days = service.special_days(at("2026-11-01T12:00+01"), 90);
        let shown: Vec<String> =
            days.iter().map(|it| format!("{} {} {:?}", it.date, it.label, it.holiday)).collect();
        // The first of November 2026 is a Sunday.
        assert_eq!(
            shown,
            [
                "2026-11-11  Some(Armistice)",
                "2026-12-24 Christmas Eve None",
                "2026-12-25  Some(Christmas)",
                "2027-01-01  Some(NewYear)"
            ]
        );
    }

    #[test]
    fn a_service_that_stays_closed_has_no_deadline() {
        let closed = calendar("mon 08:00-12:00", "2026-01-01..2099-12-31 closed");
        assert_eq!(closed.after(at("2026-02-01T00:00+01"), HOUR), None);
        assert_eq!(closed.next_open(at("2026-02-01T00:00+01")), None);
        assert_eq!(office().after(Moment(i64::MAX), HOUR), None);
        assert_eq!(office().after(Moment(i64::MIN), HOUR), None);
    }

    #[test]
    fn a_day_of_a_target_is_the_longest_of_the_week() {
        assert_eq!(calendar("mon-thu 08:00-12:00 13:00-18:00; fri 08:00-12:00", "").target_day(), 9 * HOUR);
        assert_eq!(Calendar::always().target_day(), 24 * HOUR);
    }
}
