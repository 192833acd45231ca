//! What a clock has to do for a ticket.

use crate::clock::{ClockState, Next};
use crate::moment::Moment;

/// One of the two clocks of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockKind {
    /// Until somebody first tried to call the beneficiary back, reached or not.
    CallBack,
    /// Until the ticket is resolved.
    Resolution,
}

/// Where a ticket stands, as far as clocks care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Somebody is or should be working on it.
    Active,
    /// On hold, for a reason that pauses these clocks.
    Waiting {
        /// Whether the reason pauses the call-back clock.
        pauses_call_back: bool,
        /// Whether the reason pauses the resolution clock.
        pauses_resolution: bool,
    },
    /// Resolved, closed or cancelled.
    Ended,
}

/// What clocks need to know of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Where it stands.
    pub stage: Stage,
    /// A call was tried.
    pub called: bool,
    /// Until when the beneficiary said not to be there.
    pub unavailable_until: Option<Moment>,
}

impl ClockKind {
    /// Both, in the order they are shown.
    pub const ALL: [Self; 2] = [Self::CallBack, Self::Resolution];

    /// The word stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::CallBack => "call_back",
            Self::Resolution => "resolution",
        }
    }

    /// The clock with that word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// What the clock does from `at` on. Escalation, transfer and a change of priority stop no clock: they are not asked.
pub fn wanted(clock: ClockKind, facts: &Facts, at: Moment) -> Next {
    let pauses = |stage| match stage {
        Stage::Waiting { pauses_call_back, pauses_resolution } => match clock {
            ClockKind::CallBack => pauses_call_back,
            ClockKind::Resolution => pauses_resolution,
        },
        Stage::Active | Stage::Ended => false,
    };
    let calls = clock == ClockKind::CallBack;
    if facts.stage == Stage::Ended || (calls && facts.called) {
        return Next::from(ClockState::Stopped);
    }
    if pauses(facts.stage) {
        return Next::from(ClockState::Paused);
    }
    match facts.unavailable_until {
        Some(until) if calls && until > at => Next { state: ClockState::Paused, runs_from: Some(until) },
        _ => Next::from(ClockState::Running),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_000);
    const ACTIVE: Facts = Facts { stage: Stage::Active, called: false, unavailable_until: None };

    #[test]
    fn a_call_stops_one_clock_and_a_solution_both() {
        let called = Facts { called: true, ..ACTIVE };
        assert_eq!(wanted(ClockKind::CallBack, &called, NOW).state, ClockState::Stopped);
        assert_eq!(wanted(ClockKind::Resolution, &called, NOW).state, ClockState::Running);
        let ended = Facts { stage: Stage::Ended, ..ACTIVE };
        for clock in ClockKind::ALL {
            assert_eq!(wanted(clock, &ended, NOW).state, ClockState::Stopped);
        }
    }

    #[test]
    fn a_reason_pauses_the_clocks_it_says() {
        let waiting = |pauses_call_back, pauses_resolution| Facts {
            stage: Stage::Waiting { pauses_call_back, pauses_resolution },
            ..ACTIVE
        };
        assert_eq!(wanted(ClockKind::CallBack, &waiting(true, false), NOW).state, ClockState::Paused);
        assert_eq!(wanted(ClockKind::Resolution, &waiting(true, false), NOW).state, ClockState::Running);
        assert_eq!(wanted(ClockKind::Resolution, &waiting(false, true), NOW).state, ClockState::Paused);
    }

    #[test]
    fn who_is_away_is_not_called_but_the_work_goes_on() {
        let away = Facts { unavailable_until: Some(Moment(2_000)), ..ACTIVE };
        assert_eq!(wanted(ClockKind::CallBack, &away, NOW).runs_from, Some(Moment(2_000)));
        assert_eq!(wanted(ClockKind::Resolution, &away, NOW), Next::from(ClockState::Running));
        assert_eq!(wanted(ClockKind::CallBack, &away, Moment(2_000)), Next::from(ClockState::Running));
    }
}
