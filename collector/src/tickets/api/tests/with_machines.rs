//! REST of tickets with machines.

use super::*;

/// Everything a caller can tell two answers apart by.
fn told(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let text = String::from_utf8(answer.bytes.clone()).expect("text");
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()));
    (answer.status.as_u16(), text, headers.collect())
}

db_test! {
    async fn a_ticket_answers_with_its_machine(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme, "INV-004217").await;
        let key = desk.key(Role::TechnicianN1, Some(desk.acme.id)).await;
        let created = desk.post(&key, TICKETS, &with(incident(), "inventory_number", "inv 004217")).await;
        assert_documented(&created, "post", TICKETS);
        assert_eq!(created.json["asset_match"], "attached");
        let asset = &created.json["assets"][0];
        for (field, expected) in [
            ("role", "affected"), ("tag", "INV-004217"), ("match", "attached"), ("make", "Dell Inc."),
            ("model", "Latitude 5420"), ("serial", "S-INV-004217"), ("location", "B12"), ("pinned_at", "2026-11-12T12:00:00Z"),
        ] {
            assert_eq!(asset[field], expected, "{field}");
        }
        for field in ["name", "site", "user", "configuration", "last_report_at", "changed_since", "changed_before"] {
            assert!(asset.get(field).is_some(), "{field}");
        }
        for field in ["os", "cpu", "memory_mib", "disks", "volumes", "displays", "networks", "software_count"] {
            assert!(asset["configuration"].get(field).is_some(), "{field}");
        }
        let number = created.json["number"].as_str().expect("number");
        assert_documented(&desk.get(&key, &format!("{TICKETS}/{number}")).await, "get", "/api/v1/tickets/{number}");
        let of_asset = desk.get(&key, "/api/v1/assets/inv004217/tickets").await;
        assert_documented(&of_asset, "get", "/api/v1/assets/{tag}/tickets");
        assert_eq!(of_asset.json["items"][0]["number"], number);
    }
}

db_test! {
    async fn a_program_that_may_only_open_tickets_learns_which_machine_it_is(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme, "INV-004217").await;
        let key = desk.key(Role::Requester, Some(desk.acme.id)).await;
        let created = desk.post(&key, TICKETS, &with(incident(), "inventory_number", "INV-004217")).await;
        assert_eq!(created.json["assets"][0]["model"], "Latitude 5420");
        assert_eq!(created.json["assets"][0]["serial"], "");
        let own = desk.get(&key, "/api/v1/tickets/I202611_0001").await;
        assert_eq!((own.status, &own.json["assets"][0]["serial"]), (StatusCode::OK, &"".into()));
        assert_problem(&desk.get(&key, "/api/v1/assets/INV-004217").await, 403, "forbidden", None);
    }
}

db_test! {
    async fn a_number_of_elsewhere_is_answered_byte_for_byte_like_an_unknown_one(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::TechnicianN1, Some(desk.acme.id)).await;
        let headers = [("x-request-id", "fixed")];
        let ask = |path: &'static str| {
            let request = crate::api::testing::request(&key, "GET", path, &headers, None);
            crate::api::testing::answer(desk.router(), request)
        };
        let body = with(incident(), "inventory_number", "INV-004217");
        let paths = ["/api/v1/assets/INV-004217", "/api/v1/assets/INV-004217/history", "/api/v1/assets/INV-004217/software",
            "/api/v1/assets/INV-004217/tickets", "/api/v1/tickets?tag=INV-7777"];
        let mut before = Vec::new();
        for path in paths {
            before.push(told(&ask(path).await));
        }
        let unknown = told(&desk.post_with(&key, TICKETS, &headers, &body).await);
        let waiting = told(&ask("/api/v1/tickets/I202611_0001").await);
        desk.machine(&desk.umbrella, "INV-004217").await;
        for (path, known) in paths.iter().zip(before) {
            assert_eq!(told(&ask(path).await), known, "{path}");
        }
        let foreign = told(&desk.post_with(&key, TICKETS, &headers, &body).await);
        let same = |(status, text, headers): (u16, String, Vec<(String, String)>)| {
            let swap = |it: String| it.replace("I202611_0002", "I202611_0001");
            (status, swap(text), headers.into_iter().map(|(name, value)| (name, swap(value))).collect::<Vec<_>>())
        };
        assert_eq!(same(foreign), unknown);
        assert_eq!(same(told(&ask("/api/v1/tickets/I202611_0002").await)), waiting);
        let staff = desk.key(Role::Peu, None).await;
        assert_eq!(desk.get(&staff, "/api/v1/tickets/I202611_0002").await.json["asset_match"], "foreign");
    }
}

