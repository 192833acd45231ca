//! Reading tickets, as far as the actor may.

use std::mem::take;

use super::attachments::mark_openable;
use super::prepare::teams_of;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::inventory::{self, CiSummary, DeclaredField, Machine};
use crate::kernel::actor::{Actor, Permission, Role, Scope};
use crate::kernel::id::CiId;
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::text::AssetTag;
use crate::kernel::time::{UtcMicros, days};
use crate::matching::{self, AssetMatch};
use crate::tickets::action::TicketError;
use crate::tickets::clocks;
use crate::tickets::difference::{FieldChange, summed_up};
use crate::tickets::model::{
    OpenedTicket, Ticket, TicketAsset, TicketCounts, TicketEvent, TicketFilter, TicketRow, TicketView,
};
use crate::tickets::number::TicketNumber;
use crate::tickets::rules::{self, Situation, Standing};
use crate::tickets::store::{self, Link, Visibility};
use crate::tickets::words::ActionKind;

/// How far back a ticket looks for what may have broken the machine.
const DAYS_BEFORE: u64 = 7;
/// Changes of a machine shown on a ticket; the asset page has the rest.
const CHANGES_MAX: u32 = 100;
/// Other tickets of a machine shown on a ticket (rule A15).
const OTHER_TICKETS_MAX: u32 = 5;
/// Tickets under one that are shown with it.
const CHILDREN_MAX: u32 = 50;
/// The next moment after another, for ranges that leave their beginning out.
const NEXT_MOMENT: std::time::Duration = std::time::Duration::from_micros(1);

/// The ticket with everything a page or REST shows, as far as the actor may see it; `None` when it may not.
pub async fn find_ticket(
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
) -> Result<Option<TicketView>, TicketError> {
    let mut tx = context.db.read().await?;
    let found = store::find_visible(&mut tx, Visibility::of(actor), number).await?;
    match found {
        Some(ticket) => Ok(Some(view(&mut tx, actor, ticket, context.now()).await?)),
        None => Ok(None),
    }
}

/// What changed in a ticket after `version`, for who works on tickets; nothing for anybody else.
pub async fn changes_since(
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    version: i64,
) -> Result<Vec<FieldChange>, TicketError> {
    let mut tx = context.db.read().await?;
    let seen = store::find_visible(&mut tx, Visibility::of(actor), number).await?;
    match seen {
        Some(ticket) => Ok(changed(&mut tx, actor, &ticket, version).await?),
        None => Ok(Vec::new()),
    }
}

/// As [`changes_since`], of a ticket the actor was found to see.
pub(super) async fn changed(
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
    version: i64,
) -> Result<Vec<FieldChange>, StoreError> {
    if !actor.may(Permission::WorkTickets) {
        return Ok(Vec::new());
    }
    let steps = store::list_changes_since(tx, &ticket.number, version).await?;
    Ok(visible_changes(summed_up(steps), actor))
}

/// The machines of the ticket that `actor` has just opened, for the answer to its request: also for programs that may
/// open tickets and not read them.
pub async fn opened_assets(
    context: &Context,
    actor: &Actor,
    opened: &OpenedTicket,
) -> Result<Vec<TicketAsset>, TicketError> {
    let mut tx = context.db.read().await?;
    match store::find(&mut tx, &opened.number).await? {
        Some(ticket) => Ok(assets(&mut tx, actor, &ticket, context.now()).await?),
        None => Ok(Vec::new()),
    }
}

/// The queue: most urgent first, newest first among equals, within the filter.
pub async fn list_tickets(
    context: &Context,
    actor: &Actor,
    filter: &TicketFilter,
    page: &PageRequest,
) -> Result<Page<TicketRow>, TicketError> {
    let visible = Visibility::of(actor);
    if visible.hides(filter.asset_match) {
        return Ok(Page { rows: Vec::new(), next: None });
    }
    let mut tx = context.db.read().await?;
    let mut rows = store::list(&mut tx, visible, filter, page).await?;
    if sees_clocks(actor) {
        let numbers: Vec<&TicketNumber> = rows.rows.iter().map(|it| &it.ticket.number).collect();
        let clocks = clocks::read_clocks(&mut tx, &numbers, context.now()).await?;
        rows.rows.iter_mut().zip(clocks).for_each(|(row, own)| row.clocks = own);
    }
    Ok(rows.map(|row| shown_row(row, actor.scope)))
}

/// Deadlines are a matter between those who work and those who watch over it.
fn sees_clocks(actor: &Actor) -> bool {
    actor.may(Permission::WorkTickets) || actor.has_role(Role::Auditor)
}

/// How many tickets the filter finds, by state.
pub async fn count_tickets(
    context: &Context,
    actor: &Actor,
    filter: &TicketFilter,
) -> Result<TicketCounts, TicketError> {
    let visible = Visibility::of(actor);
    if visible.hides(filter.asset_match) {
        return Ok(TicketCounts::default());
    }
    let mut tx = context.db.read().await?;
    Ok(store::count(&mut tx, visible, filter, actor.person()).await?)
}

