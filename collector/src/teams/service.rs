//! Making and changing teams; finding a ticket's first one.

use serde_json::json;

use super::model::{NewTeam, Route, Team, TeamChange, TeamError};
use super::routing::{self, Wish};
use super::store;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::kernel::id::{PersonId, TeamId};
use crate::kernel::text;
use crate::people;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 120;
/// Characters of an application's name, as on tickets.
const APPLICATION_CHARS_MAX: usize = 120;
/// Characters of a code.
const CODE_CHARS: std::ops::RangeInclusive<usize> = 2..=32;

/// Makes a team.
pub async fn create_team(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewTeam,
) -> Result<Team, TeamError> {
    let scope_wide = new.organisation_id.map_or(actor.scope == Scope::All, |it| actor.scope.contains(it));
    if !actor.may(Permission::Administer) || !scope_wide {
        return Err(TeamError::Forbidden);
    }
    let team = Team {
        id: TeamId::generate(context.now(), context.entropy.as_ref()),
        code: code(&new.code)?,
        name: name(&new.name)?,
        level: level(new.level)?,
        kind: new.kind,
        organisation_id: new.organisation_id,
        active: true,
    };
    if !store::insert_team(tx, &team, context.now()).await? {
        return Err(TeamError::Taken(team.code));
    }
    record(tx, context, actor, &team, "team.created", json!({ "code": team.code })).await?;
    Ok(team)
}

/// Changes what a team is called, its level, kind, or whether it gets tickets.
pub async fn change_team(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    id: TeamId,
    change: TeamChange,
) -> Result<Team, TeamError> {
    let before = administered(tx, actor, id).await?;
    let team = Team {
        name: change.name.as_deref().map_or(Ok(before.name.clone()), name)?,
        level: level(change.level.unwrap_or(before.level))?,
        kind: change.kind.unwrap_or(before.kind),
        active: change.active.unwrap_or(before.active),
        ..before
    };
    store::update_team(tx, &team).await?;
    let detail = json!({ "level": team.level, "kind": team.kind.code(), "active": team.active });
    record(tx, context, actor, &team, "team.changed", detail).await?;
    Ok(team)
}

/// Puts somebody into a team or takes them out. Only who works on tickets the team may have can be in it.
pub async fn set_member(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    (id, person): (TeamId, PersonId),
    member: bool,
) -> Result<(), TeamError> {
    let team = administered(tx, actor, id).await?;
    let changed = if member {
        let candidate = people::find_person(tx, person).await?.filter(|it| it.active);
        let works = candidate.as_ref().and_then(people::actor_of).is_some_and(|it| {
            let reach = team.organisation_id.map_or(it.scope == Scope::All, |own| it.scope.contains(own));
            it.may(Permission::WorkTickets) && reach
        });
        if !works {
            return Err(TeamError::invalid("member", "is not a technician for this team's tickets"));
        }
        store::insert_member(tx, id, person).await?
    } else {
        store::delete_member(tx, id, person).await?
    };
    if changed {
        let action = if member { "team.member_added" } else { "team.member_removed" };
        record(tx, context, actor, &team, action, json!({ "person": person })).await?;
    }
    Ok(())
}

/// Makes a team the first one of a type of tickets, of a sub-kind of it, or about an application; the team that was
/// it before is it no longer. `sub_kind` and `application` may be empty.
pub async fn add_route(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    id: TeamId,
    (ticket_kind, sub_kind, application): (&str, &str, &str),
) -> Result<(), TeamError> {
    let team = administered(tx, actor, id).await?;
    let application = text::optional_line(application, APPLICATION_CHARS_MAX)
        .map_err(|it| TeamError::invalid("application", it))?;
    let route = Route {
        team_id: id,
        ticket_kind: ticket_kind.to_owned(),
        sub_kind: sub_kind.to_owned(),
        application_key: routing::application_key(&application.unwrap_or_default()),
    };
    store::delete_rival_routes(tx, &team, &route).await?;
    if store::insert_route(tx, &route).await? {
        record(tx, context, actor, &team, "team.route_added", route_detail(&route)).await?;
    }
    Ok(())
}

/// The team is the first one of these tickets no longer.
pub async fn remove_route(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    route: &Route,
) -> Result<(), TeamError> {
    let team = administered(tx, actor, route.team_id).await?;
    if store::delete_route(tx, route).await? {
        record(tx, context, actor, &team, "team.route_removed", route_detail(route)).await?;
    }
    Ok(())
}

/// The team a ticket goes to first, if any is made for it.
pub async fn default_team(tx: &mut Tx, wish: &Wish) -> Result<Option<Team>, StoreError> {
    let teams = store::list_teams(tx, Scope::Organisation(wish.organisation_id)).await?;
    if teams.is_empty() {
        return Ok(None);
    }
    let routes = store::list_routes(tx).await?;
    Ok(routing::choose(wish, &teams, &routes).cloned())
}

/// A team the actor may change: not there for who may not.
async fn administered(tx: &mut Tx, actor: &Actor, id: TeamId) -> Result<Team, TeamError> {
    if !actor.may(Permission::Administer) {
        return Err(TeamError::Forbidden);
    }
    let team = store::find_team(tx, id).await?.ok_or(TeamError::NotFound)?;
    let reach = team.organisation_id.map_or(actor.scope == Scope::All, |it| actor.scope.contains(it));
    if reach { Ok(team) } else { Err(TeamError::NotFound) }
}

fn code(text: &str) -> Result<String, TeamError> {
    let code = text.trim().to_ascii_lowercase();
    let plain = code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !plain || !CODE_CHARS.contains(&code.len()) {
        return Err(TeamError::invalid("code", "must be 2 to 32 letters, digits or hyphens"));
    }
    Ok(code)
}

