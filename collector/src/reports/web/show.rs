//! Indicators as pictures, with their numbers beside.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::chart::{self, Picture};
use crate::db::Tx;
use crate::kernel::id::OrganisationId;
use crate::kernel::time::Day;
use crate::reports::{self, Breakdown, Delay, Dimension, Report, Span, Step};
use crate::sites::{self, Organisation};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::numbers::{integer, span};
use crate::web::parts::{Choice, Pair, Tab};
use crate::web::{Asked, PageError, Reader, Section, Shell, Texts, WebState};

/// Days of the report that nobody asked otherwise for.
const DAYS_DEFAULT: i32 = 30;

#[derive(Debug, Template)]
#[template(path = "reports/web/reports.html")]
struct ReportsPage {
    shell: Shell,
    spans: Vec<Tab>,
    from: String,
    until: String,
    organisations: Vec<Choice>,
    export_href: String,
    figures: Vec<Figure>,
    curve: Option<Picture>,
    curve_rows: Vec<(String, String, String)>,
    parts: Vec<PartView>,
}

/// One number with what it means.
#[derive(Debug)]
struct Figure {
    label: String,
    value: String,
    help: String,
}

/// One breakdown.
#[derive(Debug)]
struct PartView {
    title: String,
    picture: Option<Picture>,
    rows: Vec<Pair>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReportQuery {
    from: String,
    until: String,
    organisation: String,
}

impl ReportQuery {
    /// The span asked for, the last thirty days otherwise.
    pub(super) async fn span(
        &self,
        tx: &mut Tx,
        state: &WebState,
        reader: &Reader,
    ) -> Result<Span, PageError> {
        let zone = reader.zone(tx).await?;
        let today = Day::of(state.context.now(), &zone);
        let until = Day::parse(&self.until).unwrap_or(today);
        let from = Day::parse(&self.from).unwrap_or(until.plus(1 - DAYS_DEFAULT));
        Ok(Span::new(from, until, zone, self.organisation.parse::<OrganisationId>().ok()))
    }
}

pub(super) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<ReportQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.read().await?;
    let span = asked.span(&mut tx, &state, &reader).await?;
    let today = Day::of(state.context.now(), &span.zone);
    let report = reports::report(&mut tx, &reader.actor, span).await?;
    let organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
    drop(tx);
    let shell = reader.shell(reader.texts().t("reports-title"), Section::Reports);
    page(&build(shell, &report, today, &organisations, &asked.organisation))
}

fn build(
    shell: Shell,
    report: &Report,
    today: Day,
    organisations: &[Organisation],
    chosen: &str,
) -> ReportsPage {
    let texts = shell.texts;
    let (from, until) = (report.span.from.to_string(), report.span.until.to_string());
    let link = |path: &str, from: &str, until: &str| {
        with_query(path, &[("from", from), ("until", until), ("organisation", chosen)])
    };
    let tab = |key: &str, first: Day| {
        let (first, last) = (first.to_string(), today.to_string());
        let current = first == from && last == until;
        Tab { label: texts.t(key).into_owned(), count: None, href: link("/reports", &first, &last), current }
    };
    ReportsPage {
        spans: vec![
            tab("reports-week", today.plus(-6)),
            tab("reports-month", today.plus(1 - DAYS_DEFAULT)),
            tab("reports-quarter", today.plus_months(-3).plus(1)),
            tab("reports-year", today.plus_months(-12).plus(1)),
        ],
        export_href: link("/reports.csv", &from, &until),
        organisations: organisations
            .iter()
            .map(|it| Choice::new(it.id.to_string(), it.name.clone(), it.id.to_string() == chosen))
            .collect(),
        figures: figures(texts, report),
        curve: curve(texts, report),
        curve_rows: report
            .curve
            .iter()
            .map(|(day, opened, resolved)| {
                let number = |it: &i64| integer(texts.language(), *it);
                (point(texts, *day, report.span.step()), number(opened), number(resolved))
            })
            .collect(),
        parts: report.breakdowns.iter().map(|it| part(texts, it)).collect(),
        from,
        until,
        shell,
    }
}

/// `23/11`, `semaine du 23/11`, `11/2026`.
pub(super) fn point(texts: Texts, day: Day, step: Step) -> String {
    match step {
        Step::Day => day.short(),
        Step::Week => texts.t1("reports-week-of", "day", &day.short()).into_owned(),
        Step::Month => day.shown().chars().skip(3).collect(),
    }
}

fn figures(texts: Texts, report: &Report) -> Vec<Figure> {
    let number = |it: i64| integer(texts.language(), it);
    let figure =
        |key: &str, value: String, help: String| Figure { label: texts.t(key).into_owned(), value, help };
    let delay = |key: &str, delay: Delay| {
        let value = delay.median_s.map_or_else(|| "—".into(), |it| span(texts, it));
        let ninth = delay.ninth_s.map(|it| texts.t1("reports-ninth", "span", &span(texts, it)).into_owned());
        figure(key, value, ninth.unwrap_or_default())
    };
    let rate = |key: &str, permille: Option<i64>, help: String| {
        let value = permille.map_or_else(|| "—".into(), |it| percent(texts, it));
        figure(key, value, help)
    };
    let calls = report.calls_reached + report.calls_unanswered;
    vec![
        figure("reports-opened", number(report.opened), String::new()),
        figure("reports-resolved", number(report.resolved), String::new()),
        delay("reports-until-taken", report.until_taken),
        delay("reports-until-resolved", report.until_resolved),
        rate(
            "reports-unanswered",
            report.unanswered_permille(),
            texts.tn("reports-of-calls", calls).into_owned(),
        ),
        rate(
            "reports-reopened",
            report.reopened_permille(),
            texts.tn("reports-of-solutions", report.resolved).into_owned(),
        ),
    ]
}

