//! The write-ahead log of a database: frames of one page each, of which only those up to the last commit
//! count. A frame counts when it carries the salts of the log's head and the running checksum is right.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};

use super::{SqliteError, number};

const HEAD_BYTES: usize = 32;
const FRAME_HEAD_BYTES: usize = 24;
/// The last bit says in which order of bytes checksums are made.
const MAGIC: u32 = 0x377F_0682;
const VERSION: u32 = 3_007_000;
/// rpm's log goes back into the file every 10,000 pages (40 MiB).
const LOG_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Where the newest committed form of each page lies in the log.
#[derive(PartialEq, Eq)]
pub(super) struct Log {
    salts: [u8; 8],
    offsets: BTreeMap<u32, u64>,
    page_count: u32,
}

impl Log {
    /// `None` when the log holds no commit: then the file alone counts, as for SQLite itself.
    pub(super) fn read(file: &File, page_bytes: usize) -> Result<Option<Self>, SqliteError> {
        if file.metadata()?.len() > LOG_BYTES_MAX {
            return Err(SqliteError::TooLarge(LOG_BYTES_MAX));
        }
        let mut reader = BufReader::new(file);
        let mut head = [0; HEAD_BYTES];
        if !filled(&mut reader, &mut head)? {
            return Ok(None);
        }
        let words = [0, 4, 8].map(|at| number(&head, at).unwrap_or_default());
        let mut checksum = Checksum { big_endian: words[0] & 1 == 1, sums: (0, 0) };
        checksum.add(&head[..24]);
        let known = words[0] & !1 == MAGIC && words[1] == VERSION && words[2] as usize == page_bytes;
        if !known || !checksum.is(&head[24..]) {
            return Ok(None);
        }
        let mut salts = [0; 8];
        salts.copy_from_slice(&head[16..24]);
        let log = Self { salts, offsets: BTreeMap::new(), page_count: 0 };
        log.follow(&mut reader, checksum, page_bytes)
    }

    fn follow(
        mut self,
        reader: &mut impl Read,
        mut checksum: Checksum,
        page_bytes: usize,
    ) -> Result<Option<Self>, SqliteError> {
        let (mut open, mut offset) = (BTreeMap::new(), HEAD_BYTES as u64);
        let (mut head, mut page) = ([0; FRAME_HEAD_BYTES], vec![0; page_bytes]);
        while filled(reader, &mut head)? && filled(reader, &mut page)? {
            checksum.add(&head[..8]);
            checksum.add(&page);
            if head[8..16] != self.salts || !checksum.is(&head[16..]) {
                break;
            }
            open.insert(number(&head, 0).unwrap_or_default(), offset + FRAME_HEAD_BYTES as u64);
            let pages_after_commit = number(&head, 4).unwrap_or_default();
            if pages_after_commit > 0 {
                self.offsets.append(&mut open);
                self.page_count = pages_after_commit;
            }
            offset += (FRAME_HEAD_BYTES + page_bytes) as u64;
        }
        Ok((self.page_count > 0).then_some(self))
    }

    /// Where the newest form of a page lies, unless the file has it.
    pub(super) fn offset_of(&self, page: u32) -> Option<u64> {
        self.offsets.get(&page).copied()
    }

    /// Pages of the database after the last commit.
    pub(super) fn page_count(&self) -> u32 {
        self.page_count
    }
}

/// `false` at the end of the log, also in the middle of a frame.
fn filled(reader: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The format's running checksum over pairs of 32-bit words.
struct Checksum {
    big_endian: bool,
    sums: (u32, u32),
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let word = |four: &[u8]| {
            let four = [four[0], four[1], four[2], four[3]];
            if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
        };
        let (mut first, mut second) = self.sums;
        for pair in bytes.chunks_exact(8) {
            first = first.wrapping_add(word(&pair[..4])).wrapping_add(second);
            second = second.wrapping_add(word(&pair[4..])).wrapping_add(first);
        }
        self.sums = (first, second);
    }

    fn is(&self, written: &[u8]) -> bool {
        number(written, 0) == Some(self.sums.0) && number(written, 4) == Some(self.sums.1)
    }
}
