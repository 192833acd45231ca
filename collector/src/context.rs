//! What every use case is given: the database, the clock and the source of randomness.

use std::sync::Arc;

use crate::db::Db;
use crate::kernel::entropy::Entropy;
use crate::kernel::time::{Clock, UtcMicros};

/// Shared by all requests; cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// The database.
    pub db: Db,
    /// Where the present comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
}

impl Context {
    /// The present moment.
    pub fn now(&self) -> UtcMicros {
        self.clock.now()
    }
}
