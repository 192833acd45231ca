//! Trading a token and a certificate request for an identity.

use parc_wire::limits::{EVIDENCE_VALUES_MAX, TEXT_BYTES_MAX, VERSION_BYTES_MAX};
use parc_wire::v1::{EnrollRequest, EnrollResponse, Evidence};
use serde_json::json;

use super::authority::Authority;
use super::csr::Csr;
use super::lifecycle::record;
use super::model::{Agent, AgentError, AgentStatus};
use super::store;
use super::store::agent::AttemptRow;
use super::store::token::TokenRow;
use super::token::TokenText;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::Tx;
use crate::inventory::{self, EnrolledCi, EnrollingMachine};
use crate::kernel::actor::{Actor, ActorKind, Scope};
use crate::kernel::id::{AgentId, OrganisationId, SiteId};
use crate::kernel::text::{AssetTag, TagRefusal, cleaned};
use crate::sites;

/// Bytes of a token's text.
const TOKEN_BYTES_MAX: usize = 200;
/// Bytes of an attempt id.
const ATTEMPT_BYTES: usize = 16;
/// Bytes of a host name (RFC 1035 §2.3.4, without the root's dot).
const HOSTNAME_BYTES_MAX: usize = 253;
/// Enrollments of one item at the same moment that one call waits for; more is no re-installation.
const TAKE_OVERS_MAX: usize = 4;
/// Bytes of the claimed tag that are looked at; a tag has 25 characters.
const CLAIM_BYTES_MAX: usize = 256;

/// A request whose every field was checked.
struct Enrollment {
    token: TokenText,
    attempt_id: Vec<u8>,
    csr: Csr,
    evidence: Evidence,
    claim: Result<AssetTag, TagRefusal>,
    hostname: String,
    version: String,
}

/// Whom a certificate is for.
struct Enrolled {
    agent_id: AgentId,
    certificate_der: Vec<u8>,
    organisation_id: OrganisationId,
    site_id: Option<SiteId>,
}

/// Enrolls a machine: checks the token, recognises or makes the configuration item, certifies the key.
///
/// Repeating an attempt with the same request gives the same certificate and takes no second use of the
/// token; another request under the same attempt, or a key that was enrolled before, is refused. On an item
/// that has an agent already the new one takes over, and the audit log says so. Opens its own transaction.
pub async fn enroll(
    context: &Context,
    authority: &Authority,
    request: EnrollRequest,
    next_contact_s: u32,
) -> Result<EnrollResponse, AgentError> {
    let enrollment = Enrollment::parse(request)?;
    if enrollment.token.fingerprint != authority.fingerprint() {
        return Err(AgentError::TokenRefused);
    }
    let mut tx = context.db.begin().await?;
    let token = proven_token(&mut tx, &enrollment.token).await?;
    let enrolled = match repeated(&mut tx, &token, &enrollment).await? {
        Some(enrolled) => enrolled,
        None if store::token::consume_token(&mut tx, &token.id, context.now()).await? => {
            // The token's row is ours now: a twin of this call that came first is visible.
            match repeated(&mut tx, &token, &enrollment).await? {
                Some(enrolled) => {
                    drop(tx);
                    tx = context.db.begin().await?;
                    enrolled
                }
                None => match admit(&mut tx, context, authority, &token, &enrollment).await {
                    Ok(enrolled) => enrolled,
                    Err(refusal) => {
                        drop(tx);
                        return Err(record_refusal(context, &token, refusal).await);
                    }
                },
            }
        }
        None => repeated(&mut tx, &token, &enrollment).await?.ok_or(AgentError::TokenRefused)?,
    };
    let response = respond(&mut tx, authority, enrolled, next_contact_s).await?;
    tx.commit().await?;
    Ok(response)
}

/// The token's row if the secret is right.
async fn proven_token(tx: &mut Tx, text: &TokenText) -> Result<TokenRow, AgentError> {
    let row = store::token::find_token(tx, &text.id).await?;
    let stored: [u8; 32] =
        row.as_ref().and_then(|it| it.secret_hash.as_slice().try_into().ok()).unwrap_or_default();
    // Hashes compare in constant time.
    let proven = text.secret_hash == blake3::Hash::from_bytes(stored);
    row.filter(|_| proven).ok_or(AgentError::TokenRefused)
}

