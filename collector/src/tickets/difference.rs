//! What one step changed in a ticket, field by field. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::Ticket;
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
    ("inventory_number", |it| it.inventory_number.as_str().into()),
    ("asset_match", |it| it.asset_match.code().into()),
    ("pending_reason", |it| it.pending_reason.as_deref().into()),
    ("pending_until", |it| it.pending_until.map(UtcMicros::rfc3339).into()),
    ("solution", |it| it.solution.as_deref().into()),
];

/// The fields in which two states of a ticket differ.
pub(super) fn differences(before: &Ticket, after: &Ticket) -> Vec<FieldChange> {
    let change = |(field, shown): &Shown| {
        let (before, after) = (shown(before), shown(after));
        (before != after).then(|| FieldChange { field: (*field).to_owned(), before, after })
    };
    FIELDS.iter().filter_map(change).collect()
}
