//! What service the demonstration organisation gets: hours of its own and a maintenance contract.

use crate::calendars::{self, CalendarHours, NewCalendar};
use crate::context::Context;
use crate::contracts::{self, Covers, NewContract};
use crate::db::Tx;
use crate::kernel::actor::Actor;
use crate::kernel::id::OrganisationId;

/// Makes both. The contract began years ago and goes on by itself, so that it is in force whenever this is started.
pub(super) async fn make(tx: &mut Tx, context: &Context, organisation: OrganisationId) -> anyhow::Result<()> {
    let actor = Actor::system();
    let calendar = NewCalendar {
        organisation_id: Some(organisation),
        name: "Heures ouvrées".into(),
        standard: true,
        hours: CalendarHours {
            time_zone: "Europe/Paris".into(),
            hours: "mon-thu 08:30-12:30 13:30-18:00; fri 08:30-12:30 13:30-17:00".into(),
            holidays: "france".into(),
            exceptions: String::new(),
        },
    };
    let calendar = calendars::create_calendar(tx, context, &actor, calendar).await?;
    let contract = NewContract {
        organisation_id: organisation,
        kind: "PSAI".into(),
        reference: "DEMO-2024".into(),
        starts_on: "2024-01-01".into(),
        ends_on: "2024-12-31".into(),
        renewal_months: 12,
        covers: Covers::All,
        items: String::new(),
        calendar_id: Some(calendar.id),
        call_back: String::new(),
        resolution: String::new(),
        emergency_always: true,
        away_pauses: true,
    };
    contracts::create_contract(tx, context, &actor, contract).await?;
    Ok(())
}
