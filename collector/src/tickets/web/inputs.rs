//! The fields each action of a ticket needs. Pure.

use super::actions::ActionForm;
use super::ticket::reason_label;
use crate::teams::{Team, TeamMember};
use crate::tickets::{
    ActionKind, CancelReason, CannedReply, Check, ImpactScope, LinkKind, PendingReason, ResolutionCode,
    Severity, SubKind, TaskKind, Ticket, TicketKind, Urgency,
};
use crate::web::Texts;
use crate::web::parts::Choice;

/// One field of an action.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// Unique on the page.
    pub id: String,
    pub name: &'static str,
    pub label: String,
    /// `area`, `line`, `date`, `number`, `select`, `check` or `checks`.
    pub control: &'static str,
    pub required: bool,
    pub choices: Vec<Choice>,
    /// Filled in before.
    pub value: String,
}

/// What the selects of actions offer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offers {
    /// Teams that may have the ticket.
    pub teams: Vec<Team>,
    /// Members of the ticket's team.
    pub members: Vec<TeamMember>,
    /// Why it may wait.
    pub reasons: Vec<PendingReason>,
    /// Unsolved tickets stand under this one.
    pub has_children: bool,
    /// Answers written once.
    pub replies: Vec<CannedReply>,
    /// The one that was chosen.
    pub canned: String,
    /// Who else has the page open; nothing for who does not work on tickets.
    pub present: Option<Vec<String>>,
}

/// Makes fields of one action, filled with what was sent before.
struct Maker<'a> {
    texts: Texts,
    kind: ActionKind,
    sent: Option<&'a ActionForm>,
}

impl Maker<'_> {
    fn input(&self, name: &'static str, key: &str, control: &'static str, required: bool) -> Input {
        Input {
            id: format!("{}-{name}", self.kind.code()),
            name,
            label: self.texts.t(key).into_owned(),
            control,
            required,
            choices: Vec::new(),
            value: self.sent.map(|it| it.value(name).to_owned()).unwrap_or_default(),
        }
    }

    /// A select whose options come with their labels; what was sent before is chosen, else `chosen`.
    fn options(&self, name: &'static str, key: &str, options: Vec<(String, String)>, chosen: &str) -> Input {
        let input = self.input(name, key, "select", true);
        let chosen = if self.sent.is_some() { input.value.clone() } else { chosen.to_owned() };
        let choices = options.into_iter().map(|(value, label)| {
            let own = value == chosen;
            Choice::new(value, label, own)
        });
        Input { choices: choices.collect(), ..input }
    }

    /// A select of stored words of one family.
    fn words(
        &self,
        name: &'static str,
        key: &str,
        (family, codes): (&str, Vec<&'static str>),
        chosen: &str,
    ) -> Input {
        let options =
            codes.into_iter().map(|it| (it.to_owned(), self.texts.word(family, it).into_owned())).collect();
        self.options(name, key, options, chosen)
    }

    /// A select of teams, with what no choice means.
    fn teams(&self, offers: &Offers, none: &str, wanted: impl Fn(&&Team) -> bool) -> Vec<Input> {
        if offers.teams.is_empty() {
            return Vec::new();
        }
        let none = (String::new(), self.texts.t(none).into_owned());
        let teams = offers.teams.iter().filter(wanted).map(|it| (it.id.to_string(), it.name.clone()));
        vec![self.options("team", "label-team", [none].into_iter().chain(teams).collect(), "")]
    }

    fn text(&self, key: &str, required: bool) -> Input {
        self.input("text", key, "area", required)
    }
}

/// The fields of an action on this ticket.
pub(crate) fn inputs(
    texts: Texts,
    ticket: &Ticket,
    kind: ActionKind,
    offers: &Offers,
    sent: Option<&ActionForm>,
) -> Vec<Input> {
    let make = Maker { texts, kind, sent };
    match kind {
        ActionKind::Claim
        | ActionKind::Resume
        | ActionKind::Watch
        | ActionKind::Unwatch
        | ActionKind::Major => Vec::new(),
        ActionKind::Confirm => vec![make.input("name", "input-confirmed-by", "line", false)],
        ActionKind::Assign => vec![owner(&make, offers)],
        ActionKind::Qualify => qualification(&make, ticket, offers),
        ActionKind::Hold => hold(&make, offers),
        ActionKind::Task => vec![
            make.words(
                "task",
                "input-task",
                ("task", TaskKind::ALL.iter().map(|it| it.code()).collect()),
                "",
            ),
            make.text("input-done", true),
            make.input("before", "input-before", "line", false),
            make.input("after", "input-after", "line", false),
            make.input("minutes", "input-minutes", "number", false),
        ],
        ActionKind::Release => vec![make.text("input-reason", false)],
        ActionKind::Resolve => resolution(&make, ticket, offers),
        ActionKind::Transfer => {
            let mut inputs = make.teams(offers, "team-common-pot", |it| Some(it.id) != ticket.team_id);
            inputs.push(make.text("input-comment", true));
            inputs
        }
        ActionKind::Escalate => {
            let mut inputs = make.teams(offers, "team-nearest", |it| it.level == 2);
            inputs.push(make.text("input-tried", true));
            inputs
        }
        ActionKind::Deescalate => {
            let mut inputs = make.teams(offers, "team-usual", |it| it.level == 1);
            inputs.push(make.text("input-comment", true));
            inputs
        }
        ActionKind::Refer | ActionKind::Unrestrict | ActionKind::Reopen => {
            vec![make.text("input-comment", true)]
        }
        ActionKind::Refuse => vec![make.text("input-still", true)],
        ActionKind::Reply | ActionKind::Note => vec![make.text("input-message", true)],
        ActionKind::DetachAsset => vec![make.text("input-reason", true)],
        ActionKind::Cancel => {
            let codes = CancelReason::ALL.iter().map(|it| it.code()).collect();
            let code = make.words("code", "input-cancel-reason", ("cancel-reason", codes), "withdrawn");
            vec![code, make.text("input-reason", true)]
        }
        ActionKind::Merge => {
            vec![make.input("other", "input-into", "line", true), make.text("input-comment", false)]
        }
        ActionKind::Link => {
            vec![make.input("other", "input-link-to", "line", true), link_kind(&make, LinkKind::ALL)]
        }
        ActionKind::Unlink => {
            let linked = [
                ticket.parent_number.is_some().then_some(LinkKind::Parent),
                ticket.problem_number.is_some().then_some(LinkKind::Problem),
            ];
            vec![link_kind(&make, &linked.into_iter().flatten().collect::<Vec<_>>())]
        }
        ActionKind::AttachAsset => vec![make.input("tag", "label-tag", "line", true)],
    }
}

