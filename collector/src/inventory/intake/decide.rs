//! What becomes of a report, decided from what is stored and what it declares. Pure.

use std::collections::BTreeMap;

use parc_wire::digest::Digest;
use parc_wire::v1::SectionKind;

use super::prepare::{Prepared, PreparedChange};
use crate::kernel::id::AgentId;

/// What is remembered of an item's last contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Last {
    pub agent_id: AgentId,
    pub epoch: i64,
    pub seq: i64,
    pub report_id: Digest,
    pub state_digest: Digest,
    /// Number and id of the report applied before that one.
    pub previous: (i64, Digest),
}

/// First look: number and id of the report against the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Header {
    /// The same report again.
    Duplicate,
    /// An older report than the last.
    Stale,
    /// Another report under a number that was used.
    Fork,
    /// New, and nothing in it differs from the last.
    Unchanged,
    /// New, and its sections must be looked at.
    Look,
}

/// Second look: one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum SectionVerdict {
    /// Stored already.
    Same,
    /// The change can be merged.
    Merge,
    /// The change starts from something else, or is missing.
    NeedFull,
}

/// Looks at number and id. Another agent, or another epoch, begins anew: the machine was re-installed or
/// its agent lost its state; its sections then must be whole or equal to the stored ones.
pub(in super::super) fn header(last: Option<&Last>, agent: AgentId, report: &Prepared) -> Header {
    let Some(last) = last.filter(|it| it.agent_id == agent) else {
        return Header::Look;
    };
    if last.epoch == report.epoch {
        if report.seq == last.seq {
            return if report.report_id == last.report_id { Header::Duplicate } else { Header::Fork };
        }
        if report.seq < last.seq {
            let (seq, id) = last.previous;
            let contradicts = report.seq == seq && report.report_id != id;
            return if contradicts { Header::Fork } else { Header::Stale };
        }
    }
    if report.changes.is_empty() && report.state_digest == last.state_digest {
        Header::Unchanged
    } else {
        Header::Look
    }
}

/// Looks at every declared section.
pub(in super::super) fn sections(
    stored: &BTreeMap<SectionKind, Digest>,
    report: &Prepared,
) -> BTreeMap<SectionKind, SectionVerdict> {
    let verdict = |(kind, declared): (&SectionKind, &Digest)| {
        (*kind, section(stored.get(kind), declared, report.changes.get(kind)))
    };
    report.digests.iter().map(verdict).collect()
}

fn section(stored: Option<&Digest>, declared: &Digest, change: Option<&PreparedChange>) -> SectionVerdict {
    if stored == Some(declared) {
        return SectionVerdict::Same;
    }
    match change {
        Some(change) if change.base.is_none() || change.base.as_ref() == stored => SectionVerdict::Merge,
        Some(_) | None => SectionVerdict::NeedFull,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::intake::prepare::prepare;
    use crate::inventory::testing::{Report, cpu};
    use crate::kernel::entropy::SystemEntropy;
    use crate::kernel::time::UtcMicros;

    const NOW: UtcMicros = UtcMicros(1_790_000_000_000_000);

    fn agent() -> AgentId {
        AgentId::generate(NOW, &SystemEntropy)
    }

    fn report(epoch: u64, seq: u64, model: &str) -> Prepared {
        let request = Report::new(epoch, seq).full(SectionKind::Cpu, vec![cpu("cpu0", model)]).request();
        prepare(&request, NOW).expect("prepared")
    }

    fn after(agent_id: AgentId, report: &Prepared, previous: (i64, Digest)) -> Last {
        let Prepared { epoch, seq, report_id, state_digest, .. } = report.clone();
        Last { agent_id, epoch, seq, report_id, state_digest, previous }
    }

    #[test]
    fn the_number_and_id_of_a_report_say_what_it_is() {
        let agent_id = agent();
        let (four, five) = (report(1, 4, "a"), report(1, 5, "a"));
        let last = after(agent_id, &five, (4, four.report_id));
        let cases = [
            (report(1, 5, "a"), Header::Duplicate),
            (report(1, 5, "b"), Header::Fork),
            (report(1, 4, "a"), Header::Stale),
            (report(1, 4, "b"), Header::Fork),
            (report(1, 3, "b"), Header::Stale),
            (report(1, 6, "b"), Header::Look),
            (report(2, 1, "b"), Header::Look),
        ];
        for (report, expected) in cases {
            assert_eq!(header(Some(&last), agent_id, &report), expected, "{} {}", report.epoch, report.seq);
        }
    }

    #[test]
    fn a_report_without_news_is_unchanged() {
        let agent_id = agent();
        let first = report(1, 1, "a");
        let last = after(agent_id, &first, (0, [0; 16]));
        let again = Report::new(1, 2).same(SectionKind::Cpu, first.digests[&SectionKind::Cpu]).request();
        let again = prepare(&again, NOW).expect("prepared");
        assert_eq!(header(Some(&last), agent_id, &again), Header::Unchanged);
        assert_eq!(header(Some(&last), agent(), &again), Header::Look, "another agent's word is looked at");
        assert_eq!(header(None, agent_id, &again), Header::Look);
    }

    #[test]
    fn a_section_is_merged_only_from_the_same_base() {
        let change = |base| PreparedChange { base, ..report(1, 1, "a").changes[&SectionKind::Cpu].clone() };
        let (ours, theirs, new) = ([1; 16], [2; 16], [3; 16]);
        let cases = [
            (Some(&ours), ours, None, SectionVerdict::Same),
            (Some(&ours), new, None, SectionVerdict::NeedFull),
            (None, new, None, SectionVerdict::NeedFull),
            (Some(&ours), new, Some(change(Some(ours))), SectionVerdict::Merge),
            (Some(&ours), new, Some(change(Some(theirs))), SectionVerdict::NeedFull),
            (None, new, Some(change(Some(theirs))), SectionVerdict::NeedFull),
            (Some(&ours), new, Some(change(None)), SectionVerdict::Merge),
            (None, new, Some(change(None)), SectionVerdict::Merge),
        ];
        for (index, (stored, declared, change, expected)) in cases.into_iter().enumerate() {
            assert_eq!(section(stored, &declared, change.as_ref()), expected, "case {index}");
        }
    }
}
