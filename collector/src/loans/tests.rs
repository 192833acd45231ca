//! Stories of loans, on both engines.

use serde_json::json;

use super::*;
use crate::api::testing::{Desk, actor, assert_documented};
use crate::db::Db;
use crate::db_test;
use crate::inventory::{self, Lifecycle};
use crate::kernel::actor::{Actor, Role, Scope};
use crate::kernel::id::CiId;
use crate::kernel::page::PageRequest;
use crate::kernel::time::days;
use crate::tickets::{self, AssetRole, NewTicket, TicketNumber};

async fn put(desk: &Desk, ci: CiId, lifecycle: Lifecycle) {
    let mut tx = desk.context.db.begin().await.expect("begin");
    inventory::set_lifecycle(&mut tx, &desk.context, &Actor::system(), ci, lifecycle).await.expect("set");
    tx.commit().await.expect("commit");
}

async fn stands(desk: &Desk, ci: CiId) -> Lifecycle {
    let mut tx = desk.context.db.read().await.expect("read");
    inventory::find_ci(&mut tx, Scope::All, ci).await.expect("find").expect("some").lifecycle
}

/// A machine of the stock.
async fn spare(desk: &Desk, tag: &str) -> CiId {
    let ci = desk.machine(&desk.acme, tag).await;
    put(desk, ci, Lifecycle::Stock).await;
    ci
}

async fn about(desk: &Desk, tag: &str) -> TicketNumber {
    let new = NewTicket { inventory_number: tag.into(), ..desk.incident() };
    tickets::open_ticket(&desk.context, &Actor::system(), new).await.expect("opened").number
}

fn of(desk: &Desk, loaner: CiId) -> NewLoan {
    NewLoan { loaner, expected_at: desk.context.now() + days(14), note: "with the accounting program".into() }
}

fn handed_out() -> LoanStep {
    LoanStep::HandOut { condition: "new, charger, bag".into(), acknowledged: Acknowledgement::Signature }
}

fn returned() -> LoanStep {
    LoanStep::TakeBack { condition: "lid scratched".into() }
}

db_test! {
    async fn a_loan_goes_out_and_comes_back_and_everybody_has_their_own_machine_again(db: Db) {
        let desk = Desk::open(db).await;
        let lead = actor(&desk.lead);
        let (original, loaner) = (desk.machine(&desk.acme, "INV-1").await, spare(&desk, "PRET-07").await);
        let number = about(&desk, "INV-1").await;
        let view = async || tickets::find_ticket(&desk.context, &lead, &number).await.expect("find").expect("some");
        let step = async |id, step| step_loan(&desk.context, &lead, id, None, step).await.expect("done");

        let loan = prepare_loan(&desk.context, &lead, &number, of(&desk, loaner)).await.expect("prepared");
        assert_eq!((loan.original_tag.as_str(), loan.loaner_tag.as_str()), ("INV-1", "PRET-07"));
        assert_eq!((stands(&desk, original).await, stands(&desk, loaner).await), (Lifecycle::InRepair, Lifecycle::Stock));
        assert_eq!(view().await.ticket.open_loans, 1);

        let out = step(loan.id, handed_out()).await;
        assert_eq!((out.status, out.acknowledged.as_str(), out.acknowledged_by.as_str()), (LoanStatus::Out, "signature", "lena"));
        assert_eq!(stands(&desk, loaner).await, Lifecycle::OnLoan);
        let roles: Vec<(AssetRole, Option<String>)> = view().await.assets.into_iter().map(|it| (it.role, it.pinned.tag)).collect();
        assert_eq!(roles, [(AssetRole::Affected, Some("INV-1".into())), (AssetRole::Loaner, Some("PRET-07".into()))]);

        step(loan.id, returned()).await;
        assert_eq!((stands(&desk, original).await, stands(&desk, loaner).await), (Lifecycle::InRepair, Lifecycle::Stock));
        assert_eq!(view().await.assets.len(), 1, "the loaner's link is over");
        assert_eq!(view().await.ticket.open_loans, 1, "the user's own machine is still away");

        step(loan.id, LoanStep::Restore).await;
        assert_eq!(stands(&desk, original).await, Lifecycle::InUse);
        let end = view().await;
        assert_eq!(end.ticket.open_loans, 0);
        let kinds: Vec<&str> = end.events.iter().skip(2).map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, ["loan_prepared", "loan_out", "loan_back", "loan_restored"]);
        assert_eq!(end.events[4].data["text"], "lid scratched");
    }
}

