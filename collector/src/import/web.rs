//! The page that takes a list: first tried, then imported.

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::{IMPORT_BYTES_MAX, ImportError, Kind, Outcome, run};
use crate::files;
use crate::kernel::actor::Permission;
use crate::kernel::id::FileId;
use crate::web::error::{page, page_with};
use crate::web::numbers::integer;
use crate::web::parts::Choice;
use crate::web::{PageError, Reader, Section, Shell, Texts, Uploaded, WebState};

/// Room beside the largest list for the form and for one that is too large.
const BODY_BYTES_MAX: usize = 4 * IMPORT_BYTES_MAX;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ImportForm {
    kind: String,
    /// A file that was tried before.
    kept: String,
}

/// One value that stands in the way.
#[derive(Debug)]
struct ProblemLine {
    line: String,
    column: String,
    value: String,
    reason: String,
}

#[derive(Debug, Template)]
#[template(path = "import/web/import.html")]
struct ImportPage {
    shell: Shell,
    kinds: Vec<Choice>,
    kind: &'static str,
    columns: String,
    /// What came of it, in words; `tone` says how it went.
    said: String,
    tone: &'static str,
    icon: &'static str,
    problems: Vec<ProblemLine>,
    more: String,
    /// Id of the tried file, when it may be imported now.
    kept: String,
    refused: String,
}

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/import", get(show).post(take).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)))
        .route("/import/{name}", get(heading))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ImportQuery {
    kind: String,
}

async fn show(
    crate::web::Asked(asked): crate::web::Asked<ImportQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    page(&import_page(frame(&reader), kind_of(&asked.kind)))
}

/// An empty list of a kind, to be filled.
async fn heading(Path(name): Path<String>, reader: Reader) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let kind = name.strip_suffix(".csv").and_then(Kind::from_code).ok_or_else(PageError::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.csv\"", kind.code())),
    ];
    Ok((headers, format!("\u{feff}{}\r\n", kind.heading())).into_response())
}

fn frame(reader: &Reader) -> Shell {
    reader.shell(reader.texts().t("import-title"), Section::Import)
}

fn kind_of(code: &str) -> Kind {
    Kind::from_code(code).unwrap_or(Kind::Organisations)
}

async fn take(
    State(state): State<WebState>,
    Uploaded { reader, fields: form, files: sent, left_out }: Uploaded<ImportForm>,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let kind = kind_of(&form.kind);
    let texts = reader.texts();
    let mut shown = import_page(frame(&reader), kind);
    let dry_run = form.kept.is_empty();
    let bytes = match sent.into_iter().next() {
        Some(file) => Some(file.bytes),
        None => kept_bytes(&state, &form.kept).await?,
    };
    let Some(bytes) = bytes else {
        let key = if left_out.is_empty() { "import-no-file" } else { "import-too-large" };
        shown.refused = texts.t(key).into_owned();
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    };
    match run(&state.context, &reader.actor, kind, &bytes, dry_run).await {
        Ok(outcome) => {
            tell(&mut shown, texts, &outcome);
            if outcome.problems.is_empty() && !outcome.kept {
                shown.kept = keep(&state, kind, &bytes).await?;
            }
        }
        Err(ImportError::TooLarge) => shown.refused = texts.t("import-too-large").into_owned(),
        Err(ImportError::Unreadable) => shown.refused = texts.t("import-unreadable").into_owned(),
        Err(other) => return Err(other.into()),
    }
    let fine = shown.refused.is_empty() && shown.problems.is_empty();
    page_with(if fine { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &shown)
}

/// Keeps the tried file, so that what is imported is what was tried.
async fn keep(state: &WebState, kind: Kind, bytes: &[u8]) -> Result<String, PageError> {
    let mut tx = state.context.db.begin().await?;
    let name = format!("{}.csv", kind.code());
    let file = files::keep(&mut tx, &state.context, &name, "text/csv", bytes).await?;
    tx.commit().await?;
    Ok(file.id.to_string())
}

/// A tried file that nothing else points at.
async fn kept_bytes(state: &WebState, id: &str) -> Result<Option<Vec<u8>>, PageError> {
    let Ok(id) = id.parse::<FileId>() else { return Ok(None) };
    let mut tx = state.context.db.read().await?;
    Ok(files::read_unclaimed(&mut tx, id).await?)
}

fn import_page(shell: Shell, kind: Kind) -> ImportPage {
    let texts = shell.texts;
    let choice = |it: &Kind| Choice::new(it.code(), texts.word("import", it.code()), *it == kind);
    ImportPage {
        kinds: Kind::ALL.iter().map(choice).collect(),
        kind: kind.code(),
        columns: kind.heading().replace(';', ", "),
        said: String::new(),
        tone: "",
        icon: "info",
        problems: Vec::new(),
        more: String::new(),
        kept: String::new(),
        refused: String::new(),
        shell,
    }
}

fn tell(shown: &mut ImportPage, texts: Texts, outcome: &Outcome) {
    let count = |it: usize| integer(texts.language(), i64::try_from(it).unwrap_or(i64::MAX));
    let (made, known) = (count(outcome.made), count(outcome.known));
    let (key, tone, icon) = match (outcome.problems.is_empty(), outcome.kept) {
        (false, _) => ("import-bad", "danger", "danger"),
        (true, false) => ("import-tried", "ok", "ok"),
        (true, true) => ("import-done", "ok", "ok"),
    };
    shown.said = texts.t2(key, ("made", &made), ("known", &known)).into_owned();
    (shown.tone, shown.icon) = (tone, icon);
    shown.problems = outcome
        .problems
        .iter()
        .map(|it| ProblemLine {
            line: count(it.line),
            column: it.column.clone(),
            value: it.value.clone(),
            reason: texts.word("import-reason", it.reason.code()).into_owned(),
        })
        .collect();
    if outcome.more_problems > 0 {
        let more = i64::try_from(outcome.more_problems).unwrap_or(i64::MAX);
        shown.more = texts.tn("import-more", more).into_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Problem, Reason};
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    fn the_page_is_drawn_before_and_after_with_every_reason() {
        for language in LANGUAGES {
            let frame = || shell(language, &[Role::Admin], "Import", Section::Import);
            check("import", language, &import_page(frame(), Kind::Machines));
            let mut shown = import_page(frame(), Kind::Persons);
            let reasons = [
                Reason::ColumnMissing,
                Reason::ColumnUnknown,
                Reason::Cells,
                Reason::Empty,
                Reason::Malformed,
                Reason::Unknown,
                Reason::Taken,
                Reason::Twice,
            ];
            let problem = |reason| Problem { line: 4, column: "email".into(), value: HOSTILE.into(), reason };
            let problems = reasons.into_iter().map(problem).collect();
            let outcome = Outcome { rows: 9, made: 1, more_problems: 3, problems, ..Outcome::default() };
            tell(&mut shown, Texts::of(language), &outcome);
            let html = check("import-problems", language, &shown);
            assert!(!html.contains("import-reason-"), "{html}");
        }
    }
}
