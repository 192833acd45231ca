//! The probes of Linux: `/proc`, `/sys`, SMBIOS, EDID and package databases, read directly.

mod cpu;
mod displays;
mod edid;
mod memory;
mod network;
mod os;
mod smbios;
mod software;
mod storage;
mod system;
mod virtualization;
mod volumes;

use parc_wire::v1::SectionKind;

use super::{Failure, Probe, Probed};

pub(super) const TABLE: &[Probe] = &[
    Probe { section: SectionKind::System, name: "system", run: system::run },
    Probe { section: SectionKind::Firmware, name: "firmware", run: system::run_firmware },
    Probe { section: SectionKind::Cpu, name: "cpu", run: cpu::run },
    Probe { section: SectionKind::Memory, name: "memory", run: memory::run },
    Probe { section: SectionKind::Storage, name: "storage", run: storage::run },
    Probe { section: SectionKind::Volumes, name: "volumes", run: volumes::run },
    Probe { section: SectionKind::Network, name: "network", run: network::run },
    Probe { section: SectionKind::Displays, name: "displays", run: displays::run },
    Probe { section: SectionKind::Os, name: "os", run: os::run },
    Probe { section: SectionKind::Software, name: "software", run: software::run },
];

#[cfg(test)]
mod tests;
