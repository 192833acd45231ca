//! Settings and announcements on both engines, and how they reach the pages.

use axum::http::{StatusCode, header};

use super::*;
use crate::api::testing::actor;
use crate::db::Db;
use crate::db_test;
use crate::kernel::actor::{Actor, Role};
use crate::kernel::time::days;
use crate::web::testing::Site;

fn named(product_name: &str) -> Settings {
    Settings { product_name: product_name.into(), ..Settings::default() }
}

/// A picture of 10 by 10 as far as its chunks tell.
fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend([0, 0, 0, 10, 0, 0, 0, 10, 8, 6, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(b"\0\0\0\0IEND\xae\x42\x60\x82");
    bytes
}

db_test! {
    async fn an_organisation_takes_what_it_does_not_set_itself_from_the_installation(db: Db) {
        let site = Site::open(db).await;
        let desk = &site.desk;
        let mut tx = desk.context.db.begin().await.expect("begin");
        assert_eq!(effective(&mut tx, Some(desk.acme.id)).await.expect("brand"), Brand::default());
        let common = Settings { hotline_phone: "04 72 00 00 00".into(), ..named("iservices") };
        let system = Actor::system();
        save(&mut tx, &desk.context, &system, None, common, None).await.expect("saved");
        let own = Settings { accent: "FFD400".into(), ..named("Acme IT") };
        let logo = Logo::check(&png()).expect("logo");
        save(&mut tx, &desk.context, &system, Some(desk.acme.id), own, Some(logo)).await.expect("saved");
        let acme = effective(&mut tx, Some(desk.acme.id)).await.expect("brand");
        assert_eq!((acme.product_name.as_str(), acme.contact.phone.as_str()), ("Acme IT", "04 72 00 00 00"));
        assert_eq!(acme.accent, Some(Colour(0xff, 0xd4, 0)));
        assert_eq!(find_logo(&mut tx, acme.logo.as_deref().expect("logo")).await.expect("find"), Some(png()));
        let umbrella = effective(&mut tx, Some(desk.umbrella.id)).await.expect("brand");
        assert_eq!((umbrella.product_name.as_str(), umbrella.logo), ("iservices", None));
    }
}

db_test! {
    async fn what_would_harm_is_refused_at_its_field(db: Db) {
        let site = Site::open(db).await;
        let context = &site.desk.context;
        let tool = |url: &str| Settings { tools: vec![Tool { name: "T".into(), url: url.into() }], ..Settings::default() };
        for (field, settings) in [
            ("product_name", named(&"x".repeat(41))),
            ("accent", Settings { accent: "red;}".into(), ..Settings::default() }),
            ("support_mail", Settings { support_mail: "x".into(), ..Settings::default() }),
            ("support_site", Settings { support_site: "javascript:alert(1)".into(), ..Settings::default() }),
            ("support_site", Settings { support_site: "https://a@evil.example".into(), ..Settings::default() }),
            ("tools", tool("http://download.example")),
            ("tools", tool("")),
        ] {
            let mut tx = context.db.begin().await.expect("begin");
            let refused = save(&mut tx, context, &Actor::system(), None, settings, None).await;
            assert!(matches!(&refused, Err(BrandError::Invalid { field: it, .. }) if *it == field), "{refused:?}");
        }
        let mut tx = context.db.begin().await.expect("begin");
        let lead = actor(&site.desk.lead);
        let refused = save(&mut tx, context, &lead, None, named("x"), None).await;
        assert!(matches!(refused, Err(BrandError::Forbidden)));
    }
}

db_test! {
    async fn the_name_the_colour_the_logo_and_the_hotline_reach_every_page_of_requesters(db: Db) {
        let site = Site::open(db).await;
        let admin = site.desk.person(None, "ada@desk.example", Role::Admin).await;
        let ada = site.sign_in(&admin).await;
        let fields = [
            ("product_name", "iservices"), ("accent", "#8a1c5c"), ("hotline_phone", "04 72 11 22 33"),
            ("hours_en", "Monday to Friday"), ("support_mail", "support@desk.example"), ("tools", "QuickHelp https://get.example/q"),
        ];
        let saved = ada.upload("/branding", &fields, &[("logo.png", &png())]).await;
        assert_eq!(saved.location(), "/branding?done=branding", "{}", saved.body);
        let rita = site.sign_in(&site.desk.requester).await;
        for page in [rita.get("/tickets").await, rita.get("/tickets/new").await, site.stranger().get("/sign-in").await] {
            for wanted in ["iservices", "/brand/8a1c5c.css", "/brand/logo/", "04 72 11 22 33", "support@desk.example", "https://get.example/q"] {
                assert!(page.body.contains(wanted), "{wanted} in {}", page.body);
            }
        }
        let style = rita.get("/brand/8a1c5c.css").await;
        assert!(style.body.starts_with(":root{--accent:light-dark(#8a1c5c,"), "{}", style.body);
        let form = ada.get("/branding").await;
        let logo = form.body.split("src=\"/brand/logo/").nth(1).and_then(|it| it.split('"').next()).expect("logo");
        let logo = site.stranger().get(&format!("/brand/logo/{logo}")).await;
        assert_eq!((logo.status, logo.bytes), (StatusCode::OK, png()));
        assert_eq!(logo.headers[header::CONTENT_TYPE], "image/png");
        let svg = ada.upload("/branding", &fields, &[("logo.png", b"<svg/>")]).await;
        assert_eq!(svg.status, StatusCode::UNPROCESSABLE_ENTITY);
        let published = ada.post("/announcements", &[("kind", "outage"), ("text_en", "The mail server is down")]).await;
        assert_eq!(published.location(), "/announcements?done=announced", "{}", published.body);
        assert!(rita.get("/").await.body.contains("The mail server is down"));
        assert_eq!(rita.get("/branding").await.status, StatusCode::FORBIDDEN);
        assert_eq!(rita.get("/brand/red.css").await.status, StatusCode::NOT_FOUND);
    }
}

db_test! {
    async fn an_announcement_is_read_by_its_organisation_until_it_ends(db: Db) {
        let site = Site::open(db).await;
        let desk = &site.desk;
        let lead = actor(&desk.lead);
        let mut tx = desk.context.db.begin().await.expect("begin");
        let new = |organisation_id, ends_at| NewAnnouncement {
            organisation_id,
            kind: AnnouncementKind::Outage,
            text: Localised { fr: "Panne".into(), en: String::new() },
            ends_at,
        };
        let now = desk.context.now();
        let for_acme = announce(&mut tx, &desk.context, &lead, new(Some(desk.acme.id), None)).await.expect("published");
        announce(&mut tx, &desk.context, &lead, new(None, Some(now + days(1)))).await.expect("published");
        assert!(announce(&mut tx, &desk.context, &lead, new(None, Some(now))).await.is_err());
        assert!(announce(&mut tx, &desk.context, &actor(&desk.requester), new(None, None)).await.is_err());
        let mut count = async |organisation, at| live_announcements(&mut tx, Some(organisation), at).await.expect("list").len();
        assert_eq!(count(desk.acme.id, now).await, 2);
        assert_eq!(count(desk.umbrella.id, now).await, 1);
        assert_eq!(count(desk.acme.id, now + days(2)).await, 1);
        withdraw(&mut tx, &desk.context, &lead, for_acme).await.expect("ended");
        assert!(withdraw(&mut tx, &desk.context, &lead, for_acme).await.is_err(), "ended once");
        assert_eq!(live_announcements(&mut tx, Some(desk.acme.id), now).await.expect("list").len(), 1);
    }
}
