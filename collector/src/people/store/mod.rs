//! SQL of `person` and `person_role`.

pub(super) mod api_key;
pub(super) mod session;
pub(super) mod token;

use super::manage::Contact;
use super::model::{Language, Person};
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Role, Scope};
use crate::kernel::id::{OrganisationId, PersonId, SiteId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::text::{EmailAddress, like_literal, search_key};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Words of a search that are looked at; more narrow nothing that a person would notice.
const SEARCH_WORDS: usize = 4;
/// Between the two halves of a list cursor; never inside a search key, whose texts were cleaned.
const CURSOR_SEPARATOR: char = '\u{1F}';

#[derive(Debug, sqlx::FromRow)]
struct PersonRow {
    id: PersonId,
    organisation_id: Option<OrganisationId>,
    email: EmailAddress,
    login: Option<String>,
    name: String,
    search_key: String,
    phone: String,
    language: Language,
    status: String,
    default_site_id: Option<SiteId>,
    password_hash: Option<String>,
    roles: String,
}

macro_rules! person_query {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.organisation_id, p.email, p.login, p.name, p.search_key, p.phone, p.language, p.status,
                    p.default_site_id, p.password_hash,
                    COALESCE((SELECT string_agg(r.role, ',') FROM person_role r WHERE r.person_id = p.id), '') AS roles
             FROM person p ",
            $rest
        )
    };
}

impl PersonRow {
    fn into_person(self) -> Result<Person, StoreError> {
        let words: Vec<&str> = self.roles.split(',').filter(|it| !it.is_empty()).collect();
        let roles: Vec<Role> = Role::ALL.into_iter().filter(|it| words.contains(&it.code())).collect();
        if roles.len() != words.len() {
            return Err(StoreError::inconsistent("person_role", "role", self.id));
        }
        Ok(Person {
            id: self.id,
            organisation_id: self.organisation_id,
            email: self.email,
            login: self.login,
            name: self.name,
            phone: self.phone,
            language: self.language,
            active: self.status == "active",
            default_site_id: self.default_site_id,
            roles,
        })
    }
}

/// Stores a person; `false` when the address is taken.
pub(super) async fn insert_person(tx: &mut Tx, new: &Person, at: UtcMicros) -> Result<bool, StoreError> {
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO person (id, organisation_id, email, name, search_key, phone, language, status, default_site_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $9) ON CONFLICT (email) DO NOTHING"
    )
    .bind(new.id)
    .bind(new.organisation_id)
    .bind(&new.email)
    .bind(&new.name)
    .bind(search_key(&format!("{} {}", new.name, new.email)))
    .bind(&new.phone)
    .bind(new.language)
    .bind(new.default_site_id)
    .bind(at)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
    })
}

pub(super) async fn replace_roles(tx: &mut Tx, person: PersonId, roles: &[Role]) -> Result<(), StoreError> {
    sql!(&mut *tx, |conn| sqlx::query("DELETE FROM person_role WHERE person_id = $1")
        .bind(person)
        .execute(conn)
        .await
        .map(drop))?;
    for role in roles {
        sql!(&mut *tx, |conn| sqlx::query("INSERT INTO person_role (person_id, role) VALUES ($1, $2)")
            .bind(person)
            .bind(*role)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

pub(super) async fn update_status(tx: &mut Tx, person: PersonId, active: bool) -> Result<(), StoreError> {
    let status = if active { "active" } else { "suspended" };
    sql!(tx, |conn| sqlx::query("UPDATE person SET status = $2 WHERE id = $1")
        .bind(person)
        .bind(status)
        .execute(conn)
        .await
        .map(drop))
}

pub(super) async fn update_password(tx: &mut Tx, person: PersonId, hash: &str) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE person SET password_hash = $2 WHERE id = $1")
        .bind(person)
        .bind(hash)
        .execute(conn)
        .await
        .map(drop))
}

/// Takes everything off a person's record that tells who they were.
pub(super) async fn forget(
    tx: &mut Tx,
    person: PersonId,
    pseudonym: &str,
    address: &str,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE person SET name = $2, email = $3, search_key = $4, phone = '', status = 'suspended',
             password_hash = NULL, default_site_id = NULL WHERE id = $1"
    )
    .bind(person)
    .bind(pseudonym)
    .bind(address)
    .bind(search_key(pseudonym))
    .execute(conn)
    .await
    .map(drop))
}

pub(super) async fn update_language(
    tx: &mut Tx,
    person: PersonId,
    language: Language,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE person SET language = $2 WHERE id = $1")
        .bind(person)
        .bind(language)
        .execute(conn)
        .await
        .map(drop))
}

pub(super) async fn update_contact(
    tx: &mut Tx,
    person: PersonId,
    contact: &Contact,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query("UPDATE person SET phone = $2, default_site_id = $3 WHERE id = $1")
        .bind(person)
        .bind(&contact.phone)
        .bind(contact.default_site_id)
        .execute(conn)
        .await
        .map(drop))
}

/// Gives or takes a short name; false when somebody has it.
pub(super) async fn update_login(
    tx: &mut Tx,
    person: PersonId,
    login: Option<&str>,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE person SET login = $2 WHERE id = $1
           AND ($2 IS NULL OR NOT EXISTS (SELECT 1 FROM person WHERE login = $2 AND id <> $1))"
    )
    .bind(person)
    .bind(login)
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1))
}