db_test! {
    async fn the_parc_is_listed_read_and_exported(db: Db) {
        let desk = Desk::open(db).await;
        let ci = desk.machine(&desk.acme, "INV-004217").await;
        desk.machine(&desk.umbrella, "INV-004217").await;
        let mut tx = desk.context.db.begin().await.expect("begin");
        let field = crate::inventory::DeclaredField::Name;
        let actor = crate::kernel::actor::Actor::system();
        crate::inventory::declare(&mut tx, &desk.context, &actor, ci, field, "=cmd|'/c calc'!A1").await.expect("declared");
        tx.commit().await.expect("commit");
        let key = desk.key(Role::Lead, Some(desk.acme.id)).await;
        let list = desk.get(&key, "/api/v1/assets?q=latitude").await;
        assert_documented(&list, "get", "/api/v1/assets");
        assert_eq!(list.json["items"].as_array().map(Vec::len), Some(1));
        let one = desk.get(&key, "/api/v1/assets/inv-004217").await;
        assert_eq!(one.json["tag"], "INV-004217");
        assert_eq!(one.json["facts"][0]["source"], "declared");
        let before = desk.get(&key, "/api/v1/assets/inv-004217?at=2020-01-01").await;
        assert_problem(&before, 404, "no-state", None);
        assert_problem(&desk.get(&key, "/api/v1/assets/inv-004217?at=yesterday").await, 422, "invalid", Some("at"));
        let history = desk.get(&key, "/api/v1/assets/inv-004217/history").await;
        assert_documented(&history, "get", "/api/v1/assets/{tag}/history");
        assert_documented(&desk.get(&key, "/api/v1/assets/inv-004217/software").await, "get", "/api/v1/assets/{tag}/software");
        let csv = desk.get(&key, "/api/v1/exports/assets.csv").await;
        let text = String::from_utf8(csv.bytes).expect("text");
        assert_eq!(text.lines().count(), 2, "one organisation only: {text}");
        assert!(text.contains("'=cmd|'/c calc'!A1"), "{text}");
        let technician = desk.key(Role::TechnicianN1, Some(desk.acme.id)).await;
        assert_problem(&desk.get(&technician, "/api/v1/exports/assets.csv").await, 403, "forbidden", None);
        let all = desk.key(Role::Lead, None).await;
        assert_problem(&desk.get(&all, "/api/v1/assets/inv-004217").await, 409, "ambiguous", None);
        let named = desk.get(&all, "/api/v1/assets/inv-004217?organisation=umbrella").await;
        assert_eq!(named.json["organisation"], "UMBRELLA SA");
    }
}

db_test! {
    async fn a_serial_number_chooses_between_claimants(db: Db) {
        let desk = Desk::open(db).await;
        desk.machine(&desk.acme, "INV-004217").await;
        let key = desk.key(Role::TechnicianN1, Some(desk.acme.id)).await;
        let number = opened(&desk, &key).await;
        let path = format!("{TICKETS}/{number}/assets");
        let wrong = json!({ "inventory_number": "INV-004217", "serial": "S-other" });
        assert_problem(&desk.post(&key, &path, &wrong).await, 422, "invalid", Some("serial"));
        let right = json!({ "inventory_number": "INV-004217", "serial": "S-INV-004217" });
        let attached = desk.post(&key, &path, &right).await;
        assert_eq!(attached.json["assets"][0]["attached_by"], "person");
        let asset = attached.json["assets"][0]["id"].as_str().expect("id");
        let detach = json!({ "asset": asset, "reason": "wrong sticker" });
        let detached = desk.post(&key, &format!("{TICKETS}/{number}/detach"), &detach).await;
        assert_eq!(detached.json["assets"], json!([]));
    }
}
