//! What a clock went through, as intervals, and what follows from it.

use std::time::Duration;

use crate::calendar::Calendar;
use crate::moment::Moment;

/// What a clock does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockState {
    /// Its time counts.
    Running,
    /// It waits for somebody else.
    Paused,
    /// It reached its end, for now: a refused closure starts it again.
    Stopped,
}

/// A stretch of time in which a clock did one thing, measured by one calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval<K> {
    /// What the clock did. Only running counts.
    pub state: ClockState,
    /// From when.
    pub from: Moment,
    /// Until when; open for the last one.
    pub to: Option<Moment>,
    /// Which calendar measures it.
    pub calendar: K,
}

/// What a clock does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// From now on.
    pub state: ClockState,
    /// When it will run by itself, if that is known.
    pub runs_from: Option<Moment>,
}

/// All intervals of a clock: in their order, each beginning where the one before ends, the last one open. `K` names a
/// version of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History<K> {
    intervals: Vec<Interval<K>>,
}

impl ClockState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Running, Self::Paused, Self::Stopped];

    /// The word stored.
    pub fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }

    /// The state with that word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

impl From<ClockState> for Next {
    fn from(state: ClockState) -> Self {
        Self { state, runs_from: None }
    }
}

impl Next {
    /// The intervals it means, from `at` on.
    fn intervals<K: Clone>(self, at: Moment, calendar: &K) -> Vec<Interval<K>> {
        let interval = |state, from, to| Interval { state, from, to, calendar: calendar.clone() };
        match self.runs_from.filter(|it| *it > at) {
            Some(runs) => {
                vec![interval(self.state, at, Some(runs)), interval(ClockState::Running, runs, None)]
            }
            None if self.runs_from.is_some() => vec![interval(ClockState::Running, at, None)],
            None => vec![interval(self.state, at, None)],
        }
    }
}

impl<K: Clone + PartialEq> History<K> {
    /// A clock that begins at `at`.
    pub fn begin(at: Moment, next: Next, calendar: &K) -> Self {
        Self { intervals: next.intervals(at, calendar) }
    }

    /// From stored intervals; none when they are not a history.
    pub fn from_intervals(intervals: Vec<Interval<K>>) -> Option<Self> {
        let joined = intervals.windows(2).all(|pair| pair[0].to == Some(pair[1].from));
        let forward = intervals.iter().all(|it| it.to.is_none_or(|to| it.from < to));
        let open = intervals.last().is_some_and(|it| it.to.is_none());
        (joined && forward && open).then_some(Self { intervals })
    }

    /// The intervals, in their order.
    pub fn intervals(&self) -> &[Interval<K>] {
        &self.intervals
    }

    /// Does something else from `at` on: what was foreseen for later is dropped, what is past stays. Nothing changes
    /// when this is what it does already. `at` before the beginning counts as the beginning.
    pub fn follow(&mut self, at: Moment, next: Next, calendar: &K) {
        let at = self.intervals.first().map_or(at, |it| it.from.max(at));
        self.intervals.retain(|it| it.from < at);
        if let Some(last) = self.intervals.last_mut() {
            last.to = Some(at);
        }
        for interval in next.intervals(at, calendar) {
            match self.intervals.last_mut() {
                Some(last) if last.state == interval.state && last.calendar == interval.calendar => {
                    last.to = interval.to;
                }
                _ => self.intervals.push(interval),
            }
        }
    }

    /// What it does at a moment; as at its beginning before that.
    pub fn state_at(&self, at: Moment) -> ClockState {
        let place = self.intervals.partition_point(|it| it.from <= at);
        self.intervals.get(place.saturating_sub(1)).map_or(ClockState::Stopped, |it| it.state)
    }

