//! When to call the collector next. Pure: time and randomness come in, a moment goes out.

use std::time::Duration;

use crate::clock::UtcMicros;
use crate::identity::Validity;

/// First bound of the back-off after a failure.
const BACKOFF_FIRST: Duration = Duration::from_secs(30);
/// Last bound: a collector that is away for days is asked about once in half an hour.
const BACKOFF_MOST: Duration = Duration::from_hours(1);
/// How often a machine tries whose certificate is refused; an administrator may have changed his mind.
const REFUSED_WAIT: Duration = Duration::from_hours(1);
/// The longest push-back obeyed; a longer one is a mistake or an attempt to silence the machine.
const PUSHBACK_MOST: Duration = Duration::from_hours(24);
/// A waiting agent looks at the clock this often, so that a laptop that slept is late by this at most.
const STEP_MOST: Duration = Duration::from_mins(5);

/// How contacts are spaced, from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// When the collector names no time.
    pub interval: Duration,
    /// Closer contacts are not made, whatever the collector says.
    pub least: Duration,
    /// Longer silence is not kept, whatever the collector says.
    pub most: Duration,
    /// Longest wait after a start.
    pub boot_wait: Duration,
}

/// What a failed contact allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The collector said when.
    After(Duration),
    /// Exponential, with full jitter.
    BackOff,
    /// The collector does not want this machine; ask seldom.
    Seldom,
}

/// Next contact after an answer: what the collector told, within the configured limits. When it told
/// nothing, the machine's own slot in the interval.
pub fn after_answer(now: UtcMicros, told_s: u32, agent_id: &str, pace: &Pace) -> UtcMicros {
    match told_s {
        0 => next_slot(now, agent_id, pace.interval),
        told => now.saturating_add(micros(Duration::from_secs(told.into()).clamp(pace.least, pace.most))),
    }
}

/// Next contact after a failure. `failures` counts from 1 for the first in a row, `random` is any number.
pub fn after_failure(now: UtcMicros, retry: Retry, failures: u32, random: u64) -> UtcMicros {
    let wait = match retry {
        Retry::After(told) => told.min(PUSHBACK_MOST),
        Retry::BackOff => jitter(backoff_bound(failures), random),
        Retry::Seldom => REFUSED_WAIT,
    };
    now.saturating_add(micros(wait))
}

/// First contact of a service that has just started. A planned time that is still ahead is kept, unless
/// it is further ahead than any plan can be: then the clock was wrong.
pub fn after_start(now: UtcMicros, planned: Option<UtcMicros>, pace: &Pace, random: u64) -> UtcMicros {
    let latest_plan = now.saturating_add(micros(pace.most.max(PUSHBACK_MOST)));
    match planned {
        Some(planned) if (now..=latest_plan).contains(&planned) => planned,
        _ => now.saturating_add(micros(jitter(pace.boot_wait, random))),
    }
}

/// How long to sleep before looking at the clock again; `None` when the moment has come.
///
/// `left_on_clock` is what the clock says, `left_of_wait` what is left of the wait that was begun, by a
/// clock that nobody sets. The shorter counts: a laptop that slept is not late, and a clock that was set
/// back by years does not silence the machine for years.
pub fn step(left_on_clock: i64, left_of_wait: i64) -> Option<Duration> {
    let left = u64::try_from(left_on_clock.min(left_of_wait)).ok().filter(|it| *it > 0)?;
    Some(Duration::from_micros(left).min(STEP_MOST))
}

/// When a certificate is renewed: at half of its life, a tenth of the life earlier or later by agent
/// and generation, so that machines enrolled in one hour do not renew in one hour.
pub fn renew_at(validity: Validity, agent_id: &str, generation: u64) -> UtcMicros {
    let life = validity.not_after.saturating_sub(validity.not_before).max(0);
    let spread = life / 5;
    let offset = spread_over(&format!("{agent_id}/{generation}"), spread.unsigned_abs());
    validity.not_before + life / 2 - spread / 2 + i64::try_from(offset).unwrap_or(0)
}

/// The next moment whose place in the interval is this agent's: a hash over the whole interval.
fn next_slot(now: UtcMicros, agent_id: &str, interval: Duration) -> UtcMicros {
    let interval = micros(interval).max(1);
    let phase = i64::try_from(spread_over(agent_id, interval.unsigned_abs())).unwrap_or(0);
    let since_slot = (now - phase).rem_euclid(interval);
    now.saturating_add(interval - since_slot)
}

fn backoff_bound(failures: u32) -> Duration {
    let doubled = BACKOFF_FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(BACKOFF_MOST)
}

