//! What a report says about the record of an item: list columns, discovered facts, hardware identifiers.
//! Pure; factory placeholders are facts but never identify anything and are never shown as a value.

use std::collections::{BTreeMap, BTreeSet};

use parc_wire::placeholder::{
    is_mac_placeholder, is_model_placeholder, is_serial_placeholder, is_uuid_placeholder,
};
use parc_wire::v1::{self, SectionKind};

use super::items::Body;
use super::machine::DeclaredField;
use crate::kernel::text;

/// List columns of an item that come from its sections and declarations.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Columns {
    pub tag: Option<String>,
    pub location: String,
    pub name: String,
    pub kind: String,
    pub make: String,
    pub model: String,
    pub serial: String,
    pub os_name: String,
    pub os_version: String,
    pub cpu: String,
    pub memory_mib: i64,
    pub disk_mib: i64,
    pub software_count: i64,
    pub search_key: String,
}

impl Columns {
    /// Takes over what a section says. `declared` wins where it has the field.
    pub(super) fn update(
        &mut self,
        kind: SectionKind,
        bodies: &BTreeMap<String, Body>,
        declared: &BTreeMap<DeclaredField, String>,
    ) {
        match kind {
            SectionKind::System => {
                let found = bodies.values().find_map(as_system);
                for field in
                    [DeclaredField::Kind, DeclaredField::Make, DeclaredField::Model, DeclaredField::Serial]
                {
                    self.set(field, found.map(|it| system_fact(it, field)), declared);
                }
            }
            SectionKind::Os => {
                let os = bodies.values().find_map(as_os);
                self.set(DeclaredField::Name, os.map(|it| it.hostname.clone()), declared);
                self.os_name = os.map(|it| it.name.clone()).unwrap_or_default();
                self.os_version = os.map(|it| it.version.clone()).unwrap_or_default();
            }
            SectionKind::Cpu => self.cpu = cpu_model(bodies),
            SectionKind::Memory => self.memory_mib = memory_mib(bodies),
            SectionKind::Storage => self.disk_mib = disk_mib(bodies),
            SectionKind::Unspecified
            | SectionKind::Firmware
            | SectionKind::Volumes
            | SectionKind::Network
            | SectionKind::Displays
            | SectionKind::Software
            | SectionKind::Problems
            | SectionKind::AssetTag => {}
        }
    }

    /// Sets the column of a field: declared, else discovered; an unknown name keeps the last one known.
    pub(super) fn set(
        &mut self,
        field: DeclaredField,
        discovered: Option<String>,
        declared: &BTreeMap<DeclaredField, String>,
    ) {
        let value = declared.get(&field).cloned().or(discovered).unwrap_or_default();
        match field {
            DeclaredField::Name if value.is_empty() => {}
            DeclaredField::Name => self.name = value,
            DeclaredField::Kind => self.kind = value,
            DeclaredField::Make => self.make = value,
            DeclaredField::Model => self.model = value,
            DeclaredField::Serial => self.serial = value,
            DeclaredField::PurchasedOn
            | DeclaredField::WarrantyUntil
            | DeclaredField::Supplier
            | DeclaredField::Comment => {}
        }
    }

    /// Computes the text that searches look into.
    pub(super) fn refresh_search_key(&mut self) {
        let tag = self.tag.as_deref().unwrap_or_default();
        let tag_key = text::tag_key(tag);
        let parts = [tag, &tag_key, &self.name, &self.serial, &self.make, &self.model, &self.location];
        let joined = parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ");
        self.search_key = text::search_key(&joined);
    }
}

fn as_system(body: &Body) -> Option<&v1::SystemItem> {
    if let Body::System(it) = body { Some(it) } else { None }
}

fn as_os(body: &Body) -> Option<&v1::OsItem> {
    if let Body::Os(it) = body { Some(it) } else { None }
}

/// What the system section says about a field; empty when it says nothing usable.
pub(super) fn system_fact(system: &v1::SystemItem, field: DeclaredField) -> String {
    match field {
        DeclaredField::Make => usable_model(&system.manufacturer).to_owned(),
        DeclaredField::Model => model(system).to_owned(),
        DeclaredField::Serial => serial(system).to_owned(),
        DeclaredField::Kind => kind(system).to_owned(),
        DeclaredField::Name
        | DeclaredField::PurchasedOn
        | DeclaredField::WarrantyUntil
        | DeclaredField::Supplier
        | DeclaredField::Comment => String::new(),
    }
}

fn usable_model(text: &str) -> &str {
    let text = text.trim();
    if is_model_placeholder(text) { "" } else { text }
}

/// Lenovo writes its internal type number as product and the name people know as version.
fn model(system: &v1::SystemItem) -> &str {
    let version = usable_model(&system.version);
    let lenovo = system.manufacturer.trim().eq_ignore_ascii_case("lenovo");
    if lenovo && version.contains(|c: char| c.is_alphabetic()) {
        version
    } else {
        usable_model(&system.product)
    }
}

