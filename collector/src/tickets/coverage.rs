//! Whether a contract covers what a ticket is about: decided when the ticket is opened, or when its machine becomes
//! known, and kept whatever happens to contracts later.

use std::borrow::Cow;

use super::model::{Entry, Ticket};
use super::store;
use super::words::AssetRole;
use crate::context::Context;
use crate::contracts::{self, Contract, Coverage, Subject};
use crate::db::{StoreError, Tx};
use crate::inventory::{self, CiSummary};
use crate::kernel::actor::Scope;
use crate::kernel::id::ContractId;
use crate::kernel::time::{UtcMicros, Zone};
use crate::matching::AssetMatch;

/// What the single point of entry makes of what is not covered (rule R076).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CoverageDecision {
    /// It is done all the same.
    Accept,
    /// It is done and charged.
    Billable,
    /// It is not done: the ticket is cancelled.
    Cancel,
}

/// What was decided about a ticket.
#[derive(Clone, Debug)]
pub struct TicketCoverage {
    /// The result.
    pub coverage: Coverage,
    /// The contract it follows from.
    pub contract_id: Option<ContractId>,
    /// Its kind and number, empty without one.
    pub contract: String,
    /// When.
    pub decided_at: UtcMicros,
    /// What happens with what is not covered, once somebody said so.
    pub decision: Option<CoverageDecision>,
    /// Who said so.
    pub decision_by: String,
}

/// What a step decided.
#[derive(Debug)]
pub(in crate::tickets) struct Decided {
    pub(in crate::tickets) coverage: Coverage,
    contract: Option<Contract>,
}

impl CoverageDecision {
    /// Every decision, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Accept, Self::Billable, Self::Cancel];

    /// The word stored and used as a text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Billable => "billable",
            Self::Cancel => "cancel",
        }
    }

    /// The decision with that word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

impl Decided {
    /// The contract whose terms hold: one that is in force, also while it cannot be told whether it covers.
    pub(in crate::tickets) fn terms(&self) -> Option<&Contract> {
        let in_force = matches!(self.coverage, Coverage::Covered | Coverage::Unknown);
        self.contract.as_ref().filter(|_| in_force)
    }
}

/// Decides for a new ticket, and again when the machine of one becomes known that waited for it.
pub(in crate::tickets) async fn follow(
    tx: &mut Tx,
    context: &Context,
    before: Option<&Ticket>,
    ticket: &Ticket,
) -> Result<Option<Decided>, StoreError> {
    let became_known =
        |it: &Ticket| it.asset_match != AssetMatch::Attached && ticket.asset_match == AssetMatch::Attached;
    let Some(before) = before else {
        let decided = decide(tx, ticket, context.now()).await?;
        let contract = decided.contract.as_ref().map(|it| it.id);
        store::insert_coverage(tx, &ticket.number, (decided.coverage, contract), context.now()).await?;
        return Ok(Some(decided));
    };
    if !became_known(before) {
        return Ok(None);
    }
    let decided = decide(tx, ticket, context.now()).await?;
    let contract = decided.contract.as_ref().map(|it| it.id);
    let settled =
        store::settle_coverage(tx, &ticket.number, (decided.coverage, contract), context.now()).await?;
    Ok(settled.then_some(decided))
}

/// The history of the step with what was decided, in its first entry.
pub(in crate::tickets) fn told<'a>(entries: &'a [Entry], decided: Option<&Decided>) -> Cow<'a, [Entry]> {
    let Some(decided) = decided else { return Cow::Borrowed(entries) };
    let mut entries = entries.to_vec();
    if let Some(data) = entries.first_mut().and_then(|it| it.data.as_object_mut()) {
        data.insert("coverage".into(), decided.coverage.code().into());
        if let Some(contract) = &decided.contract {
            data.insert("contract".into(), contract.reference.clone().into());
        }
    }
    Cow::Owned(entries)
}

async fn decide(tx: &mut Tx, ticket: &Ticket, now: UtcMicros) -> Result<Decided, StoreError> {
    let zone = Zone::named(&ticket.time_zone).unwrap_or_else(Zone::utc);
    let machine = affected(tx, ticket).await?;
    let subject = match (&machine, ticket.asset_match) {
        (Some(ci), _) => Subject::Machine(ci),
        (None, AssetMatch::None) => Subject::Nothing,
        (None, _) => Subject::Unidentified,
    };
    let (coverage, contract) =
        contracts::find_verdict(tx, ticket.organisation_id, (now, &zone), subject).await?;
    Ok(Decided { coverage, contract })
}

async fn affected(tx: &mut Tx, ticket: &Ticket) -> Result<Option<CiSummary>, StoreError> {
    let links = store::list_links(tx, &ticket.number).await?;
    match links.iter().find(|it| it.role == AssetRole::Affected) {
        Some(link) => inventory::find_ci(tx, Scope::All, link.ci_id).await,
        None => Ok(None),
    }
}
