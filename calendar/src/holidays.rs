//! Public holidays of France (Labour Code L3133-1; for Alsace and Moselle L3134-13), computed for any year.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::refusal::{CalendarRefusal, quoted};

/// Which public holidays close a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Holidays {
    /// None: an on-call service.
    None,
    /// The eleven of the whole country.
    #[default]
    France,
    /// Those and the two of Alsace and Moselle.
    AlsaceMoselle,
}

/// A public holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holiday {
    /// 1 January.
    NewYear,
    /// The Friday before Easter, in Alsace and Moselle.
    GoodFriday,
    /// The day after Easter.
    EasterMonday,
    /// 1 May.
    Labour,
    /// 8 May.
    Victory,
    /// 39 days after Easter.
    Ascension,
    /// 50 days after Easter.
    WhitMonday,
    /// 14 July.
    National,
    /// 15 August.
    Assumption,
    /// 1 November.
    AllSaints,
    /// 11 November.
    Armistice,
    /// 25 December.
    Christmas,
    /// 26 December, in Alsace and Moselle.
    SecondChristmas,
}

impl Holiday {
    /// The word texts are found by.
    pub fn code(self) -> &'static str {
        match self {
            Self::NewYear => "new_year",
            Self::GoodFriday => "good_friday",
            Self::EasterMonday => "easter_monday",
            Self::Labour => "labour",
            Self::Victory => "victory",
            Self::Ascension => "ascension",
            Self::WhitMonday => "whit_monday",
            Self::National => "national",
            Self::Assumption => "assumption",
            Self::AllSaints => "all_saints",
            Self::Armistice => "armistice",
            Self::Christmas => "christmas",
            Self::SecondChristmas => "second_christmas",
        }
    }
}

impl Holidays {
    /// Every rule, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::France, Self::AlsaceMoselle, Self::None];

    /// The word stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::France => "france",
            Self::AlsaceMoselle => "alsace_moselle",
        }
    }

    /// The holiday on that day, if it is one.
    pub fn on(self, date: Date) -> Option<Holiday> {
        let regional = match self {
            Self::None => return None,
            Self::France => false,
            Self::AlsaceMoselle => true,
        };
        french_holidays(date.year(), regional).into_iter().find(|it| it.0 == date).map(|it| it.1)
    }
}

impl fmt::Display for Holidays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Holidays {
    type Err = CalendarRefusal;

    fn from_str(text: &str) -> Result<Self, CalendarRefusal> {
        let known = Self::ALL.into_iter().find(|it| it.code() == text.trim());
        known.ok_or_else(|| CalendarRefusal::Holidays(quoted(text)))
    }
}

/// Easter Sunday of a year of the Gregorian calendar, by the method of Meeus, Jones and Butcher; none before 1583.
pub fn easter(year: i16) -> Option<Date> {
    if year < 1583 {
        return None;
    }
    let year_number = i32::from(year);
    let golden = year_number % 19;
    let (century, in_century) = (year_number / 100, year_number % 100);
    let moon_shift = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon_shift + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - epact - in_century % 4) % 7;
    let correction = (golden + 11 * epact + 22 * to_sunday) / 451;
    let place = epact + to_sunday - 7 * correction + 114;
    let (month, day) = (i8::try_from(place / 31).ok()?, i8::try_from(place % 31 + 1).ok()?);
    Date::new(year, month, day).ok()
}

/// The public holidays of a year by date; with the two of Alsace and Moselle when `regional`.
pub fn french_holidays(year: i16, regional: bool) -> Vec<(Date, Holiday)> {
    let from_easter = |days: i64| easter(year).and_then(|it| it.checked_add(days.days()).ok());
    let fixed = |month, day| Date::new(year, month, day).ok();
    let mut days = vec![
        (fixed(1, 1), Holiday::NewYear),
        (from_easter(1), Holiday::EasterMonday),
        (fixed(5, 1), Holiday::Labour),
        (fixed(5, 8), Holiday::Victory),
        (from_easter(39), Holiday::Ascension),
        (from_easter(50), Holiday::WhitMonday),
        (fixed(7, 14), Holiday::National),
        (fixed(8, 15), Holiday::Assumption),
        (fixed(11, 1), Holiday::AllSaints),
        (fixed(11, 11), Holiday::Armistice),
        (fixed(12, 25), Holiday::Christmas),
    ];
    if regional {
        days.push((from_easter(-2), Holiday::GoodFriday));
        days.push((fixed(12, 26), Holiday::SecondChristmas));
    }
    let mut days: Vec<(Date, Holiday)> = days.into_iter().filter_map(|it| Some((it.0?, it.1))).collect();
    days.sort_by_key(|it| it.0);
    days
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn easter_is_where_the_almanacs_have_it() {
        for (year, month, day) in [
            (1818, 3, 22),
            (1943, 4, 25),
            (1954, 4, 18),
            (1981, 4, 19),
            (2000, 4, 23),
            (2008, 3, 23),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2038, 4, 25),
            (2049, 4, 18),
        ] {
            assert_eq!(easter(year), Some(date(year, month, day)), "{year}");
        }
    }

    #[test]
    fn the_country_has_eleven_and_the_east_thirteen() {
        assert_eq!(french_holidays(2026, false).len(), 11);
        assert_eq!(french_holidays(2026, true).len(), 13);
        assert_eq!(Holidays::France.on(date(2026, 4, 3)), None);
        assert_eq!(Holidays::AlsaceMoselle.on(date(2026, 4, 3)), Some(Holiday::GoodFriday));
        assert_eq!(Holidays::AlsaceMoselle.on(date(2026, 12, 26)), Some(Holiday::SecondChristmas));
        assert_eq!(Holidays::None.on(date(2026, 12, 25)), None);
    }

    #[test]
    fn days_that_move_with_easter_are_on_their_weekday() {
        assert_eq!(Holidays::France.on(date(2026, 5, 14)), Some(Holiday::Ascension));
        assert_eq!(Holidays::France.on(date(2026, 5, 25)), Some(Holiday::WhitMonday));
        // Ascension meets the eighth of May.
        assert_eq!(easter(2008).map(|it| it.to_string()), Some("2008-03-23".into()));
        assert_eq!(Holidays::France.on(date(2008, 5, 1)), Some(Holiday::Labour));
    }
}
