//! The buttons of a ticket: which fields each needs, and what a posted one means.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::inputs::{Input, Offers, inputs};
use super::ticket::{Attempt, show_again};
use super::uploads;
use crate::kernel::id::{FileId, PersonId};
use crate::kernel::text::{EmailAddress, TextRefusal};
use crate::kernel::time::{Day, UtcMicros, Zone, parse_clock};
use crate::people;
use crate::surveys::web::is_offered;
use crate::tickets::{
    self, ActionKind, AssetRole, CancelReason, Check, ImpactScope, LinkKind, Qualification, Resolution,
    ResolutionCode, Severity, SubKind, TaskKind, Ticket, TicketAction, TicketError, TicketKind, TicketNumber,
    Urgency,
};
use crate::web::numbers::integer;
use crate::web::{PageError, Texts, Uploaded, WebState};

/// A claim so fresh that both pressed at the same time.
const JUST_NOW_S: u64 = 60;
/// Minutes after midnight at which a call is tried again when only the day was said.
const NEXT_ATTEMPT_MINUTES: u16 = 9 * 60;

/// A button, or a button that unfolds a form.
#[derive(Clone, Debug)]
pub(crate) struct ActionView {
    /// Last part of the address.
    pub code: &'static str,
    pub label: String,
    /// The one most likely wanted.
    pub primary: bool,
    pub danger: bool,
    /// Unfolded: what was sent is to be corrected.
    pub open: bool,
    pub inputs: Vec<Input>,
}

/// What any action may send.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ActionForm {
    pub version: NumberText,
    /// Number of the last event that was on the page.
    pub seen: NumberText,
    pub text: String,
    reason: String,
    until: String,
    task: String,
    minutes: String,
    next_day: String,
    next_time: String,
    before: String,
    after: String,
    kind: String,
    sub_kind: String,
    severity: String,
    scope: String,
    urgency: String,
    priority: String,
    priority_reason: String,
    team: String,
    owner: String,
    name: String,
    code: String,
    cause: String,
    workaround: String,
    session_on: String,
    check_tested: String,
    check_seen_by_user: String,
    check_settings_restored: String,
    check_data_checked: String,
    acknowledged: String,
    with_children: String,
    other: String,
    link: String,
    tag: String,
    ci: String,
    role: String,
    asset: String,
    /// `yes`: the files show personal data.
    personal: String,
}

impl ActionForm {
    /// A form in which something was written.
    #[cfg(test)]
    pub(super) fn saying(text: &str) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// What was sent in a field that people fill in.
    pub(super) fn value(&self, name: &str) -> &str {
        match name {
            "text" => &self.text,
            "reason" => &self.reason,
            "until" => &self.until,
            "task" => &self.task,
            "minutes" => &self.minutes,
            "kind" => &self.kind,
            "sub_kind" => &self.sub_kind,
            "severity" => &self.severity,
            "scope" => &self.scope,
            "urgency" => &self.urgency,
            "priority" => &self.priority,
            "priority_reason" => &self.priority_reason,
            "team" => &self.team,
            "owner" => &self.owner,
            "name" => &self.name,
            "code" => &self.code,
            "cause" => &self.cause,
            "workaround" => &self.workaround,
            "session_on" => &self.session_on,
            "acknowledged" => &self.acknowledged,
            "with_children" => &self.with_children,
            "other" => &self.other,
            "link" => &self.link,
            "tag" => &self.tag,
            _ => "",
        }
    }

    /// What was ticked as checked.
    pub(super) fn checks(&self) -> Vec<Check> {
        let ticked = |check: &Check| match check {
            Check::Tested => !self.check_tested.is_empty(),
            Check::SeenByUser => !self.check_seen_by_user.is_empty(),
            Check::SettingsRestored => !self.check_settings_restored.is_empty(),
            Check::DataChecked => !self.check_data_checked.is_empty(),
        };
        Check::ALL.iter().copied().filter(ticked).collect()
    }
}

