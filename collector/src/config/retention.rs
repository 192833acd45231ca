//! `[retention]`

use serde::Deserialize;

use super::{SettingsError, invalid};

/// How long things are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// Days of change history per machine; the default is thirteen months. What tickets pinned stays.
    pub history_days: u64,
    /// Days after its end that a ticket keeps people and texts; the default is a year in use and two in the archive.
    pub ticket_days: u64,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self { history_days: 395, ticket_days: 1_096 }
    }
}

impl RetentionSettings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if !(30..=3_660).contains(&self.history_days) {
            return Err(invalid("retention.history_days", "must be between 30 and 3660"));
        }
        if !(365..=3_660).contains(&self.ticket_days) {
            return Err(invalid("retention.ticket_days", "must be between 365 and 3660"));
        }
        Ok(())
    }
}
