//! The program around the library: command line in, words and an exit code out.

mod args;
mod commands;
mod help;
mod output;
mod show;
mod status;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use args::{Command, EnrollArgs, Invocation, Places, TagArgs, TokenSource};

use crate::agent::{Agent, AgentError};
use crate::config::{Config, ConfigError, DEFAULT_PATH};
use crate::permissions::UnsafePath;
use crate::root::Root;
use crate::upload::Failure;

/// How a command ended; `parc-agent --help` documents the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NotEnrolled = 3,
    NoAnswer = 4,
    Refused = 5,
}

/// Why a command ended without having done its work.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Unsafe(#[from] UnsafePath),
    #[error("there is no folder {0} to read a machine from")]
    NoRoot(PathBuf),
    #[error("the token cannot be read from {0}: {1}")]
    TokenFile(PathBuf, std::io::Error),
    #[error("the token is refused: {0}")]
    Token(#[from] crate::identity::TokenError),
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let exit = match args::parse(std::env::args_os().skip(1)) {
        Ok(invocation) => perform(invocation).unwrap_or_else(|error| {
            output::note(&format!("parc-agent: {error}"));
            exit_of(&error)
        }),
        Err(error) => {
            output::note(&format!("parc-agent: {error}"));
            Exit::Usage
        }
    };
    ExitCode::from(exit as u8)
}

fn perform(invocation: Invocation) -> Result<Exit, CliError> {
    match invocation.command {
        Command::Help(text) => {
            output::page(text);
            return Ok(Exit::Done);
        }
        Command::Version => {
            output::line(&format!("parc-agent {}", crate::report::AGENT_VERSION));
            return Ok(Exit::Done);
        }
        _ => {}
    }
    let config_path = invocation.places.config.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_PATH));
    let agent = agent(&invocation.places, &config_path)?;
    match invocation.command {
        Command::Enroll(args) => in_runtime(commands::enroll(&agent, args)),
        Command::Run => in_runtime(commands::run(&agent, &config_path)),
        Command::Report { json } => in_runtime(commands::report(&agent, json)),
        Command::Show { json } => Ok(show::show(&agent, json)),
        Command::Status => status::status(&agent),
        Command::Tag(args) => commands::tag(&agent, &args),
        Command::TicketLink => in_runtime(commands::ticket_link(&agent)),
        Command::Ticket(wish) => in_runtime(commands::ticket(&agent, &wish)),
        Command::SealImage => commands::seal_image(&agent),
        Command::Help(_) | Command::Version => Ok(Exit::Done),
    }
}

fn agent(places: &Places, config_path: &Path) -> Result<Agent, CliError> {
    let config = Config::load(config_path, places.config.is_some())?;
    config.check()?;
    if let Some(root) = places.root.as_ref().filter(|it| !it.is_dir()) {
        return Err(CliError::NoRoot(root.clone()));
    }
    let root = places.root.clone().map_or_else(Root::live, Root::captured);
    Ok(Agent::new(config, root, places.state.clone()))
}

/// One thread is enough for one call at a time. A name look-up that hangs is left behind at the end.
fn in_runtime(work: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::Runtime)?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

fn exit_of(error: &CliError) -> Exit {
    let CliError::Agent(error) = error else {
        return Exit::Failed;
    };
    match error {
        AgentError::NotEnrolled | AgentError::Seal(_) => Exit::NotEnrolled,
        AgentError::StillRefused(_) => Exit::Refused,
        other => match other.failure().map(Failure::is_passing) {
            Some(true) => Exit::NoAnswer,
            Some(false) => Exit::Refused,
            None => Exit::Failed,
        },
    }
}

impl TokenSource {
    fn read(self) -> Result<crate::identity::Token, CliError> {
        let text = match self {
            Self::Text(text) => text,
            Self::File(path) if path.as_os_str() == "-" => {
                std::io::read_to_string(std::io::stdin().lock())
                    .map_err(|error| CliError::TokenFile(path, error))?
            }
            Self::File(path) => {
                std::fs::read_to_string(&path).map_err(|error| CliError::TokenFile(path, error))?
            }
        };
        Ok(text.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_what_helps() {
        let exit = |error: AgentError| exit_of(&error.into());
        assert_eq!(exit(AgentError::NotEnrolled), Exit::NotEnrolled);
        assert_eq!(exit(Failure::TimedOut("the call").into()), Exit::NoAnswer);
        assert_eq!(exit(Failure::Rejected("revoked".into()).into()), Exit::Refused);
        assert_eq!(exit(AgentError::NoCollector), Exit::Failed);
    }

    #[test]
    fn a_captured_tree_that_is_not_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let places = |root: &str| Places { root: Some(folder.path().join(root)), ..Places::default() };
        let nowhere = folder.path().join("agent.toml");
        let refusal = agent(&places("gone"), &nowhere).unwrap_err();
        assert!(matches!(refusal, CliError::NoRoot(_)), "{refusal}");
        assert_eq!(exit_of(&refusal), Exit::Failed);
        assert!(agent(&places(""), &nowhere).is_ok());
    }

    #[test]
    fn the_help_names_every_exit_code() {
        let codes = [Exit::Done, Exit::Failed, Exit::Usage, Exit::NotEnrolled, Exit::NoAnswer, Exit::Refused];
        for code in codes {
            let line = format!("\n  {}  ", code as u8);
            assert!(help::MAIN.contains(&line), "{code:?}");
        }
    }

    #[test]
    fn the_service_unit_fits_the_program() {
        let unit = include_str!("../../deploy/systemd/parc-agent.service");
        let mut section = "";
        let mut settings = Vec::new();
        for line in unit.lines().filter(|it| !it.is_empty() && !it.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
                section = name;
            } else {
                let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("not a setting: {line}"));
                settings.push((section, key, value));
            }
        }
        let value = |key| settings.iter().find(|it| it.1 == key).map(|it| it.2).unwrap();
        let state = Config::default().state_dir;
        assert_eq!(Path::new("/var/lib").join(value("StateDirectory")), state);
        assert_eq!(Path::new(value("ConditionPathExists")), state.join("identity.json"));
        let (_, command) = value("ExecStart").split_once(' ').unwrap();
        assert_eq!(args::parse([command.into()]).unwrap().command, Command::Run);
        let only_a_person_helps = [Exit::Usage, Exit::NotEnrolled].map(|it| (it as u8).to_string());
        assert_eq!(value("RestartPreventExitStatus"), only_a_person_helps.join(" "));
        assert!(settings.contains(&("Service", "NoNewPrivileges", "yes")));
    }
}
