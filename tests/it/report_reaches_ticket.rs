//! The spine: a machine reports, a ticket knows it.

use parc_acceptance::api::text;
use parc_acceptance::story;
use parc_acceptance::world::{MAIN_SITE, World};
use parc_sample::{Module, Workstation};
use serde_json::Value;

const TAG: &str = "INV-004217";

fn machine() -> Workstation {
    let machine = Workstation::laptop(7).with_chassis_tag(TAG);
    machine.with_firmware(|it| it.serial = "7XKQ9Z3".into()).with_package("7zip", "22.01+dfsg-8")
}

fn opened_number(answer: &Value) -> String {
    let number = text(answer, "/number");
    assert!(number.starts_with("I20") && number.contains('_'), "{number}");
    number.to_owned()
}

story! {
    async fn the_ticket_that_quotes_a_tag_has_the_machine(world: World) {
        let client = world.organisation("DUPONT");
        world.reporting(&client, &machine(), "");

        let answer = client.api.open_ticket(&client.requester, " inv/004217").await.expect(201).json();
        assert_eq!(text(&answer, "/asset_match"), "attached", "{answer:#}");

        let ticket = client.api.ticket(&opened_number(&answer)).await;
        let asset = |field: &str| text(&ticket, &format!("/assets/0/{field}")).to_owned();
        assert_eq!(asset("tag"), TAG, "{ticket:#}");
        assert_eq!(asset("make"), "Dell Inc.");
        assert_eq!(asset("model"), "Latitude 5420");
        assert_eq!(asset("serial"), "7XKQ9Z3");
        assert_eq!(asset("site"), MAIN_SITE);
        assert_eq!(asset("name"), "pc-00007");
        assert!(asset("configuration/cpu").contains("i5-1145G7"), "{ticket:#}");
        assert!(asset("configuration/os").contains("Ubuntu"), "{ticket:#}");
        assert_eq!(ticket.pointer("/assets/0/configuration/memory_mib"), Some(&Value::from(8192)), "{ticket:#}");
        assert!(asset("configuration/disks/0/serial").starts_with("S660NX0R"), "{ticket:#}");
        assert!(!asset("last_report_at").is_empty() && !asset("pinned_at").is_empty(), "{ticket:#}");
    }
}

story! {
    async fn a_later_report_changes_the_machine_but_not_what_the_ticket_pinned(world: World) {
        let client = world.organisation("DUPONT");
        let agent = world.reporting(&client, &machine(), "");
        let answer = client.api.open_ticket(&client.requester, TAG).await.expect(201).json();
        let number = opened_number(&answer);
        let before = client.api.ticket(&number).await;
        let since = before.pointer("/assets/0/changed_since").and_then(Value::as_array).map(Vec::len);
        assert_eq!(since, Some(0), "{before:#}");

        let mut changed = machine().with_package("7zip", "24.08+dfsg-1");
        changed.memory = vec![Some(Module::new(4_096, "41000999")), None];
        agent.becomes(&changed);
        agent.report().ok();

        let after = client.api.ticket(&number).await;
        let pinned = |ticket: &Value| ticket.pointer("/assets/0/configuration").cloned();
        assert_eq!(pinned(&before), pinned(&after), "the pin moved");
        let since = after.pointer("/assets/0/changed_since").expect("changes").to_string();
        assert!(since.contains("7zip") && since.contains("24.08") && since.contains("22.01"), "{since}");
        assert!(since.contains("memory"), "{since}");
        let now = client.api.read(&format!("/assets/{TAG}")).await;
        assert_eq!(now["memory_mib"], 4_096, "the asset itself shows the present state: {now:#}");
    }
}

story! {
    async fn what_changed_before_the_ticket_is_shown_on_it(world: World) {
        let client = world.organisation("DUPONT");
        let agent = world.reporting(&client, &machine(), "");
        agent.becomes(&machine().with_package("7zip", "24.08+dfsg-1"));
        agent.report().ok();

        let answer = client.api.open_ticket(&client.requester, TAG).await.expect(201).json();
        let ticket = client.api.ticket(&opened_number(&answer)).await;
        let before = ticket.pointer("/assets/0/changed_before").expect("changes").to_string();
        assert!(before.contains("7zip") && before.contains("24.08"), "{before}");
    }
}

story! {
    async fn the_history_of_the_machine_names_each_change(world: World) {
        let client = world.organisation("DUPONT");
        let agent = world.reporting(&client, &machine(), "");
        agent.becomes(&machine().with_package("gimp", "2.10.34"));
        agent.report().ok();
        let mut plain = machine();
        plain.packages.retain(|it| it.name != "vlc");
        agent.becomes(&plain);
        agent.report().ok();

        let history = client.api.read(&format!("/assets/{TAG}/history")).await;
        let entries: Vec<String> = history["items"].as_array().expect("items").iter().map(Value::to_string).collect();
        let has = |words: &[&str]| entries.iter().any(|it| words.iter().all(|word| it.contains(word)));
        assert!(has(&["gimp", "added"]), "{history:#}");
        assert!(has(&["gimp", "removed"]), "{history:#}");
        assert!(has(&["vlc", "removed"]), "{history:#}");
        let software = client.api.read(&format!("/assets/{TAG}/software")).await;
        assert!(!software.to_string().contains("vlc"), "{software:#}");
    }
}

story! {
    async fn the_tag_of_the_ticket_finds_its_machine_and_the_machine_its_tickets(world: World) {
        let client = world.organisation("DUPONT");
        world.reporting(&client, &machine(), "");
        let answer = client.api.open_ticket(&client.requester, TAG).await.expect(201).json();
        let number = opened_number(&answer);
        let of_machine = client.api.read(&format!("/assets/{TAG}/tickets")).await.to_string();
        assert!(of_machine.contains(&number), "{of_machine}");
        let found = client.api.read("/assets?q=7XKQ9Z3").await;
        assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{found:#}");
        let listed = client.api.read(&format!("/tickets?tag={TAG}")).await.to_string();
        assert!(listed.contains(&number), "{listed}");
    }
}
