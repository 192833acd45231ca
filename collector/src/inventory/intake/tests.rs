use std::sync::Arc;
use std::time::Duration;

use parc_wire::v1::{self, Outcome, SectionKind};
use proptest::strategy::{Strategy, ValueTree};

use super::*;
use crate::db::Db;
use crate::db_test;
use crate::inventory::testing::{
    Bound, MachineState, Report, TestAgent, World, cpu, digest_of, memory, os, software, workstation,
};
use crate::inventory::{current_machine, history, list_software};
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::page::PageRequest;

async fn outcome(intake: &Intake, binding: AgentBinding, request: v1::ContactRequest) -> v1::ContactResponse {
    intake.contact(binding, request).await.expect("answer")
}

db_test! {
    async fn a_first_report_an_unchanged_one_and_a_difference(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let mut agent = TestAgent::new(world.machine("pc01").await);
        let mut state = workstation("pc01");
        assert_eq!(agent.report(&intake, &state).await.outcome(), Outcome::Accepted);
        let again = agent.next(&state);
        assert!(again.changes.is_empty());
        assert_eq!(outcome(&intake, agent.binding, again).await.outcome(), Outcome::Accepted);
        state.insert(SectionKind::Software, vec![software("7zip", "7-Zip", "24.08"), software("vim", "Vim", "9.1")]);
        state.insert(SectionKind::Memory, vec![memory("total", 8192), memory("DIMM A", 8192)]);
        let request = agent.next(&state);
        assert!(request.changes.iter().all(|it| !it.base_digest.is_empty()), "differences only");
        assert_eq!(outcome(&intake, agent.binding, request).await.outcome(), Outcome::Accepted);
        let mut tx = world.context.db.read().await.expect("read");
        let machine = current_machine(&mut tx, agent.binding.ci_id).await.expect("machine").expect("some");
        assert_eq!(machine.memory_slots.len(), 1);
        let changes = history(&mut tx, agent.binding.ci_id, &PageRequest::first()).await.expect("history").rows;
        let lines: Vec<String> = changes.iter().map(|it| format!("{} {} {}>{}", it.section, it.item, it.before, it.after)).collect();
        assert_eq!(
            lines,
            [
                "software 7-Zip 24.07>24.08",
                "memory total 16384 MiB>8192 MiB",
                "memory DIMM B 8192 MiB DDR4>",
            ]
        );
        let titles = list_software(&mut tx, agent.binding.ci_id, "zip 24.08", &PageRequest::first()).await.expect("titles");
        assert_eq!(titles.rows.len(), 1);
    }
}

db_test! {
    async fn the_same_report_again_is_a_duplicate_and_another_under_its_number_a_fork(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let binding = world.machine("pc01").await;
        let report = |seq, model: &str| Report::new(7, seq).full(SectionKind::Cpu, vec![cpu("cpu0", model)]).request();
        for (request, expected) in [
            (report(1, "a"), Outcome::Accepted),
            (report(1, "a"), Outcome::Duplicate),
            (report(1, "b"), Outcome::Fork),
            (report(2, "b"), Outcome::Accepted),
            (report(1, "a"), Outcome::Stale),
            (report(1, "c"), Outcome::Fork),
            (report(5, "c"), Outcome::Accepted),
            (report(3, "d"), Outcome::Stale),
        ] {
            let seq = request.seq;
            assert_eq!(outcome(&intake, binding, request).await.outcome(), expected, "{seq}");
        }
        let mut tx = world.context.db.read().await.expect("read");
        let machine = current_machine(&mut tx, binding.ci_id).await.expect("machine").expect("some");
        assert_eq!(machine.cpus[0].model, "c", "neither stale nor forked reports are applied");
    }
}