/// Tickets of a machine that the actor may see, newest first; detached ones too.
pub async fn list_tickets_of_ci(
    context: &Context,
    actor: &Actor,
    ci: CiId,
    page: &PageRequest,
) -> Result<Page<TicketRow>, TicketError> {
    let mut tx = context.db.read().await?;
    Ok(tickets_of_ci(&mut tx, actor, ci, page).await?)
}

async fn tickets_of_ci(
    tx: &mut Tx,
    actor: &Actor,
    ci: CiId,
    page: &PageRequest,
) -> Result<Page<TicketRow>, StoreError> {
    let rows = store::list_of_ci(tx, Visibility::of(actor), ci, page).await?;
    Ok(rows.map(|row| shown_row(row, actor.scope)))
}

fn shown_row(mut row: TicketRow, scope: Scope) -> TicketRow {
    row.ticket.asset_match = row.ticket.asset_match.visible(scope);
    row
}

/// A ticket that was found to be visible, with all that belongs to it.
async fn view(
    tx: &mut Tx,
    actor: &Actor,
    mut ticket: Ticket,
    now: UtcMicros,
) -> Result<TicketView, StoreError> {
    let assets = assets(tx, actor, &ticket, now).await?;
    let internal = internal_reader(actor);
    let mut events = store::list_events(tx, &ticket.number, internal).await?;
    if !internal {
        events.iter_mut().for_each(hide_internal_text);
    }
    for event in &mut events {
        event.changes = if internal { visible_changes(take(&mut event.changes), actor) } else { Vec::new() };
        mark_openable(actor, &ticket, event);
    }
    let slots = store::list_slots(tx, &ticket.number).await?;
    let (candidates, suggestions) = hints(tx, actor, &ticket).await?;
    let owner_active = match ticket.owner_id {
        Some(owner) => store::find_party(tx, owner).await?.is_some_and(|it| it.active),
        None => false,
    };
    let standing = Standing::of(actor, &ticket, &teams_of(tx, actor).await?);
    let allowed = rules::allowed(Situation::of(&ticket, owner_active, now), standing);
    let watchers = store::list_watchers(tx, &ticket.number).await?;
    let watched = watchers.iter().any(|it| Some(it.0) == actor.person());
    let children = if internal { children(tx, actor, &ticket).await? } else { Vec::new() };
    ticket.asset_match = ticket.asset_match.visible(actor.scope);
    let (mut clocks, mut coverage) = (Vec::new(), None);
    if sees_clocks(actor) {
        clocks = clocks::read_clocks(tx, &[&ticket.number], now).await?.into_iter().flatten().collect();
        coverage = store::find_coverage(tx, &ticket.number).await?;
    }
    let may_decide_coverage =
        coverage.as_ref().is_some_and(|it| super::cover::may_decide(actor, &ticket, it).is_ok());
    Ok(TicketView {
        ticket,
        assets,
        events,
        suggestions,
        candidates,
        slots,
        allowed: allowed_now(allowed, watched),
        children,
        watchers: watchers.into_iter().map(|it| it.1).filter(|_| internal).collect(),
        watched,
        clocks,
        coverage,
        may_decide_coverage,
    })
}

/// Whether the actor reads what staff writes to each other.
pub(super) fn internal_reader(actor: &Actor) -> bool {
    actor.may(Permission::WorkTickets) || actor.has_role(Role::Auditor)
}

/// Who moved a ticket is everybody's business, what staff wrote to each other about it is not.
fn hide_internal_text(event: &mut TicketEvent) {
    if event.data.get("internal") == Some(&true.into())
        && let Some(data) = event.data.as_object_mut()
    {
        data.remove("text");
        data.remove("internal");
    }
}

/// Watching is offered to who does not, ending it to who does.
fn allowed_now(mut allowed: Vec<ActionKind>, watched: bool) -> Vec<ActionKind> {
    let pointless = if watched { ActionKind::Watch } else { ActionKind::Unwatch };
    allowed.retain(|it| *it != pointless);
    allowed
}

/// Tickets under this one that the actor may see.
async fn children(tx: &mut Tx, actor: &Actor, ticket: &Ticket) -> Result<Vec<TicketRow>, StoreError> {
    let filter = TicketFilter { under: Some(ticket.number.clone()), ..TicketFilter::default() };
    let page = PageRequest { after: None, limit: CHILDREN_MAX };
    let found = store::list(tx, Visibility::of(actor), &filter, &page).await?;
    Ok(found.rows.into_iter().map(|it| shown_row(it, actor.scope)).collect())
}

