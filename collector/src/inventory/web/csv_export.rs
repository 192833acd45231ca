//! The parc list as a file for a spreadsheet: streamed page by page, so its size costs no memory.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::parc::{ParcQuery, filter};
use crate::context::Context;
use crate::inventory::{self, CiFilter, CiSummary};
use crate::kernel::actor::{Permission, Scope};
use crate::kernel::error::Chain;
use crate::kernel::page::{PAGE_ROWS_MAX, PageRequest};
use crate::people::Language;
use crate::web::{Asked, PageError, Reader, Texts, WebState};

/// Text keys of the columns, in order.
const COLUMNS: [&str; 16] = [
    "label-tag",
    "field-make",
    "field-model",
    "field-serial",
    "field-name",
    "field-kind",
    "label-organisation",
    "label-site",
    "label-location",
    "label-assigned-to",
    "section-os",
    "csv-os-version",
    "section-cpu",
    "csv-memory-mib",
    "csv-disk-mib",
    "label-last-contact",
];

pub(crate) async fn send(
    State(state): State<WebState>,
    Asked(query): Asked<ParcQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::ReadAssets)?;
    reader.require(Permission::Export)?;
    let filter = filter(&query, state.context.now());
    let export =
        Export { context: state.context, scope: reader.actor.scope, filter, language: reader.language() };
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"parc.csv\""),
    ];
    let pages = stream::unfold(Some((export, None)), next_page);
    Ok((headers, Body::from_stream(pages)).into_response())
}

struct Export {
    context: Context,
    scope: Scope,
    filter: CiFilter,
    language: Language,
}

/// The cursor is `None` before the first page.
type Progress = Option<(Export, Option<String>)>;

async fn next_page(progress: Progress) -> Option<(Result<Vec<u8>, Infallible>, Progress)> {
    let (export, cursor) = progress?;
    let request = PageRequest::from_query(cursor.as_deref(), Some(PAGE_ROWS_MAX));
    let mut bytes = if cursor.is_none() { heading(export.language) } else { Vec::new() };
    let found = async {
        let mut tx = export.context.db.read().await?;
        inventory::list_cis(&mut tx, export.scope, &export.filter, &request).await
    };
    match found.await {
        Ok(page) => {
            bytes.extend(lines(export.language, page.rows.iter().map(cells)));
            Some((Ok(bytes), page.next.map(|next| (export, Some(next)))))
        }
        Err(error) => {
            tracing::error!(cause = %Chain(&error), "an export ended early");
            None
        }
    }
}

/// A byte order mark, without which spreadsheets misread accents, and the names of the columns.
fn heading(language: Language) -> Vec<u8> {
    let texts = Texts::of(language);
    let mut bytes = b"\xEF\xBB\xBF".to_vec();
    bytes.extend(lines(language, std::iter::once(COLUMNS.map(|key| texts.t(key).into_owned()))));
    bytes
}

fn cells(ci: &CiSummary) -> [String; 16] {
    [
        ci.tag.clone().unwrap_or_default(),
        ci.make.clone(),
        ci.model.clone(),
        ci.serial.clone(),
        ci.name.clone(),
        ci.kind.clone(),
        ci.organisation_name.clone(),
        ci.site_name.clone(),
        ci.location.clone(),
        ci.assigned_to_name.clone(),
        ci.os_name.clone(),
        ci.os_version.clone(),
        ci.cpu.clone(),
        ci.memory_mib.to_string(),
        ci.disk_mib.to_string(),
        ci.last_contact_at.map(crate::kernel::time::UtcMicros::rfc3339).unwrap_or_default(),
    ]
}

/// French spreadsheets expect semicolons, English ones commas.
fn lines(language: Language, rows: impl Iterator<Item = [String; 16]>) -> Vec<u8> {
    let delimiter = match language {
        Language::Fr => b';',
        Language::En => b',',
    };
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    for row in rows {
        // Writing into memory does not fail; rows have one length.
        let _ = writer.write_record(row.map(|it| harmless(&it)));
    }
    writer.into_inner().unwrap_or_default()
}

/// A cell a spreadsheet would run as a formula is made text by an apostrophe.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn no_cell_runs_as_a_formula() {
        for (cell, safe) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "'-2"),
            ("\t=1", "'\t=1"),
            ("+33 4", "'+33 4"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell), safe);
        }
    }

    #[test]
    fn the_file_has_one_line_a_machine_and_quotes_what_would_break_it() {
        let mut row = samples::latitude_row();
        row.name = "a;\"b\"\nc".into();
        row.serial = "=cmd()".into();
        let text = String::from_utf8(
            [heading(Language::Fr), lines(Language::Fr, [cells(&row)].into_iter())].concat(),
        )
        .expect("text");
        assert!(text.starts_with('\u{FEFF}'));
        assert!(text.contains("\"a;\"\"b\"\"\nc\"") && text.contains(";'=cmd();"), "{text}");
        let parsed: Vec<usize> = csv::ReaderBuilder::new()
            .delimiter(b';')
            .has_headers(false)
            .from_reader(text.as_bytes())
            .records()
            .map(|it| it.expect("record").len())
            .collect();
        assert_eq!(parsed, [16, 16]);
    }
}
