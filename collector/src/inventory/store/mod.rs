//! SQL of configuration items, one file per group of tables. Joins read names from `site`, `person`,
//! `site_organisation` and `software`; only the tables of this slice are written.

pub(super) mod ci;
pub(super) mod conflict;
pub(super) mod contact;
pub(super) mod history;
pub(super) mod identity;
pub(super) mod list;
pub(super) mod pin;
pub(super) mod section;

use parc_wire::digest::Digest;

use crate::db::StoreError;

/// Rows of one multi-row statement: well below the parameter limits of both engines.
const ROWS_MAX: usize = 500;

/// A digest column.
fn digest(table: &'static str, column: &'static str, bytes: &[u8]) -> Result<Digest, StoreError> {
    bytes.try_into().map_err(|_| StoreError::inconsistent(table, column, format!("{} bytes", bytes.len())))
}
