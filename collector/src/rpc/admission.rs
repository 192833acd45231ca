//! How many connections there may be, in total, unproven and per address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::peer::address_prefix;

/// Limits of the agents' door.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Open connections. One costs about 50 KiB; agents hang up after their call.
    pub total: usize,
    /// Open connections that showed no client certificate.
    pub unauthenticated: usize,
    /// Open connections of one address prefix: a company behind one address.
    pub per_address: usize,
    /// From accept to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// From the handshake to the first call.
    pub first_call_timeout: Duration,
    /// Without a call.
    pub idle_timeout: Duration,
    /// Calls of agents answered at once. Each may hold a decoded message of 4 MiB; twice the reports of two
    /// group commits.
    pub calls: usize,
    /// Calls of peers without a certificate answered at once, apart, so that they cannot keep agents waiting.
    pub stranger_calls: usize,
    /// For a place among those.
    pub call_queue_timeout: Duration,
    /// Of one call, its request's arrival included.
    pub call_timeout: Duration,
    /// Age of a connection, so that revocation and new server certificates reach everybody.
    pub age_max: Duration,
    /// For calls under way after the connection was told to end.
    pub age_grace: Duration,
    /// For calls under way when the collector stops.
    pub drain: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: 2_000,
            unauthenticated: 512,
            per_address: 256,
            handshake_timeout: Duration::from_secs(10),
            first_call_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            calls: 256,
            stranger_calls: 64,
            call_queue_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(30),
            age_max: Duration::from_mins(10),
            age_grace: Duration::from_secs(30),
            drain: Duration::from_secs(20),
        }
    }
}

/// Counts open connections.
#[derive(Debug)]
pub(super) struct Admission {
    limits: ConnectionLimits,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    unauthenticated: usize,
    by_prefix: HashMap<IpAddr, usize>,
}

/// One admitted connection; dropping it makes room.
#[derive(Debug)]
pub(super) struct Permit {
    admission: Arc<Admission>,
    prefix: IpAddr,
    proven: bool,
}

impl Admission {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default() })
    }

    /// Room for one more connection of `address`, counted as unproven; nothing when there is none.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Permit> {
        let prefix = address_prefix(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_prefix = open.by_prefix.get(&prefix).copied().unwrap_or(0);
        if open.total >= self.limits.total
            || open.unauthenticated >= self.limits.unauthenticated
            || of_prefix >= self.limits.per_address
        {
            return None;
        }
        open.total += 1;
        open.unauthenticated += 1;
        open.by_prefix.insert(prefix, of_prefix + 1);
        Some(Permit { admission: Arc::clone(self), prefix, proven: false })
    }
}

impl Permit {
    /// The peer showed a client certificate of ours.
    pub(super) fn prove(&mut self) {
        if !self.proven {
            self.proven = true;
            self.admission.open.lock().unwrap_or_else(PoisonError::into_inner).unauthenticated -= 1;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.admission.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        if !self.proven {
            open.unauthenticated -= 1;
        }
        if let Some(count) = open.by_prefix.get_mut(&self.prefix) {
            *count -= 1;
            if *count == 0 {
                open.by_prefix.remove(&self.prefix);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, unauthenticated: usize, per_address: usize) -> Arc<Admission> {
        Admission::new(ConnectionLimits {
            total,
            unauthenticated,
            per_address,
            ..ConnectionLimits::default()
        })
    }

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from(number).into()
    }

    #[test]
    fn one_address_does_not_take_every_place() {
        let admission = admission(10, 10, 2);
        let held: Vec<Permit> = (0..2).filter_map(|_| admission.admit(address(1))).collect();
        assert!(admission.admit(address(1)).is_none());
        assert!(admission.admit(address(2)).is_some());
        drop(held);
        assert!(admission.admit(address(1)).is_some());
        assert!(
            admission.open.lock().expect("lock").by_prefix.is_empty(),
            "addresses without connections are forgotten"
        );
    }

    #[test]
    fn strangers_do_not_keep_agents_out() {
        let admission = admission(10, 2, 10);
        let mut agent = admission.admit(address(1)).expect("room");
        agent.prove();
        agent.prove();
        let strangers: Vec<Permit> = (0..5).filter_map(|number| admission.admit(address(number))).collect();
        assert_eq!(strangers.len(), 2);
        drop(strangers);
        drop(agent);
        let open = admission.open.lock().expect("lock");
        assert_eq!((open.total, open.unauthenticated), (0, 0));
    }
}
