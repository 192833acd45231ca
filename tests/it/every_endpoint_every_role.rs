//! Every operation of the API's own description, and every page that links and forms lead to, is asked by every role
//! of another organisation: what belongs to somebody else answers like what nobody has, and says nothing of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use http::Method;
use parc_acceptance::api::{Api, text};
use parc_acceptance::http::Answer;
use parc_acceptance::pages::{Reader, attributes};
use parc_acceptance::story;
use parc_acceptance::world::World;
use parc_sample::Workstation;
use serde_json::{Map, Value, json};

const ROLES: [&str; 9] =
    ["requester", "referent", "peu", "technician_n1", "technician_n2", "lead", "mssi", "admin", "auditor"];
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
const FOREIGN_TAG: &str = "INV-778899";
const UNKNOWN_TAG: &str = "INV-556677";
/// Has the form of a number; nothing was opened in that month.
const UNKNOWN_NUMBER: &str = "I202001_0001";
const UNKNOWN_ID: &str = "01900000-0000-7000-8000-000000000001";
/// Pages of one organisation; more mean that links never end.
const PAGES_MAX: usize = 300;

/// What most forms ask for.
const FIELDS: [(&str, &str); 4] = [("version", "1"), ("seen", "1"), ("text", "texte"), ("reason", "texte")];
/// What only the owning organisation may read.
const SECRETS: [&str; 7] = [
    "Ets OWNER",
    "Heures de nuit",
    "CONTRAT-OWNER-77",
    FOREIGN_TAG,
    "7XK0009",
    "claire.petit@owner.example",
    "Impossible de se connecter au serveur",
];

/// An operation of the description.
struct Operation {
    method: Method,
    path: String,
    body: Option<Value>,
}

fn operations(described: &Value) -> Vec<Operation> {
    let paths = described["paths"].as_object().expect("paths");
    let methods = paths.iter().flat_map(|(path, item)| METHODS.map(|method| (path, method, &item[method])));
    methods
        .filter(|(_, _, operation)| operation.is_object())
        .map(|(path, method, operation)| Operation {
            method: method.to_uppercase().parse().expect("a method"),
            path: path.trim_start_matches("/api/v1").to_owned(),
            body: operation
                .pointer("/requestBody/content/application~1json/schema")
                .map(|schema| example(described, schema, 0)),
        })
        .collect()
}

/// A value that fits a schema; what names an organisation names the foreign one.
fn example(described: &Value, schema: &Value, depth: usize) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        let inner = described.pointer(pointer).unwrap_or_else(|| panic!("{name} is not described"));
        return if depth > 5 { Value::Null } else { example(described, inner, depth + 1) };
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        let choices = schema[key].as_array().into_iter().flatten();
        if let Some(first) = choices.into_iter().find(|it| it["type"] != "null") {
            return example(described, first, depth + 1);
        }
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    match kinds.iter().filter_map(Value::as_str).find(|it| *it != "null").unwrap_or("object") {
        "object" => Value::Object(fields(described, schema, depth)),
        "array" => json!([]),
        "integer" | "number" => json!(1),
        "boolean" => json!(false),
        _ => json!("texte"),
    }
}

fn fields(described: &Value, schema: &Value, depth: usize) -> Map<String, Value> {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let required: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut found = Map::new();
    for (name, property) in &properties {
        if name == "organisation" {
            found.insert(name.clone(), json!("OWNER"));
        } else if required.contains(name.as_str()) {
            found.insert(name.clone(), example(described, property, depth + 1));
        }
    }
    found
}

/// A path with its places filled by what the owner has, and by what nobody has.
fn filled(path: &str, number: &str, ids: &BTreeMap<String, String>) -> Option<(String, String)> {
    if !path.contains('{') {
        return None;
    }
    let (mut foreign, mut unknown, mut before) = (String::new(), String::new(), String::new());
    for part in path.split('/').skip(1) {
        let (theirs, nobodys) = match part {
            "{number}" => (number.to_owned(), UNKNOWN_NUMBER.to_owned()),
            "{tag}" => (FOREIGN_TAG.to_owned(), UNKNOWN_TAG.to_owned()),
            _ if part.starts_with('{') => {
                (ids.get(&before).cloned().unwrap_or_else(|| UNKNOWN_ID.into()), UNKNOWN_ID.to_owned())
            }
            fixed => (fixed.to_owned(), fixed.to_owned()),
        };
        before = format!("{before}/{part}");
        foreign = format!("{foreign}/{theirs}");
        unknown = format!("{unknown}/{nobodys}");
    }
    Some((foreign, unknown))
}

