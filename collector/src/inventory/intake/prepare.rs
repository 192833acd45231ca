//! A report checked against the limits and cleaned, before it meets what is stored. Pure, and done by the
//! call that brought the report, so that the one applier only merges and writes.

use std::collections::{BTreeMap, BTreeSet};

use parc_wire::digest::{self, Digest};
use parc_wire::limits::{ITEM_BODY_BYTES_MAX, ITEM_KEY_BYTES_MAX, SECTION_ITEMS_MAX, SOFTWARE_ITEMS_MAX};
use parc_wire::v1::{self, SectionKind};

use super::super::content::{Kept, key_hash};
use super::super::items::{Body, Tidy, known_kind, plausible};
use crate::kernel::text;
use crate::kernel::time::UtcMicros;
use crate::software::{InstalledTitle, Mark};

/// Sections of one report: today's dozen, and room for those of the next years.
const SECTIONS_MAX: usize = 64;
/// Bad values named in one answer; more are counted only.
const SET_ASIDE_MAX: usize = 50;
/// Characters of an item's key in an answer or a history.
const SHOWN_KEY_CHARS: usize = 128;

/// A report that keeps the limits, its values cleaned.
#[derive(Clone, Debug)]
pub(in super::super) struct Prepared {
    pub epoch: i64,
    pub seq: i64,
    pub report_id: Digest,
    pub collected_at: UtcMicros,
    /// Declared digests of the sections this collector knows.
    pub digests: BTreeMap<SectionKind, Digest>,
    /// Digest over [`Self::digests`].
    pub state_digest: Digest,
    pub changes: BTreeMap<SectionKind, PreparedChange>,
    pub set_aside: SetAsideList,
}

/// What is new in one section.
#[derive(Clone, Debug)]
pub(in super::super) struct PreparedChange {
    /// Nothing: `put` is the whole section.
    pub base: Option<Digest>,
    pub put: PreparedItems,
    pub drop: Vec<String>,
}

/// Items of a change.
#[derive(Clone, Debug)]
pub(in super::super) enum PreparedItems {
    Items(Vec<(String, Kept)>),
    /// Nothing for the title of an item that is set aside.
    Software(Vec<(Mark, Option<InstalledTitle>)>),
}

/// Values that were left out or cut: the first fifty by name, all by number.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct SetAsideList {
    pub named: Vec<v1::SetAside>,
    pub count: usize,
}

impl SetAsideList {
    fn note(&mut self, kind: SectionKind, key: &str, field: &str, reason: &str) {
        self.count += 1;
        if self.named.len() < SET_ASIDE_MAX {
            self.named.push(v1::SetAside {
                section: kind as i32,
                item_key: shown_key(key),
                field: field.to_owned(),
                reason: reason.to_owned(),
            });
        }
    }
}

/// An item's key for people and histories.
pub(in super::super) fn shown_key(key: &str) -> String {
    text::cleaned(key, false).chars().take(SHOWN_KEY_CHARS).collect()
}

/// Checks and cleans; the error names field and limit and means that the same report is never accepted.
pub(in super::super) fn prepare(request: &v1::ContactRequest, now: UtcMicros) -> Result<Prepared, String> {
    let declared = declared_digests(&request.digests)?;
    let epoch = request.epoch.cast_signed();
    let seq = i64::try_from(request.seq).map_err(|_| "seq exceeds 9223372036854775807".to_owned())?;
    let expected =
        digest::report_id(request.epoch, request.seq, declared.iter().map(|(kind, it)| (*kind, *it)));
    if request.report_id != expected {
        return Err("report_id is not the digest of epoch, seq and digests".to_owned());
    }
    let digests: BTreeMap<SectionKind, Digest> =
        declared.iter().filter_map(|(kind, it)| Some((known_kind(*kind)?, *it))).collect();
    let mut set_aside = SetAsideList::default();
    let changes = prepare_changes(&request.changes, &declared, now, &mut set_aside)?;
    let mut collected_at = UtcMicros(request.collected_at_us);
    if !plausible(collected_at, now) {
        collected_at = now;
        set_aside.note(
            SectionKind::Unspecified,
            "",
            "collected_at_us",
            "is implausible; the collector's time is kept",
        );
    }
    let state_digest = digest::state_digest(digests.iter().map(|(kind, it)| (*kind as i32, *it)));
    Ok(Prepared { epoch, seq, report_id: expected, collected_at, digests, state_digest, changes, set_aside })
}

