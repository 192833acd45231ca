//! Stories of visits, on both engines.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::api::testing::{Desk, actor, assert_documented};
use crate::context::Context;
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::id::PersonId;
use crate::kernel::time::{UtcMicros, days};
use crate::tickets::{self, TicketAction, TicketNumber};

async fn a_ticket(desk: &Desk) -> TicketNumber {
    tickets::open_ticket(&desk.context, &Actor::system(), desk.incident()).await.expect("opened").number
}

fn at(context: &Context, minutes: u64) -> UtcMicros {
    context.now() + Duration::from_mins(minutes)
}

fn a_visit(desk: &Desk, technician: PersonId, from: u64, until: u64) -> NewVisit {
    NewVisit {
        technician_id: technician,
        starts_at: at(&desk.context, from),
        ends_at: at(&desk.context, until),
        site_id: None,
        location: String::new(),
        contact: String::new(),
        phone: String::new(),
        purpose: "replace the fan".into(),
        fixed: true,
    }
}

db_test! {
    async fn a_technician_is_never_in_two_places(db: Db) {
        let desk = Desk::open(db).await;
        let (lead, tom) = (actor(&desk.lead), desk.technician.id);
        let (first, second) = (a_ticket(&desk).await, a_ticket(&desk).await);
        let plan = async |number, new| plan_visit(&desk.context, &lead, number, new).await;
        plan(&first, a_visit(&desk, tom, 60, 120)).await.expect("planned");
        for (from, until) in [(60, 120), (45, 75), (105, 180), (75, 90), (0, 240)] {
            match plan(&second, a_visit(&desk, tom, from, until)).await {
                Err(VisitError::Overlap { technician, .. }) => assert_eq!(technician, "tom"),
                other => panic!("{from}–{until}: {other:?}"),
            }
        }
        plan(&second, a_visit(&desk, tom, 120, 180)).await.expect("back to back");
        plan(&second, a_visit(&desk, desk.lead.id, 60, 120)).await.expect("somebody else");
        let mut tx = desk.context.db.read().await.expect("read");
        assert_eq!(list_visits_of_ticket(&mut tx, &first).await.expect("list").len(), 1);
        assert_eq!(list_visits_of_ticket(&mut tx, &second).await.expect("list").len(), 2);
    }
}

