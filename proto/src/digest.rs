//! The canonical digest of a section, computed alike by agent and collector.
//!
//! An item's id is BLAKE3 over kind, key and body, cut to 16 bytes; a section's digest is BLAKE3
//! over the sorted item ids, cut to 16 bytes. Order of items on the wire therefore never matters, and
//! a section can be verified from its ids alone. 128 bits: a machine could only deceive itself.

use crate::v1::{Item, SectionKind};

/// BLAKE3 cut to 128 bits.
pub type Digest = [u8; 16];

const ITEM_CONTEXT: &str = "parc v1 item";
const SECTION_CONTEXT: &str = "parc v1 section";
const REPORT_CONTEXT: &str = "parc v1 report";
const STATE_CONTEXT: &str = "parc v1 state";

/// Identifies one item of a section by its content.
pub fn item_id(kind: SectionKind, item: &Item) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key(ITEM_CONTEXT);
    hasher.update(&(kind as i32).to_be_bytes());
    hasher.update(&(item.key.len() as u64).to_be_bytes());
    hasher.update(item.key.as_bytes());
    hasher.update(&item.body);
    cut(&hasher)
}

/// Digest of a section from its item ids, in any order.
pub fn section_digest(kind: SectionKind, ids: impl IntoIterator<Item = Digest>) -> Digest {
    let mut ids: Vec<Digest> = ids.into_iter().collect();
    ids.sort_unstable();
    let mut hasher = blake3::Hasher::new_derive_key(SECTION_CONTEXT);
    hasher.update(&(kind as i32).to_be_bytes());
    for id in &ids {
        hasher.update(id);
    }
    cut(&hasher)
}

/// Digest of a machine's whole state: every section's kind and digest, in any order.
pub fn state_digest(sections: impl IntoIterator<Item = (i32, Digest)>) -> Digest {
    cut(&over_sections(blake3::Hasher::new_derive_key(STATE_CONTEXT), sections))
}

/// Id of a report: the same state sent again under the same number is the same report.
pub fn report_id(epoch: u64, seq: u64, sections: impl IntoIterator<Item = (i32, Digest)>) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key(REPORT_CONTEXT);
    hasher.update(&epoch.to_be_bytes());
    hasher.update(&seq.to_be_bytes());
    cut(&over_sections(hasher, sections))
}

fn over_sections(
    mut hasher: blake3::Hasher,
    sections: impl IntoIterator<Item = (i32, Digest)>,
) -> blake3::Hasher {
    let mut sections: Vec<(i32, Digest)> = sections.into_iter().collect();
    sections.sort_unstable();
    for (kind, digest) in &sections {
        hasher.update(&kind.to_be_bytes());
        hasher.update(digest);
    }
    hasher
}

fn cut(hasher: &blake3::Hasher) -> Digest {
    let mut digest = Digest::default();
    hasher.finalize_xof().fill(&mut digest);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key: &str, body: &[u8]) -> Item {
        Item { key: key.into(), body: body.to_vec() }
    }

    #[test]
    fn the_order_of_items_does_not_change_a_section() {
        let ids = [item("a", b"1"), item("b", b"2")].map(|it| item_id(SectionKind::Software, &it));
        let forward = section_digest(SectionKind::Software, ids);
        let backward = section_digest(SectionKind::Software, ids.into_iter().rev());
        assert_eq!(forward, backward);
    }

    #[test]
    fn moving_a_byte_from_key_to_body_changes_the_item() {
        let kind = SectionKind::Cpu;
        assert_ne!(item_id(kind, &item("ab", b"c")), item_id(kind, &item("a", b"bc")));
    }

    #[test]
    fn the_same_items_in_another_section_differ() {
        assert_ne!(section_digest(SectionKind::Cpu, []), section_digest(SectionKind::Memory, []));
    }
}