db_test! {
    async fn what_cannot_be_merged_is_asked_for_whole(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let binding = world.machine("pc01").await;
        let unknown = Report::new(1, 1).same(SectionKind::Cpu, [5; 16]).request();
        let answer = outcome(&intake, binding, unknown).await;
        assert_eq!((answer.outcome(), answer.need_full().collect::<Vec<_>>()), (Outcome::NeedFull, vec![SectionKind::Cpu]));
        let first = [cpu("cpu0", "a")];
        let full = Report::new(1, 2).full(SectionKind::Cpu, first.to_vec()).request();
        assert_eq!(outcome(&intake, binding, full).await.outcome(), Outcome::Accepted);
        let wrong_base = Report::new(1, 3).delta(SectionKind::Cpu, [1; 16], [2; 16], vec![], vec![]).request();
        assert_eq!(outcome(&intake, binding, wrong_base).await.outcome(), Outcome::NeedFull);
        let base = digest_of(SectionKind::Cpu, &first);
        let wrong_result = Report::new(1, 4).delta(SectionKind::Cpu, base, [2; 16], vec![cpu("cpu1", "b")], vec![]).request();
        assert_eq!(outcome(&intake, binding, wrong_result).await.outcome(), Outcome::NeedFull);
        let mut lying = Report::new(1, 5).full(SectionKind::Cpu, vec![cpu("cpu0", "z")]).request();
        lying.changes[0].put = vec![cpu("cpu0", "y")];
        let answer = outcome(&intake, binding, lying).await;
        assert_eq!(answer.outcome(), Outcome::Invalid);
        assert!(answer.reason.contains("digest"), "{}", answer.reason);
    }
}

db_test! {
    async fn an_agent_that_lost_its_state_goes_on_without_a_change_in_the_history(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let mut agent = TestAgent::new(world.machine("pc01").await);
        agent.report(&intake, &workstation("pc01")).await;
        let mut reborn = TestAgent { epoch: 99, ..TestAgent::new(agent.binding) };
        assert_eq!(reborn.report(&intake, &workstation("pc01")).await.outcome(), Outcome::Accepted);
        let mut tx = world.context.db.read().await.expect("read");
        let changes = history(&mut tx, agent.binding.ci_id, &PageRequest::first()).await.expect("history");
        assert!(changes.rows.is_empty(), "{:?}", changes.rows);
    }
}

db_test! {
    async fn a_mended_value_does_not_break_the_next_difference(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let mut agent = TestAgent::new(world.machine("pc01").await);
        let mut state = workstation("pc01");
        state.insert(SectionKind::Software, vec![software("a", "Bad\u{202E}name", "1"), software("b", "Good", "1")]);
        let broken = v1::Item { key: "cpu1".into(), body: vec![0xFF] };
        state.insert(SectionKind::Cpu, vec![cpu("cpu0", "nul\0byte"), broken.clone()]);
        let answer = agent.report(&intake, &state).await;
        assert_eq!(answer.outcome(), Outcome::Accepted);
        assert_eq!(answer.set_aside.len(), 3, "{:?}", answer.set_aside);
        state.insert(SectionKind::Software, vec![software("a", "Bad\u{202E}name", "1"), software("b", "Good", "2")]);
        state.insert(SectionKind::Cpu, vec![broken, cpu("cpu2", "other")]);
        let request = agent.next(&state);
        assert_eq!(outcome(&intake, agent.binding, request).await.outcome(), Outcome::Accepted);
        let mut tx = world.context.db.read().await.expect("read");
        let titles = list_software(&mut tx, agent.binding.ci_id, "", &PageRequest::first()).await.expect("titles");
        let names: Vec<&str> = titles.rows.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["Bad\u{FFFD}name", "Good"]);
        let machine = current_machine(&mut tx, agent.binding.ci_id).await.expect("machine").expect("some");
        assert_eq!(machine.cpus.len(), 1);
    }
}

db_test! {
    async fn one_failing_report_of_a_batch_fails_alone(db: Db) {
        let world = World::new(db).await;
        let writer = Applier::new(world.context.clone(), Arc::new(Bound::default()));
        let good = world.machine("pc01").await;
        let orphan = world.binding(uuid::Uuid::from_u128(1).into(), good.tag_policy);
        let (mut jobs, mut answers) = (Vec::new(), Vec::new());
        let bytes = Arc::new(Semaphore::new(10));
        for binding in [orphan, good] {
            let request = Report::new(1, 1).full(SectionKind::Cpu, vec![cpu("cpu0", "a")]).request();
            let prepared = Arc::new(prepare::prepare(&request, world.context.now()).expect("prepared"));
            let (reply, answer) = oneshot::channel();
            let permit = Arc::clone(&bytes).try_acquire_many_owned(1).expect("permit");
            jobs.push(Job { binding, prepared, reply, _bytes: permit });
            answers.push(answer);
        }
        commit(&writer, jobs).await;
        let mut answers = answers.into_iter();
        let orphaned = answers.next().expect("first").await.expect("answered");
        assert!(matches!(orphaned, Err(IntakeError::Internal)));
        let applied = answers.next().expect("second").await.expect("answered").expect("applied");
        assert_eq!(applied.outcome, Outcome::Accepted);
        assert_eq!(bytes.available_permits(), 10, "bytes are given back");
    }
}

