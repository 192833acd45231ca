//! Mail that arrives: fetched from mailboxes, stored whole before anything is decided, and kept until it is settled.
//! Owns `mail_mailbox`, `mail_inbound`, `mail_inbound_raw`.
//!
//! Invariants: a message leaves its folder on the server only after its bytes are committed here; it is taken at most
//! [`ATTEMPTS_MAX`] times, after that a person looks at it; an attempt is booked before it begins, so that a message
//! that kills the program is counted too and never holds up the next one; what was settled once is only opened again
//! by a person.

mod fetch;
mod model;
mod store;
#[cfg(test)]
mod tests;

pub use fetch::{Fetcher, MailboxDoor};
pub use model::{
    ATTEMPTS_MAX, Arrival, Due, Envelope, InboundFilter, InboundRow, InboundState, Mailbox, Settlement,
};
pub use store::{
    Counted, count_by_sender, count_of_ticket, count_opened, counts, find, find_raw, find_ticket_of_message,
    insert, list, list_mailboxes, note_envelope, prune, reopen, settle, was_answered,
};
pub(crate) use store::{is_due, take_due};
