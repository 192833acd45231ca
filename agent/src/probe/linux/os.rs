//! The operating system, its names and times.
//!
//! - Name and version: os-release(5); Debian's point release from `/etc/debian_version`.
//! - Installed: the installer's traces (`/var/log/installer` of Debian and Ubuntu, `/root/anaconda-ks.cfg`
//!   of Red Hat); else the birth of `/` (live only, where the file system knows it); else the date of
//!   `/etc/machine-id`, which the first boot of an image writes.
//! - Booted: the kernel's boot time floored to the minute, as it follows the corrections of the clock.
//! - Architecture: of this program on the live machine, of the shell's ELF header in a captured tree.

use std::fs::Metadata;
use std::time::UNIX_EPOCH;

use parc_wire::v1::{OsItem, ProblemKind};

use super::{Failure, Probed};
use crate::root::Root;

const OS_RELEASE: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];
const OS_RELEASE_BYTES_MAX: u64 = 64 * 1024;
/// The interrupt counters of a machine with hundreds of threads take 200 KiB.
const STAT_BYTES_MAX: u64 = 4 * 1024 * 1024;
const HOSTNAME_BYTES_MAX: u64 = 4096;
const ELF_HEADER_BYTES: u64 = 20;
const SECOND_US: i64 = 1_000_000;
/// 2000-01-01: earlier dates are those of clocks without a battery and of reproducible archives.
const EARLIEST_US: i64 = 946_684_800 * SECOND_US;

/// Reads the OS section.
pub(super) fn run(root: &Root) -> Result<Probed, Failure> {
    let mut probed = Probed::default();
    let release = OS_RELEASE.iter().find_map(|it| root.read_text(it, OS_RELEASE_BYTES_MAX).ok());
    if release.is_none() {
        let reason = "No os-release file can be read, so name and version of the system cannot be known.";
        probed.problem(Failure::new(ProblemKind::Absent, OS_RELEASE[0], reason));
    }
    let release = release.unwrap_or_default();
    let (hostname, domain) = names(root);
    let item = OsItem {
        hostname: probed.text(&hostname),
        domain: probed.text(&domain),
        family: "linux".into(),
        name: probed.text(&field(&release, "NAME").unwrap_or_default()),
        version: probed.version(&version(root, &release)),
        edition: probed.text(
            &field(&release, "VARIANT").or_else(|| field(&release, "VERSION_CODENAME")).unwrap_or_default(),
        ),
        kernel: probed.version(&root.attribute("/proc/sys/kernel/osrelease").unwrap_or_default()),
        architecture: architecture(root).into(),
        installed_at_us: installed_at_us(root).unwrap_or(0),
        booted_at_us: root
            .read_text("/proc/stat", STAT_BYTES_MAX)
            .ok()
            .and_then(|it| booted_at_us(&it))
            .unwrap_or(0),
        time_zone: probed.text(&time_zone(root).unwrap_or_default()),
    };
    if item
        == (OsItem { family: "linux".into(), architecture: item.architecture.clone(), ..OsItem::default() })
    {
        let reason = "Nothing below the root tells which operating system this is.";
        return Err(Failure::new(ProblemKind::Absent, OS_RELEASE[0], reason));
    }
    probed.put("os", &item);
    Ok(probed)
}

/// The machine's architecture in the words Rust uses: `x86_64`, `aarch64`…; empty when not known.
pub(super) fn architecture(root: &Root) -> &'static str {
    if root.is_live() {
        return std::env::consts::ARCH;
    }
    ["/bin/sh", "/usr/bin/sh", "/bin/busybox", "/sbin/init"]
        .iter()
        .find_map(|it| {
            let mut header = Vec::new();
            std::io::Read::read_to_end(&mut root.open(it, ELF_HEADER_BYTES).ok()?, &mut header).ok()?;
            elf_machine(&header)
        })
        .unwrap_or_default()
}

/// `e_machine` of an ELF header.
fn elf_machine(header: &[u8]) -> Option<&'static str> {
    let &[0x7F, b'E', b'L', b'F', class, order, .., first, second] = header else {
        return None;
    };
    if header.len() != 20 {
        return None;
    }
    let machine =
        if order == 2 { u16::from_be_bytes([first, second]) } else { u16::from_le_bytes([first, second]) };
    Some(match (machine, class) {
        (3, _) => "x86",
        (62, _) => "x86_64",
        (40, _) => "arm",
        (183, _) => "aarch64",
        (20, _) => "powerpc",
        (21, _) => "powerpc64",
        (22, _) => "s390x",
        (243, 1) => "riscv32",
        (243, _) => "riscv64",
        (258, _) => "loongarch64",
        _ => return None,
    })
}

/// A value of an os-release file, quotes and backslashes removed as a shell would.
fn field(release: &str, key: &str) -> Option<String> {
    let value = release.lines().find_map(|it| it.trim().strip_prefix(key)?.strip_prefix('='))?.trim();
    let quoted = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let value =
        quoted.or_else(|| value.strip_prefix('\'').and_then(|it| it.strip_suffix('\''))).unwrap_or(value);
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    (!text.is_empty()).then_some(text)
}