    /// Open time spent until `at`.
    pub fn spent<'c>(&self, at: Moment, calendar_of: impl Fn(&K) -> &'c Calendar) -> Duration {
        self.running()
            .take_while(|it| it.from < at)
            .map(|it| {
                let to = it.to.map_or(at, |to| to.min(at));
                calendar_of(&it.calendar).open_between(it.from, to)
            })
            .sum()
    }

    /// When `target` of open time was or will be spent, as things stand; none while that depends on somebody else.
    pub fn due<'c>(&self, target: Duration, calendar_of: impl Fn(&K) -> &'c Calendar) -> Option<Moment> {
        let mut left = target;
        for it in self.running() {
            let calendar = calendar_of(&it.calendar);
            let due = calendar.after(it.from, left);
            match (due, it.to) {
                (due, None) => return due,
                (Some(due), Some(to)) if due <= to => return Some(due),
                (_, Some(to)) => left = left.saturating_sub(calendar.open_between(it.from, to)),
            }
        }
        None
    }

    fn running(&self) -> impl Iterator<Item = &Interval<K>> {
        self.intervals.iter().filter(|it| it.state == ClockState::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn minute(count: i64) -> Moment {
        Moment(count * MINUTE)
    }

    fn minutes(count: u64) -> Duration {
        Duration::from_mins(count)
    }

    fn running() -> History<()> {
        History::begin(minute(0), ClockState::Running.into(), &())
    }

    fn spent(history: &History<()>, at: i64) -> Duration {
        let always = Calendar::always();
        history.spent(minute(at), |()| &always)
    }

    fn due(history: &History<()>, target: u64) -> Option<Moment> {
        let always = Calendar::always();
        history.due(minutes(target), |()| &always)
    }

    #[test]
    fn time_resolved_does_not_count_and_a_refusal_goes_on_where_it_stopped() {
        let mut history = running();
        history.follow(minute(30), ClockState::Stopped.into(), &());
        assert_eq!(due(&history, 60), None);
        assert_eq!(due(&history, 30), Some(minute(30)));
        history.follow(minute(500), ClockState::Running.into(), &());
        assert_eq!(spent(&history, 510), minutes(40));
        assert_eq!(due(&history, 60), Some(minute(530)));
        assert_eq!(history.state_at(minute(499)), ClockState::Stopped);
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let mut history = running();
        let before = history.clone();
        history.follow(minute(10), ClockState::Running.into(), &());
        assert_eq!(history, before);
    }

    #[test]
    fn a_foreseen_end_of_a_pause_counts_by_itself_and_may_be_called_off() {
        let mut history =
            History::begin(minute(0), Next { state: ClockState::Paused, runs_from: Some(minute(100)) }, &());
        assert_eq!(due(&history, 15), Some(minute(115)));
        assert_eq!(spent(&history, 110), minutes(10));
        history.follow(minute(50), ClockState::Stopped.into(), &());
        assert_eq!(due(&history, 15), None);
        assert_eq!(spent(&history, 1_000), Duration::ZERO);
    }

    #[test]
    fn another_calendar_measures_only_what_follows() {
        let week = "mon-sun 00:00-12:00".parse().expect("a week");
        let half = Calendar::new("UTC", week, crate::Holidays::None, crate::Exceptions::default())
            .expect("calendar");
        let always = Calendar::always();
        let of = |key: &bool| if *key { &half } else { &always };
        let mut history = History::begin(minute(0), ClockState::Running.into(), &false);
        history.follow(minute(18 * 60), ClockState::Running.into(), &true);
        assert_eq!(history.spent(minute(30 * 60), of), Duration::from_hours(24));
        assert_eq!(history.due(Duration::from_hours(19), of), Some(minute(25 * 60)));
    }

    #[test]
    fn stored_intervals_with_a_hole_are_no_history() {
        let interval = |from, to: Option<i64>| Interval {
            state: ClockState::Running,
            from: minute(from),
            to: to.map(minute),
            calendar: (),
        };
        assert!(History::from_intervals(vec![interval(0, Some(5)), interval(5, None)]).is_some());
        assert!(History::from_intervals(vec![interval(0, Some(5)), interval(6, None)]).is_none());
        assert!(History::from_intervals(vec![interval(0, Some(5))]).is_none());
        assert!(History::from_intervals(vec![interval(5, Some(5)), interval(5, None)]).is_none());
        assert!(History::<()>::from_intervals(Vec::new()).is_none());
    }
}
