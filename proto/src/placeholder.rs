//! Texts that factories, hypervisors and imaging tools leave where an identifier should be.
//!
//! They are facts about hardware and so may be reported, but they never identify anything: two
//! machines with the serial "Default string" are two machines. The lists are data gathered from what
//! inventory tools have met in the field.

/// Compared after folding to lower-case letters and digits.
const TEXTS: &[&str] = &[
    "assettag",
    "assettagnumber",
    "chassisassettag",
    "basechassisassettag",
    "basicassettag",
    "casestag",
    "defaultstring",
    "default",
    "empty",
    "eval",
    "fillbyoem",
    "filledbyoem",
    "iatpass",
    "invalid",
    "mb1234567890",
    "na",
    "naassettag",
    "noassetinformation",
    "noassettag",
    "noassettaginformation",
    "none",
    "notapplicable",
    "notassigned",
    "notavailable",
    "notdefined",
    "notprovided",
    "notset",
    "notspecified",
    "nul",
    "null",
    "nullstring",
    "oem",
    "oemserial",
    "oemdefault000",
    "other",
    "outofspec",
    "productname",
    "productserialnumber",
    "reserved",
    "serial",
    "serialnumber",
    "serialnumberxxxxxx",
    "servicetag",
    "sn123456fvgv3i0b8o5n6n7k",
    "sn12345",
    "sn1234567890",
    "string",
    "sys1234567890",
    "sys9876543210",
    "systemassettag",
    "systemmanufacturer",
    "systemname",
    "systemproductname",
    "systemserialnumb",
    "systemserialnumber",
    "systemversion",
    "tag",
    "tobefilled",
    "tobefilledbyoem",
    "tobefilledbyoemsystem",
    "tobesetbyoem",
    "tulipcomputers",
    "type1family",
    "type1productconfigid",
    "undefined",
    "unknow",
    "unknown",
    "unspecified",
    "vmware",
    "asset1234567890",
    "atn12345678901234567",
    "assettagdefault",
    "allseries",
    "chassisserialnumber",
    "chassismanufacture",
];

/// Hyper-V's constant chassis tags and Azure's: shared by every guest.
const CONSTANT_TAGS: &[&str] = &["77837689537877687782547", "45688035279313526361187", "78371009373138"];

/// Whether a text stands where an asset tag should be without being one.
pub fn is_tag_placeholder(text: &str) -> bool {
    is_text_placeholder(text) || CONSTANT_TAGS.contains(&fold(text).as_str())
}

/// Whether a serial number (system, board, chassis, disk, memory) identifies nothing.
pub fn is_serial_placeholder(text: &str) -> bool {
    is_text_placeholder(text) || fold(text).len() < 3
}

/// Whether a make, model or family is filler.
pub fn is_model_placeholder(text: &str) -> bool {
    is_text_placeholder(text)
}

/// Whether a hyphenated SMBIOS UUID is one that board makers ship on many machines.
pub fn is_uuid_placeholder(text: &str) -> bool {
    const SHIPPED: &[&str] = &[
        "03000200040005000006000700080009",
        "6ab5b300538d10149fb5b0684d007b53",
        "fefefefefefefefefefefefefefefefe",
        "00020003000400050006000700080009",
        "11111111222233334444555555555555",
        "12345678123456789012123456789abc",
        "4c4c4544000000001080800000000000",
    ];
    let folded = fold(text);
    folded.len() != 32 || is_run(&folded) || SHIPPED.contains(&folded.as_str())
}

