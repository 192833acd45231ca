//! Which mails an organisation's people get: the table with its switches.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::kernel::actor::Permission;
use crate::kernel::id::OrganisationId;
use crate::sites::{self, Organisation};
use crate::tickets::notices::{self, Audience, Mailing, Occasion, Switches, means};
use crate::web::error::page;
use crate::web::links::with_query;
use crate::web::parts::Choice;
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, WebState};

const PATH: &str = "/mail-settings";

#[derive(Debug, Template)]
#[template(path = "tickets/web/mail_settings.html")]
struct SettingsPage {
    shell: Shell,
    organisations: Vec<Choice>,
    chosen: String,
    audiences: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    occasion: String,
    cells: Vec<Cell>,
}

/// One place of the table.
#[derive(Debug)]
struct Cell {
    /// Name of the switch; empty where there is none.
    name: String,
    on: bool,
    /// Always sent.
    always: bool,
    /// Read aloud for the switch: occasion and audience.
    label: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SettingsQuery {
    organisation: String,
    done: String,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<SettingsQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let mut tx = state.context.db.read().await?;
    let organisations = sites::list_organisations(&mut tx, reader.actor.scope).await?;
    let chosen = organisations.iter().find(|it| it.id.to_string() == asked.organisation);
    let chosen = chosen.or(organisations.first()).map(|it| it.id);
    let switches = match chosen {
        Some(organisation) => Switches::of(&mut tx, organisation).await?,
        None => Switches::default(),
    };
    drop(tx);
    let shell =
        reader.shell(reader.texts().t("mail-settings-title"), Section::Outbox).with_notice(&asked.done);
    page(&settings_page(shell, &organisations, chosen, &switches))
}

pub(crate) async fn save(
    State(state): State<WebState>,
    Posted { reader, fields }: Posted<HashMap<String, String>>,
) -> Result<Response, PageError> {
    reader.require(Permission::Administer)?;
    let organisation = fields.get("organisation").and_then(|it| it.parse::<OrganisationId>().ok());
    let organisation = organisation.filter(|it| reader.actor.scope.contains(*it));
    let mut tx = state.context.db.begin().await?;
    let found = match organisation {
        Some(id) => sites::find_organisation(&mut tx, id).await?,
        None => None,
    };
    let id = found.ok_or_else(PageError::not_found)?.id;
    let wanted = |occasion: Occasion, audience: Audience| fields.contains_key(&name(occasion, audience));
    notices::set_switches(&mut tx, &state.context, &reader.actor, id, wanted).await?;
    tx.commit().await?;
    let back = with_query(PATH, &[("organisation", &id.to_string()), ("done", "mail-settings")]);
    Ok(Redirect::to(&back).into_response())
}

fn name(occasion: Occasion, audience: Audience) -> String {
    format!("{}.{}", occasion.code(), audience.code())
}

fn settings_page(
    shell: Shell,
    organisations: &[Organisation],
    chosen: Option<OrganisationId>,
    switches: &Switches,
) -> SettingsPage {
    let texts = shell.texts;
    let choice = |it: &Organisation| Choice::new(it.id.to_string(), it.name.clone(), Some(it.id) == chosen);
    let cell = |occasion: Occasion, audience: Audience| Cell {
        name: if means(occasion, audience).is_switchable() {
            name(occasion, audience)
        } else {
            String::new()
        },
        on: switches.mails(occasion, audience),
        always: means(occasion, audience).mail == Mailing::Always,
        label: format!(
            "{} · {}",
            texts.word("occasion", occasion.code()),
            texts.word("audience", audience.code())
        ),
    };
    let row = |occasion: Occasion| Row {
        occasion: texts.word("occasion", occasion.code()).into_owned(),
        cells: Audience::ALL.into_iter().map(|it| cell(occasion, it)).collect(),
    };
    let mailed =
        |it: &Occasion| Audience::ALL.into_iter().any(|other| means(*it, other).mail != Mailing::Never);
    SettingsPage {
        organisations: organisations.iter().map(choice).collect(),
        chosen: chosen.map(|it| it.to_string()).unwrap_or_default(),
        audiences: Audience::ALL.iter().map(|it| texts.word("audience", it.code()).into_owned()).collect(),
        rows: Occasion::ALL.into_iter().filter(mailed).map(row).collect(),
        shell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::web::samples;
    use crate::kernel::actor::Role;
    use crate::web::Texts;
    use crate::web::rendering::{LANGUAGES, check, shell};

    #[test]
    fn every_switch_has_a_name_of_its_own_and_what_is_always_sent_has_none() {
        for language in LANGUAGES {
            let title = Texts::of(language).t("mail-settings-title");
            let frame = shell(language, &[Role::Admin], &title, Section::Outbox);
            let (organisations, _) = samples::places();
            let chosen = Some(organisations[0].id);
            let html = check(
                "mail-settings",
                language,
                &settings_page(frame, &organisations, chosen, &Switches::default()),
            );
            assert_eq!(html.matches("type=\"checkbox\"").count(), notices::switchable().count());
            assert!(!html.contains("name=\"created.requester\""));
        }
    }
}
