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
        let after = cursor.and_then(open_cursor);
        Self { after, limit: limit.unwrap_or(PAGE_ROWS_DEFAULT).clamp(1, PAGE_ROWS_MAX) }
    }

    /// From what a program sent, which is told what is wrong.
    ///
    /// # Errors
    ///
    /// The field at fault and the reason: a cursor that no page gave out, a limit outside 1 to [`PAGE_ROWS_MAX`].
    pub fn from_program(cursor: Option<&str>, limit: Option<u32>) -> Result<Self, (&'static str, String)> {
        if limit.is_some_and(|it| !(1..=PAGE_ROWS_MAX).contains(&it)) {
            return Err(("limit", format!("must be between 1 and {PAGE_ROWS_MAX}")));
        }
        if cursor.is_some_and(|it| open_cursor(it).is_none()) {
            return Err(("cursor", "is not one that a page gave as next".into()));
        }
        Ok(Self::from_query(cursor, limit))
    }

    /// Rows to ask the database for: one more than wanted tells whether another page follows.
    pub fn fetch_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// Bytes of checksum at the end of a cursor: they tell a mistyped one, they keep nothing secret.
const CHECK_BYTES: usize = 4;
/// Bytes of the longest sort key.
const KEY_BYTES_MAX: usize = 512;

fn check_of(key: &[u8]) -> [u8; CHECK_BYTES] {
    let mut check = [0; CHECK_BYTES];
    blake3::Hasher::new().update(key).finalize_xof().fill(&mut check);
    check
}

fn cursor_of(key: String) -> String {
    let mut bytes = key.into_bytes();
    let check = check_of(&bytes);
    bytes.extend(check);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn open_cursor(cursor: &str) -> Option<String> {
    let mut bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let key_bytes = bytes.len().checked_sub(CHECK_BYTES).filter(|it| *it <= KEY_BYTES_MAX)?;
    let check = bytes.split_off(key_bytes);
    if check != check_of(&bytes) {
        return None;
    }
    String::from_utf8(bytes).ok()
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
        let next = rows.last().filter(|_| more).map(|it| cursor_of(key(it)));
        Self { rows, next }
    }

    /// The same page with other rows.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(convert).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_told_what_is_wrong_with_its_page() {
        let page = Page::cut(vec!["a", "b"], &PageRequest { after: None, limit: 1 }, |it| (*it).to_owned());
        let next = page.next.expect("another page");
        let request = PageRequest::from_program(Some(&next), Some(200)).expect("valid");
        assert_eq!(request, PageRequest { after: Some("a".into()), limit: 200 });
        let field = |cursor, limit| PageRequest::from_program(cursor, limit).expect_err("refused").0;
        assert_eq!((field(None, Some(0)), field(None, Some(201))), ("limit", "limit"));
        for cursor in ["", "!", "YQ", "nonsense"] {
            assert_eq!(field(Some(cursor), None), "cursor");
            assert_eq!(PageRequest::from_query(Some(cursor), None), PageRequest::first());
        }
    }
}
