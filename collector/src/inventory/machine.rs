//! A machine as people see it, now or at a moment, and what changed on it. The wire's messages are the
//! vocabulary of what a machine says about itself, so this slice (beside the gRPC edge) knows them.

use parc_wire::v1;

use crate::kernel::id::CiId;
use crate::kernel::time::UtcMicros;

/// A machine, now, as pinned or as it was: what it said about itself, what people declared about it.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The item.
    pub ci: Option<CiId>,
    /// Host name, or the declared name.
    pub name: String,
    /// The tag as it stands on the sticker.
    pub tag: Option<String>,
    /// `laptop`, `desktop`, `server`, `virtual`, `other`; empty when unknown.
    pub kind: String,
    /// Empty without a site.
    pub site_name: String,
    /// Building, floor, room; may be empty.
    pub location: String,
    /// Empty when nobody is assigned.
    pub assigned_to_name: String,
    /// Make, model, serial, purchase, warranty…: declared and discovered side by side. Fields nobody
    /// knows anything about are left out.
    pub facts: Vec<Fact>,
    /// System, chassis and board (SMBIOS types 1 to 3).
    pub system: Option<v1::SystemItem>,
    /// Firmware (SMBIOS type 0).
    pub firmware: Option<v1::FirmwareItem>,
    /// One per package, in the agent's order.
    pub cpus: Vec<v1::CpuItem>,
    /// Of the whole machine.
    pub memory_total: Option<v1::MemoryItem>,
    /// One per slot, empty ones too.
    pub memory_slots: Vec<v1::MemoryItem>,
    /// Key (kernel name) and disk.
    pub disks: Vec<(String, v1::StorageItem)>,
    /// Key (mount point) and volume.
    pub volumes: Vec<(String, v1::VolumeItem)>,
    /// Key (interface name) and interface.
    pub networks: Vec<(String, v1::NetworkItem)>,
    /// Key (connector) and display.
    pub displays: Vec<(String, v1::DisplayItem)>,
    /// The operating system.
    pub os: Option<v1::OsItem>,
    /// What the agent could not read, and why.
    pub problems: Vec<v1::ProblemItem>,
    /// Installed titles.
    pub software_count: i64,
    /// The moment this state is of: the pin's, the one asked for, or the last contact.
    pub observed_at: UtcMicros,
    /// When the agent last reported before that; nothing for a machine without agent.
    pub last_report_at: Option<UtcMicros>,
}

impl Machine {
    /// Both sources of a field; nothing when neither is known.
    pub fn fact(&self, field: DeclaredField) -> Option<&Fact> {
        self.facts.iter().find(|it| it.field == field)
    }

    /// The effective text of a field: declared if declared, else discovered; empty when unknown.
    pub fn text(&self, field: DeclaredField) -> &str {
        self.fact(field).map_or("", Fact::effective)
    }
}

/// One field with both its sources.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fact {
    /// Which field.
    pub field: DeclaredField,
    /// What a person or program declared.
    pub declared: Option<SourcedValue>,
    /// What the machine said.
    pub discovered: Option<SourcedValue>,
}

impl Fact {
    /// Declared wins.
    pub fn effective(&self) -> &str {
        self.declared.as_ref().or(self.discovered.as_ref()).map_or("", |it| it.value.as_str())
    }

    /// Both are known and differ.
    pub fn disagrees(&self) -> bool {
        matches!((&self.declared, &self.discovered), (Some(a), Some(b)) if a.value != b.value)
    }
}

/// A value, who says so, and since when.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SourcedValue {
    /// The value.
    pub value: String,
    /// Person or program that declared it, or the probe source (`smbios-table`, `sysfs`, `os`).
    pub source: String,
    /// When it was declared, or when the section that says so arrived.
    pub at: UtcMicros,
}

/// Fields an admin may declare.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
#[clap(rename_all = "snake_case")]
pub enum DeclaredField {
    /// Manufacturer.
    Make,
    /// Model.
    Model,
    /// Serial number.
    Serial,
    /// `laptop`, `desktop`, `server`, `virtual`, `other`.
    Kind,
    /// Name; the host name when nothing is declared.
    Name,
    /// Date of purchase, `YYYY-MM-DD`.
    PurchasedOn,
    /// Last day of the warranty, `YYYY-MM-DD`.
    WarrantyUntil,
    /// Who sold it.
    Supplier,
    /// Anything else.
    Comment,
}

impl DeclaredField {
    /// Every field, in the order they are shown.
    pub const ALL: [Self; 9] = [
        Self::Make,
        Self::Model,
        Self::Serial,
        Self::Kind,
        Self::Name,
        Self::PurchasedOn,
        Self::WarrantyUntil,
        Self::Supplier,
        Self::Comment,
    ];

    /// Stored word and text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::Make => "make",
            Self::Model => "model",
            Self::Serial => "serial",
            Self::Kind => "kind",
            Self::Name => "name",
            Self::PurchasedOn => "purchased_on",
            Self::WarrantyUntil => "warranty_until",
            Self::Supplier => "supplier",
            Self::Comment => "comment",
        }
    }

    /// From the stored word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// One item-level change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When the collector learnt of it.
    pub at: UtcMicros,
    /// `memory`, `software`, `storage`… (text key).
    pub section: String,
    /// Shown to people: `DIMM A`, `7-Zip`, `/home`.
    pub item: String,
    /// What happened to it.
    pub operation: Operation,
    /// Short English text of what was: `24.08`, `8192 MiB DDR4 Samsung`; for a changed item only the fields
    /// that differ: `speed 2666 MT/s`. Empty for an added item, `empty` for a slot that was filled.
    pub before: String,
    /// Short English text of what is. Empty for a removed item, `empty` for a slot that was emptied.
    pub after: String,
    /// The same for who words it in another language: all fields that differ, or of an item that came or went
    /// those it is recognised by; the most telling first.
    pub fields: Vec<FieldChange>,
}

/// One field of a changed item, as the history keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Name on the wire, unit last: `size_mib`, `part_number`.
    pub field: String,
    /// Text, number or yes/no; null where it was not known.
    pub before: serde_json::Value,
    /// The same, as it is now.
    pub after: serde_json::Value,
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// It was not there before.
    Added,
    /// It is no longer there.
    Removed,
    /// It is there with other values.
    Changed,
}
