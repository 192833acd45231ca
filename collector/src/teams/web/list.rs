//! All teams, and the form that makes one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::mendable;
use crate::kernel::actor::{Permission, Scope};
use crate::sites::{self, Organisation};
use crate::teams::{self, NewTeam, Team, TeamKind};
use crate::web::error::page_with;
use crate::web::numbers::integer;
use crate::web::parts::Choice;
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Texts, WebState};

#[derive(Debug, Template)]
#[template(path = "teams/web/list.html")]
struct TeamsPage {
    shell: Shell,
    form: TeamForm,
    kinds: Vec<Choice>,
    organisations: Vec<Choice>,
    problem: String,
    rows: Vec<TeamRow>,
    may_make_defaults: bool,
}

#[derive(Debug)]
struct TeamRow {
    href: String,
    code: String,
    name: String,
    level: i64,
    kind: String,
    organisation: String,
    members: String,
    active: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TeamForm {
    code: String,
    name: String,
    level: String,
    kind: String,
    organisation: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TeamQuery {
    done: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Nothing {}

/// Teams with the number of their members, and the organisations a new one may work for.
struct Loaded {
    teams: Vec<(Team, usize)>,
    organisations: Vec<Organisation>,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<TeamQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    render(&state, &reader, (StatusCode::OK, TeamForm::default()), &asked.done, String::new()).await
}

pub(crate) async fn create(
    State(state): State<WebState>,
    Posted { reader, fields: form }: Posted<TeamForm>,
) -> Result<Response, PageError> {
    let new = NewTeam {
        code: form.code.clone(),
        name: form.name.clone(),
        level: form.level.trim().parse().unwrap_or(1),
        kind: TeamKind::from_code(&form.kind).unwrap_or(TeamKind::Other),
        organisation_id: form.organisation.parse().ok(),
    };
    let mut tx = state.context.db.begin().await?;
    let made = teams::create_team(&mut tx, &state.context, &reader.actor, new).await;
    match made {
        Ok(team) => {
            tx.commit().await?;
            Ok(Redirect::to(&format!("/teams/{}?done=team", team.code)).into_response())
        }
        Err(error) => {
            drop(tx);
            let problem = mendable(reader.texts(), error)?;
            render(&state, &reader, (StatusCode::UNPROCESSABLE_ENTITY, form), "", problem).await
        }
    }
}

pub(crate) async fn make_defaults(
    State(state): State<WebState>,
    Posted { reader, .. }: Posted<Nothing>,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.begin().await?;
    teams::make_default_teams(&mut tx, &state.context, &reader.actor).await?;
    tx.commit().await?;
    Ok(Redirect::to("/teams?done=team").into_response())
}

async fn render(
    state: &WebState,
    reader: &Reader,
    (status, form): (StatusCode, TeamForm),
    done: &str,
    problem: String,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let mut tx = state.context.db.read().await?;
    let mut listed = Vec::new();
    for team in teams::list_teams(&mut tx, reader.actor.scope).await? {
        let members = teams::list_members(&mut tx, team.id).await?.len();
        listed.push((team, members));
    }
    let organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
    let shell = reader.shell(reader.texts().t("nav-teams"), Section::Teams).with_notice(done);
    let provider = reader.actor.scope == Scope::All;
    let loaded = Loaded { teams: listed, organisations };
    page_with(status, &teams_page(shell, form, provider, &loaded, problem))
}

fn teams_page(shell: Shell, form: TeamForm, provider: bool, loaded: &Loaded, problem: String) -> TeamsPage {
    let texts = shell.texts;
    let kinds = TeamKind::ALL.into_iter();
    let mut organisations: Vec<Choice> = loaded
        .organisations
        .iter()
        .map(|it| Choice::new(it.id.to_string(), &it.name, it.id.to_string() == form.organisation))
        .collect();
    if provider {
        organisations.insert(0, Choice::new("", texts.t("team-of-provider"), form.organisation.is_empty()));
    }
    TeamsPage {
        kinds: kinds
            .map(|it| Choice::new(it.code(), texts.word("team-kind", it.code()), it.code() == form.kind))
            .collect(),
        organisations,
        problem,
        may_make_defaults: provider && loaded.teams.is_empty(),
        rows: loaded.teams.iter().map(|it| team_row(texts, it, &loaded.organisations)).collect(),
        form,
        shell,
    }
}

fn team_row(texts: Texts, (team, members): &(Team, usize), organisations: &[Organisation]) -> TeamRow {
    let own = organisations.iter().find(|it| Some(it.id) == team.organisation_id);
    TeamRow {
        href: format!("/teams/{}", team.code),
        code: team.code.clone(),
        name: team.name.clone(),
        level: team.level,
        kind: texts.word("team-kind", team.kind.code()).into_owned(),
        organisation: own.map(|it| it.name.clone()).unwrap_or_default(),
        members: integer(texts.language(), i64::try_from(*members).unwrap_or(i64::MAX)),
        active: team.active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    fn the_list_of_teams_is_drawn_full_hostile_and_empty() {
        for language in LANGUAGES {
            let frame = || {
                let title = Texts::of(language).t("nav-teams");
                shell(language, &[Role::Admin], &title, Section::Teams)
            };
            let team = |name: &str, active| Team {
                id: uuid::Uuid::from_u128(7).into(),
                code: "network".into(),
                name: name.into(),
                level: 2,
                kind: TeamKind::Network,
                organisation_id: None,
                active,
            };
            let teams = vec![(team("Infrastructure et réseaux", true), 4), (team(HOSTILE, false), 0)];
            let full = Loaded { teams, organisations: Vec::new() };
            check("teams", language, &teams_page(frame(), TeamForm::default(), true, &full, HOSTILE.into()));
            let none = Loaded { teams: Vec::new(), organisations: Vec::new() };
            check(
                "teams-none",
                language,
                &teams_page(frame(), TeamForm::default(), true, &none, String::new()),
            );
        }
    }
}
