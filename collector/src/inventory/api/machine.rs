//! What REST shows of a machine. Field names are a promise to other programs.

use parc_wire::v1;
use serde::Serialize;
use utoipa::ToSchema;

use super::parts::{CpuView, DiskView, DisplayView, MemoryModuleView, NetworkView, VolumeView};
use crate::inventory::{Change, CiSummary, DeclaredField, Fact, Machine, SourcedValue};
use crate::kernel::time::UtcMicros;

/// What is in a machine. Empty texts and zeros mean "not known"; the reason stands in `problems`.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Configuration {
    /// Name and version: `Debian GNU/Linux 12`.
    pub os: String,
    /// Kernel release.
    pub kernel: String,
    /// `x86_64`, `aarch64`…
    pub architecture: String,
    /// RFC 3339.
    pub os_installed_at: Option<String>,
    /// RFC 3339.
    pub booted_at: Option<String>,
    /// Model of the first processor.
    pub cpu: String,
    /// Every processor.
    pub cpus: Vec<CpuView>,
    /// Of the whole machine.
    pub memory_mib: u64,
    /// Modules that are in.
    pub memory_modules: Vec<MemoryModuleView>,
    /// Physical disks.
    pub disks: Vec<DiskView>,
    /// Mounted volumes.
    pub volumes: Vec<VolumeView>,
    /// Network interfaces, without their addresses.
    pub networks: Vec<NetworkView>,
    /// Connected displays.
    pub displays: Vec<DisplayView>,
    /// Firmware vendor, version and date.
    pub firmware: String,
    /// `kvm`, `vmware`…; empty on bare metal.
    pub hypervisor: String,
    /// Identifier that the maker or hypervisor gave the machine (SMBIOS type 1).
    pub uuid: String,
    /// Installed titles.
    pub software_count: i64,
}

/// A field with both its sources.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FactView {
    /// `make`, `model`, `serial`, `purchased_on`…
    pub field: String,
    /// Declared if declared, else discovered.
    pub value: String,
    /// `declared` or `discovered`: where `value` comes from.
    pub source: String,
    /// What people said.
    pub declared: Option<SourceView>,
    /// What the agent found.
    pub discovered: Option<SourceView>,
}

/// One source of a field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceView {
    /// Its value.
    pub value: String,
    /// Who said it or where it was read.
    pub by: String,
    /// RFC 3339.
    pub at: String,
}

/// What a machine could not be asked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemView {
    /// Section.
    pub section: String,
    /// `absent`, `unreadable`, `malformed`, `timed_out`, `cut`, `refused`.
    pub kind: String,
    /// File or interface.
    pub source: String,
    /// Why.
    pub reason: String,
}

/// One change of one item.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChangeView {
    /// RFC 3339.
    pub at: String,
    /// `memory`, `software`…
    pub section: String,
    /// Which item.
    pub item: String,
    /// `added`, `removed`, `changed`.
    pub operation: String,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

/// A machine in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AssetRow {
    /// Inventory number.
    pub tag: Option<String>,
    /// Host name or declared name.
    pub name: String,
    /// `laptop`, `desktop`, `server`, `virtual`, `other`.
    pub kind: String,
    /// Manufacturer.
    pub make: String,
    /// Model.
    pub model: String,
    /// Serial number.
    pub serial: String,
    /// Organisation's name.
    pub organisation: String,
    /// Site's name.
    pub site: String,
    /// Place inside the site.
    pub location: String,
    /// Assigned person.
    pub user: String,
    /// `in_use`, `stock`…
    pub lifecycle: String,
    /// Operating system.
    pub os: String,
    /// Processor.
    pub cpu: String,
    /// Memory.
    pub memory_mib: i64,
    /// All disks together.
    pub disk_mib: i64,
    /// Installed titles.
    pub software_count: i64,
    /// Things it could not be asked.
    pub problem_count: i64,
    /// RFC 3339.
    pub last_report_at: Option<String>,
}

impl From<&CiSummary> for AssetRow {
    fn from(ci: &CiSummary) -> Self {
        Self {
            tag: ci.tag.clone(),
            name: ci.name.clone(),
            kind: ci.kind.clone(),
            make: ci.make.clone(),
            model: ci.model.clone(),
            serial: ci.serial.clone(),
            organisation: ci.organisation_name.clone(),
            site: ci.site_name.clone(),
            location: ci.location.clone(),
            user: ci.assigned_to_name.clone(),
            lifecycle: word(&ci.lifecycle),
            os: format!("{} {}", ci.os_name, ci.os_version).trim().to_owned(),
            cpu: ci.cpu.clone(),
            memory_mib: ci.memory_mib,
            disk_mib: ci.disk_mib,
            software_count: ci.software_count,
            problem_count: ci.problem_count,
            last_report_at: ci.last_contact_at.map(UtcMicros::rfc3339),
        }
    }
}

