//! The door of all reports. Calls check and clean a report each for itself; one applier per process then
//! writes many reports in one commit, and no answer leaves before that commit is durable.
//!
//! Why one applier: SQLite has one writer, and on PostgreSQL several unsorted bulk writers deadlock. Why
//! batches: a commit costs a disk flush, whoever shares it pays a part only.

mod answer;
mod apply;
mod decide;
mod effects;
mod merge;
mod prepare;
mod quota;

use std::sync::Arc;
use std::time::Duration;

use parc_wire::v1;
use prost::Message;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::answer::Answer;
use self::apply::{Applier, ApplyError};
pub(super) use self::decide::Last;
use self::prepare::Prepared;
pub(super) use self::prepare::shown_key;
use super::model::{AgentBinding, TagListener};
use crate::context::Context;
use crate::db::StoreError;
use crate::kernel::entropy::Entropy;
use crate::kernel::error::{Chain, ErrorKind, Fault};
use crate::kernel::id::AgentId;
use crate::kernel::time::UtcMicros;
use crate::measures;

/// Reports of one commit: measured, more gain nothing.
const BATCH_REPORTS_MAX: usize = 64;
/// How long the first report of a batch waits for others while they keep coming.
const BATCH_WAIT: Duration = Duration::from_millis(5);
/// Reports that wait for the applier: sixteen batches, about a tenth of a second at full speed.
const QUEUE_REPORTS_MAX: usize = 16 * BATCH_REPORTS_MAX;
/// Decoded bytes in flight, KiB: with all else the collector stays below half a gibibyte.
const IN_FLIGHT_KIB_MAX: usize = 256 * 1024;
/// Repetitions of a report after transient errors.
const RETRIES_MAX: u32 = 5;
/// Longest pause before the first repetition; it doubles with each.
const RETRY_PAUSE: Duration = Duration::from_millis(20);
/// Bounds of the push-back given to an agent.
const PUSH_BACK_S: (u64, u64) = (5, 6 * 3600);
/// How long agents wait at least when the disk is full: somebody has to make room first.
const NO_ROOM_WAIT: Duration = Duration::from_mins(10);
/// Reports a small collector certainly applies per second; the push-back's measure.
const REPORTS_PER_SECOND: u64 = 200;

/// How the intake answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntakeSettings {
    /// Seconds between two contacts of an agent.
    pub interval_s: u32,
}

impl Default for IntakeSettings {
    /// Four hours: six contacts a day.
    fn default() -> Self {
        Self { interval_s: 4 * 3600 }
    }
}

/// Takes reports; cheap to clone. The applier ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Intake {
    context: Context,
    settings: IntakeSettings,
    queue: mpsc::Sender<Job>,
    bytes: Arc<Semaphore>,
}

/// Why a report was not even looked at. Nothing of it is stored; the agent sends it again.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Too many reports at once.
    #[error("too many reports are waiting")]
    Exhausted {
        /// When to try again.
        retry_after: Duration,
    },
    /// The database is away, or the collector is shutting down.
    #[error("reports cannot be stored now")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// Our fault.
    #[error("the report could not be applied")]
    Internal,
}

impl Fault for IntakeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Exhausted { .. } => ErrorKind::Exhausted,
            Self::Unavailable { .. } => ErrorKind::Unavailable,
            Self::Internal => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Exhausted { .. } => "overloaded",
            Self::Unavailable { .. } => "database-unavailable",
            Self::Internal => "internal",
        }
    }
}

/// A report on its way to the applier.
#[derive(Debug)]
struct Job {
    binding: AgentBinding,
    prepared: Arc<Prepared>,
    reply: oneshot::Sender<Result<Answer, IntakeError>>,
    _bytes: OwnedSemaphorePermit,
}

impl Intake {
    /// Starts the applier. The handle ends when all clones of the intake are gone and what was queued is
    /// answered.
    pub fn start(
        context: Context,
        listener: Arc<dyn TagListener>,
        settings: IntakeSettings,
    ) -> (Self, JoinHandle<()>) {
        let (queue, jobs) = mpsc::channel(QUEUE_REPORTS_MAX);
        let applier = Applier::new(context.clone(), listener);
        let handle = tokio::spawn(run(applier, jobs));
        let bytes = Arc::new(Semaphore::new(IN_FLIGHT_KIB_MAX));
        (Self { context, settings, queue, bytes }, handle)
    }

