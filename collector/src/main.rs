//! The collector's command line.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    parc_collector::cli::run(parc_collector::cli::Arguments::parse())
}