fn declared_digests(list: &[v1::SectionDigest]) -> Result<BTreeMap<i32, Digest>, String> {
    if list.len() > SECTIONS_MAX {
        return Err(format!("digests has more than {SECTIONS_MAX} entries"));
    }
    let mut declared = BTreeMap::new();
    for entry in list {
        let digest: Digest =
            entry.digest.as_slice().try_into().map_err(|_| "digests.digest must have 16 bytes".to_owned())?;
        if entry.kind <= 0 {
            return Err("digests.kind is not a section".to_owned());
        }
        if declared.insert(entry.kind, digest).is_some() {
            return Err(format!("digests names section {} twice", entry.kind));
        }
    }
    Ok(declared)
}

fn prepare_changes(
    list: &[v1::SectionChange],
    declared: &BTreeMap<i32, Digest>,
    now: UtcMicros,
    set_aside: &mut SetAsideList,
) -> Result<BTreeMap<SectionKind, PreparedChange>, String> {
    let mut seen = BTreeSet::new();
    let mut changes = BTreeMap::new();
    for change in list {
        if !declared.contains_key(&change.kind) {
            return Err(format!("changes has section {} but digests has not", change.kind));
        }
        if !seen.insert(change.kind) {
            return Err(format!("changes names section {} twice", change.kind));
        }
        // A newer agent's section: left alone until a newer collector asks for it whole.
        let Some(kind) = known_kind(change.kind) else {
            continue;
        };
        let base = match change.base_digest.as_slice() {
            [] => None,
            bytes => {
                Some(bytes.try_into().map_err(|_| "changes.base_digest must have 0 or 16 bytes".to_owned())?)
            }
        };
        check_keys(kind, change, base.is_some())?;
        let put = clean_items(kind, &change.put, now, set_aside);
        changes.insert(kind, PreparedChange { base, put, drop: change.drop.clone() });
    }
    Ok(changes)
}

/// Items a section may hold.
pub(in super::super) fn items_max(kind: SectionKind) -> usize {
    if kind == SectionKind::Software { SOFTWARE_ITEMS_MAX } else { SECTION_ITEMS_MAX }
}

fn check_keys(kind: SectionKind, change: &v1::SectionChange, delta: bool) -> Result<(), String> {
    let section = kind.as_str_name();
    let max = items_max(kind);
    for (field, count) in [("put", change.put.len()), ("drop", change.drop.len())] {
        if count > max {
            return Err(format!("changes.{field} of {section} has more than {max} items"));
        }
    }
    if !delta && !change.drop.is_empty() {
        return Err(format!("changes.drop of {section} needs a base_digest"));
    }
    let mut keys = BTreeSet::new();
    for key in change.put.iter().map(|it| it.key.as_str()).chain(change.drop.iter().map(String::as_str)) {
        if key.is_empty() || key.len() > ITEM_KEY_BYTES_MAX {
            return Err(format!("an item key of {section} must have 1 to {ITEM_KEY_BYTES_MAX} bytes"));
        }
        if !keys.insert(key) {
            return Err(format!("changes of {section} names an item twice"));
        }
    }
    if change.put.iter().any(|it| it.body.len() > ITEM_BODY_BYTES_MAX) {
        return Err(format!("an item body of {section} has more than {ITEM_BODY_BYTES_MAX} bytes"));
    }
    Ok(())
}

fn clean_items(
    kind: SectionKind,
    put: &[v1::Item],
    now: UtcMicros,
    aside: &mut SetAsideList,
) -> PreparedItems {
    if kind == SectionKind::Software {
        let titles = put.iter().map(|item| {
            let mark = Mark { raw_id: digest::item_id(kind, item), key_hash: key_hash(&item.key) };
            (mark, clean_title(item, now, aside))
        });
        return PreparedItems::Software(titles.collect());
    }
    let items = put.iter().map(|item| {
        let raw_id = digest::item_id(kind, item);
        let body = clean_body(kind, item, now, aside).map(|it| it.encode());
        (item.key.clone(), Kept { raw_id, body })
    });
    PreparedItems::Items(items.collect())
}

fn clean_title(item: &v1::Item, now: UtcMicros, aside: &mut SetAsideList) -> Option<InstalledTitle> {
    let Body::Software(title) = clean_body(SectionKind::Software, item, now, aside)? else {
        return None;
    };
    if title.name.trim().is_empty() {
        aside.note(SectionKind::Software, &item.key, "name", "is empty; the item is set aside");
        return None;
    }
    let v1::SoftwareItem { name, version, publisher, architecture, source } = title;
    Some(InstalledTitle { name, version, publisher, architecture, source })
}

