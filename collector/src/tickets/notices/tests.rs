//! What people are told, read from the outbox and from the bell.

use std::time::Duration;

use super::{count_unread, list_notices, mark_read, set_switches, store};
use crate::api::testing::{Desk, actor};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, ActorKind, Role, Scope};
use crate::kernel::id::PersonId;
use crate::kernel::page::PageRequest;
use crate::mail::{self, OutboxFilter, OutboxRow};
use crate::people::Person;
use crate::tickets::words::TaskKind;
use crate::tickets::{
    ImpactScope, NewTicket, Qualification, Severity, TicketAction, TicketKind, TicketNumber, Urgency,
    act_on_ticket, find_ticket, open_ticket,
};

async fn act(desk: &Desk, who: &Actor, number: &TicketNumber, action: TicketAction) {
    let found = find_ticket(&desk.context, &Actor::system(), number).await.expect("find").expect("some");
    act_on_ticket(&desk.context, who, number, found.ticket.version, action).await.expect("done");
}

/// Mails so far, oldest first.
async fn outbox(desk: &Desk) -> Vec<OutboxRow> {
    let admin = Actor {
        kind: ActorKind::Person(PersonId::from(uuid::Uuid::from_u128(1))),
        label: "Ada".into(),
        scope: Scope::All,
        roles: vec![Role::Admin],
    };
    let mut tx = desk.context.db.read().await.expect("read");
    let page = PageRequest::first();
    let found = mail::list_outbox(&mut tx, &admin, &OutboxFilter::default(), &page).await.expect("listed");
    found.rows.into_iter().rev().collect()
}

/// Template and recipient of each mail, sorted.
async fn mails(desk: &Desk) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> =
        outbox(desk).await.into_iter().map(|it| (it.template, it.address)).collect();
    found.sort();
    found
}

fn pairs(expected: &[(&str, &Person)]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = expected
        .iter()
        .map(|(template, person)| ((*template).to_owned(), person.email.to_string()))
        .collect();
    pairs.sort();
    pairs
}

async fn told(desk: &Desk, person: &Person) -> Vec<String> {
    let mut tx = desk.context.db.read().await.expect("read");
    let found = list_notices(&mut tx, &actor(person)).await.expect("listed");
    found.into_iter().rev().map(|it| it.occasion).collect()
}

fn solve() -> TicketAction {
    Desk::solved("Cable replaced.")
}

db_test! {
    async fn opening_is_confirmed_to_requester_and_beneficiary_each_once(db: Db) {
        let desk = Desk::open(db).await;
        open_ticket(&desk.context, &actor(&desk.requester), desk.incident()).await.expect("opened");
        assert_eq!(mails(&desk).await, pairs(&[("created", &desk.requester)]), "one person, one mail");
        let for_carl = NewTicket { beneficiary_id: desk.colleague.id, ..desk.incident() };
        open_ticket(&desk.context, &Actor::system(), for_carl).await.expect("opened");
        let expected = [("created", &desk.requester), ("created", &desk.requester), ("created", &desk.colleague)];
        assert_eq!(mails(&desk).await, pairs(&expected));
    }
}

db_test! {
    async fn a_ticket_that_was_not_opened_confirms_nothing(db: Db) {
        let desk = Desk::open(db).await;
        let wrong = NewTicket { beneficiary_id: desk.stranger.id, ..desk.incident() };
        open_ticket(&desk.context, &actor(&desk.requester), wrong).await.expect_err("refused");
        assert!(outbox(&desk).await.is_empty());
    }
}

db_test! {
    async fn from_taking_to_closing_people_are_told_what_concerns_them(db: Db) {
        let desk = Desk::open(db).await;
        let (rita, tom) = (actor(&desk.requester), actor(&desk.technician));
        let number = open_ticket(&desk.context, &rita, desk.incident()).await.expect("opened").number;
        act(&desk, &tom, &number, TicketAction::Claim).await;
        act(&desk, &tom, &number, TicketAction::Note { text: "password is hunter2".into() }).await;
        act(&desk, &tom, &number, TicketAction::Reply { text: "Is the cable in?".into() }).await;
        assert_eq!(
            mails(&desk).await,
            pairs(&[("created", &desk.requester), ("evolution", &desk.requester)]),
            "what one technician does in a minute is one mail"
        );
        desk.clock.advance(Duration::from_mins(2));
        act(&desk, &rita, &number, TicketAction::Reply { text: "It is.".into() }).await;
        assert_eq!(mails(&desk).await.last(), pairs(&[("staff", &desk.technician)]).last());
        assert_eq!(told(&desk, &desk.technician).await, ["user-reply"]);
        act(&desk, &tom, &number, solve()).await;
        act(&desk, &rita, &number, TicketAction::Refuse { comment: "Still dead.".into() }).await;
        desk.clock.advance(Duration::from_mins(2));
        act(&desk, &tom, &number, solve()).await;
        act(&desk, &rita, &number, TicketAction::Confirm { on_behalf_of: None }).await;
        let found = mails(&desk).await;
        let count = |template: &str| found.iter().filter(|it| it.0 == template).count();
        assert_eq!((count("resolved"), count("closed"), count("created")), (2, 1, 1), "{found:?}");
        assert_eq!(told(&desk, &desk.technician).await, ["user-reply", "closed"], "the refusal came by mail");
    }
}

