//! Asking for help, from outside: drafts, files, slots, summary, lists.

use axum::http::{StatusCode, header};

use crate::api::testing::{Desk, actor};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::Role;
use crate::kernel::time::days;
use crate::tickets::{self, NewTicket, TicketNumber};
use crate::web::testing::{Page, Site};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot much of a picture";

/// The number in the address a page leads to.
fn number_of(page: &Page) -> TicketNumber {
    let number = page.location().strip_prefix("/tickets/").and_then(|it| it.split('?').next());
    number.unwrap_or_else(|| panic!("no ticket: {} {}", page.status, page.body)).parse().expect("a number")
}

async fn opened(desk: &Desk, new: NewTicket) -> TicketNumber {
    tickets::open_ticket(&desk.context, &actor(&desk.requester), new).await.expect("opened").number
}

db_test! {
    async fn a_request_is_written_with_files_and_slots_read_over_and_sent_once(db: Db) {
        let site = Site::open(db).await;
        site.desk.machine(&site.desk.acme, "PC-1").await;
        let rita = site.sign_in(&site.desk.requester).await;
        let form = rita.get("/tickets/new?kind=incident").await;
        let id = form.field("request_id");
        // A Friday: Thursday the 12th is the desk's today.
        let fields = [
            ("request_id", id.as_str()), ("kind", "incident"), ("summary", "No VPN"), ("description", "since <b>noon</b>"),
            ("tag", "pc 1"), ("slot", "2026-11-13 8 10\n2026-11-13 10 12"), ("personal", "yes"), ("check", "summary"),
        ];
        let checked = rita.upload("/tickets/new", &fields, &[("écran.png", PNG)]).await;
        assert_eq!(checked.location(), "/tickets/new/summary?kind=incident", "{}", checked.body);
        let summary = rita.get(checked.location()).await;
        for wanted in ["No VPN", "since &#60;b&#62;noon", "Latitude 5420", "écran.png", "Restricted", "8:00–12:00"] {
            assert!(summary.body.contains(wanted), "{wanted} in {}", summary.body);
        }
        // Coming back shows the draft with its file.
        let again = rita.get("/tickets/new?kind=incident").await;
        assert!(again.body.contains("since &#60;b&#62;noon") && again.body.contains("écran.png"));
        let sent = rita.post("/tickets/new/summary", &[("kind", "incident")]).await;
        let number = number_of(&sent);
        let view = tickets::find_ticket(&site.desk.context, &actor(&site.desk.requester), &number).await.expect("find").expect("some");
        assert_eq!(view.slots.len(), 1, "neighbours are one");
        assert_eq!(view.assets.len(), 1);
        assert_eq!(view.events[0].data["files"][0]["name"], "écran.png");
        let page = rita.get(&format!("/tickets/{number}")).await;
        assert!(page.body.contains("Fri 13/11, 8:00–12:00") && page.body.contains("écran.png"), "{}", page.body);
        assert!(!rita.get("/tickets/new?kind=incident").await.body.contains("noon"), "the draft is done with");
        let twice = rita.post("/tickets/new/summary", &[("kind", "incident")]).await;
        assert_eq!(twice.location(), "/tickets");
    }
}

db_test! {
    async fn a_draft_belongs_to_one_person_and_is_forgotten_after_a_week(db: Db) {
        let site = Site::open(db).await;
        let rita = site.sign_in(&site.desk.requester).await;
        let fields = [("kind", "service_request"), ("summary", "A second screen"), ("check", "tag")];
        let kept = rita.upload("/tickets/new", &fields, &[("plan.txt", b"desk 4")]).await;
        assert_eq!(kept.status, StatusCode::OK);
        let file = kept.field("csrf");
        assert!(!file.is_empty() && kept.body.contains("plan.txt"));
        let carl = site.sign_in(&site.desk.colleague).await;
        assert!(!carl.get("/tickets/new?kind=service_request").await.body.contains("second screen"));
        let id = kept.body.split("name=\"remove_file\" value=\"").nth(1).and_then(|it| it.split('"').next()).expect("a button");
        let other = carl.post("/tickets/new", &[("kind", "service_request"), ("remove_file", id)]).await;
        assert_eq!(other.status, StatusCode::OK);
        assert!(rita.get("/tickets/new?kind=service_request").await.body.contains("plan.txt"), "somebody else's file stays");
        let without = rita.post("/tickets/new", &[("kind", "service_request"), ("summary", "A second screen"), ("remove_file", id)]).await;
        assert!(!without.body.contains("plan.txt") && without.body.contains("A second screen"));
        site.desk.clock.advance(days(8));
        let rita = site.sign_in(&site.desk.requester).await;
        assert!(!rita.get("/tickets/new?kind=service_request").await.body.contains("A second screen"));
    }
}

