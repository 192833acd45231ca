//! Opening a ticket: two choices first, then one form that never loses what was typed.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::fields::{NewForm, Parties, refused};
use super::look_up::{Answer, described, look_up, organisation};
use crate::db::Tx;
use crate::inventory::{self, CiSummary};
use crate::kernel::actor::Permission;
use crate::kernel::id::{CiId, OrganisationId};
use crate::kernel::page::PageRequest;
use crate::people::{self, Person};
use crate::sites::{self, Organisation, Site};
use crate::tickets::{self, Channel, ImpactScope, Severity, TicketKind, Urgency};
use crate::web::error::{page, page_with};
use crate::web::links::with_query;
use crate::web::parts::{Choice, FieldErrors};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Texts, WebState};

/// Own machines offered beside the field.
const MINE_MAX: usize = 5;
/// People named when an address fits several.
const NAMES_MAX: u32 = 5;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewQuery {
    kind: String,
    tag: String,
    /// Signed by us: the workstation the person sits at.
    machine: String,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/new.html")]
struct NewPage {
    shell: Shell,
    form: NewForm,
    /// A kind was chosen: the form is shown.
    chosen: bool,
    incident: bool,
    for_others: bool,
    organisations: Vec<Choice>,
    sites: Vec<Choice>,
    mine: Vec<Choice>,
    severities: Vec<Choice>,
    scopes: Vec<Choice>,
    urgencies: Vec<Choice>,
    answer: Answer,
    errors: FieldErrors,
}

/// What the form offers to choose from.
#[derive(Default)]
struct Offers {
    organisations: Vec<Organisation>,
    sites: Vec<Site>,
    mine: Vec<CiSummary>,
}

pub(crate) async fn ask(
    State(state): State<WebState>,
    Asked(asked): Asked<NewQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::CreateTicket)?;
    let tag = match state.links.open(&asked.machine, state.context.now()) {
        Some(ci) => tag_of(&state, &reader, ci).await?,
        None => asked.tag,
    };
    let mut form = NewForm {
        kind: asked.kind,
        tag,
        machine: asked.machine,
        phone: own_phone(&reader),
        ..NewForm::default()
    };
    let mut bytes = [0; 16];
    state.context.entropy.fill(&mut bytes);
    form.request_id = uuid::Uuid::from_bytes(bytes).to_string();
    form.site = reader.person.default_site_id.map(|it| it.to_string()).unwrap_or_default();
    page(&load(&state, &reader, form, FieldErrors::default()).await?)
}

pub(crate) async fn open(
    State(state): State<WebState>,
    Posted { reader, fields: mut form }: Posted<NewForm>,
) -> Result<Response, PageError> {
    reader.require(Permission::CreateTicket)?;
    if !form.take_tag.is_empty() {
        form.tag = std::mem::take(&mut form.take_tag);
        return page(&load(&state, &reader, form, FieldErrors::default()).await?);
    }
    if !form.check.is_empty() {
        return page(&load(&state, &reader, form, FieldErrors::default()).await?);
    }
    match send(&state, &reader, &form).await? {
        Ok(link) => Ok(Redirect::to(&link).into_response()),
        Err(errors) => {
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &load(&state, &reader, form, errors).await?)
        }
    }
}

/// Offered to who writes for themselves; who may write for others would leave the wrong person's number.
fn own_phone(reader: &Reader) -> String {
    if reader.actor.may(Permission::CreateTicketForOthers) {
        String::new()
    } else {
        reader.person.phone.clone()
    }
}

/// The number of the machine a signed address names, if the reader may know of it.
async fn tag_of(state: &WebState, reader: &Reader, ci: CiId) -> Result<String, PageError> {
    let mut tx = state.context.db.read().await?;
    let ci = inventory::find_ci(&mut tx, reader.actor.scope, ci).await?;
    Ok(ci.and_then(|it| it.tag).unwrap_or_default())
}

/// Opens the ticket and leads to it, or says what is wrong with the form.
async fn send(
    state: &WebState,
    reader: &Reader,
    form: &NewForm,
) -> Result<Result<String, FieldErrors>, PageError> {
    let texts = reader.texts();
    let mut errors = form.errors(texts);
    let parties = parties(state, reader, form, &mut errors).await?;
    let Some(parties) = parties.filter(|_| errors.is_empty()) else { return Ok(Err(errors)) };
    let site = own_site(state, form, parties.organisation).await?;
    match tickets::open_ticket(
        &state.context,
        &reader.actor,
        form.ticket(&parties, site, state.links.open(&form.machine, state.context.now())),
    )
    .await
    {
        Ok(opened) => {
            let done = if opened.repeated { "repeated" } else { "opened" };
            Ok(Ok(with_query(&format!("/tickets/{}", opened.number), &[("done", done)])))
        }
        Err(error) => match refused(texts, &error) {
            Some(errors) => Ok(Err(errors)),
            None => Err(error.into()),
        },
    }
}

