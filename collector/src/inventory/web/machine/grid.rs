//! The configuration of a machine, row by row. Pure.

use parc_wire::v1;

use super::Lens;
use crate::inventory::Machine;
use crate::kernel::time::UtcMicros;
use crate::web::numbers::{integer, memory, storage};
use crate::web::{Stamp, Texts};

/// Per cent of free space under which a volume is nearly full.
pub(super) const FREE_PERCENT_MIN: u64 = 10;
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

pub(super) fn grid(lens: Lens<'_>, machine: &Machine) -> Vec<GridRow> {
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
pub(super) fn joined(parts: &[&str]) -> String {
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

pub(in super::super) fn encryption_code(encryption: i32) -> &'static str {
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

pub(in super::super) fn speed(texts: Texts, mbps: u32) -> String {
    let (value, unit) = if mbps.is_multiple_of(1_000) { (mbps / 1_000, "G") } else { (mbps, "M") };
    format!("{}\u{A0}{unit}bit/s", integer(texts.language(), i64::from(value)))
}

fn firmware(firmware: &v1::FirmwareItem) -> GridEntry {
    entry(
        joined(&[&firmware.vendor, &firmware.version]),
        joined(&[&firmware.released, &firmware.mode.to_uppercase()]),
    )
}

pub(super) fn free_percent(volume: &v1::VolumeItem) -> u64 {
    volume.free_mib.min(volume.size_mib).saturating_mul(100) / volume.size_mib.max(1)
}

fn signed(mib: u64) -> i64 {
    i64::try_from(mib).unwrap_or(i64::MAX)
}

fn count(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}
