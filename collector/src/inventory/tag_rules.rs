//! What becomes of a machine's claim on an asset tag. Pure; [`super::tags`] carries it out.

use parc_wire::v1;

use super::model::{Lifecycle, TagPolicy, TagSource};
use super::store::ci as ci_store;
use crate::kernel::text::{self, AssetTag, TagRefusal};

/// Note for a machine whose claim a person turned down.
pub(super) const HELD_BY_ANOTHER: &str = "held-by-another";
/// Different tags one machine may claim a day; more is a script that tries stickers.
const CLAIMS_A_DAY_MAX: i64 = 3;

/// A tag as a machine claims it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub tag: AssetTag,
    pub source: TagSource,
}

/// Reads a claim; nothing when the machine claims none. The refusal's code goes back to the agent.
pub(super) fn claim_of(item: &v1::AssetTagItem) -> Result<Option<Claim>, TagRefusal> {
    let source = match item.source() {
        v1::TagSource::Configuration => TagSource::Configuration,
        v1::TagSource::Firmware | v1::TagSource::Unspecified => TagSource::Firmware,
    };
    match item.tag.parse::<AssetTag>() {
        Ok(tag) => Ok(Some(Claim { tag, source })),
        Err(TagRefusal::Empty) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// What the rules make of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The item has that tag, or a better one.
    Keep,
    /// The tag is free.
    Bind,
    /// The tag waits on a record that was made in advance for this machine.
    TakeOver,
    /// Another item has it.
    Conflict,
    /// Not bound; the word goes back to the agent.
    Refuse(&'static str),
}

/// Facts a claim is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub policy: TagPolicy,
    /// Key and source of the tag the item has.
    pub current: Option<(&'a str, TagSource)>,
    /// Another item that has the claimed tag.
    pub holder: Option<&'a ci_store::Holder>,
    /// Serial number the machine reports; empty when unknown.
    pub serial: &'a str,
    /// Other tags the item claimed today.
    pub other_claims: i64,
}

/// Judges a claim. Pure.
pub(super) fn decide(claim: &Claim, case: Case<'_>) -> Decision {
    if let Some((key, source)) = case.current {
        let better = claim.source >= source && source != TagSource::Admin;
        if key == claim.tag.key() {
            return if claim.source > source && better { Decision::Bind } else { Decision::Keep };
        }
        if !better {
            return Decision::Keep;
        }
    }
    if case.other_claims >= CLAIMS_A_DAY_MAX {
        return Decision::Refuse("too-many-claims");
    }
    if case.policy == TagPolicy::None {
        return Decision::Refuse("not-allowed");
    }
    match case.holder {
        Some(holder) if awaits(holder, case.serial) => Decision::TakeOver,
        Some(_) => Decision::Conflict,
        None if case.policy == TagPolicy::MustExist => Decision::Refuse("must-exist"),
        None => Decision::Bind,
    }
}

/// Whether a record was made in advance for a machine with this serial.
pub(super) fn awaits(holder: &ci_store::Holder, serial: &str) -> bool {
    let gone = matches!(holder.lifecycle, Lifecycle::Retired | Lifecycle::Stolen);
    let declared = holder.declared_serial.as_deref().map(text::tag_key).unwrap_or_default();
    let matches = declared.is_empty() || declared == text::tag_key(serial);
    !holder.has_agent && !gone && matches
}

/// Whether a note may change without a new claim: the other item may give the tag up, the policy may change.
pub(super) fn may_clear(note: &str) -> bool {
    matches!(note, "conflict" | HELD_BY_ANOTHER | "not-allowed" | "must-exist" | "too-many-claims")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(text: &str, source: TagSource) -> Claim {
        Claim { tag: text.parse().expect("tag"), source }
    }

    fn holder(has_agent: bool, lifecycle: Lifecycle, serial: Option<&str>) -> ci_store::Holder {
        ci_store::Holder {
            id: uuid::Uuid::from_u128(9).into(),
            has_agent,
            lifecycle,
            tag_source: Some(TagSource::Admin),
            site_id: None,
            assigned_to_id: None,
            location: String::new(),
            declared_serial: serial.map(str::to_owned),
        }
    }

    const FREE: Case<'static> =
        Case { policy: TagPolicy::MayCreate, current: None, holder: None, serial: "S123", other_claims: 0 };

    fn decided(source: TagSource, case: Case<'_>) -> Decision {
        decide(&claim("INV-1", source), case)
    }

    #[test]
    fn a_lower_source_never_overwrites_a_higher_one() {
        use TagSource::{Admin, Configuration, Firmware};
        let has = |key, source| Case { current: Some((key, source)), ..FREE };
        assert_eq!(decided(Configuration, FREE), Decision::Bind);
        assert_eq!(decided(Configuration, has("INV1", Configuration)), Decision::Keep);
        assert_eq!(
            decided(Configuration, has("INV1", Firmware)),
            Decision::Bind,
            "the better source is noted"
        );
        assert_eq!(decided(Configuration, has("OTHER", Firmware)), Decision::Bind);
        assert_eq!(decided(Firmware, has("OTHER", Configuration)), Decision::Keep);
        assert_eq!(decided(Configuration, has("OTHER", Admin)), Decision::Keep);
    }

    #[test]
    fn a_tag_of_another_item_is_contested_unless_it_waits_for_this_machine() {
        let held = |holder: &ci_store::Holder| {
            decided(TagSource::Configuration, Case { holder: Some(holder), ..FREE })
        };
        assert_eq!(held(&holder(true, Lifecycle::InUse, None)), Decision::Conflict);
        assert_eq!(held(&holder(false, Lifecycle::Retired, None)), Decision::Conflict);
        assert_eq!(held(&holder(false, Lifecycle::Stolen, None)), Decision::Conflict);
        assert_eq!(held(&holder(false, Lifecycle::Stock, None)), Decision::TakeOver);
        assert_eq!(held(&holder(false, Lifecycle::Stock, Some("s-123"))), Decision::TakeOver);
        assert_eq!(held(&holder(false, Lifecycle::Stock, Some("S999"))), Decision::Conflict);
    }

    #[test]
    fn a_policy_or_a_fourth_claim_refuses() {
        let refused = |case| decided(TagSource::Configuration, case);
        assert_eq!(refused(Case { policy: TagPolicy::None, ..FREE }), Decision::Refuse("not-allowed"));
        assert_eq!(refused(Case { policy: TagPolicy::MustExist, ..FREE }), Decision::Refuse("must-exist"));
        assert_eq!(refused(Case { other_claims: 3, ..FREE }), Decision::Refuse("too-many-claims"));
        assert_eq!(refused(Case { other_claims: 2, ..FREE }), Decision::Bind);
    }

    #[test]
    fn a_blank_tag_claims_nothing_and_a_placeholder_says_why() {
        let item = |tag: &str| v1::AssetTagItem { tag: tag.into(), source: v1::TagSource::Firmware as i32 };
        assert_eq!(claim_of(&item("  ")), Ok(None));
        assert_eq!(claim_of(&item("Default string")).map_err(TagRefusal::code), Err("placeholder"));
        assert!(matches!(claim_of(&item("INV-1")), Ok(Some(_))));
    }
}
