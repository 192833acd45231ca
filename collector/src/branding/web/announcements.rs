//! Announcements: published by who distributes the work, read by requesters before they ask.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::branding::{self, Announcement, AnnouncementKind, BrandError, Localised, NewAnnouncement};
use crate::kernel::actor::Permission;
use crate::kernel::id::{AnnouncementId, OrganisationId};
use crate::kernel::time::{UtcMicros, Zone};
use crate::sites::{self, Organisation};
use crate::web::error::{page, page_with};
use crate::web::parts::{Choice, FieldErrors};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Stamp, Texts, WebState};

/// An announcement as requesters read it.
#[derive(Clone, Debug)]
pub(crate) struct Banner {
    /// `danger` for an outage, empty otherwise.
    pub tone: &'static str,
    pub icon: &'static str,
    pub title: String,
    pub text: String,
    pub at: Stamp,
}

/// What the reader's organisation reads now.
pub(crate) async fn banners(
    state: &WebState,
    reader: &Reader,
    zone: &Zone,
) -> Result<Vec<Banner>, PageError> {
    let mut tx = state.context.db.read().await?;
    let now = state.context.now();
    let live = branding::live_announcements(&mut tx, reader.person.organisation_id, now).await?;
    let texts = reader.texts();
    Ok(live.iter().map(|it| banner(texts, zone, now, it)).collect())
}

fn banner(texts: Texts, zone: &Zone, now: UtcMicros, announcement: &Announcement) -> Banner {
    let outage = announcement.kind == AnnouncementKind::Outage;
    Banner {
        tone: if outage { "danger" } else { "" },
        icon: if outage { "warn" } else { "info" },
        title: texts.word("announcement", announcement.kind.code()).into_owned(),
        text: announcement.text(texts.language()).to_owned(),
        at: Stamp::ago(texts, zone, announcement.created_at, now),
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    done: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnnouncementForm {
    organisation: String,
    kind: String,
    text_fr: String,
    text_en: String,
    ends_on: String,
}

#[derive(Debug)]
struct AnnouncementLine {
    id: String,
    banner: Banner,
    audience: String,
    until: Option<Stamp>,
}

#[derive(Debug, Template)]
#[template(path = "branding/web/announcements.html")]
struct AnnouncementsPage {
    shell: Shell,
    lines: Vec<AnnouncementLine>,
    form: AnnouncementForm,
    organisations: Vec<Choice>,
    errors: FieldErrors,
}

fn require(reader: &Reader) -> Result<(), PageError> {
    let may = reader.actor.may(Permission::QualifyTickets) || reader.actor.may(Permission::Administer);
    if may && reader.actor.scope.organisation().is_none() { Ok(()) } else { Err(PageError::forbidden()) }
}

pub(super) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<Done>,
    reader: Reader,
) -> Result<Response, PageError> {
    require(&reader)?;
    page(&load(&state, &reader, AnnouncementForm::default(), FieldErrors::default(), &asked.done).await?)
}

pub(super) async fn publish(
    State(state): State<WebState>,
    Posted { reader, fields: form }: Posted<AnnouncementForm>,
) -> Result<Response, PageError> {
    require(&reader)?;
    let mut tx = state.context.db.begin().await?;
    let zone = reader.zone(&mut tx).await?;
    let new = NewAnnouncement {
        organisation_id: form.organisation.parse::<OrganisationId>().ok(),
        kind: if form.kind == "outage" { AnnouncementKind::Outage } else { AnnouncementKind::Information },
        text: Localised { fr: form.text_fr.clone(), en: form.text_en.clone() },
        ends_at: UtcMicros::parse_until(form.ends_on.trim(), &zone),
    };
    match branding::announce(&mut tx, &state.context, &reader.actor, new).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(Redirect::to("/announcements?done=announced").into_response())
        }
        Err(BrandError::Invalid { field, reason }) => {
            drop(tx);
            let texts = reader.texts();
            let mut errors = FieldErrors::default();
            match field {
                "ends_at" => errors.add("ends_on", texts.t("announcement-past")),
                _ if reason.contains("characters") => errors.add(field, texts.t1("too-long", "max", "500")),
                _ => errors.add(field, texts.t("announcement-empty")),
            }
            let shown = load(&state, &reader, form, errors, "").await?;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
        Err(other) => Err(other.into()),
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Nothing {}

pub(super) async fn end(
    State(state): State<WebState>,
    Path(id): Path<String>,
    Posted { reader, .. }: Posted<Nothing>,
) -> Result<Response, PageError> {
    require(&reader)?;
    let id: AnnouncementId = id.parse().map_err(|_| PageError::not_found())?;
    let mut tx = state.context.db.begin().await?;
    branding::withdraw(&mut tx, &state.context, &reader.actor, id).await?;
    tx.commit().await?;
    Ok(Redirect::to("/announcements?done=announcement-ended").into_response())
}

async fn load(
    state: &WebState,
    reader: &Reader,
    form: AnnouncementForm,
    errors: FieldErrors,
    done: &str,
) -> Result<AnnouncementsPage, PageError> {
    let now = state.context.now();
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
    let live = branding::list_announcements(&mut tx, reader.actor.scope, now).await?;
    drop(tx);
    let shell =
        reader.shell(reader.texts().t("announcements-title"), Section::Announcements).with_notice(done);
    Ok(announcements_page(shell, (&zone, now), (&organisations, &live), form, errors))
}

fn announcements_page(
    shell: Shell,
    (zone, now): (&Zone, UtcMicros),
    (organisations, standing): (&[Organisation], &[Announcement]),
    form: AnnouncementForm,
    errors: FieldErrors,
) -> AnnouncementsPage {
    let texts = shell.texts;
    let named = |id: OrganisationId| organisations.iter().find(|it| it.id == id).map(|it| it.name.clone());
    let view = |it: &Announcement| AnnouncementLine {
        id: it.id.to_string(),
        banner: banner(texts, zone, now, it),
        audience: it
            .organisation_id
            .and_then(named)
            .unwrap_or_else(|| texts.t("announcement-everybody").into_owned()),
        until: it.ends_at.map(|at| Stamp::day(texts, zone, at)),
    };
    let pick = |it: &Organisation| {
        Choice::new(it.id.to_string(), it.name.clone(), it.id.to_string() == form.organisation)
    };
    AnnouncementsPage {
        lines: standing.iter().map(view).collect(),
        organisations: organisations.iter().map(pick).collect(),
        form,
        errors,
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    #[test]
    fn announcements_are_drawn_with_and_without() {
        for language in LANGUAGES {
            let frame = || shell(language, &[Role::Peu], "Announcements", Section::Announcements);
            let none = (&[][..], &[][..]);
            let (zone, now) = (zone(), now());
            let form = AnnouncementForm::default;
            check(
                "announcements-none",
                language,
                &announcements_page(frame(), (&zone, now), none, form(), FieldErrors::default()),
            );
            let live = [Announcement {
                id: uuid::Uuid::nil().into(),
                organisation_id: None,
                kind: AnnouncementKind::Outage,
                text_fr: HOSTILE.into(),
                text_en: String::new(),
                created_at: now,
                ends_at: Some(now),
            }];
            let mut errors = FieldErrors::default();
            errors.add("text_fr", Texts::of(language).t("announcement-empty"));
            let some = (&[][..], &live[..]);
            let html = check(
                "announcements",
                language,
                &announcements_page(frame(), (&zone, now), some, form(), errors),
            );
            assert!(html.contains("Ünbreakable"), "one language stands for both");
        }
    }
}
