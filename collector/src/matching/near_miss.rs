//! Which tags a person may have meant: the slips that eyes and keyboards make, most likely first.
//!
//! A generator of keys rather than a distance over all tags: the parc is asked once, by index, whatever
//! its size.

use std::collections::HashSet;

use crate::kernel::text::tag_key;

/// Keys of one suggestion query. Enough for every slip on a 25-character tag, few enough for one statement.
const KEYS_MAX: usize = 500;
/// Characters of a typed text that are looked at; the longest tag has 25, the rest is talk.
const TYPED_CHARS_MAX: usize = 100;
/// Letters read as digits in a row beside a digit: no number on a sticker is longer.
const ROW_LETTERS_MAX: usize = 8;
/// Zeros that are put before a run of digits: `17` for `000017`.
const ZEROS_ADDED_MAX: usize = 4;

/// Characters that are read for each other on a worn sticker.
const CONFUSABLE: [&str; 6] = ["O0", "I1L", "S5", "B8", "Z2", "G6"];
/// The digit row of a French keyboard without shift, from 1 to 0.
const AZERTY_DIGIT_ROW: [char; 10] = ['&', 'é', '"', '\'', '(', '-', 'è', '_', 'ç', 'à'];
/// Keys of that row that people also use between the parts of a tag.
const SEPARATORS: [char; 2] = ['-', '_'];

/// Keys near a typed text, the likeliest slip first; distinct, at most 500, never the text's own key.
pub fn near_misses(typed: &str) -> Vec<String> {
    let typed: String = typed.trim().chars().take(TYPED_CHARS_MAX).collect();
    let key: Vec<char> = tag_key(&typed).chars().take(TYPED_CHARS_MAX).collect();
    let mut found = Found::new(&key);
    unshifted_digits(&typed, &mut found);
    one_confused(&key, &mut found);
    all_of_a_kind_confused(&key, &mut found);
    letters_beside_digits(&key, &mut found);
    swapped_neighbours(&key, &mut found);
    leading_zeros(&key, &mut found);
    doubled_or_dropped(&key, &mut found);
    two_confused(&key, &mut found);
    found.keys
}

/// The keys so far, in order.
struct Found {
    keys: Vec<String>,
    seen: HashSet<String>,
}

impl Found {
    fn new(own: &[char]) -> Self {
        Self { keys: Vec::new(), seen: HashSet::from([own.iter().collect(), String::new()]) }
    }

    fn add(&mut self, key: String) {
        if self.keys.len() < KEYS_MAX && self.seen.insert(key.clone()) {
            self.keys.push(key);
        }
    }

    fn add_chars(&mut self, key: &[char]) {
        self.add(key.iter().collect());
    }
}

/// `INV-àà'é&è` was typed without shift. Hyphen and underscore are 6 and 8 or just separators: all readings.
fn unshifted_digits(typed: &str, found: &mut Found) {
    let is_row = |c: char| AZERTY_DIGIT_ROW.contains(&c) && !SEPARATORS.contains(&c);
    if !typed.chars().any(is_row) {
        return;
    }
    for kept in [&SEPARATORS[..], &SEPARATORS[..1], &SEPARATORS[1..], &[]] {
        let shifted: String = typed
            .chars()
            .map(|c| if kept.contains(&c) { c } else { shifted_digit(c).unwrap_or(c) })
            .collect();
        found.add(tag_key(&shifted));
    }
}

fn shifted_digit(c: char) -> Option<char> {
    let place = AZERTY_DIGIT_ROW.iter().position(|it| *it == c)?;
    char::from_digit(u32::try_from((place + 1) % 10).ok()?, 10)
}

/// The characters that `c` may be read as.
fn look_alikes(c: char) -> impl Iterator<Item = char> {
    CONFUSABLE
        .iter()
        .filter(move |group| group.contains(c))
        .flat_map(|group| group.chars())
        .filter(move |it| *it != c)
}

/// `INVO04217` for `INV004217`.
fn one_confused(key: &[char], found: &mut Found) {
    each_confused(key, 0, &mut |variant, _| found.add_chars(variant));
}

/// `INVOO4217`: who reads one zero as O reads them all so.
fn all_of_a_kind_confused(key: &[char], found: &mut Found) {
    for group in CONFUSABLE {
        for wrong in group.chars() {
            for right in look_alikes(wrong) {
                let variant: Vec<char> = key.iter().map(|c| if *c == wrong { right } else { *c }).collect();
                found.add_chars(&variant);
            }
        }
    }
}

/// `LAPLYOOOO4` for `LAPLYO0004`: of the letters in a row before and after a number, the nearest ones may all
/// be digits while those further away are letters.
fn letters_beside_digits(key: &[char], found: &mut Found) {
    for start in digit_run_starts(key) {
        let end =
            key[start..].iter().position(|c| !c.is_ascii_digit()).map_or(key.len(), |length| start + length);
        let before: Vec<char> =
            key[..start].iter().rev().map_while(|c| digit_like(*c)).take(ROW_LETTERS_MAX).collect();
        let after: Vec<char> =
            key[end..].iter().map_while(|c| digit_like(*c)).take(ROW_LETTERS_MAX).collect();
        for (left, right) in
            (0..=before.len()).flat_map(|left| (0..=after.len()).map(move |right| (left, right)))
        {
            let mut variant = key.to_vec();
            for (place, digit) in variant[..start].iter_mut().rev().zip(&before[..left]) {
                *place = *digit;
            }
            variant[end..end + right].copy_from_slice(&after[..right]);
            found.add_chars(&variant);
        }
    }
}

