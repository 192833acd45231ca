//! What changed between two states of a section, and how people read it. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use parc_wire::v1::{self, SectionKind};
use serde_json::{Map, Value};

use super::intake::shown_key;
use super::items::{Body, section_code};
use super::machine::{Change, Operation};
use crate::kernel::time::UtcMicros;
use crate::software::InstalledTitle;

/// Characters of one side of a change as shown.
const SHOWN_CHARS_MAX: usize = 240;

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

/// A change as people read it.
pub(super) fn render(at: UtcMicros, change: &ItemChange) -> Change {
    let (before, after) = match change.operation {
        Operation::Added => (String::new(), summary(change.kind, &change.after)),
        Operation::Removed => (summary(change.kind, &change.before), String::new()),
        Operation::Changed => {
            (fields_text(change.kind, &change.before), fields_text(change.kind, &change.after))
        }
    };
    Change {
        at,
        section: section_code(change.kind).to_owned(),
        item: change.label.clone(),
        operation: change.operation,
        before,
        after,
    }
}

/// A whole item in a few words.
fn summary(kind: SectionKind, fields: &Map<String, Value>) -> String {
    let shown: &[&str] = match kind {
        SectionKind::Memory => &["size_mib", "kind", "speed_mts", "manufacturer", "part_number"],
        SectionKind::Storage => &["size_mib", "kind", "model", "serial"],
        SectionKind::Volumes => &["size_mib", "filesystem", "device", "encryption"],
        SectionKind::Network => &["kind", "mac", "driver"],
        SectionKind::Displays => &["manufacturer", "model", "serial"],
        SectionKind::Cpu => &["manufacturer", "model"],
        SectionKind::Os => &["name", "version", "kernel"],
        SectionKind::Software => &["version", "architecture"],
        SectionKind::Problems => &["reason"],
        SectionKind::System => &["manufacturer", "product", "serial"],
        SectionKind::Firmware => &["vendor", "version", "released"],
        SectionKind::AssetTag => &["tag"],
        SectionKind::Unspecified => &[],
    };
    if kind == SectionKind::Memory && fields.get("empty") == Some(&Value::Bool(true)) {
        return "empty".to_owned();
    }
    let words = shown.iter().filter_map(|field| Some(value_text(field, fields.get(*field)?)));
    cut(&words.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" "))
}

/// Differing fields by name; the version of a title alone.
fn fields_text(kind: SectionKind, fields: &Map<String, Value>) -> String {
    if let (SectionKind::Software | SectionKind::AssetTag, 1) = (kind, fields.len()) {
        return cut(&fields.iter().map(|(field, value)| value_text(field, value)).collect::<String>());
    }
    let texts = fields.iter().map(|(field, value)| match value {
        Value::String(text) => format!("{field} {text}"),
        Value::Null => format!("{field} -"),
        _ if field.ends_with("_us") || field == "encryption" => {
            format!("{field} {}", value_text(field, value))
        }
        other => format!("{field} {other}"),
    });
    cut(&texts.collect::<Vec<_>>().join(", "))
}

fn value_text(field: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) if field.ends_with("_mib") => format!("{number} MiB"),
        Value::Number(number) if field.ends_with("_mts") => format!("{number} MT/s"),
        Value::Number(number) if field.ends_with("_us") => UtcMicros(number.as_i64().unwrap_or(0)).rfc3339(),
        Value::Number(number) if field == "encryption" => encryption(number.as_i64()).to_owned(),
        other => other.to_string(),
    }
}

fn encryption(number: Option<i64>) -> &'static str {
    let known = number.and_then(|it| i32::try_from(it).ok()).and_then(|it| v1::Encryption::try_from(it).ok());
    match known {
        Some(v1::Encryption::None) => "not encrypted",
        Some(v1::Encryption::Luks) => "LUKS",
        Some(v1::Encryption::Bitlocker) => "BitLocker",
        Some(v1::Encryption::Filevault) => "FileVault",
        Some(v1::Encryption::Other) => "encrypted",
        Some(v1::Encryption::Unknown) | None => "encryption unknown",
    }
}

fn cut(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
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
        let shown: Vec<Change> =
            diff_software(removed, added).iter().map(|it| render(UtcMicros(1), it)).collect();
        let lines: Vec<(&str, Operation, &str, &str)> = shown
            .iter()
            .map(|it| (it.item.as_str(), it.operation, it.before.as_str(), it.after.as_str()))
            .collect();
        assert_eq!(
            lines,
            [
                ("7-Zip", Operation::Changed, "24.07", "24.08"),
                ("gone", Operation::Removed, "1", ""),
                ("new", Operation::Added, "", "2"),
            ]
        );
    }

    #[test]
    fn only_the_fields_that_differ_are_shown() {
        let old = BTreeMap::from([("a".to_owned(), memory(4096, 3200))]);
        let new = BTreeMap::from([("a".to_owned(), memory(8192, 3200)), ("b".to_owned(), memory(16384, 0))]);
        let shown: Vec<Change> =
            diff(SectionKind::Memory, &old, &new).iter().map(|it| render(UtcMicros(1), it)).collect();
        assert_eq!((shown[0].before.as_str(), shown[0].after.as_str()), ("size_mib 4096", "size_mib 8192"));
        assert_eq!((shown[1].item.as_str(), shown[1].after.as_str()), ("DIMM A", "16384 MiB DDR4"));
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
