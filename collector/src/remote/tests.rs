//! Stories of remote sessions, on both engines.

use std::time::Duration;

use super::*;
use crate::api::testing::{Desk, actor, assert_documented};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::page::PageRequest;
use crate::tickets::{self, NewTicket, TicketNumber};

async fn a_ticket(desk: &Desk) -> TicketNumber {
    let new = NewTicket { beneficiary_id: desk.colleague.id, ..desk.incident() };
    tickets::open_ticket(&desk.context, &Actor::system(), new).await.expect("opened").number
}

fn yes() -> RemoteStep {
    RemoteStep::Accept { oral: None }
}

db_test! {
    async fn the_person_whose_screen_it_is_says_yes_and_reads_what_was_done(db: Db) {
        let desk = Desk::open(db).await;
        let (tom, carl) = (actor(&desk.technician), actor(&desk.colleague));
        let number = a_ticket(&desk).await;
        let session = ask(&desk.context, &tom, &number, "TeamViewer").await.expect("asked");
        assert_eq!(session.asked_name, "carl");
        let step = async |who: &Actor, step| step_session(&desk.context, who, session.id, None, step).await;
        assert!(matches!(step(&tom, RemoteStep::Start).await, Err(RemoteError::State { .. })), "not before a yes");
        assert!(matches!(step(&tom, yes()).await, Err(RemoteError::Forbidden)), "nobody agrees for somebody else");
        let accepted = step(&carl, yes()).await.expect("accepted");
        assert_eq!((accepted.answered_by.as_str(), accepted.means.as_str()), ("carl", "portal"));
        step(&tom, RemoteStep::Start).await.expect("started");
        assert!(matches!(step(&tom, RemoteStep::End { report: " ".into() }).await, Err(RemoteError::Invalid { field: "report", .. })));
        step(&tom, RemoteStep::End { report: "driver 2.1 in place of 1.9".into() }).await.expect("ended");
        let view = tickets::find_ticket(&desk.context, &carl, &number).await.expect("find").expect("own");
        let kinds: Vec<&str> = view.events.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, ["created", "remote_requested", "remote_accepted", "remote_started", "remote_ended"]);
        let mut tx = desk.context.db.read().await.expect("read");
        let own = list_register(&mut tx, &carl, &PageRequest::first()).await.expect("register").rows;
        assert_eq!((own.len(), own[0].report.as_str()), (1, "driver 2.1 in place of 1.9"));
        let strangers = list_register(&mut tx, &actor(&desk.stranger), &PageRequest::first()).await.expect("register");
        assert!(strangers.rows.is_empty());
    }
}

db_test! {
    async fn a_yes_by_voice_carries_the_name_of_who_said_it_and_a_no_ends_it(db: Db) {
        let desk = Desk::open(db).await;
        let tom = actor(&desk.technician);
        let number = a_ticket(&desk).await;
        let first = ask(&desk.context, &tom, &number, "RustDesk").await.expect("asked");
        let oral = RemoteStep::Accept { oral: Some("Carl, by phone".into()) };
        let said = step_session(&desk.context, &tom, first.id, Some(0), oral).await.expect("written down");
        assert_eq!((said.answered_by.as_str(), said.means.as_str()), ("Carl, by phone", "oral"));
        let no = RemoteStep::Refuse { oral: None };
        step_session(&desk.context, &actor(&desk.colleague), first.id, None, no).await.expect("taken back");
        let late = step_session(&desk.context, &tom, first.id, None, RemoteStep::Start).await;
        assert!(matches!(late, Err(RemoteError::State { status: "refused", .. })));
        let stale = step_session(&desk.context, &tom, first.id, Some(0), RemoteStep::Start).await;
        assert!(matches!(stale, Err(RemoteError::Stale)));
    }
}

db_test! {
    async fn a_question_nobody_answers_is_over_after_half_an_hour(db: Db) {
        let desk = Desk::open(db).await;
        let (tom, carl) = (actor(&desk.technician), actor(&desk.colleague));
        let number = a_ticket(&desk).await;
        let (first, second) = (
            ask(&desk.context, &tom, &number, "TeamViewer").await.expect("asked"),
            ask(&desk.context, &tom, &number, "TeamViewer").await.expect("asked"),
        );
        step_session(&desk.context, &carl, second.id, None, yes()).await.expect("accepted");
        desk.clock.advance(Duration::from_mins(31));
        let late = step_session(&desk.context, &carl, first.id, None, yes()).await;
        assert!(matches!(late, Err(RemoteError::State { status: "expired", .. })));
        assert_eq!(note_expired(&desk.context).await.expect("round"), 1, "the yes still holds");
        assert_eq!(note_expired(&desk.context).await.expect("round"), 0);
        desk.clock.advance(Duration::from_hours(8));
        let start = step_session(&desk.context, &tom, second.id, None, RemoteStep::Start).await;
        assert!(matches!(start, Err(RemoteError::State { status: "expired", .. })), "yes means today");
        assert_eq!(note_expired(&desk.context).await.expect("round"), 1);
    }
}

db_test! {
    async fn programs_read_the_register_of_their_organisation(db: Db) {
        let desk = Desk::open(db).await;
        let number = a_ticket(&desk).await;
        ask(&desk.context, &actor(&desk.technician), &number, "TeamViewer").await.expect("asked");
        let key = desk.key(Role::Auditor, Some(desk.acme.id)).await;
        let register = desk.get(&key, "/api/v1/remote-sessions").await;
        assert_documented(&register, "get", "/api/v1/remote-sessions");
        assert_eq!(register.json["items"][0]["tool"], "TeamViewer", "{:?}", register.json);
        let of_ticket = desk.get(&key, &format!("/api/v1/tickets/{number}/remote-sessions")).await;
        assert_documented(&of_ticket, "get", "/api/v1/tickets/{number}/remote-sessions");
        let foreign = desk.key(Role::Auditor, Some(desk.umbrella.id)).await;
        assert_eq!(desk.get(&foreign, "/api/v1/remote-sessions").await.json["items"], serde_json::json!([]));
        assert_eq!(desk.get(&foreign, &format!("/api/v1/tickets/{number}/remote-sessions")).await.status, 404);
    }
}
