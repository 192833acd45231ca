//! Types of the slice.

use crate::db::StoreError;
use crate::kernel::actor::{Actor, ActorKind, Role, Scope};
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{ApiKeyId, OrganisationId, PersonId, SiteId};
use crate::kernel::text::EmailAddress;
use crate::kernel::time::UtcMicros;

/// Somebody who may sign in or for whom a ticket is opened.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Whom they work for; nothing for the provider's own staff.
    pub organisation_id: Option<OrganisationId>,
    /// Address they sign in with, unique.
    pub email: EmailAddress,
    /// A short name to sign in with beside the address.
    pub login: Option<String>,
    /// Name as shown.
    pub name: String,
    /// Phone number as typed, may be empty.
    pub phone: String,
    /// Language of pages and mails.
    pub language: Language,
    /// Whether they may sign in; people are suspended, never deleted.
    pub active: bool,
    /// The site new tickets propose.
    pub default_site_id: Option<SiteId>,
    /// What they may do, in the order of [`Role::ALL`], each once.
    pub roles: Vec<Role>,
}

/// Language of pages and mails.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    sqlx::Type,
    serde::Serialize,
    serde::Deserialize,
    clap::ValueEnum,
    utoipa::ToSchema,
)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// French.
    Fr,
    /// English.
    En,
}

/// What makes a person.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// Whom they work for; nothing makes them the provider's staff and needs a staff role.
    pub organisation_id: Option<OrganisationId>,
    /// Address they will sign in with.
    pub email: EmailAddress,
    /// Name, 1 to 120 characters.
    pub name: String,
    /// Phone number, at most 40 characters.
    pub phone: String,
    /// Language of pages and mails.
    pub language: Language,
    /// A site of the organisation.
    pub default_site_id: Option<SiteId>,
    /// What they may do.
    pub roles: Vec<Role>,
}

/// What makes an API key.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// Which program it is for, 1 to 120 characters.
    pub name: String,
    /// What the program may do.
    pub role: Role,
    /// The only organisation it sees; nothing for all.
    pub organisation_id: Option<OrganisationId>,
    /// When it stops working.
    pub expires_at: Option<UtcMicros>,
}

/// An API key as listed; its secret was shown once.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Which program it is for.
    pub name: String,
    /// What the program may do.
    pub role: Role,
    /// The only organisation it sees; nothing for all.
    pub organisation_id: Option<OrganisationId>,
    /// When it was made.
    pub created_at: UtcMicros,
    /// When it stops working.
    pub expires_at: Option<UtcMicros>,
    /// When it was withdrawn.
    pub revoked_at: Option<UtcMicros>,
}

/// A fresh session.
#[derive(Debug)]
pub struct SignedIn {
    /// Goes into the cookie and nowhere else.
    pub token: secrecy::SecretString,
    /// Who signed in.
    pub person: Person,
}

/// A living session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who acts, with scope and roles as they are now.
    pub actor: Actor,
    /// The person.
    pub person: Person,
    /// Must come back with every form.
    pub csrf_token: String,
}

/// The roles that belong to the provider's staff and make sense over all organisations.
const STAFF_ROLES: [Role; 7] =
    [Role::Peu, Role::TechnicianN1, Role::TechnicianN2, Role::Lead, Role::Mssi, Role::Admin, Role::Auditor];

/// What somebody with these roles sees: their organisation, or all for staff without one. Nothing when
/// neither holds: such a person may not act at all.
pub(super) fn scope_of(organisation: Option<OrganisationId>, roles: &[Role]) -> Option<Scope> {
    match organisation {
        Some(own) => Some(Scope::Organisation(own)),
        None => roles.iter().any(|it| STAFF_ROLES.contains(it)).then_some(Scope::All),
    }
}

/// The actor a person is; nothing for the suspended and for those without organisation or staff role.
pub fn actor_of(person: &Person) -> Option<Actor> {
    let scope = scope_of(person.organisation_id, &person.roles).filter(|_| person.active)?;
    Some(Actor {
        kind: ActorKind::Person(person.id),
        label: person.name.clone(),
        scope,
        roles: person.roles.clone(),
    })
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown address, wrong password or suspended person: deliberately not told apart.
    #[error("address or password is wrong")]
    Refused,
    /// The address failed too often, whether or not it is known.
    #[error("too many failures; locked until a later moment")]
    Locked {
        /// When the next attempt counts.
        until: UtcMicros,
    },
    /// More sign-ins wait for a password check than one collector takes on.
    #[error("too many people sign in at once; try again in a moment")]
    Busy,
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for SignInError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused => ErrorKind::Unauthenticated,
            Self::Locked { .. } | Self::Busy => ErrorKind::Exhausted,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Refused => "sign-in-refused",
            Self::Locked { .. } => "sign-in-locked",
            Self::Busy => "busy",
            Self::Store(error) => error.code(),
        }
    }
}

/// Why a use case about people did nothing.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it, with the limit.
        reason: String,
    },
    /// Somebody has the address already.
    #[error("{0} is taken")]
    Taken(EmailAddress),
    /// No such person or key in scope.
    #[error("no such person")]
    NotFound,
    /// The actor lacks the permission.
    #[error("administering people is not permitted")]
    Forbidden,
    /// More passwords wait to be hashed than one collector takes on.
    #[error("too many passwords are being checked; try again in a moment")]
    Busy,
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PeopleError {
    pub(super) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }
}

impl Fault for PeopleError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Taken(_) => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::Busy => ErrorKind::Exhausted,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::Taken(_) => "taken",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::Busy => "busy",
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::Taken(_) => Some("email"),
            Self::NotFound | Self::Forbidden | Self::Busy | Self::Store(_) => None,
        }
    }
}
