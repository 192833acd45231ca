//! Making and changing persons.

use secrecy::SecretString;
use serde_json::json;

use super::manage::managed;
use super::model::{Language, NewPerson, PeopleError, Person, scope_of};
use super::{password, session, sign_in, store};
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Role};
use crate::kernel::id::{OrganisationId, PersonId};
use crate::kernel::text;
use crate::sites;

/// Characters of a name.
pub(super) const NAME_CHARS_MAX: usize = 120;
/// Characters of a phone number with extension.
pub(super) const PHONE_CHARS_MAX: usize = 40;

/// Makes a person without a password. The organisation must exist and be in the actor's scope; nobody
/// gets a wider scope than the one who makes them.
pub async fn create_person(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewPerson,
) -> Result<Person, PeopleError> {
    may_administer(actor)?;
    insert_new(tx, context, actor, new).await
}

/// Makes a person for an actor whose rights were checked.
pub(super) async fn insert_new(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewPerson,
) -> Result<Person, PeopleError> {
    check_organisation(tx, actor, new.organisation_id).await?;
    let roles = checked_roles(new.organisation_id, new.roles)?;
    if let Some(site_id) = new.default_site_id {
        let site = sites::find_site(tx, site_id).await?;
        if site.is_none_or(|it| Some(it.organisation_id) != new.organisation_id) {
            return Err(PeopleError::invalid("default_site_id", "is not a site of the organisation"));
        }
    }
    let person = Person {
        id: PersonId::generate(context.now(), context.entropy.as_ref()),
        organisation_id: new.organisation_id,
        email: new.email,
        login: None,
        name: text::line(&new.name, NAME_CHARS_MAX)
            .map_err(|it| PeopleError::invalid("name", it.to_string()))?,
        phone: text::optional_line(&new.phone, PHONE_CHARS_MAX)
            .map_err(|it| PeopleError::invalid("phone", it.to_string()))?
            .unwrap_or_default(),
        language: new.language,
        active: true,
        default_site_id: new.default_site_id,
        roles,
    };
    if !store::insert_person(tx, &person, context.now()).await? {
        return Err(PeopleError::Taken(person.email));
    }
    store::replace_roles(tx, person.id, &person.roles).await?;
    let detail = json!({ "roles": &person.roles });
    audit::record(tx, context, actor, deed(&person, "person.created", detail)).await?;
    Ok(person)
}

/// Gives a person other roles; acts on their next request.
pub async fn set_roles(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    person: PersonId,
    roles: Vec<Role>,
) -> Result<(), PeopleError> {
    let person = person_to_administer(tx, actor, person).await?;
    let roles = checked_roles(person.organisation_id, roles)?;
    store::replace_roles(tx, person.id, &roles).await?;
    let detail = json!({ "before": &person.roles, "after": &roles });
    audit::record(tx, context, actor, deed(&person, "person.roles_changed", detail)).await?;
    Ok(())
}

/// Suspends a person, ending their sessions, or lets them sign in again.
pub async fn set_status(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    person: PersonId,
    active: bool,
) -> Result<(), PeopleError> {
    let person = managed(tx, actor, person).await?;
    store::update_status(tx, person.id, active).await?;
    if !active {
        store::session::delete_sessions_of(tx, person.id).await?;
    }
    let action = if active { "person.reactivated" } else { "person.suspended" };
    audit::record(tx, context, actor, deed(&person, action, json!({}))).await?;
    Ok(())
}

/// Hashes and stores a password, ends the person's sessions and a lock. People set their own; others' only
/// who administers them. Opens its own transaction, after the hashing.
pub async fn set_password(
    context: &Context,
    actor: &Actor,
    person: PersonId,
    password: SecretString,
) -> Result<(), PeopleError> {
    let mut tx = context.db.read().await?;
    let found = if actor.person() == Some(person) {
        store::find_person(&mut tx, person).await?.ok_or(PeopleError::NotFound)?
    } else {
        person_to_administer(&mut tx, actor, person).await?
    };
    drop(tx);
    password::check_rules(&password, &found.email)?;
    let hash = password::hash(context.entropy.as_ref(), password).await.map_err(|_| PeopleError::Busy)?;
    let mut tx = context.db.begin().await?;
    store_password(&mut tx, &found, &hash).await?;
    audit::record(&mut tx, context, actor, deed(&found, "person.password_changed", json!({}))).await?;
    tx.commit().await?;
    Ok(())
}

