//! Days and clock times as they stand on a wall.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::Date;

use super::{UtcMicros, Zone};

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// From `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok().map(Self)
    }

    /// The day that a moment falls on in a zone.
    pub fn of(at: UtcMicros, zone: &Zone) -> Self {
        Self(at.timestamp().to_zoned(zone.0.clone()).date())
    }

    /// So many days later, earlier with a negative number; the end of the calendar when there are none left.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days.days()))
    }

    /// So many months later, on the last day of a month that is too short.
    #[must_use]
    pub fn plus_months(self, months: i32) -> Self {
        Self(self.0.saturating_add(months.months()))
    }

    /// 1 for Monday to 7 for Sunday.
    pub fn weekday(self) -> i8 {
        self.0.weekday().to_monday_one_offset()
    }

    /// The Monday of its week.
    #[must_use]
    pub fn monday(self) -> Self {
        self.plus(1 - i32::from(self.weekday()))
    }

    /// The first of its month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        Self(self.0.first_of_month())
    }

    /// Its first moment in a zone.
    pub fn start(self, zone: &Zone) -> UtcMicros {
        self.at(0, zone)
    }

    /// The moment at which the clock on the wall shows so many minutes after midnight. A time that the clock leaves
    /// out in spring is moved on, one that it shows twice in autumn is the first.
    pub fn at(self, minutes: u16, zone: &Zone) -> UtcMicros {
        let minutes = minutes.min(MINUTES - 1);
        let clock = self.0.at(hour(minutes), part(minutes), 0, 0);
        let zoned = clock.to_zoned(zone.0.clone());
        UtcMicros(zoned.map_or(0, |it| it.timestamp().as_microsecond()))
    }

    /// As a reader in France or Britain writes it: `23/11/2026`.
    pub fn shown(self) -> String {
        self.0.strftime("%d/%m/%Y").to_string()
    }

    /// Day and month: `23/11`.
    pub fn short(self) -> String {
        self.0.strftime("%d/%m").to_string()
    }
}

/// `YYYY-MM-DD`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Minutes of a day.
const MINUTES: u16 = 24 * 60;

fn hour(minutes: u16) -> i8 {
    i8::try_from(minutes / 60).unwrap_or(0)
}

fn part(minutes: u16) -> i8 {
    i8::try_from(minutes % 60).unwrap_or(0)
}

/// Minutes after midnight, from `HH:MM` as a browser's time field sends it; seconds are ignored.
pub fn parse_clock(text: &str) -> Option<u16> {
    let mut parts = text.trim().splitn(3, ':');
    let hours: u16 = parts.next()?.parse().ok()?;
    let minutes: u16 = parts.next()?.parse().ok()?;
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a day")
    }

    #[test]
    fn a_week_begins_on_monday() {
        assert_eq!(day("2026-11-22").weekday(), 7);
        assert_eq!(day("2026-11-22").monday().to_string(), "2026-11-16");
        assert_eq!(day("2026-11-16").monday().to_string(), "2026-11-16");
        assert_eq!(day("2026-12-31").plus(1).to_string(), "2027-01-01");
        assert_eq!(day("2026-01-31").plus_months(1).to_string(), "2026-02-28");
        assert_eq!(Day::parse("2026-02-30"), None);
    }

    #[test]
    fn the_clock_on_the_wall_leaves_an_hour_out_in_spring_and_repeats_one_in_autumn() {
        let paris = Zone::named("Europe/Paris").expect("zone data");
        assert_eq!(day("2026-11-23").at(9 * 60, &paris).rfc3339(), "2026-11-23T08:00:00Z");
        assert_eq!(day("2026-03-29").at(2 * 60 + 30, &paris).rfc3339(), "2026-03-29T01:30:00Z");
        assert_eq!(day("2026-10-25").at(2 * 60 + 30, &paris).rfc3339(), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn a_clock_time_is_read_as_browsers_send_it() {
        assert_eq!(parse_clock("09:15"), Some(555));
        assert_eq!(parse_clock("09:15:00"), Some(555));
        for text in ["", "24:00", "9", "10:60", "a:b"] {
            assert_eq!(parse_clock(text), None, "{text}");
        }
    }
}
