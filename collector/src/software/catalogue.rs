//! Interning of titles, with the marks of known ones in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::model::{Mark, NewTitle, TitleId};
use super::store;
use crate::db::{StoreError, Tx};
use crate::kernel::time::UtcMicros;

/// Titles remembered by one collector: a parc of 100,000 machines has about as many; some 10 MiB.
const KNOWN_MAX: usize = 200_000;

/// Which titles are known, so that most reports need no look-up and no insert.
///
/// A mark found or made in a transaction is remembered only by [`Catalogue::remember`], after the
/// commit: a rolled-back title must not be taken for known.
#[derive(Debug, Default)]
pub struct Catalogue {
    known: Mutex<HashMap<TitleId, Mark>>,
}

impl Catalogue {
    /// Makes sure that every title is stored and gives each one's mark, in `tx`.
    pub async fn intern(
        &self,
        tx: &mut Tx,
        now: UtcMicros,
        titles: &BTreeMap<TitleId, NewTitle>,
    ) -> Result<HashMap<TitleId, Mark>, StoreError> {
        let ids: Vec<TitleId> = titles.keys().copied().collect();
        let mut marks = self.marks(tx, &ids).await?;
        let missing: Vec<(TitleId, &NewTitle)> =
            titles.iter().filter(|(id, _)| !marks.contains_key(id)).map(|(id, new)| (*id, new)).collect();
        if missing.is_empty() {
            return Ok(marks);
        }
        let inserted = store::insert_titles(tx, now, &missing).await?;
        for (id, new) in &missing {
            if inserted.contains(id) {
                marks.insert(*id, new.mark);
            }
        }
        // Another collector was faster with these: its spelling counts.
        let lost: Vec<TitleId> =
            missing.iter().map(|(id, _)| *id).filter(|id| !marks.contains_key(id)).collect();
        marks.extend(store::read_marks(tx, &lost).await?);
        Ok(marks)
    }

    /// The marks of stored titles; an id that is not stored is left out.
    pub async fn marks(&self, tx: &mut Tx, ids: &[TitleId]) -> Result<HashMap<TitleId, Mark>, StoreError> {
        let mut marks = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        {
            let known = self.known();
            for id in ids {
                match known.get(id) {
                    Some(mark) => drop(marks.insert(*id, *mark)),
                    None => missing.push(*id),
                }
            }
        }
        marks.extend(store::read_marks(tx, &missing).await?);
        Ok(marks)
    }

    /// Remembers marks whose transaction was committed.
    pub fn remember(&self, marks: HashMap<TitleId, Mark>) {
        let mut known = self.known();
        if known.len() + marks.len() > KNOWN_MAX {
            known.clear();
        }
        known.extend(marks.into_iter().take(KNOWN_MAX));
    }

    fn known(&self) -> MutexGuard<'_, HashMap<TitleId, Mark>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Db;
    use crate::db_test;
    use crate::software::{InstalledTitle, list_titles};

    fn title(name: &str, raw: u8) -> NewTitle {
        let title = InstalledTitle { name: name.into(), version: "1".into(), ..InstalledTitle::default() };
        NewTitle { title, mark: Mark { raw_id: [raw; 16], key_hash: i64::from(raw) } }
    }

    fn by_id(titles: Vec<NewTitle>) -> BTreeMap<TitleId, NewTitle> {
        titles.into_iter().map(|it| (it.title.id(), it)).collect()
    }

    db_test! {
        async fn the_first_spelling_of_a_title_stays_its_mark(db: Db) {
            let mut tx = db.begin().await.expect("begin");
            let now = UtcMicros::from_seconds(1_700_000_000);
            let first = by_id(vec![title("a", 1), title("b", 2)]);
            Catalogue::default().intern(&mut tx, now, &first).await.expect("intern");
            let again = by_id(vec![title("a", 9), title("c", 3)]);
            let catalogue = Catalogue::default();
            let marks = catalogue.intern(&mut tx, now, &again).await.expect("intern");
            let a = title("a", 0).title.id();
            assert_eq!(marks[&a].raw_id, [1; 16]);
            assert_eq!(marks[&title("c", 0).title.id()].raw_id, [3; 16]);
            catalogue.remember(marks);
            let stored = list_titles(&mut tx, &[a]).await.expect("read");
            assert_eq!(stored.len(), 1);
            assert_eq!(stored[0].title.name, "a");
        }
    }

    db_test! {
        async fn a_rolled_back_title_is_not_taken_for_known(db: Db) {
            let catalogue = Catalogue::default();
            let now = UtcMicros::from_seconds(1_700_000_000);
            let titles = by_id(vec![title("a", 1)]);
            let mut tx = db.begin().await.expect("begin");
            catalogue.intern(&mut tx, now, &titles).await.expect("intern");
            drop(tx);
            let mut tx = db.begin().await.expect("begin");
            catalogue.intern(&mut tx, now, &titles).await.expect("intern");
            let ids: Vec<TitleId> = titles.keys().copied().collect();
            assert_eq!(list_titles(&mut tx, &ids).await.expect("read").len(), 1);
        }
    }
}
