//! Lists from outside (rule R141): organisations, sites, people and machines with their stickers, from CSV. Owns no
//! table: every line goes through the same use case as a form.
//!
//! Invariants: a file is taken whole or not at all; a dry run does everything the import does and takes it back;
//! every bad line is named with its column, not only the first; what is there already is left as it is, so that
//! the same file may be sent twice.

mod apply;
mod model;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod web;

use crate::context::Context;
use crate::kernel::actor::{Actor, Permission};

pub use model::{IMPORT_BYTES_MAX, IMPORT_ROWS_MAX, ImportError, Kind, Outcome, Problem, Reason};

/// Imports a list, or only tries to. With problems nothing is kept.
pub async fn run(
    context: &Context,
    actor: &Actor,
    kind: Kind,
    bytes: &[u8],
    dry_run: bool,
) -> Result<Outcome, ImportError> {
    let everywhere = actor.scope.organisation().is_none();
    if !actor.may(Permission::Administer) || !everywhere {
        return Err(ImportError::Forbidden);
    }
    let table = table::read(kind, bytes)?;
    let mut outcome = Outcome { rows: table.rows.len(), ..Outcome::default() };
    outcome.problems.extend(table.problems);
    // Missing columns would only repeat themselves on every line.
    if outcome.problems.is_empty() {
        let mut tx = context.db.begin().await?;
        for row in &table.rows {
            match apply::apply(&mut tx, context, actor, kind, row).await? {
                Ok(true) => outcome.made += 1,
                Ok(false) => outcome.known += 1,
                Err(problems) => outcome.add(problems),
            }
        }
        if outcome.problems.is_empty() && !dry_run {
            tx.commit().await?;
            outcome.kept = true;
        }
    }
    Ok(outcome)
}
