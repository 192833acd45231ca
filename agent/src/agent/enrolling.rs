//! Gives the machine an identity, and takes it away before cloning.

use parc_wire::tag::AssetTag;

use super::{Agent, AgentError};
use crate::address::CollectorAddress;
use crate::clock::Clock;
use crate::enroll::{self, Applicant};
use crate::identity::{Attempt, Identity, Seal, Token};
use crate::probe;
use crate::random::Random;
use crate::report;
use crate::schedule;
use crate::state_dir::DirError;
use crate::status::Status;
use crate::tag;

/// What a person asks for when enrolling.
#[derive(Clone, Debug)]
pub struct EnrollWish {
    /// The collector; the configuration's when `None`.
    pub collector: Option<CollectorAddress>,
    /// The token.
    pub token: Token,
    /// Asset tag to set on this machine first.
    pub tag: Option<AssetTag>,
    /// Whether an identity that is there gives way.
    pub replace: bool,
}

impl Agent {
    /// Enrolls this machine. Called again after a lost answer, it gets the identity it was given.
    pub async fn enroll(
        &self,
        wish: &EnrollWish,
        clock: &dyn Clock,
        random: &mut dyn Random,
    ) -> Result<Identity, AgentError> {
        let _lock = self.dir.lock()?;
        if let Some(tag) = &wish.tag {
            self.dir.save_tag(Some(tag.display()))?;
        }
        let sight = self.look();
        let evidence = probe::evidence(&sight.findings);
        self.refuse_second_identity(wish, &Seal::of(&evidence))?;
        let address = wish.collector.clone().map_or_else(|| self.collector(None), Ok)?;
        let attempt = self.attempt(&format!("{} at {address}", wish.token.id()), random)?;
        let applicant = Applicant {
            evidence,
            asset_tag: sight.claim.tag.map(|(tag, _)| tag.display().to_owned()).unwrap_or_default(),
            hostname: report::hostname(&sight.findings),
        };
        let enrolled = enroll::enroll(&address, &wish.token, &attempt, &applicant).await?;
        self.dir.forget_reports()?;
        self.dir.end_renewal()?;
        self.dir.save_identity(&enrolled.identity)?;
        self.dir.end_attempt()?;
        let (pace, agent_id) = (self.config.pace(), &enrolled.identity.agent_id);
        let next = schedule::after_answer(clock.now_us(), enrolled.next_contact_s, agent_id, &pace);
        self.dir.save_status(&Status { next_contact_at_us: Some(next), ..Status::default() })?;
        Ok(enrolled.identity)
    }

    /// Sets or, with `None`, forgets the local tag; gives the claim that the next report makes.
    pub fn set_tag(&self, tag: Option<&AssetTag>) -> Result<tag::Claim, AgentError> {
        let _lock = self.dir.lock()?;
        self.dir.save_tag(tag.map(AssetTag::display))?;
        Ok(self.look().claim)
    }

    /// Makes this disk fit to be cloned: nothing on it is this machine's any more.
    pub fn seal_image(&self) -> Result<(), AgentError> {
        let _lock = self.dir.lock()?;
        Ok(self.dir.forget_everything()?)
    }

    /// An identity of another machine, on a cloned disk, gives way by itself; a damaged one when asked to.
    fn refuse_second_identity(&self, wish: &EnrollWish, present: &Seal) -> Result<(), AgentError> {
        match self.dir.identity() {
            Ok(Some(identity)) if !wish.replace && identity.seal.check(present).is_ok() => {
                Err(AgentError::AlreadyEnrolled { agent_id: identity.agent_id })
            }
            Err(DirError::Damaged { .. }) if wish.replace => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }

    /// The try that is under way for this purpose, or a new one, on disk.
    fn attempt(&self, purpose: &str, random: &mut dyn Random) -> Result<Attempt, AgentError> {
        if let Some(attempt) = self.dir.attempt()?.filter(|it| it.purpose == purpose) {
            return Ok(attempt);
        }
        let attempt = Attempt::generate(purpose.to_owned(), random)?;
        self.dir.save_attempt(&attempt)?;
        Ok(attempt)
    }
}
