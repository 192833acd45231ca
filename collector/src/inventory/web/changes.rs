//! What changed on a machine, in the reader's words: names of fields, units, dates. Pure.

use parc_wire::v1;
use serde_json::Value;

use super::machine::{Lens, encryption_code, problem_code, section_code, speed};
use crate::inventory::wording::{FIELDS_SHOWN_MAX, speaks_for_itself};
use crate::inventory::{Change, FieldChange, Operation};
use crate::kernel::time::UtcMicros;
use crate::web::Stamp;
use crate::web::numbers::{integer, memory, storage};

/// Changes shown before the rest is only counted.
pub(crate) const CHANGES_SHOWN_MAX: usize = 12;
/// Sections with one item, whose key says nothing beside the section's name.
const SINGLE_ITEM_SECTIONS: [&str; 3] = ["system", "firmware", "asset_tag"];

/// One change, ready to be drawn.
#[derive(Clone, Debug)]
pub(crate) struct ChangeView {
    /// `added`, `removed`, `changed`.
    pub code: &'static str,
    pub sign: char,
    pub section: String,
    pub operation: String,
    /// Empty where the section says it all.
    pub item: String,
    /// A whole item, or the fields that differ.
    pub values: Vec<ValueChange>,
    /// There are more than those.
    pub more: bool,
    pub at: Stamp,
}

/// What was and what is; either may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueChange {
    /// Empty where the value needs no name.
    pub label: String,
    pub before: String,
    pub after: String,
}

/// One change.
pub(crate) fn change_view(lens: Lens<'_>, change: &Change) -> ChangeView {
    let (code, sign) = match change.operation {
        Operation::Added => ("added", '+'),
        Operation::Removed => ("removed", '\u{2212}'),
        Operation::Changed => ("changed", '~'),
    };
    let values = match change.operation {
        Operation::Added | Operation::Removed => vec![whole_item(lens, change)],
        Operation::Changed => {
            change.fields.iter().take(FIELDS_SHOWN_MAX).map(|it| one_field(lens, change, it)).collect()
        }
    };
    ChangeView {
        code,
        sign,
        section: lens.texts.word("section", &change.section).into_owned(),
        operation: lens.texts.word("operation", code).into_owned(),
        item: item(lens, change),
        more: change.operation == Operation::Changed && change.fields.len() > FIELDS_SHOWN_MAX,
        values,
        at: Stamp::moment(lens.texts, lens.zone, change.at),
    }
}

/// Hardware is rarer than settings, settings are rarer than packages: the rarest stands first.
pub(crate) fn rarest_first(changes: &[Change]) -> Vec<&Change> {
    let rarity = |it: &Change| match it.section.as_str() {
        "memory" | "storage" | "cpu" | "system" => 0,
        "firmware" | "displays" | "asset_tag" => 1,
        "os" | "network" | "volumes" => 2,
        _ => 3,
    };
    let mut sorted: Vec<&Change> = changes.iter().collect();
    sorted.sort_by_key(|it| rarity(it));
    sorted
}

fn item(lens: Lens<'_>, change: &Change) -> String {
    match (change.section.as_str(), change.item.as_str()) {
        ("memory", "total") => lens.texts.t("memory-total").into_owned(),
        (section, _) if SINGLE_ITEM_SECTIONS.contains(&section) => String::new(),
        (_, item) => item.to_owned(),
    }
}

fn one_field(lens: Lens<'_>, change: &Change, field: &FieldChange) -> ValueChange {
    let unnamed = change.fields.len() == 1 && speaks_for_itself(&change.section, &field.field);
    ValueChange {
        label: if unnamed { String::new() } else { lens.texts.word("item-field", &field.field).into_owned() },
        before: value(lens, &change.section, &field.field, &field.before),
        after: value(lens, &change.section, &field.field, &field.after),
    }
}

/// The fields of each side in a row, as one says them: `8 Go DDR4 Samsung`.
fn whole_item(lens: Lens<'_>, change: &Change) -> ValueChange {
    let side = |of: fn(&FieldChange) -> &Value| {
        if change.fields.iter().any(|it| it.field == "empty" && of(it) == &Value::Bool(true)) {
            return lens.texts.t("memory-slot-empty").into_owned();
        }
        let words = change.fields.iter().map(|it| value(lens, &change.section, &it.field, of(it)));
        words.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
    };
    ValueChange { label: String::new(), before: side(|it| &it.before), after: side(|it| &it.after) }
}

