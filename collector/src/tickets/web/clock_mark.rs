//! A clock as a bar and a number. Pure.

use parc_calendar::ClockState;

use crate::inventory::web::machine::Lens;
use crate::tickets::{ClockReading, ClockStanding};
use crate::web::Stamp;

/// A clock ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClockMark {
    /// `Call-back` or `Resolution`.
    pub name: String,
    /// Of the bar: empty, `warn` or `danger`.
    pub tone: &'static str,
    /// How much of the target is spent, 0 to 100.
    pub percent: i64,
    /// `1 h 20`, `−35 min`; followed by a word when it does not run.
    pub text: String,
    /// The whole sentence, shown when pointed at and read aloud.
    pub hint: String,
}

/// The mark of one clock.
pub(crate) fn clock_mark(lens: Lens<'_>, clock: &ClockReading) -> ClockMark {
    let texts = lens.texts;
    let left = clock.remaining_min();
    let span = span(left);
    let tone = match clock.standing() {
        ClockStanding::InTime => "",
        ClockStanding::Near => "warn",
        ClockStanding::Late => "danger",
    };
    let name = texts.word("clock", clock.kind.code()).into_owned();
    let text = match clock.state {
        ClockState::Running => span.clone(),
        ClockState::Paused | ClockState::Stopped => {
            format!("{span} · {}", texts.word("clock-state", clock.state.code()))
        }
    };
    ClockMark { hint: hint(lens, clock, (&name, &span)), name, tone, percent: percent(clock), text }
}

/// The mark of the clock to look at first.
pub(crate) fn foremost_mark(lens: Lens<'_>, clocks: &[ClockReading]) -> Option<ClockMark> {
    ClockReading::foremost(clocks).map(|it| clock_mark(lens, it))
}

fn hint(lens: Lens<'_>, clock: &ClockReading, (name, span): (&str, &str)) -> String {
    let texts = lens.texts;
    let key = match (clock.state, clock.standing()) {
        (ClockState::Stopped, ClockStanding::Late) => "clock-missed",
        (ClockState::Stopped, _) => "clock-met",
        (ClockState::Running | ClockState::Paused, ClockStanding::Late) => "clock-late",
        (ClockState::Running | ClockState::Paused, _) => "clock-left",
    };
    let said = texts.t2(key, ("clock", name), ("span", span.trim_start_matches('\u{2212}'))).into_owned();
    match clock.due_at.filter(|_| clock.state == ClockState::Running) {
        Some(due) => {
            let due = Stamp::moment(texts, lens.zone, due);
            texts.t2("clock-due", ("said", &said), ("date", due.text())).into_owned()
        }
        None => said,
    }
}

fn percent(clock: &ClockReading) -> i64 {
    let share = clock.spent.as_secs().saturating_mul(100) / clock.target.as_secs().max(1);
    i64::try_from(share.min(100)).unwrap_or(100)
}

/// `35 min`, `2 h 05`, `130 h`, with a minus when it is late: open time has no days everybody agrees on.
fn span(minutes: i64) -> String {
    let sign = if minutes < 0 { "\u{2212}" } else { "" };
    let whole = minutes.unsigned_abs();
    match whole {
        0..60 => format!("{sign}{whole}\u{A0}min"),
        60..6_000 => format!("{sign}{}\u{A0}h\u{A0}{:02}", whole / 60, whole % 60),
        _ => format!("{sign}{}\u{A0}h", whole / 60),
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use std::time::Duration;

    use parc_calendar::ClockKind;

    use super::*;
    use crate::web::rendering::now;

    pub(crate) fn clocks(spent_min: u64) -> Vec<ClockReading> {
        let clock = |kind, state, target_min| ClockReading {
            kind,
            state,
            target: Duration::from_mins(target_min),
            spent: Duration::from_mins(spent_min),
            due_at: Some(now() + Duration::from_hours(40)),
        };
        vec![
            clock(ClockKind::CallBack, ClockState::Stopped, 60),
            clock(ClockKind::Resolution, ClockState::Running, 540),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Language;
    use crate::web::Texts;
    use crate::web::rendering::{now, zone};

    #[test]
    fn the_number_says_what_is_left_and_by_how_much_it_is_late() {
        assert_eq!(span(35), "35\u{A0}min");
        assert_eq!(span(125), "2\u{A0}h\u{A0}05");
        assert_eq!(span(-61), "\u{2212}1\u{A0}h\u{A0}01");
        assert_eq!(span(7_800), "130\u{A0}h");
    }

    #[test]
    fn the_bar_turns_at_three_quarters_and_at_the_end() {
        let zone = zone();
        let lens = Lens { texts: Texts::of(Language::En), zone: &zone, now: now() };
        let tone = |spent| {
            let mark = foremost_mark(lens, &samples::clocks(spent)).expect("a clock runs");
            (mark.tone, mark.percent)
        };
        assert_eq!(tone(60), ("", 11));
        assert_eq!(tone(405), ("warn", 75));
        assert_eq!(tone(540), ("warn", 100));
        assert_eq!(tone(541), ("danger", 100));
    }

    #[test]
    fn a_clock_that_stopped_says_whether_it_was_in_time() {
        let zone = zone();
        let lens = Lens { texts: Texts::of(Language::En), zone: &zone, now: now() };
        let hint = |spent| clock_mark(lens, &samples::clocks(spent)[0]).hint;
        assert_ne!(hint(30), hint(90));
        assert!(hint(30).contains("30"), "{}", hint(30));
    }
}
