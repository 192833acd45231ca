//! Stories of teams, levels, security, relations between tickets, and of what time does.

use std::time::Duration;

use super::{act, opened, qualified, seen, solved};
use crate::api::testing::{Desk, actor};
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::id::TeamId;
use crate::kernel::page::PageRequest;
use crate::kernel::time::{UtcMicros, Zone, days};
use crate::people::{Language, Person};
use crate::teams::{self, find_team_by_code, make_default_teams, set_member};
use crate::tickets::{
    ActionKind, CancelReason, CannedReply, Check, LinkKind, NewTicket, Qualification, Resolution,
    ResolutionCode, SavedView, SubKind, TicketAction, TicketError, TicketFilter, TicketKind, TicketNumber,
    TicketState, canned_replies, carry_on, list_tickets, matrix, present, save_canned_reply, save_view,
    saved_views, set_matrix, set_obligations, touch_presence,
};

async fn team(desk: &Desk, code: &str) -> TeamId {
    let mut tx = desk.context.db.read().await.expect("read");
    find_team_by_code(&mut tx, code).await.expect("asked").expect("a team").id
}

/// The usual teams, with these people in them.
async fn staffed(desk: &Desk, members: &[(&str, &Person)]) {
    let mut tx = desk.context.db.begin().await.expect("begin");
    make_default_teams(&mut tx, &desk.context, &Actor::system()).await.expect("teams");
    for (code, person) in members {
        let team = find_team_by_code(&mut tx, code).await.expect("asked").expect("a team").id;
        set_member(&mut tx, &desk.context, &Actor::system(), (team, person.id), true).await.expect("joined");
    }
    tx.commit().await.expect("commit");
}

async fn listed(desk: &Desk, who: &Actor) -> Vec<String> {
    let page = list_tickets(&desk.context, who, &TicketFilter::default(), &PageRequest::first())
        .await
        .expect("list");
    page.rows.into_iter().map(|it| it.ticket.number.to_string()).collect()
}

fn comment() -> String {
    "three logins from abroad".into()
}

db_test! {
    async fn a_ticket_goes_to_its_team_up_and_down_the_levels(db: Db) {
        let desk = Desk::open(db).await;
        let jade = desk.person(None, "jade@desk.example", Role::TechnicianN2).await;
        staffed(&desk, &[("network", &desk.technician), ("csn", &jade), ("network", &desk.lead), ("csn", &desk.lead)]).await;
        let (lena, tom, jade) = (actor(&desk.lead), actor(&desk.technician), actor(&jade));
        let number = opened(&desk, desk.incident()).await;
        let wanted = Qualification { sub_kind: Some(SubKind::Connection), ..qualified(TicketKind::Incident) };
        let view = act(&desk, &lena, &number, TicketAction::Qualify(wanted)).await.expect("qualified");
        assert_eq!((view.ticket.team_code.as_str(), view.ticket.priority), ("network", 1));
        assert_eq!(view.ticket.declared_severity.code(), "minor", "what the person said stays");
        let stranger = act(&desk, &jade, &number, TicketAction::Claim).await;
        assert!(matches!(stranger, Err(TicketError::Forbidden)), "the pot of another team: {stranger:?}");
        act(&desk, &tom, &number, TicketAction::Claim).await.expect("own team's pot");
        let silent = act(&desk, &tom, &number, TicketAction::Escalate { team: None, comment: " ".into() }).await;
        assert!(matches!(silent, Err(TicketError::Invalid { field: "comment", .. })));
        let up = TicketAction::Escalate { team: None, comment: "two cables tried".into() };
        let view = act(&desk, &tom, &number, up).await.expect("escalated");
        assert_eq!((view.ticket.team_code.as_str(), view.ticket.level, view.ticket.owner_id), ("csn", 2, None));
        assert_eq!(view.ticket.state, TicketState::Queued);
        act(&desk, &jade, &number, TicketAction::Claim).await.expect("second level");
        let down = TicketAction::Deescalate { team: None, comment: "a cable after all".into() };
        let view = act(&desk, &jade, &number, down).await.expect("given back");
        assert_eq!((view.ticket.team_code.as_str(), view.ticket.level), ("network", 1));
        let same = TicketAction::Transfer { team: Some(team(&desk, "network").await), comment: "x".into() };
        let refused = act(&desk, &lena, &number, same).await;
        assert!(matches!(refused, Err(TicketError::Invalid { field: "team", .. })), "{refused:?}");
        let elsewhere = TicketAction::Assign { owner: desk.person(None, "nina@desk.example", Role::TechnicianN1).await.id };
        let refused = act(&desk, &lena, &number, elsewhere).await;
        assert!(matches!(refused, Err(TicketError::Invalid { field: "owner", .. })), "the owner is in the team: {refused:?}");
    }
}

