use std::time::Duration;

use parc_wire::v1::{self, Outcome, SectionKind};

use super::testing::{Bound, START, TestAgent, World, memory, os, software, system, tag, workstation};
use super::*;
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, ActorKind};
use crate::kernel::text::AssetTag;
use crate::kernel::time::UtcMicros;

fn asset_tag(text: &str) -> AssetTag {
    text.parse().expect("tag")
}

fn tagged(hostname: &str, text: &str) -> testing::MachineState {
    let mut state = workstation(hostname);
    state.insert(SectionKind::AssetTag, vec![tag(text)]);
    state
}

fn prepared(world: &World, text: &str, serial: &str) -> NewCi {
    NewCi {
        organisation_id: world.organisation_id(),
        site_id: None,
        location: "B12".into(),
        tag: Some(asset_tag(text)),
        assigned_to_id: None,
        lifecycle: Lifecycle::Stock,
        declared: vec![(DeclaredField::Serial, serial.into()), (DeclaredField::Supplier, "Econocom".into())],
    }
}

async fn make(world: &World, new: NewCi) -> CiId {
    let mut tx = world.context.db.begin().await.expect("begin");
    let ci =
        create_ci(&mut tx, &world.context, &Actor::system(), new, &Bound::default()).await.expect("item");
    tx.commit().await.expect("commit");
    ci
}

async fn summary(world: &World, ci: CiId) -> CiSummary {
    let mut tx = world.context.db.read().await.expect("read");
    find_ci(&mut tx, Scope::All, ci).await.expect("find").expect("some")
}

async fn conflicts(world: &World) -> Vec<TagConflict> {
    let mut tx = world.context.db.read().await.expect("read");
    list_conflicts(&mut tx, Scope::All, &PageRequest::first()).await.expect("list").rows
}

db_test! {
    async fn a_free_tag_is_bound_and_the_listener_told(db: Db) {
        let world = World::new(db).await;
        let (intake, bound) = world.intake();
        let mut agent = TestAgent::new(world.machine("pc01").await);
        let answer = agent.report(&intake, &tagged("pc01", "inv-0042")).await;
        assert_eq!((answer.tag_note.as_str(), answer.assigned_tag.as_str()), ("", ""));
        assert_eq!(bound.tags(), ["inv-0042"]);
        let item = summary(&world, agent.binding.ci_id).await;
        assert_eq!((item.tag.as_deref(), item.tag_source), (Some("inv-0042"), Some(TagSource::Configuration)));
        assert_eq!((item.make.as_str(), item.model.as_str(), item.kind.as_str()), ("Dell Inc.", "Latitude 5420", "laptop"));
        assert_eq!((item.memory_mib, item.software_count, item.name.as_str()), (16384, 2, "pc01"));
        let mut tx = world.context.db.read().await.expect("read");
        let found = find_ci_by_tag(&mut tx, world.organisation_id(), "INV0042").await.expect("find");
        assert_eq!(found.map(|it| it.id), Some(agent.binding.ci_id));
        drop(tx);
        agent.report(&intake, &tagged("pc01", "  ")).await;
        assert!(summary(&world, agent.binding.ci_id).await.tag.is_some(), "blank never erases");
    }
}

db_test! {
    async fn a_second_claimant_changes_nothing_until_a_person_decides(db: Db) {
        let world = World::new(db).await;
        let (intake, bound) = world.intake();
        let mut holder = TestAgent::new(world.machine("pc01").await);
        let mut claimant = TestAgent::new(world.machine("pc02").await);
        holder.report(&intake, &tagged("pc01", "INV-1")).await;
        for _ in 0..2 {
            assert_eq!(claimant.report(&intake, &tagged("pc02", "inv 1")).await.tag_note, "conflict");
        }
        let open = conflicts(&world).await;
        assert_eq!(open.len(), 1);
        assert_eq!((open[0].holder_ci_id, open[0].claimant_ci_id), (holder.binding.ci_id, claimant.binding.ci_id));
        assert!(summary(&world, claimant.binding.ci_id).await.tag.is_none());
        let actor = Actor::system();
        let move_it = ConflictResolution::MoveToClaimant;
        let error = resolve_conflict(&world.context, &actor, open[0].id, move_it, " ", bound.as_ref()).await;
        assert!(matches!(error, Err(InventoryError::Invalid { field: "reason", .. })));
        resolve_conflict(&world.context, &actor, open[0].id, move_it, "sticker moved", bound.as_ref()).await.expect("moved");
        assert!(summary(&world, holder.binding.ci_id).await.tag.is_none());
        assert_eq!(summary(&world, claimant.binding.ci_id).await.tag.as_deref(), Some("inv 1"));
        assert_eq!(bound.tags(), ["INV-1", "inv 1"]);
        assert!(conflicts(&world).await.is_empty());
        assert_eq!(claimant.report(&intake, &tagged("pc02", "inv 1")).await.tag_note, "");
        assert_eq!(holder.report(&intake, &tagged("pc01", "INV-1")).await.tag_note, "held-by-another");
        assert!(conflicts(&world).await.is_empty(), "decided once");
    }
}

