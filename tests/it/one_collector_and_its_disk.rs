//! The embedded database has one collector, which ends when it can no longer trust the disk.

use std::time::Duration;

use http::Method;
use parc_acceptance::engines::Engine;
use parc_acceptance::world::{World, until};
use serde_json::json;

async fn world() -> World {
    World::open(Engine::Sqlite).await.expect("the embedded engine is always there")
}

#[tokio::test]
async fn a_second_collector_on_one_file_is_refused_and_commands_work_beside_the_first_sqlite() {
    let mut world = world().await;
    let (ok, _, said) = world.collector.run("serve", &[]);
    assert!(
        !ok && said.contains(&format!("is served already by process {}", world.collector.pid())),
        "{said}"
    );
    world.organisation("NOEL");
    let (ok, _, said) = world.collector.run("check", &[]);
    assert!(ok, "{said}");
    world.collector.kill();
    world.collector.start_again().await;
}

#[tokio::test]
async fn a_disk_error_ends_the_collector_sqlite() {
    let mut world = world().await;
    let client = world.organisation("NOEL");
    assert!(world.collector.stop().await.success());
    world.collector.start_again_with_small_files(512).await;
    let ticket =
        json!({ "summary": "no sound", "description": "d ".repeat(9_000), "requester": client.requester });
    let status = until("the end of the collector", Duration::from_mins(1), async || {
        // The first ones are opened; the one that meets the limit gets no answer or a refusal.
        drop(client.api.try_send(Method::POST, "/tickets", Some(&ticket), &[]).await);
        world.collector.ended()
    })
    .await;
    assert!(!status.success());
    let log = std::fs::read_to_string(world.collector.log()).expect("the log");
    assert!(log.contains("the disk of the database failed"), "{log}");
    world.collector.start_again().await;
    let (ok, said, _) = world.collector.run("check", &[]);
    assert!(ok, "what was acknowledged is whole: {said}");
}
