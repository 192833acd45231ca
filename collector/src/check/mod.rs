//! `parc-collector check`: is the database sound, and do the invariants hold that no constraint can state?
//! Reads everything, changes nothing, owns no table.

mod store;

use std::fmt;
use std::path::Path;

use crate::agents::{self, AuthorityError};
use crate::context::Context;
use crate::db::StoreError;
use crate::kernel::error::Chain;
use crate::tickets;

/// Records shown per broken invariant; the count is complete.
const EXAMPLES_MAX: i64 = 5;

/// What the chain of hashes of every ticket's events shows.
const HISTORIES: &str = "a ticket's history is as it was written, event by event";

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What should hold, as a sentence.
    pub invariant: &'static str,
    /// How many records break it.
    pub count: i64,
    /// A few of them.
    pub examples: Vec<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {} ({} found", self.invariant, self.count)?;
        if !self.examples.is_empty() {
            write!(f, ", for instance {}", self.examples.join(", "))?;
        }
        f.write_str(")")
    }
}

/// Looks at everything; an empty list is a sound database whose authority the key file opens.
pub async fn run(context: &Context, seal_key_file: &Path) -> Result<Vec<Finding>, StoreError> {
    let mut tx = context.db.read().await?;
    let mut findings = store::engine_findings(&mut tx).await?;
    for invariant in store::INVARIANTS {
        let (count, examples) = store::violations(&mut tx, invariant, EXAMPLES_MAX).await?;
        if count > 0 {
            findings.push(Finding { invariant: invariant.sentence, count, examples });
        }
    }
    let examples_max = usize::try_from(EXAMPLES_MAX).unwrap_or_default();
    let (count, examples) = tickets::verify_histories(&mut tx, examples_max).await?;
    if count > 0 {
        findings.push(Finding { invariant: HISTORIES, count, examples });
    }
    drop(tx);
    match agents::check_authority(context, seal_key_file).await {
        Ok(()) => {}
        Err(AuthorityError::Store(error)) => return Err(error),
        Err(error) => findings.push(Finding {
            invariant: "the seal key opens the certificate authority",
            count: 1,
            examples: vec![Chain(&error).to_string()],
        }),
    }
    Ok(findings)
}
