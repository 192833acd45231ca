//! Types of the slice.

use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{LocationId, OrganisationId, SiteId};
use crate::kernel::time::Zone;

/// A client organisation.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// Short code, as mails carry it: 2 to 16 of A–Z, 0–9, `-`.
    pub code: String,
    /// Name.
    pub name: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Made by the quickstart, not a real client.
    pub demo: bool,
}

impl Organisation {
    /// Its time zone; UTC should the stored name have left the zone database.
    pub fn zone(&self) -> Zone {
        Zone::named(&self.time_zone).unwrap_or_else(Zone::utc)
    }
}

/// A site of an organisation.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Name, unique in the organisation.
    pub name: String,
    /// Postal address, one line.
    pub address: String,
    /// The one people without a fixed place choose.
    pub main: bool,
}

/// A place inside a site.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Location {
    /// Its id.
    pub id: LocationId,
    /// Where it is.
    pub site_id: SiteId,
    /// Building, floor, room.
    pub name: String,
}

/// What makes an organisation.
#[derive(Clone, Debug)]
pub struct NewOrganisation {
    /// Short code.
    pub code: String,
    /// Name.
    pub name: String,
    /// IANA time zone.
    pub time_zone: String,
    /// Whether it is for demonstration.
    pub demo: bool,
}

/// What makes a site.
#[derive(Clone, Debug)]
pub struct NewSite {
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// Name.
    pub name: String,
    /// Postal address, may be empty.
    pub address: String,
    /// Whether it becomes the main site.
    pub main: bool,
}

/// Why a site or organisation was not made.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The code or name is taken.
    #[error("{field} {value:?} is taken")]
    Taken {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for SiteError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Taken { .. } => ErrorKind::Conflict,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::Taken { .. } => "taken",
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } | Self::Taken { field, .. } => Some(field),
            Self::Store(_) => None,
        }
    }
}
