//! Why a calendar or a target that somebody wrote is refused.

/// What is wrong with a text. It is quoted as far as a message can carry it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarRefusal {
    /// Not in the zone database.
    #[error("{0:?} is not a known time zone")]
    Zone(String),
    /// Not a day of the week, nor two of them.
    #[error("{0:?} is not a day: write mon, tue, wed, thu, fri, sat, sun or two of them as mon-fri")]
    Day(String),
    /// A day of the week is given twice.
    #[error("{0:?} is given twice")]
    DayTwice(String),
    /// Not two times of a day in their order.
    #[error("{0:?} is not an opening: write 08:00-12:00, at most until 24:00")]
    Slot(String),
    /// Two openings of one day share a minute.
    #[error("the opening {0:?} begins before the one before it ends")]
    Overlap(String),
    /// More openings in one day than [`SLOTS_PER_DAY_MAX`](crate::SLOTS_PER_DAY_MAX).
    #[error("has more than {0} openings in one day")]
    TooManySlots(usize),
    /// No open minute in the whole week.
    #[error("is never open")]
    NeverOpen,
    /// Not a date, nor two of them in their order.
    #[error("{0:?} is not a date: write 2026-12-24, or 2026-08-03..2026-08-14 for several days")]
    Date(String),
    /// Neither openings nor the word `closed` follow the date.
    #[error("line {0} says neither \"closed\" nor when it is open")]
    NoHours(usize),
    /// One day is in two lines.
    #[error("{0} is in two lines")]
    DateTwice(String),
    /// More lines than [`EXCEPTIONS_MAX`](crate::EXCEPTIONS_MAX).
    #[error("has more than {0} lines")]
    TooManyLines(usize),
    /// Not a rule for public holidays.
    #[error("{0:?} is not a holiday rule: write none, france or alsace_moselle")]
    Holidays(String),
    /// Not a length of time, or out of bounds.
    #[error("{0:?} is not a target: write 15m, 4h or 2d, at most 100d")]
    Target(String),
    /// A renewal by less than nothing or by more than these months.
    #[error("must be 0 to {0} months")]
    Renewal(i64),
    /// Not one target per priority.
    #[error("needs five targets, for priorities 1 to 5")]
    TargetCount,
}

impl CalendarRefusal {
    /// The word texts are found by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Zone(_) => "zone",
            Self::Day(_) => "day",
            Self::DayTwice(_) => "day-twice",
            Self::Slot(_) => "slot",
            Self::Overlap(_) => "overlap",
            Self::TooManySlots(_) => "too-many-slots",
            Self::NeverOpen => "never-open",
            Self::Date(_) => "date",
            Self::NoHours(_) => "no-hours",
            Self::DateTwice(_) => "date-twice",
            Self::TooManyLines(_) => "too-many-lines",
            Self::Holidays(_) => "holidays",
            Self::Target(_) => "target",
            Self::Renewal(_) => "renewal",
            Self::TargetCount => "target-count",
        }
    }

    /// The text or the number it is about; empty when there is none.
    pub fn about(&self) -> String {
        match self {
            Self::Zone(text)
            | Self::Day(text)
            | Self::DayTwice(text)
            | Self::Slot(text)
            | Self::Overlap(text)
            | Self::Date(text)
            | Self::DateTwice(text)
            | Self::Holidays(text)
            | Self::Target(text) => text.clone(),
            Self::TooManySlots(number) | Self::NoHours(number) | Self::TooManyLines(number) => {
                number.to_string()
            }
            Self::Renewal(months) => months.to_string(),
            Self::NeverOpen | Self::TargetCount => String::new(),
        }
    }
}

/// Characters of a refused text that are quoted.
const QUOTED_CHARS: usize = 40;

/// As much of a refused text as a message can carry.
pub(crate) fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_CHARS).collect()
}