db_test! {
    async fn a_refused_claim_is_not_opened_again_and_a_freed_tag_is_bound(db: Db) {
        let world = World::new(db).await;
        let (intake, bound) = world.intake();
        let mut holder = TestAgent::new(world.machine("pc01").await);
        let mut claimant = TestAgent::new(world.machine("pc02").await);
        holder.report(&intake, &tagged("pc01", "INV-1")).await;
        claimant.report(&intake, &tagged("pc02", "INV-1")).await;
        let open = conflicts(&world).await;
        let keep = ConflictResolution::KeepHolder;
        let actor = Actor::system();
        resolve_conflict(&world.context, &actor, open[0].id, keep, "wrong sticker", bound.as_ref()).await.expect("kept");
        assert_eq!(claimant.report(&intake, &tagged("pc02", "INV-1")).await.tag_note, "held-by-another");
        assert!(conflicts(&world).await.is_empty(), "settled once");
        holder.report(&intake, &tagged("pc01", "INV-2")).await;
        assert_eq!(claimant.report(&intake, &tagged("pc02", "INV-1")).await.tag_note, "");
        assert_eq!(summary(&world, claimant.binding.ci_id).await.tag.as_deref(), Some("INV-1"));
    }
}

db_test! {
    async fn an_admin_wins_and_the_agent_is_told(db: Db) {
        let world = World::new(db).await;
        let (intake, bound) = world.intake();
        let mut agent = TestAgent::new(world.machine("pc01").await);
        agent.report(&intake, &tagged("pc01", "INV-1")).await;
        let mut tx = world.context.db.begin().await.expect("begin");
        let ci = agent.binding.ci_id;
        assign_tag(&mut tx, &world.context, &Actor::system(), ci, Some(asset_tag("INV-7")), bound.as_ref()).await.expect("assigned");
        tx.commit().await.expect("commit");
        assert_eq!(agent.report(&intake, &tagged("pc01", "INV-1")).await.assigned_tag, "INV-7");
        agent.report(&intake, &tagged("pc01", "INV-3")).await;
        assert_eq!(summary(&world, ci).await.tag.as_deref(), Some("INV-7"));
        let other = world.machine("pc02").await;
        let mut tx = world.context.db.begin().await.expect("begin");
        let taken = assign_tag(&mut tx, &world.context, &Actor::system(), other.ci_id, Some(asset_tag("inv7")), bound.as_ref()).await;
        assert!(matches!(taken, Err(InventoryError::TagTaken(_))));
    }
}

db_test! {
    async fn a_policy_or_a_placeholder_says_why_nothing_is_bound(db: Db) {
        let world = World::new(db).await;
        let (intake, bound) = world.intake();
        let ci = world.machine("pc01").await.ci_id;
        let mut silent = TestAgent::new(world.binding(ci, TagPolicy::None));
        assert_eq!(silent.report(&intake, &tagged("pc01", "INV-1")).await.tag_note, "not-allowed");
        assert_eq!(silent.report(&intake, &tagged("pc01", "Default string")).await.tag_note, "placeholder");
        let long = "A1".repeat(20);
        assert_eq!(silent.report(&intake, &tagged("pc01", &long)).await.tag_note, "too-long");
        let mut strict = TestAgent { epoch: 2, ..TestAgent::new(world.binding(ci, TagPolicy::MustExist)) };
        assert_eq!(strict.report(&intake, &tagged("pc01", "INV-1")).await.tag_note, "must-exist");
        assert!(bound.tags().is_empty());
    }
}

