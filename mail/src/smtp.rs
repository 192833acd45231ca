//! Handing a message to the relay. One attempt; when to try again is the caller's business.

use std::fmt;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{self, PoolConfig};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

/// Connections kept open: one courier sends one mail at a time, a test beside it.
const CONNECTIONS_MAX: u32 = 2;
/// How long an unused connection is kept; servers hang up after some minutes (RFC 5321 §4.5.3.2.7).
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Characters of a server's answer that are kept.
const ANSWER_CHARS_MAX: usize = 300;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// Plain, turned into TLS before anything is said; refused when the server cannot (port 587).
    #[default]
    StartTls,
    /// TLS from the first byte (port 465).
    Tls,
    /// Plain: for a relay on the same machine only.
    None,
}

/// Where the relay is.
#[derive(Clone, Debug)]
pub struct RelaySettings {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection.
    pub security: Security,
    /// PEM of an authority to trust besides the public ones.
    pub authority_pem: Option<Vec<u8>>,
    /// Name and password.
    pub credentials: Option<(String, SecretString)>,
    /// What we call ourselves.
    pub hello_name: String,
    /// Longest wait for one answer.
    pub timeout: Duration,
}

/// A relay.
#[derive(Clone)]
pub struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Relay")
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The authority's file or the host's name is not usable for TLS.
    #[error("TLS to the mail relay cannot be set up")]
    Tls(#[source] smtp::Error),
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It will never be taken: a 5xx answer.
    #[error("refused for good: {answer}")]
    Refused {
        /// The server's words with the code, at most 300 characters.
        answer: String,
    },
    /// It may be taken later: a 4xx answer, or the connection broke in the middle.
    #[error("not now: {answer}")]
    Later {
        /// The server's words or what went wrong.
        answer: String,
    },
    /// No mail would be taken: no connection, no TLS, our name or password is wrong.
    #[error("the relay cannot be used: {answer}")]
    Unreachable {
        /// What went wrong.
        answer: String,
    },
    /// An envelope address that is none.
    #[error("{0:?} is not an address")]
    Address(String),
}

impl Relay {
    /// Prepares connections; none is opened yet.
    ///
    /// # Errors
    ///
    /// An authority or a host name that TLS cannot use.
    pub fn new(settings: &RelaySettings) -> Result<Self, RelayError> {
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
            .port(settings.port)
            .tls(tls(settings)?)
            .timeout(Some(settings.timeout))
            .hello_name(ClientId::Domain(settings.hello_name.clone()))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS_MAX).idle_timeout(IDLE_MAX));
        if let Some((name, password)) = &settings.credentials {
            builder =
                builder.credentials(Credentials::new(name.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build() })
    }

    /// Hands one message over; gives the server's answer once it has taken the message upon itself.
    ///
    /// # Errors
    ///
    /// See [`SendError`]. After [`SendError::Later`] the server may have taken it all the same: the connection
    /// can break between its decision and its answer.
    pub async fn send(&self, from: &str, to: &str, message: &[u8]) -> Result<String, SendError> {
        let envelope = Envelope::new(Some(address(from)?), vec![address(to)?]);
        let envelope = envelope.map_err(|_| SendError::Address(to.to_owned()))?;
        self.reach().await?;
        match self.transport.send_raw(&envelope, message).await {
            Ok(answer) => Ok(cut(&answer.message().collect::<Vec<_>>().join(" "))),
            Err(error) if error.is_permanent() => Err(SendError::Refused { answer: words(&error) }),
            Err(error) => Err(SendError::Later { answer: words(&error) }),
        }
    }

    /// Connects, or asks an open connection whether it still lives: what fails here is no mail's fault.
    ///
    /// # Errors
    ///
    /// [`SendError::Unreachable`].
    pub async fn reach(&self) -> Result<(), SendError> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(SendError::Unreachable { answer: "the relay says nothing sensible".into() }),
            Err(error) => Err(SendError::Unreachable { answer: words(&error) }),
        }
    }
}

fn tls(settings: &RelaySettings) -> Result<Tls, RelayError> {
    if settings.security == Security::None {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.authority_pem {
        parameters = parameters.add_root_certificate(Certificate::from_pem(pem).map_err(RelayError::Tls)?);
    }
    let parameters = parameters.build_rustls().map_err(RelayError::Tls)?;
    Ok(if settings.security == Security::Tls { Tls::Wrapper(parameters) } else { Tls::Required(parameters) })
}

fn address(text: &str) -> Result<Address, SendError> {
    text.parse().map_err(|_| SendError::Address(text.to_owned()))
}

/// The error with its causes, on one line.
fn words(error: &smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    cut(&text)
}

fn cut(text: &str) -> String {
    let line: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    line.trim().chars().take(ANSWER_CHARS_MAX).collect()
}
