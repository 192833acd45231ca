//! A machine now, as pinned and as it was; what differs between two of them.

use std::collections::{BTreeMap, HashMap};

use parc_wire::digest::Digest;
use parc_wire::v1::SectionKind;
use serde::{Deserialize, Serialize};

use super::content::{Section, Unpacked};
use super::diff::{self, ItemChange};
use super::items::Body;
use super::machine::{Change, DeclaredField, Fact, Machine, SourcedValue};
use super::model::CiSummary;
use super::record::system_fact;
use super::store::{
    ci as ci_store, history as history_store, list, pin as pin_store, section as section_store,
};
use super::wording;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Scope;
use crate::kernel::id::{CiId, PinId};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::text::search_key;
use crate::kernel::time::UtcMicros;
use crate::software::{self, InstalledTitle, Title, TitleId};

/// Sections that a [`Machine`] shows; software is listed apart, the tag is on the record.
const SHOWN: [SectionKind; 10] = [
    SectionKind::System,
    SectionKind::Firmware,
    SectionKind::Cpu,
    SectionKind::Memory,
    SectionKind::Storage,
    SectionKind::Volumes,
    SectionKind::Network,
    SectionKind::Displays,
    SectionKind::Os,
    SectionKind::Problems,
];
/// Changes read at once when a past state is rebuilt.
const REBUILD_ROWS: i64 = 1_000;

/// Decoded items by section and key.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    items: BTreeMap<SectionKind, BTreeMap<String, Body>>,
    received_at: BTreeMap<SectionKind, UtcMicros>,
}

impl State {
    pub(super) fn bodies(&self, kind: SectionKind) -> impl Iterator<Item = &Body> {
        self.items.get(&kind).into_iter().flat_map(BTreeMap::values)
    }
}

/// Facts of a pin that are not in sections: as they stood, JSON.
#[derive(Serialize, Deserialize)]
struct PinnedRecord {
    name: String,
    tag: Option<String>,
    kind: String,
    site_name: String,
    location: String,
    assigned_to_name: String,
    facts: Vec<Fact>,
    software_count: i64,
}

/// Reads sections of an item.
pub(super) async fn read_state(tx: &mut Tx, ci: CiId, kinds: &[SectionKind]) -> Result<State, StoreError> {
    let mut sections = section_store::read_sections(tx, &[ci]).await?.remove(&ci).unwrap_or_default();
    sections.retain(|kind, _| kinds.contains(kind));
    let wanted = sections.iter().map(|(kind, row)| (*kind, row.content_id)).collect();
    let items = read_items(tx, &wanted).await?;
    Ok(State {
        items,
        received_at: sections.into_iter().map(|(kind, row)| (kind, row.received_at)).collect(),
    })
}

async fn read_items(
    tx: &mut Tx,
    wanted: &BTreeMap<SectionKind, Digest>,
) -> Result<BTreeMap<SectionKind, BTreeMap<String, Body>>, StoreError> {
    let by_id = wanted.iter().map(|(kind, id)| (*id, *kind)).collect();
    let contents = section_store::read_contents(tx, &by_id).await?;
    let decode = |(kind, id): (&SectionKind, &Digest)| {
        let section = contents.get(id).map(|it| it.section(&HashMap::new()));
        section.map(|it: Result<Section, StoreError>| Ok((*kind, it?.bodies(*kind))))
    };
    wanted.iter().filter(|(kind, _)| **kind != SectionKind::Software).filter_map(decode).collect()
}

/// The machine as last reported; nothing for an unknown item.
pub async fn current_machine(tx: &mut Tx, ci: CiId) -> Result<Option<Machine>, StoreError> {
    let Some(summary) = list::find(tx, Scope::All, ci).await? else {
        return Ok(None);
    };
    let state = read_state(tx, ci, &SHOWN).await?;
    let declared = ci_store::read_declared(tx, &[ci]).await?.remove(&ci).unwrap_or_default();
    Ok(Some(assemble(summary, state, declared)))
}

fn assemble(summary: CiSummary, state: State, declared: BTreeMap<DeclaredField, SourcedValue>) -> Machine {
    let facts = facts(&state, declared);
    let mut machine = Machine {
        ci: Some(summary.id),
        name: summary.name,
        tag: summary.tag,
        kind: summary.kind,
        site_name: summary.site_name,
        location: summary.location,
        assigned_to_name: summary.assigned_to_name,
        facts,
        software_count: summary.software_count,
        observed_at: summary.last_contact_at.unwrap_or_default(),
        last_report_at: summary.last_contact_at,
        ..Machine::default()
    };
    fill(&mut machine, state.items);
    machine
}

