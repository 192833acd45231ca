//! The use cases.

mod act;
mod apply;
mod attach;
mod attachments;
mod carry_on;
mod clock_round;
mod cover;
mod desk;
mod draft;
mod late;
mod loaner;
mod open;
mod prepare;
mod redaction;
mod reference;
mod step;
#[cfg(test)]
mod tests;
mod texts;
mod view;

pub use act::act_on_ticket;
pub(in crate::tickets) use act::act_within;
pub(in crate::tickets) use attachments::claim as claim_files;
pub use attachments::find_attachment;
pub use carry_on::carry_on;
pub use clock_round::tell_of_clocks;
pub use cover::decide_coverage;
pub use desk::{canned_replies, present, save_canned_reply, save_view, saved_views, touch_presence};
pub use draft::{
    Draft, add_draft_file, delete_draft, find_draft, keep_draft, list_draft_files, prune_drafts,
    remove_draft_file,
};
pub use late::LateAttachment;
pub use loaner::{affected_machine, link_loaner, unlink_loaner};
pub(in crate::tickets) use open::open_within;
pub use open::{open_ticket, refusals};
pub use redaction::{
    WrittenText, anonymise, count_expired, find_text, list_expired, list_texts_about, pseudonymise_author,
    redact_text,
};
pub use reference::{matrix, pending_reasons, set_matrix};
pub use step::{find_for, note_event, set_obligations, verify_histories};
pub use view::{changes_since, count_tickets, find_ticket, list_tickets, list_tickets_of_ci, opened_assets};
