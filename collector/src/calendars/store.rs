//! SQL of calendars and their versions.

use super::model::{CalendarHours, CalendarVersion, NewCalendar, ServiceCalendar};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{CalendarId, OrganisationId};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Calendars in one list: a few per client of a large provider.
const CALENDARS_MAX: i64 = 1_000;

macro_rules! calendar_sql {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.organisation_id, COALESCE(o.name, '') AS organisation_name, c.name, c.standard, c.version,
               v.time_zone, v.hours, v.holidays, v.exceptions, v.created_at AS changed_at, v.created_by AS changed_by
             FROM calendar c
             JOIN calendar_version v ON v.calendar_id = c.id AND v.version = c.version
             LEFT JOIN site_organisation o ON o.id = c.organisation_id
             WHERE ($1 IS NULL OR c.organisation_id IS NULL OR c.organisation_id = $1) ",
            $rest
        )
    };
}

/// Nothing is the standard calendar of the organisation any more, or of the provider.
pub(super) async fn clear_standard(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE calendar SET standard = FALSE
         WHERE standard = TRUE AND ((organisation_id IS NULL AND $1 IS NULL) OR organisation_id = $1)"
    )
    .bind(organisation)
    .execute(conn)
    .await
    .map(drop))
}

/// False when the organisation has one of that name.
pub(super) async fn insert_calendar(
    tx: &mut Tx,
    id: CalendarId,
    new: &NewCalendar,
    at: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO calendar (id, organisation_id, name, standard, version, created_at)
         VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT DO NOTHING"
    )
    .bind(id)
    .bind(new.organisation_id)
    .bind(&new.name)
    .bind(new.standard)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

pub(super) async fn insert_version(
    tx: &mut Tx,
    version: CalendarVersion,
    hours: &CalendarHours,
    (at, by): (UtcMicros, &str),
) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
            "INSERT INTO calendar_version
               (calendar_id, version, time_zone, hours, holidays, exceptions, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(version.calendar_id)
        .bind(version.version)
        .bind(&hours.time_zone)
        .bind(&hours.hours)
        .bind(&hours.holidays)
        .bind(&hours.exceptions)
        .bind(at)
        .bind(by)
        .execute(conn)
        .await
        .map(drop)
    })
}

/// False when the calendar is not at the version that was seen.
pub(super) async fn update_calendar(
    tx: &mut Tx,
    seen: CalendarVersion,
    new: &NewCalendar,
    next: i64,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE calendar SET name = $3, standard = $4, version = $5 WHERE id = $1 AND version = $2"
    )
    .bind(seen.calendar_id)
    .bind(seen.version)
    .bind(&new.name)
    .bind(new.standard)
    .bind(next)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Whether another calendar of the same owner has that name.
pub(super) async fn name_is_taken(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
    name: &str,
    besides: CalendarId,
) -> Result<bool, StoreError> {
    let found: Option<i64> = sql!(tx, |conn| sqlx::query_scalar(
        "SELECT c.version FROM calendar c WHERE c.name = $2 AND c.id <> $3
           AND ((c.organisation_id IS NULL AND $1 IS NULL) OR c.organisation_id = $1)"
    )
    .bind(organisation)
    .bind(name)
    .bind(besides)
    .fetch_optional(conn)
    .await)?;
    Ok(found.is_some())
}

/// The calendar with that id, if it is the provider's or in scope.
pub async fn find_calendar(
    tx: &mut Tx,
    scope: Scope,
    id: CalendarId,
) -> Result<Option<ServiceCalendar>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(calendar_sql!("AND c.id = $2"))
        .bind(scope.organisation())
        .bind(id)
        .fetch_optional(conn)
        .await)
}

/// The organisation's calendar of that name, else the provider's.
pub async fn find_calendar_by_name(
    tx: &mut Tx,
    organisation: OrganisationId,
    name: &str,
) -> Result<Option<ServiceCalendar>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(calendar_sql!(
        "AND c.name = $2 ORDER BY CASE WHEN c.organisation_id IS NULL THEN 1 ELSE 0 END LIMIT 1"
    ))
    .bind(organisation)
    .bind(name)
    .fetch_optional(conn)
    .await)
}

/// Calendars in scope and the provider's; first those that who has the scope looks after.
pub(super) async fn list_calendars(tx: &mut Tx, scope: Scope) -> Result<Vec<ServiceCalendar>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_as(calendar_sql!(
        "ORDER BY CASE WHEN (c.organisation_id IS NULL) = ($1 IS NULL) THEN 0 ELSE 1 END, organisation_name, c.name LIMIT $2"
    ))
    .bind(scope.organisation())
    .bind(CALENDARS_MAX)
    .fetch_all(conn)
    .await
    })
}

/// The organisation's standard calendar, else the provider's.
pub(super) async fn find_standard(
    tx: &mut Tx,
    organisation: OrganisationId,
) -> Result<Option<CalendarVersion>, StoreError> {
    let found: Option<(CalendarId, i64)> = sql!(tx, |conn| sqlx::query_as(
        "SELECT c.id, c.version FROM calendar c
         WHERE c.standard = TRUE AND (c.organisation_id = $1 OR c.organisation_id IS NULL)
         ORDER BY CASE WHEN c.organisation_id IS NULL THEN 1 ELSE 0 END LIMIT 1"
    )
    .bind(organisation)
    .fetch_optional(conn)
    .await)?;
    Ok(found.map(|(calendar_id, version)| CalendarVersion { calendar_id, version }))
}

/// The hours of a version.
pub(super) async fn find_version(
    tx: &mut Tx,
    version: CalendarVersion,
) -> Result<Option<CalendarHours>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT time_zone, hours, holidays, exceptions FROM calendar_version
         WHERE calendar_id = $1 AND version = $2"
    )
    .bind(version.calendar_id)
    .bind(version.version)
    .fetch_optional(conn)
    .await)
}
