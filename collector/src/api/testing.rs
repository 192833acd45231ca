//! A desk for tests: two organisations, their people, keys, and the whole router in one process.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use secrecy::ExposeSecret;
use serde_json::Value;
use tower::ServiceExt;

use super::{ApiState, Rate, RateLimiter, router};
use crate::context::Context;
use crate::db::Db;
use crate::inventory::{self, DeclaredField, Lifecycle, NewCi};
use crate::kernel::actor::{Actor, ActorKind, Role, Scope};
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::id::{CiId, OrganisationId};
use crate::kernel::time::{ManualClock, UtcMicros, Zone};
use crate::people::{self, Language, NewApiKey, NewPerson, Person};
use crate::sites::{self, NewOrganisation, NewSite, Organisation};
use crate::tickets::{
    Channel, Check, ImpactScope, LateAttachment, NewTicket, Resolution, ResolutionCode, Severity,
    TicketAction, TicketKind, Urgency,
};

/// Two organisations and the people around them.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) context: Context,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) acme: Organisation,
    pub(crate) umbrella: Organisation,
    pub(crate) requester: Person,
    pub(crate) colleague: Person,
    pub(crate) stranger: Person,
    pub(crate) technician: Person,
    pub(crate) lead: Person,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) json: Value,
}

impl Desk {
    pub(crate) async fn open(db: Db) -> Self {
        let noon = UtcMicros::parse("2026-11-12T12:00:00Z", &Zone::utc()).expect("valid");
        let clock = Arc::new(ManualClock::at(noon));
        let context = Context { db, clock: clock.clone(), entropy: Arc::new(SystemEntropy) };
        let acme = organisation(&context, "ACME").await;
        let umbrella = organisation(&context, "UMBRELLA").await;
        let requester = person(&context, Some(acme.id), "rita@acme.example", Role::Requester).await;
        let colleague = person(&context, Some(acme.id), "carl@acme.example", Role::Requester).await;
        let stranger = person(&context, Some(umbrella.id), "sven@umbrella.example", Role::Requester).await;
        let technician = person(&context, None, "tom@desk.example", Role::TechnicianN1).await;
        let lead = person(&context, None, "lena@desk.example", Role::Lead).await;
        Self { context, clock, acme, umbrella, requester, colleague, stranger, technician, lead }
    }

    pub(crate) async fn person(
        &self,
        organisation: Option<OrganisationId>,
        email: &str,
        role: Role,
    ) -> Person {
        person(&self.context, organisation, email, role).await
    }

    /// An incident of the requester, without machine.
    pub(crate) fn incident(&self) -> NewTicket {
        NewTicket {
            organisation_id: self.acme.id,
            kind: TicketKind::Incident,
            channel: Channel::Portal,
            site_id: None,
            location: String::new(),
            requester_id: self.requester.id,
            beneficiary_id: self.requester.id,
            summary: "cannot connect to the server".into(),
            description: "since this morning".into(),
            application: String::new(),
            phone: String::new(),
            availability: String::new(),
            external_ref: String::new(),
            sub_kind: None,
            severity: Severity::Minor,
            scope: ImpactScope::One,
            urgency: Urgency::Medium,
            inventory_number: String::new(),
            machine: None,
            request_id: None,
            slots: Vec::new(),
            files: Vec::new(),
        }
    }

    /// A solution with everything an incident needs.
    pub(crate) fn solved(solution: &str) -> TicketAction {
        TicketAction::Resolve(Resolution {
            solution: solution.into(),
            code: Some(ResolutionCode::Fixed),
            cause: "worn".into(),
            checks: vec![Check::Tested],
            ..Resolution::default()
        })
    }

    /// A machine made by hand, a Latitude with the serial `S-` and its tag, and its id.
    pub(crate) async fn machine(&self, organisation: &Organisation, tag: &str) -> CiId {
        let mut tx = self.context.db.begin().await.expect("begin");
        let declared = vec![
            (DeclaredField::Make, "Dell Inc.".to_owned()),
            (DeclaredField::Model, "Latitude 5420".to_owned()),
            (DeclaredField::Serial, format!("S-{tag}")),
        ];
        let listener = LateAttachment { context: self.context.clone() };
        let new = NewCi {
            organisation_id: organisation.id,
            site_id: None,
            location: "B12".into(),
            tag: Some(tag.parse().expect("tag")),
            assigned_to_id: None,
            lifecycle: Lifecycle::InUse,
            declared,
        };
        let ci = inventory::create_ci(&mut tx, &self.context, &Actor::system(), new, &listener)
            .await
            .expect("machine");
        tx.commit().await.expect("commit");
        ci
    }

    /// A key's secret.
    pub(crate) async fn key(&self, role: Role, organisation_id: Option<OrganisationId>) -> String {
        let mut tx = self.context.db.begin().await.expect("begin");
        let name = format!("key of {}", role.code());
        let new = NewApiKey { name, role, organisation_id, expires_at: None };
        let made = people::create_api_key(&mut tx, &self.context, &Actor::system(), new).await;
        tx.commit().await.expect("commit");
        made.expect("key").1.expose_secret().to_owned()
    }

