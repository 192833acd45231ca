//! The one place that writes to the terminal. What comes from probes or from the collector is made
//! plain first: no text of theirs can move the cursor or hide a line. A reader that went away (`| head`)
//! is no error.

use std::io::{self, Write};

use parc_wire::tag::is_control_or_format;

/// A line of the answer.
pub(super) fn line(text: &str) {
    drop(writeln!(io::stdout().lock(), "{}", plain(text)));
}

/// A line about the answer: errors and the service's log.
pub(super) fn note(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", plain(text)));
}

/// Text that was written here, with its line breaks.
pub(super) fn page(text: &str) {
    drop(io::stdout().lock().write_all(text.as_bytes()));
}

/// A document for another program; JSON escapes control characters itself.
pub(super) fn json(value: &serde_json::Value) {
    drop(writeln!(io::stdout().lock(), "{value:#}"));
}

/// Names and values in two columns.
pub(super) fn table(indent: usize, rows: &[(&str, String)]) {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in rows {
        line(&format!("{:indent$}{name:width$}  {value}", ""));
    }
}

/// The text with every control and formatting character replaced.
fn plain(text: &str) -> String {
    text.chars().map(|c| if is_control_or_format(c) { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_command_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\rc\u{202e}d é"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d é");
    }
}