/// A value of the history; nothing for none.
fn value(lens: Lens<'_>, section: &str, field: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => lens.texts.t(if *yes { "value-yes" } else { "value-no" }).into_owned(),
        Value::Number(number) => number_text(lens, section, field, number.as_i64().unwrap_or(0)),
        Value::String(text) => text_value(lens, section, field, text),
        other => other.to_string(),
    }
}

/// Words of closed lists and dates are the reader's; everything else stands as the machine said it.
fn text_value(lens: Lens<'_>, section: &str, field: &str, text: &str) -> String {
    match (section, field) {
        ("storage", "kind") => lens.texts.word("disk-kind", text).into_owned(),
        ("network", "kind") => lens.texts.word("network", text).into_owned(),
        ("firmware", "released") => UtcMicros::parse(text, lens.zone)
            .map_or_else(|| text.to_owned(), |at| Stamp::day(lens.texts, lens.zone, at).text().to_owned()),
        _ => text.to_owned(),
    }
}

fn number_text(lens: Lens<'_>, section: &str, field: &str, number: i64) -> String {
    let texts = lens.texts;
    let with_unit = |unit: &str| format!("{}\u{A0}{unit}", integer(texts.language(), number));
    let listed = i32::try_from(number).unwrap_or(0);
    match (section, field) {
        ("volumes", "encryption") => return texts.word("encryption", encryption_code(listed)).into_owned(),
        ("problems", "section") => return texts.word("section", section_code(listed)).into_owned(),
        ("problems", "kind") => return texts.word("problem", problem_code(listed)).into_owned(),
        ("asset_tag", "source") => return texts.word("tag-source", tag_source_code(listed)).into_owned(),
        (_, "year") => return number.to_string(),
        _ => {}
    }
    match field.rsplit_once('_').map_or("", |it| it.1) {
        "mib" if section == "memory" => memory(texts.language(), number),
        "mib" => storage(texts.language(), number),
        "mts" => with_unit("MT/s"),
        "mhz" => with_unit("MHz"),
        "mbps" => speed(texts, u32::try_from(number).unwrap_or(0)),
        "px" => with_unit("px"),
        "mm" => with_unit("mm"),
        "us" => Stamp::moment(texts, lens.zone, UtcMicros(number)).text().to_owned(),
        _ => integer(texts.language(), number),
    }
}

