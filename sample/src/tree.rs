//! The files of an invented machine, as procfs, sysfs and a Debian-like distribution lay them out.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::workstation::{Disk, DiskKind, Interface, Workstation};
use crate::{edid, smbios};

const GIB: u64 = 1 << 30;

pub(crate) fn write(machine: &Workstation, root: &Path) -> io::Result<()> {
    if root.exists() {
        fs::remove_dir_all(root)?;
    }
    let tree = Tree { root };
    firmware(machine, &tree)?;
    processor(machine, &tree)?;
    memory(machine, &tree)?;
    for disk in &machine.disks {
        storage(disk, &tree)?;
    }
    volumes(machine, &tree)?;
    for interface in &machine.interfaces {
        network_card(interface, &tree)?;
    }
    routes(machine, &tree)?;
    screens(machine, &tree)?;
    system(machine, &tree)?;
    packages(machine, &tree)
}

struct Tree<'a> {
    root: &'a Path,
}

impl Tree<'_> {
    fn file(&self, path: &str, content: impl AsRef<[u8]>) -> io::Result<()> {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)
    }

    /// A file last written at a moment of the machine's own history, not when the tree was laid out.
    fn file_of(&self, path: &str, content: impl AsRef<[u8]>, written_at_s: u64) -> io::Result<()> {
        self.file(path, content)?;
        let file = fs::File::options().write(true).open(self.root.join(path))?;
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(written_at_s))
    }

    fn folder(&self, path: &str) -> io::Result<()> {
        fs::create_dir_all(self.root.join(path))
    }
}

fn firmware(machine: &Workstation, tree: &Tree<'_>) -> io::Result<()> {
    let Some(firmware) = &machine.firmware else { return Ok(()) };
    let table = smbios::table(firmware, &machine.memory);
    tree.file("sys/firmware/dmi/tables/smbios_entry_point", smbios::entry_point(table.len()))?;
    tree.file("sys/firmware/dmi/tables/DMI", table)?;
    tree.folder("sys/firmware/efi")
}

