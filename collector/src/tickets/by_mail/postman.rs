//! Takes stored messages one by one and deals with each. Any number of collectors may work on one letterbox.

use std::sync::Arc;
use std::time::Duration;

use parc_mail::identity::Signer;
use parc_mail::reading::{self, Class, Incoming, Surroundings, Unreadable};
use tokio::sync::watch;

use super::decide::{Decision, Facts, decide};
use super::deed::{Case, carry_out};
use super::draft::Spoken;
use super::facts::{gather, is_own};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::files::{self, FileError};
use crate::inventory;
use crate::kernel::actor::Actor;
use crate::kernel::error::{Chain, ErrorKind, Fault};
use crate::kernel::id::{FileId, InboundMailId, OrganisationId};
use crate::kernel::text::AssetTag;
use crate::mail::letterbox::{self, Due, Envelope, InboundRow, InboundState, Settlement};
use crate::sites::{self, Site};
use crate::tickets::action::TicketError;

/// How often an empty letterbox is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pause after the database failed.
const PAUSE: Duration = Duration::from_secs(20);
/// Longest reading of one message; it takes milliseconds.
const READING_MAX: Duration = Duration::from_secs(30);

/// What is known of a mailbox when its messages are read.
#[derive(Clone, Debug, Default)]
pub struct BoxRules {
    /// The mailbox' name.
    pub name: String,
    /// Name under which its server writes `Authentication-Results`.
    pub authentication_server: String,
    /// Programs whose automatic mails open tickets, in lower case.
    pub monitoring_senders: Vec<String>,
}

/// Everything that dealing with messages needs.
#[derive(Clone, Debug)]
pub struct MailRoom {
    /// Database, clock, randomness.
    pub context: Context,
    /// Knows our own words again.
    pub signer: Arc<Signer>,
    /// Addresses of ours, in lower case, without words after a `+`.
    pub own_addresses: Vec<String>,
    /// What is known of each mailbox.
    pub boxes: Vec<BoxRules>,
}

/// Deals with what arrives.
#[derive(Debug)]
pub struct Postman {
    /// What it needs.
    pub room: Arc<MailRoom>,
}

/// Why a message was not dealt with this time.
#[derive(Debug, thiserror::Error)]
pub enum MailRoomError {
    /// Reading it broke or took too long.
    #[error("the message could not be read")]
    Reading,
    /// Its bytes are gone, or it was settled meanwhile.
    #[error("no such waiting message")]
    Gone,
    /// The ticket did not take it.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// A file did not go in.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for MailRoomError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Reading => ErrorKind::Invalid,
            Self::Gone => ErrorKind::NotFound,
            Self::Ticket(error) => error.kind(),
            Self::File(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Reading => "unreadable",
            Self::Gone => "not-found",
            Self::Ticket(error) => error.code(),
            Self::File(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

impl Postman {
    /// Works until told to stop; a message that was begun is finished.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
        loop {
            let pause = match self.step().await {
                Ok(true) => Duration::ZERO,
                Ok(false) => LOOK_EVERY,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "the letterbox could not be worked on");
                    PAUSE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => (),
                _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            }
        }
    }

    /// Deals with at most one message; false when there is none. A message that fails is tried again later and
    /// does not hold up the others.
    pub(super) async fn step(&self) -> Result<bool, StoreError> {
        let context = &self.room.context;
        let mut tx = context.db.read().await?;
        let waiting = letterbox::is_due(&mut tx, context.now()).await?;
        drop(tx);
        if !waiting {
            return Ok(false);
        }
        let mut tx = context.db.begin().await?;
        let due = letterbox::take_due(&mut tx, context.now()).await?;
        tx.commit().await?;
        let Some(due) = due else { return Ok(true) };
        if let Err(error) = Box::pin(self.room.deal_with(&due, None)).await {
            tracing::warn!(mail = %due.id, attempt = due.attempts, error = %Chain(&error), "a message could not be dealt with");
        }
        Ok(true)
    }
}

impl MailRoom {
    /// Reads a message, decides, does it. `released` is who looked at it and lets it through.
    pub(super) async fn deal_with(
        &self,
        due: &Due,
        released: Option<&Actor>,
    ) -> Result<InboundState, MailRoomError> {
        let by = released.map_or("Parc", |it| it.label.as_str());
        let Some(mail) = self.read(due).await? else {
            return self.set_aside(due.id, "unreadable", by).await;
        };
        if self.is_repetition(due.id, &mail, by).await? {
            return Ok(InboundState::Duplicate);
        }
        let mut tx = self.context.db.read().await?;
        let facts = gather(&mut tx, self, &mail, released.is_some()).await?;
        let decision = decide(&mail, &facts);
        let place = Place::find(&mut tx, &mail, decision).await?;
        drop(tx);
        let files = self.keep_files(&mail, &facts, decision).await?;
        let mut case = Case {
            id: due.id,
            mail: &mail,
            facts: &facts,
            sites: &place.sites,
            spoken: &place.spoken,
            files,
        };
        let mut tx = self.context.db.begin().await?;
        let mut done = carry_out(&mut tx, self, &mut case, decision).await?;
        if released.is_some() && done.state == InboundState::Opened {
            done.state = InboundState::Converted;
        }
        let settlement = done.settlement(&case, by);
        let now = self.context.now();
        if !letterbox::settle(&mut tx, due.id, InboundState::Received, now, &settlement).await? {
            return Err(MailRoomError::Gone);
        }
        tx.commit().await?;
        Ok(done.state)
    }