fn tag_source_code(source: i32) -> &'static str {
    match v1::TagSource::try_from(source).unwrap_or(v1::TagSource::Unspecified) {
        v1::TagSource::Firmware => "firmware",
        v1::TagSource::Unspecified | v1::TagSource::Configuration => "configuration",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::inventory::items::field_names;
    use crate::people::Language;
    use crate::web::Texts;
    use crate::web::rendering::{LANGUAGES, now, zone};

    fn changed(section: &str, item: &str, operation: Operation, fields: &[(&str, Value, Value)]) -> Change {
        let field = |(field, before, after): &(&str, Value, Value)| FieldChange {
            field: (*field).into(),
            before: before.clone(),
            after: after.clone(),
        };
        Change {
            at: now(),
            section: section.into(),
            item: item.into(),
            operation,
            before: String::new(),
            after: String::new(),
            fields: fields.iter().map(field).collect(),
        }
    }

    /// The line as it is read, with ordinary blanks.
    fn line(language: Language, change: &Change) -> String {
        let zone = zone();
        let view = change_view(Lens { texts: Texts::of(language), zone: &zone, now: now() }, change);
        let values = view.values.iter().map(|it| format!("{} {} → {}", it.label, it.before, it.after));
        let more = if view.more { ", …" } else { "" };
        let line = format!(
            "{} {} {} {}{more}",
            view.sign,
            view.section,
            view.item,
            values.collect::<Vec<_>>().join(", ")
        );
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn both(change: &Change) -> [String; 2] {
        LANGUAGES.map(|language| line(language, change))
    }

    #[test]
    fn more_memory_reads_as_people_say_it() {
        let change =
            changed("memory", "total", Operation::Changed, &[("size_mib", json!(8192), json!(16384))]);
        assert_eq!(both(&change), ["~ Mémoire totale 8 Go → 16 Go", "~ Memory total 8 GB → 16 GB"]);
    }

    #[test]
    fn a_module_put_into_an_empty_slot_reads_as_added() {
        let fields = [
            ("size_mib", Value::Null, json!(8192)),
            ("kind", Value::Null, json!("DDR4")),
            ("speed_mts", Value::Null, json!(3200)),
            ("manufacturer", Value::Null, json!("Samsung")),
            ("part_number", Value::Null, json!("M471A1K43EB1-CWE")),
            ("empty", json!(true), Value::Null),
        ];
        let change = changed("memory", "DIMM B", Operation::Added, &fields);
        assert_eq!(
            both(&change),
            [
                "+ Mémoire DIMM B vide → 8 Go DDR4 3 200 MT/s Samsung M471A1K43EB1-CWE",
                "+ Memory DIMM B empty → 8 GB DDR4 3,200 MT/s Samsung M471A1K43EB1-CWE",
            ]
        );
    }

    #[test]
    fn disks_are_as_large_as_they_are_sold() {
        let fields = [("size_mib", json!(244_198), Value::Null), ("kind", json!("hdd"), Value::Null)];
        let change = changed("storage", "WDC WD2500", Operation::Removed, &fields);
        assert_eq!(
            both(&change),
            [
                "\u{2212} Disques WDC WD2500 256 Go disque dur →",
                "\u{2212} Disks WDC WD2500 256 GB hard disk →"
            ]
        );
    }

    #[test]
    fn dates_speeds_and_words_are_the_readers() {
        let change = changed(
            "firmware",
            "bios",
            Operation::Changed,
            &[("released", json!("2024-05-01"), json!("2026-02-03"))],
        );
        assert_eq!(
            both(&change),
            ["~ Micrologiciel date 01/05/2024 → 03/02/2026", "~ Firmware date 01/05/2024 → 03/02/2026"]
        );
        let moments = ("installed_at_us", json!(1_700_000_000_000_000_i64), json!(1_795_299_300_000_000_i64));
        let change = changed("os", "Debian", Operation::Changed, &[moments]);
        assert_eq!(
            line(Language::Fr, &change),
            "~ OS Debian installé le 14/11/2023 23:13 → 21/11/2026 23:15"
        );
        let fields = [("speed_mbps", json!(100), json!(1000)), ("virtual", Value::Null, json!(true))];
        let change = changed("network", "eth0", Operation::Changed, &fields);
        assert_eq!(
            both(&change),
            [
                "~ Réseau eth0 débit 100 Mbit/s → 1 Gbit/s, virtuelle → oui",
                "~ Network eth0 speed 100 Mbit/s → 1 Gbit/s, virtual → yes",
            ]
        );
        let fields = [("encryption", json!(1), json!(2)), ("size_mib", json!(1000), json!(2000))];
        let change = changed("volumes", "/home", Operation::Changed, &fields);
        assert_eq!(
            line(Language::En, &change),
            "~ Volumes /home encryption not encrypted → encrypted (LUKS), size 1 GB → 2 GB"
        );
    }

    #[test]
    fn the_fifth_field_is_only_hinted_at() {
        let fields: Vec<(&str, Value, Value)> = ["manufacturer", "product", "serial", "family", "sku"]
            .map(|it| (it, json!("a"), json!("b")))
            .into();
        let change = changed("system", "system", Operation::Changed, &fields);
        let shown = line(Language::En, &change);
        assert_eq!(shown, "~ System make a → b, model a → b, serial number a → b, family a → b, …");
        let four = changed("system", "system", Operation::Changed, &fields[..4]);
        assert!(!line(Language::En, &four).contains('…'));
    }

    #[test]
    fn hardware_stands_before_software() {
        let sections = ["software", "os", "problems", "displays", "memory"];
        let changes = sections.map(|it| changed(it, "x", Operation::Changed, &[]));
        let sorted: Vec<&str> = rarest_first(&changes).iter().map(|it| it.section.as_str()).collect();
        assert_eq!(sorted, ["memory", "displays", "os", "software", "problems"]);
    }

    #[test]
    fn every_field_of_the_history_has_a_name() {
        for language in LANGUAGES {
            let unnamed: Vec<&str> = field_names()
                .into_iter()
                .filter(|it| !Texts::of(language).has(&format!("item-field-{it}")))
                .collect();
            assert!(unnamed.is_empty(), "{unnamed:?}");
        }
    }
}
