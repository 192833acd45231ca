//! The machine as people read it: what it is, what matters about it today, its configuration, and what it
//! cannot say about itself. Shared by tickets and by the page of an item. Pure.

use parc_wire::v1;

use crate::inventory::{DeclaredField, Fact, Lifecycle, Machine, SourcedValue};
use crate::kernel::time::{UtcMicros, Zone, days};
use crate::web::numbers::{integer, memory, storage};
use crate::web::parts::{Badge, Pair};
use crate::web::{Stamp, Texts};

/// Per cent of free space under which a volume is nearly full.
const FREE_PERCENT_MIN: u64 = 10;
/// Days of silence after which a workstation on holiday is told from one in trouble.
const SILENT_DAYS_WARN: u64 = 7;
/// Days of silence after which the configuration is history.
const SILENT_DAYS_DANGER: u64 = 30;

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

/// One row of the configuration grid.
#[derive(Clone, Debug)]
pub(crate) struct GridRow {
    pub label: String,
    pub entries: Vec<GridEntry>,
}

/// One module, disk, screen…
#[derive(Clone, Debug, Default)]
pub(crate) struct GridEntry {
    pub main: String,
    pub detail: String,
    pub meter: Option<Meter>,
}

/// Used space as a bar.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    /// 0 to 100.
    pub percent: u64,
    /// `""`, `warn` or `danger`.
    pub tone: &'static str,
    /// The same in words.
    pub text: String,
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

