//! A booted workstation: firmware tables, disk and network card are the (virtual) hardware's own, and the
//! real agent reports them to a collector on the host.

use parc_acceptance::api::text;
use parc_acceptance::engines::Engine;
use parc_acceptance::qemu::{self, HOST, Hardware};
use parc_acceptance::world::{MAIN_SITE, TokenTerms, World};
use serde_json::Value;

const HARDWARE: Hardware = Hardware {
    make: "Dell Inc.",
    model: "Latitude 5420",
    serial: "5QX7Y42",
    uuid: "4c4c4544-0051-5810-8037-b5c04f593432",
    chassis_tag: "INV-004217",
    module_maker: "Samsung",
    module_part: "M471A1G44AB0-CWE",
    module_serial: "3A5B7C9D",
    disk_serial: "S4EVNX0M123456",
    disk_mib: 256,
    mac: "a4:bb:6d:12:34:56",
    memory_mib: 512,
};

/// Boots with the agent enrolling and reporting; nothing when there is no emulator here.
async fn report_from_boot(world: &World, token: &str) -> Option<String> {
    let collector = format!("https://{HOST}:{}", world.collector.agents_port());
    let commands = [
        format!("/bin/parc-agent enroll --collector {collector} --token {token} || echo AGENT-FAILED"),
        "/bin/parc-agent report --json || echo AGENT-FAILED".to_owned(),
        "/bin/parc-agent show --json".to_owned(),
    ];
    let console = qemu::boot(&HARDWARE, &commands).await?;
    assert!(!console.contains("AGENT-FAILED") && !console.contains("insmod:"), "{console}");
    Some(console)
}

async fn told_on(engine: Engine) {
    let names = |it: &mut parc_acceptance::collector::Settings| it.names.push(HOST.to_owned());
    let Some(world) = World::open_with(engine, names).await else { return };
    let client = world.organisation("LUMIERE");
    let token = world.token(&client, TokenTerms::default());
    let Some(console) = report_from_boot(&world, &token).await else { return };

    let answer = client.api.open_ticket(&client.requester, "inv004217").await.expect(201).json();
    assert_eq!(text(&answer, "/asset_match"), "attached", "{answer:#}\n{console}");
    let ticket = client.api.ticket(text(&answer, "/number")).await;
    let asset = |field: &str| text(&ticket, &format!("/assets/0/{field}")).to_owned();
    assert_eq!(asset("tag"), HARDWARE.chassis_tag, "{ticket:#}");
    assert_eq!(asset("make"), HARDWARE.make);
    assert_eq!(asset("model"), HARDWARE.model);
    assert_eq!(asset("serial"), HARDWARE.serial);
    assert_eq!(asset("site"), MAIN_SITE);
    assert_eq!(asset("name"), "poste-virtuel");
    assert_eq!(asset("configuration/disks/0/serial"), HARDWARE.disk_serial, "{ticket:#}");
    let memory = ticket.pointer("/assets/0/configuration/memory_mib").and_then(Value::as_u64);
    assert_eq!(memory, Some(HARDWARE.memory_mib), "{ticket:#}");

    let shown = client.api.read(&format!("/assets/{}", HARDWARE.chassis_tag)).await.to_string();
    for known in [HARDWARE.mac, "SeaBIOS", "6.1."] {
        assert!(shown.contains(known), "{known} is missing: {shown}");
    }
    let software = client.api.read(&format!("/assets/{}/software", HARDWARE.chassis_tag)).await.to_string();
    assert!(software.contains("busybox-static"), "{software}");
    // What identifies but is not shown over REST left the machine all the same.
    for known in [HARDWARE.uuid, HARDWARE.module_maker, HARDWARE.module_part, HARDWARE.module_serial] {
        assert!(console.contains(known), "{known} is missing: {console}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booted_machine_is_on_the_ticket_with_exactly_its_firmwares_values_sqlite() {
    told_on(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booted_machine_is_on_the_ticket_with_exactly_its_firmwares_values_postgres() {
    told_on(Engine::Postgres).await;
}