/// Declared and discovered values side by side.
fn facts(state: &State, mut declared: BTreeMap<DeclaredField, SourcedValue>) -> Vec<Fact> {
    let side_by_side = DeclaredField::ALL.map(|field| {
        let fact = Fact { field, declared: declared.remove(&field), discovered: discovered(state, field) };
        (fact.declared.is_some() || fact.discovered.is_some()).then_some(fact)
    });
    side_by_side.into_iter().flatten().collect()
}

fn discovered(state: &State, field: DeclaredField) -> Option<SourcedValue> {
    let kind = if field == DeclaredField::Name { SectionKind::Os } else { SectionKind::System };
    let value = state.bodies(kind).find_map(|body| match body {
        Body::System(it) => Some(system_fact(it, field)),
        Body::Os(it) => Some(it.hostname.clone()),
        _ => None,
    })?;
    let firmware = state.bodies(SectionKind::Firmware).find_map(|it| match it {
        Body::Firmware(it) if kind == SectionKind::System && !it.source.is_empty() => Some(it.source.clone()),
        _ => None,
    });
    let source = firmware.unwrap_or_else(|| super::items::section_code(kind).to_owned());
    let at = state.received_at.get(&kind).copied().unwrap_or_default();
    (!value.is_empty()).then_some(SourcedValue { value, source, at })
}

/// Puts decoded items where people look for them.
fn fill(machine: &mut Machine, items: BTreeMap<SectionKind, BTreeMap<String, Body>>) {
    for (key, body) in items.into_values().flatten() {
        match body {
            Body::System(it) => machine.system = Some(it),
            Body::Firmware(it) => machine.firmware = Some(it),
            Body::Cpu(it) => machine.cpus.push(it),
            Body::Memory(it) if key == TOTAL => machine.memory_total = Some(it),
            Body::Memory(it) => machine.memory_slots.push(it),
            Body::Storage(it) => machine.disks.push((key, it)),
            Body::Volumes(it) => machine.volumes.push((key, it)),
            Body::Network(it) => machine.networks.push((key, it)),
            Body::Displays(it) => machine.displays.push((key, it)),
            Body::Os(it) => machine.os = Some(it),
            Body::Problems(it) => machine.problems.push(it),
            Body::Software(_) | Body::AssetTag(_) => {}
        }
    }
}

const TOTAL: &str = "total";

/// The opposite of [`fill`]: items by section and a key that two states of one machine share.
fn items_of(machine: &Machine) -> BTreeMap<SectionKind, BTreeMap<String, Body>> {
    let mut items: BTreeMap<SectionKind, BTreeMap<String, Body>> = BTreeMap::new();
    let mut put =
        |kind: SectionKind, key: String, body: Body| drop(items.entry(kind).or_default().insert(key, body));
    let one = |key: &str| key.to_owned();
    machine.system.iter().for_each(|it| put(SectionKind::System, one("system"), Body::System(it.clone())));
    machine
        .firmware
        .iter()
        .for_each(|it| put(SectionKind::Firmware, one("bios"), Body::Firmware(it.clone())));
    machine.os.iter().for_each(|it| put(SectionKind::Os, one("os"), Body::Os(it.clone())));
    machine.memory_total.iter().for_each(|it| put(SectionKind::Memory, one(TOTAL), Body::Memory(it.clone())));
    for (index, it) in machine.cpus.iter().enumerate() {
        put(SectionKind::Cpu, format!("cpu{index}"), Body::Cpu(it.clone()));
    }
    for (index, it) in machine.memory_slots.iter().enumerate() {
        let key = if it.slot.is_empty() { format!("slot {index}") } else { it.slot.clone() };
        put(SectionKind::Memory, key, Body::Memory(it.clone()));
    }
    for it in &machine.problems {
        put(
            SectionKind::Problems,
            format!("{} {} {}", it.section, it.source, it.kind),
            Body::Problems(it.clone()),
        );
    }
    for (key, it) in &machine.disks {
        put(SectionKind::Storage, key.clone(), Body::Storage(it.clone()));
    }
    for (key, it) in &machine.volumes {
        put(SectionKind::Volumes, key.clone(), Body::Volumes(it.clone()));
    }
    for (key, it) in &machine.networks {
        put(SectionKind::Network, key.clone(), Body::Network(it.clone()));
    }
    for (key, it) in &machine.displays {
        put(SectionKind::Displays, key.clone(), Body::Displays(it.clone()));
    }
    items
}

