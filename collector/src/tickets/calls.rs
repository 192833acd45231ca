//! Calling people back: when the next attempt is made, and when it is time to wait for them instead (rules R083–R086).
//! Pure.

use std::time::Duration;

use super::model::TicketEvent;
use crate::kernel::time::{Day, UtcMicros, Zone};

/// Unanswered calls in a row after which waiting for the person is proposed.
pub const PDR_LIMIT: usize = 3;

/// Nobody is called again at once.
const PAUSE: Duration = Duration::from_mins(30);
/// Without a slot the person is called again after lunch or before the evening.
const LATER: Duration = Duration::from_hours(2);
/// Minutes after midnight between which people are called who gave no slot.
const OFFICE_MINUTES: (u16, u16) = (9 * 60, 17 * 60 + 30);
/// Days looked ahead for one on which people work.
const DAYS_AHEAD: i32 = 7;
/// Attempts lie on quarters of an hour, as slots do.
const QUARTER_MICROS: i64 = 900_000_000;

/// When to try again: in the person's next slot; without one two hours later, within office hours of a working day.
pub fn next_attempt(now: UtcMicros, slots: &[(UtcMicros, UtcMicros)], zone: &Zone) -> UtcMicros {
    let soonest = next_quarter(now + PAUSE);
    let mut given: Vec<_> = slots.iter().filter(|it| it.1 > soonest).collect();
    given.sort();
    if let Some(slot) = given.first() {
        return next_quarter(slot.0).max(soonest);
    }
    let wanted = next_quarter(now + LATER);
    let today = Day::of(wanted, zone);
    let (opens, closes) = OFFICE_MINUTES;
    let in_office = |day: Day| day.weekday() <= 5;
    if in_office(today) && wanted <= today.at(closes, zone) {
        return wanted.max(today.at(opens, zone));
    }
    let next = (1..=DAYS_AHEAD).map(|it| today.plus(it)).find(|it| in_office(*it));
    next.unwrap_or(today.plus(1)).at(opens, zone)
}

fn next_quarter(at: UtcMicros) -> UtcMicros {
    let rest = at.0.rem_euclid(QUARTER_MICROS);
    if rest == 0 { at } else { UtcMicros(at.0.saturating_add(QUARTER_MICROS - rest)) }
}

/// Calls in a row that nobody answered, up to now: a call that was answered and a word of the person start anew.
pub fn unanswered_in_a_row(events: &[TicketEvent]) -> usize {
    let said =
        |it: &TicketEvent, key: &str| it.data.get(key).and_then(|it| it.as_str()).map(ToOwned::to_owned);
    let mut count = 0;
    for event in events {
        match (event.kind.as_str(), said(event, "task").as_deref()) {
            ("task", Some("pdr")) => count += 1,
            ("task", Some("call")) | ("reopened" | "refused", _) => count = 0,
            ("reply", _) if event.data.get("by_staff") == Some(&false.into()) => count = 0,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn paris() -> Zone {
        Zone::named("Europe/Paris").expect("zone data")
    }

    fn at(text: &str) -> UtcMicros {
        UtcMicros::parse(text, &Zone::utc()).expect("valid")
    }

    fn event(kind: &str, data: serde_json::Value) -> TicketEvent {
        TicketEvent {
            event_no: 1,
            at: UtcMicros(0),
            kind: kind.into(),
            public: true,
            actor_label: "Tom".into(),
            data,
            changes: Vec::new(),
        }
    }

    #[test]
    fn the_next_attempt_lies_in_the_next_slot() {
        let slots = [
            (at("2026-11-24T09:00:00Z"), at("2026-11-24T10:00:00Z")),
            (at("2026-11-23T13:00:00Z"), at("2026-11-23T15:00:00Z")),
        ];
        let next = |now: &str| next_attempt(at(now), &slots, &paris()).rfc3339();
        assert_eq!(next("2026-11-23T08:05:00Z"), "2026-11-23T13:00:00Z");
        assert_eq!(next("2026-11-23T13:20:00Z"), "2026-11-23T14:00:00Z", "inside a slot, half an hour later");
        assert_eq!(
            next("2026-11-23T14:40:00Z"),
            "2026-11-24T09:00:00Z",
            "what is left of the slot is too short"
        );
    }

    #[test]
    fn without_a_slot_people_are_called_when_they_work() {
        let next = |now: &str| next_attempt(at(now), &[], &paris()).rfc3339();
        assert_eq!(next("2026-11-23T08:05:00Z"), "2026-11-23T10:15:00Z");
        assert_eq!(next("2026-11-23T15:30:00Z"), "2026-11-24T08:00:00Z", "tomorrow at nine on the wall");
        assert_eq!(next("2026-11-27T15:30:00Z"), "2026-11-30T08:00:00Z", "not at the week-end");
        assert_eq!(next("2026-11-23T04:00:00Z"), "2026-11-23T08:00:00Z", "not before nine");
    }

    #[test]
    fn an_answer_starts_the_count_anew() {
        let pdr = || event("task", json!({ "task": "pdr" }));
        assert_eq!(unanswered_in_a_row(&[pdr(), pdr(), pdr()]), PDR_LIMIT);
        assert_eq!(unanswered_in_a_row(&[pdr(), pdr(), event("task", json!({ "task": "call" })), pdr()]), 1);
        assert_eq!(unanswered_in_a_row(&[pdr(), event("reply", json!({ "by_staff": false }))]), 0);
        assert_eq!(unanswered_in_a_row(&[pdr(), event("reply", json!({ "by_staff": true }))]), 1);
    }

    proptest! {
        #[test]
        fn an_attempt_is_never_in_the_past_and_always_on_a_quarter(seconds in 1_700_000_000_i64..1_900_000_000) {
            let now = UtcMicros::from_seconds(seconds);
            let next = next_attempt(now, &[], &paris());
            prop_assert!(next >= now + PAUSE && next.0 % QUARTER_MICROS == 0);
            prop_assert!(Day::of(next, &paris()).weekday() <= 5);
        }
    }
}
