//! One contact with the collector, from a new state to its answer. Keeps nothing itself: the caller
//! says where the agent's memory is saved.

use std::collections::BTreeSet;

use parc_wire::v1::{ContactResponse, Outcome, SectionKind};
use prost::Message;
use thiserror::Error;

use crate::inventory::Inventory;
use crate::random::{Random, RandomError};
use crate::report::{self, Stamp, Whole};
use crate::spool::{SpoolError, State};
use crate::upload::{Failure, Session};

/// Times a report is sent again, whole, in one contact. More would be a collector that does not agree
/// with itself.
const REPEATS_MAX: u32 = 2;

/// What the collector made of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is on the collector's disk.
    Acknowledged,
    /// It waits here: the machine is under review, or the collector asks for the same again and again.
    Held,
    /// It will never be accepted as it is.
    Refused,
}

/// A contact that was answered.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The last answer.
    pub answer: ContactResponse,
    /// What it means for the report.
    pub standing: Standing,
    /// Payload of all requests, bytes before compression.
    pub bytes_sent: usize,
    /// Sections that were carried.
    pub sections_sent: BTreeSet<SectionKind>,
}

/// A contact without an answer, or one whose answer could not be kept.
#[derive(Debug, Error)]
pub enum ContactError {
    /// No answer.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The agent's memory could not be saved: nothing is sent that would be forgotten.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// No new epoch.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Sends the state and follows the answers until the report is acknowledged, held or refused. `save`
/// is called before each first sending and after each change of the agent's memory.
pub async fn exchange(
    session: &Session,
    state: &mut State,
    inventory: Inventory,
    stamp: &Stamp,
    random: &mut dyn Random,
    mut save: impl FnMut(&State) -> Result<(), SpoolError>,
) -> Result<Exchange, ContactError> {
    let mut pending = state.begin(inventory).clone();
    save(state)?;
    let (mut whole, mut bytes_sent, mut sections_sent) = (Whole::None, 0, BTreeSet::new());
    for repeat in 0.. {
        let request = report::request(state, &pending, stamp, &whole);
        bytes_sent += request.encoded_len();
        sections_sent.extend(request.changes.iter().map(parc_wire::v1::SectionChange::kind));
        let answer = session.contact(request).await.or_else(|failure| match failure {
            Failure::Invalid(reason) => Ok(invalid(reason)),
            other => Err(other),
        })?;
        let standing = match judge(&answer) {
            Verdict::SendWhole(asked) if repeat < REPEATS_MAX => {
                whole = asked;
                continue;
            }
            Verdict::StartOver if repeat < REPEATS_MAX => {
                state.start_over(random.epoch()?);
                pending.seq = state.seq;
                save(state)?;
                continue;
            }
            Verdict::Final(standing) => standing,
            Verdict::SendWhole(_) | Verdict::StartOver => Standing::Held,
        };
        match standing {
            Standing::Acknowledged => state.acknowledge(),
            Standing::Refused => state.refuse(stamp.collected_at, answer.reason.clone()),
            Standing::Held => {}
        }
        save(state)?;
        return Ok(Exchange { answer, standing, bytes_sent, sections_sent });
    }
    Err(Failure::Broken("the collector kept asking".into()).into())
}

/// What an answer asks the agent to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Final(Standing),
    SendWhole(Whole),
    StartOver,
}

/// A stale report means that this machine remembers less than the collector, as after the restore of
/// an old disk: it begins a new epoch and tells everything.
pub(crate) fn judge(answer: &ContactResponse) -> Verdict {
    match answer.outcome() {
        Outcome::Accepted | Outcome::Duplicate => Verdict::Final(Standing::Acknowledged),
        Outcome::Stale => Verdict::StartOver,
        Outcome::NeedFull => {
            let asked: BTreeSet<SectionKind> = answer.need_full().collect();
            Verdict::SendWhole(if asked.is_empty() { Whole::All } else { Whole::Some(asked) })
        }
        Outcome::Invalid => Verdict::Final(Standing::Refused),
        // An outcome that this agent does not know yet must not cost data: the report waits.
        Outcome::Fork | Outcome::Quarantined | Outcome::Unspecified => Verdict::Final(Standing::Held),
    }
}

fn invalid(reason: String) -> ContactResponse {
    ContactResponse { outcome: Outcome::Invalid.into(), reason, ..ContactResponse::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(outcome: Outcome, need_full: &[SectionKind]) -> Verdict {
        let need_full = need_full.iter().map(|it| i32::from(*it)).collect();
        judge(&ContactResponse { outcome: outcome.into(), need_full, ..ContactResponse::default() })
    }

    #[test]
    fn only_a_durable_report_counts_as_acknowledged() {
        for outcome in [Outcome::Accepted, Outcome::Duplicate] {
            assert_eq!(verdict(outcome, &[]), Verdict::Final(Standing::Acknowledged));
        }
        for outcome in [Outcome::Fork, Outcome::Quarantined, Outcome::Unspecified] {
            assert_eq!(verdict(outcome, &[]), Verdict::Final(Standing::Held));
        }
        assert_eq!(verdict(Outcome::Invalid, &[]), Verdict::Final(Standing::Refused));
    }

    #[test]
    fn the_collector_gets_the_sections_it_asks_for_or_all() {
        let os = SectionKind::Os;
        let asked = Whole::Some(BTreeSet::from([os]));
        assert_eq!(verdict(Outcome::NeedFull, &[os]), Verdict::SendWhole(asked));
        assert_eq!(verdict(Outcome::NeedFull, &[]), Verdict::SendWhole(Whole::All));
    }

    #[test]
    fn a_machine_that_remembers_less_than_the_collector_starts_over() {
        assert_eq!(verdict(Outcome::Stale, &[]), Verdict::StartOver);
    }
}
