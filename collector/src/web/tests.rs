//! The pages from outside: a whole router on a fresh database.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use tower::ServiceExt;

use super::{WebState, router};
use crate::context::Context;
use crate::db::testing::TestDb;
use crate::inventory::{HookFuture, TagBound, TagListener};
use crate::kernel::actor::{Actor, Role};
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::time::SystemClock;
use crate::people::{self, Language, NewPerson};

#[derive(Debug)]
struct Deaf;

impl TagListener for Deaf {
    fn tag_bound<'a>(&'a self, _: &'a mut crate::db::Tx, _: &'a TagBound) -> HookFuture<'a> {
        Box::pin(async { Ok(()) })
    }
}

fn pages(test: &TestDb, public_url: &str) -> (Router, Context) {
    let context =
        Context { db: test.db.clone(), clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) };
    let state = WebState {
        context: context.clone(),
        public_url: public_url.into(),
        agents_address: ([127, 0, 0, 1], 8443).into(),
        remote_tools: Arc::new([]),
        ticket_days: 1_096,
        authority_fingerprint: "00".into(),
        listener: Arc::new(Deaf),
        brands: Arc::default(),
        links: Arc::new(crate::tickets::link::LinkKey::new([7; 32])),
        signer: Arc::new(parc_mail::identity::Signer::new([7; 32], "parc.example")),
    };
    (router(state), context)
}

async fn ask(pages: &Router, request: Request<Body>) -> (Response<()>, String) {
    let (parts, body) = pages.clone().oneshot(request).await.expect("answer").into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("body");
    (Response::from_parts(parts, ()), String::from_utf8_lossy(&body).into_owned())
}

fn get(path: &str) -> axum::http::request::Builder {
    Request::get(path).header(header::ACCEPT_LANGUAGE, "en")
}

fn post(path: &str, cookie: &str, form: &str) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(form.to_owned()))
        .expect("request")
}

#[tokio::test]
async fn an_unknown_address_answers_in_the_readers_language_under_a_strict_policy() {
    let test = TestDb::sqlite().await;
    let (pages, _) = pages(&test, "http://127.0.0.1:8080");
    let (answer, body) = ask(&pages, get("/nothing/here").body(Body::empty()).expect("request")).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(body.contains("There is no such page") && body.contains("lang=\"en\""));
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let french =
        Request::get("/nothing").header(header::ACCEPT_LANGUAGE, "fr").body(Body::empty()).expect("request");
    assert!(ask(&pages, french).await.1.contains("existe pas"));
}

#[tokio::test]
async fn a_stranger_is_led_to_the_sign_in_and_back() {
    let test = TestDb::sqlite().await;
    let (pages, _) = pages(&test, "http://127.0.0.1:8080");
    let (answer, _) = ask(&pages, get("/parc?kind=laptop").body(Body::empty()).expect("request")).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()[header::LOCATION], "/sign-in?next=%2Fparc%3Fkind%3Dlaptop");
}

