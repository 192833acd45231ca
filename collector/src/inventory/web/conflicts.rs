//! Two machines that claim one tag, side by side, and the decision between them.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::machine::{Lens, known_kind, make_and_model};
use crate::inventory::{self, CiSummary, ConflictResolution, TagConflict};
use crate::kernel::actor::Permission;
use crate::kernel::id::TagConflictId;
use crate::kernel::page::PageRequest;
use crate::web::error::{page, page_with};
use crate::web::parts::{Pager, Pair};
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Stamp, WebState};

/// Characters of a reason.
const REASON_CHARS_MAX: usize = 500;
/// Conflicts on one page; each shows two machines.
const ROWS: u32 = 20;

#[derive(Debug, Template)]
#[template(path = "inventory/web/conflicts.html")]
struct ConflictsPage {
    shell: Shell,
    rows: Vec<ConflictView>,
    pager: Pager,
}

#[derive(Debug)]
struct ConflictView {
    id: String,
    tag: String,
    opened: Stamp,
    holder: ClaimView,
    claimant: ClaimView,
    /// Why the last try was refused, and what was typed.
    wrong: bool,
    reason: String,
}

#[derive(Debug)]
struct ClaimView {
    href: String,
    name: String,
    /// Told apart from the other claim even when both are of one model: host name and serial.
    called: String,
    icon: &'static str,
    evidence: Vec<Pair>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConflictQuery {
    cursor: String,
    done: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Decision {
    resolution: String,
    reason: String,
}

pub(crate) async fn show(
    State(state): State<WebState>,
    Asked(asked): Asked<ConflictQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    page(&load(&state, &reader, &asked, None).await?)
}

pub(crate) async fn settle(
    State(state): State<WebState>,
    Path(conflict): Path<String>,
    Posted { reader, fields }: Posted<Decision>,
) -> Result<Response, PageError> {
    reader.require(Permission::WriteAssets)?;
    let id: TagConflictId = conflict.parse().map_err(|_| PageError::not_found())?;
    let resolution = match fields.resolution.as_str() {
        "keep" => ConflictResolution::KeepHolder,
        "move" => ConflictResolution::MoveToClaimant,
        _ => return Err(PageError::not_found()),
    };
    let reason = fields.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        let page = load(&state, &reader, &ConflictQuery::default(), Some((id, fields.reason))).await?;
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let listener = state.listener.as_ref();
    inventory::resolve_conflict(&state.context, &reader.actor, id, resolution, reason, listener).await?;
    Ok(Redirect::to("/conflicts?done=conflict").into_response())
}

async fn load(
    state: &WebState,
    reader: &Reader,
    asked: &ConflictQuery,
    refused: Option<(TagConflictId, String)>,
) -> Result<ConflictsPage, PageError> {
    reader.require(Permission::WriteAssets)?;
    let mut tx = state.context.db.read().await?;
    let zone = reader.zone(&mut tx).await?;
    let lens = Lens { texts: reader.texts(), zone: &zone, now: state.context.now() };
    let request = PageRequest::from_query(Some(&asked.cursor), Some(ROWS));
    let found = inventory::list_conflicts(&mut tx, reader.actor.scope, &request).await?;
    let mut rows = Vec::new();
    for conflict in &found.rows {
        let holder = inventory::find_ci(&mut tx, reader.actor.scope, conflict.holder_ci_id).await?;
        let claimant = inventory::find_ci(&mut tx, reader.actor.scope, conflict.claimant_ci_id).await?;
        if let (Some(holder), Some(claimant)) = (holder, claimant) {
            let typed = refused.as_ref().filter(|it| it.0 == conflict.id).map(|it| it.1.clone());
            rows.push(conflict_view(lens, conflict, &holder, &claimant, typed));
        }
    }
    let shell = reader.shell(lens.texts.t("conflicts-title"), Section::Conflicts).with_notice(&asked.done);
    Ok(ConflictsPage { shell, rows, pager: Pager::of("/conflicts", &asked.cursor, found.next.as_deref()) })
}

fn conflict_view(
    lens: Lens<'_>,
    conflict: &TagConflict,
    holder: &CiSummary,
    claimant: &CiSummary,
    typed: Option<String>,
) -> ConflictView {
    ConflictView {
        id: conflict.id.to_string(),
        tag: conflict.tag.clone(),
        opened: Stamp::ago(lens.texts, lens.zone, conflict.opened_at, lens.now),
        holder: claim_view(lens, holder),
        claimant: claim_view(lens, claimant),
        wrong: typed.is_some(),
        reason: typed.unwrap_or_default(),
    }
}

fn claim_view(lens: Lens<'_>, ci: &CiSummary) -> ClaimView {
    let texts = lens.texts;
    let contact = ci.last_contact_at.map(|at| Stamp::ago(texts, lens.zone, at, lens.now).text().to_owned());
    let known = make_and_model(&ci.make, &ci.model);
    let evidence = [
        ("field-name", ci.name.clone()),
        ("field-serial", ci.serial.clone()),
        ("label-site", ci.site_name.clone()),
        ("label-assigned-to", ci.assigned_to_name.clone()),
        ("section-os", format!("{} {}", ci.os_name, ci.os_version).trim().to_owned()),
        ("label-last-contact", contact.unwrap_or_else(|| texts.t("never").into_owned())),
    ];
    let name = if known.is_empty() { texts.t("machine-unknown-model").into_owned() } else { known };
    ClaimView {
        href: format!("/parc/{}", ci.id),
        called: called(ci, &name),
        name,
        icon: known_kind(&ci.kind),
        evidence: evidence
            .into_iter()
            .filter(|it| !it.1.is_empty())
            .map(|(key, value)| Pair::new(texts.t(key), value))
            .collect(),
    }
}

/// What a button of the decision calls the machine: `PC-COMPTA-3 (5CG1234XYZ)`.
fn called(ci: &CiSummary, otherwise: &str) -> String {
    let name = if ci.name.trim().is_empty() { otherwise } else { ci.name.trim() };
    let serial = ci.serial.trim();
    if serial.is_empty() { name.to_owned() } else { format!("{name} ({serial})") }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::Texts;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, now, shell, zone};

    #[test]
    fn conflicts_are_drawn_side_by_side_or_explained_when_there_are_none() {
        for language in LANGUAGES {
            let zone = zone();
            let lens = Lens { texts: Texts::of(language), zone: &zone, now: now() };
            let conflict = samples::conflict();
            let rows = [None, Some(HOSTILE.to_owned())].map(|typed| {
                conflict_view(lens, &conflict, &samples::latitude_row(), &samples::hostile_row(), typed)
            });
            let frame =
                || shell(language, &[Role::Lead], &lens.texts.t("conflicts-title"), Section::Conflicts);
            let [first, mut second] = rows;
            second.id.push('2');
            check(
                "conflicts",
                language,
                &ConflictsPage { shell: frame(), rows: vec![first, second], pager: Pager::default() },
            );
            check(
                "conflicts-none",
                language,
                &ConflictsPage { shell: frame(), rows: Vec::new(), pager: Pager::default() },
            );
        }
    }

    #[test]
    fn two_machines_of_one_model_are_called_by_host_name_and_serial() {
        let holder = samples::latitude_row();
        let claimant =
            CiSummary { name: "LOANER-2".into(), serial: "7XK0001".into(), ..samples::latitude_row() };
        assert_eq!(called(&claimant, "Dell Latitude"), "LOANER-2 (7XK0001)");
        assert_ne!(called(&holder, "Dell Latitude"), called(&claimant, "Dell Latitude"));
        let nameless = CiSummary { name: String::new(), serial: String::new(), ..claimant };
        assert_eq!(called(&nameless, "Dell Latitude"), "Dell Latitude");
    }
}
