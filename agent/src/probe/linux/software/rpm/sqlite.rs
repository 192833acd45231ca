//! rpm's database in the SQLite form: one table of packages, read front to back by the published format of
//! the file (<https://www.sqlite.org/fileformat2.html>), so that the agent carries no database engine for it.
//!
//! Nothing is written and no lock is taken, not even beside the database. What makes that safe is looking
//! twice: the state of file and log before the reading and after it must be the same, or the reading begins
//! again. Every number comes from a file and is checked; no page is paid for twice, so a damaged or forged
//! file costs at most one reading of its own size.

mod log;
mod pages;
mod record;

use std::io;
use std::time::Duration;

use thiserror::Error;

use self::pages::Pages;
use self::record::{Value, varint};
use super::super::Titles;
use super::header;
use crate::root::{ReadError, Root};

const TABLE: &[u8] = b"Packages";
/// `CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)`.
const BLOB_COLUMN: usize = 1;
/// A kernel with its file list takes 2 MiB.
const ROW_BYTES_MAX: usize = 16 * 1024 * 1024;
const SCHEMA_PAGE: u32 = 1;
/// Pages of two children each would hold a million pages at this depth; real ones hold hundreds each.
const DEPTH_MAX: usize = 20;
const INTERIOR: u8 = 0x05;
const LEAF: u8 = 0x0D;
/// An installation writes one package at a time and pauses between them.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// Why the packages of a database are not known.
#[derive(Debug, Error)]
pub(super) enum SqliteError {
    #[error(transparent)]
    Open(#[from] ReadError),
    #[error("{0}")]
    Read(#[from] io::Error),
    #[error("it is no SQLite database of a known form")]
    Unknown,
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    #[error("it has no table of packages")]
    NoTable,
    #[error("it or its log is larger than {0} bytes")]
    TooLarge(u64),
    #[error("it was being written all the time")]
    Busy,
}

/// Adds every package of the database. A damaged package is passed over; a damaged table is an error, for
/// a list that lacks its end would look like removals.
pub(super) fn read(root: &Root, path: &str, titles: &mut Titles) -> Result<(), SqliteError> {
    let before = (titles.found.len(), titles.left_out);
    for attempt in 1.. {
        let outcome = read_once(root, path, titles);
        // What was read from two states may look damaged; only a quiet file is.
        let changing = matches!(outcome, Ok(false) | Err(SqliteError::Busy | SqliteError::Damaged(_)));
        if !changing || !root.is_live() || attempt == ATTEMPTS {
            return if outcome? { Ok(()) } else { Err(SqliteError::Busy) };
        }
        titles.found.truncate(before.0);
        titles.left_out = before.1;
        std::thread::sleep(PAUSE);
    }
    Err(SqliteError::Busy)
}

/// `false` when the database changed meanwhile.
fn read_once(root: &Root, path: &str, titles: &mut Titles) -> Result<bool, SqliteError> {
    let mut pages = Pages::open(root, path)?;
    let table = find_table(&mut pages)?;
    rows(&mut pages, table, &mut |row| {
        let columns = record::columns(row).ok_or(SqliteError::Damaged("a row has no columns"))?;
        if let Some(Value::Bytes(blob)) = columns.get(BLOB_COLUMN) {
            titles.extend(header::parse(blob));
        }
        Ok(())
    })?;
    pages.are_unchanged(root, path)
}

/// The first page of the table of packages. A view of that name would be somebody else's program.
fn find_table(pages: &mut Pages) -> Result<u32, SqliteError> {
    let mut found = None;
    rows(pages, SCHEMA_PAGE, &mut |row| {
        let columns = record::columns(row).ok_or(SqliteError::Damaged("the schema cannot be read"))?;
        if let [Value::Bytes(b"table"), Value::Bytes(name), _, Value::Integer(page), ..] = columns[..]
            && name.eq_ignore_ascii_case(TABLE)
        {
            found = u32::try_from(page).ok();
        }
        Ok(())
    })?;
    found.ok_or(SqliteError::NoTable)
}

type EachRow<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), SqliteError>;

/// Hands every row of the table that begins at page `first` to `each`, in their order. Rows over the limit
/// are passed over.
fn rows(pages: &mut Pages, first: u32, each: EachRow<'_>) -> Result<(), SqliteError> {
    // Pages that are still to be looked at, the next one last.
    let mut open = vec![(first, 1)];
    while let Some((number, depth)) = open.pop() {
        if depth > DEPTH_MAX {
            return Err(SqliteError::Damaged("its tree is too deep"));
        }
        let page = Page { bytes: pages.read(number)?, head: Pages::head_of(number) };
        match page.byte(0)? {
            INTERIOR => {
                let cells = (0..page.cells()?).map(|cell| page.number(page.cell(cell, 12)?));
                let children: Vec<_> = cells.chain([page.number(page.head + 8)]).collect::<Result<_, _>>()?;
                open.extend(children.into_iter().rev().map(|it| (it, depth + 1)));
                if open.len() > pages.count() as usize {
                    return Err(SqliteError::Damaged("its tree has more branches than pages"));
                }
            }
            LEAF => leaf(pages, &page, each)?,
            _ => return Err(SqliteError::Damaged("a page is not of a table")),
        }
    }
    Ok(())
}

fn leaf(pages: &mut Pages, page: &Page, each: EachRow<'_>) -> Result<(), SqliteError> {
    let (mut row, mut used) = (Vec::new(), 0);
    for cell in 0..page.cells()? {
        let Some(here) = payload(pages, page, page.cell(cell, 8)?, &mut row)? else { continue };
        used += here;
        if used > page.bytes.len() {
            return Err(SqliteError::Damaged("rows lie one over the other"));
        }
        each(&row)?;
    }
    Ok(())
}

/// Gathers the row of the cell at `at` from its page and the pages it continues on. Answers how much of it
/// lies on its page, `None` when it is over the limit.
fn payload(
    pages: &mut Pages,
    page: &Page,
    at: usize,
    row: &mut Vec<u8>,
) -> Result<Option<usize>, SqliteError> {
    const CUT: SqliteError = SqliteError::Damaged("a row is cut");
    row.clear();
    let cell = page.bytes.get(at..).ok_or(CUT)?;
    let (length, cell) = varint(cell).ok_or(CUT)?;
    let (_row_id, cell) = varint(cell).ok_or(CUT)?;
    let Some(length) = usize::try_from(length).ok().filter(|it| *it <= ROW_BYTES_MAX) else {
        return Ok(None);
    };
    let here = bytes_on_page(length, pages.usable());
    row.extend_from_slice(cell.get(..here).ok_or(CUT)?);
    if here == length {
        return Ok(Some(here));
    }
    let mut next = number(cell, here).ok_or(CUT)?;
    while row.len() < length {
        let more = pages.read(next)?;
        next = number(&more, 0).ok_or(CUT)?;
        let rest = more.get(4..pages.usable()).ok_or(CUT)?;
        row.extend_from_slice(&rest[..rest.len().min(length - row.len())]);
    }
    Ok(Some(here))
}

/// How much of a row of `length` bytes lies on its leaf: the format's formulas, in its letters.
fn bytes_on_page(length: usize, usable: usize) -> usize {
    let most = usable - 35; // X
    if length <= most {
        return length;
    }
    let least = (usable - 12) * 32 / 255 - 23; // M
    let filling = least + (length - least) % (usable - 4); // K
    if filling <= most { filling } else { least }
}

/// A page of a table's tree.
struct Page {
    bytes: Vec<u8>,
    /// Where its own head begins: the first page has the file's head in front of it.
    head: usize,
}

impl Page {
    fn byte(&self, at: usize) -> Result<u8, SqliteError> {
        self.bytes.get(self.head + at).copied().ok_or(SqliteError::Damaged("a page is cut"))
    }

    fn cells(&self) -> Result<usize, SqliteError> {
        Ok(usize::from(u16::from_be_bytes([self.byte(3)?, self.byte(4)?])))
    }

    /// Where on the page the cell of that index lies; pointers begin `pointers` bytes behind the head.
    fn cell(&self, index: usize, pointers: usize) -> Result<usize, SqliteError> {
        let at = pointers + 2 * index;
        Ok(usize::from(u16::from_be_bytes([self.byte(at)?, self.byte(at + 1)?])))
    }

    fn number(&self, at: usize) -> Result<u32, SqliteError> {
        number(&self.bytes, at).ok_or(SqliteError::Damaged("a page is cut"))
    }
}

/// Four bytes in network order.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    four.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests;
