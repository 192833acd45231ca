//! From a step's entries to occasions. Pure.

use serde_json::Value;

use super::table::{Audience, Occasion};
use crate::kernel::actor::{Actor, ActorKind, Permission};
use crate::tickets::model::{Entry, Ticket};

/// What a step gives occasion to tell, with the entry that says it; each occasion once.
pub(super) fn occasions<'a>(
    actor: &Actor,
    ticket: &Ticket,
    entries: &'a [Entry],
) -> Vec<(Occasion, &'a Entry)> {
    let opened = entries.iter().any(|it| it.kind == "created");
    let mut found: Vec<(Occasion, &Entry)> = Vec::new();
    for entry in entries {
        // What is said about the machine at the opening stands in the mail that confirms it.
        let Some(occasion) = occasion(actor, ticket, entry).filter(|it| !opened || *it != Occasion::Machine)
        else {
            continue;
        };
        if found.iter().all(|it| it.0 != occasion) {
            found.push((occasion, entry));
        }
    }
    found
}

fn occasion(actor: &Actor, ticket: &Ticket, entry: &Entry) -> Option<Occasion> {
    let by_staff = entry.data.get("by_staff").and_then(Value::as_bool).unwrap_or(false);
    Some(match entry.kind {
        "created" if written_down_for_another(actor, ticket) => Occasion::CreatedForCaller,
        "created" => Occasion::Created,
        "held" => Occasion::Held,
        "qualified" => Occasion::Qualified,
        "claimed" | "assigned" | "released" | "transferred" | "escalated" | "deescalated" | "resumed"
        | "unrestricted" => Occasion::Moved,
        "referred" => Occasion::Restricted,
        "reply" if by_staff => Occasion::StaffReply,
        "reply" | "mail_in" if entry.public => Occasion::UserReply,
        "task" if entry.data.get("task").and_then(Value::as_str) == Some("pdr") => Occasion::NoAnswer,
        "resolved" => Occasion::Resolved,
        "reminded" => Occasion::Reminder,
        "refused" | "reopened" => Occasion::Refused,
        "confirmed" | "auto_closed" => Occasion::Closed,
        "cancelled" | "merged" if entry.public => Occasion::Cancelled,
        "clock_warned" => Occasion::DelayWarned,
        "clock_breached" => Occasion::DelayOver,
        "mail_failed" => Occasion::MailFailed,
        "asset_attached_late" | "asset_unknown" | "asset_ambiguous" => Occasion::Machine,
        kind if kind.starts_with("visit_") && entry.public => Occasion::Appointment,
        kind if kind.starts_with("loan_") && entry.public => Occasion::Loan,
        kind if kind.starts_with("remote_") && entry.public => Occasion::Remote,
        _ => return None,
    })
}

/// Staff wrote down what somebody else asked for.
fn written_down_for_another(actor: &Actor, ticket: &Ticket) -> bool {
    match actor.kind {
        ActorKind::Person(person) => person != ticket.requester_id && actor.may(Permission::WorkTickets),
        ActorKind::ApiKey(_) | ActorKind::Agent(_) | ActorKind::System => false,
    }
}

/// Whether an audience is concerned by this very occurrence, where the table alone cannot say.
pub(super) fn concerns(
    occasion: Occasion,
    audience: Audience,
    before: Option<&Ticket>,
    ticket: &Ticket,
) -> bool {
    // What only the security manager and the ticket's own people may see is told to nobody else.
    let outsiders =
        matches!(audience, Audience::Referent | Audience::Team | Audience::Peu | Audience::Watcher);
    if ticket.restricted && outsiders {
        return false;
    }
    match (occasion, audience) {
        // A new owner is told; who released or moved it knows.
        (Occasion::Moved, Audience::Owner) => before.is_some_and(|it| it.owner_id != ticket.owner_id),
        // The entry reads answers to what it has not qualified yet, a team those to what nobody works on.
        (Occasion::UserReply | Occasion::Machine, Audience::Peu) | (Occasion::UserReply, Audience::Team) => {
            ticket.owner_id.is_none()
        }
        (Occasion::Created, Audience::Mssi) => ticket.security,
        _ => true,
    }
}
