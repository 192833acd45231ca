//! Planning visits and what becomes of them.

use serde_json::{Value, json};

use super::model::{NewVisit, Visit, VisitError, VisitFilter, VisitStatus, VisitStep};
use super::{rules, store};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Role};
use crate::kernel::id::{OrganisationId, PersonId, VisitId};
use crate::kernel::text;
use crate::kernel::time::UtcMicros;
use crate::people;
use crate::sites;
use crate::tickets::{self, Entry, Ticket, TicketNumber};

/// Characters of a place or a name.
const LINE_CHARS_MAX: usize = 120;
/// Characters of a phone number with extension.
const PHONE_CHARS_MAX: usize = 40;
/// Characters of what is to be done.
const PURPOSE_CHARS_MAX: usize = 500;
/// Characters of what came of it.
const OUTCOME_CHARS_MAX: usize = 2_000;

/// Whether the actor may plan a visit for this ticket: staff may ask for one, who plans field work may fix it.
pub fn may_plan(actor: &Actor, ticket: &Ticket) -> bool {
    actor.may(Permission::WorkTickets)
        && ticket.state.is_open()
        && actor.scope.contains(ticket.organisation_id)
}

/// Plans a visit. The technician's time is taken in the same transaction: of two who want it at once, one gets it.
pub async fn plan_visit(
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    new: NewVisit,
) -> Result<Visit, VisitError> {
    let now = context.now();
    let quarters = rules::quarters(new.starts_at, new.ends_at, now)?;
    let mut tx = context.db.begin().await?;
    let ticket = tickets::find_for(&mut tx, actor, number).await?.ok_or(VisitError::NotFound)?;
    check_rights(actor, &ticket, new.fixed)?;
    let visit = drafted(&mut tx, context, &ticket, new).await?;
    store::insert(&mut tx, &visit).await?;
    take(&mut tx, &visit, &quarters).await?;
    leave_traces(&mut tx, context, actor, &ticket, &visit, planned_kind(visit.status)).await?;
    tx.commit().await?;
    Ok(visit)
}

/// Changes a visit. `seen` is the sequence the actor saw; none changes whatever is current.
pub async fn step_visit(
    context: &Context,
    actor: &Actor,
    visit: VisitId,
    seen: Option<i64>,
    step: VisitStep,
) -> Result<Visit, VisitError> {
    let mut tx = context.db.begin().await?;
    let before = store::find(&mut tx, visit).await?.ok_or(VisitError::NotFound)?;
    let ticket =
        tickets::find_for(&mut tx, actor, &before.ticket_number).await?.ok_or(VisitError::NotFound)?;
    may_step(actor, &before, &step)?;
    if seen.is_some_and(|it| it != before.sequence) {
        return Err(VisitError::Stale);
    }
    let now = context.now();
    let status = rules::next_status(before.status, &step, now >= before.starts_at)?;
    let mut after = Visit { status, sequence: before.sequence + 1, updated_at: now, ..before.clone() };
    apply(&mut tx, &mut after, &step, now).await?;
    if !store::save(&mut tx, &after, before.sequence).await? {
        return Err(VisitError::Stale);
    }
    leave_traces(&mut tx, context, actor, &ticket, &after, event_kind(&step)).await?;
    tx.commit().await?;
    Ok(after)
}

/// A visit of a ticket that the actor may see.
pub async fn find_visit(tx: &mut Tx, actor: &Actor, visit: VisitId) -> Result<Option<Visit>, StoreError> {
    let Some(found) = store::find(tx, visit).await? else { return Ok(None) };
    let seen = tickets::find_for(tx, actor, &found.ticket_number).await?.is_some();
    Ok(seen.then_some(found))
}

/// Visits of a ticket that the caller has found for its actor, the latest first.
pub async fn list_visits_of_ticket(tx: &mut Tx, number: &TicketNumber) -> Result<Vec<Visit>, StoreError> {
    store::list_of_ticket(tx, number).await
}

/// The planning: visits in the actor's scope, in the order of the clock.
pub async fn list_visits(tx: &mut Tx, actor: &Actor, filter: &VisitFilter) -> Result<Vec<Visit>, VisitError> {
    if !may_read(actor) {
        return Err(VisitError::Forbidden);
    }
    Ok(store::list(tx, actor.scope, filter).await?)
}