    pub(crate) fn router(&self) -> axum::Router {
        router(ApiState::new(self.context.clone()))
    }

    pub(crate) fn hurried_router(&self, rate: Rate) -> axum::Router {
        router(ApiState { context: self.context.clone(), limiter: RateLimiter::new(rate) })
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Answer {
        answer(self.router(), request(key, "GET", path, &[], None)).await
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.post_with(key, path, &[], body).await
    }

    pub(crate) async fn post_with(
        &self,
        key: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        answer(self.router(), request(key, "POST", path, headers, Some(body.to_string()))).await
    }
}

/// A person acting.
pub(crate) fn actor(person: &Person) -> Actor {
    let scope = person.organisation_id.map_or(Scope::All, Scope::Organisation);
    Actor {
        kind: ActorKind::Person(person.id),
        label: person.name.clone(),
        scope,
        roles: person.roles.clone(),
    }
}

pub(crate) fn request(
    key: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<String>,
) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    if !key.is_empty() {
        builder = builder.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    if body.is_some() {
        builder = builder.header(header::CONTENT_TYPE, "application/json");
    }
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(body.map_or_else(Body::empty, Body::from)).expect("request")
}

pub(crate) async fn answer(router: axum::Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("body").to_vec();
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status: parts.status, headers: parts.headers, bytes, json }
}

async fn organisation(context: &Context, code: &str) -> Organisation {
    let mut tx = context.db.begin().await.expect("begin");
    let new = NewOrganisation {
        code: code.into(),
        name: format!("{code} SA"),
        time_zone: "Europe/Paris".into(),
        demo: false,
    };
    let made =
        sites::create_organisation(&mut tx, context, &Actor::system(), new).await.expect("organisation");
    let site = NewSite { organisation_id: made.id, name: "Lyon".into(), address: String::new(), main: true };
    sites::create_site(&mut tx, context, &Actor::system(), site).await.expect("site");
    tx.commit().await.expect("commit");
    made
}

async fn person(
    context: &Context,
    organisation_id: Option<OrganisationId>,
    email: &str,
    role: Role,
) -> Person {
    let mut tx = context.db.begin().await.expect("begin");
    let new = NewPerson {
        organisation_id,
        email: email.parse().expect("address"),
        name: email.split('@').next().expect("name").to_owned(),
        phone: String::new(),
        language: Language::En,
        default_site_id: None,
        roles: vec![role],
    };
    let made = people::create_person(&mut tx, context, &Actor::system(), new).await.expect("person");
    tx.commit().await.expect("commit");
    made
}

/// Checks that an answer has every field its documented schema requires, of the documented type, and no other.
pub(crate) fn assert_documented(answer: &Answer, method: &str, path: &str) {
    let document = serde_json::to_value(super::Document::whole()).expect("json");
    let responses = &document["paths"][path][method]["responses"];
    let status = answer.status.as_str();
    let response = responses.get(status).unwrap_or(&responses["4XX"]);
    let (_, media) =
        response["content"].as_object().and_then(|it| it.iter().next()).expect("a documented body");
    check(&document, &media["schema"], &answer.json, path);
}

fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = reference.trim_start_matches('#');
        return check(document, document.pointer(pointer).expect("known schema"), value, place);
    }
    if let Some(options) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        if value.is_null() {
            return assert!(options.iter().any(|it| it["type"] == "null"), "{place} must not be null");
        }
        let option = options.iter().find(|it| it["type"] != "null").expect("an option");
        return check(document, option, value, place);
    }
    let parts: Vec<&Value> = match schema.get("allOf").and_then(Value::as_array) {
        Some(parts) => parts.iter().map(|it| resolved(document, it)).collect(),
        None => vec![schema],
    };
    assert_type(schema, value, place);
    if let Some(fields) = value.as_object().filter(|_| parts.iter().any(|it| it.get("properties").is_some()))
    {
        for required in parts.iter().filter_map(|it| it["required"].as_array()).flatten() {
            assert!(fields.contains_key(required.as_str().expect("name")), "{place} lacks {required}");
        }
        for (name, field) in fields {
            let property = parts.iter().find_map(|it| it["properties"].get(name));
            let property = property.unwrap_or_else(|| panic!("{place}.{name} is not documented"));
            check(document, property, field, &format!("{place}.{name}"));
        }
    }
    for item in value.as_array().into_iter().flatten() {
        check(document, &schema["items"], item, &format!("{place}[]"));
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    reference.map_or(schema, |it| document.pointer(it.trim_start_matches('#')).expect("known schema"))
}

fn assert_type(schema: &Value, value: &Value, place: &str) {
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match &schema["type"] {
        Value::String(one) => assert_eq!(one, actual, "{place}"),
        Value::Array(several) => assert!(several.iter().any(|it| it == actual), "{place} is {actual}"),
        _ => {}
    }
}
