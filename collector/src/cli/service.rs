//! `parc-collector admin calendar` and `contract`: what service an organisation gets.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::calendars::{self, CalendarHours, NewCalendar};
use crate::context::Context;
use crate::contracts::{self, Covers, NewContract};
use crate::db::Tx;
use crate::kernel::actor::Actor;
use crate::sites::Organisation;

/// Longest file of special days that is read, bytes: the most lines a calendar may have.
const EXCEPTIONS_BYTES_MAX: usize = 64 * 1_024;

#[derive(Debug, clap::Args)]
pub(super) struct CalendarArguments {
    /// Organisation's code; nothing for a calendar that every organisation may use.
    #[arg(long)]
    pub(super) organisation: Option<String>,
    /// Name.
    #[arg(long)]
    name: String,
    /// Opening hours: "mon-fri 08:00-12:00 13:00-18:00; sat 09:00-12:00".
    #[arg(long)]
    hours: String,
    /// Public holidays: none, france or `alsace_moselle`.
    #[arg(long, default_value = "france")]
    holidays: String,
    /// File with a line per special day: "2026-12-24 08:00-12:00 Christmas Eve".
    #[arg(long)]
    exceptions_file: Option<PathBuf>,
    /// IANA time zone.
    #[arg(long, default_value = "Europe/Paris")]
    time_zone: String,
    /// Holds when no contract says otherwise.
    #[arg(long)]
    standard: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ContractArguments {
    /// Organisation's code.
    #[arg(long)]
    pub(super) organisation: String,
    /// What it is called.
    #[arg(long, default_value = "PSAI")]
    kind: String,
    /// Its number.
    #[arg(long)]
    reference: String,
    /// First day, YYYY-MM-DD.
    #[arg(long)]
    starts_on: String,
    /// Last day, YYYY-MM-DD.
    #[arg(long, default_value = "")]
    ends_on: String,
    /// Months of tacit renewal.
    #[arg(long, default_value_t = 0)]
    renewal_months: i64,
    /// Which machines.
    #[arg(long, value_enum, default_value_t = Covers::All)]
    covers: Covers,
    /// Inventory number or model; may be given several times.
    #[arg(long = "item")]
    items: Vec<String>,
    /// Calendar's name.
    #[arg(long)]
    calendar: Option<String>,
    /// Call-back targets for priorities 1 to 5: "15m 1h 4h 1d 2d".
    #[arg(long, default_value = "")]
    call_back: String,
    /// Resolution targets for priorities 1 to 5: "4h 1d 3d 5d 10d".
    #[arg(long, default_value = "")]
    resolution: String,
    /// Emergencies are measured around the clock.
    #[arg(long)]
    emergency_always: bool,
    /// The call-back clock runs on while somebody is away.
    #[arg(long)]
    away_counts: bool,
}

/// Makes a calendar and returns its id.
pub(super) async fn make_calendar(
    tx: &mut Tx,
    context: &Context,
    organisation: Option<&Organisation>,
    arguments: CalendarArguments,
) -> anyhow::Result<String> {
    let exceptions = match &arguments.exceptions_file {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            anyhow::ensure!(text.len() <= EXCEPTIONS_BYTES_MAX, "{} is too long", file.display());
            text
        }
        None => String::new(),
    };
    let CalendarArguments { name, hours, holidays, time_zone, standard, .. } = arguments;
    let new = NewCalendar {
        organisation_id: organisation.map(|it| it.id),
        name,
        standard,
        hours: CalendarHours { time_zone, hours, holidays, exceptions },
    };
    Ok(calendars::create_calendar(tx, context, &Actor::system(), new).await?.id.to_string())
}

/// Makes a contract and returns its id.
pub(super) async fn make_contract(
    tx: &mut Tx,
    context: &Context,
    organisation: &Organisation,
    arguments: ContractArguments,
) -> anyhow::Result<String> {
    let calendar_id = match arguments.calendar.as_deref() {
        Some(name) => {
            let found = calendars::find_calendar_by_name(tx, organisation.id, name.trim()).await?;
            Some(found.with_context(|| format!("there is no calendar {name}"))?.id)
        }
        None => None,
    };
    let new = NewContract {
        organisation_id: organisation.id,
        kind: arguments.kind,
        reference: arguments.reference,
        starts_on: arguments.starts_on,
        ends_on: arguments.ends_on,
        renewal_months: arguments.renewal_months,
        covers: arguments.covers,
        items: arguments.items.join("\n"),
        calendar_id,
        call_back: arguments.call_back,
        resolution: arguments.resolution,
        emergency_always: arguments.emergency_always,
        away_pauses: !arguments.away_counts,
    };
    Ok(contracts::create_contract(tx, context, &Actor::system(), new).await?.id.to_string())
}
