//! The history of a ticket: what each step leaves behind, and that nothing of it changes unseen.

use serde_json::json;

use super::{act, opened, seen};
use crate::api::testing::{Desk, actor};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::Actor;
use crate::sql;
use crate::tickets::{
    Entry, FieldChange, TicketAction, TicketNumber, find_for, note_event, set_obligations, verify_histories,
};

async fn faults(desk: &Desk) -> (i64, Vec<String>) {
    let mut tx = desk.context.db.read().await.expect("read");
    verify_histories(&mut tx, 5).await.expect("verified")
}

/// What nobody but who holds the database can do.
async fn tamper(desk: &Desk, number: &TicketNumber, statement: &'static str) {
    let mut tx = desk.context.db.begin().await.expect("begin");
    let rows = sql!(&mut tx, |conn| sqlx::query(statement)
        .bind(number)
        .execute(conn)
        .await
        .map(|it| it.rows_affected()));
    assert_ne!(rows.expect("changed"), 0, "{statement}");
    tx.commit().await.expect("commit");
}

db_test! {
    async fn each_step_says_what_it_changed_to_who_works(db: Db) {
        let desk = Desk::open(db).await;
        let (rita, tom) = (actor(&desk.requester), actor(&desk.technician));
        let number = opened(&desk, desk.incident()).await;
        let view = act(&desk, &tom, &number, TicketAction::Claim).await.expect("claimed");
        let change = |field: &str, before: &str, after: &str| FieldChange {
            field: field.into(), before: before.into(), after: after.into(),
        };
        assert_eq!(view.events[1].changes, [change("state", "new", "in_progress"), change("owner", "", "tom")]);
        let own = seen(&desk, &rita, &number).await.expect("own");
        assert!(own.events.iter().all(|it| it.changes.is_empty()));
    }
}

db_test! {
    async fn a_history_changed_behind_our_back_is_found(db: Db) {
        let desk = Desk::open(db).await;
        let tom = actor(&desk.technician);
        let blanked = "UPDATE ticket_event SET data = '{}', redacted_at = 7 WHERE ticket_number = $1 AND event_no = 3";
        let mut expected = Vec::new();
        for (statement, place) in [
            ("UPDATE ticket_event SET data = '{}' WHERE ticket_number = $1 AND event_no = 3", Some(3)),
            ("UPDATE ticket_event SET actor_label = 'x' WHERE ticket_number = $1 AND event_no = 1", Some(1)),
            ("UPDATE ticket_event SET at = at + 1 WHERE ticket_number = $1 AND event_no = 3", Some(3)),
            ("DELETE FROM ticket_event WHERE ticket_number = $1 AND event_no = 2", Some(3)),
            ("DELETE FROM ticket_event WHERE ticket_number = $1 AND event_no = 3", Some(2)),
            ("DELETE FROM ticket_event WHERE ticket_number = $1 AND event_no = 1", Some(2)),
            (blanked, None),
        ] {
            let number = opened(&desk, desk.incident()).await;
            act(&desk, &tom, &number, TicketAction::Claim).await.expect("claimed");
            act(&desk, &tom, &number, TicketAction::Note { text: "cable".into() }).await.expect("noted");
            tamper(&desk, &number, statement).await;
            expected.extend(place.map(|it: i64| format!("{number} at event {it}")));
        }
        let (count, examples) = faults(&desk).await;
        assert_eq!(count, 6, "{examples:?}");
        assert_eq!(examples, expected[..5]);
    }
}

db_test! {
    async fn another_slice_leaves_its_event_and_its_obligations(db: Db) {
        let desk = Desk::open(db).await;
        let (tom, sven) = (actor(&desk.technician), actor(&desk.stranger));
        let number = opened(&desk, desk.incident()).await;
        let mut tx = desk.context.db.begin().await.expect("begin");
        assert!(find_for(&mut tx, &sven, &number).await.expect("asked").is_none());
        assert!(find_for(&mut tx, &tom, &number).await.expect("asked").is_some());
        let entry = Entry { kind: "visit_planned", public: true, data: json!({ "text": "Tuesday" }) };
        let ticket = note_event(&mut tx, &desk.context, &tom, &number, entry).await.expect("noted");
        assert_eq!(ticket.version, 2);
        set_obligations(&mut tx, &number, 1, 0).await.expect("set");
        tx.commit().await.expect("commit");
        let view = seen(&desk, &Actor::system(), &number).await.expect("some");
        assert_eq!((view.ticket.open_visits, view.ticket.open_loans, view.ticket.version), (1, 0, 2));
        assert_eq!(view.events[1].kind, "visit_planned");
        assert_eq!(faults(&desk).await, (0, Vec::new()));
    }
}
