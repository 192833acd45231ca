//! `[agents]`

use std::net::SocketAddr;

use serde::Deserialize;

use super::{SettingsError, invalid};

/// The gRPC door of the agents; TLS always.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentSettings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Names and addresses agents reach this collector by; they stand in its certificate.
    pub names: Vec<String>,
    /// Seconds between two contacts of an agent.
    pub interval_s: u32,
    /// Machines of one address (a company behind one router) that may enroll in a minute. Tokens cannot be
    /// guessed; this keeps signing certificates from crowding out reports.
    pub enrollments_per_minute: u32,
    /// Connections held at once; more are refused before the handshake. An idle one costs about 50 KB.
    pub connections_max: usize,
}

impl Default for AgentSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8443)),
            names: vec!["localhost".into(), "127.0.0.1".into()],
            interval_s: 4 * 3600,
            enrollments_per_minute: 120,
            connections_max: 2_000,
        }
    }
}

impl AgentSettings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if !(60..=86_400).contains(&self.interval_s) {
            return Err(invalid("agents.interval_s", "must be between 60 and 86400"));
        }
        if !(16..=20_000).contains(&self.connections_max) {
            return Err(invalid("agents.connections_max", "must be between 16 and 20000"));
        }
        if !(1..=6_000).contains(&self.enrollments_per_minute) {
            return Err(invalid("agents.enrollments_per_minute", "must be between 1 and 6000"));
        }
        if self.names.is_empty() || self.names.len() > 32 {
            return Err(invalid("agents.names", "must hold 1 to 32 names"));
        }
        Ok(())
    }
}
