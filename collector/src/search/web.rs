//! The page of the search.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::service::{Found, search};
use crate::inventory::web::machine::{Lens, make_and_model};
use crate::tickets::web::rows::{TicketLine, ticket_line};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::{Asked, PageError, Reader, Section, Shell, WebState};

#[derive(Debug, Template)]
#[template(path = "search/search.html")]
struct SearchPage {
    shell: Shell,
    query: String,
    tickets: Vec<TicketLine>,
    all_tickets: Option<String>,
    machines: Vec<MachineLine>,
    all_machines: Option<String>,
    people: Vec<PersonLine>,
}

/// A machine in one line.
#[derive(Debug)]
struct MachineLine {
    href: String,
    tag: String,
    name: String,
    detail: String,
}

/// Somebody in one line.
#[derive(Debug)]
struct PersonLine {
    name: String,
    email: String,
    tickets_href: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SearchQuery {
    q: String,
}

pub(crate) fn routes() -> Router<WebState> {
    Router::new().route("/search", get(show))
}

async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<SearchQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let found = search(&state.context, &reader.actor, &asked.q).await?;
    // Who types a number wants that ticket.
    if let Some(number) = &found.number {
        return Ok(Redirect::to(&format!("/tickets/{number}")).into_response());
    }
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    drop(tx);
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let shell = reader.shell(reader.texts().t("search-title"), Section::Search);
    page(&build(shell, lens, asked.q.trim(), &found))
}

fn build(shell: Shell, lens: Lens<'_>, query: &str, found: &Found) -> SearchPage {
    let joined =
        |parts: &[&str]| parts.iter().copied().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ");
    SearchPage {
        tickets: found.tickets.iter().map(|it| ticket_line(lens, it)).collect(),
        all_tickets: found.more_tickets.then(|| with_query("/tickets", &[("state", "all"), ("q", query)])),
        machines: found
            .machines
            .iter()
            .map(|it| MachineLine {
                href: format!("/parc/{}", it.id),
                tag: it.tag.clone().unwrap_or_default(),
                name: if it.model.is_empty() { it.name.clone() } else { make_and_model(&it.make, &it.model) },
                detail: joined(&[&it.name, &it.serial, &it.assigned_to_name, &it.site_name]),
            })
            .collect(),
        all_machines: found.more_machines.then(|| with_query("/parc", &[("q", query)])),
        people: found
            .people
            .iter()
            .map(|it| PersonLine {
                name: it.name.clone(),
                email: it.email.to_string(),
                tickets_href: with_query("/tickets", &[("state", "all"), ("q", &it.name)]),
            })
            .collect(),
        query: query.to_owned(),
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::web::samples;
    use crate::kernel::actor::Role;
    use crate::web::Texts;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    #[test]
    fn what_was_found_is_drawn_and_so_is_nothing() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let draw = |name: &str, query: &str, found: &Found| {
                let shell = shell(language, &[Role::Lead], "Recherche", Section::Search);
                check(name, language, &build(shell, lens, query, found))
            };
            let found = Found {
                tickets: crate::tickets::web::samples::rows(3),
                machines: vec![samples::latitude_row()],
                more_tickets: true,
                more_machines: true,
                ..Found::default()
            };
            assert!(draw("search", "latitude", &found).contains("/tickets?state=all&#38;q=latitude"));
            draw("search-none", HOSTILE, &Found::default());
            draw("search-empty", "", &Found::default());
        }
    }
}
