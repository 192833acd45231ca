//! From a typed inventory number to a configuration item. PUBLIC FACE (contract). Pure rules plus the look-ups they need.
use crate::{db::{StoreError, Tx}, inventory::CiSummary, kernel::{actor::Scope, id::*, text::AssetTag}};

/// The six results of looking an inventory number up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum AssetMatch { Attached, Unknown, Ambiguous, Foreign, Placeholder, None }

/// What was found for a typed text.
#[derive(Clone, Debug)]
pub struct Lookup {
    pub outcome: AssetMatch,
    pub tag: Option<AssetTag>,
    /// The one machine (attached), or the candidates (ambiguous: holder and claimants).
    pub candidates: Vec<CiSummary>,
    /// Near misses of the same organisation for an unknown tag, best first, at most 5. Never links.
    pub suggestions: Vec<CiSummary>,
}

/// Looks a typed text up in one organisation, in the caller's transaction. `Foreign` is for the record and for staff;
/// [`visible`] is what others may be told.
pub async fn look_up(_tx: &mut Tx, _organisation: OrganisationId, _typed: &str) -> Result<Lookup, StoreError> { todo!() }

/// What an actor of `scope` may be told: a foreign tag looks exactly like an unknown one unless the scope is all.
pub fn visible(_lookup: Lookup, _scope: Scope) -> Lookup { todo!() }
