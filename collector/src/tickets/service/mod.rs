//! The use cases.

mod act;
mod apply;
mod attach;
mod attachments;
mod clock_round;
mod cover;
mod late;
mod loaner;
mod open;
mod step;
#[cfg(test)]
mod tests;
mod texts;
mod view;

pub use act::{act_on_ticket, allowed_actions};
pub use attachments::find_attachment;
pub use clock_round::tell_of_clocks;
pub use cover::decide_coverage;
pub use late::LateAttachment;
pub use loaner::{affected_machine, link_loaner, unlink_loaner};
pub use open::{open_ticket, refusals};
pub use step::{find_for, note_event, set_obligations, verify_histories};
pub use view::{count_tickets, find_ticket, list_tickets, list_tickets_of_ci, opened_assets};
