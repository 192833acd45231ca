//! What the agent notes after each contact for `parc-agent status` and for its own schedule.

use parc_wire::v1::{ContactResponse, SetAside};
use serde::{Deserialize, Serialize};

use crate::clock::UtcMicros;
use crate::contact::{Exchange, Standing};

/// Values set aside that are noted; the count tells of the rest.
const SET_ASIDE_NOTED_MAX: usize = 20;

/// The note. Every field may be missing: an older agent wrote fewer.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Status {
    /// The last try, answered or not.
    pub last_contact: Option<LastContact>,
    /// When a report was acknowledged last.
    pub acknowledged_at_us: Option<UtcMicros>,
    /// When the next contact is planned.
    pub next_contact_at_us: Option<UtcMicros>,
    /// Failures in a row, for the back-off.
    pub failures: u32,
    /// Tag that the administrator gave this machine, if it differs from the claimed one.
    pub assigned_tag: String,
    /// Why the claimed tag is not bound.
    pub tag_note: String,
    /// Values that the collector left out or cut.
    pub set_aside: Vec<String>,
    /// Why the certificate could not be renewed, as long as it could not.
    pub renewal_failure: String,
}

/// One contact.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct LastContact {
    /// When.
    pub at_us: UtcMicros,
    /// In a word: `accepted`, `duplicate`, `quarantined`… or `failed`.
    pub outcome: String,
    /// The collector's reason, or why there was no answer.
    pub detail: String,
    /// Payload sent, bytes before compression.
    pub bytes_sent: u64,
    /// Sections carried.
    pub sections_sent: Vec<String>,
}

impl Status {
    /// Notes an answer.
    pub fn answered(&mut self, at: UtcMicros, exchange: &Exchange) {
        let answer = &exchange.answer;
        self.last_contact = Some(LastContact {
            at_us: at,
            outcome: outcome_word(answer),
            detail: answer.reason.clone(),
            bytes_sent: exchange.bytes_sent as u64,
            sections_sent: exchange.sections_sent.iter().map(|it| section_word(*it)).collect(),
        });
        if exchange.standing == Standing::Acknowledged {
            self.acknowledged_at_us = Some(at);
        }
        self.failures = 0;
        self.assigned_tag.clone_from(&answer.assigned_tag);
        self.tag_note.clone_from(&answer.tag_note);
        self.set_aside = answer.set_aside.iter().take(SET_ASIDE_NOTED_MAX).map(set_aside_text).collect();
    }

    /// Notes a contact that came to nothing.
    pub fn failed(&mut self, at: UtcMicros, detail: String) {
        self.failures = self.failures.saturating_add(1);
        self.last_contact =
            Some(LastContact { at_us: at, outcome: "failed".to_owned(), detail, ..LastContact::default() });
    }
}

/// `need-full`, `accepted`…: the outcome's name on the wire, in lower case.
pub fn outcome_word(answer: &ContactResponse) -> String {
    wire_word(answer.outcome().as_str_name(), "OUTCOME_")
}

/// `software`, `asset-tag`…: the section's name on the wire, in lower case.
pub fn section_word(kind: parc_wire::v1::SectionKind) -> String {
    wire_word(kind.as_str_name(), "SECTION_KIND_")
}

pub(crate) fn wire_word(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_ascii_lowercase().replace('_', "-")
}

fn set_aside_text(it: &SetAside) -> String {
    format!("{} {} {}: {}", section_word(it.section()), it.item_key, it.field, it.reason)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use parc_wire::v1::{Outcome, SectionKind};

    use super::*;

    #[test]
    fn a_held_report_is_no_acknowledgement_but_ends_the_failures() {
        let mut status = Status { failures: 3, acknowledged_at_us: Some(1), ..Status::default() };
        let answer = ContactResponse { outcome: Outcome::Quarantined.into(), ..ContactResponse::default() };
        let sections_sent = BTreeSet::from([SectionKind::AssetTag]);
        status.answered(9, &Exchange { answer, standing: Standing::Held, bytes_sent: 4, sections_sent });
        assert_eq!((status.failures, status.acknowledged_at_us), (0, Some(1)));
        let last = status.last_contact.unwrap();
        assert_eq!(
            (last.outcome.as_str(), last.sections_sent),
            ("quarantined", vec!["asset-tag".to_owned()])
        );
    }
}
