//! Export, erasure, retention.

use serde_json::json;

use super::model::{Erasure, ErasureStatus, PersonalData, PrivacyError, RetentionPreview, WaitingText};
use super::store;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::error::Chain;
use crate::kernel::id::{ErasureId, PersonId};
use crate::kernel::text;
use crate::kernel::time::UtcMicros;
use crate::people::{self, Person};
use crate::tickets::{self, TicketNumber};

/// Characters of a reason.
const REASON_CHARS_MAX: usize = 500;
/// Tickets whose people are forgotten in one round.
const ROUND: i64 = 200;
/// Tickets named in a preview.
const PREVIEWED: i64 = 20;

/// Everything about a person: for themselves, and for who administers people. The export is an entry of the audit log.
pub async fn export(
    context: &Context,
    actor: &Actor,
    person: PersonId,
) -> Result<PersonalData, PrivacyError> {
    let mut tx = context.db.begin().await?;
    let found = person_for(&mut tx, actor, person).await?;
    let mut cut = Vec::new();
    let mut all = Vec::new();
    for (name, kind) in [
        ("sessions", &store::SESSIONS),
        ("tickets", &store::TICKETS),
        ("history", &store::HISTORY),
        ("machines", &store::MACHINES),
        ("loans", &store::LOANS),
        ("remote_sessions", &store::REMOTE_SESSIONS),
        ("audit", &store::AUDIT),
    ] {
        let mut rows = store::records(&mut tx, kind, person).await?;
        if i64::try_from(rows.len()).is_ok_and(|it| it > store::ROWS_MAX) {
            rows.pop();
            cut.push(name);
        }
        all.push(rows);
    }
    let mut next = all.into_iter();
    let mut rows = || next.next().unwrap_or_default();
    let data = PersonalData {
        exported_at: context.now().rfc3339(),
        person: json!({
            "name": found.name, "email": found.email, "phone": found.phone, "language": found.language,
            "active": found.active, "roles": found.roles,
        }),
        sessions: rows(),
        tickets: rows(),
        history: rows(),
        machines: rows(),
        loans: rows(),
        remote_sessions: rows(),
        audit: rows(),
        cut,
    };
    record(&mut tx, context, actor, &found, "person.exported").await?;
    tx.commit().await?;
    Ok(data)
}

/// Asks that a person be forgotten. Somebody else has to agree.
pub async fn ask_erasure(
    context: &Context,
    actor: &Actor,
    person: PersonId,
    reason: &str,
) -> Result<Erasure, PrivacyError> {
    let asked_by = administering(actor)?;
    let reason = text::line(reason, REASON_CHARS_MAX)
        .map_err(|it| PrivacyError::Invalid { field: "reason", reason: it.to_string() })?;
    let mut tx = context.db.begin().await?;
    let found = person_for(&mut tx, actor, person).await?;
    let now = context.now();
    let id = ErasureId::generate(now, context.entropy.as_ref());
    let erasure = Erasure {
        id,
        person_id: person,
        person_name: found.name.clone(),
        reason,
        status: ErasureStatus::Asked,
        pseudonym: pseudonym(id),
        asked_by_id: asked_by,
        asked_by: actor.label.clone(),
        asked_at: now,
        waiting: 0,
    };
    if !store::insert(&mut tx, &erasure).await? {
        return Err(PrivacyError::Decided);
    }
    record(&mut tx, context, actor, &found, "person.erasure_asked").await?;
    tx.commit().await?;
    Ok(erasure)
}

