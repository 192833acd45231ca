//! Asking the slices.

use crate::context::Context;
use crate::db::StoreError;
use crate::inventory::{self, CiFilter, CiSummary};
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::page::PageRequest;
use crate::people::{self, Person};
use crate::tickets::{self, TicketError, TicketFilter, TicketNumber, TicketRow};

/// Rows of each kind: the first look, the lists have the rest.
const ROWS: u32 = 10;
/// Characters of a search that count.
const QUERY_CHARS_MAX: usize = 100;

/// What was found, as far as the actor may see it.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The one ticket with that number.
    pub number: Option<TicketNumber>,
    /// Tickets, most urgent first.
    pub tickets: Vec<TicketRow>,
    /// More tickets than are listed.
    pub more_tickets: bool,
    /// Machines, retired ones too.
    pub machines: Vec<CiSummary>,
    /// More machines than are listed.
    pub more_machines: bool,
    /// People.
    pub people: Vec<Person>,
}

/// Why nothing was looked for.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The tickets could not be asked.
    #[error(transparent)]
    Tickets(#[from] TicketError),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for SearchError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Tickets(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Tickets(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

/// Looks for words everywhere the actor may look. Nothing finds nothing.
pub async fn search(context: &Context, actor: &Actor, query: &str) -> Result<Found, SearchError> {
    let query: String = query.trim().chars().take(QUERY_CHARS_MAX).collect();
    if query.is_empty() {
        return Ok(Found::default());
    }
    let page = PageRequest { after: None, limit: ROWS };
    let filter = TicketFilter { query: query.clone(), ..TicketFilter::default() };
    let tickets = tickets::list_tickets(context, actor, &filter, &page).await?;
    let mut found = Found { tickets: tickets.rows, more_tickets: tickets.next.is_some(), ..Found::default() };
    let mut tx = context.db.read().await?;
    if let Ok(number) = query.parse::<TicketNumber>() {
        found.number = tickets::find_for(&mut tx, actor, &number).await?.map(|it| it.number);
    }
    if actor.may(Permission::ReadAssets) {
        let filter = CiFilter { query: query.clone(), include_retired: true, ..CiFilter::default() };
        let machines = inventory::list_cis(&mut tx, actor.scope, &filter, &page).await?;
        found.more_machines = machines.next.is_some();
        found.machines = machines.rows;
    }
    if actor.may(Permission::CreateTicketForOthers) || actor.may(Permission::Administer) {
        found.people = people::list_people(&mut tx, actor.scope, &query, &page).await?.rows;
    }
    Ok(found)
}
