//! The use cases.

use parc_calendar::{CalendarRefusal, Day, Targets, Term, TermStanding};
use serde_json::json;

use super::coverage::{Coverage, Subject, Verdict, decide};
use super::model::{Contract, ContractError, Covers, Item, NewContract};
use super::store;
use crate::audit::{self, Deed};
use crate::calendars;
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::kernel::id::{ContractId, OrganisationId};
use crate::kernel::text::{AssetTag, line, search_key, tag_key};
use crate::kernel::time::{UtcMicros, Zone};

/// Characters of a kind.
const KIND_CHARS_MAX: usize = 40;
/// Characters of a number.
const REFERENCE_CHARS_MAX: usize = 60;
/// Characters of a line of the list.
const ITEM_CHARS_MAX: usize = 100;
/// Lines of the list: the parc of a large organisation.
const ITEMS_MAX: usize = 10_000;

/// Makes a contract.
pub async fn create_contract(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewContract,
) -> Result<Contract, ContractError> {
    check_rights(actor, &new)?;
    let id = ContractId::generate(context.now(), context.entropy.as_ref());
    let contract = checked(tx, new, (id, 1, context.now())).await?;
    if !store::insert_contract(tx, &contract).await? {
        return Err(ContractError::Taken(contract.reference));
    }
    store::replace_items(tx, id, &contract.items).await?;
    record(tx, context, actor, "contract.created", &contract).await?;
    store::find_contract(tx, actor.scope, id).await?.ok_or(ContractError::NotFound)
}

/// Changes a contract that is at version `seen`. Tickets keep what was decided when they were opened.
pub async fn change_contract(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    (id, seen): (ContractId, i64),
    new: NewContract,
) -> Result<Contract, ContractError> {
    let known = store::find_contract(tx, actor.scope, id).await?.ok_or(ContractError::NotFound)?;
    let new = NewContract { organisation_id: known.organisation_id, ..new };
    check_rights(actor, &new)?;
    let contract = checked(tx, new, (id, seen + 1, context.now())).await?;
    if store::reference_is_taken(tx, &contract).await? {
        return Err(ContractError::Taken(contract.reference));
    }
    if !store::update_contract(tx, &contract, seen).await? {
        return Err(ContractError::Stale { current: known.version });
    }
    store::replace_items(tx, id, &contract.items).await?;
    record(tx, context, actor, "contract.changed", &contract).await?;
    store::find_contract(tx, actor.scope, id).await?.ok_or(ContractError::NotFound)
}

/// What an organisation's contracts say about a subject at a moment, by the date on the wall of `zone`.
pub async fn find_verdict(
    tx: &mut Tx,
    organisation: OrganisationId,
    (at, zone): (UtcMicros, &Zone),
    subject: Subject<'_>,
) -> Result<(Coverage, Option<Contract>), StoreError> {
    let contracts = store::list_concerning(tx, organisation, &keys(subject)).await?;
    let Verdict { coverage, contract } = decide(&contracts, day(at, zone), subject);
    Ok((coverage, contract.cloned()))
}

/// Where a moment lies in a contract's term, by the date on the wall of its organisation.
pub fn standing(contract: &Contract, at: UtcMicros) -> TermStanding {
    let zone = Zone::named(&contract.time_zone).unwrap_or_else(Zone::utc);
    contract.term.standing_on(day(at, &zone))
}

fn day(at: UtcMicros, zone: &Zone) -> Day {
    at.format(zone, "%Y-%m-%d").parse().unwrap_or_default()
}

/// What a list may name the subject by.
fn keys(subject: Subject<'_>) -> [String; 3] {
    match subject {
        Subject::Machine(ci) => {
            let tag = ci.tag.as_deref().map(tag_key).unwrap_or_default();
            let both = format!("{} {}", ci.make, ci.model);
            [tag, search_key(&ci.model), search_key(both.trim())]
        }
        Subject::Unidentified | Subject::Nothing => Default::default(),
    }
}

