//! A software catalogue in which few titles are everywhere and many are rare, as on real machines.

use parc_wire::v1::SoftwareItem;

/// Distinct titles; a fleet of thousands of Debian and Windows machines shows about so many.
const TITLES: u32 = 9_000;
const VERSIONS: u64 = 4;

/// Pseudo-random numbers from a seed (splitmix64), the same at every run.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit.max(1)
    }

    /// A title's rank: each doubling of the rank is equally likely (Zipf with exponent 1).
    fn rank(&mut self) -> u32 {
        let uniform = f64::from(u32::try_from(self.number() >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and TITLES")]
        let rank = f64::from(TITLES).powf(uniform) as u32;
        rank.clamp(1, TITLES)
    }
}

/// `count` distinct titles as a machine has them, with their keys.
pub(crate) fn titles(random: &mut Seeded, count: usize) -> Vec<(String, SoftwareItem)> {
    let mut ranks = std::collections::BTreeSet::new();
    // The most common ones are on every machine; chance alone would need very long for the last few.
    let mut tries = 0_u32;
    while ranks.len() < count.min(TITLES as usize) {
        tries += 1;
        ranks.insert(if tries < 20_000 { random.rank() } else { tries % TITLES + 1 });
    }
    ranks.into_iter().map(|rank| title(rank, random.below(VERSIONS))).collect()
}

/// A title in a version.
pub(crate) fn title(rank: u32, version: u64) -> (String, SoftwareItem) {
    let name = format!("package-{rank:05}");
    let item = SoftwareItem {
        version: format!("{}.{version}-{}", rank % 13, rank % 7),
        publisher: format!("Maintainers of group {}", rank % 97),
        architecture: "amd64".into(),
        source: "dpkg".into(),
        name: name.clone(),
    };
    (format!("dpkg:{name}:amd64"), item)
}
