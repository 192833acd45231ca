//! The document against the routes.

use std::collections::BTreeSet;

use axum::http::{StatusCode, header};
use serde_json::Value;

use super::door;
use super::openapi::Document;
use super::testing::{Answer, Desk, answer, request};
use crate::db::testing::TestDb;
use crate::kernel::actor::Role;

fn document() -> Value {
    serde_json::to_value(Document::whole()).expect("json")
}

#[test]
fn every_route_is_in_the_document_and_nothing_else() {
    let document = document();
    let mut documented: Vec<&str> =
        document["paths"].as_object().expect("paths").keys().map(String::as_str).collect();
    let mut routed: Vec<&str> =
        door::routes().iter().map(|(path, _)| *path).chain(["/api/v1/openapi.json"]).collect();
    documented.sort_unstable();
    routed.sort_unstable();
    assert_eq!(documented, routed);
}

#[test]
fn an_export_has_filters_and_no_pages() {
    let document = document();
    let parameters = document["paths"]["/api/v1/exports/assets.csv"]["get"]["parameters"].as_array();
    let names: Vec<&str> =
        parameters.expect("parameters").iter().filter_map(|it| it["name"].as_str()).collect();
    assert!(names.contains(&"silent_days"), "{names:?}");
    assert!(!names.contains(&"cursor") && !names.contains(&"limit"), "{names:?}");
}

/// A documented method is answered, any other is refused as such.
#[tokio::test]
async fn every_method_is_in_the_document_and_nothing_else() {
    let test = TestDb::sqlite().await;
    let desk = Desk::open(test.db.clone()).await;
    let key = desk.key(Role::Requester, Some(desk.acme.id)).await;
    let document = document();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let documented = item.as_object().expect("operations");
        let path = path.replace("{number}", "I202611_0001").replace("{tag}", "--").replace("{file}", "0");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let answered = answer(desk.router(), request(&key, method, &path, &[], None)).await.status;
            let expected = documented.contains_key(&method.to_lowercase());
            assert_eq!(answered != StatusCode::METHOD_NOT_ALLOWED, expected, "{method} {path}: {answered}");
        }
        let refused = answer(desk.router(), request(&key, "TRACE", &path, &[], None)).await;
        assert_eq!(allowed(&refused), methods_of(documented), "405 of {path}");
        let asked = answer(desk.router(), request(&key, "OPTIONS", &path, &[], None)).await;
        assert_eq!(asked.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(allowed(&asked), methods_of(documented), "OPTIONS of {path}");
    }
}

/// What the `Allow` header names.
fn allowed(answer: &Answer) -> BTreeSet<String> {
    let header = answer.headers.get(header::ALLOW).and_then(|it| it.to_str().ok()).unwrap_or_default();
    header.split(',').map(|it| it.trim().to_owned()).collect()
}

/// What the document names; reading a thing's head goes with reading it.
fn methods_of(documented: &serde_json::Map<String, Value>) -> BTreeSet<String> {
    let mut methods: BTreeSet<String> = documented.keys().map(|it| it.to_uppercase()).collect();
    if methods.contains("GET") {
        methods.insert("HEAD".into());
    }
    methods
}

#[test]
fn every_reference_leads_somewhere_and_every_field_is_explained() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    for name in &references {
        assert!(schemas.contains_key(name), "{name} is referred to and missing");
    }
    for (name, schema) in schemas {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let words = property.to_string();
            let explained = words.contains("\"description\"") || words.contains("\"$ref\"");
            assert!(explained, "{name}.{field} has no description");
        }
    }
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                found.insert(name.trim_start_matches("#/components/schemas/").to_owned());
            }
            fields.values().for_each(|it| collect_references(it, found));
        }
        Value::Array(items) => items.iter().for_each(|it| collect_references(it, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
