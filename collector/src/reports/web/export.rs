//! Indicators as CSV. Texts that a spreadsheet would run are neutralised.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::show::{ReportQuery, value_label};
use crate::api::csv_cell;
use crate::kernel::error::ErrorKind;
use crate::reports::{self, Delay, Report};
use crate::web::{Asked, PageError, Reader, Texts, WebState};

pub(super) async fn send(
    State(state): State<WebState>,
    Asked(asked): Asked<ReportQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let mut tx = state.context.db.read().await?;
    let span = asked.span(&mut tx, &state, &reader).await?;
    let report = reports::report(&mut tx, &reader.actor, span).await?;
    let body = csv_of(reader.texts(), &report).map_err(|it| PageError::of(ErrorKind::Internal, it))?;
    let name = format!("attachment; filename=\"parc-{}-{}.csv\"", report.span.from, report.span.until);
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

/// One line per number: what, of what, how many.
fn csv_of(texts: Texts, report: &Report) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heads = ["reports-csv-part", "reports-csv-value", "reports-csv-number"].map(|it| texts.t(it));
    writer.write_record(heads.iter().map(AsRef::as_ref))?;
    let mut line = |part: &str, value: &str, number: Option<i64>| {
        let number = number.map(|it| it.to_string()).unwrap_or_default();
        writer.write_record([csv_cell(part), csv_cell(value), number])
    };
    for (key, number) in [("reports-opened", report.opened), ("reports-resolved", report.resolved)] {
        line(&texts.t(key), "", Some(number))?;
    }
    for (key, delay) in
        [("reports-until-taken", report.until_taken), ("reports-until-resolved", report.until_resolved)]
    {
        let Delay { count, median_s, ninth_s } = delay;
        line(&texts.t(key), &texts.t("reports-csv-count"), Some(count))?;
        line(&texts.t(key), &texts.t("reports-csv-median"), median_s)?;
        line(&texts.t(key), &texts.t("reports-csv-ninth"), ninth_s)?;
    }
    for (key, number) in [
        ("reports-csv-calls", report.calls_reached),
        ("reports-csv-unanswered", report.calls_unanswered),
        ("reports-csv-refused", report.refused),
        ("reports-csv-reopened", report.reopened),
    ] {
        line(&texts.t(key), "", Some(number))?;
    }
    for (day, opened, resolved) in &report.curve {
        line(&texts.t("reports-opened"), &day.to_string(), Some(*opened))?;
        line(&texts.t("reports-resolved"), &day.to_string(), Some(*resolved))?;
    }
    for breakdown in &report.breakdowns {
        let part = texts.word("reports-by", breakdown.by.code());
        for (word, count) in &breakdown.rows {
            line(&part, &value_label(texts, breakdown.by, word), Some(*count))?;
        }
        if breakdown.others > 0 {
            line(&part, &texts.t("reports-others"), Some(breakdown.others))?;
        }
    }
    writer.into_inner().map_err(|it| csv::Error::from(it.into_error()))
}
