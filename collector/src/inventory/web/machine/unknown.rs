//! What a machine cannot say about itself, in the reader's words. Pure.

use parc_wire::v1;

use super::grid::joined;
use super::hypervisor;
use crate::inventory::Machine;
use crate::web::Texts;

/// Something the machine cannot say.
#[derive(Clone, Debug)]
pub(crate) struct Unknown {
    pub text: String,
    /// The agent's own words, English.
    pub reason: String,
}

/// One problem in the reader's words; the agent's own stand beside it, muted.
pub(super) fn unknown(texts: Texts, machine: &Machine, problem: &v1::ProblemItem) -> Unknown {
    let text = missing_source(texts, machine, problem).unwrap_or_else(|| plain_problem(texts, problem));
    // A problem of a whole section names the section, which the text does already.
    let of_section = problem.source == section_code(problem.section).replace('_', "-")
        || problem.source.starts_with("SECTION_KIND_");
    let source = if of_section { "" } else { &problem.source };
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

pub(in super::super) fn problem_code(kind: i32) -> &'static str {
    match v1::ProblemKind::try_from(kind).unwrap_or(v1::ProblemKind::Unspecified) {
        v1::ProblemKind::Absent => "absent",
        v1::ProblemKind::Unspecified | v1::ProblemKind::Unreadable => "unreadable",
        v1::ProblemKind::Malformed => "malformed",
        v1::ProblemKind::TimedOut => "timed_out",
        v1::ProblemKind::Cut => "cut",
        v1::ProblemKind::Refused => "refused",
    }
}

pub(in super::super) fn section_code(section: i32) -> &'static str {
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

#[cfg(test)]
mod tests {
    use super::super::super::samples;
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
        for source in ["SECTION_KIND_SOFTWARE", "software"] {
            let cut = problem(v1::SectionKind::Software, v1::ProblemKind::Cut, source);
            let said = unknown(Texts::of(Language::En), &samples::virtual_machine(), &cut);
            assert!(!said.text.contains("SECTION_KIND"), "{}", said.text);
            assert_eq!(said.reason, "A sentence of the agent.");
        }
    }
}