    /// Takes one contact and answers once its effect is durable. The edge still has to act on a fork
    /// (quarantine the agent).
    pub async fn contact(
        &self,
        binding: AgentBinding,
        request: v1::ContactRequest,
    ) -> Result<v1::ContactResponse, IntakeError> {
        if self.context.db.is_short_of_room() {
            return Err(IntakeError::Unavailable { retry_after: self.push_back().max(NO_ROOM_WAIT) });
        }
        let kib = u32::try_from(request.encoded_len() / 1024 + 1).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.bytes).try_acquire_many_owned(kib).map_err(|_| self.exhausted())?;
        let now = self.context.now();
        let prepared = match prepare::prepare(&request, now) {
            Ok(prepared) => Arc::new(prepared),
            Err(reason) => return Ok(self.respond(&binding, Answer::invalid(reason), None)),
        };
        drop(request);
        let (reply, answer) = oneshot::channel();
        let job = Job { binding, prepared: Arc::clone(&prepared), reply, _bytes: permit };
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => self.exhausted(),
            mpsc::error::TrySendError::Closed(_) => self.unavailable(),
        })?;
        let answer = answer.await.map_err(|_| self.unavailable())??;
        Ok(self.respond(&binding, answer, Some(&prepared)))
    }

    fn respond(
        &self,
        binding: &AgentBinding,
        answer: Answer,
        report: Option<&Prepared>,
    ) -> v1::ContactResponse {
        let named = report.map(|it| it.set_aside.named.clone()).unwrap_or_default();
        let mut set_aside = if answer.outcome == v1::Outcome::Accepted { named } else { Vec::new() };
        set_aside.extend(withheld_note(answer.brought.withheld));
        v1::ContactResponse {
            outcome: answer.outcome as i32,
            need_full: answer.need_full.iter().map(|kind| *kind as i32).collect(),
            set_aside,
            next_contact_s: next_contact_s(binding.agent_id, self.context.now(), self.settings.interval_s),
            assigned_tag: answer.assigned_tag,
            tag_note: answer.tag_note,
            renew_now: false,
            reason: answer.reason,
        }
    }

    fn exhausted(&self) -> IntakeError {
        IntakeError::Exhausted { retry_after: self.push_back() }
    }

    fn unavailable(&self) -> IntakeError {
        IntakeError::Unavailable { retry_after: self.push_back() }
    }

    /// Backlog over capacity, spread by half, so that those turned away do not return together.
    fn push_back(&self) -> Duration {
        let backlog = (QUEUE_REPORTS_MAX - self.queue.capacity()) as u64;
        push_back(backlog, self.context.entropy.as_ref())
    }
}

fn withheld_note(withheld: usize) -> Option<v1::SetAside> {
    (withheld > 0).then(|| v1::SetAside {
        section: v1::SectionKind::Software.into(),
        item_key: String::new(),
        field: "name".to_owned(),
        reason: format!(
            "{withheld} titles that no machine had before are set aside until tomorrow: an agent may bring {} a day",
            quota::NEW_TITLES_MAX
        ),
    })
}

fn push_back(backlog: u64, entropy: &dyn Entropy) -> Duration {
    let (min, max) = PUSH_BACK_S;
    let base_ms = (backlog * 1000 / REPORTS_PER_SECOND).clamp(min * 1000, max * 1000);
    Duration::from_millis(base_ms / 2 + below(base_ms, entropy))
        .clamp(Duration::from_secs(min), Duration::from_secs(max))
}

/// A random number below `limit`.
fn below(limit: u64, entropy: &dyn Entropy) -> u64 {
    let mut bytes = [0_u8; 8];
    entropy.fill(&mut bytes);
    u64::from_be_bytes(bytes) % limit.max(1)
}

