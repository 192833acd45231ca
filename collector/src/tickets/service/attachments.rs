//! Files on tickets: who may put them there, who may open them.

use serde_json::{Value, json};

use super::view::internal_reader;
use crate::context::Context;
use crate::db::Tx;
use crate::files::{self, FILES_MAX, StoredFile};
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::FileId;
use crate::tickets::action::TicketError;
use crate::tickets::model::{Ticket, TicketEvent};
use crate::tickets::number::TicketNumber;
use crate::tickets::store::{self, Visibility};

/// Claims kept files for a ticket and gives the history's words about them.
pub(in crate::tickets) async fn claim(
    tx: &mut Tx,
    number: &TicketNumber,
    wanted: &[FileId],
    public: bool,
) -> Result<Vec<Value>, TicketError> {
    if wanted.len() > FILES_MAX {
        return Err(TicketError::invalid("files", format!("must be at most {FILES_MAX}")));
    }
    let mut told = Vec::with_capacity(wanted.len());
    for &id in wanted {
        let refused = || TicketError::invalid("files", "must be files that belong to nothing yet");
        let file = files::find(tx, id).await?.ok_or_else(refused)?;
        if !files::claim(tx, id).await? {
            return Err(refused());
        }
        store::insert_file(tx, number, id, public).await?;
        told.push(words(&file));
    }
    Ok(told)
}

/// What the history tells about a file, so that it still does when the file itself is gone.
fn words(file: &StoredFile) -> Value {
    json!({
        "id": file.id,
        "name": file.name,
        "media_type": file.media_type,
        "size_bytes": file.size_bytes,
        "restricted": file.restricted,
    })
}

/// A file of a ticket with its bytes, if the actor may open it; `None` when it may not, or there is none.
pub async fn find_attachment(
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    file: FileId,
) -> Result<Option<(StoredFile, Vec<u8>)>, TicketError> {
    let mut tx = context.db.read().await?;
    let ticket = store::find_visible(&mut tx, Visibility::of(actor), number).await?;
    let Some(ticket) = ticket else { return Ok(None) };
    let Some(found) = store::find_file(&mut tx, number, file).await? else { return Ok(None) };
    let shown = (found.public || internal_reader(actor))
        && (!found.file.restricted || opens_restricted(actor, &ticket));
    if !shown {
        return Ok(None);
    }
    Ok(files::read(&mut tx, file).await?.map(|bytes| (found.file, bytes)))
}

/// What shows personal data is opened by the people it came from and by who works on it; others of the
/// organisation, auditors and reading programs see that it is there.
fn opens_restricted(actor: &Actor, ticket: &Ticket) -> bool {
    let party = actor.person().is_some_and(|it| it == ticket.requester_id || it == ticket.beneficiary_id);
    party || actor.may(Permission::WorkTickets)
}

/// Marks in the history which restricted files the actor may open.
pub(super) fn mark_openable(actor: &Actor, ticket: &Ticket, event: &mut TicketEvent) {
    let may = opens_restricted(actor, ticket);
    let files = event.data.get_mut("files").and_then(Value::as_array_mut);
    for file in files.into_iter().flatten().filter_map(Value::as_object_mut) {
        let restricted = file.get("restricted") == Some(&Value::Bool(true));
        file.insert("openable".into(), (may || !restricted).into());
    }
}
