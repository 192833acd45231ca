//! Network interfaces with their addresses.
//!
//! Left out: the loopback, and the near ends of container links (virtual Ethernet whose other end lies in
//! another namespace): they come and go with every container and tell nothing about the machine.
//! IPv6: link-local addresses, temporary ones (RFC 8981, they change daily) and those not yet usable are
//! left out, so that an untouched machine reports the same every day.

pub(super) mod tables;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use mac_address::MacAddress;
use parc_wire::v1::{NetworkItem, ProblemKind};

use self::tables::Routes;
use super::{Failure, Probed};
use crate::root::Root;

const INTERFACES: &str = "/sys/class/net";
/// Beyond that it is a container host, and its interfaces are not its equipment.
const INTERFACES_MAX: usize = 256;
/// Addresses of one family on one interface; hosting servers put hundreds on one.
const ADDRESSES_MAX: usize = 64;
const TABLE_BYTES_MAX: u64 = 1024 * 1024;

/// Interface types of `if_arp.h`.
const TYPE_ETHERNET: u32 = 1;
const TYPE_INFINIBAND: u32 = 32;
const TYPE_LOOPBACK: u32 = 772;

/// `addr_assign_type`: burned in, drawn by the kernel.
const ADDRESS_PERMANENT: u8 = 0;
const ADDRESS_RANDOM: u8 = 1;

/// Addresses by interface name.
type Addresses = BTreeMap<String, Vec<String>>;

/// Reads the NETWORK section.
pub(super) fn run(root: &Root) -> Result<Probed, Failure> {
    let listing = root
        .list_dir(INTERFACES, INTERFACES_MAX)
        .map_err(|error| Failure::reading(INTERFACES, "network interfaces", &error))?;
    let mut probed = Probed::default();
    if listing.cut {
        let reason =
            format!("There are more than {INTERFACES_MAX} network interfaces; the rest was left out.");
        probed.problem(Failure::new(ProblemKind::Cut, INTERFACES, reason));
    }
    let table = |path: &str| root.read_text(path, TABLE_BYTES_MAX).unwrap_or_default();
    let routes = tables::parse_routes(&table("/proc/net/route"));
    let gateways6 = tables::parse_ipv6_gateways(&table("/proc/net/ipv6_route"));
    let ipv6 = tables::parse_if_inet6(&table("/proc/net/if_inet6"));
    let ipv4 =
        if root.is_live() { asked_ipv4() } else { captured_ipv4(&table("/proc/net/fib_trie"), &routes) };
    for name in &listing.names {
        let folder = format!("{INTERFACES}/{name}");
        let arp_type: u32 = root.number(&format!("{folder}/type")).unwrap_or(0);
        if arp_type == TYPE_LOOPBACK || is_container_link(root, &folder, arp_type) {
            continue;
        }
        let mut item = interface(root, &folder, arp_type, &mut probed);
        item.ipv4 = addresses(&ipv4, name, &mut probed);
        item.ipv6 = addresses(&ipv6, name, &mut probed);
        item.gateway = routes.gateway(name).map(|it| it.to_string()).unwrap_or_default();
        if item.gateway.is_empty() {
            item.gateway = gateways6.get(name).map(ToString::to_string).unwrap_or_default();
        }
        probed.put(name, &item);
    }
    Ok(probed)
}

fn addresses(all: &Addresses, name: &str, probed: &mut Probed) -> Vec<String> {
    let mut own = all.get(name).cloned().unwrap_or_default();
    own.sort_unstable();
    own.dedup();
    if own.len() > ADDRESSES_MAX {
        let reason = format!("{name} has {} addresses; all but {ADDRESSES_MAX} were left out.", own.len());
        probed.problem(Failure::new(ProblemKind::Cut, INTERFACES, reason));
        own.truncate(ADDRESSES_MAX);
    }
    own
}

