//! What the agent remembers between contacts: the state that the collector acknowledged, and at most
//! one report that waits for its acknowledgement.
//!
//! State, not events: a newer report takes the place of a waiting one, so any number of failures ends
//! in convergence. A file that is damaged, of another agent or of another version counts as lost: a new
//! epoch begins and the next report is whole.

use std::path::Path;

use parc_wire::digest::{self, Digest};
use parc_wire::v1::{Item, SectionKind};
use prost::Message;
use thiserror::Error;

use crate::clock::UtcMicros;
use crate::files::{self, FileError};
use crate::inventory::{Inventory, Section};

/// Bytes of the file: two reports at the limit of the wire.
pub const STATE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Kind and version of the file; another version is another file.
const MAGIC: &[u8; 8] = b"PARCST01";
const CHECKSUM_BYTES: usize = 32;

/// The state cannot be kept.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// More than the disk space the agent allows itself.
    #[error("the state has {0} bytes, at most {STATE_BYTES_MAX} are kept")]
    TooLarge(usize),
}

/// What the agent and the collector agree on, and what is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The agent this state belongs to.
    pub agent_id: String,
    /// Random; new when the state was lost.
    pub epoch: u64,
    /// Number of the last report, acknowledged or not.
    pub seq: u64,
    /// What the collector acknowledged last.
    pub acknowledged: Inventory,
    /// What was sent, or is about to be, without an answer.
    pub pending: Option<Pending>,
    /// The last state that the collector will never accept.
    pub refused: Option<RefusedReport>,
}

/// A report on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// Its number.
    pub seq: u64,
    /// The whole state that it tells.
    pub inventory: Inventory,
}

/// A state that was refused as invalid; it is not sent again until it changes or a day has passed.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedReport {
    /// Digest of the state.
    pub digest: Digest,
    /// When it was refused.
    pub at: UtcMicros,
    /// Why.
    pub reason: String,
}

/// What was found on disk.
#[derive(Debug, PartialEq)]
pub enum Loaded {
    /// A state to go on from.
    Known(State),
    /// Nothing usable, and why, in words for a log.
    Lost(&'static str),
}

impl Pending {
    /// The same state under the same number is the same report.
    pub fn report_id(&self, epoch: u64) -> Digest {
        digest::report_id(epoch, self.seq, self.inventory.numbered_digests())
    }
}

impl State {
    /// A state that knows nothing; `epoch` is random.
    pub fn new(agent_id: String, epoch: u64) -> Self {
        Self { agent_id, epoch, seq: 0, acknowledged: Inventory::default(), pending: None, refused: None }
    }

    /// Makes the report that is to be sent next. A waiting report with the same state keeps its number,
    /// so that the collector can tell a repetition from news. Sections that the collector knows and the
    /// machine no longer has are told as empty.
    pub fn begin(&mut self, mut inventory: Inventory) -> &Pending {
        for (kind, _) in self.acknowledged.sections() {
            if inventory.section(kind).is_none() {
                inventory.set(kind, Section::new(kind, Vec::new()));
            }
        }
        let repeated = self.pending.take().filter(|it| it.inventory.digest() == inventory.digest());
        if repeated.is_none() {
            self.seq += 1;
        }
        self.pending.insert(Pending { seq: self.seq, inventory })
    }

    /// The collector has the waiting report on its disk.
    pub fn acknowledge(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.acknowledged = pending.inventory;
            self.refused = None;
        }
    }

    /// Begins again from nothing under a new epoch; the waiting report waits on, whole.
    pub fn start_over(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.seq = 1;
        self.acknowledged = Inventory::default();
        if let Some(pending) = &mut self.pending {
            pending.seq = self.seq;
        }
    }

    /// The collector will never accept the waiting report.
    pub fn refuse(&mut self, at: UtcMicros, reason: String) {
        if let Some(pending) = &self.pending {
            self.refused = Some(RefusedReport { digest: pending.inventory.digest(), at, reason });
        }
    }

    /// Why this state need not be sent: the collector refused the very same one less than a day ago.
    pub fn refusal_of(&self, inventory: &Inventory, now: UtcMicros) -> Option<&RefusedReport> {
        const RETRY_AFTER_US: i64 = 24 * 3600 * crate::clock::SECOND_US;
        let recent = |it: &&RefusedReport| (0..RETRY_AFTER_US).contains(&now.saturating_sub(it.at));
        self.refused.as_ref().filter(|it| it.digest == inventory.digest()).filter(recent)
    }
}

