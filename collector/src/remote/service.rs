//! Asking for a remote session and what becomes of it.

use serde_json::{Value, json};

use super::model::{self, Consent, RemoteError, RemoteSession, RemoteStatus, RemoteStep};
use super::store;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::kernel::id::RemoteSessionId;
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::text;
use crate::kernel::time::UtcMicros;
use crate::tickets::{self, Entry, Ticket, TicketNumber};

/// Characters of a name: of a program, of who said yes.
const NAME_CHARS_MAX: usize = 120;
/// Characters of a report.
const REPORT_CHARS_MAX: usize = 10_000;

/// Whether the actor may ask for a remote session on this ticket.
pub fn may_ask(actor: &Actor, ticket: &Ticket) -> bool {
    actor.may(Permission::WorkTickets) && actor.person().is_some() && ticket.state.is_open()
}

/// Asks the ticket's beneficiary whether somebody may take over their screen.
pub async fn ask(
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    tool: &str,
) -> Result<RemoteSession, RemoteError> {
    let tool = text::line(tool, NAME_CHARS_MAX).map_err(|it| RemoteError::invalid("tool", it))?;
    let mut tx = context.db.begin().await?;
    let ticket = tickets::find_for(&mut tx, actor, number).await?.ok_or(RemoteError::NotFound)?;
    let technician = actor.person().filter(|_| actor.may(Permission::WorkTickets));
    let technician = technician.ok_or(RemoteError::Forbidden)?;
    if !ticket.state.is_open() {
        return Err(RemoteError::State { status: ticket.state.code(), step: "ask" });
    }
    let now = context.now();
    let session = RemoteSession {
        id: RemoteSessionId::generate(now, context.entropy.as_ref()),
        ticket_number: ticket.number.clone(),
        organisation_id: ticket.organisation_id,
        organisation_name: ticket.organisation_name.clone(),
        time_zone: ticket.time_zone.clone(),
        tool,
        technician_id: technician,
        technician_name: actor.label.clone(),
        asked_id: ticket.beneficiary_id,
        asked_name: ticket.beneficiary_name.clone(),
        status: RemoteStatus::Requested,
        asked_at: now,
        answered_at: None,
        answered_by: String::new(),
        means: String::new(),
        started_at: None,
        ended_at: None,
        report: String::new(),
        sequence: 0,
        updated_at: now,
    };
    store::insert(&mut tx, &session).await?;
    note(&mut tx, context, actor, &session, "remote_requested").await?;
    tx.commit().await?;
    Ok(session)
}

/// Changes a session. `seen` is the sequence the actor saw; none changes whatever is current.
pub async fn step_session(
    context: &Context,
    actor: &Actor,
    id: RemoteSessionId,
    seen: Option<i64>,
    step: RemoteStep,
) -> Result<RemoteSession, RemoteError> {
    let mut tx = context.db.begin().await?;
    let before = store::find(&mut tx, id).await?.ok_or(RemoteError::NotFound)?;
    let ticket = tickets::find_for(&mut tx, actor, &before.ticket_number).await?;
    let ticket = ticket.ok_or(RemoteError::NotFound)?;
    let now = context.now();
    check_rights(actor, &ticket, &step)?;
    if seen.is_some_and(|it| it != before.sequence) {
        return Err(RemoteError::Stale);
    }
    let status = model::next_status(before.status_at(now), &step)?;
    let mut after =
        RemoteSession { status, sequence: before.sequence + 1, updated_at: now, ..before.clone() };
    apply(&mut after, actor, &step, now)?;
    if !store::save(&mut tx, &after, before.sequence).await? {
        return Err(RemoteError::Stale);
    }
    note(&mut tx, context, actor, &after, event_kind(&step)).await?;
    tx.commit().await?;
    Ok(after)
}

/// A session of a ticket that the actor may see.
pub async fn find_session(
    tx: &mut Tx,
    actor: &Actor,
    id: RemoteSessionId,
) -> Result<Option<RemoteSession>, StoreError> {
    let Some(found) = store::find(tx, id).await? else { return Ok(None) };
    let seen = tickets::find_for(tx, actor, &found.ticket_number).await?.is_some();
    Ok(seen.then_some(found))
}

/// Sessions of a ticket that the caller has found for its actor, the latest first.
pub async fn list_sessions_of_ticket(
    tx: &mut Tx,
    number: &TicketNumber,
) -> Result<Vec<RemoteSession>, StoreError> {
    store::list_of_ticket(tx, number).await
}