db_test! {
    async fn reports_of_one_machine_in_one_batch_are_applied_in_order(db: Db) {
        let world = World::new(db).await;
        let applier = Applier::new(world.context.clone(), Arc::new(Bound::default()));
        let mut agent = TestAgent::new(world.machine("pc01").await);
        let mut other = TestAgent::new(world.machine("pc02").await);
        let mut reports = Vec::new();
        let mut add = |agent: &mut TestAgent, kernel: &str| {
            let mut state = workstation("pc");
            state.insert(SectionKind::Os, vec![os("pc", kernel)]);
            state.insert(SectionKind::Software, vec![software("k", "Kernel", kernel)]);
            let request = agent.next(&state);
            agent.acknowledged = state;
            reports.push((agent.binding, Arc::new(prepare::prepare(&request, world.context.now()).expect("prepared"))));
        };
        add(&mut agent, "1");
        add(&mut other, "1");
        add(&mut agent, "2");
        add(&mut agent, "3");
        let answers = applier.apply(&reports).await.expect("applied");
        assert!(answers.iter().all(|it| it.outcome == Outcome::Accepted), "{answers:?}");
        let mut tx = world.context.db.read().await.expect("read");
        let machine = current_machine(&mut tx, agent.binding.ci_id).await.expect("machine").expect("some");
        assert_eq!(machine.os.map(|it| it.kernel), Some("3".into()));
        let changes = history(&mut tx, agent.binding.ci_id, &PageRequest::first()).await.expect("history").rows;
        let kernels: Vec<&str> = changes.iter().filter(|it| it.section == "software").map(|it| it.after.as_str()).collect();
        assert_eq!(kernels, ["3", "2"]);
    }
}

db_test! {
    async fn an_answer_waits_for_the_commit(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let binding = world.machine("pc01").await;
        let request = Report::new(1, 1).full(SectionKind::Cpu, vec![cpu("cpu0", "a")]).request();
        let blocker = {
            let mut tx = world.context.db.begin().await.expect("begin");
            crate::sql!(&mut tx, |conn| sqlx::query("UPDATE inventory_ci SET location = 'x' WHERE id = $1")
                .bind(binding.ci_id)
                .execute(conn)
                .await
                .map(drop))

            .expect("lock the row");
            tx
        };
        let call = intake.contact(binding, request);
        tokio::pin!(call);
        let early = tokio::time::timeout(Duration::from_millis(150), &mut call).await;
        assert!(early.is_err(), "answered before anything was durable");
        drop(blocker);
        assert_eq!(call.await.expect("answer").outcome(), Outcome::Accepted);
        let mut tx = world.context.db.read().await.expect("read");
        let machine = current_machine(&mut tx, binding.ci_id).await.expect("machine").expect("some");
        assert_eq!(machine.cpus.len(), 1);
    }
}

db_test! {
    async fn many_calls_at_once_are_all_applied(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let mut calls = Vec::new();
        for n in 0..150 {
            let mut agent = TestAgent::new(world.machine(&format!("pc{n:03}")).await);
            let intake = intake.clone();
            calls.push(tokio::spawn(async move { agent.report(&intake, &workstation(&format!("pc{n:03}"))).await.outcome() }));
        }
        for call in calls {
            assert_eq!(call.await.expect("joined"), Outcome::Accepted);
        }
    }
}

