//! How the content of a section is stored: immutable, compressed, addressed by its hash.
//!
//! Ordinary sections keep each item's cleaned body beside the id of the item as it was sent; so agent and
//! collector keep agreeing on digests although the collector mended a value. A software section keeps
//! title ids only, and the wire's spelling just where it is not the title's usual one.

use std::collections::{BTreeMap, HashMap};

use parc_wire::digest::{self, Digest};
use parc_wire::v1::{self, SectionKind};
use prost::Message;

use super::items::Body;
use crate::db::StoreError;
use crate::software::{Mark, TitleId};

/// Largest uncompressed content: 20,000 titles with their own spelling are 0.9 MiB, 512 items of 16 KiB 8 MiB.
const CONTENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Below this compression gains nothing.
const PLAIN_BYTES_MAX: usize = 96;
const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// Fast: a content is a few kilobytes and is written once.
const ZSTD_LEVEL: i32 = 1;
const CONTENT_CONTEXT: &str = "parc collector content v1";
const KEY_CONTEXT: &str = "parc collector item key v1";

/// One item of an ordinary section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// Its id on the wire, over key and body as they were sent.
    pub raw_id: Digest,
    /// The cleaned body; nothing when it could not be decoded and was set aside.
    pub body: Option<Vec<u8>>,
}

/// One item of a software section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Installed {
    /// Its id on the wire.
    pub raw_id: Digest,
    /// Its title; nothing when it was set aside.
    pub title: Option<TitleId>,
}

/// What a section holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// By item key.
    Items(BTreeMap<String, Kept>),
    /// By [`key_hash`].
    Software(BTreeMap<i64, Installed>),
}

#[derive(Clone, PartialEq, Message)]
struct StoredSection {
    #[prost(message, repeated, tag = "1")]
    items: Vec<StoredItem>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredItem {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(bytes = "vec", tag = "2")]
    body: Vec<u8>,
    /// Empty when it is the id of key and body as stored.
    #[prost(bytes = "vec", tag = "3")]
    raw_id: Vec<u8>,
    #[prost(bool, tag = "4")]
    aside: bool,
}

#[derive(Clone, PartialEq, Message)]
struct StoredSoftware {
    /// Titles spelt as usual, by id.
    #[prost(sfixed64, repeated, tag = "1")]
    titles: Vec<i64>,
    #[prost(message, repeated, tag = "2")]
    own: Vec<StoredSpelling>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredSpelling {
    /// Zero for an item that was set aside.
    #[prost(sfixed64, tag = "1")]
    title: i64,
    #[prost(sfixed64, tag = "2")]
    key_hash: i64,
    #[prost(bytes = "vec", tag = "3")]
    raw_id: Vec<u8>,
}

/// A software item's key, as it is remembered.
pub(super) fn key_hash(key: &str) -> i64 {
    let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
    hasher.update(key.as_bytes());
    let mut bytes = [0_u8; 8];
    hasher.finalize_xof().fill(&mut bytes);
    i64::from_be_bytes(bytes)
}

impl Section {
    /// A section without items.
    pub(super) fn empty(kind: SectionKind) -> Self {
        if kind == SectionKind::Software {
            Self::Software(BTreeMap::new())
        } else {
            Self::Items(BTreeMap::new())
        }
    }

    /// Items in it, those set aside included.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Items(items) => items.len(),
            Self::Software(items) => items.len(),
        }
    }

    /// The digest both sides compute.
    pub(super) fn digest(&self, kind: SectionKind) -> Digest {
        match self {
            Self::Items(items) => digest::section_digest(kind, items.values().map(|it| it.raw_id)),
            Self::Software(items) => digest::section_digest(kind, items.values().map(|it| it.raw_id)),
        }
    }

    /// The decoded items of an ordinary section, by key; of a software section none.
    pub(super) fn bodies(&self, kind: SectionKind) -> BTreeMap<String, Body> {
        let Self::Items(items) = self else {
            return BTreeMap::new();
        };
        let decode =
            |(key, kept): (&String, &Kept)| Some((key.clone(), Body::decode(kind, kept.body.as_ref()?)?));
        items.iter().filter_map(decode).collect()
    }

    /// The distinct titles of a software section, by id.
    pub(super) fn titles(&self) -> Vec<TitleId> {
        let Self::Software(items) = self else {
            return Vec::new();
        };
        let mut titles: Vec<TitleId> = items.values().filter_map(|it| it.title).collect();
        titles.sort_unstable();
        titles.dedup();
        titles
    }

    /// Canonical encoding; `marks` must know every title of a software section.
    pub(super) fn encode(&self, kind: SectionKind, marks: &HashMap<TitleId, Mark>) -> Vec<u8> {
        match self {
            Self::Items(items) => encode_items(kind, items),
            Self::Software(items) => encode_software(items, marks),
        }
    }
}

