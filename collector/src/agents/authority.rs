//! The collector's own certificate authority: one root for all collectors of a database, server certificates
//! for them, client certificates for agents.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use ring::digest;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;

use super::csr::Csr;
use super::model::{AgentError, AuthorityError};
use super::seal::{SealKey, to_hex};
use super::store;
use crate::context::Context;
use crate::kernel::entropy::{Entropy, base32};
use crate::kernel::id::{AgentId, OrganisationId};
use crate::kernel::time::{UtcMicros, days};

/// Validity of the root: ten years.
const ROOT_DAYS: u64 = 3_653;
/// Validity of a server certificate, days.
pub const SERVER_DAYS: u64 = 90;
/// Validity of an agent's certificate, days: PCs stay off for weeks, and revocation is a row anyway.
pub const CLIENT_DAYS: u64 = 30;
/// Certificates are valid a little before they are made, for clocks that run behind.
const CLOCK_SLACK: Duration = Duration::from_mins(5);
/// Bytes of SHA-256 in a fingerprint: 128 bits resist a second preimage.
const FINGERPRINT_BYTES: usize = 16;

/// The certificate authority, opened.
pub struct Authority {
    root: CertificateDer<'static>,
    fingerprint: String,
    not_after: UtcMicros,
    issuer: Issuer<'static, KeyPair>,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// A client certificate, as made.
#[derive(Clone, Debug)]
pub struct IssuedCertificate {
    /// The certificate.
    pub der: Vec<u8>,
    /// Its serial number, big-endian without leading zeros.
    pub serial: Vec<u8>,
    /// First moment of validity.
    pub not_before: UtcMicros,
    /// Last moment of validity.
    pub not_after: UtcMicros,
}

/// What is stored of the authority.
pub(super) struct StoredAuthority {
    pub(super) certificate_der: Vec<u8>,
    pub(super) sealed_key: Vec<u8>,
    pub(super) created_at: UtcMicros,
    pub(super) not_after: UtcMicros,
}

/// Opens the authority of the database and the key file that seals it; makes both when there is neither. A
/// database that has an authority never gets another key file: nothing sealed before would open with it.
pub async fn open_authority(
    context: &Context,
    seal_key_file: &Path,
) -> Result<(Authority, SealKey), AuthorityError> {
    let seal_key = if is_stored(context).await? {
        read_needed(seal_key_file)?
    } else {
        SealKey::open_or_create(seal_key_file)?
    };
    Ok((Authority::open(context, &seal_key).await?, seal_key))
}

/// Whether the key file opens the stored authority; makes and changes nothing. A database without an
/// authority needs none yet.
pub async fn check_authority(context: &Context, seal_key_file: &Path) -> Result<(), AuthorityError> {
    if is_stored(context).await? {
        Authority::open(context, &read_needed(seal_key_file)?).await?;
    }
    Ok(())
}

async fn is_stored(context: &Context) -> Result<bool, AuthorityError> {
    let mut tx = context.db.read().await?;
    Ok(store::authority::find_authority(&mut tx).await?.is_some())
}

fn read_needed(seal_key_file: &Path) -> Result<SealKey, AuthorityError> {
    if !seal_key_file.exists() {
        return Err(AuthorityError::SealKeyMissing { path: seal_key_file.to_owned() });
    }
    SealKey::read(seal_key_file)
}

impl Authority {
    /// Opens the authority of the database; makes it when there is none. Of several collectors that start at
    /// once, one makes it and all use it.
    pub async fn open(context: &Context, seal_key: &SealKey) -> Result<Self, AuthorityError> {
        let mut tx = context.db.read().await?;
        let stored = store::authority::find_authority(&mut tx).await?;
        drop(tx);
        let stored = match stored {
            Some(stored) => stored,
            None => Self::create(context, seal_key).await?,
        };
        let key = seal_key.open(&stored.certificate_der, &stored.sealed_key)?;
        let key =
            KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key), &PKCS_ECDSA_P256_SHA256)?;
        let not_after = stored.not_after;
        let root = CertificateDer::from(stored.certificate_der);
        let issuer = Issuer::from_ca_cert_der(&root, key)?;
        Ok(Self {
            fingerprint: fingerprint(&root),
            not_after,
            root,
            issuer,
            entropy: Arc::clone(&context.entropy),
        })
    }

    async fn create(context: &Context, seal_key: &SealKey) -> Result<StoredAuthority, AuthorityError> {
        let draft = draft_root(context, seal_key)?;
        let mut tx = context.db.begin().await?;
        store::authority::insert_authority(&mut tx, &draft).await?;
        let stored = store::authority::find_authority(&mut tx).await?.unwrap_or(draft);
        tx.commit().await?;
        Ok(stored)
    }

    /// The root certificate: what agents pin and the only one client certificates may come from.
    pub fn root_der(&self) -> &[u8] {
        &self.root
    }

    /// The root as TLS configurations want it.
    pub fn root(&self) -> CertificateDer<'static> {
        self.root.clone()
    }

    /// End of the root's validity, for alarms.
    pub fn not_after(&self) -> UtcMicros {
        self.not_after
    }

    /// What tokens carry so that an agent trusts the right root from its first connection on: the first 16
    /// bytes of the root's SHA-256, 32 lower-case hexadecimal digits.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// A server certificate for host names and IP addresses, valid for 90 days, with a new key. The root
    /// follows it in the chain: an enrolling agent knows only its fingerprint.
    pub fn issue_server(
        &self,
        names: &[String],
        now: UtcMicros,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), AgentError> {
        if names.is_empty() {
            return Err(AgentError::invalid("names", "must not be empty"));
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(AgentError::Certificate)?;
        let mut params = CertificateParams::new(names).map_err(AgentError::Certificate)?;
        params.distinguished_name = common_name("Parc collector");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.complete(&mut params, now, SERVER_DAYS);
        let leaf = params.signed_by(&key, &self.issuer).map_err(AgentError::Certificate)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((vec![leaf.into(), self.root.clone()], key.into()))
    }

    /// A client certificate for the request's key, valid for 30 days. Name, dates and usage are ours.
    pub fn issue_client(
        &self,
        csr: &Csr,
        agent: AgentId,
        organisation: OrganisationId,
        now: UtcMicros,
    ) -> Result<IssuedCertificate, AgentError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(&agent.to_string());
        let uri = format!("urn:parc:agent:{organisation}:{agent}");
        params.subject_alt_names = vec![SanType::URI(uri.try_into().map_err(AgentError::Certificate)?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let serial = self.complete(&mut params, now, CLIENT_DAYS);
        let certificate = params.signed_by(csr.key(), &self.issuer).map_err(AgentError::Certificate)?;
        Ok(IssuedCertificate {
            der: certificate.der().to_vec(),
            serial,
            not_before: seconds_of(now - CLOCK_SLACK),
            not_after: seconds_of(now + days(CLIENT_DAYS)),
        })
    }

    /// What all leaves share: dates, serial, key usage, link to the root. Gives the serial.
    fn complete(&self, params: &mut CertificateParams, now: UtcMicros, valid_days: u64) -> Vec<u8> {
        let serial = random_serial(self.entropy.as_ref());
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.not_before = calendar(now - CLOCK_SLACK);
        params.not_after = calendar(now + days(valid_days));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        serial
    }
}

/// A new root with its sealed key.
fn draft_root(context: &Context, seal_key: &SealKey) -> Result<StoredAuthority, AuthorityError> {
    let (now, entropy) = (context.now(), context.entropy.as_ref());
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(&format!("Parc root {}", base32(entropy, 8)));
    params.serial_number = Some(SerialNumber::from_slice(&random_serial(entropy)));
    params.not_before = calendar(now - CLOCK_SLACK);
    params.not_after = calendar(now + days(ROOT_DAYS));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate_der = params.self_signed(&key)?.der().to_vec();
    let sealed_key = seal_key.seal(entropy, &certificate_der, key.serialized_der())?;
    Ok(StoredAuthority {
        certificate_der,
        sealed_key,
        created_at: now,
        not_after: seconds_of(now + days(ROOT_DAYS)),
    })
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// 128 random bits behind a one: positive, without leading zeros, and shorter than RFC 5280's 20 bytes.
fn random_serial(entropy: &dyn Entropy) -> Vec<u8> {
    let mut serial = vec![1_u8; 17];
    entropy.fill(&mut serial[1..]);
    serial
}

fn fingerprint(root: &[u8]) -> String {
    to_hex(&digest::digest(&digest::SHA256, root).as_ref()[..FINGERPRINT_BYTES])
}

/// Certificates count whole seconds.
fn seconds_of(moment: UtcMicros) -> UtcMicros {
    UtcMicros::from_seconds(moment.seconds())
}

fn calendar(moment: UtcMicros) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(moment.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
