//! Service hours, French public holidays and the clocks of a service level. Pure: no input, no output, no clock of
//! its own; moments come in as parameters.
//!
//! [`Calendar`] says when a service is open and measures time in open minutes. [`History`] is what a clock went
//! through, as intervals; time spent and deadlines are derived from it and never stored as truth. [`Facts`] and
//! [`wanted`] say what a clock has to do for a ticket; [`Targets`] how long it may take.

mod calendar;
mod clock;
mod exceptions;
#[cfg(test)]
mod histories;
mod holidays;
mod hours;
mod moment;
mod refusal;
mod rules;
mod targets;
mod term;

pub use calendar::{Calendar, HORIZON_DAYS, SpecialDay};
pub use clock::{ClockState, History, Interval, Next};
pub use exceptions::{EXCEPTIONS_MAX, Exception, Exceptions};
pub use holidays::{Holiday, Holidays, easter, french_holidays};
pub use hours::{OpenHours, SLOTS_PER_DAY_MAX, Slot, Week};
pub use moment::Moment;
pub use refusal::CalendarRefusal;
pub use rules::{ClockKind, Facts, Stage, wanted};
pub use targets::{Target, Targets};
pub use term::{Day, Term, TermStanding};
