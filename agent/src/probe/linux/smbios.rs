//! The SMBIOS table (DMTF DSP0134): what the firmware says about make, model, serial numbers and memory.

use parc_wire::v1::ProblemKind;
use smbioslib::{
    MaximumMemoryCapacity, MemorySize, MemorySizeExtended, MemorySpeed, MemorySpeedExtended, ProcessorSpeed,
    SMBiosBaseboardInformation, SMBiosData, SMBiosEntryPoint32, SMBiosEntryPoint64, SMBiosInformation,
    SMBiosMemoryDevice, SMBiosPhysicalMemoryArray, SMBiosProcessorInformation, SMBiosString, SMBiosStruct,
    SMBiosSystemChassisInformation, SMBiosSystemInformation, SystemUuidData,
};

use super::Failure;
use super::virtualization::Virtualization;
use crate::root::{ReadError, Root};

pub(super) const TABLE: &str = "/sys/firmware/dmi/tables/DMI";
const ENTRY_POINT: &str = "/sys/firmware/dmi/tables/smbios_entry_point";
/// Real tables have 2 to 40 KiB.
const TABLE_BYTES_MAX: u64 = 256 * 1024;
const ENTRY_POINT_BYTES_MAX: u64 = 256;
/// From this version on the first three fields of the UUID are little-endian.
const UUID_SWAPPED_SINCE: (u8, u8) = (2, 6);
/// Type 16, "use": system memory; other arrays are caches, video and flash.
const USE_SYSTEM_MEMORY: u8 = 3;

