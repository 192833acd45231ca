//! Pages of calendars, and what a deadline would be.

mod edit;
mod list;
mod what_if;

use axum::Router;
use axum::routing::get;

use super::CalendarError;
use crate::web::parts::FieldErrors;
use crate::web::{PageError, Texts, WebState};

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/calendars", get(list::show).post(list::create))
        .route("/calendars/what-if", get(what_if::show))
        .route("/calendars/{calendar}", get(edit::show).post(edit::change))
}

pub(crate) use list::tabs;

/// What is wrong with a field, in the reader's words; other errors stay errors.
fn field_error(texts: Texts, error: CalendarError) -> Result<FieldErrors, PageError> {
    let mut errors = FieldErrors::default();
    match error {
        CalendarError::Refused { field, refusal } => errors.add(field, refused(texts, &refusal)),
        CalendarError::Invalid { field: "standard", .. } => {
            errors.add("standard", texts.t("calendar-standard-needed"));
        }
        CalendarError::Invalid { field, .. } => errors.add(field, texts.t("calendar-name-wrong")),
        CalendarError::Taken(_) => errors.add("name", texts.t("calendar-name-taken")),
        CalendarError::Stale { .. } => errors.add("name", texts.t("calendar-stale")),
        other => return Err(other.into()),
    }
    Ok(errors)
}

/// Why hours, exceptions or targets are refused, in the reader's words.
pub(crate) fn refused(
    texts: Texts,
    refusal: &parc_calendar::CalendarRefusal,
) -> std::borrow::Cow<'static, str> {
    texts.t1(&format!("refused-{}", refusal.code()), "text", &refusal.about())
}
