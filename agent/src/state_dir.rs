//! The agent's folder: which file holds what, and in which form.
//!
//! `identity.json` key and certificate · `attempt.json`, `renewal.json` a request under way ·
//! `state.bin` the acknowledged state · `status.json` for people · `tag` set by `parc-agent tag` ·
//! `ticket.json` a ticket under way · `lock`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::files::{self, FileError, Lock};
use crate::identity::{Attempt, Identity, KeyRequest};
use crate::spool::{self, Loaded, SpoolError, State};
use crate::status::Status;

/// Bytes of any of the small files.
const SMALL_FILE_BYTES_MAX: usize = 64 * 1024;
/// An ordinary contact is over long before; the service then tries again, a person is told to.
const LOCK_WAIT: Duration = Duration::from_secs(20);

/// A file of the agent's folder cannot be used.
#[derive(Debug, Error)]
pub enum DirError {
    /// It cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is there but makes no sense.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The parser's words.
        reason: String,
    },
}

/// A renewal under way: kept until the new identity is on disk.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Renewal {
    /// Generation of the identity that asks.
    pub generation: u64,
    /// The new key.
    pub request: KeyRequest,
}

/// A ticket under way: the same request opens one ticket only.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TicketRequest {
    /// Names the request to the collector.
    pub request_id: [u8; 16],
    /// Hash of what was asked for; another text is another ticket.
    pub content: String,
}

/// The folder. Methods named `save_` are durable when they return.
#[derive(Clone, Debug)]
pub struct StateDir {
    folder: PathBuf,
}

impl StateDir {
    /// Names a folder; makes nothing.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder if need be and keeps other agents out while the lock is held.
    pub fn lock(&self) -> Result<Lock, FileError> {
        files::make_private_folder(&self.folder)?;
        files::lock(&self.folder.join("lock"), LOCK_WAIT)
    }

    /// The identity; damage is an error, for it must not look like "never enrolled".
    pub fn identity(&self) -> Result<Option<Identity>, DirError> {
        self.load("identity.json")
    }

    /// Puts the identity in place of the old one.
    pub fn save_identity(&self, identity: &Identity) -> Result<(), DirError> {
        self.save("identity.json", identity)
    }

    /// The enrollment under way.
    pub fn attempt(&self) -> Result<Option<Attempt>, DirError> {
        self.load("attempt.json")
    }

    /// Keeps an enrollment before it is asked for.
    pub fn save_attempt(&self, attempt: &Attempt) -> Result<(), DirError> {
        self.save("attempt.json", attempt)
    }

    /// The enrollment came to an end.
    pub fn end_attempt(&self) -> Result<(), FileError> {
        files::remove(&self.folder.join("attempt.json"))
    }

    /// The renewal under way.
    pub fn renewal(&self) -> Result<Option<Renewal>, DirError> {
        self.load("renewal.json")
    }

    /// Keeps a renewal before it is asked for.
    pub fn save_renewal(&self, renewal: &Renewal) -> Result<(), DirError> {
        self.save("renewal.json", renewal)
    }

    /// The renewal came to an end.
    pub fn end_renewal(&self) -> Result<(), FileError> {
        files::remove(&self.folder.join("renewal.json"))
    }

    /// The ticket under way.
    pub fn ticket(&self) -> Result<Option<TicketRequest>, DirError> {
        self.load("ticket.json")
    }

    /// Keeps a ticket before it is asked for.
    pub fn save_ticket(&self, ticket: &TicketRequest) -> Result<(), DirError> {
        self.save("ticket.json", ticket)
    }

    /// The ticket was answered.
    pub fn end_ticket(&self) -> Result<(), FileError> {
        files::remove(&self.folder.join("ticket.json"))
    }

    /// What was noted for people; a damaged note is no reason to stop.
    pub fn status(&self) -> Result<Status, FileError> {
        match self.load("status.json") {
            Ok(status) => Ok(status.unwrap_or_default()),
            Err(DirError::Damaged { .. }) => Ok(Status::default()),
            Err(DirError::File(error)) => Err(error),
        }
    }

    /// Notes the status.
    pub fn save_status(&self, status: &Status) -> Result<(), DirError> {
        self.save("status.json", status)
    }

    /// The tag set by `parc-agent tag`, as it was typed.
    pub fn tag(&self) -> Result<Option<String>, FileError> {
        let bytes = files::read(&self.folder.join("tag"), SMALL_FILE_BYTES_MAX)?;
        Ok(bytes.map(|it| String::from_utf8_lossy(&it).trim().to_owned()).filter(|it| !it.is_empty()))
    }

