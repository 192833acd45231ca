//! Nothing changed: nothing but digests travels.

use parc_acceptance::story;
use parc_acceptance::world::World;
use parc_sample::Workstation;

/// Encoded size of a contact in which nothing changed.
const UNCHANGED_BYTES_MAX: u64 = 500;
/// … and of one in which one package changed.
const ONE_PACKAGE_BYTES_MAX: u64 = 1024;

fn big_machine() -> Workstation {
    (0..300).fold(Workstation::laptop(300), |it, n| it.with_package(&format!("package-{n:03}"), "1.0-1"))
}

/// The `bytes_sent` the agent names in `report --json`.
fn payload_bytes(agent: &parc_acceptance::agent::Agent) -> u64 {
    let said = agent.call(&["report", "--json"]).ok().json();
    let bytes = said["bytes_sent"].as_u64();
    bytes.unwrap_or_else(|| panic!("the report names its size: {said:#}"))
}

story! {
    async fn an_unchanged_contact_has_at_most_500_bytes(world: World) {
        let client = world.organisation("PETIT");
        let agent = world.enrolled(&client, &big_machine(), "INV-000300");
        let first = payload_bytes(&agent);
        assert!(first > 10_000, "a first report carries 300 titles: {first}");
        let unchanged = payload_bytes(&agent);
        assert!(unchanged <= UNCHANGED_BYTES_MAX, "{unchanged}");
        agent.becomes(&big_machine().with_package("package-007", "1.0-2"));
        let changed = payload_bytes(&agent);
        assert!(unchanged < changed && changed <= ONE_PACKAGE_BYTES_MAX, "{changed}");
        let unchanged = payload_bytes(&agent);
        assert!(unchanged <= UNCHANGED_BYTES_MAX, "{unchanged}");
    }
}
