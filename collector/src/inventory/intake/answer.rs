//! What a report is answered, before it has the words of the wire.

use parc_wire::v1::{Outcome, SectionKind};

use super::super::model::TagSource;
use super::super::store::contact::Head;
use super::quota::Brought;

/// What a report is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub outcome: Outcome,
    pub need_full: Vec<SectionKind>,
    pub reason: String,
    pub tag_note: String,
    pub assigned_tag: String,
    /// What the report brought to the catalogue of titles.
    pub brought: Brought,
}

impl Answer {
    pub(super) fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            need_full: Vec::new(),
            reason: String::new(),
            tag_note: String::new(),
            assigned_tag: String::new(),
            brought: Brought::default(),
        }
    }

    pub(super) fn invalid(reason: String) -> Self {
        Self { reason, ..Self::new(Outcome::Invalid) }
    }

    pub(super) fn need_full(kinds: Vec<SectionKind>) -> Self {
        Self { need_full: kinds, ..Self::new(Outcome::NeedFull) }
    }
}

/// What an applied report is answered from its item's head.
pub(super) fn accepted(head: &Head) -> Answer {
    let by_admin = head.tag_source == Some(TagSource::Admin);
    let assigned_tag = head.tag.clone().filter(|_| by_admin).unwrap_or_default();
    Answer { tag_note: head.tag_note.clone(), assigned_tag, ..Answer::new(Outcome::Accepted) }
}
