//! Stories of what is known about people, on both engines.

use super::*;
use crate::api::testing::{Desk, actor};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::time::days;
use crate::people::{self, Person};
use crate::tickets::{self, NewTicket, TicketAction, TicketNumber};

async fn act(desk: &Desk, who: &Actor, number: &TicketNumber, action: TicketAction) {
    let seen = tickets::find_ticket(&desk.context, who, number).await.expect("find").expect("some");
    tickets::act_on_ticket(&desk.context, who, number, seen.ticket.version, action).await.expect("done");
}

async fn a_ticket(desk: &Desk) -> TicketNumber {
    let new = NewTicket { description: "rita cannot print".into(), ..desk.incident() };
    let number =
        tickets::open_ticket(&desk.context, &actor(&desk.requester), new).await.expect("opened").number;
    act(
        desk,
        &actor(&desk.requester),
        &number,
        TicketAction::Reply { text: "it is urgent, my badge is 4711".into() },
    )
    .await;
    act(desk, &actor(&desk.technician), &number, TicketAction::Note { text: "rita sounds upset".into() })
        .await;
    number
}

async fn admins(desk: &Desk) -> (Person, Person) {
    (
        desk.person(None, "ada@desk.example", Role::Admin).await,
        desk.person(None, "alan@desk.example", Role::Admin).await,
    )
}

async fn broken_chains(desk: &Desk) -> Vec<String> {
    let mut tx = desk.context.db.read().await.expect("read");
    tickets::verify_histories(&mut tx, 10).await.expect("verified").1
}

db_test! {
    async fn everybody_gets_everything_about_themselves_and_nothing_about_others(db: Db) {
        let desk = Desk::open(db).await;
        let number = a_ticket(&desk).await;
        let own = export(&desk.context, &actor(&desk.requester), desk.requester.id).await.expect("export");
        assert_eq!(own.tickets[0]["number"], number.as_str());
        assert_eq!(own.person["email"], "rita@acme.example");
        let text = serde_json::to_string(&own).expect("json");
        assert!(text.contains("my badge is 4711") && !text.contains("sounds upset"), "notes of staff stay internal");
        let other = export(&desk.context, &actor(&desk.colleague), desk.requester.id).await;
        assert!(matches!(other, Err(PrivacyError::NotFound)));
        let (ada, _) = admins(&desk).await;
        let by_admin = export(&desk.context, &actor(&ada), desk.requester.id).await.expect("export");
        assert!(by_admin.audit.iter().any(|it| it["action"] == "person.exported"), "who looked is written down");
    }
}

db_test! {
    async fn nobody_is_forgotten_by_one_person_alone(db: Db) {
        let desk = Desk::open(db).await;
        let (ada, alan) = admins(&desk).await;
        let (ada, alan) = (actor(&ada), actor(&alan));
        let rita = desk.requester.id;
        let refused = ask_erasure(&desk.context, &actor(&desk.lead), rita, "she left").await;
        assert!(matches!(refused, Err(PrivacyError::Forbidden)));
        let erasure = ask_erasure(&desk.context, &ada, rita, "she left").await.expect("asked");
        assert!(matches!(ask_erasure(&desk.context, &ada, rita, "again").await, Err(PrivacyError::Decided)));
        assert!(matches!(decide_erasure(&desk.context, &ada, erasure.id, true).await, Err(PrivacyError::SamePerson)));
        decide_erasure(&desk.context, &alan, erasure.id, false).await.expect("refused");
        assert!(matches!(decide_erasure(&desk.context, &alan, erasure.id, true).await, Err(PrivacyError::Decided)));
        let mut tx = desk.context.db.read().await.expect("read");
        assert_eq!(people::find_person(&mut tx, rita).await.expect("find").expect("some").name, "rita");
    }
}

