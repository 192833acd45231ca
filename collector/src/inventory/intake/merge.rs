//! A change merged into the stored section. Pure.

use std::collections::BTreeMap;

use parc_wire::digest::Digest;
use parc_wire::v1::SectionKind;

use super::super::content::{Installed, Section, key_hash};
use super::prepare::{PreparedChange, PreparedItems, items_max};
use crate::software::{NewTitle, TitleId};

/// What merging led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Merged {
    /// The section as declared.
    Section(Section),
    /// The delta does not lead to the declared digest: the section must come whole.
    NeedFull,
    /// The report contradicts itself or a limit.
    Invalid(String),
}

/// Merges; new titles are added to `titles`.
pub(in super::super) fn merge(
    kind: SectionKind,
    stored: Option<&Section>,
    change: &PreparedChange,
    declared: &Digest,
    titles: &mut BTreeMap<TitleId, NewTitle>,
) -> Merged {
    let base = if change.base.is_some() { stored.cloned() } else { None };
    let mut section = base.unwrap_or_else(|| Section::empty(kind));
    if !drop_items(&mut section, &change.drop) {
        return Merged::NeedFull;
    }
    if !put_items(&mut section, &change.put, titles) {
        return Merged::Invalid(format!("changes of {} names an item twice", kind.as_str_name()));
    }
    if section.len() > items_max(kind) {
        return Merged::Invalid(format!(
            "{} would have more than {} items",
            kind.as_str_name(),
            items_max(kind)
        ));
    }
    if section.digest(kind) == *declared {
        Merged::Section(section)
    } else if change.base.is_some() {
        Merged::NeedFull
    } else {
        Merged::Invalid(format!("the items of {} do not have the declared digest", kind.as_str_name()))
    }
}

fn drop_items(section: &mut Section, keys: &[String]) -> bool {
    keys.iter().all(|key| match section {
        Section::Items(items) => items.remove(key).is_some(),
        Section::Software(items) => items.remove(&key_hash(key)).is_some(),
    })
}

/// False when two items of one change share a key hash.
fn put_items(section: &mut Section, put: &PreparedItems, titles: &mut BTreeMap<TitleId, NewTitle>) -> bool {
    match (section, put) {
        (Section::Items(items), PreparedItems::Items(put)) => {
            items.extend(put.iter().cloned());
            true
        }
        (Section::Software(items), PreparedItems::Software(put)) => {
            let mut hashes: Vec<i64> = put.iter().map(|(mark, _)| mark.key_hash).collect();
            hashes.sort_unstable();
            if hashes.windows(2).any(|it| it[0] == it[1]) {
                return false;
            }
            for (mark, title) in put {
                let id = title.as_ref().map(|title| {
                    let id = title.id();
                    titles.entry(id).or_insert_with(|| NewTitle { title: title.clone(), mark: *mark });
                    id
                });
                items.insert(mark.key_hash, Installed { raw_id: mark.raw_id, title: id });
            }
            true
        }
        (Section::Items(_), PreparedItems::Software(_)) | (Section::Software(_), PreparedItems::Items(_)) => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use parc_wire::digest;
    use parc_wire::v1;

    use super::*;
    use crate::inventory::intake::prepare::prepare;
    use crate::inventory::testing::{Report, cpu, software};
    use crate::kernel::time::UtcMicros;

    const NOW: UtcMicros = UtcMicros(1_790_000_000_000_000);

    fn prepared(
        kind: SectionKind,
        base: Option<Digest>,
        put: Vec<v1::Item>,
        drop: &[&str],
    ) -> PreparedChange {
        let drop = drop.iter().map(|it| (*it).to_owned()).collect();
        let request = Report::new(1, 1).delta(kind, base.unwrap_or_default(), [9; 16], put, drop).request();
        let mut change = prepare(&request, NOW).expect("prepared").changes.remove(&kind).expect("change");
        change.base = base;
        change
    }

    fn digest_of(kind: SectionKind, items: &[v1::Item]) -> Digest {
        digest::section_digest(kind, items.iter().map(|it| digest::item_id(kind, it)))
    }

    fn section(kind: SectionKind, items: &[v1::Item]) -> Section {
        let change = prepared(kind, None, items.to_vec(), &[]);
        match merge(kind, None, &change, &digest_of(kind, items), &mut BTreeMap::new()) {
            Merged::Section(section) => section,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_delta_leads_to_the_declared_section() {
        for kind in [SectionKind::Cpu, SectionKind::Software] {
            let make = |key: &str, text: &str| {
                if kind == SectionKind::Cpu { cpu(key, text) } else { software(key, text, "1") }
            };
            let before = [make("a", "x"), make("b", "y")];
            let after = [make("b", "z"), make("c", "w")];
            let stored = section(kind, &before);
            let change = prepared(kind, Some(digest_of(kind, &before)), after.to_vec(), &["a"]);
            let merged = merge(kind, Some(&stored), &change, &digest_of(kind, &after), &mut BTreeMap::new());
            assert_eq!(merged, Merged::Section(section(kind, &after)));
        }
    }

    #[test]
    fn a_delta_that_leads_elsewhere_asks_for_the_whole() {
        let stored = section(SectionKind::Cpu, &[cpu("a", "x")]);
        let base = Some(digest_of(SectionKind::Cpu, &[cpu("a", "x")]));
        let missing = prepared(SectionKind::Cpu, base, vec![], &["zz"]);
        assert_eq!(
            merge(SectionKind::Cpu, Some(&stored), &missing, &[9; 16], &mut BTreeMap::new()),
            Merged::NeedFull
        );
        let other = prepared(SectionKind::Cpu, base, vec![cpu("b", "y")], &[]);
        assert_eq!(
            merge(SectionKind::Cpu, Some(&stored), &other, &[9; 16], &mut BTreeMap::new()),
            Merged::NeedFull
        );
    }

    #[test]
    fn a_whole_section_with_another_digest_is_invalid() {
        let change = prepared(SectionKind::Cpu, None, vec![cpu("b", "y")], &[]);
        assert!(matches!(
            merge(SectionKind::Cpu, None, &change, &[9; 16], &mut BTreeMap::new()),
            Merged::Invalid(_)
        ));
    }

    #[test]
    fn one_title_under_two_keys_is_one_title() {
        let items = [software("k1", "7-Zip", "24.08"), software("k2", "7-Zip", "24.08")];
        let section = section(SectionKind::Software, &items);
        assert_eq!((section.len(), section.titles().len()), (2, 1));
    }
}
