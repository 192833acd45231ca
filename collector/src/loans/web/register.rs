//! The register: what is out, overdue, back but not restored, and the stock.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::on_page::{LoanLine, loan_line};
use crate::inventory::web::machine::{Lens, make_and_model};
use crate::inventory::{self, CiSummary, Lifecycle};
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::time::UtcMicros;
use crate::loans::{self, Loan, LoanFilter, LoanStatus};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::numbers::{memory, storage};
use crate::web::parts::{Pager, Tab};
use crate::web::{Asked, PageError, Reader, Section, Shell, WebState};

/// The parts of the register: word of the address and text key.
const PARTS: [(&str, &str); 5] = [
    ("out", "loans-out"),
    ("overdue", "loans-overdue"),
    ("back", "loans-back"),
    ("stock", "loans-stock"),
    ("over", "loans-over"),
];

#[derive(Debug, Template)]
#[template(path = "loans/web/register.html")]
struct RegisterPage {
    shell: Shell,
    tabs: Vec<Tab>,
    stock: Option<Vec<StockLine>>,
    rows: Vec<LoanLine>,
    pager: Pager,
    /// Why the list is empty.
    empty: String,
}

/// A machine of the stock.
#[derive(Clone, Debug)]
struct StockLine {
    href: String,
    tag: String,
    name: String,
    os: String,
    memory: String,
    disk: String,
    place: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RegisterQuery {
    part: String,
    cursor: String,
    done: String,
}

pub(super) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<RegisterQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::ReadTickets)?;
    let part = PARTS.iter().map(|it| it.0).find(|it| *it == asked.part).unwrap_or("out");
    let now = state.context.now();
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let lens = Lens { texts: reader.texts(), zone: &zone, now };
    let stock = if part == "stock" {
        let found = inventory::list_cis_by_lifecycle(&mut tx, reader.actor.scope, None, Lifecycle::Stock);
        Some(found.await?)
    } else {
        None
    };
    let request = PageRequest::from_query(Some(&asked.cursor), None);
    let found = if stock.is_none() {
        loans::list_loans(&mut tx, &reader.actor, &filter(part, now), &request).await?
    } else {
        Page { rows: Vec::new(), next: None }
    };
    let shell = reader.shell(reader.texts().t("loans-title"), Section::Loans).with_notice(&asked.done);
    page(&build(shell, lens, &reader.actor, (part, &asked.cursor), stock.as_deref(), &found))
}

fn filter(part: &str, now: UtcMicros) -> LoanFilter {
    let of = |statuses: &[LoanStatus]| LoanFilter { statuses: statuses.to_vec(), overdue_at: None };
    match part {
        "overdue" => LoanFilter { overdue_at: Some(now), ..LoanFilter::default() },
        "back" => of(&[LoanStatus::Back]),
        "over" => of(&[LoanStatus::Restored, LoanStatus::Cancelled]),
        _ => of(&[LoanStatus::Prepared, LoanStatus::Out]),
    }
}

fn build(
    shell: Shell,
    lens: Lens<'_>,
    actor: &Actor,
    (part, cursor): (&str, &str),
    stock: Option<&[CiSummary]>,
    found: &Page<Loan>,
) -> RegisterPage {
    let texts = lens.texts;
    let href = |part: &str| with_query("/loans", &[("part", part)]);
    let tabs = PARTS
        .iter()
        .map(|(word, key)| Tab {
            label: texts.t(key).into_owned(),
            count: None,
            href: href(word),
            current: *word == part,
        })
        .collect();
    RegisterPage {
        tabs,
        stock: stock.map(|it| it.iter().map(|ci| stock_line(lens, ci)).collect()),
        rows: found.rows.iter().map(|it| loan_line(lens, actor, it)).collect(),
        pager: Pager::of(&href(part), cursor, found.next.as_deref()),
        empty: texts.word("loans-none", part).into_owned(),
        shell,
    }
}

fn stock_line(lens: Lens<'_>, ci: &CiSummary) -> StockLine {
    let language = lens.texts.language();
    let known = |value: i64, shown: String| if value > 0 { shown } else { String::new() };
    let place = [ci.organisation_name.as_str(), &ci.site_name, &ci.location];
    StockLine {
        href: format!("/parc/{}", ci.id),
        tag: ci.tag.clone().unwrap_or_default(),
        name: if ci.model.is_empty() { ci.name.clone() } else { make_and_model(&ci.make, &ci.model) },
        os: format!("{} {}", ci.os_name, ci.os_version).trim().to_owned(),
        memory: known(ci.memory_mib, memory(language, ci.memory_mib)),
        disk: known(ci.disk_mib, storage(language, ci.disk_mib)),
        place: place.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::on_page::a_loan;
    use super::*;
    use crate::inventory::web::samples;
    use crate::kernel::actor::Role;
    use crate::web::Texts;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    #[test]
    fn every_part_of_the_register_is_drawn_full_and_empty() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let hostile = Loan { borrower_name: HOSTILE.into(), loaner_machine: HOSTILE.into(), ..a_loan() };
            let full = Page { rows: vec![a_loan(), hostile], next: Some("x".into()) };
            let none = Page { rows: Vec::new(), next: None };
            let stock = [samples::latitude_row(), samples::virtual_row()];
            for (part, _) in PARTS {
                let shell = || shell(language, &[Role::Lead], "Prêts", Section::Loans);
                let spares = (part == "stock").then_some(&stock[..]);
                let name = format!("loans-{part}");
                check(&name, language, &build(shell(), lens, &Actor::system(), (part, ""), spares, &full));
                let spares = (part == "stock").then_some(&stock[..0]);
                let name = format!("loans-{part}-none");
                check(&name, language, &build(shell(), lens, &Actor::system(), (part, ""), spares, &none));
            }
        }
    }
}
