//! Which machine of the stock can stand in for another: at least the same memory, disk and screen, a system of the same
//! class; the nearest first. Pure.

use crate::inventory::{CiSummary, Machine};
use crate::kernel::id::SiteId;
use crate::words;

words! {
    /// Systems on which the same programs run.
    OsClass {
        /// Microsoft Windows.
        Windows = "windows",
        /// A Linux distribution.
        Linux = "linux",
        /// macOS.
        Macos = "macos",
        /// Something else.
        Other = "other",
    }
    /// What an offered machine lacks.
    Shortfall {
        /// Less memory, or nobody knows how much.
        Memory = "memory",
        /// Smaller disks, or nobody knows how large.
        Disk = "disk",
        /// A smaller screen, or none.
        Screen = "screen",
        /// A system on which other programs run.
        Os = "os",
        /// Cannot be carried along, as the original can.
        Portable = "portable",
    }
}

impl OsClass {
    /// From the name that the machine gives its system; nothing when it gives none.
    pub fn of(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|it| name.contains(it));
        if name.is_empty() {
            None
        } else if has(&["windows"]) {
            Some(Self::Windows)
        } else if has(&["macos", "mac os", "os x"]) {
            Some(Self::Macos)
        } else if has(&[
            "linux", "debian", "ubuntu", "fedora", "red hat", "suse", "arch", "mint", "rocky", "alma",
        ]) {
            Some(Self::Linux)
        } else {
            Some(Self::Other)
        }
    }
}

/// What counts when one machine stands in for another. Zero or nothing is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Memory, MiB.
    pub memory_mib: i64,
    /// Fixed disks together, MiB.
    pub disk_mib: i64,
    /// Diagonal of the built-in screen, millimetres.
    pub screen_mm: u32,
    /// Class of the system.
    pub os: Option<OsClass>,
    /// A laptop.
    pub portable: bool,
    /// Where it is.
    pub site: Option<SiteId>,
}

impl Configuration {
    /// Of a machine as last reported.
    pub fn of(ci: &CiSummary, machine: &Machine) -> Self {
        let screens = machine.displays.iter().filter(|it| it.1.internal).map(|it| it.1.diagonal_mm);
        Self {
            memory_mib: ci.memory_mib,
            disk_mib: ci.disk_mib,
            screen_mm: screens.max().unwrap_or(0),
            os: OsClass::of(&ci.os_name),
            portable: ci.kind == "laptop",
            site: ci.site_id,
        }
    }
}

/// A machine of the stock, measured against what is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its place in the list that was given.
    pub index: usize,
    /// What it lacks; nothing makes it an equivalent.
    pub shortfalls: Vec<Shortfall>,
    /// It is where it is needed.
    pub on_site: bool,
}

impl Offer {
    /// At least what is needed, in every respect.
    pub fn is_equivalent(&self) -> bool {
        self.shortfalls.is_empty()
    }
}

/// The stock in the order in which it is offered: equivalents first, those on site before others, the one that gives
/// least away first; then what comes nearest.
pub fn offers(needed: &Configuration, site: Option<SiteId>, stock: &[Configuration]) -> Vec<Offer> {
    let mut offers: Vec<Offer> = stock
        .iter()
        .enumerate()
        .map(|(index, it)| Offer {
            index,
            shortfalls: shortfalls(needed, it),
            on_site: site.is_some() && it.site == site,
        })
        .collect();
    offers.sort_by_key(|it| {
        let machine = &stock[it.index];
        (it.shortfalls.len(), !it.on_site, machine.memory_mib, machine.disk_mib, it.index)
    });
    offers
}

/// Diagonals that differ by less are the same size: panels of one nominal size vary.
const SCREEN_TOLERANCE_MM: u32 = 8;
/// Disks of one nominal size differ by a few parts in a hundred.
const DISK_TOLERANCE_PERCENT: i64 = 5;

