//! Hours and a contract, made by the command line, decide what a ticket's deadlines are and whether it is covered.

use parc_acceptance::api::text;
use parc_acceptance::story;
use parc_acceptance::world::World;
use parc_sample::Workstation;
use serde_json::{Value, json};

const TAG: &str = "PC-LYON-0042";

fn clock<'a>(ticket: &'a Value, which: &str) -> &'a Value {
    let clocks = ticket["clocks"].as_array().expect("clocks");
    clocks.iter().find(|it| it["clock"] == which).expect("both clocks")
}

/// Open day and night, so that it does not matter when the story is told.
fn agreed(world: &World, code: &str) {
    let calendar = ["calendar", "--organisation", code, "--name", "Nuit et jour", "--holidays", "none"];
    world.collector.admin(&[&calendar[..], &["--hours", "mon-sun 00:00-24:00"]].concat());
    let contract = ["contract", "--organisation", code, "--reference", "2020-4", "--starts-on", "2020-01-01"];
    let terms =
        ["--covers", "list", "--item", TAG, "--calendar", "Nuit et jour", "--call-back", "1h 2h 3h 4h 5h"];
    world.collector.admin(&[&contract[..], &terms].concat());
}

story! {
    async fn a_listed_machine_is_covered_and_called_about_in_time(world: World) {
        let client = world.organisation("MARTIN");
        agreed(&world, "MARTIN");
        world.reporting(&client, &Workstation::laptop(42), TAG);
        let opened = client.api.open_ticket(&client.requester, TAG).await.expect(201).json();
        let number = text(&opened, "/number").to_owned();
        let ticket = client.api.ticket(&number).await;
        assert_eq!((&ticket["coverage"]["coverage"], &ticket["coverage"]["contract"]), (&json!("covered"), &json!("PSAI 2020-4")));
        let (call_back, resolution) = (clock(&ticket, "call_back"), clock(&ticket, "resolution"));
        assert_eq!((&call_back["state"], &call_back["standing"]), (&json!("running"), &json!("in_time")));
        assert_eq!((&call_back["target_min"], &resolution["target_min"]), (&json!(240), &json!(5 * 24 * 60)));
        assert!(call_back["due_at"].is_string(), "{call_back}");

        let call = json!({ "kind": "pdr", "text": "ça ne répond pas" });
        let called = client.api.post(&format!("/tickets/{number}/tasks"), &call).await.expect(200).json();
        assert_eq!(clock(&called, "call_back")["state"], "stopped");
        assert_eq!(clock(&called, "resolution")["state"], "running");
        let queue = client.api.read("/tickets").await;
        assert_eq!(clock(&queue["items"][0], "call_back")["state"], "stopped");
    }
}

story! {
    async fn what_no_contract_covers_is_decided_by_the_single_point_of_entry(world: World) {
        let client = world.organisation("MARTIN");
        agreed(&world, "MARTIN");
        world.reporting(&client, &Workstation::laptop(43), "PC-LYON-0043");
        let opened = client.api.open_ticket(&client.requester, "PC-LYON-0043").await.expect(201).json();
        let path = format!("/tickets/{}/coverage", text(&opened, "/number"));
        let billable = json!({ "decision": "billable", "note": "hors contrat, devis envoyé" });
        assert_eq!(client.api.post(&path, &billable).await.status, 403);
        let decided = world.api("peu", Some("MARTIN")).post(&path, &billable).await.expect(200).json();
        assert_eq!(decided["coverage"]["coverage"], "not_listed");
        assert_eq!(decided["coverage"]["decision"], "billable");
        let told = decided["events"].as_array().and_then(|it| it.last()).expect("an event");
        assert_eq!((&told["kind"], &told["public"]), (&json!("coverage_decided"), &json!(true)));
    }
}
