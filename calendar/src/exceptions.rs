//! Days that differ from the week: closures, shortened days, a Saturday that is worked.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::hours::OpenHours;
use crate::refusal::{CalendarRefusal, quoted};

/// Lines of one calendar: a closure a week for more than seven years.
pub const EXCEPTIONS_MAX: usize = 400;
/// Characters of a label.
const LABEL_CHARS_MAX: usize = 80;

/// Days with their own hours. They go before the week and before public holidays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
    /// When it is open on each of these days; never when closed.
    pub hours: OpenHours,
    /// Why, for people.
    pub label: String,
}

/// All exceptions of a calendar by date; no day is in two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions(Vec<Exception>);

impl Exceptions {
    /// The exceptions by date.
    pub fn list(&self) -> &[Exception] {
        &self.0
    }

    /// The exception that holds on that day.
    pub fn on(&self, date: Date) -> Option<&Exception> {
        let place = self.0.partition_point(|it| it.last < date);
        self.0.get(place).filter(|it| it.first <= date)
    }
}

impl FromStr for Exceptions {
    type Err = CalendarRefusal;

    /// One line each: `2026-12-24 08:00-12:00 Christmas Eve`, `2026-08-03..2026-08-14 closed Summer`.
    fn from_str(text: &str) -> Result<Self, CalendarRefusal> {
        let lines = || text.lines().enumerate().filter(|it| !it.1.trim().is_empty());
        if lines().nth(EXCEPTIONS_MAX).is_some() {
            return Err(CalendarRefusal::TooManyLines(EXCEPTIONS_MAX));
        }
        let mut list = lines().map(|(at, line)| parse_line(at + 1, line)).collect::<Result<Vec<_>, _>>()?;
        list.sort_by_key(|it| it.first);
        match list.windows(2).find(|pair| pair[1].first <= pair[0].last) {
            Some(pair) => Err(CalendarRefusal::DateTwice(pair[1].first.to_string())),
            None => Ok(Self(list)),
        }
    }
}

fn parse_line(line_no: usize, line: &str) -> Result<Exception, CalendarRefusal> {
    let (dates, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
    let (first, last) = parse_dates(dates)?;
    let is_hours = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains([':', 'h']);
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (hours, label) = match words.as_slice() {
        ["closed" | "fermé", label @ ..] => (OpenHours::default(), label),
        words => {
            let openings = words.iter().take_while(|it| is_hours(it)).count();
            if openings == 0 {
                return Err(CalendarRefusal::NoHours(line_no));
            }
            (words[..openings].join(" ").parse()?, &words[openings..])
        }
    };
    let label = label.join(" ").chars().take(LABEL_CHARS_MAX).collect();
    Ok(Exception { first, last, hours, label })
}

fn parse_dates(text: &str) -> Result<(Date, Date), CalendarRefusal> {
    let refused = || CalendarRefusal::Date(quoted(text));
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let date = |it: &str| -> Result<Date, CalendarRefusal> {
        let plain = it.len() == 10 && it.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        if plain { it.parse().map_err(|_| refused()) } else { Err(refused()) }
    };
    let (first, last) = (date(first)?, date(last)?);
    if first <= last { Ok((first, last)) } else { Err(refused()) }
}

impl fmt::Display for Exceptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Exception { first, last, hours, label } in &self.0 {
            write!(f, "{first}")?;
            if first != last {
                write!(f, "..{last}")?;
            }
            if hours.slots().is_empty() {
                f.write_str(" closed")?;
            } else {
                write!(f, " {hours}")?;
            }
            if !label.is_empty() {
                write!(f, " {label}")?;
            }
            f.write_str("\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn exceptions(text: &str) -> Result<Exceptions, CalendarRefusal> {
        text.parse()
    }

    #[test]
    fn exceptions_are_written_as_they_are_read() {
        let text = "2026-08-03..2026-08-14 closed Summer\n2026-12-24 08:00-12:00 Christmas Eve\n";
        let list = exceptions(text).expect("exceptions");
        assert_eq!(list.to_string(), text);
        assert!(list.on(date(2026, 8, 14)).is_some_and(|it| it.hours.slots().is_empty()));
        assert!(list.on(date(2026, 8, 15)).is_none());
        assert_eq!(list.on(date(2026, 12, 24)).map(|it| it.hours.minutes()), Some(240));
        assert_eq!(exceptions("\n\n"), Ok(Exceptions::default()));
    }

    #[test]
    fn what_is_no_exception_says_why() {
        assert_eq!(exceptions("24/12/2026 closed"), Err(CalendarRefusal::Date("24/12/2026".into())));
        assert_eq!(exceptions("2026-02-30 closed"), Err(CalendarRefusal::Date("2026-02-30".into())));
        assert_eq!(exceptions("\n2026-12-24"), Err(CalendarRefusal::NoHours(2)));
        assert_eq!(
            exceptions("2026-08-03..2026-08-14 closed\n2026-08-14 08:00-09:00"),
            Err(CalendarRefusal::DateTwice("2026-08-14".into()))
        );
        let reversed = "2026-08-14..2026-08-03";
        assert_eq!(exceptions(&format!("{reversed} closed")), Err(CalendarRefusal::Date(reversed.into())));
    }
}
