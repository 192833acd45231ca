//! The form that opens a ticket: what was typed, kept as it was typed, and what is wrong with it. Pure.

use serde::Deserialize;

use crate::kernel::id::{CiId, OrganisationId, PersonId, SiteId};
use crate::tickets::{Channel, ImpactScope, NewTicket, Severity, TicketError, TicketKind, Urgency};
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
#[derive(Clone, Debug, Default, Deserialize)]
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
    /// Pressed: look the number up and show the form again.
    pub check: String,
    /// Pressed: take this number and show the form again.
    pub take_tag: String,
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

    /// The ticket to open.
    pub(crate) fn ticket(&self, parties: &Parties, site: Option<SiteId>, machine: Option<CiId>) -> NewTicket {
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
            files: Vec::new(),
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
