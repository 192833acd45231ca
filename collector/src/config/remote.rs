//! `[remote]`

use serde::Deserialize;

use super::{SettingsError, invalid};

/// Programs with which technicians take over screens.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteSettings {
    /// The programs, the usual one first.
    pub tools: Vec<RemoteTool>,
}

/// A program that the person at the other end starts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteTool {
    /// As people know it.
    pub name: String,
    /// Where they fetch it: a page of the provider or of the program's maker.
    pub url: String,
}

impl RemoteSettings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        for tool in &self.tools {
            if tool.name.trim().is_empty() || tool.name.chars().count() > 120 {
                return Err(invalid("remote.tools.name", "must have 1 to 120 characters"));
            }
            // What stands in a link must never be a script.
            if !(tool.url.starts_with("https://") || tool.url.starts_with("http://")) {
                return Err(invalid("remote.tools.url", "must begin with https:// or http://"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_none_is_refused() {
        let settings = |url: &str| RemoteSettings {
            tools: vec![RemoteTool { name: "TeamViewer".into(), url: url.into() }],
        };
        assert!(settings("https://provider.example/teamviewer").check().is_ok());
        for url in ["", "javascript:alert(1)", "provider.example"] {
            assert!(settings(url).check().is_err(), "{url}");
        }
    }
}
