//! Machines for looking at pages: an ordinary laptop, a bare virtual machine, a hostile one.

use parc_wire::v1;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::inventory::{
    Change, CiSummary, DeclaredField, Fact, FieldChange, InstalledTitle, Lifecycle, Machine, Operation,
    SourcedValue, TagConflict, TagSource,
};
use crate::kernel::id::{CiId, OrganisationId, SiteId, TagConflictId};
use crate::kernel::time::{UtcMicros, days};
use crate::sites::{Organisation, Site};
use crate::web::rendering::{HOSTILE, now};

fn ago(count: u64) -> UtcMicros {
    now() - days(count)
}

pub(crate) fn organisation_id() -> OrganisationId {
    OrganisationId::from(Uuid::from_u128(1))
}

pub(crate) fn places() -> (Vec<Organisation>, Vec<Site>) {
    let organisation = |id: u128, name: &str| Organisation {
        id: OrganisationId::from(Uuid::from_u128(id)),
        code: name.to_uppercase(),
        name: name.into(),
        time_zone: "Europe/Paris".into(),
        demo: true,
    };
    let site = |id: u128, name: &str, main| Site {
        id: SiteId::from(Uuid::from_u128(id)),
        organisation_id: organisation_id(),
        name: name.into(),
        address: String::new(),
        main,
    };
    (
        vec![organisation(1, "Ateliers Vaugneray"), organisation(2, "Clinique du Parc")],
        vec![site(3, "Lyon", true), site(4, "Grenoble", false)],
    )
}

pub(crate) fn latitude_row() -> CiSummary {
    CiSummary {
        id: CiId::from(Uuid::from_u128(42)),
        organisation_id: organisation_id(),
        organisation_name: "Ateliers Vaugneray".into(),
        site_id: Some(SiteId::from(Uuid::from_u128(3))),
        site_name: "Lyon".into(),
        location: "Bâtiment B, bureau 214".into(),
        assigned_to_id: None,
        assigned_to_name: "Luc Martin".into(),
        lifecycle: Lifecycle::InUse,
        tag: Some("PC-004217".into()),
        tag_source: Some(TagSource::Configuration),
        name: "vau-lap-0217".into(),
        kind: "laptop".into(),
        make: "Dell".into(),
        model: "Dell Latitude 5420".into(),
        serial: "7XK29M3".into(),
        os_name: "Debian GNU/Linux".into(),
        os_version: "12".into(),
        cpu: "11th Gen Intel Core i5-1145G7".into(),
        memory_mib: 16_384,
        disk_mib: 244_198,
        software_count: 1_284,
        has_agent: true,
        last_contact_at: Some(UtcMicros(now().0 - 1_500_000_000)),
        last_change_at: Some(ago(2)),
        problem_count: 0,
    }
}

pub(crate) fn row(number: u32) -> CiSummary {
    let models = [
        ("HP", "EliteBook 840 G8"),
        ("Lenovo", "ThinkPad T14 Gen 2"),
        ("Dell Inc.", "OptiPlex 7090"),
        ("", ""),
    ];
    let (make, model) = models[(number % 4) as usize];
    CiSummary {
        id: CiId::from(Uuid::from_u128(1_000 + u128::from(number))),
        tag: (!number.is_multiple_of(9)).then(|| format!("PC-{:06}", 4_000 + number)),
        name: format!("vau-{number:04}"),
        kind: ["laptop", "laptop", "desktop", "virtual"][(number % 4) as usize].into(),
        make: make.into(),
        model: model.into(),
        last_contact_at: (number % 7 != 3).then(|| ago(u64::from(number))),
        ..latitude_row()
    }
}

pub(crate) fn hostile_row() -> CiSummary {
    let text = || HOSTILE.to_owned();
    CiSummary {
        id: CiId::from(Uuid::from_u128(666)),
        tag: Some("<b>TAG</b>".into()),
        name: text(),
        make: text(),
        model: text(),
        serial: text(),
        location: text(),
        assigned_to_name: text(),
        os_name: text(),
        lifecycle: Lifecycle::Stolen,
        last_contact_at: Some(ago(45)),
        ..latitude_row()
    }
}

pub(crate) fn virtual_row() -> CiSummary {
    CiSummary {
        tag: None,
        tag_source: None,
        kind: "virtual".into(),
        make: String::new(),
        model: String::new(),
        has_agent: true,
        ..latitude_row()
    }
}

