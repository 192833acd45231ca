//! Brands are needed for every page and change twice a year: they are remembered for a few seconds.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::model::Brand;
use super::service::effective;
use crate::context::Context;
use crate::db::StoreError;
use crate::kernel::error::Chain;
use crate::kernel::id::OrganisationId;
use crate::kernel::time::UtcMicros;

/// How long other collectors may show what was changed on one.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Organisations remembered at once; beyond it everything is read anew.
const ENTRIES_MAX: usize = 2_000;

/// When it was read, and what.
type Remembered = (UtcMicros, Arc<Brand>);

/// What was read lately.
#[derive(Debug, Default)]
pub struct Brands(RwLock<HashMap<Option<OrganisationId>, Remembered>>);

impl Brands {
    /// What holds for an organisation. While the database does not answer, what held before: a name is no reason
    /// to fail a page.
    pub async fn of(&self, context: &Context, organisation: Option<OrganisationId>) -> Arc<Brand> {
        let now = context.now();
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&organisation).cloned();
        if let Some((at, brand)) = &known
            && now.since(*at) < REMEMBERED
        {
            return Arc::clone(brand);
        }
        match read(context, organisation).await {
            Ok(brand) => {
                let brand = Arc::new(brand);
                let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
                if entries.len() >= ENTRIES_MAX {
                    entries.clear();
                }
                entries.insert(organisation, (now, Arc::clone(&brand)));
                brand
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "the branding could not be read");
                known.map_or_else(Arc::default, |it| it.1)
            }
        }
    }

    /// Forgets everything, after something was saved.
    pub fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

async fn read(context: &Context, organisation: Option<OrganisationId>) -> Result<Brand, StoreError> {
    let mut tx = context.db.read().await?;
    effective(&mut tx, organisation).await
}
