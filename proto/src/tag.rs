//! The asset tag: what stands on the sticker and what a person types when a machine breaks.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use crate::limits::TAG_CHARS_MAX;
use crate::placeholder;

/// A tag as displayed, with the key it is matched by.
///
/// The key is the NFKC form in upper case with letters and digits only, so `inv-004217`,
/// `INV 004217` and full-width `ＩＮＶ００４２１７` are one tag. O and 0 stay different: confusable tags
/// are suggested to people, never joined silently (rule A1).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AssetTag {
    display: String,
    key: String,
}

/// Why a text is not an asset tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagRefusal {
    /// Nothing but blanks.
    Empty,
    /// More than [`TAG_CHARS_MAX`] characters.
    TooLong,
    /// No letter and no digit.
    NoLetterOrDigit,
    /// A text that factories and imaging tools leave behind.
    Placeholder,
    /// Control or formatting characters.
    ControlCharacter,
}

impl TagRefusal {
    /// Stable machine-readable word, used on the wire, in REST problems and as a text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::NoLetterOrDigit => "no-letter-or-digit",
            Self::Placeholder => "placeholder",
            Self::ControlCharacter => "control-character",
        }
    }
}

impl fmt::Display for TagRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the tag is empty"),
            Self::TooLong => write!(f, "the tag has more than {TAG_CHARS_MAX} characters"),
            Self::NoLetterOrDigit => f.write_str("the tag has no letter and no digit"),
            Self::Placeholder => f.write_str("the tag is a factory placeholder, not an inventory number"),
            Self::ControlCharacter => f.write_str("the tag contains a control or formatting character"),
        }
    }
}

impl std::error::Error for TagRefusal {}

impl AssetTag {
    /// As it stands on the sticker, blanks around it removed.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// What it is matched by: letters and digits, upper case.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl FromStr for AssetTag {
    type Err = TagRefusal;

    fn from_str(text: &str) -> Result<Self, TagRefusal> {
        let display = text.trim();
        if display.is_empty() {
            return Err(TagRefusal::Empty);
        }
        if display.chars().nth(TAG_CHARS_MAX).is_some() {
            return Err(TagRefusal::TooLong);
        }
        if display.chars().any(is_control_or_format) {
            return Err(TagRefusal::ControlCharacter);
        }
        let key = tag_key(display);
        if key.is_empty() {
            return Err(TagRefusal::NoLetterOrDigit);
        }
        // NFKC may widen one character to eighteen; a key longer than any real tag is no tag.
        if key.chars().nth(TAG_CHARS_MAX * 2).is_some() {
            return Err(TagRefusal::TooLong);
        }
        if placeholder::is_tag_placeholder(display) {
            return Err(TagRefusal::Placeholder);
        }
        Ok(Self { display: display.to_owned(), key })
    }
}

impl fmt::Display for AssetTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

impl fmt::Debug for AssetTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssetTag({})", self.display)
    }
}

/// Matching key of any text: NFKC, upper case, letters and digits only.
pub fn tag_key(text: &str) -> String {
    text.nfkc().flat_map(char::to_uppercase).nfkc().filter(|c| c.is_alphanumeric()).collect()
}

/// Control characters, and the invisible ones that reorder or hide text (bidi controls, zero width).
pub fn is_control_or_format(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{00AD}' | '\u{061C}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_change_the_key() {
        for text in ["INV-004217", " inv 004217 ", "Inv/004217", "ＩＮＶ００４２１７"] {
            assert_eq!(
                text.parse::<AssetTag>().map(|it| it.key().to_owned()),
                Ok("INV004217".into()),
                "{text}"
            );
        }
    }

    #[test]
    fn the_display_form_is_kept() {
        assert_eq!(" pc-Été 12 ".parse::<AssetTag>().map(|it| it.to_string()), Ok("pc-Été 12".into()));
    }

    #[test]
    fn zero_and_the_letter_o_stay_different() {
        assert_ne!(tag_key("INV0"), tag_key("INVO"));
    }

    #[test]
    fn twenty_five_characters_are_a_tag_and_twenty_six_are_not() {
        assert!("A".repeat(24).parse::<AssetTag>().is_err(), "one repeated letter is a placeholder");
        assert!("AB".repeat(12).parse::<AssetTag>().is_ok());
        assert!(format!("{}C", "AB".repeat(12)).parse::<AssetTag>().is_ok());
        assert_eq!("AB".repeat(13).parse::<AssetTag>(), Err(TagRefusal::TooLong));
    }

    #[test]
    fn each_refusal_says_why() {
        assert_eq!("   ".parse::<AssetTag>(), Err(TagRefusal::Empty));
        assert_eq!("--/--".parse::<AssetTag>(), Err(TagRefusal::NoLetterOrDigit));
        assert_eq!("To be filled by O.E.M.".parse::<AssetTag>(), Err(TagRefusal::Placeholder));
        assert_eq!("INV\u{202E}42".parse::<AssetTag>(), Err(TagRefusal::ControlCharacter));
    }
}
