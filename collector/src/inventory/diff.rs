//! What changed between two states of a section. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use parc_wire::v1::{self, SectionKind};
use serde_json::{Map, Value};

use super::intake::shown_key;
use super::items::Body;
use super::machine::Operation;
use crate::software::InstalledTitle;

/// One change, before it is written or shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ItemChange {
    pub kind: SectionKind,
    /// The item's key, cleaned.
    pub key: String,
    /// What people call the item.
    pub label: String,
    pub operation: Operation,
    /// All fields of a removed item; of a changed one those that differ, null where it was empty.
    pub before: Map<String, Value>,
    /// All fields of an added item; of a changed one those that differ, null where it is empty.
    pub after: Map<String, Value>,
}

/// Differences of an ordinary section.
pub(super) fn diff(
    kind: SectionKind,
    old: &BTreeMap<String, Body>,
    new: &BTreeMap<String, Body>,
) -> Vec<ItemChange> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter_map(|key| diff_item(kind, key, old.get(key), new.get(key))).collect()
}

fn diff_item(kind: SectionKind, key: &str, old: Option<&Body>, new: Option<&Body>) -> Option<ItemChange> {
    let mut before = old.map(Body::fields).unwrap_or_default();
    let mut after = new.map(Body::fields).unwrap_or_default();
    let operation = match (old, new) {
        (Some(_), Some(_)) => {
            keep_differences(&mut before, &mut after);
            Operation::Changed
        }
        (None, Some(_)) => Operation::Added,
        (Some(_), None) => Operation::Removed,
        (None, None) => return None,
    };
    if operation == Operation::Changed && before.is_empty() {
        return None;
    }
    let label = label(kind, key, new.or(old)?);
    Some(ItemChange { kind, key: shown_key(key), label, operation, before, after })
}

fn keep_differences(before: &mut Map<String, Value>, after: &mut Map<String, Value>) {
    let fields: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
    for field in fields {
        if before.get(&field) == after.get(&field) {
            before.remove(&field);
            after.remove(&field);
        } else {
            before.entry(field.clone()).or_insert(Value::Null);
            after.entry(field).or_insert(Value::Null);
        }
    }
}

/// Differences of a software section. A title that goes while another of the same source, name and
/// architecture comes is one change of version.
pub(super) fn diff_software(removed: Vec<InstalledTitle>, added: Vec<InstalledTitle>) -> Vec<ItemChange> {
    let product = |it: &InstalledTitle| (it.name.clone(), it.source.clone(), it.architecture.clone());
    let mut gone: BTreeMap<_, VecDeque<InstalledTitle>> = BTreeMap::new();
    let mut removed = removed;
    removed.sort();
    for title in removed {
        gone.entry(product(&title)).or_default().push_back(title);
    }
    let mut added = added;
    added.sort();
    let mut changes = Vec::new();
    for title in added {
        let before = gone.get_mut(&product(&title)).and_then(VecDeque::pop_front);
        changes.push(software_change(before.as_ref(), Some(&title)));
    }
    changes.extend(gone.values().flatten().map(|title| software_change(Some(title), None)));
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    changes
}

fn software_change(before: Option<&InstalledTitle>, after: Option<&InstalledTitle>) -> ItemChange {
    let title = after.or(before);
    let name = title.map(|it| it.name.clone()).unwrap_or_default();
    let key = title.map(|it| format!("{}/{}/{}", it.source, it.name, it.architecture)).unwrap_or_default();
    let (mut old, mut new) =
        (before.map(title_fields).unwrap_or_default(), after.map(title_fields).unwrap_or_default());
    let operation = match (before, after) {
        (Some(_), Some(_)) => {
            keep_differences(&mut old, &mut new);
            Operation::Changed
        }
        (Some(_), None) => Operation::Removed,
        (None, _) => Operation::Added,
    };
    ItemChange {
        kind: SectionKind::Software,
        key: shown_key(&key),
        label: name,
        operation,
        before: old,
        after: new,
    }
}

fn title_fields(title: &InstalledTitle) -> Map<String, Value> {
    let InstalledTitle { name, version, publisher, architecture, source } = title.clone();
    Body::Software(v1::SoftwareItem { name, version, publisher, architecture, source }).fields()
}

