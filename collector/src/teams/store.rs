//! SQL of teams, their members and routes.

use super::model::{Route, Team, TeamMember};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{PersonId, TeamId};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Teams of one installation that are shown and routed to; a provider with more has teams of one person.
const TEAMS_MAX: i64 = 500;
/// Members of one team that are shown.
const MEMBERS_MAX: i64 = 500;
/// Routes that are looked at: every sub-kind and a few dozen applications per team.
const ROUTES_MAX: i64 = 5_000;

pub(super) async fn insert_team(tx: &mut Tx, new: &Team, at: UtcMicros) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO team (id, code, name, level, kind, organisation_id, active, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (code) DO NOTHING"
    )
    .bind(new.id)
    .bind(&new.code)
    .bind(&new.name)
    .bind(new.level)
    .bind(new.kind)
    .bind(new.organisation_id)
    .bind(new.active)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

pub(super) async fn update_team(tx: &mut Tx, team: &Team) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE team SET name = $2, level = $3, kind = $4, active = $5 WHERE id = $1"
    )
    .bind(team.id)
    .bind(&team.name)
    .bind(team.level)
    .bind(team.kind)
    .bind(team.active)
    .execute(conn)
    .await
    .map(drop))
}

/// Adds somebody; false when they are in it already.
pub(super) async fn insert_member(tx: &mut Tx, team: TeamId, person: PersonId) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO team_member (team_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    )
    .bind(team)
    .bind(person)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Takes somebody out; false when they are not in it.
pub(super) async fn delete_member(tx: &mut Tx, team: TeamId, person: PersonId) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query("DELETE FROM team_member WHERE team_id = $1 AND person_id = $2")
        .bind(team)
        .bind(person)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1))
}

pub(super) async fn insert_route(tx: &mut Tx, route: &Route) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "INSERT INTO team_route (team_id, ticket_kind, sub_kind, application_key) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING"
    )
    .bind(route.team_id)
    .bind(&route.ticket_kind)
    .bind(&route.sub_kind)
    .bind(&route.application_key)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

/// Takes the same tickets from other teams that work for the same organisation, or from the provider's.
pub(super) async fn delete_rival_routes(tx: &mut Tx, team: &Team, route: &Route) -> Result<(), StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "DELETE FROM team_route WHERE ticket_kind = $1 AND sub_kind = $2 AND application_key = $3 AND team_id <> $4
         AND team_id IN (SELECT id FROM team WHERE organisation_id = $5 OR ($5 IS NULL AND organisation_id IS NULL))"
    )
    .bind(&route.ticket_kind)
    .bind(&route.sub_kind)
    .bind(&route.application_key)
    .bind(team.id)
    .bind(team.organisation_id)
    .execute(conn)
    .await
    .map(drop)
    })
}

pub(super) async fn delete_route(tx: &mut Tx, route: &Route) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "DELETE FROM team_route WHERE team_id = $1 AND ticket_kind = $2 AND sub_kind = $3 AND application_key = $4"
    )
    .bind(route.team_id)
    .bind(&route.ticket_kind)
    .bind(&route.sub_kind)
    .bind(&route.application_key)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

/// Teams that work for what is in scope, those of the provider included; first level first.
pub async fn list_teams(tx: &mut Tx, scope: Scope) -> Result<Vec<Team>, StoreError> {
    sql!(tx, |conn| {
        sqlx::query_as(
        "SELECT id, code, name, level, kind, organisation_id, active FROM team
         WHERE $1 IS NULL OR organisation_id IS NULL OR organisation_id = $1 ORDER BY level, name, code LIMIT $2"
    )
    .bind(scope.organisation())
    .bind(TEAMS_MAX)
    .fetch_all(conn)
    .await
    })
}

/// The team with that id.
pub async fn find_team(tx: &mut Tx, id: TeamId) -> Result<Option<Team>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, code, name, level, kind, organisation_id, active FROM team WHERE id = $1"
    )
    .bind(id)
    .fetch_optional(conn)
    .await)
}

/// The team with that code.
pub async fn find_team_by_code(tx: &mut Tx, code: &str) -> Result<Option<Team>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT id, code, name, level, kind, organisation_id, active FROM team WHERE code = $1"
    )
    .bind(code.trim().to_ascii_lowercase())
    .fetch_optional(conn)
    .await)
}

/// Active teams somebody is in, first level first.
pub async fn list_teams_of(tx: &mut Tx, person: PersonId) -> Result<Vec<Team>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT t.id, t.code, t.name, t.level, t.kind, t.organisation_id, t.active
         FROM team t JOIN team_member m ON m.team_id = t.id
         WHERE m.person_id = $1 AND t.active = TRUE ORDER BY t.level, t.name, t.code LIMIT $2"
    )
    .bind(person)
    .bind(TEAMS_MAX)
    .fetch_all(conn)
    .await)
}

/// Whether somebody is in a team.
pub async fn is_member(tx: &mut Tx, team: TeamId, person: PersonId) -> Result<bool, StoreError> {
    let rows: i64 = sql!(tx, |conn| sqlx::query_scalar(
        "SELECT COUNT(*) FROM team_member WHERE team_id = $1 AND person_id = $2"
    )
    .bind(team)
    .bind(person)
    .fetch_one(conn)
    .await)?;
    Ok(rows > 0)
}

/// Members of a team by name; suspended people are left out.
pub async fn list_members(tx: &mut Tx, team: TeamId) -> Result<Vec<TeamMember>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT p.id, p.name, p.email FROM team_member m JOIN person p ON p.id = m.person_id
         WHERE m.team_id = $1 AND p.status = 'active' ORDER BY p.name, p.email LIMIT $2"
    )
    .bind(team)
    .bind(MEMBERS_MAX)
    .fetch_all(conn)
    .await)
}

/// All routes, ordered so that lists of them do not jump.
pub async fn list_routes(tx: &mut Tx) -> Result<Vec<Route>, StoreError> {
    sql!(tx, |conn| sqlx::query_as(
        "SELECT team_id, ticket_kind, sub_kind, application_key FROM team_route
         ORDER BY ticket_kind, sub_kind, application_key, team_id LIMIT $1"
    )
    .bind(ROUTES_MAX)
    .fetch_all(conn)
    .await)
}
