//! Saving settings and announcements, and what follows from them.

use serde_json::json;

use super::colour::Colour;
use super::logo::Logo;
use super::model::{Announcement, Brand, BrandError, Contact, Localised, NewAnnouncement, Settings, Tool};
use super::store;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::{AnnouncementId, OrganisationId};
use crate::kernel::text::{self, EmailAddress};

/// Characters of the product's name: it stands in a bar.
const PRODUCT_NAME_CHARS_MAX: usize = 40;
/// Characters of a phone number.
const PHONE_CHARS_MAX: usize = 40;
/// Characters of the hours.
const HOURS_CHARS_MAX: usize = 120;
/// Characters of a help text.
const HELP_CHARS_MAX: usize = 1_000;
/// Characters of an address of a site or tool.
const URL_CHARS_MAX: usize = 300;
/// Tools offered: nobody chooses between more.
const TOOLS_MAX: usize = 5;
/// Characters of an announcement.
const ANNOUNCEMENT_CHARS_MAX: usize = 500;

/// Saves the settings of the installation, or of an organisation; a logo replaces the earlier one.
pub async fn save(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    organisation: Option<OrganisationId>,
    settings: Settings,
    logo: Option<Logo>,
) -> Result<Settings, BrandError> {
    may_set(actor, organisation)?;
    let settings = checked(settings)?;
    store::upsert(tx, organisation, &settings, context.now()).await?;
    if let Some(logo) = &logo {
        let hash = blake3::hash(&logo.bytes).to_hex();
        store::set_logo(tx, organisation, Some((&hash[..32], logo))).await?;
    }
    record(tx, context, actor, organisation, "branding.saved").await?;
    Ok(settings)
}

/// Takes the logo away again.
pub async fn remove_logo(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    organisation: Option<OrganisationId>,
) -> Result<(), BrandError> {
    may_set(actor, organisation)?;
    store::set_logo(tx, organisation, None).await?;
    record(tx, context, actor, organisation, "branding.logo_removed").await?;
    Ok(())
}

/// What holds for an organisation: its own settings, else the installation's, else the built-in ones.
pub async fn effective(tx: &mut Tx, organisation: Option<OrganisationId>) -> Result<Brand, StoreError> {
    let (common, common_logo) = store::find(tx, None).await?.unwrap_or_default();
    let (own, own_logo) = match organisation {
        Some(_) => store::find(tx, organisation).await?.unwrap_or_default(),
        None => (Settings::default(), None),
    };
    Ok(joined(own, common, own_logo.or(common_logo)))
}

fn joined(own: Settings, common: Settings, logo: Option<String>) -> Brand {
    let text = |own: String, common: String| if own.is_empty() { common } else { own };
    let localised = |own: Localised, common: Localised| if own.is_empty() { common } else { own };
    let built_in = Brand::default();
    Brand {
        product_name: text(text(own.product_name, common.product_name), built_in.product_name),
        accent: text(own.accent, common.accent).parse().ok(),
        logo,
        help: localised(own.help, common.help),
        contact: Contact {
            phone: text(own.hotline_phone, common.hotline_phone),
            hours: localised(own.hotline_hours, common.hotline_hours),
            mail: text(own.support_mail, common.support_mail),
            site: text(own.support_site, common.support_site),
            tools: if own.tools.is_empty() { common.tools } else { own.tools },
        },
    }
}

fn checked(settings: Settings) -> Result<Settings, BrandError> {
    let line = |field: &'static str, text: &str, max| {
        let cleaned = text::optional_line(text, max).map_err(|it| invalid(field, it))?;
        Ok::<String, BrandError>(cleaned.unwrap_or_default())
    };
    let accent = match settings.accent.trim() {
        "" => String::new(),
        text => {
            text.parse::<Colour>().map_err(|()| invalid("accent", "must be a colour, #rrggbb"))?.to_string()
        }
    };
    let support_mail = match settings.support_mail.trim() {
        "" => String::new(),
        text => text.parse::<EmailAddress>().map_err(|it| invalid("support_mail", it))?.to_string(),
    };
    let help = |field: &'static str, text: &str| {
        let cleaned = text::optional_paragraphs(text, HELP_CHARS_MAX).map_err(|it| invalid(field, it))?;
        Ok::<String, BrandError>(cleaned.unwrap_or_default())
    };
    Ok(Settings {
        product_name: line("product_name", &settings.product_name, PRODUCT_NAME_CHARS_MAX)?,
        accent,
        help: Localised { fr: help("help_fr", &settings.help.fr)?, en: help("help_en", &settings.help.en)? },
        hotline_phone: line("hotline_phone", &settings.hotline_phone, PHONE_CHARS_MAX)?,
        hotline_hours: Localised {
            fr: line("hours_fr", &settings.hotline_hours.fr, HOURS_CHARS_MAX)?,
            en: line("hours_en", &settings.hotline_hours.en, HOURS_CHARS_MAX)?,
        },
        support_mail,
        support_site: web_address("support_site", &settings.support_site)?,
        tools: tools(settings.tools)?,
    })
}

