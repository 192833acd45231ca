//! Who is told what about a ticket: a table of occasions and audiences, letters in the reader's language, notices on
//! the pages. Owns `ticket_notice` and `ticket_notice_switch`.
//!
//! Invariants: what people are told is written in the transaction of the step it tells of; nothing internal is in a
//! mail; nobody gets two mails of one step, and nobody one about what they did themselves but opening and ending.

mod announce;
mod failures;
mod letters;
mod occasion;
mod people;
mod store;
mod switches;
mod table;
#[cfg(test)]
mod tests;

use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::id::PersonId;
use crate::kernel::time::days;

pub(in crate::tickets) use announce::{Telling, announce};
pub use failures::{FailureNotes, bounced};
pub(in crate::tickets) use letters::{ANSWER_PATH, CONFIRM, REFUSE};
pub use store::Notice;
pub use switches::{Switches, set_switches, switchable};
pub use table::{Audience, Mailing, Means, Occasion, means};

/// Notices shown at once; older ones are on the tickets.
const NOTICES_MAX: i64 = 100;
/// How long a notice is kept.
const NOTICE_DAYS: u64 = 60;
/// Notices forgotten in one round of upkeep.
const FORGOTTEN_MAX: i64 = 5_000;

/// What a person was told lately, newest first. Whoever shows it must still ask whether the person may see the ticket.
pub async fn list_notices(tx: &mut Tx, actor: &Actor) -> Result<Vec<Notice>, StoreError> {
    match actor.person() {
        Some(person) => store::list(tx, person, NOTICES_MAX).await,
        None => Ok(Vec::new()),
    }
}

/// How many notices a person has not read.
pub async fn count_unread(tx: &mut Tx, person: PersonId) -> Result<i64, StoreError> {
    store::count_unread(tx, person).await
}

/// The person has read everything told until `until`.
pub async fn mark_read(
    tx: &mut Tx,
    context: &Context,
    person: PersonId,
    until: crate::kernel::time::UtcMicros,
) -> Result<(), StoreError> {
    store::mark_read(tx, person, until, context.now()).await
}

/// Forgets old notices; gives their number.
pub async fn prune(tx: &mut Tx, context: &Context) -> Result<u64, StoreError> {
    store::delete_before(tx, context.now() - days(NOTICE_DAYS), FORGOTTEN_MAX).await
}
