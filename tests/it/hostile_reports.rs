//! What a broken or hostile agent says: the bad is refused or set aside by name, the rest is kept, and the
//! collector stays what it was.

use parc_acceptance::story;
use parc_acceptance::wire::{self, Identity, Section, contact, full_contact};
use parc_acceptance::world::{Organisation, TokenTerms, World};
use parc_wire::limits::{ITEM_BODY_BYTES_MAX, SOFTWARE_ITEMS_MAX};
use parc_wire::v1::{
    AssetTagItem, ContactRequest, ContactResponse, Evidence, Item, OsItem, Outcome, SectionKind,
    SoftwareItem, SystemItem, TagSource,
};
use tonic::codec::CompressionEncoding;
use tonic::{Code, Status};

const TAG: &str = "INV-066600";
/// What a refused bomb may cost the collector in memory.
const BOMB_COST_KIB_MAX: u64 = 32 * 1024;

async fn enrolled(world: &World, client: &Organisation) -> Identity {
    let token = world.token(client, TokenTerms::default());
    let evidence = Evidence { system_serial: "7XKH001".into(), ..Evidence::default() };
    wire::enroll(world.collector.agents_port(), &token, TAG, evidence).await.expect("enroll")
}

async fn send(
    world: &World,
    identity: &Identity,
    request: ContactRequest,
) -> Result<ContactResponse, Status> {
    let mut fleet = wire::fleet(world.collector.agents_port(), identity).await?;
    fleet.contact(request).await.map(tonic::Response::into_inner)
}

fn title(name: &str) -> (String, SoftwareItem) {
    let item = SoftwareItem {
        name: name.into(),
        version: "1.0".into(),
        source: "dpkg".into(),
        ..SoftwareItem::default()
    };
    (format!("dpkg/{:.40}", name.escape_default().to_string()), item)
}

/// A small, honest state with the given titles.
fn state(titles: impl IntoIterator<Item = (String, SoftwareItem)>) -> Vec<Section> {
    let one = |key: &str| key.to_owned();
    let system = SystemItem {
        manufacturer: "Dell Inc.".into(),
        product: "Latitude 5420".into(),
        serial: "7XKH001".into(),
        ..SystemItem::default()
    };
    let os = OsItem {
        hostname: "hostile".into(),
        family: "linux".into(),
        name: "Debian".into(),
        ..OsItem::default()
    };
    let tag = AssetTagItem { tag: TAG.into(), source: TagSource::Configuration.into() };
    vec![
        Section::of(SectionKind::System, [(one("system"), system)]),
        Section::of(SectionKind::Os, [(one("os"), os)]),
        Section::of(SectionKind::AssetTag, [(one("tag"), tag)]),
        Section::of(SectionKind::Software, titles),
    ]
}

