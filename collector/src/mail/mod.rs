//! Mail that leaves: an outbox that is filled in the transaction of what it tells about, and a courier that
//! empties it. Owns `mail_outbox`, `mail_address`, `mail_switch`.
//!
//! Invariants: a mail is in the outbox exactly when what it tells about is committed; one event, address and
//! template give one mail; it is in one courier's hands at a time, and a repetition after a crash carries the same
//! Message-ID; no transaction is open while a server is spoken to; nothing is sent to our own addresses, to an
//! address that keeps failing, or while the switch is off.

mod calendar;
mod courier;
mod desk;
mod failures;
mod letter;
pub mod letterbox;
pub mod model;
mod outbox;
mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use calendar::Appointment;
pub use courier::{Courier, CourierSettings, FailureListener, HookFuture};
pub use desk::{Desk, KEY_PURPOSE};
pub use failures::{Report, bounced, heard_from};
pub use letter::{Block, Button, Claim, Fact, Letter};
pub use model::{
    MailError, MailState, Merge, Origin, OutboxFilter, OutboxRow, OutgoingMail, Recipient, Undelivered,
};
pub use outbox::{enqueue, is_stopped, list_outbox, outbox_counts, prune, retry, set_stopped};
