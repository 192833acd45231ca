//! Whether this is a virtual machine or a container, and of what kind. No child process, no `cpuid`: the
//! kernel has already looked, so its traces are read.

use super::smbios::Tables;
use crate::root::Root;

const CPUINFO_HEAD_BYTES: u64 = 16 * 1024;
const CGROUP_BYTES_MAX: u64 = 64 * 1024;

/// What surrounds the operating system.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Virtualization {
    /// `kvm`, `vmware`, `hyperv`…; empty on bare metal.
    pub hypervisor: String,
    /// `docker`, `lxc`…; empty outside.
    pub container: String,
}

/// Traces of a hypervisor.
#[derive(Debug, Default)]
struct Traces {
    /// `/sys/hypervisor/type`.
    type_file: String,
    /// DMI vendor, product and BIOS texts, joined.
    dmi: String,
    /// The names of the kernel's clock sources.
    clocks: String,
    /// Device-tree texts of a hypervisor.
    device_tree: String,
    /// The processor says that it is virtual.
    cpu_flag: bool,
    /// The processor's name; emulators give their own.
    cpu_name: String,
    virtio: bool,
    /// The Hyper-V bus exists.
    vmbus: bool,
}

impl Virtualization {
    /// Looks at the machine; never fails, as no trace is bare metal.
    pub(super) fn detect(root: &Root, tables: Option<&Tables>) -> Self {
        let mut traces = read_traces(root);
        if let Some(Tables { system, bios, .. }) = tables {
            for text in [&system.manufacturer, &system.product, &bios.vendor] {
                traces.dmi.push('\n');
                traces.dmi.push_str(text);
            }
        }
        Self { hypervisor: hypervisor(&traces).to_owned(), container: container(root) }
    }

    /// The subject of a sentence: "This kvm virtual machine".
    pub(super) fn in_words(&self) -> String {
        match (self.hypervisor.as_str(), self.container.as_str()) {
            ("", "") => "This machine".into(),
            ("", container) => format!("This {container} container"),
            (hypervisor, "") => format!("This {hypervisor} virtual machine"),
            (hypervisor, container) => {
                format!("This {container} container in a {hypervisor} virtual machine")
            }
        }
    }
}

fn read_traces(root: &Root) -> Traces {
    let attribute = |path: &str| root.attribute(path).unwrap_or_default();
    let dmi = ["sys_vendor", "product_name", "product_version", "bios_vendor", "board_vendor"]
        .map(|it| attribute(&format!("/sys/class/dmi/id/{it}")));
    let cpuinfo = head(root, "/proc/cpuinfo");
    Traces {
        type_file: attribute("/sys/hypervisor/type"),
        dmi: dmi.join("\n"),
        clocks: attribute("/sys/devices/system/clocksource/clocksource0/available_clocksource"),
        device_tree: attribute("/proc/device-tree/hypervisor/compatible")
            + &attribute("/proc/device-tree/compatible"),
        cpu_flag: cpuinfo.lines().any(|line| {
            line.starts_with("flags") && line.split_ascii_whitespace().any(|flag| flag == "hypervisor")
        }),
        cpu_name: cpuinfo.lines().find(|it| it.starts_with("model name")).unwrap_or_default().to_owned(),
        virtio: root.list_dir("/sys/bus/virtio/devices", 1).is_ok_and(|it| !it.names.is_empty()),
        vmbus: root.list_dir("/sys/bus/vmbus/devices", 1).is_ok_and(|it| !it.names.is_empty()),
    }
}

