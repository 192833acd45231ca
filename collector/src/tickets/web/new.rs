//! Opening a ticket: two choices first, then one form that never loses what was typed or added.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::fields::{NewForm, Place, refused};
use super::look_up::{Answer, described, look_up, organisation};
use super::parties::{own_site, parties};
use super::slot_picker::{PickDay, pick_days};
use super::uploads;
use crate::files::web::{LeftOut, Upload};
use crate::files::{FILES_MAX, StoredFile, holds_social_security_number};
use crate::inventory::{self, CiSummary};
use crate::kernel::actor::Permission;
use crate::kernel::id::CiId;
use crate::kernel::time::{UtcMicros, Zone};
use crate::sites::{self, Organisation, Site};
use crate::tickets::slots::chosen;
use crate::tickets::{self, ImpactScope, Severity, TicketKind, Urgency};
use crate::web::error::{page, page_with};
use crate::web::links::with_query;
use crate::web::numbers::file_size;
use crate::web::parts::{Choice, FieldErrors};
use crate::web::{Asked, PageError, Reader, Section, Shell, Stamp, Texts, Uploaded, WebState};

/// Own machines offered beside the field.
const MINE_MAX: usize = 5;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewQuery {
    kind: String,
    tag: String,
    /// Signed by us: the workstation the person sits at.
    machine: String,
    /// `yes`: forget the draft and begin anew.
    fresh: String,
}

/// A file that waits beside the form.
#[derive(Clone, Debug)]
pub(super) struct WaitingFile {
    pub id: String,
    pub name: String,
    pub size: String,
    pub restricted: bool,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/new.html")]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by its own part of the form")]
struct NewPage {
    shell: Shell,
    form: NewForm,
    /// A kind was chosen: the form is shown.
    chosen: bool,
    incident: bool,
    /// Writes for others: by name or address.
    for_others: bool,
    /// Reads everything over before it is sent.
    reviews: bool,
    organisations: Vec<Choice>,
    sites: Vec<Choice>,
    applications: Vec<Choice>,
    mine: Vec<Choice>,
    severities: Vec<Choice>,
    scopes: Vec<Choice>,
    urgencies: Vec<Choice>,
    slot_days: Vec<PickDay>,
    waiting: Vec<WaitingFile>,
    /// When the draft that is shown was kept.
    resumed: Option<Stamp>,
    answer: Answer,
    /// The text looks as if it held somebody's social-security number.
    personal_number: bool,
    errors: FieldErrors,
}

/// What the form offers to choose from.
#[derive(Default)]
struct Offers {
    organisations: Vec<Organisation>,
    sites: Vec<Site>,
    applications: Vec<String>,
    mine: Vec<CiSummary>,
    files: Vec<StoredFile>,
}

/// The wall clock the form is read by.
struct Wall {
    zone: Zone,
    now: UtcMicros,
}

pub(crate) async fn ask(
    State(state): State<WebState>,
    Asked(asked): Asked<NewQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::CreateTicket)?;
    let kept = match TicketKind::from_code(&asked.kind) {
        Some(kind) => kept_draft(&state, &reader, kind, asked.fresh == "yes").await?,
        None => None,
    };
    let (mut form, resumed) = match kept {
        Some((form, at)) => (form, Some(at)),
        None => (blank(&state, &reader), None),
    };
    form.kind = asked.kind;
    let tag = match state.links.open(&asked.machine, state.context.now()) {
        Some(ci) => tag_of(&state, &reader, ci).await?,
        None => asked.tag,
    };
    if !tag.is_empty() || !asked.machine.is_empty() {
        form.tag = tag;
        form.machine = asked.machine;
    }
    page(&load(&state, &reader, form, resumed, FieldErrors::default()).await?)
}

/// A form nothing was typed into yet.
fn blank(state: &WebState, reader: &Reader) -> NewForm {
    let mut bytes = [0; 16];
    state.context.entropy.fill(&mut bytes);
    NewForm {
        request_id: uuid::Uuid::from_bytes(bytes).to_string(),
        phone: own_phone(reader),
        site: reader.person.default_site_id.map(|it| it.to_string()).unwrap_or_default(),
        ..NewForm::default()
    }
}

