//! Stories of indicators, on both engines.

use std::time::Duration;

use super::*;
use crate::api::testing::{Desk, actor, assert_documented};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::time::{Day, Zone};
use crate::tickets::{self, Channel, NewTicket, TaskKind, TicketAction, TicketNumber};

async fn opened(desk: &Desk, new: NewTicket) -> TicketNumber {
    tickets::open_ticket(&desk.context, &Actor::system(), new).await.expect("opened").number
}

async fn act(desk: &Desk, who: &Actor, number: &TicketNumber, action: TicketAction) {
    let seen = tickets::find_ticket(&desk.context, who, number).await.expect("find").expect("some");
    let done = tickets::act_on_ticket(&desk.context, who, number, seen.ticket.version, action).await;
    done.expect("done");
}

fn span(from: &str, until: &str) -> Span {
    let day = |text| Day::parse(text).expect("day");
    Span::new(day(from), day(until), Zone::named("Europe/Paris").expect("zone data"), None)
}

fn rows(report: &Report, by: Dimension) -> Vec<(String, i64)> {
    report.breakdowns.iter().find(|it| it.by == by).expect("a breakdown").rows.clone()
}

db_test! {
    async fn what_happened_is_counted_once_and_in_its_span(db: Db) {
        let desk = Desk::open(db).await;
        let (lead, tom) = (actor(&desk.lead), actor(&desk.technician));
        desk.machine(&desk.acme, "INV-1").await;
        let first = opened(&desk, NewTicket { inventory_number: "INV-1".into(), ..desk.incident() }).await;
        let second = opened(&desk, NewTicket { channel: Channel::Phone, ..desk.incident() }).await;
        desk.clock.advance(Duration::from_hours(1));
        for (number, kind) in [(&first, TaskKind::Call), (&second, TaskKind::Pdr)] {
            act(&desk, &lead, number, TicketAction::Claim).await;
            // Words of a text are not taken for facts.
            let text = "said \"task\":\"pdr\" in a text".to_owned();
            act(&desk, &lead, number, TicketAction::Task { kind, text, duration_min: None, next_attempt: None, before: String::new(), after: String::new() }).await;
        }
        desk.clock.advance(Duration::from_hours(3));
        act(&desk, &lead, &first, Desk::solved("new cable")).await;
        act(&desk, &actor(&desk.requester), &first, TicketAction::Refuse { comment: "still broken".into() }).await;
        act(&desk, &lead, &first, Desk::solved("new switch")).await;
        let mut tx = desk.context.db.read().await.expect("read");
        let found = report(&mut tx, &lead, span("2026-11-01", "2026-11-30")).await.expect("report");
        assert_eq!((found.opened, found.resolved, found.refused, found.reopened), (2, 1, 1, 0));
        assert_eq!((found.calls_reached, found.calls_unanswered, found.unanswered_permille()), (1, 1, Some(500)));
        assert_eq!(rows(&found, Dimension::Kind), [("incident".to_owned(), 2)]);
        assert_eq!(rows(&found, Dimension::Channel), [("phone".to_owned(), 1), ("portal".to_owned(), 1)]);
        assert_eq!(rows(&found, Dimension::Model), [(String::new(), 1), ("Dell Inc. Latitude 5420".to_owned(), 1)]);
        assert_eq!(rows(&found, Dimension::Organisation), [("ACME SA".to_owned(), 2)]);
        assert_eq!(found.until_taken, Delay { count: 2, median_s: Some(3_600), ninth_s: Some(3_600) });
        assert_eq!(found.until_resolved, Delay { count: 1, median_s: Some(14_400), ninth_s: Some(14_400) });
        let day = Day::parse("2026-11-12").expect("day");
        assert!(found.curve.contains(&(day, 2, 1)));
        let before = report(&mut tx, &lead, span("2026-10-01", "2026-10-31")).await.expect("report");
        assert_eq!((before.opened, before.calls_reached, before.until_taken.median_s), (0, 0, None));
        assert!(matches!(report(&mut tx, &tom, span("2026-11-01", "2026-11-30")).await, Err(ReportError::Forbidden)));
    }
}

db_test! {
    async fn a_referent_counts_their_own_organisation_only(db: Db) {
        let desk = Desk::open(db).await;
        opened(&desk, desk.incident()).await;
        let own = desk.person(Some(desk.acme.id), "remi@acme.example", Role::Referent).await;
        let other = desk.person(Some(desk.umbrella.id), "ruth@umbrella.example", Role::Referent).await;
        let mut tx = desk.context.db.read().await.expect("read");
        let month = || span("2026-11-01", "2026-11-30");
        assert_eq!(report(&mut tx, &actor(&own), month()).await.expect("report").opened, 1);
        let asked = Span { organisation: Some(desk.acme.id), ..month() };
        assert_eq!(report(&mut tx, &actor(&other), asked).await.expect("report").opened, 0, "whatever they ask for");
        drop(tx);
        let key = desk.key(Role::Auditor, Some(desk.acme.id)).await;
        let answer = desk.get(&key, "/api/v1/reports?from=2026-11-01&until=2026-11-30").await;
        assert_documented(&answer, "get", "/api/v1/reports");
        assert_eq!(answer.json["opened"], 1, "{:?}", answer.json);
        assert_eq!(desk.get(&key, "/api/v1/reports?organisation=UMBRELLA").await.json["field"], "organisation");
        assert_eq!(desk.get(&key, "/api/v1/reports?from=soon").await.json["field"], "from");
        let key = desk.key(Role::Requester, Some(desk.acme.id)).await;
        assert_eq!(desk.get(&key, "/api/v1/reports").await.status, 403);
    }
}
