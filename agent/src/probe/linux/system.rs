//! The machine itself (SYSTEM) and its firmware (FIRMWARE).
//!
//! Sources in order: the raw SMBIOS table; the kernel's copy of single fields below `/sys/class/dmi/id`
//! (readable without rights except serial numbers); the device tree of ARM boards.

use parc_wire::v1::{FirmwareItem, ProblemKind, SystemItem};

use super::smbios::{self, Bios, Board, Chassis, System, Tables};
use super::virtualization::Virtualization;
use super::{Failure, Probed};
use crate::root::{ReadError, Root};

const FINGERPRINT_CONTEXT: &str = "parc machine fingerprint v1";
const DMI_FOLDERS: [&str; 2] = ["/sys/class/dmi/id", "/sys/devices/virtual/dmi/id"];
const UEFI_FOLDER: &str = "/sys/firmware/efi";

/// Reads the SYSTEM section. Also without SMBIOS there is something to say: hypervisor, container and the
/// fingerprint of the operating system.
#[expect(clippy::unnecessary_wraps, reason = "the signature of every probe")]
pub(super) fn run(root: &Root) -> Result<Probed, Failure> {
    let mut probed = Probed::default();
    let tables = smbios::read(root);
    let virtualization = Virtualization::detect(root, tables.as_ref().ok());
    let facts = match tables {
        Ok(tables) => {
            if tables.system == System::default() {
                let reason =
                    "The SMBIOS table says nothing of the system, so make, model and serial cannot be known.";
                probed.problem(Failure::new(ProblemKind::Malformed, smbios::TABLE, reason));
            }
            tables
        }
        Err(error) => without_table(root, &error, &virtualization, &mut probed),
    };
    let item = item(&mut probed, facts, virtualization, fingerprint(root));
    probed.put("system", &item);
    Ok(probed)
}

/// Reads the FIRMWARE section.
pub(super) fn run_firmware(root: &Root) -> Result<Probed, Failure> {
    let mut probed = Probed::default();
    let uefi = root.exists(UEFI_FOLDER);
    let (facts, source) = match smbios::read(root) {
        Ok(tables) => (tables, "smbios-table"),
        Err(error) => {
            let virtualization = Virtualization::detect(root, None);
            let failure = smbios::failure(&error, &virtualization, "maker, version and date of the firmware");
            let tables = dmi_fields(root);
            if tables.bios == Bios::default() && !uefi {
                return Err(failure);
            }
            if tables.bios == Bios::default() || !matches!(error, ReadError::Unreadable(_)) {
                probed.problem(failure);
            }
            (tables, "sysfs")
        }
    };
    let item = FirmwareItem {
        vendor: probed.text(&facts.bios.vendor),
        version: probed.version(&facts.bios.version),
        released: probed.text(&iso_date(&facts.bios.released).unwrap_or_default()),
        mode: if uefi { "uefi" } else { "bios" }.into(),
        smbios_version: probed.version(&facts.version),
        source: source.into(),
    };
    probed.put("bios", &item);
    Ok(probed)
}

/// What can be said when the table cannot be read, with the problem that names the rest.
fn without_table(
    root: &Root,
    error: &ReadError,
    virtualization: &Virtualization,
    probed: &mut Probed,
) -> Tables {
    let fields = dmi_fields(root);
    if fields != Tables::default() {
        let missing = "serial numbers, UUID and whatever the kernel keeps from ordinary users";
        probed.problem(smbios::failure(error, virtualization, missing));
        return fields;
    }
    if let Some(board) = device_tree(root) {
        let missing = "maker, UUID, chassis type and firmware tag";
        probed.problem(smbios::failure(error, virtualization, missing));
        return board;
    }
    let missing = "make, model, serial, UUID and firmware tag";
    probed.problem(smbios::failure(error, virtualization, missing));
    fields
}

fn item(
    probed: &mut Probed,
    facts: Tables,
    virtualization: Virtualization,
    machine_fingerprint: String,
) -> SystemItem {
    let Tables { system, board, chassis, .. } = facts;
    SystemItem {
        manufacturer: probed.text(&system.manufacturer),
        product: probed.text(&system.product),
        version: probed.version(&system.version),
        serial: probed.text(&system.serial),
        uuid: probed.text(&system.uuid),
        sku: probed.text(&system.sku),
        family: probed.text(&system.family),
        chassis_type: chassis_in_words(chassis.kind).into(),
        chassis_serial: probed.text(&chassis.serial),
        chassis_asset_tag: probed.text(&chassis.asset_tag),
        board_manufacturer: probed.text(&board.manufacturer),
        board_product: probed.text(&board.product),
        board_serial: probed.text(&board.serial),
        hypervisor: virtualization.hypervisor,
        container: virtualization.container,
        machine_fingerprint,
    }
}

