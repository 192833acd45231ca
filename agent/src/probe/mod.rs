//! The inventory probes: a table of functions, each of which reads one section of the machine through a
//! [`Root`].
//!
//! Invariants:
//! - a probe that fails or panics becomes a problem; the others still report;
//! - a section that could not be read is missing from the findings and has a problem; a section that is
//!   there and empty was read and there is none of the kind (no display is connected);
//! - within a section keys are unique and sorted, texts are clean, limits of the wire are kept, and what
//!   was left out is said in a problem;
//! - no child process, no localised output, no write (only SQLite may keep its shared memory beside a live
//!   rpm database).
//!
//! A platform is a module with one `TABLE`; captured Linux trees are read by the Linux table.

#[cfg(any(test, not(target_os = "linux")))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;
mod probed;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use parc_wire::limits::EVIDENCE_VALUES_MAX;
use parc_wire::placeholder;
use parc_wire::v1::{
    Evidence, Item, NetworkItem, ProblemItem, ProblemKind, SectionKind, StorageItem, SystemItem,
};
use prost::Message;

pub use probed::{Failure, Probed};
pub use text::{CleanText, clean_text};

use crate::root::Root;

#[cfg(not(target_os = "linux"))]
use elsewhere::TABLE;
#[cfg(target_os = "linux")]
use linux::TABLE;

/// One entry of a platform's table.
pub struct Probe {
    /// The section it fills; no two probes of a table share one.
    pub section: SectionKind,
    /// Its name in logs and timings.
    pub name: &'static str,
    /// Reads the section. A failure means that nothing of the section is known.
    pub run: fn(&Root) -> Result<Probed, Failure>,
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What one run of all probes found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Every section that could be read, its items sorted by key.
    pub sections: BTreeMap<SectionKind, Vec<Item>>,
    /// What could not be read or was left out, and why.
    pub problems: Vec<ProblemItem>,
    /// How long each probe took, in the order of the table.
    pub timings: Vec<(&'static str, Duration)>,
}

/// Runs every probe of this platform.
pub fn run_all(root: &Root) -> Findings {
    run_table(TABLE, root)
}

fn run_table(table: &[Probe], root: &Root) -> Findings {
    let mut findings = Findings::default();
    for probe in table {
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (probe.run)(root))).unwrap_or_else(|_| {
            let reason = "The probe failed because of a programming error; other sections are not concerned.";
            Err(Failure::new(ProblemKind::Malformed, probe.name, reason))
        });
        findings.timings.push((probe.name, start.elapsed()));
        match outcome {
            Ok(probed) => {
                let (items, problems) = probed.finish(probe.section);
                findings.sections.insert(probe.section, items);
                findings.problems.extend(problems);
            }
            Err(failure) => findings.problems.extend(failure.into_items(probe.section)),
        }
    }
    findings
}

/// Identifiers by which a re-installed machine is recognised, placeholders left out.
pub fn evidence(findings: &Findings) -> Evidence {
    let mut evidence = Evidence::default();
    if let Some(system) = items::<SystemItem>(findings, SectionKind::System).next() {
        evidence.smbios_uuid = unless(system.uuid, placeholder::is_uuid_placeholder);
        evidence.system_serial = unless(system.serial, placeholder::is_serial_placeholder);
        evidence.board_serial = unless(system.board_serial, placeholder::is_serial_placeholder);
        evidence.machine_fingerprint = system.machine_fingerprint;
    }
    evidence.macs = items::<NetworkItem>(findings, SectionKind::Network)
        .filter(|it| !it.r#virtual && it.permanent_mac && !placeholder::is_mac_placeholder(&it.mac))
        .map(|it| it.mac)
        .take(EVIDENCE_VALUES_MAX)
        .collect();
    evidence.disk_serials = items::<StorageItem>(findings, SectionKind::Storage)
        // Hypervisors give the disks of all their machines one serial.
        .filter(|it| !it.removable && it.kind != "virtual")
        .filter(|it| !placeholder::is_serial_placeholder(&it.serial))
        .map(|it| it.serial)
        .take(EVIDENCE_VALUES_MAX)
        .collect();
    evidence
}

/// The chassis asset tag as the firmware gives it, unfiltered; `None` when there is none.
pub fn firmware_asset_tag(findings: &Findings) -> Option<String> {
    let system = items::<SystemItem>(findings, SectionKind::System).next()?;
    Some(system.chassis_asset_tag).filter(|it| !it.is_empty())
}

fn items<M: Message + Default>(findings: &Findings, section: SectionKind) -> impl Iterator<Item = M> {
    let items = findings.sections.get(&section).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|it| M::decode(it.body.as_slice()).ok())
}

fn unless(text: String, is_placeholder: fn(&str) -> bool) -> String {
    if is_placeholder(&text) { String::new() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_system(system: &SystemItem) -> Probed {
        let mut probed = Probed::default();
        probed.put("system", system);
        probed
    }

    #[test]
    fn a_panicking_and_a_failing_probe_become_problems_and_the_rest_reports() {
        let table = [
            Probe { section: SectionKind::Cpu, name: "cpu", run: |_| panic!("a bug") },
            Probe {
                section: SectionKind::Os,
                name: "os",
                run: |_| Err(Failure::new(ProblemKind::Unreadable, "/etc/os-release", "it cannot be read")),
            },
            Probe {
                section: SectionKind::System,
                name: "system",
                run: |_| Ok(one_system(&SystemItem::default())),
            },
        ];
        let findings = run_table(&table, &Root::live());
        assert_eq!(findings.sections.keys().copied().collect::<Vec<_>>(), [SectionKind::System]);
        let problems: Vec<_> = findings.problems.iter().map(|it| (it.section(), it.kind())).collect();
        let expected =
            [(SectionKind::Cpu, ProblemKind::Malformed), (SectionKind::Os, ProblemKind::Unreadable)];
        assert_eq!(problems, expected);
        assert_eq!(findings.timings.len(), 3);
    }

    #[test]
    fn placeholders_are_no_evidence_but_the_firmware_tag_is_given_raw() {
        let run = |_: &Root| {
            Ok(one_system(&SystemItem {
                serial: "To be filled by O.E.M.".into(),
                uuid: "4c4c4544-0042-3510-8054-b4c04f564433".into(),
                chassis_asset_tag: "No Asset Tag".into(),
                ..SystemItem::default()
            }))
        };
        let findings =
            run_table(&[Probe { section: SectionKind::System, name: "system", run }], &Root::live());
        let evidence = evidence(&findings);
        assert_eq!(evidence.system_serial, "");
        assert_eq!(evidence.smbios_uuid, "4c4c4544-0042-3510-8054-b4c04f564433");
        assert_eq!(firmware_asset_tag(&findings).as_deref(), Some("No Asset Tag"));
    }

    #[test]
    fn a_platform_without_probes_says_so_for_every_section() {
        let findings = run_table(elsewhere::TABLE, &Root::live());
        assert!(findings.sections.is_empty());
        assert_eq!(findings.problems.len(), elsewhere::TABLE.len());
        assert!(findings.problems.iter().all(|it| it.reason.contains("not collected on this platform yet")));
    }
}