fn fact(field: DeclaredField, declared: Option<&str>, discovered: Option<&str>) -> Fact {
    let value =
        |value: &str, source: &str| SourcedValue { value: value.into(), source: source.into(), at: ago(90) };
    Fact {
        field,
        declared: declared.map(|it| value(it, "Nadia Benali")),
        discovered: discovered.map(|it| value(it, "smbios-table")),
    }
}

#[expect(clippy::too_many_lines, reason = "one machine with a value in every field")]
pub(crate) fn latitude() -> Machine {
    Machine {
        ci: Some(CiId::from(Uuid::from_u128(42))),
        name: "vau-lap-0217".into(),
        tag: Some("PC-004217".into()),
        kind: "laptop".into(),
        site_name: "Lyon".into(),
        location: "Bâtiment B, bureau 214".into(),
        assigned_to_name: "Luc Martin".into(),
        facts: vec![
            fact(DeclaredField::Make, None, Some("Dell")),
            fact(DeclaredField::Model, None, Some("Dell Latitude 5420")),
            fact(DeclaredField::Serial, Some("7XK29M8"), Some("7XK29M3")),
            fact(DeclaredField::PurchasedOn, Some("2024-03-12"), None),
            fact(DeclaredField::WarrantyUntil, Some("2027-03-12"), None),
        ],
        cpus: vec![v1::CpuItem {
            model: "11th Gen Intel Core i5-1145G7 @ 2.60GHz".into(),
            cores: 4,
            threads: 8,
            ..v1::CpuItem::default()
        }],
        memory_total: Some(v1::MemoryItem {
            size_mib: 16_384,
            slots: 2,
            maximum_mib: 65_536,
            ..v1::MemoryItem::default()
        }),
        memory_slots: vec![
            v1::MemoryItem {
                slot: "DIMM A".into(),
                size_mib: 16_384,
                kind: "DDR4".into(),
                speed_mts: 3_200,
                manufacturer: "Samsung".into(),
                part_number: "M471A2K43DB1-CWE".into(),
                ..v1::MemoryItem::default()
            },
            v1::MemoryItem { slot: "DIMM B".into(), empty: true, ..v1::MemoryItem::default() },
        ],
        disks: vec![(
            "nvme0n1".into(),
            v1::StorageItem {
                model: "KIOXIA KBG40ZNS256G".into(),
                serial: "Y1KF71ABCDE".into(),
                size_mib: 244_198,
                kind: "nvme".into(),
                ..v1::StorageItem::default()
            },
        )],
        volumes: vec![
            (
                "/".into(),
                v1::VolumeItem {
                    filesystem: "ext4".into(),
                    size_mib: 95_000,
                    free_mib: 5_600,
                    free_known: true,
                    encryption: v1::Encryption::Luks.into(),
                    system: true,
                    ..v1::VolumeItem::default()
                },
            ),
            (
                "/home".into(),
                v1::VolumeItem {
                    filesystem: "ext4".into(),
                    size_mib: 140_000,
                    free_mib: 71_000,
                    free_known: true,
                    encryption: v1::Encryption::Luks.into(),
                    ..v1::VolumeItem::default()
                },
            ),
        ],
        networks: vec![
            (
                "lo".into(),
                v1::NetworkItem { kind: "loopback".into(), up: true, ..v1::NetworkItem::default() },
            ),
            (
                "wlp0s20f3".into(),
                v1::NetworkItem {
                    mac: "a4:c3:f0:12:9b:7e".into(),
                    ipv4: vec!["10.20.4.117/22".into()],
                    kind: "wifi".into(),
                    up: true,
                    speed_mbps: 866,
                    ..v1::NetworkItem::default()
                },
            ),
            (
                "enp0s31f6".into(),
                v1::NetworkItem {
                    mac: "8c:47:be:21:00:5d".into(),
                    kind: "ethernet".into(),
                    ..v1::NetworkItem::default()
                },
            ),
        ],
        displays: vec![
            (
                "eDP-1".into(),
                v1::DisplayItem {
                    manufacturer: "LGD".into(),
                    width_px: 1_920,
                    height_px: 1_080,
                    diagonal_mm: 355,
                    internal: true,
                    year: 2021,
                    ..v1::DisplayItem::default()
                },
            ),
            (
                "DP-1".into(),
                v1::DisplayItem {
                    manufacturer: "DEL".into(),
                    model: "P2422H".into(),
                    serial: "6V1KTN3".into(),
                    width_px: 1_920,
                    height_px: 1_080,
                    diagonal_mm: 604,
                    year: 2022,
                    ..v1::DisplayItem::default()
                },
            ),
        ],
        os: Some(v1::OsItem {
            name: "Debian GNU/Linux".into(),
            version: "12.8".into(),
            kernel: "6.1.0-27-amd64".into(),
            architecture: "x86_64".into(),
            booted_at_us: ago(3).0,
            hostname: "vau-lap-0217".into(),
            ..v1::OsItem::default()
        }),
        software_count: 1_284,
        observed_at: ago(0),
        last_report_at: Some(UtcMicros(now().0 - 1_500_000_000)),
        ..Machine::default()
    }
}

