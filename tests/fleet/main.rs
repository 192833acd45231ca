//! The load program: many distinct machines, each with its own key, certificate and inventory, against a
//! collector that it starts on a fresh database. Run by hand:
//!
//! ```text
//! cargo build --release -p parc-collector -p parc-acceptance --bins
//! target/release/parc-fleet reports --machines 1000
//! target/release/parc-fleet tickets --machines 300 --stored 100000
//! ```
//!
//! Load program and collector share the machine, so the figure to compare is what one second of the
//! collector's CPU carries; rates by the clock are printed beside it.
#![expect(clippy::print_stdout, reason = "it prints figures")]

mod catalogue;
mod enrolling;
mod machine;
mod measure;
mod reports;
mod stored;
mod tickets;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use parc_acceptance::collector::{Collector, Settings};
use tempfile::TempDir;

/// Anything that ends a run.
type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Simulates a parc of machines against a collector on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// First full, unchanged and changed reports per second.
    Reports(reports::Options),
    /// How long opening a ticket takes, machine included.
    Tickets(tickets::Options),
}

/// Where the collector stores.
#[derive(Debug, clap::Args)]
struct Store {
    /// `postgres://…` of an empty database; SQLite in a temporary folder when not given.
    #[arg(long)]
    database: Option<String>,
    /// Folder for the SQLite file instead of a temporary one; it must be empty.
    #[arg(long, conflicts_with = "database")]
    folder: Option<PathBuf>,
}

/// A collector under load, with what it needs around it.
struct Subject {
    collector: Collector,
    database_url: String,
    _folder: Option<TempDir>,
}

impl Store {
    /// The address, and a folder that must outlive the run.
    fn url(&self) -> Result<(String, Option<TempDir>), Failed> {
        if let Some(url) = &self.database {
            return Ok((url.clone(), None));
        }
        let sqlite = |folder: &std::path::Path| format!("sqlite:{}", folder.join("parc.db").display());
        if let Some(folder) = &self.folder {
            return Ok((sqlite(folder), None));
        }
        let folder = tempfile::tempdir()?;
        Ok((sqlite(folder.path()), Some(folder)))
    }
}

impl Subject {
    /// Starts the collector on its database.
    async fn start(database_url: String, folder: Option<TempDir>) -> Self {
        let collector = Collector::start(&Settings::on(&database_url)).await;
        Self { collector, database_url, _folder: folder }
    }
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    match Arguments::parse().command {
        Command::Reports(options) => reports::run(options).await,
        Command::Tickets(options) => tickets::run(options).await,
    }
}
