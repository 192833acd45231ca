//! REST of tickets through the whole router.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::api::testing::{Answer, Desk, answer, assert_documented, request};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::Role;

mod with_machines;

const TICKETS: &str = "/api/v1/tickets";

fn incident() -> Value {
    json!({ "summary": "cannot connect to the server", "description": "since this morning", "requester": "rita@acme.example" })
}

fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

async fn opened(desk: &Desk, key: &str) -> String {
    let answer = desk.post(key, TICKETS, &incident()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.json);
    answer.json["number"].as_str().expect("number").to_owned()
}

fn assert_problem(answer: &Answer, status: u16, code: &str, field: Option<&str>) {
    assert_eq!(answer.status.as_u16(), status, "{:?}", answer.json);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(answer.json["status"], status);
    assert_eq!(answer.json["code"], code);
    assert_eq!(answer.json.get("field").and_then(Value::as_str), field);
}

db_test! {
    async fn a_ticket_is_opened_read_and_listed(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Peu, Some(desk.acme.id)).await;
        let body = with(with(incident(), "severity", "blocking"), "site", "Lyon");
        let created = desk.post(&key, TICKETS, &body).await;
        assert_eq!(created.status, StatusCode::CREATED);
        assert_eq!(created.json, json!({
            "number": "I202611_0001", "state": "new", "priority": 3, "asset_match": "none", "assets": [], "suggestions": [],
        }));
        assert_documented(&created, "post", TICKETS);
        assert_eq!(created.headers[header::LOCATION], "/api/v1/tickets/I202611_0001");
        assert_eq!(created.headers[header::ETAG], "\"1\"");
        assert_eq!(created.headers[header::CACHE_CONTROL], "no-store");
        let read = desk.get(&key, "/api/v1/tickets/i202611_0001").await;
        assert_documented(&read, "get", "/api/v1/tickets/{number}");
        assert_eq!(read.json["requester"], "rita");
        let address = "/api/v1/tickets/I202611_0001";
        for (known, status) in [("\"1\"", 304), ("\"9\", W/\"1\"", 304), ("\"2\"", 200)] {
            let again = answer(desk.router(), request(&key, "GET", address, &[("if-none-match", known)], None)).await;
            assert_eq!((again.status.as_u16(), &again.headers[header::ETAG]), (status, &read.headers[header::ETAG]), "{known}");
        }
        assert_eq!(read.json["site"], "Lyon");
        assert_eq!(read.json["channel"], "api");
        let list = desk.get(&key, "/api/v1/tickets?state=new,queued&owner=none&q=server&limit=1").await;
        assert_documented(&list, "get", TICKETS);
        assert_eq!(list.json["items"][0]["number"], "I202611_0001");
        assert_eq!(list.json["next"], Value::Null);
    }
}

db_test! {
    async fn without_a_valid_key_nothing_is_told(db: Db) {
        let desk = Desk::open(db).await;
        for (key, path) in [("", TICKETS), ("parc_wrong", TICKETS), ("", "/api/v1/assets/X1"), ("", "/api/nowhere")] {
            let answer = desk.get(key, path).await;
            assert_problem(&answer, 401, "unauthenticated", None);
            assert!(answer.headers[header::WWW_AUTHENTICATE].to_str().expect("text").starts_with("Bearer"));
        }
        let document = desk.get("", "/api/v1/openapi.json").await;
        assert_eq!(document.status, StatusCode::OK);
    }
}

db_test! {
    async fn every_wrong_field_is_named(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Peu, Some(desk.acme.id)).await;
        for (field, value) in [
            ("colour", json!("red")),
            ("severity", json!("awful")),
            ("type", json!(5)),
            ("requester", json!("nobody@acme.example")),
            ("beneficiary", json!("sven@umbrella.example")),
            ("site", json!("Mars")),
            ("organisation", json!("UMBRELLA")),
            ("summary", json!(" ")),
            ("inventory_number", json!("x".repeat(101))),
        ] {
            let answer = desk.post(&key, TICKETS, &with(incident(), field, value)).await;
            assert_problem(&answer, 422, "invalid", Some(field));
        }
        assert_documented(&desk.post(&key, TICKETS, &json!({})).await, "post", TICKETS);
        let several = desk.post(&key, TICKETS, &json!({ "summary": "", "requester": "x", "phone": "1".repeat(41) })).await;
        let fields: Vec<&str> = several.json["errors"].as_array().expect("list").iter().filter_map(|it| it["field"].as_str()).collect();
        assert_eq!(fields, ["requester", "summary", "phone"]);
    }
}