/// Something the machine cannot say.
#[derive(Clone, Debug)]
pub(crate) struct Unknown {
    pub text: String,
    /// The agent's own words, English.
    pub reason: String,
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

/// What matters today, the worst first.
fn badges(lens: Lens<'_>, machine: &Machine, standing: Standing) -> Vec<Badge> {
    let mut all: Vec<Badge> = [
        lifecycle_badge(lens.texts, standing.lifecycle),
        standing.contested.then(|| {
            badge("danger", "conflict", lens.texts.t("badge-contested"), lens.texts.t("badge-contested-hint"))
        }),
        silent_badge(lens, standing),
        fullest_volume_badge(lens, machine),
        warranty_badge(lens, machine),
        hypervisor(machine).map(|name| {
            badge(
                "info",
                "virtual",
                lens.texts.t("badge-virtual"),
                lens.texts.t1("machine-virtual", "hypervisor", name),
            )
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.sort_by_key(|it| ["danger", "warn", "info", "ok", "quiet"].iter().position(|tone| *tone == it.tone));
    all
}

fn badge(tone: &'static str, icon: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Badge {
    Badge { tone, icon, text: text.into(), hint: hint.into() }
}

fn lifecycle_badge(texts: Texts, lifecycle: Lifecycle) -> Option<Badge> {
    let (code, tone, icon) = match lifecycle {
        Lifecycle::InUse => return None,
        Lifecycle::Stock => ("stock", "quiet", "info"),
        Lifecycle::InRepair => ("in_repair", "warn", "wrench"),
        Lifecycle::OnLoan => ("on_loan", "info", "info"),
        Lifecycle::Retired => ("retired", "danger", "danger"),
        Lifecycle::Stolen => ("stolen", "danger", "danger"),
    };
    Some(badge(tone, icon, texts.word("lifecycle", code), ""))
}

fn silent_badge(lens: Lens<'_>, standing: Standing) -> Option<Badge> {
    let texts = lens.texts;
    if !standing.has_agent {
        return Some(badge("quiet", "info", texts.t("badge-no-agent"), texts.t("badge-no-agent-hint")));
    }
    let at = standing.last_contact_at?;
    let silence = lens.now.since(at);
    let tone = match silence {
        it if it > days(SILENT_DAYS_DANGER) => "danger",
        it if it > days(SILENT_DAYS_WARN) => "warn",
        _ => return None,
    };
    let count = i64::try_from(silence.as_secs() / 86_400).unwrap_or(i64::MAX);
    let hint = texts.t1("badge-silent-hint", "date", Stamp::moment(texts, lens.zone, at).text());
    Some(badge(tone, "clock", texts.tn("badge-silent", count), hint))
}

fn fullest_volume_badge(lens: Lens<'_>, machine: &Machine) -> Option<Badge> {
    let (mount, volume) = machine
        .volumes
        .iter()
        .filter(|(_, it)| it.free_known && it.size_mib > 0 && free_percent(it) < FREE_PERCENT_MIN)
        .min_by_key(|(_, it)| free_percent(it))?;
    let percent = free_percent(volume).to_string();
    let hint = lens.texts.t2("badge-disk-full-hint", ("volume", mount), ("percent", &percent));
    Some(badge("danger", "disk", lens.texts.t1("badge-disk-full", "volume", mount), hint))
}

fn free_percent(volume: &v1::VolumeItem) -> u64 {
    volume.free_mib.min(volume.size_mib).saturating_mul(100) / volume.size_mib.max(1)
}

fn warranty_badge(lens: Lens<'_>, machine: &Machine) -> Option<Badge> {
    let until = UtcMicros::parse(machine.text(DeclaredField::WarrantyUntil), lens.zone)?;
    let date = Stamp::day(lens.texts, lens.zone, until).text().to_owned();
    // The last day itself is covered.
    let covered = lens.now < until + days(1);
    let (tone, key) = if covered { ("ok", "badge-warranty") } else { ("warn", "badge-warranty-over") };
    Some(badge(tone, "shield", lens.texts.t1(key, "date", &date), ""))
}

fn grid(lens: Lens<'_>, machine: &Machine) -> Vec<GridRow> {
    let rows = [
        ("section-os", machine.os.iter().map(|it| os(lens, it)).collect::<Vec<_>>()),
        ("section-cpu", machine.cpus.iter().map(|it| cpu(lens.texts, it)).collect()),
        ("section-memory", memory_entries(lens.texts, machine)),
        ("section-storage", machine.disks.iter().map(|(key, it)| disk(lens.texts, key, it)).collect()),
        ("section-volumes", machine.volumes.iter().map(|(key, it)| volume(lens.texts, key, it)).collect()),
        ("section-displays", machine.displays.iter().map(|(key, it)| display(lens.texts, key, it)).collect()),
        ("section-network", networks(lens.texts, machine)),
        ("section-firmware", machine.firmware.iter().map(firmware).collect()),
    ];
    rows.into_iter()
        .filter(|it| !it.1.is_empty())
        .map(|(key, entries)| GridRow { label: lens.texts.t(key).into_owned(), entries })
        .collect()
}

/// Joins what is known with a middle dot.
fn joined(parts: &[&str]) -> String {
    parts.iter().map(|it| it.trim()).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn entry(main: String, detail: String) -> GridEntry {
    GridEntry { main, detail, meter: None }
}

fn os(lens: Lens<'_>, os: &v1::OsItem) -> GridEntry {
    let booted =
        (os.booted_at_us > 0).then(|| Stamp::moment(lens.texts, lens.zone, UtcMicros(os.booted_at_us)));
    let booted =
        booted.map(|at| lens.texts.t1("os-booted", "date", at.text()).into_owned()).unwrap_or_default();
    let main = [os.name.as_str(), &os.version, &os.edition]
        .into_iter()
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>();
    entry(main.join(" "), joined(&[&os.kernel, &os.architecture, &booted]))
}

fn cpu(texts: Texts, cpu: &v1::CpuItem) -> GridEntry {
    let cores =
        if cpu.cores > 0 { texts.tn("cpu-cores", i64::from(cpu.cores)).into_owned() } else { String::new() };
    let threads = if cpu.threads > 0 {
        texts.tn("cpu-threads", i64::from(cpu.threads)).into_owned()
    } else {
        String::new()
    };
    entry(cpu.model.clone(), joined(&[&cores, &threads]))
}

fn memory_entries(texts: Texts, machine: &Machine) -> Vec<GridEntry> {
    let language = texts.language();
    let Some(total) = &machine.memory_total else { return Vec::new() };
    let modules: Vec<&v1::MemoryItem> = machine.memory_slots.iter().filter(|it| !it.empty).collect();
    let free = machine.memory_slots.len() - modules.len();
    let free = match (machine.memory_slots.len(), free) {
        (0, _) => String::new(),
        (_, 0) => texts.t("memory-no-free-slot").into_owned(),
        (_, free) => texts.tn("memory-free-slots", count(free)).into_owned(),
    };
    let most = if total.maximum_mib > 0 {
        texts.t1("memory-maximum", "size", &memory(language, signed(total.maximum_mib))).into_owned()
    } else {
        String::new()
    };
    let mut entries = vec![entry(memory(language, signed(total.size_mib)), joined(&[&free, &most]))];
    entries.extend(modules.into_iter().map(|it| {
        let speed = if it.speed_mts > 0 {
            format!("{} MT/s", integer(language, i64::from(it.speed_mts)))
        } else {
            String::new()
        };
        entry(
            String::new(),
            joined(&[
                &it.slot,
                &memory(language, signed(it.size_mib)),
                &it.kind,
                &speed,
                &it.manufacturer,
                &it.part_number,
            ]),
        )
    }));
    entries
}

fn disk(texts: Texts, key: &str, disk: &v1::StorageItem) -> GridEntry {
    let size =
        if disk.size_mib > 0 { storage(texts.language(), signed(disk.size_mib)) } else { String::new() };
    let kind =
        if disk.kind.is_empty() { String::new() } else { texts.word("disk-kind", &disk.kind).into_owned() };
    let main = joined(&[&size, &kind]);
    entry(if main.is_empty() { key.to_owned() } else { main }, joined(&[&disk.model, &disk.serial]))
}

fn volume(texts: Texts, mount: &str, volume: &v1::VolumeItem) -> GridEntry {
    let language = texts.language();
    let encryption = match encryption_code(volume.encryption) {
        "unknown" => String::new(),
        code => texts.word("encryption", code).into_owned(),
    };
    let meter = (volume.free_known && volume.size_mib > 0).then(|| {
        let free = free_percent(volume);
        let tone = if free < FREE_PERCENT_MIN {
            "danger"
        } else if free < 2 * FREE_PERCENT_MIN {
            "warn"
        } else {
            ""
        };
        let sizes = (storage(language, signed(volume.free_mib)), storage(language, signed(volume.size_mib)));
        let text = texts.t2("volume-free", ("free", &sizes.0), ("size", &sizes.1)).into_owned();
        Meter { percent: 100 - free, tone, text }
    });
    let size = if meter.is_none() { storage(language, signed(volume.size_mib)) } else { String::new() };
    GridEntry { main: mount.to_owned(), detail: joined(&[&size, &volume.filesystem, &encryption]), meter }
}

pub(super) fn encryption_code(encryption: i32) -> &'static str {
    match v1::Encryption::try_from(encryption).unwrap_or(v1::Encryption::Unknown) {
        v1::Encryption::Unknown => "unknown",
        v1::Encryption::None => "none",
        v1::Encryption::Luks => "luks",
        v1::Encryption::Bitlocker => "bitlocker",
        v1::Encryption::Filevault => "filevault",
        v1::Encryption::Other => "other",
    }
}

fn display(texts: Texts, connector: &str, display: &v1::DisplayItem) -> GridEntry {
    let inches = i64::from(display.diagonal_mm) * 10 / 254;
    let inches = if inches > 0 {
        texts.t1("display-inches", "inches", &inches.to_string()).into_owned()
    } else {
        String::new()
    };
    let pixels = if display.width_px > 0 {
        format!("{} × {}", display.width_px, display.height_px)
    } else {
        String::new()
    };
    let year = if display.year > 0 { display.year.to_string() } else { String::new() };
    let internal = if display.internal { texts.t("display-internal").into_owned() } else { String::new() };
    let main = joined(&[&format!("{} {}", display.manufacturer, display.model), &inches, &internal]);
    entry(main, joined(&[connector, &pixels, &display.serial, &year]))
}

/// Interfaces with something behind them; bridges, tunnels and the loopback say nothing about a machine.
fn networks(texts: Texts, machine: &Machine) -> Vec<GridEntry> {
    let real = machine.networks.iter().filter(|(_, it)| !it.r#virtual && it.kind != "loopback");
    real.map(|(name, it)| {
        let addresses: Vec<&str> = it.ipv4.iter().chain(it.ipv6.iter().take(1)).map(String::as_str).collect();
        let speed = if it.up && it.speed_mbps > 0 { speed(texts, it.speed_mbps) } else { String::new() };
        let down = if it.up { String::new() } else { texts.t("network-down").into_owned() };
        let kind = texts.word("network", &it.kind);
        entry(joined(&[&kind, &addresses.join(", ")]), joined(&[name, &it.mac, &speed, &down]))
    })
    .collect()
}

pub(super) fn speed(texts: Texts, mbps: u32) -> String {
    let (value, unit) = if mbps.is_multiple_of(1_000) { (mbps / 1_000, "G") } else { (mbps, "M") };
    format!("{}\u{A0}{unit}bit/s", integer(texts.language(), i64::from(value)))
}

fn firmware(firmware: &v1::FirmwareItem) -> GridEntry {
    entry(
        joined(&[&firmware.vendor, &firmware.version]),
        joined(&[&firmware.released, &firmware.mode.to_uppercase()]),
    )
}

/// One problem in the reader's words; the agent's own stand beside it, muted.
fn unknown(texts: Texts, machine: &Machine, problem: &v1::ProblemItem) -> Unknown {
    let text = missing_source(texts, machine, problem).unwrap_or_else(|| plain_problem(texts, problem));
    let source = if problem.source.starts_with("SECTION_KIND_") { "" } else { &problem.source };
    Unknown { text, reason: joined(&[&problem.reason, source]) }
}

fn plain_problem(texts: Texts, problem: &v1::ProblemItem) -> String {
    let section = texts.word("section", section_code(problem.section));
    let kind = texts.word("problem", problem_code(problem.kind));
    texts.t2("problem", ("section", &section), ("kind", &kind)).into_owned()
}

/// What stays unknown because the machine lacks the one source of it: the SMBIOS table, named with the
/// hypervisor or container that explains its absence, or the kernel's list of graphics connectors.
fn missing_source(texts: Texts, machine: &Machine, problem: &v1::ProblemItem) -> Option<String> {
    let section = section_code(problem.section);
    match (problem_code(problem.kind), problem.source.as_str()) {
        ("absent", "/sys/class/drm") if section == "displays" => Some(texts.t("no-connectors").into_owned()),
        ("absent", source) if source.starts_with("/sys/firmware/dmi/tables") => {
            let key = match section {
                "system" => "no-smbios-system",
                "firmware" => "no-smbios-firmware",
                "memory" => "no-smbios-memory",
                _ => return None,
            };
            Some(texts.t1(key, "where", &surroundings(texts, machine)).into_owned())
        }
        _ => None,
    }
}

/// ` (virtual machine kvm, container docker)`; empty on bare metal.
fn surroundings(texts: Texts, machine: &Machine) -> String {
    let container = machine.system.as_ref().map(|it| it.container.as_str()).filter(|it| !it.is_empty());
    match (hypervisor(machine), container) {
        (Some(hypervisor), Some(container)) => {
            texts.t2("around-both", ("hypervisor", hypervisor), ("container", container)).into_owned()
        }
        (Some(hypervisor), None) => texts.t1("around-hypervisor", "hypervisor", hypervisor).into_owned(),
        (None, Some(container)) => texts.t1("around-container", "container", container).into_owned(),
        (None, None) => String::new(),
    }
}

pub(super) fn problem_code(kind: i32) -> &'static str {
    match v1::ProblemKind::try_from(kind).unwrap_or(v1::ProblemKind::Unspecified) {
        v1::ProblemKind::Absent => "absent",
        v1::ProblemKind::Unspecified | v1::ProblemKind::Unreadable => "unreadable",
        v1::ProblemKind::Malformed => "malformed",
        v1::ProblemKind::TimedOut => "timed_out",
        v1::ProblemKind::Cut => "cut",
        v1::ProblemKind::Refused => "refused",
    }
}

pub(super) fn section_code(section: i32) -> &'static str {
    match v1::SectionKind::try_from(section).unwrap_or(v1::SectionKind::Unspecified) {
        v1::SectionKind::Unspecified | v1::SectionKind::System => "system",
        v1::SectionKind::Firmware => "firmware",
        v1::SectionKind::Cpu => "cpu",
        v1::SectionKind::Memory => "memory",
        v1::SectionKind::Storage => "storage",
        v1::SectionKind::Volumes => "volumes",
        v1::SectionKind::Network => "network",
        v1::SectionKind::Displays => "displays",
        v1::SectionKind::Os => "os",
        v1::SectionKind::Software => "software",
        v1::SectionKind::Problems => "problems",
        v1::SectionKind::AssetTag => "asset_tag",
    }
}

fn signed(mib: u64) -> i64 {
    i64::try_from(mib).unwrap_or(i64::MAX)
}

fn count(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::people::Language;

    fn problem(section: v1::SectionKind, kind: v1::ProblemKind, source: &str) -> v1::ProblemItem {
        v1::ProblemItem {
            section: section.into(),
            kind: kind.into(),
            source: source.into(),
            reason: "A sentence of the agent.".into(),
        }
    }

    #[test]
    fn a_missing_smbios_table_is_explained_in_the_readers_language() {
        let mut machine = samples::virtual_machine();
        let system = machine.system.get_or_insert_default();
        (system.hypervisor, system.container) = ("kvm".into(), "docker".into());
        let absent =
            problem(v1::SectionKind::System, v1::ProblemKind::Absent, "/sys/firmware/dmi/tables/DMI");
        let said = unknown(Texts::of(Language::Fr), &machine, &absent);
        assert!(
            said.text.starts_with(
                "Sans table SMBIOS (machine virtuelle kvm, dans un conteneur docker), la marque"
            ),
            "{}",
            said.text
        );
        assert!(said.reason.contains("A sentence of the agent."));
    }

    #[test]
    fn a_display_that_says_nothing_is_not_a_machine_without_connectors() {
        let machine = samples::virtual_machine();
        let said = |source: &str| {
            let absent = problem(v1::SectionKind::Displays, v1::ProblemKind::Absent, source);
            unknown(Texts::of(Language::En), &machine, &absent).text
        };
        assert!(said("/sys/class/drm").contains("no visible video output"));
        assert!(!said("/sys/class/drm/card0-HDMI-A-1/edid").contains("no visible video output"));
    }

    #[test]
    fn a_name_of_the_wire_is_never_shown() {
        let cut = problem(v1::SectionKind::Software, v1::ProblemKind::Cut, "SECTION_KIND_SOFTWARE");
        let said = unknown(Texts::of(Language::En), &samples::virtual_machine(), &cut);
        assert!(!said.text.contains("SECTION_KIND") && !said.reason.contains("SECTION_KIND"));
    }
}
