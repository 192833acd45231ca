//! Types of the slice: configuration items, tags, conflicts, errors. What a machine says about itself is
//! in `machine.rs`.

use crate::db::{StoreError, Tx};
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{AgentId, CiId, OrganisationId, PersonId, SiteId, TagConflictId};
use crate::kernel::text::AssetTag;
use crate::kernel::time::UtcMicros;

use super::machine::DeclaredField;

/// One row of the parc list. Make, model, serial, kind and name are what was declared where something was
/// declared, and what the machine said otherwise.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CiSummary {
    /// Its id.
    pub id: CiId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Name of that organisation.
    pub organisation_name: String,
    /// Where it is.
    pub site_id: Option<SiteId>,
    /// Empty without a site.
    pub site_name: String,
    /// Building, floor, room; may be empty.
    pub location: String,
    /// Who works with it.
    pub assigned_to_id: Option<PersonId>,
    /// Empty when nobody is assigned.
    pub assigned_to_name: String,
    /// Where it stands in its life.
    pub lifecycle: Lifecycle,
    /// The tag as it stands on the sticker.
    pub tag: Option<String>,
    /// Who gave it that tag.
    pub tag_source: Option<TagSource>,
    /// Host name, or the declared name.
    pub name: String,
    /// `laptop`, `desktop`, `server`, `virtual`, `other`.
    pub kind: String,
    /// Manufacturer; empty when unknown, never a factory placeholder.
    pub make: String,
    /// Model; empty when unknown, never a factory placeholder.
    pub model: String,
    /// Serial number; empty when unknown, never a factory placeholder.
    pub serial: String,
    /// Name of the operating system.
    pub os_name: String,
    /// Version of the operating system.
    pub os_version: String,
    /// Model of the first processor package.
    pub cpu: String,
    /// Memory of the whole machine, MiB.
    pub memory_mib: i64,
    /// Fixed disks together, MiB.
    pub disk_mib: i64,
    /// Installed titles.
    pub software_count: i64,
    /// An agent is enrolled on it.
    pub has_agent: bool,
    /// When its agent was last heard.
    pub last_contact_at: Option<UtcMicros>,
    /// When its agent last reported something new.
    pub last_change_at: Option<UtcMicros>,
    /// Facts its agent could not read.
    pub problem_count: i64,
}

/// Where an item stands in its life. Only `Retired` is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Somebody works with it.
    InUse,
    /// In a cupboard, ready.
    Stock,
    /// At the repairer's.
    InRepair,
    /// Lent out.
    OnLoan,
    /// Gone for good; its tag is never given again.
    Retired,
    /// Stolen or lost.
    Stolen,
}

/// Who gave an item its tag; a lower source never overwrites a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum TagSource {
    /// The chassis tag of the firmware (SMBIOS type 3).
    Firmware,
    /// `parc-agent tag` or the agent's configuration file.
    Configuration,
    /// A person with the right to.
    Admin,
}

/// Filters of the parc list; all given ones must hold.
#[derive(Clone, Debug, Default)]
pub struct CiFilter {
    /// Words looked for in tag, name, serial, make, model, person, location; each must occur. At most
    /// five count.
    pub query: String,
    /// Only this organisation's.
    pub organisation_id: Option<OrganisationId>,
    /// Only this site's.
    pub site_id: Option<SiteId>,
    /// Only this kind.
    pub kind: Option<String>,
    /// The system's name or version contains this.
    pub os: Option<String>,
    /// The make contains this.
    pub make: Option<String>,
    /// The agent was last heard before this moment; where none was ever heard, the item was made before it.
    pub silent_since: Option<UtcMicros>,
    /// Only items without a tag.
    pub without_tag: bool,
    /// Less memory than this, MiB; items of unknown size are left out.
    pub memory_below_mib: Option<i64>,
    /// Has a title whose name contains this.
    pub software: Option<String>,
    /// Retired items too.
    pub include_retired: bool,
}

/// Two machines claim one asset tag. Tickets keep using the holder.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TagConflict {
    /// Its id.
    pub id: TagConflictId,
    /// Where the tag is contested.
    pub organisation_id: OrganisationId,
    /// The tag as the claimant spells it.
    pub tag: String,
    /// The key both spellings share.
    pub tag_key: String,
    /// The item that has the tag.
    pub holder_ci_id: CiId,
    /// The item that claims it too.
    pub claimant_ci_id: CiId,
    /// When the claim was first made.
    pub opened_at: UtcMicros,
}

/// How a person settles a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictResolution {
    /// The claim is refused.
    KeepHolder,
    /// The holder loses the tag to the claimant.
    MoveToClaimant,
}

/// What makes an item by hand.
#[derive(Clone, Debug)]
pub struct NewCi {
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Where it is.
    pub site_id: Option<SiteId>,
    /// Building, floor, room; may be empty.
    pub location: String,
    /// Its sticker.
    pub tag: Option<AssetTag>,
    /// Who works with it.
    pub assigned_to_id: Option<PersonId>,
    /// Where it stands in its life.
    pub lifecycle: Lifecycle,
    /// What is known about it.
    pub declared: Vec<(DeclaredField, String)>,
}

/// Where an item stands and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The site, one of the item's organisation.
    pub site_id: Option<SiteId>,
    /// Building, floor, room.
    pub location: String,
    /// The person it is given to.
    pub assigned_to_id: Option<PersonId>,
}

/// The enrolled machine behind a contact; filled by `agents` from the certificate, never from the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentBinding {
    /// The agent.
    pub agent_id: AgentId,
    /// The item it reports for.
    pub ci_id: CiId,
    /// Whose item that is.
    pub organisation_id: OrganisationId,
    /// Whether a claimed tag may be bound without a person.
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
pub struct TagBound {
    /// Where.
    pub organisation_id: OrganisationId,
    /// The tag.
    pub tag: AssetTag,
    /// The item that has it now.
    pub ci_id: CiId,
}

/// A boxed future, for the one hook that crosses slices.
pub type HookFuture<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Told in the transaction that binds a tag. Implemented by `tickets` (late attachment), handed in by `app`.
pub trait TagListener: Send + Sync + std::fmt::Debug {
    /// `bound` has just become true in `tx`; an error undoes the binding.
    fn tag_bound<'a>(&'a self, tx: &'a mut Tx, bound: &'a TagBound) -> HookFuture<'a>;
}

/// Why an inventory use case did not do it.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// No such item, or it is out of the actor's scope.
    #[error("no such configuration item")]
    NotFound,
    /// Another item, live or retired, has the tag.
    #[error("the tag {0} belongs to another configuration item")]
    TagTaken(String),
    /// The state of the item or conflict does not allow it.
    #[error("{0}")]
    Conflict(&'static str),
    /// The database did not do it.
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
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::TagTaken(_) => Some("tag"),
            Self::NotFound | Self::Conflict(_) | Self::Store(_) => None,
        }
    }
}
