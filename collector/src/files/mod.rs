//! Files people send: kept by content, named for people, typed by their own bytes. Owns `file` and `file_content`.
//!
//! Invariants: a content is stored once and never changes; a media type is what the bytes say, never what the
//! sender said; only pictures that a browser cannot run are ever shown, everything else is downloaded; nothing is
//! unpacked. Other slices claim the files they point at; what nobody claims is dropped after a week.

mod model;
mod name;
mod personal;
mod serving;
mod sniff;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod web;

use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::id::FileId;
use crate::kernel::time::days;

pub use model::{FILE_BYTES_MAX, FILES_BYTES_MAX, FILES_MAX, FileError, StoredFile};
pub use name::file_name;
pub use personal::holds_social_security_number;
pub use serving::{Serving, content_disposition, serving};
pub use store::{claim, find, forget, read, read_unclaimed, restrict};

/// Days an unclaimed file is kept: as long as a draft.
pub const UNCLAIMED_DAYS: u64 = 7;

/// Keeps a file. `media_type` is what the sender said; it only decides between texts that look alike. A file in
/// which a French social-security number is found comes out restricted.
pub async fn keep(
    tx: &mut Tx,
    context: &Context,
    name: &str,
    media_type: &str,
    bytes: &[u8],
) -> Result<StoredFile, FileError> {
    let name = file_name(name);
    if bytes.is_empty() {
        return Err(FileError::Empty { name });
    }
    if bytes.len() > FILE_BYTES_MAX {
        return Err(FileError::TooLarge { name });
    }
    let media_type = sniff::media_type(bytes, &name, media_type);
    let file = StoredFile {
        id: FileId::generate(context.now(), context.entropy.as_ref()),
        restricted: personal::is_suspect(bytes, media_type, &name),
        size_bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        media_type: media_type.to_owned(),
        name,
    };
    let hash = *blake3::hash(bytes).as_bytes();
    store::insert(tx, &file, &hash, bytes, context.now()).await?;
    Ok(file)
}

/// Drops files nobody claimed and contents nobody names, a bounded number at a time; gives how many rows went.
pub async fn prune(tx: &mut Tx, context: &Context) -> Result<u64, StoreError> {
    let before = context.now() - days(UNCLAIMED_DAYS);
    let files = store::delete_unclaimed(tx, before).await?;
    Ok(files + store::delete_unnamed(tx).await?)
}