/// What people call an item.
fn label(kind: SectionKind, key: &str, body: &Body) -> String {
    let name = match body {
        Body::Memory(it) => it.slot.as_str(),
        Body::Storage(it) => it.model.as_str(),
        Body::Displays(it) => it.model.as_str(),
        Body::Os(it) => it.name.as_str(),
        Body::Cpu(it) => it.socket.as_str(),
        Body::Problems(it) => it.source.as_str(),
        Body::Software(it) => it.name.as_str(),
        Body::System(_) | Body::Firmware(_) | Body::Volumes(_) | Body::Network(_) | Body::AssetTag(_) => "",
    };
    match (kind, name) {
        (_, "") => shown_key(key),
        (_, name) => name.to_owned(),
    }
}

/// Takes one change back: the items as they were before it.
pub(super) fn undo(items: &mut BTreeMap<String, Body>, change: &ItemChange) {
    let key =
        items.keys().find(|it| shown_key(it) == change.key).cloned().unwrap_or_else(|| change.key.clone());
    match change.operation {
        Operation::Added => drop(items.remove(&key)),
        Operation::Removed => {
            if let Some(body) = Body::from_fields(change.kind, &change.before) {
                items.insert(key, body);
            }
        }
        Operation::Changed => {
            if let Some(body) = items.get_mut(&key) {
                body.read(&change.before);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(name: &str, version: &str) -> InstalledTitle {
        InstalledTitle {
            name: name.into(),
            version: version.into(),
            source: "dpkg".into(),
            ..Default::default()
        }
    }

    fn memory(size_mib: u64, speed_mts: u32) -> Body {
        Body::Memory(v1::MemoryItem {
            size_mib,
            speed_mts,
            slot: "DIMM A".into(),
            kind: "DDR4".into(),
            ..Default::default()
        })
    }

    #[test]
    fn an_upgrade_is_one_change_and_other_titles_come_and_go() {
        let removed = vec![title("7-Zip", "24.07"), title("gone", "1")];
        let added = vec![title("new", "2"), title("7-Zip", "24.08")];
        let changes = diff_software(removed, added);
        let version = |fields: &Map<String, Value>| fields.get("version").cloned().unwrap_or_default();
        let lines: Vec<(&str, Operation, Value, Value)> = changes
            .iter()
            .map(|it| (it.label.as_str(), it.operation, version(&it.before), version(&it.after)))
            .collect();
        assert_eq!(
            lines,
            [
                ("7-Zip", Operation::Changed, "24.07".into(), "24.08".into()),
                ("gone", Operation::Removed, "1".into(), Value::Null),
                ("new", Operation::Added, Value::Null, "2".into()),
            ]
        );
    }

    #[test]
    fn only_the_fields_that_differ_are_kept() {
        let old = BTreeMap::from([("a".to_owned(), memory(4096, 3200))]);
        let new = BTreeMap::from([("a".to_owned(), memory(8192, 3200)), ("b".to_owned(), memory(16384, 0))]);
        let changes = diff(SectionKind::Memory, &old, &new);
        // Sorted here: which order a map keeps depends on what else is built with it.
        let names = |fields: &Map<String, Value>| fields.keys().cloned().collect::<BTreeSet<String>>();
        assert_eq!(
            (names(&changes[0].before), names(&changes[0].after)),
            (BTreeSet::from(["size_mib".into()]), BTreeSet::from(["size_mib".into()]))
        );
        assert_eq!(changes[1].label, "DIMM A");
        assert_eq!(names(&changes[1].after), BTreeSet::from(["kind", "size_mib", "slot"].map(Into::into)));
    }

    #[test]
    fn undoing_the_differences_gives_the_old_state() {
        let old = BTreeMap::from([("a".to_owned(), memory(4096, 3200)), ("b".to_owned(), memory(1, 1))]);
        let new = BTreeMap::from([("a".to_owned(), memory(8192, 0)), ("c".to_owned(), memory(2, 2))]);
        let mut state = new.clone();
        for change in diff(SectionKind::Memory, &old, &new).iter().rev() {
            undo(&mut state, change);
        }
        assert_eq!(state, old);
    }

    #[test]
    fn values_outside_the_history_are_no_change() {
        let volume =
            |free_mib| Body::Volumes(v1::VolumeItem { size_mib: 10, free_mib, ..Default::default() });
        let old = BTreeMap::from([("/".to_owned(), volume(5))]);
        let new = BTreeMap::from([("/".to_owned(), volume(4))]);
        assert!(diff(SectionKind::Volumes, &old, &new).is_empty());
    }
}
