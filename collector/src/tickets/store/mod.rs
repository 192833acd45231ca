//! SQL of tickets. Names of organisations, sites, persons and machines are read by join; only the tables of
//! this slice are written.

mod clocks;
mod coverage;
mod desk;
mod draft;
mod events;
mod files;
mod links;
mod queue;
pub(super) mod redaction;
mod reference;
mod ticket;
mod visibility;

pub(super) use clocks::{
    Mark, Measure, Reached, find_history, find_terms, list_clocks, list_reached, mark_told, measure,
    save_clock, save_history, save_terms,
};
pub(super) use coverage::{find_coverage, insert_coverage, save_decision, settle_coverage};
pub(super) use desk::{
    REPLIES_MAX, VIEWS_MAX, drop_reply, drop_view, has_stale_presence, list_present, list_replies,
    list_views, save_reply, save_view, sweep_presence, touch_presence,
};
pub(super) use draft::{
    delete_draft, delete_draft_file, delete_old_drafts, find_draft, insert_draft_file, list_draft_files,
    list_slots, replace_slots, upsert_draft,
};
pub(super) use events::{Stamp, append_events, chain_faults, list_changes_since, list_events};
pub(super) use files::{find_file, insert_file};
pub(super) use links::{Link, detach, insert_link, list_links, list_waiting};
pub(super) use queue::{count, list, list_of_ci};
pub(super) use reference::{
    carry_watchers, count_under, current_matrix, find_pending_reason, insert_matrix, list_pending_reasons,
    list_unconfirmed, list_unsolved_under, list_waits_over, list_watchers, unwatch, watch,
};
pub(super) use ticket::{
    Party, Remembered, find, find_by_request, find_party, hold_still, insert, next_in_month, save,
    set_obligations,
};
pub(super) use visibility::{Visibility, find_visible};

/// Columns of a [`Ticket`](super::model::Ticket) and the joins that name its ids.
macro_rules! ticket_columns {
    () => {
        "t.number, t.organisation_id, o.name AS organisation_name, t.kind, t.channel, t.state, t.priority,
         t.site_id, COALESCE(s.name, '') AS site_name, t.location,
         t.requester_id, rq.name AS requester_name, t.beneficiary_id, be.name AS beneficiary_name,
         t.created_by, t.created_by_id, t.owner_id, COALESCE(ow.name, '') AS owner_name, t.level,
         t.team_id, COALESCE(te.code, '') AS team_code, COALESCE(te.name, '') AS team_name, t.owned_since, t.sub_kind,
         t.declared_severity, t.declared_scope, t.declared_urgency, t.matrix_version, t.priority_reason, t.restricted,
         t.security, t.major, t.summary, t.description,
         t.application, t.phone, t.availability, t.external_ref, t.severity, t.scope, t.urgency,
         t.inventory_number, t.asset_match, t.pending_reason, t.pending_until, t.pending_note, t.solution,
         t.resolution_code, t.cause, t.workaround, t.session_on, t.verified_checks, t.verified_by, t.verified_at,
         t.cancel_reason, t.parent_number, t.problem_number, t.duplicate_of, t.refusals, t.reopenings, t.reminded_at, t.created_at,
         t.updated_at, t.qualified_at, t.resolved_at, t.closed_at, t.version, t.open_visits, t.open_loans, o.time_zone"
    };
}

macro_rules! ticket_tables {
    () => {
        "ticket t
         JOIN site_organisation o ON o.id = t.organisation_id
         JOIN person rq ON rq.id = t.requester_id
         JOIN person be ON be.id = t.beneficiary_id
         LEFT JOIN site s ON s.id = t.site_id
         LEFT JOIN person ow ON ow.id = t.owner_id
         LEFT JOIN team te ON te.id = t.team_id"
    };
}

use {ticket_columns, ticket_tables};
