//! Files on their way to and from tickets.

use axum::extract::{Path, State};
use axum::response::Response;

use crate::context::Context;
use crate::files::web::{LeftOut, Upload, send};
use crate::files::{self, FILES_MAX};
use crate::kernel::id::FileId;
use crate::tickets::{self, TicketNumber};
use crate::web::numbers::integer;
use crate::web::{PageError, Reader, Texts, WebState};

/// Keeps what was uploaded; all of it fewer people may open when the sender says that it shows personal data.
pub(crate) async fn keep(
    context: &Context,
    uploads: Vec<Upload>,
    personal: bool,
) -> Result<Vec<FileId>, PageError> {
    let mut kept = Vec::with_capacity(uploads.len());
    for upload in uploads {
        // One transaction each: a large file must not keep the writer from the others for long.
        let mut tx = context.db.begin().await?;
        let file = files::keep(&mut tx, context, &upload.name, &upload.media_type, &upload.bytes).await?;
        if personal {
            files::restrict(&mut tx, file.id).await?;
        }
        tx.commit().await?;
        kept.push(file.id);
    }
    Ok(kept)
}

/// Which files were too large or too many, in words.
pub(crate) fn refused(texts: Texts, left_out: &[(String, LeftOut)]) -> Option<String> {
    let said: Vec<String> = left_out.iter().map(|(name, why)| one_refused(texts, name, *why)).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

fn one_refused(texts: Texts, name: &str, why: LeftOut) -> String {
    match why {
        LeftOut::FileSize => texts.t1("file-too-large", "name", name).into_owned(),
        LeftOut::TotalSize => texts.t1("file-too-much", "name", name).into_owned(),
        LeftOut::Count => {
            let max = integer(texts.language(), i64::try_from(FILES_MAX).unwrap_or(i64::MAX));
            texts.t2("file-too-many", ("name", name), ("max", &max)).into_owned()
        }
    }
}

/// A file of a ticket, for whoever sees the ticket and may open it.
pub(crate) async fn download(
    State(state): State<WebState>,
    Path((number, file)): Path<(String, String)>,
    reader: Reader,
) -> Result<Response, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    let file: FileId = file.parse().map_err(|_| PageError::not_found())?;
    let found = tickets::find_attachment(&state.context, &reader.actor, &number, file).await?;
    let (file, bytes) = found.ok_or_else(PageError::not_found)?;
    Ok(send(&file, bytes))
}
