//! The gRPC service of enrolled agents. It joins the slices: whose certificate is this (agents), what
//! did the machine report (inventory), which ticket does it open (tickets). It owns no table and no rule
//! but one: organisation and machine come from the certificate, never from the message (rule R10).

use std::sync::Arc;

use parc_wire::v1;
use parc_wire::v1::fleet_server::Fleet;
use tonic::{Request, Response, Status};

use crate::agents::{self, AgentError, AgentIdentity, AgentStatus, Authority, Identities};
use crate::context::Context;
use crate::inventory::{self, Intake};
use crate::kernel::actor::{Actor, ActorKind, Role, Scope};
use crate::kernel::text;
use crate::measures;
use crate::people;
use crate::rpc::{self, PeerCertificate};
use crate::tickets::{
    self, Channel, ImpactScope, NewTicket, Severity, TicketError, TicketKind, TicketNumber, Urgency, link,
};

/// Seconds a portal link is good for: long enough to find the browser, too short to be passed on.
const LINK_VALID_S: u32 = 900;

/// The service.
#[derive(Clone, Debug)]
pub struct FleetService {
    /// Database, clock, randomness.
    pub context: Context,
    /// Issues renewed certificates.
    pub authority: Arc<Authority>,
    /// Knows agents by their certificates.
    pub identities: Arc<Identities>,
    /// Applies reports.
    pub intake: Intake,
    /// Signs portal links.
    pub links: Arc<link::LinkKey>,
    /// Where people open the portal.
    pub public_url: Arc<str>,
}

#[tonic::async_trait]
impl Fleet for FleetService {
    async fn contact(
        &self,
        request: Request<v1::ContactRequest>,
    ) -> Result<Response<v1::ContactResponse>, Status> {
        let identity = self.identity(&request).await?;
        if identity.status == AgentStatus::Quarantined {
            return Ok(Response::new(quarantined()));
        }
        let request = request.into_inner();
        let version = request.agent_version.clone();
        let answer = self.intake.contact(identity.binding, request).await;
        let mut response = answer.map_err(|error| rpc::status(&error))?;
        if response.outcome() == v1::Outcome::Fork {
            self.quarantine(&identity, &response.reason).await.map_err(|error| rpc::status(&error))?;
        } else if identity.version != version {
            self.note_version(&identity, &version).await.map_err(|error| rpc::status(&error))?;
        }
        response.renew_now = self.context.now() >= identity.half_life_at;
        measures::contact(response.outcome().as_str_name());
        Ok(Response::new(response))
    }

    async fn renew(&self, request: Request<v1::RenewRequest>) -> Result<Response<v1::RenewResponse>, Status> {
        let identity = self.identity_even_expired(&request).await?;
        let certificate = PeerCertificate::of(request.extensions()).cloned();
        let v1::RenewRequest { csr_der, generation } = request.into_inner();
        let renewed = agents::renew(&self.context, &self.authority, &identity, &csr_der, generation).await;
        if let Some(certificate) = certificate {
            self.identities.forget(&certificate);
        }
        let renewed = renewed.map_err(|error| rpc::status(&error))?;
        let agents::Renewed { certificate_der, generation } = renewed;
        Ok(Response::new(v1::RenewResponse { certificate_der, generation }))
    }

    async fn open_ticket(
        &self,
        request: Request<v1::OpenTicketRequest>,
    ) -> Result<Response<v1::OpenTicketResponse>, Status> {
        let identity = self.identity(&request).await?;
        refuse_unless_active(&identity)?;
        let new =
            self.ticket_of(&identity, request.into_inner()).await.map_err(|error| rpc::status(&error))?;
        let actor = self.actor(&identity).await.map_err(|error| rpc::status(&error))?;
        let opened =
            tickets::open_ticket(&self.context, &actor, new).await.map_err(|error| rpc::status(&error))?;
        let machine = self.machine_line(&opened.number).await.map_err(|error| rpc::status(&error))?;
        Ok(Response::new(v1::OpenTicketResponse {
            url: format!("{}/tickets/{}", self.public_url, opened.number),
            number: opened.number.to_string(),
            asset_match: opened.asset_match.code().into(),
            machine,
        }))
    }

    async fn ticket_link(
        &self,
        request: Request<v1::TicketLinkRequest>,
    ) -> Result<Response<v1::TicketLinkResponse>, Status> {
        let identity = self.identity(&request).await?;
        refuse_unless_active(&identity)?;
        let until = self.context.now() + std::time::Duration::from_secs(u64::from(LINK_VALID_S));
        let token = self.links.sign(identity.binding.ci_id, until);
        let url = format!("{}/tickets/new?machine={token}", self.public_url);
        Ok(Response::new(v1::TicketLinkResponse { url, valid_s: LINK_VALID_S }))
    }
}

impl FleetService {
    /// The agent behind the connection's certificate.
    async fn identity<T>(&self, request: &Request<T>) -> Result<AgentIdentity, Status> {
        let identity = self.identity_even_expired(request).await?;
        if identity.expired {
            return Err(Status::unauthenticated(
                "the certificate is past its time; it may only renew itself",
            ));
        }
        Ok(identity)
    }

