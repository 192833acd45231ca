//! Rows for a list of keys of any length.

use sqlx::{Encode, FromRow, Postgres, QueryBuilder, Sqlite, Type};

use super::{StoreError, Tx};
use crate::sql;

/// Keys of one statement: well below the parameter limits of both engines.
const KEYS_MAX: usize = 500;

/// Every row whose key is in `keys`, in no particular order. `head` is the statement up to and with `IN (`.
pub async fn fetch_in<K, R>(tx: &mut Tx, head: &'static str, keys: &[K]) -> Result<Vec<R>, StoreError>
where
    K: Clone + Send + 'static,
    K: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + Type<Postgres>,
    R: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow> + for<'r> FromRow<'r, sqlx::postgres::PgRow>,
    R: Send + Unpin,
{
    let mut rows = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(KEYS_MAX) {
        let found: Vec<R> = sql!(&mut *tx, |conn| {
            let mut query = QueryBuilder::new(head);
            let mut list = query.separated(", ");
            for key in chunk {
                list.push_bind(key.clone());
            }
            query.push(")");
            query.build_query_as().fetch_all(conn).await
        })?;
        rows.extend(found);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;
    use crate::db_test;

    const HEAD: &str = "SELECT id FROM software_title WHERE id IN (";

    db_test! {
        async fn a_list_longer_than_a_statement_allows_is_read_whole(db: Db) {
            let mut tx = db.begin().await.expect("begin");
            for id in 0..1_201_i64 {
                sql!(&mut tx, |conn| sqlx::query(
                    "INSERT INTO software_title (id, name, version, publisher, architecture, source, search_key,
                         raw_id, key_hash, first_seen_at) VALUES ($1, '', '', '', '', '', '', $2, 0, 0)"
                )
                .bind(id)
                .bind(vec![0_u8; 16])
                .execute(conn)
                .await
                .map(drop)).expect("insert");
            }
            let keys: Vec<i64> = (1..=1_300).collect();
            let mut found: Vec<i64> =
                fetch_in::<_, (i64,)>(&mut tx, HEAD, &keys).await.expect("read").into_iter().map(|it| it.0).collect();
            found.sort_unstable();
            assert_eq!(found, (1..=1_200).collect::<Vec<i64>>());
            assert!(fetch_in::<i64, (i64,)>(&mut tx, HEAD, &[]).await.expect("read").is_empty());
        }
    }
}