db_test! {
    async fn who_is_forgotten_leaves_a_pseudonym_and_a_chain_that_holds(db: Db) {
        let desk = Desk::open(db).await;
        let number = a_ticket(&desk).await;
        let (ada, alan) = admins(&desk).await;
        let (ada, alan) = (actor(&ada), actor(&alan));
        let erasure = ask_erasure(&desk.context, &ada, desk.requester.id, "she left").await.expect("asked");
        decide_erasure(&desk.context, &alan, erasure.id, true).await.expect("agreed");
        let lead = actor(&desk.lead);
        let view = tickets::find_ticket(&desk.context, &lead, &number).await.expect("find").expect("some");
        assert_eq!((&view.ticket.requester_name, &view.events[0].actor_label), (&erasure.pseudonym, &erasure.pseudonym));
        assert_eq!(broken_chains(&desk).await, Vec::<String>::new());
        let mut tx = desk.context.db.read().await.expect("read");
        let (open, texts) = list_waiting_texts(&mut tx, &ada, erasure.id).await.expect("texts");
        drop(tx);
        assert_eq!(open.status, ErasureStatus::Approved);
        let said: Vec<&str> = texts.iter().map(|it| it.text.as_str()).collect();
        assert!(said.iter().any(|it| it.contains("badge is 4711")) && said.iter().any(|it| it.contains("sounds upset")), "{said:?}");
        for text in &texts {
            let redact = text.event_no != 0;
            decide_text(&desk.context, &ada, erasure.id, (&text.ticket, text.event_no), redact).await.expect("decided");
        }
        let view = tickets::find_ticket(&desk.context, &lead, &number).await.expect("find").expect("some");
        assert_eq!(view.ticket.description, "rita cannot print", "what was kept stays");
        assert!(view.events.iter().all(|it| it.data.get("text").is_none()));
        assert_eq!(broken_chains(&desk).await, Vec::<String>::new());
        let mut tx = desk.context.db.read().await.expect("read");
        assert_eq!(list_erasures(&mut tx, &alan).await.expect("list")[0].status, ErasureStatus::Done);
        let gone = people::find_person(&mut tx, desk.requester.id).await.expect("find").expect("some");
        assert!(!gone.active && gone.roles.is_empty() && gone.email.as_str().ends_with("nobody.invalid"));
    }
}

db_test! {
    async fn tickets_whose_time_is_over_keep_their_numbers_and_lose_their_people(db: Db) {
        let desk = Desk::open(db).await;
        let number = a_ticket(&desk).await;
        let fresh = a_ticket(&desk).await;
        let rita = actor(&desk.requester);
        act(&desk, &rita, &number, TicketAction::Cancel { code: None, reason: "solved by itself, badge 4711".into() }).await;
        desk.clock.advance(days(30));
        let before = desk.context.now();
        let (ada, _) = admins(&desk).await;
        let mut tx = desk.context.db.read().await.expect("read");
        let preview = preview_retention(&mut tx, &actor(&ada), before).await.expect("preview");
        assert_eq!((preview.tickets, preview.first), (1, vec![number.clone()]));
        drop(tx);
        assert_eq!(retain(&desk.context, before - days(60)).await.expect("round"), 0, "not before their time");
        assert_eq!(retain(&desk.context, before).await.expect("round"), 1);
        assert_eq!(retain(&desk.context, before).await.expect("round"), 0, "once is enough");
        let lead = actor(&desk.lead);
        let view = tickets::find_ticket(&desk.context, &lead, &number).await.expect("find").expect("some");
        let all = format!("{view:?}");
        for word in ["rita", "4711", "print"] {
            assert!(!all.contains(word), "{word} is still on the ticket");
        }
        assert_eq!(view.ticket.kind, tickets::TicketKind::Incident, "it still counts");
        assert_eq!(broken_chains(&desk).await, Vec::<String>::new());
        let kept = tickets::find_ticket(&desk.context, &lead, &fresh).await.expect("find").expect("some");
        assert_eq!(kept.ticket.requester_name, "rita");
    }
}
