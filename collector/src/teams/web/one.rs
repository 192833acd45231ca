//! One team: its name and level, who is in it, which tickets it gets first.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::mendable;
use crate::kernel::actor::Permission;
use crate::kernel::text::EmailAddress;
use crate::people;
use crate::teams::{self, Route, Team, TeamChange, TeamError, TeamKind, TeamMember};
use crate::tickets::{SubKind, TicketKind};
use crate::web::error::page_with;
use crate::web::parts::Choice;
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Texts, WebState};

#[derive(Debug, Template)]
#[template(path = "teams/web/one.html")]
struct TeamPage {
    shell: Shell,
    team: Team,
    kinds: Vec<Choice>,
    members: Vec<TeamMember>,
    routes: Vec<RouteRow>,
    /// Types and their sub-kinds, to choose a route from.
    wishes: Vec<Choice>,
    problem: String,
}

#[derive(Debug)]
struct RouteRow {
    label: String,
    wish: String,
    application: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TeamQuery {
    done: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ChangeForm {
    name: String,
    level: String,
    kind: String,
    active: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MemberForm {
    email: String,
    remove: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RouteForm {
    /// `incident` or `incident/connection`.
    wish: String,
    application: String,
    remove: String,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Path(code): Path<String>,
    Asked(asked): Asked<TeamQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    render(&state, &reader, &code, &asked.done, String::new()).await
}

pub(crate) async fn change(
    State(state): State<WebState>,
    Path(code): Path<String>,
    Posted { reader, fields }: Posted<ChangeForm>,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.begin().await?;
    let team = administered(&mut tx, &reader, &code).await?;
    let change = TeamChange {
        name: Some(fields.name),
        level: fields.level.trim().parse().ok(),
        kind: TeamKind::from_code(&fields.kind),
        active: Some(!fields.active.is_empty()),
    };
    let done = teams::change_team(&mut tx, &state.context, &reader.actor, team.id, change).await;
    finish(&state, &reader, &code, tx, done.map(drop)).await
}

pub(crate) async fn member(
    State(state): State<WebState>,
    Path(code): Path<String>,
    Posted { reader, fields }: Posted<MemberForm>,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.begin().await?;
    let team = administered(&mut tx, &reader, &code).await?;
    let (address, member) =
        if fields.remove.is_empty() { (&fields.email, true) } else { (&fields.remove, false) };
    let person = match address.parse::<EmailAddress>() {
        Ok(email) => people::find_person_by_email(&mut tx, &email).await?,
        Err(_) => None,
    };
    let done = match person {
        Some(person) => {
            let wanted = (team.id, person.id);
            teams::set_member(&mut tx, &state.context, &reader.actor, wanted, member).await
        }
        None => Err(TeamError::Invalid { field: "member", reason: "is not known".into() }),
    };
    finish(&state, &reader, &code, tx, done).await
}

pub(crate) async fn route(
    State(state): State<WebState>,
    Path(code): Path<String>,
    Posted { reader, fields }: Posted<RouteForm>,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.begin().await?;
    let team = administered(&mut tx, &reader, &code).await?;
    let known = wishes().into_iter().find(|it| wish_code(*it) == fields.wish);
    let (kind, sub_kind) = known.ok_or_else(PageError::not_found)?;
    let sub_kind = sub_kind.map_or("", SubKind::code);
    let done = if fields.remove.is_empty() {
        let wanted = (kind.code(), sub_kind, fields.application.as_str());
        teams::add_route(&mut tx, &state.context, &reader.actor, team.id, wanted).await
    } else {
        let route = Route {
            team_id: team.id,
            ticket_kind: kind.code().into(),
            sub_kind: sub_kind.into(),
            application_key: fields.application,
        };
        teams::remove_route(&mut tx, &state.context, &reader.actor, &route).await
    };
    finish(&state, &reader, &code, tx, done).await
}

/// A team the reader may administer; not there for anybody else.
async fn administered(tx: &mut crate::db::Tx, reader: &Reader, code: &str) -> Result<Team, PageError> {
    reader.require(Permission::Administer)?;
    let team = teams::find_team_by_code(tx, code).await?;
    let team = team.filter(|it| it.organisation_id.is_none_or(|own| reader.actor.scope.contains(own)));
    team.ok_or_else(PageError::not_found)
}

/// Keeps what was done and shows the page; otherwise says what to mend.
async fn finish(
    state: &WebState,
    reader: &Reader,
    code: &str,
    tx: crate::db::Tx,
    done: Result<(), TeamError>,
) -> Result<Response, PageError> {
    match done {
        Ok(()) => {
            tx.commit().await?;
            Ok(Redirect::to(&format!("/teams/{code}?done=team")).into_response())
        }
        Err(error) => {
            drop(tx);
            let problem = mendable(reader.texts(), error)?;
            render(state, reader, code, "", problem).await
        }
    }
}

async fn render(
    state: &WebState,
    reader: &Reader,
    code: &str,
    done: &str,
    problem: String,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.read().await?;
    let team = administered(&mut tx, reader, code).await?;
    let members = teams::list_members(&mut tx, team.id).await?;
    let mut routes = teams::list_routes(&mut tx).await?;
    routes.retain(|it| it.team_id == team.id);
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let shell = reader.shell(team.name.clone(), Section::Teams).with_notice(done);
    page_with(status, &team_page(shell, team, (members, &routes), problem))
}

fn team_page(
    shell: Shell,
    team: Team,
    (members, routes): (Vec<TeamMember>, &[Route]),
    problem: String,
) -> TeamPage {
    let texts = shell.texts;
    let kinds = TeamKind::ALL.into_iter();
    TeamPage {
        kinds: kinds
            .map(|it| Choice::new(it.code(), texts.word("team-kind", it.code()), it == team.kind))
            .collect(),
        members,
        routes: routes.iter().map(|it| route_row(texts, it)).collect(),
        wishes: wishes()
            .into_iter()
            .map(|it| Choice::new(wish_code(it), wish_label(texts, it), false))
            .collect(),
        problem,
        team,
        shell,
    }
}

/// Every type, each followed by its sub-kinds.
fn wishes() -> Vec<(TicketKind, Option<SubKind>)> {
    TicketKind::ALL
        .iter()
        .flat_map(|&kind| {
            let own = SubKind::ALL.iter().copied().filter(move |it| it.kind() == kind);
            [(kind, None)].into_iter().chain(own.map(move |it| (kind, Some(it))))
        })
        .collect()
}

fn wish_code((kind, sub_kind): (TicketKind, Option<SubKind>)) -> String {
    sub_kind.map_or_else(|| kind.code().to_owned(), |it| format!("{}/{}", kind.code(), it.code()))
}

fn wish_label(texts: Texts, (kind, sub_kind): (TicketKind, Option<SubKind>)) -> String {
    let kind = texts.word("ticket-kind", kind.code());
    sub_kind.map_or_else(
        || kind.clone().into_owned(),
        |it| format!("{kind} · {}", texts.word("sub-kind", it.code())),
    )
}

fn route_row(texts: Texts, route: &Route) -> RouteRow {
    let known = TicketKind::from_code(&route.ticket_kind).map(|it| (it, SubKind::from_code(&route.sub_kind)));
    RouteRow {
        label: known.map(|it| wish_label(texts, it)).unwrap_or_default(),
        wish: known.map(wish_code).unwrap_or_default(),
        application: route.application_key.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    fn a_team_is_drawn_with_members_and_routes_and_with_none() {
        for language in LANGUAGES {
            let frame = || shell(language, &[Role::Admin], HOSTILE, Section::Teams);
            let id = uuid::Uuid::from_u128(7);
            let team = || Team {
                id: id.into(),
                code: "network".into(),
                name: HOSTILE.into(),
                level: 1,
                kind: TeamKind::Network,
                organisation_id: None,
                active: true,
            };
            let members =
                vec![TeamMember { id: id.into(), name: HOSTILE.into(), email: "noe@parc.example".into() }];
            let route = |sub_kind: &str, application: &str| Route {
                team_id: id.into(),
                ticket_kind: "incident".into(),
                sub_kind: sub_kind.into(),
                application_key: application.into(),
            };
            let routes = [route("connection", ""), route("", HOSTILE)];
            check("team", language, &team_page(frame(), team(), (members, &routes), HOSTILE.into()));
            check("team-none", language, &team_page(frame(), team(), (Vec::new(), &[]), String::new()));
        }
    }
}
