//! Stories of contracts on tickets.

use std::time::Duration;

use super::super::cover::decide_coverage;
use super::*;
use crate::contracts::{self, Coverage, Covers, NewContract};
use crate::inventory;
use crate::people;
use crate::tickets::service::LateAttachment;
use crate::tickets::{CoverageDecision, TicketCoverage};

async fn contract(desk: &Desk, covers: Covers, items: &str) {
    let new = NewContract {
        organisation_id: desk.acme.id,
        kind: "PSAI".into(),
        reference: "2026-7".into(),
        starts_on: "2026-01-01".into(),
        ends_on: "2026-11-30".into(),
        renewal_months: 0,
        covers,
        items: items.into(),
        calendar_id: None,
        call_back: "10m 20m 30m 40m 50m".into(),
        resolution: String::new(),
        emergency_always: true,
        away_pauses: true,
    };
    let mut tx = desk.context.db.begin().await.expect("begin");
    contracts::create_contract(&mut tx, &desk.context, &Actor::system(), new).await.expect("contract");
    tx.commit().await.expect("commit");
}

async fn covered(desk: &Desk, number: &TicketNumber) -> TicketCoverage {
    let view = seen(desk, &Actor::system(), number).await.expect("some");
    view.coverage.expect("decided")
}

fn quoting(desk: &Desk, number: &str) -> NewTicket {
    NewTicket { inventory_number: number.into(), ..desk.incident() }
}

/// Who receives and distributes every ticket.
async fn entry_point(desk: &Desk) -> Actor {
    let email = "paula@desk.example";
    let mut tx = desk.context.db.read().await.expect("read");
    let found =
        people::find_person_by_email(&mut tx, &email.parse().expect("an address")).await.expect("find");
    drop(tx);
    match found {
        Some(person) => actor(&person),
        None => actor(&desk.person(None, email, Role::Peu).await),
    }
}

async fn decide(
    desk: &Desk,
    who: &Actor,
    number: &TicketNumber,
    decision: CoverageDecision,
) -> Result<TicketView, TicketError> {
    let version = seen(desk, &Actor::system(), number).await.expect("some").ticket.version;
    decide_coverage(&desk.context, who, (number, version), decision, "outside the contract").await
}

db_test! {
    async fn coverage_is_decided_at_opening_and_stays_when_the_contract_ends(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme, "PC-1").await;
        let before = opened(&desk, quoting(&desk, "PC-1")).await;
        assert_eq!(covered(&desk, &before).await.coverage, Coverage::NoContract);
        contract(&desk, Covers::List, "PC-1").await;
        let during = opened(&desk, quoting(&desk, "PC-1")).await;
        desk.clock.advance(days(30));
        let after = opened(&desk, quoting(&desk, "PC-1")).await;
        let known = covered(&desk, &during).await;
        assert_eq!((known.coverage, known.contract.as_str()), (Coverage::Covered, "PSAI 2026-7"));
        assert_eq!(covered(&desk, &after).await.coverage, Coverage::Expired);
        assert_eq!(covered(&desk, &before).await.coverage, Coverage::NoContract);
        let view = seen(&desk, &Actor::system(), &during).await.expect("some");
        assert_eq!((&view.events[0].data["coverage"], &view.events[0].data["contract"]), (&"covered".into(), &"2026-7".into()));
        assert_eq!(view.clocks[0].target, Duration::from_mins(40), "the contract's target for priority 4");
    }
}

