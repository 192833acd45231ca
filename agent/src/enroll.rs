//! Enrollment: a token and a new key become an identity. Keeps nothing itself.

use parc_wire::v1::{EnrollRequest, Evidence};
use thiserror::Error;

use crate::address::CollectorAddress;
use crate::identity::{Attempt, Identity, IdentityError, Issued, Seal, Token};
use crate::report::AGENT_VERSION;
use crate::tls;
use crate::upload::{Failure, Session};

/// The machine that asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applicant {
    /// Identifiers by which a re-installed machine is recognised.
    pub evidence: Evidence,
    /// Claimed asset tag, may be empty.
    pub asset_tag: String,
    /// Host name, for the people who look after enrollments.
    pub hostname: String,
}

/// A new identity and when it is to be used first.
#[derive(Debug)]
pub struct Enrolled {
    /// The identity; not yet on any disk.
    pub identity: Identity,
    /// When the collector wants the first contact, seconds; 0 when it does not say.
    pub next_contact_s: u32,
}

/// Why there is no identity.
#[derive(Debug, Error)]
pub enum EnrollError {
    /// No answer, or a refusal.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The answer cannot be used.
    #[error("the collector's answer cannot be used: {0}")]
    Answer(#[source] IdentityError),
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Enrolls. The attempt has to be on disk before, so that a lost answer can be asked for again.
pub async fn enroll(
    address: &CollectorAddress,
    token: &Token,
    attempt: &Attempt,
    applicant: &Applicant,
) -> Result<Enrolled, EnrollError> {
    let session = Session::open(address, tls::enrolling(token.root())?).await?;
    let answer = session.enroll(request(token, attempt, applicant)).await?;
    let next_contact_s = answer.next_contact_s;
    let issued = Issued {
        agent_id: answer.agent_id,
        certificate_der: answer.certificate_der,
        root_der: answer.root_der,
        organisation: answer.organisation,
        site: answer.site,
    };
    let seal = Seal::of(&applicant.evidence);
    let identity = Identity::from_issued(attempt, token, address.to_string(), issued, seal);
    Ok(Enrolled { identity: identity.map_err(EnrollError::Answer)?, next_contact_s })
}

fn request(token: &Token, attempt: &Attempt, applicant: &Applicant) -> EnrollRequest {
    EnrollRequest {
        token: token.text().to_owned(),
        attempt_id: attempt.attempt_id.to_vec(),
        csr_der: attempt.request.csr_der().to_vec(),
        evidence: Some(applicant.evidence.clone()),
        asset_tag: applicant.asset_tag.clone(),
        hostname: applicant.hostname.clone(),
        agent_version: AGENT_VERSION.to_owned(),
    }
}
