//! Applying a batch of reports in one transaction, with a handful of statements for all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use parc_wire::digest::Digest;
use parc_wire::v1::{self, Outcome, SectionKind};

use super::super::content::{self, Section};
use super::super::items::Body;
use super::super::model::{AgentBinding, TagListener};
use super::super::store::contact::{self as contact_store, ContactRow, Head, NO_REPORT};
use super::super::store::section::{self as section_store, NewContent, SectionRow};
use super::super::tags;
use super::answer::{Answer, accepted};
use super::decide::{self, Header, Last, SectionVerdict};
use super::effects::{self, Change, MergedSection};
use super::merge::{Merged, merge};
use super::prepare::Prepared;
use super::quota::{Brought, INCOMPLETE, Quota, withhold};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::id::CiId;
use crate::kernel::time::UtcMicros;
use crate::software::{Catalogue, Mark, NewTitle, TitleId};

/// Why a batch was rolled back.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApplyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another collector applied a report of one of these machines meanwhile.
    #[error("another collector was faster")]
    Overtaken,
    /// The certificate leads to an item that is not stored.
    #[error("the agent's configuration item {0} is missing")]
    Orphan(CiId),
}

impl ApplyError {
    /// The disk under the database is full or fails.
    pub(super) fn is_about_the_disk(&self) -> bool {
        matches!(self, Self::Store(StoreError::Full(_) | StoreError::Broken(_)))
    }

    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Overtaken => true,
            Self::Orphan(_) => false,
        }
    }
}

type Report = (AgentBinding, Arc<Prepared>);

/// The one writer of reports in a process.
#[derive(Debug)]
pub(super) struct Applier {
    context: Context,
    listener: Arc<dyn TagListener>,
    catalogue: Catalogue,
    quota: Quota,
    /// Marks of the running transaction, remembered once it is durable.
    fresh: Mutex<HashMap<TitleId, Mark>>,
}