/// Reads the state of an agent.
pub fn load(path: &Path, agent_id: &str) -> Result<Loaded, SpoolError> {
    let Some(bytes) = files::read(path, STATE_BYTES_MAX)? else {
        return Ok(Loaded::Lost("no state was kept"));
    };
    Ok(from_bytes(&bytes, agent_id))
}

/// The state in the bytes of a file.
pub(crate) fn from_bytes(bytes: &[u8], agent_id: &str) -> Loaded {
    match decode(bytes) {
        None => Loaded::Lost("the state file is damaged or of another version"),
        Some(state) if state.agent_id != agent_id => Loaded::Lost("the state file belongs to another agent"),
        Some(state) => Loaded::Known(state),
    }
}

/// Writes the state, all or nothing.
pub fn save(path: &Path, state: &State) -> Result<(), SpoolError> {
    let bytes = to_bytes(state);
    if bytes.len() > STATE_BYTES_MAX {
        return Err(SpoolError::TooLarge(bytes.len()));
    }
    Ok(files::replace(path, &bytes)?)
}

/// The bytes of a state's file.
pub(crate) fn to_bytes(state: &State) -> Vec<u8> {
    let payload = StateFile::from(state).encode_to_vec();
    let mut bytes = Vec::with_capacity(MAGIC.len() + CHECKSUM_BYTES + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(blake3::hash(&payload).as_bytes());
    bytes.extend_from_slice(&payload);
    bytes
}

fn decode(bytes: &[u8]) -> Option<State> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (checksum, payload) = rest.split_at_checked(CHECKSUM_BYTES)?;
    if blake3::hash(payload).as_bytes() != checksum {
        return None;
    }
    Some(StateFile::decode(payload).ok()?.into())
}

#[derive(Clone, PartialEq, prost::Message)]
struct StateFile {
    #[prost(string, tag = "1")]
    agent_id: String,
    #[prost(uint64, tag = "2")]
    epoch: u64,
    #[prost(uint64, tag = "3")]
    seq: u64,
    #[prost(message, repeated, tag = "4")]
    acknowledged: Vec<SectionFile>,
    #[prost(message, optional, tag = "5")]
    pending: Option<PendingFile>,
    #[prost(message, optional, tag = "6")]
    refused: Option<RefusedFile>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SectionFile {
    #[prost(enumeration = "SectionKind", tag = "1")]
    kind: i32,
    #[prost(message, repeated, tag = "2")]
    items: Vec<Item>,
}

/// Only the sections that differ from the acknowledged ones: `begin` lets none disappear.
#[derive(Clone, PartialEq, prost::Message)]
struct PendingFile {
    #[prost(uint64, tag = "1")]
    seq: u64,
    #[prost(message, repeated, tag = "2")]
    changed: Vec<SectionFile>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RefusedFile {
    #[prost(bytes, tag = "1")]
    digest: Vec<u8>,
    #[prost(int64, tag = "2")]
    at_us: i64,
    #[prost(string, tag = "3")]
    reason: String,
}

impl From<&State> for StateFile {
    fn from(state: &State) -> Self {
        let pending = state.pending.as_ref().map(|pending| {
            let differs = |(kind, section): &(SectionKind, &Section)| {
                state.acknowledged.section(*kind).map(Section::digest) != Some(section.digest())
            };
            let changed = pending.inventory.sections().filter(differs).map(SectionFile::from).collect();
            PendingFile { seq: pending.seq, changed }
        });
        let refused = state.refused.as_ref().map(|it| RefusedFile {
            digest: it.digest.to_vec(),
            at_us: it.at,
            reason: it.reason.clone(),
        });
        Self {
            agent_id: state.agent_id.clone(),
            epoch: state.epoch,
            seq: state.seq,
            acknowledged: state.acknowledged.sections().map(SectionFile::from).collect(),
            pending,
            refused,
        }
    }
}

impl From<StateFile> for State {
    fn from(file: StateFile) -> Self {
        let acknowledged: Inventory = file.acknowledged.into_iter().map(SectionFile::into_section).collect();
        let pending = file.pending.map(|pending| {
            let mut inventory = acknowledged.clone();
            for changed in pending.changed {
                let (kind, section) = changed.into_section();
                inventory.set(kind, section);
            }
            Pending { seq: pending.seq, inventory }
        });
        let refused = file.refused.and_then(|it| {
            Some(RefusedReport { digest: it.digest.try_into().ok()?, at: it.at_us, reason: it.reason })
        });
        Self { agent_id: file.agent_id, epoch: file.epoch, seq: file.seq, acknowledged, pending, refused }
    }
}

impl From<(SectionKind, &Section)> for SectionFile {
    fn from((kind, section): (SectionKind, &Section)) -> Self {
        Self { kind: kind.into(), items: section.items().to_vec() }
    }
}

impl SectionFile {
    fn into_section(self) -> (SectionKind, Section) {
        let kind = self.kind();
        (kind, Section::new(kind, self.items))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const AGENT: &str = "agent-1";

    fn inventory(cpu: &str) -> Inventory {
        let item = |key: &str| vec![Item { key: key.into(), body: b"x".to_vec() }];
        Inventory::new([(SectionKind::Cpu, item(cpu)), (SectionKind::Os, item("os"))])
    }

    fn state() -> State {
        let mut state = State::new(AGENT.into(), 77);
        state.begin(inventory("cpu0"));
        state.acknowledge();
        state.begin(inventory("cpu1"));
        state.refuse(5, "cpu1 is too fast".into());
        state
    }

    #[test]
    fn the_state_comes_back_as_it_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.bin");
        save(&path, &state()).unwrap();
        assert_eq!(load(&path, AGENT).unwrap(), Loaded::Known(state()));
    }