/// Seconds until the agent's own slot of the interval, at least a quarter of the interval away: the slot
/// depends on the agent alone, so a herd that started together is spread after one contact.
fn next_contact_s(agent: AgentId, now: UtcMicros, interval_s: u32) -> u32 {
    let interval = u64::from(interval_s.max(1));
    let mut hash = [0_u8; 8];
    blake3::Hasher::new().update(agent.as_uuid().as_bytes()).finalize_xof().fill(&mut hash);
    let slot = u64::from_be_bytes(hash) % interval;
    let phase = u64::try_from(now.seconds()).unwrap_or(0) % interval;
    let wait = (slot + interval - phase) % interval;
    let wait = if wait < interval.div_ceil(4) { wait + interval } else { wait };
    u32::try_from(wait).unwrap_or(u32::MAX)
}

async fn run(applier: Applier, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.recv().await {
        let batch = gather(first, &mut jobs);
        measures::queue(jobs.len());
        let (reports, begun) = (batch.len(), Instant::now());
        commit(&applier, batch).await;
        measures::batch(reports, begun.elapsed());
    }
}

/// What waits already, up to a full batch; an idle collector commits a lone report at once.
fn gather(first: Job, jobs: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let deadline = Instant::now() + BATCH_WAIT;
    let mut batch = vec![first];
    while batch.len() < BATCH_REPORTS_MAX && Instant::now() < deadline {
        let Ok(job) = jobs.try_recv() else { break };
        batch.push(job);
    }
    batch
}

/// Commits a batch; when that fails, each report alone, so that one bad report never fails others.
async fn commit(applier: &Applier, batch: Vec<Job>) {
    let reports: Vec<_> = batch.iter().map(|job| (job.binding, Arc::clone(&job.prepared))).collect();
    match applier.apply(&reports).await {
        Ok(answers) => {
            for (job, answer) in batch.into_iter().zip(answers) {
                // The caller may have hung up; its report is stored all the same.
                drop(job.reply.send(Ok(answer)));
            }
        }
        Err(error) if error.is_about_the_disk() => {
            for job in batch {
                let refused = given_up(applier, &job, &error);
                drop(job.reply.send(Err(refused)));
            }
        }
        Err(error) => {
            tracing::debug!(reports = batch.len(), error = %Chain(&error), "a batch failed; each report is tried alone");
            for job in batch {
                let answer = alone(applier, &job).await;
                drop(job.reply.send(answer));
            }
        }
    }
}

/// A disk that is full or fails is not asked again: each report would fail like the last, and after a failed
/// flush a success would mean nothing.
fn given_up(applier: &Applier, job: &Job, error: &ApplyError) -> IntakeError {
    tracing::error!(agent = %job.binding.agent_id, error = %Chain(error), "a report could not be stored");
    let context = applier.context();
    if matches!(error, ApplyError::Store(StoreError::Full(_))) {
        context.db.give_room_up();
    }
    IntakeError::Unavailable { retry_after: push_back(0, context.entropy.as_ref()).max(NO_ROOM_WAIT) }
}

async fn alone(applier: &Applier, job: &Job) -> Result<Answer, IntakeError> {
    let report = [(job.binding, Arc::clone(&job.prepared))];
    let entropy = applier.context().entropy.as_ref();
    for attempt in 0..=RETRIES_MAX {
        let error = match applier.apply(&report).await {
            Ok(answers) => return answers.into_iter().next().ok_or(IntakeError::Internal),
            Err(error) => error,
        };
        if error.is_about_the_disk() {
            return Err(given_up(applier, job, &error));
        }
        if !error.is_transient() {
            tracing::error!(agent = %job.binding.agent_id, error = %Chain(&error), "a report could not be applied");
            return Err(IntakeError::Internal);
        }
        if attempt < RETRIES_MAX {
            let longest = u64::try_from(RETRY_PAUSE.as_micros()).unwrap_or(u64::MAX) << attempt;
            tokio::time::sleep(Duration::from_micros(below(longest, entropy))).await;
        }
    }
    tracing::warn!(agent = %job.binding.agent_id, "the database stayed unavailable for a report");
    Err(IntakeError::Unavailable { retry_after: push_back(0, entropy) })
}

#[cfg(test)]
mod tests;
