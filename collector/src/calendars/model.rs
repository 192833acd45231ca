//! Types of the slice, and the bridge to the package that measures.

use std::collections::HashMap;

use parc_calendar::{Calendar, CalendarRefusal, Moment};

use crate::db::StoreError;
use crate::kernel::actor::Scope;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{CalendarId, OrganisationId};
use crate::kernel::time::UtcMicros;

/// The same moment for the package that measures.
pub fn moment(at: UtcMicros) -> Moment {
    Moment(at.0)
}

/// The same moment for rows and pages.
pub fn utc(at: Moment) -> UtcMicros {
    UtcMicros(at.0)
}

/// One version of one calendar: what a deadline is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CalendarVersion {
    /// The calendar.
    pub calendar_id: CalendarId,
    /// Its version, from 1.
    pub version: i64,
}

/// Hours as people write them.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct CalendarHours {
    /// IANA name.
    pub time_zone: String,
    /// `mon-fri 08:00-12:00 13:00-18:00; sat 09:00-12:00`.
    pub hours: String,
    /// `none`, `france` or `alsace_moselle`.
    pub holidays: String,
    /// One line each: `2026-12-24 08:00-12:00 Christmas Eve`, `2026-08-03..2026-08-14 closed Summer`.
    pub exceptions: String,
}

/// A calendar as it is now.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ServiceCalendar {
    /// Its id.
    pub id: CalendarId,
    /// Whose it is; nothing for the provider's, which every organisation may use.
    pub organisation_id: Option<OrganisationId>,
    /// Name of that organisation, empty for the provider's.
    pub organisation_name: String,
    /// Name, unique in the organisation.
    pub name: String,
    /// Holds when no contract says otherwise.
    pub standard: bool,
    /// The present version.
    pub version: i64,
    /// Its hours.
    #[sqlx(flatten)]
    pub hours: CalendarHours,
    /// When the present version was made.
    pub changed_at: UtcMicros,
    /// By whom.
    pub changed_by: String,
}

/// What makes a calendar, or its next version.
#[derive(Clone, Debug)]
pub struct NewCalendar {
    /// Whose it is; nothing for the provider's.
    pub organisation_id: Option<OrganisationId>,
    /// Name, 1 to 80 characters.
    pub name: String,
    /// Replaces what held until now when no contract says otherwise.
    pub standard: bool,
    /// When it is open.
    pub hours: CalendarHours,
}

/// Calendars by version, ready to measure with.
#[derive(Debug)]
pub struct Measured {
    calendars: HashMap<CalendarVersion, Calendar>,
    always: Calendar,
}

impl Measured {
    pub(super) fn insert(&mut self, version: CalendarVersion, calendar: Calendar) {
        self.calendars.insert(version, calendar);
    }

    pub(super) fn contains(&self, version: CalendarVersion) -> bool {
        self.calendars.contains_key(&version)
    }

    /// None yet but around the clock.
    pub(super) fn new() -> Self {
        Self { calendars: HashMap::new(), always: Calendar::always() }
    }

    /// The calendar of a version; none stands for around the clock.
    pub fn of(&self, version: Option<CalendarVersion>) -> Option<&Calendar> {
        match version {
            Some(version) => self.calendars.get(&version),
            None => Some(&self.always),
        }
    }
}

impl ServiceCalendar {
    /// Whether who has that scope may look after it: the provider's calendars are used by all and kept by the provider.
    pub fn belongs_to(&self, scope: Scope) -> bool {
        self.organisation_id.map_or(scope == Scope::All, |it| scope.contains(it))
    }

    /// Its present version.
    pub fn present(&self) -> CalendarVersion {
        CalendarVersion { calendar_id: self.id, version: self.version }
    }
}

impl CalendarHours {
    /// The calendar these hours are.
    ///
    /// # Errors
    ///
    /// Names the field at fault.
    pub fn calendar(&self) -> Result<Calendar, CalendarError> {
        let at =
            |field: &'static str| move |refusal: CalendarRefusal| CalendarError::Refused { field, refusal };
        let week = self.hours.parse().map_err(at("hours"))?;
        let holidays = self.holidays.parse().map_err(at("holidays"))?;
        let exceptions = self.exceptions.parse().map_err(at("exceptions"))?;
        Calendar::new(self.time_zone.trim(), week, holidays, exceptions).map_err(at("time_zone"))
    }

    /// The same hours, written as they are read back.
    pub(super) fn tidy(&self) -> Result<Self, CalendarError> {
        let calendar = self.calendar()?;
        Ok(Self {
            time_zone: self.time_zone.trim().to_owned(),
            hours: calendar.week().to_string(),
            holidays: calendar.holidays().to_string(),
            exceptions: calendar.exceptions().to_string(),
        })
    }
}

/// Why a calendar was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Hours or exceptions are not what they should be.
    #[error("{field} {refusal}")]
    Refused {
        /// The field.
        field: &'static str,
        /// Why.
        refusal: CalendarRefusal,
    },
    /// The organisation has a calendar of that name.
    #[error("name {0:?} is taken")]
    Taken(String),
    /// There is none in scope.
    #[error("no such calendar")]
    NotFound,
    /// None of the actor's roles gives it.
    #[error("not allowed for these roles")]
    Forbidden,
    /// Somebody changed it meanwhile.
    #[error("the calendar changed: version {current} is current")]
    Stale {
        /// The present version.
        current: i64,
    },
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CalendarError {
    pub(super) fn invalid(field: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }
}

impl Fault for CalendarError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::Refused { .. } => ErrorKind::Invalid,
            Self::Taken(_) | Self::Stale { .. } => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } | Self::Refused { .. } => "invalid",
            Self::Taken(_) => "taken",
            Self::Stale { .. } => "stale",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } | Self::Refused { field, .. } => Some(field),
            Self::Taken(_) => Some("name"),
            Self::NotFound | Self::Forbidden | Self::Stale { .. } | Self::Store(_) => None,
        }
    }
}
