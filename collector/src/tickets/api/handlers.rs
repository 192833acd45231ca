//! Opening, reading and listing.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::requests::TicketRequest;
use super::responses::{TicketCreated, TicketDetail, TicketLine, TicketPage};
use crate::api::{
    ApiJson, ApiPath, ApiQuery, ApiState, Caller, FieldProblem, IfNoneMatch, Problem, ProblemDetails, etag,
    page_request,
};
use crate::context::Context;
use crate::db::Tx;
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::kernel::id::{OrganisationId, PersonId, TeamId};
use crate::kernel::text::EmailAddress;
use crate::matching::AssetMatch;
use crate::tickets::{
    self, Channel, ImpactScope, NewTicket, Severity, TicketFilter, TicketKind, TicketNumber, TicketState,
    TicketView, Urgency,
};
use crate::{people, sites, teams};

/// Bytes of an `Idempotency-Key`.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 200;
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Characters of a search text.
const QUERY_CHARS_MAX: usize = 200;

/// Filters of the queue.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct QueueQuery {
    /// One or several states, separated by commas.
    state: Option<String>,
    /// A team's code; `n1` or `n2` for all of a level.
    team: Option<String>,
    /// Type.
    #[serde(rename = "type")]
    kind: Option<TicketKind>,
    /// Number of a major incident or problem: the tickets under it.
    under: Option<String>,
    /// E-mail address, or `none` for tickets nobody owns.
    owner: Option<String>,
    /// Inventory number, typed or attached.
    tag: Option<String>,
    /// Words in number, summary, names.
    q: Option<String>,
    /// Organisation's code.
    organisation: Option<String>,
    /// What the number led to: `unknown` for tickets that wait for a machine.
    asset_match: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// Rows, 1 to 200.
    limit: Option<u32>,
}

/// Opens a ticket; the inventory number becomes the attached machine. With an `Idempotency-Key` header a repeated
/// request opens no second ticket.
#[utoipa::path(post, path = "/api/v1/tickets", tag = "tickets", request_body = TicketRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 bytes of the caller's choice")),
    responses((status = 201, body = TicketCreated), (status = 200, description = "the request was known already", body = TicketCreated),
        (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn create_ticket(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    headers: HeaderMap,
    ApiJson(request): ApiJson<TicketRequest>,
) -> Result<Response, Problem> {
    let context = &state.context;
    let new = new_ticket(context, &actor, request, request_id(&headers)?).await?;
    let opened = tickets::open_ticket(context, &actor, new).await?;
    let assets = tickets::opened_assets(context, &actor, &opened).await?;
    let body = TicketCreated::new(&opened, &assets, actor.may(Permission::ReadAssets));
    let status = if opened.repeated { StatusCode::OK } else { StatusCode::CREATED };
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::ETAG, etag(opened.version));
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/tickets/{}", opened.number)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The queue, most urgent first.
#[utoipa::path(get, path = "/api/v1/tickets", tag = "tickets", params(QueueQuery), responses(
    (status = 200, body = TicketPage), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn list_tickets(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiQuery(query): ApiQuery<QueueQuery>,
) -> Result<Json<TicketPage>, Problem> {
    let request = page_request(query.cursor.as_deref(), query.limit)?;
    let filter = query.filter(&state.context, &actor).await?;
    let page = tickets::list_tickets(&state.context, &actor, &filter, &request).await?;
    Ok(Json(TicketPage { items: page.rows.iter().map(TicketLine::from).collect(), next: page.next }))
}

/// One ticket with its machines and history; 304 without a body to who has this version already.
#[utoipa::path(get, path = "/api/v1/tickets/{number}", tag = "tickets", params(("number" = String, Path),
    ("If-None-Match" = Option<String>, Header, description = "entity tags of versions the caller has")), responses(
    (status = 200, body = TicketDetail), (status = 304, description = "the caller has it"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub(super) async fn get_ticket(
    State(state): State<ApiState>,
    Caller(actor): Caller,
    ApiPath(number): ApiPath,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let view = seen(&state.context, &actor, &number).await?;
    if known.has(view.ticket.version) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag(view.ticket.version))]).into_response());
    }
    Ok(shown(&actor, view))
}

/// The ticket, if the actor may see it: out of scope and unreadable numbers are simply not there.
pub(super) async fn seen(context: &Context, actor: &Actor, number: &str) -> Result<TicketView, Problem> {
    let number: TicketNumber = number.parse().map_err(|_| Problem::not_found())?;
    tickets::find_ticket(context, actor, &number).await?.ok_or_else(Problem::not_found)
}

