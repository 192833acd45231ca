//! The two clocks of a ticket: until somebody tried to call back, and until it is resolved.
//!
//! What a clock went through is kept as intervals, each measured by the version of a calendar that held when the
//! ticket was opened; time spent and deadlines follow from them. A change of priority changes the target and keeps
//! the time spent.

use std::time::Duration;

use parc_calendar::{ClockKind, ClockState, Facts, History, Stage, Targets, wanted};

use super::model::{Entry, Ticket};
use super::number::TicketNumber;
use super::store::{self, Measure};
use super::words::{TicketKind, TicketState};
use crate::calendars::{self, CalendarVersion, Measured, moment, utc};
use crate::context::Context;
use crate::contracts::Contract;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::CalendarId;
use crate::kernel::time::UtcMicros;

/// What of a target is spent when people are warned, in percent.
const WARNING_PERCENT: u32 = 75;

/// What the clocks of a ticket are measured by, frozen when it was opened.
#[derive(Clone, Debug)]
pub(in crate::tickets) struct Terms {
    pub(in crate::tickets) calendar: CalendarVersion,
    pub(in crate::tickets) targets: Targets,
    /// Emergencies are measured around the clock.
    pub(in crate::tickets) emergency_always: bool,
    /// Who is away is not called: the call-back clock waits.
    pub(in crate::tickets) away_pauses: bool,
    pub(in crate::tickets) away_until: Option<UtcMicros>,
    /// When somebody first tried to call.
    pub(in crate::tickets) called_at: Option<UtcMicros>,
}

/// What follows from a clock's history, as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(in crate::tickets) struct ClockRow {
    pub(in crate::tickets) ticket_number: TicketNumber,
    pub(in crate::tickets) kind: String,
    pub(in crate::tickets) state: String,
    pub(in crate::tickets) target_us: i64,
    pub(in crate::tickets) spent_us: i64,
    pub(in crate::tickets) runs_from: Option<UtcMicros>,
    pub(in crate::tickets) due_at: Option<UtcMicros>,
    pub(in crate::tickets) warn_from: Option<UtcMicros>,
    pub(in crate::tickets) breach_from: Option<UtcMicros>,
    pub(in crate::tickets) calendar_id: Option<CalendarId>,
    pub(in crate::tickets) calendar_version: Option<i64>,
}

/// A clock of a ticket at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// Which one.
    pub kind: ClockKind,
    /// Running, paused, stopped.
    pub state: ClockState,
    /// Open time it may take.
    pub target: Duration,
    /// Open time spent.
    pub spent: Duration,
    /// When the target is or was reached; none while that depends on somebody else.
    pub due_at: Option<UtcMicros>,
}

/// How a clock stands against its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStanding {
    /// Less than three quarters are spent.
    InTime,
    /// Three quarters are spent.
    Near,
    /// All of it is spent, and more.
    Late,
}

impl ClockReading {
    /// How it stands.
    pub fn standing(&self) -> ClockStanding {
        if self.spent > self.target {
            ClockStanding::Late
        } else if self.spent * 100 >= self.target * WARNING_PERCENT {
            ClockStanding::Near
        } else {
            ClockStanding::InTime
        }
    }

    /// Open minutes that are left, less than nothing when late.
    pub fn remaining_min(&self) -> i64 {
        let minutes = |it: Duration| i64::try_from(it.as_secs() / 60).unwrap_or(i64::MAX);
        match self.target.checked_sub(self.spent) {
            Some(left) => minutes(left),
            None => -minutes(self.spent.saturating_sub(self.target)),
        }
    }

    /// Of several clocks the one to look at: not stopped, with the least left.
    pub fn foremost(clocks: &[Self]) -> Option<&Self> {
        clocks.iter().filter(|it| it.state != ClockState::Stopped).min_by_key(|it| it.remaining_min())
    }
}

impl ClockStanding {
    /// The word shown and used as a text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::InTime => "in_time",
            Self::Near => "near",
            Self::Late => "late",
        }
    }
}

