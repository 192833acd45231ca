//! The page of one item: identity with both sources, configuration, software, history, tickets.

use askama::Template;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;

use super::changes::{ChangeView, change_view};
use super::machine::{FactView, Lens, MachineView, Standing, fact_view, machine_view};
use crate::inventory::{self, Change, CiSummary, DeclaredField, InstalledTitle, Lifecycle, Machine};
use crate::kernel::actor::Permission;
use crate::kernel::id::CiId;
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::text::tag_key;
use crate::kernel::time::Zone;
use crate::loans::web::on_page::{LoanLine, loan_line};
use crate::loans::{self, Loan};
use crate::sites;
use crate::tickets::web::rows::{TicketLine, ticket_line};
use crate::tickets::{self, TicketRow};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::parts::{Choice, FieldErrors, Pager, Pair, Tab};
use crate::web::{Asked, PageError, Reader, Section, Shell, Texts, WebState};

/// Titles and changes on one page.
const ROWS: u32 = 100;

#[derive(Debug, Template)]
#[template(path = "inventory/web/asset.html")]
pub(crate) struct AssetPage {
    shell: Shell,
    machine: MachineView,
    machine_href: Option<String>,
    tabs: Vec<Tab>,
    about: Vec<Pair>,
    /// What must be known before anything is done with it.
    warning: Option<String>,
    sticker_href: String,
    part: Part,
}

/// What the page shows under its head.
#[derive(Debug)]
pub(crate) enum Part {
    Overview { facts: Vec<FactView>, form: Option<AssetForm> },
    Software { query: String, action: String, rows: Vec<InstalledTitle>, pager: Pager },
    History { rows: Vec<ChangeView>, pager: Pager },
    Loans { rows: Vec<LoanLine> },
    Tickets { rows: Vec<TicketLine>, pager: Pager, new_href: Option<String> },
}

/// Declaring a fact and giving a tag.
#[derive(Debug, Default)]
pub(crate) struct AssetForm {
    pub base: String,
    pub fields: Vec<Choice>,
    /// Where it may stand; empty for what is retired.
    pub lifecycles: Vec<Choice>,
    pub value: String,
    pub tag: String,
    pub errors: FieldErrors,
}

/// What every part needs.
pub(crate) struct Loaded {
    pub ci: CiSummary,
    pub machine: Machine,
    pub contested: bool,
    pub zone: Zone,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AssetQuery {
    q: String,
    cursor: String,
    done: String,
}

/// The item of the address, for a reader who may see it.
pub(crate) struct Opened {
    state: WebState,
    reader: Reader,
    loaded: Loaded,
}

impl FromRequestParts<WebState> for Opened {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, PageError> {
        let ci =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| PageError::not_found())?;
        let reader = Reader::from_request_parts(parts, state).await?;
        let loaded = load(state, &reader, &ci).await?;
        Ok(Self { state: state.clone(), reader, loaded })
    }
}

impl Opened {
    fn lens(&self) -> Lens<'_> {
        lens(&self.state, &self.reader, &self.loaded.zone)
    }

    fn show(&self, part: Part) -> Result<Response, PageError> {
        page(&asset_page(&self.reader, &self.loaded, self.lens(), part))
    }
}

pub(crate) async fn overview(opened: Opened, Asked(asked): Asked<AssetQuery>) -> Result<Response, PageError> {
    let Opened { state, reader, loaded } = &opened;
    page(&overview_page(state, reader, loaded, form_for(reader, &loaded.ci), &asked.done))
}

pub(crate) async fn software(opened: Opened, Asked(asked): Asked<AssetQuery>) -> Result<Response, PageError> {
    let ci = opened.loaded.ci.id;
    let request = PageRequest::from_query(Some(&asked.cursor), Some(ROWS));
    let query: String = asked.q.chars().take(100).collect();
    let mut tx = opened.state.context.db.read().await?;
    let found = inventory::list_software(&mut tx, ci, query.trim(), &request).await?;
    opened.show(software_part(ci, query, &asked.cursor, found))
}

