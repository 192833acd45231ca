//! How often a key may call: one token bucket per key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::kernel::id::ApiKeyId;
use crate::kernel::rate::Bucket;
pub use crate::kernel::rate::Rate;
use crate::kernel::time::UtcMicros;

/// Keys remembered. Beyond it the longest unused ones are forgotten, and with them at most one burst each.
const KEYS_MAX: usize = 4_096;

/// What every key may do: a helpdesk that copies every ticket stays far below; a loop gone wild leaves room for
/// others.
pub(super) const USUAL: Rate = Rate { per_second: 100.0, burst: 400.0 };
/// Longest wait that is told.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// Counts the calls of all keys.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    rate: Rate,
    buckets: Arc<Mutex<HashMap<ApiKeyId, Bucket>>>,
}

impl RateLimiter {
    /// With that rate for every key.
    pub fn new(rate: Rate) -> Self {
        Self { rate, buckets: Arc::default() }
    }

    /// Counts one call; otherwise says how long to wait.
    pub fn take(&self, key: ApiKeyId, now: UtcMicros) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEYS_MAX && !buckets.contains_key(&key) {
            forget_oldest_half(&mut buckets);
        }
        let bucket = buckets.entry(key).or_insert_with(|| Bucket::full(self.rate, now));
        bucket.refill(self.rate, now);
        if let Some(wait) = bucket.wait(self.rate) {
            return Err(wait.min(WAIT_MAX));
        }
        bucket.spend();
        Ok(())
    }
}

fn forget_oldest_half(buckets: &mut HashMap<ApiKeyId, Bucket>) {
    let mut moments: Vec<UtcMicros> = buckets.values().map(Bucket::used_at).collect();
    moments.sort_unstable();
    let middle = moments[moments.len() / 2];
    buckets.retain(|_, bucket| bucket.used_at() > middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u128) -> ApiKeyId {
        ApiKeyId::from(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_burst_is_allowed_and_then_the_rate_counts() {
        let limiter = RateLimiter::new(Rate { per_second: 2.0, burst: 3.0 });
        let start = UtcMicros::from_seconds(1_000);
        for _ in 0..3 {
            assert_eq!(limiter.take(key(1), start), Ok(()));
        }
        assert_eq!(limiter.take(key(1), start), Err(Duration::from_millis(500)));
        assert_eq!(limiter.take(key(2), start), Ok(()), "another key has its own bucket");
        assert_eq!(limiter.take(key(1), start + Duration::from_millis(500)), Ok(()));
    }

    #[test]
    fn many_keys_do_not_fill_the_memory() {
        let limiter = RateLimiter::new(USUAL);
        for number in 0..20_000_u32 {
            let now = UtcMicros::from_seconds(i64::from(number));
            assert_eq!(limiter.take(key(u128::from(number)), now), Ok(()));
        }
        assert!(limiter.buckets.lock().expect("lock").len() <= KEYS_MAX);
    }
}
