//! Opening hours of a day and of a week.

use std::fmt;
use std::str::FromStr;

use crate::refusal::{CalendarRefusal, quoted};

/// Openings of one day; more than this is a mistake.
pub const SLOTS_PER_DAY_MAX: usize = 8;

/// Minutes of a day without change of clock.
const DAY_MINUTES: u16 = 24 * 60;

/// Names of the days as they are stored, Monday first.
const DAY_NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Names of the days that are understood as well.
const FRENCH_DAY_NAMES: [&str; 7] = ["lun", "mar", "mer", "jeu", "ven", "sam", "dim"];

/// One opening, in minutes of the wall clock: open from the first, closed again from the second, 0 to 1440.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// First open minute.
    pub from_min: u16,
    /// First minute that is not open any more.
    pub to_min: u16,
}

/// Openings of one day, in their order, without a shared minute; none when closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OpenHours(Vec<Slot>);

/// Openings of a week, Monday first. At least one minute is open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Week([OpenHours; 7]);

impl Slot {
    fn parse(text: &str) -> Result<Self, CalendarRefusal> {
        let refused = || CalendarRefusal::Slot(quoted(text));
        let (from, to) = text.split_once('-').ok_or_else(refused)?;
        let slot = Self {
            from_min: minute_of_day(from).ok_or_else(refused)?,
            to_min: minute_of_day(to).ok_or_else(refused)?,
        };
        if slot.from_min < slot.to_min { Ok(slot) } else { Err(refused()) }
    }
}

/// `08:00`, `8:00` or `24:00`; in French also `8h00`.
fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once([':', 'h'])?;
    let digits = |it: &str| (1..=2).contains(&it.len()) && it.bytes().all(|b| b.is_ascii_digit());
    if !digits(hours) || minutes.len() != 2 || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY_MINUTES).then_some(minute)
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from_min, self.to_min);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl OpenHours {
    /// The whole day.
    pub fn whole_day() -> Self {
        Self(vec![Slot { from_min: 0, to_min: DAY_MINUTES }])
    }

    /// The openings in their order.
    pub fn slots(&self) -> &[Slot] {
        &self.0
    }

    /// Open minutes of a day without change of clock.
    pub fn minutes(&self) -> u32 {
        self.0.iter().map(|it| u32::from(it.to_min - it.from_min)).sum()
    }
}

impl FromStr for OpenHours {
    type Err = CalendarRefusal;

    /// `08:00-12:00 13:00-18:00`, in any order; nothing at all is a closed day.
    fn from_str(text: &str) -> Result<Self, CalendarRefusal> {
        let words = || text.split([' ', ',', '\t']).filter(|it| !it.is_empty());
        if words().nth(SLOTS_PER_DAY_MAX).is_some() {
            return Err(CalendarRefusal::TooManySlots(SLOTS_PER_DAY_MAX));
        }
        let mut slots = words().map(Slot::parse).collect::<Result<Vec<Slot>, _>>()?;
        slots.sort_by_key(|it| it.from_min);
        match slots.windows(2).find(|pair| pair[1].from_min < pair[0].to_min) {
            Some(pair) => Err(CalendarRefusal::Overlap(pair[1].to_string())),
            None => Ok(Self(slots)),
        }
    }
}

impl fmt::Display for OpenHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, slot) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{slot}")?;
        }
        Ok(())
    }
}

impl Week {
    /// From seven days, Monday first.
    ///
    /// # Errors
    ///
    /// [`CalendarRefusal::NeverOpen`].
    pub fn of_days(days: [OpenHours; 7]) -> Result<Self, CalendarRefusal> {
        if days.iter().all(|it| it.slots().is_empty()) {
            return Err(CalendarRefusal::NeverOpen);
        }
        Ok(Self(days))
    }

    /// Day and night.
    pub fn always() -> Self {
        Self(std::array::from_fn(|_| OpenHours::whole_day()))
    }

    /// The seven days, Monday first.
    pub fn days(&self) -> &[OpenHours; 7] {
        &self.0
    }

    /// Open minutes of the longest day: what one day of a target means.
    pub fn longest_day_min(&self) -> u32 {
        self.0.iter().map(OpenHours::minutes).max().unwrap_or(0)
    }
}

impl FromStr for Week {
    type Err = CalendarRefusal;