/// Who can be sent to an organisation, by name; for all of them without one.
pub async fn list_technicians(
    tx: &mut Tx,
    actor: &Actor,
    organisation: Option<OrganisationId>,
) -> Result<Vec<(PersonId, String)>, StoreError> {
    store::list_technicians(tx, actor.scope.organisation().or(organisation)).await
}

/// Whose business a planning is: staff, the client's IT contact, the auditor.
fn may_read(actor: &Actor) -> bool {
    actor.may(Permission::ReadTickets)
}

fn check_rights(actor: &Actor, ticket: &Ticket, fixed: bool) -> Result<(), VisitError> {
    if !actor.may(Permission::WorkTickets) || (fixed && !actor.may(Permission::PlanFieldWork)) {
        return Err(VisitError::Forbidden);
    }
    if !ticket.state.is_open() {
        return Err(VisitError::State { status: ticket.state.code(), step: "plan" });
    }
    Ok(())
}

/// Who goes writes down what came of it; everything else is for those who plan. Who asked for a visit may take it back.
fn may_step(actor: &Actor, visit: &Visit, step: &VisitStep) -> Result<(), VisitError> {
    let goes = actor.person() == Some(visit.technician_id) && actor.may(Permission::WorkTickets);
    let allowed = match step {
        VisitStep::Fix | VisitStep::Move { .. } => actor.may(Permission::PlanFieldWork),
        VisitStep::Done { .. } | VisitStep::Missed { .. } => goes || actor.may(Permission::PlanFieldWork),
        VisitStep::Cancel { .. } => {
            actor.may(Permission::PlanFieldWork)
                || (visit.status == VisitStatus::Proposed && actor.may(Permission::WorkTickets))
        }
    };
    if allowed { Ok(()) } else { Err(VisitError::Forbidden) }
}

