//! The demonstration parc: two dozen invented machines on two sites, each laid out as a file tree and
//! reported by the real agent. Some changed lately, two claim one tag, one ticket waits for a machine that
//! nobody knows, so that every page has something to show.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use parc_sample::{Chassis, Disk, DiskKind, Module, Screen, Workstation};

use super::Report;
use super::agent_program::{AgentProgram, is_enrolled};
use super::demo_tickets::{self, TypedNumbers};
use super::organisation::DemoOrganisation;
use crate::app::App;
use crate::inventory::{self, DeclaredField, Lifecycle, NewCi};
use crate::kernel::text::AssetTag;
use crate::tickets::LateAttachment;

/// A model of the demonstration: what the sticker's owner would say.
struct Model {
    make: &'static str,
    product: &'static str,
    chassis: Chassis,
    cpu: &'static str,
    cores: u32,
    memory_mib: &'static [u32],
    slots: usize,
    disk: (&'static str, &'static str, u64, DiskKind),
    system: (&'static str, &'static str, &'static str),
    prefix: &'static str,
    count: u32,
    warranty_until: &'static str,
}

const LAPTOP: Model = Model {
    make: "Dell Inc.",
    product: "Latitude 5420",
    chassis: Chassis::Notebook,
    cpu: "11th Gen Intel(R) Core(TM) i5-1145G7 @ 2.60GHz",
    cores: 4,
    memory_mib: &[8_192],
    slots: 2,
    disk: ("nvme0n1", "PM991a NVMe Samsung 512GB", 477, DiskKind::Nvme),
    system: ("Ubuntu", "24.04", "6.8.0-48-generic"),
    prefix: "LAP",
    count: 9,
    warranty_until: "2027-06-30",
};

const MODELS: [Model; 4] = [
    LAPTOP,
    Model {
        make: "LENOVO",
        product: "ThinkPad T14 Gen 3",
        cpu: "AMD Ryzen 5 PRO 6650U with Radeon Graphics",
        cores: 6,
        memory_mib: &[16_384],
        slots: 1,
        disk: ("nvme0n1", "WD PC SN740 512GB", 477, DiskKind::Nvme),
        count: 5,
        warranty_until: "2026-02-28",
        ..LAPTOP
    },
    Model {
        make: "HP",
        product: "HP EliteDesk 800 G6 Desktop Mini PC",
        chassis: Chassis::Desktop,
        cpu: "Intel(R) Core(TM) i5-10500T CPU @ 2.30GHz",
        cores: 6,
        memory_mib: &[4_096, 4_096],
        slots: 2,
        disk: ("sda", "KINGSTON SA400S37240G", 224, DiskKind::Ssd),
        system: ("Debian GNU/Linux", "12", "6.1.0-37-amd64"),
        prefix: "FIX",
        count: 9,
        warranty_until: "2025-09-15",
    },
    Model {
        make: "Dell Inc.",
        product: "PowerEdge R450",
        chassis: Chassis::RackServer,
        cpu: "Intel(R) Xeon(R) Silver 4309Y CPU @ 2.80GHz",
        cores: 8,
        memory_mib: &[32_768, 32_768],
        slots: 8,
        disk: ("sda", "SSDSC2KB960G8R", 894, DiskKind::Ssd),
        system: ("Debian GNU/Linux", "12", "6.1.0-37-amd64"),
        prefix: "SRV",
        count: 1,
        warranty_until: "2028-01-31",
    },
];

/// Software of an office workstation: name and version.
const OFFICE: [(&str, &str); 12] = [
    ("chromium", "129.0.6668.100"),
    ("cups", "2.4.7"),
    ("evince", "46.3.1"),
    ("firefox-esr", "128.3.1esr"),
    ("gimp", "2.10.36"),
    ("keepassxc", "2.7.6"),
    ("libreoffice-calc", "4:24.2.6"),
    ("libreoffice-writer", "4:24.2.6"),
    ("nextcloud-desktop", "3.11.0"),
    ("p7zip-full", "16.02"),
    ("thunderbird", "1:115.16.0"),
    ("vlc", "3.0.20"),
];

/// One machine of the demonstration.
struct DemoMachine {
    tag: AssetTag,
    workstation: Workstation,
    on_main_site: bool,
    location: &'static str,
    warranty_until: &'static str,
    folder: PathBuf,
}

/// File that says that the first start came to its end.
const COMPLETE_FILE: &str = "complete";

/// Reports every demonstration machine; the first start also makes its records, changes and tickets. A
/// machine whose agent fails, for it was revoked or set aside, is told and passed over.
pub(super) async fn report_all(
    app: &App,
    organisation: &DemoOrganisation,
    program: &AgentProgram,
    data: &Path,
    report: &dyn Report,
) -> anyhow::Result<()> {
    let folder = data.join("demo-parc");
    let machines = machines(&folder)?;
    let mut skipped = Skipped::default();
    for (done, machine) in machines.iter().enumerate() {
        report.counted("reporting the demonstration parc through the same door", done, machines.len());
        prepare(app, organisation, machine).await?;
        let (root, state) = (machine.folder.join("root"), machine.folder.join("state"));
        skipped.note(machine, program.enroll_and_report(&state, Some(&root), &machine.tag).await);
    }
    report.counted("reporting the demonstration parc through the same door", machines.len(), machines.len());
    let complete = folder.join(COMPLETE_FILE);
    if !complete.exists() {
        change_some(program, &machines, &mut skipped).await?;
        claim_a_tag_twice(program, &machines, &mut skipped).await?;
        let [changed, full, contested, mistyped] = [0, 6, 1, 3].map(|at| machines[at].tag.display());
        demo_tickets::open_all(app, organisation, &TypedNumbers { changed, full, contested, mistyped })
            .await?;
        std::fs::write(&complete, "").with_context(|| format!("cannot write {}", complete.display()))?;
    }
    for line in skipped.0 {
        report.warning(&line);
    }
    Ok(())
}

/// Machines that could not report, and why.
#[derive(Debug, Default)]
struct Skipped(Vec<String>);

impl Skipped {
    fn note(&mut self, machine: &DemoMachine, outcome: anyhow::Result<()>) {
        if let Err(error) = outcome {
            self.0.push(format!("demonstration machine {} is skipped: {error:#}", machine.tag.display()));
        }
    }
}

fn machines(folder: &Path) -> anyhow::Result<Vec<DemoMachine>> {
    let mut machines = Vec::new();
    for model in &MODELS {
        for _ in 0..model.count {
            let number = u32::try_from(machines.len())? + 1;
            machines.push(machine(model, number, folder)?);
        }
    }
    Ok(machines)
}

fn machine(model: &Model, number: u32, folder: &Path) -> anyhow::Result<DemoMachine> {
    let on_main_site = !number.is_multiple_of(3);
    let site_letters = if on_main_site { "LYO" } else { "NTE" };
    let tag: AssetTag = format!("{}-{site_letters}-{number:04}", model.prefix).parse()?;
    let locations: &[&str] =
        if on_main_site { &["Bureau B12", "Bureau B14", "Accueil"] } else { &["Bureau 101", "Bureau 102"] };
    Ok(DemoMachine {
        workstation: workstation(model, number, &tag),
        folder: folder.join(tag.display()),
        location: locations[number as usize % locations.len()],
        on_main_site,
        warranty_until: model.warranty_until,
        tag,
    })
}

fn workstation(model: &Model, number: u32, tag: &AssetTag) -> Workstation {
    let mut machine = Workstation::laptop(number).with_chassis_tag(tag.display()).with_firmware(|it| {
        it.manufacturer = model.make.into();
        it.product = model.product.into();
        it.chassis = model.chassis;
        it.serial =
            format!("{}{:05}", &model.product.replace(' ', "").to_uppercase()[..4], 41_000 + number * 37);
    });
    machine.hostname = format!("{}-{number:03}", model.prefix.to_lowercase());
    machine.cpu = model.cpu.into();
    machine.cores = model.cores;
    let filled = (0x5200_0000 + number * 16..)
        .zip(model.memory_mib)
        .map(|(serial, size)| Some(Module::new(*size, format!("{serial:08X}"))));
    machine.memory = filled.chain(std::iter::repeat(None)).take(model.slots).collect();
    let (name, disk_model, size_gib, kind) = model.disk;
    machine.disks = vec![Disk {
        name: name.into(),
        model: disk_model.into(),
        serial: format!("DSK{number:09}"),
        size_gib,
        kind,
    }];
    let free_percent = if number.is_multiple_of(7) { 4 } else { 25 + u64::from(number * 13 % 50) };
    let volume = &mut machine.volumes[0];
    volume.device = format!("/dev/{name}{}", if kind == DiskKind::Nvme { "p2" } else { "2" });
    volume.size_gib = size_gib - 10;
    volume.free_gib = volume.size_gib * free_percent / 100;
    machine.system = parc_sample::System {
        name: model.system.0.into(),
        version: model.system.1.into(),
        kernel: model.system.2.into(),
    };
    machine.screens = screens(model, number);
    machine.packages =
        OFFICE.iter().map(|(name, version)| parc_sample::Package::new(*name, *version)).collect();
    machine
}

fn screens(model: &Model, number: u32) -> Vec<Screen> {
    let desk = Screen {
        connector: "DP-1".into(),
        manufacturer: "DEL".into(),
        model: "DELL P2422H".into(),
        serial: format!("CN0P24{number:06}"),
        pixels: (1920, 1080),
        size_mm: (527, 296),
        year: 2022,
    };
    match model.chassis {
        Chassis::Notebook if number.is_multiple_of(2) => {
            [Workstation::laptop(number).screens, vec![desk]].concat()
        }
        Chassis::Notebook => Workstation::laptop(number).screens,
        Chassis::Desktop | Chassis::Tower => vec![desk],
        Chassis::RackServer => Vec::new(),
    }
}

/// The admin knows every machine in advance: sticker, place, warranty. The agent then finds its record.
async fn prepare(app: &App, organisation: &DemoOrganisation, machine: &DemoMachine) -> anyhow::Result<()> {
    if is_enrolled(&machine.folder.join("state")) {
        return Ok(());
    }
    let mut tx = app.context.db.begin().await?;
    if inventory::find_ci_by_tag(&mut tx, organisation.id, machine.tag.key()).await?.is_none() {
        let site = if machine.on_main_site { organisation.main_site } else { organisation.second_site };
        let new = NewCi {
            organisation_id: organisation.id,
            site_id: Some(site),
            location: machine.location.into(),
            tag: Some(machine.tag.clone()),
            assigned_to_id: None,
            lifecycle: Lifecycle::InUse,
            declared: vec![
                (DeclaredField::PurchasedOn, "2023-02-01".into()),
                (DeclaredField::WarrantyUntil, machine.warranty_until.into()),
                (DeclaredField::Supplier, "Fournisseur de démonstration".into()),
            ],
        };
        let listener = LateAttachment { context: app.context.clone() };
        inventory::create_ci(&mut tx, &app.context, &organisation.admin_actor(), new, &listener).await?;
    }
    tx.commit().await?;
    machine.workstation.write_to(&machine.folder.join("root"))?;
    Ok(())
}

/// What happens to machines: an update, a full disk, a module added, a program removed.
async fn change_some(
    program: &AgentProgram,
    machines: &[DemoMachine],
    skipped: &mut Skipped,
) -> anyhow::Result<()> {
    for (at, machine) in machines.iter().enumerate().step_by(4) {
        let mut changed = machine
            .workstation
            .clone()
            .with_package("firefox-esr", "128.4.0esr")
            .with_package("vpn-client", "5.1.6");
        changed.packages.retain(|it| it.name != "gimp");
        if let Some(empty) = changed.memory.iter_mut().find(|it| it.is_none()) {
            *empty = Some(Module::new(8_192, format!("{:08X}", 0x5300_0000 + at)));
        }
        let root = machine.folder.join("root");
        changed.write_to(&root)?;
        skipped.note(machine, program.report(&machine.folder.join("state"), Some(&root)).await);
    }
    Ok(())
}

/// Somebody moved a sticker: a machine that nobody knew reports the tag of another one.
async fn claim_a_tag_twice(
    program: &AgentProgram,
    machines: &[DemoMachine],
    skipped: &mut Skipped,
) -> anyhow::Result<()> {
    let holder = &machines[1];
    let folder = holder.folder.with_file_name("claims-a-taken-tag");
    let intruder = Workstation { hostname: "lap-inconnu".into(), ..workstation(&LAPTOP, 900, &holder.tag) };
    let root = folder.join("root");
    intruder.write_to(&root)?;
    skipped.note(holder, program.enroll_and_report(&folder.join("state"), Some(&root), &holder.tag).await);
    Ok(())
}
