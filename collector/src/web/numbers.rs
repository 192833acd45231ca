//! Numbers, sizes, ages and moments as a reader of one language writes them.

use std::fmt;

use askama::filters::HtmlSafe;

use super::texts::Texts;
use crate::kernel::time::{UtcMicros, Zone};
use crate::people::Language;

/// `12 345` (narrow no-break space) or `12,345`.
pub(crate) fn integer(language: Language, value: i64) -> String {
    let separator = match language {
        Language::Fr => '\u{202F}',
        Language::En => ',',
    };
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + 8);
    if value < 0 {
        text.push('\u{2212}');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// One decimal at most: `2,5` or `2.5`, `3` when it is whole.
fn tenths(language: Language, tenths: i64) -> String {
    let whole = integer(language, tenths / 10);
    match (tenths % 10, language) {
        (0, _) => whole,
        (rest, Language::Fr) => format!("{whole},{rest}"),
        (rest, Language::En) => format!("{whole}.{rest}"),
    }
}

/// Memory counts in powers of two, as modules are labelled: 16384 MiB is `16 Go`.
pub(crate) fn memory(language: Language, mib: i64) -> String {
    let [mega, giga, _] = units(language);
    if mib < 1024 {
        quantity(&integer(language, mib), mega)
    } else {
        quantity(&tenths(language, mib * 10 / 1024), giga)
    }
}

/// Disks count in powers of ten, as they are sold: 244198 MiB is `256 Go`.
pub(crate) fn storage(language: Language, mib: i64) -> String {
    let megabytes = mib.saturating_mul(1_048_576) / 1_000_000;
    let [mega, giga, tera] = units(language);
    match megabytes {
        ..1_000 => quantity(&integer(language, megabytes), mega),
        1_000..10_000 => quantity(&tenths(language, megabytes / 100), giga),
        10_000..1_000_000 => quantity(&integer(language, megabytes / 1_000), giga),
        _ => quantity(&tenths(language, megabytes / 100_000), tera),
    }
}

/// Files count as file managers show them: `3 Ko`, `1,4 Mo`.
pub(crate) fn file_size(language: Language, bytes: i64) -> String {
    let kilo = if language == Language::Fr { "Ko" } else { "kB" };
    if bytes < 1_000_000 {
        return quantity(&integer(language, (bytes + 999) / 1_000), kilo);
    }
    quantity(&tenths(language, (bytes + 50_000) / 100_000), units(language)[0])
}

fn units(language: Language) -> [&'static str; 3] {
    match language {
        Language::Fr => ["Mo", "Go", "To"],
        Language::En => ["MB", "GB", "TB"],
    }
}

fn quantity(number: &str, unit: &str) -> String {
    format!("{number}\u{A0}{unit}")
}

/// A moment on a page: machine-readable, with the whole date and time to point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    iso: String,
    full: String,
    shown: String,
}

impl Stamp {
    /// Day and time: `21/11/2026 23:13`.
    pub(crate) fn moment(texts: Texts, zone: &Zone, at: UtcMicros) -> Self {
        let shown = at.format(zone, "%d/%m/%Y %H:%M");
        Self { iso: at.rfc3339(), full: full(texts, zone, at), shown }
    }

    /// The day only.
    pub(crate) fn day(texts: Texts, zone: &Zone, at: UtcMicros) -> Self {
        Self { shown: at.format(zone, "%d/%m/%Y"), ..Self::moment(texts, zone, at) }
    }

    /// How long ago in a few characters, for columns: `5 min`, `3 h`, `12 j`.
    pub(crate) fn age(texts: Texts, zone: &Zone, at: UtcMicros, now: UtcMicros) -> Self {
        Self { shown: span(texts, seconds_between(at, now)), ..Self::moment(texts, zone, at) }
    }