/// A number that came as text; nonsense is zero, which is no ticket's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NumberText(pub i64);

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self(text.trim().parse().unwrap_or(0)))
    }
}

pub(crate) async fn act(
    State(state): State<WebState>,
    Path((number, action)): Path<(String, String)>,
    Uploaded { reader, fields, files, left_out }: Uploaded<ActionForm>,
) -> Result<Response, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    let kind = ActionKind::from_code(&action).ok_or_else(PageError::not_found)?;
    let seen = tickets::find_ticket(&state.context, &reader.actor, &number)
        .await?
        .ok_or_else(PageError::not_found)?;
    let zone = Zone::named(&seen.ticket.time_zone).unwrap_or_else(Zone::utc);
    if let Some(problem) = uploads::refused(reader.texts(), &left_out) {
        let attempt = Attempt { problem, changes: Vec::new(), kind, seen: fields.seen.0, form: fields };
        return show_again(&state, &reader, &number, StatusCode::UNPROCESSABLE_ENTITY, attempt).await;
    }
    let owner = owner_of(&state, &fields.owner).await?;
    let action = parse(kind, &fields, (&zone, &seen.ticket, owner)).ok_or_else(PageError::not_found)?;
    let action = if files.is_empty() {
        action
    } else {
        with_files(action, uploads::keep(&state.context, files, fields.personal == "yes").await?)
    };
    let done = tickets::act_on_ticket(&state.context, &reader.actor, &number, fields.version.0, action).await;
    if let (Ok(view), ActionKind::Confirm) = (&done, kind)
        && is_offered(&state, &reader, &view.ticket).await?
    {
        return Ok(Redirect::to(&format!("/tickets/{number}/survey")).into_response());
    }
    let status = match done {
        Ok(_) => return Ok(Redirect::to(&after(&number, kind)).into_response()),
        Err(TicketError::Gone) => return Ok(Redirect::to("/tickets?done=gone").into_response()),
        Err(TicketError::Invalid { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        Err(TicketError::Stale { .. } | TicketError::State { .. } | TicketError::Taken { .. }) => {
            StatusCode::CONFLICT
        }
        Err(other) => return Err(other.into()),
    };
    let error = done.err();
    let now = state.context.now();
    let problem = problem(reader.texts(), kind, &seen.ticket, (error.as_ref(), now));
    let changes = match error {
        Some(TicketError::Stale { changes, .. }) => changes,
        _ => Vec::new(),
    };
    let attempt = Attempt { problem, changes, kind, seen: fields.seen.0, form: fields };
    show_again(&state, &reader, &number, status, attempt).await
}

/// Only an answer or a note carries files.
fn with_files(action: TicketAction, files: Vec<FileId>) -> TicketAction {
    match action {
        TicketAction::Reply { text } => TicketAction::Attach { text, files, internal: false },
        TicketAction::Note { text } => TicketAction::Attach { text, files, internal: true },
        other => other,
    }
}

/// A claim can be undone for a while, so the page says so.
fn after(number: &TicketNumber, kind: ActionKind) -> String {
    let done = if kind == ActionKind::Claim { "claimed" } else { "ticket" };
    format!("/tickets/{number}?done={done}#end")
}

/// The person with that address; an unknown one is nobody's, and so refused like anybody who may not own the ticket.
async fn owner_of(state: &WebState, address: &str) -> Result<Option<PersonId>, PageError> {
    let Ok(email) = address.parse::<EmailAddress>() else { return Ok(None) };
    let mut tx = state.context.db.read().await?;
    Ok(people::find_person_by_email(&mut tx, &email).await?.map(|it| it.id))
}

/// What happened instead, in words.
fn problem(
    texts: Texts,
    kind: ActionKind,
    ticket: &Ticket,
    (error, now): (Option<&TicketError>, UtcMicros),
) -> String {
    match error {
        Some(TicketError::Taken { owner, since }) => {
            let seconds = since.map_or(0, |it| now.since(it).as_secs());
            if seconds < JUST_NOW_S {
                let seconds = integer(texts.language(), i64::try_from(seconds).unwrap_or(i64::MAX));
                texts.t2("action-taken-now", ("owner", owner), ("seconds", &seconds)).into_owned()
            } else {
                texts.t1("action-taken", "owner", owner).into_owned()
            }
        }
        Some(TicketError::Invalid { field, reason }) => {
            refused_field(texts, &field_label(texts, kind, ticket, field), field, reason)
        }
        Some(TicketError::State { state, .. }) => {
            texts.t1("action-state", "state", &texts.word("state", state)).into_owned()
        }
        _ => texts.t("action-stale").into_owned(),
    }
}

/// What the form calls a field of an action; the service has a name of its own for most texts.
fn field_label(texts: Texts, kind: ActionKind, ticket: &Ticket, field: &str) -> String {
    let name = match field {
        "duration_min" => "minutes",
        "inventory_number" => "tag",
        "until" => "until",
        "kind" => "task",
        "reason" if kind == ActionKind::Hold => "reason",
        "into" | "to" => "other",
        "on_behalf_of" => "name",
        known @ ("owner" | "team" | "code" | "cause" | "workaround" | "session_on" | "checks"
        | "sub_kind" | "priority" | "priority_reason" | "acknowledged") => known,
        _ => "text",
    };
    let found = inputs(texts, ticket, kind, &Offers::default(), None).into_iter().find(|it| it.name == name);
    found.map_or_else(|| texts.t("input-message").into_owned(), |it| it.label)
}

/// The field and the limit at fault, in the reader's language.
fn refused_field(texts: Texts, label: &str, field: &str, reason: &str) -> String {
    if reason == TextRefusal::Empty.to_string() {
        return texts.t1("action-field-empty", "field", label).into_owned();
    }
    if let Some(key) = said_apart(field) {
        return texts.t(key).into_owned();
    }
    if field == "until" {
        return texts.t1("action-field-past", "field", label).into_owned();
    }
    let Some(max) = reason.split(' ').find_map(|it| it.parse::<usize>().ok()) else {
        return texts.t1("action-invalid", "field", label).into_owned();
    };
    let shown = integer(texts.language(), i64::try_from(max).unwrap_or(i64::MAX));
    let key = if reason == (TextRefusal::TooLong { max }).to_string() {
        "action-field-long"
    } else {
        "action-field-many"
    };
    texts.t2(key, ("field", label), ("max", &shown)).into_owned()
}

/// Refusals that have a sentence of their own.
fn said_apart(field: &str) -> Option<&'static str> {
    Some(match field {
        "acknowledged" => "action-obligations",
        "linked" => "action-problem-unlinked",
        "owner" => "action-owner",
        "team" => "action-team",
        "into" | "to" => "action-other",
        "sub_kind" => "action-sub-kind",
        _ => return None,
    })
}

