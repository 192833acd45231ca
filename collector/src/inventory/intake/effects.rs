//! What merged sections lead to beside themselves: installations, history, list columns, identifiers.
//! Differences only, gathered over all reports of a batch.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parc_wire::digest::Digest;
use parc_wire::v1::SectionKind;

use super::super::content::Section;
use super::super::diff::{self, ItemChange};
use super::super::items::Body;
use super::super::machine::DeclaredField;
use super::super::model::AgentBinding;
use super::super::record::{Columns, Identifier, identifiers};
use super::super::store::ci as ci_store;
use super::super::store::history::{self as history_store, Place};
use super::super::store::identity::{self, IdentifierRow};
use super::quota::Brought;
use crate::db::{StoreError, Tx};
use crate::kernel::id::CiId;
use crate::kernel::time::UtcMicros;
use crate::software::{self, InstalledTitle, TitleId};

/// One section of one report, merged.
pub(super) struct MergedSection {
    pub(super) kind: SectionKind,
    pub(super) digest: Digest,
    pub(super) old: Option<Section>,
    pub(super) new: Section,
}

/// One report whose sections go in.
pub(super) struct Change<'a> {
    pub(super) index: usize,
    pub(super) binding: &'a AgentBinding,
    pub(super) at: UtcMicros,
    /// Nothing was known of the machine: what it says is no change.
    pub(super) first: bool,
    pub(super) sections: Vec<MergedSection>,
    pub(super) brought: Brought,
}

/// What a batch writes.
#[derive(Default)]
struct Effects {
    installed: BTreeMap<CiId, Vec<TitleId>>,
    uninstalled: BTreeMap<CiId, Vec<TitleId>>,
    history: Vec<(CiId, Place, ItemChange)>,
    found: Vec<IdentifierRow>,
    lost: Vec<IdentifierRow>,
}

