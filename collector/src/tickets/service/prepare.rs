//! What an action needs to know beyond the ticket: teams, the matrix, the reason of a wait, another ticket.

use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, ActorKind, Permission, Role, Scope};
use crate::kernel::id::{PersonId, TeamId};
use crate::people;
use crate::teams::{self, Team, TeamKind, Wish};
use crate::tickets::action::{TicketAction, TicketError};
use crate::tickets::model::{PendingReason, Ticket};
use crate::tickets::number::TicketNumber;
use crate::tickets::priority::Matrix;
use crate::tickets::store::{self, Visibility};
use crate::tickets::words::{LinkKind, SubKind, TicketKind, TicketState};

/// Support levels.
const FIRST_LEVEL: i64 = 1;
const SECOND_LEVEL: i64 = 2;

/// The reason of words that are no code.
const OTHER_REASON: &str = "other";

/// Whose pot a ticket is in after an action.
#[derive(Debug, Default)]
pub(super) enum TeamAfter {
    /// As before.
    #[default]
    Same,
    /// The common one.
    CommonPot,
    /// A team's.
    Of(Team),
}

impl From<Option<Team>> for TeamAfter {
    fn from(team: Option<Team>) -> Self {
        team.map_or(Self::CommonPot, Self::Of)
    }
}

/// What was found out for one action.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// The team after the action.
    pub(super) team: TeamAfter,
    /// For what sets a priority.
    pub(super) matrix: Option<Matrix>,
    /// For a wait; the reason `other` when the words given are no code.
    pub(super) reason: Option<PendingReason>,
    /// Name of who is made the owner.
    pub(super) owner: String,
    /// The ticket this one is merged into or put under.
    pub(super) other: Option<Ticket>,
    /// Tickets under this one.
    pub(super) under: i64,
}

/// Finds out what `action` needs, and refuses what cannot be.
pub(super) async fn prepare(
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
    action: &TicketAction,
) -> Result<Prepared, TicketError> {
    let mut found = Prepared::default();
    match action {
        TicketAction::Claim => {
            found.team = match actor.person() {
                Some(person) => team_of_owner(tx, ticket, person).await?,
                None => TeamAfter::Same,
            };
        }
        TicketAction::Assign { owner } => {
            (found.owner, found.team) = new_owner(tx, ticket, *owner).await?;
        }
        TicketAction::Qualify(it) => {
            found.matrix = Some(store::current_matrix(tx).await?);
            let moved = it.kind != ticket.kind || it.sub_kind != ticket.sub_kind;
            let untouched = ticket.state == TicketState::New && moved;
            found.team = match it.team.or(ticket.team_id.filter(|_| !untouched)) {
                Some(team) => TeamAfter::Of(chosen_team(tx, ticket, team, None).await?),
                None => default_team(tx, ticket, it.kind, it.sub_kind).await?.into(),
            };
        }
        TicketAction::Transfer { team, .. } => found.team = other_team(tx, ticket, *team).await?.into(),
        TicketAction::Escalate { team, .. } => {
            found.team = match team {
                Some(team) => TeamAfter::Of(chosen_team(tx, ticket, *team, Some(SECOND_LEVEL)).await?),
                None => second_level_team(tx, ticket).await?.into(),
            };
        }
        TicketAction::Deescalate { team, .. } => {
            let usual = default_team(tx, ticket, ticket.kind, ticket.sub_kind).await?;
            found.team = match team {
                Some(team) => TeamAfter::Of(chosen_team(tx, ticket, *team, Some(FIRST_LEVEL)).await?),
                None => usual.filter(|it| it.level == FIRST_LEVEL).into(),
            };
        }
        TicketAction::Refer { .. } => {
            found.matrix = Some(store::current_matrix(tx).await?);
            found.team = security_team(tx, ticket).await?.into();
        }
        TicketAction::Hold { reason, .. } => {
            let known = store::find_pending_reason(tx, reason).await?.filter(|it| it.active);
            found.reason = match known {
                Some(known) => Some(known),
                None => store::find_pending_reason(tx, OTHER_REASON).await?,
            };
        }
        TicketAction::Resolve(_) => found.under = store::count_under(tx, &ticket.number).await?,
        TicketAction::Merge { into, .. } => {
            found.other = Some(survivor(tx, actor, ticket, into).await?);
        }
        TicketAction::Link { to, kind } => {
            found.other = Some(umbrella(tx, actor, ticket, (to, *kind)).await?);
        }
        _ => {}
    }
    Ok(found)
}

