//! Sessions of signed-in people: a random token in a cookie, its hash in a row.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

use super::model::{Session, actor_of};
use super::store;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::PersonId;

/// A session nobody used for so long is over (ASVS 5.0 §7.3).
pub const SESSION_IDLE_MAX: Duration = Duration::from_mins(30);
/// A session is over after so long, used or not: one working day.
pub const SESSION_AGE_MAX: Duration = Duration::from_hours(12);
/// Use is written down at most so often: reading pages must not keep the writer busy.
const TOUCH_INTERVAL: Duration = Duration::from_mins(1);
/// Characters of 32 bytes in base64.
const TOKEN_CHARS: usize = 43;

/// Begins a session; the token is given once.
pub(super) async fn begin(
    tx: &mut Tx,
    context: &Context,
    person: PersonId,
) -> Result<SecretString, StoreError> {
    let token = random_text(context.entropy.as_ref());
    let csrf_token = random_text(context.entropy.as_ref());
    let now = context.now();
    let hash = blake3::hash(token.as_bytes());
    let row = store::session::NewSession {
        token_hash: hash.as_bytes(),
        person_id: person,
        csrf_token: &csrf_token,
        created_at: now,
        expires_at: now + SESSION_AGE_MAX,
    };
    store::session::insert_session(tx, &row).await?;
    Ok(token.into())
}

/// The session behind a cookie, if it lives: at most 30 minutes idle, 12 hours old, of an active person.
pub async fn find_session(context: &Context, token: &str) -> Result<Option<Session>, StoreError> {
    if token.len() != TOKEN_CHARS {
        return Ok(None);
    }
    let hash = blake3::hash(token.as_bytes());
    let now = context.now();
    let mut tx = context.db.read().await?;
    let Some(row) = store::session::find_session(&mut tx, hash.as_bytes()).await? else {
        return Ok(None);
    };
    let idle = now.since(row.last_seen_at);
    if row.expires_at <= now || idle >= SESSION_IDLE_MAX {
        return Ok(None);
    }
    let Some(person) = store::find_person(&mut tx, row.person_id).await? else {
        return Ok(None);
    };
    drop(tx);
    let Some(actor) = actor_of(&person) else {
        return Ok(None);
    };
    if idle >= TOUCH_INTERVAL {
        let mut tx = context.db.begin().await?;
        store::session::touch_session(&mut tx, hash.as_bytes(), now).await?;
        tx.commit().await?;
    }
    Ok(Some(Session { actor, person, csrf_token: row.csrf_token }))
}

/// Ends a session; an unknown one is no error.
pub async fn sign_out(context: &Context, token: &str) -> Result<(), StoreError> {
    let mut tx = context.db.begin().await?;
    store::session::delete_session(&mut tx, blake3::hash(token.as_bytes()).as_bytes()).await?;
    tx.commit().await
}

/// 256 random bits as text.
fn random_text(entropy: &dyn Entropy) -> String {
    let mut bytes = [0_u8; 32];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
