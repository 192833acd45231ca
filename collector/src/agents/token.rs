//! Enroll tokens: `parc1.<id>.<secret>.<root fingerprint>`. The id finds the row, the secret proves it, the
//! fingerprint tells the agent which root to trust.

use std::str::FromStr;

use secrecy::SecretString;
use serde_json::json;

use super::model::{AgentError, NewEnrollToken};
use super::store;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::Tx;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::entropy::{BASE32_LETTERS, base32};
use crate::kernel::id::OrganisationId;
use crate::kernel::time::days;
use crate::sites;

const PREFIX: &str = "parc1";
const ID_CHARS: usize = 10;
/// 160 bits.
const SECRET_CHARS: usize = 32;
const FINGERPRINT_CHARS: usize = 32;
/// Machines enrolled with one token; more is another token.
const USES_MAX: u32 = 10_000;
/// Days a token may live.
const VALID_DAYS_MAX: u32 = 90;

/// A token's text, taken apart. The secret is kept only as its hash.
#[derive(Debug)]
pub(super) struct TokenText {
    pub(super) id: String,
    pub(super) secret_hash: blake3::Hash,
    pub(super) fingerprint: String,
}

impl FromStr for TokenText {
    type Err = AgentError;

    fn from_str(text: &str) -> Result<Self, AgentError> {
        let mut parts = text.split('.');
        let mut next = || parts.next().unwrap_or_default();
        let (prefix, id, secret, fingerprint) = (next(), next(), next(), next());
        let shaped = prefix == PREFIX
            && is_base32(id, ID_CHARS)
            && is_base32(secret, SECRET_CHARS)
            && fingerprint.len() == FINGERPRINT_CHARS
            && parts.next().is_none();
        if !shaped {
            return Err(AgentError::TokenRefused);
        }
        let secret_hash = blake3::hash(secret.as_bytes());
        Ok(Self { id: id.to_owned(), secret_hash, fingerprint: fingerprint.to_owned() })
    }
}

fn is_base32(text: &str, chars: usize) -> bool {
    text.len() == chars && text.bytes().all(|it| BASE32_LETTERS.contains(&it))
}

/// Makes a token; its text is given once. `fingerprint` is the authority's.
pub async fn create_enroll_token(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    fingerprint: &str,
    new: NewEnrollToken,
) -> Result<SecretString, AgentError> {
    may_administer(actor)?;
    if !(1..=USES_MAX).contains(&new.uses_max) {
        return Err(AgentError::invalid("uses_max", format!("must be 1 to {USES_MAX}")));
    }
    if !(1..=VALID_DAYS_MAX).contains(&new.valid_days) {
        return Err(AgentError::invalid("valid_days", format!("must be 1 to {VALID_DAYS_MAX}")));
    }
    let seen = actor.scope.contains(new.organisation_id);
    if !seen || sites::find_organisation(tx, new.organisation_id).await?.is_none() {
        return Err(AgentError::invalid("organisation_id", "is not a known organisation"));
    }
    if let Some(site_id) = new.site_id {
        let site = sites::find_site(tx, site_id).await?;
        if site.is_none_or(|it| it.organisation_id != new.organisation_id) {
            return Err(AgentError::invalid("site_id", "is not a site of the organisation"));
        }
    }
    let id = base32(context.entropy.as_ref(), ID_CHARS);
    let secret = base32(context.entropy.as_ref(), SECRET_CHARS);
    let now = context.now();
    let expires_at = now + days(u64::from(new.valid_days));
    let row = store::token::NewTokenRow {
        id: &id,
        secret_hash: blake3::hash(secret.as_bytes()),
        new: &new,
        created_at: now,
        expires_at,
        created_by: &actor.label,
    };
    store::token::insert_token(tx, &row).await?;
    let detail =
        json!({ "uses_max": new.uses_max, "expires_at": expires_at.rfc3339(), "tag_policy": new.tag_policy });
    audit::record(tx, context, actor, deed(new.organisation_id, "enroll_token.created", &id, detail)).await?;
    Ok(format!("{PREFIX}.{id}.{secret}.{fingerprint}").into())
}

/// Withdraws a token; machines that enrolled with it stay enrolled.
pub async fn revoke_enroll_token(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    id: &str,
) -> Result<(), AgentError> {
    may_administer(actor)?;
    let revoked = store::token::revoke_token(tx, actor.scope, id, context.now()).await?;
    let organisation = revoked.ok_or(AgentError::NotFound)?;
    audit::record(tx, context, actor, deed(organisation, "enroll_token.revoked", id, json!({}))).await?;
    Ok(())
}

pub(super) fn may_administer(actor: &Actor) -> Result<(), AgentError> {
    if actor.may(Permission::Administer) { Ok(()) } else { Err(AgentError::Forbidden) }
}

fn deed<'a>(organisation: OrganisationId, action: &'a str, id: &str, detail: serde_json::Value) -> Deed<'a> {
    Deed {
        organisation_id: Some(organisation),
        action,
        subject_kind: "enroll_token",
        subject_id: id.to_owned(),
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_shape_is_a_token() {
        let (id, secret, fingerprint) = ("a2".repeat(5), "b3".repeat(16), "0f".repeat(16));
        assert!(format!("parc1.{id}.{secret}.{fingerprint}").parse::<TokenText>().is_ok());
        for text in [
            String::new(),
            format!("parc2.{id}.{secret}.{fingerprint}"),
            format!("parc1.{id}.{secret}"),
            format!("parc1.{id}.{secret}.{fingerprint}."),
            format!("parc1.{id}.{}.{fingerprint}", secret.to_uppercase()),
            format!("parc1.{id}.{secret}.{fingerprint}0"),
            format!("parc1.{id}1.{secret}.{fingerprint}"),
            format!("parc1.{id}.{}.{fingerprint}", "é".repeat(16)),
        ] {
            assert!(matches!(text.parse::<TokenText>(), Err(AgentError::TokenRefused)), "{text}");
        }
    }
}
