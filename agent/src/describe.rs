//! Items decoded field by field, for the eyes of the person whose machine it is.
//!
//! Each list of fields is complete: the compiler refuses a message with a field that is not named, so
//! nothing can leave a machine that `parc-agent show` does not show.

use parc_wire::v1::{
    AssetTagItem, CpuItem, DisplayItem, Encryption, FirmwareItem, Item, MemoryItem, NetworkItem, OsItem,
    ProblemItem, ProblemKind, SectionKind, SoftwareItem, StorageItem, SystemItem, TagSource, VolumeItem,
};
use prost::Message;
use serde_json::Value;

use crate::status::wire_word;

/// Names and values, in the order of the schema.
pub type Fields = Vec<(&'static str, Value)>;

macro_rules! fields {
    ($message:ident from $bytes:expr; $($field:ident $(as $word:ident)?),+ $(,)?) => {
        $message::decode($bytes).map(|message| {
            let $message { $($field),+ } = message;
            vec![$((stringify!($field).trim_start_matches("r#"), value!($field $($word)?))),+]
        })
    };
}

macro_rules! value {
    ($field:ident) => {
        Value::from($field)
    };
    ($field:ident $word:ident) => {
        Value::from($word($field))
    };
}

/// All fields of an item. A body that does not decode is shown as the bytes it has.
pub fn fields(kind: SectionKind, item: &Item) -> Fields {
    let decoded = decode(kind, item.body.as_slice());
    decoded.unwrap_or_else(|error| vec![("undecodable", Value::from(format!("{error}: {:?}", item.body)))])
}

/// Whether a value says anything: empty texts and zeros mean "not known".
pub fn is_known(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty() && text != "unknown",
        Value::Array(values) => !values.is_empty(),
        Value::Bool(true) | Value::Object(_) => true,
    }
}

fn decode(kind: SectionKind, body: &[u8]) -> Result<Fields, prost::DecodeError> {
    match kind {
        SectionKind::System => {
            fields!(SystemItem from body; manufacturer, product, version, serial, uuid, sku,
            family, chassis_type, chassis_serial, chassis_asset_tag, board_manufacturer, board_product,
            board_serial, hypervisor, container, machine_fingerprint)
        }
        SectionKind::Firmware => {
            fields!(FirmwareItem from body; vendor, version, released, mode, smbios_version, source)
        }
        SectionKind::Cpu => {
            fields!(CpuItem from body; manufacturer, model, cores, threads, max_mhz, architecture, socket)
        }
        SectionKind::Memory => {
            fields!(MemoryItem from body; size_mib, kind, speed_mts, manufacturer, part_number,
            serial, slot, empty, slots, maximum_mib)
        }
        SectionKind::Storage => {
            fields!(StorageItem from body; model, serial, firmware, size_mib, kind, interface, removable, wwn)
        }
        SectionKind::Volumes => fields!(VolumeItem from body; device, filesystem, size_mib, free_mib, label,
            encryption as encryption_word, system, free_known),
        SectionKind::Network => {
            fields!(NetworkItem from body; mac, ipv4, ipv6, gateway, speed_mbps, r#virtual, up,
            kind, driver, permanent_mac)
        }
        SectionKind::Displays => {
            fields!(DisplayItem from body; manufacturer, model, serial, year, week, width_px,
            height_px, diagonal_mm, internal)
        }
        SectionKind::Os => {
            fields!(OsItem from body; hostname, domain, family, name, version, edition, kernel,
            architecture, installed_at_us, booted_at_us, time_zone)
        }
        SectionKind::Software => {
            fields!(SoftwareItem from body; name, version, publisher, architecture, source)
        }
        SectionKind::Problems => {
            fields!(ProblemItem from body; section as section_word, kind as problem_word, source, reason)
        }
        SectionKind::AssetTag => fields!(AssetTagItem from body; tag, source as source_word),
        SectionKind::Unspecified => Ok(vec![("bytes", Value::from(body.to_vec()))]),
    }
}

fn encryption_word(number: i32) -> String {
    Encryption::try_from(number)
        .map_or_else(|it| it.to_string(), |it| wire_word(it.as_str_name(), "ENCRYPTION_"))
}

fn section_word(number: i32) -> String {
    SectionKind::try_from(number).map_or_else(|it| it.to_string(), crate::status::section_word)
}

fn problem_word(number: i32) -> String {
    ProblemKind::try_from(number)
        .map_or_else(|it| it.to_string(), |it| wire_word(it.as_str_name(), "PROBLEM_KIND_"))
}

fn source_word(number: i32) -> String {
    TagSource::try_from(number)
        .map_or_else(|it| it.to_string(), |it| wire_word(it.as_str_name(), "TAG_SOURCE_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_shown_with_words_for_numbers() {
        let body = VolumeItem { size_mib: 7, encryption: Encryption::Luks.into(), ..VolumeItem::default() };
        let shown = fields(SectionKind::Volumes, &Item { key: "/".into(), body: body.encode_to_vec() });
        assert_eq!(shown.len(), 8);
        assert_eq!(shown[2], ("size_mib", Value::from(7)));
        assert_eq!(shown[5], ("encryption", Value::from("luks")));
    }

    #[test]
    fn a_field_named_like_a_keyword_is_shown_by_its_name() {
        let shown = fields(SectionKind::Network, &Item::default());
        assert!(shown.iter().any(|(name, _)| *name == "virtual"));
    }

    #[test]
    fn a_body_that_does_not_decode_is_shown_all_the_same() {
        let shown = fields(SectionKind::Cpu, &Item { key: "cpu0".into(), body: vec![0xff] });
        assert_eq!(shown[0].0, "undecodable");
    }
}
