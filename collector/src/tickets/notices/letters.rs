//! What a mail about a ticket says. Pure: texts of the catalogue, facts of the ticket, words of its people.
//!
//! Invariants: nothing internal is in it, whoever reads it; of a restricted ticket it holds the number and a link.

use super::table::{Audience, Occasion};
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::Actor;
use crate::kernel::time::{UtcMicros, days};
use crate::mail::{Appointment, Block, Button, Claim, Fact, Letter};
use crate::people::Person;
use crate::tickets::model::{Entry, Ticket, TicketEvent};
use crate::tickets::web::timeline;

/// How long the links of a "solved" mail work: longer than any automatic closure waits.
const LINKS_DAYS: u64 = 30;
/// Purpose of the link that confirms.
pub(in crate::tickets) const CONFIRM: &str = "confirm";
/// Purpose of the link that refuses.
pub(in crate::tickets) const REFUSE: &str = "refuse";
/// Path of the page behind both links; their signed word follows.
pub(in crate::tickets) const ANSWER_PATH: &str = "/answer/";
/// Characters quoted of a description: the page shows all of it.
const QUOTE_CHARS_MAX: usize = 4_000;

/// Everything a letter is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matter<'a> {
    pub(super) lens: Lens<'a>,
    pub(super) actor: &'a Actor,
    pub(super) ticket: &'a Ticket,
    pub(super) occasion: Occasion,
    /// The entry that gives occasion.
    pub(super) entry: &'a Entry,
    /// All of the step: the opening says which machine was found.
    pub(super) entries: &'a [Entry],
    /// Number and link only.
    pub(super) secret: bool,
}

/// Which text a mail has: one word per letter, not per occasion, so that what belongs together is one mail.
pub(super) fn template(occasion: Occasion, audience: Audience) -> &'static str {
    match occasion {
        Occasion::Created | Occasion::CreatedForCaller => "created",
        Occasion::Resolved => "resolved",
        Occasion::Reminder => "reminder",
        Occasion::Closed => "closed",
        _ if audience.is_staff() => "staff",
        _ => "evolution",
    }
}

/// The letter for one reader.
pub(super) fn letter(matter: Matter<'_>, audience: Audience, reader: &Person) -> Letter {
    let texts = matter.lens.texts;
    let template = template(matter.occasion, audience);
    let hello = texts.t1("mail-hello", "name", &reader.name);
    let mut letter = Letter {
        language: texts.language(),
        subject: texts
            .t1(&format!("mail-subject-{template}"), "summary", &matter.ticket.summary)
            .into_owned(),
        title: matter.ticket.summary.clone(),
        opening: format!("{hello}\n\n{}", opening(matter, audience)),
        blocks: blocks(matter, template),
        buttons: buttons(matter, template, audience),
        footer: footer(matter, audience),
        appointment: appointment(matter),
    };
    if matter.secret {
        letter.subject = texts.t("mail-subject-restricted").into_owned();
        letter.title = String::new();
        letter.opening = format!("{hello}\n\n{}", texts.t("mail-opening-restricted"));
        letter.blocks = Vec::new();
        letter.buttons = vec![open_button(matter, audience)];
        letter.appointment = None;
    }
    letter
}

fn opening(matter: Matter<'_>, audience: Audience) -> String {
    let texts = matter.lens.texts;
    let number = matter.ticket.number.to_string();
    let who = &matter.actor.label;
    match matter.occasion {
        Occasion::Created | Occasion::CreatedForCaller => {
            let asked = audience == Audience::Requester && matter.occasion == Occasion::Created;
            if asked {
                texts.t1("mail-opening-created", "number", &number)
            } else {
                texts.t2("mail-opening-created-for", ("name", who), ("number", &number))
            }
        }
        Occasion::Resolved => texts.t1("mail-opening-resolved", "name", who),
        Occasion::Reminder => texts.t("mail-opening-reminder"),
        Occasion::Closed => texts.t("mail-opening-closed"),
        Occasion::NoAnswer => texts.t1("mail-opening-no-answer", "phone", &matter.ticket.phone),
        _ if audience.is_staff() => texts.t1("mail-opening-staff", "number", &number),
        _ => texts.t("mail-opening-evolution"),
    }
    .into_owned()
}