fn link_kind(make: &Maker<'_>, kinds: &[LinkKind]) -> Input {
    make.words("link", "input-link-as", ("link", kinds.iter().map(|it| it.code()).collect()), "")
}

/// A member of the ticket's team; without team an address is typed.
fn owner(make: &Maker<'_>, offers: &Offers) -> Input {
    if offers.members.is_empty() {
        return make.input("owner", "input-owner-address", "line", true);
    }
    let members = offers.members.iter().map(|it| (it.email.clone(), it.name.clone())).collect();
    make.options("owner", "label-owner", members, "")
}

fn qualification(make: &Maker<'_>, ticket: &Ticket, offers: &Offers) -> Vec<Input> {
    let texts = make.texts;
    let codes = |all: &[TicketKind]| all.iter().map(|it| it.code()).collect::<Vec<_>>();
    let sub_kinds = SubKind::ALL.iter().map(|it| {
        let kind = texts.word("ticket-kind", it.kind().code());
        (it.code().to_owned(), format!("{kind} · {}", texts.word("sub-kind", it.code())))
    });
    let none = |key: &str| (String::new(), texts.t(key).into_owned());
    let priorities = (1..=5).map(|it| (it.to_string(), format!("P{it}")));
    let mut inputs = vec![
        make.words("kind", "label-kind", ("ticket-kind", codes(TicketKind::ALL)), ticket.kind.code()),
        make.options(
            "sub_kind",
            "label-sub-kind",
            [none("sub-kind-none")].into_iter().chain(sub_kinds).collect(),
            ticket.sub_kind.map_or("", SubKind::code),
        ),
        make.words(
            "severity",
            "label-severity",
            ("severity", Severity::ALL.iter().map(|it| it.code()).collect()),
            ticket.severity.code(),
        ),
        make.words(
            "scope",
            "label-scope",
            ("scope", ImpactScope::ALL.iter().map(|it| it.code()).collect()),
            ticket.scope.code(),
        ),
        make.words(
            "urgency",
            "label-urgency",
            ("urgency", Urgency::ALL.iter().map(|it| it.code()).collect()),
            ticket.urgency.code(),
        ),
    ];
    inputs.extend(make.teams(offers, "team-usual-or-same", |_| true));
    inputs.push(make.options(
        "priority",
        "label-priority",
        [none("priority-of-matrix")].into_iter().chain(priorities).collect(),
        "",
    ));
    inputs.push(make.input("priority_reason", "input-priority-reason", "line", false));
    inputs
}

fn hold(make: &Maker<'_>, offers: &Offers) -> Vec<Input> {
    let label = |it: &PendingReason| reason_label(make.texts, it);
    let reasons = offers.reasons.iter().filter(|it| it.active).map(|it| (it.code.clone(), label(it)));
    vec![
        make.options("reason", "input-pending-reason", reasons.collect(), ""),
        make.input("until", "input-until", "date", false),
        make.text("input-comment", false),
    ]
}

/// What the type needs to be closed, and no more.
fn resolution(make: &Maker<'_>, ticket: &Ticket, offers: &Offers) -> Vec<Input> {
    let codes: Vec<&'static str> = ResolutionCode::of(ticket.kind).iter().map(|it| it.code()).collect();
    let mut inputs = vec![make.words("code", "input-resolution-code", ("resolution", codes), "")];
    let (incident, problem) = (ticket.kind == TicketKind::Incident, ticket.kind == TicketKind::Problem);
    if incident || problem {
        inputs.push(make.input("cause", "input-cause", "area", true));
    }
    inputs.push(make.text("input-solution", true));
    if problem {
        inputs.push(make.input("workaround", "input-workaround", "area", true));
    }
    if ticket.kind == TicketKind::Training {
        inputs.push(make.input("session_on", "input-session-on", "date", false));
    }
    let boxes = make.input("checks", "input-checks", "checks", incident);
    let choices = Check::ALL.iter().map(|it| {
        let chosen = make.sent.is_some_and(|sent| sent.checks().contains(it));
        Choice::new(it.code(), make.texts.word("check", it.code()), chosen)
    });
    inputs.push(Input { choices: choices.collect(), ..boxes });
    if ticket.open_visits + ticket.open_loans > 0 {
        inputs.push(make.input("acknowledged", "input-acknowledged", "check", false));
    }
    if offers.has_children {
        inputs.push(make.input("with_children", "input-with-children", "check", false));
    }
    inputs
}
