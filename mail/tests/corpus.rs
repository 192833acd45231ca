//! Every message of the corpus is read as its line of `expected.tsv` says. A dash means empty or nothing, but for
//! the client's code, which is compared only where one is named. The last column, what becomes of the message, is
//! held by the collector's tests.

#![expect(clippy::expect_used, reason = "a test that cannot read its corpus has failed")]

use std::path::PathBuf;

use parc_mail::reading::fields::{Impact, Scope, Severity};
use parc_mail::reading::{Authenticity, Class, Incoming, Surroundings, Unreadable, read};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn surroundings() -> Surroundings {
    Surroundings {
        own_addresses: vec!["support@parc.example".into()],
        instance: "corpus-instance".into(),
        authentication_server: "mx.parc.example".into(),
        monitoring_senders: vec!["sonde@client.example".into()],
    }
}

fn message(name: &str) -> Result<Incoming, Unreadable> {
    let raw = std::fs::read(folder().join(format!("{name}.eml"))).expect(name);
    read(&raw, raw.len(), &surroundings())
}

fn readable(name: &str) -> Incoming {
    message(name).expect(name)
}

/// Rows of the table, each a list of columns.
fn table() -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder().join("expected.tsv")).expect("table");
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn class_word(read: &Result<Incoming, Unreadable>) -> &'static str {
    match read.as_ref().map(|it| &it.class) {
        Ok(Class::Human) => "human",
        Ok(Class::Own) => "own",
        Ok(Class::Bounce(_)) => "bounce",
        Ok(Class::Automatic { .. }) => "automatic",
        Err(_) => "unreadable",
    }
}

fn sender_word(read: &Result<Incoming, Unreadable>) -> &'static str {
    match read.as_ref().map(|it| it.authenticity) {
        Ok(Authenticity::Passed) => "passed",
        Ok(Authenticity::Failed) => "failed",
        Ok(Authenticity::Unknown) => "unknown",
        Err(_) => "-",
    }
}

fn impact_words(impact: Impact) -> String {
    let severity = match impact.severity {
        Some(Severity::Minor) => "minor",
        Some(Severity::Blocking) => "blocking",
        None => "-",
    };
    let scope = match impact.scope {
        Some(Scope::One) => "one",
        Some(Scope::Group) => "group",
        Some(Scope::All) => "all",
        None => "-",
    };
    if (severity, scope) == ("-", "-") { "-".into() } else { format!("{severity}/{scope}") }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".into() } else { text.to_owned() }
}

/// The columns from the third one on, as they were read.
fn columns(incoming: &Incoming, expected_code: &str) -> Vec<String> {
    let fields = &incoming.fields;
    let code = incoming.topic.code.as_ref().map_or("-", |(code, _)| code.as_str());
    let dropped: Vec<String> = incoming
        .dropped
        .iter()
        .map(|it| serde_json::to_value(it.reason).expect("word").as_str().unwrap_or_default().to_owned())
        .collect();
    vec![
        if expected_code == "-" { "-".into() } else { code.to_owned() },
        or_dash(incoming.topic.ticket_number.as_deref().unwrap_or_default()),
        or_dash(&fields.inventory_number),
        impact_words(fields.impact),
        or_dash(&fields.site),
        or_dash(&fields.location),
        or_dash(&fields.availability),
        or_dash(fields.description.lines().next().unwrap_or_default()),
        incoming.attachments.len().to_string(),
        or_dash(dropped.first().map_or("", String::as_str)),
    ]
}

