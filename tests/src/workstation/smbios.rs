//! SMBIOS tables, composed byte by byte (DMTF DSP0134, version 3.2: entry point §5.2.2, structures §7).

use super::{Module, Workstation};

/// Handle of the one memory array.
const ARRAY: u16 = 0x1000;
/// "Handle not provided" for error information.
const NO_HANDLE: u16 = 0xFFFE;
const FORM_FACTOR_SODIMM: u8 = 0x0D;
const MEMORY_TYPE_DDR4: u8 = 0x1A;
const CHASSIS_NOTEBOOK: u8 = 0x0A;

/// One structure: its formatted area and the strings that follow it.
struct Structure {
    area: Vec<u8>,
    strings: Vec<String>,
}

impl Structure {
    fn new(kind: u8, handle: u16) -> Self {
        let [low, high] = handle.to_le_bytes();
        Self { area: vec![kind, 0, low, high], strings: Vec::new() }
    }

    fn byte(mut self, value: u8) -> Self {
        self.area.push(value);
        self
    }

    fn word(self, value: u16) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn bytes(mut self, values: &[u8]) -> Self {
        self.area.extend_from_slice(values);
        self
    }

    /// A reference to a string; an empty one is reference 0, "not specified".
    fn text(mut self, text: &str) -> Self {
        if text.is_empty() {
            return self.byte(0);
        }
        self.strings.push(text.to_owned());
        let number = u8::try_from(self.strings.len()).expect("few strings");
        self.byte(number)
    }

    fn encode(mut self) -> Vec<u8> {
        self.area[1] = u8::try_from(self.area.len()).expect("a short structure");
        for text in &self.strings {
            self.area.extend_from_slice(text.as_bytes());
            self.area.push(0);
        }
        // Two zero bytes end a structure; the last string brought the first of them.
        if self.strings.is_empty() {
            self.area.push(0);
        }
        self.area.push(0);
        self.area
    }
}

/// The structure table of a machine.
pub(super) fn table(machine: &Workstation) -> Vec<u8> {
    let mut structures = vec![bios(), system(machine), board(machine), chassis(machine), array(machine)];
    structures.extend(machine.modules.iter().enumerate().map(|(at, it)| device(at, it)));
    structures.push(Structure::new(127, 0x7F00));
    structures.into_iter().flat_map(Structure::encode).collect()
}

/// The 64-bit entry point for a table.
pub(super) fn entry_point(table: &[u8]) -> Vec<u8> {
    let mut bytes = b"_SM3_".to_vec();
    bytes.extend([0, 0x18, 3, 2, 0, 1, 0]);
    bytes.extend(u32::try_from(table.len()).expect("a short table").to_le_bytes());
    bytes.extend(0x8000_0000_u64.to_le_bytes());
    // All bytes together are zero modulo 256.
    bytes[5] = bytes.iter().fold(0_u8, |sum, it| sum.wrapping_add(*it)).wrapping_neg();
    bytes
}

fn bios() -> Structure {
    Structure::new(0, 0)
        .text("Dell Inc.")
        .text("1.31.1")
        .word(0xF000)
        .text("06/14/2024")
        .byte(0xFF)
        .bytes(&[0; 8])
        .bytes(&[0, 0x08])
        .bytes(&[1, 31, 0xFF, 0xFF])
}

fn system(machine: &Workstation) -> Structure {
    let mut uuid = machine.uuid;
    // The first three fields stand in little-endian order.
    uuid[0..4].reverse();
    uuid[4..6].reverse();
    uuid[6..8].reverse();
    Structure::new(1, 0x0100)
        .text(&machine.make)
        .text(&machine.model)
        .text("")
        .text(&machine.serial)
        .bytes(&uuid)
        .byte(6)
        .text("0A20")
        .text("Latitude")
}

fn board(machine: &Workstation) -> Structure {
    Structure::new(2, 0x0200)
        .text(&machine.make)
        .text("0D4WPN")
        .text("A00")
        .text(&format!("/{}/CNWS200", machine.serial))
        .text("")
        .byte(9)
        .text("")
        .word(0x0300)
        .byte(10)
        .byte(0)
}

fn chassis(machine: &Workstation) -> Structure {
    Structure::new(3, 0x0300)
        .text(&machine.make)
        .byte(CHASSIS_NOTEBOOK)
        .text("")
        .text(&machine.serial)
        .text(&machine.chassis_tag)
        .bytes(&[3, 3, 3, 3])
        .bytes(&[0; 4])
        .bytes(&[0, 1, 0, 3])
        .text("")
}

fn array(machine: &Workstation) -> Structure {
    let slots = u16::try_from(machine.modules.len()).expect("few slots");
    // On the board, system memory, no error correction, at most 64 GiB (in KiB).
    Structure::new(16, ARRAY)
        .bytes(&[3, 3, 3])
        .bytes(&(64 * 1024 * 1024_u32).to_le_bytes())
        .word(NO_HANDLE)
        .word(slots)
        .bytes(&[0; 8])
}

fn device(at: usize, module: &Module) -> Structure {
    let handle = 0x1100 + u16::try_from(at).expect("few slots");
    let present = module.size_mib > 0;
    let width = if present { 64 } else { 0 };
    let speed = if present { 3200 } else { 0 };
    let text = |it: &'static str| if present { it } else { "" };
    Structure::new(17, handle)
        .word(ARRAY)
        .word(NO_HANDLE)
        .word(width)
        .word(width)
        .word(module.size_mib)
        .byte(FORM_FACTOR_SODIMM)
        .byte(0)
        .text(&module.slot)
        .text("")
        .byte(MEMORY_TYPE_DDR4)
        .word(0x0080)
        .word(speed)
        .text(text("Samsung"))
        .text(if present { &module.serial } else { "" })
        .text("")
        .text(text("M471A1K43DB1-CWE"))
        .byte(1)
        .bytes(&[0; 4])
        .word(speed)
        .bytes(&[0; 6])
}
