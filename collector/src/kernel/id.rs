//! The one list of typed ids. All are `UUIDv7`: sortable by creation, made without a sequence, so that
//! hot inserts need no shared counter. People never see them; they see ticket numbers and asset tags.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::entropy::Entropy;
use super::time::UtcMicros;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[sqlx(transparent)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id for something that happens at `now`.
            pub fn generate(now: UtcMicros, entropy: &dyn Entropy) -> Self {
                Self(uuid_v7(now, entropy))
            }

            /// The bare UUID, for edges that need its bytes.
            pub fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    )+};
}

typed_ids! {
    /// Something people should read before they ask.
    AnnouncementId,
    /// An enrolled agent: one key pair on one workstation.
    AgentId,
    /// A key another program signs in with.
    ApiKeyId,
    /// One entry of the audit log.
    AuditEventId,
    /// The hours of a service.
    CalendarId,
    /// A configuration item: the machine, whatever agent or sticker it has.
    CiId,
    /// A demand to be forgotten.
    ErasureId,
    /// Something people rate.
    CriterionId,
    /// A file somebody sent.
    FileId,
    /// A machine lent while another is away.
    LoanId,
    /// A mail that arrived.
    InboundMailId,
    /// What the provider agreed with an organisation.
    ContractId,
    /// A place inside a site: building, floor, room.
    LocationId,
    /// A client organisation.
    OrganisationId,
    /// A mail to send or sent.
    OutgoingMailId,
    /// Somebody who may sign in or for whom a ticket is opened.
    PersonId,
    /// The state of a configuration item at one moment, kept for a ticket.
    PinId,
    /// A take-over of somebody's screen.
    RemoteSessionId,
    /// A site of an organisation.
    SiteId,
    /// Two machines that claim one asset tag.
    TagConflictId,
    /// A team of technicians.
    TeamId,
    /// The link between a ticket and a machine.
    TicketAssetId,
    /// An appointment on site.
    VisitId,
}

impl CiId {
    /// The random half of the id, for tables with hundreds of rows per item. Among a million items two share it
    /// once in ten million parcs; the items' own column of it is unique, so that such an item is not made.
    pub fn short(&self) -> i64 {
        let (_, random) = self.0.as_u64_pair();
        random.cast_signed()
    }
}

fn uuid_v7(now: UtcMicros, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0_u8; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.0.div_euclid(1000)).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
