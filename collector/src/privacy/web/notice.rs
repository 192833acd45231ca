//! What is collected, why and for how long: for everybody, signed in or not.

use askama::Template;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use std::convert::Infallible;

use crate::kernel::actor::Permission;
use crate::web::error::page;
use crate::web::{PageError, Reader, Shell, Visitor, WebState};

#[derive(Debug, Template)]
#[template(path = "privacy/web/notice.html")]
struct NoticePage {
    shell: Shell,
    signed_in: bool,
    administers: bool,
    parts: Vec<Part>,
}

/// One paragraph.
#[derive(Debug)]
struct Part {
    title: String,
    text: String,
}

/// The paragraphs, in order: keys of title and text.
const PARTS: [(&str, &str); 7] = [
    ("privacy-who", "privacy-who-text"),
    ("privacy-tickets", "privacy-tickets-text"),
    ("privacy-machines", "privacy-machines-text"),
    ("privacy-never", "privacy-never-text"),
    ("privacy-remote", "privacy-remote-text"),
    ("privacy-how-long", "privacy-how-long-text"),
    ("privacy-rights", "privacy-rights-text"),
];

/// A reader, if somebody is signed in.
pub(super) struct MaybeReader(Option<Reader>);

impl FromRequestParts<WebState> for MaybeReader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        Ok(Self(Reader::from_request_parts(parts, state).await.ok()))
    }
}

pub(super) async fn show(
    State(_): State<WebState>,
    visitor: Visitor,
    MaybeReader(reader): MaybeReader,
) -> Result<Response, PageError> {
    let texts = reader.as_ref().map_or(visitor.texts, Reader::texts);
    let title = texts.t("privacy-title");
    let shell = match &reader {
        Some(reader) => reader.frame(title, None),
        None => Shell::of(&visitor, title),
    };
    let administers = reader.as_ref().is_some_and(|it| it.actor.may(Permission::Administer));
    page(&build(shell, reader.is_some(), administers))
}

fn build(shell: Shell, signed_in: bool, administers: bool) -> NoticePage {
    let texts = shell.texts;
    let part = |(title, text): (&str, &str)| Part {
        title: texts.t(title).into_owned(),
        text: texts.t(text).into_owned(),
    };
    NoticePage { signed_in, administers, parts: PARTS.map(part).into(), shell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::Section;
    use crate::web::rendering::{LANGUAGES, check, shell, visitor};

    #[test]
    fn the_notice_is_for_everybody() {
        for language in LANGUAGES {
            let stranger = Shell::of(&visitor(language), "Vos données");
            assert!(
                !check("privacy-stranger", language, &build(stranger, false, false))
                    .contains("/privacy/data")
            );
            let own = shell(language, &[Role::Requester], "Vos données", Section::Tickets);
            assert!(check("privacy", language, &build(own, true, false)).contains("/privacy/data.json"));
        }
    }
}