/// From a posted form; `None` when the form lacks what only a forged one lacks.
#[expect(clippy::too_many_lines, reason = "one arm per action, read straight down")]
fn parse(
    kind: ActionKind,
    form: &ActionForm,
    (zone, ticket, owner): (&Zone, &Ticket, Option<PersonId>),
) -> Option<TicketAction> {
    let text = || form.text.trim().to_owned();
    let team = form.team.parse().ok();
    // What is no number leads to no ticket, which is then said at its field.
    let other = || form.other.parse().unwrap_or_else(|_| ticket.number.clone());
    let role = || AssetRole::from_code(&form.role).unwrap_or(AssetRole::Affected);
    Some(match kind {
        ActionKind::Claim => TicketAction::Claim,
        ActionKind::Release => TicketAction::Release { reason: text() },
        ActionKind::Assign => {
            TicketAction::Assign { owner: owner.unwrap_or_else(|| PersonId::from(uuid::Uuid::nil())) }
        }
        ActionKind::Qualify => TicketAction::Qualify(Qualification {
            kind: TicketKind::from_code(&form.kind)?,
            sub_kind: SubKind::from_code(&form.sub_kind),
            severity: Severity::from_code(&form.severity)?,
            scope: ImpactScope::from_code(&form.scope)?,
            urgency: Urgency::from_code(&form.urgency)?,
            team,
            priority: form.priority.parse().ok(),
            priority_reason: form.priority_reason.clone(),
        }),
        ActionKind::Transfer => TicketAction::Transfer { team, comment: text() },
        ActionKind::Escalate => TicketAction::Escalate { team, comment: text() },
        ActionKind::Deescalate => TicketAction::Deescalate { team, comment: text() },
        ActionKind::Refer => TicketAction::Refer { comment: text() },
        ActionKind::Unrestrict => TicketAction::Unrestrict { comment: text() },
        ActionKind::Merge => TicketAction::Merge { into: other(), comment: text() },
        ActionKind::Link => TicketAction::Link { to: other(), kind: LinkKind::from_code(&form.link)? },
        ActionKind::Unlink => TicketAction::Unlink { kind: LinkKind::from_code(&form.link)? },
        ActionKind::Major => TicketAction::Major { major: !ticket.major },
        ActionKind::Watch => TicketAction::Watch,
        ActionKind::Unwatch => TicketAction::Unwatch,
        ActionKind::Hold => TicketAction::Hold {
            reason: form.reason.clone(),
            until: UtcMicros::parse(form.until.trim(), zone),
            note: text(),
        },
        ActionKind::Resume => TicketAction::Resume,
        ActionKind::Task => TicketAction::Task {
            kind: TaskKind::from_code(&form.task)?,
            text: text(),
            duration_min: form.minutes.trim().parse().ok(),
            next_attempt: Day::parse(&form.next_day)
                .map(|day| day.at(parse_clock(&form.next_time).unwrap_or(NEXT_ATTEMPT_MINUTES), zone)),
            before: form.before.clone(),
            after: form.after.clone(),
        },
        ActionKind::Reply => TicketAction::Reply { text: text() },
        ActionKind::Note => TicketAction::Note { text: text() },
        ActionKind::Resolve => TicketAction::Resolve(Resolution {
            solution: text(),
            code: ResolutionCode::from_code(&form.code),
            cause: form.cause.clone(),
            workaround: form.workaround.clone(),
            session_on: form.session_on.clone(),
            checks: form.checks(),
            acknowledged: !form.acknowledged.is_empty(),
            with_children: !form.with_children.is_empty(),
        }),
        ActionKind::Confirm => {
            TicketAction::Confirm { on_behalf_of: Some(form.name.clone()).filter(|it| !it.trim().is_empty()) }
        }
        ActionKind::Refuse => TicketAction::Refuse { comment: text() },
        ActionKind::Reopen => TicketAction::Reopen { comment: text() },
        ActionKind::Cancel => {
            TicketAction::Cancel { code: CancelReason::from_code(&form.code), reason: text() }
        }
        ActionKind::AttachAsset if !form.ci.is_empty() => {
            TicketAction::AttachCi { ci: form.ci.parse().ok()?, role: role() }
        }
        ActionKind::AttachAsset => {
            TicketAction::AttachAsset { inventory_number: form.tag.clone(), role: role() }
        }
        ActionKind::DetachAsset => {
            TicketAction::DetachAsset { asset: form.asset.parse().ok()?, reason: text() }
        }
    })
}

