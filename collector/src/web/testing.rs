//! For tests of slices: the whole router on a desk with two organisations, people signed in, forms posted with
//! their token as a browser does.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use tower::ServiceExt;

use super::links::encode;
use super::{WebState, router};
use crate::api::testing::Desk;
use crate::db::{Db, Tx};
use crate::inventory::{HookFuture, TagBound, TagListener};
use crate::kernel::actor::Actor;
use crate::people::{self, Person};

/// The password of everybody who signs in here.
pub(crate) const PASSWORD: &str = "correct horse battery";

#[derive(Debug)]
struct Deaf;

impl TagListener for Deaf {
    fn tag_bound<'a>(&'a self, _: &'a mut Tx, _: &'a TagBound) -> HookFuture<'a> {
        Box::pin(async { Ok(()) })
    }
}

/// The pages and the desk behind them.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) desk: Desk,
    router: Router,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: String,
}

impl Page {
    /// Where it leads.
    pub(crate) fn location(&self) -> &str {
        self.headers.get(header::LOCATION).and_then(|it| it.to_str().ok()).unwrap_or_default()
    }

    /// The value of the first field with that name.
    pub(crate) fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let found = self.body.split(&mark).nth(1).and_then(|it| it.split('"').next());
        found.unwrap_or_else(|| panic!("no field {name} in {}", self.body)).to_owned()
    }
}

/// Somebody with or without a session.
#[derive(Debug)]
pub(crate) struct Visit {
    router: Router,
    pub(crate) cookie: String,
}

impl Site {
    pub(crate) async fn open(db: Db) -> Self {
        let desk = Desk::open(db).await;
        let state = WebState {
            context: desk.context.clone(),
            public_url: "http://parc.example".into(),
            agents_address: ([127, 0, 0, 1], 8443).into(),
            remote_tools: Arc::new([]),
            ticket_days: 1_096,
            authority_fingerprint: "00".into(),
            listener: Arc::new(Deaf),
            brands: Arc::default(),
            links: Arc::new(crate::tickets::link::LinkKey::new([7; 32])),
            signer: Arc::new(parc_mail::identity::Signer::new([7; 32], "parc.example")),
        };
        Self { desk, router: router(state) }
    }

    /// Somebody who is not signed in.
    pub(crate) fn stranger(&self) -> Visit {
        Visit { router: self.router.clone(), cookie: String::new() }
    }

    /// Gives the person the password of all and signs in.
    pub(crate) async fn sign_in(&self, person: &Person) -> Visit {
        people::set_password(&self.desk.context, &Actor::system(), person.id, PASSWORD.into())
            .await
            .expect("password");
        let mut visit = self.stranger();
        let page = visit.send("/sign-in", &[("email", person.email.as_str()), ("password", PASSWORD)]).await;
        let cookie = page.headers.get(header::SET_COOKIE).and_then(|it| it.to_str().ok()).expect("a session");
        visit.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        visit
    }
}

impl Visit {
    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_LANGUAGE, "en")
            .header(header::COOKIE, &self.cookie)
            .header("sec-fetch-site", "same-origin")
    }

    async fn answered(&self, request: Request<Body>) -> Page {
        let (parts, body) = self.router.clone().oneshot(request).await.expect("answer").into_parts();
        let bytes = to_bytes(body, 64 << 20).await.expect("body").to_vec();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Page { status: parts.status, headers: parts.headers, bytes, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.answered(self.request("GET", path).body(Body::empty()).expect("request")).await
    }

    /// Posts these fields and no others.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let form: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.join("&")))
            .expect("request");
        self.answered(request).await
    }

    /// The token of the session's forms.
    pub(crate) async fn token(&self) -> String {
        self.get("/nothing/here").await.field("csrf")
    }

    /// Posts these fields with the session's token.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token().await;
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.send(path, &all).await
    }

    /// Posts fields and files with the session's token.
    pub(crate) async fn upload(&self, path: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Page {
        let token = self.token().await;
        let mut body = Vec::new();
        for (name, value) in [("csrf", token.as_str())].iter().chain(fields) {
            let head = format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        for (name, content) in files {
            let head = format!(
                "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--B--\r\n");
        let request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=B")
            .body(Body::from(body))
            .expect("request");
        self.answered(request).await
    }
}
