//! The one source of randomness; pure code takes its values as parameters.

use thiserror::Error;

/// The operating system gave no random bytes.
#[derive(Debug, Error)]
#[error("no random bytes from the operating system: {0}")]
pub struct RandomError(getrandom::Error);

/// Gives random bytes, fit for keys.
pub trait Random {
    /// Fills `bytes`.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError>;

    /// Sixteen bytes: an attempt or request id.
    fn id(&mut self) -> Result<[u8; 16], RandomError> {
        let mut bytes = [0; 16];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A number for a new epoch: 63 bits, so that it fits a signed column of a database.
    fn epoch(&mut self) -> Result<u64, RandomError> {
        Ok(self.number()? >> 1)
    }

    /// A whole number, evenly spread.
    fn number(&mut self) -> Result<u64, RandomError> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(RandomError)
    }
}
