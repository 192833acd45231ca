//! From when until when an agreement holds, tacit renewal counted.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::refusal::{CalendarRefusal, quoted};

/// A day of the wall clock.
pub type Day = Date;

/// Longest renewal, months: ten years.
const RENEWAL_MONTHS_MAX: i64 = 120;
/// Renewals that are followed: more than a hundred years of monthly ones.
const RENEWALS_MAX: i64 = 1_500;

/// First and last day of an agreement, and by how much it goes on when nobody ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    starts_on: Day,
    ends_on: Option<Day>,
    renewal_months: i64,
}

/// Where a day lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermStanding {
    /// Before it begins.
    Ahead,
    /// Within it, until the last day of the present period; without one it has no end.
    Live {
        /// The last day.
        until: Option<Day>,
    },
    /// After its end.
    Ended,
}

impl Term {
    /// From dates as `2026-12-31`; an empty end means none. Without renewal the months are 0.
    ///
    /// # Errors
    ///
    /// The text that is no date, or an end before the beginning.
    pub fn parse(starts_on: &str, ends_on: &str, renewal_months: i64) -> Result<Self, CalendarRefusal> {
        let date = |text: &str| -> Result<Day, CalendarRefusal> {
            text.trim().parse().map_err(|_| CalendarRefusal::Date(quoted(text)))
        };
        let starts_on = date(starts_on)?;
        let ends_on = if ends_on.trim().is_empty() { None } else { Some(date(ends_on)?) };
        if ends_on.is_some_and(|it| it < starts_on) {
            return Err(CalendarRefusal::Date(quoted(
                &ends_on.map_or_else(String::new, |it| it.to_string()),
            )));
        }
        if !(0..=RENEWAL_MONTHS_MAX).contains(&renewal_months) {
            return Err(CalendarRefusal::Renewal(RENEWAL_MONTHS_MAX));
        }
        Ok(Self { starts_on, ends_on, renewal_months })
    }

    /// First day.
    pub fn starts_on(&self) -> Day {
        self.starts_on
    }

    /// Last day as agreed, before any renewal.
    pub fn ends_on(&self) -> Option<Day> {
        self.ends_on
    }

    /// Where `day` lies.
    pub fn standing_on(&self, day: Day) -> TermStanding {
        let Some(end) = self.ends_on else {
            return if day < self.starts_on {
                TermStanding::Ahead
            } else {
                TermStanding::Live { until: None }
            };
        };
        if day < self.starts_on {
            return TermStanding::Ahead;
        }
        // Each period is counted from the agreed end, so that one that ends on the 31st does so again after a February.
        let renewed = |count: i64| end.checked_add((count * self.renewal_months).months()).ok();
        let periods = if self.renewal_months == 0 { 0 } else { RENEWALS_MAX };
        let until = (0..=periods).map_while(renewed).find(|it| day <= *it);
        until.map_or(TermStanding::Ended, |it| TermStanding::Live { until: Some(it) })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn live(until: Day) -> TermStanding {
        TermStanding::Live { until: Some(until) }
    }

    #[test]
    fn both_ends_belong_to_it() {
        let term = Term::parse("2026-01-01", "2026-12-31", 0).expect("a term");
        assert_eq!(term.standing_on(date(2025, 12, 31)), TermStanding::Ahead);
        assert_eq!(term.standing_on(date(2026, 1, 1)), live(date(2026, 12, 31)));
        assert_eq!(term.standing_on(date(2026, 12, 31)), live(date(2026, 12, 31)));
        assert_eq!(term.standing_on(date(2027, 1, 1)), TermStanding::Ended);
    }

    #[test]
    fn tacit_renewal_goes_on_by_whole_periods() {
        let yearly = Term::parse("2023-03-01", "2024-02-29", 12).expect("a term");
        assert_eq!(yearly.standing_on(date(2025, 2, 28)), live(date(2025, 2, 28)));
        assert_eq!(yearly.standing_on(date(2025, 3, 1)), live(date(2026, 2, 28)));
        let monthly = Term::parse("2026-01-01", "2026-01-31", 1).expect("a term");
        assert_eq!(monthly.standing_on(date(2026, 3, 30)), live(date(2026, 3, 31)));
    }

    #[test]
    fn an_agreement_without_end_lasts() {
        let term = Term::parse("2020-01-01", "", 0).expect("a term");
        assert_eq!(term.standing_on(date(9999, 1, 1)), TermStanding::Live { until: None });
    }

    #[test]
    fn an_end_before_the_beginning_is_refused() {
        assert!(Term::parse("2026-01-02", "2026-01-01", 0).is_err());
        assert!(Term::parse("01/01/2026", "", 0).is_err());
        assert!(Term::parse("2026-01-01", "", 121).is_err());
        assert!(Term::parse("2026-01-01", "", -1).is_err());
    }
}
