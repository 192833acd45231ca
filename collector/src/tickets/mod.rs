//! Tickets: what people ask for, the machines it is about, and everything done about it. Owns `ticket`,
//! `ticket_number`, `ticket_asset`, `ticket_event`, `ticket_file`, `ticket_slot`, `ticket_draft`,
//! `ticket_draft_file`, `ticket_watcher`, `ticket_pending_reason`, `ticket_matrix`, `ticket_presence`,
//! `ticket_saved_view`, `ticket_canned_reply`, `ticket_clock*`, `ticket_coverage`.
//!
//! Invariants: a number is given once; every change is one event, one audit entry and one version more, in one
//! transaction; each event is chained to the one before it; somebody owns a ticket that is in progress or resolved, nobody one that is new or queued; at most
//! one machine is affected at a time; a link to a machine points at the machine's state as it was then and is
//! ended, never removed; an unknown tag never blocks a ticket, it waits.

mod action;
pub mod api;
pub mod by_mail;
mod calls;
mod clocks;
mod closing;
mod coverage;
mod difference;
mod history;
pub mod link;
mod model;
pub mod notices;
mod number;
mod priority;
mod rules;
mod service;
pub(crate) mod slots;
mod store;
pub(crate) mod web;
mod words;

pub use action::{Qualification, Resolution, TicketAction, TicketError};
pub use calls::{PDR_LIMIT, next_attempt, unanswered_in_a_row};
pub use clocks::{ClockReading, ClockStanding, set_away_until};
pub use coverage::{CoverageDecision, TicketCoverage};
pub use difference::FieldChange;
pub use model::{
    CannedReply, Entry, NewTicket, OpenedTicket, PendingReason, Presence, SavedView, Slot, Ticket,
    TicketAsset, TicketCounts, TicketEvent, TicketFilter, TicketRow, TicketView,
};
pub use number::{NotANumber, TicketNumber};
pub use priority::Matrix;
pub use service::{
    Draft, LateAttachment, WrittenText, act_on_ticket, add_draft_file, affected_machine, anonymise,
    canned_replies, carry_on, changes_since, count_expired, count_tickets, decide_coverage, delete_draft,
    find_attachment, find_draft, find_for, find_text, find_ticket, keep_draft, link_loaner, list_draft_files,
    list_expired, list_texts_about, list_tickets, list_tickets_of_ci, matrix, note_event, open_ticket,
    opened_assets, pending_reasons, present, prune_drafts, pseudonymise_author, redact_text, refusals,
    remove_draft_file, save_canned_reply, save_view, saved_views, set_matrix, set_obligations,
    tell_of_clocks, touch_presence, unlink_loaner, verify_histories,
};
pub use words::{
    ActionKind, AssetRole, AttachedBy, CancelReason, Channel, Check, ImpactScope, LinkKind, ResolutionCode,
    Severity, SubKind, TaskKind, TicketKind, TicketState, Urgency,
};
