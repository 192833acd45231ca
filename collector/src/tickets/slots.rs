//! When people can be called: offered half-days of the coming working days, and what was chosen. Pure.

use super::model::Slot;
use crate::kernel::time::{Day, UtcMicros, Zone};

/// Days offered, from Monday to Friday.
const DAYS: usize = 5;
/// Hours offered on each day, by the wall clock of the site.
const HOURS: [(u16, u16); 4] = [(8, 10), (10, 12), (14, 16), (16, 18)];
/// Slots of one ticket.
pub(super) const SLOTS_MAX: usize = 20;

/// One offered slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OfferedSlot {
    /// What the form sends.
    pub value: String,
    pub from_hour: u16,
    pub to_hour: u16,
}

/// The slots of one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OfferedDay {
    pub day: Day,
    pub slots: Vec<OfferedSlot>,
}

/// What is offered at `now`: hours that have not ended yet.
pub(crate) fn offered(now: UtcMicros, zone: &Zone) -> Vec<OfferedDay> {
    let slots = |day: Day| {
        let open = |hours: &&(u16, u16)| day.at(hours.1 * 60, zone) > now;
        let slot = |&(from_hour, to_hour): &(u16, u16)| OfferedSlot {
            value: format!("{day} {from_hour} {to_hour}"),
            from_hour,
            to_hour,
        };
        HOURS.iter().filter(open).map(slot).collect::<Vec<_>>()
    };
    let today = Day::of(now, zone);
    let days = (0..).map(|it| today.plus(it)).filter(|it| it.weekday() <= 5).take(DAYS + 1);
    let days = days.map(|day| OfferedDay { slots: slots(day), day }).filter(|it| !it.slots.is_empty());
    days.take(DAYS).collect()
}

/// What was chosen, one slot a line; neighbours become one. What is not offered, or past, is left out.
pub(crate) fn chosen(lines: &str, now: UtcMicros, zone: &Zone) -> Vec<Slot> {
    let mut slots: Vec<Slot> =
        lines.lines().filter_map(|it| parsed(it, zone)).filter(|it| it.to > now).collect();
    slots.sort_by_key(|it| it.from);
    slots.dedup();
    slots.truncate(SLOTS_MAX);
    joined(slots)
}

fn parsed(line: &str, zone: &Zone) -> Option<Slot> {
    let mut parts = line.split(' ');
    let day = Day::parse(parts.next()?)?;
    let hours = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    if !HOURS.contains(&hours) || parts.next().is_some() {
        return None;
    }
    Some(Slot { from: day.at(hours.0 * 60, zone), to: day.at(hours.1 * 60, zone) })
}

/// Slots that touch are one.
pub(super) fn joined(slots: Vec<Slot>) -> Vec<Slot> {
    let mut joined: Vec<Slot> = Vec::with_capacity(slots.len());
    for slot in slots {
        match joined.last_mut() {
            Some(last) if last.to >= slot.from => last.to = last.to.max(slot.to),
            _ => joined.push(slot),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMicros {
        UtcMicros::parse(text, &Zone::utc()).expect("a moment")
    }

    #[test]
    fn the_rest_of_today_and_the_coming_working_days_are_offered() {
        let paris = Zone::named("Europe/Paris").expect("zone data");
        // Friday the 20th, a quarter past three in Paris.
        let days = offered(at("2026-11-20T14:15:00Z"), &paris);
        let shown: Vec<(String, usize)> =
            days.iter().map(|it| (it.day.to_string(), it.slots.len())).collect();
        assert_eq!(shown[0], ("2026-11-20".to_owned(), 2));
        assert_eq!(shown[1], ("2026-11-23".to_owned(), 4));
        assert_eq!(shown.len(), 5);
        // After hours today is not offered at all.
        assert_eq!(offered(at("2026-11-20T19:00:00Z"), &paris)[0].day.to_string(), "2026-11-23");
    }

    #[test]
    fn neighbours_become_one_and_what_was_not_offered_is_left_out() {
        let paris = Zone::named("Europe/Paris").expect("zone data");
        let lines = "2026-11-23 10 12\n2026-11-23 8 10\n2026-11-24 14 16\n2026-11-19 8 10\n2026-11-23 3 4\nx";
        let slots = chosen(lines, at("2026-11-20T12:00:00Z"), &paris);
        assert_eq!(slots.len(), 2, "{slots:?}");
        assert_eq!((slots[0].from, slots[0].to), (at("2026-11-23T07:00:00Z"), at("2026-11-23T11:00:00Z")));
        let many: Vec<String> = (1..=30).map(|day| format!("2026-12-{day:02} 8 10")).collect();
        assert_eq!(chosen(&many.join("\n"), at("2026-11-20T12:00:00Z"), &paris).len(), SLOTS_MAX);
    }
}