async fn software_names(client: &Organisation) -> Vec<String> {
    let list = client.api.read(&format!("/assets/{TAG}/software")).await;
    list["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|it| it["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

story! {
    async fn one_bad_value_is_set_aside_and_the_rest_is_kept(world: World) {
        let client = world.organisation("NOIR");
        let agent = enrolled(&world, &client).await;
        let evil = "Evil\u{202E}\u{0}\u{1b}[2J<script>alert(1)</script>";
        let long = "L".repeat(5_000);
        let sections = state([title("gimp"), title(evil), title(&long), title("vlc")]);
        let answer = send(&world, &agent, full_contact(1, 1, &sections)).await.expect("answered");
        assert_eq!(answer.outcome(), Outcome::Accepted, "{answer:?}");
        assert!(!answer.set_aside.is_empty() && answer.set_aside.iter().all(|it| !it.reason.is_empty()), "{answer:?}");
        let names = software_names(&client).await;
        assert!(names.contains(&"gimp".to_owned()) && names.contains(&"vlc".to_owned()), "{names:?}");
        let unclean = |it: &String| it.contains(['\u{0}', '\u{1b}', '\u{202E}']) || it.len() > 256;
        assert!(!names.iter().any(unclean), "{names:?}");
    }
}

story! {
    async fn too_many_titles_are_refused_with_the_limits_name_and_nothing_applied(world: World) {
        let client = world.organisation("NOIR");
        let agent = enrolled(&world, &client).await;
        let first = send(&world, &agent, full_contact(1, 1, &state([title("gimp")]))).await.expect("answered");
        assert_eq!(first.outcome(), Outcome::Accepted);
        let too_many = state((0..=SOFTWARE_ITEMS_MAX).map(|n| title(&format!("t{n}"))));
        let answer = send(&world, &agent, full_contact(1, 2, &too_many)).await.expect("answered");
        assert_eq!(answer.outcome(), Outcome::Invalid, "{answer:?}");
        assert!(answer.reason.contains("20000") || answer.reason.contains("20,000"), "{}", answer.reason);
        assert_eq!(software_names(&client).await, ["gimp"]);
    }
}

story! {
    async fn an_oversized_item_does_not_take_its_neighbours_along(world: World) {
        let client = world.organisation("NOIR");
        let agent = enrolled(&world, &client).await;
        let mut sections = state([title("gimp")]);
        let huge = Item { key: "dpkg/huge".into(), body: vec![0; ITEM_BODY_BYTES_MAX + 1] };
        sections.last_mut().expect("software").items.push(huge);
        let answer = send(&world, &agent, full_contact(1, 1, &sections)).await.expect("answered");
        match answer.outcome() {
            Outcome::Accepted => {
                assert!(answer.set_aside.iter().any(|it| it.item_key == "dpkg/huge"), "{answer:?}");
                assert_eq!(software_names(&client).await, ["gimp"]);
            }
            Outcome::Invalid => assert!(answer.reason.contains(&ITEM_BODY_BYTES_MAX.to_string()), "{answer:?}"),
            other => panic!("{other:?}: {answer:?}"),
        }
    }
}

story! {
    async fn a_state_that_does_not_hash_to_its_digest_is_not_applied(world: World) {
        let client = world.organisation("NOIR");
        let agent = enrolled(&world, &client).await;
        let honest = state([title("gimp")]);
        let other = state([title("backdoor")]);
        let lie = contact(1, 1, &honest, other.iter().map(Section::whole).collect());
        let answer = send(&world, &agent, lie).await.expect("answered");
        assert!(matches!(answer.outcome(), Outcome::Invalid | Outcome::NeedFull), "{answer:?}");
        let listed = client.api.get(&format!("/assets/{TAG}/software")).await;
        assert!(!listed.text().contains("backdoor"), "{}", listed.text());
    }
}

story! {
    async fn a_change_against_a_base_nobody_has_asks_for_the_whole(world: World) {
        let client = world.organisation("NOIR");
        let agent = enrolled(&world, &client).await;
        let sections = state([title("gimp")]);
        let mut changes: Vec<_> = sections.iter().map(Section::whole).collect();
        changes.last_mut().expect("software").base_digest = vec![9; 16];
        let answer = send(&world, &agent, contact(1, 1, &sections, changes)).await.expect("answered");
        assert_eq!(answer.outcome(), Outcome::NeedFull, "{answer:?}");
        assert!(answer.need_full.contains(&SectionKind::Software.into()), "{answer:?}");
    }
}

story! {
    async fn repeated_late_and_forked_reports_change_nothing(world: World) {
        let client = world.organisation("NOIR");
        let agent = enrolled(&world, &client).await;
        let first = full_contact(1, 1, &state([title("gimp")]));
        let second = full_contact(1, 2, &state([title("gimp"), title("vlc")]));
        for (request, outcome) in [
            (first.clone(), Outcome::Accepted),
            (first.clone(), Outcome::Duplicate),
            (second.clone(), Outcome::Accepted),
            (second, Outcome::Duplicate),
            (first, Outcome::Stale),
        ] {
            let answer = send(&world, &agent, request).await.expect("answered");
            assert_eq!(answer.outcome(), outcome, "{answer:?}");
        }
        let fork = full_contact(1, 2, &state([title("backdoor")]));
        let answer = send(&world, &agent, fork).await.expect("answered");
        assert_eq!(answer.outcome(), Outcome::Fork, "{answer:?}");
        assert_eq!(software_names(&client).await, ["gimp", "vlc"]);
        let after = send(&world, &agent, full_contact(1, 3, &state([title("later")]))).await;
        let held = after.as_ref().map_or(true, |it| it.outcome() == Outcome::Quarantined);
        assert!(held, "a forked identity waits for a person: {after:?}");
        assert_eq!(software_names(&client).await, ["gimp", "vlc"]);
    }
}

story! {
    async fn a_report_with_a_forged_id_is_refused(world: World) {
        let client = world.organisation("NOIR");
        let agent = enrolled(&world, &client).await;
        let mut forged = full_contact(1, 1, &state([title("gimp")]));
        forged.report_id = vec![1; 16];
        let answer = send(&world, &agent, forged).await.expect("answered");
        assert_eq!(answer.outcome(), Outcome::Invalid, "{answer:?}");
        assert!(answer.reason.contains("report_id"), "{answer:?}");
        let mut empty = full_contact(1, 2, &state([title("gimp")]));
        empty.digests[0].digest = vec![1; 3];
        let answer = send(&world, &agent, empty).await.expect("answered");
        assert_eq!(answer.outcome(), Outcome::Invalid, "{answer:?}");
    }
}

story! {
    async fn a_decompression_bomb_is_refused_in_bounded_memory(world: World) {
        let client = world.organisation("NOIR");
        let agent = enrolled(&world, &client).await;
        let honest = full_contact(1, 1, &state([title("gimp")]));
        assert_eq!(send(&world, &agent, honest).await.expect("answered").outcome(), Outcome::Accepted);
        let before_kib = peak_memory_kib(world.collector.pid());

        let mut bomb = full_contact(1, 2, &state([title("gimp")]));
        bomb.changes[0].put[0].body = vec![b'a'; 192 * 1024 * 1024];
        let fleet = wire::fleet(world.collector.agents_port(), &agent).await.expect("connect");
        let mut fleet = fleet.send_compressed(CompressionEncoding::Zstd).max_encoding_message_size(usize::MAX);
        let refusal = fleet.contact(bomb).await.expect_err("refused");
        assert!(matches!(refusal.code(), Code::ResourceExhausted | Code::OutOfRange), "{refusal}");

        let cost_kib = peak_memory_kib(world.collector.pid()).saturating_sub(before_kib);
        assert!(cost_kib < BOMB_COST_KIB_MAX, "the bomb cost {cost_kib} KiB");
        let after = send(&world, &agent, full_contact(1, 2, &state([title("vlc")]))).await.expect("still there");
        assert_eq!(after.outcome(), Outcome::Accepted);
    }
}

story! {
    async fn garbage_instead_of_items_ends_no_other_machines_day(world: World) {
        let client = world.organisation("NOIR");
        let agent = enrolled(&world, &client).await;
        let mut sections = state([title("gimp")]);
        for section in &mut sections {
            section.items.push(Item { key: String::new(), body: vec![0xff; 40] });
            section.items.push(Item { key: "twice".into(), body: Vec::new() });
            section.items.push(Item { key: "twice".into(), body: vec![1] });
        }
        let answer = send(&world, &agent, full_contact(1, 1, &sections)).await.expect("answered");
        let named = !answer.set_aside.is_empty() || !answer.reason.is_empty();
        assert!(matches!(answer.outcome(), Outcome::Accepted | Outcome::Invalid) && named, "{answer:?}");
        let ready = parc_acceptance::http::get(&format!("{}/readyz", world.collector.web())).await.expect("alive");
        assert_eq!(ready.status, 200);
        let (sound, out, err) = world.collector.run("check", &[]);
        assert!(sound, "the invariants hold: {out}{err}");
    }
}

/// The most memory a process ever held.
fn peak_memory_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the collector's status");
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).expect("its peak memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
