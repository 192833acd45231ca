//! The items of a section as types: decoding, cleaning, and the fields that the history is made of.
//! Pure: no database, no clock.

use parc_wire::limits::{TEXT_BYTES_MAX, VERSION_BYTES_MAX};
use parc_wire::v1::{self, SectionKind};
use prost::Message;
use serde_json::{Map, Value};

use crate::kernel::text::is_control_or_format;
use crate::kernel::time::{UtcMicros, Zone, days};

/// Values of one repeated field: addresses of one interface on a container host are the most seen.
const LIST_VALUES_MAX: usize = 64;
/// Largest plausible size, MiB: one exbibyte. More is a reading error and would overflow sums.
const SIZE_MIB_MAX: u64 = 1 << 40;
/// 1990-01-01: older than any machine a parc still holds (reliability rule on dates).
const MOMENT_MIN: UtcMicros = UtcMicros(631_152_000_000_000);

/// The earliest to the latest plausible moment of a report that arrives at `now`.
pub(super) fn plausible(moment: UtcMicros, now: UtcMicros) -> bool {
    MOMENT_MIN <= moment && moment <= now + days(2)
}

/// Cleans the values of one item and notes what it had to do.
#[derive(Debug)]
pub(super) struct Tidy {
    now: UtcMicros,
    /// Field and reason of each value that was cut, cleaned or emptied.
    pub notes: Vec<(&'static str, &'static str)>,
}

impl Tidy {
    pub(super) fn new(now: UtcMicros) -> Self {
        Self { now, notes: Vec::new() }
    }

    fn text(&mut self, field: &'static str, value: &mut String) {
        self.bounded(field, value, TEXT_BYTES_MAX);
    }

    fn version(&mut self, field: &'static str, value: &mut String) {
        self.bounded(field, value, VERSION_BYTES_MAX);
    }

    fn bounded(&mut self, field: &'static str, value: &mut String, bytes_max: usize) {
        if value.chars().any(is_control_or_format) {
            *value = value.chars().map(|c| if is_control_or_format(c) { '\u{FFFD}' } else { c }).collect();
            self.notes.push((field, "held control or formatting characters, which were replaced"));
        }
        if value.len() > bytes_max {
            value.truncate(value.floor_char_boundary(bytes_max));
            self.notes.push((field, "was too long and is cut"));
        }
    }

    fn list(&mut self, field: &'static str, values: &mut Vec<String>) {
        if values.len() > LIST_VALUES_MAX {
            values.truncate(LIST_VALUES_MAX);
            self.notes.push((field, "had too many values; the rest is left out"));
        }
        for value in values {
            self.text(field, value);
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "one method per kind of field, called alike by the table of fields"
    )]
    fn plain<T>(&mut self, _field: &'static str, _value: &mut T) {}

    fn size(&mut self, field: &'static str, value: &mut u64) {
        if *value > SIZE_MIB_MAX {
            *value = 0;
            self.notes.push((field, "is implausibly large and is left out"));
        }
    }

    fn moment(&mut self, field: &'static str, value: &mut i64) {
        if *value != 0 && !plausible(UtcMicros(*value), self.now) {
            *value = 0;
            self.notes.push((field, "lies outside 1990 and the present and is left out"));
        }
    }

    fn date(&mut self, field: &'static str, value: &mut String) {
        self.text(field, value);
        let parsed = UtcMicros::parse(value, &Zone::utc());
        if !value.is_empty() && parsed.is_none_or(|it| !plausible(it, self.now)) {
            value.clear();
            self.notes.push((field, "is not a date between 1990 and the present and is left out"));
        }
    }

    fn year(&mut self, field: &'static str, value: &mut u32) {
        let moment = UtcMicros::parse(&format!("{value:04}-01-01"), &Zone::utc());
        if *value != 0 && moment.is_none_or(|it| !plausible(it, self.now)) {
            *value = 0;
            self.notes.push((field, "lies outside 1990 and the present and is left out"));
        }
    }
}

/// A field's value in the history.
trait Field: Default + PartialEq {
    fn value(&self) -> Value;
    fn take(value: &Value) -> Option<Self>;

