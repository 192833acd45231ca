//! Fetches one mailbox: stores every new message, then moves it out of the folder. Any number of collectors may
//! fetch the same one; what is stored twice is stored once.

use std::time::Duration;

use parc_mail::imap::{Folder, ImapDoor, ImapError, Listed, Woken};
use tokio::sync::watch;

use super::model::Arrival;
use super::store;
use crate::context::Context;
use crate::db::StoreError;
use crate::kernel::error::Chain;

/// Pause after a failure; the server may be restarting.
const PAUSE: Duration = Duration::from_secs(30);
/// Messages fetched before those already stored are moved.
const BATCH: usize = 20;
/// Characters kept of a failure.
const FAILURE_CHARS_MAX: usize = 300;

/// Where a mailbox is and how often it is looked at.
#[derive(Clone, Debug)]
pub struct MailboxDoor {
    /// Its name here.
    pub name: String,
    /// Server and account.
    pub imap: ImapDoor,
    /// Folder that takes messages once they are stored.
    pub stored_folder: String,
    /// Longest wait between two looks, with or without news from the server.
    pub poll: Duration,
}

/// Fetches one mailbox until told to stop.
#[derive(Debug)]
pub struct Fetcher {
    /// Database, clock, randomness.
    pub context: Context,
    /// The mailbox.
    pub door: MailboxDoor,
}

/// Why a round ended.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Imap(#[from] ImapError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fetcher {
    /// Works until told to stop. A failure is written down, shown, and tried again.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
        loop {
            let session = tokio::select! {
                ended = self.session() => ended,
                _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            };
            if let Err(error) = session {
                let failure = Chain(&error).to_string();
                drop(error);
                tracing::warn!(mailbox = %self.door.name, error = %failure, "a mailbox cannot be fetched");
                self.note(Some(&failure)).await;
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => (),
                _ = stopped.wait_for(|stop| *stop) => return Ok(()),
            }
        }
    }

    /// One connection: fetch what is there, wait for more, and so on until something breaks.
    async fn session(&self) -> Result<(), FetchError> {
        let mut folder = Folder::open(&self.door.imap).await?;
        loop {
            while self.round(&mut folder).await? {}
            self.note(None).await;
            let (same, woken) = folder.wait(self.door.poll).await?;
            folder = same;
            tracing::debug!(mailbox = %self.door.name, news = (woken == Woken::News), "looking again");
        }
    }

    /// Stores and moves one batch; true when there may be more.
    async fn round(&self, folder: &mut Folder) -> Result<bool, FetchError> {
        let listed = folder.list().await?;
        let batch = &listed[..listed.len().min(BATCH)];
        for message in batch {
            if !self.is_stored(folder, *message).await? {
                let Some(raw) = folder.fetch(*message).await? else { continue };
                self.store(folder.uid_validity(), *message, &raw).await?;
            }
            folder.file_away(message.uid, &self.door.stored_folder).await?;
        }
        Ok(batch.len() < listed.len())
    }

    /// Whether a message was stored in an earlier round that could not move it.
    async fn is_stored(&self, folder: &Folder, message: Listed) -> Result<bool, StoreError> {
        let mut tx = self.context.db.read().await?;
        let known = store::find_mailbox(&mut tx, &self.door.name).await?;
        Ok(known.is_some_and(|it| {
            it.uid_validity == Some(i64::from(folder.uid_validity()))
                && it.uid_stored >= i64::from(message.uid)
        }))
    }

    async fn store(&self, uid_validity: u32, message: Listed, raw: &[u8]) -> Result<(), StoreError> {
        let arrival = Arrival {
            mailbox: &self.door.name,
            uid_validity: i64::from(uid_validity),
            uid: i64::from(message.uid),
            size_bytes: i64::try_from(message.size_bytes).unwrap_or(i64::MAX),
            raw,
        };
        let mut tx = self.context.db.begin().await?;
        store::insert(&mut tx, &self.context, arrival).await?;
        tx.commit().await
    }

    /// How it went, for the page of the mailboxes. When even that cannot be written, the log has it.
    async fn note(&self, failure: Option<&str>) {
        let failure: Option<String> = failure.map(|it| it.chars().take(FAILURE_CHARS_MAX).collect());
        let written = async {
            let mut tx = self.context.db.begin().await?;
            store::note_check(&mut tx, &self.door.name, self.context.now(), failure.as_deref()).await?;
            tx.commit().await
        };
        if let Err(error) = written.await {
            tracing::error!(mailbox = %self.door.name, error = %Chain(&error), "a mailbox's state cannot be written");
        }
    }
}
