//! Name, logo, colour, help and contact: for the installation or for one organisation, with a preview.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::files::{logo_address, preview_address};
use crate::branding::{self, BrandError, Colour, Localised, Logo, LogoRefusal, Palette, Settings, Tool};
use crate::kernel::actor::Permission;
use crate::kernel::id::OrganisationId;
use crate::sites::{self, Organisation};
use crate::web::error::{page, page_with};
use crate::web::links::with_query;
use crate::web::parts::{Choice, FieldErrors};
use crate::web::{Asked, PageError, Reader, Section, Shell, Texts, Uploaded, WebState};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SettingsQuery {
    organisation: String,
    done: String,
}

/// Everything the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SettingsForm {
    organisation: String,
    product_name: String,
    accent: String,
    help_fr: String,
    help_en: String,
    hotline_phone: String,
    hours_fr: String,
    hours_en: String,
    support_mail: String,
    support_site: String,
    /// One tool a line: name, blank, address.
    tools: String,
    /// Pressed: show what it will look like, save nothing.
    check: String,
    /// `yes`: take the logo away.
    no_logo: String,
}

#[derive(Debug, Template)]
#[template(path = "branding/web/settings.html")]
struct SettingsPage {
    shell: Shell,
    form: SettingsForm,
    organisations: Vec<Choice>,
    /// Name of the service as it will be.
    name: String,
    logo: Option<String>,
    preview: Option<String>,
    /// Said when the colour had to be changed to be read.
    corrected: String,
    errors: FieldErrors,
}

pub(super) async fn show(
    State(state): State<WebState>,
    Asked(query): Asked<SettingsQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let scope = scope(&reader, &query.organisation)?;
    let mut tx = state.context.db.read().await?;
    let (settings, _) = branding::find_settings(&mut tx, scope).await?.unwrap_or_default();
    drop(tx);
    let form = form_of(settings, scope);
    page(&load(&state, &reader, form, FieldErrors::default(), &query.done).await?)
}

pub(super) async fn keep(
    State(state): State<WebState>,
    Uploaded { reader, fields: form, files, left_out }: Uploaded<SettingsForm>,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let scope = scope(&reader, &form.organisation)?;
    let texts = reader.texts();
    let mut errors = FieldErrors::default();
    let logo = match files.first() {
        Some(file) => match Logo::check(&file.bytes) {
            Ok(logo) => Some(logo),
            Err(refusal) => {
                errors.add("logo", logo_refused(texts, refusal));
                None
            }
        },
        None if !left_out.is_empty() => {
            errors.add("logo", logo_refused(texts, LogoRefusal::TooLarge));
            None
        }
        None => None,
    };
    if !form.check.is_empty() {
        if !form.accent.trim().is_empty() && form.accent.parse::<Colour>().is_err() {
            errors.add("accent", texts.t("branding-accent-malformed"));
        }
        return page(&load(&state, &reader, form, errors, "").await?);
    }
    if errors.is_empty() {
        match save(&state, &reader, scope, &form, logo).await {
            Ok(()) => {
                let organisation = scope.map(|it| it.to_string()).unwrap_or_default();
                let back = [("organisation", organisation.as_str()), ("done", "branding")];
                return Ok(Redirect::to(&with_query("/branding", &back)).into_response());
            }
            Err(BrandError::Invalid { field, .. }) => errors.add(field, refused(texts, field)),
            Err(other) => return Err(other.into()),
        }
    }
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &load(&state, &reader, form, errors, "").await?)
}

async fn save(
    state: &WebState,
    reader: &Reader,
    scope: Option<OrganisationId>,
    form: &SettingsForm,
    logo: Option<Logo>,
) -> Result<(), BrandError> {
    let mut tx = state.context.db.begin().await?;
    let remove = logo.is_none() && form.no_logo == "yes";
    branding::save(&mut tx, &state.context, &reader.actor, scope, settings_of(form), logo).await?;
    if remove {
        branding::remove_logo(&mut tx, &state.context, &reader.actor, scope).await?;
    }
    tx.commit().await?;
    state.brands.forget();
    Ok(())
}

/// The installation unless an organisation is named.
fn scope(reader: &Reader, organisation: &str) -> Result<Option<OrganisationId>, PageError> {
    if organisation.is_empty() {
        return Ok(reader.actor.scope.organisation());
    }
    let id: OrganisationId = organisation.parse().map_err(|_| PageError::not_found())?;
    if reader.actor.scope.contains(id) { Ok(Some(id)) } else { Err(PageError::not_found()) }
}

fn form_of(settings: Settings, scope: Option<OrganisationId>) -> SettingsForm {
    let tools: Vec<String> = settings.tools.iter().map(|it| format!("{} {}", it.name, it.url)).collect();
    SettingsForm {
        organisation: scope.map(|it| it.to_string()).unwrap_or_default(),
        product_name: settings.product_name,
        accent: settings.accent,
        help_fr: settings.help.fr,
        help_en: settings.help.en,
        hotline_phone: settings.hotline_phone,
        hours_fr: settings.hotline_hours.fr,
        hours_en: settings.hotline_hours.en,
        support_mail: settings.support_mail,
        support_site: settings.support_site,
        tools: tools.join("\n"),
        ..SettingsForm::default()
    }
}

