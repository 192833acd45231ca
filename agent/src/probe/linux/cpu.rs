//! Processors: one item per physical package, from `/proc/cpuinfo`, the kernel's topology and SMBIOS type 4.
//!
//! The speed is the highest the processor can run at: the frequency driver's limit, else the `@ 2.40GHz` of
//! the model name, else SMBIOS, else the measured speed rounded to 50 MHz (virtual machines have nothing
//! else, and the measure moves by a few MHz from boot to boot).

use std::collections::{BTreeMap, BTreeSet};

use parc_wire::v1::{CpuItem, ProblemKind};

use super::os::architecture;
use super::smbios::{self, Processor};
use super::{Failure, Probed};
use crate::root::Root;

const CPUINFO: &str = "/proc/cpuinfo";
/// About 1.6 KiB per thread on x86: room for 2,500 threads.
const CPUINFO_BYTES_MAX: u64 = 4 * 1024 * 1024;
const MEASURE_STEP_MHZ: u32 = 50;

/// One thread of `/proc/cpuinfo`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Thread {
    number: u32,
    package: Option<u32>,
    core: Option<u32>,
}

/// What `/proc/cpuinfo` says. Vendor, model and speed are those of the first processor: mixed packages are
/// not built.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cpuinfo {
    threads: Vec<Thread>,
    vendor: String,
    model: String,
    measured_mhz: u32,
    arm_implementer: Option<u32>,
    arm_part: Option<u32>,
}

/// Cores and threads of one package.
#[derive(Debug, Default, PartialEq, Eq)]
struct Package {
    cores: BTreeSet<u32>,
    threads: u32,
}

/// Reads the CPU section.
pub(super) fn run(root: &Root) -> Result<Probed, Failure> {
    let text = root
        .read_text(CPUINFO, CPUINFO_BYTES_MAX)
        .map_err(|error| Failure::reading(CPUINFO, "processors", &error))?;
    let mut info = parse(&text);
    drop(text);
    if info.threads.is_empty() {
        return Err(Failure::new(
            ProblemKind::Malformed,
            CPUINFO,
            "No processor is listed in /proc/cpuinfo.",
        ));
    }
    add_topology(root, &mut info.threads);
    let firmware = smbios::read(root).map(|it| it.processors).unwrap_or_default();
    let driver_khz: Option<u32> = root.number("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
    let architecture = architecture(root);
    let mut probed = Probed::default();
    for (index, package) in packages(&info.threads).values().enumerate() {
        let socket = firmware.get(index);
        let item = CpuItem {
            manufacturer: probed.text(&manufacturer(&info, socket)),
            model: probed.text(&model(&info, socket)),
            cores: u32::try_from(package.cores.len()).unwrap_or(u32::MAX),
            threads: package.threads,
            max_mhz: max_mhz(&info, driver_khz, socket),
            architecture: architecture.into(),
            socket: probed.text(socket.map_or("", |it| it.socket.as_str())),
        };
        probed.put(&format!("cpu{index}"), &item);
    }
    Ok(probed)
}

/// Parses the kernel's text of any architecture: `key : value` lines, one block per thread. Old ARM kernels
/// and mainframes put facts into blocks of their own.
fn parse(text: &str) -> Cpuinfo {
    let mut info = Cpuinfo::default();
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        match key {
            "processor" => {
                let number = value.parse().unwrap_or_else(|_| u32::try_from(info.threads.len()).unwrap_or(0));
                info.threads.push(Thread { number, ..Thread::default() });
            }
            "physical id" => set(&mut info.threads, value, |thread, id| thread.package = Some(id)),
            "core id" => set(&mut info.threads, value, |thread, id| thread.core = Some(id)),
            "vendor_id" | "vendor" => first(&mut info.vendor, value),
            "model name" | "Processor" | "cpu" | "cpu model" | "family" if !value.is_empty() => {
                // A lone "Processor" line is how old ARM kernels list their only processor.
                if key == "Processor" && info.threads.is_empty() {
                    info.threads.push(Thread::default());
                }
                first(&mut info.model, value);
            }
            "cpu MHz" | "clock" if info.measured_mhz == 0 => {
                let whole = value.split(['.', 'M']).next().unwrap_or_default();
                info.measured_mhz = whole.trim().parse().unwrap_or(0);
            }
            "CPU implementer" => info.arm_implementer = info.arm_implementer.or_else(|| hex(value)),
            "CPU part" => info.arm_part = info.arm_part.or_else(|| hex(value)),
            _ => {}
        }
    }
    info
}

