//! Persons, roles, sign-in, sessions, API keys. PUBLIC FACE (contract).
pub mod model;
pub(crate) mod web;
use crate::{context::Context, db::{StoreError, Tx}, kernel::{actor::{Actor, Scope}, id::*, page::{Page, PageRequest}, text::EmailAddress}};
pub use model::*;

pub async fn create_person(_tx: &mut Tx, _context: &Context, _actor: &Actor, _new: NewPerson) -> Result<Person, PeopleError> { todo!() }
/// Hashes (Argon2id, blocking pool) and stores; ends the person's sessions.
pub async fn set_password(_context: &Context, _actor: &Actor, _person: PersonId, _password: secrecy::SecretString) -> Result<(), PeopleError> { todo!() }
pub async fn find_person(_tx: &mut Tx, _person: PersonId) -> Result<Option<Person>, StoreError> { todo!() }
pub async fn find_person_by_email(_tx: &mut Tx, _email: &EmailAddress) -> Result<Option<Person>, StoreError> { todo!() }
/// People of an organisation whose name or address contains the words.
pub async fn list_people(_tx: &mut Tx, _scope: Scope, _query: &str, _page: &PageRequest) -> Result<Page<Person>, StoreError> { todo!() }
/// Same answer and same cost for an unknown address and a wrong password; locks after repeated failures.
pub async fn sign_in(_context: &Context, _email: &str, _password: secrecy::SecretString) -> Result<SignedIn, SignInError> { todo!() }
/// The session behind a cookie, if it lives (30 min idle, 12 h at most); touches it at most once a minute.
pub async fn find_session(_context: &Context, _token: &str) -> Result<Option<Session>, StoreError> { todo!() }
pub async fn sign_out(_context: &Context, _token: &str) -> Result<(), StoreError> { todo!() }
pub async fn set_language(_context: &Context, _person: PersonId, _language: Language) -> Result<(), StoreError> { todo!() }
/// Gives the key's secret once: `parc_…`.
pub async fn create_api_key(_tx: &mut Tx, _context: &Context, _actor: &Actor, _new: NewApiKey) -> Result<(ApiKeyId, secrecy::SecretString), PeopleError> { todo!() }
pub async fn find_api_key_actor(_context: &Context, _key: &str) -> Result<Option<Actor>, StoreError> { todo!() }