/// Stores a password's hash and ends what the old one led to: sessions, links, locks.
pub(super) async fn store_password(tx: &mut Tx, person: &Person, hash: &str) -> Result<(), StoreError> {
    store::update_password(tx, person.id, hash).await?;
    store::session::delete_sessions_of(tx, person.id).await?;
    store::token::delete_of_person(tx, person.id).await?;
    for name in [Some(person.email.as_str()), person.login.as_deref()].into_iter().flatten() {
        store::session::clear_failures(tx, sign_in::address_hash(name).as_bytes()).await?;
    }
    Ok(())
}

/// Remembers the language a person chose.
pub async fn set_language(context: &Context, person: PersonId, language: Language) -> Result<(), StoreError> {
    let mut tx = context.db.begin().await?;
    store::update_language(&mut tx, person, language).await?;
    tx.commit().await
}

/// Deletes dead sessions and forgotten failures, a bounded number at a time; gives how many rows went.
pub async fn prune(tx: &mut Tx, context: &Context) -> Result<u64, StoreError> {
    let now = context.now();
    let sessions = store::session::delete_dead_sessions(tx, now, now - session::SESSION_IDLE_MAX).await?;
    let failures =
        store::session::delete_old_failures(tx, now, now - sign_in::FAILURES_FORGOTTEN_AFTER).await?;
    let links = store::token::delete_old(tx, now, now - sign_in::FAILURES_FORGOTTEN_AFTER).await?;
    Ok(sessions + failures + links)
}

pub(super) fn may_administer(actor: &Actor) -> Result<(), PeopleError> {
    if actor.may(Permission::Administer) { Ok(()) } else { Err(PeopleError::Forbidden) }
}

/// The organisation must exist and be seen by the actor; none at all only for those who see everything.
pub(super) async fn check_organisation(
    tx: &mut Tx,
    actor: &Actor,
    organisation: Option<OrganisationId>,
) -> Result<(), PeopleError> {
    let known = match organisation {
        Some(id) => actor.scope.contains(id) && sites::find_organisation(tx, id).await?.is_some(),
        None => actor.scope.organisation().is_none(),
    };
    if known { Ok(()) } else { Err(PeopleError::invalid("organisation_id", "is not a known organisation")) }
}

/// The roles sorted and each once, if they make sense with that organisation.
pub(super) fn checked_roles(
    organisation: Option<OrganisationId>,
    roles: Vec<Role>,
) -> Result<Vec<Role>, PeopleError> {
    let mut roles = roles;
    roles.sort();
    roles.dedup();
    if scope_of(organisation, &roles).is_none() {
        return Err(PeopleError::invalid("roles", "need an organisation unless one of them is a staff role"));
    }
    Ok(roles)
}

async fn person_to_administer(tx: &mut Tx, actor: &Actor, person: PersonId) -> Result<Person, PeopleError> {
    may_administer(actor)?;
    let found = store::find_person(tx, person).await?.ok_or(PeopleError::NotFound)?;
    let seen =
        found.organisation_id.map_or(actor.scope.organisation().is_none(), |it| actor.scope.contains(it));
    if seen { Ok(found) } else { Err(PeopleError::NotFound) }
}

pub(super) fn deed<'a>(person: &Person, action: &'a str, detail: serde_json::Value) -> Deed<'a> {
    Deed {
        organisation_id: person.organisation_id,
        action,
        subject_kind: "person",
        subject_id: person.id.to_string(),
        detail,
    }
}
