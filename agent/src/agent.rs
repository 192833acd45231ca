//! The agent on its machine: settings, folder and probes put together into the things it does.
//!
//! Everything that changes the folder holds its lock, so that the service and a person at the command
//! line never work on one state at the same time.

mod enrolling;
mod reporting;
mod tickets;

use std::path::PathBuf;

use parc_wire::digest::Digest;
use thiserror::Error;

use crate::address::CollectorAddress;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::contact::ContactError;
use crate::enroll::EnrollError;
use crate::files::FileError;
use crate::identity::{Identity, IdentityError, Seal, SealBroken};
use crate::probe::{self, Findings};
use crate::random::RandomError;
use crate::report::{AGENT_VERSION, Stamp};
use crate::root::Root;
use crate::schedule::Retry;
use crate::spool::SpoolError;
use crate::state_dir::{DirError, StateDir};
use crate::tag::{self, Claim};
use crate::upload::Failure;

pub use enrolling::EnrollWish;
pub use reporting::{Contacted, Preview};
pub use tickets::TicketWish;

/// An agent with its settings.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Settings, checked.
    pub config: Config,
    /// Where the probes read.
    pub root: Root,
    /// Where identity and state are kept.
    pub dir: StateDir,
}

/// The machine as it is now.
#[derive(Debug)]
pub struct Sight {
    /// What the probes found.
    pub findings: Findings,
    /// The tag it claims.
    pub claim: Claim,
}

/// Why the agent could not do what it was asked for.
#[derive(Debug, Error)]
pub enum AgentError {
    /// The machine has no identity.
    #[error("this machine is not enrolled: run `parc-agent enroll --collector URL --token TOKEN`")]
    NotEnrolled,
    /// The machine has an identity already.
    #[error("this machine is already enrolled as {agent_id}; `--replace` gives it a new identity")]
    AlreadyEnrolled {
        /// The present identity.
        agent_id: String,
    },
    /// The identity belongs to another machine.
    #[error(transparent)]
    Seal(#[from] SealBroken),
    /// Neither the command line nor the configuration names a collector.
    #[error("no collector: give `--collector URL` or set `collector` in the configuration")]
    NoCollector,
    /// The collector refused this very state and it has not changed.
    #[error("the collector refused this state and nothing has changed since: {0}")]
    StillRefused(String),
    /// Settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Enrollment.
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    /// Key or certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Contact.
    #[error(transparent)]
    Contact(#[from] ContactError),
    /// The agent's folder.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl From<FileError> for AgentError {
    fn from(error: FileError) -> Self {
        Self::Dir(error.into())
    }
}

impl From<SpoolError> for AgentError {
    fn from(error: SpoolError) -> Self {
        Self::Contact(error.into())
    }
}

impl From<Failure> for AgentError {
    fn from(failure: Failure) -> Self {
        Self::Contact(failure.into())
    }
}

impl From<RandomError> for AgentError {
    fn from(error: RandomError) -> Self {
        Self::Contact(error.into())
    }
}

impl AgentError {
    /// The failed connection or call behind this error.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Contact(ContactError::Failure(failure)) | Self::Enroll(EnrollError::Failure(failure)) => {
                Some(failure)
            }
            _ => None,
        }
    }

    /// When the service tries again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::StillRefused(_) => Retry::Seldom,
            other => other.failure().map_or(Retry::BackOff, Failure::retry),
        }
    }

    /// Whether no waiting can help: a person has to enroll this machine.
    pub fn needs_enrollment(&self) -> bool {
        matches!(self, Self::NotEnrolled | Self::Seal(_))
    }
}

impl Agent {
    /// Puts an agent together; `state_dir` overrides the configuration's.
    pub fn new(config: Config, root: Root, state_dir: Option<PathBuf>) -> Self {
        let dir = StateDir::new(state_dir.unwrap_or_else(|| config.state_dir.clone()));
        Self { config, root, dir }
    }

    /// Runs the probes. A local tag that cannot be read counts as none.
    pub fn look(&self) -> Sight {
        let findings = probe::run_all(&self.root);
        let local = self.dir.tag().ok().flatten();
        let firmware = probe::firmware_asset_tag(&findings);
        let claim = tag::claim(local.as_deref(), &self.config.tag, firmware.as_deref());
        Sight { findings, claim }
    }

    /// The identity, if it belongs to this machine.
    fn own_identity(&self, sight: &Sight) -> Result<Identity, AgentError> {
        let identity = self.dir.identity()?.ok_or(AgentError::NotEnrolled)?;
        identity.seal.check(&Seal::of(&probe::evidence(&sight.findings)))?;
        Ok(identity)
    }

    /// Where the collector is: the configuration may have moved it since enrollment.
    pub fn collector(&self, identity: Option<&Identity>) -> Result<CollectorAddress, AgentError> {
        if let Some(address) = self.config.collector()? {
            return Ok(address);
        }
        let enrolled_at = identity.ok_or(AgentError::NoCollector)?.collector.parse();
        enrolled_at.map_err(|error| ConfigError::Collector(error).into())
    }

    fn stamp(&self, clock: &dyn Clock) -> Stamp {
        Stamp {
            collected_at: clock.now_us(),
            agent_version: AGENT_VERSION.to_owned(),
            boot_id: boot_id(&self.root).map(|it| it.to_vec()).unwrap_or_default(),
        }
    }
}

/// Hash of the kernel's boot id: two machines that share an identity betray themselves by it.
fn boot_id(root: &Root) -> Option<Digest> {
    let kernels = crate::files::read(&root.path("/proc/sys/kernel/random/boot_id"), 64).ok()??;
    let hash = blake3::derive_key("parc agent boot id", kernels.trim_ascii());
    hash.first_chunk().copied()
}
