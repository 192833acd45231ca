//! Types of the slice.

use serde::{Deserialize, Serialize};

use super::colour::Colour;
use super::logo::LogoRefusal;
use crate::db::StoreError;
use crate::kernel::error::{ErrorKind, Fault};
use crate::kernel::id::{AnnouncementId, OrganisationId};
use crate::kernel::time::UtcMicros;
use crate::people::Language;

/// The name of the pages when none was chosen.
pub(super) const PRODUCT_NAME: &str = "Parc";

/// A text in both languages. An empty one falls back to the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Localised {
    /// In French.
    pub fr: String,
    /// In English.
    pub en: String,
}

impl Localised {
    /// The text in a language, else in the other one.
    pub fn of(&self, language: Language) -> &str {
        let (first, second) = match language {
            Language::Fr => (&self.fr, &self.en),
            Language::En => (&self.en, &self.fr),
        };
        if first.is_empty() { second } else { first }
    }

    /// Neither language says anything.
    pub fn is_empty(&self) -> bool {
        self.fr.is_empty() && self.en.is_empty()
    }
}

/// A program for remote help and where it is downloaded (rule R090).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// An `https` address.
    pub url: String,
}

/// What can be set; empty means "as the installation", or the built-in one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Name of the service, such as `iservices`; at most 40 characters.
    pub product_name: String,
    /// Accent colour, `#rrggbb`.
    pub accent: String,
    /// Shown on the requesters' home page; at most 1,000 characters each.
    pub help: Localised,
    /// Phone number of the hotline, at most 40 characters.
    pub hotline_phone: String,
    /// When it is answered, at most 120 characters each.
    pub hotline_hours: Localised,
    /// Address that opens tickets.
    pub support_mail: String,
    /// Site of the provider, an `https` address.
    pub support_site: String,
    /// Programs for remote help, at most five.
    pub tools: Vec<Tool>,
}

/// Whom people reach, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// Phone number.
    pub phone: String,
    /// When it is answered.
    pub hours: Localised,
    /// Address.
    pub mail: String,
    /// Site.
    pub site: String,
    /// Programs for remote help.
    pub tools: Vec<Tool>,
}

impl Contact {
    /// Nothing was set.
    pub fn is_empty(&self) -> bool {
        self.phone.is_empty() && self.mail.is_empty() && self.site.is_empty() && self.tools.is_empty()
    }
}

/// What holds for one organisation, or for people who are not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// Name of the service.
    pub product_name: String,
    /// Accent as chosen; nothing for the built-in one.
    pub accent: Option<Colour>,
    /// What the logo's address ends with.
    pub logo: Option<String>,
    /// Help on the home page.
    pub help: Localised,
    /// Whom people reach.
    pub contact: Contact,
}

impl Default for Brand {
    fn default() -> Self {
        Self {
            product_name: PRODUCT_NAME.into(),
            accent: None,
            logo: None,
            help: Localised::default(),
            contact: Contact::default(),
        }
    }
}

/// How urgent an announcement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum AnnouncementKind {
    /// Good to know.
    Information,
    /// A major incident: many cannot work, and it is known.
    Outage,
}

impl AnnouncementKind {
    /// Stored word and text key.
    pub fn code(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Outage => "outage",
        }
    }
}

/// Something people should read before they open a ticket.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Announcement {
    /// Its id.
    pub id: AnnouncementId,
    /// Whom it is for; nothing for everybody.
    pub organisation_id: Option<OrganisationId>,
    /// How urgent.
    pub kind: AnnouncementKind,
    /// In French.
    pub text_fr: String,
    /// In English.
    pub text_en: String,
    /// When it was published.
    pub created_at: UtcMicros,
    /// When it goes by itself.
    pub ends_at: Option<UtcMicros>,
}

impl Announcement {
    /// In a language, else in the other one.
    pub fn text(&self, language: Language) -> &str {
        let (first, second) = match language {
            Language::Fr => (&self.text_fr, &self.text_en),
            Language::En => (&self.text_en, &self.text_fr),
        };
        if first.is_empty() { second } else { first }
    }
}

/// What makes an announcement.
#[derive(Clone, Debug)]
pub struct NewAnnouncement {
    /// Whom it is for; nothing for everybody.
    pub organisation_id: Option<OrganisationId>,
    /// How urgent.
    pub kind: AnnouncementKind,
    /// At most 500 characters each; one of them is needed.
    pub text: Localised,
    /// When it goes by itself.
    pub ends_at: Option<UtcMicros>,
}

/// Why nothing was saved.
#[derive(Debug, thiserror::Error)]
pub enum BrandError {
    /// A field is wrong.
    #[error("{field} {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The picture is none we take.
    #[error("logo {0}")]
    Logo(#[from] LogoRefusal),
    /// The actor lacks the permission.
    #[error("not allowed for these roles")]
    Forbidden,
    /// No such organisation or announcement in scope.
    #[error("no such organisation or announcement")]
    NotFound,
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for BrandError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid { .. } | Self::Logo(_) => ErrorKind::Invalid,
            Self::Forbidden => ErrorKind::Forbidden,
            Self::NotFound => ErrorKind::NotFound,
            Self::Store(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } | Self::Logo(_) => "invalid",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Store(error) => error.code(),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::Logo(_) => Some("logo"),
            Self::Forbidden | Self::NotFound | Self::Store(_) => None,
        }
    }
}
