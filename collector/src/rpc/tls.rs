//! TLS of the agents' door: our root is the only one trusted, a client certificate is optional, and one that
//! expired a short while ago still counts (what it may do is the guard's matter).

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};

use super::peer::PeerCertificate;
use crate::kernel::time::Clock;

/// Why a TLS configuration could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The root cannot serve as a trust anchor.
    #[error("the root certificate cannot be trusted with client certificates")]
    Root(#[source] rustls::server::VerifierBuilderError),
    /// Chain, key or protocol settings do not fit.
    #[error("the server certificate or key cannot be used")]
    Config(#[from] Error),
}

/// The cryptography of every TLS connection. Passed explicitly, so that a second provider in the program
/// changes nothing.
pub fn crypto_provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

/// The configuration in force; replaced while connections are accepted.
#[derive(Debug)]
pub struct ServerTls(RwLock<Arc<ServerConfig>>);

impl ServerTls {
    /// Starts with `config`.
    pub fn new(config: Arc<ServerConfig>) -> Self {
        Self(RwLock::new(config))
    }

    /// What the next connection gets.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Connections accepted from now on get `config`; open ones keep theirs until their age limit.
    pub fn replace(&self, config: Arc<ServerConfig>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }
}

/// TLS 1.2 and 1.3 with ring, ALPN `h2`, `chain` and `key` as server identity, client certificates of `root`
/// that expired at most `grace` ago accepted.
pub fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    root: CertificateDer<'static>,
    grace: Duration,
    clock: Arc<dyn Clock>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = crypto_provider();
    let mut roots = RootCertStore::empty();
    roots.add(root)?;
    let strict = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(TlsError::Root)?;
    let verifier = Arc::new(ForgivingVerifier { strict, grace });
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(ClockTime(clock)))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.ticketer = Ticketer::new()?;
    Ok(Arc::new(config))
}

/// Certificates are judged by the clock everything else goes by.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        u64::try_from(self.0.now().seconds())
            .ok()
            .map(|it| UnixTime::since_unix_epoch(Duration::from_secs(it)))
    }
}

/// Accepts what the strict verifier accepts, and what it would have accepted in the certificate's last
/// second if that was at most `grace` ago. Foreign roots and wrong usages stay refused.
#[derive(Debug)]
struct ForgivingVerifier {
    strict: Arc<dyn ClientCertVerifier>,
    grace: Duration,
}

impl ClientCertVerifier for ForgivingVerifier {
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let outcome = self.strict.verify_client_cert(end_entity, intermediates, now);
        let Err(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) = outcome
        else {
            return outcome;
        };
        let last =
            PeerCertificate::parse(end_entity).and_then(|it| u64::try_from(it.not_after.seconds()).ok());
        match last {
            Some(last) if last < now.as_secs() && now.as_secs() - last <= self.grace.as_secs() => {
                let then = UnixTime::since_unix_epoch(Duration::from_secs(last));
                self.strict.verify_client_cert(end_entity, intermediates, then)
            }
            _ => outcome,
        }
    }

    fn client_auth_mandatory(&self) -> bool {
        self.strict.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.strict.root_hint_subjects()
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}
