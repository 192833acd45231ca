//! The state machine of a ticket: state × action × who acts → next state or refusal. Pure.

use super::model::Ticket;
use super::words::{ActionKind, TicketState};
use crate::kernel::actor::{Actor, ActorKind, Permission, Role, Scope};
use crate::kernel::time::{UtcMicros, days};

/// How long after closing the requester may open a ticket again: any 14 days hold ten working days.
const REOPEN_DAYS: u64 = 14;

/// What the rules need to know about a ticket.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by its own rule")]
pub(super) struct Situation {
    pub(super) state: TicketState,
    pub(super) owned: bool,
    /// The owner may still sign in.
    pub(super) owner_active: bool,
    pub(super) qualified: bool,
    pub(super) level: i64,
    /// Closed so recently that the requester may open it again.
    pub(super) closed_recently: bool,
}

/// What the rules need to know about the actor.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by its own rule")]
pub(super) struct Standing {
    /// Does the work.
    pub(super) works: bool,
    /// Distributes the work: single point of entry, lead.
    pub(super) dispatches: bool,
    /// Leads the technicians.
    pub(super) leads: bool,
    /// Owns the ticket, or is a program that works for whoever does.
    pub(super) owns: bool,
    /// Requester or beneficiary, or a program that speaks for them.
    pub(super) is_party: bool,
    /// The organisation's IT contact.
    pub(super) is_referent: bool,
    /// Can own tickets: a person who works.
    pub(super) can_own: bool,
}

/// Why the rules refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Whatever the state, not this actor.
    Role,
    /// Not in this state.
    State,
}

impl Situation {
    pub(super) fn of(ticket: &Ticket, owner_active: bool, now: UtcMicros) -> Self {
        Self {
            state: ticket.state,
            owned: ticket.owner_id.is_some(),
            owner_active,
            qualified: ticket.qualified_at.is_some(),
            level: ticket.level,
            closed_recently: ticket.closed_at.is_some_and(|closed| now.since(closed) <= days(REOPEN_DAYS)),
        }
    }
}

impl Standing {
    pub(super) fn of(actor: &Actor, ticket: &Ticket) -> Self {
        let works = actor.may(Permission::WorkTickets);
        let program = matches!(actor.kind, ActorKind::ApiKey(_));
        let person = actor.person();
        let is_party = person.is_some_and(|it| it == ticket.requester_id || it == ticket.beneficiary_id);
        Self {
            works,
            dispatches: actor.may(Permission::QualifyTickets),
            leads: actor.has_role(Role::Lead),
            owns: (works && person.is_some() && person == ticket.owner_id) || (program && works),
            is_party: is_party || (program && actor.may(Permission::CreateTicketForOthers)),
            is_referent: actor.has_role(Role::Referent)
                && actor.scope == Scope::Organisation(ticket.organisation_id),
            can_own: works && person.is_some(),
        }
    }

    /// Speaks for the people who have the problem.
    fn asks(self) -> bool {
        self.is_party || self.is_referent
    }
}

/// Where `action` leads, if `who` may take it now. Appending actions lead to where the ticket stands.
pub(super) fn next_state(
    ticket: Situation,
    action: ActionKind,
    who: Standing,
) -> Result<TicketState, Refusal> {
    if !may_ever(action, who) {
        return Err(Refusal::Role);
    }
    leads_to(ticket, action, who).ok_or(Refusal::State)
}

/// Whether there is any state in which `who` may take `action` on this ticket.
fn may_ever(action: ActionKind, who: Standing) -> bool {
    match action {
        ActionKind::Claim => who.can_own || who.dispatches || who.owns,
        ActionKind::Release => who.owns || who.leads,
        ActionKind::Qualify => who.dispatches,
        ActionKind::Transfer | ActionKind::Hold | ActionKind::Resume | ActionKind::Resolve => {
            who.owns || who.dispatches
        }
        ActionKind::Escalate | ActionKind::Task | ActionKind::Note | ActionKind::DetachAsset => who.works,
        ActionKind::Reply | ActionKind::AttachAsset => who.works || who.asks(),
        ActionKind::Confirm => who.asks() || who.owns || who.dispatches,
        ActionKind::Refuse => who.asks(),
        ActionKind::Reopen | ActionKind::Cancel => who.is_party || who.dispatches,
    }
}