/// The beginning of a file that may be long: the first processor is as virtual as the others.
fn head(root: &Root, path: &str) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = root.open(path, CPUINFO_HEAD_BYTES) {
        // A failed read leaves what was read before it.
        let _ = std::io::Read::read_to_end(&mut file, &mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// DMI texts name the product best; the clock source and buses name the interface the kernel uses.
fn hypervisor(traces: &Traces) -> &'static str {
    const DMI: &[(&str, &str)] = &[
        ("VMware", "vmware"),
        ("VirtualBox", "virtualbox"),
        ("innotek", "virtualbox"),
        ("Parallels", "parallels"),
        ("BHYVE", "bhyve"),
        ("Apple Virtualization", "apple"),
        ("HVM domU", "xen"),
        ("oVirt", "kvm"),
        ("RHEV", "kvm"),
        ("OpenStack", "kvm"),
        ("Google Compute Engine", "kvm"),
    ];
    /// Too short to be looked for inside other texts.
    const DMI_LINES: &[(&str, &str)] = &[("Xen", "xen"), ("KVM", "kvm"), ("AHV", "kvm")];
    const CLOCKS: &[(&str, &str)] = &[("kvm-clock", "kvm"), ("hyperv_clocksource", "hyperv"), ("xen", "xen")];
    let find = |list: &[(&str, &'static str)], text: &str| {
        list.iter().find(|(trace, _)| text.contains(trace)).map(|(_, name)| *name)
    };
    let line = DMI_LINES.iter().find(|(trace, _)| traces.dmi.lines().any(|it| it == *trace));
    if let Some(name) = find(DMI, &traces.dmi).or(line.map(|it| it.1)) {
        return name;
    }
    if traces.dmi.contains("Microsoft Corporation") && traces.dmi.contains("Virtual Machine") || traces.vmbus
    {
        return "hyperv";
    }
    if traces.type_file == "xen" || traces.device_tree.contains("xen,") {
        return "xen";
    }
    if let Some(name) = find(CLOCKS, &traces.clocks).filter(|_| traces.cpu_flag) {
        return name;
    }
    if traces.device_tree.contains("linux,kvm") {
        return "kvm";
    }
    let emulated = traces.cpu_name.contains("QEMU") || traces.dmi.contains("QEMU");
    if emulated || traces.device_tree.contains("linux,dummy-virt") {
        return "qemu";
    }
    match (traces.cpu_flag, traces.virtio) {
        (true, true) => "kvm",
        (true, false) => "unknown-hypervisor",
        (false, _) => "",
    }
}

fn container(root: &Root) -> String {
    if let Some(name) = root.attribute("/run/systemd/container")
        && name.len() <= 32
        && name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
    {
        return name;
    }
    if root.exists("/run/.containerenv") {
        return "podman".into();
    }
    if root.exists("/.dockerenv") {
        return "docker".into();
    }
    container_of_cgroups(&root.read_text("/proc/1/cgroup", CGROUP_BYTES_MAX).unwrap_or_default()).into()
}

/// Container managers put the first process into a group that bears their name.
fn container_of_cgroups(cgroups: &str) -> &'static str {
    const GROUPS: &[(&str, &str)] = &[
        ("/kubepods", "kubernetes"),
        ("/docker", "docker"),
        ("/libpod", "podman"),
        ("/lxc", "lxc"),
        ("/machine.slice/libpod", "podman"),
    ];
    let paths = || cgroups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    GROUPS.iter().find(|(group, _)| paths().any(|path| path.starts_with(group))).map_or("", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dmi_texts_name_the_product() {
        for (dmi, name) in [
            ("VMware, Inc.\nVMware Virtual Platform", "vmware"),
            ("innotek GmbH\nVirtualBox", "virtualbox"),
            ("Microsoft Corporation\nVirtual Machine", "hyperv"),
            ("Xen\nHVM domU", "xen"),
            ("QEMU\nStandard PC (Q35 + ICH9, 2009)", "qemu"),
            ("Microsoft Corporation\nSurface Laptop 5", ""),
            ("Red Hat\nKVM", "kvm"),
            ("Xenarc\nKVM Console", ""),
            ("Dell Inc.\nLatitude 5420", ""),
        ] {
            assert_eq!(hypervisor(&Traces { dmi: dmi.into(), ..Traces::default() }), name, "{dmi}");
        }
    }

    #[test]
    fn without_dmi_the_clock_source_or_virtio_tells() {
        let clocks = Traces { clocks: "tsc kvm-clock".into(), cpu_flag: true, ..Traces::default() };
        assert_eq!(hypervisor(&clocks), "kvm");
        assert_eq!(hypervisor(&Traces { cpu_flag: true, virtio: true, ..Traces::default() }), "kvm");
        assert_eq!(hypervisor(&Traces { cpu_flag: true, ..Traces::default() }), "unknown-hypervisor");
    }

    #[test]
    fn an_emulated_processor_is_qemu_although_virtio_is_there() {
        let traces = Traces {
            cpu_name: "QEMU TCG version 2.5+".into(),
            cpu_flag: true,
            virtio: true,
            ..Traces::default()
        };
        assert_eq!(hypervisor(&traces), "qemu");
    }

    #[test]
    fn qemu_with_the_kvm_clock_is_kvm() {
        let traces = Traces {
            dmi: "QEMU".into(),
            clocks: "kvm-clock tsc".into(),
            cpu_flag: true,
            ..Traces::default()
        };
        assert_eq!(hypervisor(&traces), "kvm");
    }

    #[test]
    fn the_first_process_tells_its_container() {
        assert_eq!(container_of_cgroups("12:pids:/docker/3f5\n0::/docker/3f5"), "docker");
        assert_eq!(container_of_cgroups("0::/kubepods/burstable/pod1"), "kubernetes");
        assert_eq!(container_of_cgroups("0::/init.scope"), "");
    }

    #[test]
    fn a_sentence_names_what_surrounds_the_machine() {
        let it = Virtualization { hypervisor: "kvm".into(), container: "docker".into() };
        assert_eq!(it.in_words(), "This docker container in a kvm virtual machine");
        assert_eq!(Virtualization::default().in_words(), "This machine");
    }
}