fn version(root: &Root, release: &str) -> String {
    let version = field(release, "VERSION_ID").or_else(|| field(release, "BUILD_ID")).unwrap_or_default();
    if field(release, "ID").as_deref() != Some("debian") {
        return version;
    }
    let point = root.attribute("/etc/debian_version").unwrap_or_default();
    let belongs = point.strip_prefix(&version).is_some_and(|it| it.starts_with('.'));
    if belongs { point } else { version }
}

/// Host name and domain: the kernel's name on the live machine, the file in a captured tree. The domain is
/// the rest of a fully qualified name; resolver settings say where names are looked up, not what this is.
fn names(root: &Root) -> (String, String) {
    let file = root.read_text("/etc/hostname", HOSTNAME_BYTES_MAX).unwrap_or_default();
    let file =
        file.lines().map(str::trim).find(|it| !it.is_empty() && !it.starts_with('#')).unwrap_or_default();
    let kernel =
        if root.is_live() { hostname::get().ok().and_then(|it| it.into_string().ok()) } else { None };
    qualified(kernel.as_deref().unwrap_or(file), file)
}

fn qualified(name: &str, file: &str) -> (String, String) {
    let (host, domain) = name.split_once('.').unwrap_or((name, ""));
    match file.split_once('.') {
        Some((same, rest)) if domain.is_empty() && same == host => (host.to_owned(), rest.to_owned()),
        _ => (host.to_owned(), domain.to_owned()),
    }
}

fn installed_at_us(root: &Root) -> Option<i64> {
    let modified = |path: &str| root.metadata(path).ok().and_then(|it| time_us(&it, Metadata::modified));
    let born = || root.metadata("/").ok().and_then(|it| time_us(&it, Metadata::created));
    modified("/var/log/installer")
        .or_else(|| modified("/root/anaconda-ks.cfg"))
        .or_else(|| born().filter(|_| root.is_live()))
        .or_else(|| modified("/etc/machine-id"))
}

fn time_us(
    metadata: &Metadata,
    which: fn(&Metadata) -> std::io::Result<std::time::SystemTime>,
) -> Option<i64> {
    let seconds = which(metadata).ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let us = i64::try_from(seconds).ok()?.checked_mul(SECOND_US)?;
    (us >= EARLIEST_US).then_some(us)
}

fn booted_at_us(stat: &str) -> Option<i64> {
    let seconds: i64 = stat.lines().find_map(|it| it.strip_prefix("btime "))?.trim().parse().ok()?;
    let minute = seconds.checked_sub(seconds.rem_euclid(60))?;
    minute.checked_mul(SECOND_US).filter(|it| *it >= EARLIEST_US)
}

fn time_zone(root: &Root) -> Option<String> {
    let link = root.link("/etc/localtime");
    let zone = link.as_deref().and_then(|it| it.split_once("zoneinfo/")).map(|(_, zone)| zone.to_owned());
    zone.or_else(|| root.attribute("/etc/timezone"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn os_release_values_are_unquoted() {
        let text = "NAME=\"Fedora Linux\"\nID=fedora\nVARIANT='Workstation Edition'\nX=a\\\"b\nEMPTY=\n";
        assert_eq!(field(text, "NAME").as_deref(), Some("Fedora Linux"));
        assert_eq!(field(text, "ID").as_deref(), Some("fedora"));
        assert_eq!(field(text, "VARIANT").as_deref(), Some("Workstation Edition"));
        assert_eq!(field(text, "X").as_deref(), Some("a\"b"));
        assert_eq!(field(text, "EMPTY"), None);
        assert_eq!(field(text, "NAM"), None);
    }

    #[test]
    fn the_boot_time_is_floored_to_the_minute() {
        assert_eq!(booted_at_us("cpu 1 2\nbtime 1763765099\n"), Some(1_763_765_040 * SECOND_US));
        assert_eq!(booted_at_us("btime -5\n"), None);
        assert_eq!(booted_at_us("btime 9223372036854775807\n"), None);
    }

    #[test]
    fn the_domain_is_the_rest_of_a_qualified_name() {
        let pair = |host: &str, domain: &str| (host.to_owned(), domain.to_owned());
        assert_eq!(qualified("pc1.lyon.example", ""), pair("pc1", "lyon.example"));
        assert_eq!(qualified("pc1", "pc1.lyon.example"), pair("pc1", "lyon.example"));
        assert_eq!(qualified("pc1", "pc2.lyon.example"), pair("pc1", ""));
    }

    #[test]
    fn the_shell_tells_the_architecture_of_a_captured_tree() {
        let mut header = vec![0x7F, b'E', b'L', b'F', 2, 1];
        header.resize(18, 0);
        header.extend([62, 0]);
        assert_eq!(elf_machine(&header), Some("x86_64"));
        header[18] = 183;
        assert_eq!(elf_machine(&header), Some("aarch64"));
        assert_eq!(elf_machine(&header[..19]), None);
        assert_eq!(elf_machine(b"#!/bin/sh\necho hello"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "(NAME=|btime |\\\\|\"|'|\n|\\PC)*") {
            field(&text, "NAME");
            booted_at_us(&text);
            elf_machine(text.as_bytes());
        }
    }
}