    #[test]
    fn a_file_cut_anywhere_or_with_a_flipped_bit_counts_as_lost() {
        let whole = to_bytes(&state());
        assert_eq!(decode(&whole), Some(state()));
        for bytes in 0..whole.len() {
            assert_eq!(decode(&whole[..bytes]), None, "cut to {bytes} bytes");
            let mut flipped = whole.clone();
            flipped[bytes] ^= 1;
            assert_eq!(decode(&flipped), None, "bit flipped in byte {bytes}");
        }
    }

    #[test]
    fn a_kill_while_saving_leaves_the_state_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.bin");
        let before = State::new(AGENT.into(), 1);
        save(&path, &before).unwrap();
        let after = to_bytes(&state());
        for bytes in [0, 1, after.len() / 2, after.len()] {
            fs::write(files::beside(&path), &after[..bytes]).unwrap();
            assert_eq!(load(&path, AGENT).unwrap(), Loaded::Known(before.clone()));
        }
        save(&path, &state()).unwrap();
        assert_eq!(load(&path, AGENT).unwrap(), Loaded::Known(state()));
    }

    #[test]
    fn the_state_of_another_agent_is_not_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.bin");
        assert_eq!(load(&path, AGENT).unwrap(), Loaded::Lost("no state was kept"));
        save(&path, &state()).unwrap();
        assert!(matches!(load(&path, "agent-2").unwrap(), Loaded::Lost(_)));
    }

    #[test]
    fn a_report_without_answer_keeps_its_number_until_the_state_changes() {
        let mut state = State::new(AGENT.into(), 1);
        let first = state.begin(inventory("cpu0")).clone();
        assert_eq!(state.begin(inventory("cpu0")), &first);
        let news = state.begin(inventory("cpu1")).clone();
        assert_eq!((first.seq, news.seq), (1, 2));
        state.acknowledge();
        assert_eq!(
            state.begin(inventory("cpu1")).seq,
            3,
            "after an acknowledgement each contact is a new report"
        );
        assert_ne!(first.report_id(1), news.report_id(1));
    }

    #[test]
    fn a_section_that_is_gone_is_told_as_empty() {
        let mut state = State::new(AGENT.into(), 1);
        state.begin(inventory("cpu0"));
        state.acknowledge();
        let rest = Inventory::new([(SectionKind::Os, vec![])]);
        let pending = state.begin(rest);
        assert!(pending.inventory.section(SectionKind::Cpu).unwrap().items().is_empty());
    }

    #[test]
    fn a_refused_state_waits_for_a_change_or_a_day() {
        let hour = 3600 * crate::clock::SECOND_US;
        let state = state();
        assert!(state.refusal_of(&inventory("cpu1"), 6).is_some());
        assert!(state.refusal_of(&inventory("cpu2"), 6).is_none());
        assert!(state.refusal_of(&inventory("cpu1"), 25 * hour).is_none());
        assert!(state.refusal_of(&inventory("cpu1"), -hour).is_none(), "the clock went back");
    }
}