impl From<&Machine> for Configuration {
    fn from(machine: &Machine) -> Self {
        let os = machine.os.clone().unwrap_or_default();
        let firmware = machine.firmware.clone().unwrap_or_default();
        let modules = machine.memory_slots.iter().filter(|it| !it.empty);
        Self {
            os: format!("{} {}", os.name, os.version).trim().to_owned(),
            kernel: os.kernel,
            architecture: os.architecture,
            os_installed_at: moment(os.installed_at_us),
            booted_at: moment(os.booted_at_us),
            cpu: machine.cpus.first().map(|it| it.model.clone()).unwrap_or_default(),
            cpus: machine.cpus.iter().map(CpuView::from).collect(),
            memory_mib: machine.memory_total.as_ref().map_or(0, |it| it.size_mib),
            memory_modules: modules.map(MemoryModuleView::from).collect(),
            disks: machine.disks.iter().map(DiskView::from).collect(),
            volumes: machine.volumes.iter().map(VolumeView::from).collect(),
            networks: machine.networks.iter().map(NetworkView::from).collect(),
            displays: machine.displays.iter().map(DisplayView::from).collect(),
            firmware: format!("{} {} {}", firmware.vendor, firmware.version, firmware.released)
                .trim()
                .to_owned(),
            hypervisor: machine.system.as_ref().map(|it| it.hypervisor.clone()).unwrap_or_default(),
            uuid: machine.system.as_ref().map(|it| it.uuid.clone()).unwrap_or_default(),
            software_count: machine.software_count,
        }
    }
}

impl From<&Fact> for FactView {
    fn from(fact: &Fact) -> Self {
        let source = if fact.declared.is_some() { "declared" } else { "discovered" };
        Self {
            field: fact.field.code().to_owned(),
            value: fact.effective().to_owned(),
            source: source.to_owned(),
            declared: fact.declared.as_ref().map(SourceView::from),
            discovered: fact.discovered.as_ref().map(SourceView::from),
        }
    }
}

impl From<&SourcedValue> for SourceView {
    fn from(it: &SourcedValue) -> Self {
        Self { value: it.value.clone(), by: it.source.clone(), at: it.at.rfc3339() }
    }
}

impl From<&v1::ProblemItem> for ProblemView {
    fn from(it: &v1::ProblemItem) -> Self {
        Self {
            section: wire_word(it.section().as_str_name(), "SECTION_KIND_"),
            kind: wire_word(it.kind().as_str_name(), "PROBLEM_KIND_"),
            source: it.source.clone(),
            reason: it.reason.clone(),
        }
    }
}

impl From<&Change> for ChangeView {
    fn from(it: &Change) -> Self {
        Self {
            at: it.at.rfc3339(),
            section: it.section.clone(),
            item: it.item.clone(),
            operation: word(&it.operation),
            before: it.before.clone(),
            after: it.after.clone(),
        }
    }
}

/// The effective text of a field of a machine.
pub(crate) fn fact(machine: &Machine, field: DeclaredField) -> String {
    machine.text(field).to_owned()
}

/// The word a closed list is serialised as.
pub(super) fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `PROBLEM_KIND_TIMED_OUT` → `timed_out`.
pub(super) fn wire_word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase()
}

/// Zero is "not known".
fn moment(micros: i64) -> Option<String> {
    (micros > 0).then(|| UtcMicros(micros).rfc3339())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_cannot_know_is_said_in_words() {
        let problem = v1::ProblemItem {
            section: v1::SectionKind::System.into(),
            kind: v1::ProblemKind::Absent.into(),
            source: "/sys/firmware/dmi/tables".into(),
            reason: "this virtual machine has no SMBIOS".into(),
        };
        let shown = ProblemView::from(&problem);
        assert_eq!((shown.section.as_str(), shown.kind.as_str()), ("system", "absent"));
    }

    #[test]
    fn a_declared_value_wins_and_the_discovered_one_stays_visible() {
        let value = |text: &str, source: &str| {
            Some(SourcedValue { value: text.into(), source: source.into(), at: UtcMicros::from_seconds(0) })
        };
        let fact = Fact {
            field: DeclaredField::Model,
            declared: value("Latitude 5420", "Ada"),
            discovered: value("Standard PC", "smbios-table"),
        };
        let shown = FactView::from(&fact);
        assert_eq!((shown.value.as_str(), shown.source.as_str()), ("Latitude 5420", "declared"));
        assert_eq!(shown.discovered.map(|it| it.by), Some("smbios-table".into()));
    }

    #[test]
    fn a_clock_at_zero_is_no_moment() {
        assert_eq!(moment(0), None);
        assert_eq!(moment(1_000_000).as_deref(), Some("1970-01-01T00:00:01Z"));
    }
}
