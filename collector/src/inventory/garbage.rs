//! What nobody refers to any more, and history older than it is kept. In small transactions, so that
//! reports never wait for long.

use super::store::{history, section};
use crate::context::Context;
use crate::db::StoreError;
use crate::kernel::time::{UtcMicros, days};

/// Contents deleted in one transaction: some milliseconds of the writer.
const CONTENTS_A_BATCH: i64 = 200;
/// Changes deleted in one transaction.
const CHANGES_A_BATCH: i64 = 2_000;
/// Batches of one run; the next run goes on.
const BATCHES_MAX: usize = 500;

/// Deletes section contents that are neither current nor pinned and were last used more than a day ago
/// (a running transaction may still be about to use a younger one). Gives how many.
pub async fn collect_garbage(context: &Context) -> Result<u64, StoreError> {
    let older_than = context.now() - days(1);
    let mut deleted = 0;
    let mut after = Vec::new();
    for _ in 0..BATCHES_MAX {
        let mut read = context.db.read().await?;
        let ids = section::list_unused_contents(&mut read, &after, older_than, CONTENTS_A_BATCH).await?;
        drop(read);
        let Some(last) = ids.last() else { break };
        after.clone_from(last);
        let mut tx = context.db.begin().await?;
        deleted += section::delete_unused_contents(&mut tx, &ids, older_than).await?;
        tx.commit().await?;
    }
    Ok(deleted)
}

/// Deletes item-level history older than a moment. Gives how many changes.
pub async fn prune_history(context: &Context, older_than: UtcMicros) -> Result<u64, StoreError> {
    let mut deleted = 0;
    for _ in 0..BATCHES_MAX {
        let mut tx = context.db.begin().await?;
        let done = history::prune(&mut tx, older_than, CHANGES_A_BATCH).await?;
        tx.commit().await?;
        deleted += done;
        if done < CHANGES_A_BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(deleted)
}
