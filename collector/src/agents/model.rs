//! Types of the slice.
use crate::db::StoreError;
use crate::inventory::TagPolicy;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::*;
use crate::kernel::time::UtcMicros;

#[derive(Clone, Debug)]
pub struct NewEnrollToken {
    pub organisation_id: OrganisationId,
    pub site_id: Option<SiteId>,
    /// 1 to 10,000.
    pub uses_max: u32,
    /// 1 to 90.
    pub valid_days: u32,
    pub tag_policy: TagPolicy,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EnrollToken {
    pub id: String,
    pub organisation_id: OrganisationId,
    pub organisation_name: String,
    pub site_name: String,
    pub tag_policy: TagPolicy,
    pub uses_max: i64,
    pub uses: i64,
    pub created_at: UtcMicros,
    pub expires_at: UtcMicros,
    pub created_by: String,
    pub revoked_at: Option<UtcMicros>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, serde::Serialize)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus { Active, Quarantined, Revoked }

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Agent {
    pub id: AgentId,
    pub organisation_id: OrganisationId,
    pub ci_id: CiId,
    pub status: AgentStatus,
    pub status_reason: String,
    pub tag_policy: TagPolicy,
    pub generation: i64,
    pub version: String,
    pub enrolled_at: UtcMicros,
    pub status_since: UtcMicros,
}

#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("{field} {reason}")]
    Invalid { field: &'static str, reason: String },
    #[error("the enroll token is not valid")]
    TokenRefused,
    #[error("no such agent")]
    NotFound,
    #[error("{0}")]
    Refused(String),
    #[error("the identity forked: generation {presented} is not the current one")]
    Forked { presented: u64 },
    #[error("a certificate could not be made")]
    Certificate(#[source] rcgen::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for AgentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::TokenRefused => ErrorKind::Unauthenticated,
            Self::NotFound => ErrorKind::NotFound,
            Self::Refused(_) | Self::Forked { .. } => ErrorKind::Forbidden,
            Self::Certificate(_) => ErrorKind::Internal,
            Self::Store(e) => e.kind(),
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::TokenRefused => "token-refused",
            Self::NotFound => "not-found",
            Self::Refused(_) => "refused",
            Self::Forked { .. } => "forked",
            Self::Certificate(_) => "internal",
            Self::Store(e) => e.code(),
        }
    }
    fn field(&self) -> Option<&str> { if let Self::Invalid { field, .. } = self { Some(field) } else { None } }
}