    /// Sets the tag, or with `None` forgets it.
    pub fn save_tag(&self, tag: Option<&str>) -> Result<(), FileError> {
        let path = self.folder.join("tag");
        match tag {
            Some(tag) => files::replace(&path, format!("{tag}\n").as_bytes()),
            None => files::remove(&path),
        }
    }

    /// The agent's memory.
    pub fn state(&self, agent_id: &str) -> Result<Loaded, SpoolError> {
        spool::load(&self.folder.join("state.bin"), agent_id)
    }

    /// Keeps the agent's memory.
    pub fn save_state(&self, state: &State) -> Result<(), SpoolError> {
        spool::save(&self.folder.join("state.bin"), state)
    }

    /// Forgets what was reported, before another identity begins to report.
    pub fn forget_reports(&self) -> Result<(), FileError> {
        ["state.bin", "status.json", "ticket.json"].iter().try_for_each(|it| self.remove(it))
    }

    /// Forgets everything that makes this machine itself. The identity goes first: whatever a kill
    /// leaves behind belongs to nobody.
    pub fn forget_everything(&self) -> Result<(), FileError> {
        ["identity.json", "renewal.json", "attempt.json", "tag"].iter().try_for_each(|it| self.remove(it))?;
        self.forget_reports()
    }

    fn remove(&self, name: &str) -> Result<(), FileError> {
        let path = self.folder.join(name);
        files::remove(&files::beside(&path))?;
        files::remove(&path)
    }

    fn load<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, DirError> {
        let path = self.folder.join(name);
        let Some(bytes) = files::read(&path, SMALL_FILE_BYTES_MAX)? else {
            return Ok(None);
        };
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Some).map_err(|error| DirError::Damaged { path, reason: error.to_string() })
    }

    fn save<T: Serialize>(&self, name: &str, value: &T) -> Result<(), DirError> {
        let path = self.folder.join(name);
        let text = serde_json::to_vec_pretty(value)
            .map_err(|error| DirError::Damaged { path: path.clone(), reason: error.to_string() })?;
        Ok(files::replace(&path, &text)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::Authority;

    #[test]
    fn at_every_point_of_a_renewal_one_whole_identity_is_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let dir = StateDir::new(folder.path().to_owned());
        let authority = Authority::new();
        let old = authority.identity();
        dir.save_identity(&old).unwrap();
        let renewal = Renewal { generation: 1, request: KeyRequest::generate().unwrap() };
        dir.save_renewal(&renewal).unwrap();
        assert_eq!(dir.identity().unwrap(), Some(old.clone()), "killed before the answer");
        let new = old.renewed(&renewal.request, authority.certify(renewal.request.csr_der()), 2).unwrap();
        let text = serde_json::to_vec_pretty(&new).unwrap();
        for bytes in (0..text.len()).step_by(97) {
            fs::write(files::beside(&folder.path().join("identity.json")), &text[..bytes]).unwrap();
            assert_eq!(dir.identity().unwrap(), Some(old.clone()), "killed after {bytes} bytes");
        }
        dir.save_identity(&new).unwrap();
        assert_eq!(dir.identity().unwrap(), Some(new), "killed before the renewal was removed");
        assert_ne!(dir.renewal().unwrap().unwrap().generation, 2, "which is then known to be over");
    }

    #[test]
    fn a_sealed_image_holds_nothing_of_its_master() {
        let folder = tempfile::tempdir().unwrap();
        let dir = StateDir::new(folder.path().to_owned());
        dir.save_identity(&Authority::new().identity()).unwrap();
        dir.save_tag(Some("INV-1")).unwrap();
        dir.save_state(&State::new("agent".into(), 1)).unwrap();
        dir.save_status(&Status::default()).unwrap();
        fs::write(files::beside(&folder.path().join("identity.json")), b"left by a kill").unwrap();
        dir.forget_everything().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        dir.forget_everything().unwrap();
    }

    #[test]
    fn a_damaged_identity_is_not_taken_for_a_missing_one() {
        let folder = tempfile::tempdir().unwrap();
        let dir = StateDir::new(folder.path().to_owned());
        assert_eq!(dir.identity().unwrap(), None);
        fs::write(folder.path().join("identity.json"), b"{").unwrap();
        assert!(dir.identity().unwrap_err().to_string().contains("identity.json is damaged"));
    }
}
