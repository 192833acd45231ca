//! Types of the slice.

use std::path::PathBuf;

use crate::db::StoreError;
use crate::inventory::{InventoryError, TagPolicy};
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{AgentId, CiId, OrganisationId, SiteId};
use crate::kernel::time::UtcMicros;

/// What makes an enroll token.
#[derive(Clone, Debug)]
pub struct NewEnrollToken {
    /// Whose machines enroll with it.
    pub organisation_id: OrganisationId,
    /// Where they stand, if it is known in advance.
    pub site_id: Option<SiteId>,
    /// How many machines, 1 to 10,000.
    pub uses_max: u32,
    /// For how long, 1 to 90 days.
    pub valid_days: u32,
    /// Whether tags these machines claim may be bound without a person.
    pub tag_policy: TagPolicy,
}

/// An enroll token as listed; its secret was shown once.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EnrollToken {
    /// Its id, ten characters; the part of its text that is no secret.
    pub id: String,
    /// Whose machines enroll with it.
    pub organisation_id: OrganisationId,
    /// Name of the organisation.
    pub organisation_name: String,
    /// Name of the site; empty without one.
    pub site_name: String,
    /// Whether tags may be bound without a person.
    pub tag_policy: TagPolicy,
    /// How many machines may enroll with it.
    pub uses_max: i64,
    /// How many did.
    pub uses: i64,
    /// When it was made.
    pub created_at: UtcMicros,
    /// When it stops working.
    pub expires_at: UtcMicros,
    /// Who made it, by name.
    pub created_by: String,
    /// When it was withdrawn.
    pub revoked_at: Option<UtcMicros>,
}

/// Whether an agent is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type, serde::Serialize, clap::ValueEnum)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[clap(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Its reports count.
    Active,
    /// Two machines may share its identity: it may call, nothing it says is applied until a person decides.
    Quarantined,
    /// It may not call; for good.
    Revoked,
}

/// An enrolled agent.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Agent {
    /// Its id, in its certificate's name.
    pub id: AgentId,
    /// Whose machine it runs on.
    pub organisation_id: OrganisationId,
    /// The machine.
    pub ci_id: CiId,
    /// Whether it is listened to.
    pub status: AgentStatus,
    /// Why it has that status; empty for a new one.
    pub status_reason: String,
    /// Whether a tag it claims may be bound without a person.
    pub tag_policy: TagPolicy,
    /// Number of its newest certificate, from 1.
    pub generation: i64,
    /// Version it enrolled with.
    pub version: String,
    /// When it enrolled.
    pub enrolled_at: UtcMicros,
    /// Since when it has its status.
    pub status_since: UtcMicros,
}

/// Why a use case about agents did nothing.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it, with the limit.
        reason: String,
    },
    /// Malformed, unknown, wrong, expired, used up or withdrawn: deliberately not told apart.
    #[error("the enroll token is not valid")]
    TokenRefused,
    /// The certificate is not one this collector knows.
    #[error("the certificate is not known")]
    UnknownCertificate,
    /// No such agent or token in scope.
    #[error("no such agent or token")]
    NotFound,
    /// The actor lacks the permission.
    #[error("administering agents is not permitted")]
    Forbidden,
    /// The state of the agent does not allow it.
    #[error("{0}")]
    Refused(String),
    /// Several enrollments of the same machine at once; one of them may try again.
    #[error("the machine is being enrolled by several agents at once")]
    Contended,
    /// Two machines use one identity; it is in quarantine now.
    #[error("the identity forked: generation {presented} is not the current one")]
    Forked {
        /// The generation that came.
        presented: u64,
    },
    /// A certificate could not be made.
    #[error("a certificate could not be made")]
    Certificate(#[source] rcgen::Error),
    /// The machine's configuration item could not be found or made.
    #[error("the machine could not be enrolled")]
    Inventory(#[from] InventoryError),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AgentError {
    pub(super) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }
}

impl Fault for AgentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::TokenRefused | Self::UnknownCertificate => ErrorKind::Unauthenticated,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden | Self::Refused(_) | Self::Forked { .. } => ErrorKind::Forbidden,
            Self::Contended => ErrorKind::Unavailable,
            Self::Certificate(_) => ErrorKind::Internal,
            Self::Inventory(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::TokenRefused => "token-refused",
            Self::UnknownCertificate => "unknown-certificate",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::Refused(_) => "refused",
            Self::Contended => "contended",
            Self::Forked { .. } => "forked",
            Self::Certificate(_) => "internal",
            Self::Inventory(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::Inventory(error) => error.field(),
            _ => None,
        }
    }
}

/// Why the certificate authority is not available. Told at start-up, to the person who starts the collector.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The seal-key file could not be read or made.
    #[error("the seal key {} cannot be used", path.display())]
    SealKeyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database has an authority and its key file is gone.
    #[error(
        "the seal key {} is missing: put back the one that this database's certificate authority was made with",
        path.display()
    )]
    SealKeyMissing {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("the seal key {} is not 64 hexadecimal digits", path.display())]
    SealKeyMalformed {
        /// The file.
        path: PathBuf,
    },
    /// Others can read the file.
    #[error("the seal key {} can be read by others than its owner: chmod 600", path.display())]
    SealKeyExposed {
        /// The file.
        path: PathBuf,
    },
    /// The stored authority was sealed with another key.
    #[error("the seal key does not open the stored certificate authority: use the key file it was made with")]
    SealKeyWrong,
    /// A certificate could not be made or read.
    #[error("the certificate authority could not be made or read")]
    Certificate(#[from] rcgen::Error),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
