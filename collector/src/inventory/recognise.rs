//! Whether an enrolling machine is one that is known: several hardware identifiers must agree, none
//! decides alone. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Identifier, IdentifierKind};
use crate::kernel::id::CiId;

/// An identifier that more items share identifies none of them.
pub(super) const SHARERS_MAX: usize = 3;
/// Least weight that must agree: a UUID or a serial alone, or board and disk together.
const WEIGHT_MIN: u32 = 4;

/// Weight of an identifier and how many of its kind count: a machine with eight disks is not eight
/// times as sure.
fn weight(kind: IdentifierKind) -> (u32, u32) {
    match kind {
        IdentifierKind::Uuid | IdentifierKind::Serial => (4, 1),
        IdentifierKind::BoardSerial | IdentifierKind::Fingerprint => (3, 1),
        IdentifierKind::DiskSerial => (2, 1),
        IdentifierKind::Mac => (1, 2),
    }
}

fn total<'a>(identifiers: impl Iterator<Item = &'a Identifier>) -> u32 {
    let mut counts: BTreeMap<IdentifierKind, u32> = BTreeMap::new();
    for (kind, _) in identifiers {
        *counts.entry(*kind).or_default() += 1;
    }
    counts.into_iter().map(|(kind, count)| weight(kind).0 * count.min(weight(kind).1)).sum()
}

/// The one item that at least half of the presented weight, and at least [`WEIGHT_MIN`], agrees with.
/// `holders` says which items have each identifier. Two equally good items mean that none is meant.
pub(super) fn recognise(
    presented: &BTreeSet<Identifier>,
    holders: &BTreeMap<Identifier, BTreeSet<CiId>>,
) -> Option<CiId> {
    let shared = |it: &&Identifier| holders.get(*it).is_some_and(|cis| cis.len() > SHARERS_MAX);
    let counted: BTreeSet<&Identifier> = presented.iter().filter(|it| !shared(it)).collect();
    let presented_weight = total(counted.iter().copied());
    let candidates: BTreeSet<CiId> =
        counted.iter().filter_map(|it| holders.get(*it)).flatten().copied().collect();
    let scores = candidates.into_iter().map(|ci| {
        let agreeing =
            counted.iter().copied().filter(|it| holders.get(*it).is_some_and(|cis| cis.contains(&ci)));
        (total(agreeing), ci)
    });
    let mut scores: Vec<(u32, CiId)> =
        scores.filter(|(score, _)| *score >= WEIGHT_MIN && score * 2 >= presented_weight).collect();
    scores.sort_unstable_by(|a, b| b.cmp(a));
    match scores.as_slice() {
        [(best, _), (second, _), ..] if best == second => None,
        [(_, ci), ..] => Some(*ci),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ci(n: u128) -> CiId {
        uuid::Uuid::from_u128(n).into()
    }

    fn parse(text: &str) -> BTreeSet<Identifier> {
        let one = |word: &str| {
            let (kind, value) = word.split_once(':').expect("kind:value");
            let kind = match kind {
                "uuid" => IdentifierKind::Uuid,
                "serial" => IdentifierKind::Serial,
                "board" => IdentifierKind::BoardSerial,
                "id" => IdentifierKind::Fingerprint,
                "disk" => IdentifierKind::DiskSerial,
                "mac" => IdentifierKind::Mac,
                other => panic!("{other}"),
            };
            (kind, value.to_owned())
        };
        text.split_whitespace().map(one).collect()
    }

    fn outcome(presented: &str, known: &[&str]) -> Option<CiId> {
        let mut holders: BTreeMap<Identifier, BTreeSet<CiId>> = BTreeMap::new();
        for (index, text) in known.iter().enumerate() {
            for identifier in parse(text) {
                holders.entry(identifier).or_default().insert(ci(index as u128));
            }
        }
        recognise(&parse(presented), &holders)
    }

    #[test]
    fn several_identifiers_must_agree() {
        const FULL: &str = "uuid:u serial:s board:b id:i disk:d mac:m1 mac:m2";
        let cases: [(&str, &str, &[&str], Option<u128>); 18] = [
            ("nothing known", FULL, &[], None),
            ("nothing presented", "", &[FULL], None),
            ("the same machine", FULL, &[FULL], Some(0)),
            (
                "re-installed: another machine id",
                "uuid:u serial:s board:b id:x disk:d mac:m1 mac:m2",
                &[FULL],
                Some(0),
            ),
            ("new disk and system", "uuid:u serial:s board:b id:x disk:x mac:m1 mac:m2", &[FULL], Some(0)),
            (
                "new board: serial, id, disk stay",
                "uuid:x serial:s board:x id:i disk:d mac:x mac:y",
                &[FULL],
                Some(0),
            ),
            (
                "cloned disk in another machine",
                "uuid:x serial:x board:x id:i disk:x mac:x mac:y",
                &[FULL],
                None,
            ),
            ("moved disk", "uuid:x serial:x board:x id:i disk:d mac:x mac:y", &[FULL], None),
            ("only a serial on both sides", "serial:s", &[FULL], Some(0)),
            ("only a UUID on both sides", "uuid:u", &[FULL], Some(0)),
            ("a board serial alone is too light", "board:b", &[FULL], None),
            ("a machine id alone is too light", "id:i", &[FULL], None),
            ("a disk and a MAC are too light", "disk:d mac:m1", &[FULL], None),
            (
                "many MACs count as two",
                "mac:1 mac:2 mac:3 mac:4 mac:5",
                &["mac:1 mac:2 mac:3 mac:4 mac:5"],
                None,
            ),
            ("board and disk are enough", "board:b disk:d", &[FULL], Some(0)),
            ("the better of two", "uuid:u serial:s", &["uuid:u", "uuid:u serial:s"], Some(1)),
            ("two equally good ones", "uuid:u serial:s", &["uuid:u", "serial:s"], None),
            (
                "a UUID shared by four is ignored",
                "uuid:u mac:m1",
                &["uuid:u mac:m1", "uuid:u", "uuid:u", "uuid:u"],
                None,
            ),
        ];
        for (name, presented, known, expected) in cases {
            assert_eq!(outcome(presented, known), expected.map(ci), "{name}");
        }
    }

    #[test]
    fn three_may_share_an_identifier_when_others_tell_them_apart() {
        let known = ["uuid:u serial:a", "uuid:u serial:b", "uuid:u serial:c"];
        assert_eq!(outcome("uuid:u serial:b", &known), Some(ci(1)));
    }
}
