//! The agent's program; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    parc_agent::cli::main()
}
