//! The first page of who asks for help: two big choices, how else to reach us, what is under way.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::look_up::described;
use super::rows::{TicketLine, ticket_line};
use crate::branding::web::{Banner, banners};
use crate::inventory::web::machine::Lens;
use crate::inventory::{self, CiSummary};
use crate::kernel::page::PageRequest;
use crate::tickets::{self, TicketFilter, TicketRow, TicketState};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::shell::{has_home, landing};
use crate::web::{PageError, Reader, Section, Shell, Texts, WebState};

/// Tickets shown; the list has the rest.
const TICKETS_SHOWN: u32 = 5;
/// Machines shown.
const MACHINES_SHOWN: usize = 6;
/// What is not over, what waits for the reader first.
const UNDER_WAY: [TicketState; 5] = [
    TicketState::New,
    TicketState::Queued,
    TicketState::InProgress,
    TicketState::Pending,
    TicketState::Resolved,
];

/// A machine of the reader.
#[derive(Debug)]
struct OwnMachine {
    name: String,
    tag: String,
    /// Opens an incident for it.
    href: String,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/home.html")]
struct HomePage {
    shell: Shell,
    banners: Vec<Banner>,
    help: String,
    rows: Vec<TicketLine>,
    more: bool,
    machines: Vec<OwnMachine>,
}

pub(crate) async fn show(State(state): State<WebState>, reader: Reader) -> Result<Response, PageError> {
    if !has_home(&reader.actor) {
        return Ok(Redirect::to(landing(&reader.actor)).into_response());
    }
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let machines = inventory::list_cis_of_person(&mut tx, reader.person.id).await?;
    drop(tx);
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let filter =
        TicketFilter { person: reader.actor.person(), states: UNDER_WAY.to_vec(), ..TicketFilter::default() };
    let request = PageRequest::from_query(None, Some(TICKETS_SHOWN));
    let found = tickets::list_tickets(&state.context, &reader.actor, &filter, &request).await?;
    let banners = banners(&state, &reader, &zone).await?;
    let shell = reader.shell(lens.texts.t("nav-home"), Section::Home);
    page(&home_page(shell, lens, (&found.rows, found.next.is_some()), &machines, banners))
}

fn home_page(
    mut shell: Shell,
    lens: Lens<'_>,
    (tickets, more): (&[TicketRow], bool),
    machines: &[CiSummary],
    banners: Vec<Banner>,
) -> HomePage {
    // Large and plain for the IT contact too: this page is for asking, not for working through a list.
    shell.plain = true;
    let mut rows: Vec<TicketLine> = tickets.iter().map(|it| ticket_line(lens, it)).collect();
    rows.sort_by_key(|it| it.state_code != TicketState::Resolved.code());
    HomePage {
        help: shell.brand.help.of(lens.texts.language()).to_owned(),
        rows,
        more,
        machines: machines.iter().take(MACHINES_SHOWN).map(|it| own_machine(lens.texts, it)).collect(),
        banners,
        shell,
    }
}

fn own_machine(texts: Texts, ci: &CiSummary) -> OwnMachine {
    let tag = ci.tag.clone().unwrap_or_default();
    OwnMachine {
        name: described(texts, ci),
        href: with_query("/tickets/new", &[("kind", "incident"), ("tag", &tag)]),
        tag,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::inventory::web::samples::{hostile_row, latitude_row};
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    #[test]
    fn the_first_page_is_drawn_full_and_empty() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let frame = || shell(language, &[Role::Requester], "Home", Section::Home);
            let banner = Banner {
                tone: "danger",
                icon: "warn",
                title: "!".into(),
                text: HOSTILE.into(),
                at: crate::web::Stamp::day(lens.texts, &zone, now()),
            };
            let machines = [latitude_row(), hostile_row()];
            let html = check(
                "home",
                language,
                &home_page(frame(), lens, (&samples::rows(5), true), &machines, vec![banner]),
            );
            assert!(!html.contains("href=\"/parc"));
            check("home-none", language, &home_page(frame(), lens, (&[], false), &[], Vec::new()));
        }
    }
}