db_test! {
    async fn nothing_internal_is_in_any_mail(db: Db) {
        let desk = Desk::open(db).await;
        let tom = actor(&desk.technician);
        let number = open_ticket(&desk.context, &Actor::system(), desk.incident()).await.expect("opened").number;
        act(&desk, &tom, &number, TicketAction::Claim).await;
        act(&desk, &tom, &number, TicketAction::Note { text: "XNOTEX".into() }).await;
        act(&desk, &tom, &number, TicketAction::Task {
            kind: TaskKind::Pdr,
            text: "XTASKX".into(),
            duration_min: None,
            next_attempt: None,
            before: String::new(),
            after: String::new(),
        })
            .await;
        act(&desk, &tom, &number, TicketAction::Escalate { team: None, comment: "XLEVELX".into() }).await;
        act(&desk, &actor(&desk.lead), &number, TicketAction::Transfer { team: None, comment: "XTEAMX".into() }).await;
        let letters = store::letters_of(&desk.context, number.as_str()).await;
        assert!(letters.iter().any(|it| it.contains("evolution") || it.contains("News")), "{letters:?}");
        for letter in letters {
            for secret in ["XNOTEX", "XTASKX", "XLEVELX", "XTEAMX"] {
                assert!(!letter.contains(secret), "{secret} in {letter}");
            }
        }
    }
}

db_test! {
    async fn nobody_is_mailed_about_what_they_did_but_opening_and_ending(db: Db) {
        let desk = Desk::open(db).await;
        let rita = actor(&desk.requester);
        let number = open_ticket(&desk.context, &rita, desk.incident()).await.expect("opened").number;
        act(&desk, &rita, &number, TicketAction::Reply { text: "One more thing.".into() }).await;
        act(&desk, &rita, &number, TicketAction::Cancel { code: None, reason: "It works again.".into() }).await;
        assert_eq!(mails(&desk).await, pairs(&[("created", &desk.requester)]));
    }
}

db_test! {
    async fn a_new_owner_is_told_and_who_takes_a_ticket_is_not(db: Db) {
        let desk = Desk::open(db).await;
        let number = open_ticket(&desk.context, &Actor::system(), desk.incident()).await.expect("opened").number;
        let owner = desk.technician.id;
        act(&desk, &actor(&desk.lead), &number, TicketAction::Assign { owner }).await;
        let staff: Vec<OutboxRow> =
            outbox(&desk).await.into_iter().filter(|it| it.template == "staff").collect();
        assert_eq!(staff.len(), 1);
        assert_eq!(staff[0].address, desk.technician.email.as_str());
        let second = open_ticket(&desk.context, &Actor::system(), desk.incident()).await.expect("opened").number;
        act(&desk, &actor(&desk.technician), &second, TicketAction::Claim).await;
        assert_eq!(outbox(&desk).await.iter().filter(|it| it.template == "staff").count(), 1);
    }
}

db_test! {
    async fn an_organisation_switches_usual_mails_off_and_confirmations_never(db: Db) {
        let desk = Desk::open(db).await;
        let mut tx = desk.context.db.begin().await.expect("begin");
        let turned = set_switches(&mut tx, &desk.context, &Actor::system(), desk.acme.id, |_, _| false).await;
        assert!(turned.expect("switched") > 5);
        tx.commit().await.expect("commit");
        let tom = actor(&desk.technician);
        let number = open_ticket(&desk.context, &Actor::system(), desk.incident()).await.expect("opened").number;
        act(&desk, &tom, &number, TicketAction::Claim).await;
        act(&desk, &tom, &number, TicketAction::Reply { text: "Hello.".into() }).await;
        act(&desk, &tom, &number, solve()).await;
        assert_eq!(mails(&desk).await, pairs(&[("created", &desk.requester), ("resolved", &desk.requester)]));
    }
}

db_test! {
    async fn the_entry_and_the_referent_see_new_tickets_in_their_bell(db: Db) {
        let desk = Desk::open(db).await;
        let entry = desk.person(None, "pam@desk.example", Role::Peu).await;
        let referent = desk.person(Some(desk.acme.id), "rolf@acme.example", Role::Referent).await;
        let elsewhere = desk.person(Some(desk.umbrella.id), "rob@umbrella.example", Role::Referent).await;
        let number = open_ticket(&desk.context, &actor(&desk.requester), desk.incident()).await.expect("opened").number;
        assert_eq!(told(&desk, &entry).await, ["created"]);
        assert_eq!(told(&desk, &referent).await, ["created"]);
        assert!(told(&desk, &elsewhere).await.is_empty());
        let urgent = TicketAction::Qualify(Qualification {
            kind: TicketKind::Incident,
            sub_kind: None,
            severity: Severity::Blocking,
            scope: ImpactScope::One,
            urgency: Urgency::High,
            team: None,
            priority: None,
            priority_reason: String::new(),
        });
        act(&desk, &actor(&entry), &number, urgent).await;
        assert_eq!(told(&desk, &referent).await, ["created", "qualified"]);
        assert_eq!(told(&desk, &entry).await, ["created"], "it was done by who would be told");
        let mut tx = desk.context.db.begin().await.expect("begin");
        assert_eq!(count_unread(&mut tx, referent.id).await.expect("counted"), 2);
        mark_read(&mut tx, &desk.context, referent.id, desk.context.now()).await.expect("read");
        assert_eq!(count_unread(&mut tx, referent.id).await.expect("counted"), 0);
    }
}

db_test! {
    async fn a_suspended_person_is_told_nothing(db: Db) {
        let desk = Desk::open(db).await;
        let number = open_ticket(&desk.context, &actor(&desk.requester), desk.incident()).await.expect("opened").number;
        let mut tx = desk.context.db.begin().await.expect("begin");
        crate::people::set_status(&mut tx, &desk.context, &Actor::system(), desk.requester.id, false)
            .await
            .expect("suspended");
        tx.commit().await.expect("commit");
        act(&desk, &actor(&desk.technician), &number, TicketAction::Claim).await;
        assert_eq!(mails(&desk).await, pairs(&[("created", &desk.requester)]));
    }
}
