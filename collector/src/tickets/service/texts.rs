//! Texts of tickets: cleaned and bounded once, before anything is decided.

use crate::kernel::text::{self, TextRefusal};
use crate::tickets::action::{Qualification, Resolution, TicketAction, TicketError};
use crate::tickets::model::NewTicket;
use crate::tickets::slots::SLOTS_MAX;
use crate::tickets::words::TaskKind;

/// Characters of a summary: one line of a list.
const SUMMARY_CHARS_MAX: usize = 200;
/// Characters of a description, reply, note or solution: a log excerpt fits, a log does not.
const PARAGRAPHS_CHARS_MAX: usize = 20_000;
/// Characters of a telephone number with its extension and a word about it.
const PHONE_CHARS_MAX: usize = 40;
/// Characters about when somebody can be reached.
const AVAILABILITY_CHARS_MAX: usize = 500;
/// Characters of names: application, location, a number in another helpdesk.
const NAME_CHARS_MAX: usize = 120;
/// Characters typed where the inventory number belongs: four times the longest tag.
const INVENTORY_NUMBER_CHARS_MAX: usize = 100;
/// Characters of a reason.
const REASON_CHARS_MAX: usize = 200;
/// Characters of a date with its time and zone.
const DATE_CHARS_MAX: usize = 40;
/// Characters of a comment.
const COMMENT_CHARS_MAX: usize = 2_000;
/// Minutes of one task: a working week.
const DURATION_MIN_MAX: u32 = 7 * 24 * 60;
/// Characters of a setting, before and after.
const SETTING_CHARS_MAX: usize = 500;

/// A refused field and what is wrong with it.
pub(super) type Refused = (&'static str, String);

/// Cleans the texts of a new ticket in place; returns every refused field.
pub(super) fn clean_new(new: &mut NewTicket) -> Vec<Refused> {
    let summary = text::line(&new.summary, SUMMARY_CHARS_MAX);
    let description = text::optional_paragraphs(&new.description, PARAGRAPHS_CHARS_MAX);
    let mut refused = Vec::new();
    let mut keep = |field: &'static str, slot: &mut String, cleaned: Result<Option<String>, TextRefusal>| {
        match cleaned {
            Ok(text) => *slot = text.unwrap_or_default(),
            Err(refusal) => refused.push((field, refusal.to_string())),
        }
    };
    keep("summary", &mut new.summary, summary.map(Some));
    keep("description", &mut new.description, description);
    for (field, slot, max) in [
        ("phone", &mut new.phone, PHONE_CHARS_MAX),
        ("availability", &mut new.availability, AVAILABILITY_CHARS_MAX),
        ("application", &mut new.application, NAME_CHARS_MAX),
        ("location", &mut new.location, NAME_CHARS_MAX),
        ("external_ref", &mut new.external_ref, NAME_CHARS_MAX),
        ("inventory_number", &mut new.inventory_number, INVENTORY_NUMBER_CHARS_MAX),
    ] {
        let cleaned = text::optional_line(slot, max);
        keep(field, slot, cleaned);
    }
    if new.sub_kind.is_some_and(|it| it.kind() != new.kind) {
        refused.push(("sub_kind", "is not one of this type".to_owned()));
    }
    refused
}

