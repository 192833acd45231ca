//! The list of people who may contact support (rules R006, R007): kept by the referent for the own organisation,
//! by the single point of entry, leads and administrators for all.

use serde_json::json;

use super::model::{NewPerson, PeopleError, Person};
use super::service::{self, NAME_CHARS_MAX, PHONE_CHARS_MAX, deed};
use super::store;
use crate::audit;
use crate::context::Context;
use crate::db::Tx;
use crate::kernel::actor::{Actor, Permission, Role};
use crate::kernel::id::{OrganisationId, PersonId, SiteId};
use crate::kernel::text;
use crate::sites;

/// What may be changed on a person's own page or on the list.
#[derive(Clone, Debug, Default)]
pub struct Contact {
    /// Phone number, at most 40 characters.
    pub phone: String,
    /// A site of the person's organisation.
    pub default_site_id: Option<SiteId>,
}

/// Which roles the actor may give: administrators all, referents only the right to ask, others those of clients.
pub fn grantable_roles(actor: &Actor) -> &'static [Role] {
    if actor.may(Permission::Administer) {
        &Role::ALL
    } else if !actor.may(Permission::ManagePeople) {
        &[]
    } else if actor.scope.organisation().is_some() {
        &[Role::Requester]
    } else {
        &[Role::Requester, Role::Referent]
    }
}

/// Whether the actor may suspend, remove or change that person: somebody of its scope, not itself, who holds no role
/// beyond those of clients unless the actor administers.
pub fn may_manage(actor: &Actor, person: &Person) -> bool {
    let seen = match person.organisation_id {
        Some(own) => actor.scope.contains(own),
        None => actor.scope.organisation().is_none(),
    };
    let reach: &[Role] =
        if actor.may(Permission::Administer) { &Role::ALL } else { &[Role::Requester, Role::Referent] };
    actor.may(Permission::ManagePeople)
        && seen
        && actor.person() != Some(person.id)
        && person.roles.iter().all(|it| reach.contains(it))
}

/// Adds somebody to the authorised people. A person removed from the same organisation before comes back.
///
/// # Errors
///
/// [`PeopleError::Taken`] for an address that somebody has, in whatever organisation: no more is said.
pub async fn authorise_person(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewPerson,
) -> Result<Person, PeopleError> {
    let grantable = grantable_roles(actor);
    if grantable.is_empty() || new.roles.iter().any(|it| !grantable.contains(it)) {
        return Err(PeopleError::Forbidden);
    }
    if !actor.may(Permission::Administer) && new.organisation_id.is_none() {
        return Err(PeopleError::invalid("organisation_id", "is needed"));
    }
    if let Some(removed) = store::find_removed(tx, &new.email, new.organisation_id).await? {
        return come_back(tx, context, actor, removed, new).await;
    }
    service::insert_new(tx, context, actor, new).await
}

async fn come_back(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    removed: PersonId,
    new: NewPerson,
) -> Result<Person, PeopleError> {
    service::check_organisation(tx, actor, new.organisation_id).await?;
    let roles = service::checked_roles(new.organisation_id, new.roles)?;
    let contact = Contact { phone: new.phone, default_site_id: new.default_site_id };
    let contact = checked(tx, new.organisation_id, contact).await?;
    let name =
        text::line(&new.name, NAME_CHARS_MAX).map_err(|it| PeopleError::invalid("name", it.to_string()))?;
    store::restore(tx, removed, &name, new.email.as_str(), &contact).await?;
    store::replace_roles(tx, removed, &roles).await?;
    let person = store::find_person(tx, removed).await?.ok_or(PeopleError::NotFound)?;
    audit::record(tx, context, actor, deed(&person, "person.restored", json!({ "roles": &roles }))).await?;
    Ok(person)
}

/// Takes somebody off the list: signed out at once, mails and sign-in refused. What they asked stays.
pub async fn remove_person(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    person: PersonId,
) -> Result<(), PeopleError> {
    let person = managed(tx, actor, person).await?;
    store::remove(tx, person.id).await?;
    store::session::delete_sessions_of(tx, person.id).await?;
    store::token::delete_of_person(tx, person.id).await?;
    audit::record(tx, context, actor, deed(&person, "person.removed", json!({}))).await?;
    Ok(())
}

/// Changes somebody's phone and site.
pub async fn set_contact(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    person: PersonId,
    contact: Contact,
) -> Result<(), PeopleError> {
    let person = match actor.person() {
        Some(own) if own == person => store::find_person(tx, person).await?.ok_or(PeopleError::NotFound)?,
        _ => managed(tx, actor, person).await?,
    };
    let contact = checked(tx, person.organisation_id, contact).await?;
    store::update_contact(tx, person.id, &contact).await?;
    audit::record(tx, context, actor, deed(&person, "person.contact_changed", json!({}))).await?;
    Ok(())
}

/// Gives somebody a short name to sign in with beside the address (rule R002), or takes it away.
///
/// # Errors
///
/// `login`: 2 to 64 letters, digits, `.`, `-`, `_`; taken by nobody else.
pub async fn set_login(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    person: PersonId,
    login: &str,
) -> Result<(), PeopleError> {
    let person = managed(tx, actor, person).await?;
    let login = login.trim().to_lowercase();
    let plain = login.chars().all(|it| it.is_ascii_alphanumeric() || ".-_".contains(it));
    if !login.is_empty() && (!plain || !(2..=64).contains(&login.len())) {
        return Err(PeopleError::invalid("login", "must have 2 to 64 letters, digits, dots or hyphens"));
    }
    let login = (!login.is_empty()).then_some(login);
    if !store::update_login(tx, person.id, login.as_deref()).await? {
        return Err(PeopleError::invalid("login", "is taken"));
    }
    audit::record(tx, context, actor, deed(&person, "person.login_changed", json!({}))).await?;
    Ok(())
}

/// The person, if the actor may manage them.
pub(super) async fn managed(tx: &mut Tx, actor: &Actor, person: PersonId) -> Result<Person, PeopleError> {
    if !actor.may(Permission::ManagePeople) && !actor.may(Permission::Administer) {
        return Err(PeopleError::Forbidden);
    }
    let found = store::find_person(tx, person).await?.ok_or(PeopleError::NotFound)?;
    let parc_itself = matches!(actor.kind, crate::kernel::actor::ActorKind::System);
    if parc_itself || may_manage(actor, &found) { Ok(found) } else { Err(PeopleError::NotFound) }
}

async fn checked(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
    contact: Contact,
) -> Result<Contact, PeopleError> {
    if let Some(site_id) = contact.default_site_id {
        let site = sites::find_site(tx, site_id).await?;
        if site.is_none_or(|it| Some(it.organisation_id) != organisation) {
            return Err(PeopleError::invalid("default_site_id", "is not a site of the organisation"));
        }
    }
    let phone = text::optional_line(&contact.phone, PHONE_CHARS_MAX)
        .map_err(|it| PeopleError::invalid("phone", it.to_string()))?;
    Ok(Contact { phone: phone.unwrap_or_default(), ..contact })
}
