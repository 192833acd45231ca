//! Who is who on a ticket.

use super::table::Audience;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Role;
use crate::kernel::id::PersonId;
use crate::people::{self, Person};
use crate::teams;
use crate::tickets::model::Ticket;
use crate::tickets::store;

/// People of one role who are told of one event: an entry desk, not a company.
const ROLE_PEOPLE_MAX: i64 = 50;

/// The active people behind an audience.
pub(super) async fn of(tx: &mut Tx, ticket: &Ticket, audience: Audience) -> Result<Vec<Person>, StoreError> {
    let organisation = Some(ticket.organisation_id);
    match audience {
        Audience::Requester => one(tx, Some(ticket.requester_id)).await,
        Audience::Beneficiary => one(tx, Some(ticket.beneficiary_id)).await,
        Audience::Owner => one(tx, ticket.owner_id).await,
        Audience::Referent => {
            let found =
                people::list_active_with_role(tx, Role::Referent, organisation, ROLE_PEOPLE_MAX).await?;
            Ok(found.into_iter().filter(|it| it.organisation_id == organisation).collect())
        }
        Audience::Team => {
            let Some(team) = ticket.team_id else { return Ok(Vec::new()) };
            let members = teams::list_members(tx, team).await?;
            each(tx, members.into_iter().map(|it| it.id).collect()).await
        }
        Audience::Watcher => {
            let watchers = store::list_watchers(tx, &ticket.number).await?;
            each(tx, watchers.into_iter().map(|it| it.0).collect()).await
        }
        Audience::Peu => people::list_active_with_role(tx, Role::Peu, organisation, ROLE_PEOPLE_MAX).await,
        Audience::Mssi => people::list_active_with_role(tx, Role::Mssi, organisation, ROLE_PEOPLE_MAX).await,
    }
}

async fn each(tx: &mut Tx, persons: Vec<PersonId>) -> Result<Vec<Person>, StoreError> {
    let mut found = Vec::with_capacity(persons.len());
    for person in persons {
        found.extend(one(tx, Some(person)).await?);
    }
    Ok(found)
}

async fn one(tx: &mut Tx, person: Option<PersonId>) -> Result<Vec<Person>, StoreError> {
    let Some(person) = person else { return Ok(Vec::new()) };
    Ok(people::find_person(tx, person).await?.filter(|it| it.active).into_iter().collect())
}
