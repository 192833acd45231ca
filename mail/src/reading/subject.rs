//! What a subject carries besides its words: reply marks, a ticket's number, a client's code; and what running text
//! may carry: inventory numbers.

use super::fold::fold;

/// Reply and forward marks at the front, folded.
const MARKS: [&str; 10] = ["re", "rep", "tr", "fw", "fwd", "ref", "aw", "wg", "sv", "r"];
/// Marks taken away from the front of one subject.
const MARKS_MAX: usize = 20;
/// Letters of a client's code.
const CODE_CHARS: std::ops::RangeInclusive<usize> = 2..=16;
/// Numbers taken from running text: more than a person writes of.
const CANDIDATES_MAX: usize = 40;
/// Characters of running text looked through for numbers.
const CANDIDATE_TEXT_CHARS_MAX: usize = 20_000;
/// Characters of an inventory number.
const NUMBER_CHARS: std::ops::RangeInclusive<usize> = 3..=32;

/// A subject taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Subject {
    /// Without reply marks and ticket number.
    pub summary: String,
    /// `I202611_0042`, as far as it looks like one.
    pub ticket_number: Option<String>,
    /// The first word in capitals when it could be a client's code, and the summary without it.
    pub code: Option<(String, String)>,
    /// There was a reply mark.
    pub reply: bool,
}

/// Takes a decoded subject apart.
pub fn read(subject: &str) -> Subject {
    let ticket_number = ticket_number(subject);
    let (rest, mut reply) = without_marks(subject);
    let mut summary = rest.to_owned();
    if let Some(number) = &ticket_number {
        for written in [format!("[{number}]"), number.clone()] {
            summary = summary.replacen(&written, "", 1);
        }
    }
    let (rest, again) = without_marks(&summary);
    reply |= again;
    let summary = super::words::one_line(rest.trim_matches(['-', ':', ' ']));
    let code = code(&summary);
    Subject { summary, ticket_number, code, reply }
}

/// Takes "Re:", "RÉP :", "TR:", "Fwd:" off the front; tells whether one meant a reply.
fn without_marks(subject: &str) -> (&str, bool) {
    let mut rest = subject.trim();
    let mut reply = false;
    for _ in 0..MARKS_MAX {
        let Some((mark, after)) = rest.split_once(':') else { break };
        let folded = fold(mark.split('[').next().unwrap_or_default());
        if !MARKS.contains(&folded.as_str()) {
            break;
        }
        reply |= !matches!(folded.as_str(), "tr" | "fw" | "fwd" | "wg");
        rest = after.trim_start();
    }
    (rest, reply)
}

/// `I`, six digits, `_`, four digits or more (rule R151).
fn ticket_number(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('I').take(100) {
        let digits = |from: usize| {
            bytes.get(from..).map_or(0, |it| it.iter().take_while(|b| b.is_ascii_digit()).count())
        };
        let before = at.checked_sub(1).and_then(|it| bytes.get(it)).is_some_and(u8::is_ascii_alphanumeric);
        let tail = digits(at + 8);
        if !before && digits(at + 1) == 6 && bytes.get(at + 7) == Some(&b'_') && (4..=9).contains(&tail) {
            return text.get(at..at + 8 + tail).map(str::to_owned);
        }
    }
    None
}

fn code(summary: &str) -> Option<(String, String)> {
    let (first, rest) = summary.split_once([' ', ':', '/'])?;
    let word = first.trim_matches(['[', ']', '(', ')', '-']);
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let rest = rest.trim_start_matches([' ', ':', '-', '–', '/', '|']).trim();
    (plain && CODE_CHARS.contains(&word.len()) && !rest.is_empty())
        .then(|| (word.to_ascii_uppercase(), rest.to_owned()))
}

/// Words of running text that could be inventory numbers, each once, in their order. Letters and a number that
/// stand apart ("PC 0042") count joined too.
pub fn candidates(text: &str) -> Vec<String> {
    let text: String = text.chars().take(CANDIDATE_TEXT_CHARS_MAX).collect();
    let words: Vec<&str> = text
        .split(|c: char| {
            c.is_whitespace()
                || matches!(c, ',' | ';' | ':' | '(' | ')' | '[' | ']' | '"' | '«' | '»' | '<' | '>' | '=')
        })
        .map(|it| it.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|it| !it.is_empty())
        .collect();
    let mut found: Vec<String> = Vec::new();
    let mut keep = |number: String| {
        if found.len() < CANDIDATES_MAX && !found.contains(&number) {
            found.push(number);
        }
    };
    for (place, word) in words.iter().enumerate() {
        if could_be_number(word) {
            keep((*word).to_owned());
        }
        let before = place.checked_sub(1).and_then(|it| words.get(it));
        let prefix = before.filter(|it| it.len() <= 8 && it.chars().all(|c| c.is_ascii_alphabetic()));
        if let Some(prefix) = prefix
            && word.len() >= 2
            && word.chars().all(|c| c.is_ascii_digit() || c == '-')
            && could_be_number(&format!("{prefix}{word}"))
        {
            keep(format!("{prefix}{word}"));
        }
    }
    found
}

fn could_be_number(word: &str) -> bool {
    let shaped = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    shaped && NUMBER_CHARS.contains(&word.chars().count()) && word.chars().any(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_number_and_code_are_taken_off_the_summary() {
        let read = read("RE: Rép : [I202611_0042] TR: ACME Imprimante en panne");
        assert_eq!(read.ticket_number.as_deref(), Some("I202611_0042"));
        assert_eq!(read.summary, "ACME Imprimante en panne");
        let plain = super::read("Fwd: ACME - Imprimante en panne");
        assert_eq!(plain.summary, "ACME - Imprimante en panne");
        assert_eq!(plain.code, Some(("ACME".into(), "Imprimante en panne".into())));
        assert!(read.reply && !plain.reply);
        assert_eq!(super::read("Imprimante").code, None);
    }

    #[test]
    fn only_a_whole_number_is_a_ticket_number() {
        for (subject, number) in [
            ("I202611_0042", Some("I202611_0042")),
            ("ticket I202611_12345 urgent", Some("I202611_12345")),
            ("XI202611_0042", None),
            ("I20261_0042", None),
            ("I202611_042", None),
            ("I202611-0042", None),
        ] {
            assert_eq!(super::read(subject).ticket_number.as_deref(), number, "{subject}");
        }
    }

    #[test]
    fn numbers_are_found_in_running_text() {
        assert_eq!(
            candidates("Bonjour, mon portable (PC-0042) et le PC 0043 ne démarrent plus depuis 9h."),
            ["PC-0042", "0043", "PC0043"]
        );
        assert!(candidates("rien du tout").is_empty());
        assert_eq!(candidates(&"A1234 ".repeat(5_000)), ["A1234"]);
    }
}
