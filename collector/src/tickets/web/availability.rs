//! Saying later when one can be called.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::actions::NumberText;
use crate::kernel::time::Zone;
use crate::tickets::slots::chosen;
use crate::tickets::{self, TicketAction, TicketNumber};
use crate::web::{PageError, Posted, WebState};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AvailabilityForm {
    version: NumberText,
    /// Ticked slots, one a line.
    slot: String,
}

pub(crate) async fn keep(
    State(state): State<WebState>,
    Path(number): Path<String>,
    Posted { reader, fields }: Posted<AvailabilityForm>,
) -> Result<Response, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    let seen = tickets::find_ticket(&state.context, &reader.actor, &number)
        .await?
        .ok_or_else(PageError::not_found)?;
    let zone = Zone::named(&seen.ticket.time_zone).unwrap_or_else(Zone::utc);
    let slots = chosen(&fields.slot, state.context.now(), &zone);
    let action = TicketAction::Availability { slots };
    tickets::act_on_ticket(&state.context, &reader.actor, &number, fields.version.0, action).await?;
    Ok(Redirect::to(&format!("/tickets/{number}?done=ticket")).into_response())
}
