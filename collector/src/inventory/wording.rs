//! A change as programs read it, in short English texts, with the fields from which a page words it in the
//! reader's language. Pure.

use parc_wire::v1::{self, SectionKind};
use serde_json::{Map, Value};

use super::diff::ItemChange;
use super::items::{known_kind, section_code};
use super::machine::{Change, FieldChange, Operation};
use crate::kernel::time::UtcMicros;

/// Characters of one side of a change as shown.
const SHOWN_CHARS_MAX: usize = 240;
/// Fields of a changed item that are named; more say nothing that the first do not.
pub(super) const FIELDS_SHOWN_MAX: usize = 4;
/// Endings of field names and how their unit is written.
const UNITS: [(&str, &str); 6] =
    [("_mib", "MiB"), ("_mts", "MT/s"), ("_mhz", "MHz"), ("_mbps", "Mbit/s"), ("_px", "px"), ("_mm", "mm")];

/// A change as people and programs read it.
pub(super) fn render(at: UtcMicros, change: &ItemChange) -> Change {
    let operation = operation(change);
    let (before, after) = match operation {
        Operation::Changed => {
            (fields_text(change.kind, &change.before), fields_text(change.kind, &change.after))
        }
        Operation::Added | Operation::Removed => {
            (summary(change.kind, &change.before), summary(change.kind, &change.after))
        }
    };
    Change {
        at,
        section: section_code(change.kind).to_owned(),
        item: change.label.clone(),
        operation,
        before,
        after,
        fields: fields(change, operation),
    }
}

/// A slot stays when its module comes or goes; people see the module.
fn operation(change: &ItemChange) -> Operation {
    match (change.kind, change.operation) {
        (SectionKind::Memory, Operation::Changed) if is_empty_slot(&change.before) => Operation::Added,
        (SectionKind::Memory, Operation::Changed) if is_empty_slot(&change.after) => Operation::Removed,
        (_, operation) => operation,
    }
}

fn is_empty_slot(fields: &Map<String, Value>) -> bool {
    fields.get("empty") == Some(&Value::Bool(true))
}

/// What a changed item is told apart by, all of it; of one that came or went what it is recognised by.
fn fields(change: &ItemChange, operation: Operation) -> Vec<FieldChange> {
    let side = |fields: &Map<String, Value>, name: &str| fields.get(name).cloned().unwrap_or_default();
    let names = in_order(change.kind, &change.before, &change.after);
    names
        .into_iter()
        .filter(|name| {
            operation == Operation::Changed || *name == "empty" || telling(change.kind).contains(name)
        })
        .map(|name| FieldChange {
            field: name.to_owned(),
            before: side(&change.before, name),
            after: side(&change.after, name),
        })
        .collect()
}

/// The names of both sides once, the most telling first.
fn in_order<'a>(
    kind: SectionKind,
    before: &'a Map<String, Value>,
    after: &'a Map<String, Value>,
) -> Vec<&'a str> {
    let mut names: Vec<&str> = before.keys().chain(after.keys()).map(String::as_str).collect();
    let place = |name: &str| telling(kind).iter().position(|it| *it == name).unwrap_or(usize::MAX);
    names.sort_by_key(|name| (place(name), *name));
    names.dedup();
    names
}

/// The fields by which people recognise an item, in the order they say them.
fn telling(kind: SectionKind) -> &'static [&'static str] {
    match kind {
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
    }
}

/// A field that needs no name when it is the only one that differs.
pub(super) fn speaks_for_itself(section: &str, field: &str) -> bool {
    matches!(
        (section, field),
        ("memory" | "storage" | "volumes", "size_mib") | ("software", "version") | ("asset_tag", "tag")
    )
}

/// A whole item in a few words.
fn summary(kind: SectionKind, fields: &Map<String, Value>) -> String {
    if kind == SectionKind::Memory && is_empty_slot(fields) {
        return "empty".to_owned();
    }
    let words = telling(kind).iter().filter_map(|field| Some(value_text(kind, field, fields.get(*field)?)));
    cut(&words.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" "))
}

/// Differing fields by name, the first few.
fn fields_text(kind: SectionKind, fields: &Map<String, Value>) -> String {
    let text = |field: &str| match fields.get(field) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(value) => value_text(kind, field, value),
    };
    let none = Map::new();
    let names = in_order(kind, fields, &none);
    if let [only] = names[..]
        && speaks_for_itself(section_code(kind), only)
    {
        return cut(&text(only));
    }
    let mut texts: Vec<String> = names
        .iter()
        .take(FIELDS_SHOWN_MAX)
        .map(|field| format!("{} {}", spoken_name(field), text(field)))
        .collect();
    if names.len() > FIELDS_SHOWN_MAX {
        texts.push("…".to_owned());
    }
    cut(&texts.join(", "))
}

/// A field's name without its unit: `speed_mts` is `speed`.
fn spoken_name(field: &str) -> String {
    let mut endings = UNITS.iter().map(|it| it.0).chain(["_us"]);
    let bare = endings.find_map(|it| field.strip_suffix(it)).unwrap_or(field);
    bare.replace('_', " ")
}

fn value_text(kind: SectionKind, field: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number_text(kind, field, number.as_i64().unwrap_or(0)),
        other => other.to_string(),
    }
}

fn number_text(kind: SectionKind, field: &str, number: i64) -> String {
    if field.ends_with("_us") {
        return UtcMicros(number).rfc3339();
    }
    if let Some(word) = listed(kind, field, number) {
        return word;
    }
    match UNITS.iter().find(|it| field.ends_with(it.0)) {
        Some((_, unit)) => format!("{number} {unit}"),
        None => number.to_string(),
    }
}

