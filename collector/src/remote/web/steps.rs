//! What is posted about a remote session. All of it leads back to the ticket.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::kernel::id::RemoteSessionId;
use crate::remote::{self, RemoteError, RemoteStep};
use crate::tickets::TicketNumber;
use crate::web::{PageError, Posted, WebState};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AskForm {
    tool: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StepForm {
    sequence: String,
    text: String,
    /// Who said it by voice; the reader themselves without.
    name: String,
}

pub(super) async fn ask(
    State(state): State<WebState>,
    Path(number): Path<String>,
    Posted { reader, fields }: Posted<AskForm>,
) -> Result<Response, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    remote::ask(&state.context, &reader.actor, &number, &fields.tool).await?;
    Ok(Redirect::to(&format!("/tickets/{number}?done=remote#remote")).into_response())
}

pub(super) async fn step(
    State(state): State<WebState>,
    Path((id, step)): Path<(String, String)>,
    Posted { reader, fields }: Posted<StepForm>,
) -> Result<Response, PageError> {
    let id: RemoteSessionId = id.parse().map_err(|_| PageError::not_found())?;
    let oral = (!fields.name.trim().is_empty()).then(|| fields.name.clone());
    let step = match step.as_str() {
        "accept" => RemoteStep::Accept { oral },
        "refuse" => RemoteStep::Refuse { oral },
        "start" => RemoteStep::Start,
        "end" => RemoteStep::End { report: fields.text.clone() },
        "withdraw" => RemoteStep::Withdraw,
        _ => return Err(PageError::not_found()),
    };
    let mut tx = state.context.db.read().await?;
    let session = remote::find_session(&mut tx, &reader.actor, id).await?.ok_or_else(PageError::not_found)?;
    drop(tx);
    let done =
        remote::step_session(&state.context, &reader.actor, id, fields.sequence.parse().ok(), step).await;
    let said = match done {
        Ok(_) => "remote",
        // The page shows where it stands now.
        Err(RemoteError::Stale | RemoteError::State { .. }) => "remote-late",
        Err(other) => return Err(other.into()),
    };
    Ok(Redirect::to(&format!("/tickets/{}?done={said}#remote", session.ticket_number)).into_response())
}