    async fn identity_even_expired<T>(&self, request: &Request<T>) -> Result<AgentIdentity, Status> {
        let certificate = PeerCertificate::of(request.extensions());
        let certificate =
            certificate.ok_or_else(|| Status::unauthenticated("a client certificate is needed"))?;
        self.identities.resolve(certificate).await.map_err(|error| rpc::status(&error))
    }

    async fn quarantine(&self, identity: &AgentIdentity, reason: &str) -> Result<(), AgentError> {
        let mut tx = self.context.db.begin().await?;
        agents::quarantine_agent(&mut tx, &self.context, identity.binding.agent_id, reason).await?;
        tx.commit().await?;
        self.identities.forget_agent(identity.binding.agent_id);
        Ok(())
    }

    async fn note_version(&self, identity: &AgentIdentity, version: &str) -> Result<(), AgentError> {
        let mut tx = self.context.db.begin().await?;
        agents::note_version(&mut tx, identity.binding.agent_id, version).await?;
        Ok(tx.commit().await?)
    }

    /// The machine acts for its organisation like a requester: it may open tickets there and see its own.
    async fn actor(&self, identity: &AgentIdentity) -> Result<Actor, TicketError> {
        let scope = Scope::Organisation(identity.binding.organisation_id);
        let mut tx = self.context.db.read().await?;
        let ci = inventory::find_ci(&mut tx, scope, identity.binding.ci_id).await?;
        let label = ci.map(|it| it.name).filter(|it| !it.is_empty()).unwrap_or_else(|| "agent".into());
        let roles = vec![Role::Requester];
        Ok(Actor { kind: ActorKind::Agent(identity.binding.agent_id), label, scope, roles })
    }

    /// "Dell Inc. Latitude 5420, Lyon"; empty while the ticket waits for its machine.
    async fn machine_line(&self, number: &TicketNumber) -> Result<String, TicketError> {
        let view = tickets::find_ticket(&self.context, &Actor::system(), number).await?;
        let asset = view.and_then(|it| it.assets.into_iter().next());
        Ok(asset
            .map(|it| {
                let parts = [format!("{} {}", it.ci.make, it.ci.model), it.ci.site_name];
                parts.iter().map(|it| it.trim()).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ")
            })
            .unwrap_or_default())
    }

    /// Without an inventory number the machine itself is meant.
    async fn ticket_of(
        &self,
        identity: &AgentIdentity,
        request: v1::OpenTicketRequest,
    ) -> Result<NewTicket, TicketError> {
        let binding = identity.binding;
        let mut tx = self.context.db.read().await?;
        let unknown = || TicketError::Invalid {
            field: "requester",
            reason: "is not a person of this organisation".into(),
        };
        let email = request.requester.parse().map_err(|refusal: text::TextRefusal| TicketError::Invalid {
            field: "requester",
            reason: refusal.to_string(),
        })?;
        let person = people::find_person_by_email(&mut tx, &email).await?.ok_or_else(unknown)?;
        if person.organisation_id != Some(binding.organisation_id) {
            return Err(unknown());
        }
        let own =
            inventory::find_ci(&mut tx, Scope::Organisation(binding.organisation_id), binding.ci_id).await?;
        Ok(NewTicket {
            organisation_id: binding.organisation_id,
            kind: TicketKind::Incident,
            channel: Channel::Agent,
            site_id: own.as_ref().and_then(|it| it.site_id),
            location: own.map(|it| it.location).unwrap_or_default(),
            requester_id: person.id,
            beneficiary_id: person.id,
            summary: request.summary,
            description: request.description,
            application: String::new(),
            phone: if request.phone.is_empty() { person.phone } else { request.phone },
            availability: String::new(),
            external_ref: String::new(),
            sub_kind: None,
            severity: Severity::Minor,
            scope: ImpactScope::One,
            urgency: Urgency::Medium,
            inventory_number: request.inventory_number.trim().into(),
            machine: Some(binding.ci_id),
            request_id: request_id(&request.request_id)?,
            slots: Vec::new(),
            files: Vec::new(),
        })
    }
}

fn request_id(bytes: &[u8]) -> Result<Option<[u8; 16]>, TicketError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let wrong = |_| TicketError::Invalid { field: "request_id", reason: "must be 16 bytes".into() };
    <[u8; 16]>::try_from(bytes).map(Some).map_err(wrong)
}

fn refuse_unless_active(identity: &AgentIdentity) -> Result<(), Status> {
    if identity.status == AgentStatus::Active {
        return Ok(());
    }
    Err(rpc::status(&AgentError::Refused("this agent is under review".into())))
}

fn quarantined() -> v1::ContactResponse {
    v1::ContactResponse {
        outcome: v1::Outcome::Quarantined.into(),
        reason: "this agent is under review: two machines may share its identity".into(),
        next_contact_s: 3_600,
        ..v1::ContactResponse::default()
    }
}