/// The earlier answer to the same attempt, if there was one.
async fn repeated(
    tx: &mut Tx,
    token: &TokenRow,
    enrollment: &Enrollment,
) -> Result<Option<Enrolled>, AgentError> {
    let Some(attempt) = store::agent::find_attempt(tx, &enrollment.attempt_id).await? else {
        return Ok(None);
    };
    if attempt.token_id != token.id || attempt.csr_hash != enrollment.csr.csr_hash() {
        return Err(AgentError::Refused("the attempt was made with another token or request".into()));
    }
    let agent =
        store::agent::find_agent(tx, Scope::All, attempt.agent_id).await?.ok_or(AgentError::NotFound)?;
    let made = store::certificate::find_certificate_for_csr(tx, agent.id, enrollment.csr.csr_hash()).await?;
    match made {
        Some(made) if agent.status == AgentStatus::Active => Ok(Some(Enrolled {
            agent_id: agent.id,
            certificate_der: made.certificate_der,
            organisation_id: token.organisation_id,
            site_id: token.site_id,
        })),
        _ => Err(AgentError::Refused("the agent of this attempt is no longer active".into())),
    }
}

/// Makes the agent.
async fn admit(
    tx: &mut Tx,
    context: &Context,
    authority: &Authority,
    token: &TokenRow,
    enrollment: &Enrollment,
) -> Result<Enrolled, AgentError> {
    let (now, csr) = (context.now(), &enrollment.csr);
    refuse_copied_key(tx, csr).await?;
    let machine = EnrollingMachine {
        organisation_id: token.organisation_id,
        site_id: token.site_id,
        evidence: enrollment.evidence.clone(),
        claimed_tag: enrollment.claim.clone().ok(),
        tag_policy: token.tag_policy,
        hostname: enrollment.hostname.clone(),
    };
    let ci = inventory::enroll_ci(tx, context, machine).await?;
    let agent = Agent {
        id: AgentId::generate(now, context.entropy.as_ref()),
        organisation_id: token.organisation_id,
        ci_id: ci.ci_id,
        status: AgentStatus::Active,
        status_reason: String::new(),
        tag_policy: token.tag_policy,
        generation: 1,
        version: enrollment.version.clone(),
        enrolled_at: now,
        status_since: now,
    };
    let issued = authority.issue_client(csr, agent.id, agent.organisation_id, now)?;
    let superseded = take_over(tx, &agent, csr).await?;
    store::certificate::insert_certificate(tx, agent.id, 1, csr, &issued).await?;
    let attempt =
        AttemptRow { token_id: token.id.clone(), agent_id: agent.id, csr_hash: csr.csr_hash().to_vec() };
    if !store::agent::insert_attempt(tx, &enrollment.attempt_id, &attempt, now).await? {
        return Err(AgentError::Refused("the attempt was made with another token or request".into()));
    }
    record_enrollment(tx, context, &agent, (ci, &superseded), (token, enrollment)).await?;
    Ok(Enrolled {
        agent_id: agent.id,
        certificate_der: issued.der,
        organisation_id: token.organisation_id,
        site_id: token.site_id,
    })
}

/// Stores the agent as the only live one of its item; gives those it replaced. When another enrollment of
/// the same item wins the race, it is the next to be replaced.
async fn take_over(tx: &mut Tx, agent: &Agent, csr: &Csr) -> Result<Vec<AgentId>, AgentError> {
    let mut superseded = Vec::new();
    for _ in 0..TAKE_OVERS_MAX {
        superseded.extend(store::agent::supersede_agents(tx, agent.ci_id, agent.enrolled_at).await?);
        if store::agent::insert_agent(tx, agent, csr.key_hash()).await? {
            return Ok(superseded);
        }
        refuse_copied_key(tx, csr).await?;
    }
    Err(AgentError::Contended)
}

async fn refuse_copied_key(tx: &mut Tx, csr: &Csr) -> Result<(), AgentError> {
    if store::certificate::key_is_known(tx, csr.key_hash(), None).await? {
        return Err(AgentError::Refused("the key is enrolled already: this disk was copied".into()));
    }
    Ok(())
}

async fn record_enrollment(
    tx: &mut Tx,
    context: &Context,
    agent: &Agent,
    (ci, superseded): (EnrolledCi, &[AgentId]),
    (token, enrollment): (&TokenRow, &Enrollment),
) -> Result<(), AgentError> {
    let actor = Actor {
        kind: ActorKind::Agent(agent.id),
        label: format!("agent {}", agent.id),
        scope: Scope::Organisation(agent.organisation_id),
        roles: Vec::new(),
    };
    for old in superseded {
        let detail = json!({ "reason": "superseded", "by": agent.id });
        record(tx, context, &actor, (agent.organisation_id, *old), "agent.revoked", detail).await?;
    }
    let tag_refusal =
        enrollment.claim.as_ref().err().filter(|it| **it != TagRefusal::Empty).map(|it| it.code());
    let detail = json!({
        "token": &token.id,
        "ci": ci.ci_id,
        "recognised": ci.recognised,
        "superseded": superseded.len(),
        "tag_refusal": tag_refusal,
    });
    record(tx, context, &actor, (agent.organisation_id, agent.id), "agent.enrolled", detail).await
}

