//! Time: microseconds since 1970 UTC in rows and rules, a [`Clock`] that is handed in, and the only
//! module that knows the calendar library.

mod day;

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use day::{Day, parse_clock};

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    sqlx::Type,
    serde::Serialize,
    serde::Deserialize,
)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct UtcMicros(pub i64);

impl UtcMicros {
    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// From whole seconds since 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with seconds, as REST and exports show it.
    pub fn rfc3339(self) -> String {
        self.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Parses RFC 3339, or a plain `YYYY-MM-DD` as midnight in `zone`.
    pub fn parse(text: &str, zone: &Zone) -> Option<Self> {
        if let Ok(stamp) = text.parse::<Timestamp>() {
            return Some(Self(stamp.as_microsecond()));
        }
        let date: jiff::civil::Date = text.parse().ok()?;
        let zoned = date.to_zoned(zone.0.clone()).ok()?;
        Some(Self(zoned.timestamp().as_microsecond()))
    }

    /// Parses RFC 3339, or a plain `YYYY-MM-DD` as the last moment of that day in `zone`.
    pub fn parse_until(text: &str, zone: &Zone) -> Option<Self> {
        if let Ok(stamp) = text.parse::<Timestamp>() {
            return Some(Self(stamp.as_microsecond()));
        }
        let date: jiff::civil::Date = text.parse().ok()?;
        match date.tomorrow().and_then(|next| next.to_zoned(zone.0.clone())) {
            Ok(midnight) => Some(Self(midnight.timestamp().as_microsecond() - 1)),
            // Only the ends of the calendar have no midnight.
            Err(_) => (date.year() > 0).then_some(Self(i64::MAX)),
        }
    }

    /// Parses a moment of the wall clock in `zone` as browsers write it, `2026-11-20T17:50`. A moment that the clock
    /// shows twice is the first one, one that it jumps over the one as long after the jump.
    pub fn parse_local(text: &str, zone: &Zone) -> Option<Self> {
        let local: jiff::civil::DateTime = text.parse().ok()?;
        let zoned = local.to_zoned(zone.0.clone()).ok()?;
        Some(Self(zoned.timestamp().as_microsecond()))
    }

    /// Formats in a time zone with `strftime` codes that carry no words (`%d/%m/%Y %H:%M`).
    pub fn format(self, zone: &Zone, codes: &str) -> String {
        self.timestamp().to_zoned(zone.0.clone()).strftime(codes).to_string()
    }

    /// Year and month in a time zone, for ticket numbers.
    pub fn year_month(self, zone: &Zone) -> (i16, i8) {
        let zoned = self.timestamp().to_zoned(zone.0.clone());
        (zoned.year(), zoned.month())
    }

    /// The end of the `days`-th working day after this moment's day, Monday to Friday on the wall of `zone`: whoever
    /// is given five working days on a Wednesday has until the next Wednesday's midnight.
    #[must_use]
    pub fn plus_working_days(self, days: u32, zone: &Zone) -> Self {
        let mut date = self.timestamp().to_zoned(zone.0.clone()).date();
        let mut left = days;
        while left > 0 {
            let Ok(next) = date.tomorrow() else { return Self(i64::MAX) };
            date = next;
            if !matches!(date.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday) {
                left -= 1;
            }
        }
        let midnight = date.tomorrow().and_then(|it| it.to_zoned(zone.0.clone()));
        midnight.map_or(Self(i64::MAX), |it| Self(it.timestamp().as_microsecond() - 1))
    }

    fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl Add<Duration> for UtcMicros {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for UtcMicros {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// A time zone by its IANA name.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// Looks a zone up, `Europe/Paris` for instance.
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }
}

/// Days, as a span.
pub const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

/// Minutes, as a span.
pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// Where the present comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> UtcMicros;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the present is read")]
    fn now(&self) -> UtcMicros {
        UtcMicros(Timestamp::now().as_microsecond())
    }
}

/// A clock that stands still until it is moved, for tests.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: UtcMicros) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Moves the clock on.
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UtcMicros {
        UtcMicros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_of_a_ticket_is_the_one_on_the_wall_of_the_site() {
        let zone = Zone::named("Europe/Paris").expect("zone data");
        let last_hour_of_october_utc = UtcMicros::parse("2026-10-31T23:30:00Z", &zone).expect("valid");
        assert_eq!(last_hour_of_october_utc.year_month(&zone), (2026, 11));
        assert_eq!(last_hour_of_october_utc.year_month(&Zone::utc()), (2026, 10));
    }

    #[test]
    fn a_plain_date_is_midnight_on_site() {
        let zone = Zone::named("Europe/Paris").expect("zone data");
        let moment = UtcMicros::parse("2026-07-14", &zone).expect("valid");
        assert_eq!(moment.rfc3339(), "2026-07-13T22:00:00Z");
    }

    #[test]
    fn working_days_end_with_the_day_on_site() {
        let zone = Zone::named("Europe/Paris").expect("zone data");
        let after = |text, days| {
            UtcMicros::parse(text, &zone).expect("valid").plus_working_days(days, &zone).rfc3339()
        };
        assert_eq!(after("2026-11-18T09:00:00Z", 5), "2026-11-25T22:59:59Z", "a Wednesday");
        assert_eq!(after("2026-11-20T22:59:00Z", 1), "2026-11-23T22:59:59Z", "a Friday's last minute");
        assert_eq!(after("2026-11-20T23:00:00Z", 1), "2026-11-23T22:59:59Z", "already Saturday in Paris");
        assert_eq!(after("2026-10-23T10:00:00Z", 1), "2026-10-26T22:59:59Z", "over the change of the clock");
    }

    #[test]
    fn until_a_date_is_until_its_end_on_site() {
        let zone = Zone::named("Europe/Paris").expect("zone data");
        let until = |text| UtcMicros::parse_until(text, &zone);
        assert_eq!(until("2026-07-14").expect("valid").rfc3339(), "2026-07-14T21:59:59Z");
        // The day on which the clock goes back has 25 hours.
        assert_eq!(until("2026-10-25").expect("valid").rfc3339(), "2026-10-25T22:59:59Z");
        assert_eq!(until("2026-07-14T10:00:00Z").expect("valid").rfc3339(), "2026-07-14T10:00:00Z");
        assert_eq!(until("9999-12-31"), Some(UtcMicros(i64::MAX)));
        assert_eq!(until("yesterday"), None);
    }
}