#[tokio::test]
async fn the_embedded_files_are_kept_for_ever_and_only_under_their_hash() {
    let test = TestDb::sqlite().await;
    let (pages, _) = pages(&test, "http://127.0.0.1:8080");
    let (answer, body) = ask(&pages, get(super::files::style()).body(Body::empty()).expect("request")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers()[header::CACHE_CONTROL].to_str().is_ok_and(|it| it.contains("immutable")));
    assert!(body.contains("color-scheme"));
    let (answer, _) =
        ask(&pages, get("/static/parc.0000000000000000.css").body(Body::empty()).expect("request")).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_person_signs_in_and_a_form_without_the_sessions_token_or_from_elsewhere_is_refused() {
    let test = TestDb::sqlite().await;
    let (pages, context) = pages(&test, "http://127.0.0.1:8080");
    let mut tx = context.db.begin().await.expect("begin");
    let new = NewPerson {
        organisation_id: None,
        email: "nadia@example.fr".parse().expect("address"),
        name: "Nadia Benali".into(),
        phone: String::new(),
        language: Language::En,
        default_site_id: None,
        roles: vec![Role::TechnicianN1],
    };
    let person = people::create_person(&mut tx, &context, &Actor::system(), new).await.expect("person");
    tx.commit().await.expect("commit");
    let password = "correct horse battery";
    people::set_password(&context, &Actor::system(), person.id, password.into()).await.expect("password");
    let form = |password: &str| {
        format!("email=nadia%40example.fr&password={}&next=%2Ftickets", password.replace(' ', "+"))
    };
    let (answer, body) = ask(&pages, post("/sign-in", "", &form("wrong password"))).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(body.contains("nadia@example.fr") && !body.contains("wrong password"));
    let (answer, _) = ask(&pages, post("/sign-in", "", &form(password))).await;
    assert_eq!(answer.headers()[header::LOCATION], "/tickets");
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("cookie").to_owned();
    assert!(
        cookie.starts_with("parc=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap_or("").to_owned();
    let queue = get("/tickets").header(header::COOKIE, &cookie).body(Body::empty()).expect("request");
    let (answer, body) = ask(&pages, queue).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(body.contains("The queue is empty"));
    let (answer, _) = ask(&pages, post("/sign-out", &cookie, "csrf=guessed")).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let token =
        body.split("name=\"csrf\" value=\"").nth(1).and_then(|it| it.split('"').next()).expect("token");
    let mut foreign = post("/sign-out", &cookie, &format!("csrf={token}"));
    foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("value"));
    assert_eq!(ask(&pages, foreign).await.0.status(), StatusCode::FORBIDDEN);
    let (answer, _) = ask(&pages, post("/sign-out", &cookie, &format!("csrf={token}"))).await;
    assert_eq!(answer.headers()[header::LOCATION], "/sign-in");
}

/// A person with a role and the password below.
async fn with_person(context: &Context, email: &str, role: Role) {
    let mut tx = context.db.begin().await.expect("begin");
    let new = NewPerson {
        organisation_id: None,
        email: email.parse().expect("address"),
        name: "Alex Martin".into(),
        phone: String::new(),
        language: Language::Fr,
        default_site_id: None,
        roles: vec![role],
    };
    let person = people::create_person(&mut tx, context, &Actor::system(), new).await.expect("person");
    tx.commit().await.expect("commit");
    let password = "correct horse battery";
    people::set_password(context, &Actor::system(), person.id, password.into()).await.expect("password");
}

/// Signs in with these cookies; gives the session's cookie.
async fn signed_in(pages: &Router, email: &str, cookies: &str) -> String {
    let form = format!("email={}&password=correct+horse+battery", email.replace('@', "%40"));
    let (answer, _) = ask(pages, post("/sign-in", cookies, &form)).await;
    assert_eq!(answer.headers()[header::LOCATION], "/");
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("cookie");
    cookie.split(';').next().unwrap_or("").to_owned()
}

#[tokio::test]
async fn an_administrator_lands_on_a_readable_page_and_finds_the_way_out_of_a_refused_one() {
    let test = TestDb::sqlite().await;
    let (pages, context) = pages(&test, "http://127.0.0.1:8080");
    with_person(&context, "alex@example.fr", Role::Admin).await;
    let cookie = signed_in(&pages, "alex@example.fr", "").await;
    let page = |path: &str| get(path).header(header::COOKIE, &cookie).body(Body::empty()).expect("request");
    let (home, _) = ask(&pages, page("/")).await;
    let landing = home.headers()[header::LOCATION].to_str().expect("address").to_owned();
    assert_eq!(ask(&pages, page(&landing)).await.0.status(), StatusCode::OK, "{landing}");
    let (answer, body) = ask(&pages, page("/nothing/here")).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(body.contains("action=\"/sign-out\"") && body.contains("href=\"/agents\""));
    assert!(body.contains("lang=\"fr\""), "the person's language, not the browser's");
}

#[tokio::test]
async fn a_language_chosen_before_signing_in_stays_and_does_not_pass_to_the_next_person() {
    let test = TestDb::sqlite().await;
    let (pages, context) = pages(&test, "http://127.0.0.1:8080");
    with_person(&context, "alex@example.fr", Role::TechnicianN1).await;
    with_person(&context, "jo@example.fr", Role::TechnicianN1).await;
    let (_, first) = queue_of(&pages, &signed_in(&pages, "alex@example.fr", "lang=en").await).await;
    assert!(first.contains("<html lang=\"en\""));
    let (_, next) = queue_of(&pages, &signed_in(&pages, "jo@example.fr", "lang=en-of-person").await).await;
    assert!(next.contains("<html lang=\"fr\""));
}

async fn queue_of(pages: &Router, cookie: &str) -> (Response<()>, String) {
    ask(pages, get("/tickets").header(header::COOKIE, cookie).body(Body::empty()).expect("request")).await
}

#[test]
fn the_enroll_command_names_the_host_people_use_and_the_port_agents_use() {
    let address = |url: &str| {
        let host = url.split_once("://").map_or(url, |it| it.1);
        super::agents_url(host, 8443)
    };
    assert_eq!(address("https://parc.example"), "https://parc.example:8443");
    assert_eq!(address("http://127.0.0.1:8080"), "https://127.0.0.1:8443");
    assert_eq!(address("http://[::1]:8080/"), "https://[::1]:8443");
}
