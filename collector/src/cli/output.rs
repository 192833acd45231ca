//! What a person at the terminal reads.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this module is the terminal")]

use std::io::IsTerminal as _;

use crate::quickstart::Report;

/// One line of result.
pub(super) fn line(text: &str) {
    println!("{text}");
}

/// Why a command failed, with its causes.
pub(super) fn failure(error: &anyhow::Error) {
    eprintln!("parc-collector: {error:#}");
}

/// Width of the progress bar.
const CELLS: usize = 24;

/// Shows the quickstart's steps as they happen and its result at the end.
#[derive(Debug)]
pub(super) struct Progress;

impl Report for Progress {
    fn step(&self, text: &str) {
        eprintln!("  • {text}");
    }

    fn counted(&self, text: &str, done: usize, all: usize) {
        if !std::io::stderr().is_terminal() {
            // A log keeps every line: only the begin and the end are worth one.
            if done == 0 || done == all {
                eprintln!("  • {text} {done}/{all}");
            }
            return;
        }
        let filled = (done * CELLS).checked_div(all).unwrap_or(CELLS);
        let bar: String = (0..CELLS).map(|cell| if cell < filled { '█' } else { '·' }).collect();
        eprint!("\r  • {text} {bar} {done}/{all}");
        if done == all {
            eprintln!();
        }
    }

    fn warning(&self, text: &str) {
        eprintln!("  ! {text}");
    }

    fn result(&self, text: &str) {
        println!("{text}");
    }
}
