//! Where the collector is. Only TLS, only a host and a port: the address never carries a path, a
//! person or a secret.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::ServerName;
use thiserror::Error;
use tonic::codegen::http::Uri;

/// The collector's port for agents, when the address names none.
const DEFAULT_PORT: u16 = 8443;

/// `https://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorAddress {
    host: String,
    port: u16,
    name: ServerName<'static>,
}

/// Why a text is not the address of a collector.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// Not a URL at all.
    #[error("`{0}` is not an address like https://parc.example.org:8443")]
    Malformed(String),
    /// Another scheme than https.
    #[error("the address must begin with https://, agents speak TLS only")]
    NotHttps,
    /// Something behind host and port, or a person before them.
    #[error("the address must be host and port only, without user, path or query")]
    Extra,
    /// The host can stand in no certificate.
    #[error("`{0}` is neither a host name nor an IP address")]
    Host(String),
}

impl CollectorAddress {
    /// Host name or IP address, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name that the collector's certificate must bear.
    pub fn server_name(&self) -> ServerName<'static> {
        self.name.clone()
    }

    /// Host and port as they stand in a URL.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for CollectorAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let uri: Uri = text.trim().parse().map_err(|_| AddressError::Malformed(text.trim().to_owned()))?;
        match uri.scheme_str() {
            Some("https") => {}
            Some(_) => return Err(AddressError::NotHttps),
            None => return Err(AddressError::Malformed(text.trim().to_owned())),
        }
        let authority = uri.authority().ok_or_else(|| AddressError::Malformed(text.trim().to_owned()))?;
        if authority.as_str().contains('@') || uri.query().is_some() || !matches!(uri.path(), "" | "/") {
            return Err(AddressError::Extra);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|_| AddressError::Host(host.clone()))?;
        Ok(Self { host, port: authority.port_u16().unwrap_or(DEFAULT_PORT), name })
    }
}

impl fmt::Display for CollectorAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, AddressError> {
        text.parse::<CollectorAddress>().map(|it| it.to_string())
    }

    #[test]
    fn names_and_addresses_of_both_families_are_accepted() {
        assert_eq!(parse("https://parc.example.org").as_deref(), Ok("https://parc.example.org:8443"));
        assert_eq!(parse(" https://127.0.0.1:9000/ ").as_deref(), Ok("https://127.0.0.1:9000"));
        assert_eq!(parse("https://[::1]:9000").as_deref(), Ok("https://[::1]:9000"));
    }

    #[test]
    fn anything_but_https_to_a_host_is_refused() {
        assert_eq!(parse("http://parc.example.org"), Err(AddressError::NotHttps));
        assert!(matches!(parse("parc.example.org"), Err(AddressError::Malformed(_))));
        assert_eq!(parse("https://parc.example.org/agents"), Err(AddressError::Extra));
        assert_eq!(parse("https://me:secret@parc.example.org"), Err(AddressError::Extra));
        assert!(matches!(
            parse("https://under_score.-/"),
            Err(AddressError::Host(_) | AddressError::Malformed(_))
        ));
    }
}
