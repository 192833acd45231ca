//! Token buckets per address prefix under one for all, in a table of bounded size.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::peer::address_prefix;
use crate::kernel::rate::Bucket;
pub use crate::kernel::rate::Rate;
use crate::kernel::time::UtcMicros;

/// Addresses remembered at once; more than a site has, and 1 MiB of memory.
const ADDRESSES_MAX: usize = 10_000;
/// How often a full table is looked through at most.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Lets calls through at a rate per address prefix and a rate for all together.
#[derive(Debug)]
pub struct RateLimiter {
    each: Rate,
    all: Rate,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    all: Bucket,
    /// By prefix; nothing when the table was full of busy addresses.
    each: HashMap<Option<IpAddr>, Bucket>,
    swept_at: UtcMicros,
}

impl RateLimiter {
    /// A limiter with `each` per address prefix and `all` in total; rates must be above zero.
    pub fn new(each: Rate, all: Rate, now: UtcMicros) -> Self {
        let state = State { all: Bucket::full(all, now), each: HashMap::new(), swept_at: now };
        Self { each, all, state: Mutex::new(state) }
    }

    /// Takes one call of `address`, or says how long to wait. A refused call costs nothing.
    pub fn take(&self, address: IpAddr, now: UtcMicros) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        state.all.refill(self.all, now);
        let key = state.make_room(self.each, address_prefix(address), now);
        let bucket = state.each.entry(key).or_insert_with(|| Bucket::full(self.each, now));
        bucket.refill(self.each, now);
        if let Some(wait) = bucket.wait(self.each).max(state.all.wait(self.all)) {
            return Err(wait);
        }
        bucket.spend();
        state.all.spend();
        Ok(())
    }
}

impl State {
    /// The key to count `prefix` under. A full table first forgets addresses whose buckets are full again, at
    /// most once a second because that looks at every entry; while all are busy, newcomers share one bucket.
    fn make_room(&mut self, rate: Rate, prefix: IpAddr, now: UtcMicros) -> Option<IpAddr> {
        if self.each.len() < ADDRESSES_MAX || self.each.contains_key(&Some(prefix)) {
            return Some(prefix);
        }
        if now.since(self.swept_at) >= SWEEP_INTERVAL {
            self.swept_at = now;
            self.each.retain(|_, bucket| {
                bucket.refill(rate, now);
                !bucket.is_full(rate)
            });
        }
        (self.each.len() < ADDRESSES_MAX).then_some(prefix)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const EACH: Rate = Rate { per_second: 5.0 / 60.0, burst: 30.0 };
    const ALL: Rate = Rate { per_second: 20.0, burst: 40.0 };
    const START: UtcMicros = UtcMicros(1_800_000_000_000_000);

    fn taken(limiter: &RateLimiter, address: u32, now: UtcMicros, tries: usize) -> usize {
        (0..tries).filter(|_| limiter.take(Ipv4Addr::from(address).into(), now).is_ok()).count()
    }

    #[test]
    fn one_address_has_its_burst_and_then_five_a_minute() {
        let limiter = RateLimiter::new(EACH, ALL, START);
        assert_eq!(taken(&limiter, 1, START, 35), 30);
        let wait = limiter.take(Ipv4Addr::from(1).into(), START).expect_err("empty");
        assert_eq!(wait.as_secs(), 12);
        assert_eq!(taken(&limiter, 1, START + Duration::from_mins(1), 35), 5);
    }

    #[test]
    fn all_addresses_together_have_a_rate_too() {
        let limiter = RateLimiter::new(EACH, ALL, START);
        let through: usize = (0..100).map(|address| taken(&limiter, address, START, 1)).sum();
        assert_eq!(through, 40);
        let later = START + Duration::from_secs(1);
        assert_eq!((100..200).map(|address| taken(&limiter, address, later, 1)).sum::<usize>(), 20);
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_the_table() {
        let wide = Rate { per_second: 1e9, burst: 1e9 };
        let limiter = RateLimiter::new(EACH, wide, START);
        for address in 0..20_000 {
            taken(&limiter, address, START, 1);
        }
        assert!(limiter.state.lock().expect("lock").each.len() <= ADDRESSES_MAX + 1);
        let later = START + Duration::from_hours(1);
        assert_eq!(taken(&limiter, 50_000, later, 40), 30, "refilled addresses made room");
    }
}