db_test! {
    async fn of_many_who_want_one_hour_one_gets_it(db: Db) {
        let desk = Desk::open(db).await;
        let number = a_ticket(&desk).await;
        let runs: Vec<_> = (0..24_u64)
            .map(|it| {
                let (context, lead, number) = (desk.context.clone(), actor(&desk.lead), number.clone());
                // Shifted by a quarter each, so that they collide in parts as well.
                let new = a_visit(&desk, desk.technician.id, 60 + 15 * (it % 3), 120 + 15 * (it % 3));
                tokio::spawn(async move { plan_visit(&context, &lead, &number, new).await })
            })
            .collect();
        let mut planned = 0;
        for run in runs {
            match run.await.expect("joined") {
                Ok(_) => planned += 1,
                Err(VisitError::Overlap { .. }) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(planned, 1);
        let mut tx = desk.context.db.read().await.expect("read");
        assert_eq!(list_visits_of_ticket(&mut tx, &number).await.expect("list").len(), 1);
    }
}

db_test! {
    async fn a_visit_is_moved_missed_and_called_off_and_its_time_is_free_again(db: Db) {
        let desk = Desk::open(db).await;
        let (lead, tom) = (actor(&desk.lead), desk.technician.id);
        let number = a_ticket(&desk).await;
        let step = async |id, seen, step| step_visit(&desk.context, &lead, id, seen, step).await;
        let visit = plan_visit(&desk.context, &lead, &number, a_visit(&desk, tom, 60, 120)).await.expect("planned");
        let later = || VisitStep::Move { technician_id: tom, starts_at: at(&desk.context, 90), ends_at: at(&desk.context, 150) };
        let moved = step(visit.id, Some(0), later()).await.expect("moved over its own time");
        assert_eq!((moved.sequence, moved.status), (1, VisitStatus::Fixed));
        assert!(matches!(step(visit.id, Some(0), VisitStep::Fix).await, Err(VisitError::Stale | VisitError::State { .. })));
        assert!(matches!(step(visit.id, Some(0), later()).await, Err(VisitError::Stale)));
        plan_visit(&desk.context, &lead, &number, a_visit(&desk, tom, 60, 90)).await.expect("the old time is free");
        let missed = || VisitStep::Missed { reason: "nobody opened".into() };
        assert!(matches!(step(visit.id, None, missed()).await, Err(VisitError::State { .. })), "it has not begun");
        let cancelled = step(visit.id, None, VisitStep::Cancel { reason: "solved by phone".into() }).await.expect("called off");
        assert_eq!(cancelled.outcome, "solved by phone");
        plan_visit(&desk.context, &lead, &number, a_visit(&desk, tom, 90, 150)).await.expect("its time is free");
        assert!(matches!(step(visit.id, None, later()).await, Err(VisitError::State { .. })), "called off is final");
    }
}

db_test! {
    async fn every_step_stands_in_the_history_and_an_open_visit_on_the_ticket(db: Db) {
        let desk = Desk::open(db).await;
        let (lead, tom) = (actor(&desk.lead), actor(&desk.technician));
        let number = a_ticket(&desk).await;
        let asked = NewVisit { fixed: false, ..a_visit(&desk, desk.technician.id, 60, 120) };
        let visit = plan_visit(&desk.context, &tom, &number, asked).await.expect("asked for");
        assert_eq!((visit.status, visit.contact.as_str()), (VisitStatus::Proposed, "rita"));
        let fixed = NewVisit { fixed: true, ..a_visit(&desk, desk.technician.id, 180, 240) };
        assert!(matches!(plan_visit(&desk.context, &tom, &number, fixed).await, Err(VisitError::Forbidden)));
        assert!(matches!(step_visit(&desk.context, &tom, visit.id, None, VisitStep::Fix).await, Err(VisitError::Forbidden)));
        step_visit(&desk.context, &lead, visit.id, None, VisitStep::Fix).await.expect("fixed");
        let open = async || tickets::find_ticket(&desk.context, &lead, &number).await.expect("find").expect("some");
        assert_eq!(open().await.ticket.open_visits, 1);
        desk.clock.advance(Duration::from_hours(2));
        let done = VisitStep::Done { outcome: "fan replaced".into() };
        step_visit(&desk.context, &tom, visit.id, None, done).await.expect("done by who went");
        let view = open().await;
        assert_eq!(view.ticket.open_visits, 0);
        let kinds: Vec<&str> = view.events.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, ["created", "visit_proposed", "visit_fixed", "visit_done"]);
        assert_eq!(view.events[3].data["text"], "fan replaced");
    }
}

db_test! {
    async fn a_visit_is_nobodys_business_but_of_those_who_see_its_ticket(db: Db) {
        let desk = Desk::open(db).await;
        let lead = actor(&desk.lead);
        let number = a_ticket(&desk).await;
        let visit = plan_visit(&desk.context, &lead, &number, a_visit(&desk, desk.technician.id, 60, 120)).await.expect("planned");
        let mut tx = desk.context.db.read().await.expect("read");
        let own = actor(&desk.requester);
        let referent = desk.person(Some(desk.umbrella.id), "ruth@umbrella.example", Role::Referent).await;
        assert!(find_visit(&mut tx, &own, visit.id).await.expect("find").is_some());
        for stranger in [actor(&desk.stranger), actor(&referent)] {
            assert!(find_visit(&mut tx, &stranger, visit.id).await.expect("find").is_none());
        }
        let week = VisitFilter { from: desk.context.now(), until: desk.context.now() + days(7), technician: None, site: None };
        assert!(matches!(list_visits(&mut tx, &own, &week).await, Err(VisitError::Forbidden)));
        assert_eq!(list_visits(&mut tx, &lead, &week).await.expect("list").len(), 1);
        assert!(list_visits(&mut tx, &actor(&referent), &week).await.expect("list").is_empty());
        let past = VisitFilter { from: desk.context.now() - days(7), until: desk.context.now(), ..week };
        assert!(list_visits(&mut tx, &lead, &past).await.expect("list").is_empty());
    }
}

db_test! {
    async fn a_closed_ticket_takes_no_visit_and_a_requester_is_sent_nowhere(db: Db) {
        let desk = Desk::open(db).await;
        let lead = actor(&desk.lead);
        let number = a_ticket(&desk).await;
        let sent = plan_visit(&desk.context, &lead, &number, a_visit(&desk, desk.requester.id, 60, 120)).await;
        assert!(matches!(sent, Err(VisitError::Invalid { field: "technician", .. })));
        let asked = plan_visit(&desk.context, &actor(&desk.requester), &number, a_visit(&desk, desk.technician.id, 60, 120)).await;
        assert!(matches!(asked, Err(VisitError::Forbidden)));
        let cancel = TicketAction::Cancel { code: None, reason: "withdrawn".into() };
        tickets::act_on_ticket(&desk.context, &actor(&desk.requester), &number, 1, cancel).await.expect("cancelled");
        let late = plan_visit(&desk.context, &lead, &number, a_visit(&desk, desk.technician.id, 60, 120)).await;
        assert!(matches!(late, Err(VisitError::State { .. })));
    }
}

db_test! {
    async fn programs_plan_and_read_visits(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Peu, Some(desk.acme.id)).await;
        let number = a_ticket(&desk).await;
        let path = format!("/api/v1/tickets/{number}/visits");
        let body = json!({ "technician": "tom@desk.example", "start": "2026-11-13T09:00:00Z", "end": "2026-11-13T10:30:00Z",
            "site": "Lyon", "location": "B12", "fixed": true });
        let made = desk.post(&key, &path, &body).await;
        assert_eq!(made.status, 201, "{:?}", made.json);
        assert_documented(&made, "post", "/api/v1/tickets/{number}/visits");
        assert_eq!((&made.json["address"], &made.json["contact"]), (&json!("Lyon"), &json!("rita")));
        let again = desk.post(&key, &path, &body).await;
        assert_eq!((again.status.as_u16(), &again.json["code"]), (409, &json!("overlap")));
        let odd = json!({ "technician": "tom@desk.example", "start": "2026-11-13T09:05:00Z", "end": "2026-11-13T10:30:00Z" });
        assert_eq!(desk.post(&key, &path, &odd).await.json["field"], "start");
        let visit = made.json["id"].as_str().expect("id");
        let moved = json!({ "start": "2026-11-16T09:00:00Z", "end": "2026-11-16T10:00:00Z", "sequence": 0 });
        let moved = desk.post(&key, &format!("/api/v1/visits/{visit}/move"), &moved).await;
        assert_eq!(moved.json["start"], "2026-11-16T09:00:00Z", "{:?}", moved.json);
        let planning = desk.get(&key, "/api/v1/visits?from=2026-11-16&until=2026-11-17&technician=tom@desk.example").await;
        assert_documented(&planning, "get", "/api/v1/visits");
        assert_eq!(planning.json["items"][0]["id"], made.json["id"]);
        let file = desk.get(&key, &format!("/api/v1/visits/{visit}/calendar.ics")).await;
        assert!(String::from_utf8_lossy(&file.bytes).contains("DTSTART:20261116T090000Z"));
        let foreign = desk.key(Role::Peu, Some(desk.umbrella.id)).await;
        for path in [path, format!("/api/v1/visits/{visit}"), format!("/api/v1/visits/{visit}/calendar.ics")] {
            assert_eq!(desk.get(&foreign, &path).await.status, 404, "{path}");
        }
    }
}