#[test]
fn every_message_of_the_corpus_is_read_as_the_table_says() {
    let rows = table();
    assert!(rows.len() >= 60, "{} messages", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let read = message(&row[0]);
        let mut found = vec![row[0].clone(), class_word(&read).into(), sender_word(&read).into()];
        match &read {
            Ok(incoming) => found.extend(columns(incoming, &row[3])),
            Err(_) => found.extend(row[3..13].iter().cloned()),
        }
        if found[..] != row[..13] {
            wrong.push(format!("expected {:?}\n    read {found:?}", &row[..13]));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_of_the_corpus_has_a_line_in_the_table() {
    let known: Vec<String> = table().into_iter().map(|it| format!("{}.eml", it[0])).collect();
    for entry in std::fs::read_dir(folder()).expect("folder") {
        let name = entry.expect("entry").file_name().into_string().expect("name");
        assert!(name == "expected.tsv" || known.contains(&name), "{name} is in no line");
    }
}

#[test]
fn texts_survive_wrong_labels_and_broken_structures() {
    for (name, text) in [
        ("utf8_labelled_ascii", "Réparé à moitié, gêné."),
        ("latin1_labelled_utf8", "Réparé à moitié, gêné."),
        ("no_charset", "Réparé à moitié, gêné."),
        ("unknown_charset", "Réparé à moitié, gêné."),
        ("boundary_never_comes", "Le texte est quand même là."),
        ("unclosed_multipart", "Le texte est là."),
        ("apple_mail_split", "Avant.\n\nAprès."),
        ("long_header", "Encore lisible."),
    ] {
        assert_eq!(readable(name).written, text, "{name}");
    }
    for (name, subject) in [
        ("encoded_words_split", "Écran gêné"),
        ("encoded_words_with_spaces", "Re: Écran figé au démarrage (urgent)"),
        ("raw_8bit_subject", "Réseau coupé"),
        ("layout_latin1_shuffled", "acme Écran figé au démarrage"),
    ] {
        assert_eq!(readable(name).subject, subject, "{name}");
    }
}

#[test]
fn what_was_answered_is_told_from_what_was_quoted() {
    for (name, written) in [
        ("reply_gmail_fr", "C’est un Latitude."),
        ("reply_outlook_fr", "Toujours en panne.\n\nCordialement,\nLuc"),
        ("reply_inline", "Un Latitude 5420.\nDepuis hier."),
        ("reply_english", "It works again, thanks."),
        ("reply_only_quote", "> tout est cité\n> même ma réponse"),
    ] {
        assert_eq!(readable(name).written, written, "{name}");
    }
    assert!(readable("reply_inline_colours").written.contains("Quel modèle ? Un Latitude."));
    assert!(readable("forward_to_support").written.contains("Votre licence expire."));
}

#[test]
fn files_keep_their_names_and_get_the_type_their_bytes_show() {
    for (name, file, media_type) in [
        ("attachment_rfc2231", "rapport détaillé.pdf", "application/pdf"),
        ("executable_named_pdf", "facture.pdf.exe", "application/x-msdownload"),
        ("calendar_invitation", "invite.ics", "text/calendar"),
        ("forwarded_as_file", "erreur.eml", "message/rfc822"),
    ] {
        let incoming = readable(name);
        let first = &incoming.attachments[0];
        assert_eq!((first.name.as_str(), first.media_type.as_str()), (file, media_type), "{name}");
    }
    let picture = readable("cid_picture");
    assert!(picture.html.expect("html").contains("cid:capture1"));
    assert_eq!(picture.attachments[0].content_id.as_deref(), Some("capture1"));
    let tracked = readable("remote_picture").html.expect("html");
    assert!(!tracked.contains("spy") && !tracked.contains("script"), "{tracked}");
}

#[test]
fn a_report_names_the_mail_and_the_address_it_is_about() {
    let Class::Bounce(failed) = readable("bounce_permanent").class else { panic!("no report") };
    assert_eq!(failed.original_message_id.as_deref(), Some("corpus-outgoing@parc.example"));
    assert_eq!(
        (
            failed.recipients[0].address.as_str(),
            failed.recipients[0].permanent,
            failed.recipients[0].status.as_str()
        ),
        ("parti@client.example", true, "5.1.1")
    );
    let Class::Bounce(late) = readable("bounce_delayed").class else { panic!("no report") };
    assert!(!late.recipients[0].permanent);
}

#[test]
fn a_message_without_id_gets_the_same_one_each_time() {
    assert_eq!(readable("no_message_id").message_id, readable("no_message_id").message_id);
    assert_ne!(readable("no_message_id").message_id, readable("empty_body").message_id);
}

#[test]
fn of_forty_mebibytes_the_beginning_is_read_and_the_rest_is_named() {
    let mut raw = std::fs::read(folder().join("attachment_png.eml")).expect("message");
    let closing = raw.len() - 40;
    raw.truncate(closing);
    raw.extend(b"QUJDREVGR0g=\r\n".repeat(40 * 1024 * 1024 / 14));
    assert_eq!(read(&raw, raw.len(), &surroundings()).err(), Some(Unreadable::TooLarge));
    let head = &raw[..parc_mail::reading::HEAD_BYTES];
    let incoming = read(head, raw.len(), &surroundings()).expect("beginning");
    assert_eq!(incoming.written, "Voir la capture.");
    let last = incoming.dropped.last().expect("named");
    assert_eq!(last.size_bytes, raw.len());
}