/// Agrees or refuses. After a yes the person's record and their name as an author are gone in the same transaction, and
/// every text in which they may be told waits to be read.
pub async fn decide_erasure(
    context: &Context,
    actor: &Actor,
    id: ErasureId,
    agreed: bool,
) -> Result<(), PrivacyError> {
    let decided_by = administering(actor)?;
    let mut tx = context.db.begin().await?;
    let erasure = store::find(&mut tx, id).await?.ok_or(PrivacyError::NotFound)?;
    let person = person_for(&mut tx, actor, erasure.person_id).await?;
    if erasure.asked_by_id == decided_by {
        return Err(PrivacyError::SamePerson);
    }
    let now = context.now();
    let to = if agreed { ErasureStatus::Approved } else { ErasureStatus::Refused };
    if !store::decide(&mut tx, id, (ErasureStatus::Asked, to), Some(decided_by), now).await? {
        return Err(PrivacyError::Decided);
    }
    if agreed {
        for (number, event_no) in tickets::list_texts_about(&mut tx, person.id, &person.name).await? {
            store::insert_text(&mut tx, id, &number, event_no).await?;
        }
        tickets::pseudonymise_author(&mut tx, context, person.id, &erasure.pseudonym).await?;
        people::forget_person(&mut tx, context, actor, &person, &erasure.pseudonym).await?;
        finish_when_empty(&mut tx, id, now).await?;
    } else {
        record(&mut tx, context, actor, &person, "person.erasure_refused").await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Keeps a text, or blanks it out.
pub async fn decide_text(
    context: &Context,
    actor: &Actor,
    id: ErasureId,
    (number, event_no): (&TicketNumber, i64),
    redact: bool,
) -> Result<(), PrivacyError> {
    administering(actor)?;
    let mut tx = context.db.begin().await?;
    let erasure = store::find(&mut tx, id).await?.ok_or(PrivacyError::NotFound)?;
    person_for(&mut tx, actor, erasure.person_id).await?;
    let now = context.now();
    let status = if redact { "redacted" } else { "kept" };
    if !store::decide_text(&mut tx, id, (number, event_no), status, (&actor.label, now)).await? {
        return Err(PrivacyError::Decided);
    }
    if redact {
        tickets::redact_text(&mut tx, context, actor, number, event_no).await?;
    }
    finish_when_empty(&mut tx, id, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Demands that the actor administers, the latest first.
pub async fn list_erasures(tx: &mut Tx, actor: &Actor) -> Result<Vec<Erasure>, PrivacyError> {
    administering(actor)?;
    let mut seen = Vec::new();
    for erasure in store::list(tx).await? {
        if person_for(tx, actor, erasure.person_id).await.is_ok() {
            seen.push(erasure);
        }
    }
    Ok(seen)
}

/// Texts of a demand that wait to be read.
pub async fn list_waiting_texts(
    tx: &mut Tx,
    actor: &Actor,
    id: ErasureId,
) -> Result<(Erasure, Vec<WaitingText>), PrivacyError> {
    administering(actor)?;
    let erasure = store::find(tx, id).await?.ok_or(PrivacyError::NotFound)?;
    person_for(tx, actor, erasure.person_id).await?;
    let mut texts = Vec::new();
    for (ticket, event_no) in store::list_waiting(tx, id).await? {
        if let Some(found) = tickets::find_text(tx, &ticket, event_no).await? {
            texts.push(WaitingText { erasure: id, ticket, event_no, at: found.at, text: said(&found.text) });
        }
    }
    Ok((erasure, texts))
}

/// What the next rounds of retention would do to tickets that ended before a moment.
pub async fn preview_retention(
    tx: &mut Tx,
    actor: &Actor,
    before: UtcMicros,
) -> Result<RetentionPreview, PrivacyError> {
    administering(actor)?;
    let tickets = tickets::count_expired(tx, actor.scope.organisation(), before).await?;
    let first = tickets::list_expired(tx, before, PREVIEWED).await?;
    let first = first.into_iter().filter(|it| actor.scope.contains(it.1)).map(|it| it.0).collect();
    Ok(RetentionPreview { before, tickets, first })
}

/// Takes people and texts off tickets that ended before a moment, a bounded number at a time; gives how many.
pub async fn retain(context: &Context, before: UtcMicros) -> Result<u64, StoreError> {
    let mut tx = context.db.read().await?;
    let over = tickets::list_expired(&mut tx, before, ROUND).await?;
    drop(tx);
    let mut done = 0;
    for (number, organisation) in over {
        let mut tx = context.db.begin().await?;
        let nobody = match people::nobody_of(&mut tx, context, organisation).await {
            Ok(nobody) => nobody,
            Err(people::PeopleError::Store(error)) => return Err(error),
            Err(other) => {
                tracing::error!(error = %Chain(&other), "nobody stands in for the people of an organisation");
                continue;
            }
        };
        tickets::anonymise(&mut tx, context, &Actor::system(), &number, nobody).await?;
        tx.commit().await?;
        done += 1;
    }
    Ok(done)
}

/// Texts are facts in JSON; what a person reads of them is what was said.
fn said(stored: &str) -> String {
    let text = serde_json::from_str::<serde_json::Value>(stored)
        .ok()
        .and_then(|it| it.get("text").and_then(|it| it.as_str()).map(ToOwned::to_owned));
    text.unwrap_or_else(|| stored.to_owned())
}

/// Six characters of the demand's id: nobody is recognised by them, and two people are told apart.
fn pseudonym(id: ErasureId) -> String {
    let plain: String = id.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    format!("P-{}", plain[plain.len().saturating_sub(6)..].to_uppercase())
}

async fn finish_when_empty(tx: &mut Tx, id: ErasureId, now: UtcMicros) -> Result<(), StoreError> {
    if store::list_waiting(tx, id).await?.is_empty() {
        store::decide(tx, id, (ErasureStatus::Approved, ErasureStatus::Done), None, now).await?;
    }
    Ok(())
}

/// Erasure is for people who administer, never for programs: two of them have to be told apart.
fn administering(actor: &Actor) -> Result<PersonId, PrivacyError> {
    actor.person().filter(|_| actor.may(Permission::Administer)).ok_or(PrivacyError::Forbidden)
}

/// A person, for themselves and for who administers their organisation.
async fn person_for(tx: &mut Tx, actor: &Actor, person: PersonId) -> Result<Person, PrivacyError> {
    let found = people::find_person(tx, person).await?.ok_or(PrivacyError::NotFound)?;
    let own = actor.person() == Some(person);
    let in_scope =
        found.organisation_id.map_or(actor.scope.organisation().is_none(), |it| actor.scope.contains(it));
    if own || (actor.may(Permission::Administer) && in_scope) {
        Ok(found)
    } else {
        Err(PrivacyError::NotFound)
    }
}

async fn record(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    person: &Person,
    action: &str,
) -> Result<(), StoreError> {
    let deed = Deed {
        organisation_id: person.organisation_id,
        action,
        subject_kind: "person",
        subject_id: person.id.to_string(),
        detail: json!({}),
    };
    audit::record(tx, context, actor, deed).await
}