fn check_rights(actor: &Actor, new: &NewContract) -> Result<(), ContractError> {
    if !actor.may(Permission::Administer) || !actor.scope.contains(new.organisation_id) {
        return Err(ContractError::Forbidden);
    }
    Ok(())
}

async fn checked(
    tx: &mut Tx,
    new: NewContract,
    (id, version, changed_at): (ContractId, i64, UtcMicros),
) -> Result<Contract, ContractError> {
    let kind = line(&new.kind, KIND_CHARS_MAX).map_err(|it| ContractError::invalid("kind", it))?;
    let reference =
        line(&new.reference, REFERENCE_CHARS_MAX).map_err(|it| ContractError::invalid("reference", it))?;
    let term = Term::parse(&new.starts_on, &new.ends_on, new.renewal_months).map_err(|refusal| {
        let field = match refusal {
            CalendarRefusal::Renewal(_) => "renewal_months",
            _ if new.starts_on.trim().parse::<Day>().is_err() => "starts_on",
            _ => "ends_on",
        };
        ContractError::Refused { field, refusal }
    })?;
    let usual = Targets::default().texts();
    let or_usual =
        |text: &str, usual: &str| if text.trim().is_empty() { usual.to_owned() } else { text.to_owned() };
    let targets = |call_back: &str, resolution: &str, field| {
        Targets::parse(call_back, resolution).map_err(|refusal| ContractError::Refused { field, refusal })
    };
    let call_back = or_usual(&new.call_back, &usual.0);
    targets(&call_back, &usual.1, "call_back")?;
    let targets = targets(&call_back, &or_usual(&new.resolution, &usual.1), "resolution")?;
    if let Some(calendar) = new.calendar_id {
        let own = Scope::Organisation(new.organisation_id);
        let known = calendars::find_calendar(tx, own, calendar).await?;
        known.ok_or_else(|| ContractError::invalid("calendar", "is not known"))?;
    }
    Ok(Contract {
        id,
        organisation_id: new.organisation_id,
        organisation_name: String::new(),
        time_zone: String::new(),
        kind,
        reference,
        term,
        renewal_months: new.renewal_months,
        covers: new.covers,
        calendar_id: new.calendar_id,
        targets,
        emergency_always: new.emergency_always,
        away_pauses: new.away_pauses,
        version,
        changed_at,
        items: items(new.covers, &new.items)?,
    })
}

/// The lines of the list, each once. A list that covers everything has none.
fn items(covers: Covers, text: &str) -> Result<Vec<Item>, ContractError> {
    if covers == Covers::All {
        return Ok(Vec::new());
    }
    let mut items: Vec<Item> = Vec::new();
    for typed in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        if items.len() == ITEMS_MAX {
            return Err(ContractError::invalid("items", format!("has more than {ITEMS_MAX} lines")));
        }
        let label = line(typed, ITEM_CHARS_MAX).map_err(|it| ContractError::invalid("items", it))?;
        let item_key = match covers {
            Covers::List => {
                let tag: AssetTag = label.parse().map_err(|_| {
                    ContractError::invalid("items", format!("{label:?} is not an inventory number"))
                })?;
                tag.key().to_owned()
            }
            Covers::Models | Covers::All => search_key(&label),
        };
        items.push(Item { item_key, label });
    }
    items.sort_by(|one, other| one.item_key.cmp(&other.item_key));
    items.dedup_by(|one, other| one.item_key == other.item_key);
    if items.is_empty() {
        return Err(ContractError::invalid("items", "must name at least one"));
    }
    Ok(items)
}

async fn record(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    action: &'static str,
    contract: &Contract,
) -> Result<(), ContractError> {
    let deed = Deed {
        organisation_id: Some(contract.organisation_id),
        action,
        subject_kind: "contract",
        subject_id: contract.id.to_string(),
        detail: json!({ "reference": &contract.reference, "version": contract.version }),
    };
    Ok(audit::record(tx, context, actor, deed).await?)
}