fn serial(system: &v1::SystemItem) -> &str {
    let candidates = [system.serial.trim(), system.chassis_serial.trim()];
    candidates.into_iter().find(|it| !is_serial_placeholder(it)).unwrap_or("")
}

/// `laptop`, `desktop`, `server`, `virtual`, `other`; empty when the firmware says nothing.
fn kind(system: &v1::SystemItem) -> &'static str {
    if !system.hypervisor.is_empty() || !system.container.is_empty() {
        return "virtual";
    }
    match system.chassis_type.to_ascii_lowercase().as_str() {
        "" | "unknown" => "",
        "laptop" | "notebook" | "portable" | "sub notebook" | "sub-notebook" | "convertible"
        | "detachable" | "tablet" | "hand held" | "handheld" => "laptop",
        "desktop"
        | "low profile desktop"
        | "low-profile-desktop"
        | "tower"
        | "mini tower"
        | "mini-tower"
        | "all in one"
        | "all-in-one"
        | "mini pc"
        | "mini-pc"
        | "pizza box"
        | "stick pc"
        | "space-saving"
        | "lunch box" => "desktop",
        "server"
        | "main server chassis"
        | "main-server"
        | "rack mount chassis"
        | "rack-mount"
        | "rack"
        | "blade"
        | "blade enclosure" => "server",
        _ => "other",
    }
}

fn cpu_model(bodies: &BTreeMap<String, Body>) -> String {
    let first = bodies.values().find_map(|it| if let Body::Cpu(cpu) = it { Some(cpu) } else { None });
    first.map(|it| it.model.trim().to_owned()).unwrap_or_default()
}

fn memory_mib(bodies: &BTreeMap<String, Body>) -> i64 {
    let sizes = |total: bool| {
        let matching = bodies.iter().filter(move |(key, _)| (key.as_str() == "total") == total);
        matching
            .filter_map(|(_, it)| if let Body::Memory(it) = it { Some(it.size_mib) } else { None })
            .sum::<u64>()
    };
    let mib = match sizes(true) {
        0 => sizes(false),
        total => total,
    };
    i64::try_from(mib).unwrap_or(i64::MAX)
}

fn disk_mib(bodies: &BTreeMap<String, Body>) -> i64 {
    let disks = bodies.values().filter_map(|it| if let Body::Storage(it) = it { Some(it) } else { None });
    let mib: u64 = disks.filter(|it| !it.removable && it.kind != "optical").map(|it| it.size_mib).sum();
    i64::try_from(mib).unwrap_or(i64::MAX)
}

/// Kind and value of a hardware identifier.
pub(super) type Identifier = (IdentifierKind, String);

/// What an identifier is of. The order is that of the stored words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub(super) enum IdentifierKind {
    /// Serial number of the main board.
    BoardSerial,
    /// Serial number of a fixed disk.
    DiskSerial,
    /// Keyed hash of the operating system's machine id.
    Fingerprint,
    /// Burned-in address of a network interface.
    Mac,
    /// Serial number of the system.
    Serial,
    /// SMBIOS UUID, the smaller of its two byte orders.
    Uuid,
}

/// Identifiers a section holds, after the placeholder lists.
pub(super) fn identifiers(bodies: &BTreeMap<String, Body>) -> BTreeSet<Identifier> {
    let mut found = BTreeSet::new();
    for body in bodies.values() {
        match body {
            Body::System(it) => {
                add_uuid(&mut found, &it.uuid);
                add_serial(&mut found, IdentifierKind::Serial, &it.serial);
                add_serial(&mut found, IdentifierKind::BoardSerial, &it.board_serial);
                add_serial(&mut found, IdentifierKind::Fingerprint, &it.machine_fingerprint);
            }
            Body::Storage(it) if !it.removable && it.kind != "virtual" => {
                add_serial(&mut found, IdentifierKind::DiskSerial, &it.serial);
            }
            Body::Network(it) if it.permanent_mac && !it.r#virtual => add_mac(&mut found, &it.mac),
            _ => {}
        }
    }
    found
}

/// Identifiers of an enrolling machine, after the placeholder lists.
pub(super) fn evidence_identifiers(evidence: &v1::Evidence) -> BTreeSet<Identifier> {
    let max = parc_wire::limits::EVIDENCE_VALUES_MAX;
    let mut found = BTreeSet::new();
    add_uuid(&mut found, &evidence.smbios_uuid);
    add_serial(&mut found, IdentifierKind::Serial, &evidence.system_serial);
    add_serial(&mut found, IdentifierKind::BoardSerial, &evidence.board_serial);
    add_serial(&mut found, IdentifierKind::Fingerprint, &evidence.machine_fingerprint);
    evidence.macs.iter().take(max).for_each(|it| add_mac(&mut found, it));
    evidence
        .disk_serials
        .iter()
        .take(max)
        .for_each(|it| add_serial(&mut found, IdentifierKind::DiskSerial, it));
    found
}