impl Applier {
    pub(super) fn new(context: Context, listener: Arc<dyn TagListener>) -> Self {
        Self {
            context,
            listener,
            catalogue: Catalogue::default(),
            quota: Quota::default(),
            fresh: Mutex::default(),
        }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Applies reports in order of their items (so that two collectors never wait for each other in a
    /// circle) and, of one item, in order of arrival. All or nothing; answers stand for durable effects.
    pub(super) async fn apply(&self, reports: &[Report]) -> Result<Vec<Answer>, ApplyError> {
        self.fresh().clear();
        let mut tx = self.context.db.begin().await?;
        let mut answers = vec![Answer::new(Outcome::Unspecified); reports.len()];
        for wave in waves(reports) {
            self.apply_wave(&mut tx, reports, &wave, &mut answers).await?;
        }
        tx.commit().await?;
        let marks = std::mem::take(&mut *self.fresh());
        self.catalogue.remember(marks);
        for ((binding, _), answer) in reports.iter().zip(&answers) {
            self.quota.count(binding.agent_id, answer.brought.new, self.context.now());
        }
        Ok(answers)
    }

    fn fresh(&self) -> std::sync::MutexGuard<'_, HashMap<TitleId, Mark>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At most one report of each item.
    async fn apply_wave(
        &self,
        tx: &mut Tx,
        reports: &[Report],
        wave: &[usize],
        answers: &mut [Answer],
    ) -> Result<(), ApplyError> {
        let cis: Vec<CiId> = wave.iter().map(|index| reports[*index].0.ci_id).collect();
        let heads = contact_store::read_heads(tx, &cis).await?;
        let mut contacts = Vec::with_capacity(wave.len());
        let mut look = Vec::new();
        for &index in wave {
            let (binding, report) = &reports[index];
            let head = heads.get(&binding.ci_id).ok_or(ApplyError::Orphan(binding.ci_id))?;
            answers[index] = match decide::header(head.last.as_ref(), binding.agent_id, report) {
                Header::Duplicate => Answer::new(Outcome::Duplicate),
                Header::Stale => Answer::new(Outcome::Stale),
                Header::Fork => {
                    Answer { reason: "seq was used by another report".into(), ..Answer::new(Outcome::Fork) }
                }
                Header::Unchanged => {
                    contacts.push(self.contact_row(binding, report, head));
                    accepted(head)
                }
                Header::Look => {
                    look.push(index);
                    continue;
                }
            };
        }
        let changes = self.merge_all(tx, reports, &look, &heads, answers).await?;
        for change in &changes {
            let (binding, report) = &reports[change.index];
            let head = &heads[&binding.ci_id];
            contacts.push(changed_row(self.contact_row(binding, report, head), change));
            answers[change.index] = Answer { brought: change.brought, ..accepted(head) };
        }
        contacts.sort_by_key(|row| row.ci_id);
        if !contact_store::upsert(tx, &contacts).await? {
            return Err(ApplyError::Overtaken);
        }
        self.write_sections(tx, &changes).await?;
        effects::write(tx, &changes).await?;
        let new: HashMap<usize, v1::AssetTagItem> =
            changes.iter().filter_map(|it| Some((it.index, claimed(it)?))).collect();
        for &index in wave {
            if answers[index].outcome == Outcome::Accepted {
                let binding = &reports[index].0;
                let head = &heads[&binding.ci_id];
                if let Some(answer) = self.settle_tag(tx, binding, head, new.get(&index)).await? {
                    answers[index] = Answer { brought: answers[index].brought, ..answer };
                }
            }
        }
        Ok(())
    }

    fn contact_row(&self, binding: &AgentBinding, report: &Prepared, head: &Head) -> ContactRow {
        let previous = match &head.last {
            // Numbers of another epoch or agent say nothing about this one's.
            Some(last) if last.epoch == report.epoch && last.agent_id == binding.agent_id => {
                (last.seq, last.report_id)
            }
            Some(last) => (-1, last.report_id),
            None => (-1, NO_REPORT),
        };
        let last = Last {
            agent_id: binding.agent_id,
            epoch: report.epoch,
            seq: report.seq,
            report_id: report.report_id,
            state_digest: report.state_digest,
            previous,
        };
        ContactRow {
            ci_id: binding.ci_id,
            last,
            last_contact_at: self.context.now(),
            last_change_at: head.last_change_at,
            collected_at: report.collected_at,
            problem_count: head.problem_count,
            tag_note: head.tag_note.clone(),
        }
    }

    /// Second look at the reports that are not settled by their header: what can be merged is merged.
    async fn merge_all<'a>(
        &self,
        tx: &mut Tx,
        reports: &'a [Report],
        look: &[usize],
        heads: &HashMap<CiId, Head>,
        answers: &mut [Answer],
    ) -> Result<Vec<Change<'a>>, ApplyError> {
        if look.is_empty() {
            return Ok(Vec::new());
        }
        let cis: Vec<CiId> = look.iter().map(|index| reports[*index].0.ci_id).collect();
        let stored = section_store::read_sections(tx, &cis).await?;
        let mut to_merge: Vec<(usize, Vec<SectionKind>)> = Vec::new();
        let none = BTreeMap::new();
        for &index in look {
            let (binding, report) = &reports[index];
            let rows = stored.get(&binding.ci_id).unwrap_or(&none);
            let digests = rows.iter().map(|(kind, row)| (*kind, row.digest)).collect();
            match sections_to_merge(&digests, report) {
                Ok(kinds) => to_merge.push((index, kinds)),
                Err(answer) => answers[index] = answer,
            }
        }
        let sections = self.load(tx, reports, &to_merge, &stored).await?;
        let mut changes = Vec::with_capacity(to_merge.len());
        let mut brought = Vec::with_capacity(to_merge.len());
        for (index, kinds) in to_merge {
            let (binding, report) = &reports[index];
            let mut own_titles = BTreeMap::new();
            match merge_report(binding.ci_id, report, &kinds, &sections, &mut own_titles) {
                Ok(sections) => {
                    brought.push(own_titles);
                    let head = &heads[&binding.ci_id];
                    // History keys must rise even when the clock does not.
                    let at = self.context.now().max(UtcMicros(head.last_change_at.0 + 1));
                    changes.push(Change {
                        index,
                        binding,
                        at,
                        first: head.last.is_none(),
                        sections,
                        brought: Brought::default(),
                    });
                }
                Err(answer) => answers[index] = answer,
            }
        }
        let titles = self.admit(tx, &mut changes, brought).await?;
        let marks = self.catalogue.intern(tx, self.context.now(), &titles).await?;
        self.fresh().extend(marks);
        Ok(changes)
    }

