//! Lists come in pages with a cursor: the key of the last row, opaque to callers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Rows of a page when the caller does not say.
pub const PAGE_ROWS_DEFAULT: u32 = 50;
/// Rows of the largest page: more than a person reads, little enough to render at once.
pub const PAGE_ROWS_MAX: u32 = 200;

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Sort key of the last row already seen.
    pub after: Option<String>,
    /// Rows wanted, 1 to [`PAGE_ROWS_MAX`].
    pub limit: u32,
}

impl PageRequest {
    /// The first page with the default number of rows.
    pub fn first() -> Self {
        Self { after: None, limit: PAGE_ROWS_DEFAULT }
    }

    /// From what a caller sent; an unreadable cursor starts from the beginning, a limit is clamped.
    pub fn from_query(cursor: Option<&str>, limit: Option<u32>) -> Self {
        let after = cursor
            .and_then(|it| URL_SAFE_NO_PAD.decode(it).ok())
            .and_then(|it| String::from_utf8(it).ok())
            .filter(|it| it.len() <= 512);
        Self { after, limit: limit.unwrap_or(PAGE_ROWS_DEFAULT).clamp(1, PAGE_ROWS_MAX) }
    }

    /// Rows to ask the database for: one more than wanted tells whether another page follows.
    pub fn fetch_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts the surplus row off and makes the cursor from the last row kept.
    pub fn cut(mut rows: Vec<T>, request: &PageRequest, key: impl Fn(&T) -> String) -> Self {
        let wanted = request.limit as usize;
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = rows.last().filter(|_| more).map(|it| URL_SAFE_NO_PAD.encode(key(it)));
        Self { rows, next }
    }

    /// The same page with other rows.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(convert).collect(), next: self.next }
    }
}