/// Actions of every day; the others are behind "more".
const USUAL: [ActionKind; 9] = [
    ActionKind::Claim,
    ActionKind::Assign,
    ActionKind::Qualify,
    ActionKind::Escalate,
    ActionKind::Hold,
    ActionKind::Resume,
    ActionKind::Task,
    ActionKind::Resolve,
    ActionKind::Confirm,
];

/// The buttons in the head: what is allowed now, without what has its own place on the page; first those of every
/// day, then the rest.
pub(crate) fn buttons(
    texts: Texts,
    ticket: &Ticket,
    (allowed, offers): (&[ActionKind], &Offers),
    attempt: Option<&Attempt>,
) -> (Vec<ActionView>, Vec<ActionView>) {
    let elsewhere = [ActionKind::Reply, ActionKind::Note, ActionKind::AttachAsset, ActionKind::DetachAsset];
    let mut primary = true;
    let all = allowed.iter().filter(|it| !elsewhere.contains(it)).map(|&kind| {
        let leads = primary
            && matches!(
                kind,
                ActionKind::Claim | ActionKind::Resolve | ActionKind::Resume | ActionKind::Confirm
            );
        primary &= !leads;
        let sent = attempt.filter(|it| it.kind == kind).map(|it| &it.form);
        (USUAL.contains(&kind), button(texts, ticket, (kind, leads), offers, sent))
    });
    let (usual, rest): (Vec<_>, Vec<_>) = all.partition(|it| it.0);
    let plain = |it: Vec<(bool, ActionView)>| it.into_iter().map(|it| it.1).collect();
    (plain(usual), plain(rest))
}