/// A ticket with its entity tag.
pub(super) fn shown(actor: &Actor, view: TicketView) -> Response {
    let tag = etag(view.ticket.version);
    let body = TicketDetail::new(view, actor.may(Permission::ReadAssets));
    let mut response = Json(body).into_response();
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// The person of an address as far as tickets of an organisation are concerned, the provider's own staff included. An
/// address of elsewhere and one that nobody has are refused in the same words.
pub(super) async fn person_of(
    tx: &mut Tx,
    organisation: OrganisationId,
    address: &str,
) -> Result<Option<PersonId>, Problem> {
    let Ok(email) = address.parse::<EmailAddress>() else {
        return Ok(None);
    };
    let person = people::find_person_by_email(tx, &email).await?;
    let person = person.filter(|it| it.active && it.organisation_id.is_none_or(|own| own == organisation));
    Ok(person.map(|it| it.id))
}

/// As [`person_of`], for who asks or needs help: a caller of one organisation does not know the provider's staff.
async fn party_of(
    tx: &mut Tx,
    scope: Scope,
    organisation: OrganisationId,
    address: &str,
) -> Result<Option<PersonId>, Problem> {
    let Some(person) = person_of(tx, organisation, address).await? else { return Ok(None) };
    let found = people::find_person(tx, person).await?;
    let known = found.is_some_and(|it| it.organisation_id.is_some() || scope == Scope::All);
    Ok(known.then_some(person))
}

/// Everything that is wrong with a request is told at once.
async fn new_ticket(
    context: &Context,
    actor: &Actor,
    request: TicketRequest,
    request_id: Option<[u8; 16]>,
) -> Result<NewTicket, Problem> {
    let mut tx = context.db.read().await?;
    let organisation_id = organisation(&mut tx, actor.scope, request.organisation.as_deref()).await?;
    let mut errors = Vec::new();
    let mut wrong = |field: &str, reason: &str| {
        errors.push(FieldProblem { field: field.to_owned(), reason: reason.to_owned() });
    };
    let requester = party_of(&mut tx, actor.scope, organisation_id, &request.requester).await?;
    if requester.is_none() {
        wrong("requester", "is not a known person of the organisation");
    }
    let beneficiary = match request.beneficiary.as_deref() {
        Some(address) => party_of(&mut tx, actor.scope, organisation_id, address).await?,
        None => requester,
    };
    if beneficiary.is_none() && request.beneficiary.is_some() {
        wrong("beneficiary", "is not a known person of the organisation");
    }
    let site = match request.site.as_deref() {
        Some(name) => sites::find_site_by_name(&mut tx, organisation_id, name.trim()).await?,
        None => None,
    };
    if site.is_none() && request.site.is_some() {
        wrong("site", "is not a site of the organisation");
    }
    drop(tx);
    // A person who was not found is replaced for the check of the texts only: the problem is returned below.
    let stand_in = PersonId::from(uuid::Uuid::nil());
    let new = NewTicket {
        organisation_id,
        kind: request.kind.unwrap_or(TicketKind::Incident),
        channel: request.channel.unwrap_or(Channel::Api),
        site_id: site.map(|it| it.id),
        location: request.location.unwrap_or_default(),
        requester_id: requester.unwrap_or(stand_in),
        beneficiary_id: beneficiary.unwrap_or(stand_in),
        summary: request.summary,
        description: request.description,
        application: request.application.unwrap_or_default(),
        phone: request.phone.unwrap_or_default(),
        availability: request.availability.unwrap_or_default(),
        external_ref: request.external_ref.unwrap_or_default(),
        sub_kind: request.sub_kind,
        severity: request.severity.unwrap_or(Severity::Minor),
        scope: request.scope.unwrap_or(ImpactScope::One),
        urgency: request.urgency.unwrap_or(usual_urgency(request.kind)),
        inventory_number: request.inventory_number.unwrap_or_default(),
        machine: None,
        request_id,
        slots: Vec::new(),
        files: Vec::new(),
    };
    let texts = tickets::refusals(&new).into_iter();
    errors.extend(texts.map(|(field, reason)| FieldProblem { field: field.to_owned(), reason }));
    if errors.is_empty() { Ok(new) } else { Err(Problem::invalid_fields(errors)) }
}

/// Questions can wait unless somebody says otherwise.
fn usual_urgency(kind: Option<TicketKind>) -> Urgency {
    if kind == Some(TicketKind::Information) { Urgency::Low } else { Urgency::Medium }
}

/// A key of one organisation may leave it out; a key of all must name one.
async fn organisation(tx: &mut Tx, scope: Scope, code: Option<&str>) -> Result<OrganisationId, Problem> {
    match (code, scope) {
        (Some(code), _) => {
            let code = code.trim().to_ascii_uppercase();
            let found = sites::find_organisation_by_code(tx, &code).await?.filter(|it| scope.contains(it.id));
            Ok(found.ok_or_else(|| Problem::invalid("organisation", "is not known"))?.id)
        }
        (None, Scope::Organisation(own)) => Ok(own),
        (None, Scope::All) => {
            Err(Problem::invalid("organisation", "is needed with a key for all organisations"))
        }
    }
}

/// The caller's key for the request, as the sixteen bytes a ticket remembers.
fn request_id(headers: &HeaderMap) -> Result<Option<[u8; 16]>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    if value.is_empty() || value.len() > IDEMPOTENCY_KEY_BYTES_MAX {
        return Err(Problem::invalid(
            "Idempotency-Key",
            format!("must have 1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes"),
        ));
    }
    let mut id = [0; 16];
    id.copy_from_slice(&blake3::hash(value.as_bytes()).as_bytes()[..16]);
    Ok(Some(id))
}

