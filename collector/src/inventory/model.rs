//! Types of the slice. The wire's messages are the vocabulary of what a machine says about itself: they
//! are stored as they came, so this slice (beside the gRPC edge) knows them.

use parc_wire::v1;

use crate::db::{StoreError, Tx};
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{AgentId, CiId, OrganisationId, PersonId, SiteId, TagConflictId};
use crate::kernel::text::AssetTag;
use crate::kernel::time::UtcMicros;

/// One row of the parc list.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CiSummary {
    pub id: CiId,
    pub organisation_id: OrganisationId,
    pub organisation_name: String,
    pub site_id: Option<SiteId>,
    /// Empty without a site.
    pub site_name: String,
    pub location: String,
    pub assigned_to_id: Option<PersonId>,
    /// Empty when nobody is assigned.
    pub assigned_to_name: String,
    pub lifecycle: Lifecycle,
    pub tag: Option<String>,
    pub tag_source: Option<TagSource>,
    /// Host name, or the declared name.
    pub name: String,
    /// `laptop`, `desktop`, `server`, `virtual`, `other`.
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
    pub has_agent: bool,
    pub last_contact_at: Option<UtcMicros>,
    pub last_change_at: Option<UtcMicros>,
    pub problem_count: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle { InUse, Stock, InRepair, OnLoan, Retired, Stolen }

/// Who gave an item its tag; a lower source never overwrites a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum TagSource { Firmware, Configuration, Admin }

/// Filters of the parc list; all given ones must hold.
#[derive(Clone, Debug, Default)]
pub struct CiFilter {
    /// Words looked for in tag, name, serial, make, model, person, location.
    pub query: String,
    pub organisation_id: Option<OrganisationId>,
    pub site_id: Option<SiteId>,
    pub kind: Option<String>,
    pub os: Option<String>,
    pub make: Option<String>,
    /// Agent silent for more than so many days.
    pub silent_since: Option<UtcMicros>,
    pub without_tag: bool,
    pub memory_below_mib: Option<i64>,
    /// Has a title whose name contains this.
    pub software: Option<String>,
    pub include_retired: bool,
}

/// A machine, now or as pinned: what it said about itself, what people declared about it.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub ci: Option<CiId>,
    pub name: String,
    pub tag: Option<String>,
    pub kind: String,
    pub site_name: String,
    pub location: String,
    pub assigned_to_name: String,
    /// Make, model, serial, purchase, warranty…: declared and discovered side by side.
    pub facts: Vec<Fact>,
    pub system: Option<v1::SystemItem>,
    pub firmware: Option<v1::FirmwareItem>,
    pub cpus: Vec<v1::CpuItem>,
    /// Of the whole machine.
    pub memory_total: Option<v1::MemoryItem>,
    pub memory_slots: Vec<v1::MemoryItem>,
    /// Key (kernel name) and disk.
    pub disks: Vec<(String, v1::StorageItem)>,
    /// Key (mount point) and volume.
    pub volumes: Vec<(String, v1::VolumeItem)>,
    pub networks: Vec<(String, v1::NetworkItem)>,
    pub displays: Vec<(String, v1::DisplayItem)>,
    pub os: Option<v1::OsItem>,
    pub problems: Vec<v1::ProblemItem>,
    pub software_count: i64,
    /// When the state was taken (pins) or read (now).
    pub observed_at: UtcMicros,
    /// When the agent last reported before that.
    pub last_report_at: Option<UtcMicros>,
}

impl Machine {
    /// What lists and tickets show for a field: declared if declared, else discovered.
    pub fn fact(&self, field: DeclaredField) -> Option<&Fact> { self.facts.iter().find(|it| it.field == field) }
    /// The effective text of a field, empty when unknown.
    pub fn text(&self, field: DeclaredField) -> &str { self.fact(field).map_or("", Fact::effective) }
}

/// One field with both its sources.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fact {
    pub field: DeclaredField,
    pub declared: Option<SourcedValue>,
    pub discovered: Option<SourcedValue>,
}

