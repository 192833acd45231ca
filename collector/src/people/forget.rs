//! Forgetting people: a pseudonym in the place of the name, and nobody in the place of everybody.

use serde_json::json;

use super::model::{NewPerson, PeopleError, Person};
use super::service::{create_person, deed, may_administer};
use super::store;
use crate::audit;
use crate::context::Context;
use crate::db::Tx;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::id::{OrganisationId, PersonId};
use crate::kernel::text::EmailAddress;
use crate::people::Language;

/// Host of addresses that reach nobody (RFC 2606 §2).
const NOWHERE: &str = "nobody.invalid";

/// Takes name, address, telephone, password, sessions and roles off a person. What they did stays, under the pseudonym.
pub async fn forget_person(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    person: &Person,
    pseudonym: &str,
) -> Result<(), PeopleError> {
    may_administer(actor)?;
    let address = format!("{}@{NOWHERE}", person.id);
    store::forget(tx, person.id, pseudonym, &address).await?;
    store::replace_roles(tx, person.id, &[]).await?;
    store::session::delete_sessions_of(tx, person.id).await?;
    Ok(audit::record(tx, context, actor, deed(person, "person.forgotten", json!({}))).await?)
}

/// Whom tickets name when their time is over: one person per organisation who is nobody and never signs in.
pub async fn nobody_of(
    tx: &mut Tx,
    context: &Context,
    organisation: OrganisationId,
) -> Result<PersonId, PeopleError> {
    let address = format!("{organisation}@{NOWHERE}");
    let email: EmailAddress = address.parse().map_err(|_| PeopleError::NotFound)?;
    if let Some(known) = store::find_person_by_email(tx, &email).await? {
        return Ok(known.id);
    }
    let new = NewPerson {
        organisation_id: Some(organisation),
        email,
        name: "—".into(),
        phone: String::new(),
        language: Language::Fr,
        default_site_id: None,
        roles: vec![Role::Requester],
    };
    let made = create_person(tx, context, &Actor::system(), new).await?;
    store::update_status(tx, made.id, false).await?;
    Ok(made.id)
}
