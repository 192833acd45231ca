//! The register of interventions: people read their own, staff everybody's in scope.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::on_ticket::{RemoteLine, remote_line};
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::Actor;
use crate::kernel::page::{Page, PageRequest};
use crate::remote::{self, RemoteSession};
use crate::web::error::page;
use crate::web::parts::Pager;
use crate::web::{Asked, PageError, Reader, Shell, WebState};

#[derive(Debug, Template)]
#[template(path = "remote/web/register.html")]
struct RegisterPage {
    shell: Shell,
    rows: Vec<RemoteLine>,
    pager: Pager,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RegisterQuery {
    cursor: String,
}

pub(super) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<RegisterQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let request = PageRequest::from_query(Some(&asked.cursor), None);
    let found = remote::list_register(&mut tx, &reader.actor, &request).await?;
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let shell = reader.frame(reader.texts().t("register-title"), None);
    page(&build(shell, lens, &reader.actor, &asked.cursor, &found))
}

fn build(
    shell: Shell,
    lens: Lens<'_>,
    actor: &Actor,
    cursor: &str,
    found: &Page<RemoteSession>,
) -> RegisterPage {
    let line = |it: &RemoteSession| remote_line(lens, actor, false, &[], it);
    let pager = Pager::of("/interventions", cursor, found.next.as_deref());
    RegisterPage { rows: found.rows.iter().map(line).collect(), pager, shell }
}

#[cfg(test)]
mod tests {
    use super::super::on_ticket::{RemotePart, a_session};
    use super::*;
    use crate::config::RemoteTool;
    use crate::kernel::actor::{ActorKind, Role, Scope};
    use crate::kernel::id::PersonId;
    use crate::remote::RemoteStatus;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};
    use crate::web::{Section, Texts};

    #[derive(Debug, Template)]
    #[template(path = "remote/web/alone.html")]
    struct Alone {
        shell: Shell,
        remote: RemotePart,
    }

    fn person(role: Role) -> Actor {
        let id = PersonId::from(uuid::Uuid::from_u128(7));
        Actor { kind: ActorKind::Person(id), label: "x".into(), scope: Scope::All, roles: vec![role] }
    }

    #[test]
    fn the_question_comes_with_the_reminder_and_both_answers() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let tools = [RemoteTool { name: "TeamViewer".into(), url: "https://provider.example/tv".into() }];
            let draw = |name: &str, role: Role, is_party: bool, session: &RemoteSession| {
                let line = remote_line(lens, &person(role), is_party, &tools, session);
                let remote = RemotePart {
                    number: "I202611_0042".into(),
                    lines: vec![line],
                    may_ask: !is_party,
                    tools: Vec::new(),
                    asked: HOSTILE.into(),
                };
                let shell = shell(language, &[role], "I202611_0042", Section::Tickets);
                check(name, language, &Alone { shell, remote })
            };
            let asked = a_session(RemoteStatus::Requested);
            let html = draw("remote-question", Role::Requester, true, &asked);
            assert!(
                html.contains("/accept\"") && html.contains("/refuse\"") && html.contains("provider.example")
            );
            assert!(html.contains(&*lens.texts.t("remote-reminder")));
            let html = draw("remote-asked", Role::TechnicianN1, false, &asked);
            assert!(
                html.contains("name=\"name\"") && !html.contains("/start\""),
                "only a yes by voice is written down"
            );
            let html = draw("remote-accepted", Role::TechnicianN1, false, &a_session(RemoteStatus::Accepted));
            assert!(html.contains("/start\""));
            draw("remote-started", Role::TechnicianN1, false, &a_session(RemoteStatus::Started));
        }
    }

    #[test]
    fn the_register_is_drawn_full_and_empty() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let hostile = RemoteSession {
                report: HOSTILE.into(),
                tool: HOSTILE.into(),
                ..a_session(RemoteStatus::Ended)
            };
            for (name, rows) in [("register", vec![hostile]), ("register-none", vec![])] {
                let shell = shell(language, &[Role::Requester], "Registre", Section::Tickets);
                let found = Page { rows, next: None };
                check(name, language, &build(shell, lens, &person(Role::Requester), "", &found));
            }
        }
    }
}
