//! Commands of `parc-collector`. The only module that prints; everything it does goes through the same
//! use cases as the pages and the API.

mod admin;
mod output;
mod service;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::app;
use crate::check;
use crate::config::{LogFormat, LogSettings, Settings};
use crate::context::Context;
use crate::db::Db;
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::time::SystemClock;
use crate::quickstart;

/// Exit code when a check or the quickstart did not find what it must find.
const EXIT_NOT_AS_IT_SHOULD_BE: u8 = 1;
/// Exit code when a command could not be carried out.
const EXIT_FAILED: u8 = 2;

/// Keeps the machines of a parc and puts the right one on every ticket.
#[derive(Debug, Parser)]
#[command(name = "parc-collector", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the collector: the agents' door, the pages, the API.
    Serve(ConfigFile),
    /// Try everything on this machine: a demo organisation, this machine's inventory, a ticket with it.
    Quickstart(quickstart::Options),
    /// Bring the database schema up to date.
    Migrate(ConfigFile),
    /// Look whether the database is sound and its invariants hold; exit code 1 if not.
    Check(ConfigFile),
    /// Write a consistent copy of the embedded database while the collector runs.
    Backup {
        #[command(flatten)]
        config: ConfigFile,
        /// File to write; it must not exist.
        target: PathBuf,
    },
    /// Make organisations, people, keys and tokens.
    Admin {
        #[command(flatten)]
        config: ConfigFile,
        #[command(subcommand)]
        what: admin::Command,
    },
}

#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// Configuration file.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/parc/collector.toml",
        env = "PARC_COLLECTOR_CONFIG"
    )]
    config: PathBuf,
}

/// Carries out a command line.
pub fn run(arguments: Arguments) -> ExitCode {
    match carry_out(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            output::failure(&error);
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn carry_out(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let outcome = match command {
        Command::Serve(file) => runtime.block_on(serve(&file.config)),
        Command::Quickstart(options) => runtime.block_on(try_out(options)),
        Command::Migrate(file) => runtime.block_on(migrate(&file.config)),
        Command::Check(file) => runtime.block_on(run_check(&file.config)),
        Command::Backup { config, target } => runtime.block_on(backup(&config.config, &target)),
        Command::Admin { config, what } => runtime.block_on(administer(&config.config, what)),
    };
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    outcome
}

async fn serve(file: &Path) -> anyhow::Result<ExitCode> {
    let settings = Settings::read(file)?;
    start_logging(&settings.log)?;
    app::serve(settings).await?;
    Ok(ExitCode::SUCCESS)
}

async fn try_out(options: quickstart::Options) -> anyhow::Result<ExitCode> {
    start_logging(&LogSettings { level: "warn".into(), format: LogFormat::Text })?;
    let found = Box::pin(quickstart::run(options, &output::Progress)).await?;
    Ok(if found { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NOT_AS_IT_SHOULD_BE) })
}

async fn migrate(file: &Path) -> anyhow::Result<ExitCode> {
    let settings = read_settings(file)?;
    settings.make_data_dir()?;
    let db = Db::open(&settings.database_url()?).await?;
    db.migrate().await?;
    db.close().await;
    output::line("the schema is up to date");
    Ok(ExitCode::SUCCESS)
}

async fn run_check(file: &Path) -> anyhow::Result<ExitCode> {
    let (context, settings) = open(file).await?;
    let findings = check::run(&context, &settings.seal_key_file()).await?;
    for finding in &findings {
        output::line(&finding.to_string());
    }
    context.db.close().await;
    if findings.is_empty() {
        output::line("the database is sound and every invariant holds");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(EXIT_NOT_AS_IT_SHOULD_BE))
}

async fn backup(file: &Path, target: &Path) -> anyhow::Result<ExitCode> {
    let (context, _) = open(file).await?;
    anyhow::ensure!(!target.exists(), "{} exists already", target.display());
    let target_text = target.to_str().context("the target's name is not UTF-8")?;
    crate::db::dialect::backup(&context.db, target_text).await?;
    context.db.close().await;
    output::line(&format!(
        "wrote {}; keep seal.key apart from it, both are needed to restore",
        target.display()
    ));
    Ok(ExitCode::SUCCESS)
}

async fn administer(file: &Path, what: admin::Command) -> anyhow::Result<ExitCode> {
    let (context, settings) = open(file).await?;
    let line = admin::carry_out(&context, &settings, what).await?;
    output::line(&line);
    context.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Opens what `migrate` or `serve` made: a mistyped path must not become an empty database.
async fn open(file: &Path) -> anyhow::Result<(Context, Settings)> {
    let settings = read_settings(file)?;
    let db = Db::open_existing(&settings.database_url()?).await?;
    db.migrate().await?;
    let context = Context { db, clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) };
    Ok((context, settings))
}

fn read_settings(file: &Path) -> anyhow::Result<Settings> {
    let settings = Settings::read(file)?;
    start_logging(&LogSettings { level: "warn".into(), ..settings.log.clone() })?;
    Ok(settings)
}

/// Logs go to standard error, so that what a command prints stays clean.
fn start_logging(settings: &LogSettings) -> anyhow::Result<()> {
    let filter =
        tracing_subscriber::EnvFilter::try_new(&settings.level).context("log.level is not a filter")?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match settings.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
