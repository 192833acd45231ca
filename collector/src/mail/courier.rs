//! Empties the outbox: takes a mail, hands it to the relay, writes down what came of it. Any number of couriers
//! may work on one database.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use parc_mail::smtp::{Relay, SendError};
use tokio::sync::watch;

use super::desk::{Desk, Message};
use super::failures::count_failure;
use super::model::{MailState, Undelivered};
use super::outbox;
use super::store::{self, Leased, Outcome, Standing};
use crate::branding::{self, Brand};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::error::Chain;
use crate::kernel::time::UtcMicros;
use crate::measures;

/// How often an empty outbox is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pause after the relay could not be reached: it is not the mails' fault, they only wait.
const RELAY_PAUSE: Duration = Duration::from_secs(20);
/// How long one courier may hold a mail; after that it is believed dead.
const LEASE: Duration = Duration::from_mins(10);
/// Longest attempt, well inside the lease.
const ATTEMPT_MAX: Duration = Duration::from_mins(5);
/// Wait after the first "not now"; doubled each time.
const BACK_OFF_FIRST: Duration = Duration::from_mins(1);
/// Longest wait between two attempts.
const BACK_OFF_MAX: Duration = Duration::from_hours(4);
/// How long a mail is tried (RFC 5321 §4.5.4.1 asks for days).
const TRIED_FOR: Duration = Duration::from_hours(48);
/// The window of the limit per address.
const WINDOW: Duration = Duration::from_hours(1);

/// Work inside the transaction that settles a mail.
pub type HookFuture<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Told of mails that did not arrive; implemented by the slice that wrote them.
pub trait FailureListener: Send + Sync + std::fmt::Debug {
    /// In the transaction that gives the mail up.
    fn undelivered<'a>(&'a self, tx: &'a mut Tx, mail: &'a Undelivered) -> HookFuture<'a>;
}

/// What a courier is told.
#[derive(Clone, Copy, Debug)]
pub struct CourierSettings {
    /// Mails to one address in an hour; more wait for the next.
    pub hourly_per_address: i64,
}

/// Sends what is in the outbox.
#[derive(Debug)]
pub struct Courier {
    /// Database, clock, randomness.
    pub context: Context,
    /// Writes the messages.
    pub desk: Arc<Desk>,
    /// Takes them.
    pub relay: Relay,
    /// Limits.
    pub settings: CourierSettings,
    /// Told of mails that did not arrive.
    pub listener: Arc<dyn FailureListener>,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing is due.
    Nothing,
    /// One mail was dealt with.
    Done,
    /// The relay cannot be reached.
    NoRelay,
}

/// A mail taken, or settled without being sent.
enum Taken {
    Nothing,
    Settled,
    ToSend(Box<(Leased, String, Brand)>),
}

