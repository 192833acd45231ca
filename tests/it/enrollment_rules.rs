//! Who gets an identity, and which machine it is afterwards.

use std::fs;

use parc_acceptance::agent::Agent;
use parc_acceptance::engines::Engine;
use parc_acceptance::story;
use parc_acceptance::world::{Organisation, TokenTerms, World};
use parc_collector::db::Tx;
use parc_sample::Workstation;

/// Exit codes of `parc-agent` (see `parc-agent --help`).
const NOT_ENROLLED: i32 = 3;
const REFUSED: i32 = 5;

async fn machine_names(client: &Organisation) -> Vec<String> {
    let list = client.api.read("/assets").await;
    let items = list["items"].as_array().expect("items");
    items.iter().map(|it| it["name"].as_str().unwrap_or_default().to_owned()).collect()
}

story! {
    async fn a_token_is_used_up(world: World) {
        let client = world.organisation("ROUX");
        let token = world.token(&client, TokenTerms { uses: 2, ..TokenTerms::default() });
        for number in 1..=2 {
            Agent::on(&Workstation::laptop(number)).enroll(&world.collector.agents(), &token, "").ok();
        }
        let third = Agent::on(&Workstation::laptop(3)).enroll(&world.collector.agents(), &token, "");
        assert_eq!(third.code, REFUSED, "{}", third.all());
        assert!(third.all().contains("token"), "{}", third.all());
    }
}

story! {
    async fn an_expired_token_is_refused_like_one_that_never_was(world: World) {
        let client = world.organisation("ROUX");
        let token = world.token(&client, TokenTerms::default());
        let mut tx = world.database.inside().begin().await.expect("begin");
        let past = "UPDATE agent_enroll_token SET expires_at = created_at - 1";
        match &mut tx {
            Tx::Sqlite(tx) => sqlx::query(past).execute(&mut **tx).await.map(drop),
            Tx::Postgres(tx) => sqlx::query(past).execute(&mut **tx).await.map(drop),
        }
        .expect("set the clock back");
        tx.commit().await.expect("commit");

        let expired = Agent::on(&Workstation::laptop(1)).enroll(&world.collector.agents(), &token, "");
        assert_eq!(expired.code, REFUSED, "{}", expired.all());
        let mut parts: Vec<&str> = token.split('.').collect();
        let never_given = parts[1].chars().rev().collect::<String>();
        parts[1] = &never_given;
        let unknown = Agent::on(&Workstation::laptop(1)).enroll(&world.collector.agents(), &parts.join("."), "");
        assert_eq!(expired.all(), unknown.all(), "the answers tell a guesser nothing");
    }
}

story! {
    async fn a_collector_whose_root_the_token_does_not_name_gets_nothing(world: World) {
        let client = world.organisation("ROUX");
        let token = world.token(&client, TokenTerms::default());
        let (front, fingerprint) = token.rsplit_once('.').expect("a token of four parts");
        let other: String = fingerprint.chars().map(|it| if it == '0' { '1' } else { '0' }).collect();
        let agent = Agent::on(&Workstation::laptop(1));
        let refused = agent.enroll(&world.collector.agents(), &format!("{front}.{other}"), "");
        assert_eq!(refused.code, REFUSED, "{}", refused.all());
        // The secret never left the machine, so the true token still has its one use.
        agent.enroll(&world.collector.agents(), &token, "").ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_called_by_another_name_than_its_own_is_refused() {
    let named = World::open_with(Engine::Sqlite, |it| it.names = vec!["parc.example.org".into()]).await;
    let world = named.expect("the embedded engine is always there");
    let client = world.organisation("ROUX");
    let token = world.token(&client, TokenTerms::default());
    let refused = Agent::on(&Workstation::laptop(1)).enroll(&world.collector.agents(), &token, "");
    assert_eq!(refused.code, REFUSED, "{}", refused.all());
    assert!(refused.all().contains("not issued for the host"), "{}", refused.all());
}

story! {
    async fn a_machine_installed_anew_keeps_its_record(world: World) {
        let client = world.organisation("ROUX");
        world.reporting(&client, &Workstation::laptop(9), "INV-000009");
        let mut anew = Workstation::laptop(9);
        anew.machine_id = anew.machine_id.chars().rev().collect();
        anew.hostname = "pc-neuf".into();
        world.reporting(&client, &anew, "INV-000009");
        assert_eq!(machine_names(&client).await, ["pc-neuf"]);
        let asset = client.api.read("/assets/INV-000009").await;
        assert_eq!(asset["serial"], "7XK0009", "{asset:#}");
    }
}

story! {
    async fn an_answer_that_was_lost_does_no_harm(world: World) {
        let client = world.organisation("ROUX");
        let token = world.token(&client, TokenTerms::default());
        let agent = Agent::on(&Workstation::laptop(4));
        agent.enroll(&world.collector.agents(), &token, "").ok();
        let again = agent.enroll(&world.collector.agents(), &token, "");
        assert_ne!(again.code, 0, "an enrolled machine does not silently change its identity");
        agent.report().ok();
        assert_eq!(machine_names(&client).await.len(), 1);
    }
}

story! {
    async fn a_cloned_disk_is_not_two_machines(world: World) {
        let client = world.organisation("ROUX");
        let original = world.reporting(&client, &Workstation::laptop(21), "INV-000021");
        let mut hardware = Workstation::laptop(22);
        hardware.machine_id = Workstation::laptop(21).machine_id;
        let clone = Agent::on(&hardware);
        copy_folder(&original.state(), &clone.state());
        let said = clone.report();
        assert_eq!(said.code, NOT_ENROLLED, "{}", said.all());
        original.report().ok();
        assert_eq!(machine_names(&client).await, ["pc-00021"]);
        // With a token of its own the clone is a machine of its own.
        let token = world.token(&client, TokenTerms::default());
        let arguments = ["enroll", "--replace", "--collector", &world.collector.agents(), "--token", &token];
        clone.call(&arguments).ok();
        clone.report().ok();
        assert_eq!(machine_names(&client).await.len(), 2);
    }
}

story! {
    async fn a_tag_is_bound_only_as_far_as_the_token_allows(world: World) {
        let client = world.organisation("ROUX");
        let declare = ["asset", "--organisation", "ROUX", "--tag", "KNOWN-01", "--make", "Dell Inc.", "--serial", "7XK001F"];
        world.collector.admin(&declare);
        for (number, tag, policy, bound) in [
            (31, "KNOWN-01", "must_exist", true),
            (32, "MADE-UP-02", "must_exist", false),
            (33, "MADE-UP-03", "none", false),
            (34, "MADE-UP-04", "may_create", true),
        ] {
            let token = world.token(&client, TokenTerms { tag_policy: policy, ..TokenTerms::default() });
            let agent = Agent::on(&Workstation::laptop(number));
            agent.enroll(&world.collector.agents(), &token, tag).ok();
            agent.report().ok();
            let name = client.api.get(&format!("/assets/{tag}")).await;
            let name = if name.status == 200 { name.json()["name"].clone() } else { "".into() };
            assert_eq!(name == format!("pc-{number:05}"), bound, "{tag} under {policy}");
        }
    }
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).expect("a folder");
    fs::set_permissions(to, fs::metadata(from).expect("its rights").permissions()).expect("the same rights");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copy a file");
        }
    }
}
