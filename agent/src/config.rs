//! Settings of the agent: a TOML file in which every key is optional and unknown keys are refused.
//! `deploy/examples/agent.toml` documents each key.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::address::{AddressError, CollectorAddress};
use crate::files::{self, FileError};

/// Where the file is looked for when `--config` is not given.
pub const DEFAULT_PATH: &str =
    if cfg!(windows) { r"C:\ProgramData\Parc\agent.toml" } else { "/etc/parc/agent.toml" };
const DEFAULT_STATE_DIR: &str =
    if cfg!(windows) { r"C:\ProgramData\Parc\agent" } else { "/var/lib/parc-agent" };
/// A settings file of this agent has a dozen lines.
const FILE_BYTES_MAX: usize = 64 * 1024;
const DAY_S: u32 = 24 * 3600;

/// The file as written; [`Config::check`] proves the values.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of the collector, `https://host:port`. Empty: the one this machine was enrolled at.
    pub collector: String,
    /// Asset tag of this machine; the firmware's is used when empty. `parc-agent tag` overrides it.
    pub tag: String,
    /// Folder of identity and state.
    pub state_dir: PathBuf,
    /// Seconds between contacts when the collector names none.
    pub contact_interval_s: u32,
    /// A collector that asks for contacts closer together than this is not obeyed.
    pub contact_interval_min_s: u32,
    /// A collector that asks for contacts further apart than this is not obeyed.
    pub contact_interval_max_s: u32,
    /// The first contact after a start waits up to this long, at random.
    pub boot_wait_max_s: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            collector: String::new(),
            tag: String::new(),
            state_dir: PathBuf::from(DEFAULT_STATE_DIR),
            contact_interval_s: 4 * 3600,
            contact_interval_min_s: 60,
            contact_interval_max_s: 7 * DAY_S,
            boot_wait_max_s: 15 * 60,
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file is there but cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Asked for by name, but not there.
    #[error("there is no configuration file {0}")]
    Missing(PathBuf),
    /// Not UTF-8, not TOML, an unknown key, or a value of the wrong kind.
    #[error("{path} is not a valid configuration: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The parser's words, which name line and key.
        reason: String,
    },
    /// A number outside its limits.
    #[error("`{key}` is {value}, allowed are {least} to {most}")]
    OutOfRange {
        /// The key in the file.
        key: &'static str,
        /// What it says.
        value: u32,
        /// The least allowed.
        least: u32,
        /// The most allowed.
        most: u32,
    },
    /// `collector` is no usable address.
    #[error("`collector` is not usable: {0}")]
    Collector(#[source] AddressError),
}

impl Config {
    /// Reads the file. A missing file means defaults, unless a person asked for this very file.
    pub fn load(path: &Path, asked_for: bool) -> Result<Self, ConfigError> {
        let Some(bytes) = files::read(path, FILE_BYTES_MAX)? else {
            return if asked_for { Err(ConfigError::Missing(path.to_owned())) } else { Ok(Self::default()) };
        };
        let malformed = |reason: String| ConfigError::Malformed { path: path.to_owned(), reason };
        let text = String::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        Self::parse(&text).map_err(|error| malformed(error.to_string().trim_end().to_owned()))
    }

    /// Parses the text of a file.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Proves every value but `tag`: a text that is no tag must not silence a machine, it is reported as a
    /// problem instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        let within = |key, value, least, most| {
            let fits = (least..=most).contains(&value);
            if fits { Ok(()) } else { Err(ConfigError::OutOfRange { key, value, least, most }) }
        };
        within("contact_interval_min_s", self.contact_interval_min_s, 1, DAY_S)?;
        within(
            "contact_interval_max_s",
            self.contact_interval_max_s,
            self.contact_interval_min_s,
            30 * DAY_S,
        )?;
        let (least, most) = (self.contact_interval_min_s, self.contact_interval_max_s);
        within("contact_interval_s", self.contact_interval_s, least, most)?;
        within("boot_wait_max_s", self.boot_wait_max_s, 0, DAY_S)?;
        self.collector()?;
        Ok(())
    }

    /// The collector's address, when one is set.
    pub fn collector(&self) -> Result<Option<CollectorAddress>, ConfigError> {
        match self.collector.trim() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(ConfigError::Collector),
        }
    }

    /// How contacts are spaced.
    pub fn pace(&self) -> crate::schedule::Pace {
        let seconds = |it: u32| Duration::from_secs(it.into());
        crate::schedule::Pace {
            interval: seconds(self.contact_interval_s),
            least: seconds(self.contact_interval_min_s),
            most: seconds(self.contact_interval_max_s),
            boot_wait: seconds(self.boot_wait_max_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../deploy/examples/agent.toml");

    #[test]
    fn the_example_is_valid_and_holds_the_defaults() {
        let config = Config::parse(EXAMPLE).unwrap();
        config.check().unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn the_example_documents_every_key() {
        let every_key = serde_json::to_value(Config::default()).unwrap();
        for key in every_key.as_object().unwrap().keys() {
            let shown = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            assert!(EXAMPLE.lines().any(shown), "{key} is missing from deploy/examples/agent.toml");
        }
    }

    #[test]
    fn the_keys_that_the_example_only_shows_are_valid_too() {
        let shown = |line: &str| line.strip_prefix("# ").filter(|it| it.contains(" = \"")).map(str::to_owned);
        let text: Vec<String> = EXAMPLE.lines().filter_map(shown).collect();
        let config = Config::parse(&text.join("\n")).unwrap();
        config.check().unwrap();
        assert!(
            config.tag.parse::<parc_wire::tag::AssetTag>().is_ok() && config.collector().unwrap().is_some()
        );
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let refusal = Config::parse("colector = \"https://parc.example.org\"").unwrap_err().to_string();
        assert!(refusal.contains("colector"), "{refusal}");
    }

    #[test]
    fn a_bad_value_names_its_key_and_its_limit() {
        let refusal = |text: &str| Config::parse(text).unwrap().check().unwrap_err().to_string();
        assert_eq!(
            refusal("contact_interval_min_s = 0"),
            "`contact_interval_min_s` is 0, allowed are 1 to 86400"
        );
        assert!(refusal("contact_interval_s = 5").starts_with("`contact_interval_s` is 5"));
        assert!(refusal("collector = \"http://parc.example.org\"").starts_with("`collector` is not usable"));
    }

    #[test]
    fn a_text_that_is_no_tag_does_not_silence_the_machine() {
        Config::parse("tag = \"To be filled by O.E.M.\"").unwrap().check().unwrap();
    }

    #[test]
    fn a_missing_file_means_defaults_unless_it_was_asked_for() {
        let nowhere = Path::new("/nowhere/agent.toml");
        assert_eq!(Config::load(nowhere, false).unwrap(), Config::default());
        assert!(matches!(Config::load(nowhere, true), Err(ConfigError::Missing(_))));
    }
}