fn set(threads: &mut [Thread], value: &str, apply: impl FnOnce(&mut Thread, u32)) {
    if let (Some(thread), Ok(id)) = (threads.last_mut(), value.parse()) {
        apply(thread, id);
    }
}

fn first(kept: &mut String, value: &str) {
    if kept.is_empty() {
        value.clone_into(kept);
    }
}

fn hex(value: &str) -> Option<u32> {
    u32::from_str_radix(value.strip_prefix("0x")?, 16).ok()
}

/// ARM and POWER keep package and core out of `/proc/cpuinfo`; the kernel's topology has them.
fn add_topology(root: &Root, threads: &mut [Thread]) {
    for thread in threads {
        let folder = format!("/sys/devices/system/cpu/cpu{}/topology", thread.number);
        thread.package = thread.package.or_else(|| root.number(&format!("{folder}/physical_package_id")));
        thread.core = thread.core.or_else(|| root.number(&format!("{folder}/core_id")));
    }
}

/// Threads without a package belong to one, threads without a core are cores.
fn packages(threads: &[Thread]) -> BTreeMap<u32, Package> {
    let mut packages = BTreeMap::<u32, Package>::new();
    for thread in threads {
        let package = packages.entry(thread.package.unwrap_or(0)).or_default();
        package.cores.insert(thread.core.unwrap_or(thread.number));
        package.threads = package.threads.saturating_add(1);
    }
    packages
}

fn manufacturer(info: &Cpuinfo, socket: Option<&Processor>) -> String {
    let vendor = match info.vendor.as_str() {
        "GenuineIntel" => "Intel",
        "AuthenticAMD" => "AMD",
        "HygonGenuine" => "Hygon",
        "CentaurHauls" => "VIA",
        "  Shanghai  " | "Shanghai" => "Zhaoxin",
        "" => info.arm_implementer.map_or("", arm_implementer),
        other => other,
    };
    match (vendor, socket) {
        ("", Some(socket)) => tidy(&socket.manufacturer),
        (vendor, _) => vendor.to_owned(),
    }
}

fn model(info: &Cpuinfo, socket: Option<&Processor>) -> String {
    if !info.model.is_empty() {
        return tidy(&info.model);
    }
    let core = match (info.arm_implementer, info.arm_part) {
        (Some(0x41), Some(part)) => arm_core(part),
        _ => "",
    };
    match (core, socket) {
        ("", Some(socket)) => tidy(&socket.version),
        (core, _) => core.to_owned(),
    }
}

fn max_mhz(info: &Cpuinfo, driver_khz: Option<u32>, socket: Option<&Processor>) -> u32 {
    let measured =
        info.measured_mhz.saturating_add(MEASURE_STEP_MHZ / 2) / MEASURE_STEP_MHZ * MEASURE_STEP_MHZ;
    driver_khz
        .map(|it| it / 1000)
        .or_else(|| named_mhz(&info.model))
        .or_else(|| socket.map(|it| it.max_mhz))
        .filter(|it| *it > 0)
        .unwrap_or(measured)
}

/// The speed in a name such as `Intel(R) Core(TM) i5-4200U CPU @ 1.60GHz`.
fn named_mhz(model: &str) -> Option<u32> {
    let (_, speed) = model.rsplit_once('@')?;
    let (whole, fraction) = speed.trim().strip_suffix("GHz")?.trim().split_once('.')?;
    let hundredths: u32 = format!("{fraction:0<2}").get(..2)?.parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(1000)?.checked_add(hundredths * 10)
}

/// Removes trade marks, the speed, the word CPU and double blanks.
fn tidy(name: &str) -> String {
    let name = name.split('@').next().unwrap_or_default();
    let mut text = name.to_owned();
    for mark in ["(R)", "(TM)", "(r)", "(tm)", "®", "™"] {
        text = text.replace(mark, " ");
    }
    text.split_whitespace().filter(|it| *it != "CPU").collect::<Vec<_>>().join(" ")
}

/// Main ID register of ARM processors: who made the core.
fn arm_implementer(code: u32) -> &'static str {
    match code {
        0x41 => "ARM",
        0x42 => "Broadcom",
        0x43 => "Cavium",
        0x46 => "Fujitsu",
        0x48 => "HiSilicon",
        0x4E => "NVIDIA",
        0x50 => "APM",
        0x51 => "Qualcomm",
        0x61 => "Apple",
        0x69 => "Intel",
        0xC0 => "Ampere",
        _ => "",
    }
}

