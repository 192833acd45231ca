//! rpm's own database file (`Packages.db`, used by SUSE): pages of slots that say where each header lies.
//! All numbers are little-endian; every one comes from a file and is checked.

use std::io::{self, Read, Seek, SeekFrom};

use super::super::Titles;
use super::header;

const FILE_MAGIC: &[u8; 4] = b"RpmP";
const SLOT_MAGIC: &[u8; 4] = b"Slot";
const HEADER_MAGIC: &[u8; 4] = b"BlbS";
const FILE_VERSION: u32 = 0;
const PAGE_BYTES: u64 = 4096;
/// Slots, blocks and the heads of file and header are counted in units of this size.
const UNIT_BYTES: usize = 16;
/// The head of the file takes the place of the first two slots.
const FIRST_SLOT: usize = 2;
/// 256 slots each: room for 130,000 packages.
const SLOT_PAGES_MAX: u32 = 512;
/// A kernel with its file list takes 2 MiB.
const PACKAGE_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// All headers together: 3,000 packages take 100 MiB. Slots that share a header could ask for more.
const PACKAGES_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Adds every package of the database. A damaged entry is passed over.
///
/// # Errors
/// When the file cannot be read or is no such database.
pub(super) fn read(file: &mut (impl Read + Seek), titles: &mut Titles) -> io::Result<()> {
    let mut head = [0; UNIT_BYTES];
    file.read_exact(&mut head)?;
    let pages = number(&head, 12);
    if !head.starts_with(FILE_MAGIC) || number(&head, 4) != FILE_VERSION || pages > SLOT_PAGES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not an ndb database of a known version"));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut slots = Vec::new();
    file.take(u64::from(pages) * PAGE_BYTES).read_to_end(&mut slots)?;
    let (mut blob, mut bytes_read) = (Vec::new(), 0_u64);
    for slot in slots.chunks_exact(UNIT_BYTES).skip(FIRST_SLOT) {
        let (package, block) = (number(slot, 4), number(slot, 8));
        if bytes_read > PACKAGES_BYTES_MAX {
            break;
        }
        if slot.starts_with(SLOT_MAGIC) && block != 0 && read_blob(file, package, block, &mut blob)? {
            bytes_read = bytes_read.saturating_add(blob.len() as u64);
            titles.extend(header::parse(&blob));
        }
    }
    Ok(())
}

/// Reads one header; `false` when the place does not hold that package.
fn read_blob(
    file: &mut (impl Read + Seek),
    package: u32,
    block: u32,
    blob: &mut Vec<u8>,
) -> io::Result<bool> {
    let mut head = [0; UNIT_BYTES];
    file.seek(SeekFrom::Start(u64::from(block) * UNIT_BYTES as u64))?;
    match file.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        Err(error) => return Err(error),
    }
    let bytes = number(&head, 12);
    if !head.starts_with(HEADER_MAGIC) || number(&head, 4) != package || bytes > PACKAGE_BYTES_MAX {
        return Ok(false);
    }
    blob.clear();
    file.take(bytes.into()).read_to_end(blob)?;
    Ok(blob.len() == bytes as usize)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|it| it.try_into().ok());
    four.map_or(0, u32::from_le_bytes)
}

#[cfg(test)]
pub(super) mod testing {
    //! Composes databases for tests.

    use super::*;

    const FIRST_BLOCK: usize = 4096;

    /// One page of slots, then the headers, each at the start of a block.
    pub(in super::super) fn database(headers: &[Vec<u8>]) -> Vec<u8> {
        let numbers =
            |magic: &[u8; 4], rest: [u32; 3]| [magic.to_vec(), rest.map(u32::to_le_bytes).concat()].concat();
        let mut slots = [numbers(FILE_MAGIC, [FILE_VERSION, 1, 1]), vec![0; UNIT_BYTES]].concat();
        let mut blobs = Vec::new();
        for (package, header) in (1_u32..).zip(headers) {
            let block = (FIRST_BLOCK + blobs.len()) / UNIT_BYTES;
            slots.extend(numbers(SLOT_MAGIC, [package, u32::try_from(block).unwrap(), 1]));
            blobs.extend(numbers(HEADER_MAGIC, [package, 1, u32::try_from(header.len()).unwrap()]));
            blobs.extend(header);
            blobs.resize(blobs.len().next_multiple_of(UNIT_BYTES), 0);
        }
        while slots.len() < FIRST_BLOCK {
            slots.extend(numbers(SLOT_MAGIC, [0, 0, 0]));
        }
        [slots, blobs].concat()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::super::header::testing::header;
    use super::testing::database;
    use super::*;

    fn names(bytes: Vec<u8>) -> io::Result<Vec<String>> {
        let mut titles = Titles::default();
        read(&mut Cursor::new(bytes), &mut titles)?;
        Ok(titles.found.into_iter().map(|it| it.id).collect())
    }

    fn two_packages() -> Vec<u8> {
        database(&[header("bash", "5.2", "1", None), header("vim", "9.1", "1", None)])
    }

    #[test]
    fn every_slot_in_use_gives_its_package() {
        assert_eq!(names(two_packages()).unwrap(), ["bash", "vim"]);
    }

    #[test]
    fn a_slot_that_points_elsewhere_is_passed_over() {
        let mut bytes = two_packages();
        bytes[2 * UNIT_BYTES + 8..2 * UNIT_BYTES + 12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(names(bytes).unwrap(), ["vim"]);
    }

    #[test]
    fn another_file_is_refused() {
        assert!(names(b"SQLite format 3\0 and more".to_vec()).is_err());
        assert!(names(vec![]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_mutation_makes_the_reader_panic(at in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut bytes = two_packages();
            let index = at.index(bytes.len());
            bytes[index] = value;
            bytes.truncate(cut.index(bytes.len()) + 1);
            // Both outcomes are right; only a panic is not.
            let _ = names(bytes);
        }
    }
}