/// The first id in the list of each kind of thing that the owner has: what `/loans/{id}` is filled with.
async fn ids_of(owner: &Api, operations: &[Operation]) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for operation in operations.iter().filter(|it| it.method == Method::GET && !it.path.contains('{')) {
        let answer = owner.get(&operation.path).await;
        let body = answer.text();
        let id = body.split('"').find(|it| it.len() == 36 && it.matches('-').count() == 4);
        if let Some(id) = id.filter(|_| answer.status == 200) {
            ids.insert(operation.path.clone(), id.to_owned());
        }
    }
    ids
}

/// What is left of an answer without what was asked for and what differs between any two calls.
fn comparable(answer: &Answer, asked: &str) -> String {
    let mut body = answer.text();
    for part in asked.split(['/', '?']).filter(|it| it.chars().filter(char::is_ascii_digit).count() >= 3) {
        body = body.replace(part, "ASKED");
    }
    let volatile = |it: &&str| it.len() >= 20 && it.as_bytes()[4] == b'-' && it.ends_with('Z');
    let masked: Vec<&str> = body.split('"').map(|it| if volatile(&it) { "TIME" } else { it }).collect();
    format!("{}\n{}", answer.status, masked.join("\""))
}

fn leaks(answer: &Answer) -> Vec<&'static str> {
    let body = answer.text();
    SECRETS.into_iter().filter(|it| body.contains(it)).collect()
}

async fn send(api: &Api, operation: &Operation, path: &str) -> Answer {
    // Without a version an action is refused before anybody is asked whose ticket it is.
    api.send(operation.method.clone(), path, operation.body.as_ref(), &[("if-match", "*")]).await
}

async fn owners_ticket(world: &World) -> String {
    let owner = world.organisation("OWNER");
    world.reporting(&owner, &Workstation::laptop(9), FOREIGN_TAG);
    let ticket = owner.api.open_ticket(&owner.requester, FOREIGN_TAG).await.expect(201).json();
    assert_eq!(text(&ticket, "/asset_match"), "attached");
    let admin = world.api("admin", Some("OWNER"));
    let calendar = json!({ "name": "Heures de nuit", "hours": "mon-fri 20:00-24:00" });
    assert_eq!(admin.post("/calendars", &calendar).await.status, 201);
    let contract = json!({ "kind": "PSAI", "reference": "CONTRAT-OWNER-77", "starts_on": "2020-01-01" });
    assert_eq!(admin.post("/contracts", &contract).await.status, 201);
    text(&ticket, "/number").to_owned()
}

story! {
    async fn no_operation_tells_another_organisation_anything(world: World) {
        let number = owners_ticket(&world).await;
        world.organisation("ASKING");
        let owner = world.api("admin", Some("OWNER"));
        let described = owner.read("/openapi.json").await;
        let operations = operations(&described);
        assert!(operations.len() > 20, "the API describes itself");
        let ids = ids_of(&owner, &operations).await;
        let mut wrong = Vec::new();
        for role in ROLES {
            let api = world.api(role, Some("ASKING"));
            for operation in &operations {
                let Operation { method, path, .. } = operation;
                let paths = filled(path, &number, &ids);
                let asked = paths.as_ref().map_or(path.clone(), |it| it.0.clone());
                let foreign = send(&api, operation, &asked).await;
                if foreign.status.is_server_error() {
                    wrong.push(format!("{role} {method} {path}: {}", foreign.text()));
                }
                let told = leaks(&foreign);
                // Who asks about a tag hears it again; nothing else of the machine may come with it.
                if told.iter().any(|it| !asked.contains(it)) {
                    wrong.push(format!("{role} {method} {path} tells {told:?}"));
                }
                let Some((_, nobodys)) = paths else { continue };
                let unknown = send(&api, operation, &nobodys).await;
                if foreign.status.is_success() {
                    wrong.push(format!("{role} {method} {path} worked on what is somebody else's"));
                }
                if comparable(&foreign, &asked) != comparable(&unknown, &nobodys) {
                    wrong.push(format!("{role} {method} {path}: {} but unknown {}", foreign.text(), unknown.text()));
                }
            }
        }
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    }
}

