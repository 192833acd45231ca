//! Configuration items: what agents discovered, what people declared, what changed, and which tag is
//! whose. Owns the tables `inventory_*`.
//!
//! Invariants: one item per tag and organisation, retired ones included; a stored section's digest is the
//! one its agent declared and was told to be durable; contents are immutable, so a pin on a ticket never
//! changes; what is declared never overwrites what was discovered, nor the other way round.

pub mod api;
mod content;
mod declare;
mod diff;
mod enroll;
mod garbage;
mod intake;
mod items;
mod lifecycle;
mod machine;
pub mod model;
mod recognise;
mod record;
mod store;
mod tag_rules;
mod tags;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod view;
pub(crate) mod web;
mod wording;

pub use declare::{create_ci, declare, place};
pub use enroll::{EnrolledCi, EnrollingMachine, enroll_ci};
pub use garbage::{collect_garbage, prune_history};
pub use intake::{Intake, IntakeError, IntakeSettings};
pub use lifecycle::{list_cis_by_lifecycle, set_lifecycle};
pub use machine::{Change, DeclaredField, Fact, FieldChange, Machine, Operation, SourcedValue};
pub use model::{
    AgentBinding, CiFilter, CiSummary, ConflictResolution, HookFuture, InventoryError, Lifecycle, NewCi,
    Placement, TagBound, TagConflict, TagListener, TagPolicy, TagSource,
};
pub use tags::{assign_tag, resolve_conflict};
pub use view::{
    current_machine, differences, history, list_changes, list_software, machine_at, pin, pinned_machine,
    software_differences,
};

pub use crate::software::InstalledTitle;

use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{CiId, OrganisationId, PersonId, TagConflictId};
use crate::kernel::page::{Page, PageRequest};

/// Items one tag may lead to in several organisations, or one person may have: what fits a choice.
const CHOICE_ROWS: i64 = 20;
/// Near misses looked at.
const NEAR_MISS_ROWS: i64 = 10;

/// The item with that id, if it is in scope.
pub async fn find_ci(tx: &mut Tx, scope: Scope, ci: CiId) -> Result<Option<CiSummary>, StoreError> {
    store::list::find(tx, scope, ci).await
}

/// The organisation's live or retired item with that tag key.
pub async fn find_ci_by_tag(
    tx: &mut Tx,
    organisation: OrganisationId,
    tag_key: &str,
) -> Result<Option<CiSummary>, StoreError> {
    store::list::find_by_tag(tx, organisation, tag_key).await
}

/// Items with that tag key in any organisation in scope (for staff of several organisations), at most 20.
pub async fn list_cis_by_tag(tx: &mut Tx, scope: Scope, tag_key: &str) -> Result<Vec<CiSummary>, StoreError> {
    store::list::list_by_tag(tx, scope, tag_key, CHOICE_ROWS).await
}

/// Whether another organisation holds the key (staff only may be told).
pub async fn tag_is_foreign(
    tx: &mut Tx,
    organisation: OrganisationId,
    tag_key: &str,
) -> Result<bool, StoreError> {
    store::list::tag_is_foreign(tx, organisation, tag_key).await
}

/// The oldest open conflict on this tag key in the organisation.
pub async fn find_open_conflict(
    tx: &mut Tx,
    organisation: OrganisationId,
    tag_key: &str,
) -> Result<Option<TagConflict>, StoreError> {
    Ok(store::conflict::list_open_on_key(tx, organisation, tag_key, 1).await?.into_iter().next())
}

/// Every open conflict on this tag key in the organisation, one per claimant, oldest first, at most 20.
pub async fn list_open_conflicts_on(
    tx: &mut Tx,
    organisation: OrganisationId,
    tag_key: &str,
) -> Result<Vec<TagConflict>, StoreError> {
    store::conflict::list_open_on_key(tx, organisation, tag_key, CHOICE_ROWS).await
}

/// An open conflict, if it is in scope.
pub async fn find_conflict(
    tx: &mut Tx,
    scope: Scope,
    id: TagConflictId,
) -> Result<Option<TagConflict>, StoreError> {
    store::conflict::find_open(tx, scope, id).await
}

/// Live items of the organisation whose tag key is one of `keys` (at most 500 keys, 10 rows): near misses.
pub async fn list_cis_by_tag_keys(
    tx: &mut Tx,
    organisation: OrganisationId,
    keys: &[String],
) -> Result<Vec<CiSummary>, StoreError> {
    store::list::list_by_tag_keys(tx, organisation, keys, NEAR_MISS_ROWS).await
}

/// Live items assigned to a person, at most 20.
pub async fn list_cis_of_person(tx: &mut Tx, person: PersonId) -> Result<Vec<CiSummary>, StoreError> {
    store::list::list_of_person(tx, person, CHOICE_ROWS).await
}

/// The parc list, by name.
pub async fn list_cis(
    tx: &mut Tx,
    scope: Scope,
    filter: &CiFilter,
    page: &PageRequest,
) -> Result<Page<CiSummary>, StoreError> {
    const SEPARATOR: char = '\u{1f}';
    let after = page.after.as_deref().and_then(|it| {
        let (name, id) = it.rsplit_once(SEPARATOR)?;
        Some((name.to_owned(), id.parse().ok()?))
    });
    let rows = store::list::list(tx, scope, filter, after, page.fetch_limit()).await?;
    Ok(Page::cut(rows, page, |it| format!("{}{SEPARATOR}{}", it.name, it.id)))
}

/// How many items the filter finds.
pub async fn count_cis(tx: &mut Tx, scope: Scope, filter: &CiFilter) -> Result<i64, StoreError> {
    store::list::count(tx, scope, filter).await
}

/// Open conflicts in scope, oldest first.
pub async fn list_conflicts(
    tx: &mut Tx,
    scope: Scope,
    page: &PageRequest,
) -> Result<Page<TagConflict>, StoreError> {
    let place = tags::conflict_place(page.after.as_deref());
    let rows = store::conflict::list_open(tx, scope, place, page.fetch_limit()).await?;
    Ok(Page::cut(rows, page, |it| format!("{} {}", it.opened_at.0, it.id)))
}