    /// An empty field is left out.
    fn write(&self, name: &str, to: &mut Map<String, Value>) {
        if *self != Self::default() {
            to.insert(name.to_owned(), self.value());
        }
    }
}

macro_rules! field {
    ($type:ty, $take:expr) => {
        impl Field for $type {
            fn value(&self) -> Value {
                Value::from(self.clone())
            }

            fn take(value: &Value) -> Option<Self> {
                $take(value)
            }
        }
    };
}

field!(String, |it: &Value| it.as_str().map(str::to_owned));
field!(bool, Value::as_bool);
field!(u64, Value::as_u64);
field!(i64, Value::as_i64);
field!(u32, |it: &Value| it.as_u64().and_then(|it| it.try_into().ok()));
field!(i32, |it: &Value| it.as_i64().and_then(|it| it.try_into().ok()));

/// A field's name without the mark of a raw identifier.
fn plain_name(name: &'static str) -> &'static str {
    name.trim_start_matches("r#")
}

/// The fields of one message.
trait Fields: Message + Default {
    fn write(&self, to: &mut Map<String, Value>);
    fn read(&mut self, from: &Map<String, Value>);
    fn tidy(&mut self, tidy: &mut Tidy);
}

/// Every field that a change may name.
#[cfg(test)]
pub(super) fn field_names() -> std::collections::BTreeSet<&'static str> {
    HISTORY_FIELDS.iter().flat_map(|it| it.iter()).map(|it| plain_name(it)).collect()
}

/// One line per message: how each field is cleaned, and after `present` the fields that only the current
/// state has: they move all the time, or say more about a person than a history may keep.
macro_rules! fields {
    ($($message:ident { $($how:ident $field:ident),* } present { $($now_how:ident $now_field:ident),* })*) => {
        #[cfg(test)]
        const HISTORY_FIELDS: &[&[&str]] = &[$(&[$(stringify!($field)),*]),*];

        $(
        impl Fields for v1::$message {
            fn write(&self, to: &mut Map<String, Value>) {
                $(self.$field.write(plain_name(stringify!($field)), to);)*
            }

            fn read(&mut self, from: &Map<String, Value>) {
                $(if let Some(value) = from.get(plain_name(stringify!($field))) {
                    self.$field = Field::take(value).unwrap_or_default();
                })*
            }

            fn tidy(&mut self, tidy: &mut Tidy) {
                $(tidy.$how(plain_name(stringify!($field)), &mut self.$field);)*
                $(tidy.$now_how(plain_name(stringify!($now_field)), &mut self.$now_field);)*
            }
        }
    )*
    };
}

fields! {
    SystemItem {
        text manufacturer, text product, text version, text serial, text uuid, text sku, text family,
        text chassis_type, text chassis_serial, text chassis_asset_tag, text board_manufacturer,
        text board_product, text board_serial, text hypervisor, text container, text machine_fingerprint
    } present {}
    FirmwareItem {
        text vendor, version version, date released, text mode, text smbios_version, text source
    } present {}
    CpuItem {
        text manufacturer, text model, plain cores, plain threads, plain max_mhz, text architecture, text socket
    } present {}
    MemoryItem {
        size size_mib, text kind, plain speed_mts, text manufacturer, text part_number, text serial, text slot,
        plain empty, plain slots, size maximum_mib
    } present {}
    StorageItem {
        text model, text serial, text firmware, size size_mib, text kind, text interface, plain removable, text wwn
    } present {}
    VolumeItem {
        text device, text filesystem, size size_mib, text label, plain encryption, plain system
    } present { size free_mib, plain free_known }
    NetworkItem {
        text mac, plain speed_mbps, plain r#virtual, text kind, text driver, plain permanent_mac
    } present { list ipv4, list ipv6, text gateway, plain up }
    DisplayItem {
        text manufacturer, text model, text serial, year year, plain week, plain width_px, plain height_px,
        plain diagonal_mm, plain internal
    } present {}
    OsItem {
        text hostname, text domain, text family, text name, version version, text edition, text kernel,
        text architecture, moment installed_at_us, text time_zone
    } present { moment booted_at_us }
    SoftwareItem { text name, version version, text publisher, text architecture, text source } present {}
    ProblemItem { plain section, plain kind, text source, text reason } present {}
    AssetTagItem { text tag, plain source } present {}
}

macro_rules! bodies {
    ($($variant:ident($message:ident)),* $(,)?) => {
        /// One decoded item.
        #[derive(Clone, Debug, PartialEq)]
        pub(super) enum Body {
            $($variant(v1::$message)),*
        }

        impl Body {
            /// Decodes the body of an item of a section; nothing when it is not that message.
            pub(super) fn decode(kind: SectionKind, bytes: &[u8]) -> Option<Self> {
                match kind {
                    SectionKind::Unspecified => None,
                    $(SectionKind::$variant => v1::$message::decode(bytes).ok().map(Self::$variant),)*
                }
            }

            /// An item of a section with the fields of a history entry.
            pub(super) fn from_fields(kind: SectionKind, fields: &Map<String, Value>) -> Option<Self> {
                let mut body = Self::decode(kind, &[])?;
                body.read(fields);
                Some(body)
            }

            /// Encodes it again.
            pub(super) fn encode(&self) -> Vec<u8> {
                match self {
                    $(Self::$variant(it) => it.encode_to_vec(),)*
                }
            }

            /// The fields of the history that are not empty.
            pub(super) fn fields(&self) -> Map<String, Value> {
                let mut fields = Map::new();
                match self {
                    $(Self::$variant(it) => it.write(&mut fields),)*
                }
                fields
            }

            /// Sets the fields that `fields` names.
            pub(super) fn read(&mut self, fields: &Map<String, Value>) {
                match self {
                    $(Self::$variant(it) => it.read(fields),)*
                }
            }

            /// Cleans every value.
            pub(super) fn tidy(&mut self, tidy: &mut Tidy) {
                match self {
                    $(Self::$variant(it) => it.tidy(tidy),)*
                }
            }
        }
    };
}

bodies! {
    System(SystemItem), Firmware(FirmwareItem), Cpu(CpuItem), Memory(MemoryItem), Storage(StorageItem),
    Volumes(VolumeItem), Network(NetworkItem), Displays(DisplayItem), Os(OsItem), Software(SoftwareItem),
    Problems(ProblemItem), AssetTag(AssetTagItem),
}

/// A section that this collector knows.
pub(super) fn known_kind(number: i32) -> Option<SectionKind> {
    SectionKind::try_from(number).ok().filter(|it| *it != SectionKind::Unspecified)
}

/// Text key of a section.
pub(super) fn section_code(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::Unspecified => "unknown",
        SectionKind::System => "system",
        SectionKind::Firmware => "firmware",
        SectionKind::Cpu => "cpu",
        SectionKind::Memory => "memory",
        SectionKind::Storage => "storage",
        SectionKind::Volumes => "volumes",
        SectionKind::Network => "network",
        SectionKind::Displays => "displays",
        SectionKind::Os => "os",
        SectionKind::Software => "software",
        SectionKind::Problems => "problems",
        SectionKind::AssetTag => "asset_tag",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMicros = UtcMicros(1_790_000_000_000_000);

    fn tidied(mut body: Body) -> (Body, Vec<(&'static str, &'static str)>) {
        let mut tidy = Tidy::new(NOW);
        body.tidy(&mut tidy);
        (body, tidy.notes)
    }

    #[test]
    fn one_bad_value_is_mended_and_the_rest_is_kept() {
        let item = v1::OsItem {
            hostname: "pc\u{202E}01\0".into(),
            name: "Debian".into(),
            version: "1".repeat(400),
            installed_at_us: 1,
            ..v1::OsItem::default()
        };
        let (Body::Os(item), notes) = tidied(Body::Os(item)) else { panic!("another body") };
        assert_eq!(item.hostname, "pc\u{FFFD}01\u{FFFD}");
        assert_eq!(item.name, "Debian");
        assert_eq!(item.version.len(), VERSION_BYTES_MAX);
        assert_eq!(item.installed_at_us, 0);
        assert_eq!(
            notes.iter().map(|it| it.0).collect::<Vec<_>>(),
            ["hostname", "version", "installed_at_us"]
        );
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let item = v1::SoftwareItem { name: "é".repeat(200), ..v1::SoftwareItem::default() };
        let (Body::Software(item), _) = tidied(Body::Software(item)) else { panic!("another body") };
        assert_eq!(item.name.len(), TEXT_BYTES_MAX);
        let item = v1::SoftwareItem { name: format!("a{}", "é".repeat(200)), ..v1::SoftwareItem::default() };
        let (Body::Software(item), _) = tidied(Body::Software(item)) else { panic!("another body") };
        assert_eq!(item.name.len(), TEXT_BYTES_MAX - 1);
    }

    #[test]
    fn implausible_sizes_and_dates_are_left_out() {
        let disk = v1::StorageItem { size_mib: u64::MAX, ..v1::StorageItem::default() };
        assert_eq!(tidied(Body::Storage(disk)).1.len(), 1);
        for (released, kept) in
            [("2024-05-01", true), ("1970-01-01", false), ("9999-01-01", false), ("soon", false)]
        {
            let bios = v1::FirmwareItem { released: released.into(), ..v1::FirmwareItem::default() };
            assert_eq!(tidied(Body::Firmware(bios)).1.is_empty(), kept, "{released}");
        }
        for (year, kept) in [(2024, true), (0, true), (1900, false), (4_000_000_000, false)] {
            let display = v1::DisplayItem { year, ..v1::DisplayItem::default() };
            assert_eq!(tidied(Body::Displays(display)).1.is_empty(), kept, "{year}");
        }
    }

    #[test]
    fn fields_make_the_same_item_again() {
        let item = v1::MemoryItem {
            size_mib: 8192,
            kind: "DDR4".into(),
            empty: true,
            speed_mts: 3200,
            ..Default::default()
        };
        let body = Body::Memory(item);
        assert_eq!(Body::from_fields(SectionKind::Memory, &body.fields()), Some(body));
    }

    #[test]
    fn addresses_and_free_space_are_not_in_the_history() {
        let network = v1::NetworkItem {
            ipv4: vec!["192.0.2.5/24".into()],
            gateway: "192.0.2.1".into(),
            ..Default::default()
        };
        assert!(Body::Network(network).fields().is_empty());
        let volume = v1::VolumeItem { free_mib: 5, free_known: true, ..Default::default() };
        assert!(Body::Volumes(volume).fields().is_empty());
        let os = v1::OsItem { booted_at_us: 5, ..Default::default() };
        assert!(Body::Os(os).fields().is_empty());
    }
}
