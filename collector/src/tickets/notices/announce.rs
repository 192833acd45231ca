//! Telling people about a step, in its transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use super::letters::{self, Matter};
use super::occasion::{concerns, occasions};
use super::people as parties;
use super::store::{self, Notice};
use super::switches::Switches;
use super::table::{Audience, Means, Occasion, means};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::{Actor, ActorKind};
use crate::kernel::time::Zone;
use crate::mail::{self, Merge, Origin, OutgoingMail, Recipient};
use crate::people::Person;
use crate::tickets::model::{Entry, Ticket};
use crate::tickets::words::Channel;
use crate::web::Texts;

/// What one actor does within this becomes one mail.
const MERGE_WAIT: Duration = Duration::from_mins(1);

/// A step as it is told of.
#[derive(Clone, Copy, Debug)]
pub(in crate::tickets) struct Telling<'a> {
    /// Who did it.
    pub(in crate::tickets) actor: &'a Actor,
    /// The ticket as it was; nothing for a new one.
    pub(in crate::tickets) before: Option<&'a Ticket>,
    /// The ticket as it is now, with its new version.
    pub(in crate::tickets) ticket: &'a Ticket,
    /// What the history tells.
    pub(in crate::tickets) entries: &'a [Entry],
}

/// Writes the mails and the notices of a step.
pub(in crate::tickets) async fn announce(
    tx: &mut Tx,
    context: &Context,
    telling: Telling<'_>,
) -> Result<(), StoreError> {
    let occasions = occasions(telling.actor, telling.ticket, telling.entries);
    if occasions.is_empty() {
        return Ok(());
    }
    let switches = Switches::of(tx, telling.ticket.organisation_id).await?;
    for (occasion, entry) in occasions {
        // Requester and beneficiary are often one, and a technician may be either: everybody is told once.
        let mut told = BTreeSet::new();
        for audience in Audience::ALL {
            let means = means(occasion, audience);
            let mails = switches.mails(occasion, audience);
            if !(mails || means.in_app) || !concerns(occasion, audience, telling.before, telling.ticket) {
                continue;
            }
            for person in parties::of(tx, telling.ticket, audience).await? {
                let own = telling.actor.person() == Some(person.id) && !occasion.tells_the_actor();
                if !own && told.insert(person.id) {
                    tell(tx, context, telling, (occasion, entry), (audience, &person, means, mails)).await?;
                }
            }
        }
    }
    Ok(())
}

async fn tell(
    tx: &mut Tx,
    context: &Context,
    telling: Telling<'_>,
    (occasion, entry): (Occasion, &Entry),
    (audience, person, means, mails): (Audience, &Person, Means, bool),
) -> Result<(), StoreError> {
    if means.in_app {
        let notice = Notice {
            ticket_number: telling.ticket.number.clone(),
            version: telling.ticket.version,
            occasion: occasion.code().into(),
            actor_label: telling.actor.label.clone(),
            at: context.now(),
            read_at: None,
        };
        store::insert(tx, person.id, &notice).await?;
    }
    if mails {
        let mail = mail(context, telling, (occasion, entry), audience, person);
        mail::enqueue(tx, context, mail).await?;
    }
    Ok(())
}

fn mail(
    context: &Context,
    telling: Telling<'_>,
    (occasion, entry): (Occasion, &Entry),
    audience: Audience,
    person: &Person,
) -> OutgoingMail {
    let Telling { actor, ticket, entries, .. } = telling;
    let zone = Zone::named(&ticket.time_zone).unwrap_or_else(Zone::utc);
    let lens = Lens { texts: Texts::of(person.language), zone: &zone, now: context.now() };
    let secret = ticket.restricted || occasion == Occasion::Restricted;
    let matter = Matter { lens, actor, ticket, occasion, entry, entries, secret };
    let template = letters::template(occasion, audience);
    // What was written to us is answered, not only told about.
    let message_id = entry.data.get("message_id").and_then(serde_json::Value::as_str);
    let acknowledges =
        occasion == Occasion::Created && ticket.channel == Channel::Mail && audience == Audience::Requester;
    OutgoingMail {
        event: format!("{}/{}", ticket.number, ticket.version),
        template,
        to: Recipient {
            person_id: Some(person.id),
            name: person.name.clone(),
            address: person.email.clone(),
        },
        organisation_id: Some(ticket.organisation_id),
        ticket: Some(ticket.number.to_string()),
        origin: if acknowledges {
            Origin::Acknowledgement
        } else if matches!(occasion, Occasion::StaffReply | Occasion::UserReply) {
            Origin::Person
        } else {
            Origin::Notification
        },
        answers: message_id.filter(|_| acknowledges).map(str::to_owned),
        // A refused solution is told at once.
        merge: (matches!(template, "evolution" | "staff") && occasion != Occasion::Refused).then(|| Merge {
            key: format!("{}/{template}/{}", ticket.number, actor_key(actor)),
            wait: MERGE_WAIT,
        }),
        letter: letters::letter(matter, audience, person),
    }
}

/// One word per actor.
fn actor_key(actor: &Actor) -> String {
    match actor.kind {
        ActorKind::Person(id) => id.to_string(),
        ActorKind::ApiKey(id) => id.to_string(),
        ActorKind::Agent(id) => id.to_string(),
        ActorKind::System => "parc".into(),
    }
}