impl Courier {
    /// Works until told to stop; an attempt that has begun is finished.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
        loop {
            let pause = match self.step().await {
                Ok(Step::Done) => Duration::ZERO,
                Ok(Step::Nothing) => LOOK_EVERY,
                Ok(Step::NoRelay) => RELAY_PAUSE,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "the outbox could not be worked on");
                    RELAY_PAUSE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => (),
                _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            }
        }
    }

    /// Deals with at most one mail. No transaction is open while the relay is spoken to.
    pub(super) async fn step(&self) -> Result<Step, StoreError> {
        let now = self.context.now();
        let mut tx = self.context.db.read().await?;
        let idle = store::is_stopped(&mut tx).await? || !store::is_due(&mut tx, now).await?;
        let oldest = store::oldest_waiting(&mut tx, now).await?;
        drop(tx);
        measures::mail_waiting(oldest.map(|it| now.since(it)));
        if idle {
            return Ok(Step::Nothing);
        }
        let lease = self.fresh_lease();
        let (mail, message_id, brand) = match self.take(lease).await? {
            Taken::Nothing => return Ok(Step::Nothing),
            Taken::Settled => return Ok(Step::Done),
            Taken::ToSend(mail) => *mail,
        };
        let letter = outbox::parse(&mail.letter, mail.id)?;
        match self.desk.message(&mail, &letter, &message_id, &brand) {
            Ok(message) => {
                let answer = self.hand_over(&mail, &message).await;
                self.note(&mail, lease, answer).await
            }
            Err(error) => {
                let refused = SendError::Refused { answer: Chain(&error).to_string() };
                self.note(&mail, lease, Err(refused)).await
            }
        }
    }

    async fn hand_over(&self, mail: &Leased, message: &Message) -> Result<String, SendError> {
        let attempt = self.relay.send(&message.envelope_from, &mail.address, &message.bytes);
        tokio::time::timeout(ATTEMPT_MAX, attempt)
            .await
            .unwrap_or_else(|_| Err(SendError::Unreachable { answer: "the relay answers too slowly".into() }))
    }

    /// Leases one mail and decides whether it may go out at all.
    async fn take(&self, lease: uuid::Uuid) -> Result<Taken, StoreError> {
        let now = self.context.now();
        let mut tx = self.context.db.begin().await?;
        let Some(mail) = store::lease(&mut tx, now, lease, now + LEASE).await? else {
            return Ok(Taken::Nothing);
        };
        let standing = store::find_standing(&mut tx, &mail.address).await?;
        let verdict = if self.desk.is_own(&mail.address) {
            Verdict::Withhold("is our own address")
        } else {
            verdict(standing, now, self.settings.hourly_per_address, mail.attempts)
        };
        let taken = match verdict {
            Verdict::Withhold(reason) => {
                let outcome = Outcome { state: MailState::Withheld, at: now, answer: reason };
                store::settle(&mut tx, mail.id, lease, outcome).await?;
                measures::mail("withheld");
                Taken::Settled
            }
            Verdict::Wait(until) => {
                let reason = "the address has had enough mails this hour";
                store::wait_again(&mut tx, mail.id, lease, until, (reason, false)).await?;
                measures::mail("held_back");
                Taken::Settled
            }
            Verdict::Send { window_started_at } => {
                if mail.attempts == 1 {
                    store::book(&mut tx, &mail.address, window_started_at).await?;
                }
                let message_id = mail.message_id.clone().unwrap_or_else(|| self.desk.message_id(&mail));
                store::set_message_id(&mut tx, mail.id, &message_id).await?;
                let brand = branding::effective(&mut tx, mail.organisation_id).await?;
                Taken::ToSend(Box::new((mail, message_id, brand)))
            }
        };
        tx.commit().await?;
        Ok(taken)
    }

    /// Writes down what came of an attempt.
    async fn note(
        &self,
        mail: &Leased,
        lease: uuid::Uuid,
        answer: Result<String, SendError>,
    ) -> Result<Step, StoreError> {
        let now = self.context.now();
        let mut tx = self.context.db.begin().await?;
        let step = match answer {
            Ok(answer) => {
                let outcome = Outcome { state: MailState::Sent, at: now, answer: &answer };
                store::settle(&mut tx, mail.id, lease, outcome).await?;
                measures::mail("sent");
                Step::Done
            }
            Err(SendError::Unreachable { answer }) => {
                tracing::warn!(%answer, "the mail relay cannot be used");
                store::wait_again(&mut tx, mail.id, lease, now + BACK_OFF_FIRST, (&answer, false)).await?;
                measures::mail("no_relay");
                Step::NoRelay
            }
            Err(SendError::Later { answer }) => match next_attempt(mail, now) {
                Some(not_before) => {
                    store::wait_again(&mut tx, mail.id, lease, not_before, (&answer, true)).await?;
                    measures::mail("later");
                    Step::Done
                }
                None => self.give_up(&mut tx, mail, lease, answer).await?,
            },
            Err(SendError::Refused { answer } | SendError::Address(answer)) => {
                count_failure(&mut tx, &mail.address, now).await?;
                self.give_up(&mut tx, mail, lease, answer).await?
            }
        };
        tx.commit().await?;
        Ok(step)
    }

    async fn give_up(
        &self,
        tx: &mut Tx,
        mail: &Leased,
        lease: uuid::Uuid,
        answer: String,
    ) -> Result<Step, StoreError> {
        let outcome = Outcome { state: MailState::Failed, at: self.context.now(), answer: &answer };
        if store::settle(tx, mail.id, lease, outcome).await? {
            let undelivered = Undelivered {
                id: mail.id,
                ticket_number: mail.ticket_number.clone(),
                template: mail.template.clone(),
                name: mail.name.clone(),
                address: mail.address.clone(),
                answer,
            };
            self.listener.undelivered(tx, &undelivered).await?;
        }
        measures::mail("failed");
        Ok(Step::Done)
    }

    fn fresh_lease(&self) -> uuid::Uuid {
        let mut bytes = [0_u8; 16];
        self.context.entropy.fill(&mut bytes);
        uuid::Uuid::from_bytes(bytes)
    }
}

/// Whether a mail may go to an address now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Send { window_started_at: UtcMicros },
    Wait(UtcMicros),
    Withhold(&'static str),
}

/// A repetition has been counted at its first attempt.
fn verdict(standing: Standing, now: UtcMicros, hourly_max: i64, attempts: i64) -> Verdict {
    if standing.failing_since.is_some() {
        return Verdict::Withhold("the address keeps failing");
    }
    let window_ends = standing.window_started_at + WINDOW;
    if now >= window_ends {
        Verdict::Send { window_started_at: now }
    } else if attempts > 1 || standing.window_mails < hourly_max {
        Verdict::Send { window_started_at: standing.window_started_at }
    } else {
        Verdict::Wait(window_ends)
    }
}

/// When a mail that was put off is tried again; nothing when it was tried long enough.
fn next_attempt(mail: &Leased, now: UtcMicros) -> Option<UtcMicros> {
    if now.since(mail.first_tried_at) >= TRIED_FOR {
        return None;
    }
    let doublings = u32::try_from(mail.attempts.clamp(1, 16) - 1).unwrap_or(0);
    let wait = BACK_OFF_FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(BACK_OFF_MAX);
    Some(now + wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMicros = UtcMicros(1_795_000_000_000_000);

    #[test]
    fn an_address_gets_its_share_of_an_hour_and_waits_for_the_next() {
        let mut standing = Standing { window_started_at: NOW, window_mails: 59, ..Standing::default() };
        assert_eq!(verdict(standing, NOW, 60, 1), Verdict::Send { window_started_at: NOW });
        standing.window_mails = 60;
        let later = NOW + Duration::from_mins(59);
        assert_eq!(verdict(standing, later, 60, 1), Verdict::Wait(NOW + WINDOW));
        assert_eq!(verdict(standing, later, 60, 2), Verdict::Send { window_started_at: NOW });
        assert_eq!(verdict(standing, NOW + WINDOW, 60, 1), Verdict::Send { window_started_at: NOW + WINDOW });
    }

    #[test]
    fn a_failing_address_is_left_alone() {
        let standing = Standing { failing_since: Some(NOW), ..Standing::default() };
        assert!(matches!(verdict(standing, NOW + WINDOW, 60, 1), Verdict::Withhold(_)));
    }
}
