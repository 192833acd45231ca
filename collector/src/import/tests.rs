//! Lists on both engines.

use axum::http::StatusCode;

use super::*;
use crate::api::testing::{Desk, actor};
use crate::db::Db;
use crate::db_test;
use crate::inventory;
use crate::kernel::actor::Role;
use crate::people;
use crate::web::testing::Site;

async fn imported(desk: &Desk, kind: Kind, text: &str, dry_run: bool) -> Outcome {
    run(&desk.context, &Actor::system(), kind, text.as_bytes(), dry_run).await.expect("looked at")
}

const PERSONS: &str = "Organisation;Mail;Nom;Téléphone;Site;Rôles;Identifiant\n\
    NOVA;lea@nova.example;Léa Petit;04 72 00 00 01;Lyon;referent requester;lea.petit\n\
    NOVA;max@nova.example;Max Blanc;;;;\n";

db_test! {
    async fn a_whole_client_comes_in_by_four_lists_and_again_without_harm(db: Db) {
        let desk = Desk::open(db).await;
        let lists = [
            (Kind::Organisations, "code;nom\nNOVA;Nova SARL\n"),
            (Kind::Sites, "organisation;nom;principal\nNOVA;Lyon;oui\nNOVA;Paris;\n"),
            (Kind::Persons, PERSONS),
            (Kind::Machines, "organisation;N° d'inventaire;site;personne;marque;modèle;n° de série;acheté le\n\
                NOVA;PC-001;Lyon;lea@nova.example;Dell;Latitude;S1;2025-03-01\n"),
        ];
        for (kind, text) in lists {
            let tried = imported(&desk, kind, text, true).await;
            assert!(tried.problems.is_empty() && !tried.kept && tried.made == tried.rows, "{kind:?} {tried:?}");
            let done = imported(&desk, kind, text, false).await;
            assert!(done.kept && done.made == done.rows, "{kind:?} {done:?}");
            let again = imported(&desk, kind, text, false).await;
            assert_eq!((again.made, again.known), (0, again.rows), "{kind:?}");
        }
        let mut tx = desk.context.db.read().await.expect("read");
        let lea = people::find_person_by_identifier(&mut tx, "lea.petit").await.expect("find").expect("Léa");
        assert_eq!(lea.roles, [Role::Requester, Role::Referent]);
        let own = inventory::list_cis_of_person(&mut tx, lea.id).await.expect("list");
        assert_eq!((own.len(), own[0].tag.as_deref(), own[0].serial.as_str()), (1, Some("PC-001"), "S1"));
    }
}

db_test! {
    async fn every_bad_line_is_named_with_its_column_and_nothing_is_kept(db: Db) {
        let desk = Desk::open(db).await;
        let text = "organisation;email;name;language;site;roles;login\n\
            ACME;new@acme.example;New;fr;;;\n\
            NOWHERE;a@b.example;A;fr;;;\n\
            ACME;not an address;B;de;Nantes;chief;\n\
            ACME;;;;;;\n\
            UMBRELLA;rita@acme.example;Rita;;;;\n\
            ACME;c@acme.example;C;;;;x\n";
        let outcome = imported(&desk, Kind::Persons, text, false).await;
        let told: Vec<(usize, &str, Reason)> =
            outcome.problems.iter().map(|it| (it.line, it.column.as_str(), it.reason)).collect();
        assert_eq!(told, [
            (3, "organisation", Reason::Unknown),
            (4, "site", Reason::Unknown), (4, "email", Reason::Malformed), (4, "language", Reason::Malformed), (4, "roles", Reason::Malformed),
            (5, "email", Reason::Empty), (5, "name", Reason::Empty),
            (6, "email", Reason::Taken),
            (7, "login", Reason::Malformed),
        ]);
        assert_eq!(outcome.problems[0].to_string(), "line 3, organisation \"NOWHERE\" names nothing that is known");
        assert!(!outcome.kept);
        let mut tx = desk.context.db.read().await.expect("read");
        assert!(people::find_person_by_email(&mut tx, &"new@acme.example".parse().expect("address")).await.expect("find").is_none());
        let machines = imported(&desk, Kind::Machines, "organisation;tag;purchased_on\nACME;Default string;\nACME;PC-1;soon\n", false).await;
        let columns: Vec<&str> = machines.problems.iter().map(|it| it.column.as_str()).collect();
        assert_eq!(columns, ["tag", "purchased_on"]);
    }
}

db_test! {
    async fn only_administrators_of_everything_import(db: Db) {
        let desk = Desk::open(db).await;
        for person in [&desk.requester, &desk.technician, &desk.lead] {
            let refused = run(&desk.context, &actor(person), Kind::Sites, b"", true).await;
            assert!(matches!(refused, Err(ImportError::Forbidden)));
        }
    }
}

db_test! {
    async fn the_page_tries_first_and_imports_the_same_file_afterwards(db: Db) {
        let site = Site::open(db).await;
        let admin = site.desk.person(None, "ada@desk.example", Role::Admin).await;
        let ada = site.sign_in(&admin).await;
        let bad = ada.upload("/import", &[("kind", "sites")], &[("sites.csv", b"organisation;nom\nNOWHERE;Lyon\n")]).await;
        assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(bad.body.contains("NOWHERE") && !bad.body.contains("name=\"kept\""), "{}", bad.body);
        let good = ada.upload("/import", &[("kind", "sites")], &[("sites.csv", b"organisation;nom\nACME;Nantes\n")]).await;
        assert_eq!(good.status, StatusCode::OK, "{}", good.body);
        let kept = good.field("kept");
        let done = ada.post("/import", &[("kind", "sites"), ("kept", &kept)]).await;
        assert!(done.body.contains("Imported"), "{}", done.body);
        let mut tx = site.desk.context.db.read().await.expect("read");
        assert!(crate::sites::find_site_by_name(&mut tx, site.desk.acme.id, "Nantes").await.expect("find").is_some());
        let rita = site.sign_in(&site.desk.requester).await;
        assert_eq!(rita.get("/import").await.status, StatusCode::FORBIDDEN);
        assert_eq!(ada.get("/import/sites.csv").await.body.trim_start_matches('\u{feff}').trim(), "organisation;name;address;main");
    }
}
