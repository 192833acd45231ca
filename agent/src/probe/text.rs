//! Cleaning of texts before they enter an item.

use parc_wire::tag::is_control_or_format;

/// A text fit for an item, and whether something was cut off to make it fit.
#[derive(Debug, PartialEq, Eq)]
pub struct CleanText {
    /// No control or formatting character, no blanks around it, at most as many bytes as asked.
    pub text: String,
    /// The raw text was longer.
    pub cut: bool,
}

/// Removes control and formatting characters (tabs and line ends become blanks) and blanks around the
/// text, and cuts it at a character boundary to at most `bytes_max` bytes.
pub fn clean_text(raw: &str, bytes_max: usize) -> CleanText {
    let raw = raw.trim();
    if raw.len() <= bytes_max && raw.bytes().all(|it| matches!(it, b' '..=b'~')) {
        return CleanText { text: raw.to_owned(), cut: false };
    }
    let mut text = String::with_capacity(raw.len().min(bytes_max));
    let mut cut = false;
    for c in raw.chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        if is_control_or_format(c) || (c == ' ' && text.is_empty()) {
            continue;
        }
        if text.len() + c.len_utf8() > bytes_max {
            cut = true;
            break;
        }
        text.push(c);
    }
    text.truncate(text.trim_end().len());
    CleanText { text, cut }
}

/// A key of at most `bytes_max` bytes. A longer one keeps its beginning and ends in a hash of the whole, so
/// that two long keys stay two keys.
pub(super) fn clean_key(raw: &str, bytes_max: usize) -> String {
    let whole = clean_text(raw, bytes_max);
    if !whole.cut {
        return whole.text;
    }
    let hash = blake3::hash(raw.as_bytes()).to_hex();
    let hash = &hash.as_str()[..16];
    let head = clean_text(raw, bytes_max.saturating_sub(hash.len() + 1)).text;
    format!("{head}~{hash}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blanks_around_and_controls_inside_are_removed() {
        assert_eq!(clean_text("  M471A1G44AB0-CWE \n", 256).text, "M471A1G44AB0-CWE");
        assert_eq!(clean_text("a\tb\u{7}c\u{202E}d\u{200B}", 256).text, "a bcd");
        assert_eq!(clean_text("\u{200B} x \u{200B}", 256).text, "x");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(clean_text("ééé", 5), CleanText { text: "éé".into(), cut: true });
        assert_eq!(clean_text("ééé", 6), CleanText { text: "ééé".into(), cut: false });
    }

    #[test]
    fn two_long_keys_with_one_beginning_stay_two_keys() {
        let (a, b) = (format!("{}a", "k".repeat(300)), format!("{}b", "k".repeat(300)));
        assert_ne!(clean_key(&a, 256), clean_key(&b, 256));
        assert_eq!(clean_key(&a, 256).len(), 256);
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_clean_one(raw in any::<String>(), max in 17_usize..64) {
            for text in [clean_text(&raw, max).text, clean_key(&raw, max)] {
                prop_assert!(text.len() <= max);
                prop_assert!(!text.chars().any(is_control_or_format));
                prop_assert_eq!(text.trim(), text.as_str());
            }
        }
    }
}
