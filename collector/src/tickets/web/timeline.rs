//! The history of a ticket in sentences. Pure.

use serde_json::Value;

use super::slot_picker::slots_in_words;
use crate::files::serving;
use crate::inventory::web::machine::Lens;
use crate::kernel::time::UtcMicros;
use crate::people::Language;
use crate::tickets::{Slot, TicketEvent, TicketNumber};
use crate::web::numbers::file_size;
use crate::web::{Stamp, Texts};

/// Event kinds with a sentence of their own, and their icon.
const KNOWN: &[(&str, &str)] = &[
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
    ("deescalated", "next"),
    ("referred", "lock"),
    ("unrestricted", "lock"),
    ("auto_closed", "ok"),
    ("reminded", "clock"),
    ("merged", "conflict"),
    ("linked", "next"),
    ("unlinked", "close"),
    ("watched", "info"),
    ("rated", "ok"),
    ("asset_attached", "laptop"),
    ("asset_attached_late", "laptop"),
    ("asset_detached", "close"),
    ("asset_unknown", "clock"),
    ("asset_ambiguous", "conflict"),
    ("asset_placeholder", "warn"),
    ("visit_proposed", "calendar"),
    ("visit_fixed", "calendar"),
    ("visit_moved", "calendar"),
    ("visit_done", "ok"),
    ("visit_missed", "warn"),
    ("visit_cancelled", "close"),
    ("loan_prepared", "laptop"),
    ("loan_out", "laptop"),
    ("loan_extended", "clock"),
    ("loan_overdue", "warn"),
    ("loan_back", "laptop"),
    ("loan_restored", "ok"),
    ("loan_cancelled", "close"),
    ("remote_requested", "desktop"),
    ("remote_accepted", "ok"),
    ("remote_refused", "close"),
    ("remote_expired", "clock"),
    ("remote_started", "desktop"),
    ("remote_ended", "ok"),
    ("remote_withdrawn", "close"),
    ("mail_failed", "mail"),
    ("mail_in", "mail"),
    ("coverage_decided", "shield"),
    ("clock_warned", "clock"),
    ("clock_breached", "warn"),
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
    /// Files that came with it.
    pub files: Vec<FileView>,
    /// Said beside what only staff sees.
    pub internal: bool,
    pub at: Stamp,
    /// Happened after the reader last looked.
    pub fresh: bool,
}

/// A file in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileView {
    /// Where it is opened; nothing for who may not.
    pub href: Option<String>,
    pub name: String,
    pub size: String,
    /// Small enough and harmless enough to be drawn on the page.
    pub picture: bool,
    pub restricted: bool,
}

/// Bytes of a picture that is drawn in the history: a screenshot, not a photograph of the whole room.
const DRAWN_BYTES_MAX: i64 = 3_000_000;

/// One event; those after `seen` are marked.
pub(crate) fn event_view(
    lens: Lens<'_>,
    number: &TicketNumber,
    event: &TicketEvent,
    seen: Option<i64>,
) -> EventView {
    let known = KNOWN.iter().find(|it| it.0 == event.kind);
    let text = string(&event.data, "text").to_owned();
    let files = files(lens.texts, number, &event.data);
    let internal = !event.public || event.data.get("internal").and_then(Value::as_bool).unwrap_or(false);
    EventView {
        icon: known.map_or("info", |it| it.1),
        tone: tone(internal, text.is_empty() && files.is_empty()),
        who: event.actor_label.clone(),
        sentence: sentence(lens, known.map_or("other", |it| it.0), event),
        internal: internal && !(text.is_empty() && files.is_empty()),
        text,
        files,
        at: Stamp::moment(lens.texts, lens.zone, event.at),
        fresh: seen.is_some_and(|it| event.event_no > it),
    }
}

fn files(texts: Texts, number: &TicketNumber, data: &Value) -> Vec<FileView> {
    let told = data.get("files").and_then(Value::as_array);
    let view = |file: &Value| {
        let flag = |key: &str| file.get(key) == Some(&Value::Bool(true));
        let size = file.get("size_bytes").and_then(Value::as_i64).unwrap_or(0);
        let openable = flag("openable");
        FileView {
            href: openable.then(|| format!("/tickets/{number}/files/{}", string(file, "id"))),
            name: string(file, "name").to_owned(),
            size: file_size(texts.language(), size),
            picture: openable && size <= DRAWN_BYTES_MAX && serving(string(file, "media_type")).inline,
            restricted: flag("restricted"),
        }
    };
    told.into_iter().flatten().map(view).collect()
}

fn tone(internal: bool, empty: bool) -> &'static str {
    match (empty, internal) {
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
        "transferred" | "escalated" | "deescalated" | "referred" => string(data, "team").to_owned(),
        "merged" => [string(data, "into"), string(data, "duplicate")].concat(),
        "linked" | "unlinked" => [string(data, "to"), string(data, "from_ticket")].concat(),
        "qualified" => qualified(texts, data),
        "held" => held(lens, data),
        "task" => work(lens, data),
        "reply" => call_slots(lens, data),
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
        "visit_proposed" | "visit_fixed" | "visit_moved" => visit(lens, data),
        "loan_prepared" | "loan_out" | "loan_extended" | "loan_overdue" => loan(lens, data),
        "loan_back" => string(data, "loaner").to_owned(),
        "remote_requested" => joined(&[string(data, "tool"), string(data, "asked")]),
        "remote_accepted" | "remote_refused" => string(data, "answered_by").to_owned(),
        "loan_restored" => string(data, "original").to_owned(),
        "mail_failed" => string(data, "address").to_owned(),
        "mail_in" => arrived(texts, data),
        "coverage_decided" => texts.word("coverage-decision", string(data, "decision")).into_owned(),
        "clock_warned" | "clock_breached" => texts.word("clock", string(data, "clock")).into_owned(),
        "other" => event.kind.clone(),
        _ => String::new(),
    };
    if more.is_empty() {
        said
    } else {
        texts.t2("event-with", ("event", &said), ("detail", &more)).into_owned()
    }
}

