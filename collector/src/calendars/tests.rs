//! Use cases on both engines, and the REST door.

use axum::http::StatusCode;
use serde_json::json;

use super::*;
use crate::api::testing::{Desk, answer, assert_documented, request};
use crate::db::{Db, Tx};
use crate::db_test;
use crate::kernel::actor::{Actor, Role, Scope};
use crate::kernel::id::OrganisationId;

fn hours(text: &str) -> CalendarHours {
    CalendarHours {
        time_zone: "Europe/Paris".into(),
        hours: text.into(),
        holidays: "france".into(),
        exceptions: String::new(),
    }
}

fn new(organisation_id: Option<OrganisationId>, name: &str, standard: bool, text: &str) -> NewCalendar {
    NewCalendar { organisation_id, name: name.into(), standard, hours: hours(text) }
}

async fn make(tx: &mut Tx, desk: &Desk, new: NewCalendar) -> Result<ServiceCalendar, CalendarError> {
    create_calendar(tx, &desk.context, &Actor::system(), new).await
}

db_test! {
    async fn every_organisation_has_the_providers_hours_until_it_has_its_own(db: Db) {
        let desk = Desk::open(db).await;
        let mut tx = desk.context.db.begin().await.expect("begin");
        let shared = standard_version(&mut tx, desk.acme.id).await.expect("the provider's");
        let own = make(&mut tx, &desk, new(Some(desk.acme.id), "Acme", true, "mon-sat 07:00-19:00")).await;
        let own = own.expect("made");
        assert_eq!(standard_version(&mut tx, desk.acme.id).await.expect("own"), own.present());
        assert_eq!(standard_version(&mut tx, desk.umbrella.id).await.expect("shared"), shared);
        let night = make(&mut tx, &desk, new(Some(desk.acme.id), "Night", true, "mon-sun 20:00-24:00")).await;
        assert_eq!(standard_version(&mut tx, desk.acme.id).await.expect("own"), night.expect("made").present());
        let again = make(&mut tx, &desk, new(Some(desk.acme.id), "Night", false, "mon 08:00-09:00")).await;
        assert!(matches!(again, Err(CalendarError::Taken(name)) if name == "Night"));
    }
}

db_test! {
    async fn other_hours_make_the_next_version_and_leave_the_one_before(db: Db) {
        let desk = Desk::open(db).await;
        let mut tx = desk.context.db.begin().await.expect("begin");
        let system = Actor::system();
        let made = make(&mut tx, &desk, new(None, "Office", false, "mon-fri 8:00-12:00")).await.expect("made");
        assert_eq!((made.version, made.hours.hours.as_str()), (1, "mon-fri 08:00-12:00"));
        let renamed = NewCalendar { name: "Offices".into(), ..new(None, "", false, "mon-fri 08:00-12:00") };
        let renamed = change_calendar(&mut tx, &desk.context, &system, made.present(), renamed).await;
        assert_eq!(renamed.map(|it| (it.version, it.name)).expect("renamed"), (1, "Offices".into()));
        let longer = new(None, "Offices", false, "mon-fri 08:00-18:00");
        let longer = change_calendar(&mut tx, &desk.context, &system, made.present(), longer).await;
        let longer = longer.expect("changed");
        assert_eq!(longer.version, 2);
        let stale = change_calendar(&mut tx, &desk.context, &system, made.present(), new(None, "x", false, "mon 08:00-09:00")).await;
        assert!(matches!(stale, Err(CalendarError::Stale { current: 2 })));
        let measured = load_measured(&mut tx, [made.present(), longer.present()]).await.expect("loaded");
        let day = |version| measured.of(Some(version)).expect("known").target_day().as_secs() / 3_600;
        assert_eq!((day(made.present()), day(longer.present())), (4, 10));
    }
}

