//! The state machine of a ticket: state × action × who acts → next state or refusal. Pure.

use super::model::Ticket;
use super::words::{ActionKind, TicketKind, TicketState};
use crate::kernel::actor::{Actor, ActorKind, Permission, Role, Scope};
use crate::kernel::id::TeamId;
use crate::kernel::time::{UtcMicros, Zone};

/// How long after closing the people of a ticket may open it again, working days.
const REOPEN_WORKING_DAYS: u32 = 10;

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
    /// Closed so recently that its people may open it again.
    pub(super) closed_recently: bool,
    pub(super) restricted: bool,
    /// An emergency or a matter of security: its people may refer it themselves.
    pub(super) alarming: bool,
    pub(super) is_linked: bool,
}

/// What the rules need to know about the actor.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by its own rule")]
pub(super) struct Standing {
    /// Does the work.
    pub(super) works: bool,
    /// Distributes the work: single point of entry, lead; for matters of security the security manager.
    pub(super) dispatches: bool,
    /// Leads the technicians.
    pub(super) leads: bool,
    /// The security manager.
    pub(super) guards: bool,
    /// In the ticket's team, or the ticket is in none.
    pub(super) in_team: bool,
    /// May take what nobody has qualified.
    pub(super) self_qualifies: bool,
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
        let zone = Zone::named(&ticket.time_zone).unwrap_or_else(Zone::utc);
        let reopens_until = |closed: UtcMicros| closed.plus_working_days(REOPEN_WORKING_DAYS, &zone);
        Self {
            state: ticket.state,
            owned: ticket.owner_id.is_some(),
            owner_active,
            qualified: ticket.qualified_at.is_some(),
            level: ticket.level,
            closed_recently: ticket.closed_at.is_some_and(|closed| now <= reopens_until(closed)),
            restricted: ticket.restricted,
            alarming: ticket.security || ticket.kind == TicketKind::Emergency,
            is_linked: ticket.parent_number.is_some() || ticket.problem_number.is_some(),
        }
    }
}

