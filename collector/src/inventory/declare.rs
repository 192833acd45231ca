//! What people say about an item: items made by hand, declared facts.

use std::collections::BTreeMap;

use parc_wire::v1::SectionKind;
use serde_json::json;

use super::machine::{DeclaredField, SourcedValue};
use super::model::{InventoryError, Lifecycle, NewCi, Placement, TagListener, TagSource};
use super::record::{Columns, system_fact};
use super::store::ci as ci_store;
use super::{items::Body, tags, view};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::id::CiId;
use crate::kernel::text;
use crate::kernel::time::{UtcMicros, Zone};

/// Characters of a declared value.
const VALUE_CHARS_MAX: usize = 250;
/// Kinds of machines, as lists filter by them.
const KINDS: [&str; 5] = ["laptop", "desktop", "server", "virtual", "other"];

/// Makes an item by hand: a machine without agent, or a sticker known in advance. The agent that later
/// enrolls with that tag takes the item over. Wakes the tickets that wait for the tag.
pub async fn create_ci(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewCi,
    listener: &dyn TagListener,
) -> Result<CiId, InventoryError> {
    if !actor.scope.contains(new.organisation_id) {
        return Err(InventoryError::NotFound);
    }
    let now = context.now();
    let mut declared = BTreeMap::new();
    for (field, value) in &new.declared {
        if let Some(value) = parse(*field, value)? {
            declared.insert(*field, value);
        }
    }
    let location = text::optional_line(&new.location, VALUE_CHARS_MAX)
        .map_err(|it| invalid("location", it.to_string()))?;
    let mut columns = Columns { location: location.unwrap_or_default(), ..Columns::default() };
    for field in DeclaredField::ALL {
        columns.set(field, None, &declared);
    }
    columns.tag = new.tag.as_ref().map(|it| it.display().to_owned());
    columns.refresh_search_key();
    let row = ci_store::NewRow {
        id: CiId::generate(now, context.entropy.as_ref()),
        organisation_id: new.organisation_id,
        site_id: new.site_id,
        assigned_to_id: new.assigned_to_id,
        lifecycle: new.lifecycle,
        has_agent: false,
        columns,
    };
    ci_store::insert(tx, &row, now).await?;
    for (field, value) in declared {
        let value = SourcedValue { value, source: actor.label.clone(), at: now };
        ci_store::declare(tx, row.id, field, Some(&value)).await?;
    }
    if let Some(tag) = &new.tag
        && !ci_store::set_tag(tx, row.id, tag, TagSource::Admin, &row.columns.search_key, now).await?
    {
        return Err(InventoryError::TagTaken(tag.display().to_owned()));
    }
    let detail = json!({ "tag": row.columns.tag });
    tags::record(tx, context, actor, (new.organisation_id, row.id), "ci.created", detail).await?;
    if let Some(tag) = &new.tag {
        tags::tell(tx, listener, new.organisation_id, row.id, tag).await?;
    }
    Ok(row.id)
}

/// Declares a fact about an item; a blank value takes the declaration back.
pub async fn declare(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    ci: CiId,
    field: DeclaredField,
    value: &str,
) -> Result<(), InventoryError> {
    let summary = super::find_ci(tx, actor.scope, ci).await?.ok_or(InventoryError::NotFound)?;
    if summary.lifecycle == Lifecycle::Retired {
        return Err(InventoryError::Conflict("a retired item is not changed"));
    }
    let value = parse(field, value)?;
    let sourced =
        value.clone().map(|value| SourcedValue { value, source: actor.label.clone(), at: context.now() });
    ci_store::declare(tx, ci, field, sourced.as_ref()).await?;
    refresh(tx, ci).await?;
    let detail = json!({ "field": field.code(), "value": value });
    Ok(tags::record(tx, context, actor, (summary.organisation_id, ci), "ci.declared", detail).await?)
}

/// Where an item stands and who has it. A machine that moved keeps its history.
pub async fn place(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    ci: CiId,
    placement: &Placement,
) -> Result<(), InventoryError> {
    let summary = super::find_ci(tx, actor.scope, ci).await?.ok_or(InventoryError::NotFound)?;
    let location = text::optional_line(&placement.location, VALUE_CHARS_MAX)
        .map_err(|it| invalid("location", it.to_string()))?;
    let Some(mut columns) = ci_store::read_columns(tx, &[ci]).await?.remove(&ci) else {
        return Err(InventoryError::NotFound);
    };
    columns.location = location.unwrap_or_default();
    columns.refresh_search_key();
    ci_store::place(tx, ci, placement, &columns).await?;
    let detail = json!({ "site_id": placement.site_id, "location": columns.location });
    Ok(tags::record(tx, context, actor, (summary.organisation_id, ci), "ci.placed", detail).await?)
}

/// Recomputes the columns that declarations and sections share.
pub(super) async fn refresh(tx: &mut Tx, ci: CiId) -> Result<(), StoreError> {
    let declared = ci_store::read_declared(tx, &[ci]).await?.remove(&ci).unwrap_or_default();
    let declared: BTreeMap<DeclaredField, String> =
        declared.into_iter().map(|(field, it)| (field, it.value)).collect();
    let state = view::read_state(tx, ci, &[SectionKind::System, SectionKind::Os]).await?;
    let Some(mut columns) = ci_store::read_columns(tx, &[ci]).await?.remove(&ci) else {
        return Ok(());
    };
    let system = state
        .bodies(SectionKind::System)
        .find_map(|it| if let Body::System(it) = it { Some(it) } else { None });
    for field in [DeclaredField::Make, DeclaredField::Model, DeclaredField::Serial, DeclaredField::Kind] {
        columns.set(field, system.map(|it| system_fact(it, field)), &declared);
    }
    let os = state.bodies(SectionKind::Os).find_map(|it| if let Body::Os(it) = it { Some(it) } else { None });
    columns.set(DeclaredField::Name, os.map(|it| it.hostname.clone()), &declared);
    columns.refresh_search_key();
    ci_store::update_columns(tx, ci, &columns).await
}

/// A value as it is stored; nothing for a blank one.
fn parse(field: DeclaredField, value: &str) -> Result<Option<String>, InventoryError> {
    let Some(value) =
        text::optional_line(value, VALUE_CHARS_MAX).map_err(|it| invalid(field.code(), it.to_string()))?
    else {
        return Ok(None);
    };
    match field {
        DeclaredField::Kind if !KINDS.contains(&value.as_str()) => {
            Err(invalid("kind", format!("must be one of {}", KINDS.join(", "))))
        }
        DeclaredField::PurchasedOn | DeclaredField::WarrantyUntil if !is_date(&value) => {
            Err(invalid(field.code(), "must be a date, YYYY-MM-DD"))
        }
        _ => Ok(Some(value)),
    }
}

fn is_date(value: &str) -> bool {
    value.len() == 10 && UtcMicros::parse(value, &Zone::utc()).is_some()
}

fn invalid(field: &'static str, reason: impl Into<String>) -> InventoryError {
    InventoryError::Invalid { field, reason: reason.into() }
}
