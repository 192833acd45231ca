//! Certificate requests (PKCS#10, RFC 2986): only the public key is taken from them, after the signature
//! proved that the sender holds the private one.

use rcgen::SubjectPublicKeyInfo;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use super::model::AgentError;

/// Bytes of a request; one for P-256 has about 250.
const CSR_BYTES_MAX: usize = 4 * 1024;
/// Field of the wire it comes in.
const FIELD: &str = "csr_der";
/// `id-ecPublicKey`, RFC 5480 §2.1.1.
const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
/// `secp256r1`, RFC 5480 §2.1.1.1.
const P256: &str = "1.2.840.10045.3.1.7";
/// `ecdsa-with-SHA256`, RFC 5758 §3.2.
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";

/// A checked request for a P-256 key. Names and extensions in it were not even looked at.
#[derive(Clone, Debug)]
pub struct Csr {
    key: SubjectPublicKeyInfo,
    request_hash: blake3::Hash,
    key_hash: blake3::Hash,
}

impl Csr {
    /// Reads and checks a request.
    pub fn parse(der: &[u8]) -> Result<Self, AgentError> {
        if der.len() > CSR_BYTES_MAX {
            return Err(AgentError::invalid(FIELD, format!("must have at most {CSR_BYTES_MAX} bytes")));
        }
        let malformed = || AgentError::invalid(FIELD, "is not a certificate request");
        let (rest, request) = X509CertificationRequest::from_der(der).map_err(|_| malformed())?;
        if !rest.is_empty() {
            return Err(malformed());
        }
        let info = &request.certification_request_info;
        let algorithm = &info.subject_pki.algorithm;
        let curve = algorithm.parameters.as_ref().and_then(|it| it.as_oid().ok()).map(|it| it.to_id_string());
        if algorithm.algorithm.to_id_string() != EC_PUBLIC_KEY || curve.as_deref() != Some(P256) {
            return Err(AgentError::invalid(FIELD, "must be for a P-256 key"));
        }
        if request.signature_algorithm.algorithm.to_id_string() != ECDSA_SHA256 {
            return Err(AgentError::invalid(FIELD, "must be signed with ECDSA and SHA-256"));
        }
        if info.subject_pki.subject_public_key.unused_bits != 0 || request.signature_value.unused_bits != 0 {
            return Err(malformed());
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, info.subject_pki.subject_public_key.data.as_ref())
            .verify(info.raw, request.signature_value.data.as_ref())
            .map_err(|_| AgentError::invalid(FIELD, "is not signed by its own key"))?;
        let key = SubjectPublicKeyInfo::from_der(info.subject_pki.raw).map_err(|_| malformed())?;
        // The point itself, so that no second encoding of one key counts as another key.
        let key_hash = blake3::hash(info.subject_pki.subject_public_key.data.as_ref());
        Ok(Self { key, request_hash: blake3::hash(der), key_hash })
    }

    /// The public key.
    pub(super) fn key(&self) -> &SubjectPublicKeyInfo {
        &self.key
    }

    /// What a repeated request is recognised by.
    pub(super) fn csr_hash(&self) -> &[u8; 32] {
        self.request_hash.as_bytes()
    }

    /// What a key used twice is recognised by.
    pub(super) fn key_hash(&self) -> &[u8; 32] {
        self.key_hash.as_bytes()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    use super::*;

    pub(in crate::agents) fn csr_of(key: &KeyPair) -> Vec<u8> {
        let params = CertificateParams::new(vec!["anything.example".into()]).expect("names");
        params.serialize_request(key).expect("request").der().to_vec()
    }

    fn refusal(der: &[u8]) -> String {
        Csr::parse(der).expect_err("refused").to_string()
    }

    #[test]
    fn a_request_for_a_p256_key_is_taken() {
        let key = KeyPair::generate().expect("key");
        let (first, second) = (csr_of(&key), csr_of(&key));
        let (first, second) = (Csr::parse(&first).expect("csr"), Csr::parse(&second).expect("csr"));
        assert_eq!(first.key_hash(), second.key_hash());
        assert_ne!(first.csr_hash(), second.csr_hash(), "signatures are random");
    }

    #[test]
    fn other_keys_are_refused() {
        for algorithm in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
            let key = KeyPair::generate_for(algorithm).expect("key");
            assert_eq!(refusal(&csr_of(&key)), "csr_der must be for a P-256 key");
        }
    }

    #[test]
    fn what_the_key_signed_cannot_be_changed() {
        let der = csr_of(&KeyPair::generate().expect("key"));
        let (_, request) = X509CertificationRequest::from_der(&der).expect("request");
        let signed = request.certification_request_info.raw;
        let start = der.windows(signed.len()).position(|it| it == signed).expect("inside");
        for index in start..start + signed.len() {
            let mut changed = der.clone();
            changed[index] ^= 0x01;
            assert!(Csr::parse(&changed).is_err(), "byte {index}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let der = csr_of(&KeyPair::generate().expect("key"));
        assert_eq!(refusal(&[der.clone(), vec![0]].concat()), "csr_der is not a certificate request");
        assert_eq!(refusal(&vec![0x30; 5_000]), "csr_der must have at most 4096 bytes");
        assert_eq!(refusal(b""), "csr_der is not a certificate request");
    }
}
