//! The use cases.

use serde_json::json;

use super::model::{CalendarError, CalendarVersion, Measured, NewCalendar, ServiceCalendar};
use super::store;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::kernel::id::{CalendarId, OrganisationId};
use crate::kernel::text;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 80;

/// Makes a calendar.
pub async fn create_calendar(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewCalendar,
) -> Result<ServiceCalendar, CalendarError> {
    check_rights(actor, new.organisation_id)?;
    let new = checked(&new)?;
    let id = CalendarId::generate(context.now(), context.entropy.as_ref());
    if new.standard {
        store::clear_standard(tx, new.organisation_id).await?;
    }
    if !store::insert_calendar(tx, id, &new, context.now()).await? {
        return Err(CalendarError::Taken(new.name));
    }
    let version = CalendarVersion { calendar_id: id, version: 1 };
    store::insert_version(tx, version, &new.hours, (context.now(), &actor.label)).await?;
    record(tx, context, actor, "calendar.created", (new.organisation_id, version)).await?;
    store::find_calendar(tx, actor.scope, id).await?.ok_or(CalendarError::NotFound)
}

/// Changes a calendar that is at `seen`. Other hours make the next version; tickets that are open keep theirs.
pub async fn change_calendar(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    seen: CalendarVersion,
    new: NewCalendar,
) -> Result<ServiceCalendar, CalendarError> {
    let known = store::find_calendar(tx, actor.scope, seen.calendar_id).await?;
    let known = known.ok_or(CalendarError::NotFound)?;
    check_rights(actor, known.organisation_id)?;
    let new = checked(&NewCalendar { organisation_id: known.organisation_id, ..new })?;
    if known.standard && !new.standard && known.organisation_id.is_none() {
        return Err(CalendarError::invalid("standard", "is needed: make another calendar the standard one"));
    }
    let other_hours = known.hours != new.hours;
    let next = CalendarVersion { version: seen.version + i64::from(other_hours), ..seen };
    if new.standard && !known.standard {
        store::clear_standard(tx, known.organisation_id).await?;
    }
    if store::name_is_taken(tx, known.organisation_id, &new.name, known.id).await? {
        return Err(CalendarError::Taken(new.name));
    }
    if !store::update_calendar(tx, seen, &new, next.version).await? {
        return Err(CalendarError::Stale { current: known.version });
    }
    if other_hours {
        store::insert_version(tx, next, &new.hours, (context.now(), &actor.label)).await?;
    }
    record(tx, context, actor, "calendar.changed", (known.organisation_id, next)).await?;
    store::find_calendar(tx, actor.scope, known.id).await?.ok_or(CalendarError::NotFound)
}

/// Calendars the actor may use: first those it looks after, then by organisation and name.
pub async fn list_calendars(tx: &mut Tx, scope: Scope) -> Result<Vec<ServiceCalendar>, StoreError> {
    store::list_calendars(tx, scope).await
}

/// What holds in an organisation when no contract says otherwise: its own standard calendar, else the provider's.
pub async fn standard_version(
    tx: &mut Tx,
    organisation: OrganisationId,
) -> Result<CalendarVersion, StoreError> {
    let found = store::find_standard(tx, organisation).await?;
    found.ok_or_else(|| StoreError::inconsistent("calendar", "standard", organisation))
}

/// Reads the calendars of these versions, ready to measure with.
pub async fn load_measured(
    tx: &mut Tx,
    versions: impl IntoIterator<Item = CalendarVersion>,
) -> Result<Measured, StoreError> {
    let mut measured = Measured::new();
    for version in versions {
        if measured.contains(version) {
            continue;
        }
        let broken = || {
            let row = format!("{}/{}", version.calendar_id, version.version);
            StoreError::inconsistent("calendar_version", "hours", row)
        };
        let hours = store::find_version(tx, version).await?.ok_or_else(broken)?;
        measured.insert(version, hours.calendar().map_err(|_| broken())?);
    }
    Ok(measured)
}

/// Only who sees all organisations changes what all of them use.
fn check_rights(actor: &Actor, organisation: Option<OrganisationId>) -> Result<(), CalendarError> {
    let in_scope = match organisation {
        Some(organisation) => actor.scope.contains(organisation),
        None => actor.scope == Scope::All,
    };
    if !actor.may(Permission::Administer) || !in_scope {
        return Err(CalendarError::Forbidden);
    }
    Ok(())
}

fn checked(new: &NewCalendar) -> Result<NewCalendar, CalendarError> {
    let name = text::line(&new.name, NAME_CHARS_MAX).map_err(|it| CalendarError::invalid("name", it))?;
    Ok(NewCalendar { name, hours: new.hours.tidy()?, ..*new })
}

async fn record(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    action: &'static str,
    (organisation_id, version): (Option<OrganisationId>, CalendarVersion),
) -> Result<(), CalendarError> {
    let deed = Deed {
        organisation_id,
        action,
        subject_kind: "calendar",
        subject_id: version.calendar_id.to_string(),
        detail: json!({ "version": version.version }),
    };
    Ok(audit::record(tx, context, actor, deed).await?)
}