/// The digit that a letter is read as.
fn digit_like(letter: char) -> Option<char> {
    look_alikes(letter).find(char::is_ascii_digit)
}

/// Two different slips in one text.
fn two_confused(key: &[char], found: &mut Found) {
    each_confused(key, 0, &mut |variant, place| {
        if found.keys.len() < KEYS_MAX {
            each_confused(variant, place + 1, &mut |twice, _| found.add_chars(twice));
        }
    });
}

fn each_confused(key: &[char], from: usize, visit: &mut dyn FnMut(&[char], usize)) {
    let mut variant = key.to_vec();
    for place in from..key.len() {
        for c in look_alikes(key[place]) {
            variant[place] = c;
            visit(&variant, place);
        }
        variant[place] = key[place];
    }
}

/// `INV002417` for `INV004217`.
fn swapped_neighbours(key: &[char], found: &mut Found) {
    let mut variant = key.to_vec();
    for place in 1..key.len() {
        variant.swap(place - 1, place);
        found.add_chars(&variant);
        variant.swap(place - 1, place);
    }
}

/// `INV4217` for `INV004217`, and the reverse, at the start of every run of digits.
fn leading_zeros(key: &[char], found: &mut Found) {
    for start in digit_run_starts(key) {
        let zeros = key[start..].iter().take_while(|c| **c == '0').count();
        for dropped in 1..=zeros {
            found.add_chars(&[&key[..start], &key[start + dropped..]].concat());
        }
        for added in 1..=ZEROS_ADDED_MAX {
            found.add_chars(&[&key[..start], &vec!['0'; added], &key[start..]].concat());
        }
    }
}

fn digit_run_starts(key: &[char]) -> impl Iterator<Item = usize> {
    (0..key.len()).filter(|at| key[*at].is_ascii_digit() && (*at == 0 || !key[*at - 1].is_ascii_digit()))
}

/// `INV0042177` or `INV00427`: a key hit twice, or one of two equal characters left out.
fn doubled_or_dropped(key: &[char], found: &mut Found) {
    for place in 0..key.len() {
        found.add_chars(&[&key[..place], &key[place + 1..]].concat());
    }
    for place in 0..key.len() {
        found.add_chars(&[&key[..=place], &key[place..]].concat());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rank(typed: &str, meant: &str) -> Option<usize> {
        near_misses(typed).iter().position(|it| it == meant)
    }

    #[test]
    fn the_slips_of_eyes_and_keyboards_lead_to_the_tag() {
        for (typed, why) in [
            ("INV-OO4217", "both zeros read as O"),
            ("INV-O04217", "one zero read as O"),
            ("1NV-004217", "I read as 1"),
            ("LNV-004217", "I read as L"),
            ("INV-004Z17", "2 read as Z"),
            ("INV-002417", "neighbours swapped"),
            ("INV-4217", "zeros left out"),
            ("INV-04217", "a zero left out"),
            ("INV-00004217", "zeros too many"),
            ("INV-0042177", "a key hit twice"),
            ("INV-àà'é&è", "digits without shift"),
            ("INVàà'é&è", "digits without shift, no hyphen"),
            ("1NV-0O4217", "two different slips"),
        ] {
            assert!(rank(typed, "INV004217").is_some(), "{why}");
        }
    }

    #[test]
    fn letters_in_a_row_beside_a_digit_lead_to_the_tag() {
        for (typed, meant, why) in [
            ("LAP-LYO-OOO4", "LAPLYO0004", "three zeros read as O after a site that ends in O"),
            ("LAP-LYO-OIO4", "LAPLYO0104", "different digits read as letters"),
            ("LAP-4OOO-OSLO", "LAP4000OSLO", "zeros read as O before a site that begins with O"),
            ("BOX-OO1OO-OSLO", "BOX00100OSLO", "zeros read as O on both sides"),
            ("SIL-SIL-OO4", "SILSIL004", "letters further away stay letters"),
        ] {
            assert!(rank(typed, meant).is_some(), "{why}");
        }
    }

    #[test]
    fn a_long_row_of_letters_leaves_room_for_other_slips() {
        let typed = format!("{}7{}", "O".repeat(12), "O".repeat(12));
        let swapped = format!("{}7{}", "O".repeat(11), "O".repeat(13));
        assert!(rank(&typed, &swapped).is_some());
    }

    #[test]
    fn a_hyphen_among_unshifted_digits_is_read_as_six_and_as_separator() {
        let keys = near_misses("pc-&-é");
        assert_eq!(&keys[..2], ["PC12", "PC6162"]);
    }

    #[test]
    fn a_text_of_unshifted_digits_alone_has_a_key_too() {
        assert_eq!(near_misses("&\"'(").first().map(String::as_str), Some("1345"));
    }

    #[test]
    fn likelier_slips_come_first() {
        assert!(rank("INV-O04217", "INV004217") < rank("INV-O04217", "INVO04271"));
        assert!(rank("&é\"", "123") == Some(0));
    }

    #[test]
    fn nothing_typed_suggests_nothing() {
        assert!(near_misses("  ").is_empty());
        assert!(near_misses("--").is_empty());
    }

    proptest! {
        #[test]
        fn whatever_is_typed_the_keys_are_bounded_distinct_and_new(typed in "\\PC{0,60}|[0OI1LS5B8Z2G6]{0,60}") {
            let keys = near_misses(&typed);
            prop_assert!(keys.len() <= KEYS_MAX);
            let distinct: HashSet<&String> = keys.iter().collect();
            prop_assert_eq!(distinct.len(), keys.len());
            prop_assert!(!keys.contains(&tag_key(&typed)));
            prop_assert!(keys.iter().all(|it| !it.is_empty()));
        }
    }
}
