//! Storing, taking and keeping of messages.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::context::Context;
use crate::db::Db;
use crate::db_test;
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::page::PageRequest;
use crate::kernel::time::{ManualClock, UtcMicros, days};

fn context(db: Db) -> (Context, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(UtcMicros::from_seconds(1_795_000_000)));
    (Context { db, clock: clock.clone(), entropy: Arc::new(SystemEntropy) }, clock)
}

async fn arrive(context: &Context, uid: i64) -> bool {
    let mut tx = context.db.begin().await.expect("begin");
    let arrival = Arrival { mailbox: "support", uid_validity: 7, uid, size_bytes: 3, raw: b"raw" };
    let fresh = insert(&mut tx, context, arrival).await.expect("stored");
    tx.commit().await.expect("commit");
    fresh
}

async fn take(context: &Context) -> Option<Due> {
    let mut tx = context.db.begin().await.expect("begin");
    let due = take_due(&mut tx, context.now()).await.expect("taken");
    tx.commit().await.expect("commit");
    due
}

async fn settled(context: &Context, due: &Due, state: InboundState) -> bool {
    let mut tx = context.db.begin().await.expect("begin");
    let outcome =
        Settlement { state, reason: "", ticket_number: None, person_id: None, answered: false, by: "Parc" };
    let done =
        settle(&mut tx, due.id, InboundState::Received, context.now(), &outcome).await.expect("settled");
    tx.commit().await.expect("commit");
    done
}

db_test! {
    async fn a_message_fetched_twice_is_stored_once(db: Db) {
        let (context, _) = context(db);
        assert!(arrive(&context, 4).await);
        assert!(!arrive(&context, 4).await);
        let mut tx = context.db.read().await.expect("read");
        let known = list_mailboxes(&mut tx).await.expect("mailboxes");
        assert_eq!((known[0].uid_validity, known[0].uid_stored), (Some(7), 4));
    }
}

db_test! {
    async fn a_failing_message_lets_the_others_pass_and_is_given_up_after_three_attempts(db: Db) {
        let (context, clock) = context(db);
        arrive(&context, 1).await;
        clock.advance(Duration::from_secs(1));
        arrive(&context, 2).await;
        let first = take(&context).await.expect("first");
        let second = take(&context).await.expect("second");
        assert_ne!(first.id, second.id);
        assert!(take(&context).await.is_none(), "both are in somebody's hands");
        assert!(settled(&context, &second, InboundState::Opened).await);
        assert!(!settled(&context, &second, InboundState::Opened).await, "settled once");
        for attempt in 2..=ATTEMPTS_MAX {
            clock.advance(Duration::from_mins(3));
            assert_eq!(take(&context).await.map(|it| it.attempts), Some(attempt));
        }
        clock.advance(Duration::from_mins(3));
        assert!(take(&context).await.is_none());
        let mut tx = context.db.read().await.expect("read");
        let row = find(&mut tx, first.id).await.expect("find").expect("row");
        assert_eq!((row.state, row.reason.as_str()), (InboundState::Quarantined, "failed"));
    }
}

db_test! {
    async fn lists_go_page_by_page_and_find_by_sender(db: Db) {
        let (context, clock) = context(db);
        for uid in 1..=5 {
            arrive(&context, uid).await;
            clock.advance(Duration::from_secs(1));
        }
        let due = take(&context).await.expect("due");
        let mut tx = context.db.begin().await.expect("begin");
        let envelope = Envelope {
            message_id: "a@b", body_hash: b"hash", from_address: "luc_petit@client.example", from_name: "Luc",
            subject: "100 %", authenticity: "passed",
        };
        assert_eq!(note_envelope(&mut tx, due.id, &envelope).await.expect("noted"), None);
        let mut page = PageRequest { after: None, limit: 2 };
        let mut seen = 0;
        loop {
            let rows = list(&mut tx, &InboundFilter::default(), &page).await.expect("list");
            seen += rows.rows.len();
            let Some(next) = rows.next else { break };
            page = PageRequest::from_query(Some(&next), Some(2));
        }
        assert_eq!(seen, 5);
        for (query, found) in [("luc_petit", 1), ("lucXpetit", 0), ("100 %", 1)] {
            let filter = InboundFilter { states: vec![InboundState::Received], query: query.into() };
            let rows = list(&mut tx, &filter, &PageRequest::first()).await.expect("list").rows;
            assert_eq!(rows.len(), found, "{query}");
        }
    }
}

db_test! {
    async fn bytes_go_after_three_months_and_only_of_what_is_settled(db: Db) {
        let (context, clock) = context(db);
        arrive(&context, 1).await;
        clock.advance(Duration::from_secs(1));
        arrive(&context, 2).await;
        let due = take(&context).await.expect("due");
        settled(&context, &due, InboundState::Opened).await;
        clock.advance(days(100));
        let mut tx = context.db.begin().await.expect("begin");
        assert_eq!(prune(&mut tx, &context).await.expect("pruned"), 1);
        assert_eq!(find_raw(&mut tx, due.id).await.expect("raw"), None);
        assert!(find(&mut tx, due.id).await.expect("find").is_some(), "the row stays for recognising repetitions");
        assert!(!reopen(&mut tx, due.id, context.now()).await.expect("reopen"), "without bytes nothing is replayed");
    }
}
