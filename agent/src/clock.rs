//! The one place that reads the time; everything else is given it.

use std::time::SystemTime;

/// Microseconds since 1970 UTC.
pub type UtcMicros = i64;

/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;

/// Tells the time.
pub trait Clock {
    /// Now. Workstation clocks are wrong at times: nothing but display and waiting may rely on it.
    fn now_us(&self) -> UtcMicros;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the rest is given")]
    fn now_us(&self) -> UtcMicros {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since_epoch.map_or(0, |it| i64::try_from(it.as_micros()).unwrap_or(i64::MAX))
    }
}

/// `2026-11-21 14:03:09 UTC`, for people.
pub fn utc_text(at: UtcMicros) -> String {
    let seconds = at.div_euclid(SECOND_US);
    let (year, month, day) = civil_date(seconds.div_euclid(86_400));
    let second_of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Proleptic Gregorian date of a day counted from 1970-01-01. Years are counted from 1 March, so that
/// the leap day is the last of its year and month lengths follow from one line.
fn civil_date(days: i64) -> (i64, i64, i64) {
    const DAYS_BEFORE_1970: i64 = 719_468; // from 0000-03-01
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let day = days + DAYS_BEFORE_1970;
    let era = day.div_euclid(DAYS_IN_400_YEARS);
    let day = day.rem_euclid(DAYS_IN_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let january_or_february = i64::from(month <= 2);
    (era * 400 + year + january_or_february, month, day - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_gregorian_calendar() {
        assert_eq!(utc_text(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc_text(951_782_400 * SECOND_US), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc_text(1_795_269_789 * SECOND_US), "2026-11-21 14:03:09 UTC");
        assert_eq!(utc_text(4_107_542_399 * SECOND_US), "2100-02-28 23:59:59 UTC");
        assert_eq!(utc_text(-1), "1969-12-31 23:59:59 UTC");
    }
}
