//! Contracts and coverage on both engines and through the REST door.

use axum::http::StatusCode;
use serde_json::json;

use super::*;
use crate::api::testing::{Desk, answer, assert_documented, request};
use crate::db::Db;
use crate::db_test;
use crate::inventory;
use crate::kernel::actor::{Actor, Role, Scope};
use crate::kernel::time::{UtcMicros, Zone};

fn new(desk: &Desk, reference: &str, covers: Covers, items: &str) -> NewContract {
    NewContract {
        organisation_id: desk.acme.id,
        kind: "PSAI".into(),
        reference: reference.into(),
        starts_on: "2026-01-01".into(),
        ends_on: "2026-12-31".into(),
        renewal_months: 0,
        covers,
        items: items.into(),
        calendar_id: None,
        call_back: String::new(),
        resolution: String::new(),
        emergency_always: false,
        away_pauses: true,
    }
}

async fn make(desk: &Desk, new: NewContract) -> Result<Contract, ContractError> {
    let mut tx = desk.context.db.begin().await.expect("begin");
    let made = create_contract(&mut tx, &desk.context, &Actor::system(), new).await;
    tx.commit().await.expect("commit");
    made
}

/// What is decided in Paris at noon of a day about the machine with that tag; without tag about nothing.
async fn decided(desk: &Desk, day: &str, tag: Option<&str>) -> (Coverage, Option<String>) {
    let mut tx = desk.context.db.read().await.expect("read");
    let machine = match tag {
        Some(tag) => inventory::find_ci_by_tag(&mut tx, desk.acme.id, tag).await.expect("find"),
        None => None,
    };
    let subject = match (&machine, tag) {
        (Some(ci), _) => Subject::Machine(ci),
        (None, Some(_)) => Subject::Unidentified,
        (None, None) => Subject::Nothing,
    };
    let zone = Zone::named("Europe/Paris").expect("zone");
    let at = UtcMicros::parse(&format!("{day}T11:00:00Z"), &zone).expect("a moment");
    let (coverage, contract) =
        find_verdict(&mut tx, desk.acme.id, (at, &zone), subject).await.expect("decided");
    (coverage, contract.map(|it| it.reference))
}

db_test! {
    async fn a_list_covers_what_it_names_while_it_is_in_force(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme.clone(), "PC-1").await;
        desk.machine(&desk.acme.clone(), "PC-2").await;
        assert_eq!(decided(&desk, "2026-06-01", Some("PC1")).await, (Coverage::NoContract, None));
        make(&desk, new(&desk, "A", Covers::List, "pc 1\n\nPC-1\nPC-9")).await.expect("made");
        let a = || Some("A".to_owned());
        assert_eq!(decided(&desk, "2026-06-01", Some("PC1")).await, (Coverage::Covered, a()));
        assert_eq!(decided(&desk, "2026-06-01", Some("PC2")).await, (Coverage::NotListed, a()));
        assert_eq!(decided(&desk, "2026-06-01", Some("PC7")).await, (Coverage::Unknown, a()));
        assert_eq!(decided(&desk, "2026-06-01", None).await, (Coverage::Unknown, a()));
        assert_eq!(decided(&desk, "2026-12-31", Some("PC1")).await, (Coverage::Covered, a()));
        assert_eq!(decided(&desk, "2027-01-01", Some("PC1")).await, (Coverage::Expired, a()));
        assert_eq!(decided(&desk, "2027-01-01", Some("PC2")).await, (Coverage::NoContract, None));
        assert_eq!(decided(&desk, "2025-12-31", Some("PC1")).await, (Coverage::NoContract, None));
    }
}

db_test! {
    async fn models_and_everything_and_tacit_renewal(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme.clone(), "PC-1").await;
        make(&desk, new(&desk, "M", Covers::Models, "LATITUDE 5420")).await.expect("made");
        assert_eq!(decided(&desk, "2026-06-01", Some("PC1")).await.0, Coverage::Covered);
        let renewed = NewContract { renewal_months: 12, ..new(&desk, "T", Covers::All, "ignored") };
        make(&desk, renewed).await.expect("made");
        assert_eq!(decided(&desk, "2028-02-29", Some("PC1")).await, (Coverage::Covered, Some("T".into())));
        assert_eq!(decided(&desk, "2028-02-29", None).await.0, Coverage::Covered);
        assert_eq!(decided(&desk, "2028-02-29", Some("PC7")).await.0, Coverage::Unknown);
    }
}

