//! Who reads a page: a visitor (language, theme) and, when signed in, a reader with rights.

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use std::convert::Infallible;
use std::sync::Arc;

use super::{PageError, Section, Shell, Texts, WebState, texts};
use crate::branding::Brand;
use crate::db::Tx;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::error::ErrorKind;
use crate::kernel::time::Zone;
use crate::people::{self, Language, Person};
use crate::sites;

/// Cookie of the chosen language.
pub(crate) const LANGUAGE_COOKIE: &str = "lang";
/// Cookie of the chosen theme.
pub(crate) const THEME_COOKIE: &str = "theme";
/// Cookie that switches single-key shortcuts off.
pub(crate) const SHORTCUTS_COOKIE: &str = "shortcuts";

/// Light, dark, or as the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// From a cookie or form value.
    pub(crate) fn from_code(code: &str) -> Self {
        match code {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// Cookie and attribute value.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Anybody, signed in or not.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// By choice, else by the browser's wish.
    pub texts: Texts,
    /// Name, look and contact of the pages.
    pub brand: Arc<Brand>,
    pub theme: Theme,
    /// Single-key shortcuts are on.
    pub shortcuts: bool,
    /// Path and query of the page.
    pub here: String,
}

impl Visitor {
    /// From a request's head.
    pub(crate) fn of(headers: &HeaderMap, uri: &Uri, brand: Arc<Brand>) -> Self {
        let wished = headers.get(ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok()).unwrap_or("");
        let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(texts::spoken);
        Self {
            texts: Texts::of(chosen.unwrap_or_else(|| texts::negotiate(wished))),
            brand,
            theme: Theme::from_code(cookie(headers, THEME_COOKIE).unwrap_or("")),
            shortcuts: cookie(headers, SHORTCUTS_COOKIE) != Some("off"),
            here: uri.path_and_query().map_or_else(|| "/".into(), ToString::to_string),
        }
    }
}

impl FromRequestParts<WebState> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers, &parts.uri, state.brands.of(&state.context, None).await))
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'))
        .filter_map(|it| it.trim().split_once('='))
        .find(|it| it.0 == name)
        .map(|it| it.1)
}

/// A signed-in person.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub visitor: Visitor,
    pub actor: Actor,
    pub person: Person,
    /// Token every form of this session carries.
    pub csrf: String,
}

impl FromRequestParts<WebState> for Reader {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, PageError> {
        let stranger = || PageError::of(ErrorKind::Unauthenticated, "no session");
        let token = cookie(&parts.headers, session_cookie(state)).ok_or_else(stranger)?;
        let visitor = Visitor::of(&parts.headers, &parts.uri, Arc::default());
        Self::of_session(state, visitor, token).await?.ok_or_else(stranger)
    }
}

/// Name of the session's cookie: bound to this host where the browser can hold us to it.
pub(crate) fn session_cookie(state: &WebState) -> &'static str {
    if state.is_tls() { "__Host-parc" } else { "parc" }
}

impl Reader {
    /// Who the session's token stands for; `None` when the session is over or never was.
    pub(crate) async fn of_session(
        state: &WebState,
        mut visitor: Visitor,
        token: &str,
    ) -> Result<Option<Self>, PageError> {
        let Some(session) = people::find_session(&state.context, token).await? else { return Ok(None) };
        visitor.texts = Texts::of(session.person.language);
        visitor.brand = state.brands.of(&state.context, session.person.organisation_id).await;
        Ok(Some(Self { visitor, actor: session.actor, person: session.person, csrf: session.csrf_token }))
    }

    /// Refuses who may not.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), PageError> {
        if self.actor.may(permission) { Ok(()) } else { Err(PageError::forbidden()) }
    }

    /// The frame of a page for this reader.
    pub(crate) fn shell(&self, title: impl Into<String>, section: Section) -> Shell {
        self.frame(title, Some(section))
    }

    /// The frame of a page that belongs to no section, such as an error page.
    pub(crate) fn frame(&self, title: impl Into<String>, section: Option<Section>) -> Shell {
        Shell::of(&self.visitor, title).for_person(&self.person.name, &self.csrf, &self.actor, section)
    }

    /// The texts in the reader's language.
    pub(crate) fn texts(&self) -> Texts {
        self.visitor.texts
    }

    /// Language and wall clock of the reader: the organisation's zone; the provider's own staff, which has
    /// no organisation, reads lists on the clock of the first one.
    pub(crate) async fn zone(&self, tx: &mut Tx) -> Result<Zone, PageError> {
        if let Some(id) = self.person.organisation_id {
            return Ok(sites::find_organisation(tx, id).await?.map_or_else(Zone::utc, |it| it.zone()));
        }
        let all = sites::list_organisations(tx, self.actor.scope).await?;
        Ok(all.first().map_or_else(Zone::utc, sites::Organisation::zone))
    }

    /// The reader's language.
    pub(crate) fn language(&self) -> Language {
        self.visitor.texts.language()
    }
}
