//! Declaring a fact about an item and giving it a tag.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::asset::{AssetForm, Loaded, form_for, load, overview_page};
use crate::inventory::{self, DeclaredField, InventoryError, Lifecycle};
use crate::kernel::actor::Permission;
use crate::kernel::text::{AssetTag, TagRefusal};
use crate::web::error::page_with;
use crate::web::{PageError, Posted, Reader, Texts, WebState};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Declared {
    field: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tagged {
    tag: String,
}

pub(crate) async fn declare(
    State(state): State<WebState>,
    Path(ci): Path<String>,
    Posted { reader, fields }: Posted<Declared>,
) -> Result<Response, PageError> {
    reader.require(Permission::WriteAssets)?;
    let loaded = load(&state, &reader, &ci).await?;
    let field = DeclaredField::ALL
        .into_iter()
        .find(|it| it.code() == fields.field)
        .ok_or_else(PageError::not_found)?;
    let mut tx = state.context.db.begin().await?;
    match inventory::declare(&mut tx, &state.context, &reader.actor, loaded.ci.id, field, fields.value.trim())
        .await
    {
        Ok(()) => {
            tx.commit().await?;
            Ok(done(&ci, "declared"))
        }
        Err(InventoryError::Invalid { reason, .. }) => {
            drop(tx);
            tracing::debug!(reason, "a declared value was refused");
            let mut form = form_for(&reader, &loaded.ci).unwrap_or_default();
            form.value = fields.value;
            form.fields.iter_mut().for_each(|it| it.chosen = it.value == fields.field);
            form.errors.add("value", refused_value(reader.texts(), field));
            again(&state, &reader, &loaded, form)
        }
        Err(other) => Err(other.into()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Placed {
    lifecycle: String,
}

pub(crate) async fn set_lifecycle(
    State(state): State<WebState>,
    Path(ci): Path<String>,
    Posted { reader, fields }: Posted<Placed>,
) -> Result<Response, PageError> {
    reader.require(Permission::WriteAssets)?;
    let loaded = load(&state, &reader, &ci).await?;
    let lifecycle = Lifecycle::from_code(&fields.lifecycle).ok_or_else(PageError::not_found)?;
    let mut tx = state.context.db.begin().await?;
    inventory::set_lifecycle(&mut tx, &state.context, &reader.actor, loaded.ci.id, lifecycle).await?;
    tx.commit().await?;
    Ok(done(&ci, "lifecycle"))
}

pub(crate) async fn assign_tag(
    State(state): State<WebState>,
    Path(ci): Path<String>,
    Posted { reader, fields }: Posted<Tagged>,
) -> Result<Response, PageError> {
    reader.require(Permission::WriteAssets)?;
    let loaded = load(&state, &reader, &ci).await?;
    let outcome = match parsed_tag(&fields.tag) {
        Err(refusal) => Err(reader.texts().word("tag-refused", refusal.code())),
        Ok(tag) => bind(&state, &reader, &loaded, tag).await?,
    };
    let Err(message) = outcome else { return Ok(done(&ci, "tag")) };
    let mut form = form_for(&reader, &loaded.ci).unwrap_or_default();
    form.tag = fields.tag;
    form.errors.add("tag", message);
    again(&state, &reader, &loaded, form)
}

/// Binds the tag, or says why the form must be shown again.
async fn bind(
    state: &WebState,
    reader: &Reader,
    loaded: &Loaded,
    tag: Option<AssetTag>,
) -> Result<Result<(), std::borrow::Cow<'static, str>>, PageError> {
    let listener = state.listener.as_ref();
    let mut tx = state.context.db.begin().await?;
    match inventory::assign_tag(&mut tx, &state.context, &reader.actor, loaded.ci.id, tag, listener).await {
        Ok(()) => {
            tx.commit().await?;
            Ok(Ok(()))
        }
        Err(InventoryError::TagTaken(tag)) => Ok(Err(reader.texts().t1("tag-taken", "tag", &tag))),
        Err(other) => Err(other.into()),
    }
}

/// A blank field takes the tag away.
fn parsed_tag(text: &str) -> Result<Option<AssetTag>, TagRefusal> {
    if text.trim().is_empty() { Ok(None) } else { text.parse().map(Some) }
}

fn refused_value(texts: Texts, field: DeclaredField) -> std::borrow::Cow<'static, str> {
    match field {
        DeclaredField::PurchasedOn | DeclaredField::WarrantyUntil => texts.t("declare-date-refused"),
        DeclaredField::Kind => texts.t("declare-kind-refused"),
        _ => texts.t("declare-refused"),
    }
}

fn done(ci: &str, what: &str) -> Response {
    Redirect::to(&format!("/parc/{}?done={what}", crate::web::links::encode(ci))).into_response()
}

fn again(state: &WebState, reader: &Reader, loaded: &Loaded, form: AssetForm) -> Result<Response, PageError> {
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &overview_page(state, reader, loaded, Some(form), ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_tag_takes_the_tag_away_and_a_placeholder_is_refused() {
        assert_eq!(parsed_tag("  "), Ok(None));
        assert_eq!(parsed_tag("PC-1").map(|it| it.map(|it| it.key().to_owned())), Ok(Some("PC1".into())));
        assert_eq!(parsed_tag("To be filled by O.E.M."), Err(TagRefusal::Placeholder));
    }
}
