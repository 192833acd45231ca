//! rpm's package header: an index of tags and a store of values. Counts and offsets come from a file, so
//! every one is checked.

use super::super::Title;

const TAG_NAME: u32 = 1000;
const TAG_VERSION: u32 = 1001;
const TAG_RELEASE: u32 = 1002;
const TAG_EPOCH: u32 = 1003;
const TAG_VENDOR: u32 = 1011;
const TAG_ARCH: u32 = 1022;

const TYPE_INT32: u32 = 4;
const TYPE_STRING: u32 = 6;
const TYPE_I18N_STRING: u32 = 9;

/// Two counts in front of the index.
const PREAMBLE_BYTES: usize = 8;
const ENTRY_BYTES: usize = 16;
/// rpm's own limit.
const ENTRIES_MAX: usize = 65_535;
/// Names and versions are short; a text without an end is none.
const TEXT_BYTES_MAX: usize = 1024;
/// What rpm calls the keys it trusts; they are no software.
const KEY_PACKAGE: &str = "gpg-pubkey";

/// The installed package of a header; `None` when it is damaged or no package.
pub(super) fn parse(blob: &[u8]) -> Option<Title> {
    let entries = usize::try_from(number(blob, 0)?).ok().filter(|it| *it <= ENTRIES_MAX)?;
    let store_bytes = usize::try_from(number(blob, 4)?).ok()?;
    let index = blob.get(PREAMBLE_BYTES..PREAMBLE_BYTES.checked_add(entries * ENTRY_BYTES)?)?;
    let store = blob.get(PREAMBLE_BYTES + index.len()..)?.get(..store_bytes)?;
    let (mut title, mut release, mut epoch) =
        (Title { source: "rpm", ..Title::default() }, String::new(), None);
    for entry in index.chunks_exact(ENTRY_BYTES) {
        let (tag, kind) = (number(entry, 0)?, number(entry, 4)?);
        let at = usize::try_from(number(entry, 8)?).ok()?;
        match (tag, kind) {
            (TAG_NAME, TYPE_STRING) => title.id = text(store, at)?,
            (TAG_VERSION, TYPE_STRING) => title.version = text(store, at)?,
            (TAG_RELEASE, TYPE_STRING) => release = text(store, at)?,
            (TAG_EPOCH, TYPE_INT32) => epoch = number(store, at),
            (TAG_VENDOR, TYPE_STRING | TYPE_I18N_STRING) => title.publisher = text(store, at)?,
            (TAG_ARCH, TYPE_STRING) => title.architecture = text(store, at)?,
            _ => {}
        }
    }
    if title.id.is_empty() || title.id == KEY_PACKAGE {
        return None;
    }
    title.version = match epoch {
        Some(epoch) if epoch > 0 => format!("{epoch}:{}-{release}", title.version),
        _ => format!("{}-{release}", title.version),
    };
    Some(title)
}

/// Four bytes in network order.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// A text ended by a zero byte.
fn text(store: &[u8], at: usize) -> Option<String> {
    let bytes = store.get(at..)?;
    let end = bytes.iter().take(TEXT_BYTES_MAX).position(|it| *it == 0)?;
    Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
}

#[cfg(test)]
pub(super) mod testing {
    //! Composes headers for tests.

    use super::*;

    /// A header as rpm writes it, of architecture `x86_64`.
    pub(in super::super) fn header(name: &str, version: &str, release: &str, epoch: Option<u32>) -> Vec<u8> {
        let (mut index, mut store) = (Vec::new(), Vec::new());
        let mut entry = |tag: u32, kind: u32, value: &[u8]| {
            for number in [tag, kind, u32::try_from(store.len()).unwrap(), 1] {
                index.extend(number.to_be_bytes());
            }
            store.extend(value);
        };
        if let Some(epoch) = epoch {
            entry(TAG_EPOCH, TYPE_INT32, &epoch.to_be_bytes());
        }
        for (tag, value) in [
            (TAG_NAME, name),
            (TAG_VERSION, version),
            (TAG_RELEASE, release),
            (TAG_VENDOR, "Example Project"),
            (TAG_ARCH, "x86_64"),
        ] {
            entry(tag, TYPE_STRING, &[value.as_bytes(), b"\0"].concat());
        }
        let counts =
            [index.len() / ENTRY_BYTES, store.len()].map(|it| u32::try_from(it).unwrap().to_be_bytes());
        [counts.concat(), index, store].concat()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::header;
    use super::*;

    #[test]
    fn a_package_has_epoch_version_and_release() {
        let title = parse(&header("vim", "9.1", "1.fc40", Some(2))).unwrap();
        assert_eq!((title.id.as_str(), title.version.as_str()), ("vim", "2:9.1-1.fc40"));
        assert_eq!((title.architecture.as_str(), title.publisher.as_str()), ("x86_64", "Example Project"));
        assert_eq!(parse(&header("vim", "9.1", "1", Some(0))).unwrap().version, "9.1-1");
    }

    #[test]
    fn trusted_keys_are_no_software() {
        assert_eq!(parse(&header(KEY_PACKAGE, "1", "1", None)), None);
    }

    #[test]
    fn counts_and_offsets_beyond_the_blob_are_refused() {
        let blob = header("vim", "9.1", "1", None);
        for cut in 0..blob.len() {
            assert_eq!(parse(&blob[..cut]), None, "{cut}");
        }
        let mut offset = blob.clone();
        offset[16] = 0xFF;
        assert_eq!(parse(&offset), None);
        assert_eq!(parse(&[0xFF; 64]), None);
    }

    proptest! {
        #[test]
        fn no_mutation_of_a_header_makes_the_parser_panic(at in any::<prop::sample::Index>(), value in any::<u8>()) {
            let mut blob = header("vim", "9.1", "1.fc40", Some(2));
            let index = at.index(blob.len());
            blob[index] = value;
            parse(&blob);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse(&bytes);
        }
    }
}