pub(crate) async fn history(opened: Opened, Asked(asked): Asked<AssetQuery>) -> Result<Response, PageError> {
    let ci = opened.loaded.ci.id;
    let request = PageRequest::from_query(Some(&asked.cursor), Some(ROWS));
    let mut tx = opened.state.context.db.read().await?;
    let found = inventory::history(&mut tx, ci, &request).await?;
    opened.show(history_part(opened.lens(), ci, &asked.cursor, &found))
}

pub(crate) async fn tickets(opened: Opened, Asked(asked): Asked<AssetQuery>) -> Result<Response, PageError> {
    let (context, actor, ci) = (&opened.state.context, &opened.reader.actor, &opened.loaded.ci);
    let request = PageRequest::from_query(Some(&asked.cursor), None);
    let found = tickets::list_tickets_of_ci(context, actor, ci.id, &request).await?;
    let may_open = actor.may(Permission::CreateTicket);
    opened.show(tickets_part(opened.lens(), ci, &asked.cursor, &found, may_open))
}

pub(crate) async fn loans(opened: Opened) -> Result<Response, PageError> {
    let mut tx = opened.state.context.db.read().await?;
    let found = loans::list_loans_of_ci(&mut tx, opened.loaded.ci.id).await?;
    let line = |it: &Loan| loan_line(opened.lens(), &opened.reader.actor, it);
    opened.show(Part::Loans { rows: found.iter().map(line).collect() })
}

/// The item if it is in scope, with its machine and its organisation's wall clock.
pub(crate) async fn load(state: &WebState, reader: &Reader, ci: &str) -> Result<Loaded, PageError> {
    reader.require(Permission::ReadAssets)?;
    let id: CiId = ci.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.read().await?;
    let ci = inventory::find_ci(&mut tx, reader.actor.scope, id).await?.ok_or_else(PageError::not_found)?;
    let machine = inventory::current_machine(&mut tx, id).await?.unwrap_or_default();
    let organisation = sites::find_organisation(&mut tx, ci.organisation_id).await?;
    let contested = match &ci.tag {
        Some(tag) => {
            inventory::find_open_conflict(&mut tx, ci.organisation_id, &tag_key(tag)).await?.is_some()
        }
        None => false,
    };
    Ok(Loaded { ci, machine, contested, zone: organisation.map_or_else(Zone::utc, |it| it.zone()) })
}

fn lens<'a>(state: &WebState, reader: &Reader, zone: &'a Zone) -> Lens<'a> {
    Lens { texts: reader.texts(), zone, now: state.context.now() }
}

/// The overview, also shown again by a form that was refused.
pub(crate) fn overview_page(
    state: &WebState,
    reader: &Reader,
    loaded: &Loaded,
    form: Option<AssetForm>,
    done: &str,
) -> AssetPage {
    let lens = lens(state, reader, &loaded.zone);
    let mut page = asset_page(reader, loaded, lens, overview_part(lens, &loaded.machine, form));
    page.shell = page.shell.with_notice(done);
    page
}

/// The forms, for who may write.
pub(crate) fn form_for(reader: &Reader, ci: &CiSummary) -> Option<AssetForm> {
    if !reader.actor.may(Permission::WriteAssets) {
        return None;
    }
    let texts = reader.texts();
    let fields =
        DeclaredField::ALL.map(|it| Choice::new(it.code(), texts.word("field", it.code()), false)).to_vec();
    let tag = ci.tag.clone().unwrap_or_default();
    let lifecycles = lifecycles(texts, ci.lifecycle);
    Some(AssetForm { base: base(ci.id), fields, lifecycles, tag, ..AssetForm::default() })
}

/// Everywhere it may stand; nowhere else once it is retired.
fn lifecycles(texts: Texts, now: Lifecycle) -> Vec<Choice> {
    if now == Lifecycle::Retired {
        return Vec::new();
    }
    let choice = |it: Lifecycle| Choice::new(it.code(), texts.word("lifecycle", it.code()), it == now);
    Lifecycle::ALL.map(choice).to_vec()
}

