//! What people are writing: kept while it is written, on every collector, until it is sent or a week old.

use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::files::{self, FILES_MAX, StoredFile, UNCLAIMED_DAYS};
use crate::kernel::id::{FileId, PersonId};
use crate::kernel::time::{UtcMicros, days};
use crate::tickets::action::TicketError;
use crate::tickets::store;
use crate::tickets::words::TicketKind;

/// Bytes of a draft's fields: the longest form there is.
const FIELDS_BYTES_MAX: usize = 200 * 1024;

/// A ticket somebody is writing.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Draft {
    /// The form's fields as JSON, as the form keeps them.
    pub fields: String,
    /// When it was last kept.
    pub updated_at: UtcMicros,
}

/// The person's draft of a kind, if it is not forgotten.
pub async fn find_draft(
    tx: &mut Tx,
    context: &Context,
    person: PersonId,
    kind: TicketKind,
) -> Result<Option<Draft>, StoreError> {
    let draft = store::find_draft(tx, person, kind).await?;
    Ok(draft.filter(|it| it.updated_at > context.now() - days(UNCLAIMED_DAYS)))
}

/// Keeps the person's draft of a kind; a later one replaces it.
///
/// # Errors
///
/// `description` when the fields have more than 200 KiB together.
pub async fn keep_draft(
    tx: &mut Tx,
    context: &Context,
    person: PersonId,
    kind: TicketKind,
    fields: &str,
) -> Result<(), TicketError> {
    if fields.len() > FIELDS_BYTES_MAX {
        return Err(TicketError::invalid(
            "description",
            format!("must have at most {FIELDS_BYTES_MAX} bytes"),
        ));
    }
    Ok(store::upsert_draft(tx, person, kind, fields, context.now()).await?)
}

/// Lays a kept file beside the draft.
///
/// # Errors
///
/// `files` when there are twenty already.
pub async fn add_draft_file(
    tx: &mut Tx,
    person: PersonId,
    kind: TicketKind,
    file: FileId,
) -> Result<(), TicketError> {
    if store::list_draft_files(tx, person, kind).await?.len() >= FILES_MAX {
        return Err(TicketError::invalid("files", format!("must be at most {FILES_MAX}")));
    }
    Ok(store::insert_draft_file(tx, person, kind, file).await?)
}

/// Takes a file away from the person's draft and drops it.
pub async fn remove_draft_file(
    tx: &mut Tx,
    person: PersonId,
    kind: TicketKind,
    file: FileId,
) -> Result<(), StoreError> {
    if store::delete_draft_file(tx, person, kind, file).await? {
        files::forget(tx, file).await?;
    }
    Ok(())
}

/// Files that lie beside the person's draft, in the order they came.
pub async fn list_draft_files(
    tx: &mut Tx,
    person: PersonId,
    kind: TicketKind,
) -> Result<Vec<StoredFile>, StoreError> {
    store::list_draft_files(tx, person, kind).await
}

/// Forgets the person's draft of a kind. Files a ticket took are its own by now; the others are dropped in time.
pub async fn delete_draft(tx: &mut Tx, person: PersonId, kind: TicketKind) -> Result<(), StoreError> {
    store::delete_draft(tx, person, kind).await
}

/// Drops drafts nobody came back to, a bounded number at a time; gives how many rows went.
pub async fn prune_drafts(tx: &mut Tx, context: &Context) -> Result<u64, StoreError> {
    store::delete_old_drafts(tx, context.now() - days(UNCLAIMED_DAYS)).await
}