db_test! {
    async fn a_retired_tag_is_never_given_again(db: Db) {
        let world = World::new(db).await;
        let (intake, bound) = world.intake();
        let retired = make(&world, NewCi { lifecycle: Lifecycle::Retired, ..prepared(&world, "INV-1", "") }).await;
        let mut agent = TestAgent::new(world.machine("pc01").await);
        assert_eq!(agent.report(&intake, &tagged("pc01", "INV-1")).await.tag_note, "conflict");
        let open = conflicts(&world).await;
        let moved = resolve_conflict(
            &world.context, &Actor::system(), open[0].id, ConflictResolution::MoveToClaimant, "please", bound.as_ref(),
        ).await;
        assert!(matches!(moved, Err(InventoryError::Conflict(_))));
        assert_eq!(summary(&world, retired).await.tag.as_deref(), Some("INV-1"));
    }
}

db_test! {
    async fn a_fourth_tag_in_a_day_waits(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let mut agent = TestAgent::new(world.machine("pc01").await);
        for n in 1..=3 {
            world.clock.advance(Duration::from_mins(1));
            assert_eq!(agent.report(&intake, &tagged("pc01", &format!("INV-{n}"))).await.tag_note, "");
        }
        world.clock.advance(Duration::from_mins(1));
        assert_eq!(agent.report(&intake, &tagged("pc01", "INV-4")).await.tag_note, "too-many-claims");
        world.clock.advance(Duration::from_hours(24));
        assert_eq!(agent.report(&intake, &tagged("pc01", "INV-4")).await.tag_note, "");
    }
}

db_test! {
    async fn a_record_made_in_advance_becomes_the_machine_that_claims_its_tag(db: Db) {
        let world = World::new(db).await;
        let (intake, bound) = world.intake();
        let record = make(&world, prepared(&world, "INV-9", "SN-pc01")).await;
        let mut agent = TestAgent::new(world.machine("pc01").await);
        let answer = agent.report(&intake, &tagged("pc01", "INV-9")).await;
        assert_eq!((answer.tag_note.as_str(), answer.outcome()), ("", Outcome::Accepted));
        let item = summary(&world, agent.binding.ci_id).await;
        assert_eq!((item.tag.as_deref(), item.location.as_str()), (Some("INV-9"), "B12"));
        let old = summary(&world, record).await;
        assert_eq!((old.tag, old.lifecycle), (None, Lifecycle::Retired));
        assert_eq!(bound.tags(), ["INV-9"]);
        let mut tx = world.context.db.read().await.expect("read");
        let machine = current_machine(&mut tx, agent.binding.ci_id).await.expect("machine").expect("some");
        assert_eq!(machine.text(DeclaredField::Supplier), "Econocom");
    }
}

fn enrolling(world: &World, evidence: v1::Evidence, claimed: Option<&str>) -> EnrollingMachine {
    EnrollingMachine {
        organisation_id: world.organisation_id(),
        site_id: None,
        evidence,
        claimed_tag: claimed.map(asset_tag),
        tag_policy: TagPolicy::MustExist,
        hostname: "pc01".into(),
    }
}

async fn enroll(world: &World, machine: EnrollingMachine) -> EnrolledCi {
    let mut tx = world.context.db.begin().await.expect("begin");
    let enrolled = enroll_ci(&mut tx, &world.context, machine).await.expect("enrolled");
    tx.commit().await.expect("commit");
    enrolled
}

db_test! {
    async fn a_reinstalled_machine_keeps_its_item_and_a_waiting_record_is_adopted(db: Db) {
        let world = World::new(db).await;
        let record = make(&world, prepared(&world, "INV-9", "5CG1234XYZ")).await;
        let evidence = v1::Evidence {
            smbios_uuid: "4c4c4544-0042-3510-8054-b4c04f564433".into(),
            system_serial: "5CG1234XYZ".into(),
            machine_fingerprint: "f00dcafe".into(),
            ..Default::default()
        };
        let first = enroll(&world, enrolling(&world, evidence.clone(), Some("inv9"))).await;
        assert_eq!(first, EnrolledCi { ci_id: record, recognised: false });
        let swapped = v1::Evidence {
            smbios_uuid: "44454c4c-4200-1035-8054-b4c04f564433".into(),
            machine_fingerprint: "deadbeef".into(),
            ..evidence
        };
        let second = enroll(&world, enrolling(&world, swapped, None)).await;
        assert_eq!(second, EnrolledCi { ci_id: record, recognised: true });
        let stranger = enroll(&world, enrolling(&world, v1::Evidence::default(), Some("inv9"))).await;
        assert_ne!(stranger.ci_id, record, "a tag never identifies an item that has an agent");
    }
}