pub(super) async fn remove(tx: &mut Tx, person: PersonId) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE person SET status = 'removed', password_hash = NULL, login = NULL WHERE id = $1"
    )
    .bind(person)
    .execute(conn)
    .await
    .map(drop))
}

/// Who was removed from that organisation and had that address.
pub(super) async fn find_removed(
    tx: &mut Tx,
    email: &EmailAddress,
    organisation: Option<OrganisationId>,
) -> Result<Option<PersonId>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT id FROM person WHERE email = $1 AND organisation_id = $2 AND status = 'removed'"
    )
    .bind(email)
    .bind(organisation)
    .fetch_optional(conn)
    .await)
}

/// Brings a removed person back, without the old password.
pub(super) async fn restore(
    tx: &mut Tx,
    person: PersonId,
    name: &str,
    email: &str,
    contact: &Contact,
) -> Result<(), StoreError> {
    sql!(tx, |conn| sqlx::query(
        "UPDATE person SET status = 'active', name = $2, search_key = $3, phone = $4, default_site_id = $5
         WHERE id = $1"
    )
    .bind(person)
    .bind(name)
    .bind(search_key(&format!("{name} {email}")))
    .bind(&contact.phone)
    .bind(contact.default_site_id)
    .execute(conn)
    .await
    .map(drop))
}

/// The person with that id.
pub async fn find_person(tx: &mut Tx, person: PersonId) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> = sql!(tx, |conn| sqlx::query_as(person_query!("WHERE p.id = $1"))
        .bind(person)
        .fetch_optional(conn)
        .await)?;
    row.map(PersonRow::into_person).transpose()
}

/// The person with that address.
pub async fn find_person_by_email(tx: &mut Tx, email: &EmailAddress) -> Result<Option<Person>, StoreError> {
    find_person_by_identifier(tx, email.as_str()).await
}

/// The person with that address or short name, in lower case.
pub async fn find_person_by_identifier(tx: &mut Tx, identifier: &str) -> Result<Option<Person>, StoreError> {
    Ok(find_credentials(tx, identifier).await?.map(|(person, _)| person))
}

/// The person with that address or short name and the hash of their password, if one was set. No short name has
/// an `@`, so the two cannot be taken for each other.
pub(super) async fn find_credentials(
    tx: &mut Tx,
    identifier: &str,
) -> Result<Option<(Person, Option<String>)>, StoreError> {
    let row: Option<PersonRow> =
        sql!(tx, |conn| sqlx::query_as(person_query!("WHERE p.email = $1 OR p.login = $1"))
            .bind(identifier)
            .fetch_optional(conn)
            .await)?;
    row.map(|mut it| {
        let hash = it.password_hash.take();
        it.into_person().map(|person| (person, hash))
    })
    .transpose()
}

/// People in scope whose name or address contains every word of `query`, without regard to case and
/// accents, by name. At most four words count.
pub async fn list_people(
    tx: &mut Tx,
    scope: Scope,
    query: &str,
    page: &PageRequest,
) -> Result<Page<Person>, StoreError> {
    let folded = search_key(query);
    let mut words = folded.split_whitespace().take(SEARCH_WORDS).map(|it| format!("%{}%", like_literal(it)));
    let mut next_word = || words.next().unwrap_or_else(|| "%".into());
    let after = page.after.as_deref().and_then(|it| it.split_once(CURSOR_SEPARATOR));
    let after = after.and_then(|(key, id)| id.parse::<PersonId>().ok().map(|id| (key, id)));
    let rows: Vec<PersonRow> = sql!(tx, |conn| sqlx::query_as(person_query!(
        "WHERE ($1 IS NULL OR p.organisation_id = $1) AND p.status <> 'removed'
           AND p.search_key LIKE $2 ESCAPE '\\' AND p.search_key LIKE $3 ESCAPE '\\'
           AND p.search_key LIKE $4 ESCAPE '\\' AND p.search_key LIKE $5 ESCAPE '\\'
           AND ($6 IS NULL OR (p.search_key, p.id) > ($6, $7))
         ORDER BY p.search_key, p.id LIMIT $8"
    ))
    .bind(scope.organisation())
    .bind(next_word())
    .bind(next_word())
    .bind(next_word())
    .bind(next_word())
    .bind(after.map(|(key, _)| key))
    .bind(after.map(|(_, id)| id))
    .bind(page.fetch_limit())
    .fetch_all(conn)
    .await)?;
    let page = Page::cut(rows, page, |it| format!("{}{CURSOR_SEPARATOR}{}", it.search_key, it.id));
    let people: Result<Vec<Person>, StoreError> = page.rows.into_iter().map(PersonRow::into_person).collect();
    Ok(Page { rows: people?, next: page.next })
}

/// Active people with a role who work for an organisation or for the provider, by name.
pub async fn list_active_with_role(
    tx: &mut Tx,
    role: Role,
    organisation: Option<OrganisationId>,
    limit: i64,
) -> Result<Vec<Person>, StoreError> {
    let rows: Vec<PersonRow> = sql!(tx, |conn| sqlx::query_as(person_query!(
        "WHERE p.status = 'active' AND (p.organisation_id IS NULL OR p.organisation_id = $2)
           AND EXISTS (SELECT 1 FROM person_role x WHERE x.person_id = p.id AND x.role = $1)
         ORDER BY p.search_key, p.id LIMIT $3"
    ))
    .bind(role)
    .bind(organisation)
    .bind(limit)
    .fetch_all(conn)
    .await)?;
    rows.into_iter().map(PersonRow::into_person).collect()
}
