//! What helps those who work with tickets: who looks at which one, saved views, canned replies.

use serde_json::json;

use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::kernel::text;
use crate::kernel::time::minutes;
use crate::people::Language;
use crate::tickets::action::TicketError;
use crate::tickets::model::{CannedReply, Presence, SavedView};
use crate::tickets::number::TicketNumber;
use crate::tickets::store::{self, REPLIES_MAX, VIEWS_MAX, Visibility};

/// How long after the last sign of life somebody counts as looking: four beats of the page.
const PRESENT_MINUTES: u64 = 2;
/// When a row about somebody who has gone is swept.
const SWEPT_MINUTES: u64 = 10;
/// Characters of a view's or reply's name.
const NAME_CHARS_MAX: usize = 60;
/// Characters of a view's query, as browsers send it.
const QUERY_CHARS_MAX: usize = 500;
/// Characters of a canned reply: an answer, not a manual.
const BODY_CHARS_MAX: usize = 4_000;
/// Characters of a reply's code.
const CODE_CHARS: std::ops::RangeInclusive<usize> = 2..=32;

/// Somebody who works has the ticket open, and writes or reads. Advisory: nothing is ever locked by it.
pub async fn touch_presence(
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    writing: bool,
) -> Result<(), TicketError> {
    let Some(person) = actor.person().filter(|_| actor.may(Permission::WorkTickets)) else { return Ok(()) };
    let mut tx = context.db.read().await?;
    store::find_visible(&mut tx, Visibility::of(actor), number).await?.ok_or(TicketError::NotFound)?;
    drop(tx);
    let mut tx = context.db.begin().await?;
    store::touch_presence(&mut tx, number, person, (writing, context.now())).await?;
    Ok(tx.commit().await?)
}

/// Who else has which ticket open, for who works on tickets. Of tickets the actor does not see too: to be shown only
/// beside those that it does.
pub async fn present(tx: &mut Tx, context: &Context, actor: &Actor) -> Result<Vec<Presence>, StoreError> {
    if !actor.may(Permission::WorkTickets) {
        return Ok(Vec::new());
    }
    let mut present = store::list_present(tx, context.now() - minutes(PRESENT_MINUTES)).await?;
    present.retain(|it| Some(it.person_id) != actor.person());
    Ok(present)
}

/// Forgets who has gone; the writer is disturbed only when somebody has.
pub(super) async fn sweep(context: &Context) -> Result<(), StoreError> {
    let before = context.now() - minutes(SWEPT_MINUTES);
    let mut tx = context.db.read().await?;
    let stale = store::has_stale_presence(&mut tx, before).await?;
    drop(tx);
    if stale {
        let mut tx = context.db.begin().await?;
        store::sweep_presence(&mut tx, before).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The actor's own views of the queue.
pub async fn saved_views(tx: &mut Tx, actor: &Actor) -> Result<Vec<SavedView>, StoreError> {
    match actor.person() {
        Some(person) => store::list_views(tx, person).await,
        None => Ok(Vec::new()),
    }
}

/// Keeps a view under a name; an empty query drops the one of that name.
pub async fn save_view(tx: &mut Tx, actor: &Actor, name: &str, query: &str) -> Result<(), TicketError> {
    let person = actor.person().ok_or(TicketError::Forbidden)?;
    let name = text::line(name, NAME_CHARS_MAX).map_err(|it| TicketError::invalid("name", it))?;
    let query =
        text::optional_line(query, QUERY_CHARS_MAX).map_err(|it| TicketError::invalid("query", it))?;
    let Some(query) = query else { return Ok(store::drop_view(tx, person, &name).await?) };
    let known = store::list_views(tx, person).await?;
    let full = i64::try_from(known.len()).is_ok_and(|it| it >= VIEWS_MAX);
    if full && known.iter().all(|it| it.name != name) {
        return Err(TicketError::invalid("name", format!("must be one of at most {VIEWS_MAX} views")));
    }
    Ok(store::save_view(tx, person, &SavedView { name, query }).await?)
}

/// Answers written once, those in `language` first; for who answers.
pub async fn canned_replies(
    tx: &mut Tx,
    actor: &Actor,
    language: Language,
) -> Result<Vec<CannedReply>, StoreError> {
    if actor.may(Permission::WorkTickets) || actor.may(Permission::Administer) {
        store::list_replies(tx, language).await
    } else {
        Ok(Vec::new())
    }
}

/// Keeps a canned reply under its code, or drops it when its body is empty. For who distributes the work and for
/// administrators, of the provider.
pub async fn save_canned_reply(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    reply: CannedReply,
) -> Result<(), TicketError> {
    let may = actor.may(Permission::QualifyTickets) || actor.may(Permission::Administer);
    if !may || actor.scope != Scope::All {
        return Err(TicketError::Forbidden);
    }
    let code = reply.code.trim().to_ascii_lowercase();
    let plain = code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !plain || !CODE_CHARS.contains(&code.len()) {
        return Err(TicketError::invalid("code", "must be 2 to 32 letters, digits or hyphens"));
    }
    let body = text::optional_paragraphs(&reply.body, BODY_CHARS_MAX)
        .map_err(|it| TicketError::invalid("body", it))?;
    let action = if body.is_some() { "canned_reply.saved" } else { "canned_reply.dropped" };
    match body {
        Some(body) => {
            let title =
                text::line(&reply.title, NAME_CHARS_MAX).map_err(|it| TicketError::invalid("title", it))?;
            let known = store::list_replies(tx, reply.language).await?;
            let full = i64::try_from(known.len()).is_ok_and(|it| it >= REPLIES_MAX);
            if full && known.iter().all(|it| it.code != code) {
                return Err(TicketError::invalid("code", format!("must be one of at most {REPLIES_MAX}")));
            }
            store::save_reply(tx, &CannedReply { code: code.clone(), title, body, ..reply }).await?;
        }
        None if store::drop_reply(tx, &code).await? => {}
        None => return Err(TicketError::NotFound),
    }
    let deed = Deed {
        organisation_id: None,
        action,
        subject_kind: "canned_reply",
        subject_id: code,
        detail: json!({}),
    };
    Ok(audit::record(tx, context, actor, deed).await?)
}
