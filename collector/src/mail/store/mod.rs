//! SQL of the slice.

mod address;
mod outbox;
mod queue;

pub(super) use address::{Standing, book, find_standing, forgive, note_failure};
pub(super) use outbox::{
    NewRow, add_to, counts, delete_settled, expire, find_bounced, find_mergeable, insert, is_stopped, list,
    oldest_waiting, reopen, set_bounced, set_stopped,
};
pub(super) use queue::{Leased, Outcome, is_due, lease, set_message_id, settle, wait_again};