fn processor(machine: &Workstation, tree: &Tree<'_>) -> io::Result<()> {
    let vendor = if machine.cpu.contains("AMD") { "AuthenticAMD" } else { "GenuineIntel" };
    let hypervisor = if machine.firmware.is_none() { " hypervisor" } else { "" };
    let mut text = String::new();
    for thread in 0..machine.cores * 2 {
        let core = thread / 2;
        let _ = write!(
            text,
            "processor\t: {thread}\nvendor_id\t: {vendor}\nmodel name\t: {}\nphysical id\t: 0\ncore id\t\t: {core}\n\
             cpu cores\t: {}\nflags\t\t: fpu vme de lm{hypervisor}\n\n",
            machine.cpu, machine.cores
        );
    }
    tree.file("proc/cpuinfo", text)?;
    if machine.firmware.is_none() {
        let clocks = "sys/devices/system/clocksource/clocksource0/available_clocksource";
        return tree.file(clocks, "tsc kvm-clock acpi_pm\n");
    }
    tree.file("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "4400000\n")
}

/// The kernel keeps a little for itself, so the total is below what the modules hold.
fn memory(machine: &Workstation, tree: &Tree<'_>) -> io::Result<()> {
    let installed_mib: u64 = machine.memory.iter().flatten().map(|it| u64::from(it.size_mib)).sum();
    tree.file("proc/meminfo", format!("MemTotal:       {} kB\n", installed_mib * 1024 * 98 / 100))
}

fn storage(disk: &Disk, tree: &Tree<'_>) -> io::Result<()> {
    const SECTOR_BYTES: u64 = 512;
    let block = format!("sys/class/block/{}", disk.name);
    tree.file(&format!("{block}/size"), format!("{}\n", disk.size_gib * GIB / SECTOR_BYTES))?;
    tree.file(&format!("{block}/queue/rotational"), if disk.kind == DiskKind::Hdd { "1\n" } else { "0\n" })?;
    tree.file(&format!("{block}/removable"), "0\n")?;
    tree.file(&format!("{block}/dev"), if disk.kind == DiskKind::Nvme { "259:0\n" } else { "8:0\n" })?;
    tree.file(&format!("{block}/device/model"), format!("{:<40}\n", disk.model))?;
    tree.file(&format!("{block}/device/serial"), format!("{}\n", disk.serial))?;
    if disk.kind != DiskKind::Nvme {
        tree.file(&format!("{block}/device/vendor"), "ATA     \n")?;
    }
    Ok(())
}

fn volumes(machine: &Workstation, tree: &Tree<'_>) -> io::Result<()> {
    let mut mounts = String::from("20 1 0:4 / /proc rw - proc proc rw\n");
    let mut space = String::new();
    for (number, volume) in machine.volumes.iter().enumerate() {
        let (id, minor) = (27 + number, 2 + number);
        let (point, device, kind) = (&volume.mount_point, &volume.device, &volume.filesystem);
        let _ = writeln!(mounts, "{id} 1 259:{minor} / {point} rw,relatime - {kind} {device} rw");
        let _ = writeln!(space, "{point} {} {}", volume.size_gib * GIB, volume.free_gib * GIB);
    }
    tree.file("proc/self/mountinfo", mounts)?;
    tree.file("parc-capture/statvfs", space)
}

fn network_card(interface: &Interface, tree: &Tree<'_>) -> io::Result<()> {
    let card = format!("sys/class/net/{}", interface.name);
    tree.file(&format!("{card}/address"), format!("{}\n", interface.mac))?;
    tree.file(&format!("{card}/addr_assign_type"), "0\n")?;
    tree.file(&format!("{card}/type"), "1\n")?;
    tree.file(&format!("{card}/operstate"), "up\n")?;
    tree.file(&format!("{card}/speed"), "1000\n")?;
    tree.file(&format!("{card}/device/uevent"), "DRIVER=e1000e\n")
}

/// `/proc/net/route` prints addresses as little-endian hexadecimal; `fib_trie` as dotted numbers.
fn routes(machine: &Workstation, tree: &Tree<'_>) -> io::Result<()> {
    let hex = |[a, b, c, d]: [u8; 4]| format!("{:08X}", u32::from_le_bytes([a, b, c, d]));
    let mut routes = String::from("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n");
    let mut addresses = String::from("Local:\n  +-- 0.0.0.0/0 2 0 2\n");
    for interface in &machine.interfaces {
        let [a, b, c, _] = interface.ipv4;
        let (name, gateway, subnet) = (&interface.name, hex([a, b, c, 1]), hex([a, b, c, 0]));
        let _ = writeln!(routes, "{name}\t00000000\t{gateway}\t0003\t0\t0\t100\t00000000\t0\t0\t0");
        let _ = writeln!(routes, "{name}\t{subnet}\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0");
        let [a, b, c, d] = interface.ipv4;
        let _ = writeln!(addresses, "     |-- {a}.{b}.{c}.{d}\n        /32 host LOCAL");
    }
    tree.file("proc/net/route", routes)?;
    tree.file("proc/net/fib_trie", addresses)
}

fn screens(machine: &Workstation, tree: &Tree<'_>) -> io::Result<()> {
    tree.folder("sys/class/drm/card1")?;
    for screen in &machine.screens {
        let connector = format!("sys/class/drm/card1-{}", screen.connector);
        tree.file(&format!("{connector}/status"), "connected\n")?;
        tree.file(&format!("{connector}/edid"), edid::block(screen))?;
    }
    Ok(())
}

fn system(machine: &Workstation, tree: &Tree<'_>) -> io::Result<()> {
    let system = &machine.system;
    let id = system.name.split(' ').next().unwrap_or_default().to_lowercase();
    tree.file("etc/os-release", format!("NAME=\"{}\"\nID={id}\nVERSION_ID=\"{}\"\n", system.name, system.version))?;
    tree.file("etc/hostname", format!("{}\n", machine.hostname))?;
    // Without traces of an installer the date of this file is the date of installation.
    tree.file_of("etc/machine-id", format!("{}\n", machine.machine_id), machine.installed_at_s)?;
    tree.file("etc/timezone", "Europe/Paris\n")?;
    tree.file("proc/sys/kernel/osrelease", format!("{}\n", system.kernel))?;
    tree.file("proc/sys/kernel/random/boot_id", format!("{}\n", machine.machine_id))?;
    tree.file("proc/stat", format!("cpu 1 2 3 4\nbtime {}\n", machine.booted_at_s))
}

fn packages(machine: &Workstation, tree: &Tree<'_>) -> io::Result<()> {
    let mut status = String::new();
    for package in &machine.packages {
        let _ = write!(
            status,
            "Package: {}\nStatus: install ok installed\nPriority: optional\nSection: misc\nMaintainer: {} <packages@invalid.example>\n\
             Architecture: amd64\nVersion: {}\nDescription: invented\n\n",
            package.name, package.maintainer, package.version
        );
    }
    tree.file("var/lib/dpkg/status", status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_laid_out_again_was_installed_at_the_same_moment() {
        let root = std::env::temp_dir().join(format!("parc-sample-installed-{}", std::process::id()));
        let machine = Workstation { installed_at_s: 1_600_000_000, ..Workstation::laptop(1) };
        let installed_at = |machine: &Workstation| {
            write(machine, &root).expect("written");
            fs::metadata(root.join("etc/machine-id")).and_then(|it| it.modified()).expect("a date")
        };
        let first = installed_at(&machine);
        let again = installed_at(&machine.with_package("vlc", "3.0.21"));
        fs::remove_dir_all(&root).expect("removed");
        assert_eq!(first, SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000));
        assert_eq!(again, first);
    }
}
