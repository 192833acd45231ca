//! Enrolled agents: which are trusted, which were put aside, and why.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::agents::{self, Agent, AgentStatus};
use crate::inventory;
use crate::inventory::web::machine::{Lens, make_and_model};
use crate::kernel::actor::Permission;
use crate::kernel::id::AgentId;
use crate::kernel::page::PageRequest;
use crate::web::error::{page, page_with};
use crate::web::links::with_query;
use crate::web::parts::{Badge, Pager, Tab};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Stamp, Texts, WebState};

/// Characters of a reason.
const REASON_CHARS_MAX: usize = 200;

#[derive(Debug, Template)]
#[template(path = "agents/web/agents.html")]
struct AgentsPage {
    shell: Shell,
    tabs: Vec<Tab>,
    filtered: bool,
    rows: Vec<AgentRow>,
    pager: Pager,
    /// The reason was missing or too long.
    wrong: bool,
}

#[derive(Debug)]
struct AgentRow {
    id: String,
    href: String,
    name: String,
    tag: String,
    status: Badge,
    reason: String,
    version: String,
    since: Stamp,
    may_release: bool,
    may_revoke: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AgentQuery {
    status: String,
    cursor: String,
    done: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ReasonForm {
    reason: String,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<AgentQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    page(&load(&state, &reader, &asked, false).await?)
}

pub(crate) async fn act(
    State(state): State<WebState>,
    Path((agent, action)): Path<(String, String)>,
    Posted { reader, fields }: Posted<ReasonForm>,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let agent: AgentId = agent.parse().map_err(|_| PageError::not_found())?;
    let reason = fields.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        let page = load(&state, &reader, &AgentQuery::default(), true).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let mut tx = state.context.db.begin().await?;
    let done = match action.as_str() {
        "revoke" => {
            agents::revoke_agent(&mut tx, &state.context, &reader.actor, agent, reason).await?;
            "agent-revoked"
        }
        "release" => {
            agents::release_agent(&mut tx, &state.context, &reader.actor, agent, reason).await?;
            "agent-released"
        }
        _ => return Err(PageError::not_found()),
    };
    tx.commit().await?;
    Ok(Redirect::to(&format!("/agents?done={done}")).into_response())
}

async fn load(
    state: &WebState,
    reader: &Reader,
    asked: &AgentQuery,
    wrong: bool,
) -> Result<AgentsPage, PageError> {
    reader.require(Permission::Administer)?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let request = PageRequest::from_query(Some(&asked.cursor), None);
    let found = agents::list_agents(&mut tx, reader.actor.scope, status(&asked.status), &request).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for agent in &found.rows {
        let ci = inventory::find_ci(&mut tx, reader.actor.scope, agent.ci_id).await?;
        rows.push(agent_row(lens, agent, ci.as_ref()));
    }
    let shell = reader.shell(lens.texts.t("nav-agents"), Section::Agents).with_notice(&asked.done);
    Ok(agents_page(shell, asked, rows, found.next.as_deref(), wrong))
}

fn status(code: &str) -> Option<AgentStatus> {
    match code {
        "active" => Some(AgentStatus::Active),
        "quarantined" => Some(AgentStatus::Quarantined),
        "revoked" => Some(AgentStatus::Revoked),
        _ => None,
    }
}

fn agents_page(
    shell: Shell,
    asked: &AgentQuery,
    rows: Vec<AgentRow>,
    next: Option<&str>,
    wrong: bool,
) -> AgentsPage {
    let list = with_query("/agents", &[("status", &asked.status)]);
    let pager = Pager::of(&list, &asked.cursor, next);
    AgentsPage {
        tabs: tabs(shell.texts, &asked.status),
        filtered: !asked.status.is_empty(),
        rows,
        pager,
        wrong,
        shell,
    }
}

fn tabs(texts: Texts, chosen: &str) -> Vec<Tab> {
    ["", "active", "quarantined", "revoked"]
        .map(|code| Tab {
            label: if code.is_empty() { texts.t("filter-all") } else { texts.word("agent-status", code) }
                .into_owned(),
            count: None,
            href: with_query("/agents", &[("status", code)]),
            current: code == chosen,
        })
        .to_vec()
}

fn agent_row(lens: Lens<'_>, agent: &Agent, ci: Option<&inventory::CiSummary>) -> AgentRow {
    let (tone, icon, code) = match agent.status {
        AgentStatus::Active => ("ok", "ok", "active"),
        AgentStatus::Quarantined => ("warn", "warn", "quarantined"),
        AgentStatus::Revoked => ("quiet", "close", "revoked"),
    };
    let name = ci.map(|it| {
        let model = make_and_model(&it.make, &it.model);
        if model.is_empty() { it.name.clone() } else { format!("{} · {model}", it.name) }
    });
    AgentRow {
        id: agent.id.to_string(),
        href: format!("/parc/{}", agent.ci_id),
        name: name.unwrap_or_else(|| lens.texts.t("machine-unknown-model").into_owned()),
        tag: ci.and_then(|it| it.tag.clone()).unwrap_or_default(),
        status: Badge {
            tone,
            icon,
            text: lens.texts.word("agent-status", code).into_owned(),
            hint: String::new(),
        },
        reason: agent.status_reason.clone(),
        version: agent.version.clone(),
        since: Stamp::day(lens.texts, lens.zone, agent.status_since),
        may_release: agent.status == AgentStatus::Quarantined,
        may_revoke: agent.status != AgentStatus::Revoked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::TagPolicy;
    use crate::inventory::web::samples;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    fn agent(number: u128, status: AgentStatus, reason: &str) -> Agent {
        Agent {
            id: uuid::Uuid::from_u128(number).into(),
            organisation_id: samples::organisation_id(),
            ci_id: uuid::Uuid::from_u128(42).into(),
            status,
            status_reason: reason.into(),
            tag_policy: TagPolicy::MayCreate,
            generation: 3,
            version: "0.1.0".into(),
            enrolled_at: now(),
            status_since: now(),
        }
    }

    #[test]
    fn agents_are_drawn_by_status_or_explained_when_there_are_none() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let frame = || shell(language, &[Role::Admin], &lens.texts.t("nav-agents"), Section::Agents);
            let rows = vec![
                agent_row(lens, &agent(1, AgentStatus::Active, ""), Some(&samples::latitude_row())),
                agent_row(lens, &agent(2, AgentStatus::Quarantined, HOSTILE), Some(&samples::hostile_row())),
                agent_row(lens, &agent(3, AgentStatus::Revoked, "stolen"), None),
            ];
            let html = check(
                "agents",
                language,
                &agents_page(frame(), &AgentQuery::default(), rows, Some("b"), true),
            );
            assert_eq!(html.matches("/release\"").count(), 1);
            check(
                "agents-none",
                language,
                &agents_page(frame(), &AgentQuery::default(), Vec::new(), None, false),
            );
        }
    }
}
