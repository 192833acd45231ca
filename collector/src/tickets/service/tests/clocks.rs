//! Stories of clocks. The desk's clock stands at Thursday 12 November 2026, 13:00 in Paris, when the service has just
//! opened for the afternoon; an incident of the desk has priority 4: call back within a day of nine hours, resolve
//! within five.

use std::time::Duration;

use parc_calendar::{ClockKind, ClockState};

use super::*;
use crate::tickets::words::TaskKind;
use crate::tickets::{ClockReading, ClockStanding, set_away_until, tell_of_clocks};

const CALLED: &str = "pdr";

async fn clocks(desk: &Desk, number: &TicketNumber) -> [ClockReading; 2] {
    let view = seen(desk, &Actor::system(), number).await.expect("some");
    view.clocks.try_into().expect("both clocks")
}

fn spent_min(clock: &ClockReading) -> u64 {
    clock.spent.as_secs() / 60
}

fn task(kind: &str) -> TicketAction {
    TicketAction::Task {
        kind: TaskKind::from_code(kind).expect("a kind of task"),
        text: "rang twice".into(),
        duration_min: None,
        next_attempt: None,
        before: String::new(),
        after: String::new(),
    }
}

fn hold(reason: &str) -> TicketAction {
    TicketAction::Hold { reason: reason.into(), until: None, note: "back on Monday".into() }
}

fn resolve() -> TicketAction {
    solved("restarted")
}

async fn told(desk: &Desk, number: &TicketNumber) -> Vec<String> {
    let view = seen(desk, &Actor::system(), number).await.expect("some");
    view.events.into_iter().map(|it| it.kind).filter(|it| it.starts_with("clock_")).collect()
}

async fn taken(desk: &Desk) -> TicketNumber {
    let number = opened(desk, desk.incident()).await;
    act(desk, &actor(&desk.technician), &number, TicketAction::Claim).await.expect("claimed");
    number
}

db_test! {
    async fn a_call_nobody_answered_stops_the_call_back_clock_and_not_the_other(db: Db) {
        let desk = Desk::open(db).await;
        let number = taken(&desk).await;
        desk.clock.advance(Duration::from_hours(2));
        act(&desk, &actor(&desk.technician), &number, task("diagnosis")).await.expect("written");
        assert_eq!(clocks(&desk, &number).await[0].state, ClockState::Running);
        act(&desk, &actor(&desk.technician), &number, task(CALLED)).await.expect("written");
        desk.clock.advance(Duration::from_hours(1));
        let [call_back, resolution] = clocks(&desk, &number).await;
        assert_eq!((call_back.kind, call_back.state, spent_min(&call_back)), (ClockKind::CallBack, ClockState::Stopped, 120));
        assert_eq!((resolution.state, spent_min(&resolution)), (ClockState::Running, 180));
        assert_eq!(resolution.target, Duration::from_hours(45));
        // 13:00 on Thursday and 45 hours of nine a day: Thursday at noon, the week after.
        assert_eq!(resolution.due_at.map(UtcMicros::rfc3339).as_deref(), Some("2026-11-19T11:00:00Z"));
    }
}

db_test! {
    async fn waiting_for_the_requester_does_not_count_and_an_escalation_does(db: Db) {
        let desk = Desk::open(db).await;
        let (number, tom) = (taken(&desk).await, actor(&desk.technician));
        desk.clock.advance(Duration::from_hours(1));
        act(&desk, &tom, &number, hold("user_absent")).await.expect("held");
        desk.clock.advance(days(4));
        let [_, resolution] = clocks(&desk, &number).await;
        assert_eq!((resolution.state, spent_min(&resolution), resolution.due_at), (ClockState::Paused, 60, None));
        act(&desk, &actor(&desk.requester), &number, TicketAction::Reply { text: "I am back".into() }).await.expect("resumed");
        desk.clock.advance(Duration::from_hours(1));
        let escalate = TicketAction::Escalate { team: None, comment: "tried everything".into() };
        act(&desk, &Actor::system(), &number, escalate).await.expect("escalated");
        desk.clock.advance(Duration::from_hours(1));
        assert_eq!(spent_min(&clocks(&desk, &number).await[1]), 180);
    }
}

db_test! {
    async fn a_refused_closure_goes_on_where_the_clock_stopped(db: Db) {
        let desk = Desk::open(db).await;
        let (number, tom, rita) = (taken(&desk).await, actor(&desk.technician), actor(&desk.requester));
        desk.clock.advance(Duration::from_hours(3));
        act(&desk, &tom, &number, resolve()).await.expect("resolved");
        desk.clock.advance(days(1));
        assert_eq!(clocks(&desk, &number).await.map(|it| (it.state, spent_min(&it))), [(ClockState::Stopped, 180); 2]);
        act(&desk, &rita, &number, TicketAction::Refuse { comment: "it fails again".into() }).await.expect("refused");
        desk.clock.advance(Duration::from_mins(30));
        assert_eq!(clocks(&desk, &number).await.map(|it| (it.state, spent_min(&it))), [(ClockState::Running, 210); 2]);
    }
}

