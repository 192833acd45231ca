//! TLS towards the collector, with one provider that is passed explicitly.
//!
//! Before enrollment the token's fingerprint says which root to trust; afterwards the stored root is
//! the only one. The system's roots are never asked, so no other authority can vouch for a collector.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::identity::{Identity, RootFingerprint};

/// gRPC speaks HTTP/2 only.
const ALPN: &[u8] = b"h2";

/// The cryptography in use; the one place to change it.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// For a machine without identity: trusts the root that the token names, and no other.
pub fn enrolling(root: RootFingerprint) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = provider();
    let verifier = Arc::new(NamedRoot { root, provider: provider.clone() });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous() // rustls' word for any verifier of one's own; this one is stricter than the default
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// For an enrolled machine: trusts the stored root and shows the agent's certificate.
pub fn enrolled(identity: &Identity) -> Result<Arc<ClientConfig>, rustls::Error> {
    let certificate = CertificateDer::from(identity.certificate_der().to_vec());
    let key = PrivatePkcs8KeyDer::from(identity.key_der().to_vec());
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(only(identity.root_der().to_vec().into())?)
        .with_client_auth_cert(vec![certificate], key.into())?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// Why a handshake failed, for the person who enrolls or reads the log.
pub fn explain(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return error.to_string();
    };
    let text = match reason {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "it does not come from the root that this machine trusts: this is another collector, or something on \
             the way opens TLS connections"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is not issued for the host in the collector's address"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired, or this machine's clock is ahead"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet: this machine's clock is behind"
        }
        other => return format!("{other:?}"),
    };
    text.to_owned()
}

fn only(root: CertificateDer<'static>) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(root)?;
    Ok(roots)
}

/// Takes the certificate with the named fingerprint out of the presented chain as the only root, and
/// then verifies the chain as usual: signatures, validity and host name.
#[derive(Debug)]
struct NamedRoot {
    root: RootFingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for NamedRoot {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let named = intermediates.iter().find(|it| RootFingerprint::of(it) == self.root);
        let root = named.ok_or(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let roots = Arc::new(only(root.clone().into_owned())?);
        let usual = WebPkiServerVerifier::builder_with_provider(roots, self.provider.clone())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::Authority;

    const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_795_269_789));

    fn verify(trusted: &Authority, serving: &Authority, host: &str) -> Result<(), String> {
        let verifier = NamedRoot { root: RootFingerprint::of(&trusted.root_der), provider: provider() };
        let (leaf, _) = serving.serve("parc.example.org");
        let chain = [CertificateDer::from(serving.root_der.clone())];
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let result = verifier.verify_server_cert(&leaf.into(), &chain, &name, &[], NOW);
        result.map(drop).map_err(|error| explain(&error))
    }

    #[test]
    fn the_named_root_vouches_for_its_own_collector() {
        let authority = Authority::new();
        assert_eq!(verify(&authority, &authority, "parc.example.org"), Ok(()));
    }

    #[test]
    fn a_collector_of_another_root_is_refused_at_the_first_contact() {
        let refusal = verify(&Authority::new(), &Authority::new(), "parc.example.org").unwrap_err();
        assert!(refusal.contains("another collector"), "{refusal}");
    }

    #[test]
    fn the_host_name_is_checked_at_the_first_contact() {
        let authority = Authority::new();
        let refusal = verify(&authority, &authority, "other.example.org").unwrap_err();
        assert!(refusal.contains("not issued for the host"), "{refusal}");
    }

    #[test]
    fn a_leaf_that_shows_the_named_root_without_its_signature_is_refused() {
        let (named, other) = (Authority::new(), Authority::new());
        let verifier = NamedRoot { root: RootFingerprint::of(&named.root_der), provider: provider() };
        let (leaf, _) = other.serve("parc.example.org");
        let chain = [CertificateDer::from(named.root_der.clone())];
        let name = ServerName::try_from("parc.example.org").unwrap();
        assert!(verifier.verify_server_cert(&leaf.into(), &chain, &name, &[], NOW).is_err());
    }
}
