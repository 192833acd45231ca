//! Stories of the slice, on both engines.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::*;
use crate::context::Context;
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, ActorKind, Role, Scope};
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::id::OrganisationId;
use crate::kernel::page::PageRequest;
use crate::kernel::time::{ManualClock, UtcMicros};
use crate::sites::{self, NewOrganisation, NewSite};

const PASSWORD: &str = "a long enough secret";

fn context(db: Db) -> (Context, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(UtcMicros::from_seconds(1_800_000_000)));
    (Context { db, clock: clock.clone(), entropy: Arc::new(SystemEntropy) }, clock)
}

async fn organisation(context: &Context, code: &str) -> OrganisationId {
    let mut tx = context.db.begin().await.expect("begin");
    let new = NewOrganisation {
        code: code.into(),
        name: code.into(),
        time_zone: "Europe/Paris".into(),
        demo: false,
    };
    let made =
        sites::create_organisation(&mut tx, context, &Actor::system(), new).await.expect("organisation");
    tx.commit().await.expect("commit");
    made.id
}

fn new_person(organisation_id: Option<OrganisationId>, email: &str, name: &str, roles: &[Role]) -> NewPerson {
    NewPerson {
        organisation_id,
        email: email.parse().expect("address"),
        name: name.into(),
        phone: String::new(),
        language: Language::Fr,
        default_site_id: None,
        roles: roles.to_vec(),
    }
}

async fn person(context: &Context, new: NewPerson) -> Person {
    let mut tx = context.db.begin().await.expect("begin");
    let made = create_person(&mut tx, context, &Actor::system(), new).await.expect("person");
    tx.commit().await.expect("commit");
    made
}

async fn technician(context: &Context) -> Person {
    let made =
        person(context, new_person(None, "tech@example.org", "Té Chnicien", &[Role::TechnicianN1])).await;
    set_password(context, &Actor::system(), made.id, PASSWORD.into()).await.expect("password");
    made
}

fn acting(person: &Person) -> Actor {
    actor_of(person).expect("may act")
}

db_test! {
    async fn a_person_signs_in_and_has_their_scope_and_roles(db: Db) {
        let (context, _clock) = context(db);
        let acme = organisation(&context, "ACME").await;
        let made = person(&context, new_person(Some(acme), "Luc@Example.org", "Luc", &[Role::Referent, Role::Requester])).await;
        set_password(&context, &Actor::system(), made.id, PASSWORD.into()).await.expect("password");
        let signed_in = sign_in(&context, " LUC@example.org ", PASSWORD.into()).await.expect("signed in");
        assert_eq!(signed_in.person.id, made.id);
        let session = find_session(&context, signed_in.token.expose_secret()).await.expect("find").expect("lives");
        assert_eq!(session.actor.scope, Scope::Organisation(acme));
        assert_eq!(session.actor.roles, [Role::Requester, Role::Referent]);
        assert_ne!(session.csrf_token, signed_in.token.expose_secret());
        sign_out(&context, signed_in.token.expose_secret()).await.expect("sign out");
        assert!(find_session(&context, signed_in.token.expose_secret()).await.expect("find").is_none());
    }
}

db_test! {
    async fn staff_without_an_organisation_see_all_and_a_requester_needs_one(db: Db) {
        let (context, _clock) = context(db);
        assert_eq!(acting(&technician(&context).await).scope, Scope::All);
        let mut tx = context.db.begin().await.expect("begin");
        for role in [Role::Requester, Role::Referent] {
            let new = new_person(None, "x@example.org", "X", &[role]);
            let error = create_person(&mut tx, &context, &Actor::system(), new).await.expect_err("refused");
            assert!(matches!(error, PeopleError::Invalid { field: "roles", .. }), "{role:?}: {error}");
        }
    }
}

db_test! {
    async fn five_failures_lock_known_and_unknown_addresses_alike(db: Db) {
        let (context, clock) = context(db);
        technician(&context).await;
        let mut answers = Vec::new();
        for email in ["tech@example.org", "nobody@example.org", "no address"] {
            let mut texts = Vec::new();
            for _ in 0..6 {
                texts.push(sign_in(&context, email, "wrong but long".into()).await.expect_err("refused").to_string());
            }
            answers.push(texts);
        }
        assert_eq!(answers[0][3], SignInError::Refused.to_string());
        assert!(answers[0][4].contains("locked"), "{}", answers[0][4]);
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
        let early = sign_in(&context, "tech@example.org", PASSWORD.into()).await.expect_err("locked");
        let until = UtcMicros::from_seconds(1_800_000_000) + Duration::from_mins(15);
        assert!(matches!(early, SignInError::Locked { until: it } if it == until), "{early:?}");
        clock.advance(Duration::from_mins(15));
        sign_in(&context, "tech@example.org", PASSWORD.into()).await.expect("the lock is over");
        for _ in 0..4 {
            let error = sign_in(&context, "tech@example.org", "wrong but long".into()).await.expect_err("refused");
            assert!(matches!(error, SignInError::Refused), "a success takes the count away: {error:?}");
        }
    }
}