db_test! {
    async fn each_role_reads_what_is_its_business(db: Db) {
        let desk = Desk::open(db).await;
        let nina = desk.person(None, "nina@desk.example", Role::TechnicianN1).await;
        let mia = desk.person(None, "mia@desk.example", Role::Mssi).await;
        staffed(&desk, &[("network", &desk.technician), ("maintenance", &nina)]).await;
        let by_role = async |role: Role| actor(&desk.person(None, &format!("{}@desk.example", role.code()), role).await);
        let (peu, auditor, admin, lead) = (
            by_role(Role::Peu).await, by_role(Role::Auditor).await, by_role(Role::Admin).await, by_role(Role::Lead).await,
        );
        let (tom, nina, mia) = (actor(&desk.technician), actor(&nina), actor(&mia));
        let number = opened(&desk, desk.incident()).await;
        let sees = async |who: &Actor| seen(&desk, who, &number).await.is_some();
        assert!(sees(&tom).await && sees(&nina).await && sees(&lead).await, "in no team: everybody's pot");
        let to_network = TicketAction::Transfer { team: Some(team(&desk, "network").await), comment: "vpn".into() };
        let wanted = TicketAction::Qualify(qualified(TicketKind::Incident));
        act(&desk, &peu, &number, wanted).await.expect("qualified");
        act(&desk, &peu, &number, to_network).await.expect("transferred");
        assert!(sees(&nina).await, "the common pot is open to read");
        assert!(!sees(&lead).await, "a lead reads the own teams");
        act(&desk, &tom, &number, TicketAction::Claim).await.expect("claimed");
        assert!(sees(&tom).await && sees(&peu).await && sees(&auditor).await);
        assert!(!sees(&nina).await && !sees(&admin).await && !sees(&mia).await);
        assert!(!listed(&desk, &nina).await.contains(&number.to_string()));
        let hidden = act(&desk, &nina, &number, TicketAction::Note { text: "x".into() }).await;
        assert!(matches!(hidden, Err(TicketError::NotFound)), "{hidden:?}");
        act(&desk, &peu, &number, TicketAction::Watch).await.expect("watched");
    }
}