fn leads_to(ticket: Situation, action: ActionKind, who: Standing) -> Option<TicketState> {
    use TicketState::{Cancelled, Closed, InProgress, New, Pending, Queued, Resolved};
    let state = ticket.state;
    match action {
        ActionKind::Claim => claimed(ticket, who),
        ActionKind::Release => (state == InProgress).then_some(Queued),
        ActionKind::Qualify => match state {
            New => Some(Queued),
            Queued | InProgress | Pending => Some(state),
            Resolved | Closed | Cancelled => None,
        },
        ActionKind::Transfer => matches!(state, InProgress | Queued | Pending).then_some(Queued),
        ActionKind::Escalate => {
            let may = who.owns || who.dispatches || !ticket.owned;
            (may && ticket.level == 1 && matches!(state, InProgress | Queued | Pending)).then_some(Queued)
        }
        ActionKind::Hold => matches!(state, New | InProgress).then_some(Pending),
        ActionKind::Resume => (state == Pending).then(|| resumed(ticket)),
        ActionKind::Task | ActionKind::Note | ActionKind::AttachAsset | ActionKind::DetachAsset => {
            state.is_open().then_some(state)
        }
        ActionKind::Reply => reply(ticket, who),
        ActionKind::Resolve => {
            let waiting = state == Pending && who.owns && ticket.owned;
            (waiting || state == InProgress).then_some(Resolved)
        }
        ActionKind::Confirm => (state == Resolved).then_some(Closed),
        ActionKind::Refuse => (state == Resolved).then_some(if ticket.owned && ticket.owner_active {
            InProgress
        } else {
            Queued
        }),
        ActionKind::Reopen => {
            (state == Closed && (who.dispatches || ticket.closed_recently)).then_some(Queued)
        }
        ActionKind::Cancel => match state {
            New | Queued => Some(Cancelled),
            InProgress | Pending if who.dispatches => Some(Cancelled),
            InProgress | Pending | Resolved | Closed | Cancelled => None,
        },
    }
}

/// Taking an unowned ticket; who distributes work may also give an owned one to somebody else.
fn claimed(ticket: Situation, who: Standing) -> Option<TicketState> {
    match ticket.state {
        TicketState::New | TicketState::Queued => Some(TicketState::InProgress),
        TicketState::Pending if !ticket.owned || who.dispatches => Some(TicketState::Pending),
        TicketState::InProgress if who.dispatches => Some(TicketState::InProgress),
        TicketState::InProgress
        | TicketState::Pending
        | TicketState::Resolved
        | TicketState::Closed
        | TicketState::Cancelled => None,
    }
}

/// Where a wait ends: with the owner, else in the pot, else where it came from.
fn resumed(ticket: Situation) -> TicketState {
    if ticket.owned {
        TicketState::InProgress
    } else if ticket.qualified {
        TicketState::Queued
    } else {
        TicketState::New
    }
}

/// The answer of those who were waited for ends the wait; an answer of staff does not.
fn reply(ticket: Situation, who: Standing) -> Option<TicketState> {
    match ticket.state {
        TicketState::Pending if who.asks() && !who.works => Some(resumed(ticket)),
        state => state.is_open().then_some(state),
    }
}

