//! The difference between two states of a section, item by item. Pure.

use std::cmp::Ordering;

use parc_wire::v1::{Item, SectionChange, SectionKind};
use prost::Message;

use crate::inventory::Section;

/// What has to be sent so that a collector that holds `base` comes to hold `target`; `None` when both
/// are the same. Whole when there is no base, or when the difference would be longer.
pub fn change(kind: SectionKind, base: Option<&Section>, target: &Section) -> Option<SectionChange> {
    let Some(base) = base else {
        return Some(whole(kind, target));
    };
    if base.digest() == target.digest() {
        return None;
    }
    let difference = difference(kind, base, target);
    let whole = whole(kind, target);
    Some(if difference.encoded_len() < whole.encoded_len() { difference } else { whole })
}

/// The section as it is, whatever the collector holds.
pub fn whole(kind: SectionKind, target: &Section) -> SectionChange {
    SectionChange {
        kind: kind.into(),
        base_digest: Vec::new(),
        put: target.items().to_vec(),
        drop: Vec::new(),
    }
}

/// Walks both sorted lists side by side.
fn difference(kind: SectionKind, base: &Section, target: &Section) -> SectionChange {
    let (mut put, mut drop): (Vec<Item>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut old, mut new) = (base.items().iter().peekable(), target.items().iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some(old), Some(new)) => old.key.cmp(&new.key),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let gone = if order == Ordering::Greater { None } else { old.next() };
        let come = if order == Ordering::Less { None } else { new.next() };
        match (gone, come) {
            (Some(gone), None) => drop.push(gone.key.clone()),
            (gone, Some(come)) if gone != Some(come) => put.push(come.clone()),
            _ => {}
        }
    }
    SectionChange { kind: kind.into(), base_digest: base.digest().to_vec(), put, drop }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const KIND: SectionKind = SectionKind::Software;

    /// What a collector does with a change.
    pub(crate) fn apply(kind: SectionKind, base: Option<&Section>, change: &SectionChange) -> Section {
        let from = if change.base_digest.is_empty() { &[] } else { base.unwrap().items() };
        let mut items: BTreeMap<String, Item> = from.iter().map(|it| (it.key.clone(), it.clone())).collect();
        for key in &change.drop {
            assert!(items.remove(key).is_some(), "{key} is dropped but was not there");
        }
        items.extend(change.put.iter().map(|it| (it.key.clone(), it.clone())));
        Section::new(kind, items.into_values().collect())
    }

    fn section(items: impl IntoIterator<Item = (String, Vec<u8>)>) -> Section {
        Section::new(KIND, items.into_iter().map(|(key, body)| Item { key, body }).collect())
    }

    fn packages(count: usize) -> BTreeMap<String, Vec<u8>> {
        (0..count).map(|n| (format!("package-{n:04}"), vec![1; 40])).collect()
    }

    #[test]
    fn an_equal_section_needs_no_change() {
        let base = section(packages(10));
        assert_eq!(change(KIND, Some(&base), &base.clone()), None);
    }

    #[test]
    fn one_changed_package_of_a_thousand_costs_one_item() {
        let base = section(packages(1000));
        let mut changed = packages(1000);
        changed.insert("package-0500".into(), vec![2; 40]);
        changed.remove("package-0700");
        let change = change(KIND, Some(&base), &section(changed)).unwrap();
        assert_eq!((change.put.len(), change.drop.as_slice()), (1, ["package-0700".to_owned()].as_slice()));
        assert!(change.encoded_len() < 150, "{} bytes", change.encoded_len());
    }

    #[test]
    fn without_a_base_or_with_nothing_in_common_the_section_is_whole() {
        let target = section(packages(3));
        assert_eq!(change(KIND, None, &target), Some(whole(KIND, &target)));
        let other = section([("something else".to_owned(), vec![9; 40])]);
        assert_eq!(change(KIND, Some(&other), &target), Some(whole(KIND, &target)));
    }

    proptest! {
        #[test]
        fn applying_the_change_to_the_base_gives_the_target(
            base in prop::collection::btree_map("[a-f]{1,2}", prop::collection::vec(any::<u8>(), 0..4), 0..30),
            target in prop::collection::btree_map("[a-f]{1,2}", prop::collection::vec(any::<u8>(), 0..4), 0..30),
        ) {
            let (base, target) = (section(base), section(target));
            match change(KIND, Some(&base), &target) {
                None => prop_assert_eq!(base.digest(), target.digest()),
                Some(change) => prop_assert_eq!(apply(KIND, Some(&base), &change).digest(), target.digest()),
            }
            let whole = change(KIND, None, &target).unwrap();
            prop_assert_eq!(apply(KIND, None, &whole).digest(), target.digest());
        }
    }
}
