//! For tests: pages from sample views. With `PARC_RENDER_DIR` set, each is written there with its style
//! sheet, to be looked at in a browser.

use std::path::PathBuf;

use askama::Template;

use super::reader::Theme;
use super::{Section, Shell, Texts, Visitor, files};
use crate::kernel::actor::{Actor, ActorKind, Role, Scope};
use crate::kernel::time::{UtcMicros, Zone};
use crate::people::Language;

/// Both languages.
pub(crate) const LANGUAGES: [Language; 2] = [Language::Fr, Language::En];

/// Text that breaks out wherever it is not escaped, longer than any column.
pub(crate) const HOSTILE: &str = "\"><script>alert(1)</script>'<img src=x onerror=alert(2)> Ünbreakable_very_long_identifier_that_no_column_can_hold_0123456789_0123456789";

/// A visitor of a language.
pub(crate) fn visitor(language: Language) -> Visitor {
    Visitor {
        texts: Texts::of(language),
        brand: std::sync::Arc::default(),
        theme: Theme::System,
        shortcuts: true,
        here: "/tickets?q=a&state=new".into(),
    }
}

/// The frame of a person with these roles.
pub(crate) fn shell(language: Language, roles: &[Role], title: &str, section: Section) -> Shell {
    let id = crate::kernel::id::PersonId::from(uuid::Uuid::from_u128(7));
    let actor = Actor {
        kind: ActorKind::Person(id),
        label: "Camille Roussel".into(),
        scope: Scope::All,
        roles: roles.to_vec(),
    };
    Shell::of(&visitor(language), title).for_person("Camille Roussel", "c2FtcGxl", &actor, Some(section))
}

/// The moment the samples are looked at: 21 November 2026, 23:15 in Paris.
pub(crate) fn now() -> UtcMicros {
    UtcMicros::from_seconds(1_795_299_300)
}

/// The samples' wall clock.
pub(crate) fn zone() -> Zone {
    Zone::named("Europe/Paris").expect("zone data")
}

/// Renders, checks what must hold for every page, and keeps the page if asked to.
pub(crate) fn check(name: &str, language: Language, template: &impl Template) -> String {
    let html = template.render().expect("renders");
    assert!(!html.contains("<script>alert"), "{name}: a hostile text got through");
    assert!(!html.contains("<img src=x"), "{name}: a hostile text got through");
    assert!(!html.contains(" style=\""), "{name}: inline style, which the policy forbids");
    assert!(!html.contains(" onclick"), "{name}: inline script, which the policy forbids");
    let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
    for (index, id) in ids.iter().enumerate() {
        assert!(!ids[..index].contains(id), "{name}: the id {id} stands twice");
    }
    for wanted in html.split(" for=\"").skip(1).filter_map(|it| it.split('"').next()) {
        assert!(ids.contains(&wanted), "{name}: a label for {wanted}, which is not there");
    }
    for wanted in html.split("aria-describedby=\"").skip(1).filter_map(|it| it.split('"').next()) {
        assert!(
            wanted.split(' ').all(|it| ids.contains(&it)),
            "{name}: described by {wanted}, which is not there"
        );
    }
    assert!(html.len() < 60 * 1024 || name.contains("many"), "{name}: {} bytes", html.len());
    keep(name, language, &html);
    html
}

fn keep(name: &str, language: Language, html: &str) {
    let Some(folder) = std::env::var_os("PARC_RENDER_DIR").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).expect("folder");
    for (address, content) in
        [(files::style(), include_str!("parc.css")), (files::script(), include_str!("parc.js"))]
    {
        std::fs::write(folder.join(address.trim_start_matches("/static/")), content).expect("file");
    }
    let html = html.replace("/static/", "");
    let code = Texts::of(language).code();
    std::fs::write(folder.join(format!("{name}.{code}.html")), &html).expect("file");
    let dark = html.replace("data-theme=\"system\"", "data-theme=\"dark\"");
    std::fs::write(folder.join(format!("{name}.{code}.dark.html")), dark).expect("file");
}