/// Whether a MAC address (lower case, colons) belongs to many machines: docks, virtual adapters,
/// modem and Bluetooth drivers, locally administered addresses.
pub fn is_mac_placeholder(mac: &str) -> bool {
    const SHARED: &[&str] = &[
        "fe:ff:ff:ff:ff:ff",
        "0a:00:27:00:00:00",
        "20:41:53:59:4e:ff",
        "02:00:4e:43:50:49",
        "33:50:6f:45:30:30",
        "50:50:54:50:30:30",
        "24:b6:20:52:41:53",
        "00:a0:c6:00:00:00",
        "02:80:37:ec:02:00",
        "e2:e6:16:20:0a:35",
        "d2:0a:2d:a0:04:be",
        "d2:6b:25:2f:2c:e7",
        "00:0b:ca:fe:00:00",
        "44:45:53:54:42:00",
        "00:00:00:00:00:00",
    ];
    const VIRTUAL_PREFIXES: &[&str] = &["00:50:56:c0:", "02:42:", "00:05:69:"];
    let folded = fold(mac);
    let locally_administered =
        folded.get(1..2).and_then(|it| u8::from_str_radix(it, 16).ok()).is_none_or(|it| it & 0b10 != 0);
    folded.len() != 12
        || is_run(&folded)
        || locally_administered
        || SHARED.contains(&mac)
        || VIRTUAL_PREFIXES.iter().any(|it| mac.starts_with(it))
}

fn is_text_placeholder(text: &str) -> bool {
    let folded = fold(text);
    folded.is_empty() || is_run(&folded) || is_counting(&folded) || TEXTS.contains(&folded.as_str())
}

/// "0000000", "xxxx", "...": one character repeated at least thrice, or nothing but 0 and 1.
fn is_run(folded: &str) -> bool {
    let mut chars = folded.chars();
    let first = chars.next();
    let repeated = folded.len() >= 3 && chars.all(|c| Some(c) == first);
    let zeros_and_ones = folded.len() >= 6 && folded.chars().all(|c| matches!(c, '0' | '1'));
    repeated || zeros_and_ones || folded.chars().all(|c| c == '0')
}

/// "123456", "0123456789", "12345678901234567890123456789012": counting up from 0 or 1.
fn is_counting(folded: &str) -> bool {
    let digits: Option<Vec<u32>> = folded.chars().map(|c| c.to_digit(10)).collect();
    digits.is_some_and(|it| {
        it.len() >= 5 && it.first().is_some_and(|f| *f <= 1) && it.windows(2).all(|p| p[1] == (p[0] + 1) % 10)
    })
}

fn fold(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factory_texts_are_not_tags_however_they_are_spelt() {
        for text in [
            "To Be Filled By O.E.M.",
            "Default string",
            "No Asset Tag",
            "Chassis Asset Tag",
            "Asset-1234567890",
            "0000000000",
            "xxxxxxx",
            "12345678901234567890123456789012",
            "Not Specified",
            "N/A",
            "   ",
            "None",
            "7783-7689-5378-7768-7782-54-7",
            "No Asset Information",
            "1111111",
        ] {
            assert!(is_tag_placeholder(text), "{text}");
        }
    }

    #[test]
    fn real_tags_pass() {
        for text in ["INV-004217", "PC-12345", "42", "A10", "LYON-0001", "100200300", "7"] {
            assert!(!is_tag_placeholder(text), "{text}");
        }
    }

    #[test]
    fn real_serials_pass_and_short_or_shipped_ones_do_not() {
        assert!(!is_serial_placeholder("5CG1234XYZ"));
        assert!(!is_serial_placeholder("PF1ABCDE"));
        assert!(is_serial_placeholder("System Serial Number"));
        assert!(is_serial_placeholder("0"));
    }

    #[test]
    fn shipped_uuids_identify_nothing() {
        assert!(is_uuid_placeholder("03000200-0400-0500-0006-000700080009"));
        assert!(is_uuid_placeholder("ffffffff-ffff-ffff-ffff-ffffffffffff"));
        assert!(is_uuid_placeholder("not a uuid"));
        assert!(!is_uuid_placeholder("4c4c4544-0042-3510-8054-b4c04f564433"));
    }

    #[test]
    fn virtual_and_random_macs_identify_nothing() {
        assert!(is_mac_placeholder("02:42:ac:11:00:02"));
        assert!(is_mac_placeholder("00:50:56:c0:00:08"));
        assert!(is_mac_placeholder("da:a1:19:00:00:01"), "locally administered");
        assert!(!is_mac_placeholder("a4:bb:6d:12:34:56"));
    }
}
