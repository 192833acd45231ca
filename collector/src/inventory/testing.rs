//! Reports for tests, built as an agent builds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parc_wire::digest::{self, Digest};
use parc_wire::v1::{self, SectionKind};
use prost::Message;

use super::{AgentBinding, HookFuture, Intake, IntakeSettings, TagBound, TagListener, TagPolicy};
use crate::context::Context;
use crate::db::{Db, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::id::{AgentId, CiId, OrganisationId};
use crate::kernel::time::{ManualClock, UtcMicros};
use crate::sites::{self, NewOrganisation, Organisation};

/// The moment tests begin.
pub(super) const START: UtcMicros = UtcMicros(1_790_000_000_000_000);

/// A report under construction.
pub(super) struct Report {
    epoch: u64,
    seq: u64,
    digests: Vec<(SectionKind, Digest)>,
    changes: Vec<v1::SectionChange>,
}

impl Report {
    pub(super) fn new(epoch: u64, seq: u64) -> Self {
        Self { epoch, seq, digests: Vec::new(), changes: Vec::new() }
    }

    /// A whole section.
    pub(super) fn full(mut self, kind: SectionKind, items: Vec<v1::Item>) -> Self {
        self.digests.push((kind, digest_of(kind, &items)));
        self.changes.push(v1::SectionChange {
            kind: kind as i32,
            base_digest: vec![],
            put: items,
            drop: vec![],
        });
        self
    }

    /// A section that did not change.
    pub(super) fn same(mut self, kind: SectionKind, digest: Digest) -> Self {
        self.digests.push((kind, digest));
        self
    }

    /// The difference from `base` to `target`.
    pub(super) fn delta(
        mut self,
        kind: SectionKind,
        base: Digest,
        target: Digest,
        put: Vec<v1::Item>,
        drop: Vec<String>,
    ) -> Self {
        self.digests.push((kind, target));
        self.changes.push(v1::SectionChange { kind: kind as i32, base_digest: base.to_vec(), put, drop });
        self
    }

    pub(super) fn request(self) -> v1::ContactRequest {
        let declared = self.digests.iter().map(|(kind, it)| (*kind as i32, *it));
        v1::ContactRequest {
            epoch: self.epoch,
            seq: self.seq,
            report_id: digest::report_id(self.epoch, self.seq, declared).to_vec(),
            collected_at_us: START.0,
            agent_version: "0.1.0".into(),
            boot_id: vec![1; 16],
            digests: self
                .digests
                .iter()
                .map(|(kind, it)| v1::SectionDigest { kind: *kind as i32, digest: it.to_vec() })
                .collect(),
            changes: self.changes,
        }
    }
}

pub(super) fn digest_of(kind: SectionKind, items: &[v1::Item]) -> Digest {
    digest::section_digest(kind, items.iter().map(|it| digest::item_id(kind, it)))
}

pub(super) fn item(key: &str, body: &impl Message) -> v1::Item {
    v1::Item { key: key.into(), body: body.encode_to_vec() }
}

pub(super) fn cpu(key: &str, model: &str) -> v1::Item {
    item(key, &v1::CpuItem { model: model.into(), cores: 4, ..Default::default() })
}

pub(super) fn software(key: &str, name: &str, version: &str) -> v1::Item {
    let source = "dpkg".into();
    item(key, &v1::SoftwareItem { name: name.into(), version: version.into(), source, ..Default::default() })
}

pub(super) fn system(make: &str, model: &str, serial: &str) -> v1::Item {
    let system = v1::SystemItem {
        manufacturer: make.into(),
        product: model.into(),
        serial: serial.into(),
        chassis_type: "laptop".into(),
        ..Default::default()
    };
    item("system", &system)
}

pub(super) fn os(hostname: &str, kernel: &str) -> v1::Item {
    let os = v1::OsItem {
        hostname: hostname.into(),
        name: "Debian GNU/Linux".into(),
        version: "12".into(),
        kernel: kernel.into(),
        ..Default::default()
    };
    item("os", &os)
}

pub(super) fn memory(slot: &str, size_mib: u64) -> v1::Item {
    item(slot, &v1::MemoryItem { size_mib, kind: "DDR4".into(), slot: slot.into(), ..Default::default() })
}

pub(super) fn tag(text: &str) -> v1::Item {
    item("tag", &v1::AssetTagItem { tag: text.into(), source: v1::TagSource::Configuration as i32 })
}

/// Remembers which tags were bound.
#[derive(Debug, Default)]
pub(super) struct Bound(pub std::sync::Mutex<Vec<(String, CiId)>>);

impl Bound {
    pub(super) fn tags(&self) -> Vec<String> {
        self.0.lock().expect("lock").iter().map(|it| it.0.clone()).collect()
    }
}

impl TagListener for Bound {
    fn tag_bound<'a>(&'a self, _tx: &'a mut Tx, bound: &'a TagBound) -> HookFuture<'a> {
        self.0.lock().expect("lock").push((bound.tag.display().to_owned(), bound.ci_id));
        Box::pin(async { Ok(()) })
    }
}