fn blocks(matter: Matter<'_>, template: &str) -> Vec<Block> {
    let texts = matter.lens.texts;
    match template {
        "created" => {
            let mut blocks = vec![Block::Facts { rows: facts(matter) }];
            blocks.extend(quote(&matter.ticket.requester_name, &matter.ticket.description));
            blocks
        }
        "resolved" | "reminder" => {
            let solution = matter.ticket.solution.as_deref().unwrap_or_default();
            quote(&texts.t("mail-solution"), solution).into_iter().collect()
        }
        "closed" => {
            let mut blocks = vec![step(matter)];
            let solution = matter.ticket.solution.as_deref().unwrap_or_default();
            blocks.extend(quote(&texts.t("mail-solution"), solution));
            blocks
        }
        "staff" => vec![step(matter), Block::Facts { rows: facts(matter) }],
        _ => vec![step(matter)],
    }
}

/// The entry as the ticket's history tells it; what staff wrote to each other is left out.
fn step(matter: Matter<'_>) -> Block {
    let Matter { lens, actor, ticket, entry, .. } = matter;
    let event = TicketEvent {
        event_no: 0,
        at: ticket.updated_at,
        kind: entry.kind.to_owned(),
        public: entry.public,
        actor_label: actor.label.clone(),
        data: entry.data.clone(),
        changes: Vec::new(),
    };
    let view = timeline::event_view(lens, &ticket.number, &event, None);
    let said = format!("{} {}", view.who, view.sentence);
    if view.text.is_empty() || view.internal {
        Block::Text { text: format!("{} · {said}", view.at.text()) }
    } else {
        Block::Quote { by: format!("{} · {said}", view.at.text()), text: cut(&view.text) }
    }
}

/// What the ticket says about itself; empty facts are left out.
fn facts(matter: Matter<'_>) -> Vec<Fact> {
    let texts = matter.lens.texts;
    let ticket = matter.ticket;
    let place: Vec<&str> = [&ticket.site_name, &ticket.location]
        .into_iter()
        .map(String::as_str)
        .filter(|it| !it.is_empty())
        .collect();
    let impact = format!(
        "{} · {}",
        texts.word("severity", ticket.severity.code()),
        texts.word("scope", ticket.scope.code())
    );
    let rows = [
        ("label-number", ticket.number.to_string()),
        ("label-kind", texts.word("ticket-kind", ticket.kind.code()).into_owned()),
        ("label-requester", ticket.requester_name.clone()),
        ("label-beneficiary", ticket.beneficiary_name.clone()),
        ("label-machine", machine(matter)),
        ("label-application", ticket.application.clone()),
        ("label-severity", impact),
        ("label-place", place.join(" · ")),
        ("label-phone", ticket.phone.clone()),
        ("label-availability", ticket.availability.clone()),
    ];
    let same_person = ticket.requester_id == ticket.beneficiary_id;
    rows.into_iter()
        .filter(|(label, value)| !(value.is_empty() || same_person && *label == "label-beneficiary"))
        .map(|(label, value)| Fact { label: texts.t(label).into_owned(), value })
        .collect()
}

