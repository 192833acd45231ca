//! Opening a ticket.

use serde_json::{Value, json};

use super::attach;
use super::attachments;
use super::step::{Step, record_step};
use super::texts::clean_new;
use crate::audit;
use crate::context::Context;
use crate::db::Tx;
use crate::inventory;
use crate::kernel::actor::{Actor, ActorKind, Permission, Scope};
use crate::kernel::id::{OrganisationId, PersonId};
use crate::kernel::text::search_key;
use crate::matching::{self, AssetMatch, Lookup};
use crate::measures;
use crate::sites::{self, Organisation};
use crate::tickets::action::TicketError;
use crate::tickets::model::{Entry, NewTicket, OpenedTicket, Ticket};
use crate::tickets::number::TicketNumber;
use crate::tickets::priority::{Case, priority};
use crate::tickets::store::{self, Party};
use crate::tickets::words::{AssetRole, AttachedBy, Channel, SubKind, TicketState};

/// What a request is remembered by.
struct RequestMark {
    key: [u8; REQUEST_KEY_BYTES],
    digest: [u8; blake3::OUT_LEN],
}

/// Bytes of the key under which a request is remembered.
const REQUEST_KEY_BYTES: usize = 16;

/// Opens a ticket: number, match, pin, event, audit in one transaction. The same `request_id` from the same
/// actor opens one ticket; the repetition tells which, and is refused when it says something else.
pub async fn open_ticket(
    context: &Context,
    actor: &Actor,
    new: NewTicket,
) -> Result<OpenedTicket, TicketError> {
    let new = checked(actor, new)?;
    let mut tx = context.db.begin().await?;
    let opened = open_checked(&mut tx, context, actor, new).await?;
    if !opened.repeated {
        tx.commit().await?;
    }
    Ok(opened)
}

/// Opens a ticket in the caller's transaction. Not for requests with an id: a repetition would have to be rolled back.
pub(in crate::tickets) async fn open_within(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewTicket,
) -> Result<OpenedTicket, TicketError> {
    let new = NewTicket { request_id: None, ..checked(actor, new)? };
    open_checked(tx, context, actor, new).await
}

/// Whether the actor may, and whether every text fits.
fn checked(actor: &Actor, mut new: NewTicket) -> Result<NewTicket, TicketError> {
    check_rights(actor, &new)?;
    match clean_new(&mut new).into_iter().next() {
        Some((field, reason)) => Err(TicketError::Invalid { field, reason }),
        None => Ok(new),
    }
}

async fn open_checked(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    mut new: NewTicket,
) -> Result<OpenedTicket, TicketError> {
    let mark = new.request_id.map(|id| RequestMark {
        key: request_key(actor, new.organisation_id, id),
        digest: request_digest(&new),
    });
    if let Some(known) = find_repeated(tx, actor, mark.as_ref()).await? {
        return Ok(known);
    }
    let parties = check_places(tx, actor, &new).await?;
    let files = std::mem::take(&mut new.files);
    let slots = std::mem::take(&mut new.slots);
    let lookup = look_up(tx, &new).await?;
    let ticket = numbered(tx, context, actor, new, &parties, lookup.outcome).await?;
    let remembered = mark.as_ref().map(|it| store::Remembered { key: &it.key, digest: &it.digest });
    if !store::insert(tx, &ticket, &search_text(&ticket), remembered).await? {
        // The same request was faster on another connection: what was done here is rolled back.
        let known = find_repeated(tx, actor, mark.as_ref()).await?;
        return known.ok_or_else(|| TicketError::invalid("request_id", "is being used by another request"));
    }
    store::replace_slots(tx, &ticket.number, &slots).await?;
    let files = attachments::claim(tx, &ticket.number, &files, true).await?;
    record(tx, context, actor, &ticket, (&lookup, &files)).await?;
    measures::ticket_opened(ticket.channel.code(), ticket.asset_match.code());
    Ok(opened(&ticket, actor, lookup, false))
}

/// By the typed number; without one by the machine itself, when it is known.
async fn look_up(tx: &mut Tx, new: &NewTicket) -> Result<Lookup, TicketError> {
    let organisation = new.organisation_id;
    if let (Some(machine), true) = (new.machine, new.inventory_number.is_empty()) {
        let known = inventory::find_ci(tx, Scope::Organisation(organisation), machine).await?;
        return Ok(known.map_or_else(|| Lookup::empty(AssetMatch::None), Lookup::certain));
    }
    Ok(matching::look_up(tx, organisation, &new.inventory_number).await?)
}

/// Every field of a new ticket whose text is refused, with what is wrong with it, for forms that show all at once.
pub fn refusals(new: &NewTicket) -> Vec<(&'static str, String)> {
    clean_new(&mut new.clone())
}

