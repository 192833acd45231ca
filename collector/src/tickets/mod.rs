//! Tickets. PUBLIC FACE (contract).
pub mod model;
pub(crate) mod web;
use crate::{context::Context, db::{StoreError, Tx}, kernel::{actor::Actor, id::*, page::{Page, PageRequest}, time::UtcMicros}};
pub use model::*;

/// Opens a ticket: number, match, pin, event, audit in one transaction. The same `request_id` opens one ticket.
pub async fn open_ticket(_context: &Context, _actor: &Actor, _new: NewTicket) -> Result<OpenedTicket, TicketError> { todo!() }
/// The ticket with everything a page or REST shows, as far as the actor may see it; None when it may not.
pub async fn find_ticket(_context: &Context, _actor: &Actor, _number: &TicketNumber) -> Result<Option<TicketView>, TicketError> { todo!() }
/// The queue: newest urgent first within the filter.
pub async fn list_tickets(_context: &Context, _actor: &Actor, _filter: &TicketFilter, _page: &PageRequest) -> Result<Page<TicketRow>, TicketError> { todo!() }
pub async fn count_tickets(_context: &Context, _actor: &Actor, _filter: &TicketFilter) -> Result<TicketCounts, TicketError> { todo!() }
/// Tickets of a machine, newest first (actor's scope).
pub async fn list_tickets_of_ci(_context: &Context, _actor: &Actor, _ci: CiId, _page: &PageRequest) -> Result<Page<TicketRow>, TicketError> { todo!() }
/// Does one thing to a ticket. `version` must be the one the actor saw (If-Match).
pub async fn act_on_ticket(_context: &Context, _actor: &Actor, _number: &TicketNumber, _version: i64, _action: TicketAction) -> Result<TicketView, TicketError> { todo!() }
/// The actions the actor may take now, for buttons.
pub fn allowed_actions(_actor: &Actor, _ticket: &Ticket) -> Vec<ActionKind> { todo!() }
/// Late attachment: give it to `inventory` so that a newly bound tag wakes the open tickets that wait for it.
#[derive(Clone, Debug)]
pub struct LateAttachment { pub context: Context }
impl crate::inventory::TagListener for LateAttachment {
    fn tag_bound<'a>(&'a self, _tx: &'a mut Tx, _bound: &'a crate::inventory::TagBound) -> crate::inventory::HookFuture<'a> { todo!() }
}