db_test! {
    async fn a_ticket_referred_to_security_disappears_from_everybody_else(db: Db) {
        let desk = Desk::open(db).await;
        let mia = desk.person(None, "mia@desk.example", Role::Mssi).await;
        let sam = desk.person(None, "sam@desk.example", Role::TechnicianN2).await;
        staffed(&desk, &[("network", &desk.technician), ("security", &sam)]).await;
        let peu = actor(&desk.person(None, "peu@desk.example", Role::Peu).await);
        let auditor = actor(&desk.person(None, "audit@desk.example", Role::Auditor).await);
        let referent = actor(&desk.person(Some(desk.acme.id), "ref@acme.example", Role::Referent).await);
        let (rita, tom, mia, sam) = (actor(&desk.requester), actor(&desk.technician), actor(&mia), actor(&sam));
        let number = opened(&desk, desk.incident()).await;
        act(&desk, &tom, &number, TicketAction::Watch).await.expect("watched");
        act(&desk, &tom, &number, TicketAction::Claim).await.expect("claimed");
        let own = act(&desk, &rita, &number, TicketAction::Refer { comment: comment() }).await;
        assert!(matches!(own, Err(TicketError::Forbidden)), "requesters refer what is alarming only");
        let gone = act(&desk, &tom, &number, TicketAction::Refer { comment: comment() }).await;
        assert!(matches!(gone, Err(TicketError::Gone)), "{gone:?}");
        for (who, name) in [(&tom, "technician"), (&peu, "entry"), (&auditor, "auditor"), (&referent, "referent")] {
            assert!(seen(&desk, who, &number).await.is_none(), "{name}");
            assert!(listed(&desk, who).await.is_empty(), "{name}");
        }
        let view = seen(&desk, &mia, &number).await.expect("the security manager");
        assert!(view.ticket.restricted && view.ticket.security && view.ticket.owner_id.is_none());
        assert_eq!((view.ticket.team_code.as_str(), view.ticket.priority), ("security", 2));
        assert!(seen(&desk, &sam, &number).await.is_some(), "its team works on it");
        assert!(seen(&desk, &rita, &number).await.is_some(), "and its people read their own ticket");
        let lifted = act(&desk, &sam, &number, TicketAction::Unrestrict { comment: "harmless".into() }).await;
        assert!(matches!(lifted, Err(TicketError::Forbidden)));
        act(&desk, &mia, &number, TicketAction::Unrestrict { comment: "harmless".into() }).await.expect("lifted");
        assert!(seen(&desk, &peu, &number).await.is_some());
    }
}

db_test! {
    async fn a_claim_by_mistake_is_undone_without_words_a_later_release_is_not(db: Db) {
        let desk = Desk::open(db).await;
        let tom = actor(&desk.technician);
        let number = opened(&desk, desk.incident()).await;
        let back = || TicketAction::Release { reason: String::new() };
        act(&desk, &tom, &number, TicketAction::Claim).await.expect("claimed");
        let view = act(&desk, &tom, &number, back()).await.expect("undone");
        assert_eq!((view.ticket.state, view.ticket.owned_since), (TicketState::Queued, None));
        act(&desk, &tom, &number, TicketAction::Claim).await.expect("claimed");
        desk.clock.advance(Duration::from_mins(11));
        let late = act(&desk, &tom, &number, back()).await;
        assert!(matches!(late, Err(TicketError::Invalid { field: "reason", .. })), "{late:?}");
    }
}

db_test! {
    async fn a_wait_ends_on_its_day_and_silence_closes_after_five_working_days(db: Db) {
        let desk = Desk::open(db).await;
        let (tom, rita) = (actor(&desk.technician), actor(&desk.requester));
        let number = opened(&desk, desk.incident()).await;
        act(&desk, &tom, &number, TicketAction::Claim).await.expect("claimed");
        let dateless = TicketAction::Hold { reason: "appointment".into(), until: None, note: String::new() };
        let refused = act(&desk, &tom, &number, dateless).await;
        assert!(matches!(refused, Err(TicketError::Invalid { field: "until", .. })), "{refused:?}");
        let until = Some(desk.context.now() + days(1));
        let hold = TicketAction::Hold { reason: "appointment".into(), until, note: String::new() };
        act(&desk, &tom, &number, hold).await.expect("held");
        assert_eq!(carry_on(&desk.context).await.expect("round"), 0);
        desk.clock.advance(days(1));
        assert_eq!(carry_on(&desk.context).await.expect("round"), 1);
        let view = seen(&desk, &tom, &number).await.expect("some");
        assert_eq!((view.ticket.state, view.ticket.pending_until), (TicketState::InProgress, None));
        // Friday 13 November, 13 h in Paris.
        act(&desk, &tom, &number, solved("new cable")).await.expect("solved");
        let refused = opened(&desk, desk.incident()).await;
        for (who, action) in [
            (&tom, TicketAction::Claim), (&tom, solved("a")), (&rita, TicketAction::Refuse { comment: "no".into() }),
            (&tom, solved("b")),
        ] {
            act(&desk, who, &refused, action).await.expect("done");
        }
        let at = |text: &str| UtcMicros::parse(text, &Zone::utc()).expect("valid");
        let mut states = Vec::new();
        for moment in ["2026-11-17T22:59:00Z", "2026-11-17T23:00:01Z", "2026-11-20T22:59:00Z", "2026-11-20T23:00:01Z"] {
            desk.clock.advance(at(moment).since(desk.context.now()));
            carry_on(&desk.context).await.expect("round");
            let view = seen(&desk, &rita, &number).await.expect("own");
            states.push((view.ticket.state, view.events.last().map(|it| it.kind.clone()).unwrap_or_default()));
        }
        let expected = [
            (TicketState::Resolved, "resolved"), (TicketState::Resolved, "reminded"), (TicketState::Resolved, "reminded"),
            (TicketState::Closed, "auto_closed"),
        ];
        assert_eq!(states, expected.map(|(state, kind)| (state, kind.to_owned())));
        let view = seen(&desk, &tom, &refused).await.expect("some");
        assert_eq!(view.ticket.state, TicketState::Resolved, "a refused closing waits for a person");
    }
}