fn interface(root: &Root, folder: &str, arp_type: u32, probed: &mut Probed) -> NetworkItem {
    let attribute = |path: &str| root.attribute(&format!("{folder}/{path}")).unwrap_or_default();
    let is_virtual = !root.exists(&format!("{folder}/device"));
    let (mac, permanent_mac) = mac(root, folder, is_virtual);
    let driver = root.link(&format!("{folder}/device/driver")).unwrap_or_default();
    let state = attribute("operstate");
    NetworkItem {
        mac,
        permanent_mac,
        // -1 and refusals mean not known.
        speed_mbps: attribute("speed").parse().unwrap_or(0),
        r#virtual: is_virtual,
        // Tunnels and old drivers do not tell their state, but they tell whether they carry.
        up: state == "up" || (state == "unknown" && attribute("carrier") == "1"),
        kind: kind(root, folder, arp_type, &attribute("uevent")).into(),
        driver: probed.text(driver.rsplit('/').next().unwrap_or_default()),
        ..NetworkItem::default()
    }
}

/// The MAC address, and whether it is the one burned in. An interface that hides behind another address
/// (random Wi-Fi, member of a bond) is asked for its own. The address of a virtual interface that the kernel
/// draws anew at every boot is left out.
fn mac(root: &Root, folder: &str, is_virtual: bool) -> (String, bool) {
    let read = |path: &str| root.attribute(&format!("{folder}/{path}")).and_then(|it| strict_mac(&it));
    let own = read("phy80211/macaddress").or_else(|| read("bonding_slave/perm_hwaddr"));
    let origin: Option<u8> = root.number(&format!("{folder}/addr_assign_type"));
    let drawn = is_virtual && origin == Some(ADDRESS_RANDOM);
    match (own, read("address").filter(|_| !drawn)) {
        (Some(own), _) => (own, true),
        (None, Some(shown)) => (shown, origin == Some(ADDRESS_PERMANENT)),
        (None, None) => (String::new(), false),
    }
}

/// Six bytes in lower case with colons; `None` for anything else and for the all-zero address.
fn strict_mac(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let mac: MacAddress = text.parse().ok()?;
    let canonical = mac.to_string().to_ascii_lowercase();
    (canonical == text && mac.bytes() != [0; 6]).then_some(canonical)
}

fn kind(root: &Root, folder: &str, arp_type: u32, uevent: &str) -> &'static str {
    let has = |path: &str| root.exists(&format!("{folder}/{path}"));
    match uevent.lines().find_map(|it| it.strip_prefix("DEVTYPE=")).unwrap_or_default() {
        "wlan" => return "wifi",
        "wwan" => return "mobile",
        "bluetooth" => return "bluetooth",
        "bridge" => return "bridge",
        "bond" => return "bond",
        "vlan" => return "vlan",
        "wireguard" | "vxlan" | "geneve" | "gre" => return "tunnel",
        _ => {}
    }
    if has("wireless") || has("phy80211") {
        return "wifi";
    }
    if has("bridge") {
        return "bridge";
    }
    if has("bonding") {
        return "bond";
    }
    match arp_type {
        _ if has("tun_flags") => "tunnel",
        TYPE_ETHERNET => "ethernet",
        TYPE_INFINIBAND => "infiniband",
        // Point-to-point, IP in IP, SIT, GRE and "none" carry packets over another interface.
        512 | 768 | 769 | 776 | 778 | 823 | 65_534 => "tunnel",
        _ => "",
    }
}

/// Virtual Ethernet whose peer has an index of another namespace; VLANs have a `lower_` link instead.
fn is_container_link(root: &Root, folder: &str, arp_type: u32) -> bool {
    let index = |path: &str| root.number::<u32>(&format!("{folder}/{path}")).unwrap_or(0);
    let peer = index("iflink");
    if arp_type != TYPE_ETHERNET || peer == 0 || peer == index("ifindex") {
        return false;
    }
    let names = root.list_dir(folder, INTERFACES_MAX).unwrap_or_default().names;
    !names.iter().any(|it| it.starts_with("lower_") || it == "device")
}