fn shortfalls(needed: &Configuration, offered: &Configuration) -> Vec<Shortfall> {
    let disk_needed = needed.disk_mib / 100 * (100 - DISK_TOLERANCE_PERCENT);
    let lacks = [
        (Shortfall::Memory, offered.memory_mib < needed.memory_mib),
        (Shortfall::Disk, offered.disk_mib < disk_needed),
        (Shortfall::Screen, offered.screen_mm + SCREEN_TOLERANCE_MM < needed.screen_mm),
        (Shortfall::Os, needed.os.is_some() && offered.os != needed.os),
        (Shortfall::Portable, needed.portable && !offered.portable),
    ];
    lacks.into_iter().filter(|it| it.1).map(|it| it.0).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn site(number: u128) -> SiteId {
        SiteId::from(uuid::Uuid::from_u128(number))
    }

    fn laptop() -> Configuration {
        Configuration {
            memory_mib: 16_384,
            disk_mib: 488_386,
            screen_mm: 355,
            os: Some(OsClass::Windows),
            portable: true,
            site: Some(site(1)),
        }
    }

    #[test]
    fn the_smallest_equivalent_on_site_comes_first() {
        let stock = [
            Configuration { memory_mib: 8_192, ..laptop() },
            Configuration { site: Some(site(2)), ..laptop() },
            Configuration { memory_mib: 65_536, ..laptop() },
            Configuration { memory_mib: 32_768, disk_mib: 976_762, ..laptop() },
        ];
        let offers = offers(&laptop(), Some(site(1)), &stock);
        let order: Vec<usize> = offers.iter().map(|it| it.index).collect();
        assert_eq!(order, [3, 2, 1, 0]);
        assert_eq!(offers[3].shortfalls, [Shortfall::Memory]);
        assert!(offers[2].is_equivalent() && !offers[2].on_site);
    }

    #[test]
    fn what_nobody_knows_of_the_original_is_not_asked_of_the_loaner() {
        let nothing = Configuration::default();
        assert!(offers(&nothing, None, &[laptop(), nothing.clone()]).iter().all(Offer::is_equivalent));
        let unknown = &offers(&laptop(), None, &[nothing])[0];
        assert_eq!(unknown.shortfalls.len(), 5, "a machine nobody knows anything about is no equivalent");
    }

    #[test]
    fn panels_and_disks_of_one_nominal_size_are_the_same() {
        let near = Configuration { screen_mm: 350, disk_mib: 476_940, ..laptop() };
        assert!(offers(&laptop(), None, &[near])[0].is_equivalent());
        let small = Configuration { screen_mm: 317, ..laptop() };
        assert_eq!(offers(&laptop(), None, &[small])[0].shortfalls, [Shortfall::Screen]);
    }

    #[test]
    fn systems_are_told_by_their_names() {
        for (name, class) in [
            ("Microsoft Windows 11 Professionnel", Some(OsClass::Windows)),
            ("Debian GNU/Linux 12 (bookworm)", Some(OsClass::Linux)),
            ("Ubuntu 24.04.1 LTS", Some(OsClass::Linux)),
            ("macOS 15", Some(OsClass::Macos)),
            ("FreeBSD 14", Some(OsClass::Other)),
            ("", None),
        ] {
            assert_eq!(OsClass::of(name), class, "{name}");
        }
    }

    fn any_configuration() -> impl Strategy<Value = Configuration> {
        let os = prop::sample::select(vec![None, Some(OsClass::Windows), Some(OsClass::Linux)]);
        (0..65_536_i64, 0..2_000_000_i64, 0..500_u32, os, any::<bool>(), 0..3_u128).prop_map(
            |(memory_mib, disk_mib, screen_mm, os, portable, at)| Configuration {
                memory_mib,
                disk_mib,
                screen_mm,
                os,
                portable,
                site: Some(site(at)),
            },
        )
    }

    proptest! {
        #[test]
        fn an_equivalent_is_never_behind_what_lacks_something_and_is_never_smaller(
            needed in any_configuration(), stock in prop::collection::vec(any_configuration(), 0..20),
        ) {
            let found = offers(&needed, Some(site(1)), &stock);
            prop_assert_eq!(found.len(), stock.len());
            let first_lacking = found.iter().position(|it| !it.is_equivalent()).unwrap_or(found.len());
            prop_assert!(found[first_lacking..].iter().all(|it| !it.is_equivalent()));
            for offer in &found[..first_lacking] {
                prop_assert!(stock[offer.index].memory_mib >= needed.memory_mib);
                prop_assert!(needed.os.is_none() || stock[offer.index].os == needed.os);
            }
            let away = found[..first_lacking].iter().position(|it| !it.on_site).unwrap_or(first_lacking);
            prop_assert!(found[away..first_lacking].iter().all(|it| !it.on_site));
        }

        #[test]
        fn every_machine_can_stand_in_for_its_like(it in any_configuration()) {
            prop_assert!(offers(&it, None, std::slice::from_ref(&it))[0].is_equivalent());
        }
    }
}