/// The structures an inventory needs, texts trimmed. What the table does not say is empty or zero.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tables {
    /// `3.2`; empty when the entry point is missing.
    pub version: String,
    pub bios: Bios,
    pub system: System,
    pub board: Board,
    pub chassis: Chassis,
    pub arrays: Vec<MemoryArray>,
    pub slots: Vec<MemorySlot>,
    pub processors: Vec<Processor>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bios {
    pub vendor: String,
    pub version: String,
    /// As written by the maker, mostly `MM/DD/YYYY`.
    pub released: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct System {
    pub manufacturer: String,
    pub product: String,
    pub version: String,
    pub serial: String,
    pub uuid: String,
    pub sku: String,
    pub family: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Board {
    pub manufacturer: String,
    pub product: String,
    pub serial: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chassis {
    /// The number of DSP0134 table 17, lock bit removed; zero when not known.
    pub kind: u8,
    pub serial: String,
    pub asset_tag: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MemoryArray {
    pub slots: u32,
    pub maximum_mib: u64,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MemorySlot {
    pub empty: bool,
    pub size_mib: u64,
    /// The number of DSP0134 table 78.
    pub kind: u8,
    pub speed_mts: u32,
    pub manufacturer: String,
    pub part_number: String,
    pub serial: String,
    pub locator: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Processor {
    pub socket: String,
    pub manufacturer: String,
    pub version: String,
    pub max_mhz: u32,
    pub cores: u32,
    pub threads: u32,
}

/// Reads and parses the table.
pub(super) fn read(root: &Root) -> Result<Tables, ReadError> {
    let table = root.read_bytes(TABLE, TABLE_BYTES_MAX)?;
    let entry_point = root.read_bytes(ENTRY_POINT, ENTRY_POINT_BYTES_MAX).unwrap_or_default();
    Ok(parse(entry_point, table))
}

/// Why `facts` ("make, model…") are not known, in words that name the hypervisor or container.
pub(super) fn failure(error: &ReadError, virtualization: &Virtualization, facts: &str) -> Failure {
    if !matches!(error, ReadError::Absent) {
        let kind = if matches!(error, ReadError::Unreadable(_)) {
            ProblemKind::Unreadable
        } else {
            ProblemKind::Malformed
        };
        return Failure::new(
            kind,
            TABLE,
            format!("The SMBIOS table is there but {error}, so {facts} cannot be known."),
        );
    }
    let machine = virtualization.in_words();
    Failure::new(
        ProblemKind::Absent,
        TABLE,
        format!("{machine} has no SMBIOS table, so {facts} cannot be known."),
    )
}

/// Picks the structures out of a raw table. Never fails: what makes no sense is left empty.
pub(super) fn parse(entry_point: Vec<u8>, table: Vec<u8>) -> Tables {
    let version = version(entry_point);
    let data = SMBiosData::from_vec_and_version(table, None);
    let swapped = version.is_none_or(|it| it >= UUID_SWAPPED_SINCE);
    let other_arrays: Vec<u16> = data
        .defined_struct_iter::<SMBiosPhysicalMemoryArray<'_>>()
        .filter(|it| it.usage().is_some_and(|usage| usage.raw != USE_SYSTEM_MEMORY))
        .map(|it| it.parts().header.handle().0)
        .collect();
    let is_system_memory = |handle: Option<u16>| handle.is_none_or(|it| !other_arrays.contains(&it));
    Tables {
        version: version.map(|(major, minor)| format!("{major}.{minor}")).unwrap_or_default(),
        bios: data.first::<SMBiosInformation<'_>>().map(|it| bios(&it)).unwrap_or_default(),
        system: data
            .first::<SMBiosSystemInformation<'_>>()
            .map(|it| system(&it, swapped))
            .unwrap_or_default(),
        board: data.first::<SMBiosBaseboardInformation<'_>>().map(|it| board(&it)).unwrap_or_default(),
        chassis: data
            .first::<SMBiosSystemChassisInformation<'_>>()
            .map(|it| chassis(&it))
            .unwrap_or_default(),
        arrays: data
            .defined_struct_iter::<SMBiosPhysicalMemoryArray<'_>>()
            .filter(|it| is_system_memory(Some(it.parts().header.handle().0)))
            .map(|it| memory_array(&it))
            .collect(),
        slots: data
            .defined_struct_iter::<SMBiosMemoryDevice<'_>>()
            .filter(|it| is_system_memory(it.physical_memory_array_handle().map(|it| it.0)))
            .map(|it| memory_slot(&it))
            .collect(),
        processors: data
            .defined_struct_iter::<SMBiosProcessorInformation<'_>>()
            .filter(|it| it.status().is_none_or(|status| status.socket_populated()))
            .map(|it| processor(&it))
            .collect(),
    }
}

fn version(entry_point: Vec<u8>) -> Option<(u8, u8)> {
    if entry_point.starts_with(b"_SM3_") {
        let entry = SMBiosEntryPoint64::try_from(entry_point).ok()?;
        return Some((entry.major_version(), entry.minor_version()));
    }
    let entry = SMBiosEntryPoint32::try_from(entry_point).ok()?;
    Some((entry.major_version(), entry.minor_version()))
}

fn bios(it: &SMBiosInformation<'_>) -> Bios {
    Bios { vendor: text(&it.vendor()), version: text(&it.version()), released: text(&it.release_date()) }
}

fn system(it: &SMBiosSystemInformation<'_>, swapped: bool) -> System {
    let uuid = match it.uuid() {
        Some(SystemUuidData::Uuid(uuid)) => uuid_text(uuid.raw, swapped),
        _ => String::new(),
    };
    System {
        manufacturer: text(&it.manufacturer()),
        product: text(&it.product_name()),
        version: text(&it.version()),
        serial: text(&it.serial_number()),
        uuid,
        sku: text(&it.sku_number()),
        family: text(&it.family()),
    }
}

fn board(it: &SMBiosBaseboardInformation<'_>) -> Board {
    Board {
        manufacturer: text(&it.manufacturer()),
        product: text(&it.product()),
        serial: text(&it.serial_number()),
    }
}

fn chassis(it: &SMBiosSystemChassisInformation<'_>) -> Chassis {
    Chassis {
        kind: it.chassis_type().map_or(0, |it| it.raw & 0x7F),
        serial: text(&it.serial_number()),
        asset_tag: text(&it.asset_tag_number()),
    }
}

fn memory_array(it: &SMBiosPhysicalMemoryArray<'_>) -> MemoryArray {
    let maximum_mib = match it.maximum_capacity() {
        Some(MaximumMemoryCapacity::Kilobytes(kib)) => u64::from(kib) / 1024,
        Some(MaximumMemoryCapacity::SeeExtendedMaximumCapacity) => {
            it.extended_maximum_capacity().unwrap_or(0) / (1024 * 1024)
        }
        None => 0,
    };
    MemoryArray { slots: it.number_of_memory_devices().unwrap_or(0).into(), maximum_mib }
}

fn memory_slot(it: &SMBiosMemoryDevice<'_>) -> MemorySlot {
    let size = it.size();
    let size_mib = match size {
        Some(MemorySize::Megabytes(mib)) => mib.into(),
        Some(MemorySize::Kilobytes(kib)) => u64::from(kib) / 1024,
        Some(MemorySize::SeeExtendedSize) => match it.extended_size() {
            Some(MemorySizeExtended::Megabytes(mib)) => mib.into(),
            Some(MemorySizeExtended::SeeSize) | None => 0,
        },
        Some(MemorySize::NotInstalled | MemorySize::Unknown) | None => 0,
    };
    MemorySlot {
        empty: matches!(size, Some(MemorySize::NotInstalled)),
        size_mib,
        kind: it.memory_type().map_or(0, |it| it.raw),
        speed_mts: speed_mts(it),
        manufacturer: text(&it.manufacturer()),
        part_number: text(&it.part_number()),
        serial: text(&it.serial_number()),
        locator: text(&it.device_locator()),
    }
}

/// The speed it runs at, else the speed it could run at.
fn speed_mts(it: &SMBiosMemoryDevice<'_>) -> u32 {
    let pick = |speed: Option<MemorySpeed>, extended: Option<MemorySpeedExtended>| match speed {
        Some(MemorySpeed::MTs(mts)) => u32::from(mts),
        Some(MemorySpeed::SeeExtendedSpeed) => match extended {
            Some(MemorySpeedExtended::MTs(mts)) => mts,
            Some(MemorySpeedExtended::SeeSpeed) | None => 0,
        },
        Some(MemorySpeed::Unknown) | None => 0,
    };
    match pick(it.configured_memory_speed(), it.extended_configured_memory_speed()) {
        0 => pick(it.speed(), it.extended_speed()),
        mts => mts,
    }
}

fn processor(it: &SMBiosProcessorInformation<'_>) -> Processor {
    let parts = it.parts();
    let count = |short: usize, wide: usize| match parts.get_field_byte(short).unwrap_or(0) {
        0xFF => parts.get_field_word(wide).unwrap_or(0).into(),
        count => u32::from(count),
    };
    Processor {
        socket: text(&it.socket_designation()),
        manufacturer: text(&it.processor_manufacturer()),
        version: text(&it.processor_version()),
        max_mhz: match it.max_speed() {
            Some(ProcessorSpeed::MHz(mhz)) => mhz.into(),
            Some(ProcessorSpeed::Unknown) | None => 0,
        },
        // Offsets of DSP0134 §7.5: core count 23h with 2Ah behind it, thread count 25h with 2Eh.
        cores: count(0x23, 0x2A),
        threads: count(0x25, 0x2E),
    }
}

fn text(text: &SMBiosString) -> String {
    text.to_utf8_lossy().map(|it| it.trim().to_owned()).unwrap_or_default()
}

fn uuid_text(raw: [u8; 16], swapped: bool) -> String {
    let mut bytes = raw;
    if swapped {
        bytes[..4].reverse();
        bytes[4..6].reverse();
        bytes[6..8].reverse();
    }
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
pub(super) mod testing {
    //! Composes raw tables for tests.

    /// A table under construction.
    #[derive(Default)]
    pub(in crate::probe::linux) struct TableBuilder {
        bytes: Vec<u8>,
        handle: u16,
    }

    impl TableBuilder {
        /// Appends a structure; `formatted` is what follows the four header bytes.
        pub(in crate::probe::linux) fn structure(
            mut self,
            kind: u8,
            formatted: &[u8],
            texts: &[&str],
        ) -> Self {
            self.bytes.extend([kind, u8::try_from(formatted.len() + 4).unwrap()]);
            self.bytes.extend(self.handle.to_le_bytes());
            self.bytes.extend(formatted);
            for text in texts {
                self.bytes.extend(text.as_bytes());
                self.bytes.push(0);
            }
            self.bytes.extend(if texts.is_empty() { &[0, 0][..] } else { &[0][..] });
            self.handle += 1;
            self
        }

        /// Ends the table.
        pub(in crate::probe::linux) fn finish(self) -> Vec<u8> {
            self.structure(127, &[], &[]).bytes
        }
    }

    /// A 64-bit entry point of the given version.
    pub(in crate::probe::linux) fn entry_point(major: u8, minor: u8) -> Vec<u8> {
        let mut bytes = b"_SM3_".to_vec();
        bytes.extend([0, 24, major, minor, 0, 1, 0]);
        bytes.extend([0; 12]);
        let sum = bytes.iter().fold(0_u8, |sum, it| sum.wrapping_add(*it));
        bytes[5] = sum.wrapping_neg();
        bytes
    }

    /// A laptop with one module in two slots.
    pub(in crate::probe::linux) fn laptop() -> Vec<u8> {
        let uuid = *b"\x44\x45\x4c\x4c\x42\x00\x10\x35\x80\x54\xb4\xc0\x4f\x56\x44\x33";
        let mut system = vec![1, 2, 3, 4];
        system.extend(uuid);
        system.extend([6, 5, 6]);
        TableBuilder::default()
            .structure(0, &[1, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0], &["Dell Inc.", "1.34.1", "11/05/2024"])
            .structure(
                1,
                &system,
                &["Dell Inc.", "Latitude 5420", "", "7XK9QJ3 ", "0A20", "Latitude"]
                    .map(|it| if it.is_empty() { " " } else { it }),
            )
            .structure(2, &[1, 2, 0, 3, 0], &["Dell Inc.", "01M3M4", "/7XK9QJ3/CNCMC0013A001F/"])
            .structure(3, &[1, 10, 0, 2, 3, 3, 3, 3, 3], &["Dell Inc.", "7XK9QJ3", "INV-004217"])
            .structure(16, &[3, 3, 3, 0, 0, 0, 4, 0xFE, 0xFF, 2, 0], &[])
            .structure(
                17,
                &slot(16_384, 1),
                &["DIMM A", "BANK 0", "Samsung", "43A1B2C3", "", "M471A2K43DB1-CWE "]
                    .map(|it| if it.is_empty() { " " } else { it }),
            )
            .structure(17, &slot(0, 1), &["DIMM B", "BANK 1"])
            .finish()
    }

    /// Type 17 up to the configured speed; texts are locator, bank, maker, serial, asset tag, part.
    pub(in crate::probe::linux) fn slot(size: u16, locator: u8) -> Vec<u8> {
        let mut bytes = vec![4, 0, 0xFE, 0xFF, 64, 0, 64, 0];
        bytes.extend(size.to_le_bytes());
        bytes.extend([13, 0, locator, locator + 1, 0x1A, 0x80, 0]);
        bytes.extend(3200_u16.to_le_bytes());
        bytes.extend(if size == 0 { [0; 4] } else { [3, 4, 5, 6] });
        bytes.extend([1, 0, 0, 0, 0]);
        bytes.extend(2666_u16.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::{TableBuilder, entry_point, laptop, slot};
    use super::*;

    #[test]
    fn a_laptop_is_read_with_trimmed_texts() {
        let tables = parse(entry_point(3, 2), laptop());
        assert_eq!(tables.version, "3.2");
        assert_eq!(tables.system.product, "Latitude 5420");
        assert_eq!(tables.system.serial, "7XK9QJ3");
        assert_eq!(tables.system.uuid, "4c4c4544-0042-3510-8054-b4c04f564433");
        assert_eq!((tables.system.sku.as_str(), tables.system.family.as_str()), ("0A20", "Latitude"));
        assert_eq!(tables.bios.version, "1.34.1");
        assert_eq!(tables.board.serial, "/7XK9QJ3/CNCMC0013A001F/");
        let chassis = Chassis { kind: 10, serial: "7XK9QJ3".into(), asset_tag: "INV-004217".into() };
        assert_eq!(tables.chassis, chassis);
        assert_eq!(tables.arrays, [MemoryArray { slots: 2, maximum_mib: 65_536 }]);
    }

    #[test]
    fn full_and_empty_slots_are_told_apart() {
        let tables = parse(entry_point(3, 2), laptop());
        let [full, empty] = tables.slots.as_slice() else { panic!("two slots: {:?}", tables.slots) };
        assert_eq!((full.size_mib, full.speed_mts, full.kind), (16_384, 2666, 0x1A));
        assert_eq!(full.part_number, "M471A2K43DB1-CWE");
        assert_eq!((empty.empty, empty.size_mib, empty.locator.as_str()), (true, 0, "DIMM B"));
    }

    #[test]
    fn a_module_of_32_gib_and_more_has_its_size_in_the_extended_field() {
        let mut bytes = slot(0x7FFF, 1);
        bytes[0x1C - 4..0x20 - 4].copy_from_slice(&65_536_u32.to_le_bytes());
        let table = TableBuilder::default().structure(17, &bytes, &["A", "B", "C", "D", "E", "F"]).finish();
        assert_eq!(parse(vec![], table).slots[0].size_mib, 65_536);
    }

    #[test]
    fn flash_arrays_and_their_chips_are_no_memory() {
        let mut chip = slot(16, 1);
        chip[0] = 0;
        let table = TableBuilder::default()
            .structure(16, &[3, 5, 3, 0, 64, 0, 0, 0xFE, 0xFF, 1, 0], &[])
            .structure(17, &chip, &["A", "B", "C", "D", "E", "F"])
            .finish();
        let tables = parse(vec![], table);
        assert!(tables.arrays.is_empty() && tables.slots.is_empty(), "{tables:?}");
    }

    #[test]
    fn an_old_table_has_its_uuid_in_network_order_and_an_unset_one_is_empty() {
        assert_eq!(parse(entry_point(2, 5), laptop()).system.uuid, "44454c4c-4200-1035-8054-b4c04f564433");
        let unset = [[1, 2, 3, 4].as_slice(), &[0xFF; 16], &[6, 0, 0]].concat();
        let table = TableBuilder::default().structure(1, &unset, &["A", "B", "C", "D"]).finish();
        assert_eq!(parse(vec![], table).system.uuid, "");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_bytes_make_the_parser_panic(entry in prop::collection::vec(any::<u8>(), 0..40), table in prop::collection::vec(any::<u8>(), 0..600)) {
            parse(entry, table);
        }

        #[test]
        fn no_mutation_of_a_real_table_makes_the_parser_panic(at in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut table = laptop();
            let index = at.index(table.len());
            table[index] = value;
            table.truncate(cut.index(table.len()) + 1);
            parse(entry_point(3, 2), table);
        }
    }
}