db_test! {
    async fn of_many_who_want_one_machine_one_gets_it(db: Db) {
        let desk = Desk::open(db).await;
        let loaner = spare(&desk, "PRET-07").await;
        let mut runs = Vec::new();
        for index in 0..16 {
            desk.machine(&desk.acme, &format!("INV-{index}")).await;
            let number = about(&desk, &format!("INV-{index}")).await;
            let (context, lead, new) = (desk.context.clone(), actor(&desk.lead), of(&desk, loaner));
            runs.push(tokio::spawn(async move { prepare_loan(&context, &lead, &number, new).await }));
        }
        let mut prepared = 0;
        for run in runs {
            match run.await.expect("joined") {
                Ok(_) => prepared += 1,
                Err(LoanError::Lent) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(prepared, 1);
        let mut tx = desk.context.db.read().await.expect("read");
        let away = inventory::list_cis_by_lifecycle(&mut tx, Scope::All, None, Lifecycle::InRepair).await.expect("list");
        assert_eq!(away.len(), 1, "the losers' machines stay where they are");
    }
}

db_test! {
    async fn only_what_is_in_the_clients_stock_is_lent_and_nothing_for_itself(db: Db) {
        let desk = Desk::open(db).await;
        let lead = actor(&desk.lead);
        let original = desk.machine(&desk.acme, "INV-1").await;
        let foreign = desk.machine(&desk.umbrella, "PRET-99").await;
        put(&desk, foreign, Lifecycle::Stock).await;
        let in_use = desk.machine(&desk.acme, "INV-2").await;
        let number = about(&desk, "INV-1").await;
        for (what, ci) in [("foreign", foreign), ("in use", in_use), ("the original", original)] {
            let refused = prepare_loan(&desk.context, &lead, &number, of(&desk, ci)).await;
            assert!(matches!(refused, Err(LoanError::Invalid { field: "loaner", .. })), "{what}: {refused:?}");
        }
        put(&desk, original, Lifecycle::Stock).await;
        let itself = prepare_loan(&desk.context, &lead, &number, of(&desk, original)).await;
        assert!(matches!(itself, Err(LoanError::Invalid { field: "loaner", .. })));
        let spare = spare(&desk, "PRET-07").await;
        let first_level = prepare_loan(&desk.context, &actor(&desk.technician), &number, of(&desk, spare)).await;
        assert!(matches!(first_level, Err(LoanError::Forbidden)), "the first level asks for a loan, it does not make one");
    }
}

db_test! {
    async fn a_loan_that_was_called_off_leaves_no_trace_on_the_machines(db: Db) {
        let desk = Desk::open(db).await;
        let lead = actor(&desk.lead);
        let (original, loaner) = (desk.machine(&desk.acme, "INV-1").await, spare(&desk, "PRET-07").await);
        let number = about(&desk, "INV-1").await;
        let loan = prepare_loan(&desk.context, &lead, &number, of(&desk, loaner)).await.expect("prepared");
        let early = step_loan(&desk.context, &lead, loan.id, None, returned()).await;
        assert!(matches!(early, Err(LoanError::State { .. })));
        let cancel = LoanStep::Cancel { reason: "repaired at once".into() };
        step_loan(&desk.context, &lead, loan.id, Some(0), cancel).await.expect("called off");
        assert_eq!((stands(&desk, original).await, stands(&desk, loaner).await), (Lifecycle::InUse, Lifecycle::Stock));
        prepare_loan(&desk.context, &lead, &number, of(&desk, loaner)).await.expect("both are free again");
    }
}

db_test! {
    async fn an_overdue_loan_is_noticed_once(db: Db) {
        let desk = Desk::open(db).await;
        let lead = actor(&desk.lead);
        desk.machine(&desk.acme, "INV-1").await;
        let loaner = spare(&desk, "PRET-07").await;
        let number = about(&desk, "INV-1").await;
        let loan = prepare_loan(&desk.context, &lead, &number, of(&desk, loaner)).await.expect("prepared");
        step_loan(&desk.context, &lead, loan.id, None, handed_out()).await.expect("out");
        assert_eq!(note_overdue(&desk.context).await.expect("round"), 0);
        desk.clock.advance(days(15));
        assert_eq!(note_overdue(&desk.context).await.expect("round"), 1);
        assert_eq!(note_overdue(&desk.context).await.expect("round"), 0, "once is enough");
        let mut tx = desk.context.db.read().await.expect("read");
        let filter = LoanFilter { overdue_at: Some(desk.context.now()), ..LoanFilter::default() };
        let late = list_loans(&mut tx, &lead, &filter, &PageRequest::first()).await.expect("list").rows;
        assert!(late.len() == 1 && late[0].is_overdue(desk.context.now()));
        drop(tx);
        let extend = LoanStep::Extend { expected_at: desk.context.now() + days(7) };
        step_loan(&desk.context, &lead, loan.id, None, extend).await.expect("kept longer");
        desk.clock.advance(days(8));
        assert_eq!(note_overdue(&desk.context).await.expect("round"), 1, "late again");
    }
}

db_test! {
    async fn the_stock_is_offered_and_strangers_see_no_loan(db: Db) {
        let desk = Desk::open(db).await;
        let lead = actor(&desk.lead);
        desk.machine(&desk.acme, "INV-1").await;
        let (first, second) = (spare(&desk, "PRET-07").await, spare(&desk, "PRET-08").await);
        let number = about(&desk, "INV-1").await;
        let loan = prepare_loan(&desk.context, &lead, &number, of(&desk, first)).await.expect("prepared");
        let mut tx = desk.context.db.read().await.expect("read");
        let ticket = tickets::find_for(&mut tx, &lead, &number).await.expect("find").expect("some");
        let offered: Vec<CiId> = list_offers(&mut tx, &ticket).await.expect("offers").iter().map(|it| it.0.id).collect();
        assert_eq!(offered, [second], "what is reserved is not offered");
        let referent = desk.person(Some(desk.umbrella.id), "ruth@umbrella.example", Role::Referent).await;
        assert!(find_loan(&mut tx, &actor(&desk.requester), loan.id).await.expect("find").is_some());
        assert!(find_loan(&mut tx, &actor(&referent), loan.id).await.expect("find").is_none());
        let all = LoanFilter::default();
        assert!(list_loans(&mut tx, &actor(&referent), &all, &PageRequest::first()).await.expect("list").rows.is_empty());
        assert!(list_loans(&mut tx, &actor(&desk.requester), &all, &PageRequest::first()).await.is_err());
        assert_eq!(list_loans_of_ci(&mut tx, first).await.expect("list").len(), 1);
    }
}

db_test! {
    async fn programs_lend_and_take_back(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Peu, Some(desk.acme.id)).await;
        desk.machine(&desk.acme, "INV-1").await;
        spare(&desk, "PRET-07").await;
        let number = about(&desk, "INV-1").await;
        let offers = desk.get(&key, &format!("/api/v1/tickets/{number}/loaners")).await;
        assert_documented(&offers, "get", "/api/v1/tickets/{number}/loaners");
        assert_eq!((&offers.json["items"][0]["tag"], &offers.json["items"][0]["equivalent"]), (&json!("PRET-07"), &json!(true)));
        let path = format!("/api/v1/tickets/{number}/loans");
        let body = json!({ "loaner": "pret 07", "expected": "2026-11-30" });
        let made = desk.post(&key, &path, &body).await;
        assert_eq!(made.status, 201, "{:?}", made.json);
        assert_documented(&made, "post", "/api/v1/tickets/{number}/loans");
        assert_eq!(made.json["expected"], "2026-11-30T22:59:59Z", "the end of the day in Paris");
        let again = desk.post(&key, &path, &body).await;
        assert_eq!((again.status.as_u16(), &again.json["code"]), (409, &json!("lent")));
        let id = made.json["id"].as_str().expect("id");
        let out = json!({ "condition": "new", "acknowledged": "mail" });
        let out = desk.post(&key, &format!("/api/v1/loans/{id}/out"), &out).await;
        assert_eq!((&out.json["status"], &out.json["acknowledged"]), (&json!("out"), &json!("mail")), "{:?}", out.json);
        let empty = desk.post(&key, &format!("/api/v1/loans/{id}/back"), &json!({ "condition": " " })).await;
        assert_eq!(empty.json["field"], "condition");
        let list = desk.get(&key, "/api/v1/loans?status=out").await;
        assert_documented(&list, "get", "/api/v1/loans");
        assert_eq!(list.json["items"][0]["id"], made.json["id"]);
        assert_eq!(desk.get(&key, "/api/v1/loans?status=lost").await.json["field"], "status");
        let foreign = desk.key(Role::Peu, Some(desk.umbrella.id)).await;
        assert_eq!(desk.get(&foreign, &format!("/api/v1/loans/{id}")).await.status, 404);
        assert_eq!(desk.get(&foreign, &path).await.status, 404);
    }
}
