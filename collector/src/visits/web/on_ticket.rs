//! Visits on the page of their ticket. Pure but for one list.

use crate::db::{StoreError, Tx};
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::Actor;
use crate::kernel::time::Zone;
use crate::tickets::Ticket;
use crate::visits::{self, Visit};
use crate::web::Texts;

/// What a ticket's page shows of its visits.
#[derive(Clone, Debug, Default)]
pub(crate) struct VisitsPart {
    pub lines: Vec<VisitLine>,
    /// Where one is planned, for who may.
    pub plan_href: Option<String>,
}

/// One visit in a few words.
#[derive(Clone, Debug)]
pub(crate) struct VisitLine {
    /// Its page; none for people who only read their ticket.
    pub href: Option<String>,
    pub ticket_href: String,
    pub ticket: String,
    pub calendar_href: String,
    /// `23/11/2026 09:30–11:00`.
    pub when: String,
    /// `09:30–11:00`.
    pub clock: String,
    pub status_code: &'static str,
    pub status: String,
    pub technician: String,
    pub organisation: String,
    pub place: String,
    pub contact: String,
    pub purpose: String,
    pub outcome: String,
}

/// The part of a ticket's page, for an actor who was found to see the ticket.
pub(crate) async fn part(
    tx: &mut Tx,
    lens: Lens<'_>,
    actor: &Actor,
    ticket: &Ticket,
) -> Result<VisitsPart, StoreError> {
    let found = visits::list_visits_of_ticket(tx, &ticket.number).await?;
    let plan_href = visits::may_plan(actor, ticket).then(|| format!("/tickets/{}/visits/new", ticket.number));
    let lines = found.iter().map(|it| visit_line(lens.texts, lens.zone, actor, it)).collect();
    Ok(VisitsPart { lines, plan_href })
}

/// One visit as lists show it.
pub(crate) fn visit_line(texts: Texts, zone: &Zone, actor: &Actor, visit: &Visit) -> VisitLine {
    let joined =
        |parts: [&str; 2]| parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ");
    let clock = clock(visit, zone);
    VisitLine {
        href: actor.is_staff().then(|| format!("/visits/{}", visit.id)),
        ticket_href: format!("/tickets/{}", visit.ticket_number),
        ticket: visit.ticket_number.to_string(),
        calendar_href: format!("/visits/{}/calendar.ics", visit.id),
        when: format!("{} {clock}", visit.starts_at.format(zone, "%d/%m/%Y")),
        clock,
        status_code: visit.status.code(),
        status: texts.word("visit-status", visit.status.code()).into_owned(),
        technician: visit.technician_name.clone(),
        organisation: visit.organisation_name.clone(),
        place: joined([&visit.address, &visit.location]),
        contact: joined([&visit.contact, &visit.phone]),
        purpose: visit.purpose.clone(),
        outcome: visit.outcome.clone(),
    }
}

/// `09:30–11:00` on the wall of the place; over midnight the end says its day.
fn clock(visit: &Visit, zone: &Zone) -> String {
    let day = |at: crate::kernel::time::UtcMicros| at.format(zone, "%Y%m%d");
    let end = if day(visit.starts_at) == day(visit.ends_at) { "%H:%M" } else { "%d/%m %H:%M" };
    format!("{}–{}", visit.starts_at.format(zone, "%H:%M"), visit.ends_at.format(zone, end))
}
