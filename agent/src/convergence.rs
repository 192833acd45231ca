//! Whatever is lost on the way, agent and collector end with the same state. Told with the agent's own
//! decisions against a model of the collector, without a network.

use std::collections::BTreeMap;

use parc_wire::digest::Digest;
use parc_wire::v1::{ContactRequest, ContactResponse, Item, Outcome, SectionChange, SectionKind};
use proptest::prelude::*;

use crate::contact::{Standing, Verdict, judge};
use crate::delta::tests::apply;
use crate::inventory::{Inventory, Section};
use crate::report::{self, Stamp, Whole};
use crate::spool::{self, Loaded, State};

const AGENT: &str = "agent";

/// The rules of acknowledgement, as far as one well-behaved agent can meet them.
#[derive(Default)]
struct Collector {
    sections: BTreeMap<SectionKind, Section>,
    last: Option<(u64, u64, Vec<u8>)>,
}

impl Collector {
    fn receive(&mut self, contact: &ContactRequest) -> ContactResponse {
        if let Some((epoch, seq, report_id)) = &self.last
            && *epoch == contact.epoch
        {
            assert!(contact.seq >= *seq, "the agent went back from {seq} to {}", contact.seq);
            if contact.seq == *seq {
                assert_eq!(*report_id, contact.report_id, "two reports under one number");
                return answer(Outcome::Duplicate, &[]);
            }
        }
        let mut sections = self.sections.clone();
        for change in &contact.changes {
            match self.changed(change) {
                Some(section) => sections.insert(change.kind(), section),
                None => return answer(Outcome::NeedFull, &[change.kind()]),
            };
        }
        let differs =
            |kind, digest: &[u8]| sections.get(&kind).map(Section::digest).is_none_or(|it| it != digest);
        let asked: Vec<SectionKind> = contact
            .digests
            .iter()
            .filter(|it| differs(it.kind(), &it.digest))
            .map(parc_wire::v1::SectionDigest::kind)
            .collect();
        if !asked.is_empty() {
            return answer(Outcome::NeedFull, &asked);
        }
        sections.retain(|kind, _| contact.digests.iter().any(|it| it.kind() == *kind));
        self.sections = sections;
        self.last = Some((contact.epoch, contact.seq, contact.report_id.clone()));
        answer(Outcome::Accepted, &[])
    }

    fn changed(&self, change: &SectionChange) -> Option<Section> {
        let base = self.sections.get(&change.kind());
        let fits = change.base_digest.is_empty() || base.is_some_and(|it| it.digest() == *change.base_digest);
        fits.then(|| apply(change.kind(), base, change))
    }

    fn digest(&self) -> Digest {
        self.sections.iter().map(|(kind, section)| (*kind, section.clone())).collect::<Inventory>().digest()
    }
}

fn answer(outcome: Outcome, asked: &[SectionKind]) -> ContactResponse {
    let need_full = asked.iter().map(|it| i32::from(*it)).collect();
    ContactResponse { outcome: outcome.into(), need_full, ..ContactResponse::default() }
}

/// What goes wrong in one contact.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Nothing,
    RequestLost,
    AnswerLost,
    KilledBeforeAcknowledgementIsKept,
    MemoryLost,
    CollectorRestored,
}

/// One contact, with the agent's memory going through its file form as it would at a restart.
fn contact(disk: &mut Vec<u8>, epoch: u64, collector: &mut Collector, inventory: &Inventory, fate: Fate) {
    let mut state = match spool::from_bytes(disk, AGENT) {
        Loaded::Known(state) => state,
        Loaded::Lost(_) => State::new(AGENT.into(), epoch),
    };
    let pending = state.begin(inventory.clone()).clone();
    *disk = spool::to_bytes(&state);
    let mut whole = Whole::None;
    for _ in 0..3 {
        if matches!(fate, Fate::RequestLost) {
            return;
        }
        let answer = collector.receive(&report::request(&state, &pending, &Stamp::default(), &whole));
        match (judge(&answer), fate) {
            (_, Fate::AnswerLost)
            | (Verdict::Final(Standing::Acknowledged), Fate::KilledBeforeAcknowledgementIsKept) => return,
            (Verdict::SendWhole(asked), _) => whole = asked,
            (Verdict::Final(Standing::Acknowledged), _) => {
                state.acknowledge();
                *disk = spool::to_bytes(&state);
                return;
            }
            (other, _) => panic!("{other:?}"),
        }
    }
    panic!("three rounds were not enough");
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Nothing),
        Just(Fate::RequestLost),
        Just(Fate::AnswerLost),
        Just(Fate::KilledBeforeAcknowledgementIsKept),
        Just(Fate::MemoryLost),
        Just(Fate::CollectorRestored),
    ]
}

fn inventories() -> impl Strategy<Value = Inventory> {
    let items = prop::collection::btree_map("[a-d]", 0..3u8, 0..4);
    prop::collection::btree_map(0..3usize, items, 0..4).prop_map(|sections| {
        let kinds = [SectionKind::Cpu, SectionKind::Software, SectionKind::Problems];
        let item = |(key, body): (String, u8)| Item { key, body: vec![body] };
        let section = |(at, items): (usize, BTreeMap<String, u8>)| {
            (kinds[at], items.into_iter().map(item).collect::<Vec<_>>())
        };
        Inventory::new(sections.into_iter().map(section))
    })
}

proptest! {
    #[test]
    fn agent_and_collector_agree_after_any_run_of_bad_luck(
        story in prop::collection::vec((inventories(), fates()), 0..12),
        last in inventories(),
    ) {
        let (mut disk, mut collector, mut backup) = (Vec::new(), Collector::default(), Collector::default());
        for (epoch, (inventory, fate)) in (1..).zip(story) {
            match fate {
                Fate::MemoryLost => disk.clear(),
                Fate::CollectorRestored => std::mem::swap(&mut collector, &mut backup),
                _ => {}
            }
            contact(&mut disk, epoch, &mut collector, &inventory, fate);
        }
        contact(&mut disk, u64::MAX, &mut collector, &last, Fate::Nothing);
        let Loaded::Known(state) = spool::from_bytes(&disk, AGENT) else { panic!("no state") };
        prop_assert_eq!(state.pending, None);
        prop_assert_eq!(collector.digest(), state.acknowledged.digest());
        for (kind, section) in last.sections() {
            prop_assert_eq!(&collector.sections[&kind], section);
        }
    }
}
