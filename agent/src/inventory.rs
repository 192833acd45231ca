//! The state of a machine as sections of items, in the canonical form that both sides hash.

use std::collections::BTreeMap;
use std::sync::Arc;

use parc_wire::digest::{self, Digest};
use parc_wire::v1::{Item, SectionDigest, SectionKind};

/// Items of one section, ordered by key, with the digest over them. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    digest: Digest,
    items: Arc<[Item]>,
}

/// All sections of a machine. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    sections: BTreeMap<SectionKind, Section>,
}

impl Section {
    /// Puts items in order. Of two items with one key the first is kept: a key names one thing.
    pub fn new(kind: SectionKind, mut items: Vec<Item>) -> Self {
        items.sort_by(|a, b| a.key.cmp(&b.key));
        items.dedup_by(|later, first| later.key == first.key);
        let digest = digest::section_digest(kind, items.iter().map(|it| digest::item_id(kind, it)));
        Self { digest, items: items.into() }
    }

    /// Digest over all items.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Items ordered by key.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The item with this key.
    pub fn item(&self, key: &str) -> Option<&Item> {
        let at = self.items.binary_search_by(|it| it.key.as_str().cmp(key)).ok()?;
        self.items.get(at)
    }
}

impl Inventory {
    /// Orders and hashes items.
    pub fn new(sections: impl IntoIterator<Item = (SectionKind, Vec<Item>)>) -> Self {
        sections.into_iter().map(|(kind, items)| (kind, Section::new(kind, items))).collect()
    }

    /// One section.
    pub fn section(&self, kind: SectionKind) -> Option<&Section> {
        self.sections.get(&kind)
    }

    /// All sections in the order of their numbers.
    pub fn sections(&self) -> impl Iterator<Item = (SectionKind, &Section)> {
        self.sections.iter().map(|(kind, section)| (*kind, section))
    }

    /// Sets one section.
    pub fn set(&mut self, kind: SectionKind, section: Section) {
        self.sections.insert(kind, section);
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// Kinds and digests as they stand on the wire.
    pub fn digests(&self) -> Vec<SectionDigest> {
        let on_wire = |(kind, section): (SectionKind, &Section)| SectionDigest {
            kind: kind.into(),
            digest: section.digest.to_vec(),
        };
        self.sections().map(on_wire).collect()
    }

    /// Kinds and digests as they are hashed.
    pub fn numbered_digests(&self) -> impl Iterator<Item = (i32, Digest)> {
        self.sections().map(|(kind, section)| (kind.into(), section.digest))
    }

    /// Digest of everything.
    pub fn digest(&self) -> Digest {
        digest::state_digest(self.numbered_digests())
    }
}

impl FromIterator<(SectionKind, Section)> for Inventory {
    fn from_iter<T: IntoIterator<Item = (SectionKind, Section)>>(sections: T) -> Self {
        Self { sections: sections.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key: &str, body: &[u8]) -> Item {
        Item { key: key.into(), body: body.to_vec() }
    }

    #[test]
    fn the_first_of_two_items_with_one_key_is_kept() {
        let section = Section::new(SectionKind::Cpu, vec![item("b", b"1"), item("a", b"2"), item("b", b"3")]);
        assert_eq!(section.items(), [item("a", b"2"), item("b", b"1")]);
        assert_eq!(section.item("b"), Some(&item("b", b"1")));
        assert_eq!(section.item("c"), None);
    }
}