/// Ids of the active teams the actor is in.
pub(super) async fn teams_of(tx: &mut Tx, actor: &Actor) -> Result<Vec<TeamId>, StoreError> {
    match actor.person() {
        Some(person) => Ok(teams::list_teams_of(tx, person).await?.iter().map(|it| it.id).collect()),
        None => Ok(Vec::new()),
    }
}

fn serves(team: &Team, ticket: &Ticket) -> bool {
    team.active && team.organisation_id.is_none_or(|own| own == ticket.organisation_id)
}

/// A ticket of no team goes to one of its owner's, of the ticket's level if there is one.
async fn team_of_owner(tx: &mut Tx, ticket: &Ticket, owner: PersonId) -> Result<TeamAfter, StoreError> {
    if ticket.team_id.is_some() {
        return Ok(TeamAfter::Same);
    }
    let mut own = teams::list_teams_of(tx, owner).await?;
    own.retain(|it| serves(it, ticket));
    let place = own.iter().position(|it| it.level == ticket.level).unwrap_or(0);
    Ok(if own.is_empty() { TeamAfter::Same } else { TeamAfter::Of(own.swap_remove(place)) })
}

/// Only somebody who does such work, in the ticket's team, can be made an owner; of a referred ticket only who may
/// see it.
async fn new_owner(
    tx: &mut Tx,
    ticket: &Ticket,
    owner: PersonId,
) -> Result<(String, TeamAfter), TicketError> {
    let refused = || TicketError::invalid("owner", "is not a technician of this organisation's tickets");
    let person = people::find_person(tx, owner).await?.ok_or_else(refused)?;
    let in_reach = person.organisation_id.is_none_or(|own| own == ticket.organisation_id);
    let candidate =
        Actor { kind: ActorKind::Person(owner), label: person.name, scope: Scope::All, roles: person.roles };
    if !(person.active && in_reach && candidate.may(Permission::WorkTickets)) {
        return Err(refused());
    }
    let in_team = match ticket.team_id {
        Some(team) => teams::is_member(tx, team, owner).await?,
        None => !ticket.restricted,
    };
    let distributes = candidate.may(Permission::QualifyTickets) && !ticket.restricted;
    if !(in_team || distributes || candidate.has_role(Role::Mssi)) {
        return Err(TicketError::invalid("owner", "is not in the ticket's team; transfer the ticket first"));
    }
    Ok((candidate.label, team_of_owner(tx, ticket, owner).await?))
}

/// A team that may have this ticket.
async fn chosen_team(
    tx: &mut Tx,
    ticket: &Ticket,
    team: TeamId,
    level: Option<i64>,
) -> Result<Team, TicketError> {
    let known = teams::find_team(tx, team).await?;
    let known = known.filter(|it| serves(it, ticket) || ticket.team_id == Some(it.id));
    let known =
        known.ok_or_else(|| TicketError::invalid("team", "is not a team of this organisation's tickets"))?;
    match level {
        Some(level) if known.level != level => {
            Err(TicketError::invalid("team", format!("must be a team of level {level}")))
        }
        _ => Ok(known),
    }
}

async fn other_team(tx: &mut Tx, ticket: &Ticket, team: Option<TeamId>) -> Result<Option<Team>, TicketError> {
    match team {
        Some(team) if ticket.team_id == Some(team) => {
            Err(TicketError::invalid("team", "has this ticket already"))
        }
        Some(team) => Ok(Some(chosen_team(tx, ticket, team, None).await?)),
        None => Ok(None),
    }
}

