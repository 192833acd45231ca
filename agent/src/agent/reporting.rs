//! One contact of an enrolled machine, renewal included, and a look at what it would send.

use parc_wire::v1::{ContactRequest, RenewRequest};

use super::{Agent, AgentError, Sight};
use crate::address::CollectorAddress;
use crate::clock::{Clock, UtcMicros};
use crate::contact::{self, Exchange};
use crate::identity::{Identity, KeyRequest};
use crate::inventory::Inventory;
use crate::random::Random;
use crate::report::{self, Whole};
use crate::schedule;
use crate::spool::{Loaded, State};
use crate::state_dir::Renewal;
use crate::status::Status;
use crate::tls;
use crate::upload::Session;

/// An answered contact.
#[derive(Debug)]
pub struct Contacted {
    /// Answer and what was sent for it.
    pub exchange: Exchange,
    /// Generation of a new certificate, if the contact brought one.
    pub renewed: Option<u64>,
    /// When the next contact is due.
    pub next_contact_at: UtcMicros,
}

/// What would be sent now.
#[derive(Debug)]
pub struct Preview {
    /// The contact, exactly as it would leave the machine.
    pub contact: ContactRequest,
    /// The whole state that its digests speak of.
    pub inventory: Inventory,
    /// Why the contact carries everything, if it does.
    pub whole_because: Option<&'static str>,
}

impl Agent {
    /// Looks at the machine, renews the certificate when it is due, reports, and notes what came of it.
    pub async fn contact(&self, clock: &dyn Clock, random: &mut dyn Random) -> Result<Contacted, AgentError> {
        let _lock = self.dir.lock()?;
        let sight = self.look();
        let identity = self.own_identity(&sight)?;
        let mut status = self.dir.status()?;
        let result = self.renew_and_report(&sight, identity, &mut status, clock, random).await;
        if let Err(error) = &result {
            status.failed(clock.now_us(), error.to_string());
            let (retry, failures) = (error.retry(), status.failures);
            let next = schedule::after_failure(clock.now_us(), retry, failures, random.number()?);
            status.next_contact_at_us = Some(next);
        }
        self.dir.save_status(&status)?;
        result
    }

    /// What a contact would carry now. Reads only; without an identity or its rights everything is shown.
    pub fn preview(&self, clock: &dyn Clock) -> Preview {
        let sight = self.look();
        let (mut state, whole_because) = match self.dir.identity() {
            Ok(Some(identity)) => match self.dir.state(&identity.agent_id) {
                Ok(Loaded::Known(state)) => (state, None),
                Ok(Loaded::Lost(why)) => (State::new(identity.agent_id, 0), Some(why)),
                Err(_) => {
                    (State::new(identity.agent_id, 0), Some("the state cannot be read by this account"))
                }
            },
            Ok(None) => (State::new(String::new(), 0), Some("this machine is not enrolled")),
            Err(_) => (State::new(String::new(), 0), Some("the identity cannot be read by this account")),
        };
        let inventory = report::assemble(&sight.findings, &sight.claim, &state.acknowledged);
        let pending = state.begin(inventory).clone();
        let contact = report::request(&state, &pending, &self.stamp(clock), &Whole::None);
        Preview { contact, inventory: pending.inventory, whole_because }
    }

    async fn renew_and_report(
        &self,
        sight: &Sight,
        identity: Identity,
        status: &mut Status,
        clock: &dyn Clock,
        random: &mut dyn Random,
    ) -> Result<Contacted, AgentError> {
        let address = self.collector(Some(&identity))?;
        let validity = identity.validity()?;
        let (mut identity, mut renewed) = (identity, None);
        if clock.now_us() >= schedule::renew_at(validity, &identity.agent_id, identity.generation) {
            renewed = self.try_renewal(&address, &mut identity, status).await;
        }
        let exchange = self.report(sight, &address, &identity, clock, random).await?;
        status.answered(clock.now_us(), &exchange);
        let told_s = exchange.answer.next_contact_s;
        let next = schedule::after_answer(clock.now_us(), told_s, &identity.agent_id, &self.config.pace());
        status.next_contact_at_us = Some(next);
        if exchange.answer.renew_now && renewed.is_none() {
            renewed = self.try_renewal(&address, &mut identity, status).await;
        }
        Ok(Contacted { exchange, renewed, next_contact_at: next })
    }

    async fn report(
        &self,
        sight: &Sight,
        address: &CollectorAddress,
        identity: &Identity,
        clock: &dyn Clock,
        random: &mut dyn Random,
    ) -> Result<Exchange, AgentError> {
        let mut state = match self.dir.state(&identity.agent_id)? {
            Loaded::Known(state) => state,
            Loaded::Lost(_) => State::new(identity.agent_id.clone(), random.epoch()?),
        };
        let inventory = report::assemble(&sight.findings, &sight.claim, &state.acknowledged);
        if let Some(refusal) = state.refusal_of(&inventory, clock.now_us()) {
            return Err(AgentError::StillRefused(refusal.reason.clone()));
        }
        let tls = tls::enrolled(identity)?;
        let save = |state: &State| self.dir.save_state(state);
        let session = match Session::open(address, tls).await {
            Ok(session) => session,
            Err(failure) => {
                state.begin(inventory);
                save(&state)?;
                return Err(failure.into());
            }
        };
        Ok(contact::exchange(&session, &mut state, inventory, &self.stamp(clock), random, save).await?)
    }

    /// A renewal that fails is noted and tried again at the next contact: the certificate is valid for
    /// as long again, and a report must not wait for it.
    async fn try_renewal(
        &self,
        address: &CollectorAddress,
        identity: &mut Identity,
        status: &mut Status,
    ) -> Option<u64> {
        match self.renew(address, identity).await {
            Ok(newer) => {
                *identity = newer;
                status.renewal_failure.clear();
                Some(identity.generation)
            }
            Err(error) => {
                status.renewal_failure = error.to_string();
                None
            }
        }
    }

    /// The new key is on disk before it is asked for, and the old identity stays until the new one is.
    async fn renew(&self, address: &CollectorAddress, identity: &Identity) -> Result<Identity, AgentError> {
        let under_way = self.dir.renewal()?.filter(|it| it.generation == identity.generation);
        let renewal = if let Some(renewal) = under_way {
            renewal
        } else {
            let fresh = Renewal { generation: identity.generation, request: KeyRequest::generate()? };
            self.dir.save_renewal(&fresh)?;
            fresh
        };
        let request =
            RenewRequest { csr_der: renewal.request.csr_der().to_vec(), generation: identity.generation };
        let session = Session::open(address, tls::enrolled(identity)?).await?;
        let answer = session.renew(request).await?;
        let newer = identity.renewed(&renewal.request, answer.certificate_der, answer.generation)?;
        self.dir.save_identity(&newer)?;
        self.dir.end_renewal()?;
        Ok(newer)
    }
}
