//! REST of teams: list, make, change, members, and the tickets each gets first.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NewTeam, Team, TeamChange, TeamError, TeamKind};
use crate::api::{ApiJson, ApiPath, ApiState, Caller, Problem, ProblemDetails, Route};
use crate::db::Tx;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::{OrganisationId, PersonId};
use crate::kernel::text::EmailAddress;
use crate::tickets::{SubKind, TicketKind};
use crate::{people, sites, teams};

/// The slice's part of the OpenAPI document.
#[derive(Debug, utoipa::OpenApi)]
#[openapi(paths(
    list_teams,
    create_team,
    get_team,
    change_team,
    add_member,
    remove_member,
    add_route,
    remove_route
))]
pub struct TeamsDocument;

/// Paths of the slice.
pub fn routes() -> Vec<Route> {
    vec![
        ("/api/v1/teams", get(list_teams).post(create_team)),
        ("/api/v1/teams/{code}", get(get_team).patch(change_team)),
        ("/api/v1/teams/{code}/members/{email}", put(add_member).delete(remove_member)),
        ("/api/v1/teams/{code}/routes", post(add_route).delete(remove_route)),
    ]
}

/// A team with its members and the tickets it gets first.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamDetail {
    /// Short name, the last part of its path.
    pub code: String,
    /// Name.
    pub name: String,
    /// Support level.
    pub level: i64,
    /// What it is good at.
    pub kind: TeamKind,
    /// Name of the only organisation it works for.
    pub organisation: Option<String>,
    /// Whether it gets tickets.
    pub active: bool,
    /// Who is in it.
    pub members: Vec<MemberView>,
    /// Tickets it gets first.
    pub routes: Vec<RouteView>,
}

/// Somebody in a team.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberView {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// Tickets a team gets first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteView {
    /// Ticket type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Sub-kind; empty for any.
    #[serde(default)]
    pub sub_kind: String,
    /// Application; empty for any.
    #[serde(default)]
    pub application: String,
}

/// All teams.
#[derive(Debug, Serialize, ToSchema)]
pub struct TeamList {
    /// First level first.
    pub items: Vec<TeamDetail>,
}

/// Makes a team.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamRequest {
    /// 2 to 32 of a–z, 0–9, hyphen.
    pub code: String,
    /// 1 to 120 characters.
    pub name: String,
    /// 1 or 2; 1 if left out.
    pub level: Option<i64>,
    /// What it is good at.
    pub kind: TeamKind,
    /// Code of the only organisation it works for.
    pub organisation: Option<String>,
}

/// Changes a team; what is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamChangeRequest {
    /// Name.
    pub name: Option<String>,
    /// Support level.
    pub level: Option<i64>,
    /// What it is good at.
    pub kind: Option<TeamKind>,
    /// Whether it gets tickets.
    pub active: Option<bool>,
}

/// Teams that work for what the key may see.
#[utoipa::path(get, path = "/api/v1/teams", tag = "teams", responses(
    (status = 200, body = TeamList), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn list_teams(State(state): State<ApiState>, Caller(actor): Caller) -> Result<Json<TeamList>, Problem> {
    may_read(&actor)?;
    let mut tx = state.context.db.read().await?;
    let mut items = Vec::new();
    for team in teams::list_teams(&mut tx, actor.scope).await? {
        items.push(detail(&mut tx, team).await?);
    }
    Ok(Json(TeamList { items }))
}