fn settings_of(form: &SettingsForm) -> Settings {
    let lines = form.tools.lines().map(str::trim).filter(|it| !it.is_empty());
    let tool = |line: &str| {
        let (name, url) = line.rsplit_once(char::is_whitespace).unwrap_or((line, ""));
        Tool { name: name.trim().to_owned(), url: url.to_owned() }
    };
    Settings {
        product_name: form.product_name.clone(),
        accent: form.accent.clone(),
        help: Localised { fr: form.help_fr.clone(), en: form.help_en.clone() },
        hotline_phone: form.hotline_phone.clone(),
        hotline_hours: Localised { fr: form.hours_fr.clone(), en: form.hours_en.clone() },
        support_mail: form.support_mail.clone(),
        support_site: form.support_site.clone(),
        tools: lines.map(tool).collect(),
    }
}

fn logo_refused(texts: Texts, refusal: LogoRefusal) -> std::borrow::Cow<'static, str> {
    texts.t(match refusal {
        LogoRefusal::NotAPicture => "branding-logo-malformed",
        LogoRefusal::TooLarge => "branding-logo-large",
        LogoRefusal::TooManyPixels => "branding-logo-pixels",
    })
}

fn refused(texts: Texts, field: &str) -> std::borrow::Cow<'static, str> {
    match field {
        "accent" => texts.t("branding-accent-malformed"),
        "support_mail" => texts.t("person-email-malformed"),
        "support_site" => texts.t("branding-site-malformed"),
        "tools" => texts.t("branding-tools-malformed"),
        "product_name" | "hotline_phone" => texts.t1("too-long", "max", "40"),
        "help_fr" | "help_en" => texts.t1("too-long", "max", "1000"),
        _ => texts.t1("too-long", "max", "120"),
    }
}

async fn load(
    state: &WebState,
    reader: &Reader,
    form: SettingsForm,
    errors: FieldErrors,
    done: &str,
) -> Result<SettingsPage, PageError> {
    let scope = scope(reader, &form.organisation)?;
    let mut tx = state.context.db.read().await?;
    let organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
    let brand = branding::effective(&mut tx, scope).await?;
    drop(tx);
    let shell = reader.shell(reader.texts().t("branding-title"), Section::Branding).with_notice(done);
    let named = if form.product_name.trim().is_empty() { &brand.product_name } else { &form.product_name };
    let accent = form.accent.parse::<Colour>().ok().or(brand.accent);
    let (named, logo) = (named.clone(), brand.logo.as_deref().map(logo_address));
    Ok(settings_page(shell, form, (&organisations, named, logo, accent), errors))
}

fn settings_page(
    shell: Shell,
    form: SettingsForm,
    (organisations, name, logo, accent): (&[Organisation], String, Option<String>, Option<Colour>),
    errors: FieldErrors,
) -> SettingsPage {
    let corrected = accent.filter(|it| Palette::of(*it).light != *it).map(|it| {
        let used = Palette::of(it).light.to_string();
        shell.texts.t2("branding-corrected", ("chosen", &it.to_string()), ("used", &used)).into_owned()
    });
    let pick = |it: &Organisation| {
        Choice::new(it.id.to_string(), it.name.clone(), it.id.to_string() == form.organisation)
    };
    SettingsPage {
        organisations: organisations.iter().map(pick).collect(),
        preview: accent.map(preview_address),
        corrected: corrected.unwrap_or_default(),
        name,
        logo,
        form,
        errors,
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    fn the_settings_are_drawn_empty_and_refused() {
        for language in LANGUAGES {
            let frame = || shell(language, &[Role::Admin], "Branding", Section::Branding);
            let nothing = (&[][..], "Parc".to_owned(), None, None);
            check(
                "branding",
                language,
                &settings_page(frame(), SettingsForm::default(), nothing, FieldErrors::default()),
            );
            let form = SettingsForm {
                product_name: HOSTILE.into(),
                tools: HOSTILE.into(),
                ..SettingsForm::default()
            };
            let mut errors = FieldErrors::default();
            errors.add("logo", logo_refused(Texts::of(language), LogoRefusal::NotAPicture));
            let yellow =
                (&[][..], HOSTILE.to_owned(), Some("/brand/logo/0".into()), Some(Colour(255, 212, 0)));
            let html = check("branding-refused", language, &settings_page(frame(), form, yellow, errors));
            assert!(html.contains("#ffd400") && html.contains("/brand/ffd400.preview.css"));
        }
    }

    #[test]
    fn a_tool_is_a_name_and_an_address_on_one_line() {
        let form = SettingsForm {
            tools: "Quick Support https://a.example/q\r\n\r\nX".into(),
            ..SettingsForm::default()
        };
        let tools = settings_of(&form).tools;
        assert_eq!(tools[0], Tool { name: "Quick Support".into(), url: "https://a.example/q".into() });
        assert_eq!((tools.len(), tools[1].url.as_str()), (2, ""));
    }
}
