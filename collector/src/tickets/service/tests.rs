//! Stories of tickets without machines; those with machines are in `with_machines`.

use std::collections::HashSet;
use std::time::Duration;

use super::{act_on_ticket, count_tickets, find_ticket, list_tickets, open_ticket};
use crate::api::testing::{Desk, actor};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::page::PageRequest;
use crate::kernel::time::{UtcMicros, Zone, days};
use crate::matching::AssetMatch;
use crate::tickets::{
    ActionKind, CancelReason, ImpactScope, NewTicket, Qualification, Severity, TaskKind, TicketAction,
    TicketError, TicketFilter, TicketKind, TicketNumber, TicketState, TicketView, Urgency,
};

mod clocks;
mod coverage;
mod history;
mod teamwork;
mod with_machines;

async fn opened(desk: &Desk, new: NewTicket) -> TicketNumber {
    open_ticket(&desk.context, &Actor::system(), new).await.expect("opened").number
}

async fn act(
    desk: &Desk,
    who: &Actor,
    number: &TicketNumber,
    action: TicketAction,
) -> Result<TicketView, TicketError> {
    let version = find_ticket(&desk.context, &Actor::system(), number)
        .await
        .expect("find")
        .expect("some")
        .ticket
        .version;
    act_on_ticket(&desk.context, who, number, version, action).await
}

/// Everything an incident needs to be solved.
fn solved(solution: &str) -> TicketAction {
    Desk::solved(solution)
}

/// Blocking, a group, soon: priority 1.
fn qualified(kind: TicketKind) -> Qualification {
    Qualification {
        kind,
        sub_kind: None,
        severity: Severity::Blocking,
        scope: ImpactScope::Group,
        urgency: Urgency::High,
        team: None,
        priority: None,
        priority_reason: String::new(),
    }
}

async fn seen(desk: &Desk, who: &Actor, number: &TicketNumber) -> Option<TicketView> {
    find_ticket(&desk.context, who, number).await.expect("find")
}

db_test! {
    async fn a_ticket_without_number_is_opened_and_numbered(db: Db) {
        let desk = Desk::open(db).await;
        let rita = actor(&desk.requester);
        let first = open_ticket(&desk.context, &rita, desk.incident()).await.expect("opened");
        assert_eq!(first.number.as_str(), "I202611_0001");
        assert_eq!((first.state, first.priority, first.asset_match), (TicketState::New, 4, AssetMatch::None));
        assert_eq!(opened(&desk, desk.incident()).await.as_str(), "I202611_0002");
        let view = seen(&desk, &rita, &first.number).await.expect("own ticket");
        assert_eq!(view.ticket.requester_name, "rita");
        assert_eq!(view.events.len(), 1);
        assert_eq!(view.events[0].kind, "created");
        assert_eq!(view.allowed, [ActionKind::Reply, ActionKind::Cancel, ActionKind::AttachAsset]);
    }
}

db_test! {
    async fn the_month_is_the_one_on_the_organisations_wall(db: Db) {
        let desk = Desk::open(db).await;
        let paris_new_year = UtcMicros::parse("2026-12-31T23:30:00Z", &Zone::utc()).expect("valid");
        desk.clock.advance(paris_new_year.since(desk.context.now()));
        assert_eq!(opened(&desk, desk.incident()).await.as_str(), "I202701_0001");
    }
}

db_test! {
    async fn two_hundred_at_once_get_two_hundred_numbers(db: Db) {
        let desk = Desk::open(db).await;
        let runs: Vec<_> = (0..200)
            .map(|_| {
                let (context, new) = (desk.context.clone(), desk.incident());
                tokio::spawn(async move { open_ticket(&context, &Actor::system(), new).await.expect("opened").number })
            })
            .collect();
        let mut numbers = HashSet::new();
        for run in runs {
            numbers.insert(run.await.expect("joined"));
        }
        assert_eq!(numbers.len(), 200);
        assert!(numbers.contains(&"I202611_0200".parse().expect("number")), "no gap without failure");
    }
}

