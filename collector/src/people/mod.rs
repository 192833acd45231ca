//! Persons, what they may do, how they sign in, and the keys of other programs. Owns `person`,
//! `person_role`, `person_session`, `person_sign_in_failure`, `person_token`, `person_mail_request`, `person_api_key`.
//!
//! Invariants: of passwords, session tokens and API keys only hashes are stored; whoever sees all
//! organisations is the provider's own staff; an unknown address costs, answers and locks like a known one.

mod api_key;
mod forget;
mod manage;
pub mod model;
mod password;
mod service;
mod session;
mod sign_in;
mod store;
#[cfg(test)]
mod tests;
mod token;
pub(crate) mod web;

pub use api_key::{create_api_key, find_api_key_actor, revoke_api_key};
pub use forget::{forget_person, nobody_of};
pub use manage::{
    Contact, authorise_person, grantable_roles, may_manage, remove_person, set_contact, set_login,
};
pub use model::{
    ApiKey, Language, NewApiKey, NewPerson, PeopleError, Person, Session, SignInError, SignedIn, actor_of,
};
pub use password::PASSWORD_CHARS;
pub use service::{create_person, prune, set_language, set_password, set_roles, set_status};
pub use session::{SESSION_AGE_MAX, SESSION_IDLE_MAX, find_session, sign_out};
pub use sign_in::{change_password, sign_in};
pub use store::api_key::list_api_keys;
pub use store::{
    find_person, find_person_by_email, find_person_by_identifier, list_active_with_role, list_people,
};
pub use token::{LinkPurpose, count_mail, find_link, issue_link, use_link};
