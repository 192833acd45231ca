//! The people's edge: server-rendered pages in French and English that work without script.
//!
//! This module is the toolkit (texts, numbers, shell, forms, guard, embedded files) and the router that
//! joins the slices' pages; a page itself lies in its slice, template beside handler. A page is a view
//! struct: every decision is made while the struct is built, the template only loops and tests.
//!
//! Invariants: no inline script or style anywhere (the content security policy forbids it); every form
//! carries the session's token and every unsafe request is checked for its origin; a failure shows a page
//! with an incident number, never a cause.

pub(crate) mod error;
pub(crate) mod files;
pub(crate) mod forms;
pub(crate) mod guard;
pub(crate) mod icons;
pub(crate) mod links;
pub(crate) mod numbers;
pub(crate) mod parts;
pub(crate) mod preferences;
pub(crate) mod reader;
#[cfg(test)]
pub(crate) mod rendering;
pub(crate) mod shell;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod texts;
pub(crate) mod words;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;

use crate::branding::Brands;
use crate::context::Context;
use crate::inventory::TagListener;

pub(crate) use error::PageError;
pub(crate) use forms::{Asked, Posted, Uploaded};
pub(crate) use numbers::Stamp;
pub(crate) use reader::{Reader, Visitor};
pub(crate) use shell::{Section, Shell};
pub(crate) use texts::Texts;

/// Bytes of a posted form: 8,000 characters of description, percent-encoded at their widest, with room.
const FORM_BYTES_MAX: usize = 256 * 1024;

/// What the pages are given.
#[derive(Clone, Debug)]
pub struct WebState {
    /// Database, clock, randomness.
    pub context: Context,
    /// Where people reach the pages, without a trailing slash: `https://parc.example`. With `https` the
    /// session cookie is `Secure` and carries the `__Host-` prefix.
    pub public_url: Arc<str>,
    /// Where the collector listens for agents; the `enroll` command names this port on the host of `public_url`.
    pub agents_address: SocketAddr,
    /// Days after its end that a ticket keeps people and texts.
    pub ticket_days: u64,
    /// Programs with which technicians take over screens, the usual one first.
    pub remote_tools: Arc<[crate::config::RemoteTool]>,
    /// Fingerprint of the certificate authority, put into enroll tokens.
    pub authority_fingerprint: Arc<str>,
    /// Told when a tag is bound by hand, so that waiting tickets get their machine.
    pub listener: Arc<dyn TagListener>,
    /// Names, colours and contacts of the organisations.
    pub brands: Arc<Brands>,
    /// Opens the signed addresses that workstations hand their people.
    pub links: Arc<crate::tickets::link::LinkKey>,
    /// Opens the signed addresses that stand in mails.
    pub signer: Arc<parc_mail::identity::Signer>,
}

impl WebState {
    /// Whether people come over TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Where agents reach the collector: the host people use, the port agents use.
    pub(crate) fn agents_url(&self) -> String {
        let host = self.public_url.split_once("://").map_or(&*self.public_url, |it| it.1);
        agents_url(host, self.agents_address.port())
    }
}

fn agents_url(host: &str, port: u16) -> String {
    let host = host.split('/').next().unwrap_or(host);
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        _ => host,
    };
    format!("https://{name}:{port}")
}

/// All pages. Has its own fallback (the page that says that there is no such page), so it is mounted with
/// `fallback_service` beside `/api/v1`.
pub fn router(state: WebState) -> Router {
    Router::new()
        .merge(preferences::routes())
        .merge(files::routes())
        .merge(crate::branding::web::routes())
        .merge(crate::sites::web::routes())
        .merge(crate::people::web::routes())
        .merge(crate::teams::web::routes())
        .merge(crate::mail::web::routes())
        .merge(crate::tickets::web::routes())
        .merge(crate::surveys::web::routes())
        .merge(crate::import::web::routes())
        .merge(crate::inventory::web::routes())
        .merge(crate::agents::web::routes())
        .merge(crate::visits::web::routes())
        .merge(crate::loans::web::routes())
        .merge(crate::remote::web::routes())
        .merge(crate::reports::web::routes())
        .merge(crate::calendars::web::routes())
        .merge(crate::contracts::web::routes())
        .merge(crate::privacy::web::routes())
        .merge(crate::search::web::routes())
        .fallback(error::no_such_page)
        .method_not_allowed_fallback(error::no_such_page)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}
