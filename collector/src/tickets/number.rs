//! Ticket numbers: `I202611_0042`.

use std::fmt;
use std::str::FromStr;

/// Digits of a sequence at most; a month with a thousand million tickets is a typing error.
const SEQUENCE_DIGITS_MAX: usize = 9;

/// `I202611_0042`: I, year and month in the organisation's time zone, a sequence of at least four digits.
/// Unique for ever and never reused; gaps are allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type, serde::Serialize)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct TicketNumber(String);

impl TicketNumber {
    /// The number of a month (`202611`) and its sequence. Widens beyond 9999 instead of failing.
    pub(super) fn new(month: &str, sequence: i64) -> Self {
        Self(format!("I{month}_{sequence:04}"))
    }

    /// The number as people read it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is not a ticket number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a ticket number such as I202611_0042")]
pub struct NotANumber;

impl FromStr for TicketNumber {
    type Err = NotANumber;

    /// Accepts what people type: any case, blanks around.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let text = text.trim().to_ascii_uppercase();
        let (month, sequence) = text.strip_prefix('I').and_then(|it| it.split_once('_')).ok_or(NotANumber)?;
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let plain = month.len() == 6 && digits(month) && digits(sequence);
        if plain && (4..=SEQUENCE_DIGITS_MAX).contains(&sequence.len()) {
            Ok(Self(text))
        } else {
            Err(NotANumber)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_widens_after_9999_instead_of_failing() {
        assert_eq!(TicketNumber::new("202611", 42).as_str(), "I202611_0042");
        assert_eq!(TicketNumber::new("202611", 10_000).as_str(), "I202611_10000");
    }

    #[test]
    fn a_number_is_read_as_people_type_it() {
        assert_eq!(" i202611_0042".parse(), Ok(TicketNumber::new("202611", 42)));
        for text in [
            "",
            "I202611",
            "I202611_42",
            "I20261_0042",
            "X202611_0042",
            "I202611_00é2",
            "I202611_0042x",
            "I202611_0000000001",
        ] {
            assert_eq!(text.parse::<TicketNumber>(), Err(NotANumber), "{text}");
        }
    }
}
