//! Two machines say they carry the same sticker.

use parc_acceptance::api::text;
use parc_acceptance::story;
use parc_acceptance::world::World;
use parc_sample::Workstation;

const TAG: &str = "INV-000777";

story! {
    async fn the_second_claimant_changes_nothing_and_is_told(world: World) {
        let client = world.organisation("LEROY");
        let holder = Workstation::laptop(1).with_firmware(|it| it.serial = "HOLDER1".into());
        let claimant = Workstation::laptop(2).with_firmware(|it| it.serial = "CLAIMANT2".into());
        world.reporting(&client, &holder, TAG);
        let first = client.api.open_ticket(&client.requester, TAG).await.expect(201).json();
        let number = text(&first, "/number").to_owned();

        let second = world.enrolled(&client, &claimant, "inv 000777");
        let said = second.report();
        let status = second.call(&["status"]);
        let told = format!("{}{}", said.all(), status.all());
        assert!(told.contains("conflict"), "the second machine is told: {told}");

        let ticket = client.api.ticket(&number).await;
        assert_eq!(text(&ticket, "/assets/0/serial"), "HOLDER1", "{ticket:#}");
        assert_eq!(ticket["assets"].as_array().map(Vec::len), Some(1));
        assert_eq!(ticket["assets"][0]["contested"], true, "{ticket:#}");
        let asset = client.api.read(&format!("/assets/{TAG}")).await;
        assert_eq!(text(&asset, "/serial"), "HOLDER1", "{asset:#}");
    }
}

story! {
    async fn while_it_is_contested_a_new_ticket_shows_both(world: World) {
        let client = world.organisation("LEROY");
        world.reporting(&client, &Workstation::laptop(1), TAG);
        world.reporting(&client, &Workstation::laptop(2), TAG);
        let answer = client.api.open_ticket(&client.requester, TAG).await.expect(201).json();
        assert_eq!(text(&answer, "/asset_match"), "ambiguous", "{answer:#}");
        let ticket = client.api.ticket(text(&answer, "/number")).await;
        let candidates = ticket["candidates"].to_string();
        assert!(candidates.contains("pc-00001") && candidates.contains("pc-00002"), "{ticket:#}");
    }
}

story! {
    async fn the_same_sticker_may_exist_in_two_organisations(world: World) {
        let (one, other) = (world.organisation("LEROY"), world.organisation("MOREL"));
        world.reporting(&one, &Workstation::laptop(1), TAG);
        world.reporting(&other, &Workstation::laptop(2), TAG);
        for (client, name) in [(&one, "pc-00001"), (&other, "pc-00002")] {
            let answer = client.api.open_ticket(&client.requester, TAG).await.expect(201).json();
            let ticket = client.api.ticket(text(&answer, "/number")).await;
            assert_eq!(text(&ticket, "/assets/0/name"), name, "{ticket:#}");
        }
    }
}
