//! The buttons of a ticket: which fields each needs, and what a posted one means.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::ticket::{Attempt, show_again};
use super::uploads;
use crate::kernel::id::FileId;
use crate::kernel::text::TextRefusal;
use crate::kernel::time::{UtcMicros, Zone};
use crate::tickets::{
    self, ActionKind, AssetRole, ImpactScope, Severity, Ticket, TicketAction, TicketError, TicketKind,
    TicketNumber, Urgency,
};
use crate::web::numbers::integer;
use crate::web::parts::Choice;
use crate::web::{PageError, Texts, Uploaded, WebState};

/// Why work waits, as offered; any other words may be stored by programs.
const PENDING_REASONS: [&str; 5] = ["requester", "supplier", "part", "appointment", "other"];
const TASKS: [&str; 4] = ["call", "pdr", "diagnosis", "other"];

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

/// One field of an action.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// Unique on the page.
    pub id: String,
    pub name: &'static str,
    pub label: String,
    /// `area`, `line`, `date`, `number` or `select`.
    pub control: &'static str,
    pub required: bool,
    pub choices: Vec<Choice>,
    /// Filled in before.
    pub value: String,
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
    kind: String,
    severity: String,
    scope: String,
    urgency: String,
    tag: String,
    ci: String,
    role: String,
    asset: String,
    /// `yes`: the files show personal data.
    personal: String,
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
        let attempt = Attempt { problem, kind, text: fields.text, seen: fields.seen.0 };
        return show_again(&state, &reader, &number, StatusCode::UNPROCESSABLE_ENTITY, attempt).await;
    }
    let action = parse(kind, &fields, &zone).ok_or_else(PageError::not_found)?;
    let action = if files.is_empty() {
        action
    } else {
        with_files(action, uploads::keep(&state.context, files, fields.personal == "yes").await?)
    };
    let done = tickets::act_on_ticket(&state.context, &reader.actor, &number, fields.version.0, action).await;
    let status = match done {
        Ok(_) => return Ok(Redirect::to(&format!("/tickets/{number}?done=ticket#end")).into_response()),
        Err(TicketError::Invalid { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        Err(TicketError::Stale { .. } | TicketError::State { .. } | TicketError::Taken { .. }) => {
            StatusCode::CONFLICT
        }
        Err(other) => return Err(other.into()),
    };
    let problem = problem(reader.texts(), kind, &seen.ticket, done.err().as_ref());
    let attempt = Attempt { problem, kind, text: fields.text, seen: fields.seen.0 };
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

/// What happened instead, in words.
fn problem(texts: Texts, kind: ActionKind, ticket: &Ticket, error: Option<&TicketError>) -> String {
    match error {
        Some(TicketError::Taken { owner }) => texts.t1("action-taken", "owner", owner).into_owned(),
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
        _ => "text",
    };
    let found = inputs(texts, ticket, kind, "").into_iter().find(|it| it.name == name);
    found.map_or_else(|| texts.t("input-message").into_owned(), |it| it.label)
}

/// The field and the limit at fault, in the reader's language.
fn refused_field(texts: Texts, label: &str, field: &str, reason: &str) -> String {
    if reason == TextRefusal::Empty.to_string() {
        return texts.t1("action-field-empty", "field", label).into_owned();
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

/// From a posted form; `None` when the form lacks what only a forged one lacks.
fn parse(kind: ActionKind, form: &ActionForm, zone: &Zone) -> Option<TicketAction> {
    let text = || form.text.trim().to_owned();
    let role = || AssetRole::from_code(&form.role).unwrap_or(AssetRole::Affected);
    Some(match kind {
        ActionKind::Claim => TicketAction::Claim,
        ActionKind::Release => TicketAction::Release { reason: text() },
        ActionKind::Qualify => TicketAction::Qualify {
            kind: TicketKind::from_code(&form.kind)?,
            severity: Severity::from_code(&form.severity)?,
            scope: ImpactScope::from_code(&form.scope)?,
            urgency: Urgency::from_code(&form.urgency)?,
        },
        ActionKind::Transfer => TicketAction::Transfer { comment: text() },
        ActionKind::Escalate => TicketAction::Escalate { comment: text() },
        ActionKind::Hold => TicketAction::Hold {
            reason: form.reason.clone(),
            until: UtcMicros::parse(form.until.trim(), zone),
            note: text(),
        },
        ActionKind::Resume => TicketAction::Resume,
        ActionKind::Task => TicketAction::Task {
            kind: form.task.clone(),
            text: text(),
            duration_min: form.minutes.trim().parse().ok(),
        },
        ActionKind::Reply => TicketAction::Reply { text: text() },
        ActionKind::Note => TicketAction::Note { text: text() },
        ActionKind::Resolve => TicketAction::Resolve { solution: text() },
        ActionKind::Confirm => TicketAction::Confirm { on_behalf_of: None },
        ActionKind::Refuse => TicketAction::Refuse { comment: text() },
        ActionKind::Reopen => TicketAction::Reopen { comment: text() },
        ActionKind::Cancel => TicketAction::Cancel { reason: text() },
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

/// The buttons in the head: what is allowed now, without what has its own place on the page.
pub(crate) fn buttons(
    texts: Texts,
    ticket: &Ticket,
    allowed: &[ActionKind],
    attempt: Option<&Attempt>,
) -> Vec<ActionView> {
    let elsewhere = [ActionKind::Reply, ActionKind::Note, ActionKind::AttachAsset, ActionKind::DetachAsset];
    let mut primary = true;
    allowed
        .iter()
        .filter(|it| !elsewhere.contains(it))
        .map(|&kind| {
            let leads = primary
                && matches!(
                    kind,
                    ActionKind::Claim | ActionKind::Resolve | ActionKind::Resume | ActionKind::Confirm
                );
            primary &= !leads;
            let typed = attempt.filter(|it| it.kind == kind).map(|it| it.text.as_str());
            button(texts, ticket, kind, leads, typed)
        })
        .collect()
}

fn button(texts: Texts, ticket: &Ticket, kind: ActionKind, primary: bool, typed: Option<&str>) -> ActionView {
    ActionView {
        code: kind.code(),
        label: texts.word("action", kind.code()).into_owned(),
        primary,
        danger: matches!(kind, ActionKind::Cancel),
        open: typed.is_some(),
        inputs: inputs(texts, ticket, kind, typed.unwrap_or("")),
    }
}

fn inputs(texts: Texts, ticket: &Ticket, kind: ActionKind, typed: &str) -> Vec<Input> {
    let input = |name: &'static str, key: &str, control: &'static str, required: bool| Input {
        id: format!("{}-{name}", kind.code()),
        name,
        label: texts.t(key).into_owned(),
        control,
        required,
        choices: Vec::new(),
        value: if name == "text" { typed.to_owned() } else { String::new() },
    };
    let select = |name, key: &str, family: &str, codes: Vec<&'static str>, chosen: &str| Input {
        choices: codes.into_iter().map(|it| Choice::new(it, texts.word(family, it), it == chosen)).collect(),
        ..input(name, key, "select", true)
    };
    match kind {
        ActionKind::Claim | ActionKind::Resume | ActionKind::Confirm => Vec::new(),
        ActionKind::Qualify => vec![
            select(
                "kind",
                "label-kind",
                "ticket-kind",
                TicketKind::ALL.iter().map(|it| it.code()).collect(),
                ticket.kind.code(),
            ),
            select(
                "severity",
                "label-severity",
                "severity",
                Severity::ALL.iter().map(|it| it.code()).collect(),
                ticket.severity.code(),
            ),
            select(
                "scope",
                "label-scope",
                "scope",
                ImpactScope::ALL.iter().map(|it| it.code()).collect(),
                ticket.scope.code(),
            ),
            select(
                "urgency",
                "label-urgency",
                "urgency",
                Urgency::ALL.iter().map(|it| it.code()).collect(),
                ticket.urgency.code(),
            ),
        ],
        ActionKind::Hold => vec![
            select("reason", "input-pending-reason", "pending", PENDING_REASONS.to_vec(), ""),
            input("until", "input-until", "date", false),
            input("text", "input-comment", "area", false),
        ],
        ActionKind::Task => vec![
            select("task", "input-task", "task", TASKS.to_vec(), ""),
            input("text", "input-done", "area", true),
            input("minutes", "input-minutes", "number", false),
        ],
        ActionKind::Release => vec![input("text", "input-reason", "area", false)],
        ActionKind::Resolve => vec![input("text", "input-solution", "area", true)],
        ActionKind::Escalate => vec![input("text", "input-tried", "area", true)],
        ActionKind::Refuse => vec![input("text", "input-still", "area", true)],
        ActionKind::Reply | ActionKind::Note => vec![input("text", "input-message", "area", true)],
        ActionKind::Cancel | ActionKind::DetachAsset => vec![input("text", "input-reason", "area", true)],
        ActionKind::Transfer | ActionKind::Reopen => vec![input("text", "input-comment", "area", true)],
        ActionKind::AttachAsset => vec![input("tag", "label-tag", "line", true)],
    }
}

#[cfg(test)]
mod tests {
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
        let until = |form: &ActionForm| match parse(ActionKind::Hold, form, &Zone::utc()) {
            Some(TicketAction::Hold { until, .. }) => until,
            _ => None,
        };
        assert_eq!(until(&form), Some(UtcMicros::from_seconds(1_796_083_200)));
        assert_eq!(until(&ActionForm { until: "soon".into(), ..form }), None);
    }

    #[test]
    fn a_qualification_with_a_forged_word_is_no_action() {
        assert!(parse(ActionKind::Qualify, &ActionForm::default(), &Zone::utc()).is_none());
    }

    #[test]
    fn a_machine_chosen_by_hand_is_attached_itself_a_typed_number_is_looked_up() {
        let ci = ActionForm { ci: uuid::Uuid::nil().to_string(), ..ActionForm::default() };
        assert!(matches!(
            parse(ActionKind::AttachAsset, &ci, &Zone::utc()),
            Some(TicketAction::AttachCi { .. })
        ));
        let tag = ActionForm { tag: "PC-1".into(), ..ActionForm::default() };
        assert!(matches!(
            parse(ActionKind::AttachAsset, &tag, &Zone::utc()),
            Some(TicketAction::AttachAsset { .. })
        ));
    }
}
