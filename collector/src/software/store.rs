//! SQL of titles and installations.

use std::collections::HashSet;

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
            Ok((
                row.id,
                Mark {
                    raw_id,
                    key_hash: row.key_hash,
                },
            ))
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

/// Notes that an item has these titles; noting it twice is harmless.
pub async fn install(tx: &mut Tx, ci: CiId, ids: &[TitleId]) -> Result<(), StoreError> {
    const SQL: ListSql = ListSql {
        sqlite: "INSERT INTO software_installation (title_id, ci_id) SELECT value, $2 FROM json_each($1)
                 WHERE TRUE ON CONFLICT (title_id, ci_id) DO NOTHING",
        postgres: "INSERT INTO software_installation (title_id, ci_id) SELECT title_id, $2 FROM unnest($1) AS title_id
                   ON CONFLICT (title_id, ci_id) DO NOTHING",
    };
    if ids.is_empty() {
        return Ok(());
    }
    dialect::execute_for_integers(tx, SQL, &bare(ids), *ci.as_uuid()).await
}

/// Notes that an item no longer has these titles.
pub async fn uninstall(tx: &mut Tx, ci: CiId, ids: &[TitleId]) -> Result<(), StoreError> {
    const SQL: ListSql = ListSql {
        sqlite: "DELETE FROM software_installation
                 WHERE ci_id = $2 AND title_id IN (SELECT value FROM json_each($1))",
        postgres: "DELETE FROM software_installation WHERE ci_id = $2 AND title_id = ANY ($1)",
    };
    if ids.is_empty() {
        return Ok(());
    }
    dialect::execute_for_integers(tx, SQL, &bare(ids), *ci.as_uuid()).await
}

/// The titles an item has by its installations, as searches see them.
#[cfg(test)]
pub(crate) async fn list_installed_ids(tx: &mut Tx, ci: CiId) -> Result<Vec<TitleId>, StoreError> {
    sql!(tx, |conn| sqlx::query_scalar(
        "SELECT title_id FROM software_installation WHERE ci_id = $1"
    )
    .bind(ci)
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
            install(&mut tx, ci, &[TitleId(1), TitleId(-7), TitleId(i64::MIN)]).await.expect("install");
            install(&mut tx, ci, &[TitleId(1)]).await.expect("again");
            assert_eq!(installed(&mut tx, ci).await, 3);
            uninstall(&mut tx, ci, &[TitleId(i64::MIN), TitleId(1), TitleId(99)]).await.expect("uninstall");
            assert_eq!(installed(&mut tx, ci).await, 1);
        }
    }
}
