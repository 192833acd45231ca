//! One path per action. All of them: find the ticket, compare `If-Match`, act, show.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::handlers::{person_of, seen, shown};
use super::requests::{
    AssetRequest, AssignRequest, CancelRequest, ClaimRequest, CommentRequest, ConfirmRequest, DetachRequest,
    EmptyRequest, HoldRequest, LinkRequest, MajorRequest, MergeRequest, QualifyRequest, ReleaseRequest,
    ResolveRequest, TaskRequest, TeamCommentRequest, TextRequest, UnlinkRequest,
};
use super::responses::TicketDetail;
use crate::api::{ApiJson, ApiPath, ApiState, Caller, FieldProblem, IfMatch, Problem, ProblemDetails, etag};
use crate::context::Context;
use crate::kernel::id::TeamId;
use crate::kernel::time::{UtcMicros, Zone};
use crate::matching::{self, AssetMatch};
use crate::teams;
use crate::tickets::{
    self, AssetRole, FieldChange, Qualification, Resolution, Ticket, TicketAction, TicketError, TicketNumber,
};

/// How often an unconditional action is tried again when somebody else changed the ticket in between.
const TRIES: u32 = 5;

/// What every action's path was given.
pub(super) struct Call {
    state: ApiState,
    caller: Caller,
    number: String,
    if_match: IfMatch,
}

