//! Signing in. An attempt is counted before the password is looked at, so that attempts in parallel cannot
//! outrun the lock; a success takes the count away.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;

use super::model::{PeopleError, Person, SignInError, SignedIn, actor_of};
use super::{password, service, session, store};
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::time::UtcMicros;

/// Failures after which an address is locked.
const FAILURES_MAX: i64 = 5;
/// First lock; doubles with every further failure.
const LOCK_FIRST: Duration = Duration::from_mins(15);
/// Longest lock: a person comes back the next day.
const LOCK_MAX: Duration = Duration::from_hours(24);
/// Failures older than this no longer count.
pub(super) const FAILURES_FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

/// What counting an attempt found.
enum Attempt {
    /// The password may be looked at; a lock is in force already if this one fails.
    Counted { lock: Option<UtcMicros> },
    /// Not even looked at.
    Locked { until: UtcMicros },
}

/// Signs a person in by e-mail address or short name. Unknown address, wrong password and suspended person answer alike, cost alike and
/// lock alike: five failures lock the address for 15 minutes, each further one doubles that, up to 24 h.
pub async fn sign_in(
    context: &Context,
    identifier: &str,
    password: SecretString,
) -> Result<SignedIn, SignInError> {
    let hash = address_hash(identifier);
    let lock = match count_attempt(context, &hash).await? {
        Attempt::Counted { lock } => lock,
        Attempt::Locked { until } => return Err(SignInError::Locked { until }),
    };
    let mut tx = context.db.read().await?;
    let credentials = store::find_credentials(&mut tx, &identifier.trim().to_lowercase()).await?;
    drop(tx);
    let (person, stored) = credentials.map_or((None, None), |(person, stored)| (Some(person), stored));
    let proven = password::verify(stored, password).await.map_err(|_| SignInError::Busy)?;
    match person.filter(|_| proven).and_then(|it| actor_of(&it).map(|actor| (it, actor))) {
        Some((person, actor)) => begin_session(context, &hash, person, &actor).await,
        None => Err(lock.map_or(SignInError::Refused, |until| SignInError::Locked { until })),
    }
}

/// Sets a signed-in person's own password. The present one is asked for and counted like a sign-in, so that a
/// session left open does not give the account away.
///
/// # Errors
///
/// `current` when the present password is wrong, `password` when the new one is refused.
pub async fn change_password(
    context: &Context,
    person: &Person,
    current: SecretString,
    new: SecretString,
) -> Result<(), PeopleError> {
    let hash = address_hash(person.email.as_str());
    let Attempt::Counted { .. } = count_attempt(context, &hash).await? else {
        return Err(PeopleError::Busy);
    };
    let mut tx = context.db.read().await?;
    let stored = store::find_credentials(&mut tx, person.email.as_str()).await?.and_then(|it| it.1);
    drop(tx);
    if !password::verify(stored, current).await.map_err(|_| PeopleError::Busy)? {
        return Err(PeopleError::invalid("current", "is not the present password"));
    }
    let actor = actor_of(person).ok_or(PeopleError::NotFound)?;
    service::set_password(context, &actor, person.id, new).await
}

async fn count_attempt(context: &Context, hash: &blake3::Hash) -> Result<Attempt, StoreError> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let counted =
        store::session::count_failure(&mut tx, hash.as_bytes(), now, now - FAILURES_FORGOTTEN_AFTER).await?;
    if let Some(until) = counted.locked_until.filter(|it| *it > now) {
        return Ok(Attempt::Locked { until });
    }
    let lock = lock_after(counted.failures).map(|span| now + span);
    if let Some(until) = lock {
        store::session::lock(&mut tx, hash.as_bytes(), until).await?;
        record_lock(&mut tx, context, hash, until).await?;
    }
    tx.commit().await?;
    Ok(Attempt::Counted { lock })
}

async fn record_lock(
    tx: &mut Tx,
    context: &Context,
    hash: &blake3::Hash,
    until: UtcMicros,
) -> Result<(), StoreError> {
    let deed = Deed {
        organisation_id: None,
        action: "sign_in.locked",
        subject_kind: "sign_in",
        subject_id: hash.to_hex().chars().take(16).collect(),
        detail: json!({ "until": until.rfc3339() }),
    };
    audit::record(tx, context, &Actor::system(), deed).await
}

async fn begin_session(
    context: &Context,
    hash: &blake3::Hash,
    person: Person,
    actor: &Actor,
) -> Result<SignedIn, SignInError> {
    let mut tx = context.db.begin().await?;
    store::session::clear_failures(&mut tx, hash.as_bytes()).await?;
    let token = session::begin(&mut tx, context, person.id).await?;
    let deed = Deed {
        organisation_id: person.organisation_id,
        action: "person.signed_in",
        subject_kind: "person",
        subject_id: person.id.to_string(),
        detail: json!({}),
    };
    audit::record(&mut tx, context, actor, deed).await?;
    tx.commit().await?;
    Ok(SignedIn { token, person })
}

/// What failures of an address are counted under.
pub(super) fn address_hash(address: &str) -> blake3::Hash {
    blake3::hash(address.trim().to_lowercase().as_bytes())
}

/// How long to lock after so many failures in a row.
fn lock_after(failures: i64) -> Option<Duration> {
    let beyond = u32::try_from(failures.checked_sub(FAILURES_MAX)?).ok()?;
    Some(LOCK_FIRST.saturating_mul(2_u32.saturating_pow(beyond)).min(LOCK_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_doubles_from_a_quarter_of_an_hour_to_a_day() {
        let minutes = |failures| lock_after(failures).map(|it| it.as_secs() / 60);
        assert_eq!(minutes(4), None);
        assert_eq!(minutes(5), Some(15));
        assert_eq!(minutes(6), Some(30));
        assert_eq!(minutes(11), Some(960));
        assert_eq!(minutes(12), Some(1440));
        assert_eq!(minutes(5_000), Some(1440));
    }
}