/// The live machine's IPv4 addresses with their prefixes.
fn asked_ipv4() -> Addresses {
    let Ok(networks) = sysinfo::Networks::new_with_refreshed_list() else {
        return Addresses::new();
    };
    let pair = |(name, data): (&std::ffi::OsString, &sysinfo::NetworkData)| {
        let own = data.ip_networks().iter().filter(|it| it.addr.is_ipv4()).map(ToString::to_string).collect();
        Some((name.to_str()?.to_owned(), own))
    };
    networks.iter().filter_map(pair).collect()
}

/// A captured tree lists its own addresses apart from its interfaces: the on-link route an address falls
/// into tells both interface and prefix.
fn captured_ipv4(fib_trie: &str, routes: &Routes) -> Addresses {
    let mut addresses = Addresses::new();
    for address in tables::parse_fib_trie(fib_trie) {
        if let Some((interface, prefix)) = routes.on_link(address) {
            addresses.entry(interface.to_owned()).or_default().push(format!("{address}/{prefix}"));
        }
    }
    addresses
}

/// Whether an address says anything about the network the machine is in.
fn is_worth_reporting(address: Ipv4Addr) -> bool {
    !address.is_loopback() && !address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_bytes_with_colons_are_a_mac() {
        assert_eq!(strict_mac("A4:BB:6D:12:34:56").as_deref(), Some("a4:bb:6d:12:34:56"));
        for text in [
            "00:00:00:00:00:00",
            "a4bb6d123456",
            "a4-bb-6d-12-34-56",
            "a4:bb:6d:12:34",
            "x",
            "1:2:3:4:5:6:7:8:9",
        ] {
            assert_eq!(strict_mac(text), None, "{text}");
        }
    }

    fn write(dir: &std::path::Path, path: &str, text: &str) {
        let path = dir.join("sys/class/net/x").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_random_wifi_address_is_replaced_by_the_one_burned_in() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::captured(dir.path().to_owned());
        write(dir.path(), "address", "da:a1:19:00:00:01\n");
        write(dir.path(), "addr_assign_type", "3\n");
        assert_eq!(mac(&root, "/sys/class/net/x", false), ("da:a1:19:00:00:01".into(), false));
        write(dir.path(), "phy80211/macaddress", "a4:bb:6d:12:34:56\n");
        assert_eq!(mac(&root, "/sys/class/net/x", false), ("a4:bb:6d:12:34:56".into(), true));
    }

    #[test]
    fn an_address_drawn_at_every_boot_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::captured(dir.path().to_owned());
        write(dir.path(), "address", "46:59:ec:32:bb:48\n");
        write(dir.path(), "addr_assign_type", "1\n");
        assert_eq!(mac(&root, "/sys/class/net/x", true), (String::new(), false));
        assert_eq!(mac(&root, "/sys/class/net/x", false).0, "46:59:ec:32:bb:48");
    }

    #[test]
    fn the_near_end_of_a_container_link_is_left_out_and_a_vlan_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::captured(dir.path().to_owned());
        write(dir.path(), "ifindex", "7\n");
        write(dir.path(), "iflink", "2\n");
        assert!(is_container_link(&root, "/sys/class/net/x", TYPE_ETHERNET));
        write(dir.path(), "lower_eth0/ifindex", "2\n");
        assert!(!is_container_link(&root, "/sys/class/net/x", TYPE_ETHERNET));
    }

    #[test]
    fn addresses_of_a_capture_find_their_interface_by_route() {
        let routes = tables::parse_routes(tables::samples::ROUTE);
        let found = captured_ipv4(tables::samples::FIB_TRIE, &routes);
        assert_eq!(found["eth0"], ["192.0.2.5/24"]);
        assert_eq!(found.len(), 1);
    }
}