/// Writes down that somebody with a good token was refused; strangers' refusals would only fill the log.
async fn record_refusal(context: &Context, token: &TokenRow, refusal: AgentError) -> AgentError {
    if !matches!(refusal, AgentError::Refused(_)) {
        return refusal;
    }
    let deed = Deed {
        organisation_id: Some(token.organisation_id),
        action: "agent.enrollment_refused",
        subject_kind: "enroll_token",
        subject_id: token.id.clone(),
        detail: json!({ "reason": refusal.to_string() }),
    };
    let written = async {
        let mut tx = context.db.begin().await?;
        audit::record(&mut tx, context, &Actor::system(), deed).await?;
        tx.commit().await
    };
    match written.await {
        Ok(()) => refusal,
        Err(error) => error.into(),
    }
}

async fn respond(
    tx: &mut Tx,
    authority: &Authority,
    enrolled: Enrolled,
    next_contact_s: u32,
) -> Result<EnrollResponse, AgentError> {
    let organisation = sites::find_organisation(tx, enrolled.organisation_id).await?;
    let site = match enrolled.site_id {
        Some(id) => sites::find_site(tx, id).await?,
        None => None,
    };
    Ok(EnrollResponse {
        agent_id: enrolled.agent_id.to_string(),
        certificate_der: enrolled.certificate_der,
        root_der: authority.root_der().to_vec(),
        organisation: organisation.map(|it| it.name).unwrap_or_default(),
        site: site.map(|it| it.name).unwrap_or_default(),
        next_contact_s,
    })
}

impl Enrollment {
    fn parse(request: EnrollRequest) -> Result<Self, AgentError> {
        if request.token.len() > TOKEN_BYTES_MAX {
            return Err(AgentError::TokenRefused);
        }
        if request.attempt_id.len() != ATTEMPT_BYTES {
            return Err(AgentError::invalid("attempt_id", format!("must have {ATTEMPT_BYTES} bytes")));
        }
        let claim = bounded("asset_tag", &request.asset_tag, CLAIM_BYTES_MAX)?;
        Ok(Self {
            token: request.token.parse()?,
            attempt_id: request.attempt_id,
            csr: Csr::parse(&request.csr_der)?,
            evidence: checked_evidence(&request.evidence.unwrap_or_default())?,
            claim: claim.parse(),
            hostname: cleaned(bounded("hostname", &request.hostname, HOSTNAME_BYTES_MAX)?, false),
            version: cleaned(bounded("agent_version", &request.agent_version, VERSION_BYTES_MAX)?, false),
        })
    }
}

/// Evidence within its limits, without control characters.
fn checked_evidence(evidence: &Evidence) -> Result<Evidence, AgentError> {
    let text = |field, value: &str| bounded(field, value, TEXT_BYTES_MAX).map(|it| cleaned(it, false));
    let list = |field, values: &[String]| {
        if values.len() > EVIDENCE_VALUES_MAX {
            return Err(AgentError::invalid(
                field,
                format!("must have at most {EVIDENCE_VALUES_MAX} values"),
            ));
        }
        values.iter().map(|it| text(field, it)).collect::<Result<Vec<String>, AgentError>>()
    };
    Ok(Evidence {
        smbios_uuid: text("evidence.smbios_uuid", &evidence.smbios_uuid)?,
        system_serial: text("evidence.system_serial", &evidence.system_serial)?,
        board_serial: text("evidence.board_serial", &evidence.board_serial)?,
        machine_fingerprint: text("evidence.machine_fingerprint", &evidence.machine_fingerprint)?,
        macs: list("evidence.macs", &evidence.macs)?,
        disk_serials: list("evidence.disk_serials", &evidence.disk_serials)?,
    })
}

fn bounded<'a>(field: &'static str, value: &'a str, bytes_max: usize) -> Result<&'a str, AgentError> {
    if value.len() > bytes_max {
        return Err(AgentError::invalid(field, format!("must have at most {bytes_max} bytes")));
    }
    Ok(value)
}