/// Cores designed by ARM that boards and servers are built with.
fn arm_core(part: u32) -> &'static str {
    match part {
        0xB76 => "ARM1176",
        0xC07 => "Cortex-A7",
        0xC08 => "Cortex-A8",
        0xC09 => "Cortex-A9",
        0xC0F => "Cortex-A15",
        0xD03 => "Cortex-A53",
        0xD04 => "Cortex-A35",
        0xD05 => "Cortex-A55",
        0xD07 => "Cortex-A57",
        0xD08 => "Cortex-A72",
        0xD09 => "Cortex-A73",
        0xD0A => "Cortex-A75",
        0xD0B => "Cortex-A76",
        0xD0C => "Neoverse-N1",
        0xD40 => "Neoverse-V1",
        0xD41 => "Cortex-A78",
        0xD49 => "Neoverse-N2",
        0xD4F => "Neoverse-V2",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two packages with two cores of two threads.
    fn two_packages() -> String {
        let thread = |number: u32| {
            format!(
                "processor\t: {number}\nvendor_id\t: GenuineIntel\n\
                 model name\t: Intel(R) Xeon(R) CPU           E5520  @ 2.27GHz\ncpu MHz\t\t: 1600.000\n\
                 physical id\t: {}\ncore id\t\t: {}\ncpu cores\t: 2\n\n",
                number % 2,
                number / 2 % 2
            )
        };
        (0..8).map(thread).collect()
    }

    #[test]
    fn threads_are_counted_per_package_and_core() {
        let info = parse(&two_packages());
        let packages = packages(&info.threads);
        assert_eq!(packages.len(), 2);
        assert!(packages.values().all(|it| it.cores.len() == 2 && it.threads == 4), "{packages:?}");
        assert_eq!(model(&info, None), "Intel Xeon E5520");
        assert_eq!(manufacturer(&info, None), "Intel");
    }

    #[test]
    fn the_speed_comes_from_the_best_source_there_is() {
        let info = parse(&two_packages());
        let socket = Processor { max_mhz: 4000, ..Processor::default() };
        assert_eq!(max_mhz(&info, Some(2_533_000), Some(&socket)), 2533);
        assert_eq!(max_mhz(&info, None, Some(&socket)), 2270);
        let nameless = Cpuinfo { measured_mhz: 2596, ..Cpuinfo::default() };
        assert_eq!(max_mhz(&nameless, None, Some(&socket)), 4000);
        assert_eq!(max_mhz(&nameless, None, None), 2600);
    }

    #[test]
    fn an_arm_processor_is_named_by_its_part_number() {
        let text = "processor : 0\nBogoMIPS : 38.40\nCPU implementer : 0x41\nCPU part : 0xd08\n\n\
                    processor : 1\nCPU implementer : 0x41\nCPU part : 0xd08\n\nModel : Raspberry Pi 4\n";
        let info = parse(text);
        assert_eq!((manufacturer(&info, None).as_str(), model(&info, None).as_str()), ("ARM", "Cortex-A72"));
        assert_eq!(packages(&info.threads)[&0].threads, 2);
    }

    #[test]
    fn an_old_arm_kernel_lists_its_only_processor_in_one_line() {
        let info = parse("Processor : ARMv7 Processor rev 4 (v7l)\nCPU implementer : 0x41\n\nHardware : X\n");
        assert_eq!(info.threads.len(), 1);
        assert_eq!(model(&info, None), "ARMv7 Processor rev 4 (v7l)");
    }

    #[test]
    fn a_power_processor_has_its_own_words() {
        let info = parse("processor : 0\ncpu : POWER9, altivec supported\nclock : 3800.000000MHz\n");
        assert_eq!(info.model, "POWER9, altivec supported");
        assert_eq!(info.measured_mhz, 3800);
    }

    #[test]
    fn names_lose_trade_marks_and_speed_and_keep_the_rest() {
        assert_eq!(tidy("11th Gen Intel(R) Core(TM) i5-1145G7 @ 2.60GHz"), "11th Gen Intel Core i5-1145G7");
        assert_eq!(
            tidy("AMD Ryzen 7 PRO 5850U with Radeon Graphics"),
            "AMD Ryzen 7 PRO 5850U with Radeon Graphics"
        );
        assert_eq!(named_mhz("x @ 1.8GHz"), Some(1800));
        assert_eq!(named_mhz("x @ 99999999.99GHz"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(processor|physical id|cpu MHz|model name|CPU part|[a-z :@.0-9x\n])*") {
            let info = parse(&text);
            tidy(&info.model);
            named_mhz(&info.model);
            packages(&info.threads);
        }
    }
}
