//! The call helper: whom to call on which number and when, what to say, what came of it, when to try again.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::timeline::{EventView, event_view};
use crate::inventory::web::machine::Lens;
use crate::kernel::time::Zone;
use crate::tickets::{self, ActionKind, PDR_LIMIT, TicketNumber, TicketView};
use crate::web::error::page;
use crate::web::{PageError, Reader, Section, Shell, WebState};

#[derive(Debug, Template)]
#[template(path = "tickets/web/call.html")]
struct CallPage {
    shell: Shell,
    number: String,
    version: i64,
    seen: i64,
    summary: String,
    person: String,
    phone: String,
    /// The number as telephones dial it; empty when it is none.
    dial: String,
    availability: String,
    /// What to say first.
    greeting: String,
    attempts: Vec<EventView>,
    next_day: String,
    next_time: String,
    /// So many calls in vain that waiting is proposed.
    in_vain: bool,
    may_hold: bool,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Path(number): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    let found = tickets::find_ticket(&state.context, &reader.actor, &number).await?;
    let view = found.ok_or_else(PageError::not_found)?;
    if !view.allowed.contains(&ActionKind::Task) {
        return Err(PageError::forbidden());
    }
    let zone = Zone::named(&view.ticket.time_zone).unwrap_or_else(Zone::utc);
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let shell = reader.shell(reader.texts().t("call-title"), Section::Tickets);
    page(&build(shell, lens, &reader.person.name, &view))
}

fn build(shell: Shell, lens: Lens<'_>, caller: &str, view: &TicketView) -> CallPage {
    let ticket = &view.ticket;
    let calls = |it: &&tickets::TicketEvent| {
        let task = it.data.get("task").and_then(|it| it.as_str());
        it.kind == "task" && matches!(task, Some("call" | "pdr"))
    };
    let next = tickets::next_attempt(lens.now, &[], lens.zone);
    CallPage {
        number: ticket.number.to_string(),
        version: ticket.version,
        seen: view.events.iter().map(|it| it.event_no).max().unwrap_or(0),
        summary: ticket.summary.clone(),
        person: ticket.beneficiary_name.clone(),
        dial: dialled(&ticket.phone),
        phone: ticket.phone.clone(),
        availability: ticket.availability.clone(),
        greeting: lens
            .texts
            .t2("call-greeting", ("caller", caller), ("number", ticket.number.as_str()))
            .into_owned(),
        attempts: view
            .events
            .iter()
            .rev()
            .filter(calls)
            .map(|it| event_view(lens, &ticket.number, it, None))
            .collect(),
        next_day: next.format(lens.zone, "%Y-%m-%d"),
        next_time: next.format(lens.zone, "%H:%M"),
        in_vain: tickets::unanswered_in_a_row(&view.events) >= PDR_LIMIT,
        may_hold: view.allowed.contains(&ActionKind::Hold),
        shell,
    }
}

/// Digits and a leading plus of what was typed, if that can be dialled.
fn dialled(phone: &str) -> String {
    let kept: String = phone
        .chars()
        .enumerate()
        .filter(|(at, c)| c.is_ascii_digit() || (*at == 0 && *c == '+'))
        .map(|it| it.1)
        .collect();
    let plain = phone.chars().all(|c| c.is_ascii_digit() || " .-+()/\u{A0}\u{202F}".contains(c));
    if plain && (3..=16).contains(&kept.len()) { kept } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::Texts;
    use crate::web::rendering::{LANGUAGES, check, now, shell, zone};

    #[test]
    fn the_helper_is_drawn_for_a_ticket_with_anything_typed_into_it() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            for (name, view) in [("call", samples::attached()), ("call-hostile", samples::hostile())] {
                let shell = shell(language, &[Role::TechnicianN1], "Appel", Section::Tickets);
                let html = check(name, language, &build(shell, lens, "Nadia Lefèvre", &view));
                assert!(html.contains("value=\"pdr\"") && html.contains("name=\"next_day\""));
            }
        }
    }

    #[test]
    fn only_a_number_is_dialled() {
        assert_eq!(dialled("+33 4 72 00 00 42"), "+33472000042");
        assert_eq!(dialled("04.72.00.00.42"), "0472000042");
        for text in ["", "poste 12", "javascript:alert(1)", "12", "ask Nadia: 04 72"] {
            assert_eq!(dialled(text), "", "{text}");
        }
    }
}
