//! The form that opens a ticket: what was typed, kept as it was typed, and what is wrong with it. Pure.

use serde::{Deserialize, Serialize};

use crate::kernel::id::{CiId, FileId, OrganisationId, PersonId, SiteId};
use crate::tickets::{Channel, ImpactScope, NewTicket, Severity, Slot, TicketError, TicketKind, Urgency};
use crate::web::Texts;
use crate::web::parts::FieldErrors;

/// Characters of each field, as the service keeps them; said beside the field instead of cut.
const LIMITS: [(&str, usize); 7] = [
    ("summary", 200),
    ("description", 20_000),
    ("application", 120),
    ("location", 120),
    ("phone", 40),
    ("availability", 500),
    ("tag", 100),
];

/// Everything the form sends. Empty where nothing was given.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct NewForm {
    pub request_id: String,
    pub kind: String,
    pub organisation: String,
    pub beneficiary: String,
    pub tag: String,
    /// Signed by us: the workstation the person sits at.
    pub machine: String,
    pub severity: String,
    pub scope: String,
    pub urgency: String,
    pub site: String,
    pub location: String,
    pub summary: String,
    pub description: String,
    pub application: String,
    pub phone: String,
    pub availability: String,
    /// Ticked slots, one a line.
    pub slot: String,
    /// `yes`: the files that came with it show personal data.
    #[serde(skip_serializing)]
    pub personal: String,
    /// Pressed: look the number up, read it over once more, and show the form again.
    #[serde(skip_serializing)]
    pub check: String,
    /// Pressed: take this number and show the form again.
    #[serde(skip_serializing)]
    pub take_tag: String,
    /// Pressed: take this file away and show the form again.
    #[serde(skip_serializing)]
    pub remove_file: String,
}

/// For whom and where, found out before the ticket is made.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    pub organisation: OrganisationId,
    pub requester: PersonId,
    pub beneficiary: PersonId,
    /// Taken when the form names none.
    pub phone: String,
    pub channel: Channel,
}

/// Where, with which machine and files, and when to call: found out as well.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub site: Option<SiteId>,
    pub machine: Option<CiId>,
    pub slots: Vec<Slot>,
    pub files: Vec<FileId>,
}

impl NewForm {
    /// Incident unless a service request is asked for.
    pub(crate) fn ticket_kind(&self) -> TicketKind {
        if self.kind == TicketKind::ServiceRequest.code() {
            TicketKind::ServiceRequest
        } else {
            TicketKind::Incident
        }
    }

    pub(crate) fn severity(&self) -> Severity {
        Severity::from_code(&self.severity).unwrap_or(Severity::Minor)
    }

    pub(crate) fn scope(&self) -> ImpactScope {
        ImpactScope::from_code(&self.scope).unwrap_or(ImpactScope::One)
    }

    pub(crate) fn urgency(&self) -> Urgency {
        Urgency::from_code(&self.urgency).unwrap_or(Urgency::Medium)
    }

    fn text(&self, field: &str) -> &str {
        match field {
            "summary" => &self.summary,
            "description" => &self.description,
            "application" => &self.application,
            "location" => &self.location,
            "phone" => &self.phone,
            "availability" => &self.availability,
            _ => &self.tag,
        }
    }

    /// What is wrong before anybody is asked.
    pub(crate) fn errors(&self, texts: Texts) -> FieldErrors {
        let mut errors = FieldErrors::default();
        if self.summary.trim().is_empty() {
            errors.add("summary", texts.t("new-summary-missing"));
        }
        for (field, max) in LIMITS {
            let given = self.text(field).trim().chars().count();
            if given > max {
                let shown =
                    crate::web::numbers::integer(texts.language(), i64::try_from(max).unwrap_or(i64::MAX));
                errors.add(field, texts.t1("too-long", "max", &shown));
            }
        }
        errors
    }

    /// The form as a draft is kept.
    pub(crate) fn to_draft(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The form a draft was kept from; an unreadable one is no draft.
    pub(crate) fn from_draft(fields: &str) -> Option<Self> {
        serde_json::from_str(fields).ok()
    }

    /// The ticket to open.
    pub(crate) fn ticket(&self, parties: &Parties, place: Place) -> NewTicket {
        let Place { site, machine, slots, files } = place;
        NewTicket {
            organisation_id: parties.organisation,
            kind: self.ticket_kind(),
            channel: parties.channel,
            site_id: site,
            location: self.location.clone(),
            requester_id: parties.requester,
            beneficiary_id: parties.beneficiary,
            summary: self.summary.clone(),
            description: self.description.clone(),
            application: self.application.clone(),
            phone: if self.phone.trim().is_empty() { &parties.phone } else { &self.phone }.clone(),
            availability: self.availability.clone(),
            external_ref: String::new(),
            sub_kind: None,
            severity: self.severity(),
            scope: self.scope(),
            urgency: self.urgency(),
            inventory_number: self.tag.clone(),
            machine,
            request_id: request_id(&self.request_id),
            slots,
            files,
        }
    }
}

/// The hidden id that makes a double click one ticket.
fn request_id(text: &str) -> Option<[u8; 16]> {
    uuid::Uuid::parse_str(text).ok().map(uuid::Uuid::into_bytes)
}

/// A refusal of the service at the field it names; `None` when it is no matter of a field.
pub(crate) fn refused(texts: Texts, error: &TicketError) -> Option<FieldErrors> {
    let TicketError::Invalid { field, .. } = error else { return None };
    let field = if *field == "inventory_number" { "tag" } else { *field };
    let mut errors = FieldErrors::default();
    errors.add(field, texts.t("field-refused"));
    Some(errors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Language;

    #[test]
    fn only_the_summary_is_needed() {
        let texts = Texts::of(Language::En);
        assert_eq!(NewForm::default().errors(texts).0.len(), 1);
        assert!(NewForm { summary: "No VPN".into(), ..NewForm::default() }.errors(texts).is_empty());
    }

    #[test]
    fn too_long_a_text_is_said_at_its_field_not_cut() {
        let form = NewForm { summary: "é".repeat(201), tag: "x".repeat(101), ..NewForm::default() };
        let errors = form.errors(Texts::of(Language::Fr));
        assert!(errors.of("summary").is_some_and(|it| it.contains("200")));
        assert!(errors.of("tag").is_some());
    }

    #[test]
    fn a_draft_comes_back_without_the_button_that_was_pressed() {
        let form = NewForm {
            summary: "No VPN".into(),
            slot: "a\nb".into(),
            check: "tag".into(),
            ..NewForm::default()
        };
        let back = NewForm::from_draft(&form.to_draft()).expect("a draft");
        assert_eq!((back.summary.as_str(), back.slot.as_str(), back.check.as_str()), ("No VPN", "a\nb", ""));
        assert!(NewForm::from_draft("{").is_none());
    }

    #[test]
    fn nonsense_in_a_choice_falls_back_to_the_mildest() {
        let form = NewForm {
            severity: "x".into(),
            scope: "everything".into(),
            urgency: String::new(),
            ..NewForm::default()
        };
        assert_eq!(
            (form.severity(), form.scope(), form.urgency()),
            (Severity::Minor, ImpactScope::One, Urgency::Medium)
        );
        assert_eq!(request_id("not a uuid"), None);
    }
}