fn encode_items(kind: SectionKind, items: &BTreeMap<String, Kept>) -> Vec<u8> {
    let stored = items.iter().map(|(key, kept)| {
        let item = v1::Item { key: key.clone(), body: kept.body.clone().unwrap_or_default() };
        let usual = kept.body.is_some() && digest::item_id(kind, &item) == kept.raw_id;
        let raw_id = if usual { Vec::new() } else { kept.raw_id.to_vec() };
        StoredItem { key: item.key, body: item.body, raw_id, aside: kept.body.is_none() }
    });
    StoredSection { items: stored.collect() }.encode_to_vec()
}

fn encode_software(items: &BTreeMap<i64, Installed>, marks: &HashMap<TitleId, Mark>) -> Vec<u8> {
    let mut stored = StoredSoftware::default();
    for (key_hash, item) in items {
        let mark = Mark { raw_id: item.raw_id, key_hash: *key_hash };
        match item.title {
            Some(title) if marks.get(&title) == Some(&mark) => stored.titles.push(title.0),
            title => stored.own.push(StoredSpelling {
                title: title.map_or(0, |it| it.0),
                key_hash: *key_hash,
                raw_id: item.raw_id.to_vec(),
            }),
        }
    }
    stored.titles.sort_unstable();
    stored.encode_to_vec()
}

/// The address of a content.
pub(super) fn content_id(kind: SectionKind, encoded: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key(CONTENT_CONTEXT);
    hasher.update(&(kind as i32).to_be_bytes());
    hasher.update(encoded);
    let mut id = Digest::default();
    hasher.finalize_xof().fill(&mut id);
    id
}

/// Compresses an encoded content for the table.
pub(super) fn pack(encoded: &[u8]) -> Vec<u8> {
    let compressed =
        (encoded.len() > PLAIN_BYTES_MAX).then(|| zstd::bulk::compress(encoded, ZSTD_LEVEL).ok()).flatten();
    let (format, body) = match &compressed {
        Some(bytes) if bytes.len() < encoded.len() => (ZSTD, bytes.as_slice()),
        _ => (PLAIN, encoded),
    };
    let mut packed = Vec::with_capacity(body.len() + 5);
    packed.push(format);
    if format == ZSTD {
        packed.extend_from_slice(&u32::try_from(encoded.len()).unwrap_or(u32::MAX).to_be_bytes());
    }
    packed.extend_from_slice(body);
    packed
}

/// A stored content, before the marks of its titles are looked up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unpacked {
    kind: SectionKind,
    bytes: Vec<u8>,
}

impl Unpacked {
    /// Undoes [`pack`].
    pub(super) fn new(kind: SectionKind, packed: &[u8]) -> Result<Self, StoreError> {
        let broken = || StoreError::inconsistent("inventory_content", "body", kind.as_str_name());
        let bytes = match packed.split_first() {
            Some((&PLAIN, bytes)) => bytes.to_vec(),
            Some((&ZSTD, bytes)) => {
                let (length, body) = bytes.split_first_chunk::<4>().ok_or_else(broken)?;
                let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
                zstd::bulk::decompress(body, length.min(CONTENT_BYTES_MAX)).map_err(|_| broken())?
            }
            _ => return Err(broken()),
        };
        Ok(Self { kind, bytes })
    }

    /// The titles of a software content, usual and own spellings, as stored; of another content none.
    pub(super) fn titles(&self) -> Result<Vec<TitleId>, StoreError> {
        if self.kind != SectionKind::Software {
            return Ok(Vec::new());
        }
        let stored = self.software()?;
        let own = stored.own.iter().map(|it| it.title).filter(|it| *it != 0);
        Ok(stored.titles.iter().copied().chain(own).map(TitleId).collect())
    }

    /// The section; `marks` must know every title spelt as usual.
    pub(super) fn section(&self, marks: &HashMap<TitleId, Mark>) -> Result<Section, StoreError> {
        if self.kind == SectionKind::Software {
            return self.decode_software(marks).map(Section::Software);
        }
        let stored = StoredSection::decode(self.bytes.as_slice()).map_err(|_| self.broken())?;
        let mut items = BTreeMap::new();
        for item in stored.items {
            let raw_id = match item.raw_id.as_slice() {
                [] => {
                    let wire = v1::Item { key: item.key.clone(), body: item.body.clone() };
                    digest::item_id(self.kind, &wire)
                }
                id => id.try_into().map_err(|_| self.broken())?,
            };
            items.insert(item.key, Kept { raw_id, body: (!item.aside).then_some(item.body) });
        }
        Ok(Section::Items(items))
    }

