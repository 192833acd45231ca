//! From what the probes found to what is sent. Pure: nothing is read, nothing is written.
//!
//! [`assemble`] makes the machine's state out of findings, tag and the state that the collector last
//! acknowledged; [`request`] makes a contact out of a pending report.

use std::collections::BTreeSet;

use parc_wire::limits::{
    CONTACT_BYTES_MAX, ITEM_BODY_BYTES_MAX, ITEM_KEY_BYTES_MAX, SECTION_ITEMS_MAX, SOFTWARE_ITEMS_MAX,
};
use parc_wire::v1::{
    AssetTagItem, ContactRequest, Item, OsItem, ProblemItem, ProblemKind, SectionKind, VolumeItem,
};
use prost::Message;

use crate::clock::UtcMicros;
use crate::delta;
use crate::inventory::{Inventory, Section};
use crate::probe::Findings;
use crate::settle;
use crate::spool::{Pending, State};
use crate::tag::Claim;

/// Version of this agent, as sent with every contact.
pub const AGENT_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Encoded bytes that the items of all sections may take, so that a contact with everything stays
/// below the wire's limit, headers and problems included.
const ITEMS_BYTES_MAX: usize = CONTACT_BYTES_MAX - 512 * 1024;
/// Bytes of a problem's reason, as the schema says.
const REASON_BYTES_MAX: usize = 256;

/// What a contact says beside the sections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stamp {
    /// When the probes ran.
    pub collected_at: UtcMicros,
    /// Version of the agent.
    pub agent_version: String,
    /// BLAKE3-128 of the kernel's boot id, empty where there is none.
    pub boot_id: Vec<u8>,
}

/// Which sections are sent whole although the collector acknowledged an earlier state of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Whole {
    /// None: only differences.
    #[default]
    None,
    /// These, because the collector asked for them.
    Some(BTreeSet<SectionKind>),
    /// Every section.
    All,
}

/// The machine's state: what was found, with the tag, settled against the acknowledged state and kept
/// within the limits of the wire.
pub fn assemble(findings: &Findings, claim: &Claim, acknowledged: &Inventory) -> Inventory {
    let mut problems = findings.problems.clone();
    problems.extend(claim.refused.iter().map(crate::tag::Refused::problem));
    let mut inventory = Inventory::default();
    let mut budget = ITEMS_BYTES_MAX;
    for (kind, items) in &findings.sections {
        let mut items = keep_within_limits(*kind, items.clone(), &mut budget, &mut problems);
        if *kind == SectionKind::Volumes {
            settle_volumes(&mut items, acknowledged.section(*kind));
        }
        inventory.set(*kind, Section::new(*kind, items));
    }
    keep_what_could_not_be_read(&mut inventory, acknowledged, &findings.problems);
    inventory.set(SectionKind::AssetTag, Section::new(SectionKind::AssetTag, tag_items(claim)));
    inventory.set(SectionKind::Problems, Section::new(SectionKind::Problems, problem_items(problems)));
    inventory
}

/// The contact for a pending report: all digests, and the changes against the acknowledged state.
pub fn request(state: &State, pending: &Pending, stamp: &Stamp, whole: &Whole) -> ContactRequest {
    let change = |(kind, section): (SectionKind, &Section)| {
        let sent_whole = match whole {
            Whole::None => false,
            Whole::Some(kinds) => kinds.contains(&kind),
            Whole::All => true,
        };
        if sent_whole {
            return Some(delta::whole(kind, section));
        }
        delta::change(kind, state.acknowledged.section(kind), section)
    };
    ContactRequest {
        epoch: state.epoch,
        seq: pending.seq,
        report_id: pending.report_id(state.epoch).to_vec(),
        collected_at_us: stamp.collected_at,
        agent_version: stamp.agent_version.clone(),
        boot_id: stamp.boot_id.clone(),
        digests: pending.inventory.digests(),
        changes: pending.inventory.sections().filter_map(change).collect(),
    }
}

/// The host name that the operating system section tells.
pub fn hostname(findings: &Findings) -> String {
    let item = findings.sections.get(&SectionKind::Os).and_then(|it| it.first());
    item.and_then(|it| OsItem::decode(it.body.as_slice()).ok()).map(|it| it.hostname).unwrap_or_default()
}

fn keep_within_limits(
    kind: SectionKind,
    mut items: Vec<Item>,
    budget: &mut usize,
    problems: &mut Vec<ProblemItem>,
) -> Vec<Item> {
    let found = items.len();
    items.retain(|it| it.key.len() <= ITEM_KEY_BYTES_MAX && it.body.len() <= ITEM_BODY_BYTES_MAX);
    items.truncate(if kind == SectionKind::Software { SOFTWARE_ITEMS_MAX } else { SECTION_ITEMS_MAX });
    items.retain(|it| {
        let rest = budget.checked_sub(it.encoded_len() + 4);
        *budget = rest.unwrap_or(*budget);
        rest.is_some()
    });
    let left_out = found - items.len();
    if left_out > 0 {
        let reason = format!("{left_out} of {found} items are over the limits of a report and were left out");
        problems.push(problem(kind, ProblemKind::Cut, "report", reason));
    }
    items
}