db_test! {
    async fn any_sequence_of_states_ends_in_the_state_reported_last(db: Db) {
        let world = World::new(db).await;
        let applier = Applier::new(world.context.clone(), Arc::new(Bound::default()));
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let section = proptest::collection::btree_map(0..8_u8, 0..4_u8, 0..8);
        let states = proptest::collection::vec((section.clone(), section, 0..4_u8), 1..8);
        for round in 0..24_u64 {
            let sequence = states.new_tree(&mut runner).expect("tree").current();
            let mut agent = TestAgent::new(world.machine(&format!("pc{round}")).await);
            let mut last = MachineState::new();
            for (cpus, titles, loss) in sequence {
                last.insert(SectionKind::Cpu, cpus.iter().map(|(k, v)| cpu(&k.to_string(), &v.to_string())).collect());
                let titles = titles.iter().map(|(k, v)| software(&k.to_string(), "title", &v.to_string()));
                last.insert(SectionKind::Software, titles.collect());
                if loss == 0 {
                    agent = TestAgent { epoch: agent.epoch + 1, ..TestAgent::new(agent.binding) };
                }
                let request = agent.next(&last);
                let prepared = Arc::new(prepare::prepare(&request, world.context.now()).expect("prepared"));
                let answers = applier.apply(&[(agent.binding, prepared)]).await.expect("applied");
                assert_eq!(answers[0].outcome, Outcome::Accepted);
                agent.acknowledged = last.clone();
            }
            let mut tx = world.context.db.read().await.expect("read");
            let ci = agent.binding.ci_id;
            let stored = crate::inventory::store::section::read_sections(&mut tx, &[ci]).await.expect("sections");
            for (kind, items) in &last {
                assert_eq!(stored[&ci][kind].digest, digest_of(*kind, items), "round {round} {kind:?}");
            }
            let titles = crate::inventory::view::software_titles(&mut tx, ci).await.expect("titles");
            let mut expected: Vec<String> = last[&SectionKind::Software].iter().map(|it| {
                <v1::SoftwareItem as prost::Message>::decode(it.body.as_slice()).expect("title").version
            }).collect();
            expected.sort();
            expected.dedup();
            let mut found: Vec<String> = titles.into_iter().map(|it| it.version).collect();
            found.sort();
            assert_eq!(found, expected, "postings and content agree");
        }
    }
}

#[test]
fn slots_spread_a_herd_over_the_interval() {
    let now = UtcMicros(1_790_000_000_000_000);
    let mut quarters = [0; 5];
    for _ in 0..1_000 {
        let wait = next_contact_s(AgentId::generate(now, &SystemEntropy), now, 14_400);
        assert!((3_600..18_000).contains(&wait), "{wait}");
        quarters[(wait / 3_600) as usize] += 1;
    }
    assert!(quarters[1..].iter().all(|it| *it > 150), "{quarters:?}");
}

#[test]
fn a_push_back_stays_in_its_bounds() {
    for backlog in [0, 1_000, 10_000_000_000] {
        let pause = push_back(backlog, &SystemEntropy);
        assert!((5..=6 * 3_600).contains(&pause.as_secs()), "{backlog} {pause:?}");
    }
}

#[tokio::test]
async fn a_full_disk_turns_reports_away_until_there_is_room() {
    let test = crate::db::testing::TestDb::sqlite().await;
    let world = World::new(test.db.clone()).await;
    let (intake, _) = world.intake();
    let mut agent = TestAgent::new(world.machine("pc01").await);
    let mut tx = world.context.db.begin().await.expect("begin");
    // The engine takes the present size for the limit when it is asked for less.
    let pages: i64 =
        crate::sql!(&mut tx, |conn| sqlx::query_scalar("PRAGMA max_page_count = 1").fetch_one(conn).await)
            .expect("limit");
    assert!(pages > 1);
    tx.commit().await.expect("commit");
    let mut state = workstation("pc01");
    state.insert(
        SectionKind::Software,
        (0..2_000).map(|n| software(&format!("k{n}"), &format!("title {n}"), "1")).collect(),
    );
    for _ in 0..2 {
        let refused = intake.contact(agent.binding, agent.next(&state)).await.expect_err("no room");
        let IntakeError::Unavailable { retry_after } = refused else { panic!("{refused}") };
        assert!(retry_after >= NO_ROOM_WAIT);
        assert!(world.context.db.is_short_of_room());
    }
}