    fn decode_software(
        &self,
        marks: &HashMap<TitleId, Mark>,
    ) -> Result<BTreeMap<i64, Installed>, StoreError> {
        let stored = self.software()?;
        let mut items = BTreeMap::new();
        for id in stored.titles.into_iter().map(TitleId) {
            let mark =
                marks.get(&id).ok_or_else(|| StoreError::inconsistent("software_title", "id", id.0))?;
            items.insert(mark.key_hash, Installed { raw_id: mark.raw_id, title: Some(id) });
        }
        for own in stored.own {
            let raw_id = own.raw_id.as_slice().try_into().map_err(|_| self.broken())?;
            items.insert(
                own.key_hash,
                Installed { raw_id, title: (own.title != 0).then_some(TitleId(own.title)) },
            );
        }
        Ok(items)
    }

    fn software(&self) -> Result<StoredSoftware, StoreError> {
        StoredSoftware::decode(self.bytes.as_slice()).map_err(|_| self.broken())
    }

    fn broken(&self) -> StoreError {
        StoreError::inconsistent("inventory_content", "body", self.kind.as_str_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_comes_back_as_it_was_stored() {
        let item = v1::Item {
            key: "cpu0".into(),
            body: v1::CpuItem { cores: 4, ..Default::default() }.encode_to_vec(),
        };
        let usual = Kept { raw_id: digest::item_id(SectionKind::Cpu, &item), body: Some(item.body) };
        let mended = Kept { raw_id: [7; 16], body: Some(vec![24, 2]) };
        let aside = Kept { raw_id: [8; 16], body: None };
        let items = [("cpu0", usual), ("cpu1", mended), ("cpu2", aside)];
        let section = Section::Items(items.into_iter().map(|(key, kept)| (key.to_owned(), kept)).collect());
        let packed = pack(&section.encode(SectionKind::Cpu, &HashMap::new()));
        let back = Unpacked::new(SectionKind::Cpu, &packed)
            .and_then(|it| it.section(&HashMap::new()))
            .expect("unpack");
        assert_eq!(back, section);
        assert_eq!(back.digest(SectionKind::Cpu), section.digest(SectionKind::Cpu));
        assert_eq!(back.bodies(SectionKind::Cpu).len(), 2);
    }

    #[test]
    fn a_title_spelt_as_usual_costs_eight_bytes() {
        let entries = (1..=300_i64).map(|n| (n, Installed { raw_id: [9; 16], title: Some(TitleId(n * 7)) }));
        let section = Section::Software(entries.clone().collect());
        let marks: HashMap<TitleId, Mark> = entries
            .filter_map(|(n, it)| Some((it.title?, Mark { raw_id: it.raw_id, key_hash: n })))
            .collect();
        let encoded = section.encode(SectionKind::Software, &marks);
        assert!(encoded.len() < 300 * 8 + 16, "{}", encoded.len());
        let packed = pack(&encoded);
        let unpacked = Unpacked::new(SectionKind::Software, &packed).expect("unpack");
        assert_eq!(unpacked.titles().expect("titles").len(), 300);
        assert_eq!(unpacked.section(&marks).expect("section"), section);
    }

    #[test]
    fn another_spelling_and_an_item_set_aside_are_kept_as_they_are() {
        let own = Installed { raw_id: [1; 16], title: Some(TitleId(5)) };
        let aside = Installed { raw_id: [2; 16], title: None };
        let section = Section::Software([(10, own), (11, aside)].into());
        let marks = HashMap::from([(TitleId(5), Mark { raw_id: [3; 16], key_hash: 10 })]);
        let packed = pack(&section.encode(SectionKind::Software, &marks));
        let back =
            Unpacked::new(SectionKind::Software, &packed).and_then(|it| it.section(&marks)).expect("unpack");
        assert_eq!(back, section);
        assert_eq!(back.titles(), [TitleId(5)]);
    }

    #[test]
    fn a_broken_content_is_an_error_and_no_panic() {
        assert!(Unpacked::new(SectionKind::Os, &[]).is_err());
        assert!(Unpacked::new(SectionKind::Os, &[9, 1]).is_err());
        assert!(Unpacked::new(SectionKind::Os, &[ZSTD, 1, 2, 3]).is_err());
    }
}