db_test! {
    async fn the_provider_always_keeps_a_standard_calendar(db: Db) {
        let desk = Desk::open(db).await;
        let mut tx = desk.context.db.begin().await.expect("begin");
        let all = list_calendars(&mut tx, Scope::All).await.expect("list");
        let first = &all[0];
        assert!(first.standard && first.organisation_id.is_none());
        let without = new(None, "Standard", false, "mon-fri 08:00-18:00");
        let refused = change_calendar(&mut tx, &desk.context, &Actor::system(), first.present(), without).await;
        assert!(matches!(refused, Err(CalendarError::Invalid { field: "standard", .. })));
        let other = make(&mut tx, &desk, new(None, "Other", true, "mon-fri 08:00-18:00")).await.expect("made");
        assert_eq!(standard_version(&mut tx, desk.acme.id).await.expect("standard"), other.present());
    }
}

db_test! {
    async fn programs_make_change_and_ask_calendars_and_foreign_ones_are_not_there(db: Db) {
        let desk = Desk::open(db).await;
        let (admin, own) = (desk.key(Role::Admin, None).await, desk.key(Role::Admin, Some(desk.acme.id)).await);
        let body = json!({ "organisation": "UMBRELLA", "name": "Umbrella", "hours": "mon-fri 09:00-17:00" });
        let made = desk.post(&admin, "/api/v1/calendars", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
        assert_documented(&made, "post", "/api/v1/calendars");
        let path = format!("/api/v1/calendars/{}", made.json["id"].as_str().expect("id"));
        assert_eq!(desk.get(&own, &path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(desk.post(&own, "/api/v1/calendars", &body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let listed = desk.get(&own, "/api/v1/calendars").await;
        let shared = format!("/api/v1/calendars/{}", listed.json["items"][0]["id"].as_str().expect("id"));
        assert_eq!(desk.get(&own, &shared).await.status, StatusCode::NOT_FOUND, "used by all, kept by the provider");
        assert_eq!(desk.get(&admin, &shared).await.status, StatusCode::OK);
        assert_documented(&listed, "get", "/api/v1/calendars");
        assert!(!listed.json.to_string().contains("Umbrella"), "{}", listed.json);
        // Friday evening: fifteen minutes and four hours of office time later is Monday.
        let asked = desk.get(&admin, &format!("{path}/deadlines?priority=1&from=2026-11-20T16:50:00Z")).await;
        assert_documented(&asked, "get", "/api/v1/calendars/{id}/deadlines");
        assert_eq!(asked.json["call_back_due"], "2026-11-23T08:15:00Z");
        assert_eq!(asked.json["resolution_due"], "2026-11-23T12:00:00Z");
        let change = json!({ "name": "Umbrella", "hours": "mon-fri 09:00-17:00", "exceptions": "2026-12-24 closed" });
        let put = |tag: &'static str| {
            let request = request(&admin, "PUT", &path, &[("if-match", tag)], Some(change.to_string()));
            answer(desk.router(), request)
        };
        assert_eq!(put("\"1\"").await.json["version"], 2);
        assert_eq!(put("\"1\"").await.status, StatusCode::PRECONDITION_FAILED);
    }
}

db_test! {
    async fn a_refused_calendar_names_the_field_and_a_technician_makes_none(db: Db) {
        let desk = Desk::open(db).await;
        let (admin, technician) = (desk.key(Role::Admin, None).await, desk.key(Role::TechnicianN2, None).await);
        for (field, value) in [
            ("hours", "mon-fri 18:00-08:00"),
            ("exceptions", "yesterday closed"),
            ("time_zone", "Europe/Lyon"),
            ("holidays", "every_day"),
            ("name", ""),
        ] {
            let mut body = json!({ "name": "x", "hours": "mon-fri 08:00-18:00" });
            body[field] = value.into();
            let refused = desk.post(&admin, "/api/v1/calendars", &body).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert_eq!(refused.json["field"], field);
            assert_eq!(desk.post(&technician, "/api/v1/calendars", &body).await.status, StatusCode::FORBIDDEN);
        }
    }
}
