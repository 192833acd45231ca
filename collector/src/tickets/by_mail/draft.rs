//! A message as a new ticket: which of its words go where, what is missing, what is odd. Pure.

use parc_mail::reading::fields::{Fields, Scope, Severity, Urgency as Hurry};
use parc_mail::reading::{Dropped, Incoming};
use serde_json::{Value, json};

use crate::kernel::id::{FileId, InboundMailId, OrganisationId};
use crate::kernel::text::search_key;
use crate::people::{Language, Person};
use crate::sites::Site;
use crate::tickets::model::{Entry, NewTicket};
use crate::tickets::words::{Channel, ImpactScope, Severity as Hindrance, TicketKind, Urgency};

/// Characters a ticket takes; longer texts are cut here, and whole in the stored message.
const SUMMARY_CHARS_MAX: usize = 200;
const DESCRIPTION_CHARS_MAX: usize = 20_000;
const LINE_CHARS_MAX: usize = 120;
const AVAILABILITY_CHARS_MAX: usize = 500;
const PHONE_CHARS_MAX: usize = 40;
const NUMBER_CHARS_MAX: usize = 100;

/// The machine a message speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spoken {
    /// What to look up; empty for nothing.
    pub(super) inventory_number: String,
    /// It was found in running text rather than under its label (rule A11).
    pub(super) inferred: bool,
    /// Several machines are spoken of, so that nobody can tell which is meant.
    pub(super) several: Vec<String>,
}

/// What a ticket is drawn up from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) id: InboundMailId,
    pub(super) mail: &'a Incoming,
    pub(super) person: &'a Person,
    pub(super) organisation: OrganisationId,
    /// The organisation whose code stands first in the subject.
    pub(super) named: Option<OrganisationId>,
    pub(super) sites: &'a [Site],
    pub(super) spoken: &'a Spoken,
    pub(super) files: Vec<FileId>,
}

/// The ticket, and what its history tells of the mail.
pub(super) fn draft(source: Source<'_>) -> (NewTicket, Entry) {
    let fields = &source.mail.fields;
    let site = site_of(&source);
    let mut flags = Vec::new();
    if source.named.is_some_and(|it| it != source.organisation) {
        flags.push("foreign_code");
    }
    if site.is_none() && !fields.site.is_empty() {
        flags.push("unknown_site");
    }
    if source.spoken.inferred {
        flags.push("inferred_number");
    }
    if !source.spoken.several.is_empty() {
        flags.push("several_machines");
    }
    let missing = missing(fields, source.spoken);
    let entry = told(&source, &missing, &flags);
    let new = NewTicket {
        slots: Vec::new(),
        organisation_id: source.organisation,
        kind: TicketKind::Incident,
        sub_kind: None,
        channel: Channel::Mail,
        site_id: site.map(|it| it.id).or(source.person.default_site_id),
        location: location(fields, site.is_none()),
        requester_id: source.person.id,
        beneficiary_id: source.person.id,
        summary: summary(&source),
        description: description(source.mail),
        application: line(&fields.application, LINE_CHARS_MAX),
        phone: line(
            if fields.phone.is_empty() { &source.person.phone } else { &fields.phone },
            PHONE_CHARS_MAX,
        ),
        availability: line(&fields.availability, AVAILABILITY_CHARS_MAX),
        external_ref: String::new(),
        severity: match fields.impact.severity {
            Some(Severity::Blocking) => Hindrance::Blocking,
            Some(Severity::Minor) | None => Hindrance::Minor,
        },
        scope: match fields.impact.scope {
            Some(Scope::All) => ImpactScope::All,
            Some(Scope::Group) => ImpactScope::Group,
            Some(Scope::One) | None => ImpactScope::One,
        },
        urgency: match fields.urgency {
            Some(Hurry::Low) => Urgency::Low,
            Some(Hurry::High) => Urgency::High,
            Some(Hurry::Medium) | None => Urgency::Medium,
        },
        inventory_number: line(&source.spoken.inventory_number, NUMBER_CHARS_MAX),
        machine: None,
        request_id: None,
        files: source.files,
    };
    (new, entry)
}

/// What the documented layout asks for and the mail does not say (rule R027).
fn missing(fields: &Fields, spoken: &Spoken) -> Vec<&'static str> {
    let asked = [
        ("inventory_number", spoken.inventory_number.is_empty()),
        ("impact", fields.impact.severity.is_none()),
        ("site", fields.site.is_empty()),
        ("location", fields.location.is_empty()),
        ("availability", fields.availability.is_empty()),
    ];
    asked.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| name).collect()
}

fn told(source: &Source<'_>, missing: &[&str], flags: &[&str]) -> Entry {
    let mut data = arrival(source.id, source.mail);
    if let Some(data) = data.as_object_mut() {
        data.insert("missing".into(), missing.into());
        data.insert("flags".into(), flags.into());
        data.insert("several".into(), source.spoken.several.clone().into());
    }
    Entry { kind: "mail_in", public: false, data }
}

/// Facts of a message for a ticket's history.
pub(super) fn arrival(id: InboundMailId, mail: &Incoming) -> Value {
    let authenticity = serde_json::to_value(mail.authenticity).unwrap_or_default();
    json!({
        "mail": id,
        "from": mail.from.address,
        "authenticity": authenticity,
        "dropped": mail.dropped.iter().map(dropped).collect::<Vec<_>>(),
    })
}

fn dropped(file: &Dropped) -> Value {
    json!({ "name": file.name, "size_bytes": file.size_bytes, "reason": file.reason })
}

fn site_of<'a>(source: &'a Source<'_>) -> Option<&'a Site> {
    let wanted = search_key(source.mail.fields.site.trim());
    source.sites.iter().find(|it| !wanted.is_empty() && search_key(&it.name) == wanted)
}

/// A site that we do not know is not lost: it stands before the place.
fn location(fields: &Fields, site_unknown: bool) -> String {
    let parts = [if site_unknown { fields.site.as_str() } else { "" }, fields.location.as_str()];
    let told: Vec<&str> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    line(&told.join(", "), LINE_CHARS_MAX)
}

/// The subject without the organisation's own code; of a mail without subject the first line.
fn summary(source: &Source<'_>) -> String {
    let topic = &source.mail.topic;
    let subject = match &topic.code {
        Some((_, rest)) if source.named == Some(source.organisation) => rest,
        _ => &topic.summary,
    };
    let first =
        || description(source.mail).lines().map(str::trim).find(|it| !it.is_empty()).map(str::to_owned);
    let nothing = match source.person.language {
        Language::Fr => "Sans objet",
        Language::En => "No subject",
    };
    let said = Some(subject.clone()).filter(|it| !it.is_empty()).or_else(first);
    line(&said.unwrap_or_else(|| nothing.to_owned()), SUMMARY_CHARS_MAX)
}

/// The labelled description; without one what stands under no label, else everything that was written.
pub(super) fn description(mail: &Incoming) -> String {
    let fields = &mail.fields;
    let unlabelled = if fields.found > 0 { fields.unlabelled.as_str() } else { mail.written.as_str() };
    let said = [fields.description.as_str(), unlabelled, mail.text.as_str()];
    let said = said.into_iter().find(|it| !it.trim().is_empty()).unwrap_or_default();
    said.trim().chars().take(DESCRIPTION_CHARS_MAX).collect()
}

/// One line of at most `max` characters.
fn line(text: &str, max: usize) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(max).collect()
}
