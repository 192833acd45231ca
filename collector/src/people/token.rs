//! Links with which people set a password: the first one, or a new one. The link's token is given once and works
//! once; its hash is what is stored.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::model::{PeopleError, Person, actor_of};
use super::{password, service, sign_in, store};
use crate::audit;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, ActorKind};
use crate::kernel::id::PersonId;
use crate::kernel::time::days;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum LinkPurpose {
    /// The person was just added to the authorised people.
    First,
    /// The person forgot the password.
    Reset,
}

impl LinkPurpose {
    /// How long a link lives: a new colleague may be away for days, who forgot a password waits before the screen.
    pub fn lifetime(self) -> Duration {
        match self {
            Self::First => days(7),
            Self::Reset => Duration::from_hours(2),
        }
    }
}

/// Mails of this kind to one address within [`MAILS_FORGOTTEN_AFTER`]; a mailbox must not be flooded through us.
const MAILS_MAX: i64 = 3;
/// After this the count begins anew.
const MAILS_FORGOTTEN_AFTER: Duration = Duration::from_hours(1);
/// Characters of 32 bytes in base64.
const TOKEN_CHARS: usize = 43;

/// Makes a link's token for a person; earlier ones of that person stop working.
pub async fn issue_link(
    tx: &mut Tx,
    context: &Context,
    person: PersonId,
    purpose: LinkPurpose,
) -> Result<SecretString, StoreError> {
    let mut bytes = [0_u8; 32];
    context.entropy.fill(&mut bytes);
    let token = URL_SAFE_NO_PAD.encode(bytes);
    let now = context.now();
    store::token::delete_of_person(tx, person).await?;
    let hash = blake3::hash(token.as_bytes());
    store::token::insert(tx, hash.as_bytes(), person, purpose, now, now + purpose.lifetime()).await?;
    Ok(token.into())
}

/// Counts a request for a mail to an address, known or not; false when it had enough of them for now.
pub async fn count_mail(tx: &mut Tx, context: &Context, address: &str) -> Result<bool, StoreError> {
    let hash = sign_in::address_hash(address);
    let now = context.now();
    let count = store::token::count_mail(tx, hash.as_bytes(), now, now - MAILS_FORGOTTEN_AFTER).await?;
    Ok(count <= MAILS_MAX)
}

/// Whom a living link is for.
pub async fn find_link(context: &Context, token: &str) -> Result<Option<Person>, StoreError> {
    if token.len() != TOKEN_CHARS {
        return Ok(None);
    }
    let mut tx = context.db.read().await?;
    let hash = blake3::hash(token.as_bytes());
    let Some(person) = store::token::find(&mut tx, hash.as_bytes(), context.now()).await? else {
        return Ok(None);
    };
    Ok(store::find_person(&mut tx, person).await?.filter(|it| actor_of(it).is_some()))
}

/// Sets the password of whom the link is for and uses the link up, together with every session and lock.
///
/// # Errors
///
/// [`PeopleError::NotFound`] when the link is used, expired or invented; a field when the password is refused: the
/// link then still works.
pub async fn use_link(
    context: &Context,
    token: &SecretString,
    password: SecretString,
) -> Result<Person, PeopleError> {
    let token = token.expose_secret();
    let person = find_link(context, token).await?.ok_or(PeopleError::NotFound)?;
    password::check_rules(&password, &person.email)?;
    let hash = password::hash(context.entropy.as_ref(), password).await.map_err(|_| PeopleError::Busy)?;
    let mut tx = context.db.begin().await?;
    let used = store::token::take(&mut tx, blake3::hash(token.as_bytes()).as_bytes(), context.now()).await?;
    if used != Some(person.id) {
        return Err(PeopleError::NotFound);
    }
    service::store_password(&mut tx, &person, &hash).await?;
    let own = actor_of(&person).ok_or(PeopleError::NotFound)?;
    let actor = Actor { kind: ActorKind::Person(person.id), ..own };
    let detail = json!({ "by": "link" });
    audit::record(&mut tx, context, &actor, service::deed(&person, "person.password_changed", detail))
        .await?;
    tx.commit().await?;
    Ok(person)
}
