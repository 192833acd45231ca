//! Who did what to which record. Owns `audit_event`, which is only ever appended to, in the transaction
//! of the deed it tells about.

mod store;

use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, ActorKind};
use crate::kernel::id::OrganisationId;

/// A deed worth remembering.
#[derive(Clone, Debug)]
pub struct Deed<'a> {
    /// The organisation it concerns, if one.
    pub organisation_id: Option<OrganisationId>,
    /// What was done: `ticket.created`, `agent.revoked`, `tag.bound`…
    pub action: &'a str,
    /// Kind of record: `ticket`, `ci`, `agent`, `enroll_token`, `person`…
    pub subject_kind: &'a str,
    /// Key of the record.
    pub subject_id: String,
    /// Facts; never a secret, never free text of a person.
    pub detail: serde_json::Value,
}

/// Appends `deed` to the log.
pub async fn record(tx: &mut Tx, context: &Context, actor: &Actor, deed: Deed<'_>) -> Result<(), StoreError> {
    store::append(tx, context, actor, &deed).await
}

/// The word and the id an actor is stored under, here and in other slices' histories.
pub fn actor_columns(actor: &Actor) -> (&'static str, Option<uuid::Uuid>) {
    match actor.kind {
        ActorKind::Person(id) => ("person", Some(*id.as_uuid())),
        ActorKind::ApiKey(id) => ("api_key", Some(*id.as_uuid())),
        ActorKind::Agent(id) => ("agent", Some(*id.as_uuid())),
        ActorKind::System => ("system", None),
    }
}

/// Action and detail of everything done to a record, oldest first. For tests of other slices.
#[cfg(test)]
pub(crate) async fn deeds_of(tx: &mut Tx, subject_id: &str) -> Result<Vec<(String, String)>, StoreError> {
    store::deeds_of(tx, subject_id).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::db::Db;
    use crate::db_test;
    use crate::kernel::entropy::SystemEntropy;
    use crate::kernel::time::{ManualClock, UtcMicros};

    db_test! {
        async fn a_deed_is_kept_with_its_actor(db: Db) {
            let clock = Arc::new(ManualClock::at(UtcMicros::from_seconds(1_700_000_000)));
            let context = Context { db, clock, entropy: Arc::new(SystemEntropy) };
            let mut tx = context.db.begin().await.expect("begin");
            let deed = Deed {
                organisation_id: None,
                action: "agent.revoked",
                subject_kind: "agent",
                subject_id: "a1".into(),
                detail: serde_json::json!({ "reason": "lost" }),
            };
            record(&mut tx, &context, &Actor::system(), deed).await.expect("record");
            tx.commit().await.expect("commit");
            let mut tx = context.db.read().await.expect("read");
            let labels = store::labels_of(&mut tx, "agent", "a1").await.expect("list");
            assert_eq!(labels, ["Parc"]);
        }
    }
}