/// The draft of that kind, unless it is to be forgotten.
pub(super) async fn kept_draft(
    state: &WebState,
    reader: &Reader,
    kind: TicketKind,
    forget: bool,
) -> Result<Option<(NewForm, UtcMicros)>, PageError> {
    if forget {
        let mut tx = state.context.db.begin().await?;
        tickets::delete_draft(&mut tx, reader.person.id, kind).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let mut tx = state.context.db.read().await?;
    let draft = tickets::find_draft(&mut tx, &state.context, reader.person.id, kind).await?;
    Ok(draft.and_then(|it| NewForm::from_draft(&it.fields).map(|form| (form, it.updated_at))))
}

pub(crate) async fn open(
    State(state): State<WebState>,
    Uploaded { reader, fields: mut form, files, left_out }: Uploaded<NewForm>,
) -> Result<Response, PageError> {
    reader.require(Permission::CreateTicket)?;
    let taken = std::mem::take(&mut form.take_tag);
    let shows = !taken.is_empty() || !form.remove_file.is_empty() || !form.check.is_empty();
    if !taken.is_empty() {
        form.tag = taken;
    }
    let mut errors = FieldErrors::default();
    if shows || !files.is_empty() || !left_out.is_empty() {
        errors = keep(&state, &reader, &form, files, &left_out).await?;
    }
    if form.check == "summary" && errors.is_empty() {
        errors = form.errors(reader.texts());
        if parties(&state, &reader, &form, &mut errors).await?.is_some() && errors.is_empty() {
            let kind = form.ticket_kind().code();
            return Ok(Redirect::to(&with_query("/tickets/new/summary", &[("kind", kind)])).into_response());
        }
    } else if !shows && errors.is_empty() {
        match send(&state, &reader, &form).await? {
            Ok(link) => return Ok(Redirect::to(&link).into_response()),
            Err(found) => errors = found,
        }
    }
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page_with(status, &load(&state, &reader, form, None, errors).await?)
}

/// Keeps the draft with its files; what could not be added is said at the field.
async fn keep(
    state: &WebState,
    reader: &Reader,
    form: &NewForm,
    files: Vec<Upload>,
    left_out: &[(String, LeftOut)],
) -> Result<FieldErrors, PageError> {
    let (person, kind) = (reader.person.id, form.ticket_kind());
    let mut errors = FieldErrors::default();
    if let Some(problem) = uploads::refused(reader.texts(), left_out) {
        errors.add("new-files", problem.into());
    }
    let kept = uploads::keep(&state.context, files, form.personal == "yes").await?;
    let mut tx = state.context.db.begin().await?;
    tickets::keep_draft(&mut tx, &state.context, person, kind, &form.to_draft()).await?;
    if let Ok(file) = form.remove_file.parse() {
        tickets::remove_draft_file(&mut tx, person, kind, file).await?;
    }
    for file in kept {
        if tickets::add_draft_file(&mut tx, person, kind, file).await.is_err() && errors.is_empty() {
            errors.add("new-files", reader.texts().t1("new-files-many", "max", &FILES_MAX.to_string()));
        }
    }
    tx.commit().await?;
    Ok(errors)
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
pub(super) async fn send(
    state: &WebState,
    reader: &Reader,
    form: &NewForm,
) -> Result<Result<String, FieldErrors>, PageError> {
    let (texts, now) = (reader.texts(), state.context.now());
    let mut errors = form.errors(texts);
    let parties = parties(state, reader, form, &mut errors).await?;
    let Some(parties) = parties.filter(|_| errors.is_empty()) else { return Ok(Err(errors)) };
    let site = own_site(state, form, parties.organisation).await?;
    let mut tx = state.context.db.read().await?;
    let zone = sites::find_organisation(&mut tx, parties.organisation).await?.map(|it| it.zone());
    let files = tickets::list_draft_files(&mut tx, reader.person.id, form.ticket_kind()).await?;
    drop(tx);
    let place = Place {
        site,
        machine: state.links.open(&form.machine, now),
        slots: chosen(&form.slot, now, &zone.unwrap_or_else(Zone::utc)),
        files: files.into_iter().map(|it| it.id).collect(),
    };
    match tickets::open_ticket(&state.context, &reader.actor, form.ticket(&parties, place)).await {
        Ok(opened) => {
            let mut tx = state.context.db.begin().await?;
            tickets::delete_draft(&mut tx, reader.person.id, form.ticket_kind()).await?;
            tx.commit().await?;
            let done = if opened.repeated { "repeated" } else { "opened" };
            Ok(Ok(with_query(&format!("/tickets/{}", opened.number), &[("done", done)])))
        }
        Err(error) => match refused(texts, &error) {
            Some(errors) => Ok(Err(errors)),
            None => Err(error.into()),
        },
    }
}

async fn load(
    state: &WebState,
    reader: &Reader,
    form: NewForm,
    resumed: Option<UtcMicros>,
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
        offers.applications = sites::list_applications(&mut tx, organisation).await?;
    }
    offers.mine = inventory::list_cis_of_person(&mut tx, reader.person.id).await?;
    offers.files = tickets::list_draft_files(&mut tx, reader.person.id, form.ticket_kind()).await?;
    let wall = Wall { zone: reader.zone(&mut tx).await?, now: state.context.now() };
    drop(tx);
    let answer = look_up(state, reader, organisation, &form.tag).await?;
    let for_others = reader.actor.may(Permission::CreateTicketForOthers);
    let shell = reader.shell(reader.texts().t("nav-new-ticket"), Section::NewTicket);
    let mut shown = new_page(shell, form, (&offers, answer, &wall), for_others, errors);
    shown.resumed = resumed.map(|at| Stamp::ago(reader.texts(), &wall.zone, at, wall.now));
    Ok(shown)
}

fn new_page(
    mut shell: Shell,
    form: NewForm,
    (offers, answer, wall): (&Offers, Answer, &Wall),
    for_others: bool,
    errors: FieldErrors,
) -> NewPage {
    let texts = shell.texts;
    let incident = form.ticket_kind() == TicketKind::Incident;
    let is_chosen = TicketKind::from_code(&form.kind).is_some();
    if is_chosen {
        shell.title = texts.t(if incident { "new-title-incident" } else { "new-title-request" }).into_owned();
    }
    let slots = chosen(&form.slot, wall.now, &wall.zone);
    let personal_number =
        holds_social_security_number(&form.summary) || holds_social_security_number(&form.description);
    let mine = offers.mine.iter().filter(|it| it.tag.is_some()).take(MINE_MAX);
    NewPage {
        organisations: offers
            .organisations
            .iter()
            .map(|it| pick(&it.id.to_string(), &it.name, &form.organisation))
            .collect(),
        sites: offers.sites.iter().map(|it| pick(&it.id.to_string(), &it.name, &form.site)).collect(),
        applications: offers.applications.iter().map(|it| pick(it, it, &form.application)).collect(),
        mine: mine.map(|it| own(texts, it)).collect(),
        severities: choices(
            texts,
            "severity",
            Severity::ALL.iter().map(|it| it.code()),
            form.severity().code(),
        ),
        scopes: choices(texts, "scope", ImpactScope::ALL.iter().map(|it| it.code()), form.scope().code()),
        urgencies: choices(texts, "urgency", Urgency::ALL.iter().map(|it| it.code()), form.urgency().code()),
        slot_days: pick_days(texts, wall.now, &wall.zone, &slots),
        waiting: offers.files.iter().map(|it| waiting(texts, it)).collect(),
        personal_number,
        reviews: !for_others,
        resumed: None,
        shell,
        chosen: is_chosen,
        incident,
        for_others,
        answer,
        errors,
        form,
    }
}

pub(super) fn waiting(texts: Texts, file: &StoredFile) -> WaitingFile {
    WaitingFile {
        id: file.id.to_string(),
        name: file.name.clone(),
        size: file_size(texts.language(), file.size_bytes),
        restricted: file.restricted,
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
    use crate::people::Language;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    fn drawn(
        name: &str,
        language: Language,
        role: Role,
        form: NewForm,
        (offers, answer): (&Offers, Answer),
        errors: FieldErrors,
    ) -> String {
        let frame = shell(language, &[role], &Texts::of(language).t("nav-new-ticket"), Section::NewTicket);
        let wall = Wall { zone: zone(), now: now() };
        let mut page = new_page(frame, form, (offers, answer, &wall), role != Role::Requester, errors);
        page.resumed = Some(Stamp::ago(Texts::of(language), &wall.zone, wall.now, wall.now));
        check(name, language, &page)
    }

    fn requesters_offers() -> Offers {
        Offers {
            sites: samples::places().1,
            applications: vec!["Messagerie".into(), HOSTILE.into()],
            mine: vec![samples::latitude_row()],
            files: vec![StoredFile {
                id: uuid::Uuid::nil().into(),
                name: HOSTILE.into(),
                media_type: "image/png".into(),
                size_bytes: 240_000,
                restricted: true,
            }],
            ..Offers::default()
        }
    }

    #[test]
    fn opening_a_ticket_is_drawn_for_requesters() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let nothing = || (Answer::default(), FieldErrors::default());
            let (none, no_errors) = nothing();
            drawn(
                "new-choice",
                language,
                Role::Requester,
                NewForm::default(),
                (&Offers::default(), none),
                no_errors,
            );
            let offers = requesters_offers();
            let found = Answer {
                tone: "ok",
                title: texts.t1("look-up-found", "machine", "Dell Latitude 5420, Lyon").into_owned(),
                help: texts.t("look-up-found-help").into_owned(),
                open: vec![Choice::new("/tickets/I202611_0001", "I202611_0001", false)],
                ..Answer::default()
            };
            let form = NewForm {
                kind: "incident".into(),
                tag: "PC-004217".into(),
                slot: "2026-11-23 8 10".into(),
                site: offers.sites[0].id.to_string(),
                ..NewForm::default()
            };
            let html = drawn(
                "new-incident",
                language,
                Role::Requester,
                form,
                (&offers, found),
                FieldErrors::default(),
            );
            assert!(html.contains("value=\"2026-11-23 8 10\" checked"), "{html}");
            let form = NewForm { kind: "service_request".into(), ..NewForm::default() };
            let (none, no_errors) = nothing();
            drawn("new-request", language, Role::Requester, form, (&offers, none), no_errors);
        }
    }

    #[test]
    fn a_refused_form_shows_again_what_was_typed() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let (organisations, sites) = samples::places();
            let offers = Offers { organisations, sites, ..Offers::default() };
            let unknown = Answer {
                tone: "warn",
                title: HOSTILE.into(),
                help: "…".into(),
                suggestions: vec![own(texts, &samples::hostile_row())],
                open: Vec::new(),
            };
            let form = NewForm {
                kind: "incident".into(),
                tag: HOSTILE.into(),
                description: format!("{HOSTILE} 1 85 05 78 006 084 91"),
                beneficiary: HOSTILE.into(),
                ..NewForm::default()
            };
            let mut errors = form.errors(texts);
            errors.add("beneficiary", texts.t("new-beneficiary-unknown"));
            let html = drawn("new-refused", language, Role::Peu, form, (&offers, unknown), errors);
            assert!(html.matches("Ünbreakable").count() >= 4, "what was typed is shown again");
            assert!(
                html.contains(
                    &*texts
                        .t("new-personal-number")
                        .split('.')
                        .next()
                        .expect("a sentence")
                        .replace('\'', "&#39;")
                )
            );
        }
    }
}
