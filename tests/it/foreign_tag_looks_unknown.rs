//! What another organisation has is nobody's business: its tags answer like those that nobody has.

use parc_acceptance::api::{Api, text};
use parc_acceptance::http::Answer;
use parc_acceptance::story;
use parc_acceptance::world::World;
use parc_sample::Workstation;

const FOREIGN: &str = "INV-111222";
const UNKNOWN: &str = "INV-333444";

/// The answer with everything taken out that differs between any two calls: number, times, ids, and the
/// tag that was asked for.
fn comparable(answer: &Answer, tag: &str) -> String {
    let body = answer.text();
    let mut parts: Vec<String> = vec![answer.status.to_string()];
    let mut names: Vec<&str> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    parts.extend(names.into_iter().map(str::to_owned));
    let body = body.replace(tag, "TAG");
    let masked: String =
        body.split('"').map(|it| if is_volatile(it) { "*" } else { it }).collect::<Vec<_>>().join("\"");
    parts.push(masked);
    parts.join("\n")
}

/// Ticket numbers, addresses that end with one, UUIDs and times.
fn is_volatile(text: &str) -> bool {
    let number = |it: &str| {
        it.len() >= 12 && it.starts_with("I20") && it[1..].chars().all(|c| c.is_ascii_digit() || c == '_')
    };
    let time = |it: &str| it.len() >= 20 && it.as_bytes()[4] == b'-' && it.contains('T') && it.ends_with('Z');
    let uuid = |it: &str| it.len() == 36 && it.matches('-').count() == 4;
    number(text) || time(text) || uuid(text) || text.rsplit('/').next().is_some_and(number)
}

async fn same(api: &Api, path: impl Fn(&str) -> String) {
    let (foreign, unknown) = (api.get(&path(FOREIGN)).await, api.get(&path(UNKNOWN)).await);
    assert_eq!(comparable(&foreign, FOREIGN), comparable(&unknown, UNKNOWN), "{}", path("TAG"));
}

story! {
    async fn a_foreign_tag_answers_byte_for_byte_like_an_unknown_one(world: World) {
        let (owner, asking) = (world.organisation("OWNER"), world.organisation("ASKING"));
        world.reporting(&owner, &Workstation::laptop(5), FOREIGN);

        let foreign = asking.api.open_ticket(&asking.requester, FOREIGN).await.expect(201);
        let unknown = asking.api.open_ticket(&asking.requester, UNKNOWN).await.expect(201);
        assert_eq!(comparable(&foreign, FOREIGN), comparable(&unknown, UNKNOWN));
        assert_eq!(text(&foreign.json(), "/asset_match"), "unknown");

        let (foreign, unknown) = (foreign.json(), unknown.json());
        let (foreign, unknown) = (text(&foreign, "/number"), text(&unknown, "/number"));
        let foreign = asking.api.get(&format!("/tickets/{foreign}")).await;
        let unknown = asking.api.get(&format!("/tickets/{unknown}")).await;
        assert_eq!(comparable(&foreign, FOREIGN), comparable(&unknown, UNKNOWN));

        for rest in ["", "/software", "/history", "/tickets"] {
            same(&asking.api, |tag| format!("/assets/{tag}{rest}")).await;
        }
        same(&asking.api, |tag| format!("/assets?q={tag}")).await;
        assert!(!asking.api.get("/exports/assets.csv").await.text().contains(FOREIGN));
    }
}

story! {
    async fn tickets_of_another_organisation_do_not_exist(world: World) {
        let (owner, asking) = (world.organisation("OWNER"), world.organisation("ASKING"));
        let answer = owner.api.open_ticket(&owner.requester, "").await.expect(201).json();
        let number = text(&answer, "/number").to_owned();
        let made_up = "I202001_9999";
        let theirs = asking.api.get(&format!("/tickets/{number}")).await.expect(404);
        let nobodys = asking.api.get(&format!("/tickets/{made_up}")).await.expect(404);
        assert_eq!(comparable(&theirs, &number), comparable(&nobodys, made_up));
        let body = serde_json::json!({ "text": "bonjour" });
        let theirs = asking.api.post(&format!("/tickets/{number}/notes"), &body).await;
        let nobodys = asking.api.post(&format!("/tickets/{made_up}/notes"), &body).await;
        assert_eq!(comparable(&theirs, &number), comparable(&nobodys, made_up));
        assert!(!asking.api.get("/tickets").await.text().contains(&number));
    }
}

story! {
    async fn the_providers_own_staff_are_told_that_it_is_foreign(world: World) {
        let (owner, asking) = (world.organisation("OWNER"), world.organisation("ASKING"));
        world.reporting(&owner, &Workstation::laptop(5), FOREIGN);
        let answer = asking.api.open_ticket(&asking.requester, FOREIGN).await.expect(201).json();
        let desk = world.api("technician_n1", None);
        let ticket = desk.ticket(text(&answer, "/number")).await;
        assert_eq!(text(&ticket, "/asset_match"), "foreign", "{ticket:#}");
        assert_eq!(ticket["assets"].as_array().map(Vec::len), Some(0), "told, not shown: {ticket:#}");
    }
}