/// The machine that was found, or what became of the number that was typed.
fn machine(matter: Matter<'_>) -> String {
    let texts = matter.lens.texts;
    let text = |entry: &Entry, key: &str| {
        entry.data.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    let found = matter.entries.iter().find(|it| it.kind == "asset_attached");
    if let Some(entry) = found {
        let parts = [text(entry, "machine"), text(entry, "tag")];
        return parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ");
    }
    let typed = &matter.ticket.inventory_number;
    if typed.is_empty() {
        return String::new();
    }
    let waits = matter.entries.iter().any(|it| it.kind == "asset_unknown");
    if waits { texts.t1("mail-machine-waits", "number", typed).into_owned() } else { typed.clone() }
}

fn quote(by: &str, text: &str) -> Option<Block> {
    (!text.trim().is_empty()).then(|| Block::Quote { by: by.to_owned(), text: cut(text) })
}

fn cut(text: &str) -> String {
    let mut kept: String = text.chars().take(QUOTE_CHARS_MAX).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

fn buttons(matter: Matter<'_>, template: &str, audience: Audience) -> Vec<Button> {
    let mut buttons = Vec::new();
    let texts = matter.lens.texts;
    if let ("resolved" | "reminder", Some(resolved_at)) = (template, matter.ticket.resolved_at) {
        let until_s = (resolved_at + days(LINKS_DAYS)).seconds();
        for (purpose, key, primary) in [(CONFIRM, "mail-confirm", true), (REFUSE, "mail-refuse", false)] {
            // The moment it was solved: the links of an earlier solution are worth nothing.
            let claim = Claim { purpose: purpose.into(), event_no: resolved_at.0, until_s };
            let label = texts.t(key).into_owned();
            buttons.push(Button { label, path: ANSWER_PATH.into(), claim: Some(claim), primary });
        }
        return buttons;
    }
    buttons.push(open_button(matter, audience));
    buttons
}

/// A visit that is fixed, moved or cancelled, for the reader's calendar.
fn appointment(matter: Matter<'_>) -> Option<Appointment> {
    let cancelled = match matter.entry.kind {
        "visit_fixed" | "visit_moved" => false,
        "visit_cancelled" => true,
        _ => return None,
    };
    let text = |key: &str| matter.entry.data.get(key).and_then(serde_json::Value::as_str);
    let moment = |key: &str| UtcMicros::parse(text(key)?, matter.lens.zone);
    let number = matter.ticket.number.to_string();
    Some(Appointment {
        uid: format!("{}@parc", text("visit")?),
        sequence: matter
            .entry
            .data
            .get("sequence")
            .and_then(serde_json::Value::as_i64)
            .unwrap_or(matter.ticket.version),
        starts_at: moment("start")?,
        ends_at: moment("end")?,
        summary: matter
            .lens
            .texts
            .t2(
                "mail-appointment",
                ("number", &number),
                ("technician", text("technician").unwrap_or_default()),
            )
            .into_owned(),
        place: text("place").unwrap_or_default().to_owned(),
        cancelled,
    })
}

fn open_button(matter: Matter<'_>, audience: Audience) -> Button {
    let key = if audience.is_staff() { "mail-open-staff" } else { "mail-open" };
    let label = matter.lens.texts.t(key).into_owned();
    Button { label, path: format!("/tickets/{}", matter.ticket.number), claim: None, primary: true }
}

fn footer(matter: Matter<'_>, audience: Audience) -> Vec<String> {
    let texts = matter.lens.texts;
    let why = match audience {
        Audience::Requester | Audience::Beneficiary => "mail-why-party",
        Audience::Referent => "mail-why-referent",
        Audience::Owner | Audience::Team | Audience::Peu | Audience::Mssi | Audience::Watcher => {
            "mail-why-staff"
        }
    };
    vec![texts.t("mail-answer").into_owned(), texts.t(why).into_owned()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kernel::actor::{ActorKind, Scope};
    use crate::kernel::id::PersonId;
    use crate::mail::web::letter::{Accent, HtmlLetter, Paper, WrittenButton, plain};
    use crate::people::Language;
    use crate::tickets::web::samples;
    use crate::web::Texts;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, zone};

    fn reader(language: Language) -> Person {
        Person {
            id: PersonId::from(uuid::Uuid::from_u128(2)),
            organisation_id: None,
            email: "elodie@client.example".parse().expect("address"),
            login: None,
            name: "Élodie Dupont-Ravier".into(),
            phone: String::new(),
            language,
            active: true,
            default_site_id: None,
            roles: Vec::new(),
        }
    }

    fn nadia() -> Actor {
        let id = PersonId::from(uuid::Uuid::from_u128(3));
        Actor {
            kind: ActorKind::Person(id),
            label: "Nadia Benali".into(),
            scope: Scope::All,
            roles: Vec::new(),
        }
    }

    fn entry(kind: &'static str, data: serde_json::Value) -> Entry {
        Entry { kind, public: true, data }
    }

    /// Each kind of mail with what leads to it.
    fn cases() -> Vec<(&'static str, Occasion, Audience, Vec<Entry>)> {
        use {Audience as A, Occasion as O};
        let opened = vec![
            entry("created", json!({ "channel": "portal" })),
            entry("asset_attached", json!({ "machine": "Dell Latitude 5420", "tag": "INV-004217" })),
        ];
        let waits = vec![
            entry("created", json!({ "channel": "phone" })),
            entry("asset_unknown", json!({ "inventory_number": "pc 4217" })),
        ];
        let solved = vec![entry("resolved", json!({ "text": "Certificat VPN renouvelé." }))];
        let pdr = Entry { kind: "task", public: false, data: json!({ "task": "pdr", "text": "XNOTEX" }) };
        let visit = json!({
            "visit": "0192f", "technician": "Marc Durand", "start": "2026-11-24T08:30:00Z",
            "end": "2026-11-24T09:30:00Z", "place": "3 rue de la Part-Dieu, Lyon",
        });
        let hold = json!({ "reason": "requester", "until": "2026-11-25T09:00:00Z", "text": "Le poste est-il allumé ?" });
        vec![
            ("created", O::Created, A::Requester, opened.clone()),
            ("created-for", O::CreatedForCaller, A::Beneficiary, waits),
            ("held", O::Held, A::Beneficiary, vec![entry("held", hold)]),
            ("moved", O::Moved, A::Requester, vec![entry("claimed", json!({ "owner": "Nadia Benali" }))]),
            (
                "escalated",
                O::Moved,
                A::Requester,
                vec![entry("escalated", json!({ "text": "XNOTEX", "internal": true }))],
            ),
            (
                "reply",
                O::StaffReply,
                A::Requester,
                vec![entry("reply", json!({ "text": HOSTILE, "by_staff": true }))],
            ),
            ("pdr", O::NoAnswer, A::Beneficiary, vec![pdr]),
            ("resolved", O::Resolved, A::Requester, solved.clone()),
            ("reminder", O::Reminder, A::Requester, solved),
            ("closed", O::Closed, A::Requester, vec![entry("confirmed", json!({ "oral": false }))]),
            ("visit", O::Appointment, A::Beneficiary, vec![entry("visit_fixed", visit)]),
            ("staff", O::Moved, A::Owner, vec![entry("assigned", json!({ "owner": "Nadia Benali" }))]),
        ]
    }

    fn letter_of(
        language: Language,
        (occasion, audience, entries): (Occasion, Audience, &[Entry]),
        secret: bool,
    ) -> Letter {
        let zone = zone();
        let ticket = Ticket {
            solution: Some("Certificat VPN renouvelé, connexion vérifiée avec vous.".into()),
            resolved_at: Some(now()),
            ..samples::ticket()
        };
        let (lens, actor) = (Lens { texts: Texts::of(language), zone: &zone, now: now() }, nadia());
        let entry = &entries[0];
        let matter = Matter { lens, actor: &actor, ticket: &ticket, occasion, entry, entries, secret };
        letter(matter, audience, &reader(language))
    }

    fn written(letter: &Letter) -> Vec<WrittenButton> {
        let link = |it: &Button| WrittenButton {
            label: it.label.clone(),
            address: format!("https://parc.example{}", it.path),
            primary: it.primary,
        };
        letter.buttons.iter().map(link).collect()
    }

    #[test]
    fn every_mail_is_drawn_in_both_languages_and_both_forms() {
        let contact =
            ["Support informatique : 04 78 00 00 00, du lundi au vendredi de 8 h à 18 h".to_owned()];
        for language in LANGUAGES {
            for (name, occasion, audience, entries) in cases() {
                let letter = letter_of(language, (occasion, audience, &entries), false);
                let paper = Paper {
                    language: Texts::of(language).code(),
                    letter: &letter,
                    number: "I202611_0042".into(),
                    sender: "Support Parc",
                    accent: Accent::of(None),
                    buttons: written(&letter),
                    contact: &contact,
                };
                let html = check(&format!("mail-{name}"), language, &HtmlLetter { paper: &paper });
                let text = plain(&paper);
                for shown in [html.as_str(), text.as_str()] {
                    assert!(!shown.contains("XNOTEX"), "{name}: internal words\n{shown}");
                    assert!(
                        shown.contains("04 78 00 00 00") && shown.contains("https://parc.example/"),
                        "{name}\n{shown}"
                    );
                }
                assert!(
                    !text.contains("mail-") && !html.contains("mail-opening"),
                    "{name}: a text is missing\n{text}"
                );
            }
        }
    }

    #[test]
    fn a_secret_ticket_leaves_as_number_and_link_only() {
        for (name, occasion, audience, entries) in cases() {
            let letter = letter_of(Language::Fr, (occasion, audience, &entries), true);
            let said = serde_json::to_string(&letter).expect("written");
            for secret in ["serveur", "VPN", "Latitude", "4217", "Benali", "Dell"] {
                assert!(!said.contains(secret), "{name}: {secret} in {said}");
            }
            assert_eq!(letter.buttons.len(), 1);
        }
    }

    #[test]
    fn a_visit_comes_for_the_calendar_and_nothing_else_does() {
        for (name, occasion, audience, entries) in cases() {
            let letter = letter_of(Language::Fr, (occasion, audience, &entries), false);
            assert_eq!(letter.appointment.is_some(), name == "visit", "{name}");
            if let Some(visit) = letter.appointment {
                assert_eq!(visit.starts_at.rfc3339(), "2026-11-24T08:30:00Z");
                assert!(
                    visit.summary.contains("I202611_0042") && visit.uid == "0192f@parc" && !visit.cancelled
                );
            }
        }
    }

    #[test]
    fn only_a_solution_carries_signed_links_and_both_end() {
        for (name, occasion, audience, entries) in cases() {
            let letter = letter_of(Language::En, (occasion, audience, &entries), false);
            let claims: Vec<&Claim> = letter.buttons.iter().filter_map(|it| it.claim.as_ref()).collect();
            let expected = if matches!(name, "resolved" | "reminder") { 2 } else { 0 };
            assert_eq!(claims.len(), expected, "{name}");
            assert!(claims.iter().all(|it| it.event_no == now().0 && it.until_s > now().seconds()), "{name}");
        }
    }
}