db_test! {
    async fn a_colleague_is_named_by_the_whole_address_and_only_inside_the_organisation(db: Db) {
        let site = Site::open(db).await;
        let rita = site.sign_in(&site.desk.requester).await;
        let send = async |beneficiary: &str| {
            rita.post("/tickets/new", &[("kind", "incident"), ("summary", "x"), ("beneficiary", beneficiary)]).await
        };
        for unknown in ["carl", "sven@umbrella.example", "nobody@acme.example", "tom@desk.example"] {
            let refused = send(unknown).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{unknown}");
            assert!(refused.body.contains("Nobody in your organisation"));
        }
        let number = number_of(&send("CARL@acme.example").await);
        let carl = site.sign_in(&site.desk.colleague).await;
        assert_eq!(carl.get(&format!("/tickets/{number}")).await.status, StatusCode::OK);
    }
}

db_test! {
    async fn the_same_problem_is_pointed_out_to_who_may_know_of_it(db: Db) {
        let site = Site::open(db).await;
        site.desk.machine(&site.desk.acme, "PC-7").await;
        let first = opened(&site.desk, NewTicket { inventory_number: "PC-7".into(), ..site.desk.incident() }).await;
        let look_up = "/tickets/new/look-up?tag=PC-7";
        let rita = site.sign_in(&site.desk.requester).await;
        assert!(rita.get(look_up).await.body.contains(first.as_str()));
        let carl = site.sign_in(&site.desk.colleague).await;
        assert!(!carl.get(look_up).await.body.contains(first.as_str()), "somebody else's ticket");
    }
}

db_test! {
    async fn the_first_page_shows_what_is_under_way_and_the_list_finds_and_exports(db: Db) {
        let site = Site::open(db).await;
        let number = opened(&site.desk, NewTicket { summary: "Écran noir".into(), ..site.desk.incident() }).await;
        opened(&site.desk, NewTicket { summary: "=1+1".into(), ..site.desk.incident() }).await;
        let rita = site.sign_in(&site.desk.requester).await;
        let home = rita.get("/").await;
        assert_eq!(home.status, StatusCode::OK);
        assert!(home.body.contains("Écran noir") && home.body.contains("/tickets/new?kind=incident"));
        let found = rita.get("/tickets?q=ecran").await;
        assert!(found.body.contains("Écran noir") && !found.body.contains("=1+1"));
        assert!(rita.get(&format!("/tickets?q={number}")).await.body.contains("Écran noir"));
        assert!(!rita.get("/tickets?state=closed").await.body.contains("Écran noir"));
        let csv = rita.get("/tickets.csv").await;
        assert!(csv.headers[header::CONTENT_TYPE].to_str().expect("text").starts_with("text/csv"));
        assert!(csv.body.contains("Écran noir") && csv.body.contains("'=1+1"), "{}", csv.body);
        assert_eq!(csv.body.lines().count(), 3);
        let stranger = site.sign_in(&site.desk.stranger).await;
        assert_eq!(stranger.get("/tickets.csv").await.body.lines().count(), 1);
        let referent = site.desk.person(Some(site.desk.acme.id), "remi@acme.example", Role::Referent).await;
        let remi = site.sign_in(&referent).await;
        assert_eq!(remi.get("/").await.status, StatusCode::OK);
        assert_eq!(remi.get("/tickets.csv?state=all").await.body.lines().count(), 3);
        let tom = site.sign_in(&site.desk.technician).await;
        assert_eq!(tom.get("/").await.location(), "/tickets");
        assert_eq!(tom.get("/tickets.csv").await.status, StatusCode::FORBIDDEN);
    }
}

db_test! {
    async fn slots_given_later_replace_the_earlier_ones_and_stand_in_the_history(db: Db) {
        let site = Site::open(db).await;
        let number = opened(&site.desk, site.desk.incident()).await;
        let rita = site.sign_in(&site.desk.requester).await;
        let path = format!("/tickets/{number}/availability");
        for slot in ["2026-11-13 8 10", "2026-11-16 14 16"] {
            let kept = rita.post(&path, &[("version", "1"), ("slot", slot)]).await;
            assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.body);
        }
        let view = tickets::find_ticket(&site.desk.context, &actor(&site.desk.requester), &number).await.expect("find").expect("some");
        assert_eq!(view.slots.len(), 1);
        let entry = site.desk.person(None, "pia@desk.example", Role::Peu).await;
        let pia = site.sign_in(&entry).await;
        let page = pia.get(&format!("/tickets/{number}")).await;
        assert!(page.body.contains("Mon 16/11, 14:00–16:00") && page.body.contains("Fri 13/11, 8:00–10:00"));
        let stranger = site.sign_in(&site.desk.stranger).await;
        assert_eq!(stranger.post(&path, &[("version", "1"), ("slot", "")]).await.status, StatusCode::NOT_FOUND);
    }
}
