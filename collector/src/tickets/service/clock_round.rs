//! Telling of clocks that reached a mark: three quarters of the target, and all of it.

use serde_json::json;

use super::step::note_event;
use crate::calendars;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::time::UtcMicros;
use crate::tickets::model::Entry;
use crate::tickets::store::{self, Mark, Reached};
use crate::tickets::words::TicketKind;

/// Clocks told of in one round and mark: more than a large desk misses in a minute; the rest waits for the next one.
const ROUND_MAX: i64 = 200;

/// Writes `clock_warned` and `clock_breached` into the history of tickets whose clocks reached these marks, each once,
/// while the service is open; gives how many. Several collectors may do it at once.
pub async fn tell_of_clocks(context: &Context) -> Result<u64, StoreError> {
    let mut told = 0;
    // A ticket that breaches is not warned of on the way.
    for mark in [Mark::Breach, Mark::Warning] {
        let mut tx = context.db.read().await?;
        let reached = store::list_reached(&mut tx, mark, context.now(), ROUND_MAX).await?;
        drop(tx);
        for clock in reached {
            let mut tx = context.db.begin().await?;
            if is_open(&mut tx, &clock, context.now()).await? && tell(&mut tx, context, mark, &clock).await? {
                tx.commit().await?;
                told += 1;
            }
        }
    }
    Ok(told)
}

/// A round that comes late may find the service closed again: then it waits until it opens.
async fn is_open(tx: &mut Tx, clock: &Reached, now: UtcMicros) -> Result<bool, StoreError> {
    let measure = store::measure(clock.calendar_id, clock.calendar_version);
    let measured = calendars::load_measured(tx, measure).await?;
    Ok(measured.of(measure).is_some_and(|it| it.is_open(calendars::moment(now))))
}

/// The ticket first, then its clock: in the order in which every step takes them.
async fn tell(tx: &mut Tx, context: &Context, mark: Mark, clock: &Reached) -> Result<bool, StoreError> {
    store::hold_still(tx, &clock.ticket_number).await?;
    if !store::mark_told(tx, mark, clock, context.now()).await? {
        return Ok(false);
    }
    let Some(ticket) = store::find(tx, &clock.ticket_number).await? else { return Ok(false) };
    // Nobody is hurried for an idea, nor for what is over.
    if ticket.state.is_open() && ticket.kind != TicketKind::Improvement {
        let kind = match mark {
            Mark::Warning => "clock_warned",
            Mark::Breach => "clock_breached",
        };
        let due_at = clock.due_at.map(UtcMicros::rfc3339);
        let data = json!({ "clock": clock.kind, "due_at": due_at });
        let entry = Entry { kind, public: false, data };
        note_event(tx, context, &Actor::system(), &clock.ticket_number, entry).await?;
    }
    Ok(true)
}