db_test! {
    async fn hostile_bodies_are_refused_whole(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Peu, Some(desk.acme.id)).await;
        let huge = desk.post(&key, TICKETS, &with(incident(), "description", "x".repeat(300 * 1024))).await;
        assert_problem(&huge, 413, "too-large", None);
        let post = |body: &str, kind: &'static str| {
            let mut request = crate::api::testing::request(&key, "POST", TICKETS, &[], Some(body.to_owned()));
            request.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
            crate::api::testing::answer(desk.router(), request)
        };
        assert_problem(&post("{", "application/json").await, 400, "malformed", None);
        assert_problem(&post("summary=x", "application/x-www-form-urlencoded").await, 415, "media-type", None);
        let deep = post(&format!("{{\"summary\":{}", "[".repeat(100_000)), "application/json").await;
        assert!(deep.status.is_client_error());
        let odd = with(incident(), "summary", "a\u{0}b\u{202E}c");
        assert_eq!(desk.post(&key, TICKETS, &odd).await.status, StatusCode::CREATED);
        let read = desk.get(&key, "/api/v1/tickets/I202611_0001").await;
        assert_eq!(read.json["summary"], "abc");
        for path in ["/api/v1/tickets?colour=1", "/api/v1/tickets?state=odd", "/api/v1/tickets?team=x", "/api/v1/tickets?limit=-1"] {
            assert_eq!(desk.get(&key, path).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        }
        for (query, field) in [("limit=0", "limit"), ("limit=201", "limit"), ("cursor=made-up", "cursor")] {
            assert_problem(&desk.get(&key, &format!("{TICKETS}?{query}")).await, 422, "invalid", Some(field));
        }
        for path in ["/api/v1/tickets/I202611_9999", "/api/v1/tickets/%00", "/api/v1/tickets/%ff", "/api/v1/tickets/I202611_0001/attachments/x"] {
            assert_problem(&desk.get(&key, path).await, 404, "not-found", None);
        }
    }
}

db_test! {
    async fn a_ticket_of_elsewhere_is_as_absent_as_one_that_never_was(db: Db) {
        let desk = Desk::open(db).await;
        let own = desk.key(Role::Peu, Some(desk.acme.id)).await;
        let other = desk.key(Role::Peu, Some(desk.umbrella.id)).await;
        let number = opened(&desk, &own).await;
        let request_id = [("x-request-id", "fixed")];
        let path = format!("{TICKETS}/{number}/notes");
        let body = json!({ "text": "hello" });
        let hidden = desk.post_with(&other, &path, &request_id, &body).await;
        assert_problem(&hidden, 404, "not-found", None);
        let absent = desk.post_with(&other, "/api/v1/tickets/I202611_0002/notes", &request_id, &body).await;
        let text = |it: &Answer| String::from_utf8(it.bytes.clone()).expect("text").replace("0002", "0001");
        assert_eq!(text(&hidden), text(&absent));
        assert_eq!(hidden.headers, absent.headers);
    }
}

db_test! {
    async fn a_change_may_insist_on_the_version_it_saw(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Lead, Some(desk.acme.id)).await;
        let number = opened(&desk, &key).await;
        let path = |action: &str| format!("{TICKETS}/{number}/{action}");
        let claim = json!({ "owner": "tom@desk.example" });
        let claimed = desk.post_with(&key, &path("claim"), &[("if-match", "\"1\"")], &claim).await;
        assert_eq!(claimed.status, StatusCode::OK, "{:?}", claimed.json);
        assert_eq!((&claimed.json["state"], &claimed.json["owner"]), (&json!("in_progress"), &json!("tom")));
        assert_eq!(claimed.headers[header::ETAG], "\"2\"");
        let stale = desk.post_with(&key, &path("hold"), &[("if-match", "\"1\"")], &json!({ "reason": "part ordered" })).await;
        assert_problem(&stale, 412, "stale", None);
        assert_eq!(stale.headers[header::ETAG], "\"2\"");
        let changed = |field: &str| stale.json["errors"].as_array().is_some_and(|it| it.iter().any(|it| it["field"] == field));
        assert!(changed("state") && changed("owner"), "{}", stale.json);
        let held = desk.post(&key, &path("hold"), &json!({ "reason": "part ordered", "until": "2027-01-04" })).await;
        assert_eq!(held.json["pending_until"], "2027-01-03T23:00:00Z");
        let past = desk.post(&key, &path("resume"), &json!({})).await;
        assert_eq!(past.json["state"], "in_progress");
        let wrong_state = desk.post(&key, &path("confirm"), &json!({})).await;
        assert_problem(&wrong_state, 409, "state", None);
        assert_problem(&desk.post(&key, &path("notes"), &json!({ "text": "" })).await, 422, "invalid", Some("text"));
        assert_problem(&desk.post(&key, &path("claim"), &json!({})).await, 422, "invalid", Some("owner"));
        assert_problem(&desk.get(&key, &path("notes")).await, 405, "method", None);
    }
}