/// Who asks, for whom, in which organisation.
async fn parties(
    state: &WebState,
    reader: &Reader,
    form: &NewForm,
    errors: &mut FieldErrors,
) -> Result<Option<Parties>, PageError> {
    let texts = reader.texts();
    let own = reader.person.organisation_id;
    let wanted = form.beneficiary.trim();
    let for_other = reader.actor.may(Permission::CreateTicketForOthers) && !wanted.is_empty();
    let beneficiary = if for_other {
        let mut tx = state.context.db.read().await?;
        match find_person(&mut tx, reader, wanted, texts).await? {
            Ok(person) => person,
            Err(message) => {
                errors.add("beneficiary", message);
                return Ok(None);
            }
        }
    } else {
        reader.person.clone()
    };
    let Some(organisation) = beneficiary.organisation_id.or_else(|| organisation(reader, &form.organisation))
    else {
        errors.add("organisation", texts.t("new-organisation-missing"));
        return Ok(None);
    };
    let requester = if own == Some(organisation) || !for_other { reader.person.id } else { beneficiary.id };
    let by_phone = for_other && reader.actor.may(Permission::WorkTickets);
    let channel = if by_phone { Channel::Phone } else { Channel::Portal };
    let phone = if reader.actor.may(Permission::CreateTicketForOthers) {
        beneficiary.phone.clone()
    } else {
        String::new()
    };
    Ok(Some(Parties { organisation, requester, beneficiary: beneficiary.id, phone, channel }))
}

/// One person by address, or by words that fit only one.
async fn find_person(
    tx: &mut Tx,
    reader: &Reader,
    wanted: &str,
    texts: Texts,
) -> Result<Result<Person, std::borrow::Cow<'static, str>>, PageError> {
    let request = PageRequest::from_query(None, Some(NAMES_MAX));
    let mut found = people::list_people(tx, reader.actor.scope, wanted, &request).await?.rows;
    if let Some(exact) = found.iter().position(|it| it.email.as_str().eq_ignore_ascii_case(wanted)) {
        return Ok(Ok(found.swap_remove(exact)));
    }
    if found.len() == 1 {
        return Ok(Ok(found.swap_remove(0)));
    }
    let names: Vec<&str> = found.iter().map(|it| it.email.as_str()).collect();
    Ok(Err(if names.is_empty() {
        texts.t("new-beneficiary-unknown")
    } else {
        texts.t1("new-beneficiary-several", "people", &names.join(", "))
    }))
}

/// The chosen site if it is one of the organisation's; nomads without a choice get the main one.
async fn own_site(
    state: &WebState,
    form: &NewForm,
    organisation: OrganisationId,
) -> Result<Option<crate::kernel::id::SiteId>, PageError> {
    let mut tx = state.context.db.read().await?;
    let all = sites::list_sites(&mut tx, organisation).await?;
    let chosen = all.iter().find(|it| it.id.to_string() == form.site);
    Ok(chosen.or_else(|| all.iter().find(|it| it.main)).map(|it| it.id))
}

async fn load(
    state: &WebState,
    reader: &Reader,
    form: NewForm,
    errors: FieldErrors,
) -> Result<NewPage, PageError> {
    let mut offers = Offers::default();
    let mut tx = state.context.db.read().await?;
    if reader.actor.scope.organisation().is_none() {
        offers.organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
    }
    let organisation = organisation(reader, &form.organisation).filter(|it| reader.actor.scope.contains(*it));
    if let Some(organisation) = organisation {
        offers.sites = sites::list_sites(&mut tx, organisation).await?;
    }
    offers.mine = inventory::list_cis_of_person(&mut tx, reader.person.id).await?;
    drop(tx);
    let answer = look_up(state, reader, organisation, &form.tag).await?;
    let for_others = reader.actor.may(Permission::CreateTicketForOthers);
    let shell = reader.shell(reader.texts().t("nav-new-ticket"), Section::NewTicket);
    Ok(new_page(shell, form, (&offers, answer), for_others, errors))
}

