//! Visits for tests.

use crate::kernel::id::{OrganisationId, PersonId, VisitId};
use crate::kernel::time::UtcMicros;
use crate::visits::{Visit, VisitStatus};

/// A fixed visit on Monday, 23 November 2026, 9:30 to 11:00 in Lyon.
pub(crate) fn a_visit() -> Visit {
    Visit {
        id: VisitId::from(uuid::Uuid::from_u128(1)),
        ticket_number: "I202611_0042".parse().expect("number"),
        organisation_id: OrganisationId::from(uuid::Uuid::from_u128(2)),
        organisation_name: "Acme SA".into(),
        time_zone: "Europe/Paris".into(),
        technician_id: PersonId::from(uuid::Uuid::from_u128(3)),
        technician_name: "Nadia Lefèvre".into(),
        starts_at: UtcMicros::from_seconds(1_795_422_600),
        ends_at: UtcMicros::from_seconds(1_795_428_000),
        site_id: None,
        address: "Lyon, 12 rue de la République, 69002 Lyon".into(),
        location: "Bâtiment B, 2e étage".into(),
        contact: "Camille Roussel".into(),
        phone: "04 72 00 00 42".into(),
        purpose: "Remplacer le ventilateur ; apporter un câble d’alimentation".into(),
        status: VisitStatus::Fixed,
        outcome: String::new(),
        sequence: 2,
        updated_at: UtcMicros::from_seconds(1_795_299_300),
    }
}