/// A probe that fails today does not make yesterday's hardware disappear, and a section that is gone
/// for good is said to be empty: silence would leave the old one standing.
fn keep_what_could_not_be_read(
    inventory: &mut Inventory,
    acknowledged: &Inventory,
    problems: &[ProblemItem],
) {
    for (kind, known) in acknowledged.sections() {
        if inventory.section(kind).is_some() {
            continue;
        }
        let failed = problems.iter().any(|it| it.section() == kind && it.kind() != ProblemKind::Absent);
        inventory.set(kind, if failed { known.clone() } else { Section::new(kind, Vec::new()) });
    }
}

fn settle_volumes(items: &mut [Item], reported: Option<&Section>) {
    for item in items {
        let before = reported.and_then(|it| it.item(&item.key));
        let before = before.and_then(|it| VolumeItem::decode(it.body.as_slice()).ok());
        let now = VolumeItem::decode(item.body.as_slice()).ok();
        if let (Some(before), Some(mut now)) = (before, now)
            && before.free_known
            && now.free_known
            && before.size_mib == now.size_mib
        {
            now.free_mib = settle::free_mib(before.free_mib, now.free_mib, now.size_mib);
            item.body = now.encode_to_vec();
        }
    }
}

fn tag_items(claim: &Claim) -> Vec<Item> {
    let item = |(tag, source): &(parc_wire::tag::AssetTag, _)| Item {
        key: "tag".to_owned(),
        body: AssetTagItem { tag: tag.display().to_owned(), source: i32::from(*source) }.encode_to_vec(),
    };
    claim.tag.iter().map(item).collect()
}

/// A problem as it stands in the PROBLEMS section.
pub fn problem(section: SectionKind, kind: ProblemKind, source: &str, reason: String) -> ProblemItem {
    ProblemItem { section: section.into(), kind: kind.into(), source: source.to_owned(), reason }
}

/// Keys name section, kind and source, so that the same trouble is the same item in each report.
fn problem_items(problems: Vec<ProblemItem>) -> Vec<Item> {
    let mut taken = BTreeSet::new();
    let item = |mut problem: ProblemItem| {
        cut(&mut problem.reason, REASON_BYTES_MAX);
        cut(&mut problem.source, REASON_BYTES_MAX);
        let mut name = format!("{}/{}/{}", problem.section, problem.kind, problem.source);
        cut(&mut name, ITEM_KEY_BYTES_MAX - 8);
        let mut key = name.clone();
        for n in 2.. {
            if taken.insert(key.clone()) {
                break;
            }
            key = format!("{name}#{n}");
        }
        Item { key, body: problem.encode_to_vec() }
    };
    problems.into_iter().take(SECTION_ITEMS_MAX).map(item).collect()
}

