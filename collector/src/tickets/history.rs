//! The chain of a ticket's history: each event carries a hash over the one before it and everything it says, so
//! that an event changed, removed or slipped in afterwards is seen. Pure.
//!
//! What a person wrote goes in as a hash of its own. It may so be blanked out later, when somebody has a right to
//! that, and the chain still holds.

use super::number::TicketNumber;
use crate::kernel::time::UtcMicros;

/// Bytes of a hash.
pub(super) const HASH_BYTES: usize = blake3::OUT_LEN;

/// What the first event of a ticket follows.
pub(super) const BEGINNING: [u8; HASH_BYTES] = [0; HASH_BYTES];

/// Keeps hashes of contents and of links apart from each other and from all other uses.
const CONTENT: &str = "parc ticket event content v1";
const LINK: &str = "parc ticket event link v1";

/// An event as it is hashed: exactly the texts that are stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'a> {
    pub(super) ticket: &'a TicketNumber,
    pub(super) event_no: i64,
    pub(super) at: UtcMicros,
    pub(super) version: i64,
    pub(super) kind: &'a str,
    pub(super) public: bool,
    pub(super) actor_kind: &'a str,
    pub(super) actor_id: Option<uuid::Uuid>,
}

/// Hash of what may be blanked out: who is named, what was said, what was changed.
pub(super) fn content_hash(actor_label: &str, data: &str, changes: &str) -> [u8; HASH_BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key(CONTENT);
    for text in [actor_label, data, changes] {
        add(&mut hasher, text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

impl Link<'_> {
    /// The hash of this event when it follows the one with the hash `previous`.
    pub(super) fn hash(&self, previous: &[u8], content: &[u8]) -> [u8; HASH_BYTES] {
        let mut hasher = blake3::Hasher::new_derive_key(LINK);
        add(&mut hasher, previous);
        add(&mut hasher, self.ticket.as_str().as_bytes());
        for number in [self.event_no, self.at.0, self.version, i64::from(self.public)] {
            hasher.update(&number.to_le_bytes());
        }
        add(&mut hasher, self.kind.as_bytes());
        add(&mut hasher, self.actor_kind.as_bytes());
        add(&mut hasher, self.actor_id.as_ref().map_or(&[], |it| it.as_bytes()));
        add(&mut hasher, content);
        *hasher.finalize().as_bytes()
    }
}

/// With its length in front, so that no two lists of texts give the same bytes.
fn add(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_changed_changes_the_hash() {
        let number = TicketNumber::new("202611", 42);
        let other = TicketNumber::new("202611", 43);
        let link = Link {
            ticket: &number,
            event_no: 2,
            at: UtcMicros(7),
            version: 2,
            kind: "reply",
            public: true,
            actor_kind: "person",
            actor_id: None,
        };
        let content = content_hash("Rita", "{}", "[]");
        let hash = link.hash(&BEGINNING, &content);
        let changed = [
            Link { ticket: &other, ..link }.hash(&BEGINNING, &content),
            Link { event_no: 3, ..link }.hash(&BEGINNING, &content),
            Link { at: UtcMicros(8), ..link }.hash(&BEGINNING, &content),
            Link { version: 3, ..link }.hash(&BEGINNING, &content),
            Link { kind: "note", ..link }.hash(&BEGINNING, &content),
            Link { public: false, ..link }.hash(&BEGINNING, &content),
            Link { actor_kind: "system", ..link }.hash(&BEGINNING, &content),
            Link { actor_id: Some(uuid::Uuid::nil()), ..link }.hash(&BEGINNING, &content),
            link.hash(&[1; HASH_BYTES], &content),
            link.hash(&BEGINNING, &content_hash("Rita", "{ }", "[]")),
        ];
        for (place, other) in changed.iter().enumerate() {
            assert_ne!(*other, hash, "{place}");
        }
        assert_ne!(
            content_hash("Rita", "", "[]"),
            content_hash("Rit", "a", "[]"),
            "texts do not run together"
        );
    }
}