/// Who wrote, what is odd about it, what is missing and what was not kept.
fn arrived(texts: Texts, data: &Value) -> String {
    let listed = |key: &str| data.get(key).and_then(Value::as_array).into_iter().flatten();
    let words = |key: &str, family: &str| -> Vec<String> {
        listed(key).filter_map(Value::as_str).map(|it| texts.word(family, it).into_owned()).collect()
    };
    let mut parts = vec![string(data, "from").to_owned()];
    let follows = string(data, "follows");
    if !follows.is_empty() {
        parts.push(texts.t1("mail-follows", "ticket", follows).into_owned());
    }
    parts.extend(words("flags", "mail-flag"));
    let doubt = string(data, "doubt");
    if !doubt.is_empty() {
        parts.push(texts.word("mail-doubt", doubt).into_owned());
    }
    let missing = words("missing", "mail-missing");
    if !missing.is_empty() {
        parts.push(texts.t1("mail-missing", "list", &missing.join(", ")).into_owned());
    }
    let dropped = listed("dropped").map(|it| {
        let reason = texts.word("mail-dropped", string(it, "reason"));
        let name = string(it, "name");
        if name.is_empty() { reason.into_owned() } else { format!("{name} ({reason})") }
    });
    let dropped: Vec<String> = dropped.collect();
    if !dropped.is_empty() {
        parts.push(texts.t1("mail-not-kept", "list", &dropped.join(", ")).into_owned());
    }
    parts.retain(|it| !it.is_empty());
    parts.join(" · ")
}

/// Slots somebody said they can be called in.
fn call_slots(lens: Lens<'_>, data: &Value) -> String {
    let moment = |slot: &Value, key: &str| UtcMicros::parse(string(slot, key), lens.zone);
    let told = data.get("slots").and_then(Value::as_array).into_iter().flatten();
    let slots: Vec<Slot> =
        told.filter_map(|it| Some(Slot { from: moment(it, "from")?, to: moment(it, "to")? })).collect();
    slots_in_words(lens.texts, lens.zone, &slots).join(", ")
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
    let label = match lens.texts.language() {
        Language::Fr => string(data, "reason_fr"),
        Language::En => string(data, "reason_en"),
    };
    let reason = if label.is_empty() { string(data, "reason").to_owned() } else { label.to_owned() };
    match UtcMicros::parse(string(data, "until"), lens.zone) {
        Some(until) => {
            let day = Stamp::day(lens.texts, lens.zone, until);
            lens.texts.t2("held-until", ("reason", &reason), ("date", day.text())).into_owned()
        }
        None => reason,
    }
}

/// `23/11/2026 09:30 · Nadia Lefèvre · Lyon`.
fn visit(lens: Lens<'_>, data: &Value) -> String {
    let start = UtcMicros::parse(string(data, "start"), lens.zone);
    let start = start.map(|at| Stamp::moment(lens.texts, lens.zone, at).text().to_owned());
    joined(&[&start.unwrap_or_default(), string(data, "technician"), string(data, "place")])
}

/// `PRET-07 · 06/12/2026`.
fn loan(lens: Lens<'_>, data: &Value) -> String {
    let day = UtcMicros::parse(string(data, "expected"), lens.zone);
    let day = day.map(|at| Stamp::day(lens.texts, lens.zone, at).text().to_owned());
    joined(&[string(data, "loaner"), &day.unwrap_or_default()])
}

fn joined(parts: &[&str]) -> String {
    parts.iter().copied().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn work(lens: Lens<'_>, data: &Value) -> String {
    let texts = lens.texts;
    let kind = texts.word("task", string(data, "task")).into_owned();
    let minutes = data.get("duration_min").and_then(Value::as_i64);
    let minutes = minutes.map(|it| texts.tn("span-minutes", it).into_owned()).unwrap_or_default();
    let (before, after) = (string(data, "before"), string(data, "after"));
    let changed = if before.is_empty() && after.is_empty() {
        String::new()
    } else {
        texts.t2("task-changed", ("before", before), ("after", after)).into_owned()
    };
    let done = joined(&[&kind, &minutes, &changed]);
    match UtcMicros::parse(string(data, "next_attempt"), lens.zone) {
        Some(at) => {
            let at = Stamp::moment(texts, lens.zone, at);
            texts.t2("task-next", ("what", &done), ("at", at.text())).into_owned()
        }
        None => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        event_view(lens, &number(), &event, Some(3))
    }

    fn number() -> TicketNumber {
        "I202611_0042".parse().expect("number")
    }

    #[test]
    fn a_file_is_drawn_opened_or_only_named() {
        let file = |media_type: &str, size: i64, openable: bool| {
            serde_json::json!({ "id": "f1", "name": "a", "media_type": media_type, "size_bytes": size,
                "restricted": !openable, "openable": openable })
        };
        let files = [
            file("image/png", 240_000, true),
            file("image/png", 4_000_000, true),
            file("image/svg+xml", 900, true),
            file("image/png", 900, false),
        ];
        let view = shown("reply", true, serde_json::json!({ "files": files }));
        assert_eq!(view.tone, "public");
        assert_eq!(view.files.iter().map(|it| it.picture).collect::<Vec<_>>(), [true, false, false, false]);
        assert_eq!(view.files[0].href.as_deref(), Some("/tickets/I202611_0042/files/f1"));
        assert!(view.files[3].href.is_none() && view.files[3].restricted);
        assert_eq!(view.files[1].size, "4\u{a0}MB");
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