impl QueueQuery {
    async fn filter(&self, context: &Context, actor: &Actor) -> Result<TicketFilter, Problem> {
        let mut tx = context.db.read().await?;
        let organisation_id = match self.organisation.as_deref() {
            Some(code) => Some(organisation(&mut tx, actor.scope, Some(code)).await?),
            None => None,
        };
        for (field, text) in [("q", &self.q), ("tag", &self.tag)] {
            if text.as_deref().is_some_and(|it| it.chars().nth(QUERY_CHARS_MAX).is_some()) {
                return Err(Problem::invalid(
                    field,
                    format!("must have at most {QUERY_CHARS_MAX} characters"),
                ));
            }
        }
        let unowned = self.owner.as_deref() == Some("none");
        let owner = match self.owner.as_deref().filter(|_| !unowned) {
            Some(address) => Some(owner_of(&mut tx, address).await?),
            None => None,
        };
        Ok(TicketFilter {
            states: self.states()?,
            organisation_id,
            owner,
            unowned,
            person: None,
            tag: self.tag.clone(),
            query: self.q.clone().unwrap_or_default(),
            level: self.level(),
            team: self.team_id(&mut tx).await?,
            own_teams: false,
            kind: self.kind,
            under: self.under.as_deref().map(|it| word(it, |it| it.parse().ok(), "under")).transpose()?,
            asset_match: self
                .asset_match
                .as_deref()
                .map(|it| word(it, AssetMatch::from_code, "asset_match"))
                .transpose()?,
        })
    }

    fn states(&self) -> Result<Vec<TicketState>, Problem> {
        let words = self.state.iter().flat_map(|it| it.split(',')).map(str::trim).filter(|it| !it.is_empty());
        words.map(|it| word(it, TicketState::from_code, "state")).collect()
    }

    fn level(&self) -> Option<i64> {
        match self.team.as_deref() {
            Some("n1") => Some(1),
            Some("n2") => Some(2),
            _ => None,
        }
    }

    async fn team_id(&self, tx: &mut Tx) -> Result<Option<TeamId>, Problem> {
        let Some(code) = self.team.as_deref().filter(|_| self.level().is_none()) else { return Ok(None) };
        let found = teams::find_team_by_code(tx, code).await?;
        let unknown = || Problem::invalid("team", "must be n1, n2 or a team's code");
        Ok(Some(found.ok_or_else(unknown)?.id))
    }
}

fn word<T>(text: &str, parse: impl Fn(&str) -> Option<T>, field: &str) -> Result<T, Problem> {
    parse(text).ok_or_else(|| Problem::invalid(field, "is not a known word"))
}

/// Nobody's address owns nothing: an unknown one finds no ticket, like one that owns none.
async fn owner_of(tx: &mut Tx, address: &str) -> Result<PersonId, Problem> {
    let email: EmailAddress = address.parse().map_err(|it| Problem::invalid("owner", it))?;
    let person = people::find_person_by_email(tx, &email).await?;
    Ok(person.map_or_else(|| PersonId::from(uuid::Uuid::nil()), |it| it.id))
}
