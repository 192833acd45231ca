//! Token buckets: how often something may be done, with room for bursts.

use std::time::Duration;

use super::time::UtcMicros;

/// How fast a bucket refills and how much it holds. Both are above zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Calls per second in the long run.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: f64,
}

/// What one caller has left. Its rate is given with each question, for many share one.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    tokens: f64,
    at: UtcMicros,
}

impl Bucket {
    /// One that nobody has used yet.
    pub fn full(rate: Rate, now: UtcMicros) -> Self {
        Self { tokens: rate.burst, at: now }
    }

    /// Adds what has come in since the last look. A clock that steps back adds nothing.
    pub fn refill(&mut self, rate: Rate, now: UtcMicros) {
        self.tokens = (self.tokens + now.since(self.at).as_secs_f64() * rate.per_second).min(rate.burst);
        self.at = self.at.max(now);
    }

    /// How long until there is a token; nothing when there is one.
    pub fn wait(&self, rate: Rate) -> Option<Duration> {
        (self.tokens < 1.0).then(|| Duration::from_secs_f64((1.0 - self.tokens) / rate.per_second))
    }

    /// Takes a token that [`Bucket::wait`] found.
    pub fn spend(&mut self) {
        self.tokens -= 1.0;
    }

    /// Nothing was taken for so long that forgetting the bucket changes nothing.
    pub fn is_full(&self, rate: Rate) -> bool {
        self.tokens >= rate.burst
    }

    /// When it was used last.
    pub fn used_at(&self) -> UtcMicros {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 2.0, burst: 3.0 };
    const START: UtcMicros = UtcMicros(1_800_000_000_000_000);

    fn taken(bucket: &mut Bucket, now: UtcMicros) -> usize {
        let mut taken = 0;
        bucket.refill(RATE, now);
        while bucket.wait(RATE).is_none() {
            bucket.spend();
            taken += 1;
        }
        taken
    }

    #[test]
    fn after_the_burst_the_rate_counts() {
        let mut bucket = Bucket::full(RATE, START);
        assert_eq!(taken(&mut bucket, START), 3);
        assert_eq!(bucket.wait(RATE), Some(Duration::from_millis(500)));
        assert_eq!(taken(&mut bucket, START + Duration::from_secs(1)), 2);
        assert_eq!(taken(&mut bucket, START + Duration::from_hours(1)), 3);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_twice() {
        let mut bucket = Bucket::full(RATE, START);
        assert_eq!(taken(&mut bucket, START), 3);
        assert_eq!(taken(&mut bucket, START - Duration::from_hours(1)), 0);
        assert_eq!(taken(&mut bucket, START), 0);
    }
}
