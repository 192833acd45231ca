//! The kernel's address and routing tables below `/proc/net`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Addresses, is_worth_reporting};

/// `RTF_UP` and `RTF_GATEWAY` of `route.h`.
const ROUTE_UP: u32 = 1;
const ROUTE_GATEWAY: u32 = 2;
/// Flags of `if_addr.h`: temporary, duplicate found, not yet checked for duplicates.
const ADDRESS_TEMPORARY: u32 = 0x01;
const ADDRESS_DUPLICATE: u32 = 0x08;
const ADDRESS_TENTATIVE: u32 = 0x40;
const SCOPE_GLOBAL: u32 = 0;

/// One IPv4 route.
#[derive(Debug, PartialEq, Eq)]
struct Route {
    interface: String,
    destination: u32,
    mask: u32,
    gateway: Ipv4Addr,
    flags: u32,
    metric: u32,
}

/// The IPv4 routing table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Routes(Vec<Route>);

impl Routes {
    /// The gateway of the default route through an interface, the preferred one if there are several.
    pub(super) fn gateway(&self, interface: &str) -> Option<Ipv4Addr> {
        let is_default = |it: &&Route| {
            it.interface == interface && it.mask == 0 && it.destination == 0 && it.flags & ROUTE_GATEWAY != 0
        };
        self.0.iter().filter(is_default).min_by_key(|it| it.metric).map(|it| it.gateway)
    }

    /// The interface and prefix length of the narrowest directly attached network that holds `address`.
    pub(super) fn on_link(&self, address: Ipv4Addr) -> Option<(&str, u32)> {
        let address = u32::from(address);
        let holds = |it: &&Route| {
            it.flags & ROUTE_GATEWAY == 0 && it.mask != 0 && address & it.mask == it.destination & it.mask
        };
        let narrowest = self.0.iter().filter(holds).max_by_key(|it| it.mask.count_ones())?;
        Some((narrowest.interface.as_str(), narrowest.mask.count_ones()))
    }
}

/// `/proc/net/route`: a head line, then name, destination, gateway, flags, two counters, metric and mask.
/// Addresses are hexadecimal in the byte order of the machine; captures are of little-endian machines.
pub(super) fn parse_routes(text: &str) -> Routes {
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[interface, destination, gateway, flags, _, _, metric, mask, ..] = fields.as_slice() else {
            return None;
        };
        let address = |hex: &str| u32::from_str_radix(hex, 16).ok().map(u32::swap_bytes);
        Some(Route {
            interface: interface.to_owned(),
            destination: address(destination)?,
            mask: address(mask)?,
            gateway: address(gateway)?.into(),
            flags: u32::from_str_radix(flags, 16).ok()?,
            metric: metric.parse().ok()?,
        })
    };
    let up = |it: &Route| it.flags & ROUTE_UP != 0;
    Routes(text.lines().skip(1).filter_map(parse).filter(up).collect())
}

/// `/proc/net/fib_trie`: the machine's own addresses are the leaves marked `/32 host LOCAL`.
pub(super) fn parse_fib_trie(text: &str) -> BTreeSet<Ipv4Addr> {
    let mut own = BTreeSet::new();
    let mut leaf = None;
    for line in text.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = address.parse::<Ipv4Addr>().ok();
        } else if line == "/32 host LOCAL" {
            own.extend(leaf.filter(|it| is_worth_reporting(*it)));
        }
    }
    own
}

/// `/proc/net/if_inet6`: address, index, prefix length, scope, flags (all hexadecimal) and name.
pub(super) fn parse_if_inet6(text: &str) -> Addresses {
    let mut addresses = Addresses::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[address, _, prefix, scope, flags, interface] = fields.as_slice() else {
            continue;
        };
        let hex = |it: &str| u32::from_str_radix(it, 16).ok();
        let (Some(address), Some(prefix), Some(scope), Some(flags)) =
            (ipv6(address), hex(prefix), hex(scope), hex(flags))
        else {
            continue;
        };
        let unsteady = flags & (ADDRESS_TEMPORARY | ADDRESS_DUPLICATE | ADDRESS_TENTATIVE) != 0;
        if scope == SCOPE_GLOBAL && prefix <= 128 && !unsteady {
            addresses.entry(interface.to_owned()).or_default().push(format!("{address}/{prefix}"));
        }
    }
    addresses
}

