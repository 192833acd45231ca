//! What tickets are described and ordered with: read by whoever works, changed by who administers.

use serde_json::json;

use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::tickets::action::TicketError;
use crate::tickets::model::PendingReason;
use crate::tickets::priority::Matrix;
use crate::tickets::store;

/// Why tickets may wait, in the order it is offered; those no longer offered too, because old tickets name them.
pub async fn pending_reasons(tx: &mut Tx) -> Result<Vec<PendingReason>, StoreError> {
    store::list_pending_reasons(tx).await
}

/// The priority matrix in force.
pub async fn matrix(tx: &mut Tx) -> Result<Matrix, StoreError> {
    store::current_matrix(tx).await
}

/// Puts a new version of the matrix into force: eighteen digits as [`Matrix::parse`] reads them. Tickets keep the
/// priority they have until they are qualified again.
pub async fn set_matrix(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    cells: &str,
) -> Result<Matrix, TicketError> {
    if !actor.may(Permission::Administer) || actor.scope != Scope::All {
        return Err(TicketError::Forbidden);
    }
    let before = store::current_matrix(tx).await?;
    let matrix = Matrix::parse(before.version + 1, cells).ok_or_else(|| {
        TicketError::invalid(
            "cells",
            "must be eighteen digits 1 to 5, never less urgent for more severity, scope or urgency",
        )
    })?;
    if !store::insert_matrix(tx, &matrix, &actor.label, context.now()).await? {
        return Err(TicketError::Stale { current: matrix.version, changes: Vec::new() });
    }
    let deed = Deed {
        organisation_id: None,
        action: "matrix.changed",
        subject_kind: "matrix",
        subject_id: matrix.version.to_string(),
        detail: json!({ "before": before.cells(), "after": matrix.cells() }),
    };
    audit::record(tx, context, actor, deed).await?;
    Ok(matrix)
}
