//! Types of the slice.

use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{OrganisationId, PersonId, TeamId};

/// People who share a pot of tickets.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Short name for programs and commands.
    pub code: String,
    /// Name as shown.
    pub name: String,
    /// Support level, 1 or 2 (rule R018).
    pub level: i64,
    /// What it is good at.
    pub kind: TeamKind,
    /// The only organisation it works for; none for a team of the provider.
    pub organisation_id: Option<OrganisationId>,
    /// Whether it gets tickets.
    pub active: bool,
}

/// What a team is good at (rules R016, S3).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    sqlx::Type,
    serde::Serialize,
    serde::Deserialize,
    clap::ValueEnum,
    utoipa::ToSchema,
)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[clap(rename_all = "snake_case")]
pub enum TeamKind {
    /// First line for most tickets.
    ServiceDesk,
    /// Servers.
    Servers,
    /// Infrastructure and network.
    Network,
    /// Workstations and peripherals.
    Maintenance,
    /// Development and maintenance of applications.
    Application,
    /// Security: what is referred to the security manager lands here.
    Security,
    /// Training.
    Training,
    /// Anything else.
    Other,
}

impl TeamKind {
    /// All, in the order they are shown.
    pub const ALL: [Self; 8] = [
        Self::ServiceDesk,
        Self::Servers,
        Self::Network,
        Self::Maintenance,
        Self::Application,
        Self::Security,
        Self::Training,
        Self::Other,
    ];

    /// Stored word, REST value and text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::ServiceDesk => "service_desk",
            Self::Servers => "servers",
            Self::Network => "network",
            Self::Maintenance => "maintenance",
            Self::Application => "application",
            Self::Security => "security",
            Self::Training => "training",
            Self::Other => "other",
        }
    }

    /// From the stored word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

/// Somebody in a team.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TeamMember {
    /// Who.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
}

/// Tickets that go to a team first: of a type; of a sub-kind or about an application where one is named.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Route {
    /// The team.
    pub team_id: TeamId,
    /// Ticket type, its stored word.
    pub ticket_kind: String,
    /// Sub-kind, empty for any.
    pub sub_kind: String,
    /// Application as it is compared, empty for any.
    pub application_key: String,
}

/// What makes a team.
#[derive(Clone, Debug)]
pub struct NewTeam {
    /// 2 to 32 of a–z, 0–9, hyphen; unique.
    pub code: String,
    /// 1 to 120 characters.
    pub name: String,
    /// 1 or 2.
    pub level: i64,
    /// What it is good at.
    pub kind: TeamKind,
    /// The only organisation it works for.
    pub organisation_id: Option<OrganisationId>,
}

/// What can be changed about a team; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct TeamChange {
    /// Name.
    pub name: Option<String>,
    /// Support level.
    pub level: Option<i64>,
    /// What it is good at.
    pub kind: Option<TeamKind>,
    /// Whether it gets tickets.
    pub active: Option<bool>,
}

/// Why a use case about teams did nothing.
#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The code is taken.
    #[error("code {0:?} is taken")]
    Taken(String),
    /// No such team in scope.
    #[error("no such team")]
    NotFound,
    /// The actor lacks the permission.
    #[error("administering teams is not permitted")]
    Forbidden,
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TeamError {
    pub(super) fn invalid(field: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }
}

impl Fault for TeamError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Taken(_) => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::Taken(_) => "taken",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::Taken(_) => Some("code"),
            Self::NotFound | Self::Forbidden | Self::Store(_) => None,
        }
    }
}
