use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;
use crate::inventory::DeclaredField;
use crate::kernel::actor::Role;
use crate::teams::TeamKind;
use crate::tickets::notices::{Audience, Occasion};
use crate::tickets::{
    ActionKind, AssetRole, AttachedBy, CancelReason, Channel, Check, ImpactScope, LinkKind, ResolutionCode,
    Severity, SubKind, TicketKind, TicketState, Urgency,
};

fn keys(source: &str) -> Vec<String> {
    source
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(" ="))
        .map(|(key, _)| key.to_owned())
        .collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs" || it == "html")
            && !path.ends_with("texts/tests.rs")
        {
            found.push(path);
        }
    }
}

/// Every quoted word of the pages' sources, and every key given directly to a text function.
fn sources() -> (BTreeSet<String>, BTreeSet<String>) {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut paths);
    let (mut quoted, mut asked) = (BTreeSet::new(), BTreeSet::new());
    for path in paths {
        let text = std::fs::read_to_string(path).expect("source");
        for (index, piece) in text.split('"').enumerate() {
            if index > 0 {
                quoted.insert(piece.to_owned());
            }
        }
        for call in [".t(\"", ".t1(\"", ".t2(\"", ".tn(\""] {
            for rest in text.split(call).skip(1) {
                asked.insert(rest.split('"').next().unwrap_or("").to_owned());
            }
        }
    }
    (quoted, asked)
}

/// Keys that are put together from a family and a stored code.
fn composed() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut family =
        |name: &str, codes: &[&str]| all.extend(codes.iter().map(|code| format!("{name}-{code}")));
    let codes = |it: &[TicketState]| it.iter().map(|it| it.code()).collect::<Vec<_>>();
    family("state", &codes(TicketState::ALL));
    family("state-plain", &codes(TicketState::ALL));
    family("ticket-kind", &TicketKind::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("sub-kind", &SubKind::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("team-kind", &TeamKind::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("channel", &Channel::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("severity", &Severity::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("severity-help", &Severity::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("scope", &ImpactScope::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("urgency", &Urgency::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("resolution", &ResolutionCode::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("check", &Check::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("cancel-reason", &CancelReason::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("link", &LinkKind::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("role", &Role::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("asset-role", &AssetRole::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("attached-by", &AttachedBy::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("action", &ActionKind::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("occasion", &Occasion::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("audience", &Audience::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    family("field", &DeclaredField::ALL.iter().map(|it| it.code()).collect::<Vec<_>>());
    for (name, codes) in crate::web::words::FAMILIES {
        family(name, codes);
    }
    all
}

#[test]
fn both_catalogues_parse_whole_and_hold_each_key_once() {
    for source in [FRENCH, ENGLISH] {
        assert!(
            FluentResource::try_new(source.to_owned()).is_ok(),
            "{:?}",
            FluentResource::try_new(source.to_owned()).err().map(|it| it.1)
        );
        let all = keys(source);
        let distinct: BTreeSet<&String> = all.iter().collect();
        let doubled: Vec<&String> =
            all.iter().filter(|key| all.iter().filter(|it| it == key).count() > 1).collect();
        assert_eq!(all.len(), distinct.len(), "{doubled:?}");
    }
}

#[test]
fn both_languages_hold_the_same_keys() {
    let french: BTreeSet<String> = keys(FRENCH).into_iter().collect();
    let english: BTreeSet<String> = keys(ENGLISH).into_iter().collect();
    let difference: Vec<&String> = french.symmetric_difference(&english).collect();
    assert!(difference.is_empty(), "{difference:?}");
}

#[test]
fn every_key_a_page_asks_for_exists() {
    let (_, asked) = sources();
    let texts = Texts::of(Language::Fr);
    let missing: Vec<String> = asked.into_iter().chain(composed()).filter(|key| !texts.has(key)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn no_text_is_left_that_nothing_asks_for() {
    let (quoted, _) = sources();
    let composed = composed();
    let unused: Vec<String> =
        keys(FRENCH).into_iter().filter(|key| !quoted.contains(key) && !composed.contains(key)).collect();
    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn french_puts_a_narrow_space_before_high_punctuation() {
    for line in FRENCH.lines().filter(|line| !line.starts_with('#')) {
        let value = line.split_once(" =").map_or(line, |it| it.1);
        for (index, c) in value.char_indices().filter(|(_, c)| ";:!?»".contains(*c)) {
            let before = value[..index].chars().next_back();
            let inside_code =
                value[index..].starts_with("://") || before.is_some_and(|it| it == '?' || it == '!');
            assert!(inside_code || before == Some('\u{202F}'), "{c} in {line}");
        }
        assert!(!value.contains("« ") && !value.contains("«\u{A0}"), "{line}");
        assert!(!value.contains('\''), "typewriter apostrophe: {line}");
    }
}

#[test]
fn a_text_counts_in_both_languages() {
    assert_eq!(Texts::of(Language::Fr).tn("count-machines", 0), "0 machine");
    assert_eq!(Texts::of(Language::Fr).tn("count-machines", 12_345), "12\u{202F}345 machines");
    assert_eq!(Texts::of(Language::En).tn("count-machines", 1), "1 machine");
    assert_eq!(Texts::of(Language::En).tn("count-machines", 0), "0 machines");
}

#[test]
fn the_browser_gets_the_first_language_we_speak() {
    assert_eq!(negotiate("en-US,en;q=0.9,fr;q=0.8"), Language::En);
    assert_eq!(negotiate("de, fr;q=0.5, en;q=0.4"), Language::Fr);
    assert_eq!(negotiate("en;q=0.3, fr-CA;q=0.7"), Language::Fr);
    assert_eq!(negotiate("de, ja"), Language::Fr);
    assert_eq!(negotiate("en;q=nonsense"), Language::Fr);
    assert_eq!(negotiate(""), Language::Fr);
}
