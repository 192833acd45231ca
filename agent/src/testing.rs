//! What unit tests share: a small certificate authority and repeatable randomness.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair,
};

use crate::identity::{Attempt, Identity, Issued, RootFingerprint, Seal, Token};
use crate::random::{Random, RandomError};

/// Repeats the same numbers in each run.
pub(crate) struct Seeded(pub(crate) u64);

impl Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }
}

/// Stands in for the collector's authority.
pub(crate) struct Authority {
    pub(crate) root_der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_der = params.self_signed(&key).unwrap().der().to_vec();
        Self { root_der, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn token(&self) -> Token {
        let secret = "abcdefghijklmnopqrstuvwxyz234567";
        format!("parc1.abcdefghij.{secret}.{}", RootFingerprint::of(&self.root_der)).parse().unwrap()
    }

    /// A client certificate valid for 30 days from 2026-11-21.
    pub(crate) fn certify(&self, csr_der: &[u8]) -> Vec<u8> {
        let mut csr = CertificateSigningRequestParams::from_der(&csr_der.to_vec().into()).unwrap();
        csr.params.not_before = rcgen::date_time_ymd(2026, 11, 21);
        csr.params.not_after = rcgen::date_time_ymd(2026, 12, 21);
        csr.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        csr.signed_by(&self.issuer).unwrap().der().to_vec()
    }

    /// A server certificate and its key for a host.
    pub(crate) fn serve(&self, host: &str) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([host.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        (certificate.der().to_vec(), key.serialize_der())
    }

    pub(crate) fn issue(&self, attempt: &Attempt) -> Issued {
        Issued {
            agent_id: "0198a0c2-0000-7000-8000-000000000001".into(),
            certificate_der: self.certify(attempt.request.csr_der()),
            root_der: self.root_der.clone(),
            organisation: "Demo".into(),
            site: "Lyon".into(),
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        let attempt = Attempt::generate("test".into(), &mut Seeded(7)).unwrap();
        let issued = self.issue(&attempt);
        let collector = "https://127.0.0.1:8443".into();
        Identity::from_issued(&attempt, &self.token(), collector, issued, Seal::default()).unwrap()
    }
}