db_test! {
    async fn a_pin_stays_as_it_was_and_differences_are_shown_beside_it(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let mut agent = TestAgent::new(world.machine("pc01").await);
        let ci = agent.binding.ci_id;
        agent.report(&intake, &tagged("pc01", "INV-1")).await;
        let mut tx = world.context.db.begin().await.expect("begin");
        let pinned = pin(&mut tx, &world.context, ci).await.expect("pin");
        tx.commit().await.expect("commit");
        world.clock.advance(Duration::from_hours(1));
        let mut state = tagged("pc01", "INV-2");
        state.insert(SectionKind::System, vec![system("Dell Inc.", "Latitude 5430", "SN-X")]);
        state.insert(SectionKind::Memory, vec![memory("total", 8192), memory("DIMM A", 8192)]);
        state.insert(SectionKind::Software, vec![software("7zip", "7-Zip", "24.08")]);
        agent.report(&intake, &state).await;
        world.clock.advance(Duration::from_hours(72));
        collect_garbage(&world.context).await.expect("collected");
        let mut tx = world.context.db.read().await.expect("read");
        let then = pinned_machine(&mut tx, pinned).await.expect("pin").expect("some");
        assert_eq!((then.tag.as_deref(), then.text(DeclaredField::Model)), (Some("INV-1"), "Latitude 5420"));
        assert_eq!((then.memory_slots.len(), then.software_count, then.observed_at), (2, 2, START));
        let now = current_machine(&mut tx, ci).await.expect("machine").expect("some");
        let sections: Vec<String> = differences(&then, &now).iter().map(|it| format!("{} {}", it.section, it.item)).collect();
        assert_eq!(sections, ["system system", "memory DIMM B", "memory total"]);
        let titles = software_differences(&mut tx, pinned, ci).await.expect("differences");
        let titles: Vec<String> = titles.iter().map(|it| format!("{} {}>{}", it.item, it.before, it.after)).collect();
        assert_eq!(titles, ["7-Zip 24.07>24.08", "Vim 9.1>"]);
    }
}

db_test! {
    async fn a_past_state_is_rebuilt_and_unused_contents_go(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let mut agent = TestAgent::new(world.machine("pc01").await);
        let ci = agent.binding.ci_id;
        agent.report(&intake, &workstation("pc01")).await;
        world.clock.advance(Duration::from_hours(1));
        let mut state = workstation("pc01");
        state.insert(SectionKind::Os, vec![os("renamed", "6.1.0-20")]);
        state.insert(SectionKind::Memory, vec![memory("total", 32768), memory("DIMM A", 32768)]);
        state.insert(SectionKind::Software, vec![software("new", "New", "1"), software("7zip", "7-Zip", "24.07"), software("vim", "Vim", "9.1")]);
        agent.report(&intake, &state).await;
        let mut tx = world.context.db.read().await.expect("read");
        let past = machine_at(&mut tx, ci, START + Duration::from_mins(1)).await.expect("past").expect("some");
        assert_eq!(past.os.as_ref().map(|it| (it.hostname.as_str(), it.kernel.as_str())), Some(("pc01", "6.1.0-18")));
        assert_eq!(past.memory_total.map(|it| it.size_mib), Some(16384));
        assert_eq!((past.memory_slots.len(), past.software_count), (2, 2));
        assert!(machine_at(&mut tx, ci, UtcMicros(START.0 - 1)).await.expect("past").is_none());
        let week = list_changes(&mut tx, ci, START, START + Duration::from_hours(2), 100).await.expect("changes");
        assert_eq!(week.len(), 5, "{week:?}");
        drop(tx);
        assert_eq!(collect_garbage(&world.context).await.expect("collected"), 0, "too young");
        world.clock.advance(Duration::from_hours(72));
        assert_eq!(collect_garbage(&world.context).await.expect("collected"), 3, "os, memory, software of the first report");
        assert_eq!(prune_history(&world.context, world.context.now()).await.expect("pruned"), 5);
    }
}