    /// How long ago in words: `il y a 3 h`.
    pub(crate) fn ago(texts: Texts, zone: &Zone, at: UtcMicros, now: UtcMicros) -> Self {
        let seconds = seconds_between(at, now);
        let shown = if seconds < 60 {
            texts.t("time-now").into_owned()
        } else {
            texts.t1("time-ago", "span", &span(texts, seconds)).into_owned()
        };
        Self { shown, ..Self::moment(texts, zone, at) }
    }

    /// The text alone, for attributes and exports.
    pub(crate) fn text(&self) -> &str {
        &self.shown
    }
}

/// Made of digits and our own words only; escaped all the same.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = escaped(&self.shown);
        write!(f, "<time datetime=\"{}\" title=\"{}\">{shown}</time>", self.iso, escaped(&self.full))
    }
}

impl HtmlSafe for Stamp {}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn full(texts: Texts, zone: &Zone, at: UtcMicros) -> String {
    at.format(
        zone,
        match texts.language() {
            Language::Fr => "%d/%m/%Y à %H:%M:%S",
            Language::En => "%d/%m/%Y at %H:%M:%S",
        },
    )
}

fn seconds_between(at: UtcMicros, now: UtcMicros) -> i64 {
    i64::try_from(now.since(at).as_secs()).unwrap_or(i64::MAX)
}

/// The largest unit that says enough.
pub(crate) fn span(texts: Texts, seconds: i64) -> String {
    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;
    let (key, value) = match seconds {
        ..HOUR => ("span-minutes", seconds / 60),
        HOUR..DAY => ("span-hours", seconds / HOUR),
        DAY.. => ("span-days", seconds / DAY),
    };
    texts.tn(key, value).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_the_reader_writes_them() {
        assert_eq!(integer(Language::Fr, 1_234_567), "1\u{202F}234\u{202F}567");
        assert_eq!(integer(Language::En, 1_234), "1,234");
        assert_eq!(integer(Language::En, -12), "\u{2212}12");
        assert_eq!(integer(Language::En, i64::MIN), "\u{2212}9,223,372,036,854,775,808");
    }

    #[test]
    fn memory_is_labelled_like_modules_and_disks_like_disks() {
        assert_eq!(memory(Language::Fr, 16_384), "16\u{A0}Go");
        assert_eq!(memory(Language::En, 1_536), "1.5\u{A0}GB");
        assert_eq!(memory(Language::Fr, 512), "512\u{A0}Mo");
        assert_eq!(storage(Language::Fr, 244_198), "256\u{A0}Go");
        assert_eq!(storage(Language::Fr, 1_907_729), "2\u{A0}To");
        assert_eq!(storage(Language::En, 7_000), "7.3\u{A0}GB");
        assert!(!storage(Language::En, i64::MAX).is_empty());
    }

    #[test]
    fn an_age_takes_the_largest_unit_that_says_enough() {
        let texts = Texts::of(Language::Fr);
        let now = UtcMicros::from_seconds(1_700_000_000);
        let shown = |ago: i64| {
            Stamp::age(texts, &Zone::utc(), UtcMicros::from_seconds(1_700_000_000 - ago), now).shown
        };
        assert_eq!([shown(90), shown(7_300), shown(200_000)], ["1\u{A0}min", "2\u{A0}h", "2\u{A0}j"]);
        assert_eq!(shown(-5), "0\u{A0}min");
    }

    #[test]
    fn a_moment_is_shown_on_the_wall_clock_of_the_site_and_machine_readable() {
        let zone = Zone::named("Europe/Paris").expect("zone data");
        let at = UtcMicros::parse("2026-07-13T22:05:00Z", &zone).expect("valid");
        let html = Stamp::moment(Texts::of(Language::Fr), &zone, at).to_string();
        assert_eq!(
            html,
            "<time datetime=\"2026-07-13T22:05:00Z\" title=\"14/07/2026 à 00:05:00\">14/07/2026 00:05</time>"
        );
    }
}
