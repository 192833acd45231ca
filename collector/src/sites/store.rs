//! SQL of organisations, sites and locations.

use super::model::{Location, Organisation, Site};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{OrganisationId, SiteId};
use crate::kernel::text::search_key;
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Organisations shown in one list; a provider with more uses the search.
const ORGANISATIONS_MAX: i64 = 500;
/// Sites of one organisation shown in one list.
const SITES_MAX: i64 = 1_000;
/// Locations of one site shown in one list.
const LOCATIONS_MAX: i64 = 1_000;

/// Applications of one organisation that are offered.
const APPLICATIONS_MAX: i64 = 300;

pub(super) async fn insert_organisation(
    tx: &mut Tx,
    new: &Organisation,
    at: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO site_organisation (id, code, name, time_zone, demo, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code) DO NOTHING"
    )
    .bind(new.id)
    .bind(&new.code)
    .bind(&new.name)
    .bind(&new.time_zone)
    .bind(new.demo)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

pub(super) async fn clear_main(tx: &mut Tx, organisation: OrganisationId) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE site SET main = FALSE WHERE organisation_id = $1 AND main = TRUE")
        .bind(organisation)
        .execute(conn)
        .await
        .map(drop))
}

pub(super) async fn insert_site(tx: &mut Tx, new: &Site, at: UtcMicros) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO site (id, organisation_id, name, address, main, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (organisation_id, name) DO NOTHING"
    )
    .bind(new.id)
    .bind(new.organisation_id)
    .bind(&new.name)
    .bind(&new.address)
    .bind(new.main)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

pub(super) async fn insert_location(tx: &mut Tx, new: Location) -> Result<Location, StoreError> {
    sql!(&mut *tx, |conn| {
        sqlx::query(
        "INSERT INTO site_location (id, site_id, name) VALUES ($1, $2, $3) ON CONFLICT (site_id, name) DO NOTHING"
    )
    .bind(new.id)
    .bind(new.site_id)
    .bind(&new.name)
    .execute(conn)
    .await
    .map(drop)
    })?;
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, site_id, name FROM site_location WHERE site_id = $1 AND name = $2"
    )
    .bind(new.site_id)
    .bind(&new.name)
    .fetch_one(conn)
    .await)
}

/// The organisation with that id.
pub async fn find_organisation(tx: &mut Tx, id: OrganisationId) -> Result<Option<Organisation>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, code, name, time_zone, demo FROM site_organisation WHERE id = $1"
    )
    .bind(id)
    .fetch_optional(conn)
    .await)
}

/// The organisation with that code, upper case.
pub async fn find_organisation_by_code(tx: &mut Tx, code: &str) -> Result<Option<Organisation>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, code, name, time_zone, demo FROM site_organisation WHERE code = $1"
    )
    .bind(code)
    .fetch_optional(conn)
    .await)
}

/// Organisations in scope by name.
pub async fn list_organisations(tx: &mut Tx, scope: Scope) -> Result<Vec<Organisation>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, code, name, time_zone, demo FROM site_organisation
         WHERE retired_at IS NULL AND ($1 IS NULL OR id = $1) ORDER BY name LIMIT $2"
    )
    .bind(scope.organisation())
    .bind(ORGANISATIONS_MAX)
    .fetch_all(conn)
    .await)
}

/// Sites of an organisation, the main one first.
pub async fn list_sites(tx: &mut Tx, organisation: OrganisationId) -> Result<Vec<Site>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, organisation_id, name, address, main FROM site
         WHERE organisation_id = $1 ORDER BY main DESC, name LIMIT $2"
    )
    .bind(organisation)
    .bind(SITES_MAX)
    .fetch_all(conn)
    .await)
}

/// The site with that id.
pub async fn find_site(tx: &mut Tx, id: SiteId) -> Result<Option<Site>, StoreError> {
    sql!(tx, |conn| sqlx::query_as("SELECT id, organisation_id, name, address, main FROM site WHERE id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await)
}

/// The organisation's site of that name, also in other case and without its accents; the exact one first.
pub async fn find_site_by_name(
    tx: &mut Tx,
    organisation: OrganisationId,
    name: &str,
) -> Result<Option<Site>, StoreError> {
    let exact = sql!(&mut *tx, |conn| {
        sqlx::query_as(
        "SELECT id, organisation_id, name, address, main FROM site WHERE organisation_id = $1 AND name = $2"
    )
    .bind(organisation)
    .bind(name)
    .fetch_optional(conn)
    .await
    })?;
    if exact.is_some() {
        return Ok(exact);
    }
    let key = search_key(name);
    Ok(list_sites(tx, organisation).await?.into_iter().find(|it| search_key(&it.name) == key))
}

/// Locations of a site by name.
pub async fn list_locations(tx: &mut Tx, site: SiteId) -> Result<Vec<Location>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, site_id, name FROM site_location WHERE site_id = $1 ORDER BY name LIMIT $2"
    )
    .bind(site)
    .bind(LOCATIONS_MAX)
    .fetch_all(conn)
    .await)
}

/// Applications of an organisation to choose from, by name.
pub async fn list_applications(tx: &mut Tx, organisation: OrganisationId) -> Result<Vec<String>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT name FROM site_application WHERE organisation_id = $1 ORDER BY name LIMIT $2"
    )
    .bind(organisation)
    .bind(APPLICATIONS_MAX)
    .fetch_all(conn)
    .await)
}

pub(super) async fn replace_applications(
    tx: &mut Tx,
    organisation: OrganisationId,
    names: &[String],
) -> Result<(), StoreError> {
    sql!(&mut *tx, |conn| sqlx::query("DELETE FROM site_application WHERE organisation_id = $1")
        .bind(organisation)
        .execute(conn)
        .await
        .map(drop))?;
    for name in names {
        sql!(&mut *tx, |conn| sqlx::query(
            "INSERT INTO site_application (organisation_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        )
        .bind(organisation)
        .bind(name)
        .execute(conn)
        .await
        .map(drop))?;
    }
    Ok(())
}