/// The actions `who` may take now, in the order they are shown.
pub(super) fn allowed(ticket: Situation, who: Standing) -> Vec<ActionKind> {
    ActionKind::ALL.iter().copied().filter(|action| next_state(ticket, *action, who).is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const REQUESTER: Standing = Standing {
        works: false,
        dispatches: false,
        leads: false,
        owns: false,
        is_party: true,
        is_referent: false,
        can_own: false,
    };
    const TECHNICIAN: Standing = Standing { works: true, can_own: true, is_party: false, ..REQUESTER };
    const OWNER: Standing = Standing { owns: true, ..TECHNICIAN };
    const LEAD: Standing = Standing { leads: true, dispatches: true, ..TECHNICIAN };

    fn a_ticket(state: TicketState) -> Situation {
        let owned = matches!(state, TicketState::InProgress | TicketState::Resolved | TicketState::Pending);
        Situation { state, owned, owner_active: true, qualified: true, level: 1, closed_recently: true }
    }

    #[test]
    fn the_usual_life_of_a_ticket() {
        let steps = [
            (TicketState::New, ActionKind::Qualify, LEAD, TicketState::Queued),
            (TicketState::Queued, ActionKind::Claim, TECHNICIAN, TicketState::InProgress),
            (TicketState::InProgress, ActionKind::Hold, OWNER, TicketState::Pending),
            (TicketState::Pending, ActionKind::Reply, REQUESTER, TicketState::InProgress),
            (TicketState::InProgress, ActionKind::Resolve, OWNER, TicketState::Resolved),
            (TicketState::Resolved, ActionKind::Refuse, REQUESTER, TicketState::InProgress),
            (TicketState::Resolved, ActionKind::Confirm, REQUESTER, TicketState::Closed),
            (TicketState::Closed, ActionKind::Reopen, REQUESTER, TicketState::Queued),
        ];
        for (from, action, who, to) in steps {
            assert_eq!(next_state(a_ticket(from), action, who), Ok(to), "{action:?} from {from:?}");
        }
    }

    #[test]
    fn a_wait_without_owner_ends_in_the_pot_and_before_qualification_at_the_entry() {
        let pot = Situation { owned: false, ..a_ticket(TicketState::Pending) };
        assert_eq!(next_state(pot, ActionKind::Resume, LEAD), Ok(TicketState::Queued));
        let entry = Situation { qualified: false, ..pot };
        assert_eq!(next_state(entry, ActionKind::Resume, LEAD), Ok(TicketState::New));
    }

    #[test]
    fn a_refused_solution_of_somebody_who_left_goes_to_the_pot() {
        let left = Situation { owner_active: false, ..a_ticket(TicketState::Resolved) };
        assert_eq!(next_state(left, ActionKind::Refuse, REQUESTER), Ok(TicketState::Queued));
    }

    #[test]
    fn a_requester_withdraws_only_what_nobody_works_on() {
        assert_eq!(
            next_state(a_ticket(TicketState::New), ActionKind::Cancel, REQUESTER),
            Ok(TicketState::Cancelled)
        );
        assert_eq!(
            next_state(a_ticket(TicketState::InProgress), ActionKind::Cancel, REQUESTER),
            Err(Refusal::State)
        );
    }

    #[test]
    fn a_requester_never_sees_the_tools_of_staff() {
        for action in [
            ActionKind::Note,
            ActionKind::Task,
            ActionKind::Qualify,
            ActionKind::DetachAsset,
            ActionKind::Claim,
        ] {
            assert_eq!(
                next_state(a_ticket(TicketState::Queued), action, REQUESTER),
                Err(Refusal::Role),
                "{action:?}"
            );
        }
    }

    #[test]
    fn only_one_escalation_per_ticket() {
        let second = Situation { level: 2, ..a_ticket(TicketState::Queued) };
        assert_eq!(next_state(second, ActionKind::Escalate, LEAD), Err(Refusal::State));
    }

    #[test]
    fn the_reopen_window_binds_requesters_not_leads() {
        let old = Situation { closed_recently: false, ..a_ticket(TicketState::Closed) };
        assert_eq!(next_state(old, ActionKind::Reopen, REQUESTER), Err(Refusal::State));
        assert_eq!(next_state(old, ActionKind::Reopen, LEAD), Ok(TicketState::Queued));
    }

    proptest! {
        #[test]
        fn cancelled_is_final_and_closed_only_opens_again(
            state in select(vec![TicketState::Closed, TicketState::Cancelled]),
            action in select(ActionKind::ALL), who in select(vec![REQUESTER, TECHNICIAN, OWNER, LEAD]),
        ) {
            if next_state(a_ticket(state), action, who).is_ok() {
                prop_assert!(state == TicketState::Closed && action == ActionKind::Reopen);
            }
        }

        #[test]
        fn a_bystander_may_do_nothing(state in select(TicketState::ALL), action in select(ActionKind::ALL)) {
            prop_assert_eq!(next_state(a_ticket(state), action, Standing::default()), Err(Refusal::Role));
        }
    }
}
