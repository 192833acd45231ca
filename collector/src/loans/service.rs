//! Preparing loans and what becomes of them.

use serde_json::{Value, json};

use super::equivalent::{Configuration, Offer, offers};
use super::model::{Acknowledgement, Loan, LoanError, LoanFilter, LoanStatus, LoanStep, NewLoan};
use super::{rules, store};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::inventory::{self, CiSummary, Lifecycle};
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::kernel::id::{CiId, LoanId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::text;
use crate::kernel::time::UtcMicros;
use crate::tickets::{self, Entry, Ticket, TicketNumber};

/// Characters of a note or a machine's condition.
const TEXT_CHARS_MAX: usize = 1_000;
/// Machines of the stock that are measured for one offer.
const MEASURED_MAX: usize = 100;

/// Whether the actor may prepare a loan for this ticket.
pub fn may_prepare(actor: &Actor, ticket: &Ticket) -> bool {
    actor.may(Permission::PlanFieldWork)
        && ticket.state.is_open()
        && actor.scope.contains(ticket.organisation_id)
}

/// Machines of the stock for a ticket's affected machine, in the order in which they are offered. The machine itself
/// and what is lent already are left out.
pub async fn list_offers(tx: &mut Tx, ticket: &Ticket) -> Result<Vec<(CiSummary, Offer)>, StoreError> {
    let own = Scope::Organisation(ticket.organisation_id);
    let affected = tickets::affected_machine(tx, &ticket.number).await?;
    let needed = match affected {
        Some(ci) => configuration(tx, own, ci).await?.map(|it| it.1),
        None => None,
    };
    let lent = store::list_lent(tx).await?;
    let stock = inventory::list_cis_by_lifecycle(tx, own, None, Lifecycle::Stock).await?;
    let free = stock.into_iter().filter(|it| !lent.contains(&it.id) && Some(it.id) != affected);
    let mut machines = Vec::new();
    for ci in free.take(MEASURED_MAX) {
        machines.extend(configuration(tx, own, ci.id).await?);
    }
    let needed = needed.unwrap_or_default();
    let site = ticket.site_id.or(needed.site);
    let measured: Vec<Configuration> = machines.iter().map(|it| it.1.clone()).collect();
    Ok(offers(&needed, site, &measured).into_iter().map(|it| (machines[it.index].0.clone(), it)).collect())
}

async fn configuration(
    tx: &mut Tx,
    scope: Scope,
    ci: CiId,
) -> Result<Option<(CiSummary, Configuration)>, StoreError> {
    let Some(summary) = inventory::find_ci(tx, scope, ci).await? else { return Ok(None) };
    let machine = inventory::current_machine(tx, ci).await?.unwrap_or_default();
    let configuration = Configuration::of(&summary, &machine);
    Ok(Some((summary, configuration)))
}

/// Reserves a machine of the stock for a ticket's beneficiary; the affected machine goes in repair. Of two who want one
/// machine at once, one gets it.
pub async fn prepare_loan(
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    new: NewLoan,
) -> Result<Loan, LoanError> {
    let now = context.now();
    rules::check_expected(new.expected_at, now)?;
    let note = optional("note", &new.note)?;
    let mut tx = context.db.begin().await?;
    let ticket = tickets::find_for(&mut tx, actor, number).await?.ok_or(LoanError::NotFound)?;
    if !actor.may(Permission::PlanFieldWork) {
        return Err(LoanError::Forbidden);
    }
    if !ticket.state.is_open() {
        return Err(LoanError::State { status: ticket.state.code(), step: "prepare" });
    }
    let own = Scope::Organisation(ticket.organisation_id);
    let loaner = inventory::find_ci(&mut tx, own, new.loaner).await?;
    let loaner = loaner.filter(|it| it.lifecycle == Lifecycle::Stock);
    let loaner = loaner.ok_or_else(|| LoanError::invalid("loaner", "is not in the organisation's stock"))?;
    let original = tickets::affected_machine(&mut tx, number).await?;
    if original == Some(loaner.id) {
        return Err(LoanError::invalid("loaner", "is the machine that is to be replaced"));
    }
    let id = LoanId::generate(now, context.entropy.as_ref());
    let loan = drafted(id, &ticket, &loaner, original, (new.expected_at, note), now);
    if !store::insert(&mut tx, &loan).await? {
        return Err(LoanError::Lent);
    }
    if let Some(original) = original {
        inventory::set_lifecycle(&mut tx, context, actor, original, Lifecycle::InRepair).await?;
    }
    let loan = store::find(&mut tx, id).await?.ok_or(LoanError::NotFound)?;
    leave_traces(&mut tx, context, actor, &loan, "loan_prepared").await?;
    tx.commit().await?;
    Ok(loan)
}

/// Changes a loan. `seen` is the sequence the actor saw; none changes whatever is current.
pub async fn step_loan(
    context: &Context,
    actor: &Actor,
    loan: LoanId,
    seen: Option<i64>,
    step: LoanStep,
) -> Result<Loan, LoanError> {
    let mut tx = context.db.begin().await?;
    let before = store::find(&mut tx, loan).await?.ok_or(LoanError::NotFound)?;
    tickets::find_for(&mut tx, actor, &before.ticket_number).await?.ok_or(LoanError::NotFound)?;
    if !actor.may(Permission::PlanFieldWork) {
        return Err(LoanError::Forbidden);
    }
    if seen.is_some_and(|it| it != before.sequence) {
        return Err(LoanError::Stale);
    }
    let now = context.now();
    let status = rules::next_status(before.status, &step)?;
    let mut after = Loan { status, sequence: before.sequence + 1, updated_at: now, ..before.clone() };
    apply(&mut after, actor, &step, now)?;
    if !store::save(&mut tx, &after, before.sequence).await? {
        return Err(LoanError::Stale);
    }
    move_machines(&mut tx, context, actor, &after, &step).await?;
    leave_traces(&mut tx, context, actor, &after, event_kind(&step)).await?;
    tx.commit().await?;
    Ok(after)
}

/// A loan of a ticket that the actor may see.
pub async fn find_loan(tx: &mut Tx, actor: &Actor, loan: LoanId) -> Result<Option<Loan>, StoreError> {
    let Some(found) = store::find(tx, loan).await? else { return Ok(None) };
    let seen = tickets::find_for(tx, actor, &found.ticket_number).await?.is_some();
    Ok(seen.then_some(found))
}

/// Loans of a ticket that the caller has found for its actor, the latest first.
pub async fn list_loans_of_ticket(tx: &mut Tx, number: &TicketNumber) -> Result<Vec<Loan>, StoreError> {
    store::list_of_ticket(tx, number).await
}

/// Loans of or for a machine that the caller has found for its actor, the latest first.
pub async fn list_loans_of_ci(tx: &mut Tx, ci: CiId) -> Result<Vec<Loan>, StoreError> {
    store::list_of_ci(tx, ci).await
}

/// The register in the actor's scope, the loan expected first on top.
pub async fn list_loans(
    tx: &mut Tx,
    actor: &Actor,
    filter: &LoanFilter,
    page: &PageRequest,
) -> Result<Page<Loan>, LoanError> {
    if !actor.may(Permission::ReadTickets) {
        return Err(LoanError::Forbidden);
    }
    Ok(store::list(tx, actor.scope, filter, page).await?)
}

/// Notes loans that should be back, a bounded number at a time; gives how many. Each is noted once, whichever of
/// several collectors comes first.
pub async fn note_overdue(context: &Context) -> Result<u64, StoreError> {
    let mut tx = context.db.read().await?;
    let due = store::list_unnoticed(&mut tx, context.now()).await?;
    drop(tx);
    let mut noted = 0;
    for loan in due {
        let mut tx = context.db.begin().await?;
        if store::mark_overdue(&mut tx, loan.id, context.now()).await? {
            let entry = Entry { kind: "loan_overdue", public: true, data: facts(&loan, "loan_overdue") };
            tickets::note_event(&mut tx, context, &Actor::system(), &loan.ticket_number, entry).await?;
            noted += 1;
        }
        tx.commit().await?;
    }
    Ok(noted)
}

/// Names are read back from the store; here they are empty.
fn drafted(
    id: LoanId,
    ticket: &Ticket,
    loaner: &CiSummary,
    original: Option<CiId>,
    (expected_at, note): (UtcMicros, String),
    now: UtcMicros,
) -> Loan {
    Loan {
        id,
        ticket_number: ticket.number.clone(),
        organisation_id: ticket.organisation_id,
        organisation_name: ticket.organisation_name.clone(),
        time_zone: ticket.time_zone.clone(),
        borrower_id: ticket.beneficiary_id,
        borrower_name: ticket.beneficiary_name.clone(),
        original_ci_id: original,
        original_tag: String::new(),
        original_machine: String::new(),
        loaner_ci_id: loaner.id,
        loaner_tag: loaner.tag.clone().unwrap_or_default(),
        loaner_machine: format!("{} {}", loaner.make, loaner.model).trim().to_owned(),
        status: LoanStatus::Prepared,
        expected_at,
        condition_out: String::new(),
        condition_back: String::new(),
        acknowledged: String::new(),
        acknowledged_by: String::new(),
        note,
        sequence: 0,
        created_at: now,
        out_at: None,
        back_at: None,
        overdue_at: None,
        updated_at: now,
    }
}

/// What a step writes on the loan beside its status.
fn apply(loan: &mut Loan, actor: &Actor, step: &LoanStep, now: UtcMicros) -> Result<(), LoanError> {
    match step {
        LoanStep::HandOut { condition, acknowledged } => {
            loan.condition_out = needed("condition", condition)?;
            let how: Acknowledgement = *acknowledged;
            how.code().clone_into(&mut loan.acknowledged);
            loan.acknowledged_by.clone_from(&actor.label);
            loan.out_at = Some(now);
        }
        LoanStep::Extend { expected_at } => {
            rules::check_expected(*expected_at, now)?;
            loan.expected_at = *expected_at;
            loan.overdue_at = None;
        }
        LoanStep::TakeBack { condition } => {
            loan.condition_back = needed("condition", condition)?;
            loan.back_at = Some(now);
        }
        LoanStep::Restore => {}
        LoanStep::Cancel { reason } => loan.note = needed("reason", reason)?,
    }
    Ok(())
}

/// Where the two machines stand after a step. A machine that was retired or stolen meanwhile stays so.
async fn move_machines(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    loan: &Loan,
    step: &LoanStep,
) -> Result<(), LoanError> {
    let own = Scope::Organisation(loan.organisation_id);
    match step {
        LoanStep::Extend { .. } => {}
        LoanStep::HandOut { .. } => {
            let loaner = inventory::find_ci(tx, own, loan.loaner_ci_id).await?;
            let loaner = loaner.filter(|it| it.lifecycle == Lifecycle::Stock);
            let loaner = loaner.ok_or_else(|| LoanError::invalid("loaner", "is not in stock any more"))?;
            tickets::link_loaner(tx, context, &loan.ticket_number, &loaner).await?;
            change(tx, context, actor, loaner.id, (Lifecycle::Stock, Lifecycle::OnLoan)).await?;
        }
        LoanStep::TakeBack { .. } => {
            tickets::unlink_loaner(tx, context, &loan.ticket_number, loan.loaner_ci_id, "returned").await?;
            change(tx, context, actor, loan.loaner_ci_id, (Lifecycle::OnLoan, Lifecycle::Stock)).await?;
        }
        LoanStep::Restore | LoanStep::Cancel { .. } => {
            if let Some(original) = loan.original_ci_id {
                change(tx, context, actor, original, (Lifecycle::InRepair, Lifecycle::InUse)).await?;
            }
        }
    }
    Ok(())
}

async fn change(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    ci: CiId,
    (from, to): (Lifecycle, Lifecycle),
) -> Result<(), LoanError> {
    let stands = inventory::find_ci(tx, actor.scope, ci).await?.is_some_and(|it| it.lifecycle == from);
    if stands {
        inventory::set_lifecycle(tx, context, actor, ci, to).await?;
    }
    Ok(())
}

fn optional(field: &'static str, typed: &str) -> Result<String, LoanError> {
    let cleaned = text::optional_paragraphs(typed, TEXT_CHARS_MAX);
    Ok(cleaned.map_err(|it| LoanError::invalid(field, it))?.unwrap_or_default())
}

fn needed(field: &'static str, typed: &str) -> Result<String, LoanError> {
    let cleaned = optional(field, typed)?;
    if cleaned.is_empty() { Err(LoanError::invalid(field, text::TextRefusal::Empty)) } else { Ok(cleaned) }
}

fn event_kind(step: &LoanStep) -> &'static str {
    match step {
        LoanStep::HandOut { .. } => "loan_out",
        LoanStep::Extend { .. } => "loan_extended",
        LoanStep::TakeBack { .. } => "loan_back",
        LoanStep::Restore => "loan_restored",
        LoanStep::Cancel { .. } => "loan_cancelled",
    }
}

/// The ticket's history and what it is held open by.
async fn leave_traces(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    loan: &Loan,
    kind: &'static str,
) -> Result<(), LoanError> {
    let number = &loan.ticket_number;
    let entry = Entry { kind, public: true, data: facts(loan, kind) };
    let noted = tickets::note_event(tx, context, actor, number, entry).await?;
    let open = store::count_open(tx, number).await?;
    Ok(tickets::set_obligations(tx, number, noted.open_visits, open).await?)
}

/// What the history tells of a loan. Its borrower may read it: tags, models and the condition of what they hold.
fn facts(loan: &Loan, kind: &str) -> Value {
    let said = match kind {
        "loan_out" => loan.condition_out.as_str(),
        "loan_back" => loan.condition_back.as_str(),
        "loan_cancelled" => loan.note.as_str(),
        _ => "",
    };
    json!({
        "loan": loan.id,
        "loaner": loan.loaner_tag,
        "loaner_machine": loan.loaner_machine,
        "original": loan.original_tag,
        "expected": loan.expected_at.rfc3339(),
        "acknowledged": loan.acknowledged,
        "text": said,
    })
}
