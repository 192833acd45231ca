//! Memory: modules per slot from SMBIOS (types 16 and 17), the total from them or from the kernel.
//!
//! The total is the sum of the modules. Without them it is `MemTotal`, which lacks what firmware, kernel
//! and graphics keep for themselves and moves with every kernel, so it is rounded up to an eighth of the
//! next power of two: 15.4 GiB seen are the 16 GiB bought, 23.5 GiB are 24.

use parc_wire::placeholder::{is_model_placeholder, is_serial_placeholder};
use parc_wire::v1::{MemoryItem, ProblemKind};

use super::smbios::{self, MemorySlot, Tables};
use super::virtualization::Virtualization;
use super::{Failure, Probed};
use crate::root::Root;

const MEMINFO: &str = "/proc/meminfo";
const MEMINFO_BYTES_MAX: u64 = 64 * 1024;

/// Reads the MEMORY section.
pub(super) fn run(root: &Root) -> Result<Probed, Failure> {
    let mut probed = Probed::default();
    let tables = smbios::read(root).unwrap_or_else(|error| {
        let virtualization = Virtualization::detect(root, None);
        probed.problem(smbios::failure(&error, &virtualization, "memory modules and slots"));
        Tables::default()
    });
    let installed_mib: u64 = tables.slots.iter().map(|it| it.size_mib).fold(0, u64::saturating_add);
    let size_mib = if installed_mib > 0 {
        installed_mib
    } else {
        let text = root
            .read_text(MEMINFO, MEMINFO_BYTES_MAX)
            .map_err(|error| Failure::reading(MEMINFO, "size of the memory", &error))?;
        let seen_mib = mem_total_mib(&text).ok_or_else(|| {
            Failure::new(ProblemKind::Malformed, MEMINFO, "The size of the memory is not in /proc/meminfo.")
        })?;
        rounded_up_mib(seen_mib)
    };
    let total = MemoryItem {
        size_mib,
        slots: tables.arrays.iter().map(|it| it.slots).fold(0, u32::saturating_add),
        maximum_mib: tables.arrays.iter().map(|it| it.maximum_mib).fold(0, u64::saturating_add),
        ..MemoryItem::default()
    };
    probed.put("total", &total);
    for (index, slot) in tables.slots.iter().enumerate() {
        let item = slot_item(&mut probed, slot);
        probed.put(&format!("slot{index}"), &item);
    }
    Ok(probed)
}

fn slot_item(probed: &mut Probed, slot: &MemorySlot) -> MemoryItem {
    let slot_name = probed.text(&slot.locator);
    if slot.empty {
        return MemoryItem { slot: slot_name, empty: true, ..MemoryItem::default() };
    }
    let known = |text: &str, filler: fn(&str) -> bool| {
        if filler(text) { String::new() } else { text.to_owned() }
    };
    MemoryItem {
        size_mib: slot.size_mib,
        kind: kind_in_words(slot.kind).into(),
        speed_mts: slot.speed_mts,
        manufacturer: probed.text(&known(&slot.manufacturer, is_model_placeholder)),
        part_number: probed.text(&known(&slot.part_number, is_model_placeholder)),
        serial: probed.text(&known(&slot.serial, is_serial_placeholder)),
        slot: slot_name,
        ..MemoryItem::default()
    }
}

/// DSP0134 table 78; empty for "other" and "unknown".
fn kind_in_words(kind: u8) -> &'static str {
    match kind {
        0x03 => "DRAM",
        0x07 => "RAM",
        0x0F => "SDRAM",
        0x12 => "DDR",
        0x13 => "DDR2",
        0x14 => "DDR2 FB-DIMM",
        0x18 => "DDR3",
        0x1A => "DDR4",
        0x1B => "LPDDR",
        0x1C => "LPDDR2",
        0x1D => "LPDDR3",
        0x1E => "LPDDR4",
        0x1F => "logical non-volatile",
        0x20 => "HBM",
        0x21 => "HBM2",
        0x22 => "DDR5",
        0x23 => "LPDDR5",
        0x24 => "HBM3",
        _ => "",
    }
}

fn mem_total_mib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|it| it.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    (kib > 0).then_some(kib.div_ceil(1024))
}

fn rounded_up_mib(seen_mib: u64) -> u64 {
    let step = (seen_mib.checked_next_power_of_two().unwrap_or(seen_mib) / 8).max(1);
    seen_mib.checked_next_multiple_of(step).unwrap_or(seen_mib)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_the_kernel_sees_is_rounded_up_to_what_was_bought() {
        for (seen, bought) in [
            (470, 512),
            (1_967, 2_048),
            (3_789, 4_096),
            (7_700, 8_192),
            (11_900, 12_288),
            (15_770, 16_384),
            (24_106, 24_576),
            (31_900, 32_768),
            (64_200, 65_536),
        ] {
            assert_eq!(rounded_up_mib(seen), bought, "{seen}");
        }
        assert_eq!(rounded_up_mib(u64::MAX), u64::MAX);
    }

    #[test]
    fn the_total_is_found_in_meminfo() {
        assert_eq!(mem_total_mib("MemTotal:       24684084 kB\nMemFree: 1 kB\n"), Some(24_106));
        assert_eq!(mem_total_mib("MemTotal: x\n"), None);
        assert_eq!(mem_total_mib(""), None);
    }

    #[test]
    fn an_empty_slot_has_no_maker() {
        let slot = MemorySlot {
            empty: true,
            manufacturer: "NO DIMM".into(),
            locator: "A1".into(),
            ..MemorySlot::default()
        };
        let item = slot_item(&mut Probed::default(), &slot);
        assert_eq!((item.empty, item.slot.as_str(), item.manufacturer.as_str()), (true, "A1", ""));
    }

    #[test]
    fn filler_texts_of_a_module_are_left_out() {
        let slot = MemorySlot {
            size_mib: 2048,
            manufacturer: "Not Specified".into(),
            serial: "00000000".into(),
            part_number: "M471A2K43DB1-CWE".into(),
            ..MemorySlot::default()
        };
        let item = slot_item(&mut Probed::default(), &slot);
        assert_eq!((item.manufacturer.as_str(), item.serial.as_str()), ("", ""));
        assert_eq!(item.part_number, "M471A2K43DB1-CWE");
    }
}
