//! `show`: exactly what would leave the machine.

use parc_wire::v1::{ContactRequest, Item, SectionChange, SectionKind};
use prost::Message;
use serde_json::{Map, Value, json};

use super::{Exit, output};
use crate::agent::{Agent, Preview};
use crate::clock::{SystemClock, utc_text};
use crate::describe;
use crate::status::section_word;

/// Longer keys push their line to the right instead of all lines.
const KEY_WIDTH_MAX: usize = 48;

pub(super) fn show(agent: &Agent, json: bool) -> Exit {
    let preview = agent.preview(&SystemClock);
    if json {
        output::json(&document(&preview));
    } else {
        text(&preview);
    }
    Exit::Done
}

fn text(preview: &Preview) {
    let contact = &preview.contact;
    output::line(&format!(
        "contact of {} bytes: {} sections, {} of them carried",
        contact.encoded_len(),
        contact.digests.len(),
        contact.changes.len()
    ));
    if let Some(why) = preview.whole_because {
        output::line(&format!("everything is carried: {why}"));
    }
    for (kind, section) in preview.inventory.sections() {
        let carried = carried_text(change_of(contact, kind));
        output::line("");
        output::line(&format!("{}: {}, {carried}", section_word(kind), items_text(section.items().len())));
        let longest_key = section.items().iter().map(|it| it.key.chars().count()).max().unwrap_or(0);
        for item in section.items() {
            item_text(kind, item, longest_key.min(KEY_WIDTH_MAX));
        }
    }
}

fn items_text(count: usize) -> String {
    if count == 1 { "1 item".to_owned() } else { format!("{count} items") }
}

fn carried_text(change: Option<&SectionChange>) -> String {
    match change {
        None => "unchanged: digest only".to_owned(),
        Some(change) if change.base_digest.is_empty() => "carried whole".to_owned(),
        Some(change) => format!("carried: {} put, {} dropped", change.put.len(), change.drop.len()),
    }
}

/// Software is a list and stays one line each; everything else is a block.
fn item_text(kind: SectionKind, item: &Item, key_width: usize) {
    let known = describe::fields(kind, item).into_iter().filter(|(_, value)| describe::is_known(value));
    let rows: Vec<(&str, String)> = known.map(|(name, value)| (name, field_text(name, &value))).collect();
    if kind == SectionKind::Software {
        let values: Vec<String> = rows.into_iter().map(|(_, value)| value).collect();
        output::line(&format!("  {:key_width$}  {}", item.key, values.join("  ")));
    } else {
        output::line(&format!("  {}", item.key));
        output::table(4, &rows);
    }
}

/// A moment is shown as a date; every other number stands as it is sent.
fn field_text(name: &str, value: &Value) -> String {
    match value.as_i64() {
        Some(at) if name.ends_with("_us") => utc_text(at),
        _ => value_text(value),
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(value_text).collect::<Vec<_>>().join(", "),
        Value::Bool(true) => "yes".to_owned(),
        other => other.to_string(),
    }
}

fn document(preview: &Preview) -> Value {
    let contact = &preview.contact;
    let sections = preview.inventory.sections().map(|(kind, section)| {
        let items: Vec<Value> = section.items().iter().map(|it| item_json(kind, it)).collect();
        (section_word(kind), json!({ "digest": hex(&section.digest()), "items": items }))
    });
    json!({
        "contact": contact_json(contact),
        "sections": sections.collect::<Map<_, _>>(),
        "encoded_bytes": contact.encoded_len(),
        "whole_because": preview.whole_because,
    })
}

fn contact_json(contact: &ContactRequest) -> Value {
    let digests = contact.digests.iter().map(|it| (section_word(it.kind()), Value::from(hex(&it.digest))));
    let change = |change: &SectionChange| {
        let put: Vec<Value> = change.put.iter().map(|it| item_json(change.kind(), it)).collect();
        json!({
            "section": section_word(change.kind()),
            "base_digest": hex(&change.base_digest),
            "put": put,
            "drop": change.drop,
        })
    };
    json!({
        "epoch": contact.epoch,
        "seq": contact.seq,
        "report_id": hex(&contact.report_id),
        "collected_at_us": contact.collected_at_us,
        "agent_version": contact.agent_version,
        "boot_id": hex(&contact.boot_id),
        "digests": digests.collect::<Map<_, _>>(),
        "changes": contact.changes.iter().map(change).collect::<Vec<_>>(),
    })
}

fn item_json(kind: SectionKind, item: &Item) -> Value {
    let fields = describe::fields(kind, item).into_iter().map(|(name, value)| (name.to_owned(), value));
    json!({ "key": item.key, "fields": fields.collect::<Map<_, _>>(), "bytes": item.encoded_len() })
}

fn change_of(contact: &ContactRequest, kind: SectionKind) -> Option<&SectionChange> {
    contact.changes.iter().find(|it| it.kind() == kind)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|it| [it >> 4, it & 15]).map(|it| DIGITS[usize::from(it)]).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::inventory::Inventory;
    use crate::root::Root;

    use super::*;

    #[test]
    fn the_document_holds_every_item_that_the_contact_carries() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { tag: "INV-004217".into(), ..Config::default() };
        let agent =
            Agent::new(config, Root::captured(folder.path().into()), Some(folder.path().join("state")));
        let preview = agent.preview(&SystemClock);
        let document = document(&preview);
        let put: usize = preview.contact.changes.iter().map(|it| it.put.len()).sum();
        let shown = document["contact"]["changes"].as_array().unwrap();
        assert_eq!(shown.iter().map(|it| it["put"].as_array().unwrap().len()).sum::<usize>(), put);
        let tag = &document["sections"]["asset-tag"]["items"][0]["fields"];
        assert_eq!(*tag, json!({ "tag": "INV-004217", "source": "configuration" }));
        assert_eq!(document["encoded_bytes"], preview.contact.encoded_len());
        assert_eq!(document["whole_because"], "this machine is not enrolled");
        assert!(!folder.path().join("state").exists(), "showing leaves no trace");
    }

    #[test]
    fn how_a_section_is_carried_is_said() {
        let item = |key: &str| Item { key: key.into(), body: vec![0; 90] };
        let base = Inventory::new([(SectionKind::Cpu, vec![item("a"), item("b"), item("c")])]);
        let section = crate::inventory::Section::new(SectionKind::Cpu, vec![item("a"), item("b")]);
        let change = crate::delta::change(SectionKind::Cpu, base.section(SectionKind::Cpu), &section);
        assert_eq!(carried_text(change.as_ref()), "carried: 0 put, 1 dropped");
        assert_eq!(carried_text(None), "unchanged: digest only");
    }
}