impl Standing {
    /// `teams` are those the actor is in.
    pub(super) fn of(actor: &Actor, ticket: &Ticket, teams: &[TeamId]) -> Self {
        let works = actor.may(Permission::WorkTickets);
        let program = matches!(actor.kind, ActorKind::ApiKey(_));
        let person = actor.person();
        let guards = actor.has_role(Role::Mssi);
        let is_party = person.is_some_and(|it| it == ticket.requester_id || it == ticket.beneficiary_id);
        Self {
            works,
            dispatches: actor.may(Permission::QualifyTickets)
                || (guards && (ticket.security || ticket.restricted)),
            leads: actor.has_role(Role::Lead),
            guards,
            in_team: program || ticket.team_id.is_none_or(|it| teams.contains(&it)),
            self_qualifies: actor.may(Permission::SelfQualify),
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
    if !may_ever(ticket, action, who) {
        return Err(Refusal::Role);
    }
    leads_to(ticket, action, who).ok_or(Refusal::State)
}

/// Whether there is any state in which `who` may take `action` on this ticket.
fn may_ever(ticket: Situation, action: ActionKind, who: Standing) -> bool {
    let handles = who.owns || who.dispatches;
    match action {
        // A program claims for the person it names.
        ActionKind::Claim => (who.in_team || who.dispatches) && (who.can_own || who.owns),
        ActionKind::Assign => who.dispatches || (who.works && who.owns && !who.can_own),
        ActionKind::Release | ActionKind::Deescalate => who.owns || who.leads,
        ActionKind::Qualify | ActionKind::Link | ActionKind::Unlink | ActionKind::Major => who.dispatches,
        ActionKind::Transfer
        | ActionKind::Hold
        | ActionKind::Resume
        | ActionKind::Resolve
        | ActionKind::Merge => handles,
        ActionKind::Escalate => handles || (who.works && !ticket.owned),
        ActionKind::Refer => who.works || (who.asks() && ticket.alarming),
        ActionKind::Unrestrict => who.guards,
        ActionKind::Task | ActionKind::Note | ActionKind::DetachAsset => who.works,
        ActionKind::Reply | ActionKind::AttachAsset => who.works || who.asks(),
        ActionKind::Watch | ActionKind::Unwatch => who.can_own || who.is_referent,
        ActionKind::Confirm => who.asks() || handles,
        ActionKind::Refuse => who.asks(),
        ActionKind::Reopen | ActionKind::Cancel => who.is_party || who.dispatches,
    }
}

fn leads_to(ticket: Situation, action: ActionKind, who: Standing) -> Option<TicketState> {
    use TicketState::{Cancelled, Closed, InProgress, New, Pending, Queued, Resolved};
    let state = ticket.state;
    let unsolved = matches!(state, New | Queued | InProgress | Pending);
    match action {
        ActionKind::Claim => claimed(ticket, who),
        ActionKind::Assign => assigned(ticket, who),
        ActionKind::Release => (state == InProgress).then_some(Queued),
        ActionKind::Qualify => match state {
            New => Some(Queued),
            Queued | InProgress | Pending => Some(state),
            Resolved | Closed | Cancelled => None,
        },
        ActionKind::Transfer => matches!(state, InProgress | Queued | Pending).then_some(Queued),
        ActionKind::Escalate => {
            (ticket.level == 1 && matches!(state, InProgress | Queued | Pending)).then_some(Queued)
        }
        ActionKind::Deescalate => {
            (ticket.level == 2 && matches!(state, InProgress | Queued)).then_some(Queued)
        }
        ActionKind::Refer => (unsolved && !ticket.restricted).then_some(Queued),
        ActionKind::Unrestrict => (ticket.restricted && state.is_open()).then_some(state),
        ActionKind::Hold => matches!(state, New | InProgress).then_some(Pending),
        ActionKind::Resume => (state == Pending).then(|| resumed(ticket)),
        ActionKind::Task
        | ActionKind::Note
        | ActionKind::AttachAsset
        | ActionKind::DetachAsset
        | ActionKind::Watch
        | ActionKind::Unwatch
        | ActionKind::Link
        | ActionKind::Major => state.is_open().then_some(state),
        ActionKind::Unlink => (ticket.is_linked && state.is_open()).then_some(state),
        ActionKind::Reply => reply(ticket, who),
        ActionKind::Resolve => {
            let waiting = state == Pending && who.owns && ticket.owned;
            (waiting || state == InProgress).then_some(Resolved)
        }
        ActionKind::Confirm => (state == Resolved).then_some(Closed),
        ActionKind::Refuse => (state == Resolved).then(|| refused(ticket)),
        ActionKind::Reopen => {
            (state == Closed && (who.dispatches || ticket.closed_recently)).then_some(Queued)
        }
        ActionKind::Cancel => match state {
            New | Queued => Some(Cancelled),
            InProgress | Pending if who.dispatches => Some(Cancelled),
            InProgress | Pending | Resolved | Closed | Cancelled => None,
        },
        ActionKind::Merge => unsolved.then_some(Cancelled),
    }
}

/// Taking an unowned ticket; who distributes work may also take over an owned one.
fn claimed(ticket: Situation, who: Standing) -> Option<TicketState> {
    match ticket.state {
        TicketState::New => (who.self_qualifies || who.dispatches).then_some(TicketState::InProgress),
        TicketState::Queued => Some(TicketState::InProgress),
        TicketState::Pending if !ticket.owned || who.dispatches => Some(TicketState::Pending),
        TicketState::InProgress if who.dispatches => Some(TicketState::InProgress),
        TicketState::InProgress
        | TicketState::Pending
        | TicketState::Resolved
        | TicketState::Closed
        | TicketState::Cancelled => None,
    }
}

/// Giving a ticket to somebody; a program that only works gives away what nobody has.
fn assigned(ticket: Situation, who: Standing) -> Option<TicketState> {
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

/// A refused closing goes back to who solved it, if they are still there.
fn refused(ticket: Situation) -> TicketState {
    if ticket.owned && ticket.owner_active { TicketState::InProgress } else { TicketState::Queued }
}

/// Where a wait ends: with the owner, else in the pot, else where it came from.
pub(super) fn resumed(ticket: Situation) -> TicketState {
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
        guards: false,
        in_team: false,
        self_qualifies: false,
        owns: false,
        is_party: true,
        is_referent: false,
        can_own: false,
    };
    const TECHNICIAN: Standing = Standing {
        works: true,
        can_own: true,
        in_team: true,
        self_qualifies: true,
        is_party: false,
        ..REQUESTER
    };
    const STRANGER: Standing = Standing { in_team: false, ..TECHNICIAN };
    const GUARD: Standing = Standing { guards: true, dispatches: true, ..TECHNICIAN };
    const OWNER: Standing = Standing { owns: true, ..TECHNICIAN };
    const LEAD: Standing = Standing { leads: true, dispatches: true, ..TECHNICIAN };

    fn a_ticket(state: TicketState) -> Situation {
        let owned = matches!(state, TicketState::InProgress | TicketState::Resolved | TicketState::Pending);
        Situation {
            state,
            owned,
            owner_active: true,
            qualified: true,
            level: 1,
            closed_recently: true,
            restricted: false,
            alarming: false,
            is_linked: false,
        }
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

    #[test]
    fn a_technician_takes_what_is_in_the_own_teams_pot() {
        assert_eq!(
            next_state(a_ticket(TicketState::Queued), ActionKind::Claim, STRANGER),
            Err(Refusal::Role)
        );
        let unqualified = Standing { self_qualifies: false, ..TECHNICIAN };
        let new = next_state(a_ticket(TicketState::New), ActionKind::Claim, unqualified);
        assert_eq!(new, Err(Refusal::State), "somebody else qualifies first");
    }

    #[test]
    fn up_and_down_the_levels_leads_through_the_pot() {
        let up = next_state(a_ticket(TicketState::InProgress), ActionKind::Escalate, OWNER);
        assert_eq!(up, Ok(TicketState::Queued));
        let second = Situation { level: 2, ..a_ticket(TicketState::InProgress) };
        assert_eq!(next_state(second, ActionKind::Deescalate, OWNER), Ok(TicketState::Queued));
        assert_eq!(next_state(second, ActionKind::Deescalate, TECHNICIAN), Err(Refusal::Role));
        let unowned = a_ticket(TicketState::Queued);
        assert_eq!(next_state(unowned, ActionKind::Escalate, TECHNICIAN), Ok(TicketState::Queued));
    }

    #[test]
    fn only_the_security_manager_gives_a_referred_ticket_back() {
        let quiet = a_ticket(TicketState::InProgress);
        assert_eq!(next_state(quiet, ActionKind::Refer, TECHNICIAN), Ok(TicketState::Queued));
        assert_eq!(next_state(quiet, ActionKind::Refer, REQUESTER), Err(Refusal::Role));
        let alarming = Situation { alarming: true, ..quiet };
        assert_eq!(next_state(alarming, ActionKind::Refer, REQUESTER), Ok(TicketState::Queued));
        let restricted = Situation { restricted: true, ..quiet };
        assert_eq!(next_state(restricted, ActionKind::Refer, TECHNICIAN), Err(Refusal::State));
        assert_eq!(next_state(restricted, ActionKind::Unrestrict, GUARD), Ok(TicketState::InProgress));
        assert_eq!(next_state(restricted, ActionKind::Unrestrict, LEAD), Err(Refusal::Role));
    }

    #[test]
    fn a_duplicate_is_merged_while_it_is_unsolved() {
        assert_eq!(
            next_state(a_ticket(TicketState::Queued), ActionKind::Merge, LEAD),
            Ok(TicketState::Cancelled)
        );
        assert_eq!(next_state(a_ticket(TicketState::Resolved), ActionKind::Merge, LEAD), Err(Refusal::State));
        assert_eq!(
            next_state(a_ticket(TicketState::Queued), ActionKind::Merge, TECHNICIAN),
            Err(Refusal::Role)
        );
    }

    proptest! {
        #[test]
        fn whoever_acts_the_owner_fits_the_state(
            state in select(TicketState::ALL), owned in any::<bool>(), owner_active in any::<bool>(),
            qualified in any::<bool>(), level in 1_i64..=2, restricted in any::<bool>(),
            action in select(ActionKind::ALL), who in select(vec![REQUESTER, TECHNICIAN, OWNER, LEAD, GUARD]),
        ) {
            // A ticket as the invariants allow it: owned in work and when solved, by nobody before.
            let owned = match state {
                TicketState::InProgress | TicketState::Resolved => true,
                TicketState::New | TicketState::Queued => false,
                TicketState::Pending | TicketState::Closed | TicketState::Cancelled => owned,
            };
            let ticket = Situation { owned, owner_active, qualified, level, restricted, ..a_ticket(state) };
            if let Ok(next) = next_state(ticket, action, who) {
                let takes = matches!(action, ActionKind::Claim | ActionKind::Assign);
                if next == TicketState::InProgress || next == TicketState::Resolved {
                    prop_assert!(owned || takes, "{action:?} leads from {state:?} to {next:?} without owner");
                }
                if matches!(state, TicketState::Closed) {
                    prop_assert_eq!(action, ActionKind::Reopen);
                }
                prop_assert!(next != TicketState::New || state == TicketState::New || state == TicketState::Pending);
            }
        }

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
