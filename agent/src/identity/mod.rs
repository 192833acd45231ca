//! Who this machine is to the collector: a private key that never leaves it, and the certificate that
//! the collector's own authority issued for it. Names, serials and tags are evidence, never identity.
//!
//! Invariants: a key is on disk before anybody is asked to certify it; a new identity takes the place
//! of the old one in a single rename, so that one valid identity is on disk at every moment.

mod seal;
mod token;

use std::fmt;

use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::clock::{SECOND_US, UtcMicros};
use crate::random::{Random, RandomError};

pub use seal::{Seal, SealBroken};
pub use token::{RootFingerprint, Token, TokenError};

/// A key pair, or a certificate for it, cannot be used.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// Making or reading the key failed.
    #[error("the private key is unusable: {0}")]
    Key(#[from] rcgen::Error),
    /// The certificate does not parse.
    #[error("the certificate is unusable: {0}")]
    Certificate(String),
    /// The certificate is for somebody else's key.
    #[error("the certificate was issued for another key")]
    ForeignKey,
    /// The answered root is not the one that the token names.
    #[error("the collector's root certificate is not the one that the token names")]
    ForeignRoot,
    /// The attempt id could not be made.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// A key, and the request to certify it. Both are kept until the answer is on disk: asked again with
/// the same bytes, the collector gives the same certificate again.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct KeyRequest {
    #[serde(with = "base64_bytes")]
    key_der: Vec<u8>,
    #[serde(with = "base64_bytes")]
    csr_der: Vec<u8>,
}

/// One try to enroll; repeated unchanged until an answer is on disk.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Attempt {
    /// Names the try to the collector.
    pub attempt_id: [u8; 16],
    /// What the try is for: the id of the token and the address. Another token is another try.
    pub purpose: String,
    /// The key that is to become the identity.
    pub request: KeyRequest,
}

/// An enrolled machine's identity.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct Identity {
    /// The collector's name for this agent.
    pub agent_id: String,
    /// Address it was enrolled at.
    pub collector: String,
    /// Organisation it belongs to, for display.
    pub organisation: String,
    /// Site it was enrolled for, for display.
    pub site: String,
    /// Rises with each renewal; a smaller one than the collector's betrays a copied identity.
    pub generation: u64,
    /// The hardware and system this identity was issued on.
    pub seal: Seal,
    #[serde(with = "base64_bytes")]
    root_der: Vec<u8>,
    #[serde(with = "base64_bytes")]
    certificate_der: Vec<u8>,
    #[serde(with = "base64_bytes")]
    key_der: Vec<u8>,
}

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub not_before: UtcMicros,
    /// Last moment.
    pub not_after: UtcMicros,
}

/// What the collector told about a new identity.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The collector's name for this agent.
    pub agent_id: String,
    /// Leaf certificate.
    pub certificate_der: Vec<u8>,
    /// Root certificate.
    pub root_der: Vec<u8>,
    /// Organisation, for display.
    pub organisation: String,
    /// Site, for display.
    pub site: String,
}

impl KeyRequest {
    /// Makes a P-256 key and a request for it. The request names nobody: the collector decides names.
    pub fn generate() -> Result<Self, IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut nobody = CertificateParams::default();
        nobody.distinguished_name = DistinguishedName::new();
        let csr = nobody.serialize_request(&key)?;
        Ok(Self { key_der: key.serialize_der(), csr_der: csr.der().to_vec() })
    }

    /// The request, PKCS#10.
    pub fn csr_der(&self) -> &[u8] {
        &self.csr_der
    }

    /// Proves that a certificate is for this key.
    fn owns(&self, certificate_der: &[u8]) -> Result<(), IdentityError> {
        let key = KeyPair::try_from(self.key_der.as_slice())?;
        let certified = parse(certificate_der)?;
        let is_own = certified.public_key().subject_public_key.data == key.public_key_raw();
        if is_own { Ok(()) } else { Err(IdentityError::ForeignKey) }
    }
}

impl fmt::Debug for KeyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRequest(key not shown)")
    }
}

