//! What other slices put on a ticket's page: visits on site, loans, remote sessions.

use crate::inventory::web::machine::Lens;
use crate::kernel::actor::{Actor, Permission};
use crate::loans::web::on_page::{self as loans_on_page, LoansPart};
use crate::remote::web::on_ticket::{self as remote_on_ticket, RemotePart};
use crate::tickets::Ticket;
use crate::visits::web::on_ticket::{self as visits_on_ticket, VisitsPart};
use crate::web::{PageError, WebState};

/// The parts of a ticket's page that belong to work beside the desk.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldPart {
    pub visits: VisitsPart,
    pub loans: LoansPart,
    pub remote: RemotePart,
    /// Where the person is called from, for who works on it.
    pub call_href: Option<String>,
}

/// For an actor who was found to see the ticket.
pub(super) async fn load(
    state: &WebState,
    lens: Lens<'_>,
    actor: &Actor,
    ticket: &Ticket,
) -> Result<FieldPart, PageError> {
    let mut tx = state.context.db.read().await?;
    Ok(FieldPart {
        visits: visits_on_ticket::part(&mut tx, lens, actor, ticket).await?,
        loans: loans_on_page::part(&mut tx, lens, actor, ticket).await?,
        remote: remote_on_ticket::part(&mut tx, lens, actor, ticket, &state.remote_tools).await?,
        call_href: (actor.may(Permission::WorkTickets) && ticket.state.is_open())
            .then(|| format!("/tickets/{}/call", ticket.number)),
    })
}
