//! What one step changed in a ticket, field by field. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::Ticket;
use super::number::TicketNumber;
use super::words::{CancelReason, ResolutionCode, SubKind};
use crate::kernel::time::UtcMicros;

/// One field of a ticket before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldChange {
    /// Its name in REST.
    pub field: String,
    /// As it was.
    #[schema(value_type = Object)]
    pub before: Value,
    /// As it is.
    #[schema(value_type = Object)]
    pub after: Value,
}

/// A field that people change, by the name and in the form REST shows it.
type Shown = (&'static str, fn(&Ticket) -> Value);

const FIELDS: &[Shown] = &[
    ("state", |it| it.state.code().into()),
    ("type", |it| it.kind.code().into()),
    ("priority", |it| it.priority.into()),
    ("severity", |it| it.severity.code().into()),
    ("scope", |it| it.scope.code().into()),
    ("urgency", |it| it.urgency.code().into()),
    ("owner", |it| it.owner_name.as_str().into()),
    ("level", |it| it.level.into()),
    ("team", |it| it.team_name.as_str().into()),
    ("sub_kind", |it| it.sub_kind.map(SubKind::code).into()),
    ("priority_reason", |it| it.priority_reason.as_deref().into()),
    ("restricted", |it| it.restricted.into()),
    ("security", |it| it.security.into()),
    ("major", |it| it.major.into()),
    ("parent", |it| it.parent_number.as_ref().map(TicketNumber::as_str).into()),
    ("problem", |it| it.problem_number.as_ref().map(TicketNumber::as_str).into()),
    ("duplicate_of", |it| it.duplicate_of.as_ref().map(TicketNumber::as_str).into()),
    ("inventory_number", |it| it.inventory_number.as_str().into()),
    ("asset_match", |it| it.asset_match.code().into()),
    ("pending_reason", |it| it.pending_reason.as_deref().into()),
    ("pending_until", |it| it.pending_until.map(UtcMicros::rfc3339).into()),
    ("pending_note", |it| it.pending_note.as_deref().into()),
    ("solution", |it| it.solution.as_deref().into()),
    ("resolution_code", |it| it.resolution_code.map(ResolutionCode::code).into()),
    ("cause", |it| it.cause.as_deref().into()),
    ("workaround", |it| it.workaround.as_deref().into()),
    ("session_on", |it| it.session_on.as_deref().into()),
    ("verified_checks", |it| it.verified_checks.as_deref().into()),
    ("cancel_reason", |it| it.cancel_reason.map(CancelReason::code).into()),
];

/// Several steps as one: the first value before, the last after; a field that came back is left out.
pub(super) fn summed_up(steps: Vec<FieldChange>) -> Vec<FieldChange> {
    let mut sum: Vec<FieldChange> = Vec::new();
    for step in steps {
        match sum.iter_mut().find(|it| it.field == step.field) {
            Some(known) => known.after = step.after,
            None => sum.push(step),
        }
    }
    sum.retain(|it| it.before != it.after);
    sum
}

/// The fields in which two states of a ticket differ.
pub(super) fn differences(before: &Ticket, after: &Ticket) -> Vec<FieldChange> {
    let change = |(field, shown): &Shown| {
        let (before, after) = (shown(before), shown(after));
        (before != after).then(|| FieldChange { field: (*field).to_owned(), before, after })
    };
    FIELDS.iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_steps_read_as_one() {
        let change = |field: &str, before: &str, after: &str| FieldChange {
            field: field.into(),
            before: before.into(),
            after: after.into(),
        };
        let steps = vec![
            change("state", "queued", "in_progress"),
            change("owner", "", "tom"),
            change("state", "in_progress", "queued"),
            change("owner", "tom", "lena"),
        ];
        assert_eq!(summed_up(steps), [change("owner", "", "lena")]);
    }
}
