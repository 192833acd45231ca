//! Where items stand in their lives, as people and loans set it.

use serde_json::json;

use super::model::{CiSummary, InventoryError, Lifecycle};
use super::store::{ci as ci_store, list};
use super::tags;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Scope};
use crate::kernel::id::{CiId, OrganisationId};

/// Items of one shelf that are looked at: more than a cupboard holds.
const SHELF_ROWS: i64 = 200;

impl Lifecycle {
    /// All, in the order they are shown.
    pub const ALL: [Self; 6] =
        [Self::InUse, Self::Stock, Self::InRepair, Self::OnLoan, Self::Retired, Self::Stolen];

    /// Stored word, REST value and text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::InUse => "in_use",
            Self::Stock => "stock",
            Self::InRepair => "in_repair",
            Self::OnLoan => "on_loan",
            Self::Retired => "retired",
            Self::Stolen => "stolen",
        }
    }

    /// From the stored word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// Says where an item stands in its life. What is retired stays retired.
pub async fn set_lifecycle(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    ci: CiId,
    lifecycle: Lifecycle,
) -> Result<(), InventoryError> {
    let summary = super::find_ci(tx, actor.scope, ci).await?.ok_or(InventoryError::NotFound)?;
    if summary.lifecycle == lifecycle {
        return Ok(());
    }
    if summary.lifecycle == Lifecycle::Retired {
        return Err(InventoryError::Conflict("a retired item is not changed"));
    }
    if lifecycle == Lifecycle::Retired {
        ci_store::retire(tx, ci, context.now()).await?;
    } else {
        ci_store::set_lifecycle(tx, ci, lifecycle).await?;
    }
    let detail = json!({ "before": summary.lifecycle, "after": lifecycle });
    Ok(tags::record(tx, context, actor, (summary.organisation_id, ci), "ci.lifecycle", detail).await?)
}

/// Items that stand so, of one organisation or of all in scope, by name; at most 200.
pub async fn list_cis_by_lifecycle(
    tx: &mut Tx,
    scope: Scope,
    organisation: Option<OrganisationId>,
    lifecycle: Lifecycle,
) -> Result<Vec<CiSummary>, StoreError> {
    list::list_by_lifecycle(tx, scope, organisation, lifecycle, SHELF_ROWS).await
}
