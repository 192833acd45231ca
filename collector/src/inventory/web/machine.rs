//! The machine as people read it: what it is, what matters about it today, its configuration, and what it
//! cannot say about itself. Shared by tickets and by the page of an item. Pure.

mod badges;
mod grid;
mod unknown;

use self::badges::badges;
pub(crate) use self::grid::GridRow;
use self::grid::grid;
pub(super) use self::grid::{encryption_code, speed};
pub(crate) use self::unknown::Unknown;
use self::unknown::unknown;
pub(super) use self::unknown::{problem_code, section_code};
use crate::inventory::{DeclaredField, Fact, Lifecycle, Machine, SourcedValue};
use crate::kernel::time::{UtcMicros, Zone};
use crate::web::parts::{Badge, Pair};
use crate::web::{Stamp, Texts};

/// What is known beside the machine's own words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// Another machine claims its tag.
    pub contested: bool,
    pub lifecycle: Lifecycle,
    pub has_agent: bool,
    /// The last contact of its agent, now.
    pub last_contact_at: Option<UtcMicros>,
}

/// Language, wall clock and present moment of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lens<'a> {
    pub texts: Texts,
    pub zone: &'a Zone,
    pub now: UtcMicros,
}

/// A machine, ready to be drawn.
#[derive(Clone, Debug)]
pub(crate) struct MachineView {
    /// Make and model without repetition: `Dell Latitude 5420`.
    pub headline: String,
    pub icon: &'static str,
    /// Empty without one.
    pub tag: String,
    pub kind: String,
    pub name: String,
    pub serial: String,
    pub badges: Vec<Badge>,
    pub place: Vec<Pair>,
    /// Facts that need their source said: declared only, or two sources that disagree.
    pub sourced: Vec<FactView>,
    pub grid: Vec<GridRow>,
    /// What it could not say about itself, in words.
    pub unknown: Vec<Unknown>,
    pub last_report: Option<Stamp>,
    pub software: String,
}

/// A field with its sources.
#[derive(Clone, Debug)]
pub(crate) struct FactView {
    pub label: String,
    pub declared: Option<ValueView>,
    pub discovered: Option<ValueView>,
    /// Both are known and differ.
    pub disagrees: bool,
}

/// A value, where it comes from and since when.
#[derive(Clone, Debug)]
pub(crate) struct ValueView {
    pub value: String,
    pub source: String,
    pub at: Stamp,
}

/// Everything about a machine.
pub(crate) fn machine_view(lens: Lens<'_>, machine: &Machine, standing: Standing) -> MachineView {
    let texts = lens.texts;
    let kind = known_kind(&machine.kind);
    MachineView {
        headline: headline(texts, machine),
        icon: kind,
        tag: machine.tag.clone().unwrap_or_default(),
        kind: texts.word("kind", kind).into_owned(),
        name: machine.name.clone(),
        serial: machine.text(DeclaredField::Serial).to_owned(),
        badges: badges(lens, machine, standing),
        place: place(texts, machine),
        sourced: machine.facts.iter().filter(|it| needs_source(it)).map(|it| fact_view(lens, it)).collect(),
        grid: grid(lens, machine),
        unknown: machine.problems.iter().map(|it| unknown(texts, machine, it)).collect(),
        last_report: machine.last_report_at.map(|at| Stamp::ago(texts, lens.zone, at, lens.now)),
        software: texts.tn("count-titles", machine.software_count).into_owned(),
    }
}

/// The kinds there are words and icons for.
pub(crate) fn known_kind(kind: &str) -> &'static str {
    ["laptop", "desktop", "server", "virtual"].into_iter().find(|it| *it == kind).unwrap_or("other")
}

/// `Dell` and `Dell Latitude` make `Dell Latitude`; a machine without both is named by its kind.
pub(crate) fn make_and_model(make: &str, model: &str) -> String {
    let (make, model) = (make.trim(), model.trim());
    let repeated = !make.is_empty() && model.to_lowercase().starts_with(&make.to_lowercase());
    if repeated || make.is_empty() {
        model.to_owned()
    } else {
        format!("{make} {model}").trim_end().to_owned()
    }
}

fn headline(texts: Texts, machine: &Machine) -> String {
    let known = make_and_model(machine.text(DeclaredField::Make), machine.text(DeclaredField::Model));
    if !known.is_empty() {
        return known;
    }
    match hypervisor(machine) {
        Some(name) => texts.t1("machine-virtual", "hypervisor", name).into_owned(),
        None => texts.t("machine-unknown-model").into_owned(),
    }
}

fn hypervisor(machine: &Machine) -> Option<&str> {
    machine.system.as_ref().map(|it| it.hypervisor.as_str()).filter(|it| !it.is_empty())
}

fn place(texts: Texts, machine: &Machine) -> Vec<Pair> {
    [
        ("label-site", &machine.site_name),
        ("label-location", &machine.location),
        ("label-assigned-to", &machine.assigned_to_name),
    ]
    .into_iter()
    .filter(|it| !it.1.is_empty())
    .map(|(key, value)| Pair::new(texts.t(key), value))
    .collect()
}

fn needs_source(fact: &Fact) -> bool {
    let shown_elsewhere = matches!(fact.field, DeclaredField::WarrantyUntil);
    fact.disagrees() || (fact.declared.is_some() && !shown_elsewhere)
}

/// One field with its sources.
pub(crate) fn fact_view(lens: Lens<'_>, fact: &Fact) -> FactView {
    FactView {
        label: lens.texts.word("field", fact.field.code()).into_owned(),
        declared: fact.declared.as_ref().map(|it| value_view(lens, fact.field, it, true)),
        discovered: fact.discovered.as_ref().map(|it| value_view(lens, fact.field, it, false)),
        disagrees: fact.disagrees(),
    }
}

fn value_view(lens: Lens<'_>, field: DeclaredField, value: &SourcedValue, declared: bool) -> ValueView {
    let source = if declared {
        lens.texts.t1("declared-by", "name", &value.source).into_owned()
    } else {
        lens.texts.word("fact-source", &value.source).into_owned()
    };
    ValueView {
        value: fact_text(lens, field, &value.value),
        source,
        at: Stamp::day(lens.texts, lens.zone, value.at),
    }
}

/// Dates and kinds are written in the reader's words.
fn fact_text(lens: Lens<'_>, field: DeclaredField, value: &str) -> String {
    match field {
        DeclaredField::PurchasedOn | DeclaredField::WarrantyUntil => UtcMicros::parse(value, lens.zone)
            .map_or_else(|| value.to_owned(), |at| Stamp::day(lens.texts, lens.zone, at).text().to_owned()),
        DeclaredField::Kind => lens.texts.word("kind", value).into_owned(),
        _ => value.to_owned(),
    }
}