db_test! {
    async fn a_duplicate_goes_on_in_the_ticket_that_stays(db: Db) {
        let desk = Desk::open(db).await;
        let (lena, tom) = (actor(&desk.lead), actor(&desk.technician));
        let first = opened(&desk, desk.incident()).await;
        let second = opened(&desk, desk.incident()).await;
        let foreign = opened(&desk, NewTicket {
            organisation_id: desk.umbrella.id, requester_id: desk.stranger.id, beneficiary_id: desk.stranger.id, ..desk.incident()
        }).await;
        act(&desk, &tom, &second, TicketAction::Watch).await.expect("watched");
        let into = |number: &TicketNumber| TicketAction::Merge { into: number.clone(), comment: "same cable".into() };
        for wrong in [&foreign, &second] {
            let refused = act(&desk, &lena, &second, into(wrong)).await;
            assert!(matches!(refused, Err(TicketError::Invalid { field: "into", .. })), "{refused:?}");
        }
        let view = act(&desk, &lena, &second, into(&first)).await.expect("merged");
        assert_eq!((view.ticket.state, view.ticket.cancel_reason), (TicketState::Cancelled, Some(CancelReason::Duplicate)));
        assert_eq!(view.ticket.duplicate_of.as_ref(), Some(&first));
        let stays = seen(&desk, &lena, &first).await.expect("some");
        assert_eq!(stays.watchers, ["tom"]);
        assert_eq!(stays.events.last().map(|it| (it.kind.as_str(), it.public)), Some(("merged", false)));
        let over = act(&desk, &lena, &first, into(&second)).await;
        assert!(matches!(over, Err(TicketError::Invalid { field: "into", .. })), "never into one that is over: {over:?}");
    }
}

db_test! {
    async fn a_major_incident_is_solved_with_its_tickets(db: Db) {
        let desk = Desk::open(db).await;
        let lena = actor(&desk.lead);
        let major = opened(&desk, desk.incident()).await;
        let (one, two) = (opened(&desk, desk.incident()).await, opened(&desk, desk.incident()).await);
        let under = || TicketAction::Link { to: major.clone(), kind: LinkKind::Parent };
        let refused = act(&desk, &lena, &one, under()).await;
        assert!(matches!(refused, Err(TicketError::Invalid { field: "to", .. })), "not a major incident yet: {refused:?}");
        act(&desk, &lena, &major, TicketAction::Major { major: true }).await.expect("major");
        for number in [&one, &two] {
            act(&desk, &lena, number, under()).await.expect("linked");
        }
        act(&desk, &lena, &two, TicketAction::Unlink { kind: LinkKind::Parent }).await.expect("out again");
        act(&desk, &lena, &major, TicketAction::Claim).await.expect("claimed");
        let view = seen(&desk, &lena, &major).await.expect("some");
        assert_eq!(view.children.len(), 1);
        let TicketAction::Resolve(resolution) = solved("line repaired") else { panic!("a solution") };
        let whole = TicketAction::Resolve(Resolution { with_children: true, ..resolution });
        act(&desk, &lena, &major, whole).await.expect("solved");
        let child = seen(&desk, &lena, &one).await.expect("some");
        assert_eq!((child.ticket.state, child.ticket.owner_name.as_str()), (TicketState::Resolved, "lena"));
        assert_eq!(child.ticket.solution.as_deref(), Some("line repaired"));
        let other = seen(&desk, &lena, &two).await.expect("some");
        assert_eq!(other.ticket.state, TicketState::New);
    }
}

