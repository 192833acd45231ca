//! Items as lists show them.

use sqlx::QueryBuilder;

use super::super::model::{CiFilter, CiSummary, Lifecycle};
use super::ROWS_MAX;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{CiId, OrganisationId, PersonId};
use crate::kernel::text::{like_literal, search_key};
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Titles a software filter follows: all versions of a product, not half the catalogue.
const FILTER_TITLES_MAX: i64 = 500;
/// Words of a search; the fifth already finds one machine.
const WORDS_MAX: usize = 5;

macro_rules! summary {
    ($tail:literal) => {
        concat!(
            "SELECT c.id, c.organisation_id, o.name AS organisation_name, c.site_id, COALESCE(s.name, '') AS site_name,
                    c.location, c.assigned_to_id, COALESCE(p.name, '') AS assigned_to_name, c.lifecycle, c.tag,
                    c.tag_source, c.name, c.kind, c.make, c.model, c.serial, c.os_name, c.os_version, c.cpu,
                    c.memory_mib, c.disk_mib, c.software_count, c.has_agent, k.last_contact_at, k.last_change_at,
                    COALESCE(k.problem_count, 0) AS problem_count
             FROM inventory_ci c JOIN site_organisation o ON o.id = c.organisation_id
             LEFT JOIN site s ON s.id = c.site_id LEFT JOIN person p ON p.id = c.assigned_to_id
             LEFT JOIN inventory_contact k ON k.ci_id = c.id ",
            $tail
        )
    };
}

macro_rules! filtered {
    ($head:expr, $tail:literal) => {
        concat!(
            $head,
            "WHERE ($1 IS NULL OR c.organisation_id = $1) AND ($2 IS NULL OR c.organisation_id = $2)
               AND ($3 IS NULL OR c.site_id = $3) AND ($4 IS NULL OR c.kind = $4)
               AND ($5 IS NULL OR LOWER(c.os_name) LIKE $5 ESCAPE '\\' OR LOWER(c.os_version) LIKE $5 ESCAPE '\\')
               AND ($6 IS NULL OR LOWER(c.make) LIKE $6 ESCAPE '\\')
               AND ($7 IS NULL OR COALESCE(k.last_contact_at, c.created_at) < $7)
               AND ($8 = FALSE OR c.tag_key IS NULL)
               AND ($9 IS NULL OR (c.memory_mib > 0 AND c.memory_mib < $9))
               AND ($10 = TRUE OR c.retired_at IS NULL)
               AND ($11 IS NULL OR c.search_key LIKE $11 ESCAPE '\\' OR p.search_key LIKE $11 ESCAPE '\\')
               AND ($12 IS NULL OR c.search_key LIKE $12 ESCAPE '\\' OR p.search_key LIKE $12 ESCAPE '\\')
               AND ($13 IS NULL OR c.search_key LIKE $13 ESCAPE '\\' OR p.search_key LIKE $13 ESCAPE '\\')
               AND ($14 IS NULL OR c.search_key LIKE $14 ESCAPE '\\' OR p.search_key LIKE $14 ESCAPE '\\')
               AND ($15 IS NULL OR c.search_key LIKE $15 ESCAPE '\\' OR p.search_key LIKE $15 ESCAPE '\\')
               AND ($16 IS NULL OR c.short_id IN (SELECT i.ci_key FROM software_installation i WHERE i.title_id IN
                   (SELECT id FROM software_title WHERE search_key LIKE $16 ESCAPE '\\' ORDER BY id LIMIT $17)))",
            $tail
        )
    };
}

/// Binds `$1` to `$17` of [`filtered!`].
macro_rules! bind_filter {
    ($query:expr, $scope:expr, $filter:expr, $words:expr) => {{
        let filter: &CiFilter = $filter;
        let words: &[Option<String>; WORDS_MAX] = $words;
        $query
            .bind($scope.organisation())
            .bind(filter.organisation_id)
            .bind(filter.site_id)
            .bind(filter.kind.as_deref())
            .bind(filter.os.as_deref().and_then(lower_pattern))
            .bind(filter.make.as_deref().and_then(lower_pattern))
            .bind(filter.silent_since)
            .bind(filter.without_tag)
            .bind(filter.memory_below_mib)
            .bind(filter.include_retired)
            .bind(words[0].as_deref())
            .bind(words[1].as_deref())
            .bind(words[2].as_deref())
            .bind(words[3].as_deref())
            .bind(words[4].as_deref())
            .bind(filter.software.as_deref().and_then(pattern))
            .bind(FILTER_TITLES_MAX)
    }};
}

/// A pattern that finds `text` anywhere in a search key; nothing for a blank text.
fn pattern(text: &str) -> Option<String> {
    let key = search_key(text.trim());
    (!key.is_empty()).then(|| format!("%{}%", like_literal(&key)))
}

/// The same for a column that is only lowered.
fn lower_pattern(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    (!text.is_empty()).then(|| format!("%{}%", like_literal(&text)))
}

fn word_patterns(query: &str) -> [Option<String>; WORDS_MAX] {
    let mut words = query.split_whitespace().filter_map(pattern);
    std::array::from_fn(|_| words.next())
}