/// Declares the handler of one action: its path, its body, its documentation.
macro_rules! actions {
    ($($(#[doc = $doc:literal])* $name:ident, $path:literal, $body:ident => $convert:expr;)+) => {$(
        $(#[doc = $doc])*
        #[utoipa::path(post, path = $path, tag = "tickets", request_body = $body,
            params(("number" = String, Path), ("If-Match" = Option<String>, Header, description = "entity tag that was seen")),
            responses((status = 200, body = TicketDetail),
                (status = 412, description = "the ticket is not as it was seen", body = ProblemDetails, content_type = "application/problem+json"),
                (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
        pub(super) async fn $name(
            State(state): State<ApiState>,
            caller: Caller,
            if_match: IfMatch,
            ApiPath(number): ApiPath,
            ApiJson(body): ApiJson<$body>,
        ) -> Result<Response, Problem> {
            let call = Call { state, caller, number, if_match };
            call.act(($convert)(body)).await
        }
    )+};
}

actions! {
    /// Makes somebody the owner; of many who try one wins.
    claim, "/api/v1/tickets/{number}/claim", ClaimRequest => Wanted::Claim;
    /// Back to the pot.
    release, "/api/v1/tickets/{number}/release", ReleaseRequest =>
        |it: ReleaseRequest| Wanted::Plain(TicketAction::Release { reason: it.reason });
    /// Type, severity, scope, urgency; sets the priority.
    qualify, "/api/v1/tickets/{number}/qualify", QualifyRequest => Wanted::Qualify;
    /// Gives it to a technician of its team.
    assign, "/api/v1/tickets/{number}/assign", AssignRequest =>
        |it: AssignRequest| Wanted::Claim(ClaimRequest { owner: Some(it.owner) });
    /// Into the pot of another team, or into the common one.
    transfer, "/api/v1/tickets/{number}/transfer", TeamCommentRequest =>
        |it| Wanted::HandOn(it, |team, comment| TicketAction::Transfer { team, comment });
    /// To the second level.
    escalate, "/api/v1/tickets/{number}/escalate", TeamCommentRequest =>
        |it| Wanted::HandOn(it, |team, comment| TicketAction::Escalate { team, comment });
    /// Back to the first level.
    deescalate, "/api/v1/tickets/{number}/deescalate", TeamCommentRequest =>
        |it| Wanted::HandOn(it, |team, comment| TicketAction::Deescalate { team, comment });
    /// To the security manager. Answers 204 when the key sees the ticket no longer.
    refer, "/api/v1/tickets/{number}/refer", CommentRequest =>
        |it: CommentRequest| Wanted::Plain(TicketAction::Refer { comment: it.comment });
    /// Visible again to who worked on it.
    unrestrict, "/api/v1/tickets/{number}/unrestrict", CommentRequest =>
        |it: CommentRequest| Wanted::Plain(TicketAction::Unrestrict { comment: it.comment });
    /// Wait.
    hold, "/api/v1/tickets/{number}/hold", HoldRequest => Wanted::Hold;
    /// Stop waiting.
    resume, "/api/v1/tickets/{number}/resume", EmptyRequest =>
        |_: EmptyRequest| Wanted::Plain(TicketAction::Resume);
    /// Record work done.
    tasks, "/api/v1/tickets/{number}/tasks", TaskRequest => Wanted::Task;
    /// Answer, visible to the requester.
    replies, "/api/v1/tickets/{number}/replies", TextRequest =>
        |it: TextRequest| Wanted::Plain(TicketAction::Reply { text: it.text });
    /// Internal note.
    notes, "/api/v1/tickets/{number}/notes", TextRequest =>
        |it: TextRequest| Wanted::Plain(TicketAction::Note { text: it.text });
    /// Solved.
    resolve, "/api/v1/tickets/{number}/resolve", ResolveRequest =>
        |it: ResolveRequest| Wanted::Plain(TicketAction::Resolve(it.into()));
    /// Really solved, as somebody said by voice.
    confirm, "/api/v1/tickets/{number}/confirm", ConfirmRequest =>
        |it: ConfirmRequest| Wanted::Plain(TicketAction::Confirm { on_behalf_of: it.on_behalf_of });
    /// Not solved.
    refuse, "/api/v1/tickets/{number}/refuse", CommentRequest =>
        |it: CommentRequest| Wanted::Plain(TicketAction::Refuse { comment: it.comment });
    /// Open again.
    reopen, "/api/v1/tickets/{number}/reopen", CommentRequest =>
        |it: CommentRequest| Wanted::Plain(TicketAction::Reopen { comment: it.comment });
    /// Withdraw.
    cancel, "/api/v1/tickets/{number}/cancel", CancelRequest =>
        |it: CancelRequest| Wanted::Plain(TicketAction::Cancel { code: it.code, reason: it.reason });
    /// The same as another one, in which it goes on.
    merge, "/api/v1/tickets/{number}/merge", MergeRequest => Wanted::Merge;
    /// Under a major incident or a problem.
    link, "/api/v1/tickets/{number}/link", LinkRequest => Wanted::Link;
    /// Out from there.
    unlink, "/api/v1/tickets/{number}/unlink", UnlinkRequest =>
        |it: UnlinkRequest| Wanted::Plain(TicketAction::Unlink { kind: it.kind });
    /// A major incident, or no longer.
    major, "/api/v1/tickets/{number}/major", MajorRequest =>
        |it: MajorRequest| Wanted::Plain(TicketAction::Major { major: it.major });
    /// Link a machine by its number.
    assets, "/api/v1/tickets/{number}/assets", AssetRequest => Wanted::Attach;
    /// End a machine's link; it stays in the history.
    detach, "/api/v1/tickets/{number}/detach", DetachRequest => Wanted::Detach;
}

/// What was asked, before the ticket it is about was looked at.
enum Wanted {
    Plain(TicketAction),
    Claim(ClaimRequest),
    Qualify(QualifyRequest),
    HandOn(TeamCommentRequest, fn(Option<TeamId>, String) -> TicketAction),
    Hold(HoldRequest),
    Merge(MergeRequest),
    Link(LinkRequest),
    Task(TaskRequest),
    Attach(AssetRequest),
    Detach(DetachRequest),
}

impl Call {
    /// Without `If-Match` the current version is changed, whoever changes it at the same time.
    async fn act(self, wanted: Wanted) -> Result<Response, Problem> {
        let context = &self.state.context;
        let actor = &self.caller.0;
        for _ in 0..TRIES {
            let ticket = seen(context, actor, &self.number).await?.ticket;
            if let Some(seen) = self.if_match.outdated(ticket.version) {
                let changes = tickets::changes_since(context, actor, &ticket.number, seen).await?;
                return Ok(precondition_failed(ticket.version, &changes));
            }
            let action = wanted.action(context, &ticket).await?;
            match tickets::act_on_ticket(context, actor, &ticket.number, ticket.version, action).await {
                Ok(view) => return Ok(shown(actor, view)),
                Err(TicketError::Gone) => return Ok(StatusCode::NO_CONTENT.into_response()),
                Err(TicketError::Stale { current, changes }) if self.if_match.insists() => {
                    return Ok(precondition_failed(current, &changes));
                }
                Err(TicketError::Stale { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Problem::new(StatusCode::CONFLICT, "stale", "the ticket is being changed by others; try again"))
    }
}

impl Wanted {
    async fn action(&self, context: &Context, ticket: &Ticket) -> Result<TicketAction, Problem> {
        match self {
            Self::Plain(action) => Ok(action.clone()),
            Self::Claim(it) => claimed(context, ticket, it.owner.as_deref()).await,
            Self::Qualify(it) => {
                let kind = it.kind.unwrap_or(ticket.kind);
                Ok(TicketAction::Qualify(Qualification {
                    kind,
                    sub_kind: it.sub_kind.or(ticket.sub_kind.filter(|own| own.kind() == kind)),
                    severity: it.severity.unwrap_or(ticket.severity),
                    scope: it.scope.unwrap_or(ticket.scope),
                    urgency: it.urgency.unwrap_or(ticket.urgency),
                    team: team(context, it.team.as_deref()).await?,
                    priority: it.priority,
                    priority_reason: it.priority_reason.clone(),
                }))
            }
            Self::HandOn(it, make) => Ok(make(team(context, it.team.as_deref()).await?, it.comment.clone())),
            Self::Merge(it) => {
                Ok(TicketAction::Merge { into: number("into", &it.into)?, comment: it.comment.clone() })
            }
            Self::Link(it) => Ok(TicketAction::Link { to: number("to", &it.to)?, kind: it.kind }),
            Self::Hold(it) => Ok(TicketAction::Hold {
                reason: it.reason.clone(),
                until: until(ticket, it.until.as_deref())?,
                note: it.note.clone(),
            }),
            Self::Task(it) => Ok(TicketAction::Task {
                kind: it.kind,
                text: it.text.clone(),
                duration_min: it.duration_min,
                next_attempt: it.next_attempt.as_deref().map(next_attempt).transpose()?,
                before: it.before.clone(),
                after: it.after.clone(),
            }),
            Self::Attach(it) => attached(context, ticket, it).await,
            Self::Detach(it) => {
                let asset = it.asset.parse();
                let asset =
                    asset.map_err(|_| Problem::invalid("asset", "is not a machine of this ticket"))?;
                Ok(TicketAction::DetachAsset { asset, reason: it.reason.clone() })
            }
        }
    }
}

async fn claimed(context: &Context, ticket: &Ticket, owner: Option<&str>) -> Result<TicketAction, Problem> {
    let Some(address) = owner else {
        return Err(Problem::invalid("owner", "is needed: a key is no person and cannot own a ticket"));
    };
    let mut tx = context.db.read().await?;
    let owner = person_of(&mut tx, ticket.organisation_id, address).await?;
    let refused = || Problem::invalid("owner", "is not a technician of this organisation's tickets");
    Ok(TicketAction::Assign { owner: owner.ok_or_else(refused)? })
}

/// A date without time is midnight in the organisation's time zone.
fn until(ticket: &Ticket, text: Option<&str>) -> Result<Option<UtcMicros>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let zone = Zone::named(&ticket.time_zone).unwrap_or_else(Zone::utc);
    let refused = || Problem::invalid("until", "must be a date or an RFC 3339 moment");
    UtcMicros::parse(text, &zone).ok_or_else(refused).map(Some)
}

fn next_attempt(text: &str) -> Result<UtcMicros, Problem> {
    UtcMicros::parse(text, &Zone::utc())
        .ok_or_else(|| Problem::invalid("next_attempt", "must be an RFC 3339 moment"))
}

/// With a serial number: the one of the claiming machines that has it.
async fn attached(
    context: &Context,
    ticket: &Ticket,
    request: &AssetRequest,
) -> Result<TicketAction, Problem> {
    let role = request.role.unwrap_or(AssetRole::Affected);
    let inventory_number = request.inventory_number.clone();
    let Some(serial) = request.serial.as_deref() else {
        return Ok(TicketAction::AttachAsset { inventory_number, role });
    };
    let mut tx = context.db.read().await?;
    let lookup = matching::look_up(&mut tx, ticket.organisation_id, &inventory_number).await?;
    let claims = matches!(lookup.outcome, AssetMatch::Attached | AssetMatch::Ambiguous);
    let chosen = lookup.candidates.iter().find(|it| claims && !serial.is_empty() && it.serial == serial);
    let chosen =
        chosen.ok_or_else(|| Problem::invalid("serial", "is not of a machine that has this number"))?;
    Ok(TicketAction::AttachCi { ci: chosen.id, role })
}

fn number(field: &'static str, text: &str) -> Result<TicketNumber, Problem> {
    text.parse().map_err(|error| Problem::invalid(field, error))
}

async fn team(context: &Context, code: Option<&str>) -> Result<Option<TeamId>, Problem> {
    let Some(code) = code else { return Ok(None) };
    let mut tx = context.db.read().await?;
    let found = teams::find_team_by_code(&mut tx, code).await?;
    let unknown = || Problem::invalid("team", "is not a team of this organisation's tickets");
    Ok(Some(found.ok_or_else(unknown)?.id))
}

impl From<ResolveRequest> for Resolution {
    fn from(it: ResolveRequest) -> Self {
        let ResolveRequest {
            solution,
            code,
            cause,
            workaround,
            session_on,
            checks,
            acknowledged,
            with_children,
        } = it;
        Self { solution, code, cause, workaround, session_on, checks, acknowledged, with_children }
    }
}

/// RFC 9110 §13.1.1, with the current entity tag so that the caller knows what to read, and with what changed.
fn precondition_failed(current: i64, changes: &[FieldChange]) -> Response {
    let detail = "the ticket is not as it was seen; read it again";
    let told = |it: &FieldChange| FieldProblem {
        field: it.field.clone(),
        reason: format!("was {}, is {}", it.before, it.after),
    };
    let errors = changes.iter().map(told).collect();
    let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail).with_errors(errors);
    let mut response = problem.into_response();
    response.headers_mut().insert(header::ETAG, etag(current));
    response
}