/// Writes the effects of merged reports.
pub(super) async fn write(tx: &mut Tx, changes: &[Change<'_>]) -> Result<(), StoreError> {
    let touched = changes.iter().filter(|it| !it.sections.is_empty());
    let cis: Vec<CiId> = touched.map(|it| it.binding.ci_id).collect();
    if cis.is_empty() {
        return Ok(());
    }
    let columns = ci_store::read_columns(tx, &cis).await?;
    let declared = ci_store::read_declared(tx, &cis).await?;
    let texts = changed_titles(tx, changes).await?;
    let mut effects = Effects::default();
    for change in changes {
        let ci = change.binding.ci_id;
        let Some(before) = columns.get(&ci) else { continue };
        let declared = declared.get(&ci).into_iter().flatten();
        let declared = declared.map(|(field, it)| (*field, it.value.clone())).collect();
        let after = effects.gather(change, before.clone(), &declared, &texts);
        update_columns(tx, ci, before, after).await?;
    }
    effects.write(tx).await
}

impl Effects {
    /// Adds one report's effects and gives the item's columns after it.
    fn gather(
        &mut self,
        change: &Change<'_>,
        mut columns: Columns,
        declared: &BTreeMap<DeclaredField, String>,
        texts: &HashMap<TitleId, InstalledTitle>,
    ) -> Columns {
        let ci = change.binding.ci_id;
        let mut items = Vec::new();
        for section in &change.sections {
            if section.kind == SectionKind::Software {
                columns.software_count = i64::try_from(section.new.titles().len()).unwrap_or(i64::MAX);
                items.extend(self.gather_software(ci, section, texts));
                continue;
            }
            let old = section.old.as_ref().map(|it| it.bodies(section.kind)).unwrap_or_default();
            let new = section.new.bodies(section.kind);
            columns.update(section.kind, &new, declared);
            self.gather_identifiers(change, &old, &new);
            // What was never known did not change; but no problem list is an empty one.
            if section.old.is_some() || (section.kind == SectionKind::Problems && !change.first) {
                items.extend(diff::diff(section.kind, &old, &new));
            }
        }
        let places = (0_i64..).map(|change_no| Place { at: change.at, change_no });
        self.history.extend(places.zip(items).map(|(place, item)| (ci, place, item)));
        columns
    }

    fn gather_software(
        &mut self,
        ci: CiId,
        section: &MergedSection,
        texts: &HashMap<TitleId, InstalledTitle>,
    ) -> Vec<ItemChange> {
        let (added, removed) = title_differences(section);
        let titles = |ids: &[TitleId]| ids.iter().filter_map(|id| texts.get(id).cloned()).collect::<Vec<_>>();
        let known = section.old.is_some();
        let waited = waited_titles(section);
        let news: Vec<TitleId> = added.iter().filter(|it| !waited.contains(it)).copied().collect();
        let items = if known { diff::diff_software(titles(&removed), titles(&news)) } else { Vec::new() };
        self.installed.insert(ci, added);
        self.uninstalled.insert(ci, removed);
        items
    }

    fn gather_identifiers(
        &mut self,
        change: &Change<'_>,
        old: &BTreeMap<String, Body>,
        new: &BTreeMap<String, Body>,
    ) {
        let (old, new) = (identifiers(old), identifiers(new));
        let row = |identifier: &Identifier| IdentifierRow {
            organisation_id: change.binding.organisation_id,
            identifier: identifier.clone(),
            ci_id: change.binding.ci_id,
        };
        self.found.extend(new.difference(&old).map(row));
        self.lost.extend(old.difference(&new).map(row));
    }

    async fn write(mut self, tx: &mut Tx) -> Result<(), StoreError> {
        software::install(tx, &self.installed).await?;
        software::uninstall(tx, &self.uninstalled).await?;
        history_store::insert_changes(tx, &self.history).await?;
        self.lost.sort();
        self.found.sort();
        identity::delete(tx, &self.lost).await?;
        identity::insert(tx, &self.found).await
    }
}

async fn update_columns(
    tx: &mut Tx,
    ci: CiId,
    before: &Columns,
    mut after: Columns,
) -> Result<(), StoreError> {
    if after == *before {
        return Ok(());
    }
    after.refresh_search_key();
    ci_store::update_columns(tx, ci, &after).await
}

/// Titles of items that were there before and set aside: the machine did not change.
fn waited_titles(section: &MergedSection) -> BTreeSet<TitleId> {
    let (Some(Section::Software(old)), Section::Software(new)) = (&section.old, &section.new) else {
        return BTreeSet::new();
    };
    let same = new.iter().filter(|(key, item)| old.get(key).is_some_and(|it| it.raw_id == item.raw_id));
    same.filter_map(|(_, item)| item.title).collect()
}

/// Titles that came and that went, each once.
fn title_differences(section: &MergedSection) -> (Vec<TitleId>, Vec<TitleId>) {
    let old = section.old.as_ref().map(Section::titles).unwrap_or_default();
    let new = section.new.titles();
    let only = |here: &[TitleId], there: &[TitleId]| {
        here.iter().filter(|it| there.binary_search(it).is_err()).copied().collect::<Vec<_>>()
    };
    (only(&new, &old), only(&old, &new))
}

/// The texts of every title that the history of any of the reports will name, in one read.
async fn changed_titles(
    tx: &mut Tx,
    changes: &[Change<'_>],
) -> Result<HashMap<TitleId, InstalledTitle>, StoreError> {
    let sections = changes.iter().flat_map(|it| &it.sections);
    let known =
        sections.filter(|it| it.kind == SectionKind::Software && it.old.is_some()).map(title_differences);
    let ids: BTreeSet<TitleId> =
        known.flat_map(|(added, removed)| added.into_iter().chain(removed)).collect();
    let ids: Vec<TitleId> = ids.into_iter().collect();
    Ok(software::list_titles(tx, &ids).await?.into_iter().map(|it| (it.id, it.title)).collect())
}
