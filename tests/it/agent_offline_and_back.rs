//! Programs die at the worst moment. What was acknowledged stays, what was not comes again, nothing twice.

use std::time::Duration;

use parc_acceptance::agent::Agent;
use parc_acceptance::story;
use parc_acceptance::world::{Organisation, World};
use parc_sample::Workstation;
use serde_json::Value;

const TAG: &str = "INV-009009";
/// Exit code of `parc-agent report`: no answer for now.
const NO_ANSWER: i32 = 4;
/// Rounds of killing; each takes a second or two.
const ROUNDS: u32 = 8;

fn machine(round: u32) -> Workstation {
    Workstation::laptop(90).with_package("probe-package", &format!("{round}.0"))
}

/// Versions of the package that the machine went through, oldest first.
async fn versions(client: &Organisation) -> Vec<(String, String)> {
    let history = client.api.read(&format!("/assets/{TAG}/history?limit=100")).await;
    let of_package = |it: &&Value| it.to_string().contains("probe-package");
    let text = |it: &Value, field: &str| it[field].as_str().unwrap_or_default().to_owned();
    let items = history["items"].as_array().expect("items").clone();
    items.iter().filter(of_package).rev().map(|it| (text(it, "before"), text(it, "after"))).collect()
}

async fn installed_version(client: &Organisation) -> String {
    let software = client.api.read(&format!("/assets/{TAG}/software?q=probe-package")).await;
    let items = software["items"].as_array().expect("items");
    assert_eq!(items.len(), 1, "{software:#}");
    items[0]["version"].as_str().unwrap_or_default().to_owned()
}

async fn machine_count(client: &Organisation) -> usize {
    client.api.read("/assets").await["items"].as_array().map_or(0, Vec::len)
}

story! {
    async fn while_the_collector_is_away_one_state_waits(world: World) {
        let mut world = world;
        let client = world.organisation("NOEL");
        let agent = world.reporting(&client, &machine(0), TAG);
        assert!(world.collector.stop().await.success(), "SIGTERM ends a collector cleanly");

        let mut kept = Vec::new();
        for round in 1..=3 {
            agent.becomes(&machine(round));
            let said = agent.report();
            assert_eq!(said.code, NO_ANSWER, "{}", said.all());
            kept.push(std::fs::read_dir(agent.state()).expect("the state folder").count());
        }
        assert!(kept.iter().all(|it| *it == kept[0]), "failures pile nothing up: {kept:?}");
        let status = agent.call(&["status"]).all();
        let row = |name: &str| {
            status.lines().find(|it| it.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {status}"))
        };
        assert!(row("pending").contains("waits for its acknowledgement"), "{status}");
        assert!(row("last error").contains("cannot be reached"), "{status}");
        assert!(row("last error").contains("failed 3 times"), "{status}");

        world.collector.start_again().await;
        agent.report().ok();
        assert_eq!(installed_version(&client).await, "3.0");
        let changes = versions(&client).await;
        assert_eq!(changes.len(), 1, "the states in between were never the last one: {changes:?}");
        assert_eq!(machine_count(&client).await, 1);
    }
}

story! {
    async fn killing_the_collector_in_the_middle_of_reports_loses_nothing(world: World) {
        let mut world = world;
        let client = world.organisation("NOEL");
        let agent = world.reporting(&client, &machine(0), TAG);
        let mut acknowledged = Vec::new();
        for round in 1..=ROUNDS {
            agent.becomes(&machine(round));
            let reporting = agent.start(&["report"]);
            // Somewhere between the start of the agent and well after its answer.
            tokio::time::sleep(Duration::from_millis(u64::from(round * 23 % 160))).await;
            world.collector.kill();
            if reporting.end().await == 0 {
                acknowledged.push(format!("{round}.0"));
            }
            world.collector.start_again().await;
        }
        agent.report().ok();
        acknowledged.push(format!("{ROUNDS}.0"));
        assert_eq!(installed_version(&client).await, format!("{ROUNDS}.0"));
        the_history_is_a_chain(&client, &acknowledged).await;
        let (sound, out, err) = world.collector.run("check", &[]);
        assert!(sound, "the invariants hold: {out}{err}");
    }
}

story! {
    async fn killing_the_agent_at_any_moment_leaves_one_valid_state(world: World) {
        let client = world.organisation("NOEL");
        let agent = world.reporting(&client, &machine(0), TAG);
        for round in 1..=ROUNDS * 2 {
            agent.becomes(&machine(round));
            let mut reporting = agent.start(&["report"]);
            tokio::time::sleep(Duration::from_millis(u64::from(round * 17 % 120))).await;
            reporting.kill();
        }
        agent.report().ok();
        assert_eq!(installed_version(&client).await, format!("{}.0", ROUNDS * 2));
        the_history_is_a_chain(&client, &[]).await;
        assert_eq!(machine_count(&client).await, 1);
    }
}

/// Each change begins where the one before it ended, none is there twice, and none that was acknowledged
/// is missing.
async fn the_history_is_a_chain(client: &Organisation, acknowledged: &[String]) {
    let changes = versions(client).await;
    let mut now = "0.0".to_owned();
    for (before, after) in &changes {
        assert!(before.contains(&now), "a gap before {after}: {changes:?}");
        now.clone_from(after);
    }
    for version in acknowledged {
        let times = changes.iter().filter(|(_, after)| after.contains(version.as_str())).count();
        assert_eq!(times, 1, "{version} was acknowledged: {changes:?}");
    }
}

story! {
    async fn the_service_reports_by_itself_and_survives_its_own_death(world: World) {
        let client = world.organisation("NOEL");
        let agent: Agent = world.enrolled(&client, &machine(1), TAG);
        let mut service = agent.run();
        let found = async || {
            let answer = client.api.get(&format!("/assets/{TAG}")).await;
            (answer.status == 200).then_some(())
        };
        parc_acceptance::world::until("the first report", Duration::from_secs(20), found).await;
        service.kill();
        let mut service = agent.run();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(service.ended().is_none(), "{}", service.log_tail());
        assert!(service.terminate().await.success(), "SIGTERM ends an agent cleanly");
        assert_eq!(machine_count(&client).await, 1);
    }
}