fn add_serial(found: &mut BTreeSet<Identifier>, kind: IdentifierKind, text: &str) {
    let text: String = text::cleaned(text, false).chars().take(128).collect();
    if !is_serial_placeholder(&text) {
        found.insert((kind, text.to_uppercase()));
    }
}

fn add_mac(found: &mut BTreeSet<Identifier>, mac: &str) {
    let mac = mac.trim().to_ascii_lowercase();
    if !is_mac_placeholder(&mac) {
        found.insert((IdentifierKind::Mac, mac));
    }
}

/// Firmware and operating systems disagree on the byte order of a UUID's first three fields, so both
/// orders are one identifier.
fn add_uuid(found: &mut BTreeSet<Identifier>, text: &str) {
    let Ok(uuid) = text.trim().parse::<uuid::Uuid>() else {
        return;
    };
    let swapped = uuid::Uuid::from_bytes_le(*uuid.as_bytes());
    if !is_uuid_placeholder(&uuid.to_string()) && !is_uuid_placeholder(&swapped.to_string()) {
        found.insert((IdentifierKind::Uuid, uuid.min(swapped).to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(change: impl FnOnce(&mut v1::SystemItem)) -> v1::SystemItem {
        let mut system = v1::SystemItem {
            manufacturer: "Dell Inc.".into(),
            product: "Latitude 5420".into(),
            serial: "5CG1234XYZ".into(),
            chassis_type: "laptop".into(),
            ..Default::default()
        };
        change(&mut system);
        system
    }

    #[test]
    fn a_factory_placeholder_is_not_shown_and_does_not_identify() {
        let system = system(|it| {
            it.manufacturer = "To Be Filled By O.E.M.".into();
            it.serial = "Default string".into();
            it.chassis_serial = "CH-778812".into();
        });
        assert_eq!(system_fact(&system, DeclaredField::Make), "");
        assert_eq!(system_fact(&system, DeclaredField::Serial), "CH-778812");
        assert!(identifiers(&BTreeMap::from([("system".into(), Body::System(system))])).is_empty());
    }

    #[test]
    fn a_lenovo_is_called_by_its_name() {
        let system = system(|it| {
            it.manufacturer = "LENOVO".into();
            it.product = "20XW005GFR".into();
            it.version = "ThinkPad X1 Carbon Gen 9".into();
        });
        assert_eq!(system_fact(&system, DeclaredField::Model), "ThinkPad X1 Carbon Gen 9");
    }

    #[test]
    fn a_guest_is_virtual_whatever_its_chassis_says() {
        assert_eq!(kind(&system(|it| it.hypervisor = "kvm".into())), "virtual");
        assert_eq!(kind(&system(|it| it.chassis_type = "tower".into())), "desktop");
        assert_eq!(kind(&system(|it| it.chassis_type = "docking station".into())), "other");
        assert_eq!(kind(&system(|it| it.chassis_type = String::new())), "");
    }

    #[test]
    fn both_byte_orders_of_a_uuid_are_one_identifier() {
        let of = |text: &str| {
            let mut found = BTreeSet::new();
            add_uuid(&mut found, text);
            found
        };
        let (plain, swapped) =
            ("4c4c4544-0042-3510-8054-b4c04f564433", "44454c4c-4200-1035-8054-b4c04f564433");
        assert_eq!(of(plain), of(swapped));
        assert_eq!(of(plain).len(), 1);
        assert!(of("03000200-0400-0500-0006-000700080009").is_empty());
        assert!(of("nonsense").is_empty());
    }

    #[test]
    fn declared_values_win_and_an_empty_host_name_keeps_the_last() {
        let mut columns = Columns { name: "pc01".into(), ..Columns::default() };
        let declared = BTreeMap::from([(DeclaredField::Model, "Reference 12".to_owned())]);
        let bodies = BTreeMap::from([("system".to_owned(), Body::System(system(|_| {})))]);
        columns.update(SectionKind::System, &bodies, &declared);
        columns.update(SectionKind::Os, &BTreeMap::new(), &declared);
        columns.refresh_search_key();
        assert_eq!(
            (columns.model.as_str(), columns.make.as_str(), columns.name.as_str()),
            ("Reference 12", "Dell Inc.", "pc01")
        );
        assert!(columns.search_key.contains("reference 12"));
    }

    #[test]
    fn removable_disks_do_not_count() {
        let disk = |size_mib, removable| {
            Body::Storage(v1::StorageItem { size_mib, removable, ..Default::default() })
        };
        let bodies =
            BTreeMap::from([("sda".to_owned(), disk(512, false)), ("sdb".to_owned(), disk(64, true))]);
        assert_eq!(disk_mib(&bodies), 512);
    }
}
