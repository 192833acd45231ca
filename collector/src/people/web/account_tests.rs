//! Accounts from outside: signing in, links, one's own page, the list of authorised people.

use axum::http::StatusCode;
use secrecy::ExposeSecret;

use crate::api::testing::{Desk, actor};
use crate::audit;
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::page::PageRequest;
use crate::kernel::time::days;
use crate::mail::{self, OutboxFilter};
use crate::people::{self, LinkPurpose, Person};
use crate::web::testing::{PASSWORD, Site};

const NEW_PASSWORD: &str = "une phrase bien longue";

/// How many mails of a template wait for an address.
async fn mails(desk: &Desk, template: &str, address: &str) -> usize {
    let mut tx = desk.context.db.read().await.expect("read");
    let filter = OutboxFilter { query: address.into(), ..OutboxFilter::default() };
    let page =
        mail::list_outbox(&mut tx, &Actor::system(), &filter, &PageRequest::first()).await.expect("list");
    page.rows.iter().filter(|it| it.template == template).count()
}

/// The answer comes before the work: waits until it is done.
async fn settled(desk: &Desk, template: &str, address: &str, wanted: usize) {
    for _ in 0..200 {
        if mails(desk, template, address).await == wanted {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(mails(desk, template, address).await, wanted, "mails to {address}");
}

async fn link(desk: &Desk, person: &Person, purpose: LinkPurpose) -> String {
    let mut tx = desk.context.db.begin().await.expect("begin");
    let token = people::issue_link(&mut tx, &desk.context, person.id, purpose).await.expect("token");
    tx.commit().await.expect("commit");
    format!("/password/{}", token.expose_secret())
}

db_test! {
    async fn one_page_answers_every_address_and_a_mailbox_is_not_flooded(db: Db) {
        let site = Site::open(db).await;
        let stranger = site.stranger();
        let known = stranger.send("/password", &[("email", " RITA@acme.example ")]).await;
        let unknown = stranger.send("/password", &[("email", "nobody@acme.example")]).await;
        assert_eq!((known.status, &known.body), (StatusCode::OK, &unknown.body));
        assert!(known.body.contains("IT contact") && !known.body.contains("rita"));
        settled(&site.desk, "password-reset", "rita@acme.example", 1).await;
        site.desk.clock.advance(std::time::Duration::from_mins(1));
        for _ in 0..5 {
            stranger.send("/password", &[("email", "rita@acme.example")]).await;
            site.desk.clock.advance(std::time::Duration::from_secs(1));
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        }
        settled(&site.desk, "password-reset", "rita@acme.example", 3).await;
        assert_eq!(mails(&site.desk, "password-reset", "nobody@acme.example").await, 0);
    }
}

db_test! {
    async fn a_link_sets_a_password_once_and_ends_what_the_old_one_led_to(db: Db) {
        let site = Site::open(db).await;
        let rita = site.sign_in(&site.desk.requester).await;
        let earlier = link(&site.desk, &site.desk.requester, LinkPurpose::First).await;
        let path = link(&site.desk, &site.desk.requester, LinkPurpose::Reset).await;
        let stranger = site.stranger();
        assert_eq!(stranger.get(&earlier).await.status, StatusCode::NOT_FOUND, "a newer one replaced it");
        assert!(stranger.get(&path).await.body.contains("rita@acme.example"));
        let differ = stranger.send(&path, &[("password", NEW_PASSWORD), ("again", "other")]).await;
        assert_eq!(differ.status, StatusCode::UNPROCESSABLE_ENTITY);
        let weak = stranger.send(&path, &[("password", "short"), ("again", "short")]).await;
        assert!(weak.status == StatusCode::UNPROCESSABLE_ENTITY && weak.body.contains("12"));
        let chosen = [("password", NEW_PASSWORD), ("again", NEW_PASSWORD)];
        assert_eq!(stranger.send(&path, &chosen).await.location(), "/sign-in?done=password");
        assert_eq!(stranger.send(&path, &chosen).await.status, StatusCode::NOT_FOUND, "works once");
        assert!(rita.get("/").await.location().starts_with("/sign-in"), "the session is over");
        let signed_in = stranger.send("/sign-in", &[("email", "rita@acme.example"), ("password", NEW_PASSWORD)]).await;
        assert_eq!(signed_in.location(), "/");
        let old = stranger.send("/sign-in", &[("email", "rita@acme.example"), ("password", PASSWORD)]).await;
        assert_eq!(old.status, StatusCode::UNPROCESSABLE_ENTITY);
        let late = link(&site.desk, &site.desk.requester, LinkPurpose::Reset).await;
        site.desk.clock.advance(days(1));
        assert_eq!(stranger.get(&late).await.status, StatusCode::NOT_FOUND);
        assert_eq!(stranger.get("/password/x").await.status, StatusCode::NOT_FOUND);
    }
}

db_test! {
    async fn people_sign_in_by_short_name_and_keep_their_own_account(db: Db) {
        let site = Site::open(db).await;
        let mut tx = site.desk.context.db.begin().await.expect("begin");
        people::set_login(&mut tx, &site.desk.context, &Actor::system(), site.desk.requester.id, "Rita.A").await.expect("login");
        tx.commit().await.expect("commit");
        site.sign_in(&site.desk.requester).await;
        let by_name = site.stranger().send("/sign-in", &[("email", "RITA.A"), ("password", PASSWORD)]).await;
        assert_eq!(by_name.location(), "/", "{}", by_name.body);
        let rita = site.sign_in(&site.desk.requester).await;
        let page = rita.get("/account").await;
        assert!(page.body.contains("rita.a") && page.body.contains("Lyon"));
        let kept = rita.post("/account", &[("language", "fr"), ("phone", "04 72 11 11 11"), ("site", "")]).await;
        assert_eq!(kept.location(), "/account?done=account", "{}", kept.body);
        let page = rita.get("/account").await;
        assert!(page.body.contains("lang=\"fr\"") && page.body.contains("04 72 11 11 11"));
        let foreign = uuid::Uuid::nil().to_string();
        let refused = rita.post("/account", &[("language", "fr"), ("site", &foreign)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        let wrong = rita.post("/account/password", &[("current", "wrong wrong wrong"), ("password", NEW_PASSWORD), ("again", NEW_PASSWORD)]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        let changed = rita.post("/account/password", &[("current", PASSWORD), ("password", NEW_PASSWORD), ("again", NEW_PASSWORD)]).await;
        assert_eq!(changed.location(), "/sign-in?done=password", "{}", changed.body);
    }
}

db_test! {
    async fn a_referent_keeps_the_list_of_the_own_organisation_and_sees_no_other(db: Db) {
        let site = Site::open(db).await;
        let desk = &site.desk;
        let referent = desk.person(Some(desk.acme.id), "remi@acme.example", Role::Referent).await;
        let remi = site.sign_in(&referent).await;
        let list = remi.get("/people").await;
        assert!(list.body.contains("carl@acme.example"));
        for hidden in ["sven@umbrella.example", "tom@desk.example", "UMBRELLA"] {
            assert!(!list.body.contains(hidden), "{hidden}");
        }
        let umbrella = desk.umbrella.id.to_string();
        let fields = [("name", "Nina Roy"), ("email", "Nina@acme.example"), ("language", "fr"), ("organisation", umbrella.as_str()), ("role", "admin")];
        assert_eq!(remi.post("/people/new", &fields).await.status, StatusCode::FORBIDDEN, "roles are not his to give");
        let added = remi.post("/people/new", &fields[..4]).await;
        assert_eq!(added.location(), "/people?done=person-added", "{}", added.body);
        assert_eq!(mails(desk, "password-first", "nina@acme.example").await, 1);
        let mut tx = desk.context.db.read().await.expect("read");
        let nina = people::find_person_by_email(&mut tx, &"nina@acme.example".parse().expect("address")).await.expect("find").expect("Nina");
        assert_eq!((nina.organisation_id, nina.roles.as_slice()), (Some(desk.acme.id), &[Role::Requester][..]));
        drop(tx);
        for (email, status) in [("nina@acme.example", 422), ("sven@umbrella.example", 422), ("nonsense", 422)] {
            let again = remi.post("/people/new", &[("name", "X"), ("email", email)]).await;
            assert_eq!(again.status.as_u16(), status, "{email}");
        }
        let path = format!("/people/{}", nina.id);
        for (action, location) in [("suspend", "done=person-changed"), ("reactivate", "done=person-changed"), ("link", "done=person-link"), ("remove", "done=person-removed")] {
            let done = remi.post(&format!("{path}/{action}"), &[]).await;
            assert!(done.location().ends_with(location), "{action} {} {}", done.status, done.body);
        }
        assert!(!remi.get("/people").await.body.contains("nina@"));
        let back = remi.post("/people/new", &[("name", "Nina R"), ("email", "nina@acme.example")]).await;
        assert_eq!(back.location(), "/people?done=person-added", "{}", back.body);
        let mut tx = desk.context.db.begin().await.expect("begin");
        let deeds = audit::deeds_of(&mut tx, &nina.id.to_string()).await.expect("deeds");
        let mut told: Vec<&str> = deeds.iter().map(|it| it.0.as_str()).collect();
        // All at one moment of the test's clock.
        told.sort_unstable();
        assert_eq!(told, ["person.created", "person.reactivated", "person.removed", "person.restored", "person.suspended"]);
    }
}

db_test! {
    async fn nobody_manages_who_is_elsewhere_or_stands_higher(db: Db) {
        let site = Site::open(db).await;
        let desk = &site.desk;
        let referent = desk.person(Some(desk.acme.id), "remi@acme.example", Role::Referent).await;
        let remi = site.sign_in(&referent).await;
        let lena = site.sign_in(&desk.lead).await;
        let nothing = remi.get(&format!("/people/{}", uuid::Uuid::nil())).await;
        for person in [&desk.stranger, &desk.technician, &desk.lead, &referent] {
            let page = remi.get(&format!("/people/{}", person.id)).await;
            assert_eq!((page.status, page.body.len()), (StatusCode::NOT_FOUND, nothing.body.len()), "{}", person.email);
            let done = remi.post(&format!("/people/{}/suspend", person.id), &[]).await;
            assert_eq!(done.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(lena.get(&format!("/people/{}", desk.stranger.id)).await.status, StatusCode::OK);
        assert_eq!(lena.get(&format!("/people/{}", desk.technician.id)).await.status, StatusCode::NOT_FOUND);
        let rita = site.sign_in(&desk.requester).await;
        assert_eq!(rita.get("/people").await.status, StatusCode::FORBIDDEN);
        let mut tx = desk.context.db.begin().await.expect("begin");
        let remi = actor(&referent);
        let refused = people::remove_person(&mut tx, &desk.context, &remi, desk.stranger.id).await;
        assert!(matches!(refused, Err(people::PeopleError::NotFound)));
    }
}
