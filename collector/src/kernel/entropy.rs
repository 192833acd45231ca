//! Randomness as a parameter, so that a test can repeat itself.

use std::fmt;

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `bytes` wholly.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::expect_used, reason = "without randomness no key, id or session may be made: stop")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// Letters of [`base32`] (RFC 4648 §6 in lower case): no 0, 1, 8 or 9 to mistake for letters.
pub const BASE32_LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A random text of `chars` letters, 5 bits each.
pub fn base32(entropy: &dyn Entropy, chars: usize) -> String {
    let mut bytes = vec![0_u8; chars];
    entropy.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(BASE32_LETTERS[usize::from(byte & 31)])).collect()
}