    /// `mon-fri 08:00-12:00 13:00-18:00; sat 09:00-12:00`, or with French names: `lun-ven`. Days that are not named are
    /// closed.
    fn from_str(text: &str) -> Result<Self, CalendarRefusal> {
        let mut days: [Option<OpenHours>; 7] = std::array::from_fn(|_| None);
        for part in text.split([';', '\n']).map(str::trim).filter(|it| !it.is_empty()) {
            let (names, hours) = part.split_once(' ').unwrap_or((part, ""));
            let hours: OpenHours = hours.parse()?;
            for day in named_days(names)? {
                if days[day].replace(hours.clone()).is_some() {
                    return Err(CalendarRefusal::DayTwice(DAY_NAMES[day].to_owned()));
                }
            }
        }
        Self::of_days(days.map(Option::unwrap_or_default))
    }
}

/// `mon` or `mon-fri` as places in the week.
fn named_days(text: &str) -> Result<std::ops::RangeInclusive<usize>, CalendarRefusal> {
    let refused = || CalendarRefusal::Day(quoted(text));
    let in_list = |list: [&str; 7], name: &str| list.iter().position(|it| it.eq_ignore_ascii_case(name));
    let place =
        |name: &str| in_list(DAY_NAMES, name).or_else(|| in_list(FRENCH_DAY_NAMES, name)).ok_or_else(refused);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (place(first)?, place(last)?);
    if first <= last { Ok(first..=last) } else { Err(refused()) }
}

impl Week {
    /// The text it is read from, with the French names of the days.
    pub fn in_french(&self) -> String {
        self.written(&FRENCH_DAY_NAMES)
    }

    /// Neighbours with the same hours are put together.
    fn written(&self, names: &[&str; 7]) -> String {
        let mut parts = Vec::new();
        let mut day = 0;
        while day < names.len() {
            let hours = &self.0[day];
            let alike = self.0[day..].iter().take_while(|it| *it == hours).count();
            let last = day + alike - 1;
            match (hours.slots().is_empty(), alike) {
                (true, _) => {}
                (false, 1) => parts.push(format!("{} {hours}", names[day])),
                (false, _) => parts.push(format!("{}-{} {hours}", names[day], names[last])),
            }
            day += alike;
        }
        parts.join("; ")
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(&DAY_NAMES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(text: &str) -> Result<Week, CalendarRefusal> {
        text.parse()
    }

    #[test]
    fn a_week_is_written_as_it_is_read() {
        for text in [
            "mon-fri 08:00-12:00 13:00-18:00; sat 09:00-12:00",
            "mon-sun 00:00-24:00",
            "tue 08:00-12:00; thu 08:00-12:00",
        ] {
            assert_eq!(week(text).expect("a week").to_string(), text);
        }
        let typed = week("Mon-Fri 13:00-18:00, 8:00-12:00 ;").expect("a week");
        assert_eq!(typed.to_string(), "mon-fri 08:00-12:00 13:00-18:00");
        assert_eq!(typed.longest_day_min(), 540);
        assert_eq!(week("Lun-ven 8h00-12h00 13h00-18h00"), Ok(typed.clone()));
        assert_eq!(week(&typed.in_french()), Ok(typed));
    }

    #[test]
    fn what_is_no_week_says_why() {
        assert_eq!(week(""), Err(CalendarRefusal::NeverOpen));
        assert_eq!(week("mon-fri"), Err(CalendarRefusal::NeverOpen));
        assert_eq!(week("fri-mon 08:00-12:00"), Err(CalendarRefusal::Day("fri-mon".into())));
        assert_eq!(week("lundi 08:00-12:00"), Err(CalendarRefusal::Day("lundi".into())));
        assert_eq!(week("mon 08:00-12:00; mon 13:00-14:00"), Err(CalendarRefusal::DayTwice("mon".into())));
        for slot in
            ["12:00-08:00", "08:00", "08:00-08:00", "25:00-26:00", "08:60-09:00", "+8:00-09:00", "8-9"]
        {
            assert_eq!(week(&format!("mon {slot}")), Err(CalendarRefusal::Slot(slot.into())));
        }
        assert_eq!(week("mon 08:00-12:00 11:59-13:00"), Err(CalendarRefusal::Overlap("11:59-13:00".into())));
        assert_eq!(
            week(&format!("mon {}", "08:00-08:01 ".repeat(9))),
            Err(CalendarRefusal::TooManySlots(SLOTS_PER_DAY_MAX))
        );
    }

    #[test]
    fn a_refusal_quotes_no_more_than_a_message_can_carry() {
        let Err(CalendarRefusal::Slot(quoted)) = week(&format!("mon {}", "x".repeat(10_000))) else {
            panic!("refused as an opening");
        };
        assert_eq!(quoted.len(), 40);
    }
}
