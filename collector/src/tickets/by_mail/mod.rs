//! Mail that arrives becomes tickets and answers. What is read is decided in a pure function (`decide`); what was
//! decided is done, together with the settling of the message, in one transaction.
//!
//! Invariants: a machine's mail opens no ticket, changes no state and is answered by nothing; a sender nobody knows
//! gets one polite refusal a day, and none unless our mail server vouches for the address; a number in a subject
//! proves nothing; what cannot be dealt with waits for a person and never holds up the next message.

mod decide;
mod deed;
mod draft;
mod facts;
mod postman;
mod refusal;
#[cfg(test)]
mod tests;
mod tray;

pub use postman::{BoxRules, MailRoom, MailRoomError, Postman};
pub(crate) use tray::looks_after_mail;
pub use tray::{Conversion, TrayError, convert, discard, hide_unreadable, open_message, replay};