/// What must be known before anything is done with a machine (rule A14).
pub(crate) fn lifecycle_warning(texts: Texts, lifecycle: Lifecycle) -> Option<String> {
    match lifecycle {
        Lifecycle::Stolen => Some(texts.t("lifecycle-warning-stolen").into_owned()),
        Lifecycle::Retired => Some(texts.t("lifecycle-warning-retired").into_owned()),
        Lifecycle::InUse | Lifecycle::Stock | Lifecycle::InRepair | Lifecycle::OnLoan => None,
    }
}

fn asset_page(reader: &Reader, loaded: &Loaded, lens: Lens<'_>, part: Part) -> AssetPage {
    build(reader.shell(title(&loaded.ci), Section::Parc), lens, loaded, part)
}

fn title(ci: &CiSummary) -> String {
    ci.tag.clone().filter(|it| !it.is_empty()).unwrap_or_else(|| ci.name.clone())
}

fn build(shell: Shell, lens: Lens<'_>, loaded: &Loaded, part: Part) -> AssetPage {
    let ci = &loaded.ci;
    let standing = Standing {
        contested: loaded.contested,
        lifecycle: ci.lifecycle,
        has_agent: ci.has_agent,
        last_contact_at: ci.last_contact_at,
    };
    let tabs = tabs(lens, ci.id, ci.software_count, &part);
    let machine = machine_view(lens, &loaded.machine, standing);
    let warning = lifecycle_warning(lens.texts, ci.lifecycle);
    let sticker_href = format!("{}/sticker", base(ci.id));
    AssetPage {
        shell,
        machine,
        machine_href: None,
        tabs,
        about: about(lens, ci),
        warning,
        sticker_href,
        part,
    }
}

fn base(ci: CiId) -> String {
    format!("/parc/{ci}")
}

fn tabs(lens: Lens<'_>, ci: CiId, software_count: i64, part: &Part) -> Vec<Tab> {
    let base = base(ci);
    let current = match part {
        Part::Overview { .. } => "",
        Part::Software { .. } => "/software",
        Part::History { .. } => "/history",
        Part::Tickets { .. } => "/tickets",
        Part::Loans { .. } => "/loans",
    };
    [
        ("asset-overview", ""),
        ("asset-software", "/software"),
        ("asset-history", "/history"),
        ("asset-tickets", "/tickets"),
        ("asset-loans", "/loans"),
    ]
    .into_iter()
    .map(|(key, path)| Tab {
        label: lens.texts.t(key).into_owned(),
        count: (path == "/software")
            .then(|| crate::web::numbers::integer(lens.texts.language(), software_count)),
        href: format!("{base}{path}"),
        current: path == current,
    })
    .collect()
}

fn about(lens: Lens<'_>, ci: &CiSummary) -> Vec<Pair> {
    let texts = lens.texts;
    let when = |at| crate::web::Stamp::moment(texts, lens.zone, at).text().to_owned();
    let tag_source = ci.tag_source.map(|it| match it {
        inventory::TagSource::Firmware => "firmware",
        inventory::TagSource::Configuration => "configuration",
        inventory::TagSource::Admin => "admin",
    });
    [
        ("label-organisation", ci.organisation_name.clone()),
        (
            "label-tag-source",
            tag_source.map(|it| texts.word("tag-source", it).into_owned()).unwrap_or_default(),
        ),
        ("label-last-contact", ci.last_contact_at.map(when).unwrap_or_default()),
        ("label-last-change", ci.last_change_at.map(when).unwrap_or_default()),
    ]
    .into_iter()
    .filter(|it| !it.1.is_empty())
    .map(|(key, value)| Pair::new(texts.t(key), value))
    .collect()
}

fn overview_part(lens: Lens<'_>, machine: &Machine, form: Option<AssetForm>) -> Part {
    Part::Overview { facts: machine.facts.iter().map(|it| fact_view(lens, it)).collect(), form }
}

