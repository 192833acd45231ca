//! Comparing words as people mean them.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Lower case without accents, typographic apostrophes and blanks made plain, trimmed.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        let c = match c {
            '’' | '‘' | 'ʼ' | '´' | '`' => '\'',
            '‐'..='―' | '−' => '-',
            '：' => ':',
            c if c.is_whitespace() => ' ',
            c => c,
        };
        if !(c == ' ' && folded.ends_with(' ')) {
            folded.extend(c.to_lowercase());
        }
    }
    folded.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_typography_do_not_count() {
        assert_eq!(fold("  N° d’Inventaire\u{a0}: "), "n° d'inventaire :");
        assert_eq!(fold("DISPONIBILITÉS"), "disponibilites");
    }
}
