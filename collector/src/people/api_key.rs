//! Keys other programs sign in with: `parc_` and 52 characters of base32, 260 random bits.

use secrecy::SecretString;
use serde_json::json;

use super::model::{NewApiKey, PeopleError, scope_of};
use super::service::{check_organisation, checked_roles, may_administer};
use super::store;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, ActorKind};
use crate::kernel::entropy::{Entropy, base32};
use crate::kernel::id::{ApiKeyId, OrganisationId};
use crate::kernel::text;

/// How a key begins, so that a leaked one is recognised by secret scanners.
const PREFIX: &str = "parc_";
/// Characters after the prefix.
const SECRET_CHARS: usize = 52;
/// Characters of a name.
const NAME_CHARS_MAX: usize = 120;

/// Makes a key; its text is given once.
pub async fn create_api_key(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewApiKey,
) -> Result<(ApiKeyId, SecretString), PeopleError> {
    may_administer(actor)?;
    check_organisation(tx, actor, new.organisation_id).await?;
    checked_roles(new.organisation_id, vec![new.role])?;
    let now = context.now();
    if new.expires_at.is_some_and(|it| it <= now) {
        return Err(PeopleError::invalid("expires_at", "must be in the future"));
    }
    let name =
        text::line(&new.name, NAME_CHARS_MAX).map_err(|it| PeopleError::invalid("name", it.to_string()))?;
    let id = ApiKeyId::generate(now, context.entropy.as_ref());
    let key = key_text(context.entropy.as_ref());
    let detail = json!({ "name": &name, "role": new.role });
    let row = NewApiKey { name, ..new };
    store::api_key::insert_api_key(tx, id, blake3::hash(key.as_bytes()).as_bytes(), &row, now).await?;
    audit::record(tx, context, actor, deed(id, row.organisation_id, "api_key.created", detail)).await?;
    Ok((id, key.into()))
}

/// Withdraws a key; it is refused from the next request on.
pub async fn revoke_api_key(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    id: ApiKeyId,
) -> Result<(), PeopleError> {
    may_administer(actor)?;
    let revoked = store::api_key::revoke_api_key(tx, actor.scope, id, context.now()).await?;
    let organisation = revoked.ok_or(PeopleError::NotFound)?;
    audit::record(tx, context, actor, deed(id, organisation, "api_key.revoked", json!({}))).await?;
    Ok(())
}

/// The actor behind a key's text, unless it is unknown, expired or withdrawn.
pub async fn find_api_key_actor(context: &Context, key: &str) -> Result<Option<Actor>, StoreError> {
    if key.len() != PREFIX.len() + SECRET_CHARS || !key.starts_with(PREFIX) {
        return Ok(None);
    }
    let mut tx = context.db.read().await?;
    let hash = blake3::hash(key.as_bytes());
    let Some(row) = store::api_key::find_api_key(&mut tx, hash.as_bytes(), context.now()).await? else {
        return Ok(None);
    };
    let roles = vec![row.role];
    let actor = scope_of(row.organisation_id, &roles).map(|scope| Actor {
        kind: ActorKind::ApiKey(row.id),
        label: row.name,
        scope,
        roles,
    });
    Ok(actor)
}

fn key_text(entropy: &dyn Entropy) -> String {
    format!("{PREFIX}{}", base32(entropy, SECRET_CHARS))
}

fn deed(
    id: ApiKeyId,
    organisation_id: Option<OrganisationId>,
    action: &'static str,
    detail: serde_json::Value,
) -> Deed<'static> {
    Deed { organisation_id, action, subject_kind: "api_key", subject_id: id.to_string(), detail }
}
