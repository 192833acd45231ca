//! The table of platforms that have no probes yet: every section is a problem, so that a report says what it
//! lacks.

use parc_wire::v1::{ProblemKind, SectionKind};

use super::{Failure, Probe, Probed};
use crate::root::Root;

pub(super) const TABLE: &[Probe] = &[
    Probe { section: SectionKind::System, name: "system", run: not_collected },
    Probe { section: SectionKind::Firmware, name: "firmware", run: not_collected },
    Probe { section: SectionKind::Cpu, name: "cpu", run: not_collected },
    Probe { section: SectionKind::Memory, name: "memory", run: not_collected },
    Probe { section: SectionKind::Storage, name: "storage", run: not_collected },
    Probe { section: SectionKind::Volumes, name: "volumes", run: not_collected },
    Probe { section: SectionKind::Network, name: "network", run: not_collected },
    Probe { section: SectionKind::Displays, name: "displays", run: not_collected },
    Probe { section: SectionKind::Os, name: "os", run: not_collected },
    Probe { section: SectionKind::Software, name: "software", run: not_collected },
];

fn not_collected(_root: &Root) -> Result<Probed, Failure> {
    let reason = "This section is not collected on this platform yet.";
    Err(Failure::new(ProblemKind::Absent, std::env::consts::OS, reason))
}
