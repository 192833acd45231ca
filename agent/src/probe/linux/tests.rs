//! The whole table over a captured tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use parc_wire::v1::{
    CpuItem, DisplayItem, Encryption, FirmwareItem, MemoryItem, NetworkItem, OsItem, ProblemKind,
    SectionKind, SoftwareItem, StorageItem, SystemItem, VolumeItem,
};
use prost::Message;

use super::{edid, smbios};
use crate::probe::{Findings, evidence, firmware_asset_tag, run_all};
use crate::root::Root;

fn write(dir: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn link(dir: &Path, path: &str, target: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(target, path).unwrap();
}

fn hardware(dir: &Path) {
    write(dir, "sys/firmware/dmi/tables/DMI", smbios::testing::laptop());
    write(dir, "sys/firmware/dmi/tables/smbios_entry_point", smbios::testing::entry_point(3, 2));
    fs::create_dir_all(dir.join("sys/firmware/efi")).unwrap();
    let cpu = |number: u32| {
        format!(
            "processor\t: {number}\nvendor_id\t: GenuineIntel\nmodel name\t: 11th Gen Intel(R) Core(TM) i5-1145G7 @ 2.60GHz\n\
             physical id\t: 0\ncore id\t\t: {}\nflags\t\t: fpu vme lm\n\n",
            number / 2
        )
    };
    write(dir, "proc/cpuinfo", (0..4).map(cpu).collect::<String>());
    write(dir, "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "4400000\n");
    write(dir, "proc/meminfo", "MemTotal:       16123456 kB\n");
    let edid = edid::testing::block(&[(0xFF, "84K96386ACRL"), (0xFC, "DELL U2413")], 1);
    write(dir, "sys/class/drm/card1-DP-1/edid", edid);
    write(dir, "sys/class/drm/card1-DP-1/status", "connected\n");
    write(dir, "sys/class/drm/card1-DP-2/status", "disconnected\n");
}

fn disks(dir: &Path) {
    let disk = "sys/devices/pci0000:00/0000:00:0e.0/nvme/nvme0/nvme0n1";
    link(dir, "sys/class/block/nvme0n1", "../../devices/pci0000:00/0000:00:0e.0/nvme/nvme0/nvme0n1");
    link(dir, &format!("{disk}/device"), "../../nvme0");
    write(
        dir,
        "sys/devices/pci0000:00/0000:00:0e.0/nvme/nvme0/model",
        "PM991a NVMe Samsung 512GB               \n",
    );
    write(dir, "sys/devices/pci0000:00/0000:00:0e.0/nvme/nvme0/serial", "S660NX0R123456      \n");
    write(dir, "sys/devices/pci0000:00/0000:00:0e.0/nvme/nvme0/firmware_rev", "25300039\n");
    write(dir, &format!("{disk}/size"), "1000215216\n");
    write(dir, &format!("{disk}/wwid"), "eui.002538d611b1c2d3\n");
    write(dir, &format!("{disk}/queue/rotational"), "0\n");
    write(dir, &format!("{disk}/dev"), "259:0\n");
    write(dir, "sys/class/block/dm-0/dev", "253:0\n");
    write(dir, "sys/class/block/dm-0/dm/uuid", "CRYPT-LUKS2-00112233-root\n");
    write(
        dir,
        "proc/self/mountinfo",
        "27 1 253:0 / / rw - ext4 /dev/mapper/root rw\n28 27 0:4 / /proc rw - proc proc rw\n",
    );
    write(dir, "parc-capture/statvfs", "/ 500000000000 200000000000\n");
}

fn network(dir: &Path) {
    let card = "sys/class/net/enp0s31f6";
    write(dir, &format!("{card}/address"), "a4:bb:6d:12:34:56\n");
    write(dir, &format!("{card}/addr_assign_type"), "0\n");
    write(dir, &format!("{card}/type"), "1\n");
    write(dir, &format!("{card}/speed"), "1000\n");
    write(dir, &format!("{card}/operstate"), "up\n");
    link(dir, &format!("{card}/device/driver"), "../../../../bus/pci/drivers/e1000e");
    write(dir, "sys/class/net/lo/type", "772\n");
    let route = super::network::tables::samples::ROUTE.replace("eth0", "enp0s31f6");
    write(dir, "proc/net/route", route);
    write(dir, "proc/net/fib_trie", super::network::tables::samples::FIB_TRIE);
}

fn system(dir: &Path) {
    write(dir, "etc/os-release", "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID=\"12\"\n");
    write(dir, "etc/debian_version", "12.11\n");
    write(dir, "etc/hostname", "pc-4217.lyon.example\n");
    write(dir, "etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    link(dir, "etc/localtime", "/usr/share/zoneinfo/Europe/Paris");
    write(dir, "proc/sys/kernel/osrelease", "6.1.0-37-amd64\n");
    write(dir, "proc/stat", "cpu 1\nbtime 1763765099\n");
    let status = "Package: bash\nStatus: install ok installed\nVersion: 5.2.15\nArchitecture: amd64\nMaintainer: A Team <a@b.example>\n";
    write(dir, "var/lib/dpkg/status", status);
}

fn one<M: Message + Default>(findings: &Findings, section: SectionKind, key: &str) -> M {
    let item = findings.sections[&section].iter().find(|it| it.key == key);
    M::decode(item.unwrap_or_else(|| panic!("{key} of {findings:#?}")).body.as_slice()).unwrap()
}

#[test]
fn a_captured_laptop_is_reported_whole_and_without_problems() {
    let dir = tempfile::tempdir().unwrap();
    for fill in [hardware, disks, network, system] {
        fill(dir.path());
    }
    let findings = run_all(&Root::captured(dir.path().to_owned()));
    assert!(findings.problems.is_empty(), "{:#?}", findings.problems);
    assert_eq!(findings.sections.len(), 10);

    let system: SystemItem = one(&findings, SectionKind::System, "system");
    assert_eq!((system.manufacturer.as_str(), system.product.as_str()), ("Dell Inc.", "Latitude 5420"));
    assert_eq!((system.chassis_type.as_str(), system.hypervisor.as_str()), ("notebook", ""));
    let bios: FirmwareItem = one(&findings, SectionKind::Firmware, "bios");
    assert_eq!((bios.released.as_str(), bios.mode.as_str()), ("2024-11-05", "uefi"));
    let cpu: CpuItem = one(&findings, SectionKind::Cpu, "cpu0");
    assert_eq!(
        (cpu.model.as_str(), cpu.cores, cpu.threads, cpu.max_mhz),
        ("11th Gen Intel Core i5-1145G7", 2, 4, 4400)
    );
    let total: MemoryItem = one(&findings, SectionKind::Memory, "total");
    assert_eq!((total.size_mib, total.slots, total.maximum_mib), (16_384, 2, 65_536));
    assert!(one::<MemoryItem>(&findings, SectionKind::Memory, "slot1").empty);
    let disk: StorageItem = one(&findings, SectionKind::Storage, "nvme0n1");
    assert_eq!(
        (disk.serial.as_str(), disk.kind.as_str(), disk.size_mib),
        ("S660NX0R123456", "nvme", 488_386)
    );
    let volume: VolumeItem = one(&findings, SectionKind::Volumes, "/");
    assert_eq!((volume.encryption(), volume.free_mib, volume.system), (Encryption::Luks, 190_734, true));
    let card: NetworkItem = one(&findings, SectionKind::Network, "enp0s31f6");
    assert_eq!(
        (card.ipv4.as_slice(), card.gateway.as_str()),
        (["192.0.2.5/24".to_owned()].as_slice(), "192.0.2.2")
    );
    assert!(!card.r#virtual && card.driver == "e1000e" && card.speed_mbps == 1000, "{card:?}");
    let display: DisplayItem = one(&findings, SectionKind::Displays, "DP-1");
    assert_eq!((display.model.as_str(), display.diagonal_mm), ("DELL U2413", 610));
    let os: OsItem = one(&findings, SectionKind::Os, "os");
    assert_eq!(
        (os.version.as_str(), os.hostname.as_str(), os.domain.as_str()),
        ("12.11", "pc-4217", "lyon.example")
    );
    assert_eq!(os.time_zone, "Europe/Paris");
    let bash: SoftwareItem = one(&findings, SectionKind::Software, "dpkg:bash:amd64");
    assert_eq!((bash.version.as_str(), bash.publisher.as_str()), ("5.2.15", "A Team"));
}

#[test]
fn what_identifies_a_captured_laptop_is_given_as_evidence() {
    let dir = tempfile::tempdir().unwrap();
    for fill in [hardware, disks, network, system] {
        fill(dir.path());
    }
    let findings = run_all(&Root::captured(dir.path().to_owned()));
    let evidence = evidence(&findings);
    assert_eq!(evidence.system_serial, "7XK9QJ3");
    assert_eq!(evidence.smbios_uuid, "4c4c4544-0042-3510-8054-b4c04f564433");
    assert_eq!(evidence.disk_serials, ["S660NX0R123456"]);
    assert_eq!(evidence.machine_fingerprint.len(), 32);
    assert_eq!(firmware_asset_tag(&findings).as_deref(), Some("INV-004217"));
}

#[test]
fn an_empty_tree_is_all_problems_and_no_empty_section() {
    let dir = tempfile::tempdir().unwrap();
    let findings = run_all(&Root::captured(dir.path().to_owned()));
    let sections: Vec<_> = findings.sections.keys().collect();
    assert_eq!(sections, [&SectionKind::System], "{findings:#?}");
    let kinds: BTreeMap<_, _> = findings.problems.iter().map(|it| (it.section(), it.kind())).collect();
    assert_eq!(kinds.len(), 10);
    assert!(kinds.values().all(|it| *it == ProblemKind::Absent), "{kinds:?}");
}

#[test]
fn a_virtual_machine_without_smbios_says_so_and_names_its_hypervisor() {
    let dir = tempfile::tempdir().unwrap();
    system(dir.path());
    write(dir.path(), "proc/cpuinfo", "processor : 0\nflags : fpu hypervisor lm\n");
    write(dir.path(), "proc/meminfo", "MemTotal:       24684084 kB\n");
    let clocks = "sys/devices/system/clocksource/clocksource0/available_clocksource";
    write(dir.path(), clocks, "tsc kvm-clock \n");
    let findings = run_all(&Root::captured(dir.path().to_owned()));
    let system: SystemItem = one(&findings, SectionKind::System, "system");
    assert_eq!(system.hypervisor, "kvm");
    let reasons: Vec<_> = findings.problems.iter().map(|it| it.reason.as_str()).collect();
    let expected = "This kvm virtual machine has no SMBIOS table, so make, model, serial, UUID and firmware tag cannot be known.";
    assert!(reasons.contains(&expected), "{reasons:#?}");
    let total: MemoryItem = one(&findings, SectionKind::Memory, "total");
    assert_eq!(total.size_mib, 24_576);
}

#[test]
fn a_table_of_noise_is_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "sys/firmware/dmi/tables/DMI", [0xA5; 300]);
    let findings = run_all(&Root::captured(dir.path().to_owned()));
    let problem = findings.problems.iter().find(|it| it.section() == SectionKind::System);
    assert_eq!(problem.map(parc_wire::v1::ProblemItem::kind), Some(ProblemKind::Malformed));
}

#[test]
fn this_machine_is_read_within_the_limits() {
    let findings = run_all(&Root::live());
    assert!(findings.sections.contains_key(&SectionKind::Os), "{findings:#?}");
    assert!(findings.sections.contains_key(&SectionKind::Cpu));
    for (section, items) in &findings.sections {
        assert!(items.windows(2).all(|it| it[0].key < it[1].key), "{section:?} is sorted without doubles");
    }
    assert!(
        findings.problems.iter().all(|it| it.reason.len() <= 256 && it.reason.ends_with('.')),
        "{findings:#?}"
    );
}
