//! What people thought, per criterion, and what they are asked.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::kernel::actor::Permission;
use crate::kernel::id::{CriterionId, OrganisationId};
use crate::kernel::time::days;
use crate::people::Language;
use crate::sites::{self, Organisation};
use crate::surveys::{self, Criterion, NewCriterion, OwnerMean, Results, SurveyError};
use crate::web::error::{page, page_with};
use crate::web::numbers::integer;
use crate::web::parts::{Choice, FieldErrors, Tab};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Texts, WebState};

/// Periods offered, days.
const PERIODS: [u64; 3] = [30, 90, 365];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ResultsQuery {
    days: String,
    done: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CriterionForm {
    organisation: String,
    label_fr: String,
    label_en: String,
}

/// One criterion's results, with the length of each bar in percent of the longest.
#[derive(Debug)]
struct ResultLine {
    label: String,
    mean: String,
    count: String,
    bars: Vec<Bar>,
}

#[derive(Debug)]
struct Bar {
    score: i64,
    percent: i64,
    count: String,
}

#[derive(Debug)]
struct OwnerLine {
    name: String,
    mean: String,
    count: String,
}

#[derive(Debug)]
struct CriterionLine {
    id: String,
    label: String,
    organisation: String,
}

#[derive(Debug, Template)]
#[template(path = "surveys/web/results.html")]
struct ResultsPage {
    shell: Shell,
    periods: Vec<Tab>,
    lines: Vec<ResultLine>,
    owners: Vec<OwnerLine>,
    /// Criteria and the form for more; for administrators.
    may_set: bool,
    criteria: Vec<CriterionLine>,
    organisations: Vec<Choice>,
    form: CriterionForm,
    errors: FieldErrors,
}

/// What the page is made of.
struct Read {
    results: Vec<Results>,
    owners: Vec<OwnerMean>,
    criteria: Vec<Criterion>,
    organisations: Vec<Organisation>,
}

pub(super) async fn show(
    State(state): State<WebState>,
    Asked(query): Asked<ResultsQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    page(&load(&state, &reader, &query, CriterionForm::default(), FieldErrors::default()).await?)
}

pub(super) async fn add(
    State(state): State<WebState>,
    Posted { reader, fields: form }: Posted<CriterionForm>,
) -> Result<Response, PageError> {
    let new = NewCriterion {
        organisation_id: form.organisation.parse::<OrganisationId>().ok(),
        label_fr: form.label_fr.clone(),
        label_en: form.label_en.clone(),
    };
    let mut tx = state.context.db.begin().await?;
    match surveys::add_criterion(&mut tx, &state.context, &reader.actor, new).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(Redirect::to("/surveys?done=criterion").into_response())
        }
        Err(SurveyError::Invalid { field, reason }) => {
            drop(tx);
            let texts = reader.texts();
            let mut errors = FieldErrors::default();
            let many = reason.contains("criteria");
            errors.add(field, texts.t(if many { "criterion-many" } else { "criterion-length" }));
            let shown = load(&state, &reader, &ResultsQuery::default(), form, errors).await?;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
        Err(other) => Err(other.into()),
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Nothing {}

pub(super) async fn retire(
    State(state): State<WebState>,
    Path(id): Path<String>,
    Posted { reader, .. }: Posted<Nothing>,
) -> Result<Response, PageError> {
    let id: CriterionId = id.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.begin().await?;
    surveys::retire_criterion(&mut tx, &state.context, &reader.actor, id).await?;
    tx.commit().await?;
    Ok(Redirect::to("/surveys?done=criterion").into_response())
}

async fn load(
    state: &WebState,
    reader: &Reader,
    query: &ResultsQuery,
    form: CriterionForm,
    errors: FieldErrors,
) -> Result<ResultsPage, PageError> {
    let period = query.days.parse().ok().filter(|it| PERIODS.contains(it)).unwrap_or(PERIODS[1]);
    let since = state.context.now() - days(period);
    let mut tx = state.context.db.read().await?;
    let results = surveys::results(&mut tx, &reader.actor, since).await?;
    let owners = surveys::results_by_owner(&mut tx, &reader.actor, since).await?;
    let may_set = reader.actor.may(Permission::Administer) && reader.actor.scope.organisation().is_none();
    let (mut criteria, mut organisations) = (Vec::new(), Vec::new());
    if may_set {
        criteria = surveys::criteria(&mut tx, None).await?;
        organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
        for organisation in &organisations {
            let own = surveys::criteria(&mut tx, Some(organisation.id)).await?;
            criteria.extend(own.into_iter().filter(|it| it.organisation_id.is_some()));
        }
    }
    drop(tx);
    let shell = reader.shell(reader.texts().t("surveys-title"), Section::Surveys).with_notice(&query.done);
    let read = Read { results, owners, criteria, organisations };
    Ok(results_page(shell, period, (&read, may_set), form, errors))
}

fn results_page(
    shell: Shell,
    period: u64,
    (read, may_set): (&Read, bool),
    form: CriterionForm,
    errors: FieldErrors,
) -> ResultsPage {
    let texts = shell.texts;
    let tab = |it: &u64| Tab {
        label: texts.tn("surveys-days", i64::try_from(*it).unwrap_or(0)).into_owned(),
        count: None,
        href: format!("/surveys?days={it}"),
        current: *it == period,
    };
    let criterion = |it: &Criterion| CriterionLine {
        id: it.id.to_string(),
        label: it.label(texts.language()).to_owned(),
        organisation: read
            .organisations
            .iter()
            .find(|own| Some(own.id) == it.organisation_id)
            .map(|own| own.name.clone())
            .unwrap_or_default(),
    };
    let pick = |it: &Organisation| {
        Choice::new(it.id.to_string(), it.name.clone(), it.id.to_string() == form.organisation)
    };
    ResultsPage {
        periods: PERIODS.iter().map(tab).collect(),
        lines: read.results.iter().map(|it| result_line(texts, it)).collect(),
        owners: read.owners.iter().map(|it| owner_line(texts, it)).collect(),
        criteria: read.criteria.iter().map(criterion).collect(),
        organisations: read.organisations.iter().map(pick).collect(),
        may_set,
        form,
        errors,
        shell,
    }
}

fn result_line(texts: Texts, results: &Results) -> ResultLine {
    let most = results.scores.iter().copied().max().unwrap_or(0).max(1);
    let bar = |(count, score): (&i64, i64)| Bar {
        score,
        percent: count * 100 / most,
        count: integer(texts.language(), *count),
    };
    ResultLine {
        label: results.criterion.label(texts.language()).to_owned(),
        mean: results.mean_tenths().map(|it| tenths(texts.language(), it)).unwrap_or_default(),
        count: texts.tn("surveys-answers", results.count()).into_owned(),
        bars: results.scores.iter().zip(1..).map(bar).collect(),
    }
}

fn owner_line(texts: Texts, owner: &OwnerMean) -> OwnerLine {
    let mean = (owner.sum * 20 + owner.count) / (owner.count.max(1) * 2);
    OwnerLine {
        name: owner.name.clone(),
        mean: tenths(texts.language(), mean),
        count: integer(texts.language(), owner.count),
    }
}

/// `4,2` or `4.2`, the decimal always there so that columns stay in line.
fn tenths(language: Language, value: i64) -> String {
    let point = if language == Language::Fr { ',' } else { '.' };
    format!("{}{point}{}", value / 10, value % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    fn results_are_drawn_with_numbers_beside_the_bars_and_an_empty_page_teaches() {
        for language in LANGUAGES {
            let frame = || shell(language, &[Role::Lead, Role::Admin], "Satisfaction", Section::Surveys);
            let criterion = Criterion {
                id: uuid::Uuid::nil().into(),
                organisation_id: None,
                label_fr: HOSTILE.into(),
                label_en: HOSTILE.into(),
            };
            let read = Read {
                results: vec![Results { criterion: criterion.clone(), scores: [1, 0, 2, 8, 12] }],
                owners: vec![OwnerMean {
                    owner_id: uuid::Uuid::nil().into(),
                    name: HOSTILE.into(),
                    count: 3,
                    sum: 13,
                }],
                criteria: vec![criterion],
                organisations: Vec::new(),
            };
            let mut errors = FieldErrors::default();
            errors.add("label_fr", Texts::of(language).t("criterion-length"));
            let html = check(
                "surveys",
                language,
                &results_page(frame(), 90, (&read, true), CriterionForm::default(), errors),
            );
            assert!(html.contains(if language == Language::Fr { "4,3" } else { "4.3" }), "{html}");
            let none = Read {
                results: Vec::new(),
                owners: Vec::new(),
                criteria: Vec::new(),
                organisations: Vec::new(),
            };
            let blank = (&none, false);
            check(
                "surveys-none",
                language,
                &results_page(frame(), 30, blank, CriterionForm::default(), FieldErrors::default()),
            );
        }
    }
}
