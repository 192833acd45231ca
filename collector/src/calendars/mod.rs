//! When services are open: calendars of the provider and of organisations, and the measuring of deadlines by them.
//! Owns `calendar`, `calendar_version`.
//!
//! Invariants: a version is never changed, a change makes the next one, so that what was measured by a version stays
//! measurable; every organisation has a standard calendar, its own or the provider's, which is there from the start.

pub mod api;
mod model;
mod service;
mod store;
#[cfg(test)]
mod tests;
pub(crate) mod web;

pub use model::{
    CalendarError, CalendarHours, CalendarVersion, Measured, NewCalendar, ServiceCalendar, moment, utc,
};
pub use service::{change_calendar, create_calendar, list_calendars, load_measured, standard_version};
pub use store::{find_calendar, find_calendar_by_name};
