//! The SMBIOS 3.2 table of an invented machine: DMTF DSP0134 §7, types 0, 1, 2, 3, 16, 17 and 127.

use crate::workstation::{Firmware, Module};

/// A structure under construction: formatted area, then its strings.
struct Structure {
    area: Vec<u8>,
    strings: Vec<u8>,
    count: u8,
}

impl Structure {
    /// Header of DSP0134 §6.1.2; the length is filled in at the end.
    fn new(kind: u8, handle: u16) -> Self {
        let [low, high] = handle.to_le_bytes();
        Self { area: vec![kind, 0, low, high], strings: Vec::new(), count: 0 }
    }

    fn byte(mut self, value: u8) -> Self {
        self.area.push(value);
        self
    }

    fn bytes(mut self, values: &[u8]) -> Self {
        self.area.extend_from_slice(values);
        self
    }

    fn word(self, value: u16) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn double_word(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    /// A string's number stands in the area, its text after it; an absent text has number zero.
    fn text(mut self, text: &str) -> Self {
        if text.is_empty() {
            return self.byte(0);
        }
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        self.count += 1;
        let number = self.count;
        self.byte(number)
    }

    fn finish(mut self, table: &mut Vec<u8>) {
        self.area[1] = u8::try_from(self.area.len()).unwrap_or(u8::MAX);
        table.extend_from_slice(&self.area);
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        table.extend_from_slice(&self.strings);
        table.push(0);
    }
}

/// The table, as `/sys/firmware/dmi/tables/DMI` shows it.
pub(crate) fn table(firmware: &Firmware, memory: &[Option<Module>]) -> Vec<u8> {
    let mut table = Vec::with_capacity(1_024);
    bios(firmware).finish(&mut table);
    system(firmware).finish(&mut table);
    board(firmware).finish(&mut table);
    chassis(firmware).finish(&mut table);
    memory_array(memory.len()).finish(&mut table);
    for (slot, module) in (0_u16..).zip(memory) {
        memory_device(slot, module.as_ref()).finish(&mut table);
    }
    Structure::new(127, 0x7F00).finish(&mut table);
    table
}

/// The 64-bit entry point of §5.2.2, for a table of `length` bytes.
pub(crate) fn entry_point(length: usize) -> Vec<u8> {
    let mut point = b"_SM3_\0\x18\x03\x02\x00\x01\x00".to_vec();
    point.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    point.extend_from_slice(&0x000E_0000_u64.to_le_bytes());
    point[5] = point.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
    point
}

fn bios(firmware: &Firmware) -> Structure {
    Structure::new(0, 0x0000)
        .text(&firmware.manufacturer)
        .text(&firmware.bios_version)
        .word(0xE800)
        .text("11/05/2024")
        .byte(0xFF)
        .bytes(&[0x08, 0, 0, 0, 0, 0, 0, 0])
        .bytes(&[0x03, 0x0D, 1, 38, 0xFF, 0xFF])
        .word(32)
}

fn system(firmware: &Firmware) -> Structure {
    Structure::new(1, 0x0100)
        .text(&firmware.manufacturer)
        .text(&firmware.product)
        .byte(0)
        .text(&firmware.serial)
        .bytes(&wire_uuid(firmware.uuid))
        .byte(0x06)
        .text("0A20")
        .text("Latitude")
}

fn board(firmware: &Firmware) -> Structure {
    Structure::new(2, 0x0200)
        .text(&firmware.manufacturer)
        .text("0M9P8K")
        .text("A00")
        .text(&firmware.board_serial)
        .byte(0)
        .byte(0x09)
        .byte(0)
        .word(0x0300)
        .byte(0x0A)
        .byte(0)
}

fn chassis(firmware: &Firmware) -> Structure {
    Structure::new(3, 0x0300)
        .text(&firmware.manufacturer)
        .byte(firmware.chassis as u8)
        .byte(0)
        .text(&firmware.serial)
        .text(&firmware.asset_tag)
        .bytes(&[3, 3, 3, 2])
        .double_word(0)
        .bytes(&[0, 1, 0, 0])
        .byte(0)
}

fn memory_array(slots: usize) -> Structure {
    const MAXIMUM_KIB: u32 = 64 * 1024 * 1024;
    Structure::new(16, 0x1000)
        .bytes(&[0x03, 0x03, 0x03])
        .double_word(MAXIMUM_KIB)
        .word(0xFFFE)
        .word(u16::try_from(slots).unwrap_or(u16::MAX))
        .bytes(&[0; 8])
}

fn memory_device(slot: u16, module: Option<&Module>) -> Structure {
    const NO_ERROR_INFORMATION: u16 = 0xFFFE;
    const DDR4: u8 = 0x1A;
    const SEE_EXTENDED_SIZE: u16 = 0x7FFF;
    let size_mib = module.map_or(0, |it| it.size_mib);
    let small = u16::try_from(size_mib).ok().filter(|it| *it < SEE_EXTENDED_SIZE);
    let speed_mts = if module.is_some() { 3_200 } else { 0 };
    Structure::new(17, 0x1100 + slot)
        .word(0x1000)
        .word(NO_ERROR_INFORMATION)
        .word(64)
        .word(64)
        .word(small.unwrap_or(SEE_EXTENDED_SIZE))
        .byte(0x0D)
        .byte(0)
        .text(&format!("DIMM {}", char::from(b'A' + u8::try_from(slot % 26).unwrap_or(0))))
        .text("BANK 0")
        .byte(DDR4)
        .word(0x0080)
        .word(speed_mts)
        .text(module.map_or("", |it| it.manufacturer.as_str()))
        .text(module.map_or("", |it| it.serial.as_str()))
        .byte(0)
        .text(module.map_or("", |it| it.part_number.as_str()))
        .byte(1)
        .double_word(if small.is_some() { 0 } else { size_mib })
        .word(speed_mts)
        .word(1_200)
        .word(1_200)
        .word(1_200)
}

/// §7.2.1: the first three fields are little-endian on the wire.
fn wire_uuid(printed: [u8; 16]) -> [u8; 16] {
    let mut wire = printed;
    wire[0..4].reverse();
    wire[4..6].reverse();
    wire[6..8].reverse();
    wire
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workstation;

    #[test]
    fn every_structure_ends_where_the_next_begins() {
        let laptop = Workstation::laptop(7);
        let firmware = laptop.firmware.expect("a laptop has firmware");
        let table = table(&firmware, &laptop.memory);
        let mut kinds = Vec::new();
        let mut rest = table.as_slice();
        while let [kind, length, ..] = *rest {
            kinds.push(kind);
            let strings = &rest[usize::from(length)..];
            let end = strings.windows(2).position(|it| it == [0, 0]).expect("terminated") + 2;
            rest = &strings[end..];
        }
        assert_eq!(kinds, [0, 1, 2, 3, 16, 17, 17, 127]);
        assert!(rest.is_empty());
    }

    #[test]
    fn the_entry_point_sums_to_zero() {
        let sum = entry_point(500).iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        assert_eq!(sum, 0);
    }
}
