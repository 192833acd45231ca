//! Settings of a collector: one TOML file, one struct per section, unknown keys refused, secrets also by
//! file. Every key is documented in `deploy/examples/collector.toml`, which a test parses.

mod agents;
mod database;
mod log;
mod mail;
mod mailboxes;
mod remote;
mod retention;
mod web;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use agents::AgentSettings;
pub use database::DatabaseSettings;
pub use log::{LogFormat, LogSettings};
pub use mail::MailSettings;
pub use mailboxes::{LineSecurity, MailboxSettings};
pub use remote::{RemoteSettings, RemoteTool};
pub use retention::RetentionSettings;
pub use web::WebSettings;

/// Everything a collector is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder of the seal key and of the embedded database.
    pub data_dir: PathBuf,
    /// Address people open, without a slash at the end; links in answers begin with it.
    pub public_url: String,
    /// Where rows are kept.
    #[serde(default)]
    pub database: DatabaseSettings,
    /// The door of the agents.
    #[serde(default)]
    pub agents: AgentSettings,
    /// The door of people and programs.
    #[serde(default)]
    pub web: WebSettings,
    /// Programs for remote sessions.
    #[serde(default)]
    pub remote: RemoteSettings,
    /// Mail that leaves; without it everything that would be sent waits, and is forgotten.
    pub mail: Option<MailSettings>,
    /// Mailboxes that are fetched; what arrives there becomes tickets and answers.
    #[serde(default)]
    pub mailboxes: Vec<MailboxSettings>,
    /// How long things are kept.
    #[serde(default)]
    pub retention: RetentionSettings,
    /// What is logged and how.
    #[serde(default)]
    pub log: LogSettings,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The data folder cannot be made.
    #[error("cannot make the folder {path}")]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path} is not valid")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        cause: Box<toml::de::Error>,
    },
    /// A value is out of its bounds.
    #[error("{key} {reason}")]
    Invalid {
        /// The key, with its section.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Settings {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| SettingsError::Read { path: path.to_owned(), cause })?;
        Self::parse(&text).map_err(|error| match error {
            SettingsError::Parse { cause, .. } => SettingsError::Parse { path: path.to_owned(), cause },
            other => other,
        })
    }

    /// Parses and checks the text of a file.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text)
            .map_err(|cause| SettingsError::Parse { path: PathBuf::new(), cause: Box::new(cause) })?;
        settings.check()?;
        Ok(settings)
    }

    /// Address of the database: the configured one, or the embedded file in the data folder.
    pub fn database_url(&self) -> Result<String, SettingsError> {
        self.database.url(&self.data_dir)
    }

    /// File that seals the certificate authority's key.
    pub fn seal_key_file(&self) -> PathBuf {
        self.data_dir.join("seal.key")
    }

    /// Makes the data folder, its owner's only, unless it is there.
    pub fn make_data_dir(&self) -> Result<(), SettingsError> {
        make_private_folder(&self.data_dir)
            .map_err(|cause| SettingsError::DataDir { path: self.data_dir.clone(), cause })
    }

    fn check(&self) -> Result<(), SettingsError> {
        let http = self.public_url.starts_with("http://") || self.public_url.starts_with("https://");
        if !http || self.public_url.ends_with('/') {
            return Err(invalid(
                "public_url",
                "must begin with http:// or https:// and not end with a slash",
            ));
        }
        self.agents.check()?;
        self.web.check()?;
        self.remote.check()?;
        if let Some(mail) = &self.mail {
            mail.check()?;
        }
        mailboxes::check(&self.mailboxes)?;
        self.retention.check()
    }
}

/// Makes a folder that only its owner may enter; one that is there keeps its rights.
pub fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn invalid(key: &'static str, reason: impl Into<String>) -> SettingsError {
    SettingsError::Invalid { key, reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "data_dir = \"/var/lib/parc\"\npublic_url = \"https://parc.example.org\"\n";

    #[test]
    fn two_keys_are_enough() {
        let settings = Settings::parse(LEAST).expect("valid");
        assert_eq!(settings.database_url().expect("url"), "sqlite:/var/lib/parc/parc.db");
        assert!(settings.web.listen.ip().is_loopback(), "people's door is not open to the world by default");
    }

    #[test]
    fn a_misspelt_key_is_refused_by_name() {
        let error =
            Settings::parse(&format!("{LEAST}[web]\nlisten_on = \"0.0.0.0:80\"\n")).expect_err("refused");
        assert!(crate::kernel::error::Chain(&error).to_string().contains("listen_on"));
    }

    #[test]
    fn a_value_out_of_bounds_names_its_key() {
        for (section, key) in [
            ("[agents]\ninterval_s = 5", "agents.interval_s"),
            ("[retention]\nhistory_days = 1", "retention.history_days"),
            ("[mail]\nhost = \"mail.example.org\"\nfrom = \"support\"", "mail.from"),
            ("[mail]\nhost = \"\"\nfrom = \"support@example.org\"", "mail.host"),
        ] {
            let error = Settings::parse(&format!("{LEAST}{section}\n")).expect_err("refused");
            assert!(error.to_string().starts_with(key), "{error}");
        }
    }

    #[test]
    fn the_database_address_shows_no_password() {
        let settings =
            Settings::parse(&format!("{LEAST}[database]\nurl = \"postgres://parc:secret@db/parc\"\n"));
        assert!(!format!("{:?}", settings.expect("valid")).contains("secret"));
    }
}
