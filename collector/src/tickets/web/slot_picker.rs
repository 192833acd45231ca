//! Choosing when to be called: boxes to tick, drawn the same with and without script.

use crate::kernel::time::{Day, UtcMicros, Zone};
use crate::tickets::Slot;
use crate::tickets::slots::{OfferedDay, offered};
use crate::web::Texts;
use crate::web::parts::Choice;

/// One day with its slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PickDay {
    /// `lun. 23/11`.
    pub label: String,
    pub slots: Vec<Choice>,
}

/// The coming working days; those inside `chosen` are ticked.
pub(crate) fn pick_days(texts: Texts, now: UtcMicros, zone: &Zone, chosen: &[Slot]) -> Vec<PickDay> {
    let ticked = |day: Day, from: u16, to: u16| {
        let (from, to) = (day.at(from * 60, zone), day.at(to * 60, zone));
        chosen.iter().any(|it| it.from <= from && to <= it.to)
    };
    let pick = |day: OfferedDay| PickDay {
        label: day_in_words(texts, day.day),
        slots: day
            .slots
            .iter()
            .map(|it| {
                let label = range(texts, &it.from_hour.to_string(), &it.to_hour.to_string());
                Choice::new(it.value.clone(), label, ticked(day.day, it.from_hour, it.to_hour))
            })
            .collect(),
    };
    offered(now, zone).into_iter().map(pick).collect()
}

fn day_in_words(texts: Texts, day: Day) -> String {
    format!("{} {}", texts.word("weekday", &day.weekday().to_string()), day.short())
}

fn range(texts: Texts, from: &str, to: &str) -> String {
    texts.t2("slot-range", ("from", from), ("to", to)).into_owned()
}

/// `lun. 23/11, 8 h – 12 h`, one line a slot.
pub(crate) fn slots_in_words(texts: Texts, zone: &Zone, slots: &[Slot]) -> Vec<String> {
    let hour = |at: UtcMicros| at.format(zone, "%-H");
    let line = |slot: &Slot| {
        let day = day_in_words(texts, Day::of(slot.from, zone));
        format!("{day}, {}", range(texts, &hour(slot.from), &hour(slot.to)))
    };
    slots.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Language;
    use crate::tickets::slots::chosen;
    use crate::web::rendering::{now, zone};

    #[test]
    fn what_was_chosen_is_ticked_again_and_said_in_words() {
        let (zone, texts) = (zone(), Texts::of(Language::Fr));
        // The samples' now is a Saturday night.
        let slots = chosen("2026-11-23 8 10\n2026-11-23 10 12", now(), &zone);
        assert_eq!(slots_in_words(texts, &zone, &slots), ["lun. 23/11, 8\u{a0}h – 12\u{a0}h"]);
        let days = pick_days(texts, now(), &zone, &slots);
        assert_eq!((days.len(), days[0].label.as_str()), (5, "lun. 23/11"));
        let ticked: Vec<bool> = days[0].slots.iter().map(|it| it.chosen).collect();
        assert_eq!(ticked, [true, true, false, false]);
        assert!(days[1].slots.iter().all(|it| !it.chosen));
    }
}