/// Changes as the actor may see them: that a number is foreign is told only to who works for all organisations.
fn visible_changes(mut changes: Vec<FieldChange>, actor: &Actor) -> Vec<FieldChange> {
    if actor.scope != Scope::All {
        for value in changes.iter_mut().flat_map(|it| [&mut it.before, &mut it.after]) {
            if value.as_str() == Some(AssetMatch::Foreign.code()) {
                *value = AssetMatch::Unknown.code().into();
            }
        }
        changes.retain(|it| it.before != it.after);
    }
    changes
}

/// For a ticket that waits: who claims an ambiguous or foreign number, and what an unknown one may have meant.
async fn hints(
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
) -> Result<(Vec<CiSummary>, Vec<CiSummary>), StoreError> {
    let waits =
        matches!(ticket.asset_match, AssetMatch::Unknown | AssetMatch::Ambiguous | AssetMatch::Foreign);
    if !waits || !ticket.state.is_open() {
        return Ok((Vec::new(), Vec::new()));
    }
    let lookup = matching::look_up(tx, ticket.organisation_id, &ticket.inventory_number).await?;
    if actor.scope == Scope::All
        && lookup.outcome == AssetMatch::Foreign
        && let Some(tag) = &lookup.tag
    {
        return Ok((inventory::list_cis_by_tag(tx, Scope::All, tag.key()).await?, lookup.suggestions));
    }
    Ok((lookup.candidates, lookup.suggestions))
}

async fn assets(
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
    now: UtcMicros,
) -> Result<Vec<TicketAsset>, StoreError> {
    let links = store::list_links(tx, &ticket.number).await?;
    let mut assets = Vec::with_capacity(links.len());
    for link in links {
        assets.extend(asset(tx, actor, ticket, link, now).await?);
    }
    Ok(assets)
}

/// A machine on the ticket: pinned, compared with now, and with what changed before it broke.
async fn asset(
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
    link: Link,
    now: UtcMicros,
) -> Result<Option<TicketAsset>, StoreError> {
    let Some(ci) = inventory::find_ci(tx, Scope::All, link.ci_id).await? else {
        return Ok(None);
    };
    let pinned = inventory::pinned_machine(tx, link.pin_id).await?;
    let pinned = pinned.ok_or_else(|| StoreError::inconsistent("ticket_asset", "pin_id", &ticket.number))?;
    let other_tickets = other_tickets(tx, actor, ticket, ci.id).await?;
    let Link { id, role, attached_by, attached_at, .. } = link;
    let shown = TicketAsset {
        id,
        ci,
        role,
        attached_by,
        attached_at,
        pinned,
        changed_since: Vec::new(),
        changed_before: Vec::new(),
        contested: false,
        other_tickets,
    };
    if !actor.may(Permission::ReadAssets) {
        return Ok(Some(for_requesters(shown)));
    }
    let since = attached_at + NEXT_MOMENT;
    let before = ticket.created_at - days(DAYS_BEFORE);
    Ok(Some(TicketAsset {
        changed_since: inventory::list_changes(tx, shown.ci.id, since, now + NEXT_MOMENT, CHANGES_MAX)
            .await?,
        changed_before: inventory::list_changes(tx, shown.ci.id, before, ticket.created_at, CHANGES_MAX)
            .await?,
        contested: is_contested(tx, &shown.ci).await?,
        ..shown
    }))
}

async fn is_contested(tx: &mut Tx, ci: &CiSummary) -> Result<bool, StoreError> {
    match ci.tag.as_deref().map(str::parse::<AssetTag>) {
        Some(Ok(tag)) => {
            Ok(inventory::find_open_conflict(tx, ci.organisation_id, tag.key()).await?.is_some())
        }
        Some(Err(_)) | None => Ok(false),
    }
}

async fn other_tickets(
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
    ci: CiId,
) -> Result<Vec<TicketRow>, StoreError> {
    let page = PageRequest { after: None, limit: OTHER_TICKETS_MAX + 1 };
    let mut rows = tickets_of_ci(tx, actor, ci, &page).await?.rows;
    rows.retain(|row| row.ticket.number != ticket.number);
    rows.truncate(OTHER_TICKETS_MAX as usize);
    Ok(rows)
}

/// Requesters see which machine it is and where, not what is in it (helpdesk roles: make, model, tag, site).
fn for_requesters(asset: TicketAsset) -> TicketAsset {
    let Machine { ci, name, tag, kind, site_name, location, facts, observed_at, .. } = asset.pinned;
    let shown = [DeclaredField::Make, DeclaredField::Model];
    let facts = facts.into_iter().filter(|it| shown.contains(&it.field)).collect();
    let pinned =
        Machine { ci, name, tag, kind, site_name, location, facts, observed_at, ..Machine::default() };
    let ci = CiSummary {
        serial: String::new(),
        os_name: String::new(),
        os_version: String::new(),
        cpu: String::new(),
        memory_mib: 0,
        disk_mib: 0,
        software_count: 0,
        problem_count: 0,
        assigned_to_id: None,
        assigned_to_name: String::new(),
        last_change_at: None,
        ..asset.ci
    };
    TicketAsset { ci, pinned, ..asset }
}