/// The visit as it will be stored; what was not said comes from the ticket.
async fn drafted(
    tx: &mut Tx,
    context: &Context,
    ticket: &Ticket,
    new: NewVisit,
) -> Result<Visit, VisitError> {
    let technician_name = technician(tx, ticket.organisation_id, new.technician_id).await?;
    let site = match new.site_id.or(ticket.site_id) {
        None => None,
        Some(id) => {
            let found = sites::find_site(tx, id).await?;
            let found = found.filter(|it| it.organisation_id == ticket.organisation_id);
            Some(found.ok_or_else(|| VisitError::invalid("site", "is not a site of the organisation"))?)
        }
    };
    let address = site.as_ref().map_or_else(String::new, |it| {
        [it.name.as_str(), it.address.as_str()]
            .iter()
            .filter(|it| !it.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(", ")
    });
    let now = context.now();
    Ok(Visit {
        id: VisitId::generate(now, context.entropy.as_ref()),
        ticket_number: ticket.number.clone(),
        organisation_id: ticket.organisation_id,
        organisation_name: ticket.organisation_name.clone(),
        time_zone: ticket.time_zone.clone(),
        technician_id: new.technician_id,
        technician_name,
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        site_id: site.map(|it| it.id),
        address,
        location: line("location", &new.location, LINE_CHARS_MAX, &ticket.location)?,
        contact: line("contact", &new.contact, LINE_CHARS_MAX, &ticket.beneficiary_name)?,
        phone: line("phone", &new.phone, PHONE_CHARS_MAX, &ticket.phone)?,
        purpose: text::optional_paragraphs(&new.purpose, PURPOSE_CHARS_MAX)
            .map_err(|it| VisitError::invalid("purpose", it))?
            .unwrap_or_default(),
        status: if new.fixed { VisitStatus::Fixed } else { VisitStatus::Proposed },
        outcome: String::new(),
        sequence: 0,
        updated_at: now,
    })
}

fn line(field: &'static str, typed: &str, max: usize, otherwise: &str) -> Result<String, VisitError> {
    let cleaned = text::optional_line(typed, max).map_err(|it| VisitError::invalid(field, it))?;
    Ok(cleaned.unwrap_or_else(|| otherwise.to_owned()))
}

/// The name of somebody active who does such work for the organisation.
async fn technician(
    tx: &mut Tx,
    organisation: OrganisationId,
    technician: PersonId,
) -> Result<String, VisitError> {
    let person = people::find_person(tx, technician).await?;
    let fits = |it: &people::Person| {
        it.active
            && it.organisation_id.is_none_or(|own| own == organisation)
            && it.roles.iter().any(|role| TRAVELS.contains(role))
    };
    let found = person.filter(fits);
    Ok(found
        .ok_or_else(|| VisitError::invalid("technician", "is not a technician for this organisation"))?
        .name)
}

/// Roles of people who are sent to a site.
const TRAVELS: [Role; 5] = [Role::Peu, Role::TechnicianN1, Role::TechnicianN2, Role::Lead, Role::Mssi];

/// Takes the technician's time, or says where they are instead.
async fn take(
    tx: &mut Tx,
    visit: &Visit,
    quarters: &std::ops::RangeInclusive<i64>,
) -> Result<(), VisitError> {
    let wanted = quarters.clone().count();
    let free = store::take_quarters(tx, visit.technician_id, visit.id, quarters).await?;
    if usize::try_from(free).is_ok_and(|it| it == wanted) {
        return Ok(());
    }
    let other = store::find_overlapping(tx, visit.technician_id, visit.id, quarters).await?;
    let (from, until) =
        other.map_or((visit.starts_at, visit.ends_at), |other| (other.starts_at, other.ends_at));
    Err(VisitError::Overlap {
        technician: visit.technician_name.clone(),
        from: from.rfc3339(),
        until: until.rfc3339(),
    })
}

/// What a step changes beside the status.
async fn apply(tx: &mut Tx, visit: &mut Visit, step: &VisitStep, now: UtcMicros) -> Result<(), VisitError> {
    match step {
        VisitStep::Fix => {}
        VisitStep::Move { technician_id, starts_at, ends_at } => {
            let quarters = rules::quarters(*starts_at, *ends_at, now)?;
            visit.technician_name = technician(tx, visit.organisation_id, *technician_id).await?;
            visit.technician_id = *technician_id;
            visit.starts_at = *starts_at;
            visit.ends_at = *ends_at;
            store::free_quarters(tx, visit.id).await?;
            take(tx, visit, &quarters).await?;
        }
        VisitStep::Done { outcome } => visit.outcome = said("outcome", outcome)?,
        VisitStep::Missed { reason } | VisitStep::Cancel { reason } => {
            visit.outcome = said("reason", reason)?;
            store::free_quarters(tx, visit.id).await?;
        }
    }
    Ok(())
}

fn said(field: &'static str, typed: &str) -> Result<String, VisitError> {
    let cleaned = text::optional_paragraphs(typed, OUTCOME_CHARS_MAX);
    let cleaned = cleaned.map_err(|it| VisitError::invalid(field, it))?;
    cleaned.ok_or_else(|| VisitError::invalid(field, text::TextRefusal::Empty))
}

fn planned_kind(status: VisitStatus) -> &'static str {
    if status == VisitStatus::Fixed { "visit_fixed" } else { "visit_proposed" }
}

fn event_kind(step: &VisitStep) -> &'static str {
    match step {
        VisitStep::Fix => "visit_fixed",
        VisitStep::Move { .. } => "visit_moved",
        VisitStep::Done { .. } => "visit_done",
        VisitStep::Missed { .. } => "visit_missed",
        VisitStep::Cancel { .. } => "visit_cancelled",
    }
}

/// The ticket's history and what it is held open by.
async fn leave_traces(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    ticket: &Ticket,
    visit: &Visit,
    kind: &'static str,
) -> Result<(), VisitError> {
    let entry = Entry { kind, public: true, data: facts(visit) };
    let noted = tickets::note_event(tx, context, actor, &ticket.number, entry).await?;
    let standing = store::count_standing(tx, &ticket.number).await?;
    Ok(tickets::set_obligations(tx, &ticket.number, standing, noted.open_loans).await?)
}

/// What the history tells of a visit. Its requester may read it.
fn facts(visit: &Visit) -> Value {
    json!({
        "visit": visit.id,
        "technician": visit.technician_name,
        "start": visit.starts_at.rfc3339(),
        "end": visit.ends_at.rfc3339(),
        "place": visit.address,
        "location": visit.location,
        "sequence": visit.sequence,
        "text": visit.outcome,
    })
}