fn tools(tools: Vec<Tool>) -> Result<Vec<Tool>, BrandError> {
    if tools.len() > TOOLS_MAX {
        return Err(invalid("tools", format!("must be at most {TOOLS_MAX}")));
    }
    tools
        .into_iter()
        .map(|tool| {
            let name = text::line(&tool.name, PRODUCT_NAME_CHARS_MAX).map_err(|it| invalid("tools", it))?;
            let url = web_address("tools", &tool.url)?;
            if url.is_empty() {
                Err(invalid("tools", "need an address each"))
            } else {
                Ok(Tool { name, url })
            }
        })
        .collect()
}

/// Only `https`: whoever follows the link downloads a program from there.
fn web_address(field: &'static str, text: &str) -> Result<String, BrandError> {
    let url = text::optional_line(text, URL_CHARS_MAX).map_err(|it| invalid(field, it))?.unwrap_or_default();
    let host = url.strip_prefix("https://").map(|it| it.split('/').next().unwrap_or_default());
    let plain = url.bytes().all(|it| it.is_ascii_graphic() && !b"\"<>\\".contains(&it));
    let named = host.is_some_and(|it| it.contains('.') && !it.contains('@'));
    if url.is_empty() || (plain && named) {
        Ok(url)
    } else {
        Err(invalid(field, "must be an https:// address"))
    }
}

/// Publishes an announcement.
pub async fn announce(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewAnnouncement,
) -> Result<AnnouncementId, BrandError> {
    may_announce(actor, new.organisation_id)?;
    let line = |field: &'static str, text: &str| {
        let cleaned = text::optional_line(text, ANNOUNCEMENT_CHARS_MAX).map_err(|it| invalid(field, it))?;
        Ok::<String, BrandError>(cleaned.unwrap_or_default())
    };
    let (text_fr, text_en) = (line("text_fr", &new.text.fr)?, line("text_en", &new.text.en)?);
    if text_fr.is_empty() && text_en.is_empty() {
        return Err(invalid("text_fr", text::TextRefusal::Empty));
    }
    let now = context.now();
    if new.ends_at.is_some_and(|it| it <= now) {
        return Err(invalid("ends_at", "must lie in the future"));
    }
    let announcement = Announcement {
        id: AnnouncementId::generate(now, context.entropy.as_ref()),
        organisation_id: new.organisation_id,
        kind: new.kind,
        text_fr,
        text_en,
        created_at: now,
        ends_at: new.ends_at,
    };
    store::insert_announcement(tx, &announcement).await?;
    record(tx, context, actor, announcement.organisation_id, "announcement.published").await?;
    Ok(announcement.id)
}

/// Ends an announcement.
pub async fn withdraw(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    announcement: AnnouncementId,
) -> Result<(), BrandError> {
    may_announce(actor, None)?;
    if !store::end_announcement(tx, announcement, context.now()).await? {
        return Err(BrandError::NotFound);
    }
    record(tx, context, actor, None, "announcement.withdrawn").await
}

fn may_set(actor: &Actor, organisation: Option<OrganisationId>) -> Result<(), BrandError> {
    let allowed = actor.may(Permission::Administer);
    let seen = organisation.map_or(actor.scope.organisation().is_none(), |it| actor.scope.contains(it));
    match (allowed, seen) {
        (false, _) => Err(BrandError::Forbidden),
        (true, false) => Err(BrandError::NotFound),
        (true, true) => Ok(()),
    }
}

/// Whoever distributes the work of all organisations knows of an outage first.
fn may_announce(actor: &Actor, organisation: Option<OrganisationId>) -> Result<(), BrandError> {
    let allowed = actor.may(Permission::QualifyTickets) || actor.may(Permission::Administer);
    let seen = organisation.is_none_or(|it| actor.scope.contains(it));
    if allowed && seen && actor.scope.organisation().is_none() { Ok(()) } else { Err(BrandError::Forbidden) }
}

fn invalid(field: &'static str, reason: impl std::fmt::Display) -> BrandError {
    BrandError::Invalid { field, reason: reason.to_string() }
}

async fn record(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    organisation_id: Option<OrganisationId>,
    action: &'static str,
) -> Result<(), BrandError> {
    let deed = Deed {
        organisation_id,
        action,
        subject_kind: "branding",
        subject_id: organisation_id.map_or_else(|| "installation".into(), |it| it.to_string()),
        detail: json!({}),
    };
    Ok(audit::record(tx, context, actor, deed).await?)
}
