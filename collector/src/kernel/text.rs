//! Texts that were checked once, at the edge, and are carried as types from there on.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

pub use parc_wire::tag::{AssetTag, TagRefusal, is_control_or_format, tag_key};

/// Why a text was refused. The field's name is added by the edge that knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextRefusal {
    /// Nothing but blanks where something is needed.
    #[error("must not be empty")]
    Empty,
    /// More characters than the limit.
    #[error("must have at most {max} characters")]
    TooLong {
        /// The limit, characters.
        max: usize,
    },
    /// Does not look like what it should be.
    #[error("is not a valid {what}")]
    Malformed {
        /// What was expected, such as `e-mail address`.
        what: &'static str,
    },
}

/// Composes letters with their accents (NFC), so that one name is one text whatever keyboard it came from, and
/// removes blanks around and control or bidi characters inside. Line breaks and tabs stay when `multiline`;
/// otherwise each run of them becomes one blank, for words that stood on two lines are two words.
pub fn cleaned(text: &str, multiline: bool) -> String {
    let is_break =
        |c: char| matches!(c, '\n' | '\r' | '\t' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut clean = String::with_capacity(text.len());
    let mut after_break = false;
    for c in text.trim().nfc() {
        let at_break = !multiline && is_break(c);
        if at_break && !after_break {
            clean.push(' ');
        } else if !at_break && (matches!(c, '\n' | '\t') || !is_control_or_format(c)) {
            clean.push(c);
        }
        after_break = at_break;
    }
    let end = clean.trim_end().len();
    clean.truncate(end);
    clean
}

/// A cleaned single line of 1 to `max` characters.
pub fn line(text: &str, max: usize) -> Result<String, TextRefusal> {
    optional_line(text, max)?.ok_or(TextRefusal::Empty)
}

/// A cleaned single line of at most `max` characters, or nothing.
pub fn optional_line(text: &str, max: usize) -> Result<Option<String>, TextRefusal> {
    bounded(cleaned(text, false), max)
}

/// A cleaned text of several lines of at most `max` characters, or nothing.
pub fn optional_paragraphs(text: &str, max: usize) -> Result<Option<String>, TextRefusal> {
    bounded(cleaned(&text.replace("\r\n", "\n"), true), max)
}

fn bounded(text: String, max: usize) -> Result<Option<String>, TextRefusal> {
    if text.chars().nth(max).is_some() {
        return Err(TextRefusal::TooLong { max });
    }
    Ok((!text.is_empty()).then_some(text))
}

/// An e-mail address in lower case, the name people sign in with. Checked for shape only: one `@`,
/// no blanks, at most 254 characters (RFC 5321 §4.5.3.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, sqlx::Type, serde::Serialize)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = TextRefusal;

    fn from_str(text: &str) -> Result<Self, TextRefusal> {
        let malformed = TextRefusal::Malformed { what: "e-mail address" };
        let address = line(text, 254)?.to_lowercase();
        let (local, domain) = address.split_once('@').ok_or(malformed)?;
        let plain = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "@<>(),;:\"[]\\".contains(c))
        };
        if plain(local) && plain(domain) { Ok(Self(address)) } else { Err(malformed) }
    }
}

/// Folds for searching: lower case without accents, so that `elodie` finds `Élodie`.
pub fn search_key(text: &str) -> String {
    use unicode_normalization::char::is_combining_mark;
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// Escapes `%`, `_` and `\` of a text that stands inside a `LIKE … ESCAPE '\'` pattern.
pub fn like_literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_folded_and_a_shapeless_one_refused() {
        assert_eq!(
            " Luc@Example.FR ".parse::<EmailAddress>().map(|it| it.to_string()),
            Ok("luc@example.fr".into())
        );
        for text in ["luc", "@", "a@b@c", "a b@c", "<a@b>"] {
            assert!(text.parse::<EmailAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn control_and_bidi_characters_do_not_survive() {
        assert_eq!(cleaned("a\u{0000}b\u{202E}c", false), "abc");
        assert_eq!(cleaned("a\nb\u{7}", true), "a\nb");
    }

    #[test]
    fn a_line_break_between_words_becomes_one_blank() {
        assert_eq!(cleaned("no\r\nsound\tat all\u{2028}today\n", false), "no sound at all today");
        assert_eq!(cleaned("one\n\ntwo", true), "one\n\ntwo");
        assert_eq!(line("\n\t\r", 9), Err(TextRefusal::Empty));
    }

    #[test]
    fn a_letter_and_its_accent_are_one_character() {
        assert_eq!(line("E\u{301}lodie", 6), Ok("Élodie".to_owned()));
    }

    #[test]
    fn accents_do_not_hide_a_name() {
        assert_eq!(search_key("Élodie ŒUVRÉ"), "elodie œuvre");
    }

    #[test]
    fn a_limit_counts_characters_not_bytes() {
        assert!(line("éééé", 4).is_ok());
        assert_eq!(line("ééééé", 4), Err(TextRefusal::TooLong { max: 4 }));
    }
}