/// A database with one organisation, and a clock that can be moved.
pub(super) struct World {
    pub context: Context,
    pub clock: Arc<ManualClock>,
    pub organisation: Organisation,
}

impl World {
    pub(super) async fn new(db: Db) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let context = Context { db, clock: clock.clone(), entropy: Arc::new(SystemEntropy) };
        let mut tx = context.db.begin().await.expect("begin");
        let new = NewOrganisation {
            code: "ACME".into(),
            name: "Acme".into(),
            time_zone: "Europe/Paris".into(),
            demo: false,
        };
        let organisation =
            sites::create_organisation(&mut tx, &context, &Actor::system(), new).await.expect("organisation");
        tx.commit().await.expect("commit");
        Self { context, clock, organisation }
    }

    pub(super) fn organisation_id(&self) -> OrganisationId {
        self.organisation.id
    }

    /// An intake, and what its listener hears.
    pub(super) fn intake(&self) -> (Intake, Arc<Bound>) {
        let bound = Arc::new(Bound::default());
        let (intake, _) = Intake::start(self.context.clone(), bound.clone(), IntakeSettings::default());
        (intake, bound)
    }

    /// Enrolls a machine without evidence.
    pub(super) async fn machine(&self, hostname: &str) -> AgentBinding {
        let mut tx = self.context.db.begin().await.expect("begin");
        let machine = super::EnrollingMachine {
            organisation_id: self.organisation.id,
            site_id: None,
            evidence: v1::Evidence::default(),
            claimed_tag: None,
            tag_policy: TagPolicy::MayCreate,
            hostname: hostname.into(),
        };
        let enrolled = super::enroll_ci(&mut tx, &self.context, machine).await.expect("enroll");
        tx.commit().await.expect("commit");
        self.binding(enrolled.ci_id, TagPolicy::MayCreate)
    }

    pub(super) fn binding(&self, ci_id: CiId, tag_policy: TagPolicy) -> AgentBinding {
        let agent_id = AgentId::generate(self.context.now(), self.context.entropy.as_ref());
        AgentBinding { agent_id, ci_id, organisation_id: self.organisation.id, tag_policy }
    }
}

/// An agent that remembers what was acknowledged and sends differences, as the real one does.
pub(super) struct TestAgent {
    pub binding: AgentBinding,
    pub epoch: u64,
    pub seq: u64,
    pub acknowledged: BTreeMap<SectionKind, Vec<v1::Item>>,
}

/// A machine's sections.
pub(super) type MachineState = BTreeMap<SectionKind, Vec<v1::Item>>;

impl TestAgent {
    pub(super) fn new(binding: AgentBinding) -> Self {
        Self { binding, epoch: 1, seq: 0, acknowledged: BTreeMap::new() }
    }

    /// The next report of `state`: differences where something is acknowledged, else whole sections.
    pub(super) fn next(&mut self, state: &MachineState) -> v1::ContactRequest {
        self.seq += 1;
        let mut report = Report::new(self.epoch, self.seq);
        for (kind, items) in state {
            let target = digest_of(*kind, items);
            report = match self.acknowledged.get(kind) {
                None => report.full(*kind, items.clone()),
                Some(old) if digest_of(*kind, old) == target => report.same(*kind, target),
                Some(old) => {
                    let put = items.iter().filter(|it| !old.contains(it)).cloned().collect();
                    let gone = old.iter().filter(|it| items.iter().all(|new| new.key != it.key));
                    let drop = gone.map(|it| it.key.clone()).collect();
                    report.delta(*kind, digest_of(*kind, old), target, put, drop)
                }
            };
        }
        report.request()
    }

    /// Reports `state` and sends whole sections when it is asked to.
    pub(super) async fn report(&mut self, intake: &Intake, state: &MachineState) -> v1::ContactResponse {
        let request = self.next(state);
        let mut answer = intake.contact(self.binding, request).await.expect("answer");
        if answer.outcome() == v1::Outcome::NeedFull {
            for kind in answer.need_full() {
                self.acknowledged.remove(&kind);
            }
            let request = self.next(state);
            answer = intake.contact(self.binding, request).await.expect("answer");
        }
        if answer.outcome() == v1::Outcome::Accepted {
            self.acknowledged = state.clone();
        }
        answer
    }
}

/// A workstation as a first report describes it.
pub(super) fn workstation(hostname: &str) -> MachineState {
    MachineState::from([
        (SectionKind::System, vec![system("Dell Inc.", "Latitude 5420", &format!("SN-{hostname}"))]),
        (SectionKind::Cpu, vec![cpu("cpu0", "Core i5-1145G7")]),
        (SectionKind::Memory, vec![memory("total", 16384), memory("DIMM A", 8192), memory("DIMM B", 8192)]),
        (SectionKind::Os, vec![os(hostname, "6.1.0-18")]),
        (SectionKind::Software, vec![software("7zip", "7-Zip", "24.07"), software("vim", "Vim", "9.1")]),
    ])
}