db_test! {
    async fn a_repeated_request_opens_one_ticket(db: Db) {
        let desk = Desk::open(db).await;
        let new = NewTicket { request_id: Some([7; 16]), ..desk.incident() };
        let rita = actor(&desk.requester);
        let runs: Vec<_> = (0..8)
            .map(|_| {
                let (context, rita, new) = (desk.context.clone(), rita.clone(), new.clone());
                tokio::spawn(async move { open_ticket(&context, &rita, new).await.expect("opened") })
            })
            .collect();
        let mut first_times = 0;
        for run in runs {
            let opened = run.await.expect("joined");
            assert_eq!(opened.number.as_str(), "I202611_0001");
            first_times += usize::from(!opened.repeated);
        }
        assert_eq!(first_times, 1);
        let by_another = NewTicket { requester_id: desk.colleague.id, beneficiary_id: desk.colleague.id, ..new };
        let other = open_ticket(&desk.context, &actor(&desk.colleague), by_another).await.expect("opened");
        assert!(!other.repeated, "nobody meets a stranger's request");
    }
}

db_test! {
    async fn each_refused_field_says_its_limit(db: Db) {
        let desk = Desk::open(db).await;
        let long = |count: usize| "x".repeat(count);
        let cases = [
            ("summary", NewTicket { summary: "  ".into(), ..desk.incident() }),
            ("summary", NewTicket { summary: long(201), ..desk.incident() }),
            ("description", NewTicket { description: long(20_001), ..desk.incident() }),
            ("phone", NewTicket { phone: long(41), ..desk.incident() }),
            ("availability", NewTicket { availability: long(501), ..desk.incident() }),
            ("application", NewTicket { application: long(121), ..desk.incident() }),
            ("location", NewTicket { location: long(121), ..desk.incident() }),
            ("external_ref", NewTicket { external_ref: long(121), ..desk.incident() }),
            ("inventory_number", NewTicket { inventory_number: long(101), ..desk.incident() }),
            ("requester", NewTicket { requester_id: desk.stranger.id, ..desk.incident() }),
            ("beneficiary", NewTicket { beneficiary_id: desk.stranger.id, ..desk.incident() }),
        ];
        for (expected, new) in cases {
            match open_ticket(&desk.context, &Actor::system(), new).await {
                Err(TicketError::Invalid { field, .. }) => assert_eq!(field, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
        assert_eq!(opened(&desk, desk.incident()).await.as_str(), "I202611_0001", "refusals use no number");
    }
}

db_test! {
    async fn placeholders_and_nothing_never_block_a_ticket(db: Db) {
        let desk = Desk::open(db).await;
        let typed = NewTicket { inventory_number: "To be filled by O.E.M.".into(), ..desk.incident() };
        let number = opened(&desk, typed).await;
        let view = seen(&desk, &Actor::system(), &number).await.expect("some");
        assert_eq!(view.ticket.asset_match, AssetMatch::Placeholder);
        assert_eq!(view.ticket.inventory_number, "To be filled by O.E.M.");
        assert_eq!(view.events[1].kind, "asset_placeholder");
    }
}

db_test! {
    async fn who_may_open_and_read_what(db: Db) {
        let desk = Desk::open(db).await;
        let rita = actor(&desk.requester);
        let for_carl = NewTicket { requester_id: desk.colleague.id, ..desk.incident() };
        let refused = open_ticket(&desk.context, &rita, for_carl).await;
        assert!(matches!(refused, Err(TicketError::Forbidden)));
        let for_beneficiary = NewTicket { beneficiary_id: desk.colleague.id, ..desk.incident() };
        let number = open_ticket(&desk.context, &rita, for_beneficiary).await.expect("opened").number;
        let other = opened(&desk, desk.incident()).await;
        let carl = actor(&desk.colleague);
        assert!(seen(&desk, &carl, &number).await.is_some(), "beneficiaries read their ticket");
        assert!(seen(&desk, &carl, &other).await.is_none(), "and no other");
        let sven = actor(&desk.stranger);
        assert!(seen(&desk, &sven, &number).await.is_none());
        let ref_umbrella = actor(&desk.person(Some(desk.umbrella.id), "ref@umbrella.example", Role::Referent).await);
        assert!(seen(&desk, &ref_umbrella, &number).await.is_none(), "a referent of elsewhere reads nothing");
        let acted = act(&desk, &ref_umbrella, &number, TicketAction::Reply { text: "hello".into() }).await;
        assert!(matches!(acted, Err(TicketError::NotFound)));
        let referent = actor(&desk.person(Some(desk.acme.id), "ref@acme.example", Role::Referent).await);
        assert!(seen(&desk, &referent, &number).await.is_some());
        let list = list_tickets(&desk.context, &carl, &TicketFilter::default(), &PageRequest::first()).await.expect("list");
        assert_eq!(list.rows.len(), 1);
    }
}

db_test! {
    async fn of_a_hundred_claims_one_wins(db: Db) {
        let desk = Desk::open(db).await;
        let number = opened(&desk, desk.incident()).await;
        let mut people = Vec::new();
        for place in 0..100 {
            people.push(actor(&desk.person(None, &format!("t{place}@desk.example"), Role::TechnicianN1).await));
        }
        let runs: Vec<_> = people
            .into_iter()
            .map(|who| {
                let (context, number) = (desk.context.clone(), number.clone());
                tokio::spawn(async move { act_on_ticket(&context, &who, &number, 1, TicketAction::Claim).await })
            })
            .collect();
        let (mut winners, mut told) = (Vec::new(), HashSet::new());
        for run in runs {
            match run.await.expect("joined") {
                Ok(view) => winners.push(view.ticket.owner_name),
                Err(TicketError::Taken { owner, .. }) => drop(told.insert(owner)),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(told, HashSet::from([winners[0].clone()]), "the others learn who it was");
        let view = seen(&desk, &Actor::system(), &number).await.expect("some");
        assert_eq!((view.ticket.state, view.ticket.version, view.events.len()), (TicketState::InProgress, 2, 2));
    }
}

db_test! {
    async fn the_life_of_a_ticket_is_its_history(db: Db) {
        let desk = Desk::open(db).await;
        let (rita, tom, lena) = (actor(&desk.requester), actor(&desk.technician), actor(&desk.lead));
        let number = opened(&desk, desk.incident()).await;
        let qualify = TicketAction::Qualify(qualified(TicketKind::Incident));
        let steps = [
            (&lena, qualify, TicketState::Queued),
            (&tom, TicketAction::Claim, TicketState::InProgress),
            (&tom, TicketAction::Task { kind: TaskKind::Pdr, text: String::new(), duration_min: Some(2), next_attempt: None, before: String::new(), after: String::new() }, TicketState::InProgress),
            (&tom, TicketAction::Hold { reason: "user absent".into(), until: None, note: String::new() }, TicketState::Pending),
            (&rita, TicketAction::Reply { text: "I am back".into() }, TicketState::InProgress),
            (&tom, TicketAction::Note { text: "cable".into() }, TicketState::InProgress),
            (&tom, solved("new cable"), TicketState::Resolved),
            (&rita, TicketAction::Refuse { comment: "again".into() }, TicketState::InProgress),
            (&tom, solved("new switch"), TicketState::Resolved),
            (&rita, TicketAction::Confirm { on_behalf_of: None }, TicketState::Closed),
            (&rita, TicketAction::Reopen { comment: "no".into() }, TicketState::Queued),
            (&tom, TicketAction::Escalate { team: None, comment: "tried two cables".into() }, TicketState::Queued),
            (&lena, TicketAction::Cancel { code: Some(CancelReason::Duplicate), reason: "duplicate".into() }, TicketState::Cancelled),
        ];
        for (who, action, expected) in steps {
            let kind = action.kind();
            let view = act(&desk, who, &number, action).await.unwrap_or_else(|it| panic!("{kind:?}: {it:?}"));
            assert_eq!(view.ticket.state, expected, "{kind:?}");
        }
        let staff = seen(&desk, &tom, &number).await.expect("some");
        let kinds: Vec<&str> = staff.events.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, [
            "created", "qualified", "claimed", "task", "held", "reply", "note", "resolved", "refused", "resolved",
            "confirmed", "reopened", "escalated", "cancelled",
        ]);
        assert_eq!((staff.ticket.priority, staff.ticket.level, staff.ticket.version), (1, 2, 14));
        let own = seen(&desk, &rita, &number).await.expect("some");
        assert!(own.events.iter().all(|it| it.public));
        let escalated = own.events.iter().find(|it| it.kind == "escalated").expect("told");
        assert!(escalated.data.get("text").is_none(), "what staff wrote to each other stays with them");
    }
}

db_test! {
    async fn a_change_needs_the_version_that_was_seen_and_an_answer_does_not(db: Db) {
        let desk = Desk::open(db).await;
        let (tom, rita) = (actor(&desk.technician), actor(&desk.requester));
        let number = opened(&desk, desk.incident()).await;
        act_on_ticket(&desk.context, &tom, &number, 1, TicketAction::Claim).await.expect("claimed");
        let late = act_on_ticket(&desk.context, &tom, &number, 1, solved("x")).await;
        assert!(matches!(late, Err(TicketError::Stale { current: 2, .. })), "{late:?}");
        let reply = TicketAction::Reply { text: "any news?".into() };
        act_on_ticket(&desk.context, &rita, &number, 1, reply).await.expect("appended");
        let forbidden = act(&desk, &rita, &number, solved("x")).await;
        assert!(matches!(forbidden, Err(TicketError::Forbidden)));
        let not_now = act(&desk, &tom, &number, TicketAction::Resume).await;
        assert!(matches!(not_now, Err(TicketError::State { state: "in_progress", action: "resume" })));
    }
}

db_test! {
    async fn the_reopen_window_closes(db: Db) {
        let desk = Desk::open(db).await;
        let (rita, tom) = (actor(&desk.requester), actor(&desk.technician));
        let number = opened(&desk, desk.incident()).await;
        for (who, action) in [
            (&tom, TicketAction::Claim),
            (&tom, solved("done")),
            (&rita, TicketAction::Confirm { on_behalf_of: None }),
        ] {
            act(&desk, who, &number, action).await.expect("done");
        }
        // Ten working days, the last one to its end.
        desk.clock.advance(days(15));
        let late = act(&desk, &rita, &number, TicketAction::Reopen { comment: "again".into() }).await;
        assert!(matches!(late, Err(TicketError::State { .. })));
    }
}

db_test! {
    async fn the_queue_shows_the_most_urgent_first_page_by_page(db: Db) {
        let desk = Desk::open(db).await;
        let tom = actor(&desk.technician);
        for urgency in [Urgency::Low, Urgency::High, Urgency::Medium, Urgency::High] {
            desk.clock.advance(Duration::from_mins(1));
            opened(&desk, NewTicket { urgency, ..desk.incident() }).await;
        }
        let mut numbers = Vec::new();
        let mut request = PageRequest { after: None, limit: 3 };
        loop {
            let page = list_tickets(&desk.context, &tom, &TicketFilter::default(), &request).await.expect("list");
            numbers.extend(page.rows.iter().map(|it| it.ticket.number.to_string()));
            let Some(next) = page.next else { break };
            request = PageRequest::from_query(Some(&next), Some(3));
        }
        assert_eq!(numbers, ["I202611_0004", "I202611_0002", "I202611_0003", "I202611_0001"]);
    }
}

db_test! {
    async fn filters_and_counts_agree(db: Db) {
        let desk = Desk::open(db).await;
        let tom = actor(&desk.technician);
        let claimed = opened(&desk, NewTicket { summary: "Écran noir 100%".into(), ..desk.incident() }).await;
        opened(&desk, NewTicket { requester_id: desk.stranger.id, beneficiary_id: desk.stranger.id, organisation_id: desk.umbrella.id, ..desk.incident() }).await;
        act(&desk, &tom, &claimed, TicketAction::Claim).await.expect("claimed");
        let found = |filter: TicketFilter| {
            let (context, tom) = (desk.context.clone(), tom.clone());
            async move {
                let page = list_tickets(&context, &tom, &filter, &PageRequest::first()).await.expect("list");
                let counts = count_tickets(&context, &tom, &filter).await.expect("count");
                assert_eq!(i64::try_from(page.rows.len()).expect("few"), counts.total);
                counts.total
            }
        };
        assert_eq!(found(TicketFilter::default()).await, 2);
        assert_eq!(found(TicketFilter { query: "ecran RITA".into(), ..TicketFilter::default() }).await, 1);
        assert_eq!(found(TicketFilter { query: "100%".into(), ..TicketFilter::default() }).await, 1);
        assert_eq!(found(TicketFilter { query: "100_".into(), ..TicketFilter::default() }).await, 0);
        assert_eq!(found(TicketFilter { unowned: true, ..TicketFilter::default() }).await, 1);
        assert_eq!(found(TicketFilter { owner: Some(desk.technician.id), ..TicketFilter::default() }).await, 1);
        assert_eq!(found(TicketFilter { person: Some(desk.stranger.id), ..TicketFilter::default() }).await, 1);
        assert_eq!(found(TicketFilter { organisation_id: Some(desk.acme.id), ..TicketFilter::default() }).await, 1);
        assert_eq!(found(TicketFilter { level: Some(2), ..TicketFilter::default() }).await, 0);
        assert_eq!(found(TicketFilter { tag: Some("--".into()), ..TicketFilter::default() }).await, 0);
        assert_eq!(found(TicketFilter { asset_match: Some(AssetMatch::None), ..TicketFilter::default() }).await, 2);
        let states = vec![TicketState::InProgress, TicketState::Closed];
        assert_eq!(found(TicketFilter { states, ..TicketFilter::default() }).await, 1);
        let counts = count_tickets(&desk.context, &tom, &TicketFilter::default()).await.expect("count");
        assert_eq!((counts.new, counts.in_progress, counts.mine), (1, 1, 1));
    }
}

db_test! {
    async fn a_technician_is_assigned_and_a_requester_is_not(db: Db) {
        let desk = Desk::open(db).await;
        let lena = actor(&desk.lead);
        let number = opened(&desk, desk.incident()).await;
        let refused = act(&desk, &lena, &number, TicketAction::Assign { owner: desk.requester.id }).await;
        assert!(matches!(refused, Err(TicketError::Invalid { field: "owner", .. })), "{refused:?}");
        let view = act(&desk, &lena, &number, TicketAction::Assign { owner: desk.technician.id }).await.expect("assigned");
        assert_eq!((view.ticket.owner_name.as_str(), view.ticket.state), ("tom", TicketState::InProgress));
        let tom = actor(&desk.technician);
        let taken = act(&desk, &actor(&desk.person(None, "t2@desk.example", Role::TechnicianN2).await), &number, TicketAction::Claim).await;
        assert!(matches!(taken, Err(TicketError::Taken { owner, .. }) if owner == "tom"));
        let view = act(&desk, &tom, &number, TicketAction::Release { reason: "not mine".into() }).await.expect("released");
        assert_eq!((view.ticket.owner_id, view.ticket.state), (None, TicketState::Queued));
    }
}