pub(crate) fn virtual_machine() -> Machine {
    let absent = |section: v1::SectionKind, reason: &str| v1::ProblemItem {
        section: section.into(),
        kind: v1::ProblemKind::Absent.into(),
        source: "/sys/firmware/dmi/tables".into(),
        reason: reason.into(),
    };
    Machine {
        name: "vau-vm-03".into(),
        kind: "virtual".into(),
        system: Some(v1::SystemItem { hypervisor: "kvm".into(), ..v1::SystemItem::default() }),
        problems: vec![
            absent(v1::SectionKind::System, "this virtual machine has no SMBIOS tables"),
            absent(v1::SectionKind::Displays, HOSTILE),
        ],
        facts: Vec::new(),
        cpus: vec![v1::CpuItem { model: "AMD EPYC 7763".into(), threads: 2, ..v1::CpuItem::default() }],
        memory_slots: Vec::new(),
        displays: Vec::new(),
        ..latitude()
    }
}

pub(crate) fn hostile_machine() -> Machine {
    Machine {
        name: HOSTILE.into(),
        tag: Some(HOSTILE.into()),
        kind: HOSTILE.into(),
        location: HOSTILE.into(),
        facts: vec![
            fact(DeclaredField::Make, Some(HOSTILE), Some("x")),
            fact(DeclaredField::WarrantyUntil, Some("9999-99-99"), None),
        ],
        volumes: vec![(
            HOSTILE.into(),
            v1::VolumeItem {
                size_mib: u64::MAX,
                free_mib: u64::MAX,
                free_known: true,
                encryption: 99,
                ..v1::VolumeItem::default()
            },
        )],
        ..latitude()
    }
}

pub(crate) fn changes() -> Vec<Change> {
    let change = |count, section: &str, item: &str, operation, fields: &[(&str, Value, Value)]| Change {
        at: ago(count),
        section: section.into(),
        item: item.into(),
        operation,
        before: String::new(),
        after: String::new(),
        fields: fields
            .iter()
            .map(|(field, before, after)| FieldChange {
                field: (*field).into(),
                before: before.clone(),
                after: after.clone(),
            })
            .collect(),
    };
    let none = || json!(null);
    let module = [
        ("size_mib", json!(8192), none()),
        ("kind", json!("DDR4"), none()),
        ("manufacturer", json!("Samsung"), none()),
        ("empty", none(), json!(true)),
    ];
    vec![
        change(
            1,
            "software",
            "firefox-esr",
            Operation::Changed,
            &[("version", json!("128.4.0esr-1"), json!("128.5.0esr-1"))],
        ),
        change(1, "software", "openvpn", Operation::Removed, &[("version", json!("2.6.3-1"), none())]),
        change(2, "memory", "DIMM B", Operation::Removed, &module),
        change(4, "software", HOSTILE, Operation::Added, &[("version", none(), json!(HOSTILE))]),
        change(
            5,
            "os",
            "linux",
            Operation::Changed,
            &[
                ("kernel", json!("6.1.0-26-amd64"), json!("6.1.0-27-amd64")),
                (HOSTILE, json!(HOSTILE), none()),
            ],
        ),
    ]
}

pub(crate) fn titles(count: usize) -> Vec<InstalledTitle> {
    let title = |number: usize| InstalledTitle {
        name: format!("libsample{number}-dev"),
        version: format!("1:2.{number}.0-3+deb12u1"),
        publisher: "Debian".into(),
        architecture: "amd64".into(),
        source: "dpkg".into(),
    };
    (0..count).map(title).collect()
}

pub(crate) fn conflict() -> TagConflict {
    TagConflict {
        id: TagConflictId::from(Uuid::from_u128(9)),
        organisation_id: organisation_id(),
        tag: "PC-004217".into(),
        tag_key: "PC004217".into(),
        holder_ci_id: CiId::from(Uuid::from_u128(42)),
        claimant_ci_id: CiId::from(Uuid::from_u128(666)),
        opened_at: ago(2),
    }
}