/// One page after (name, id), by name.
pub(in super::super) async fn list(
    tx: &mut Tx,
    scope: Scope,
    filter: &CiFilter,
    after: Option<(String, CiId)>,
    limit: i64,
) -> Result<Vec<CiSummary>, StoreError> {
    const SQL: &str = filtered!(
        summary!(""),
        " AND ($18 IS NULL OR c.name > $18 OR (c.name = $18 AND c.id > $19)) ORDER BY c.name, c.id LIMIT $20"
    );
    let words = word_patterns(&filter.query);
    let (name, id) = after.unzip();
    sql!(tx, |conn| bind_filter!(sqlx::query_as(SQL), scope, filter, &words)
        .bind(name.as_deref())
        .bind(id)
        .bind(limit)
        .fetch_all(conn)
        .await)
}

pub(in super::super) async fn count(tx: &mut Tx, scope: Scope, filter: &CiFilter) -> Result<i64, StoreError> {
    const SQL: &str = filtered!(
        "SELECT COUNT(*) FROM inventory_ci c LEFT JOIN person p ON p.id = c.assigned_to_id
         LEFT JOIN inventory_contact k ON k.ci_id = c.id ",
        ""
    );
    let words = word_patterns(&filter.query);
    sql!(tx, |conn| bind_filter!(sqlx::query_scalar(SQL), scope, filter, &words).fetch_one(conn).await)
}

pub(in super::super) async fn find(
    tx: &mut Tx,
    scope: Scope,
    ci: CiId,
) -> Result<Option<CiSummary>, StoreError> {
    const SQL: &str = summary!("WHERE c.id = $1 AND ($2 IS NULL OR c.organisation_id = $2)");
    sql!(tx, |conn| sqlx::query_as(SQL).bind(ci).bind(scope.organisation()).fetch_optional(conn).await)
}

pub(in super::super) async fn find_by_tag(
    tx: &mut Tx,
    organisation: OrganisationId,
    key: &str,
) -> Result<Option<CiSummary>, StoreError> {
    const SQL: &str = summary!("WHERE c.organisation_id = $1 AND c.tag_key = $2");
    sql!(tx, |conn| sqlx::query_as(SQL).bind(organisation).bind(key).fetch_optional(conn).await)
}

pub(in super::super) async fn list_by_tag(
    tx: &mut Tx,
    scope: Scope,
    key: &str,
    limit: i64,
) -> Result<Vec<CiSummary>, StoreError> {
    const SQL: &str = summary!(
        "WHERE c.tag_key = $1 AND ($2 IS NULL OR c.organisation_id = $2) ORDER BY o.name, c.id LIMIT $3"
    );
    sql!(tx, |conn| sqlx::query_as(SQL)
        .bind(key)
        .bind(scope.organisation())
        .bind(limit)
        .fetch_all(conn)
        .await)
}

pub(in super::super) async fn tag_is_foreign(
    tx: &mut Tx,
    organisation: OrganisationId,
    key: &str,
) -> Result<bool, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM inventory_ci WHERE tag_key = $1 AND organisation_id <> $2)"
    )
    .bind(key)
    .bind(organisation)
    .fetch_one(conn)
    .await)
}

pub(in super::super) async fn list_by_tag_keys(
    tx: &mut Tx,
    organisation: OrganisationId,
    keys: &[String],
    limit: i64,
) -> Result<Vec<CiSummary>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let keys = keys.get(..ROWS_MAX).unwrap_or(keys);
    sql!(tx, |conn| {
        let mut query = QueryBuilder::new(summary!("WHERE c.organisation_id = "));
        query.push_bind(organisation);
        query.push(" AND c.retired_at IS NULL AND c.tag_key IN (");
        let mut list = query.separated(", ");
        for key in keys {
            list.push_bind(key);
        }
        query.push(") ORDER BY c.tag_key LIMIT ");
        query.push_bind(limit);
        query.build_query_as().fetch_all(conn).await
    })
}

pub(in super::super) async fn list_of_person(
    tx: &mut Tx,
    person: PersonId,
    limit: i64,
) -> Result<Vec<CiSummary>, StoreError> {
    const SQL: &str =
        summary!("WHERE c.assigned_to_id = $1 AND c.retired_at IS NULL ORDER BY c.name, c.id LIMIT $2");
    sql!(tx, |conn| sqlx::query_as(SQL).bind(person).bind(limit).fetch_all(conn).await)
}

pub(in super::super) async fn list_by_lifecycle(
    tx: &mut Tx,
    scope: Scope,
    organisation: Option<OrganisationId>,
    lifecycle: Lifecycle,
    limit: i64,
) -> Result<Vec<CiSummary>, StoreError> {
    const SQL: &str = summary!(
        "WHERE c.lifecycle = $1 AND ($2 IS NULL OR c.organisation_id = $2) AND ($3 IS NULL OR c.organisation_id = $3)
         ORDER BY c.name, c.id LIMIT $4"
    );
    sql!(tx, |conn| sqlx::query_as(SQL)
        .bind(lifecycle)
        .bind(scope.organisation())
        .bind(organisation)
        .bind(limit)
        .fetch_all(conn)
        .await)
}

/// When an item was made.
pub(in super::super) async fn created_at(tx: &mut Tx, ci: CiId) -> Result<Option<UtcMicros>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar("SELECT created_at FROM inventory_ci WHERE id = $1")
        .bind(ci)
        .fetch_optional(conn)
        .await)
}