impl Attempt {
    /// A new try with a new key.
    pub fn generate(purpose: String, random: &mut dyn Random) -> Result<Self, IdentityError> {
        Ok(Self { attempt_id: random.id()?, purpose, request: KeyRequest::generate()? })
    }
}

impl Identity {
    /// Joins key and certificate; refuses a certificate for another key or of another root.
    pub fn from_issued(
        attempt: &Attempt,
        token: &Token,
        collector: String,
        issued: Issued,
        seal: Seal,
    ) -> Result<Self, IdentityError> {
        attempt.request.owns(&issued.certificate_der)?;
        if RootFingerprint::of(&issued.root_der) != token.root() {
            return Err(IdentityError::ForeignRoot);
        }
        Ok(Self {
            agent_id: issued.agent_id,
            collector,
            organisation: issued.organisation,
            site: issued.site,
            generation: 1,
            seal,
            root_der: issued.root_der,
            certificate_der: issued.certificate_der,
            key_der: attempt.request.key_der.clone(),
        })
    }

    /// The same machine with a newer key and certificate.
    pub fn renewed(
        &self,
        request: &KeyRequest,
        certificate_der: Vec<u8>,
        generation: u64,
    ) -> Result<Self, IdentityError> {
        request.owns(&certificate_der)?;
        Ok(Self { generation, certificate_der, key_der: request.key_der.clone(), ..self.clone() })
    }

    /// The only root this machine trusts.
    pub fn root_der(&self) -> &[u8] {
        &self.root_der
    }

    /// The agent's certificate.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate_der
    }

    /// The private key, PKCS#8. For TLS only.
    pub(crate) fn key_der(&self) -> &[u8] {
        &self.key_der
    }

    /// When the certificate is valid.
    pub fn validity(&self) -> Result<Validity, IdentityError> {
        let certificate = parse(&self.certificate_der)?;
        let micros = |seconds: i64| seconds.saturating_mul(SECOND_US);
        Ok(Validity {
            not_before: micros(certificate.validity().not_before.timestamp()),
            not_after: micros(certificate.validity().not_after.timestamp()),
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("agent_id", &self.agent_id)
            .field("collector", &self.collector)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

fn parse(certificate_der: &[u8]) -> Result<X509Certificate<'_>, IdentityError> {
    let parsed = X509Certificate::from_der(certificate_der);
    parsed.map(|(_, it)| it).map_err(|error| IdentityError::Certificate(error.to_string()))
}

mod base64_bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::{Authority, Seeded};

    #[test]
    fn an_identity_survives_its_file_form_and_hides_its_key() {
        let identity = Authority::new().identity();
        let text = serde_json::to_string(&identity).unwrap();
        assert_eq!(serde_json::from_str::<Identity>(&text).unwrap(), identity);
        let life = identity.validity().unwrap();
        assert_eq!((life.not_after - life.not_before) / SECOND_US, 30 * 24 * 3600);
        let key: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(!format!("{identity:?}").contains(key["key_der"].as_str().unwrap()));
    }

    #[test]
    fn a_certificate_for_another_key_is_refused() {
        let authority = Authority::new();
        let identity = authority.identity();
        let (mine, foreign) = (KeyRequest::generate().unwrap(), KeyRequest::generate().unwrap());
        let certificate = authority.certify(foreign.csr_der());
        let refusal = identity.renewed(&mine, certificate.clone(), 2).unwrap_err();
        assert!(matches!(refusal, IdentityError::ForeignKey));
        assert_eq!(identity.renewed(&foreign, certificate, 2).unwrap().generation, 2);
    }

    #[test]
    fn a_root_that_the_token_does_not_name_is_refused() {
        let (authority, other) = (Authority::new(), Authority::new());
        let attempt = Attempt::generate("test".into(), &mut Seeded(1)).unwrap();
        let issued = authority.issue(&attempt);
        let refused = Identity::from_issued(&attempt, &other.token(), String::new(), issued, Seal::default());
        assert!(matches!(refused, Err(IdentityError::ForeignRoot)));
    }
}