db_test! {
    async fn what_is_not_known_is_settled_when_the_machine_reports(db: Db) {
        let desk = Desk::open(db).await;
        contract(&desk, Covers::List, "PC-1").await;
        let (listed, unlisted) = (opened(&desk, quoting(&desk, "PC-1")).await, opened(&desk, quoting(&desk, "PC-2")).await);
        assert_eq!(covered(&desk, &listed).await.coverage, Coverage::Unknown);
        let listener = LateAttachment { context: desk.context.clone() };
        for (tag, serial) in [("PC-1", "PC-91"), ("PC-2", "PC-92")] {
            let ci = desk.machine(&desk.acme, serial).await;
            let mut tx = desk.context.db.begin().await.expect("begin");
            let tag = Some(tag.parse().expect("tag"));
            inventory::assign_tag(&mut tx, &desk.context, &Actor::system(), ci, tag, &listener).await.expect("bound");
            tx.commit().await.expect("commit");
        }
        assert_eq!(covered(&desk, &listed).await.coverage, Coverage::Covered);
        assert_eq!(covered(&desk, &unlisted).await.coverage, Coverage::NotListed);
    }
}

db_test! {
    async fn only_who_distributes_work_decides_and_the_requester_reads_it(db: Db) {
        let desk = Desk::open(db).await;
        let number = opened(&desk, desk.incident()).await;
        act(&desk, &actor(&desk.technician), &number, TicketAction::Claim).await.expect("claimed");
        let by_technician = decide(&desk, &actor(&desk.technician), &number, CoverageDecision::Accept).await;
        assert!(matches!(by_technician, Err(TicketError::Forbidden)));
        assert!(!seen(&desk, &actor(&desk.technician), &number).await.expect("some").may_decide_coverage);
        let view = decide(&desk, &entry_point(&desk).await, &number, CoverageDecision::Billable).await.expect("decided");
        let coverage = view.coverage.expect("known");
        assert_eq!((coverage.decision, coverage.decision_by.as_str()), (Some(CoverageDecision::Billable), "paula"));
        let stale = decide_coverage(&desk.context, &entry_point(&desk).await, (&number, 1), CoverageDecision::Accept, "").await;
        assert!(matches!(stale, Err(TicketError::Stale { .. })));
        let read = seen(&desk, &actor(&desk.requester), &number).await.expect("own");
        let told = read.events.last().expect("an event");
        assert_eq!((told.kind.as_str(), &told.data["decision"]), ("coverage_decided", &"billable".into()));
        assert!(read.coverage.is_none() && !read.may_decide_coverage);
    }
}

db_test! {
    async fn a_ticket_that_is_not_done_is_cancelled_with_its_reason(db: Db) {
        let desk = Desk::open(db).await;
        let number = opened(&desk, desk.incident()).await;
        let view = decide(&desk, &entry_point(&desk).await, &number, CoverageDecision::Cancel).await.expect("cancelled");
        assert_eq!(view.ticket.state, TicketState::Cancelled);
        let told = view.events.last().expect("an event");
        assert_eq!((told.kind.as_str(), &told.data["text"]), ("cancelled", &"outside the contract".into()));
        let again = decide(&desk, &entry_point(&desk).await, &number, CoverageDecision::Accept).await;
        assert!(matches!(again, Err(TicketError::State { .. })));
    }
}

db_test! {
    async fn what_a_contract_covers_needs_no_decision(db: Db) {
        let desk = Desk::open(db).await;
        contract(&desk, Covers::All, "").await;
        let number = opened(&desk, desk.incident()).await;
        let refused = decide(&desk, &entry_point(&desk).await, &number, CoverageDecision::Accept).await;
        assert!(matches!(refused, Err(TicketError::Invalid { field: "decision", .. })));
    }
}

db_test! {
    async fn an_emergency_runs_around_the_clock_when_the_contract_says_so(db: Db) {
        let desk = Desk::open(db).await;
        contract(&desk, Covers::All, "").await;
        let emergency = NewTicket { kind: TicketKind::Emergency, ..desk.incident() };
        let number = opened(&desk, emergency).await;
        desk.clock.advance(Duration::from_hours(12));
        let view = seen(&desk, &Actor::system(), &number).await.expect("some");
        // Four hours for priority 1, eight of the night too late.
        assert_eq!(view.clocks[1].remaining_min(), -480);
    }
}
