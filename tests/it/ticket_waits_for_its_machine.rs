//! The tag is quoted before anybody has seen the machine.

use parc_acceptance::api::text;
use parc_acceptance::story;
use parc_acceptance::world::World;
use parc_sample::Workstation;
use serde_json::Value;

const TAG: &str = "PC-LYON-0815";

fn asset_count(ticket: &Value) -> usize {
    ticket["assets"].as_array().map_or(0, Vec::len)
}

story! {
    async fn a_ticket_gets_its_machine_the_day_the_tag_first_reports(world: World) {
        let client = world.organisation("MARTIN");
        let answer = client.api.open_ticket(&client.requester, "pc lyon 0815").await.expect(201).json();
        assert_eq!(text(&answer, "/asset_match"), "unknown", "{answer:#}");
        let number = text(&answer, "/number").to_owned();
        assert_eq!(asset_count(&client.api.ticket(&number).await), 0);

        let agent = world.reporting(&client, &Workstation::laptop(815), TAG);
        let ticket = client.api.ticket(&number).await;
        assert_eq!(asset_count(&ticket), 1, "{ticket:#}");
        assert_eq!(text(&ticket, "/asset_match"), "attached");
        assert_eq!(text(&ticket, "/assets/0/model"), "Latitude 5420");
        let notes = ticket["events"].to_string();
        assert!(notes.contains("late"), "the history says that it came later: {notes}");

        agent.becomes(&Workstation::laptop(815).with_package("gimp", "2.10.34"));
        agent.report().ok();
        let again = client.api.ticket(&number).await;
        assert_eq!(asset_count(&again), 1, "attached once: {again:#}");
        assert_eq!(again["events"].as_array().map(Vec::len), ticket["events"].as_array().map(Vec::len));
    }
}

story! {
    async fn a_cancelled_ticket_learns_which_machine_it_was_without_waking_up(world: World) {
        let client = world.organisation("MARTIN");
        let answer = client.api.open_ticket(&client.requester, TAG).await.expect(201).json();
        let number = text(&answer, "/number").to_owned();
        let reason = serde_json::json!({ "reason": "Doublon" });
        let cancelled = client.api.post(&format!("/tickets/{number}/cancel"), &reason).await.expect(200).json();
        world.reporting(&client, &Workstation::laptop(816), TAG);
        let ticket = client.api.ticket(&number).await;
        assert_eq!(asset_count(&ticket), 1, "{ticket:#}");
        assert_eq!(ticket["state"], "cancelled");
        let events = ticket["events"].as_array().expect("events");
        let (note, before) = events.split_last().expect("an event");
        assert_eq!(before, cancelled["events"].as_array().expect("events").as_slice());
        assert_eq!(note["kind"], "asset_attached_late");
        assert_eq!(note["public"], false, "its people are not told about a ticket that is over");
        assert_eq!(ticket["updated_at"], cancelled["updated_at"]);
    }
}

story! {
    async fn a_near_miss_is_suggested_and_never_linked(world: World) {
        let client = world.organisation("MARTIN");
        world.reporting(&client, &Workstation::laptop(42), "INV-004217");
        for typed in ["INV-0O4217", "INV-004271", "INV-4217", "INV-àà'éè&"] {
            let answer = client.api.open_ticket(&client.requester, typed).await.expect(201).json();
            assert_eq!(text(&answer, "/asset_match"), "unknown", "{typed}: {answer:#}");
            assert_eq!(asset_count(&answer), 0, "{typed}");
            if typed.is_ascii() {
                assert!(answer["suggestions"].to_string().contains("INV-004217"), "{typed}: {answer:#}");
            }
        }
    }
}

story! {
    async fn a_factory_placeholder_waits_for_nobody(world: World) {
        let client = world.organisation("MARTIN");
        for (typed, expected) in [("To be filled by O.E.M.", "placeholder"), ("", "none")] {
            let answer = client.api.open_ticket(&client.requester, typed).await.expect(201).json();
            assert_eq!(text(&answer, "/asset_match"), expected, "{answer:#}");
        }
    }
}
