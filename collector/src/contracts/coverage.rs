//! Whether a contract covers what a ticket is about. Pure.

use parc_calendar::{Day, TermStanding};

use super::model::{Contract, Covers};
use crate::inventory::CiSummary;
use crate::kernel::text::{search_key, tag_key};

/// What came of looking at the contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// A contract in force covers it.
    Covered,
    /// A contract covered it and ended.
    Expired,
    /// A contract is in force and does not name it.
    NotListed,
    /// There is no contract.
    NoContract,
    /// That depends on which machine it is.
    Unknown,
}

/// What a ticket is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// This machine.
    Machine(&'a CiSummary),
    /// A number was given that led to no machine yet.
    Unidentified,
    /// Nothing that has a number.
    Nothing,
}

/// What was decided, and by which contract.
#[derive(Clone, Debug)]
pub(super) struct Verdict<'a> {
    /// The result.
    pub(super) coverage: Coverage,
    /// The contract it follows from.
    pub(super) contract: Option<&'a Contract>,
}

impl Coverage {
    /// Every result.
    pub const ALL: [Self; 5] =
        [Self::Covered, Self::Expired, Self::NotListed, Self::NoContract, Self::Unknown];

    /// The word stored, shown to programs and used as a text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Expired => "expired",
            Self::NotListed => "not_listed",
            Self::NoContract => "no_contract",
            Self::Unknown => "unknown",
        }
    }

    /// The result with that word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// Whether somebody has to say what happens with it.
    pub fn needs_decision(self) -> bool {
        matches!(self, Self::Expired | Self::NotListed | Self::NoContract)
    }
}

/// Looks at an organisation's contracts on a day: one in force that covers goes before one that would have, and what
/// cannot be told yet before what is refused.
pub(super) fn decide<'a>(contracts: &'a [Contract], on: Day, subject: Subject<'_>) -> Verdict<'a> {
    let standing = |it: &&Contract| it.term.standing_on(on);
    let live = || contracts.iter().filter(|it| matches!(standing(it), TermStanding::Live { .. }));
    let ended = || contracts.iter().filter(|it| standing(it) == TermStanding::Ended);
    let found = |coverage, contract| Verdict { coverage, contract: Some(contract) };
    if let Some(contract) = live().find(|it| it.covers(subject) == Some(true)) {
        return found(Coverage::Covered, contract);
    }
    if let Some(contract) = live().find(|it| it.covers(subject).is_none()) {
        return found(Coverage::Unknown, contract);
    }
    if let Some(contract) = ended().find(|it| it.covers(subject) != Some(false)) {
        return found(Coverage::Expired, contract);
    }
    match live().next() {
        Some(contract) => found(Coverage::NotListed, contract),
        None => Verdict { coverage: Coverage::NoContract, contract: None },
    }
}

impl Contract {
    /// Whether it names the subject; none when that cannot be told.
    fn covers(&self, subject: Subject<'_>) -> Option<bool> {
        let named = |key: &str| self.items.iter().any(|it| it.item_key == key);
        match (self.covers, subject) {
            (Covers::All, Subject::Machine(_) | Subject::Nothing) => Some(true),
            (_, Subject::Unidentified) | (Covers::List | Covers::Models, Subject::Nothing) => None,
            (Covers::List, Subject::Machine(ci)) => {
                Some(ci.tag.as_deref().is_some_and(|tag| named(&tag_key(tag))))
            }
            (Covers::Models, Subject::Machine(ci)) => {
                let both = format!("{} {}", ci.make, ci.model);
                Some(named(&search_key(&ci.model)) || named(&search_key(both.trim())))
            }
        }
    }
}