async fn default_team(
    tx: &mut Tx,
    ticket: &Ticket,
    kind: TicketKind,
    sub_kind: Option<SubKind>,
) -> Result<Option<Team>, StoreError> {
    let wish = Wish {
        organisation_id: ticket.organisation_id,
        ticket_kind: kind.code(),
        sub_kind: sub_kind.map_or("", SubKind::code),
        application: ticket.application.clone(),
    };
    teams::default_team(tx, &wish).await
}

/// Of the same speciality if there is one; without any of the second level the ticket's own team keeps it.
async fn second_level_team(tx: &mut Tx, ticket: &Ticket) -> Result<Option<Team>, StoreError> {
    let mut all = teams::list_teams(tx, Scope::Organisation(ticket.organisation_id)).await?;
    let own = all.iter().find(|it| Some(it.id) == ticket.team_id).cloned();
    all.retain(|it| serves(it, ticket) && it.level == SECOND_LEVEL);
    all.sort_by_key(|it| (Some(it.kind) != own.as_ref().map(|it| it.kind), it.organisation_id.is_none()));
    Ok(all.into_iter().next().or(own))
}

/// The organisation's own security team before the provider's.
async fn security_team(tx: &mut Tx, ticket: &Ticket) -> Result<Option<Team>, StoreError> {
    let mut all = teams::list_teams(tx, Scope::Organisation(ticket.organisation_id)).await?;
    all.retain(|it| serves(it, ticket) && it.kind == TeamKind::Security);
    all.sort_by_key(|it| (it.organisation_id.is_none(), it.level));
    Ok(all.into_iter().next())
}

/// Another ticket of the organisation that the actor sees. Whether one exists elsewhere is not told.
async fn another(
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
    (number, field): (&TicketNumber, &'static str),
) -> Result<Ticket, TicketError> {
    let found = store::find_visible(tx, Visibility::of(actor), number).await?;
    found
        .filter(|it| it.organisation_id == ticket.organisation_id && it.number != ticket.number)
        .ok_or_else(|| TicketError::invalid(field, "is not another ticket of this organisation"))
}

/// What a duplicate is merged into goes on: it is open and no duplicate itself. Who does not distribute work owns both.
async fn survivor(
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
    into: &TicketNumber,
) -> Result<Ticket, TicketError> {
    store::hold_still(tx, into).await?;
    let other = another(tx, actor, ticket, (into, "into")).await?;
    if !other.state.is_open() {
        return Err(TicketError::invalid("into", "is not open any more"));
    }
    let dispatches = actor.may(Permission::QualifyTickets) || actor.has_role(Role::Mssi);
    let program = matches!(actor.kind, ActorKind::ApiKey(_));
    if dispatches || program || (other.owner_id.is_some() && other.owner_id == actor.person()) {
        Ok(other)
    } else {
        Err(TicketError::Forbidden)
    }
}

/// A major incident that belongs to no other, or a problem.
async fn umbrella(
    tx: &mut Tx,
    actor: &Actor,
    ticket: &Ticket,
    (to, kind): (&TicketNumber, LinkKind),
) -> Result<Ticket, TicketError> {
    let other = another(tx, actor, ticket, (to, "to")).await?;
    let fits = match kind {
        LinkKind::Parent => other.major && other.parent_number.is_none(),
        LinkKind::Problem => other.kind == TicketKind::Problem && ticket.kind != TicketKind::Problem,
    };
    let below = store::count_under(tx, &ticket.number).await?;
    match (fits, kind) {
        (true, LinkKind::Parent) if below > 0 || ticket.major => {
            Err(TicketError::invalid("to", "cannot be above a ticket that has others under it"))
        }
        (true, _) if !other.state.is_open() => Err(TicketError::invalid("to", "is not open any more")),
        (true, _) => Ok(other),
        (false, LinkKind::Parent) => Err(TicketError::invalid("to", "is not a major incident")),
        (false, LinkKind::Problem) => Err(TicketError::invalid("to", "is not a problem")),
    }
}