fn clean_body(kind: SectionKind, item: &v1::Item, now: UtcMicros, aside: &mut SetAsideList) -> Option<Body> {
    let Some(mut body) = Body::decode(kind, &item.body) else {
        aside.note(kind, &item.key, "body", "cannot be decoded; the item is set aside");
        return None;
    };
    let mut tidy = Tidy::new(now);
    body.tidy(&mut tidy);
    for (field, reason) in tidy.notes {
        aside.note(kind, &item.key, field, reason);
    }
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::testing::{Report, cpu, software};

    const NOW: UtcMicros = UtcMicros(1_790_000_000_000_000);

    fn refused(change: impl FnOnce(&mut v1::ContactRequest)) -> String {
        let mut request = Report::new(1, 1).full(SectionKind::Cpu, vec![cpu("cpu0", "Xeon")]).request();
        change(&mut request);
        prepare(&request, NOW).expect_err("refused")
    }

    #[test]
    fn each_refusal_names_the_field_and_the_limit() {
        assert!(refused(|it| it.report_id = vec![0; 16]).contains("report_id"));
        assert!(refused(|it| it.digests[0].digest = vec![1]).contains("16 bytes"));
        assert!(refused(|it| it.digests.push(it.digests[0].clone())).contains("twice"));
        assert!(refused(|it| it.changes.push(it.changes[0].clone())).contains("twice"));
        assert!(refused(|it| it.changes[0].base_digest = vec![1, 2]).contains("base_digest"));
        assert!(refused(|it| it.changes[0].drop = vec!["cpu1".into()]).contains("base_digest"));
        assert!(refused(|it| it.changes[0].kind = 5).contains("digests has not"));
        assert!(refused(|it| it.changes[0].put[0].key = "k".repeat(257)).contains("256"));
        assert!(refused(|it| it.changes[0].put[0].body = vec![0; 16 * 1024 + 1]).contains("16384"));
        assert!(refused(|it| it.changes[0].put = vec![it.changes[0].put[0].clone(); 513]).contains("512"));
    }

    #[test]
    fn the_largest_section_allowed_is_allowed() {
        let items = (0..SECTION_ITEMS_MAX).map(|n| cpu(&format!("cpu{n}"), "Xeon")).collect();
        let request = Report::new(1, 1).full(SectionKind::Cpu, items).request();
        assert!(prepare(&request, NOW).is_ok());
    }

    #[test]
    fn an_undecodable_item_is_set_aside_and_the_rest_kept() {
        let broken = v1::Item { key: "cpu1".into(), body: vec![0xFF, 0xFF] };
        let request = Report::new(1, 1).full(SectionKind::Cpu, vec![cpu("cpu0", "Xeon"), broken]).request();
        let prepared = prepare(&request, NOW).expect("prepared");
        assert_eq!(prepared.set_aside.count, 1);
        assert_eq!(prepared.set_aside.named[0].item_key, "cpu1");
        let PreparedItems::Items(items) = &prepared.changes[&SectionKind::Cpu].put else { panic!("items") };
        assert_eq!(items.iter().filter(|(_, it)| it.body.is_some()).count(), 1);
    }

    #[test]
    fn fifty_bad_values_are_named_and_all_are_counted() {
        let titles = (0..80).map(|n| software(&format!("k{n}"), "bad\u{7}name", "1")).collect();
        let request = Report::new(1, 1).full(SectionKind::Software, titles).request();
        let prepared = prepare(&request, NOW).expect("prepared");
        assert_eq!((prepared.set_aside.named.len(), prepared.set_aside.count), (SET_ASIDE_MAX, 80));
    }

    #[test]
    fn an_implausible_clock_is_replaced_and_said() {
        let mut request = Report::new(1, 1).full(SectionKind::Cpu, vec![cpu("cpu0", "Xeon")]).request();
        request.collected_at_us = 5;
        let prepared = prepare(&request, NOW).expect("prepared");
        assert_eq!(prepared.collected_at, NOW);
        assert_eq!(prepared.set_aside.named[0].field, "collected_at_us");
    }

    #[test]
    fn a_section_of_a_newer_agent_is_left_alone() {
        let mut request = Report::new(1, 1).full(SectionKind::Cpu, vec![cpu("cpu0", "Xeon")]).request();
        request.digests.push(v1::SectionDigest { kind: 13, digest: vec![3; 16] });
        let all = request.digests.iter().map(|it| (it.kind, it.digest.as_slice().try_into().expect("16")));
        request.report_id = digest::report_id(1, 1, all).to_vec();
        let prepared = prepare(&request, NOW).expect("prepared");
        assert_eq!(prepared.digests.len(), 1);
    }
}