fn name(text: &str) -> Result<String, TeamError> {
    text::line(text, NAME_CHARS_MAX).map_err(|it| TeamError::invalid("name", it))
}

fn level(level: i64) -> Result<i64, TeamError> {
    if (1..=2).contains(&level) { Ok(level) } else { Err(TeamError::invalid("level", "must be 1 or 2")) }
}

fn route_detail(route: &Route) -> serde_json::Value {
    json!({ "type": route.ticket_kind, "sub_kind": route.sub_kind, "application": route.application_key })
}

async fn record(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    team: &Team,
    action: &str,
    detail: serde_json::Value,
) -> Result<(), StoreError> {
    let deed = Deed {
        organisation_id: team.organisation_id,
        action,
        subject_kind: "team",
        subject_id: team.id.to_string(),
        detail,
    };
    audit::record(tx, context, actor, deed).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::{Desk, actor};
    use crate::db::Db;
    use crate::db_test;
    use crate::kernel::actor::Role;
    use crate::teams::model::TeamKind;
    use crate::teams::{is_member, list_members, list_routes, list_teams_of, make_default_teams};

    fn servers() -> NewTeam {
        NewTeam {
            code: " Servers-1 ".into(),
            name: "Serveurs".into(),
            level: 2,
            kind: TeamKind::Servers,
            organisation_id: None,
        }
    }

    db_test! {
        async fn a_team_is_made_changed_and_joined(db: Db) {
            let desk = Desk::open(db).await;
            let admin = actor(&desk.person(None, "anna@desk.example", Role::Admin).await);
            let mut tx = desk.context.db.begin().await.expect("begin");
            let team = create_team(&mut tx, &desk.context, &admin, servers()).await.expect("made");
            assert_eq!(team.code, "servers-1");
            let again = create_team(&mut tx, &desk.context, &admin, servers()).await;
            assert!(matches!(again, Err(TeamError::Taken(_))), "{again:?}");
            let tom = desk.technician.id;
            set_member(&mut tx, &desk.context, &admin, (team.id, tom), true).await.expect("joined");
            assert!(is_member(&mut tx, team.id, tom).await.expect("asked"));
            assert_eq!(list_teams_of(&mut tx, tom).await.expect("list").len(), 1);
            let rita = set_member(&mut tx, &desk.context, &admin, (team.id, desk.requester.id), true).await;
            assert!(matches!(rita, Err(TeamError::Invalid { field: "member", .. })), "requesters do not work on tickets");
            let change = TeamChange { active: Some(false), name: Some("Anciens serveurs".into()), ..TeamChange::default() };
            let changed = change_team(&mut tx, &desk.context, &admin, team.id, change).await.expect("changed");
            assert_eq!((changed.name.as_str(), changed.level, changed.active), ("Anciens serveurs", 2, false));
            assert!(list_teams_of(&mut tx, tom).await.expect("list").is_empty(), "a team that rests is nobody's");
            set_member(&mut tx, &desk.context, &admin, (team.id, tom), false).await.expect("left");
            assert!(list_members(&mut tx, team.id).await.expect("list").is_empty());
            let wrong = NewTeam { level: 3, code: "x1".into(), ..servers() };
            let refused = create_team(&mut tx, &desk.context, &admin, wrong).await;
            assert!(matches!(refused, Err(TeamError::Invalid { field: "level", .. })));
            let by_technician = create_team(&mut tx, &desk.context, &actor(&desk.technician), servers()).await;
            assert!(matches!(by_technician, Err(TeamError::Forbidden)));
        }
    }

    db_test! {
        async fn one_team_is_the_first_of_each_kind_of_ticket(db: Db) {
            let desk = Desk::open(db).await;
            let admin = Actor::system();
            let mut tx = desk.context.db.begin().await.expect("begin");
            make_default_teams(&mut tx, &desk.context, &admin).await.expect("made");
            let wish = |ticket_kind, sub_kind| Wish {
                organisation_id: desk.acme.id, ticket_kind, sub_kind, application: String::new(),
            };
            for (kind, sub_kind, expected) in [
                ("incident", "", "service-desk"), ("incident", "connection", "network"), ("incident", "hardware", "maintenance"),
                ("incident", "malware", "security"), ("improvement", "", "application"), ("emergency", "security_breach", "security"),
            ] {
                let team = default_team(&mut tx, &wish(kind, sub_kind)).await.expect("asked").expect("a team");
                assert_eq!(team.code, expected, "{kind} {sub_kind}");
            }
            let team = create_team(&mut tx, &desk.context, &admin, servers()).await.expect("made");
            let own = NewTeam { code: "acme".into(), organisation_id: Some(desk.acme.id), ..servers() };
            let own = create_team(&mut tx, &desk.context, &admin, own).await.expect("made");
            for team in [&team, &own] {
                add_route(&mut tx, &desk.context, &admin, team.id, ("incident", "connection", "")).await.expect("routed");
            }
            let first = default_team(&mut tx, &wish("incident", "connection")).await.expect("asked").expect("a team");
            assert_eq!(first.code, "acme", "the organisation's own team comes first");
            let routes = list_routes(&mut tx).await.expect("list");
            let rivals: Vec<_> = routes.iter().filter(|it| it.sub_kind == "connection" && it.ticket_kind == "incident").collect();
            assert_eq!(rivals.len(), 2, "one of the provider, one of the organisation");
            let route = routes.into_iter().find(|it| it.team_id == own.id).expect("a route");
            remove_route(&mut tx, &desk.context, &admin, &route).await.expect("removed");
            let first = default_team(&mut tx, &wish("incident", "connection")).await.expect("asked").expect("a team");
            assert_eq!(first.code, "servers-1");
        }
    }
}