fn button(
    texts: Texts,
    ticket: &Ticket,
    (kind, primary): (ActionKind, bool),
    offers: &Offers,
    sent: Option<&ActionForm>,
) -> ActionView {
    let label = match kind {
        ActionKind::Major if ticket.major => texts.t("action-major-end"),
        _ => texts.word("action", kind.code()),
    };
    ActionView {
        code: kind.code(),
        label: label.into_owned(),
        primary,
        danger: matches!(kind, ActionKind::Cancel | ActionKind::Refer),
        open: sent.is_some(),
        inputs: inputs(texts, ticket, kind, offers, sent),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::people::Language;

    #[test]
    fn a_refused_field_is_named_with_its_limit() {
        let said =
            |field: &str, reason: &str| refused_field(Texts::of(Language::En), "Solution", field, reason);
        let empty = TextRefusal::Empty.to_string();
        assert_eq!(said("solution", &empty), "“Solution” is needed.");
        let long = TextRefusal::TooLong { max: 20_000 }.to_string();
        assert_eq!(said("text", &long), "“Solution”: 20,000 characters at most; your text is kept.");
        assert!(said("until", "must lie in the future").contains("to come"));
        assert!(said("duration_min", "must be at most 10080").contains("10,080 at most"));
        assert!(said("inventory_number", "is on this ticket already").contains("not accepted"));
    }

    #[test]
    fn a_hold_without_a_readable_date_waits_without_one() {
        let form = ActionForm { reason: "part".into(), until: "2026-12-01".into(), ..ActionForm::default() };
        let until =
            |form: &ActionForm| match parse(ActionKind::Hold, form, (&Zone::utc(), &samples::ticket(), None))
            {
                Some(TicketAction::Hold { until, .. }) => until,
                _ => None,
            };
        assert_eq!(until(&form), Some(UtcMicros::from_seconds(1_796_083_200)));
        assert_eq!(until(&ActionForm { until: "soon".into(), ..form }), None);
    }

    #[test]
    fn a_qualification_with_a_forged_word_is_no_action() {
        assert!(
            parse(ActionKind::Qualify, &ActionForm::default(), (&Zone::utc(), &samples::ticket(), None))
                .is_none()
        );
    }

    #[test]
    fn a_machine_chosen_by_hand_is_attached_itself_a_typed_number_is_looked_up() {
        let ci = ActionForm { ci: uuid::Uuid::nil().to_string(), ..ActionForm::default() };
        assert!(matches!(
            parse(ActionKind::AttachAsset, &ci, (&Zone::utc(), &samples::ticket(), None)),
            Some(TicketAction::AttachCi { .. })
        ));
        let tag = ActionForm { tag: "PC-1".into(), ..ActionForm::default() };
        assert!(matches!(
            parse(ActionKind::AttachAsset, &tag, (&Zone::utc(), &samples::ticket(), None)),
            Some(TicketAction::AttachAsset { .. })
        ));
    }
}