/// The register of interventions, the latest first: everybody's own; for who reads tickets all in scope.
pub async fn list_register(
    tx: &mut Tx,
    actor: &Actor,
    page: &PageRequest,
) -> Result<Page<RemoteSession>, RemoteError> {
    if actor.may(Permission::ReadTickets) {
        return Ok(store::list(tx, actor.scope, None, page).await?);
    }
    let person = actor.person().ok_or(RemoteError::Forbidden)?;
    Ok(store::list(tx, Scope::All, Some(person), page).await?)
}

/// Notes questions and agreements whose time ran out, a bounded number at a time; gives how many.
pub async fn note_expired(context: &Context) -> Result<u64, StoreError> {
    let now = context.now();
    let mut tx = context.db.read().await?;
    let late = store::list_expired(&mut tx, model::expiry(now)).await?;
    drop(tx);
    let mut noted = 0;
    for before in late {
        let mut tx = context.db.begin().await?;
        let after = RemoteSession {
            status: RemoteStatus::Expired,
            sequence: before.sequence + 1,
            updated_at: now,
            ..before.clone()
        };
        if store::save(&mut tx, &after, before.sequence).await? {
            note(&mut tx, context, &Actor::system(), &after, "remote_expired").await?;
            noted += 1;
        }
        tx.commit().await?;
    }
    Ok(noted)
}

/// Yes and no are for the person whose screen it is and for who asked for help; staff write down what was said by
/// voice. The rest is for staff.
fn check_rights(actor: &Actor, ticket: &Ticket, step: &RemoteStep) -> Result<(), RemoteError> {
    let works = actor.may(Permission::WorkTickets);
    let person = actor.person();
    let is_party = person.is_some_and(|it| it == ticket.beneficiary_id || it == ticket.requester_id);
    let allowed = match step {
        RemoteStep::Accept { oral } | RemoteStep::Refuse { oral } => {
            if oral.is_some() {
                works
            } else {
                is_party
            }
        }
        RemoteStep::Start | RemoteStep::End { .. } | RemoteStep::Withdraw => works,
    };
    if allowed { Ok(()) } else { Err(RemoteError::Forbidden) }
}

fn apply(
    session: &mut RemoteSession,
    actor: &Actor,
    step: &RemoteStep,
    now: UtcMicros,
) -> Result<(), RemoteError> {
    match step {
        RemoteStep::Accept { oral } | RemoteStep::Refuse { oral } => {
            let (means, by) = match oral {
                Some(name) => {
                    let name = text::line(name, NAME_CHARS_MAX);
                    (Consent::Oral, name.map_err(|it| RemoteError::invalid("name", it))?)
                }
                None => (Consent::Portal, actor.label.clone()),
            };
            means.code().clone_into(&mut session.means);
            session.answered_by = by;
            session.answered_at = Some(now);
        }
        RemoteStep::Start => session.started_at = Some(now),
        RemoteStep::End { report } => {
            let cleaned = text::optional_paragraphs(report, REPORT_CHARS_MAX);
            let cleaned = cleaned.map_err(|it| RemoteError::invalid("report", it))?;
            session.report =
                cleaned.ok_or_else(|| RemoteError::invalid("report", text::TextRefusal::Empty))?;
            session.ended_at = Some(now);
        }
        RemoteStep::Withdraw => {}
    }
    Ok(())
}

fn event_kind(step: &RemoteStep) -> &'static str {
    match step {
        RemoteStep::Accept { .. } => "remote_accepted",
        RemoteStep::Refuse { .. } => "remote_refused",
        RemoteStep::Start => "remote_started",
        RemoteStep::End { .. } => "remote_ended",
        RemoteStep::Withdraw => "remote_withdrawn",
    }
}

async fn note(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    session: &RemoteSession,
    kind: &'static str,
) -> Result<(), StoreError> {
    let entry = Entry { kind, public: true, data: facts(session) };
    tickets::note_event(tx, context, actor, &session.ticket_number, entry).await.map(drop)
}

/// What the history tells. The person whose screen it is reads all of it.
fn facts(session: &RemoteSession) -> Value {
    json!({
        "session": session.id,
        "tool": session.tool,
        "asked": session.asked_name,
        "answered_by": session.answered_by,
        "means": session.means,
        "text": session.report,
    })
}
