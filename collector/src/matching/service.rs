//! Looking a typed text up.

use std::collections::HashMap;

use super::model::{AssetMatch, Lookup, looks_like_phone};
use super::near_miss::near_misses;
use crate::db::{StoreError, Tx};
use crate::inventory::{self, CiSummary, TagConflict};
use crate::kernel::actor::Scope;
use crate::kernel::id::OrganisationId;
use crate::kernel::text::{AssetTag, TagRefusal, tag_key};

/// Suggestions shown: more than a person compares at a glance is no help.
const SUGGESTIONS_MAX: usize = 5;

/// Looks a typed text up in one organisation, in the caller's transaction. `Foreign` is for the record and for
/// staff; [`visible`](super::visible) is what others may be told.
pub async fn look_up(tx: &mut Tx, organisation: OrganisationId, typed: &str) -> Result<Lookup, StoreError> {
    let tag = match typed.parse::<AssetTag>() {
        Ok(tag) => tag,
        Err(TagRefusal::Empty) => return Ok(Lookup::empty(AssetMatch::None)),
        Err(TagRefusal::Placeholder) => return Ok(Lookup::empty(AssetMatch::Placeholder)),
        Err(TagRefusal::NoLetterOrDigit) if is_filler(typed) => return Ok(Lookup::empty(AssetMatch::None)),
        Err(TagRefusal::TooLong | TagRefusal::NoLetterOrDigit | TagRefusal::ControlCharacter) => {
            return not_a_tag(tx, organisation, typed).await;
        }
    };
    let holder = inventory::find_ci_by_tag(tx, organisation, tag.key()).await?;
    let conflict = inventory::find_open_conflict(tx, organisation, tag.key()).await?;
    if let Some(conflict) = conflict {
        let candidates = claimants(tx, organisation, &conflict).await?;
        return Ok(Lookup { tag: Some(tag), candidates, ..Lookup::empty(AssetMatch::Ambiguous) });
    }
    if let Some(ci) = holder {
        return Ok(Lookup { tag: Some(tag), candidates: vec![ci], ..Lookup::empty(AssetMatch::Attached) });
    }
    let foreign = inventory::tag_is_foreign(tx, organisation, tag.key()).await?;
    let outcome = if foreign { AssetMatch::Foreign } else { AssetMatch::Unknown };
    Ok(Lookup {
        tag: Some(tag),
        suggestions: suggestions(tx, organisation, typed).await?,
        looks_like_phone: looks_like_phone(typed),
        ..Lookup::empty(outcome)
    })
}

/// One sign again and again, such as `---`: what people type where something has to stand and they have nothing.
fn is_filler(typed: &str) -> bool {
    let mut signs = typed.chars().filter(|it| !it.is_whitespace());
    let first = signs.next();
    matches!(first, Some('-' | '–' | '—' | '_' | '.' | '/' | '?' | '*' | '#' | '=' | '~'))
        && signs.all(|it| Some(it) == first)
}

/// Too long, or punctuation only: no tag, but perhaps the digit row without shift, or a telephone number.
async fn not_a_tag(tx: &mut Tx, organisation: OrganisationId, typed: &str) -> Result<Lookup, StoreError> {
    Ok(Lookup {
        suggestions: suggestions(tx, organisation, typed).await?,
        looks_like_phone: looks_like_phone(typed),
        ..Lookup::empty(AssetMatch::Unknown)
    })
}

/// Holder and claimant of a contested tag.
async fn claimants(
    tx: &mut Tx,
    organisation: OrganisationId,
    conflict: &TagConflict,
) -> Result<Vec<CiSummary>, StoreError> {
    let mut found = Vec::with_capacity(2);
    for ci in [conflict.holder_ci_id, conflict.claimant_ci_id] {
        found.extend(inventory::find_ci(tx, Scope::Organisation(organisation), ci).await?);
    }
    Ok(found)
}

async fn suggestions(
    tx: &mut Tx,
    organisation: OrganisationId,
    typed: &str,
) -> Result<Vec<CiSummary>, StoreError> {
    let keys = near_misses(typed);
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let found = inventory::list_cis_by_tag_keys(tx, organisation, &keys).await?;
    Ok(ranked(found, &keys))
}

/// The likeliest slip first, and only as many as people read.
fn ranked(mut found: Vec<CiSummary>, keys: &[String]) -> Vec<CiSummary> {
    let rank: HashMap<&str, usize> =
        keys.iter().enumerate().map(|(place, key)| (key.as_str(), place)).collect();
    let place = |ci: &CiSummary| {
        let key = ci.tag.as_deref().map(tag_key).unwrap_or_default();
        rank.get(key.as_str()).copied().unwrap_or(usize::MAX)
    };
    found.sort_by_key(place);
    found.truncate(SUGGESTIONS_MAX);
    found
}