/// Who may open a ticket for whom. A program or machine always acts for somebody.
fn check_rights(actor: &Actor, new: &NewTicket) -> Result<(), TicketError> {
    if !actor.scope.contains(new.organisation_id) {
        return Err(TicketError::invalid("organisation", "is not known"));
    }
    let allowed = match actor.kind {
        ActorKind::System | ActorKind::Agent(_) => true,
        ActorKind::ApiKey(_) => actor.may(Permission::CreateTicket),
        ActorKind::Person(person) => {
            actor.may(Permission::CreateTicket)
                && (person == new.requester_id || actor.may(Permission::CreateTicketForOthers))
        }
    };
    if allowed { Ok(()) } else { Err(TicketError::Forbidden) }
}

/// The key a request is remembered by: bound to actor and organisation, so that nobody can ask for a stranger's.
fn request_key(actor: &Actor, organisation: OrganisationId, id: [u8; 16]) -> [u8; REQUEST_KEY_BYTES] {
    let (kind, actor_id) = audit::actor_columns(actor);
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind.as_bytes());
    hasher.update(actor_id.as_ref().map_or(&[][..], |it| it.as_bytes()));
    hasher.update(organisation.as_uuid().as_bytes());
    hasher.update(&id);
    let mut key = [0; REQUEST_KEY_BYTES];
    hasher.finalize_xof().fill(&mut key);
    key
}