db_test! {
    async fn declared_and_discovered_values_stand_side_by_side(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let mut agent = TestAgent::new(world.machine("pc01").await);
        let ci = agent.binding.ci_id;
        agent.report(&intake, &workstation("pc01")).await;
        let actor = Actor { label: "Anne".into(), kind: ActorKind::System, ..Actor::system() };
        let mut tx = world.context.db.begin().await.expect("begin");
        declare(&mut tx, &world.context, &actor, ci, DeclaredField::Model, "Latitude 5420 (reference 3)").await.expect("declared");
        for (field, value) in [(DeclaredField::PurchasedOn, "soon"), (DeclaredField::Kind, "toaster")] {
            let error = declare(&mut tx, &world.context, &actor, ci, field, value).await;
            assert!(matches!(error, Err(InventoryError::Invalid { .. })), "{value}");
        }
        tx.commit().await.expect("commit");
        let mut tx = world.context.db.begin().await.expect("begin");
        let machine = current_machine(&mut tx, ci).await.expect("machine").expect("some");
        let fact = machine.fact(DeclaredField::Model).expect("fact");
        assert!(fact.disagrees());
        assert_eq!(fact.declared.as_ref().map(|it| it.source.as_str()), Some("Anne"));
        assert_eq!(fact.discovered.as_ref().map(|it| it.value.as_str()), Some("Latitude 5420"));
        assert_eq!(find_ci(&mut tx, Scope::All, ci).await.expect("find").expect("some").model, "Latitude 5420 (reference 3)");
        declare(&mut tx, &world.context, &actor, ci, DeclaredField::Model, "  ").await.expect("taken back");
        assert_eq!(find_ci(&mut tx, Scope::All, ci).await.expect("find").expect("some").model, "Latitude 5420");
    }
}

db_test! {
    async fn the_parc_list_is_filtered_and_paged(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        for n in 0..5 {
            let mut agent = TestAgent::new(world.machine(&format!("pc{n}")).await);
            agent.report(&intake, &tagged(&format!("pc{n}"), &format!("INV-10{n}"))).await;
        }
        let spare = make(&world, prepared(&world, "SPARE-1", "S-100%")).await;
        let mut tx = world.context.db.read().await.expect("read");
        let everything = CiFilter::default();
        let mut page = PageRequest { after: None, limit: 4 };
        let first = list_cis(&mut tx, Scope::All, &everything, &page).await.expect("list");
        page = PageRequest::from_query(first.next.as_deref(), Some(4));
        let second = list_cis(&mut tx, Scope::All, &everything, &page).await.expect("list");
        let names: Vec<&str> = first.rows.iter().chain(&second.rows).map(|it| it.name.as_str()).collect();
        assert_eq!((names, second.next), (vec!["", "pc0", "pc1", "pc2", "pc3", "pc4"], None));
        let filters = [
            (CiFilter { query: "latitude INV-103".into(), ..CiFilter::default() }, 1),
            (CiFilter { query: "inv103 nothing".into(), ..CiFilter::default() }, 0),
            (CiFilter { query: "100%".into(), ..CiFilter::default() }, 1),
            (CiFilter { software: Some("7-zip".into()), ..CiFilter::default() }, 5),
            (CiFilter { software: Some("absent".into()), ..CiFilter::default() }, 0),
            (CiFilter { os: Some("debian".into()), kind: Some("laptop".into()), ..CiFilter::default() }, 5),
            (CiFilter { make: Some("dell".into()), memory_below_mib: Some(16_385), ..CiFilter::default() }, 5),
            (CiFilter { memory_below_mib: Some(16_384), ..CiFilter::default() }, 0),
            // The spare one was made just now and has not had the time to be silent.
            (CiFilter { silent_since: Some(START), ..CiFilter::default() }, 0),
            (CiFilter { silent_since: Some(UtcMicros(START.0 + 1)), ..CiFilter::default() }, 6),
            (CiFilter { without_tag: true, ..CiFilter::default() }, 0),
            (CiFilter { organisation_id: Some(world.organisation_id()), ..CiFilter::default() }, 6),
        ];
        for (filter, expected) in filters {
            assert_eq!(count_cis(&mut tx, Scope::All, &filter).await.expect("count"), expected, "{filter:?}");
        }
        let stranger = Scope::Organisation(uuid::Uuid::from_u128(7).into());
        assert_eq!(count_cis(&mut tx, stranger, &everything).await.expect("count"), 0);
        assert!(find_ci(&mut tx, stranger, spare).await.expect("find").is_none());
        let keys = ["INV100".to_owned(), "INV104".to_owned(), "ZZ".to_owned()];
        let near = list_cis_by_tag_keys(&mut tx, world.organisation_id(), &keys).await.expect("near");
        assert_eq!(near.len(), 2);
        assert!(tag_is_foreign(&mut tx, uuid::Uuid::from_u128(7).into(), "INV100").await.expect("foreign"));
        assert!(!tag_is_foreign(&mut tx, world.organisation_id(), "INV100").await.expect("own"));
        assert_eq!(list_cis_by_tag(&mut tx, Scope::All, "INV100").await.expect("by tag").len(), 1);
    }
}