/// What differs between a pinned state and a later one, by section and item; software is compared by
/// [`software_differences`]. Pure.
pub fn differences(pinned: &Machine, now: &Machine) -> Vec<Change> {
    let (old, new) = (items_of(pinned), items_of(now));
    let none = BTreeMap::new();
    let section = |kind: &SectionKind| {
        diff::diff(*kind, old.get(kind).unwrap_or(&none), new.get(kind).unwrap_or(&none))
    };
    SHOWN.iter().flat_map(section).map(|it| wording::render(now.observed_at, &it)).collect()
}

/// Keeps the item's present state for ever under a new pin. Costs one row and a reference per section.
pub async fn pin(tx: &mut Tx, context: &Context, ci: CiId) -> Result<PinId, StoreError> {
    let machine = current_machine(tx, ci).await?;
    let machine = machine.ok_or_else(|| StoreError::inconsistent("inventory_ci", "id", ci))?;
    let record = PinnedRecord {
        name: machine.name,
        tag: machine.tag,
        kind: machine.kind,
        site_name: machine.site_name,
        location: machine.location,
        assigned_to_name: machine.assigned_to_name,
        facts: machine.facts,
        software_count: machine.software_count,
    };
    let facts =
        serde_json::to_string(&record).map_err(|_| StoreError::inconsistent("inventory_pin", "facts", ci))?;
    let id = PinId::generate(context.now(), context.entropy.as_ref());
    let row = pin_store::PinRow {
        ci_id: ci,
        pinned_at: context.now(),
        last_report_at: machine.last_report_at,
        facts,
    };
    pin_store::insert(tx, id, &row).await?;
    Ok(id)
}

/// The machine as pinned; later reports and declarations never change it.
pub async fn pinned_machine(tx: &mut Tx, pin: PinId) -> Result<Option<Machine>, StoreError> {
    let Some(row) = pin_store::find(tx, pin).await? else {
        return Ok(None);
    };
    let record: PinnedRecord = serde_json::from_str(&row.facts)
        .map_err(|_| StoreError::inconsistent("inventory_pin", "facts", pin))?;
    let mut wanted = pin_store::read_sections(tx, pin).await?;
    wanted.retain(|kind, _| SHOWN.contains(kind));
    let mut machine = Machine {
        ci: Some(row.ci_id),
        name: record.name,
        tag: record.tag,
        kind: record.kind,
        site_name: record.site_name,
        location: record.location,
        assigned_to_name: record.assigned_to_name,
        facts: record.facts,
        software_count: record.software_count,
        observed_at: row.pinned_at,
        last_report_at: row.last_report_at,
        ..Machine::default()
    };
    fill(&mut machine, read_items(tx, &wanted).await?);
    Ok(Some(machine))
}

/// The machine as it was at a moment: today's state with the changes since then taken back, so values
/// outside the history (free space, addresses, boot time) and the record (tag, site, declared facts) are
/// today's. Nothing for an unknown item or a moment before it was made.
pub async fn machine_at(tx: &mut Tx, ci: CiId, at: UtcMicros) -> Result<Option<Machine>, StoreError> {
    let made = list::created_at(tx, ci).await?;
    let Some(summary) = list::find(tx, Scope::All, ci).await?.filter(|_| made.is_some_and(|it| it <= at))
    else {
        return Ok(None);
    };
    let mut state = read_state(tx, ci, &SHOWN).await?;
    let after = UtcMicros(at.0.saturating_add(1));
    let mut cursor = None;
    loop {
        let range = (after, UtcMicros(i64::MAX));
        let rows = history_store::list_changes(tx, ci, range, cursor, true, REBUILD_ROWS).await?;
        let Some((place, _)) = rows.last() else { break };
        cursor = Some(*place);
        for (_, change) in &rows {
            diff::undo(state.items.entry(change.kind).or_default(), change);
        }
    }
    let growth = history_store::software_growth(tx, ci, after).await?;
    let declared = ci_store::read_declared(tx, &[ci]).await?.remove(&ci).unwrap_or_default();
    let last_report_at = summary.last_contact_at.map(|it| it.min(at));
    let mut machine = assemble(summary, state, declared);
    machine.software_count = (machine.software_count - growth).max(0);
    machine.observed_at = at;
    machine.last_report_at = last_report_at;
    Ok(Some(machine))
}

/// Item-level changes in `[from, to)`, newest first, at most `limit`.
pub async fn list_changes(
    tx: &mut Tx,
    ci: CiId,
    from: UtcMicros,
    to: UtcMicros,
    limit: u32,
) -> Result<Vec<Change>, StoreError> {
    let rows = history_store::list_changes(tx, ci, (from, to), None, false, i64::from(limit)).await?;
    Ok(rows.iter().map(|(place, it)| wording::render(place.at, it)).collect())
}

