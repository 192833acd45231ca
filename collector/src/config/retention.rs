//! `[retention]`

use serde::Deserialize;

use super::{SettingsError, invalid};

/// How long things are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// Days of change history per machine; the default is thirteen months. What tickets pinned stays.
    pub history_days: u64,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self { history_days: 395 }
    }
}

impl RetentionSettings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if !(30..=3_660).contains(&self.history_days) {
            return Err(invalid("retention.history_days", "must be between 30 and 3660"));
        }
        Ok(())
    }
}