db_test! {
    async fn attempts_in_parallel_do_not_outrun_the_lock(db: Db) {
        let (context, _clock) = context(db);
        technician(&context).await;
        let attempts = (0..12).map(|_| {
            let context = context.clone();
            tokio::spawn(async move { sign_in(&context, "tech@example.org", "wrong but long".into()).await })
        });
        let mut refused = 0;
        for attempt in attempts.collect::<Vec<_>>() {
            match attempt.await.expect("joined").expect_err("wrong password") {
                SignInError::Refused => refused += 1,
                SignInError::Locked { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(refused, 4, "the fifth is told of the lock it caused");
    }
}

db_test! {
    async fn a_session_ends_after_half_an_hour_without_use_and_after_twelve_hours(db: Db) {
        let (context, clock) = context(db);
        technician(&context).await;
        let idle = sign_in(&context, "tech@example.org", PASSWORD.into()).await.expect("signed in").token;
        let used = sign_in(&context, "tech@example.org", PASSWORD.into()).await.expect("signed in").token;
        for _ in 0..35 {
            clock.advance(Duration::from_mins(20));
            assert!(find_session(&context, used.expose_secret()).await.expect("find").is_some());
        }
        assert!(find_session(&context, idle.expose_secret()).await.expect("find").is_none());
        clock.advance(Duration::from_mins(20));
        assert!(find_session(&context, used.expose_secret()).await.expect("find").is_none(), "twelve hours");
        let mut tx = context.db.begin().await.expect("begin");
        assert_eq!(prune(&mut tx, &context).await.expect("prune"), 2);
    }
}

db_test! {
    async fn a_password_change_or_a_suspension_ends_every_session(db: Db) {
        let (context, _clock) = context(db);
        let made = technician(&context).await;
        let token = sign_in(&context, "tech@example.org", PASSWORD.into()).await.expect("signed in").token;
        set_password(&context, &acting(&made), made.id, "another long secret".into()).await.expect("own password");
        assert!(find_session(&context, token.expose_secret()).await.expect("find").is_none());
        sign_in(&context, "tech@example.org", PASSWORD.into()).await.expect_err("the old password is gone");
        let token = sign_in(&context, "tech@example.org", "another long secret".into()).await.expect("signed in").token;
        let mut tx = context.db.begin().await.expect("begin");
        set_status(&mut tx, &context, &Actor::system(), made.id, false).await.expect("suspend");
        tx.commit().await.expect("commit");
        assert!(find_session(&context, token.expose_secret()).await.expect("find").is_none());
        let error = sign_in(&context, "tech@example.org", "another long secret".into()).await.expect_err("suspended");
        assert!(matches!(error, SignInError::Refused));
    }
}

db_test! {
    async fn nobody_hands_out_more_than_they_have(db: Db) {
        let (context, _clock) = context(db);
        let (acme, other) = (organisation(&context, "ACME").await, organisation(&context, "OTHER").await);
        let admin = person(&context, new_person(Some(acme), "admin@example.org", "Admin", &[Role::Admin])).await;
        let requester = person(&context, new_person(Some(other), "r@example.org", "R", &[Role::Requester])).await;
        let mut tx = context.db.begin().await.expect("begin");
        for organisation in [None, Some(other)] {
            let new = new_person(organisation, "new@example.org", "New", &[Role::Admin]);
            let error = create_person(&mut tx, &context, &acting(&admin), new).await.expect_err("out of scope");
            assert!(matches!(error, PeopleError::Invalid { field: "organisation_id", .. }), "{error}");
            let key = NewApiKey { name: "k".into(), role: Role::Admin, organisation_id: organisation, expires_at: None };
            create_api_key(&mut tx, &context, &acting(&admin), key).await.expect_err("out of scope");
        }
        let error = set_roles(&mut tx, &context, &acting(&admin), requester.id, vec![Role::Admin]).await.expect_err("foreign");
        assert!(matches!(error, PeopleError::NotFound));
        let error = set_status(&mut tx, &context, &acting(&requester), admin.id, false).await.expect_err("no right");
        assert!(matches!(error, PeopleError::Forbidden));
        drop(tx);
        let error = set_password(&context, &acting(&requester), admin.id, PASSWORD.into()).await.expect_err("no right");
        assert!(matches!(error, PeopleError::Forbidden));
    }
}

db_test! {
    async fn people_are_found_by_name_without_accents_page_by_page(db: Db) {
        let (context, _clock) = context(db);
        let (acme, other) = (organisation(&context, "ACME").await, organisation(&context, "OTHER").await);
        for (index, name) in ["Élodie Martin", "Elodie Petit", "Zoé 100%"].iter().enumerate() {
            person(&context, new_person(Some(acme), &format!("p{index}@example.org"), name, &[Role::Requester])).await;
        }
        person(&context, new_person(Some(other), "p9@example.org", "Élodie Autre", &[Role::Requester])).await;
        let mut tx = context.db.read().await.expect("read");
        let scope = Scope::Organisation(acme);
        let names = |page: &Page| page.rows.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        let request = PageRequest { after: None, limit: 1 };
        let first = list_people(&mut tx, scope, "elodie example", &request).await.expect("list");
        assert_eq!(names(&first), ["Élodie Martin"]);
        let request = PageRequest::from_query(first.next.as_deref(), Some(1));
        let second = list_people(&mut tx, scope, "elodie example", &request).await.expect("list");
        assert_eq!(names(&second), ["Elodie Petit"]);
        assert!(second.next.is_none());
        let percent = list_people(&mut tx, scope, "100%", &PageRequest::first()).await.expect("list");
        assert_eq!(names(&percent), ["Zoé 100%"]);
        assert!(list_people(&mut tx, scope, "1_0", &PageRequest::first()).await.expect("list").rows.is_empty());
        assert_eq!(list_people(&mut tx, Scope::All, "élodie", &PageRequest::first()).await.expect("list").rows.len(), 3);
    }
}

type Page = crate::kernel::page::Page<Person>;

db_test! {
    async fn a_persons_facts_are_checked_and_changed(db: Db) {
        let (context, _clock) = context(db);
        let (acme, other) = (organisation(&context, "ACME").await, organisation(&context, "OTHER").await);
        let mut tx = context.db.begin().await.expect("begin");
        let system = Actor::system();
        let new = NewSite { organisation_id: other, name: "Lyon".into(), address: String::new(), main: true };
        let foreign = sites::create_site(&mut tx, &context, &system, new).await.expect("site");
        let wrong_site = NewPerson { default_site_id: Some(foreign.id), ..new_person(Some(acme), "a@example.org", "A", &[]) };
        let error = create_person(&mut tx, &context, &system, wrong_site).await.expect_err("foreign site");
        assert!(matches!(error, PeopleError::Invalid { field: "default_site_id", .. }));
        let made = create_person(&mut tx, &context, &system, new_person(Some(acme), "a@example.org", "A", &[])).await;
        let made = made.expect("person");
        let again = create_person(&mut tx, &context, &system, new_person(Some(acme), "A@example.org", "B", &[])).await;
        assert!(matches!(again.expect_err("taken"), PeopleError::Taken(_)));
        set_roles(&mut tx, &context, &system, made.id, vec![Role::Referent, Role::Referent]).await.expect("roles");
        tx.commit().await.expect("commit");
        set_language(&context, made.id, Language::En).await.expect("language");
        let mut tx = context.db.read().await.expect("read");
        let found = find_person_by_email(&mut tx, &made.email).await.expect("find").expect("some");
        assert_eq!((found.language, found.roles), (Language::En, vec![Role::Referent]));
    }
}

db_test! {
    async fn an_api_key_acts_until_it_expires_or_is_withdrawn(db: Db) {
        let (context, clock) = context(db);
        let acme = organisation(&context, "ACME").await;
        let mut tx = context.db.begin().await.expect("begin");
        let system = Actor::system();
        let tomorrow = context.now() + Duration::from_hours(24);
        let new = NewApiKey { name: "helpdesk".into(), role: Role::Peu, organisation_id: Some(acme), expires_at: Some(tomorrow) };
        let (id, key) = create_api_key(&mut tx, &context, &system, new.clone()).await.expect("key");
        clock.advance(Duration::from_millis(5));
        let (second_id, second) = create_api_key(&mut tx, &context, &system, NewApiKey { expires_at: None, ..new }).await.expect("key");
        tx.commit().await.expect("commit");
        assert_eq!(key.expose_secret().len(), 57);
        let actor = find_api_key_actor(&context, key.expose_secret()).await.expect("find").expect("works");
        assert_eq!((actor.kind, actor.scope, actor.label.as_str()), (ActorKind::ApiKey(id), Scope::Organisation(acme), "helpdesk"));
        let wrong = format!("parc_{}", "a".repeat(52));
        assert!(find_api_key_actor(&context, &wrong).await.expect("find").is_none());
        clock.advance(Duration::from_hours(24));
        assert!(find_api_key_actor(&context, key.expose_secret()).await.expect("find").is_none(), "expired");
        assert!(find_api_key_actor(&context, second.expose_secret()).await.expect("find").is_some());
        let mut tx = context.db.begin().await.expect("begin");
        revoke_api_key(&mut tx, &context, &system, second_id).await.expect("revoke");
        let error = revoke_api_key(&mut tx, &context, &system, second_id).await.expect_err("twice");
        assert!(matches!(error, PeopleError::NotFound));
        let keys = list_api_keys(&mut tx, Scope::Organisation(acme), &PageRequest::first()).await.expect("list").rows;
        assert_eq!(keys.iter().map(|it| (it.id, it.revoked_at.is_some())).collect::<Vec<_>>(), [(second_id, true), (id, false)]);
        tx.commit().await.expect("commit");
        assert!(find_api_key_actor(&context, second.expose_secret()).await.expect("find").is_none(), "withdrawn");
    }
}
