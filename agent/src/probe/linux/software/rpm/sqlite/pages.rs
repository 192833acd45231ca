//! The pages of a database as they were at one moment: from the file, or from its log where that is newer.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::SystemTime;

use super::log::Log;
use super::{SqliteError, number};
use crate::root::{ReadError, Root};

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEAD_BYTES: usize = 100;
/// First bytes of a rollback journal whose changes are not undone yet.
const HOT_JOURNAL: [u8; 8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7];
/// Rollback journal and write-ahead log; a later form may mean anything.
const READ_VERSION_MAX: u8 = 2;
const UTF_8: u32 = 1;
/// The format's own limit for what is left of a page.
const USABLE_BYTES_MIN: usize = 480;
/// 3,000 packages take 100 MiB.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// An open database.
pub(super) struct Pages {
    file: File,
    log: Option<(File, Log)>,
    mark: Mark,
    page_bytes: usize,
    usable: usize,
    count: u32,
    /// Pages that may still be read: each belongs to one place in one tree.
    left: u32,
}

/// What changes when the file is written.
#[derive(PartialEq, Eq)]
struct Mark {
    head: [u8; HEAD_BYTES],
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Mark {
    fn of(file: &File) -> Result<Self, SqliteError> {
        let metadata = file.metadata()?;
        let mut head = [0; HEAD_BYTES];
        if metadata.len() < HEAD_BYTES as u64 {
            return Err(SqliteError::Unknown);
        }
        file.read_exact_at(&mut head, 0)?;
        Ok(Self { head, bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

impl Pages {
    pub(super) fn open(root: &Root, path: &str) -> Result<Self, SqliteError> {
        let file = root.open(path, u64::MAX)?.into_inner();
        let mark = Mark::of(&file)?;
        if mark.bytes > FILE_BYTES_MAX {
            return Err(SqliteError::TooLarge(FILE_BYTES_MAX));
        }
        let head = &mark.head;
        let page_bytes = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65_536,
            other => usize::from(other),
        };
        let usable = page_bytes.saturating_sub(usize::from(head[20]));
        let known = head.starts_with(MAGIC)
            && page_bytes.is_power_of_two()
            && usable >= USABLE_BYTES_MIN
            && head[19] <= READ_VERSION_MAX
            && number(head, 56) == Some(UTF_8);
        if !known {
            return Err(SqliteError::Unknown);
        }
        if has_hot_journal(root, path)? {
            return Err(SqliteError::Busy);
        }
        let log = open_log(root, path, page_bytes)?;
        let in_file = u32::try_from(mark.bytes / page_bytes as u64).unwrap_or(u32::MAX);
        let count = log.as_ref().map_or(in_file, |(_, log)| log.page_count());
        let count_max = u32::try_from(FILE_BYTES_MAX / page_bytes as u64).unwrap_or(u32::MAX);
        if count > count_max {
            return Err(SqliteError::TooLarge(FILE_BYTES_MAX));
        }
        Ok(Self { file, log, mark, page_bytes, usable, count, left: count })
    }

    /// Bytes of a page that rows may use.
    pub(super) fn usable(&self) -> usize {
        self.usable
    }

    /// Pages of the whole database.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Where the head of a page begins on it.
    pub(super) fn head_of(number: u32) -> usize {
        if number == 1 { HEAD_BYTES } else { 0 }
    }

    /// One page; they are numbered from 1.
    pub(super) fn read(&mut self, number: u32) -> Result<Vec<u8>, SqliteError> {
        if number == 0 || number > self.count {
            return Err(SqliteError::Damaged("a page lies outside the file"));
        }
        self.left = self.left.checked_sub(1).ok_or(SqliteError::Damaged("its pages form a loop"))?;
        let mut page = vec![0; self.page_bytes];
        match self.log.as_ref().and_then(|(file, log)| Some((file, log.offset_of(number)?))) {
            Some((log, offset)) => log.read_exact_at(&mut page, offset)?,
            None => self.file.read_exact_at(&mut page, u64::from(number - 1) * self.page_bytes as u64)?,
        }
        Ok(page)
    }

    /// Whether the database is still in the state it was opened in.
    pub(super) fn are_unchanged(&self, root: &Root, path: &str) -> Result<bool, SqliteError> {
        let log = open_log(root, path, self.page_bytes)?;
        let same_log = log.as_ref().map(|it| &it.1) == self.log.as_ref().map(|it| &it.1);
        Ok(same_log && Mark::of(&self.file)? == self.mark && !has_hot_journal(root, path)?)
    }
}

fn open_log(root: &Root, path: &str, page_bytes: usize) -> Result<Option<(File, Log)>, SqliteError> {
    match root.open(&format!("{path}-wal"), u64::MAX) {
        Ok(file) => {
            let file = file.into_inner();
            Ok(Log::read(&file, page_bytes)?.map(|log| (file, log)))
        }
        Err(ReadError::Absent) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn has_hot_journal(root: &Root, path: &str) -> Result<bool, SqliteError> {
    match root.open(&format!("{path}-journal"), u64::MAX) {
        Ok(file) => {
            let mut first = [0; HOT_JOURNAL.len()];
            Ok(file.into_inner().read_exact_at(&mut first, 0).is_ok() && first == HOT_JOURNAL)
        }
        Err(ReadError::Absent) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