    /// The titles that go into the catalogue; those over an agent's quota are set aside in its section.
    async fn admit(
        &self,
        tx: &mut Tx,
        changes: &mut [Change<'_>],
        brought: Vec<BTreeMap<TitleId, NewTitle>>,
    ) -> Result<BTreeMap<TitleId, NewTitle>, StoreError> {
        let ids: BTreeSet<TitleId> = brought.iter().flat_map(BTreeMap::keys).copied().collect();
        let known = self.catalogue.marks(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
        let (mut titles, mut admitted) = (BTreeMap::new(), BTreeSet::new());
        for (change, mut own) in changes.iter_mut().zip(brought) {
            let left = self.quota.left(change.binding.agent_id, self.context.now());
            for section in change.sections.iter_mut().filter(|it| it.kind == SectionKind::Software) {
                change.brought = withhold(&mut section.new, &mut own, &known, &mut admitted, left);
                if change.brought.withheld > 0 {
                    section.digest = INCOMPLETE;
                }
            }
            titles.append(&mut own);
        }
        Ok(titles)
    }

    /// The stored sections that will be merged into, decoded.
    async fn load(
        &self,
        tx: &mut Tx,
        reports: &[Report],
        to_merge: &[(usize, Vec<SectionKind>)],
        stored: &HashMap<CiId, BTreeMap<SectionKind, SectionRow>>,
    ) -> Result<HashMap<(CiId, SectionKind), Section>, StoreError> {
        let pairs = to_merge
            .iter()
            .flat_map(|(index, kinds)| kinds.iter().map(|kind| (reports[*index].0.ci_id, *kind)));
        let rows: Vec<&SectionRow> = pairs.filter_map(|(ci, kind)| stored.get(&ci)?.get(&kind)).collect();
        let wanted = rows.iter().map(|row| (row.content_id, row.kind)).collect();
        let contents = section_store::read_contents(tx, &wanted).await?;
        let mut ids = BTreeSet::new();
        for content in contents.values() {
            ids.extend(content.titles()?);
        }
        let ids: Vec<TitleId> = ids.into_iter().collect();
        let marks = self.catalogue.marks(tx, &ids).await?;
        let mut sections = HashMap::with_capacity(rows.len());
        for row in rows {
            if let Some(content) = contents.get(&row.content_id) {
                sections.insert((row.ci_id, row.kind), content.section(&marks)?);
            }
        }
        self.fresh().extend(marks);
        Ok(sections)
    }

    async fn write_sections(&self, tx: &mut Tx, changes: &[Change<'_>]) -> Result<(), StoreError> {
        let mut contents: BTreeMap<Digest, NewContent> = BTreeMap::new();
        let mut rows = Vec::new();
        {
            let marks = self.fresh();
            for change in changes {
                for section in &change.sections {
                    let encoded = section.new.encode(section.kind, &marks);
                    let id = content::content_id(section.kind, &encoded);
                    let new = || NewContent { id, kind: section.kind, body: content::pack(&encoded) };
                    contents.entry(id).or_insert_with(new);
                    rows.push(SectionRow {
                        ci_id: change.binding.ci_id,
                        kind: section.kind,
                        digest: section.digest,
                        content_id: id,
                        received_at: change.at,
                    });
                }
            }
        }
        let contents: Vec<NewContent> = contents.into_values().collect();
        section_store::insert_contents(tx, self.context.now(), &contents).await?;
        section_store::upsert_sections(tx, &rows).await
    }

    /// A claim that is new, or an old one that could not be settled then; nothing when there is neither.
    async fn settle_tag(
        &self,
        tx: &mut Tx,
        binding: &AgentBinding,
        head: &Head,
        new: Option<&v1::AssetTagItem>,
    ) -> Result<Option<Answer>, StoreError> {
        let item = match new {
            Some(item) => item.clone(),
            None if tags::may_clear(&head.tag_note) => {
                stored_claim(tx, binding.ci_id).await?.unwrap_or_default()
            }
            None => return Ok(None),
        };
        let note = tags::settle_claim(tx, &self.context, self.listener.as_ref(), binding, &item).await?;
        contact_store::set_tag_note(tx, binding.ci_id, note).await?;
        let after = contact_store::read_heads(tx, &[binding.ci_id]).await?;
        Ok(after.get(&binding.ci_id).map(accepted))
    }
}

/// Indexes in order of item; the second report of an item goes into the second wave, and so on.
fn waves(reports: &[Report]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..reports.len()).collect();
    order.sort_by_key(|index| (reports[*index].0.ci_id, *index));
    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut nth = 0;
    for (position, &index) in order.iter().enumerate() {
        let repeated = position > 0 && reports[order[position - 1]].0.ci_id == reports[index].0.ci_id;
        nth = if repeated { nth + 1 } else { 0 };
        if waves.len() <= nth {
            waves.push(Vec::new());
        }
        waves[nth].push(index);
    }
    waves
}

fn sections_to_merge(
    stored: &BTreeMap<SectionKind, Digest>,
    report: &Prepared,
) -> Result<Vec<SectionKind>, Answer> {
    let verdicts = decide::sections(stored, report);
    let of = |wanted: SectionVerdict| -> Vec<SectionKind> {
        verdicts.iter().filter(|(_, verdict)| **verdict == wanted).map(|(kind, _)| *kind).collect()
    };
    let need_full = of(SectionVerdict::NeedFull);
    if need_full.is_empty() { Ok(of(SectionVerdict::Merge)) } else { Err(Answer::need_full(need_full)) }
}

fn merge_report(
    ci: CiId,
    report: &Prepared,
    kinds: &[SectionKind],
    stored: &HashMap<(CiId, SectionKind), Section>,
    titles: &mut BTreeMap<TitleId, NewTitle>,
) -> Result<Vec<MergedSection>, Answer> {
    let mut merged = Vec::with_capacity(kinds.len());
    let mut need_full = Vec::new();
    for kind in kinds {
        let (Some(change), Some(digest)) = (report.changes.get(kind), report.digests.get(kind)) else {
            continue;
        };
        let old = stored.get(&(ci, *kind));
        match merge(*kind, old, change, digest, titles) {
            Merged::Section(new) => {
                merged.push(MergedSection { kind: *kind, digest: *digest, old: old.cloned(), new });
            }
            Merged::NeedFull => need_full.push(*kind),
            Merged::Invalid(reason) => return Err(Answer::invalid(reason)),
        }
    }
    if need_full.is_empty() { Ok(merged) } else { Err(Answer::need_full(need_full)) }
}

fn changed_row(mut row: ContactRow, change: &Change<'_>) -> ContactRow {
    if !change.sections.is_empty() {
        row.last_change_at = change.at;
    }
    if change.brought.withheld > 0 {
        row.last.state_digest = INCOMPLETE;
    }
    if let Some(problems) = change.sections.iter().find(|it| it.kind == SectionKind::Problems) {
        row.problem_count = i64::try_from(problems.new.len()).unwrap_or(i64::MAX);
    }
    row
}

/// The claim of a report that changes it; nothing when it does not.
fn claimed(change: &Change<'_>) -> Option<v1::AssetTagItem> {
    let section = change.sections.iter().find(|it| it.kind == SectionKind::AssetTag)?;
    let items = section.new.bodies(section.kind);
    Some(items.into_values().find_map(as_tag).unwrap_or_default())
}

fn as_tag(body: Body) -> Option<v1::AssetTagItem> {
    if let Body::AssetTag(item) = body { Some(item) } else { None }
}

async fn stored_claim(tx: &mut Tx, ci: CiId) -> Result<Option<v1::AssetTagItem>, StoreError> {
    let state = super::super::view::read_state(tx, ci, &[SectionKind::AssetTag]).await?;
    Ok(state.bodies(SectionKind::AssetTag).find_map(|it| as_tag(it.clone())))
}