/// Lets the clocks follow a step of the ticket: begin with it, stop at a call or a solution, pause and go on, take
/// another target. Nothing is written when nothing of that changed. `contract` is the one a new ticket falls under.
pub(in crate::tickets) async fn follow(
    tx: &mut Tx,
    context: &Context,
    before: Option<&Ticket>,
    ticket: &Ticket,
    (entries, contract): (&[Entry], Option<&Contract>),
) -> Result<(), StoreError> {
    let called = entries.iter().any(is_call_attempt);
    let terms = match before {
        None => Some(begin_terms(tx, ticket, contract).await?),
        Some(before) if called || matters(before, ticket) => store::find_terms(tx, &ticket.number).await?,
        Some(_) => None,
    };
    let Some(mut terms) = terms else { return Ok(()) };
    if called {
        terms.called_at.get_or_insert(context.now());
    }
    if called || before.is_none() {
        store::save_terms(tx, &ticket.number, &terms).await?;
    }
    move_clocks(tx, ticket, &terms, context.now()).await
}

/// The beneficiary said until when not to be there, or is there again. Whether that pauses the call-back clock is a
/// matter of the terms.
pub async fn set_away_until(
    tx: &mut Tx,
    context: &Context,
    ticket: &Ticket,
    until: Option<UtcMicros>,
) -> Result<(), StoreError> {
    let Some(mut terms) = store::find_terms(tx, &ticket.number).await? else { return Ok(()) };
    terms.away_until = until;
    store::save_terms(tx, &ticket.number, &terms).await?;
    move_clocks(tx, ticket, &terms, context.now()).await
}

/// The clocks of tickets as they stand at `now`, in the order of the numbers.
pub(in crate::tickets) async fn read_clocks(
    tx: &mut Tx,
    numbers: &[&TicketNumber],
    now: UtcMicros,
) -> Result<Vec<Vec<ClockReading>>, StoreError> {
    let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let rows = store::list_clocks(tx, &texts).await?;
    let versions = rows.iter().filter_map(|it| store::measure(it.calendar_id, it.calendar_version));
    let measured = calendars::load_measured(tx, versions.collect::<Vec<_>>()).await?;
    let of = |number: &TicketNumber| -> Result<Vec<ClockReading>, StoreError> {
        rows.iter().filter(|it| it.ticket_number == *number).map(|it| it.reading(&measured, now)).collect()
    };
    numbers.iter().map(|it| of(it)).collect()
}

impl ClockRow {
    fn reading(&self, measured: &Measured, now: UtcMicros) -> Result<ClockReading, StoreError> {
        let broken = || StoreError::inconsistent("ticket_clock", "state", &self.ticket_number);
        let calendar =
            measured.of(store::measure(self.calendar_id, self.calendar_version)).ok_or_else(broken)?;
        let since =
            self.runs_from.map_or(Duration::ZERO, |from| calendar.open_between(moment(from), moment(now)));
        let stored = ClockState::from_code(&self.state).ok_or_else(broken)?;
        // A pause whose end was foreseen ends by itself.
        let runs = self.runs_from.is_some_and(|from| from <= now);
        Ok(ClockReading {
            kind: ClockKind::from_code(&self.kind).ok_or_else(broken)?,
            state: if runs { ClockState::Running } else { stored },
            target: micros(self.target_us),
            spent: micros(self.spent_us) + since,
            due_at: self.due_at,
        })
    }
}

fn micros(count: i64) -> Duration {
    Duration::from_micros(u64::try_from(count).unwrap_or(0))
}

fn in_micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Reached or not: what counts is that somebody tried.
fn is_call_attempt(entry: &Entry) -> bool {
    let task = entry.data.get("task").and_then(serde_json::Value::as_str);
    entry.kind == "task" && matches!(task, Some("call" | "pdr"))
}

/// Whether a step changed anything that clocks look at.
fn matters(before: &Ticket, after: &Ticket) -> bool {
    let seen = |it: &Ticket| (it.state, it.kind, it.priority, it.pending_reason.clone());
    seen(before) != seen(after)
}

/// What holds for a ticket that is being opened: what its contract says, else what is usual.
async fn begin_terms(tx: &mut Tx, ticket: &Ticket, contract: Option<&Contract>) -> Result<Terms, StoreError> {
    let agreed = match contract.and_then(|it| it.calendar_id) {
        Some(id) => calendars::find_calendar(tx, Scope::All, id).await?.map(|it| it.present()),
        None => None,
    };
    let calendar = match agreed {
        Some(calendar) => calendar,
        None => calendars::standard_version(tx, ticket.organisation_id).await?,
    };
    Ok(Terms {
        calendar,
        targets: contract.map(|it| it.targets).unwrap_or_default(),
        emergency_always: contract.is_some_and(|it| it.emergency_always),
        away_pauses: contract.is_none_or(|it| it.away_pauses),
        away_until: None,
        called_at: None,
    })
}

