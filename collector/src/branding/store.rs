//! SQL of `branding` and `branding_announcement`.

use super::logo::Logo;
use super::model::{Announcement, Settings};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{AnnouncementId, OrganisationId};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Key of the row that holds for everybody.
const INSTALLATION: &str = "installation";
/// Announcements shown at once.
const ANNOUNCEMENTS_MAX: i64 = 20;

fn key(organisation: Option<OrganisationId>) -> String {
    organisation.map_or_else(|| INSTALLATION.to_owned(), |it| it.to_string())
}

/// Settings and the hash of the logo, as they were saved.
pub async fn find(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
) -> Result<Option<(Settings, Option<String>)>, StoreError> {
    let key = key(organisation);
    let row: Option<(String, Option<String>)> =
        sql!(tx, |conn| sqlx::query_as("SELECT settings, logo_hash FROM branding WHERE scope = $1")
            .bind(&key)
            .fetch_optional(conn)
            .await)?;
    row.map(|(settings, logo)| match serde_json::from_str(&settings) {
        Ok(settings) => Ok((settings, logo)),
        Err(_) => Err(StoreError::inconsistent("branding", "settings", key)),
    })
    .transpose()
}

pub(super) async fn upsert(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
    settings: &Settings,
    at: UtcMicros,
) -> Result<(), StoreError> {
    let text = serde_json::to_string(settings).unwrap_or_default();
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO branding (scope, organisation_id, settings, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (scope) DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at"
    )
    .bind(key(organisation))
    .bind(organisation)
    .bind(text)
    .bind(at)
    .execute(conn)
    .await
    .map(drop))
}

pub(super) async fn set_logo(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
    logo: Option<(&str, &Logo)>,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE branding SET logo_hash = $2, logo = $3 WHERE scope = $1")
        .bind(key(organisation))
        .bind(logo.map(|it| it.0))
        .bind(logo.map(|it| it.1.bytes.as_slice()))
        .execute(conn)
        .await
        .map(drop))
}

/// The picture whose hash it is. Everybody may see it: it stands on the sign-in page.
pub async fn find_logo(tx: &mut Tx, hash: &str) -> Result<Option<Vec<u8>>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar("SELECT logo FROM branding WHERE logo_hash = $1 LIMIT 1")
        .bind(hash)
        .fetch_optional(conn)
        .await)
}

pub(super) async fn insert_announcement(tx: &mut Tx, new: &Announcement) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO branding_announcement (id, organisation_id, kind, text_fr, text_en, created_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(new.id)
    .bind(new.organisation_id)
    .bind(new.kind)
    .bind(&new.text_fr)
    .bind(&new.text_en)
    .bind(new.created_at)
    .bind(new.ends_at)
    .execute(conn)
    .await
    .map(drop))
}

/// Ends one that still stands; false when there is none.
pub(super) async fn end_announcement(
    tx: &mut Tx,
    announcement: AnnouncementId,
    at: UtcMicros,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE branding_announcement SET ends_at = $2 WHERE id = $1 AND (ends_at IS NULL OR ends_at > $2)"
    )
    .bind(announcement)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// What people of an organisation read now: outages first, then the newest.
pub async fn live_announcements(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
    now: UtcMicros,
) -> Result<Vec<Announcement>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, organisation_id, kind, text_fr, text_en, created_at, ends_at FROM branding_announcement
         WHERE (organisation_id IS NULL OR organisation_id = $1) AND (ends_at IS NULL OR ends_at > $2)
         ORDER BY CASE kind WHEN 'outage' THEN 0 ELSE 1 END, created_at DESC LIMIT $3"
    )
    .bind(organisation)
    .bind(now)
    .bind(ANNOUNCEMENTS_MAX)
    .fetch_all(conn)
    .await)
}

/// All that still stand, for who publishes them.
pub async fn list_announcements(
    tx: &mut Tx,
    scope: Scope,
    now: UtcMicros,
) -> Result<Vec<Announcement>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, organisation_id, kind, text_fr, text_en, created_at, ends_at FROM branding_announcement
         WHERE ($1 IS NULL OR organisation_id = $1) AND (ends_at IS NULL OR ends_at > $2)
         ORDER BY created_at DESC LIMIT $3"
    )
    .bind(scope.organisation())
    .bind(now)
    .bind(ANNOUNCEMENTS_MAX)
    .fetch_all(conn)
    .await)
}
