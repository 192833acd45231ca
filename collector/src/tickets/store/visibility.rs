//! Which tickets an actor may see, as a condition of every query.

use super::{ticket_columns, ticket_tables};
use crate::audit;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, ActorKind, Permission, Role};
use crate::kernel::id::OrganisationId;
use crate::matching::AssetMatch;
use crate::sql;
use crate::tickets::model::Ticket;
use crate::tickets::number::TicketNumber;

/// What an actor sees: its own tickets always; beyond them what its roles open, each of them a part of its scope.
///
/// - single point of entry, auditor, referent, programs that work on tickets: all that are not restricted;
/// - technicians: those of their teams, of no team, and the common pot; leads the same without other teams' pots;
/// - security manager: restricted ones and matters of security;
/// - members of a team also the restricted ones that were referred to it;
/// - who watches, owns or wrote down a ticket keeps seeing it until it is restricted.
#[derive(Clone, Copy, Debug)]
pub(in crate::tickets) struct Visibility {
    organisation: Option<OrganisationId>,
    actor: Option<uuid::Uuid>,
    reach: Reach,
}

/// What the roles open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent rights, each bound to its own condition")]
pub(super) struct Reach {
    pub(super) everything: bool,
    pub(super) unrestricted: bool,
    pub(super) teams: bool,
    pub(super) pot: bool,
    pub(super) security: bool,
}

impl Reach {
    fn of(actor: &Actor) -> Self {
        let has = |role| actor.has_role(role);
        let program = matches!(actor.kind, ActorKind::ApiKey(_));
        Self {
            everything: actor.kind == ActorKind::System,
            unrestricted: has(Role::Peu)
                || has(Role::Auditor)
                || has(Role::Referent)
                || (program && actor.may(Permission::ReadTickets) && !has(Role::Mssi)),
            teams: has(Role::TechnicianN1) || has(Role::TechnicianN2) || has(Role::Lead),
            pot: has(Role::TechnicianN1) || has(Role::TechnicianN2),
            security: has(Role::Mssi),
        }
    }
}

impl Visibility {
    pub(in crate::tickets) fn of(actor: &Actor) -> Self {
        Self {
            organisation: actor.scope.organisation(),
            actor: audit::actor_columns(actor).1,
            reach: Reach::of(actor),
        }
    }

    /// Whether the actor may not be told the difference between `wanted` and unknown, so that it finds nothing.
    pub(in crate::tickets) fn hides(self, wanted: Option<AssetMatch>) -> bool {
        wanted == Some(AssetMatch::Foreign) && self.organisation.is_some()
    }

    pub(super) fn organisation(self) -> Option<OrganisationId> {
        self.organisation
    }

    pub(super) fn actor(self) -> Option<uuid::Uuid> {
        self.actor
    }

    pub(super) fn reach(self) -> Reach {
        self.reach
    }
}

/// The condition on a ticket `t`; binds `$1` to `$7`.
macro_rules! visible_sql {
    () => {
        " ($1 IS NULL OR t.organisation_id = $1) AND (
              $3 = TRUE OR t.requester_id = $2 OR t.beneficiary_id = $2
              OR ($7 = TRUE AND (t.restricted = TRUE OR t.security = TRUE))
              OR ($5 = TRUE AND t.team_id IN (SELECT vm.team_id FROM team_member vm WHERE vm.person_id = $2))
              OR (t.restricted = FALSE AND (
                  $4 = TRUE OR t.created_by_id = $2 OR t.owner_id = $2
                  OR ($5 = TRUE AND t.team_id IS NULL)
                  OR ($6 = TRUE AND t.state = 'queued')
                  OR EXISTS (SELECT 1 FROM ticket_watcher vw WHERE vw.ticket_number = t.number AND vw.person_id = $2)))) "
    };
}

macro_rules! bind_visible {
    ($query:expr, $visible:expr) => {
        $query
            .bind($visible.organisation())
            .bind($visible.actor())
            .bind($visible.reach().everything)
            .bind($visible.reach().unrestricted)
            .bind($visible.reach().teams)
            .bind($visible.reach().pot)
            .bind($visible.reach().security)
    };
}

pub(super) use {bind_visible, visible_sql};

/// The ticket with that number, if the actor may see it.
pub(in crate::tickets) async fn find_visible(
    tx: &mut Tx,
    visible: Visibility,
    number: &TicketNumber,
) -> Result<Option<Ticket>, StoreError> {
    sql!(tx, |conn| bind_visible!(
        sqlx::query_as(concat!(
            "SELECT ",
            ticket_columns!(),
            " FROM ",
            ticket_tables!(),
            " WHERE ",
            visible_sql!(),
            " AND t.number = $8"
        )),
        visible
    )
    .bind(number)
    .fetch_optional(conn)
    .await)
}