story! {
    async fn an_auditor_and_a_stranger_change_nothing(world: World) {
        let number = owners_ticket(&world).await;
        let owner = world.api("admin", Some("OWNER"));
        let described = owner.read("/openapi.json").await;
        let auditor = world.api("auditor", Some("OWNER"));
        let stranger = Api::new(&world.collector.web(), "parc_nobody");
        let before = owner.get(&format!("/tickets/{number}")).await.text();
        for operation in operations(&described).iter().filter(|it| it.method != Method::GET) {
            let path = filled(&operation.path, &number, &BTreeMap::new()).map_or(operation.path.clone(), |it| it.0);
            for (who, api) in [("auditor", &auditor), ("stranger", &stranger)] {
                let status = send(api, operation, &path).await.status;
                assert!(status.is_client_error(), "{who} {} {path}: {status}", operation.method);
            }
            assert_eq!(send(&stranger, operation, &path).await.status, 401, "{path}");
        }
        assert_eq!(owner.get(&format!("/tickets/{number}")).await.text(), before);
    }
}

/// Every path that the pages of somebody link to, and every form's action, as far as links lead.
async fn addresses(reader: &Reader) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut links, mut actions) = (BTreeSet::new(), BTreeSet::new());
    let mut waiting = VecDeque::from(["/tickets".to_owned(), "/parc".to_owned()]);
    while let Some(path) = waiting.pop_front() {
        // A search or a page of a list shows what the list shows.
        if path.contains('?') || !links.insert(path.clone()) || links.len() > PAGES_MAX {
            continue;
        }
        let page = reader.get(&path).await.text();
        actions.extend(attributes(&page, "action").into_iter().filter(|it| it.starts_with('/')));
        waiting.extend(
            attributes(&page, "href").into_iter().filter(|it| it.starts_with('/') && !it.contains('#')),
        );
    }
    (links, actions)
}

/// The same address with ids that nobody has; nothing when it holds none.
fn of_nobody(path: &str) -> Option<String> {
    let replaced = |part: &str| match part {
        _ if part.len() == 36 && part.matches('-').count() == 4 => UNKNOWN_ID.to_owned(),
        _ if part.starts_with("I20") && part.contains('_') => UNKNOWN_NUMBER.to_owned(),
        fixed => fixed.to_owned(),
    };
    let other = path.split('/').map(replaced).collect::<Vec<_>>().join("/");
    (other != path).then_some(other)
}

fn without_tokens(answer: &Answer, path: &str) -> String {
    let page = comparable(answer, path);
    let token = attributes(&page, "name=\"csrf\" value").into_iter().next().unwrap_or_default();
    if token.is_empty() { page } else { page.replace(&token, "TOKEN") }
}

story! {
    async fn no_page_tells_another_organisation_anything(world: World) {
        owners_ticket(&world).await;
        let asking = world.organisation("ASKING");
        let own = asking.api.post("/tickets", &json!({ "summary": "Souris perdue", "requester": asking.requester })).await;
        let own = own.expect(201).json();
        let own = text(&own, "/number");
        let web = world.collector.web();
        let (mut links, mut actions) = (BTreeSet::new(), BTreeSet::new());
        for role in ["lead", "admin", "referent", "peu", "mssi"] {
            let email = format!("{role}@owner.example");
            world.person(&email, role, role, Some("OWNER"), "fr");
            let (linked, acting) = addresses(&Reader::sign_in(&web, &email).await).await;
            links.extend(linked);
            actions.extend(acting);
        }
        assert!(links.iter().any(|it| it.starts_with("/parc/")) && links.iter().any(|it| it.starts_with("/tickets/I20")));
        let mut wrong = Vec::new();
        for role in ROLES {
            let email = format!("{role}@asking.example");
            world.person(&email, role, role, Some("ASKING"), "fr");
            let reader = Reader::sign_in(&web, &email).await;
            if role == "lead" {
                let note = reader.post(&format!("/tickets/{own}/notes"), &FIELDS).await;
                assert!(note.status.is_redirection(), "forms work where they may: {}", note.status);
            }
            for path in &links {
                let foreign = reader.get(path).await;
                if !leaks(&foreign).is_empty() || foreign.status.is_server_error() {
                    wrong.push(format!("{role} GET {path}: {} {:?}", foreign.status, leaks(&foreign)));
                }
                let Some(nobodys) = of_nobody(path) else { continue };
                let unknown = reader.get(&nobodys).await;
                if without_tokens(&foreign, path) != without_tokens(&unknown, &nobodys) {
                    wrong.push(format!("{role} GET {path} {} differs from unknown {}", foreign.status, unknown.status));
                }
            }
            for path in &actions {
                let Some(nobodys) = of_nobody(path) else { continue };
                let (foreign, unknown) = (reader.post(path, &FIELDS).await, reader.post(&nobodys, &FIELDS).await);
                if foreign.status != unknown.status || !leaks(&foreign).is_empty() {
                    wrong.push(format!("{role} POST {path} {} differs from unknown {}", foreign.status, unknown.status));
                }
            }
        }
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    }
}