db_test! {
    async fn a_key_confirms_only_in_the_name_of_somebody(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Lead, Some(desk.acme.id)).await;
        let number = opened(&desk, &key).await;
        let path = |action: &str| format!("{TICKETS}/{number}/{action}");
        desk.post(&key, &path("claim"), &json!({ "owner": "tom@desk.example" })).await;
        let bare = desk.post(&key, &path("resolve"), &json!({ "solution": "new cable" })).await;
        assert_problem(&bare, 422, "invalid", Some("code"));
        let resolved = desk.post(&key, &path("resolve"), &json!({
            "solution": "new cable", "code": "fixed", "cause": "worn", "checks": ["tested"],
        })).await;
        assert_eq!(resolved.json["state"], "resolved");
        for body in [json!({}), json!({ "on_behalf_of": " " })] {
            assert_problem(&desk.post(&key, &path("confirm"), &body).await, 422, "invalid", Some("on_behalf_of"));
        }
        let closed = desk.post(&key, &path("confirm"), &json!({ "on_behalf_of": "Rita R." })).await;
        assert_eq!(closed.json["state"], "closed", "{:?}", closed.json);
        let told = closed.json["events"].as_array().and_then(|it| it.last()).expect("event");
        assert_eq!((&told["kind"], &told["data"]["on_behalf_of"]), (&json!("confirmed"), &json!("Rita R.")));
    }
}

db_test! {
    async fn a_repeated_request_is_answered_with_the_first_ticket(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Peu, Some(desk.acme.id)).await;
        let headers = [("idempotency-key", "order-77")];
        let first = desk.post_with(&key, TICKETS, &headers, &incident()).await;
        let again = desk.post_with(&key, TICKETS, &headers, &incident()).await;
        assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK));
        assert_eq!(first.json, again.json);
        let changed = desk.post_with(&key, TICKETS, &headers, &with(incident(), "phone", "2")).await;
        assert_problem(&changed, 422, "idempotency-key-reused", Some("idempotency_key"));
        let other = desk.post_with(&key, TICKETS, &[("idempotency-key", "order-78")], &incident()).await;
        assert_ne!(first.json["number"], other.json["number"]);
    }
}

db_test! {
    async fn a_key_for_all_organisations_names_one(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Peu, None).await;
        assert_problem(&desk.post(&key, TICKETS, &incident()).await, 422, "invalid", Some("organisation"));
        let named = desk.post(&key, TICKETS, &with(incident(), "organisation", "acme")).await;
        assert_eq!(named.status, StatusCode::CREATED);
        let auditor = desk.key(Role::Auditor, None).await;
        let refused = desk.post(&auditor, TICKETS, &with(incident(), "organisation", "acme")).await;
        assert_problem(&refused, 403, "forbidden", None);
        let number = named.json["number"].as_str().expect("number");
        let note = desk.post(&auditor, &format!("{TICKETS}/{number}/notes"), &json!({ "text": "x" })).await;
        assert_problem(&note, 403, "forbidden", None);
    }
}

db_test! {
    async fn a_key_that_may_only_open_reads_what_it_opened(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Requester, Some(desk.acme.id)).await;
        let other = desk.key(Role::Requester, Some(desk.acme.id)).await;
        let number = opened(&desk, &key).await;
        let path = format!("{TICKETS}/{number}");
        assert_eq!(desk.get(&key, &path).await.json["number"], number.as_str());
        assert_eq!(desk.get(&key, TICKETS).await.json["items"][0]["number"], number.as_str());
        assert_problem(&desk.get(&other, &path).await, 404, "not-found", None);
        assert_eq!(desk.get(&other, TICKETS).await.json["items"], json!([]));
    }
}

db_test! {
    async fn a_key_of_one_organisation_does_not_know_the_providers_staff(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Peu, Some(desk.acme.id)).await;
        for field in ["requester", "beneficiary"] {
            let staff = desk.post(&key, TICKETS, &with(incident(), field, "tom@desk.example")).await;
            let nobody = desk.post(&key, TICKETS, &with(incident(), field, "nobody@desk.example")).await;
            assert_problem(&staff, 422, "invalid", Some(field));
            assert_eq!(staff.json, nobody.json);
        }
        let of_all = desk.key(Role::Peu, None).await;
        let body = with(with(incident(), "organisation", "acme"), "requester", "tom@desk.example");
        assert_eq!(desk.post(&of_all, TICKETS, &body).await.status, StatusCode::CREATED);
    }
}

db_test! {
    async fn a_key_gone_wild_is_slowed_down(db: Db) {
        let desk = Desk::open(db).await;
        let key = desk.key(Role::Peu, Some(desk.acme.id)).await;
        let router = desk.hurried_router(crate::api::Rate { per_second: 0.5, burst: 1.0 });
        let call = || crate::api::testing::answer(router.clone(), crate::api::testing::request(&key, "GET", TICKETS, &[], None));
        assert_eq!(call().await.status, StatusCode::OK);
        let slowed = call().await;
        assert_problem(&slowed, 429, "rate", None);
        assert_eq!(slowed.headers[header::RETRY_AFTER], "3");
    }
}