/// The word of a number from one of the wire's closed lists; nothing for a number that is just a number.
fn listed(kind: SectionKind, field: &str, number: i64) -> Option<String> {
    let number = i32::try_from(number).ok()?;
    match (kind, field) {
        (SectionKind::Volumes, "encryption") => Some(encryption(number).to_owned()),
        (SectionKind::Problems, "section") => Some(section_code(known_kind(number)?).to_owned()),
        (SectionKind::Problems, "kind") => {
            Some(wire_word(v1::ProblemKind::try_from(number).ok()?.as_str_name(), "PROBLEM_KIND_"))
        }
        (SectionKind::AssetTag, "source") => {
            Some(wire_word(v1::TagSource::try_from(number).ok()?.as_str_name(), "TAG_SOURCE_"))
        }
        _ => None,
    }
}

fn wire_word(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase().replace('_', " ")
}

fn encryption(number: i32) -> &'static str {
    match v1::Encryption::try_from(number) {
        Ok(v1::Encryption::None) => "not encrypted",
        Ok(v1::Encryption::Luks) => "LUKS",
        Ok(v1::Encryption::Bitlocker) => "BitLocker",
        Ok(v1::Encryption::Filevault) => "FileVault",
        Ok(v1::Encryption::Other) => "encrypted",
        Ok(v1::Encryption::Unknown) | Err(_) => "encryption unknown",
    }
}

fn cut(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::inventory::diff::diff;
    use crate::inventory::items::Body;

    /// The one change between two states of an item.
    fn change(kind: SectionKind, old: &Body, new: &Body) -> Change {
        let state = |body: &Body| BTreeMap::from([("key".to_owned(), body.clone())]);
        let changes = diff(kind, &state(old), &state(new));
        assert_eq!(changes.len(), 1, "{changes:?}");
        render(UtcMicros(1), &changes[0])
    }

    fn texts(change: &Change) -> (Operation, &str, &str) {
        (change.operation, &change.before, &change.after)
    }

    fn memory(size_mib: u64, speed_mts: u32) -> v1::MemoryItem {
        v1::MemoryItem {
            size_mib,
            speed_mts,
            slot: "DIMM B".into(),
            kind: "DDR4".into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_size_alone_needs_no_name_and_two_fields_do() {
        let old = Body::Memory(memory(8192, 3200));
        let larger = change(SectionKind::Memory, &old, &Body::Memory(memory(16384, 3200)));
        assert_eq!(texts(&larger), (Operation::Changed, "8192 MiB", "16384 MiB"));
        assert_eq!(
            larger.fields,
            [FieldChange { field: "size_mib".into(), before: json!(8192), after: json!(16384) }]
        );
        let faster = change(SectionKind::Memory, &old, &Body::Memory(memory(16384, 0)));
        assert_eq!(
            texts(&faster),
            (Operation::Changed, "size 8192 MiB, speed 3200 MT/s", "size 16384 MiB, speed -")
        );
    }

    #[test]
    fn a_filled_slot_reads_as_added_and_an_emptied_one_as_removed() {
        let empty = Body::Memory(v1::MemoryItem { slot: "DIMM B".into(), empty: true, ..Default::default() });
        let filled = Body::Memory(v1::MemoryItem { serial: "5300".into(), ..memory(8192, 3200) });
        let added = change(SectionKind::Memory, &empty, &filled);
        assert_eq!(texts(&added), (Operation::Added, "empty", "8192 MiB DDR4 3200 MT/s"));
        assert!(added.fields.iter().all(|it| it.field != "serial"), "not what people recognise a module by");
        let removed = change(SectionKind::Memory, &filled, &empty);
        assert_eq!(texts(&removed), (Operation::Removed, "8192 MiB DDR4 3200 MT/s", "empty"));
    }

    #[test]
    fn only_the_first_fields_are_named() {
        let old = Body::System(v1::SystemItem::default());
        let new = Body::System(v1::SystemItem {
            manufacturer: "Dell Inc.".into(),
            product: "Latitude 5420".into(),
            serial: "7XK0001".into(),
            sku: "0A20".into(),
            family: "Latitude".into(),
            ..Default::default()
        });
        let shown = change(SectionKind::System, &old, &new);
        assert_eq!(
            shown.after,
            "manufacturer Dell Inc., product Latitude 5420, serial 7XK0001, family Latitude, …"
        );
        assert_eq!(shown.fields.len(), 5);
    }

    #[test]
    fn moments_yes_or_no_and_words_of_lists_are_written_out() {
        let os = |installed_at_us| Body::Os(v1::OsItem { installed_at_us, ..Default::default() });
        let shown = change(SectionKind::Os, &os(1_000_000_000_000_000), &os(1_700_000_000_000_000));
        assert_eq!(
            texts(&shown),
            (Operation::Changed, "installed at 2001-09-09T01:46:40Z", "installed at 2023-11-14T22:13:20Z")
        );
        let volume = |encryption: v1::Encryption, system| {
            Body::Volumes(v1::VolumeItem { encryption: encryption.into(), system, ..Default::default() })
        };
        let shown = change(
            SectionKind::Volumes,
            &volume(v1::Encryption::None, false),
            &volume(v1::Encryption::Luks, true),
        );
        assert_eq!(
            texts(&shown),
            (Operation::Changed, "encryption not encrypted, system -", "encryption LUKS, system yes")
        );
        let problem = |kind: v1::ProblemKind| {
            Body::Problems(v1::ProblemItem { kind: kind.into(), ..Default::default() })
        };
        let shown = change(
            SectionKind::Problems,
            &problem(v1::ProblemKind::TimedOut),
            &problem(v1::ProblemKind::Absent),
        );
        assert_eq!(texts(&shown), (Operation::Changed, "kind timed out", "kind absent"));
    }
}
