//! Types of the slice and the rule who may be told what.

use crate::inventory::CiSummary;
use crate::kernel::actor::Scope;
use crate::kernel::text::AssetTag;

/// The six results of looking an inventory number up (rule A4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum AssetMatch {
    /// One machine of the organisation has it.
    Attached,
    /// Nobody has it yet; the text waits for the machine.
    Unknown,
    /// Two machines of the organisation claim it: a person decides.
    Ambiguous,
    /// Another organisation has it. Shown as [`AssetMatch::Unknown`] to everybody of one organisation.
    Foreign,
    /// Not a number but what factories print where one belongs.
    Placeholder,
    /// Nothing was typed.
    None,
}

impl AssetMatch {
    /// All, in the order they are shown.
    pub const ALL: [Self; 6] =
        [Self::Attached, Self::Unknown, Self::Ambiguous, Self::Foreign, Self::Placeholder, Self::None];

    /// Stored word, REST value and text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::Attached => "attached",
            Self::Unknown => "unknown",
            Self::Ambiguous => "ambiguous",
            Self::Foreign => "foreign",
            Self::Placeholder => "placeholder",
            Self::None => "none",
        }
    }

    /// From the stored word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// What an actor of `scope` may be told (rule A7).
    #[must_use]
    pub fn visible(self, scope: Scope) -> Self {
        match (self, scope) {
            (Self::Foreign, Scope::Organisation(_)) => Self::Unknown,
            (shown, _) => shown,
        }
    }
}

/// What was found for a typed text.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Which of the six it is.
    pub outcome: AssetMatch,
    /// The text as a tag, if it can be one.
    pub tag: Option<AssetTag>,
    /// The one machine (attached), or holder and claimant (ambiguous).
    pub candidates: Vec<CiSummary>,
    /// Near misses of the same organisation for an unknown tag, best first, at most 5. Never links.
    pub suggestions: Vec<CiSummary>,
    /// No machine was found and the text looks like the telephone number that stands on the same sticker (rule R044).
    pub looks_like_phone: bool,
}

impl Lookup {
    /// A result without machines.
    pub fn empty(outcome: AssetMatch) -> Self {
        Self { outcome, tag: None, candidates: Vec::new(), suggestions: Vec::new(), looks_like_phone: false }
    }

    /// The machine itself, known otherwise than by a number.
    pub fn certain(ci: CiSummary) -> Self {
        Self { candidates: vec![ci], ..Self::empty(AssetMatch::Attached) }
    }
}

/// What an actor of `scope` may be told: a foreign tag looks exactly like an unknown one unless the scope is all.
#[must_use]
pub fn visible(lookup: Lookup, scope: Scope) -> Lookup {
    Lookup { outcome: lookup.outcome.visible(scope), ..lookup }
}

/// Whether a text has the shape of a French telephone number: ten digits from 0, or nine after +33.
pub(super) fn looks_like_phone(typed: &str) -> bool {
    let plain: String = typed.chars().filter(|c| !c.is_whitespace() && !".-/()".contains(*c)).collect();
    let national = match plain.strip_prefix("+33").or_else(|| plain.strip_prefix("0033")) {
        Some(rest) => rest.strip_prefix('0').unwrap_or(rest),
        None => match plain.strip_prefix('0') {
            Some(rest) => rest,
            None => return false,
        },
    };
    national.len() == 9 && national.bytes().all(|b| b.is_ascii_digit()) && !national.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::id::OrganisationId;

    #[test]
    fn the_telephone_number_of_the_sticker_is_recognised() {
        for typed in
            ["04 72 00 00 12", "0472000012", "+33 4 72 00 00 12", "+33 (0)4.72.00.00.12", "0033472000012"]
        {
            assert!(looks_like_phone(typed), "{typed}");
        }
        for typed in
            ["INV-004217", "004217", "0012345678", "047200001", "04720000123", "+49 4 72 00 00 12", ""]
        {
            assert!(!looks_like_phone(typed), "{typed}");
        }
    }

    #[test]
    fn only_the_providers_staff_learns_that_a_tag_is_foreign() {
        let own = Scope::Organisation(OrganisationId::from(uuid::Uuid::from_u128(1)));
        assert_eq!(visible(Lookup::empty(AssetMatch::Foreign), own).outcome, AssetMatch::Unknown);
        assert_eq!(visible(Lookup::empty(AssetMatch::Foreign), Scope::All).outcome, AssetMatch::Foreign);
        assert_eq!(visible(Lookup::empty(AssetMatch::Ambiguous), own).outcome, AssetMatch::Ambiguous);
    }

    #[test]
    fn every_word_reads_back() {
        for outcome in AssetMatch::ALL {
            assert_eq!(AssetMatch::from_code(outcome.code()), Some(outcome));
        }
        assert_eq!(AssetMatch::from_code("attache"), None);
    }
}
