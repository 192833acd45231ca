//! How many titles nobody knew an agent may bring. Titles are kept for ever, so that without a limit one forged
//! or broken agent could fill the catalogue that all machines share.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use parc_wire::digest::Digest;

use super::super::content::Section;
use crate::kernel::id::AgentId;
use crate::kernel::time::UtcMicros;
use crate::software::{Mark, NewTitle, TitleId};

/// New titles of one agent and day: a whole desktop system that nobody else has.
pub(super) const NEW_TITLES_MAX: usize = 2_000;
const DAY_S: i64 = 86_400;

/// Stands where the digest of a section would that titles were withheld from. No section has it, so that the
/// next contact is asked for the section whole, until nothing is withheld.
pub(super) const INCOMPLETE: Digest = [0; 16];

/// What agents brought today, by this collector's count.
#[derive(Debug, Default)]
pub(super) struct Quota(Mutex<Today>);

#[derive(Debug, Default)]
struct Today {
    day: i64,
    brought: HashMap<AgentId, usize>,
}

impl Quota {
    /// New titles an agent may still bring today.
    pub(super) fn left(&self, agent: AgentId, now: UtcMicros) -> usize {
        let today = self.today(now);
        NEW_TITLES_MAX - today.brought.get(&agent).map_or(0, |it| (*it).min(NEW_TITLES_MAX))
    }

    /// Counts what was stored.
    pub(super) fn count(&self, agent: AgentId, brought: usize, now: UtcMicros) {
        if brought > 0 {
            *self.today(now).brought.entry(agent).or_default() += brought;
        }
    }

    fn today(&self, now: UtcMicros) -> MutexGuard<'_, Today> {
        let day = now.seconds().div_euclid(DAY_S);
        let mut today = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if today.day != day {
            *today = Today { day, brought: HashMap::new() };
        }
        today
    }
}

/// What one report brings to the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Brought {
    /// Titles nobody knew.
    pub(super) new: usize,
    /// Titles that are set aside because they are over the quota.
    pub(super) withheld: usize,
}

/// Lets `left` of the report's unknown titles into `admitted`; the others are taken out of `titles` and, where
/// they stand in the section, set aside.
pub(super) fn withhold(
    section: &mut Section,
    titles: &mut BTreeMap<TitleId, NewTitle>,
    known: &HashMap<TitleId, Mark>,
    admitted: &mut BTreeSet<TitleId>,
    left: usize,
) -> Brought {
    let unknown = titles.keys().filter(|it| !known.contains_key(it) && !admitted.contains(it)).copied();
    let unknown: Vec<TitleId> = unknown.collect();
    let (new, withheld) = unknown.split_at(unknown.len().min(left));
    admitted.extend(new);
    let withheld: BTreeSet<TitleId> = withheld.iter().copied().collect();
    if let Section::Software(items) = section
        && !withheld.is_empty()
    {
        titles.retain(|id, _| !withheld.contains(id));
        for item in items.values_mut() {
            item.title = item.title.filter(|it| !withheld.contains(it));
        }
    }
    Brought { new: new.len(), withheld: withheld.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::SystemEntropy;

    #[test]
    fn the_quota_is_one_agents_and_one_days() {
        let now = UtcMicros(1_790_000_000_000_000);
        let (one, other) = (AgentId::generate(now, &SystemEntropy), AgentId::generate(now, &SystemEntropy));
        let quota = Quota::default();
        assert_eq!(quota.left(one, now), NEW_TITLES_MAX);
        quota.count(one, NEW_TITLES_MAX - 1, now);
        assert_eq!((quota.left(one, now), quota.left(other, now)), (1, NEW_TITLES_MAX));
        quota.count(one, 5, now);
        assert_eq!(quota.left(one, now), 0);
        assert_eq!(quota.left(one, now + std::time::Duration::from_hours(24)), NEW_TITLES_MAX);
    }
}