#[tokio::test]
async fn decoded_bytes_in_flight_are_bounded() {
    let test = crate::db::testing::TestDb::sqlite().await;
    let world = World::new(test.db.clone()).await;
    let (intake, _) = world.intake();
    let mut agent = TestAgent::new(world.machine("pc01").await);
    let request = agent.next(&workstation("pc01"));
    let kib = request.encoded_len() / 1024 + 1;
    let hold = |kib: usize| {
        let kib = u32::try_from(kib).expect("fits");
        Arc::clone(&intake.bytes).try_acquire_many_owned(kib).expect("free")
    };
    let others = hold(IN_FLIGHT_KIB_MAX - kib + 1);
    let refused = intake.contact(agent.binding, request.clone()).await.expect_err("no memory left");
    assert!(matches!(refused, IntakeError::Exhausted { .. }), "{refused}");
    drop(others);
    let others = hold(IN_FLIGHT_KIB_MAX - kib);
    assert_eq!(outcome(&intake, agent.binding, request).await.outcome(), Outcome::Accepted);
    drop(others);
    drop(hold(IN_FLIGHT_KIB_MAX));
}

fn titles(count: usize) -> MachineState {
    let titles = (0..count).map(|n| software(&format!("k{n}"), &format!("title {n}"), "1")).collect();
    MachineState::from([(SectionKind::Software, titles)])
}

async fn software_count(world: &World, agent: &TestAgent) -> usize {
    let mut tx = world.context.db.read().await.expect("read");
    crate::software::list_installed_ids(&mut tx, agent.binding.ci_id).await.expect("read").len()
}

#[tokio::test]
async fn twenty_thousand_titles_are_taken_and_not_one_more() {
    let test = crate::db::testing::TestDb::sqlite().await;
    let world = World::new(test.db.clone()).await;
    let (intake, _) = world.intake();
    let most = parc_wire::limits::SOFTWARE_ITEMS_MAX;
    let mut agent = TestAgent::new(world.machine("pc01").await);
    let answer = agent.report(&intake, &titles(most)).await;
    assert_eq!((answer.outcome(), answer.set_aside.len()), (Outcome::Accepted, 1));
    let mut agent = TestAgent::new(world.machine("pc02").await);
    let answer = agent.report(&intake, &titles(most + 1)).await;
    assert_eq!(answer.outcome(), Outcome::Invalid);
    assert!(answer.reason.contains("20000"), "{}", answer.reason);
}

db_test! {
    async fn titles_over_an_agents_daily_quota_wait_for_the_next_day(db: Db) {
        let world = World::new(db).await;
        let (intake, _) = world.intake();
        let mut agent = TestAgent::new(world.machine("pc01").await);
        let state = titles(quota::NEW_TITLES_MAX + 5);
        let answer = agent.report(&intake, &state).await;
        assert_eq!(answer.outcome(), Outcome::Accepted);
        assert!(answer.set_aside[0].reason.starts_with("5 titles"), "{:?}", answer.set_aside);
        assert_eq!(software_count(&world, &agent).await, 2_000);
        let again = agent.next(&state);
        assert!(again.changes.is_empty(), "for the agent nothing has changed");
        let asked = outcome(&intake, agent.binding, again).await;
        assert_eq!((asked.outcome(), asked.need_full().collect::<Vec<_>>()), (Outcome::NeedFull, vec![SectionKind::Software]));
        world.clock.advance(Duration::from_hours(24));
        let answer = agent.report(&intake, &state).await;
        assert_eq!((answer.outcome(), answer.set_aside.len()), (Outcome::Accepted, 0));
        assert_eq!(software_count(&world, &agent).await, 2_005);
        let mut tx = world.context.db.read().await.expect("read");
        let changes = history(&mut tx, agent.binding.ci_id, &PageRequest::first()).await.expect("history").rows;
        assert!(changes.is_empty(), "nothing was installed since: {changes:?}");
        drop(tx);
        let again = agent.next(&state);
        assert_eq!(outcome(&intake, agent.binding, again).await.outcome(), Outcome::Accepted);
    }
}