fn new_page(
    mut shell: Shell,
    form: NewForm,
    (offers, answer): (&Offers, Answer),
    for_others: bool,
    errors: FieldErrors,
) -> NewPage {
    let texts = shell.texts;
    let incident = form.ticket_kind() == TicketKind::Incident;
    let chosen = TicketKind::from_code(&form.kind).is_some();
    if chosen {
        shell.title = texts.t(if incident { "new-title-incident" } else { "new-title-request" }).into_owned();
    }
    NewPage {
        organisations: offers
            .organisations
            .iter()
            .map(|it| pick(&it.id.to_string(), &it.name, &form.organisation))
            .collect(),
        sites: offers.sites.iter().map(|it| pick(&it.id.to_string(), &it.name, &form.site)).collect(),
        mine: offers
            .mine
            .iter()
            .filter(|it| it.tag.is_some())
            .take(MINE_MAX)
            .map(|it| own(texts, it))
            .collect(),
        severities: choices(
            texts,
            "severity",
            Severity::ALL.iter().map(|it| it.code()),
            form.severity().code(),
        ),
        scopes: choices(texts, "scope", ImpactScope::ALL.iter().map(|it| it.code()), form.scope().code()),
        urgencies: choices(texts, "urgency", Urgency::ALL.iter().map(|it| it.code()), form.urgency().code()),
        shell,
        chosen,
        incident,
        for_others,
        answer,
        errors,
        form,
    }
}

fn pick(value: &str, label: &str, chosen: &str) -> Choice {
    Choice::new(value, label, value == chosen)
}

fn own(texts: Texts, ci: &CiSummary) -> Choice {
    let tag = ci.tag.clone().unwrap_or_default();
    Choice { value: tag.clone(), label: tag, help: described(texts, ci), chosen: false }
}

/// The words of an enum, with their definitions where there are any.
fn choices(
    texts: Texts,
    family: &str,
    codes: impl Iterator<Item = &'static str>,
    chosen: &str,
) -> Vec<Choice> {
    let help = |code: &str| {
        let key = format!("{family}-help-{code}");
        if texts.has(&key) { texts.t(&key).into_owned() } else { String::new() }
    };
    codes
        .map(|code| Choice {
            value: code.into(),
            label: texts.word(family, code).into_owned(),
            help: help(code),
            chosen: code == chosen,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::web::samples;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    #[expect(clippy::too_many_lines, reason = "one drawing after another, each a few lines")]
    fn opening_a_ticket_is_drawn_for_requesters_and_staff() {
        for language in LANGUAGES {
            let frame = |roles: &[Role]| {
                shell(language, roles, &Texts::of(language).t("nav-new-ticket"), Section::NewTicket)
            };
            let (organisations, sites) = samples::places();
            let offers = Offers {
                organisations: Vec::new(),
                sites: sites.clone(),
                mine: vec![samples::latitude_row()],
            };
            let nothing = (&Offers::default(), Answer::default());
            check(
                "new-choice",
                language,
                &new_page(
                    frame(&[Role::Requester]),
                    NewForm::default(),
                    nothing,
                    false,
                    FieldErrors::default(),
                ),
            );
            let found = Answer {
                tone: "ok",
                title: Texts::of(language)
                    .t1("look-up-found", "machine", "Dell Latitude 5420, Lyon")
                    .into_owned(),
                help: Texts::of(language).t("look-up-found-help").into_owned(),
                suggestions: Vec::new(),
            };
            let form = NewForm {
                kind: "incident".into(),
                tag: "PC-004217".into(),
                site: sites[0].id.to_string(),
                ..NewForm::default()
            };
            check(
                "new-incident",
                language,
                &new_page(frame(&[Role::Requester]), form, (&offers, found), false, FieldErrors::default()),
            );
            let form = NewForm { kind: "service_request".into(), ..NewForm::default() };
            check(
                "new-request",
                language,
                &new_page(
                    frame(&[Role::Requester]),
                    form,
                    (&offers, Answer::default()),
                    false,
                    FieldErrors::default(),
                ),
            );
            let offers = Offers { organisations, sites, mine: Vec::new() };
            let unknown = Answer {
                tone: "warn",
                title: HOSTILE.into(),
                help: "…".into(),
                suggestions: vec![own(Texts::of(language), &samples::hostile_row())],
            };
            let form = NewForm {
                kind: "incident".into(),
                tag: HOSTILE.into(),
                description: HOSTILE.into(),
                beneficiary: HOSTILE.into(),
                ..NewForm::default()
            };
            let mut errors = form.errors(Texts::of(language));
            errors.add("beneficiary", Texts::of(language).t("new-beneficiary-unknown"));
            let html = check(
                "new-refused",
                language,
                &new_page(frame(&[Role::Peu]), form, (&offers, unknown), true, errors),
            );
            assert!(html.matches("Ünbreakable").count() >= 4, "what was typed is shown again");
        }
    }
}