db_test! {
    async fn another_priority_is_another_target_and_the_same_time_spent(db: Db) {
        let desk = Desk::open(db).await;
        let number = taken(&desk).await;
        desk.clock.advance(Duration::from_hours(2));
        let qualify = TicketAction::Qualify(qualified(TicketKind::Incident));
        act(&desk, &Actor::system(), &number, qualify).await.expect("qualified");
        let [call_back, resolution] = clocks(&desk, &number).await;
        assert_eq!((spent_min(&resolution), resolution.target), (120, Duration::from_hours(4)));
        assert_eq!(resolution.due_at.map(UtcMicros::rfc3339).as_deref(), Some("2026-11-12T16:00:00Z"));
        assert_eq!(call_back.standing(), ClockStanding::Late);
        assert_eq!(call_back.remaining_min(), -105);
        assert_eq!(call_back.due_at.map(UtcMicros::rfc3339).as_deref(), Some("2026-11-12T12:15:00Z"));
    }
}

db_test! {
    async fn who_is_away_is_called_later_without_being_late(db: Db) {
        let desk = Desk::open(db).await;
        let number = taken(&desk).await;
        let ticket = seen(&desk, &Actor::system(), &number).await.expect("some").ticket;
        let friday = UtcMicros::parse("2026-11-13T13:00:00Z", &Zone::utc());
        let mut tx = desk.context.db.begin().await.expect("begin");
        set_away_until(&mut tx, &desk.context, &ticket, friday).await.expect("known");
        tx.commit().await.expect("commit");
        let [call_back, resolution] = clocks(&desk, &number).await;
        assert_eq!((call_back.state, resolution.state), (ClockState::Paused, ClockState::Running));
        // Four hours are left of Friday, five of Monday.
        assert_eq!(call_back.due_at.map(UtcMicros::rfc3339).as_deref(), Some("2026-11-16T13:00:00Z"));
        desk.clock.advance(Duration::from_hours(26));
        let [call_back, _] = clocks(&desk, &number).await;
        assert_eq!((call_back.state, spent_min(&call_back)), (ClockState::Running, 60));
    }
}

db_test! {
    async fn each_mark_is_told_once_and_only_while_the_service_is_open(db: Db) {
        let desk = Desk::open(db).await;
        let number = taken(&desk).await;
        // 405 of 540 minutes are spent on Friday at 09:45.
        desk.clock.advance(Duration::from_mins(20 * 60 + 44));
        assert_eq!(tell_of_clocks(&desk.context).await.expect("round"), 0);
        desk.clock.advance(Duration::from_mins(1));
        assert_eq!(tell_of_clocks(&desk.context).await.expect("round"), 1);
        assert_eq!(tell_of_clocks(&desk.context).await.expect("round"), 0);
        assert_eq!(told(&desk, &number).await, ["clock_warned"]);
        // The target is reached on Friday at noon; nobody looks until Saturday.
        desk.clock.advance(days(1));
        assert_eq!(tell_of_clocks(&desk.context).await.expect("round"), 0);
        desk.clock.advance(days(2));
        let (one, other) = tokio::join!(tell_of_clocks(&desk.context), tell_of_clocks(&desk.context));
        assert_eq!(one.expect("round") + other.expect("round"), 1);
        assert_eq!(told(&desk, &number).await, ["clock_warned", "clock_breached"]);
        assert_eq!(clocks(&desk, &number).await[0].standing(), ClockStanding::Late);
    }
}

db_test! {
    async fn what_is_over_or_only_an_idea_hurries_nobody(db: Db) {
        let desk = Desk::open(db).await;
        let idea = NewTicket { kind: TicketKind::Improvement, ..desk.incident() };
        let (idea, withdrawn) = (opened(&desk, idea).await, opened(&desk, desk.incident()).await);
        desk.clock.advance(days(4));
        let cancel = TicketAction::Cancel { code: None, reason: "works again".into() };
        act(&desk, &actor(&desk.requester), &withdrawn, cancel).await.expect("cancelled");
        while tell_of_clocks(&desk.context).await.expect("round") > 0 {}
        assert!(told(&desk, &idea).await.is_empty());
        assert!(told(&desk, &withdrawn).await.is_empty());
    }
}

db_test! {
    async fn requesters_see_no_clock_and_the_queue_shows_one_per_ticket(db: Db) {
        let desk = Desk::open(db).await;
        let number = taken(&desk).await;
        opened(&desk, NewTicket { kind: TicketKind::Problem, ..desk.incident() }).await;
        assert!(seen(&desk, &actor(&desk.requester), &number).await.expect("own").clocks.is_empty());
        let (filter, page) = (TicketFilter::default(), PageRequest::first());
        let rows = list_tickets(&desk.context, &Actor::system(), &filter, &page).await.expect("list").rows;
        let shown: Vec<_> = rows.iter().map(|it| ClockReading::foremost(&it.clocks).expect("one").kind).collect();
        // Nobody waits for a call about an underlying cause.
        assert_eq!(shown, [ClockKind::Resolution, ClockKind::CallBack]);
        let rows = list_tickets(&desk.context, &actor(&desk.requester), &filter, &page).await.expect("list").rows;
        assert!(rows.iter().all(|it| it.clocks.is_empty()));
    }
}
