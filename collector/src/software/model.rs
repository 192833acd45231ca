//! Types of the slice.

/// Id of a title: the first 64 bits of a BLAKE3 hash over its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct TitleId(pub i64);

/// A software title as installed somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::FromRow)]
pub struct InstalledTitle {
    /// Name, as the package or vendor gives it.
    pub name: String,
    /// Version, as the package or vendor gives it.
    pub version: String,
    /// Publisher or packager; may be empty.
    pub publisher: String,
    /// `amd64`, `x86_64`…; may be empty.
    pub architecture: String,
    /// Where it was found: `dpkg`, `rpm`, `flatpak`, `snap`, `registry`…
    pub source: String,
}

/// A title with its id.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Title {
    /// Its id.
    pub id: TitleId,
    /// Its texts.
    #[sqlx(flatten)]
    pub title: InstalledTitle,
}

/// How the wire spells a title: id and key hash of the item it was first seen as. Most machines spell a
/// title alike, so their section keeps only the title's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Item id on the wire.
    pub raw_id: [u8; 16],
    /// Hash of the item's key on the wire.
    pub key_hash: i64,
}

/// A title that may not be known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTitle {
    /// Its texts, cleaned.
    pub title: InstalledTitle,
    /// How it was spelt.
    pub mark: Mark,
}

const TITLE_CONTEXT: &str = "parc collector software title v1";

impl InstalledTitle {
    /// The title's id.
    pub fn id(&self) -> TitleId {
        let mut hasher = blake3::Hasher::new_derive_key(TITLE_CONTEXT);
        for text in [&self.name, &self.version, &self.publisher, &self.architecture, &self.source] {
            hasher.update(&(text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        let mut bytes = [0_u8; 8];
        hasher.finalize_xof().fill(&mut bytes);
        // Zero stands for "no title" in stored sections.
        TitleId(match i64::from_be_bytes(bytes) {
            0 => 1,
            id => id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_letter_between_texts_makes_another_title() {
        let one = InstalledTitle { name: "ab".into(), version: "c".into(), ..InstalledTitle::default() };
        let two = InstalledTitle { name: "a".into(), version: "bc".into(), ..InstalledTitle::default() };
        assert_ne!(one.id(), two.id());
        assert_eq!(one.id(), one.clone().id());
    }
}
