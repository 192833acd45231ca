//! Recognising a French social-security number (NIR) in what people send, so that a screenshot's text or an
//! extract does not lie open. Only texts are looked into: pictures and archives are the sender's word.

/// Characters of a number without its key.
const BODY: usize = 13;
/// Characters with the key.
const WHOLE: usize = 15;
/// After how many characters a number is usually written with a gap: `1 85 05 78 006 084`.
const GAPS: [usize; 5] = [1, 3, 5, 7, 10];
/// Bytes of a text that are looked into: the whole of what a person wrote, the beginning of an extract.
const LOOKED_INTO_BYTES: usize = 4 * 1024 * 1024;

/// Whether a file looks as if it held such a number, in its name or its text.
pub(super) fn is_suspect(bytes: &[u8], media_type: &str, name: &str) -> bool {
    if holds_social_security_number(name) {
        return true;
    }
    if !media_type.starts_with("text/") && !media_type.ends_with("xml") && media_type != "message/rfc822" {
        return false;
    }
    let start = &bytes[..bytes.len().min(LOOKED_INTO_BYTES)];
    holds_social_security_number(&String::from_utf8_lossy(start))
}

/// Whether a text holds a French social-security number: 15 characters with a right key (INSEE: 97 less the
/// remainder by 97), or 13 in the usual groups.
pub fn holds_social_security_number(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (0..characters.len()).any(|start| {
        let fresh = start == 0 || !characters[start - 1].is_alphanumeric();
        fresh && characters[start].is_ascii_digit() && is_number(&characters[start..])
    })
}

fn is_number(rest: &[char]) -> bool {
    let Some((symbols, gaps, end)) = symbols(rest) else { return false };
    let closed = rest.get(end).is_none_or(|it| !it.is_alphanumeric());
    if !closed || !plausible(&symbols) {
        return false;
    }
    match symbols.len() {
        WHOLE => {
            key_of(&symbols[..BODY]).is_some_and(|key| symbols[BODY..].iter().collect::<String>() == key)
        }
        BODY => gaps == GAPS,
        _ => false,
    }
}

/// Up to fifteen symbols with at most one separator between two of them, where the separators were, and where
/// the number ends.
fn symbols(rest: &[char]) -> Option<(Vec<char>, Vec<usize>, usize)> {
    let (mut symbols, mut gaps, mut at) = (Vec::with_capacity(WHOLE), Vec::new(), 0);
    while symbols.len() < WHOLE {
        let Some(&c) = rest.get(at) else { break };
        let corsican = symbols.len() == 6 && matches!(c, 'A' | 'B' | 'a' | 'b');
        if c.is_ascii_digit() || corsican {
            symbols.push(c.to_ascii_uppercase());
        } else if is_separator(c)
            && gaps.last() != Some(&symbols.len())
            && rest.get(at + 1).is_some_and(char::is_ascii_digit)
        {
            gaps.push(symbols.len());
        } else {
            break;
        }
        at += 1;
    }
    (symbols.len() >= BODY).then_some((symbols, gaps, at))
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '.' | '-')
}

/// Sex, month and department as INSEE gives them out; months above twelve are those of unknown birth dates.
fn plausible(symbols: &[char]) -> bool {
    let pair = |at: usize| symbols[at..at + 2].iter().collect::<String>();
    let month = pair(3).parse::<u32>().unwrap_or(0);
    let sex = matches!(symbols[0], '1'..='4' | '7' | '8');
    let department = pair(5);
    sex && matches!(month, 1..=12 | 20..=42 | 50..=99) && department != "00"
}

/// The two digits that belong to the thirteen before. Corsica counts as 19 and 18 (2A, 2B).
fn key_of(body: &[char]) -> Option<String> {
    let digits: String = body.iter().collect::<String>().replace("2A", "19").replace("2B", "18");
    let number: u64 = digits.parse().ok()?;
    Some(format!("{:02}", 97 - number % 97))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_its_key_is_recognised_however_it_is_written() {
        // Invented; only the keys are computed.
        for text in [
            "1 85 05 78 006 084 91",
            "185057800608491",
            "assuré : 1-85-05-78-006-084-91, radié",
            "NIR 1\u{a0}85\u{a0}05\u{a0}78\u{a0}006\u{a0}084 91.",
            "2 99 12 2A 004 123 14",
            "n° 1 85 05 78 006 084",
        ] {
            assert!(holds_social_security_number(text), "{text}");
        }
    }

    #[test]
    fn other_long_numbers_are_left_alone() {
        for text in [
            "185057800608492",
            "1850578006084",
            "IBAN FR76 3000 6000 0112 3456 7890 189",
            "I202611_0042, PC-004217, 04 72 00 00 12",
            "SHA 1a85057800608491ff",
            "9185057800608491",
            "1 85 13 78 006 084",
            "2026-11-22 02:03:17.123456",
        ] {
            assert!(!holds_social_security_number(text), "{text}");
        }
    }

    #[test]
    fn only_texts_and_names_are_looked_into() {
        let text = b"nom;nir\nDurand;185057800608491\n";
        assert!(is_suspect(text, "text/csv", "a.csv"));
        assert!(!is_suspect(text, "image/png", "a.png"));
        assert!(is_suspect(b"x", "image/png", "185057800608491.png"));
    }
}