/// The whole history, newest first.
pub async fn history(tx: &mut Tx, ci: CiId, page: &PageRequest) -> Result<Page<Change>, StoreError> {
    let cursor = page.after.as_deref().and_then(|it| {
        let (at, change_no) = it.split_once(' ')?;
        Some(history_store::Place { at: UtcMicros(at.parse().ok()?), change_no: change_no.parse().ok()? })
    });
    let all = (UtcMicros(i64::MIN), UtcMicros(i64::MAX));
    let rows = history_store::list_changes(tx, ci, all, cursor, false, page.fetch_limit()).await?;
    let rows =
        Page::cut(rows, page, |(place, _): &(_, ItemChange)| format!("{} {}", place.at.0, place.change_no));
    Ok(rows.map(|(place, it)| wording::render(place.at, &it)))
}

/// Installed titles of an item now whose name, publisher or version contains every word of `query`, by name.
pub async fn list_software(
    tx: &mut Tx,
    ci: CiId,
    query: &str,
    page: &PageRequest,
) -> Result<Page<InstalledTitle>, StoreError> {
    let sections = section_store::read_sections(tx, &[ci]).await?.remove(&ci).unwrap_or_default();
    let Some(row) = sections.get(&SectionKind::Software) else {
        return Ok(Page { rows: Vec::new(), next: None });
    };
    let ids = content_titles(tx, Some(row.content_id)).await?;
    let words: Vec<String> = query.split_whitespace().map(search_key).collect();
    let found = software::list_titles(tx, &ids).await?.into_iter().filter(|it| has_words(&it.title, &words));
    let mut titles: Vec<(String, Title)> = found.map(|it| (title_place(&it), it)).collect();
    titles.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(after) = &page.after {
        titles.retain(|(place, _)| place > after);
    }
    titles.truncate(page.limit as usize + 1);
    Ok(Page::cut(titles, page, |it| it.0.clone()).map(|(_, it)| it.title))
}

fn has_words(title: &InstalledTitle, words: &[String]) -> bool {
    let text = search_key(&format!("{} {} {}", title.name, title.version, title.publisher));
    words.iter().all(|it| text.contains(it.as_str()))
}

/// The distinct titles of an item, through its installations.
#[cfg(test)]
pub(super) async fn software_titles(tx: &mut Tx, ci: CiId) -> Result<Vec<InstalledTitle>, StoreError> {
    let ids = software::list_installed_ids(tx, ci).await?;
    Ok(software::list_titles(tx, &ids).await?.into_iter().map(|it| it.title).collect())
}

/// Sort key of a title, short enough for a cursor.
fn title_place(title: &Title) -> String {
    let name: String = search_key(&title.title.name).chars().take(64).collect();
    let version: String = title.title.version.chars().take(32).collect();
    format!("{name}\u{1f}{version}\u{1f}{:016x}", title.id.0)
}

async fn content_titles(tx: &mut Tx, content: Option<Digest>) -> Result<Vec<TitleId>, StoreError> {
    let Some(id) = content else { return Ok(Vec::new()) };
    let contents = section_store::read_contents(tx, &BTreeMap::from([(id, SectionKind::Software)])).await?;
    let mut titles = contents.get(&id).map(Unpacked::titles).transpose()?.unwrap_or_default();
    titles.sort_unstable();
    titles.dedup();
    Ok(titles)
}

/// What software came, went or changed on an item since a pin.
pub async fn software_differences(tx: &mut Tx, pin: PinId, ci: CiId) -> Result<Vec<Change>, StoreError> {
    let pinned = pin_store::read_sections(tx, pin).await?.remove(&SectionKind::Software);
    let mut sections = section_store::read_sections(tx, &[ci]).await?.remove(&ci).unwrap_or_default();
    let current = sections.remove(&SectionKind::Software);
    let at = current.as_ref().map(|it| it.received_at).unwrap_or_default();
    let current = current.map(|it| it.content_id);
    if pinned == current {
        return Ok(Vec::new());
    }
    let old = content_titles(tx, pinned).await?;
    let new = content_titles(tx, current).await?;
    let removed = titles_only_in(tx, &old, &new).await?;
    let added = titles_only_in(tx, &new, &old).await?;
    Ok(diff::diff_software(removed, added).iter().map(|it| wording::render(at, it)).collect())
}

/// The titles of one sorted list that another sorted list lacks.
async fn titles_only_in(
    tx: &mut Tx,
    here: &[TitleId],
    there: &[TitleId],
) -> Result<Vec<InstalledTitle>, StoreError> {
    let ids: Vec<TitleId> = here.iter().filter(|it| there.binary_search(it).is_err()).copied().collect();
    Ok(software::list_titles(tx, &ids).await?.into_iter().map(|it| it.title).collect())
}