/// `/proc/net/ipv6_route`: the next hop of each interface's default route with the lowest metric.
pub(super) fn parse_ipv6_gateways(text: &str) -> BTreeMap<String, Ipv6Addr> {
    let mut best = BTreeMap::<String, (u32, Ipv6Addr)>::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[destination, "00", _, _, hop, metric, _, _, _, interface] = fields.as_slice() else {
            continue;
        };
        let (Some(destination), Some(hop), Ok(metric)) =
            (ipv6(destination), ipv6(hop), u32::from_str_radix(metric, 16))
        else {
            continue;
        };
        if !destination.is_unspecified() || hop.is_unspecified() {
            continue;
        }
        if best.get(interface).is_none_or(|(kept, _)| metric < *kept) {
            best.insert(interface.to_owned(), (metric, hop));
        }
    }
    best.into_iter().map(|(interface, (_, hop))| (interface, hop)).collect()
}

/// 32 hexadecimal digits.
fn ipv6(hex: &str) -> Option<Ipv6Addr> {
    (hex.len() == 32).then(|| u128::from_str_radix(hex, 16).ok()).flatten().map(Ipv6Addr::from)
}

#[cfg(test)]
pub(in crate::probe::linux) mod samples {
    //! Tables of a machine with one address.

    pub(in crate::probe::linux) const ROUTE: &str = "\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	100	00000000	0	0	0
eth0	00000000	020200C0	0003	0	0	50	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
";

    pub(in crate::probe::linux) const FIB_TRIE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.5
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
Local:
        |-- 192.0.2.5
           /32 host LOCAL
";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::samples::{FIB_TRIE, ROUTE};
    use super::*;

    #[test]
    fn the_preferred_default_route_gives_the_gateway() {
        let routes = parse_routes(ROUTE);
        assert_eq!(routes.gateway("eth0"), Some(Ipv4Addr::new(192, 0, 2, 2)));
        assert_eq!(routes.gateway("eth1"), None);
        assert_eq!(routes.on_link(Ipv4Addr::new(192, 0, 2, 9)), Some(("eth0", 24)));
        assert_eq!(routes.on_link(Ipv4Addr::new(198, 51, 100, 1)), None);
    }

    #[test]
    fn own_addresses_are_the_local_leaves_each_once_without_loopback() {
        assert_eq!(parse_fib_trie(FIB_TRIE), BTreeSet::from([Ipv4Addr::new(192, 0, 2, 5)]));
    }

    #[test]
    fn temporary_tentative_and_link_local_addresses_are_left_out() {
        let text = "\
20010db8000000000000000000000001 02 40 00 80     eth0
20010db8000000000000000000000002 02 40 00 01     eth0
20010db8000000000000000000000003 02 40 00 40     eth0
20010db8000000000000000000000004 02 80 00 00     eth0
fe800000000000000000000000000001 02 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
";
        let addresses = parse_if_inet6(text);
        assert_eq!(addresses["eth0"], ["2001:db8::1/64", "2001:db8::4/128"]);
        assert_eq!(addresses.len(), 1);
    }

    #[test]
    fn the_ipv6_gateway_is_the_hop_of_the_best_default_route() {
        let zero = "0".repeat(32);
        let line = |hop: &str, metric: &str| {
            format!("{zero} 00 {zero} 00 {hop} {metric} 00000001 00000000 00450003     eth0\n")
        };
        let text = line("fe800000000000000000000000000002", "00000400")
            + &line("fe800000000000000000000000000001", "00000064")
            + &line(&zero, "ffffffff");
        assert_eq!(parse_ipv6_gateways(&text)["eth0"].to_string(), "fe80::1");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "([0-9a-f]{8}\t|[0-9a-f]{32} |\\|-- |/32 host LOCAL|[0-9.]{1,4}|eth0|\n|\\PC)*") {
            let routes = parse_routes(&text);
            for address in parse_fib_trie(&text) {
                routes.on_link(address);
            }
            parse_if_inet6(&text);
            parse_ipv6_gateways(&text);
        }
    }
}