/// `12,5 %`.
fn percent(texts: Texts, permille: i64) -> String {
    let whole = integer(texts.language(), permille / 10);
    let rest = permille % 10;
    let number = match (rest, texts.code()) {
        (0, _) => whole,
        (_, "fr") => format!("{whole},{rest}"),
        _ => format!("{whole}.{rest}"),
    };
    texts.t1("percent", "number", &number).into_owned()
}

fn curve(texts: Texts, report: &Report) -> Option<Picture> {
    let step = report.span.step();
    let labels: Vec<String> = report
        .curve
        .iter()
        .map(|it| if step == Step::Month { it.0.shown().chars().skip(3).collect() } else { it.0.short() })
        .collect();
    let opened: Vec<i64> = report.curve.iter().map(|it| it.1).collect();
    let resolved: Vec<i64> = report.curve.iter().map(|it| it.2).collect();
    let number = |it: i64| integer(texts.language(), it);
    let description = texts.t2(
        "reports-curve-desc",
        ("opened", &number(report.opened)),
        ("resolved", &number(report.resolved)),
    );
    let title = texts.t("reports-curve");
    let words = chart::Words { id: "curve", title: &title, description: &description };
    chart::curves(words, &labels, &opened, &resolved)
}

/// The words of a dimension's values; names of places and machines are what they are.
pub(super) fn value_label(texts: Texts, by: Dimension, word: &str) -> String {
    match by {
        _ if word.is_empty() => texts.t("reports-without").into_owned(),
        Dimension::Kind => texts.word("ticket-kind", word).into_owned(),
        Dimension::Channel => texts.word("channel", word).into_owned(),
        Dimension::State => texts.word("state", word).into_owned(),
        Dimension::Priority => format!("P{word}"),
        Dimension::Organisation | Dimension::Site | Dimension::Model => word.to_owned(),
    }
}

fn part(texts: Texts, breakdown: &Breakdown) -> PartView {
    let title = texts.word("reports-by", breakdown.by.code()).into_owned();
    let number = |it: i64| integer(texts.language(), it);
    let mut rows: Vec<(String, i64, String)> = breakdown
        .rows
        .iter()
        .map(|(word, count)| (value_label(texts, breakdown.by, word), *count, number(*count)))
        .collect();
    if breakdown.others > 0 {
        let others = breakdown.others;
        rows.push((texts.t("reports-others").into_owned(), others, number(others)));
    }
    let total: i64 = rows.iter().map(|it| it.1).sum();
    let description = texts.tn("reports-part-desc", total);
    let id = format!("by-{}", breakdown.by.code());
    let words = chart::Words { id: &id, title: &title, description: &description };
    let picture = if rows.is_empty() { None } else { chart::bars(words, &rows) };
    PartView { picture, rows: rows.into_iter().map(|it| Pair::new(it.0, it.2)).collect(), title }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::kernel::time::Zone;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell, zone};

    fn a_report(from: &str, until: &str, count: i64, zone: Zone) -> Report {
        let day = |text| Day::parse(text).expect("day");
        let span = Span::new(day(from), day(until), zone, None);
        let delay =
            Delay { count, median_s: (count > 0).then_some(5_400), ninth_s: (count > 0).then_some(180_000) };
        Report {
            opened: count,
            resolved: count / 2,
            curve: span.points().into_iter().map(|it| (it, count / 9, count / 12)).collect(),
            breakdowns: Dimension::ALL
                .iter()
                .map(|by| Breakdown {
                    by: *by,
                    rows: if count == 0 {
                        Vec::new()
                    } else {
                        vec![("incident".into(), count), (HOSTILE.into(), 3), (String::new(), 1)]
                    },
                    others: count / 50,
                })
                .collect(),
            until_taken: delay,
            until_resolved: delay,
            calls_reached: count,
            calls_unanswered: count / 8,
            refused: count / 40,
            reopened: count / 60,
            span,
        }
    }

    #[test]
    fn indicators_are_drawn_with_their_numbers_beside_and_with_nothing() {
        for language in LANGUAGES {
            let today = Day::parse("2026-11-22").expect("day");
            let draw = |name: &str, report: &Report| {
                let shell = shell(language, &[Role::Lead], "Indicateurs", Section::Reports);
                check(name, language, &build(shell, report, today, &[], ""))
            };
            let html = draw("reports-many", &a_report("2026-10-24", "2026-11-22", 1_234, zone()));
            assert_eq!(html.matches("role=\"img\"").count(), 1 + Dimension::ALL.len());
            assert!(
                html.contains("12,5")
                    || html.contains("12.5")
                    || html.contains("11,1")
                    || html.contains("11.1")
            );
            draw("reports-year-many", &a_report("2025-11-23", "2026-11-22", 90_000, zone()));
            draw("reports-none", &a_report("2026-10-24", "2026-11-22", 0, zone()));
        }
    }
}