async fn move_clocks(tx: &mut Tx, ticket: &Ticket, terms: &Terms, now: UtcMicros) -> Result<(), StoreError> {
    let stage = stage(tx, ticket).await?;
    for clock in ClockKind::ALL {
        move_clock(tx, (ticket, clock), (terms, stage), now).await?;
    }
    Ok(())
}

async fn move_clock(
    tx: &mut Tx,
    (ticket, clock): (&Ticket, ClockKind),
    (terms, stage): (&Terms, Stage),
    now: UtcMicros,
) -> Result<(), StoreError> {
    let at = moment(now);
    let next = wanted(clock, &facts(ticket, terms, (clock, stage)), at);
    let measure = terms.measure(ticket.kind);
    let stored = store::find_history(tx, &ticket.number, clock).await?;
    let before = stored.as_ref().map_or(&[][..], History::intervals).to_vec();
    let history = match stored {
        None => History::begin(at, next, &measure),
        Some(mut history) => {
            history.follow(at, next, &measure);
            history
        }
    };
    store::save_history(tx, (&ticket.number, clock), &before, history.intervals()).await?;
    let used = history.intervals().iter().filter_map(|it| it.calendar).chain(measure);
    let measured = calendars::load_measured(tx, used.collect::<Vec<_>>()).await?;
    let row = derived((ticket, clock), terms, &history, (&measured, measure), now)?;
    store::save_clock(tx, &row, now).await
}

/// What follows from a history.
fn derived(
    (ticket, clock): (&Ticket, ClockKind),
    terms: &Terms,
    history: &History<Measure>,
    (measured, measure): (&Measured, Measure),
    now: UtcMicros,
) -> Result<ClockRow, StoreError> {
    let broken = || StoreError::inconsistent("ticket_clock", "calendar_id", &ticket.number);
    let present = measured.of(measure).ok_or_else(broken)?;
    // Every version that the history names was loaded.
    let of = |key: &Measure| measured.of(*key).unwrap_or(present);
    let target = terms.targets.of(clock, ticket.priority).in_calendar(present);
    let due = history.due(target, of);
    let warned = history.due(target * WARNING_PERCENT / 100, of);
    let last = history.intervals().last().filter(|it| it.state == ClockState::Running);
    let state = history.state_at(moment(now));
    let told = |at: Option<parc_calendar::Moment>| at.and_then(|it| present.next_open(it)).map(utc);
    Ok(ClockRow {
        ticket_number: ticket.number.clone(),
        kind: clock.code().into(),
        state: state.code().into(),
        target_us: in_micros(target),
        spent_us: in_micros(history.spent(moment(now), of)),
        runs_from: last.map(|it| utc(it.from).max(now)),
        due_at: due.map(utc),
        // A clock that stopped in time warns nobody.
        warn_from: told(warned.filter(|_| state != ClockState::Stopped)),
        breach_from: told(due),
        calendar_id: measure.map(|it| it.calendar_id),
        calendar_version: measure.map(|it| it.version),
    })
}

impl Terms {
    fn measure(&self, kind: TicketKind) -> Measure {
        let always = self.emergency_always && kind == TicketKind::Emergency;
        (!always).then_some(self.calendar)
    }
}

fn facts(ticket: &Ticket, terms: &Terms, (clock, stage): (ClockKind, Stage)) -> Facts {
    let away = terms.away_until.filter(|_| terms.away_pauses);
    // Nobody waits for a call about an underlying cause.
    let uncalled = clock == ClockKind::CallBack && ticket.kind == TicketKind::Problem;
    Facts { stage, called: terms.called_at.is_some() || uncalled, unavailable_until: away.map(moment) }
}

async fn stage(tx: &mut Tx, ticket: &Ticket) -> Result<Stage, StoreError> {
    Ok(match ticket.state {
        TicketState::New | TicketState::Queued | TicketState::InProgress => Stage::Active,
        TicketState::Pending => waiting(tx, ticket).await?,
        TicketState::Resolved | TicketState::Closed | TicketState::Cancelled => Stage::Ended,
    })
}

/// What its reason says; a reason that is gone pauses nothing.
async fn waiting(tx: &mut Tx, ticket: &Ticket) -> Result<Stage, StoreError> {
    let reason = match ticket.pending_reason.as_deref() {
        Some(code) => store::find_pending_reason(tx, code).await?,
        None => None,
    };
    Ok(Stage::Waiting {
        pauses_call_back: reason.as_ref().is_some_and(|it| it.pauses_call),
        pauses_resolution: reason.is_some_and(|it| it.pauses_resolution),
    })
}