/// The kernel's copy of single SMBIOS fields.
fn dmi_fields(root: &Root) -> Tables {
    let field = |name: &str| {
        let found = DMI_FOLDERS.iter().find_map(|folder| root.attribute(&format!("{folder}/{name}")));
        found.unwrap_or_default()
    };
    Tables {
        bios: Bios {
            vendor: field("bios_vendor"),
            version: field("bios_version"),
            released: field("bios_date"),
        },
        system: System {
            manufacturer: field("sys_vendor"),
            product: field("product_name"),
            version: field("product_version"),
            serial: field("product_serial"),
            uuid: field("product_uuid").to_ascii_lowercase(),
            sku: field("product_sku"),
            family: field("product_family"),
        },
        board: Board {
            manufacturer: field("board_vendor"),
            product: field("board_name"),
            serial: field("board_serial"),
        },
        chassis: Chassis {
            kind: field("chassis_type").parse().unwrap_or(0),
            serial: field("chassis_serial"),
            asset_tag: field("chassis_asset_tag"),
        },
        ..Tables::default()
    }
}

/// Boards without SMBIOS say in their device tree what they are.
fn device_tree(root: &Root) -> Option<Tables> {
    let product = root.attribute("/proc/device-tree/model")?;
    let serial = root.attribute("/proc/device-tree/serial-number").unwrap_or_default();
    Some(Tables { system: System { product, serial, ..System::default() }, ..Tables::default() })
}

/// A keyed hash of the machine id: machine ids are not to leave the machine (machine-id(5)). 32 hexadecimal
/// digits; empty when there is no id.
fn fingerprint(root: &Root) -> String {
    let id = ["/etc/machine-id", "/var/lib/dbus/machine-id"].iter().find_map(|it| root.attribute(it));
    let Some(id) = id.filter(|it| it.len() == 32 && it.bytes().all(|it| it.is_ascii_hexdigit())) else {
        return String::new();
    };
    let mut hasher = blake3::Hasher::new_derive_key(FINGERPRINT_CONTEXT);
    hasher.update(id.to_ascii_lowercase().as_bytes());
    hasher.finalize().to_hex().as_str()[..32].to_owned()
}

/// DSP0134 table 17 in words; empty for "unknown" and numbers not assigned.
fn chassis_in_words(kind: u8) -> &'static str {
    const WORDS: [&str; 37] = [
        "",
        "other",
        "",
        "desktop",
        "low-profile-desktop",
        "pizza-box",
        "mini-tower",
        "tower",
        "portable",
        "laptop",
        "notebook",
        "hand-held",
        "docking-station",
        "all-in-one",
        "sub-notebook",
        "space-saving",
        "lunch-box",
        "server",
        "expansion-chassis",
        "sub-chassis",
        "bus-expansion-chassis",
        "peripheral-chassis",
        "raid-chassis",
        "rack-mount",
        "sealed-case",
        "multi-system",
        "compact-pci",
        "advanced-tca",
        "blade",
        "blade-enclosure",
        "tablet",
        "convertible",
        "detachable",
        "iot-gateway",
        "embedded-pc",
        "mini-pc",
        "stick-pc",
    ];
    WORDS.get(usize::from(kind)).copied().unwrap_or_default()
}

/// `MM/DD/YYYY`, or `MM/DD/YY` of the 1990s and 2000s, as `YYYY-MM-DD`.
fn iso_date(text: &str) -> Option<String> {
    let mut parts = text.trim().split('/').map(|it| it.parse::<u16>().ok());
    let (month, day, year) = (parts.next()??, parts.next()??, parts.next()??);
    let year = match year {
        0..80 => 2000 + year,
        80..100 => 1900 + year,
        year => year,
    };
    let plausible = (1..=12).contains(&month) && (1..=31).contains(&day) && (1980..2200).contains(&year);
    (plausible && parts.next().is_none()).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firmware_dates_become_iso_dates() {
        assert_eq!(iso_date("11/05/2024").as_deref(), Some("2024-11-05"));
        assert_eq!(iso_date("04/01/14").as_deref(), Some("2014-04-01"));
        assert_eq!(iso_date("12/31/99").as_deref(), Some("1999-12-31"));
        for text in ["", "2024-11-05", "13/01/2020", "00/00/0000", "1/2/3/4"] {
            assert_eq!(iso_date(text), None, "{text}");
        }
    }

    #[test]
    fn chassis_numbers_become_words() {
        assert_eq!(chassis_in_words(9), "laptop");
        assert_eq!(chassis_in_words(10), "notebook");
        assert_eq!(chassis_in_words(17), "server");
        assert_eq!(chassis_in_words(23), "rack-mount");
        assert_eq!(chassis_in_words(36), "stick-pc");
        assert_eq!(chassis_in_words(200), "");
    }

    #[test]
    fn the_fingerprint_hides_the_machine_id_and_ignores_one_that_is_not_set() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::captured(dir.path().to_owned());
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/machine-id"), "uninitialized\n").unwrap();
        assert_eq!(fingerprint(&root), "");
        let id = "0123456789abcdef0123456789abcdef";
        std::fs::write(dir.path().join("etc/machine-id"), format!("{id}\n")).unwrap();
        let first = fingerprint(&root);
        assert_eq!(first.len(), 32);
        assert_ne!(first, id);
    }
}
