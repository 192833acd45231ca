//! Everything about somebody: on a page to be read or printed, and as JSON.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::kernel::error::ErrorKind;
use crate::kernel::id::PersonId;
use crate::privacy::{self, PersonalData};
use crate::web::error::page;
use crate::web::parts::Pair;
use crate::web::{PageError, Reader, Shell, WebState};

/// Rows of one kind on the page; the file has all of them.
const SHOWN: usize = 200;

#[derive(Debug, Template)]
#[template(path = "privacy/web/data.html")]
struct DataPage {
    shell: Shell,
    file_href: String,
    person: Vec<Pair>,
    parts: Vec<PartView>,
}

/// One kind of record.
#[derive(Debug)]
struct PartView {
    title: String,
    count: String,
    rows: Vec<RowView>,
    /// The page shows fewer than there are.
    more: bool,
}

#[derive(Debug)]
struct RowView {
    at: String,
    values: Vec<String>,
}

pub(super) async fn show_own(State(state): State<WebState>, reader: Reader) -> Result<Response, PageError> {
    let person = reader.person.id;
    shown(&state, &reader, person, "/privacy/data.json".into()).await
}

pub(super) async fn send_own(State(state): State<WebState>, reader: Reader) -> Result<Response, PageError> {
    let person = reader.person.id;
    sent(&state, &reader, person).await
}

pub(super) async fn show(
    State(state): State<WebState>,
    Path(person): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let person: PersonId = person.parse().map_err(|_| PageError::not_found())?;
    shown(&state, &reader, person, format!("/privacy/people/{person}/data.json")).await
}

pub(super) async fn send(
    State(state): State<WebState>,
    Path(person): Path<String>,
    reader: Reader,
) -> Result<Response, PageError> {
    let person: PersonId = person.parse().map_err(|_| PageError::not_found())?;
    sent(&state, &reader, person).await
}

async fn shown(
    state: &WebState,
    reader: &Reader,
    person: PersonId,
    file_href: String,
) -> Result<Response, PageError> {
    let data = privacy::export(&state.context, &reader.actor, person).await?;
    let shell = reader.frame(reader.texts().t("privacy-my-data"), None);
    page(&build(shell, &data, file_href))
}

async fn sent(state: &WebState, reader: &Reader, person: PersonId) -> Result<Response, PageError> {
    let data = privacy::export(&state.context, &reader.actor, person).await?;
    let body = serde_json::to_vec_pretty(&data).map_err(|it| PageError::of(ErrorKind::Internal, it))?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"parc-personal-data.json\""),
    ];
    Ok((headers, body).into_response())
}

fn build(shell: Shell, data: &PersonalData, file_href: String) -> DataPage {
    let texts = shell.texts;
    let person = data.person.as_object().into_iter().flatten();
    let person = person.map(|(key, value)| Pair::new(texts.word("data-field", key), plain(value)));
    let parts = [
        ("data-tickets", &data.tickets),
        ("data-history", &data.history),
        ("data-machines", &data.machines),
        ("data-loans", &data.loans),
        ("data-remote", &data.remote_sessions),
        ("data-sessions", &data.sessions),
        ("data-audit", &data.audit),
    ];
    let part = |(key, rows): (&str, &Vec<Value>)| PartView {
        title: texts.t(key).into_owned(),
        count: crate::web::numbers::integer(texts.language(), i64::try_from(rows.len()).unwrap_or(i64::MAX)),
        rows: rows.iter().take(SHOWN).map(row).collect(),
        more: rows.len() > SHOWN,
    };
    DataPage { file_href, person: person.collect(), parts: parts.map(part).into(), shell }
}

fn row(value: &Value) -> RowView {
    let fields = value.as_object();
    let at = fields.and_then(|it| it.get("at")).map(plain).unwrap_or_default();
    let others = fields.into_iter().flatten().filter(|it| it.0 != "at").map(|it| plain(it.1));
    RowView { at, values: others.filter(|it| !it.is_empty()).collect() }
}

/// A text as it is; anything else as JSON writes it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) if fields.is_empty() => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::Section;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    fn everything_is_shown_as_text() {
        let rows = |count: usize| {
            vec![
                json!({ "at": "2026-11-22T10:00:00Z", "number": "I202611_0042", "summary": HOSTILE, "data": {} });
                count
            ]
        };
        let data = PersonalData {
            exported_at: "2026-11-22T10:00:00Z".into(),
            person: json!({ "name": HOSTILE, "email": "c@acme.example", "roles": ["requester"] }),
            sessions: rows(0),
            tickets: rows(SHOWN + 1),
            history: rows(3),
            machines: rows(1),
            loans: rows(1),
            remote_sessions: rows(1),
            audit: rows(1),
            cut: vec![],
        };
        for language in LANGUAGES {
            let shell = shell(language, &[Role::Requester], "Mes données", Section::Tickets);
            let html = check("data-many", language, &build(shell, &data, "/privacy/data.json".into()));
            assert_eq!(html.matches("I202611_0042").count(), SHOWN + 7);
        }
    }
}