/// Cleans the texts of an action.
pub(super) fn clean_action(action: TicketAction) -> Result<TicketAction, TicketError> {
    use TicketAction as A;
    Ok(match action {
        A::Release { reason } => A::Release { reason: optional("reason", &reason, COMMENT_CHARS_MAX)? },
        A::Transfer { team, comment } => A::Transfer { team, comment: comment_of(&comment)? },
        A::Escalate { team, comment } => A::Escalate { team, comment: comment_of(&comment)? },
        A::Deescalate { team, comment } => A::Deescalate { team, comment: comment_of(&comment)? },
        A::Refer { comment } => A::Refer { comment: comment_of(&comment)? },
        A::Unrestrict { comment } => A::Unrestrict { comment: comment_of(&comment)? },
        A::Qualify(it) => A::Qualify(qualification(it)?),
        A::Hold { reason, until, note } => A::Hold {
            reason: text::line(&reason, REASON_CHARS_MAX).map_err(|it| TicketError::invalid("reason", it))?,
            until,
            note: optional("note", &note, COMMENT_CHARS_MAX)?,
        },
        task @ A::Task { .. } => clean_task(task)?,
        A::Reply { text } => A::Reply { text: needed("text", &text, PARAGRAPHS_CHARS_MAX)? },
        A::Note { text } => A::Note { text: needed("text", &text, PARAGRAPHS_CHARS_MAX)? },
        A::Availability { slots } if slots.len() > SLOTS_MAX => {
            return Err(TicketError::invalid("slots", format!("must be at most {SLOTS_MAX}")));
        }
        A::Attach { text, files, internal } => {
            let checked = if files.is_empty() { needed } else { optional };
            A::Attach { text: checked("text", &text, PARAGRAPHS_CHARS_MAX)?, files, internal }
        }
        A::Resolve(it) => A::Resolve(resolution(it)?),
        A::Confirm { on_behalf_of } => A::Confirm {
            on_behalf_of: text::optional_line(on_behalf_of.as_deref().unwrap_or_default(), NAME_CHARS_MAX)
                .map_err(|it| TicketError::invalid("on_behalf_of", it))?,
        },
        A::Refuse { comment } => A::Refuse { comment: comment_of(&comment)? },
        A::Reopen { comment } => A::Reopen { comment: comment_of(&comment)? },
        A::Cancel { code, reason } => {
            A::Cancel { code, reason: needed("reason", &reason, COMMENT_CHARS_MAX)? }
        }
        A::Merge { into, comment } => {
            A::Merge { into, comment: optional("comment", &comment, COMMENT_CHARS_MAX)? }
        }
        A::AttachAsset { inventory_number, role } => A::AttachAsset {
            inventory_number: text::line(&inventory_number, INVENTORY_NUMBER_CHARS_MAX)
                .map_err(|it| TicketError::invalid("inventory_number", it))?,
            role,
        },
        A::DetachAsset { asset, reason } => {
            A::DetachAsset { asset, reason: needed("reason", &reason, COMMENT_CHARS_MAX)? }
        }
        plain @ (A::Claim
        | A::Availability { .. }
        | A::Assign { .. }
        | A::Resume
        | A::AttachCi { .. }
        | A::Link { .. }
        | A::Unlink { .. }
        | A::Major { .. }
        | A::Watch
        | A::Unwatch) => plain,
    })
}

fn comment_of(comment: &str) -> Result<String, TicketError> {
    needed("comment", comment, COMMENT_CHARS_MAX)
}

/// A sub-kind belongs to its type; another priority than the matrix gives has its reason.
fn qualification(mut it: Qualification) -> Result<Qualification, TicketError> {
    if it.sub_kind.is_some_and(|sub_kind| sub_kind.kind() != it.kind) {
        return Err(TicketError::invalid("sub_kind", "is not one of this type"));
    }
    if it.priority.is_some_and(|it| !(1..=5).contains(&it)) {
        return Err(TicketError::invalid("priority", "must be between 1 and 5"));
    }
    let refused = |it: TextRefusal| TicketError::invalid("priority_reason", it);
    it.priority_reason = match it.priority {
        Some(_) => text::line(&it.priority_reason, REASON_CHARS_MAX).map_err(refused)?,
        None => String::new(),
    };
    Ok(it)
}

fn resolution(it: Resolution) -> Result<Resolution, TicketError> {
    let session_on = text::optional_line(&it.session_on, DATE_CHARS_MAX)
        .map_err(|it| TicketError::invalid("session_on", it))?;
    Ok(Resolution {
        solution: needed("solution", &it.solution, PARAGRAPHS_CHARS_MAX)?,
        cause: optional("cause", &it.cause, COMMENT_CHARS_MAX)?,
        workaround: optional("workaround", &it.workaround, COMMENT_CHARS_MAX)?,
        session_on: session_on.unwrap_or_default(),
        ..it
    })
}

fn clean_task(action: TicketAction) -> Result<TicketAction, TicketError> {
    let TicketAction::Task { kind, text, duration_min, next_attempt, before, after } = action else {
        return Ok(action);
    };
    if duration_min.is_some_and(|it| it > DURATION_MIN_MAX) {
        return Err(TicketError::invalid("duration_min", format!("must be at most {DURATION_MIN_MAX}")));
    }
    // A call nobody answered needs no words.
    let text = if kind == TaskKind::Pdr {
        optional("text", &text, COMMENT_CHARS_MAX)?
    } else {
        needed("text", &text, PARAGRAPHS_CHARS_MAX)?
    };
    Ok(TicketAction::Task {
        text,
        before: optional("before", &before, SETTING_CHARS_MAX)?,
        after: optional("after", &after, SETTING_CHARS_MAX)?,
        // Only what was not answered is tried again.
        next_attempt: next_attempt.filter(|_| kind == TaskKind::Pdr),
        kind,
        duration_min,
    })
}

fn optional(field: &'static str, text: &str, max: usize) -> Result<String, TicketError> {
    let cleaned = text::optional_paragraphs(text, max).map_err(|it| TicketError::invalid(field, it))?;
    Ok(cleaned.unwrap_or_default())
}

fn needed(field: &'static str, text: &str, max: usize) -> Result<String, TicketError> {
    let cleaned = optional(field, text, max)?;
    if cleaned.is_empty() { Err(TicketError::invalid(field, TextRefusal::Empty)) } else { Ok(cleaned) }
}
