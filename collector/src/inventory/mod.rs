//! Configuration items. PUBLIC FACE (contract).
pub mod api;
pub mod model;
mod enroll_stub;
pub(crate) mod web;
pub use enroll_stub::{EnrolledCi, EnrollingMachine, enroll_ci};
use crate::{context::Context, db::{StoreError, Tx}, kernel::{actor::{Actor, Scope}, id::*, page::{Page, PageRequest}, text::AssetTag, time::UtcMicros}};
pub use model::*;

/// The item with that id, if it is in scope.
pub async fn find_ci(_tx: &mut Tx, _scope: Scope, _ci: CiId) -> Result<Option<CiSummary>, StoreError> { todo!() }
/// The organisation's live or retired item with that tag key.
pub async fn find_ci_by_tag(_tx: &mut Tx, _organisation: OrganisationId, _tag_key: &str) -> Result<Option<CiSummary>, StoreError> { todo!() }
/// Items with that tag key in any organisation in scope (for staff of several organisations), at most 20.
pub async fn list_cis_by_tag(_tx: &mut Tx, _scope: Scope, _tag_key: &str) -> Result<Vec<CiSummary>, StoreError> { todo!() }
/// Whether another organisation holds the key (staff only may be told).
pub async fn tag_is_foreign(_tx: &mut Tx, _organisation: OrganisationId, _tag_key: &str) -> Result<bool, StoreError> { todo!() }
/// An open conflict on this tag key in the organisation: holder and claimants.
pub async fn find_open_conflict(_tx: &mut Tx, _organisation: OrganisationId, _tag_key: &str) -> Result<Option<TagConflict>, StoreError> { todo!() }
/// Items of the organisation whose tag key is one of `keys` (at most 500 keys, 10 rows): near misses.
pub async fn list_cis_by_tag_keys(_tx: &mut Tx, _organisation: OrganisationId, _keys: &[String]) -> Result<Vec<CiSummary>, StoreError> { todo!() }
/// Items assigned to a person, at most 20.
pub async fn list_cis_of_person(_tx: &mut Tx, _person: PersonId) -> Result<Vec<CiSummary>, StoreError> { todo!() }
/// The parc list.
pub async fn list_cis(_tx: &mut Tx, _scope: Scope, _filter: &CiFilter, _page: &PageRequest) -> Result<Page<CiSummary>, StoreError> { todo!() }
/// How many items the filter finds.
pub async fn count_cis(_tx: &mut Tx, _scope: Scope, _filter: &CiFilter) -> Result<i64, StoreError> { todo!() }
/// Keeps the item's present state for ever under a new pin.
pub async fn pin(_tx: &mut Tx, _context: &Context, _ci: CiId) -> Result<PinId, StoreError> { todo!() }
/// The machine as pinned.
pub async fn pinned_machine(_tx: &mut Tx, _pin: PinId) -> Result<Option<Machine>, StoreError> { todo!() }
/// The machine as last reported.
pub async fn current_machine(_tx: &mut Tx, _ci: CiId) -> Result<Option<Machine>, StoreError> { todo!() }
/// The machine as it was at a moment, rebuilt from the history.
pub async fn machine_at(_tx: &mut Tx, _ci: CiId, _at: UtcMicros) -> Result<Option<Machine>, StoreError> { todo!() }
/// Item-level changes in `[from, to)`, newest first.
pub async fn list_changes(_tx: &mut Tx, _ci: CiId, _from: UtcMicros, _to: UtcMicros, _limit: u32) -> Result<Vec<Change>, StoreError> { todo!() }
/// The whole history, newest first.
pub async fn history(_tx: &mut Tx, _ci: CiId, _page: &PageRequest) -> Result<Page<Change>, StoreError> { todo!() }
/// Installed titles of an item now, filtered by a search text, by name.
pub async fn list_software(_tx: &mut Tx, _ci: CiId, _query: &str, _page: &PageRequest) -> Result<Page<InstalledTitle>, StoreError> { todo!() }
/// Open conflicts in scope, oldest first.
pub async fn list_conflicts(_tx: &mut Tx, _scope: Scope, _page: &PageRequest) -> Result<Page<TagConflict>, StoreError> { todo!() }
/// Settles a conflict: keep the holder or move the tag to the claimant.
pub async fn resolve_conflict(_context: &Context, _actor: &Actor, _conflict: TagConflictId, _resolution: ConflictResolution, _reason: &str) -> Result<(), InventoryError> { todo!() }
/// Makes an item by hand (a machine without agent, a sticker known in advance).
pub async fn create_ci(_tx: &mut Tx, _context: &Context, _actor: &Actor, _new: NewCi) -> Result<CiId, InventoryError> { todo!() }
/// Declares a fact about an item (blank removes the declaration).
pub async fn declare(_tx: &mut Tx, _context: &Context, _actor: &Actor, _ci: CiId, _field: DeclaredField, _value: &str) -> Result<(), InventoryError> { todo!() }
/// Gives an item a tag by hand; wakes waiting tickets.
pub async fn assign_tag(_tx: &mut Tx, _context: &Context, _actor: &Actor, _ci: CiId, _tag: Option<AssetTag>, _listener: &dyn TagListener) -> Result<(), InventoryError> { todo!() }
