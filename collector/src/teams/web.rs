//! Pages of teams: the list with a form for a new one; one team with its members and the tickets it gets first.

mod list;
mod one;

use axum::Router;
use axum::routing::{get, post};

use crate::teams::TeamError;
use crate::web::{PageError, Texts, WebState};

pub(crate) fn routes() -> Router<WebState> {
    Router::new()
        .route("/teams", get(list::show).post(list::create))
        .route("/teams/defaults", post(list::make_defaults))
        .route("/teams/{code}", get(one::show).post(one::change))
        .route("/teams/{code}/members", post(one::member))
        .route("/teams/{code}/routes", post(one::route))
}

/// What a reader can mend, in words; the rest is an error page.
fn mendable(texts: Texts, error: TeamError) -> Result<String, PageError> {
    match error {
        TeamError::Invalid { field, .. } => Ok(texts.word("team-wrong", field).into_owned()),
        TeamError::Taken(code) => Ok(texts.t1("team-taken", "code", &code).into_owned()),
        other @ (TeamError::NotFound | TeamError::Forbidden | TeamError::Store(_)) => Err(other.into()),
    }
}
