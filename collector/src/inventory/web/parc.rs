//! The list of all machines: filters in the address, true counts, a few pictures that filter.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::machine::{Lens, known_kind, make_and_model};
use crate::db::Tx;
use crate::inventory::{self, CiFilter, CiSummary};
use crate::kernel::actor::{Permission, Scope};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::time::{UtcMicros, days};
use crate::sites::{self, Organisation, Site};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::numbers::{integer, memory};
use crate::web::parts::{Chip, Choice, Pager};
use crate::web::{Asked, PageError, Reader, Section, Shell, Stamp, Texts, WebState};

/// Kinds the list filters by.
const KINDS: [&str; 4] = ["laptop", "desktop", "server", "virtual"];
/// Spans of silence the list filters by, days.
const SILENCES: [&str; 3] = ["7", "30", "90"];

/// The filters as they stand in the address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ParcQuery {
    q: String,
    organisation: String,
    site: String,
    kind: String,
    os: String,
    silent: String,
    untagged: String,
    retired: String,
    cursor: String,
}

#[derive(Debug, Template)]
#[template(path = "inventory/web/parc.html")]
struct ParcPage {
    shell: Shell,
    query: ParcQuery,
    organisations: Vec<Choice>,
    sites: Vec<Choice>,
    kinds: Vec<Choice>,
    silences: Vec<Choice>,
    chips: Vec<Chip>,
    total: String,
    pictures: Vec<Picture>,
    rows: Vec<ParcRow>,
    pager: Pager,
    export: Option<String>,
    may_enroll: bool,
}

/// A picture: bars that filter when clicked.
#[derive(Debug)]
struct Picture {
    title: String,
    bars: Vec<Bar>,
}

#[derive(Debug)]
struct Bar {
    label: String,
    href: String,
    count: String,
    /// 0 to 100.
    percent: i64,
    tone: &'static str,
}

#[derive(Debug)]
struct ParcRow {
    href: String,
    icon: &'static str,
    kind: String,
    tag: String,
    name: String,
    model: String,
    place: String,
    person: String,
    os: String,
    memory: String,
    contact: Option<Stamp>,
    tone: &'static str,
}

/// What the page is made of.
struct Found {
    organisations: Vec<Organisation>,
    sites: Vec<Site>,
    total: i64,
    rows: Page<CiSummary>,
    counts: Option<Counts>,
}

/// For the pictures: kinds as in [`KINDS`], then silent for more than 7 and 30 days, then without tag.
struct Counts {
    kinds: [i64; 4],
    silent: [i64; 2],
    untagged: i64,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(query): Asked<ParcQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::ReadAssets)?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let found = find(&mut tx, reader.actor.scope, &query, state.context.now()).await?;
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let shell = reader.shell(lens.texts.t("nav-parc"), Section::Parc);
    let mut shown = build(shell, lens, query, &found);
    if !reader.actor.may(Permission::Export) {
        shown.export = None;
    }
    shown.may_enroll = reader.actor.may(Permission::Administer);
    page(&shown)
}

async fn find(tx: &mut Tx, scope: Scope, query: &ParcQuery, now: UtcMicros) -> Result<Found, PageError> {
    let filter = filter(query, now);
    let organisations = sites::list_organisations(tx, scope).await?;
    let only = organisations.first().filter(|_| organisations.len() == 1).map(|it| it.id);
    let sites = match filter.organisation_id.or(only).filter(|it| scope.contains(*it)) {
        Some(organisation) => sites::list_sites(tx, organisation).await?,
        None => Vec::new(),
    };
    let rows =
        inventory::list_cis(tx, scope, &filter, &PageRequest::from_query(Some(&query.cursor), None)).await?;
    let total = inventory::count_cis(tx, scope, &filter).await?;
    // Pictures cost several counts: they belong to the first look, not to every page of a search.
    let counts = if query.cursor.is_empty() && query.q.is_empty() {
        Some(counts(tx, scope, &filter, now).await?)
    } else {
        None
    };
    Ok(Found { organisations, sites, total, rows, counts })
}

async fn counts(tx: &mut Tx, scope: Scope, filter: &CiFilter, now: UtcMicros) -> Result<Counts, PageError> {
    let mut counts = Counts { kinds: [0; 4], silent: [0; 2], untagged: 0 };
    for (count, kind) in counts.kinds.iter_mut().zip(KINDS) {
        let filter = CiFilter { kind: Some(kind.into()), ..filter.clone() };
        *count = inventory::count_cis(tx, scope, &filter).await?;
    }
    for (count, silence) in counts.silent.iter_mut().zip([7, 30]) {
        let filter = CiFilter { silent_since: Some(now - days(silence)), ..filter.clone() };
        *count = inventory::count_cis(tx, scope, &filter).await?;
    }
    let untagged = CiFilter { without_tag: true, ..filter.clone() };
    counts.untagged = inventory::count_cis(tx, scope, &untagged).await?;
    Ok(counts)
}

