//! How long call-back and resolution may take, per priority.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::calendar::Calendar;
use crate::refusal::{CalendarRefusal, quoted};
use crate::rules::ClockKind;

/// Longest target, days: longer ones are plans, not service levels.
const DAYS_MAX: u32 = 100;
/// Priorities, 1 to 5.
const PRIORITIES: usize = 5;

/// A length of open time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Open minutes.
    Minutes(u32),
    /// Open days: the longest day of the calendar, each.
    Days(u32),
}

/// Targets of both clocks by priority, 1 first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Targets {
    /// Until the first attempt to call back.
    pub call_back: [Target; PRIORITIES],
    /// Until resolved.
    pub resolution: [Target; PRIORITIES],
}

impl Target {
    /// How much open time it is in that calendar.
    pub fn in_calendar(self, calendar: &Calendar) -> Duration {
        match self {
            Self::Minutes(minutes) => Duration::from_secs(u64::from(minutes) * 60),
            Self::Days(days) => calendar.target_day() * days,
        }
    }
}

impl FromStr for Target {
    type Err = CalendarRefusal;

    /// `15m`, `4h` or `2d`; not nothing, at most 100 days.
    fn from_str(text: &str) -> Result<Self, CalendarRefusal> {
        let refused = || CalendarRefusal::Target(quoted(text));
        let trimmed = text.trim();
        let digits = trimmed.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refused());
        }
        let count: u32 = digits.parse().map_err(|_| refused())?;
        let (target, max) = match &trimmed[digits.len()..] {
            "m" => (Self::Minutes(count), DAYS_MAX * 24 * 60),
            "h" => (Self::Minutes(count.checked_mul(60).ok_or_else(refused)?), DAYS_MAX * 24),
            "d" => (Self::Days(count), DAYS_MAX),
            _ => return Err(refused()),
        };
        if (1..=max).contains(&count) { Ok(target) } else { Err(refused()) }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minutes(minutes) if minutes % 60 == 0 => write!(f, "{}h", minutes / 60),
            Self::Minutes(minutes) => write!(f, "{minutes}m"),
            Self::Days(days) => write!(f, "{days}d"),
        }
    }
}

impl Targets {
    /// The target of a clock at a priority; one out of range is the nearest.
    pub fn of(&self, clock: ClockKind, priority: i64) -> Target {
        let place = usize::try_from(priority.clamp(1, 5) - 1).unwrap_or(0);
        match clock {
            ClockKind::CallBack => self.call_back[place],
            ClockKind::Resolution => self.resolution[place],
        }
    }

    /// From two texts of five targets each.
    pub fn parse(call_back: &str, resolution: &str) -> Result<Self, CalendarRefusal> {
        Ok(Self { call_back: parse_row(call_back)?, resolution: parse_row(resolution)? })
    }

    /// The two texts they are read from.
    pub fn texts(&self) -> (String, String) {
        (row_text(&self.call_back), row_text(&self.resolution))
    }
}

fn parse_row(text: &str) -> Result<[Target; PRIORITIES], CalendarRefusal> {
    let row =
        text.split_whitespace().take(PRIORITIES + 1).map(str::parse).collect::<Result<Vec<Target>, _>>()?;
    row.try_into().map_err(|_| CalendarRefusal::TargetCount)
}

fn row_text(row: &[Target]) -> String {
    row.iter().map(Target::to_string).collect::<Vec<_>>().join(" ")
}

impl Default for Targets {
    /// What holds without a contract that says otherwise.
    fn default() -> Self {
        use Target::{Days, Minutes};
        Self {
            call_back: [Minutes(15), Minutes(60), Minutes(240), Days(1), Days(2)],
            resolution: [Minutes(240), Days(1), Days(3), Days(5), Days(10)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_written_as_they_are_read() {
        let targets = Targets::default();
        let (call_back, resolution) = targets.texts();
        assert_eq!(call_back, "15m 1h 4h 1d 2d");
        assert_eq!(resolution, "4h 1d 3d 5d 10d");
        assert_eq!(Targets::parse(&call_back, &resolution), Ok(targets));
        assert_eq!(targets.of(ClockKind::CallBack, 2), Target::Minutes(60));
        assert_eq!(targets.of(ClockKind::Resolution, 9), Target::Days(10));
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for text in ["", "0m", "15", "m", "101d", "-1h", "1 h", "4294967295h", "99999999999d", "1w", "1é"] {
            assert_eq!(text.parse::<Target>(), Err(CalendarRefusal::Target(text.into())), "{text}");
        }
        assert_eq!(Targets::parse("1h 1h 1h 1h", "1h 1h 1h 1h 1h"), Err(CalendarRefusal::TargetCount));
        assert_eq!(Targets::parse("1h 1h 1h 1h 1h 1h", "1h 1h 1h 1h 1h"), Err(CalendarRefusal::TargetCount));
    }

    #[test]
    fn a_day_is_as_long_as_the_calendars_day() {
        let week = "mon-fri 08:00-12:00 13:00-18:00".parse().expect("a week");
        let office =
            Calendar::new("Europe/Paris", week, crate::Holidays::France, crate::Exceptions::default())
                .expect("a calendar");
        assert_eq!(Target::Days(2).in_calendar(&office), Duration::from_hours(18));
        assert_eq!(Target::Minutes(15).in_calendar(&office), Duration::from_mins(15));
    }
}
