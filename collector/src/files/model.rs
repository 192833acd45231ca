//! Types of the slice.

use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::FileId;

/// Bytes of one file: a long screen recording fits, a disk image does not.
pub const FILE_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Bytes of all files sent at once.
pub const FILES_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Files sent at once.
pub const FILES_MAX: usize = 20;

/// A kept file without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredFile {
    /// Its id.
    pub id: FileId,
    /// As shown and downloaded: one line without path, at most 120 characters.
    pub name: String,
    /// What the bytes are.
    pub media_type: String,
    /// Bytes.
    pub size_bytes: i64,
    /// Shows personal data: fewer people may open it.
    pub restricted: bool,
}

/// Why a file was not kept.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing in it.
    #[error("file {name:?} is empty")]
    Empty {
        /// Its name.
        name: String,
    },
    /// More than [`FILE_BYTES_MAX`].
    #[error("file {name:?} has more than {FILE_BYTES_MAX} bytes")]
    TooLarge {
        /// Its name.
        name: String,
    },
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for FileError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Empty { .. } | Self::TooLarge { .. } => ErrorKind::Invalid,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "file-empty",
            Self::TooLarge { .. } => "file-too-large",
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Empty { .. } | Self::TooLarge { .. } => Some("file"),
            Self::Store(_) => None,
        }
    }
}
