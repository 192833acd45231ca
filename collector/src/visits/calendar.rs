//! Visits as a calendar file (iCalendar, RFC 5545) that every calendar program reads. Pure.

use super::model::{Visit, VisitStatus};
use crate::kernel::time::{UtcMicros, Zone};

/// Media type of a calendar file.
pub const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";

/// Octets of one line without its break (RFC 5545 §3.1).
const LINE_OCTETS: usize = 75;

/// The words a calendar file needs, in the reader's language.
#[derive(Clone, Debug)]
pub struct Words {
    /// "Intervention sur site".
    pub title: String,
    /// Where people open the tickets, without a trailing slash.
    pub public_url: String,
}

/// A calendar of visits, as of `now`.
pub fn calendar(visits: &[Visit], words: &Words, now: UtcMicros) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Parc//Parc collector//EN".to_owned(),
        "CALSCALE:GREGORIAN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
    ];
    for visit in visits {
        lines.extend(event(visit, words, now));
    }
    lines.push("END:VCALENDAR".to_owned());
    lines.iter().map(|it| folded(it)).collect()
}

fn event(visit: &Visit, words: &Words, now: UtcMicros) -> Vec<String> {
    let place = joined(&[&visit.address, &visit.location]);
    let contact = joined(&[&visit.contact, &visit.phone]);
    let link = format!("{}/tickets/{}", words.public_url, visit.ticket_number);
    let details =
        [contact.as_str(), visit.purpose.as_str(), link.as_str()].into_iter().filter(|it| !it.is_empty());
    let details = details.collect::<Vec<_>>().join("\n");
    let summary = format!("{} {} · {}", words.title, visit.ticket_number, visit.organisation_name);
    vec![
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@parc", visit.id),
        format!("DTSTAMP:{}", stamp(now)),
        format!("LAST-MODIFIED:{}", stamp(visit.updated_at)),
        format!("DTSTART:{}", stamp(visit.starts_at)),
        format!("DTEND:{}", stamp(visit.ends_at)),
        format!("SEQUENCE:{}", visit.sequence),
        format!("STATUS:{}", status(visit.status)),
        format!("SUMMARY:{}", escaped(&summary)),
        format!("LOCATION:{}", escaped(&place)),
        format!("DESCRIPTION:{}", escaped(&details)),
        "END:VEVENT".to_owned(),
    ]
}

fn joined(parts: &[&str]) -> String {
    parts.iter().copied().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ")
}

fn status(status: VisitStatus) -> &'static str {
    match status {
        VisitStatus::Proposed => "TENTATIVE",
        VisitStatus::Fixed | VisitStatus::Done => "CONFIRMED",
        VisitStatus::Missed | VisitStatus::Cancelled => "CANCELLED",
    }
}

fn stamp(at: UtcMicros) -> String {
    at.format(&Zone::utc(), "%Y%m%dT%H%M%SZ")
}

/// Text values escape backslash, semicolon, comma and line break (RFC 5545 §3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => {}
            _ => out.push(c),
        }
    }
    out
}

/// A content line, folded between characters so that no line has more than 75 octets.
fn folded(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut octets = 0;
    for c in line.chars() {
        if octets + c.len_utf8() > LINE_OCTETS {
            out.push_str("\r\n ");
            octets = 1;
        }
        out.push(c);
        octets += c.len_utf8();
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visits::web::samples::a_visit;

    fn words() -> Words {
        Words { title: "Intervention sur site".into(), public_url: "https://parc.example".into() }
    }

    #[test]
    fn a_visit_becomes_an_entry_of_a_calendar() {
        let visit = a_visit();
        let text = calendar(std::slice::from_ref(&visit), &words(), visit.updated_at);
        assert!(
            text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && text.ends_with("END:VCALENDAR\r\n")
        );
        assert!(text.contains("DTSTART:20261123T083000Z\r\nDTEND:20261123T100000Z\r\nSEQUENCE:2\r\n"));
        assert!(text.contains("STATUS:CONFIRMED\r\n"));
        let cancelled = Visit { status: VisitStatus::Cancelled, ..visit };
        assert!(calendar(&[cancelled], &words(), UtcMicros(0)).contains("STATUS:CANCELLED\r\n"));
    }

    #[test]
    fn what_people_typed_cannot_break_out_of_its_line() {
        let hostile = "a,b;c\\d\r\nEND:VEVENT\nBEGIN:VALARM".to_owned();
        let visit = Visit { purpose: hostile, ..a_visit() };
        let text = calendar(&[visit], &words(), UtcMicros(0));
        assert_eq!(text.matches("\r\nEND:VEVENT").count(), 1);
        let unfolded = text.replace("\r\n ", "");
        assert!(unfolded.contains("a\\,b\\;c\\\\d\\nEND:VEVENT\\nBEGIN:VALARM"));
    }

    #[test]
    fn a_long_line_is_folded_between_characters() {
        let visit = Visit { purpose: "é€".repeat(120), ..a_visit() };
        let text = calendar(std::slice::from_ref(&visit), &words(), UtcMicros(0));
        assert!(text.split("\r\n").all(|it| it.len() <= LINE_OCTETS));
        assert!(text.replace("\r\n ", "").contains(&visit.purpose));
    }
}