    /// What a message says, for a person who looks at it; nothing when it cannot be read or its bytes are gone.
    pub(crate) async fn look_at(&self, row: &InboundRow) -> Result<Option<Incoming>, MailRoomError> {
        let (mailbox, size_bytes) = (row.mailbox.clone(), row.size_bytes);
        let due = Due { id: row.id, mailbox, size_bytes, attempts: row.attempts };
        match self.read(&due).await {
            Err(MailRoomError::Reading | MailRoomError::Gone) => Ok(None),
            read => read,
        }
    }

    /// Reads it away from the threads that serve people; what breaks or hangs there breaks only this attempt.
    async fn read(&self, due: &Due) -> Result<Option<Incoming>, MailRoomError> {
        let mut tx = self.context.db.read().await?;
        let raw = letterbox::find_raw(&mut tx, due.id).await?.ok_or(MailRoomError::Gone)?;
        drop(tx);
        let around = self.surroundings(&due.mailbox);
        let whole_bytes = usize::try_from(due.size_bytes).unwrap_or(usize::MAX);
        let reading =
            tokio::task::spawn_blocking(move || reading::read(&raw, whole_bytes.max(raw.len()), &around));
        match tokio::time::timeout(READING_MAX, reading).await {
            Ok(Ok(Ok(mut mail))) => {
                if is_own(self, &mail) {
                    mail.class = Class::Own;
                }
                Ok(Some(mail))
            }
            Ok(Ok(Err(Unreadable::Empty | Unreadable::TooLarge))) => Ok(None),
            Ok(Err(_)) | Err(_) => Err(MailRoomError::Reading),
        }
    }

    fn surroundings(&self, mailbox: &str) -> Surroundings {
        let rules = self.boxes.iter().find(|it| it.name == mailbox);
        Surroundings {
            own_addresses: self.own_addresses.clone(),
            instance: self.signer.instance(),
            authentication_server: rules.map(|it| it.authentication_server.clone()).unwrap_or_default(),
            monitoring_senders: rules.map(|it| it.monitoring_senders.clone()).unwrap_or_default(),
        }
    }

    /// Writes down what the message says about itself; a repetition is settled at once.
    async fn is_repetition(
        &self,
        id: InboundMailId,
        mail: &Incoming,
        by: &str,
    ) -> Result<bool, MailRoomError> {
        let envelope = Envelope {
            message_id: &mail.message_id,
            body_hash: &mail.body_hash,
            from_address: &mail.from.address,
            from_name: &mail.from.name,
            subject: &mail.subject,
            authenticity: authenticity_word(mail.authenticity),
        };
        let mut tx = self.context.db.begin().await?;
        let twin = letterbox::note_envelope(&mut tx, id, &envelope).await?;
        if let Some(first) = twin {
            let told = first.to_string();
            let settlement = plain(InboundState::Duplicate, &told, by);
            letterbox::settle(&mut tx, id, InboundState::Received, self.context.now(), &settlement).await?;
        }
        tx.commit().await?;
        Ok(twin.is_some())
    }