db_test! {
    async fn a_problem_is_solved_with_its_incidents_and_not_without(db: Db) {
        let desk = Desk::open(db).await;
        let lena = actor(&desk.lead);
        let problem = opened(&desk, NewTicket { kind: TicketKind::Problem, ..desk.incident() }).await;
        let incident = opened(&desk, desk.incident()).await;
        act(&desk, &lena, &problem, TicketAction::Claim).await.expect("claimed");
        let solution = || TicketAction::Resolve(Resolution {
            solution: "firmware".into(), code: Some(ResolutionCode::RootCauseFixed), cause: "a bug".into(),
            workaround: "restart".into(), checks: vec![Check::Tested], ..Resolution::default()
        });
        let bare = act(&desk, &lena, &problem, solution()).await;
        assert!(matches!(bare, Err(TicketError::Invalid { field: "linked", .. })), "{bare:?}");
        let link = TicketAction::Link { to: problem.clone(), kind: LinkKind::Problem };
        act(&desk, &lena, &incident, link).await.expect("linked");
        act(&desk, &lena, &problem, solution()).await.expect("solved");
    }
}

db_test! {
    async fn what_is_not_over_is_not_solved_by_oversight(db: Db) {
        let desk = Desk::open(db).await;
        let tom = actor(&desk.technician);
        let number = opened(&desk, desk.incident()).await;
        act(&desk, &tom, &number, TicketAction::Claim).await.expect("claimed");
        let mut tx = desk.context.db.begin().await.expect("begin");
        set_obligations(&mut tx, &number, 0, 1).await.expect("set");
        tx.commit().await.expect("commit");
        let refused = act(&desk, &tom, &number, solved("x")).await;
        assert!(matches!(refused, Err(TicketError::Invalid { field: "acknowledged", .. })), "{refused:?}");
        let TicketAction::Resolve(resolution) = solved("x") else { panic!("a solution") };
        let known = TicketAction::Resolve(Resolution { acknowledged: true, ..resolution });
        let view = act(&desk, &tom, &number, known).await.expect("solved");
        assert_eq!(view.ticket.verified_by.as_deref(), Some("tom"));
        let reopened = act(&desk, &actor(&desk.requester), &number, TicketAction::Refuse { comment: "no".into() }).await.expect("refused");
        assert_eq!((reopened.ticket.solution, reopened.ticket.verified_checks, reopened.ticket.refusals), (None, None, 1));
    }
}

db_test! {
    async fn a_priority_set_by_hand_has_its_reason_and_a_new_matrix_its_version(db: Db) {
        let desk = Desk::open(db).await;
        let lena = actor(&desk.lead);
        let number = opened(&desk, NewTicket { kind: TicketKind::Emergency, ..desk.incident() }).await;
        let view = seen(&desk, &lena, &number).await.expect("some");
        assert_eq!(view.ticket.priority, 1, "an emergency is provisionally first");
        let other = |reason: &str| TicketAction::Qualify(Qualification {
            priority: Some(3), priority_reason: reason.into(), ..qualified(TicketKind::Emergency)
        });
        let silent = act(&desk, &lena, &number, other(" ")).await;
        assert!(matches!(silent, Err(TicketError::Invalid { field: "priority_reason", .. })), "{silent:?}");
        let view = act(&desk, &lena, &number, other("one room only")).await.expect("qualified");
        assert_eq!((view.ticket.priority, view.ticket.priority_reason.as_deref()), (3, Some("one room only")));
        assert!(view.allowed.contains(&ActionKind::Qualify));
        let mut tx = desk.context.db.begin().await.expect("begin");
        let refused = set_matrix(&mut tx, &desk.context, &lena, "555555555555555555").await;
        assert!(matches!(refused, Err(TicketError::Forbidden)));
        let made = set_matrix(&mut tx, &desk.context, &Actor::system(), "555555555555555555").await.expect("set");
        assert_eq!((made.version, matrix(&mut tx).await.expect("read").version), (2, 2));
        tx.commit().await.expect("commit");
        let view = act(&desk, &lena, &number, TicketAction::Qualify(qualified(TicketKind::Incident))).await.expect("again");
        assert_eq!((view.ticket.priority, view.ticket.matrix_version, view.ticket.priority_reason), (5, 2, None));
        let mut tx = desk.context.db.read().await.expect("read");
        assert!(teams::list_teams(&mut tx, crate::kernel::actor::Scope::All).await.expect("list").is_empty());
    }
}

