//! Types of the slice.
use crate::db::StoreError;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::*;
use crate::kernel::text::EmailAddress;
use crate::kernel::time::UtcMicros;

#[derive(Clone, Debug)]
pub struct Person {
    pub id: PersonId,
    /// None for the provider's own staff.
    pub organisation_id: Option<OrganisationId>,
    pub email: EmailAddress,
    pub name: String,
    pub phone: String,
    pub language: Language,
    pub active: bool,
    pub default_site_id: Option<SiteId>,
    pub roles: Vec<Role>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, serde::Serialize, serde::Deserialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Language { Fr, En }

#[derive(Clone, Debug)]
pub struct NewPerson {
    pub organisation_id: Option<OrganisationId>,
    pub email: EmailAddress,
    pub name: String,
    pub phone: String,
    pub language: Language,
    pub default_site_id: Option<SiteId>,
    pub roles: Vec<Role>,
}

#[derive(Clone, Debug)]
pub struct NewApiKey { pub name: String, pub role: Role, pub organisation_id: Option<OrganisationId>, pub expires_at: Option<UtcMicros> }

/// A fresh session. The token goes into the cookie and nowhere else.
#[derive(Debug)]
pub struct SignedIn { pub token: secrecy::SecretString, pub person: Person }

#[derive(Clone, Debug)]
pub struct Session { pub actor: Actor, pub person: Person, pub csrf_token: String }

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("address or password is wrong")]
    Refused,
    #[error("too many failures; locked until a later moment")]
    Locked { until: UtcMicros },
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error("{field} {reason}")]
    Invalid { field: &'static str, reason: String },
    #[error("{0} is taken")]
    Taken(EmailAddress),
    #[error("no such person")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for PeopleError {
    fn kind(&self) -> ErrorKind {
        match self { Self::Invalid { .. } => ErrorKind::Invalid, Self::Taken(_) => ErrorKind::Conflict, Self::NotFound => ErrorKind::NotFound, Self::Store(e) => e.kind() }
    }
    fn code(&self) -> &'static str {
        match self { Self::Invalid { .. } => "invalid", Self::Taken(_) => "taken", Self::NotFound => "not-found", Self::Store(e) => e.code() }
    }
    fn field(&self) -> Option<&str> {
        match self { Self::Invalid { field, .. } => Some(field), Self::Taken(_) => Some("email"), Self::NotFound | Self::Store(_) => None }
    }
}