/// Evenly between nothing and `most`.
fn jitter(most: Duration, random: u64) -> Duration {
    Duration::from_micros(scale(random, micros(most).unsigned_abs()))
}

fn spread_over(text: &str, range: u64) -> u64 {
    let hash = blake3::derive_key("parc agent phase", text.as_bytes());
    let first = hash.first_chunk::<8>().copied().unwrap_or_default();
    scale(u64::from_be_bytes(first), range)
}

/// Maps an evenly spread number to `0..=range` without favouring small values.
fn scale(random: u64, range: u64) -> u64 {
    let scaled = (u128::from(random) * (u128::from(range) + 1)) >> 64;
    u64::try_from(scaled).unwrap_or(range)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND_US;

    const HOUR: i64 = 3600 * SECOND_US;
    const NOW: UtcMicros = 1_795_269_789 * SECOND_US;

    fn pace() -> Pace {
        crate::config::Config::default().pace()
    }

    #[test]
    fn the_time_the_collector_told_is_obeyed_within_the_limits() {
        assert_eq!(after_answer(NOW, 7200, "a", &pace()), NOW + 2 * HOUR);
        assert_eq!(after_answer(NOW, 1, "a", &pace()), NOW + 60 * SECOND_US);
        assert_eq!(after_answer(NOW, u32::MAX, "a", &pace()), NOW + 7 * 24 * HOUR);
    }

    #[test]
    fn without_a_told_time_each_agent_keeps_its_own_slot() {
        let first = after_answer(NOW, 0, "agent", &pace());
        assert!((NOW + 1..=NOW + 4 * HOUR).contains(&first));
        assert_eq!(after_answer(first, 0, "agent", &pace()), first + 4 * HOUR);
        assert_eq!(after_answer(first - 1, 0, "agent", &pace()), first);
    }

    #[test]
    fn slots_fill_the_whole_interval_evenly() {
        let mut quarters = [0; 4];
        for n in 0..1000 {
            let into = (next_slot(0, &format!("agent-{n}"), Duration::from_hours(4)) - 1) / HOUR;
            quarters[usize::try_from(into).unwrap()] += 1;
        }
        assert!(quarters.iter().all(|it| (200..300).contains(it)), "{quarters:?}");
    }

    #[test]
    fn the_back_off_doubles_from_thirty_seconds_to_one_hour() {
        let longest = |failures| (after_failure(NOW, Retry::BackOff, failures, u64::MAX) - NOW) / SECOND_US;
        assert_eq!([1, 2, 3, 7, 8, 40].map(longest), [30, 60, 120, 1920, 3600, 3600]);
        assert_eq!(after_failure(NOW, Retry::BackOff, 5, 0), NOW, "full jitter begins at once");
    }

    #[test]
    fn a_push_back_is_obeyed_but_cannot_silence_a_machine() {
        let wait = |told| after_failure(NOW, Retry::After(told), 1, 0) - NOW;
        assert_eq!(wait(Duration::from_millis(1500)), 1_500_000);
        assert_eq!(wait(Duration::from_secs(u64::MAX)), 24 * HOUR);
    }

    #[test]
    fn a_start_keeps_the_plan_and_else_waits_at_random() {
        assert_eq!(after_start(NOW, Some(NOW + HOUR), &pace(), 5), NOW + HOUR);
        assert_eq!(after_start(NOW, None, &pace(), u64::MAX), NOW + HOUR / 4);
        assert_eq!(after_start(NOW, Some(NOW - 1), &pace(), 0), NOW);
        assert_eq!(after_start(NOW, Some(NOW + 999 * HOUR), &pace(), 0), NOW, "the clock was wrong");
    }

    #[test]
    fn waiting_is_cut_into_steps_and_ends_by_either_clock() {
        assert_eq!(step(HOUR, HOUR), Some(Duration::from_mins(5)));
        assert_eq!(step(1, HOUR), Some(Duration::from_micros(1)));
        assert_eq!(step(0, HOUR), None, "the machine slept");
        assert_eq!(step(90_000 * HOUR, -5), None, "the clock was set back");
    }

    #[test]
    fn renewal_is_at_half_life_give_or_take_a_tenth() {
        let validity = Validity { not_before: NOW, not_after: NOW + 720 * HOUR };
        let moments: Vec<i64> =
            (1..200).map(|generation| renew_at(validity, "a", generation) - NOW).collect();
        assert!(moments.iter().all(|it| (288 * HOUR..=432 * HOUR).contains(it)));
        assert!(moments.iter().any(|it| *it < 310 * HOUR) && moments.iter().any(|it| *it > 410 * HOUR));
    }
}