/// What the address asks for; what it asks for badly is not asked for.
pub(crate) fn filter(query: &ParcQuery, now: UtcMicros) -> CiFilter {
    let text = |it: &str| Some(it.trim().chars().take(100).collect::<String>()).filter(|it| !it.is_empty());
    CiFilter {
        query: text(&query.q).unwrap_or_default(),
        organisation_id: query.organisation.parse().ok(),
        site_id: query.site.parse().ok(),
        kind: text(&query.kind),
        os: text(&query.os),
        silent_since: silent_days(query).map(|it| now - days(it)),
        without_tag: query.untagged == "yes",
        include_retired: query.retired == "yes",
        ..CiFilter::default()
    }
}

fn silent_days(query: &ParcQuery) -> Option<u64> {
    query.silent.parse().ok().filter(|it| (1..=3_650).contains(it))
}

impl ParcQuery {
    fn pairs(&self) -> [(&'static str, &str); 8] {
        [
            ("q", &self.q),
            ("organisation", &self.organisation),
            ("site", &self.site),
            ("kind", &self.kind),
            ("os", &self.os),
            ("silent", &self.silent),
            ("untagged", &self.untagged),
            ("retired", &self.retired),
        ]
    }

    /// The list with one filter set to another value, from its beginning.
    fn with(&self, path: &str, name: &str, value: &str) -> String {
        with_query(path, &self.pairs().map(|it| if it.0 == name { (it.0, value) } else { it }))
    }
}

fn build(shell: Shell, lens: Lens<'_>, query: ParcQuery, found: &Found) -> ParcPage {
    let texts = lens.texts;
    let choose =
        |family: &str, code: &str, chosen: &str| Choice::new(code, texts.word(family, code), code == chosen);
    let organisations = if found.organisations.len() > 1 { found.organisations.as_slice() } else { &[] };
    ParcPage {
        organisations: organisations
            .iter()
            .map(|it| choice(&it.id.to_string(), &it.name, &query.organisation))
            .collect(),
        sites: found.sites.iter().map(|it| choice(&it.id.to_string(), &it.name, &query.site)).collect(),
        kinds: KINDS.map(|it| choose("kind", it, &query.kind)).to_vec(),
        silences: SILENCES.map(|it| Choice::new(it, silence(texts, it), it == query.silent)).to_vec(),
        chips: chips(texts, &query, found),
        total: texts.tn("count-machines", found.total).into_owned(),
        pictures: found
            .counts
            .as_ref()
            .map(|it| pictures(texts, &query, found.total, it))
            .unwrap_or_default(),
        rows: found.rows.rows.iter().map(|it| row(lens, it)).collect(),
        pager: Pager::of(&query.with("/parc", "", ""), &query.cursor, found.rows.next.as_deref()),
        export: Some(query.with("/parc/export.csv", "", "")),
        may_enroll: false,
        shell,
        query,
    }
}

fn choice(value: &str, label: &str, chosen: &str) -> Choice {
    Choice::new(value, label, value == chosen)
}

fn silence(texts: Texts, days: &str) -> String {
    texts.tn("silent-more-than", days.parse().unwrap_or(0)).into_owned()
}

fn chips(texts: Texts, query: &ParcQuery, found: &Found) -> Vec<Chip> {
    let organisation = found.organisations.iter().find(|it| it.id.to_string() == query.organisation);
    let site = found.sites.iter().find(|it| it.id.to_string() == query.site);
    let labels = [
        ("q", Some(format!("« {} »", query.q.trim())).filter(|_| !query.q.is_empty())),
        ("organisation", organisation.map(|it| it.name.clone())),
        ("site", site.map(|it| it.name.clone())),
        (
            "kind",
            Some(texts.word("kind", known_kind(&query.kind)).into_owned()).filter(|_| !query.kind.is_empty()),
        ),
        ("os", Some(query.os.clone()).filter(|it| !it.is_empty())),
        ("silent", silent_days(query).map(|it| silence(texts, &it.to_string()))),
        ("untagged", (query.untagged == "yes").then(|| texts.t("filter-untagged").into_owned())),
        ("retired", (query.retired == "yes").then(|| texts.t("filter-retired").into_owned())),
    ];
    labels
        .into_iter()
        .filter_map(|(name, label)| Some(Chip { label: label?, remove: query.with("/parc", name, "") }))
        .collect()
}

fn pictures(texts: Texts, query: &ParcQuery, total: i64, counts: &Counts) -> Vec<Picture> {
    let bar = |label: String, name: &str, value: &str, count: i64, tone| Bar {
        label,
        href: query.with("/parc", name, value),
        count: integer(texts.language(), count),
        percent: count.saturating_mul(100) / total.max(1),
        tone,
    };
    let kinds = KINDS
        .iter()
        .zip(counts.kinds)
        .map(|(kind, count)| bar(texts.word("kind", kind).into_owned(), "kind", kind, count, ""));
    let attention = vec![
        bar(silence(texts, "7"), "silent", "7", counts.silent[0], "warn"),
        bar(silence(texts, "30"), "silent", "30", counts.silent[1], "danger"),
        bar(texts.t("filter-untagged").into_owned(), "untagged", "yes", counts.untagged, "warn"),
    ];
    if total == 0 {
        return Vec::new();
    }
    vec![
        Picture { title: texts.t("picture-kinds").into_owned(), bars: kinds.collect() },
        Picture { title: texts.t("picture-attention").into_owned(), bars: attention },
    ]
}

fn row(lens: Lens<'_>, ci: &CiSummary) -> ParcRow {
    let texts = lens.texts;
    let kind = known_kind(&ci.kind);
    let silent = ci.last_contact_at.map(|at| lens.now.since(at).as_secs() / 86_400);
    let place = [ci.site_name.as_str(), ci.location.as_str()];
    ParcRow {
        href: format!("/parc/{}", ci.id),
        icon: kind,
        kind: texts.word("kind", kind).into_owned(),
        tag: ci.tag.clone().unwrap_or_default(),
        name: ci.name.clone(),
        model: make_and_model(&ci.make, &ci.model),
        place: place.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · "),
        person: ci.assigned_to_name.clone(),
        os: format!("{} {}", ci.os_name, ci.os_version).trim().to_owned(),
        memory: if ci.memory_mib > 0 { memory(texts.language(), ci.memory_mib) } else { String::new() },
        contact: ci.last_contact_at.map(|at| Stamp::age(texts, lens.zone, at, lens.now)),
        tone: match silent {
            Some(days) if days > 30 => "danger",
            Some(days) if days > 7 => "warn",
            _ => "",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    fn found(rows: Vec<CiSummary>, total: i64, next: Option<String>) -> Found {
        let counts = Some(Counts { kinds: [14, 6, 2, 3], silent: [4, 1], untagged: 2 });
        let (organisations, sites) = samples::places();
        Found { organisations, sites, total, rows: Page { rows, next }, counts }
    }

    #[test]
    fn the_list_is_drawn_full_filtered_and_empty() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let frame =
                || shell(language, &[Role::Lead, Role::Admin], &lens.texts.t("nav-parc"), Section::Parc);
            let many: Vec<CiSummary> = (0..50).map(samples::row).collect();
            check(
                "parc-many",
                language,
                &build(frame(), lens, ParcQuery::default(), &found(many, 12_345, Some("b".into()))),
            );
            let asked = ParcQuery {
                q: HOSTILE.into(),
                kind: "laptop".into(),
                silent: "30".into(),
                ..ParcQuery::default()
            };
            let rows = vec![samples::latitude_row(), samples::hostile_row()];
            check("parc-filtered", language, &build(frame(), lens, asked.clone(), &found(rows, 2, None)));
            check("parc-filtered-none", language, &build(frame(), lens, asked, &found(Vec::new(), 0, None)));
            let mut nothing = build(frame(), lens, ParcQuery::default(), &found(Vec::new(), 0, None));
            nothing.may_enroll = true;
            check("parc-none", language, &nothing);
        }
    }

    #[test]
    fn a_chip_leads_to_the_same_list_without_its_filter() {
        let query = ParcQuery { q: "dell".into(), kind: "laptop".into(), ..ParcQuery::default() };
        let chips = chips(Texts::of(crate::people::Language::En), &query, &found(Vec::new(), 0, None));
        let links: Vec<&str> = chips.iter().map(|it| it.remove.as_str()).collect();
        assert_eq!(links, ["/parc?kind=laptop", "/parc?q=dell"]);
    }

    #[test]
    fn an_unreadable_filter_filters_nothing() {
        let query = ParcQuery { silent: "-3".into(), site: "x".into(), ..ParcQuery::default() };
        let filter = filter(&query, now());
        assert!(filter.silent_since.is_none() && filter.site_id.is_none());
    }
}