/// What a request says, cleaned. The machine is left out because it comes from a certificate or a link that runs
/// out, and from an agent the place too: both are filled in here and may have changed before the repetition.
fn request_digest(new: &NewTicket) -> [u8; blake3::OUT_LEN] {
    let by_agent = new.channel == Channel::Agent;
    let site = new.site_id.filter(|_| !by_agent).map(|it| it.to_string()).unwrap_or_default();
    let location = if by_agent { "" } else { &new.location };
    let phone = if by_agent { "" } else { &new.phone };
    let parts = [
        new.kind.code(),
        new.channel.code(),
        &site,
        location,
        &new.requester_id.to_string(),
        &new.beneficiary_id.to_string(),
        &new.summary,
        &new.description,
        &new.application,
        phone,
        &new.availability,
        &new.external_ref,
        new.severity.code(),
        new.scope.code(),
        new.urgency.code(),
        new.sub_kind.map_or("", SubKind::code),
        &new.inventory_number,
    ];
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

async fn find_repeated(
    tx: &mut Tx,
    actor: &Actor,
    mark: Option<&RequestMark>,
) -> Result<Option<OpenedTicket>, TicketError> {
    let Some(mark) = mark else { return Ok(None) };
    let Some(known) = store::find_by_request(tx, &mark.key).await? else { return Ok(None) };
    if known.request_digest.as_deref() != Some(mark.digest.as_slice()) {
        return Err(TicketError::KeyReused);
    }
    let nothing = Lookup::empty(known.ticket.asset_match);
    Ok(Some(opened(&known.ticket, actor, nothing, true)))
}

/// Names of who and where, once they are known to belong to the organisation.
struct Parties {
    organisation: Organisation,
    site_name: String,
    requester: Party,
    beneficiary: Party,
}

async fn check_places(tx: &mut Tx, actor: &Actor, new: &NewTicket) -> Result<Parties, TicketError> {
    let organisation = sites::find_organisation(tx, new.organisation_id).await?;
    let organisation = organisation.ok_or_else(|| TicketError::invalid("organisation", "is not known"))?;
    let site_name = match new.site_id {
        None => String::new(),
        Some(id) => sites::find_site(tx, id)
            .await?
            .filter(|it| it.organisation_id == organisation.id)
            .map(|it| it.name)
            .ok_or_else(|| TicketError::invalid("site", "is not a site of the organisation"))?,
    };
    let requester = party(tx, actor.scope, organisation.id, (new.requester_id, "requester")).await?;
    let beneficiary = party(tx, actor.scope, organisation.id, (new.beneficiary_id, "beneficiary")).await?;
    Ok(Parties { organisation, site_name, requester, beneficiary })
}

/// An active person of the organisation; for who works for all organisations also one of the provider's own staff.
/// Anybody else is not known, in the same words.
async fn party(
    tx: &mut Tx,
    scope: Scope,
    organisation: OrganisationId,
    (person, field): (PersonId, &'static str),
) -> Result<Party, TicketError> {
    store::find_party(tx, person)
        .await?
        .filter(|it| it.active && it.organisation_id.map_or(scope == Scope::All, |own| own == organisation))
        .ok_or_else(|| TicketError::invalid(field, "is not a known person of the organisation"))
}

/// The ticket as it will be stored. The number comes last: its row stays locked until the commit.
#[expect(clippy::too_many_lines, reason = "one line per field of a ticket")]
async fn numbered(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewTicket,
    parties: &Parties,
    asset_match: AssetMatch,
) -> Result<Ticket, TicketError> {
    let now = context.now();
    let (year, month) = now.year_month(&parties.organisation.zone());
    let month = format!("{year:04}{month:02}");
    let matrix = store::current_matrix(tx).await?;
    let security = new.sub_kind.is_some_and(SubKind::is_security);
    let NewTicket { kind, severity, scope, urgency, .. } = new;
    let number = TicketNumber::new(&month, store::next_in_month(tx, &month).await?);
    Ok(Ticket {
        number,
        organisation_id: new.organisation_id,
        organisation_name: parties.organisation.name.clone(),
        kind: new.kind,
        channel: new.channel,
        state: TicketState::New,
        priority: priority(&matrix, Case { kind, security, severity, scope, urgency }),
        site_id: new.site_id,
        site_name: parties.site_name.clone(),
        location: new.location,
        requester_id: new.requester_id,
        requester_name: parties.requester.name.clone(),
        beneficiary_id: new.beneficiary_id,
        beneficiary_name: parties.beneficiary.name.clone(),
        created_by: actor.label.clone(),
        created_by_id: audit::actor_columns(actor).1,
        owner_id: None,
        owner_name: String::new(),
        level: 1,
        team_id: None,
        team_code: String::new(),
        team_name: String::new(),
        owned_since: None,
        sub_kind: new.sub_kind,
        declared_severity: severity,
        declared_scope: scope,
        declared_urgency: urgency,
        matrix_version: matrix.version,
        priority_reason: None,
        restricted: false,
        security,
        major: false,
        summary: new.summary,
        description: new.description,
        application: new.application,
        phone: new.phone,
        availability: new.availability,
        external_ref: new.external_ref,
        severity: new.severity,
        scope: new.scope,
        urgency: new.urgency,
        inventory_number: new.inventory_number,
        asset_match,
        pending_reason: None,
        pending_until: None,
        pending_note: None,
        solution: None,
        resolution_code: None,
        cause: None,
        workaround: None,
        session_on: None,
        verified_checks: None,
        verified_by: None,
        verified_at: None,
        cancel_reason: None,
        parent_number: None,
        problem_number: None,
        duplicate_of: None,
        refusals: 0,
        reopenings: 0,
        reminded_at: None,
        created_at: now,
        updated_at: now,
        qualified_at: None,
        resolved_at: None,
        closed_at: None,
        version: 1,
        open_visits: 0,
        open_loans: 0,
        time_zone: parties.organisation.time_zone.clone(),
    })
}

/// What the search box finds a ticket by.
fn search_text(ticket: &Ticket) -> String {
    search_key(&format!(
        "{} {} {} {} {} {} {}",
        ticket.number,
        ticket.summary,
        ticket.requester_name,
        ticket.beneficiary_name,
        ticket.inventory_number,
        ticket.application,
        ticket.external_ref,
    ))
}

/// Link, history and audit of a ticket just written.
async fn record(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    ticket: &Ticket,
    (lookup, files): (&Lookup, &[Value]),
) -> Result<(), TicketError> {
    let number = &ticket.number;
    let mut entries = vec![created_entry(ticket, files)];
    if let (AssetMatch::Attached, Some(ci)) = (lookup.outcome, lookup.candidates.first()) {
        attach::link(tx, context, number, ci, AssetRole::Affected, AttachedBy::Opening).await?;
        entries.push(attach::attached_entry("asset_attached", ci, AssetRole::Affected));
    } else {
        entries.extend(unmatched_entry(lookup.outcome, &ticket.inventory_number));
    }
    let step = Step { actor, before: None, ticket, entries: &entries };
    Ok(record_step(tx, context, step).await.map(drop)?)
}

/// The declared values stay here for ever, whatever is qualified later.
fn created_entry(ticket: &Ticket, files: &[Value]) -> Entry {
    let mut data = json!({
        "to": ticket.state.code(),
        "channel": ticket.channel.code(),
        "type": ticket.kind.code(),
        "severity": ticket.severity.code(),
        "scope": ticket.scope.code(),
        "urgency": ticket.urgency.code(),
        "sub_kind": ticket.sub_kind.map(SubKind::code),
        "priority": ticket.priority,
    });
    if let (Some(data), false) = (data.as_object_mut(), files.is_empty()) {
        data.insert("files".into(), files.into());
    }
    Entry { kind: "created", public: true, data }
}

/// Why no machine is there. A foreign number leaves the words of an unknown one.
pub(super) fn unmatched_entry(outcome: AssetMatch, inventory_number: &str) -> Option<Entry> {
    let kind = match outcome {
        AssetMatch::Unknown | AssetMatch::Foreign => "asset_unknown",
        AssetMatch::Ambiguous => "asset_ambiguous",
        AssetMatch::Placeholder => "asset_placeholder",
        AssetMatch::Attached | AssetMatch::None => return None,
    };
    Some(Entry { kind, public: true, data: json!({ "inventory_number": inventory_number }) })
}

fn opened(ticket: &Ticket, actor: &Actor, lookup: Lookup, repeated: bool) -> OpenedTicket {
    OpenedTicket {
        number: ticket.number.clone(),
        state: ticket.state,
        priority: ticket.priority,
        asset_match: ticket.asset_match.visible(actor.scope),
        suggestions: lookup.suggestions,
        version: ticket.version,
        repeated,
    }
}
