//! Types of the slice.

use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{CriterionId, OrganisationId, PersonId};
use crate::kernel::time::UtcMicros;
use crate::people::Language;

/// Something that is rated.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Criterion {
    /// Its id.
    pub id: CriterionId,
    /// Only asked in this organisation; nothing for all.
    pub organisation_id: Option<OrganisationId>,
    /// In French.
    pub label_fr: String,
    /// In English.
    pub label_en: String,
}

impl Criterion {
    /// In a language.
    pub fn label(&self, language: Language) -> &str {
        match language {
            Language::Fr => &self.label_fr,
            Language::En => &self.label_en,
        }
    }
}

/// What makes a criterion.
#[derive(Clone, Debug)]
pub struct NewCriterion {
    /// Only asked in this organisation; nothing for all.
    pub organisation_id: Option<OrganisationId>,
    /// 1 to 80 characters.
    pub label_fr: String,
    /// 1 to 80 characters.
    pub label_en: String,
}

/// What a person answered to one criterion.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Which one.
    pub criterion: CriterionId,
    /// 1 bad to 5 very good.
    pub score: i64,
    /// At most 500 characters, may be empty.
    pub comment: String,
}

/// A whole answer.
#[derive(Clone, Debug, Default)]
pub struct Rating {
    /// Criteria that were answered; none is needed.
    pub answers: Vec<Answer>,
    /// About everything, at most 2,000 characters, may be empty.
    pub comment: String,
}

/// A survey somebody may answer now.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The closure it is about.
    pub closed_at: UtcMicros,
    /// What is asked.
    pub criteria: Vec<Criterion>,
    /// When it is over.
    pub ends_at: UtcMicros,
}

/// How one criterion was rated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    /// Which one.
    pub criterion: Criterion,
    /// How often 1, 2, 3, 4, 5.
    pub scores: [i64; 5],
}

impl Results {
    /// How many answers.
    pub fn count(&self) -> i64 {
        self.scores.iter().sum()
    }

    /// The mean in tenths, rounded; nothing without answers.
    pub fn mean_tenths(&self) -> Option<i64> {
        let sum: i64 = self.scores.iter().zip(1..).map(|(count, score)| count * score).sum();
        let count = self.count();
        (count > 0).then(|| (sum * 20 + count) / (count * 2))
    }
}

/// Ratings of the tickets one person owned.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OwnerMean {
    /// Who.
    pub owner_id: PersonId,
    /// Name.
    pub name: String,
    /// How many scores.
    pub count: i64,
    /// Their sum.
    pub sum: i64,
}

/// Why a survey use case did nothing.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no survey for this person: not closed, over, answered, or not theirs.
    #[error("no such survey")]
    NotFound,
    /// The actor lacks the permission.
    #[error("not allowed for these roles")]
    Forbidden,
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SurveyError {
    pub(super) fn invalid(field: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Invalid { field, reason: reason.to_string() }
    }
}

impl Fault for SurveyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::NotFound => ErrorKind::NotFound,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound => "not-found",
            Self::Forbidden => "forbidden",
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::NotFound | Self::Forbidden | Self::Store(_) => None,
        }
    }
}
