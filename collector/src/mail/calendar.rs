//! An appointment as a calendar file (iCalendar, RFC 5545) that comes with the mail about it. Pure.

use serde::{Deserialize, Serialize};

use crate::kernel::time::{UtcMicros, Zone};

/// Octets of one line without its break (RFC 5545 §3.1).
const LINE_OCTETS: usize = 75;

/// When somebody comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// The same for every mail about it, so that calendars move it instead of keeping two.
    pub uid: String,
    /// Rises with every change.
    pub sequence: i64,
    /// Beginning.
    pub starts_at: UtcMicros,
    /// End.
    pub ends_at: UtcMicros,
    /// One line.
    pub summary: String,
    /// Where, may be empty.
    pub place: String,
    /// It will not take place.
    pub cancelled: bool,
}

impl Appointment {
    /// The file; `at` is when the mail was written.
    pub(super) fn file(&self, at: UtcMicros) -> String {
        let (method, status) =
            if self.cancelled { ("CANCEL", "CANCELLED") } else { ("PUBLISH", "CONFIRMED") };
        let lines = [
            "BEGIN:VCALENDAR".to_owned(),
            "VERSION:2.0".to_owned(),
            "PRODID:-//Parc//Parc collector//EN".to_owned(),
            format!("METHOD:{method}"),
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}", escaped(&self.uid)),
            format!("DTSTAMP:{}", stamp(at)),
            format!("DTSTART:{}", stamp(self.starts_at)),
            format!("DTEND:{}", stamp(self.ends_at)),
            format!("SEQUENCE:{}", self.sequence),
            format!("STATUS:{status}"),
            format!("SUMMARY:{}", escaped(&self.summary)),
            format!("LOCATION:{}", escaped(&self.place)),
            "END:VEVENT".to_owned(),
            "END:VCALENDAR".to_owned(),
        ];
        lines.iter().map(|it| folded(it)).collect()
    }

    /// `text/calendar` with the method that the file says.
    pub(super) fn media_type(&self) -> String {
        let method = if self.cancelled { "CANCEL" } else { "PUBLISH" };
        format!("text/calendar; method={method}; charset=utf-8")
    }
}

fn stamp(at: UtcMicros) -> String {
    at.format(&Zone::utc(), "%Y%m%dT%H%M%SZ")
}

/// Backslash, semicolon, comma and line break are escaped (RFC 5545 §3.3.11), other control characters dropped.
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => written.extend(['\\', c]),
            '\n' => written.push_str("\\n"),
            it if it.is_control() => {}
            it => written.push(it),
        }
    }
    written
}

/// The line with its breaks: what is too long goes on behind a blank, never inside a character.
fn folded(line: &str) -> String {
    let mut written = String::with_capacity(line.len() + 8);
    let mut octets = 0;
    for c in line.chars() {
        if octets + c.len_utf8() > LINE_OCTETS {
            written.push_str("\r\n ");
            octets = 1;
        }
        written.push(c);
        octets += c.len_utf8();
    }
    written.push_str("\r\n");
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit() -> Appointment {
        Appointment {
            uid: "0192f@parc".into(),
            sequence: 3,
            starts_at: UtcMicros::from_seconds(1_795_336_200),
            ends_at: UtcMicros::from_seconds(1_795_339_800),
            summary: "Intervention I202611_0042; écran, câble".into(),
            place: "3 rue de la Part-Dieu\nLyon".repeat(5),
            cancelled: false,
        }
    }

    #[test]
    fn a_calendar_program_can_read_it() {
        let file = visit().file(UtcMicros::from_seconds(1_795_299_300));
        assert!(file.starts_with("BEGIN:VCALENDAR\r\n") && file.ends_with("END:VCALENDAR\r\n"));
        assert!(file.split("\r\n").all(|it| it.len() <= LINE_OCTETS), "{file}");
        let unfolded = file.replace("\r\n ", "");
        assert!(unfolded.contains("\r\nDTSTART:20261122T083000Z\r\n"), "{unfolded}");
        assert!(unfolded.contains("SUMMARY:Intervention I202611_0042\\; écran\\, câble\r\n"), "{unfolded}");
        assert!(unfolded.contains("Part-Dieu\\nLyon3 rue"), "{unfolded}");
        assert!(unfolded.contains("METHOD:PUBLISH\r\n") && visit().media_type().contains("method=PUBLISH"));
    }

    #[test]
    fn a_cancelled_one_says_so_under_the_same_name() {
        let cancelled = Appointment { cancelled: true, sequence: 4, ..visit() };
        let file = cancelled.file(UtcMicros::from_seconds(1_795_299_300));
        assert!(file.contains("METHOD:CANCEL\r\n") && file.contains("STATUS:CANCELLED\r\n"));
        assert!(file.contains("UID:0192f@parc\r\n") && cancelled.media_type().contains("method=CANCEL"));
    }
}