    async fn set_aside(
        &self,
        id: InboundMailId,
        reason: &str,
        by: &str,
    ) -> Result<InboundState, MailRoomError> {
        let mut tx = self.context.db.begin().await?;
        let settlement = plain(InboundState::Quarantined, reason, by);
        letterbox::settle(&mut tx, id, InboundState::Received, self.context.now(), &settlement).await?;
        tx.commit().await?;
        Ok(InboundState::Quarantined)
    }

    /// Files go in before the ticket, so that its transaction stays short; what no ticket claims is dropped later.
    async fn keep_files(
        &self,
        mail: &Incoming,
        facts: &Facts,
        decision: Decision,
    ) -> Result<Vec<FileId>, MailRoomError> {
        let takes = match decision {
            Decision::Open { .. } | Decision::Answer | Decision::Reopen | Decision::Remark => {
                facts.sender.is_some()
            }
            Decision::Unverified { .. } => true,
            Decision::Drop
            | Decision::Report
            | Decision::Silence { .. }
            | Decision::SetAside { .. }
            | Decision::Refuse { .. } => false,
        };
        let mut kept = Vec::new();
        for attachment in mail.attachments.iter().filter(|_| takes) {
            let mut tx = self.context.db.begin().await?;
            let file = files::keep(
                &mut tx,
                &self.context,
                &attachment.name,
                &attachment.media_type,
                &attachment.bytes,
            )
            .await?;
            tx.commit().await?;
            kept.push(file.id);
        }
        Ok(kept)
    }
}

/// What is known of the place a new ticket is about.
#[derive(Debug, Default)]
struct Place {
    sites: Vec<Site>,
    spoken: Spoken,
}

impl Place {
    async fn find(tx: &mut Tx, mail: &Incoming, decision: Decision) -> Result<Self, StoreError> {
        let Decision::Open { organisation, .. } = decision else { return Ok(Self::default()) };
        Ok(Self {
            sites: sites::list_sites(tx, organisation).await?,
            spoken: spoken(tx, organisation, mail).await?,
        })
    }
}

/// The labelled number; without one the only machine of the organisation that the text names (rule A11).
async fn spoken(tx: &mut Tx, organisation: OrganisationId, mail: &Incoming) -> Result<Spoken, StoreError> {
    let labelled = &mail.fields.inventory_number;
    if !labelled.is_empty() {
        return Ok(Spoken { inventory_number: labelled.clone(), ..Spoken::default() });
    }
    let mut machines = Vec::new();
    for candidate in &mail.candidates {
        let Ok(tag) = candidate.parse::<AssetTag>() else { continue };
        if let Some(ci) = inventory::find_ci_by_tag(tx, organisation, tag.key()).await?
            && machines.iter().all(|(known, _)| *known != ci.id)
        {
            machines.push((ci.id, candidate.clone()));
        }
    }
    Ok(match machines.as_slice() {
        [] => Spoken::default(),
        [(_, only)] => Spoken { inventory_number: only.clone(), inferred: true, several: Vec::new() },
        many => Spoken { several: many.iter().map(|(_, it)| it.clone()).collect(), ..Spoken::default() },
    })
}

fn plain<'a>(state: InboundState, reason: &'a str, by: &'a str) -> Settlement<'a> {
    Settlement { state, reason, ticket_number: None, person_id: None, answered: false, by }
}

fn authenticity_word(found: reading::Authenticity) -> &'static str {
    match found {
        reading::Authenticity::Passed => "passed",
        reading::Authenticity::Failed => "failed",
        reading::Authenticity::Unknown => "unknown",
    }
}
