//! Messages that nobody would write: the corpus with bytes changed, cut, doubled and mixed. Reading never panics,
//! keeps its limits and loses no line of the text.

#![expect(clippy::expect_used, reason = "a test that cannot read its corpus has failed")]

use std::path::PathBuf;

use parc_mail::reading::{ATTACHMENTS_BYTES_MAX, ATTACHMENTS_MAX, Surroundings, read};
use proptest::prelude::*;

fn corpus() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("folder")
        .map(|it| it.expect("entry").path())
        .filter(|it| it.extension().is_some_and(|it| it == "eml"))
        .collect();
    names.sort();
    names.iter().map(|it| std::fs::read(it).expect("message")).collect()
}

/// One change of a message.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Cut(usize, usize),
    Double(usize, usize),
    Insert(usize, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<usize>(), 1_usize..200).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<usize>(), 1_usize..400).prop_map(|(at, length)| Change::Double(at, length)),
        (any::<usize>(), any::<usize>(), any::<usize>())
            .prop_map(|(at, other, from)| Change::Insert(at, other, from)),
    ]
}

fn apply(raw: &mut Vec<u8>, change: &Change, corpus: &[Vec<u8>]) {
    let place = |at: usize, length: usize| if length == 0 { 0 } else { at % length };
    match *change {
        Change::Set(at, byte) => {
            let at = place(at, raw.len());
            if let Some(slot) = raw.get_mut(at) {
                *slot = byte;
            }
        }
        Change::Cut(at, length) => {
            let at = place(at, raw.len());
            let end = (at + length).min(raw.len());
            raw.drain(at..end);
        }
        Change::Double(at, length) => {
            let at = place(at, raw.len());
            let piece = raw[at..(at + length).min(raw.len())].to_vec();
            raw.splice(at..at, piece);
        }
        Change::Insert(at, other, from) => {
            let other = &corpus[other % corpus.len()];
            let from = place(from, other.len());
            let at = place(at, raw.len());
            raw.splice(at..at, other[from..(from + 300).min(other.len())].iter().copied());
        }
    }
}

fn check(raw: &[u8]) {
    let around = Surroundings {
        own_addresses: vec!["support@parc.example".into()],
        instance: "corpus-instance".into(),
        authentication_server: "mx.parc.example".into(),
        monitoring_senders: Vec::new(),
    };
    let Ok(incoming) = read(raw, raw.len(), &around) else { return };
    let joined: String = incoming.stretches.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(joined, incoming.text, "folding lost something");
    assert!(incoming.text.trim().is_empty() || !incoming.written.is_empty(), "nothing is left to see");
    assert!(incoming.attachments.len() <= ATTACHMENTS_MAX);
    assert!(incoming.attachments.iter().map(|it| it.bytes.len()).sum::<usize>() <= ATTACHMENTS_BYTES_MAX);
    // Between tags everything is escaped text; what counts stands inside them.
    let html = incoming.html.unwrap_or_default().to_lowercase();
    for tag in html.split('<').skip(1).filter_map(|it| it.split('>').next()) {
        let element = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        for forbidden in ["script", "style", "form", "iframe", "object", "svg", "math", "link", "meta"] {
            assert_ne!(element, forbidden, "{html}");
        }
        for forbidden in ["javascript:", "src=\"http", " onload=", " style="] {
            assert!(!tag.contains(forbidden), "{forbidden} in {tag}");
        }
    }
    assert!(!incoming.message_id.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn changed_messages_are_read_within_the_limits(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(), 1..12),
    ) {
        let corpus = corpus();
        let mut raw = which.get(&corpus).clone();
        for change in &changes {
            apply(&mut raw, change, &corpus);
        }
        check(&raw);
    }

    #[test]
    fn rubbish_is_read_within_the_limits(raw in prop::collection::vec(any::<u8>(), 0..4_000)) {
        check(&raw);
    }
}

#[test]
fn bombs_are_read_in_one_pass() {
    let piece = |text: &str, bytes: usize| text.repeat(bytes / text.len());
    let head = "From: a@b.example\nSubject: x\n";
    for body in [
        format!("{head}Content-Type: multipart/mixed; boundary=a\n\n{}", piece("--a\n\nx\n", 3 << 20)),
        format!("{head}Content-Type: text/html\n\n{}", piece("<div><b id=1><p>x", 3 << 20)),
        format!("{head}\n{}", piece("Le 1 a écrit :\n", 3 << 20)),
        format!("{head}\n{}> x\n", piece("Le 1 a écrit :\n", 3 << 20)),
        format!("{head}\n{}", piece("\n", 3 << 20)),
        format!("{head}\n{}", piece("De : x\n", 3 << 20)),
        format!("{head}\n{}", piece("-- \n", 3 << 20)),
        format!("{head}\n{}", piece("site : x\n", 3 << 20)),
        format!("{head}\n{}", "x".repeat(3 << 20)),
        format!("{head}References: {}\n\nx", piece("<a@b>\n ", 3 << 20)),
        format!("{head}Subject: {}\n\nx", piece("=?a?Q?", 3 << 20)),
        format!("From: {}\n\nx", piece("\"a\" <a@b>, (", 3 << 20)),
        format!("{head}Content-Disposition: attachment; {}\n\nx", piece("filename*1*=a;", 3 << 20)),
    ] {
        let start = std::time::Instant::now();
        check(body.as_bytes());
        assert!(start.elapsed().as_secs() < 30, "{:?} for {}", start.elapsed(), &body[..80]);
    }
}