fn software_part(ci: CiId, query: String, cursor: &str, found: Page<InstalledTitle>) -> Part {
    let action = format!("{}/software", base(ci));
    let pager = Pager::of(&with_query(&action, &[("q", &query)]), cursor, found.next.as_deref());
    Part::Software { query, action, rows: found.rows, pager }
}

fn history_part(lens: Lens<'_>, ci: CiId, cursor: &str, found: &Page<Change>) -> Part {
    let pager = Pager::of(&format!("{}/history", base(ci)), cursor, found.next.as_deref());
    Part::History { rows: found.rows.iter().map(|it| change_view(lens, it)).collect(), pager }
}

fn tickets_part(
    lens: Lens<'_>,
    ci: &CiSummary,
    cursor: &str,
    found: &Page<TicketRow>,
    may_open: bool,
) -> Part {
    let pager = Pager::of(&format!("{}/tickets", base(ci.id)), cursor, found.next.as_deref());
    let new_href = may_open.then(|| {
        with_query("/tickets/new", &[("kind", "incident"), ("tag", ci.tag.as_deref().unwrap_or(""))])
    });
    Part::Tickets { rows: found.rows.iter().map(|it| ticket_line(lens, it)).collect(), pager, new_href }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    fn loaded(ci: CiSummary, machine: Machine) -> Loaded {
        Loaded { ci, machine, contested: true, zone: zone() }
    }

    #[test]
    fn every_part_of_an_item_is_drawn_in_both_languages() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let fields = DeclaredField::ALL
                .map(|it| Choice::new(it.code(), lens.texts.word("field", it.code()), false))
                .to_vec();
            let known = loaded(samples::latitude_row(), samples::latitude());
            let base = base(known.ci.id);
            let draw = |name: &str, part: Part, of: &Loaded| {
                let shell = shell(language, &[Role::Lead, Role::Admin], &title(&of.ci), Section::Parc);
                check(name, language, &build(shell, lens, of, part))
            };
            let form = Some(AssetForm { base, fields, tag: "PC-004217".into(), ..AssetForm::default() });
            let html = draw("asset", overview_part(lens, &known.machine, form), &known);
            assert!(html.contains("Dell Latitude 5420") && !html.contains("Dell Dell"));
            let titles = Page { rows: samples::titles(40), next: Some("b".into()) };
            draw("asset-software", software_part(known.ci.id, "a".into(), "x", titles), &known);
            let none = Page { rows: Vec::new(), next: None };
            draw("asset-software-none", software_part(known.ci.id, HOSTILE.into(), "", none), &known);
            let changes = Page { rows: samples::changes(), next: None };
            draw("asset-history", history_part(lens, known.ci.id, "", &changes), &known);
            draw(
                "asset-history-none",
                history_part(lens, known.ci.id, "", &Page { rows: Vec::new(), next: None }),
                &known,
            );
            let rows = Page { rows: crate::tickets::web::samples::rows(3), next: None };
            draw("asset-tickets", tickets_part(lens, &known.ci, "", &rows, true), &known);
            let guest = loaded(samples::virtual_row(), samples::virtual_machine());
            let loan = crate::loans::web::on_page::a_loan();
            let lines = vec![loan_line(lens, &crate::kernel::actor::Actor::system(), &loan)];
            draw("asset-loans", Part::Loans { rows: lines }, &known);
            draw("asset-loans-none", Part::Loans { rows: Vec::new() }, &known);
            let gone = CiSummary { lifecycle: Lifecycle::Stolen, ..samples::virtual_row() };
            let gone = loaded(gone, samples::virtual_machine());
            let stolen = draw("asset-stolen", overview_part(lens, &gone.machine, None), &gone);
            assert!(stolen.contains("MSSI"), "a stolen machine says whom to tell");
            draw("asset-virtual", overview_part(lens, &guest.machine, None), &guest);
        }
    }
}
