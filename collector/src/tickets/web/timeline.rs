//! The history of a ticket in sentences. Pure.

use serde_json::Value;

use crate::inventory::web::machine::Lens;
use crate::kernel::time::UtcMicros;
use crate::tickets::TicketEvent;
use crate::web::{Stamp, Texts};

/// Event kinds with a sentence of their own, and their icon.
const KNOWN: [(&str, &str); 23] = [
    ("created", "plus"),
    ("claimed", "person"),
    ("assigned", "person"),
    ("released", "inbox"),
    ("qualified", "info"),
    ("transferred", "next"),
    ("escalated", "warn"),
    ("held", "clock"),
    ("resumed", "history"),
    ("task", "wrench"),
    ("reply", "reply"),
    ("note", "lock"),
    ("resolved", "ok"),
    ("confirmed", "ok"),
    ("refused", "danger"),
    ("reopened", "history"),
    ("cancelled", "close"),
    ("asset_attached", "laptop"),
    ("asset_attached_late", "laptop"),
    ("asset_detached", "close"),
    ("asset_unknown", "clock"),
    ("asset_ambiguous", "conflict"),
    ("asset_placeholder", "warn"),
];

/// One event, ready to be drawn.
#[derive(Clone, Debug)]
pub(crate) struct EventView {
    pub icon: &'static str,
    /// `public`, `internal` or `system`.
    pub tone: &'static str,
    pub who: String,
    pub sentence: String,
    /// What somebody wrote.
    pub text: String,
    /// Said beside what only staff sees.
    pub internal: bool,
    pub at: Stamp,
    /// Happened after the reader last looked.
    pub fresh: bool,
}

/// One event; those after `seen` are marked.
pub(crate) fn event_view(lens: Lens<'_>, event: &TicketEvent, seen: Option<i64>) -> EventView {
    let known = KNOWN.iter().find(|it| it.0 == event.kind);
    let text = string(&event.data, "text").to_owned();
    let internal = !event.public || event.data.get("internal").and_then(Value::as_bool).unwrap_or(false);
    EventView {
        icon: known.map_or("info", |it| it.1),
        tone: tone(internal, &text),
        who: event.actor_label.clone(),
        sentence: sentence(lens, known.map_or("other", |it| it.0), event),
        internal: internal && !text.is_empty(),
        text,
        at: Stamp::moment(lens.texts, lens.zone, event.at),
        fresh: seen.is_some_and(|it| event.event_no > it),
    }
}

fn tone(internal: bool, text: &str) -> &'static str {
    match (text.is_empty(), internal) {
        (true, _) => "system",
        (false, true) => "internal",
        (false, false) => "public",
    }
}

fn string<'a>(data: &'a Value, key: &str) -> &'a str {
    data.get(key).and_then(Value::as_str).unwrap_or("")
}

fn sentence(lens: Lens<'_>, kind: &str, event: &TicketEvent) -> String {
    let texts = lens.texts;
    let said = texts.word("event", kind).into_owned();
    let data = &event.data;
    let speaker = string(data, "on_behalf_of");
    if kind == "confirmed" && !speaker.is_empty() {
        return texts.t1("confirmed-by-voice", "name", speaker).into_owned();
    }
    let more = match kind {
        "created" => texts.word("channel", string(data, "channel")).into_owned(),
        "assigned" => string(data, "owner").to_owned(),
        "qualified" => qualified(texts, data),
        "held" => held(lens, data),
        "task" => work(texts, data),
        "asset_attached" | "asset_attached_late" | "asset_detached" => {
            [string(data, "machine"), string(data, "tag")]
                .into_iter()
                .filter(|it| !it.is_empty())
                .collect::<Vec<_>>()
                .join(" · ")
        }
        "asset_unknown" | "asset_ambiguous" | "asset_placeholder" => {
            string(data, "inventory_number").to_owned()
        }
        "other" => event.kind.clone(),
        _ => String::new(),
    };
    if more.is_empty() {
        said
    } else {
        texts.t2("event-with", ("event", &said), ("detail", &more)).into_owned()
    }
}

fn qualified(texts: Texts, data: &Value) -> String {
    let word = |family: &str, key: &str| texts.word(family, string(data, key)).into_owned();
    let priority =
        data.get("priority").and_then(Value::as_i64).map(|it| format!("P{it}")).unwrap_or_default();
    let parts = [
        word("ticket-kind", "type"),
        word("severity", "severity"),
        word("scope", "scope"),
        word("urgency", "urgency"),
        priority,
    ];
    parts.into_iter().filter(|it| !it.is_empty() && !it.ends_with('-')).collect::<Vec<_>>().join(" · ")
}

fn held(lens: Lens<'_>, data: &Value) -> String {
    let reason = lens.texts.word("pending", string(data, "reason")).into_owned();
    match UtcMicros::parse(string(data, "until"), lens.zone) {
        Some(until) => {
            let day = Stamp::day(lens.texts, lens.zone, until);
            lens.texts.t2("held-until", ("reason", &reason), ("date", day.text())).into_owned()
        }
        None => reason,
    }
}

fn work(texts: Texts, data: &Value) -> String {
    let kind = texts.word("task", string(data, "task")).into_owned();
    match data.get("duration_min").and_then(Value::as_i64) {
        Some(minutes) => format!("{kind} · {}", texts.tn("span-minutes", minutes)),
        None => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Language;
    use crate::web::rendering::{now, zone};

    fn shown(kind: &str, public: bool, data: Value) -> EventView {
        let zone = zone();
        let lens = Lens { texts: Texts::of(Language::En), zone: &zone, now: now() };
        let event = TicketEvent {
            event_no: 4,
            at: now(),
            kind: kind.into(),
            public,
            actor_label: "Nadia".into(),
            data,
            changes: Vec::new(),
        };
        event_view(lens, &event, Some(3))
    }

    #[test]
    fn what_only_staff_sees_is_marked_wherever_it_comes_from() {
        assert!(shown("note", false, serde_json::json!({ "text": "x" })).internal);
        assert!(shown("escalated", true, serde_json::json!({ "text": "x", "internal": true })).internal);
        assert!(!shown("reply", true, serde_json::json!({ "text": "x" })).internal);
    }

    #[test]
    fn an_event_of_a_later_version_is_still_shown() {
        let view = shown("teleported", true, serde_json::json!({ "text": 7 }));
        assert!(view.sentence.contains("teleported") && view.fresh);
    }
}
