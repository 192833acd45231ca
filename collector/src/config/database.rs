//! `[database]`

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{SettingsError, invalid};

/// Where rows are kept. Nothing set: SQLite in the data folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `sqlite:PATH` or `postgres://…`; may hold a password, so it is never shown.
    url: Option<SecretString>,
    /// File whose only line is the address, for secrets kept apart.
    url_file: Option<PathBuf>,
}

impl DatabaseSettings {
    /// The address, with `data_dir` for the default file.
    pub fn url(&self, data_dir: &Path) -> Result<String, SettingsError> {
        match (&self.url, &self.url_file) {
            (Some(_), Some(_)) => Err(invalid("database.url", "and database.url_file exclude each other")),
            (Some(url), None) => Ok(url.expose_secret().to_owned()),
            (None, Some(file)) => std::fs::read_to_string(file)
                .map(|it| it.trim().to_owned())
                .map_err(|cause| SettingsError::Read { path: file.clone(), cause }),
            (None, None) => Ok(format!("sqlite:{}", data_dir.join("parc.db").display())),
        }
    }
}