db_test! {
    async fn a_refused_contract_names_the_field(db: Db) {
        let desk = Desk::open(db).await;
        let good = || new(&desk, "A", Covers::All, "");
        let refused = [
            ("reference", NewContract { reference: " ".into(), ..good() }),
            ("starts_on", NewContract { starts_on: "soon".into(), ..good() }),
            ("ends_on", NewContract { ends_on: "2025-12-31".into(), ..good() }),
            ("renewal_months", NewContract { renewal_months: 121, ..good() }),
            ("items", NewContract { covers: Covers::List, ..good() }),
            ("items", NewContract { covers: Covers::List, items: "---".into(), ..good() }),
            ("call_back", NewContract { call_back: "1h".into(), ..good() }),
            ("resolution", NewContract { resolution: "1h 1h 1h 1h soon".into(), ..good() }),
        ];
        for (field, wrong) in refused {
            let error = make(&desk, wrong).await.expect_err(field);
            assert_eq!(crate::kernel::error::Fault::field(&error), Some(field));
        }
        make(&desk, good()).await.expect("made");
        assert!(matches!(make(&desk, good()).await, Err(ContractError::Taken(_))));
    }
}

db_test! {
    async fn programs_make_change_and_list_contracts_of_their_scope(db: Db) {
        let desk = Desk::open(db).await;
        let (admin, other) = (desk.key(Role::Admin, None).await, desk.key(Role::Admin, Some(desk.umbrella.id)).await);
        let body = json!({ "organisation": "ACME", "kind": "PSAI", "reference": "2026-1", "starts_on": "2026-01-01",
            "covers": "list", "items": ["PC-1"], "calendar": "Standard" });
        let made = desk.post(&admin, "/api/v1/contracts", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
        assert_documented(&made, "post", "/api/v1/contracts");
        assert_eq!((made.json["standing"].as_str(), &made.json["items"]), (Some("live"), &json!(["PC-1"])));
        let path = format!("/api/v1/contracts/{}", made.json["id"].as_str().expect("id"));
        assert_documented(&desk.get(&admin, &path).await, "get", "/api/v1/contracts/{id}");
        assert_eq!(desk.get(&other, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(desk.post(&other, "/api/v1/contracts", &body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let listed = desk.get(&admin, "/api/v1/contracts").await;
        assert_documented(&listed, "get", "/api/v1/contracts");
        assert_eq!(desk.get(&other, "/api/v1/contracts").await.json["items"], json!([]));
        let change = json!({ "kind": "PSAI", "reference": "2026-1", "starts_on": "2026-01-01", "ends_on": "2026-03-31" });
        let put = |tag: &'static str| {
            let request = request(&admin, "PUT", &path, &[("if-match", tag)], Some(change.to_string()));
            answer(desk.router(), request)
        };
        let changed = put("\"1\"").await;
        assert_eq!((changed.json["standing"].as_str(), changed.json["covers"].as_str()), (Some("ended"), Some("all")));
        assert_eq!(put("\"1\"").await.status, StatusCode::PRECONDITION_FAILED);
        let technician = desk.key(Role::TechnicianN2, None).await;
        assert_eq!(desk.get(&technician, "/api/v1/contracts").await.status, StatusCode::FORBIDDEN);
    }
}

db_test! {
    async fn a_contract_of_another_organisation_decides_nothing(db: Db) {
        let desk = Desk::open(db).await;
        let elsewhere = NewContract { organisation_id: desk.umbrella.id, ..new(&desk, "U", Covers::All, "") };
        make(&desk, elsewhere).await.expect("made");
        assert_eq!(decided(&desk, "2026-06-01", None).await, (Coverage::NoContract, None));
        let mut tx = desk.context.db.read().await.expect("read");
        assert!(list_contracts(&mut tx, Scope::Organisation(desk.acme.id)).await.expect("list").is_empty());
    }
}
