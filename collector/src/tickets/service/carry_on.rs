//! What happens to tickets by itself when time has come: waits end, people are reminded to confirm, solved tickets
//! that nobody answers are closed, who looked at one and has gone is forgotten. Safe to run on several collectors at once: each ticket is locked and looked at
//! again before anything is done.

use serde_json::json;

use super::apply::enter;
use super::desk;
use super::step::{Step, record_step};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::time::{UtcMicros, Zone};
use crate::tickets::model::{Entry, Ticket};
use crate::tickets::number::TicketNumber;
use crate::tickets::rules::{self, Situation};
use crate::tickets::store;
use crate::tickets::words::TicketState;

/// Tickets looked at per round and reason; the next round is a minute away.
const TICKETS_MAX: i64 = 200;
/// When who has not answered is reminded, and when silence counts as yes; working days after the solution.
const REMIND_WORKING_DAYS: u32 = 2;
const CLOSE_WORKING_DAYS: u32 = 5;

/// What time does to one ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Resume,
    Remind,
    Close,
}

/// One round; returns how many tickets it moved on.
pub async fn carry_on(context: &Context) -> Result<u64, StoreError> {
    let now = context.now();
    let mut tx = context.db.read().await?;
    let mut numbers = store::list_waits_over(&mut tx, now, TICKETS_MAX).await?;
    numbers.extend(store::list_unconfirmed(&mut tx, now, TICKETS_MAX).await?);
    drop(tx);
    let mut moved = 0;
    for number in numbers {
        let mut tx = context.db.begin().await?;
        if carry_one(&mut tx, context, &number).await? {
            tx.commit().await?;
            moved += 1;
        }
    }
    desk::sweep(context).await?;
    Ok(moved)
}

async fn carry_one(tx: &mut Tx, context: &Context, number: &TicketNumber) -> Result<bool, StoreError> {
    store::hold_still(tx, number).await?;
    let Some(before) = store::find(tx, number).await? else { return Ok(false) };
    let now = context.now();
    let Some(due) = due(&before, now) else { return Ok(false) };
    let mut ticket = Ticket { updated_at: now, ..before.clone() };
    let entry = match due {
        Due::Resume => {
            let entry = Entry { kind: "resumed", public: true, data: json!({ "by": "date" }) };
            let next = rules::resumed(Situation::of(&before, true, now));
            enter(&mut ticket, before.state, next, (entry, now))
        }
        Due::Remind => {
            ticket.reminded_at = Some(now);
            Entry { kind: "reminded", public: true, data: json!({}) }
        }
        Due::Close => {
            let data = json!({ "after_working_days": CLOSE_WORKING_DAYS });
            let entry = Entry { kind: "auto_closed", public: true, data };
            enter(&mut ticket, before.state, TicketState::Closed, (entry, now))
        }
    };
    let actor = Actor::system();
    let step = Step { actor: &actor, before: Some(&before), ticket: &ticket, entries: &[entry] };
    record_step(tx, context, step).await
}

/// What is due. A ticket that is restricted or whose closing was refused waits for a person's word.
fn due(ticket: &Ticket, now: UtcMicros) -> Option<Due> {
    match ticket.state {
        TicketState::Pending => ticket.pending_until.is_some_and(|it| it <= now).then_some(Due::Resume),
        TicketState::Resolved if !ticket.restricted && ticket.refusals == 0 => {
            let zone = Zone::named(&ticket.time_zone).unwrap_or_else(Zone::utc);
            let resolved = ticket.resolved_at?;
            let over = |days| resolved.plus_working_days(days, &zone) < now;
            match ticket.reminded_at {
                _ if over(CLOSE_WORKING_DAYS) => Some(Due::Close),
                None if over(REMIND_WORKING_DAYS) => Some(Due::Remind),
                _ => None,
            }
        }
        _ => None,
    }
}