impl Fact {
    /// Declared wins.
    pub fn effective(&self) -> &str { self.declared.as_ref().or(self.discovered.as_ref()).map_or("", |it| it.value.as_str()) }
    /// Both are known and differ.
    pub fn disagrees(&self) -> bool { matches!((&self.declared, &self.discovered), (Some(a), Some(b)) if a.value != b.value) }
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SourcedValue {
    pub value: String,
    /// Person or program that declared it, or the probe source (`smbios-table`, `sysfs`).
    pub source: String,
    pub at: UtcMicros,
}

/// Fields an admin may declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[clap(rename_all = "snake_case")]
pub enum DeclaredField { Make, Model, Serial, Kind, Name, PurchasedOn, WarrantyUntil, Supplier, Comment }

impl DeclaredField {
    pub const ALL: [Self; 9] = [Self::Make, Self::Model, Self::Serial, Self::Kind, Self::Name, Self::PurchasedOn, Self::WarrantyUntil, Self::Supplier, Self::Comment];
    /// Stored word and text key.
    pub fn code(self) -> &'static str {
        match self { Self::Make => "make", Self::Model => "model", Self::Serial => "serial", Self::Kind => "kind", Self::Name => "name", Self::PurchasedOn => "purchased_on", Self::WarrantyUntil => "warranty_until", Self::Supplier => "supplier", Self::Comment => "comment" }
    }
}

/// One item-level change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub at: UtcMicros,
    /// `memory`, `software`, `storage`… (text key).
    pub section: String,
    /// Shown to people: `DIMM A`, `7-Zip`, `/home`.
    pub item: String,
    pub operation: Operation,
    /// Short texts: "24.08", "8192 MiB DDR4 Samsung M471…"; for `changed` only the fields that differ: `size_mib 8192`.
    pub before: String,
    pub after: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Operation { Added, Removed, Changed }

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InstalledTitle { pub name: String, pub version: String, pub publisher: String, pub architecture: String, pub source: String }

/// Two machines claim one tag. Tickets keep using the holder.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TagConflict {
    pub id: TagConflictId,
    pub organisation_id: OrganisationId,
    pub tag: String,
    pub tag_key: String,
    pub holder_ci_id: CiId,
    pub claimant_ci_id: CiId,
    pub opened_at: UtcMicros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictResolution { KeepHolder, MoveToClaimant }

#[derive(Clone, Debug)]
pub struct NewCi {
    pub organisation_id: OrganisationId,
    pub site_id: Option<SiteId>,
    pub location: String,
    pub tag: Option<AssetTag>,
    pub assigned_to_id: Option<PersonId>,
    pub lifecycle: Lifecycle,
    pub declared: Vec<(DeclaredField, String)>,
}

/// The enrolled machine behind a contact; filled by `agents` from the certificate, never from the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentBinding {
    pub agent_id: AgentId,
    pub ci_id: CiId,
    pub organisation_id: OrganisationId,
    pub tag_policy: TagPolicy,
}

/// Whether a tag an agent claims may be bound without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, serde::Serialize, clap::ValueEnum)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[clap(rename_all = "snake_case")]
pub enum TagPolicy {
    /// Claims are shown, never bound.
    None,
    /// Bound only if an item with that tag was made in advance (its declared serial, when there is one, must match).
    MustExist,
    /// Bound when free.
    MayCreate,
}

/// A tag was bound to a machine; open tickets that wait for it may now be served.
#[derive(Clone, Debug)]
pub struct TagBound { pub organisation_id: OrganisationId, pub tag: AssetTag, pub ci_id: CiId }

/// A boxed future, for the one hook that crosses slices.
pub type HookFuture<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Told in the transaction that binds a tag. Implemented by `tickets` (late attachment), handed in by `app`.
pub trait TagListener: Send + Sync + std::fmt::Debug {
    fn tag_bound<'a>(&'a self, tx: &'a mut Tx, bound: &'a TagBound) -> HookFuture<'a>;
}

/// Why an inventory use case did not do it.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    #[error("{field} {reason}")]
    Invalid { field: &'static str, reason: String },
    #[error("no such configuration item")]
    NotFound,
    #[error("the tag {0} belongs to another configuration item")]
    TagTaken(String),
    #[error("{0}")]
    Conflict(&'static str),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for InventoryError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::NotFound => ErrorKind::NotFound,
            Self::TagTaken(_) | Self::Conflict(_) => ErrorKind::Conflict,
            Self::Store(error) => error.kind(),
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound => "not-found",
            Self::TagTaken(_) => "tag-taken",
            Self::Conflict(_) => "conflict",
            Self::Store(error) => error.code(),
        }
    }
    fn field(&self) -> Option<&str> {
        if let Self::Invalid { field, .. } = self { Some(field) } else { None }
    }
}