fn cut(text: &mut String, bytes_max: usize) {
    text.truncate(text.floor_char_boundary(bytes_max));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use parc_wire::v1::TagSource;

    use super::*;
    use crate::tag::{Refused, claim};

    fn volume(size_mib: u64, free_mib: u64) -> Vec<Item> {
        let body = VolumeItem { size_mib, free_mib, free_known: true, ..VolumeItem::default() };
        vec![Item { key: "/".into(), body: body.encode_to_vec() }]
    }

    fn found(sections: impl IntoIterator<Item = (SectionKind, Vec<Item>)>) -> Findings {
        Findings { sections: BTreeMap::from_iter(sections), ..Findings::default() }
    }

    fn item(key: &str) -> Item {
        Item { key: key.into(), body: b"body".to_vec() }
    }

    fn problems_of(inventory: &Inventory) -> Vec<ProblemItem> {
        let items = inventory.section(SectionKind::Problems).unwrap().items();
        items.iter().map(|it| ProblemItem::decode(it.body.as_slice()).unwrap()).collect()
    }

    fn acknowledged_state(inventory: Inventory) -> State {
        let mut state = State::new("agent".into(), u64::MAX);
        state.begin(inventory);
        state.acknowledge();
        state
    }

    #[test]
    fn an_unchanged_contact_with_twelve_sections_has_at_most_500_bytes() {
        let kinds = (1..=12).map(|it| SectionKind::try_from(it).unwrap());
        let inventory: Inventory =
            kinds.map(|kind| (kind, Section::new(kind, vec![item("a"), item("b")]))).collect();
        let mut state = acknowledged_state(inventory.clone());
        let pending = state.begin(inventory).clone();
        let stamp = Stamp {
            collected_at: 1_795_269_789_000_000,
            agent_version: "10.20.30-rc.1".into(),
            boot_id: vec![7; 16],
        };
        let contact = request(&state, &pending, &stamp, &Whole::None);
        assert_eq!((contact.digests.len(), contact.changes.len()), (12, 0));
        assert!(contact.encoded_len() <= 500, "{} bytes", contact.encoded_len());
    }

    #[test]
    fn free_space_inside_the_band_is_no_change() {
        let claim = Claim::default();
        let first =
            assemble(&found([(SectionKind::Volumes, volume(1000, 500))]), &claim, &Inventory::default());
        let later = assemble(&found([(SectionKind::Volumes, volume(1000, 470))]), &claim, &first);
        assert_eq!(later.digest(), first.digest());
        let fuller = assemble(&found([(SectionKind::Volumes, volume(1000, 400))]), &claim, &first);
        assert_ne!(fuller.digest(), first.digest());
    }

    #[test]
    fn a_section_that_failed_keeps_what_was_acknowledged_and_the_problem_tells() {
        let disks = vec![item("sda")];
        let first =
            assemble(&found([(SectionKind::Storage, disks)]), &Claim::default(), &Inventory::default());
        let trouble = |kind| Findings {
            problems: vec![problem(SectionKind::Storage, kind, "/sys/block", "no".into())],
            ..Findings::default()
        };
        let failed = assemble(&trouble(ProblemKind::Unreadable), &Claim::default(), &first);
        assert_eq!(failed.section(SectionKind::Storage), first.section(SectionKind::Storage));
        assert_eq!(problems_of(&failed)[0].source, "/sys/block");
        let absent = assemble(&trouble(ProblemKind::Absent), &Claim::default(), &first);
        assert!(absent.section(SectionKind::Storage).unwrap().items().is_empty());
    }

    #[test]
    fn too_many_items_are_cut_and_the_cut_is_told() {
        let displays = (0..=SECTION_ITEMS_MAX).map(|n| item(&format!("{n}"))).collect();
        let inventory =
            assemble(&found([(SectionKind::Displays, displays)]), &Claim::default(), &Inventory::default());
        assert_eq!(inventory.section(SectionKind::Displays).unwrap().items().len(), SECTION_ITEMS_MAX);
        let told = &problems_of(&inventory)[0];
        assert_eq!((told.section(), told.kind()), (SectionKind::Displays, ProblemKind::Cut));
        assert!(told.reason.starts_with("1 of 513 items"), "{}", told.reason);
    }

    #[test]
    fn a_report_never_outgrows_the_wire() {
        let big = |n| Item { key: format!("{n}"), body: vec![0; ITEM_BODY_BYTES_MAX] };
        let software = (0..SOFTWARE_ITEMS_MAX).map(big).collect();
        let inventory =
            assemble(&found([(SectionKind::Software, software)]), &Claim::default(), &Inventory::default());
        let mut state = State::new("agent".into(), 1);
        let pending = state.begin(inventory).clone();
        let contact = request(&state, &pending, &Stamp::default(), &Whole::All);
        assert!(contact.encoded_len() <= CONTACT_BYTES_MAX, "{} bytes", contact.encoded_len());
        assert_eq!(problems_of(&pending.inventory)[0].kind(), ProblemKind::Cut);
    }

    #[test]
    fn a_refused_tag_is_reported_with_its_reason() {
        let claim = claim(None, "", Some("To Be Filled By O.E.M."));
        assert!(matches!(claim.refused.as_slice(), [Refused { source: TagSource::Firmware, .. }]));
        let inventory = assemble(&Findings::default(), &claim, &Inventory::default());
        assert!(inventory.section(SectionKind::AssetTag).unwrap().items().is_empty());
        let told = &problems_of(&inventory)[0];
        assert_eq!((told.section(), told.kind()), (SectionKind::AssetTag, ProblemKind::Refused));
        assert!(told.reason.contains("factory placeholder"), "{}", told.reason);
    }

    #[test]
    fn two_problems_of_one_source_are_two_items() {
        let twice = vec![problem(SectionKind::Cpu, ProblemKind::Malformed, "cpuinfo", "é".repeat(300)); 2];
        let items = problem_items(twice);
        assert_eq!(items.len(), 2);
        assert_ne!(items[0].key, items[1].key);
        assert_eq!(ProblemItem::decode(items[0].body.as_slice()).unwrap().reason.len(), 256);
    }

    #[test]
    fn sections_asked_for_are_sent_whole_even_when_nothing_changed() {
        let inventory =
            Inventory::new([(SectionKind::Cpu, vec![item("cpu0")]), (SectionKind::Os, vec![item("os")])]);
        let mut state = acknowledged_state(inventory.clone());
        let pending = state.begin(inventory).clone();
        let asked = Whole::Some(BTreeSet::from([SectionKind::Cpu]));
        let contact = request(&state, &pending, &Stamp::default(), &asked);
        assert_eq!(contact.changes.len(), 1);
        assert_eq!((contact.changes[0].kind(), contact.changes[0].base_digest.len()), (SectionKind::Cpu, 0));
    }
}