/// Makes a team.
#[utoipa::path(post, path = "/api/v1/teams", tag = "teams", request_body = TeamRequest, responses(
    (status = 201, body = TeamDetail), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn create_team(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiJson(request): ApiJson<TeamRequest>,
) -> Result<Response, Problem> {
    let mut tx = state.context.db.begin().await?;
    let organisation_id = organisation(&mut tx, &actor, request.organisation.as_deref()).await?;
    let TeamRequest { code, name, level, kind, .. } = request;
    let new = NewTeam { code, name, level: level.unwrap_or(1), kind, organisation_id };
    let team = teams::create_team(&mut tx, &state.context, &actor, new).await?;
    let body = detail(&mut tx, team).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// One team.
#[utoipa::path(get, path = "/api/v1/teams/{code}", tag = "teams", params(("code" = String, Path)), responses(
    (status = 200, body = TeamDetail), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn get_team(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(code): ApiPath,
) -> Result<Json<TeamDetail>, Problem> {
    may_read(&actor)?;
    let mut tx = state.context.db.read().await?;
    let team = seen(&mut tx, &actor, &code).await?;
    Ok(Json(detail(&mut tx, team).await?))
}

/// Changes name, level, kind, or whether it gets tickets.
#[utoipa::path(patch, path = "/api/v1/teams/{code}", tag = "teams", request_body = TeamChangeRequest,
    params(("code" = String, Path)), responses(
    (status = 200, body = TeamDetail), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn change_team(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(code): ApiPath,
    ApiJson(request): ApiJson<TeamChangeRequest>,
) -> Result<Json<TeamDetail>, Problem> {
    let mut tx = state.context.db.begin().await?;
    let team = seen(&mut tx, &actor, &code).await?;
    let TeamChangeRequest { name, level, kind, active } = request;
    let change = TeamChange { name, level, kind, active };
    let team = teams::change_team(&mut tx, &state.context, &actor, team.id, change).await?;
    let body = detail(&mut tx, team).await?;
    tx.commit().await?;
    Ok(Json(body))
}

/// Puts a technician into a team.
#[utoipa::path(put, path = "/api/v1/teams/{code}/members/{email}", tag = "teams",
    params(("code" = String, Path), ("email" = String, Path)), responses(
    (status = 200, body = TeamDetail), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn add_member(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    Path((code, email)): Path<(String, String)>,
) -> Result<Json<TeamDetail>, Problem> {
    member(&state, &actor, (&code, &email), true).await
}

/// Takes a technician out of a team.
#[utoipa::path(delete, path = "/api/v1/teams/{code}/members/{email}", tag = "teams",
    params(("code" = String, Path), ("email" = String, Path)), responses(
    (status = 200, body = TeamDetail), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn remove_member(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    Path((code, email)): Path<(String, String)>,
) -> Result<Json<TeamDetail>, Problem> {
    member(&state, &actor, (&code, &email), false).await
}

/// Makes a team the first one of some tickets.
#[utoipa::path(post, path = "/api/v1/teams/{code}/routes", tag = "teams", request_body = RouteView,
    params(("code" = String, Path)), responses(
    (status = 200, body = TeamDetail), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn add_route(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(code): ApiPath,
    ApiJson(route): ApiJson<RouteView>,
) -> Result<Json<TeamDetail>, Problem> {
    let (kind, sub_kind) = route.words()?;
    let mut tx = state.context.db.begin().await?;
    let team = seen(&mut tx, &actor, &code).await?;
    let wanted = (kind, sub_kind, route.application.as_str());
    teams::add_route(&mut tx, &state.context, &actor, team.id, wanted).await?;
    let body = detail(&mut tx, team).await?;
    tx.commit().await?;
    Ok(Json(body))
}

/// The team is the first one of these tickets no longer.
#[utoipa::path(delete, path = "/api/v1/teams/{code}/routes", tag = "teams", request_body = RouteView,
    params(("code" = String, Path)), responses(
    (status = 200, body = TeamDetail), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
async fn remove_route(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(code): ApiPath,
    ApiJson(route): ApiJson<RouteView>,
) -> Result<Json<TeamDetail>, Problem> {
    let mut tx = state.context.db.begin().await?;
    let team = seen(&mut tx, &actor, &code).await?;
    let route = teams::Route {
        team_id: team.id,
        ticket_kind: route.kind,
        sub_kind: route.sub_kind,
        application_key: route.application,
    };
    teams::remove_route(&mut tx, &state.context, &actor, &route).await?;
    let body = detail(&mut tx, team).await?;
    tx.commit().await?;
    Ok(Json(body))
}

impl RouteView {
    /// Type and sub-kind, if they belong together.
    fn words(&self) -> Result<(&'static str, &'static str), Problem> {
        let kind = TicketKind::from_code(&self.kind)
            .ok_or_else(|| Problem::invalid("type", "is not a known word"))?;
        if self.sub_kind.is_empty() {
            return Ok((kind.code(), ""));
        }
        let sub_kind = SubKind::from_code(&self.sub_kind).filter(|it| it.kind() == kind);
        let sub_kind = sub_kind.ok_or_else(|| Problem::invalid("sub_kind", "is not one of this type"))?;
        Ok((kind.code(), sub_kind.code()))
    }
}

async fn member(
    state: &ApiState,
    actor: &Actor,
    (code, email): (&str, &str),
    member: bool,
) -> Result<Json<TeamDetail>, Problem> {
    let mut tx = state.context.db.begin().await?;
    let team = seen(&mut tx, actor, code).await?;
    let person = person(&mut tx, email).await?;
    teams::set_member(&mut tx, &state.context, actor, (team.id, person), member).await?;
    let body = detail(&mut tx, team).await?;
    tx.commit().await?;
    Ok(Json(body))
}

async fn person(tx: &mut Tx, email: &str) -> Result<PersonId, Problem> {
    let refused = || Problem::invalid("email", "is not a technician for this team's tickets");
    let email: EmailAddress = email.parse().map_err(|_| refused())?;
    Ok(people::find_person_by_email(tx, &email).await?.ok_or_else(refused)?.id)
}

async fn organisation(
    tx: &mut Tx,
    actor: &Actor,
    code: Option<&str>,
) -> Result<Option<OrganisationId>, Problem> {
    let Some(code) = code else { return Ok(None) };
    let found = sites::find_organisation_by_code(tx, &code.trim().to_ascii_uppercase()).await?;
    let found = found.filter(|it| actor.scope.contains(it.id));
    Ok(Some(found.ok_or_else(|| Problem::invalid("organisation", "is not known"))?.id))
}

fn may_read(actor: &Actor) -> Result<(), Problem> {
    let may = actor.may(Permission::ReadTickets) || actor.may(Permission::Administer);
    if may { Ok(()) } else { Err(TeamError::Forbidden.into()) }
}

async fn seen(tx: &mut Tx, actor: &Actor, code: &str) -> Result<Team, Problem> {
    let team = teams::find_team_by_code(tx, code).await?;
    let team = team.filter(|it| it.organisation_id.is_none_or(|own| actor.scope.contains(own)));
    team.ok_or_else(Problem::not_found)
}

async fn detail(tx: &mut Tx, team: Team) -> Result<TeamDetail, Problem> {
    let organisation = match team.organisation_id {
        Some(id) => sites::find_organisation(tx, id).await?.map(|it| it.name),
        None => None,
    };
    let members = teams::list_members(tx, team.id).await?.into_iter();
    let routes = teams::list_routes(tx).await?.into_iter().filter(|it| it.team_id == team.id);
    Ok(TeamDetail {
        code: team.code,
        name: team.name,
        level: team.level,
        kind: team.kind,
        organisation,
        active: team.active,
        members: members.map(|it| MemberView { name: it.name, email: it.email }).collect(),
        routes: routes
            .map(|it| RouteView {
                kind: it.ticket_kind,
                sub_kind: it.sub_kind,
                application: it.application_key,
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use crate::api::testing::{Desk, answer, assert_documented, request};
    use crate::db::Db;
    use crate::db_test;
    use crate::kernel::actor::Role;

    db_test! {
        async fn programs_make_and_fill_teams(db: Db) {
            let desk = Desk::open(db).await;
            let admin = desk.key(Role::Admin, None).await;
            let reader = desk.key(Role::TechnicianN1, Some(desk.acme.id)).await;
            let new = json!({ "code": "desk", "name": "Service desk", "kind": "service_desk" });
            let made = desk.post(&admin, "/api/v1/teams", &new).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
            assert_documented(&made, "post", "/api/v1/teams");
            assert_eq!(desk.post(&reader, "/api/v1/teams", &new).await.status, StatusCode::FORBIDDEN);
            assert_eq!(desk.post(&admin, "/api/v1/teams", &new).await.status, StatusCode::CONFLICT);
            let call = async |method: &str, path: &str, body: Option<String>| {
                answer(desk.router(), request(&admin, method, path, &[], body)).await
            };
            let joined = call("PUT", "/api/v1/teams/desk/members/tom@desk.example", None).await;
            assert_eq!((joined.status, joined.json["members"][0]["name"].as_str()), (StatusCode::OK, Some("tom")));
            let rita = call("PUT", "/api/v1/teams/desk/members/rita@acme.example", None).await;
            assert_eq!(rita.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", rita.json);
            let left = call("DELETE", "/api/v1/teams/desk/members/tom@desk.example", None).await;
            assert_eq!(left.json["members"], json!([]));
            let route = json!({ "type": "incident", "sub_kind": "connection" });
            let routed = desk.post(&admin, "/api/v1/teams/desk/routes", &route).await;
            assert_eq!(routed.json["routes"], json!([{ "type": "incident", "sub_kind": "connection", "application": "" }]));
            let wrong = desk.post(&admin, "/api/v1/teams/desk/routes", &json!({ "type": "training", "sub_kind": "connection" })).await;
            assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
            let removed = call("DELETE", "/api/v1/teams/desk/routes", Some(route.to_string())).await;
            assert_eq!(removed.json["routes"], json!([]));
            let rest = call("PATCH", "/api/v1/teams/desk", Some(json!({ "active": false, "level": 2 }).to_string())).await;
            assert_eq!((&rest.json["active"], &rest.json["level"]), (&json!(false), &json!(2)));
            let list = desk.get(&reader, "/api/v1/teams").await;
            assert_documented(&list, "get", "/api/v1/teams");
            assert_eq!(list.json["items"][0]["code"], "desk");
        }
    }
}
