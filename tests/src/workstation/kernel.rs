//! What the kernel and the distribution say: `/proc`, `/sys`, `/etc`, as of Linux 6.1 on Debian 12.

use std::fmt::Write;

use super::Workstation;

const INTERFACE: &str = "eno1";
const GIB: u64 = 1024 * 1024 * 1024;
const SECTOR_BYTES: u64 = 512;
const THREADS: u32 = 8;

/// Every file but firmware tables, displays and packages.
pub(super) fn files(machine: &Workstation) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for group in [system(machine), processors(machine), disk(machine), network(machine)] {
        files.extend(group.into_iter().map(|(path, text)| (path, text.into_bytes())));
    }
    files.push(("bin/sh".to_owned(), elf_header()));
    files
}

type Texts = Vec<(String, String)>;

fn system(machine: &Workstation) -> Texts {
    let total_kib = machine.memory_mib() * 1024 - 350_000;
    let text = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    vec![
        text(
            "etc/os-release",
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
             VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
        ),
        text("etc/debian_version", "12.9\n"),
        text("etc/timezone", "Europe/Paris\n"),
        text("etc/hostname", &format!("{}\n", machine.hostname)),
        text("etc/machine-id", &format!("{}\n", machine.machine_id)),
        text("proc/sys/kernel/osrelease", "6.1.0-32-amd64\n"),
        text("proc/stat", "cpu  100 0 100 1000 0 0 0 0 0 0\nbtime 1763625600\n"),
        text("proc/meminfo", &format!("MemTotal:       {total_kib} kB\nMemFree:         1024000 kB\n")),
        text("sys/firmware/efi/fw_platform_size", "64\n"),
    ]
}

fn processors(machine: &Workstation) -> Texts {
    let mut cpuinfo = String::new();
    for thread in 0..THREADS {
        let core = thread / 2;
        let model = &machine.cpu;
        writeln!(
            cpuinfo,
            "processor\t: {thread}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 140\n\
             model name\t: {model}\ncpu MHz\t\t: 2600.000\nphysical id\t: 0\nsiblings\t: {THREADS}\n\
             core id\t\t: {core}\ncpu cores\t: {}\nflags\t\t: fpu vme de pse tsc msr pae sse sse2 lm avx2\n",
            THREADS / 2
        )
        .expect("write to a text");
    }
    vec![
        ("proc/cpuinfo".into(), cpuinfo),
        ("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq".into(), "4400000\n".into()),
    ]
}

fn disk(machine: &Workstation) -> Texts {
    let disk = &machine.disk;
    let sectors = disk.size_gib * GIB / SECTOR_BYTES;
    let block = "sys/class/block";
    let text = |path: &str, text: String| (format!("{block}/{path}"), text + "\n");
    vec![
        text("nvme0n1/size", sectors.to_string()),
        text("nvme0n1/dev", "259:0".into()),
        text("nvme0n1/removable", "0".into()),
        text("nvme0n1/queue/rotational", "0".into()),
        text("nvme0n1/device/model", disk.model.clone()),
        text("nvme0n1/device/serial", disk.serial.clone()),
        text("nvme0n1/device/firmware_rev", "GXA7802Q".into()),
        text("nvme0n1p2/partition", "2".into()),
        text("nvme0n1p2/size", (sectors - 2048).to_string()),
        text("nvme0n1p2/dev", "259:2".into()),
        ("proc/self/mountinfo".into(), "29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n".into()),
        ("proc/mounts".into(), "/dev/nvme0n1p2 / ext4 rw,relatime 0 0\n".into()),
        ("parc-capture/statvfs".into(), format!("/ {} {}\n", disk.size_gib * GIB, disk.free_gib * GIB)),
    ]
}

fn network(machine: &Workstation) -> Texts {
    let folder = format!("sys/class/net/{INTERFACE}");
    let text = |path: &str, text: &str| (format!("{folder}/{path}"), format!("{text}\n"));
    vec![
        text("address", &machine.mac),
        text("addr_assign_type", "0"),
        text("operstate", "up"),
        text("carrier", "1"),
        text("speed", "1000"),
        text("type", "1"),
        text("flags", "0x1003"),
        text("ifindex", "2"),
        text("iflink", "2"),
        text("uevent", &format!("INTERFACE={INTERFACE}\nIFINDEX=2")),
        text("device/vendor", "0x8086"),
        (
            "proc/net/route".into(),
            format!(
                "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                 {INTERFACE}\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                 {INTERFACE}\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
            ),
        ),
        (
            "proc/net/fib_trie".into(),
            "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 192.0.2.0/24 2 0 2\n        \
             |-- 192.0.2.0\n           /24 link UNICAST\n        |-- 192.0.2.15\n           /32 host LOCAL\n"
                .into(),
        ),
    ]
}

/// The head of a program for x86-64: what tells the architecture of an installed system.
fn elf_header() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend(3_u16.to_le_bytes());
    bytes.extend(62_u16.to_le_bytes());
    bytes.resize(64, 0);
    bytes
}
