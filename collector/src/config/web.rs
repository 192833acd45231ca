//! `[web]`

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::{SettingsError, invalid};

/// The door of people and of programs with an API key. Loopback unless told otherwise, because without a
/// certificate it speaks plain HTTP.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebSettings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// PEM file with the certificate chain; together with `key_file` it turns TLS on.
    pub certificate_file: Option<PathBuf>,
    /// PEM file with the private key.
    pub key_file: Option<PathBuf>,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), certificate_file: None, key_file: None }
    }
}

impl WebSettings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if self.certificate_file.is_some() != self.key_file.is_some() {
            return Err(invalid("web.certificate_file", "and web.key_file must be given together"));
        }
        Ok(())
    }
}