db_test! {
    async fn presence_is_seen_by_the_others_and_fades(db: Db) {
        let desk = Desk::open(db).await;
        let (tom, lena, rita) = (actor(&desk.technician), actor(&desk.lead), actor(&desk.requester));
        let number = opened(&desk, desk.incident()).await;
        touch_presence(&desk.context, &tom, &number, true).await.expect("seen");
        touch_presence(&desk.context, &rita, &number, false).await.expect("ignored");
        let there = async |who: &Actor| {
            let mut tx = desk.context.db.read().await.expect("read");
            let present = present(&mut tx, &desk.context, who).await.expect("asked");
            present.into_iter().map(|it| (it.name, it.writing)).collect::<Vec<_>>()
        };
        assert_eq!(there(&lena).await, [("tom".to_owned(), true)]);
        assert!(there(&tom).await.is_empty() && there(&rita).await.is_empty());
        desk.clock.advance(Duration::from_mins(3));
        assert!(there(&lena).await.is_empty(), "whoever says nothing has gone");
        desk.clock.advance(Duration::from_mins(10));
        carry_on(&desk.context).await.expect("swept");
        let sven = actor(&desk.stranger);
        let hidden = touch_presence(&desk.context, &Actor { roles: tom.roles.clone(), ..sven }, &number, false).await;
        assert!(matches!(hidden, Err(TicketError::NotFound)));
    }
}

db_test! {
    async fn views_are_ones_own_and_canned_replies_everybodys(db: Db) {
        let desk = Desk::open(db).await;
        let (tom, lena) = (actor(&desk.technician), actor(&desk.lead));
        let mut tx = desk.context.db.begin().await.expect("begin");
        save_view(&mut tx, &tom, " Mine ", "owner=me").await.expect("kept");
        save_view(&mut tx, &tom, "Mine", "owner=me&state=new").await.expect("replaced");
        let views = saved_views(&mut tx, &tom).await.expect("list");
        assert_eq!(views, [SavedView { name: "Mine".into(), query: "owner=me&state=new".into() }]);
        assert!(saved_views(&mut tx, &lena).await.expect("list").is_empty());
        save_view(&mut tx, &tom, "Mine", "").await.expect("dropped");
        assert!(saved_views(&mut tx, &tom).await.expect("list").is_empty());
        let reply = |body: &str| CannedReply {
            code: " Reboot ".into(), title: "Restart".into(), body: body.into(), language: Language::En,
        };
        let refused = save_canned_reply(&mut tx, &desk.context, &tom, reply("Please restart.")).await;
        assert!(matches!(refused, Err(TicketError::Forbidden)));
        save_canned_reply(&mut tx, &desk.context, &lena, reply("Please restart.")).await.expect("kept");
        let replies = canned_replies(&mut tx, &tom, Language::Fr).await.expect("list");
        assert_eq!((replies[0].code.as_str(), replies[0].body.as_str()), ("reboot", "Please restart."));
        save_canned_reply(&mut tx, &desk.context, &lena, reply(" ")).await.expect("dropped");
        let gone = save_canned_reply(&mut tx, &desk.context, &lena, reply("")).await;
        assert!(matches!(gone, Err(TicketError::NotFound)));
        assert!(canned_replies(&mut tx, &actor(&desk.requester), Language::Fr).await.expect("list").is_empty());
    }
}
