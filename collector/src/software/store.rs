//! SQL of titles and installations.

use std::collections::{BTreeMap, HashSet};

use sqlx::QueryBuilder;

use super::model::{Mark, NewTitle, Title, TitleId};
use crate::db::dialect::{self, ListSql};
use crate::db::{StoreError, Tx};
use crate::kernel::id::CiId;
use crate::kernel::text::search_key;
use crate::kernel::time::UtcMicros;
use crate::sql;

/// Rows of one insert: well below the parameter limits of both engines.
const INSERT_ROWS: usize = 500;

#[derive(sqlx::FromRow)]
struct MarkRow {
    id: TitleId,
    raw_id: Vec<u8>,
    key_hash: i64,
}

pub(super) async fn read_marks(tx: &mut Tx, ids: &[TitleId]) -> Result<Vec<(TitleId, Mark)>, StoreError> {
    const SQL: ListSql = ListSql {
        sqlite: "SELECT id, raw_id, key_hash FROM software_title WHERE id IN (SELECT value FROM json_each($1))",
        postgres: "SELECT id, raw_id, key_hash FROM software_title WHERE id = ANY ($1)",
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<MarkRow> = dialect::fetch_for_integers(tx, SQL, &bare(ids)).await?;
    rows.into_iter()
        .map(|row| {
            let raw_id = row
                .raw_id
                .try_into()
                .map_err(|_| StoreError::inconsistent("software_title", "raw_id", row.id.0))?;
            Ok((row.id, Mark { raw_id, key_hash: row.key_hash }))
        })
        .collect()
}

/// Inserts titles in the order given (by id, so that two collectors never wait for each other in a
/// circle) and says which were new.
pub(super) async fn insert_titles(
    tx: &mut Tx,
    now: UtcMicros,
    titles: &[(TitleId, &NewTitle)],
) -> Result<HashSet<TitleId>, StoreError> {
    let mut inserted = HashSet::with_capacity(titles.len());
    for chunk in titles.chunks(INSERT_ROWS) {
        let ids: Vec<(TitleId,)> = sql!(&mut *tx, |conn| {
            let mut query = QueryBuilder::new(
                "INSERT INTO software_title (id, name, version, publisher, architecture, source, search_key, raw_id, key_hash, first_seen_at) ",
            );
            query.push_values(chunk, |mut row, (id, new)| {
                row.push_bind(*id)
                    .push_bind(&new.title.name)
                    .push_bind(&new.title.version)
                    .push_bind(&new.title.publisher)
                    .push_bind(&new.title.architecture)
                    .push_bind(&new.title.source)
                    .push_bind(search_key(&new.title.name))
                    .push_bind(new.mark.raw_id.to_vec())
                    .push_bind(new.mark.key_hash)
                    .push_bind(now);
            });
            query.push(" ON CONFLICT (id) DO NOTHING RETURNING id");
            query.build_query_as().fetch_all(conn).await
        })?;
        inserted.extend(ids.into_iter().map(|(id,)| id));
    }
    Ok(inserted)
}

/// The titles with these ids, in no particular order.
pub async fn list_titles(tx: &mut Tx, ids: &[TitleId]) -> Result<Vec<Title>, StoreError> {
    const SQL: ListSql = ListSql {
        sqlite: "SELECT id, name, version, publisher, architecture, source FROM software_title
                 WHERE id IN (SELECT value FROM json_each($1))",
        postgres: "SELECT id, name, version, publisher, architecture, source FROM software_title WHERE id = ANY ($1)",
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    dialect::fetch_for_integers(tx, SQL, &bare(ids)).await
}

/// From so many titles of one item on, one statement for that item is cheaper than rows among those of others.
const LIST_TITLES_MIN: usize = 50;

/// Notes which items have which titles now; noting it twice is harmless.
pub async fn install(tx: &mut Tx, titles: &BTreeMap<CiId, Vec<TitleId>>) -> Result<(), StoreError> {
    const SQL: ListSql = ListSql {
        sqlite: "INSERT INTO software_installation (title_id, ci_key) SELECT value, $2 FROM json_each($1)
                 WHERE TRUE ON CONFLICT (title_id, ci_key) DO NOTHING",
        postgres: "INSERT INTO software_installation (title_id, ci_key) SELECT title_id, $2 FROM unnest($1) AS title_id
                   ON CONFLICT (title_id, ci_key) DO NOTHING",
    };
    for (ci, ids) in titles.iter().filter(|(_, ids)| ids.len() >= LIST_TITLES_MIN) {
        dialect::execute_for_integers(tx, SQL, &bare(ids), ci.short()).await?;
    }
    for chunk in few_each(titles).chunks(INSERT_ROWS) {
        sql!(&mut *tx, |conn| {
            let mut query = QueryBuilder::new("INSERT INTO software_installation (title_id, ci_key) ");
            query.push_values(chunk, |mut row, (title, ci)| {
                row.push_bind(*title).push_bind(*ci);
            });
            query.push(" ON CONFLICT (title_id, ci_key) DO NOTHING");
            query.build().execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// Notes which items no longer have which titles.
pub async fn uninstall(tx: &mut Tx, titles: &BTreeMap<CiId, Vec<TitleId>>) -> Result<(), StoreError> {
    const SQL: ListSql = ListSql {
        sqlite: "DELETE FROM software_installation
                 WHERE ci_key = $2 AND title_id IN (SELECT value FROM json_each($1))",
        postgres: "DELETE FROM software_installation WHERE ci_key = $2 AND title_id = ANY ($1)",
    };
    for (ci, ids) in titles.iter().filter(|(_, ids)| ids.len() >= LIST_TITLES_MIN) {
        dialect::execute_for_integers(tx, SQL, &bare(ids), ci.short()).await?;
    }
    for chunk in few_each(titles).chunks(INSERT_ROWS) {
        sql!(&mut *tx, |conn| {
            let mut query =
                QueryBuilder::new("DELETE FROM software_installation WHERE (title_id, ci_key) IN (");
            query.push_values(chunk, |mut row, (title, ci)| {
                row.push_bind(*title).push_bind(*ci);
            });
            query.push(")");
            query.build().execute(conn).await.map(drop)
        })?;
    }
    Ok(())
}

/// Pairs of the items that have few titles each, in order of the table's key.
fn few_each(titles: &BTreeMap<CiId, Vec<TitleId>>) -> Vec<(TitleId, i64)> {
    let few = titles.iter().filter(|(_, ids)| ids.len() < LIST_TITLES_MIN);
    let mut pairs: Vec<_> = few.flat_map(|(ci, ids)| ids.iter().map(|id| (*id, ci.short()))).collect();
    pairs.sort_unstable();
    pairs
}

/// The titles an item has by its installations, as searches see them.
#[cfg(test)]
pub(crate) async fn list_installed_ids(tx: &mut Tx, ci: CiId) -> Result<Vec<TitleId>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar("SELECT title_id FROM software_installation WHERE ci_key = $1")
        .bind(ci.short())
        .fetch_all(conn)
        .await)
}

fn bare(ids: &[TitleId]) -> Vec<i64> {
    ids.iter().map(|it| it.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;
    use crate::db_test;
    use crate::kernel::entropy::SystemEntropy;

    async fn installed(tx: &mut Tx, ci: CiId) -> usize {
        list_installed_ids(tx, ci).await.expect("list").len()
    }

    db_test! {
        async fn installations_follow_the_differences(db: Db) {
            let mut tx = db.begin().await.expect("begin");
            let ci = CiId::generate(UtcMicros::from_seconds(1_700_000_000), &SystemEntropy);
            let of = |ids: &[i64]| BTreeMap::from([(ci, ids.iter().copied().map(TitleId).collect::<Vec<_>>())]);
            install(&mut tx, &of(&[1, -7, i64::MIN])).await.expect("install");
            install(&mut tx, &of(&[1])).await.expect("again");
            assert_eq!(installed(&mut tx, ci).await, 3);
            uninstall(&mut tx, &of(&[i64::MIN, 1, 99])).await.expect("uninstall");
            assert_eq!(installed(&mut tx, ci).await, 1);
            let many: Vec<i64> = (100..300).collect();
            install(&mut tx, &of(&many)).await.expect("install many");
            assert_eq!(installed(&mut tx, ci).await, 201);
            uninstall(&mut tx, &of(&many)).await.expect("uninstall many");
            assert_eq!(installed(&mut tx, ci).await, 1);
        }
    }
}
