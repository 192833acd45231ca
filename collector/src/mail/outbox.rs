//! Writing into the outbox and looking after it.

use serde_json::json;

use super::letter::Letter;
use super::model::{MailError, MailState, OutboxFilter, OutboxRow, OutgoingMail};
use super::store::{self, NewRow};
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Scope};
use crate::kernel::id::OutgoingMailId;
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::time::days;

/// What waited longer than this untried is not sent any more.
const UNTRIED_DAYS: u64 = 2;
/// How long a mail that is done with is kept: a non-delivery report comes within a week.
const SETTLED_DAYS: u64 = 30;
/// Said of a mail that waited too long.
const TOO_OLD: &str = "not sent within two days";

/// Writes a mail into the outbox, in the transaction of what it tells about. False when the same event, address
/// and template have one already.
pub async fn enqueue(tx: &mut Tx, context: &Context, mail: OutgoingMail) -> Result<bool, StoreError> {
    let now = context.now();
    let address = mail.to.address.as_str();
    if let Some(merge) = &mail.merge
        && let Some((id, stored)) = store::find_mergeable(tx, &merge.key, address, now).await?
    {
        let mut letter: Letter = parse(&stored, id)?;
        letter.join(mail.letter.clone());
        if store::add_to(tx, id, &written(&letter)?).await? {
            return Ok(true);
        }
    }
    let not_before = mail.merge.as_ref().map_or(now, |it| now + it.wait);
    let letter = written(&mail.letter)?;
    let new = NewRow {
        id: OutgoingMailId::generate(now, context.entropy.as_ref()),
        event: &mail.event,
        template: mail.template,
        address,
        name: &mail.to.name,
        person_id: mail.to.person_id,
        organisation_id: mail.organisation_id,
        ticket_number: mail.ticket.as_deref(),
        origin: mail.origin,
        answers: mail.answers.as_deref(),
        merge_key: mail.merge.as_ref().map(|it| it.key.as_str()),
        letter: &letter,
        created_at: now,
        not_before,
    };
    store::insert(tx, &new).await
}

/// A stored letter.
pub(super) fn parse(stored: &str, mail: OutgoingMailId) -> Result<Letter, StoreError> {
    serde_json::from_str(stored).map_err(|_| StoreError::inconsistent("mail_outbox", "letter", mail))
}

fn written(letter: &Letter) -> Result<String, StoreError> {
    serde_json::to_string(letter).map_err(|_| StoreError::inconsistent("mail_outbox", "letter", "a new mail"))
}

/// Mails, newest first.
pub async fn list_outbox(
    tx: &mut Tx,
    actor: &Actor,
    filter: &OutboxFilter,
    page: &PageRequest,
) -> Result<Page<OutboxRow>, MailError> {
    may_administer(actor)?;
    Ok(store::list(tx, filter, page).await?)
}

/// How many mails are in which state, in the order of [`MailState::ALL`].
pub async fn outbox_counts(tx: &mut Tx, actor: &Actor) -> Result<Vec<(MailState, i64)>, MailError> {
    may_administer(actor)?;
    let found = store::counts(tx).await?;
    let count = |state| found.iter().find(|it| it.0 == state).map_or(0, |it| it.1);
    Ok(MailState::ALL.into_iter().map(|state| (state, count(state))).collect())
}

/// Lets a mail that failed or was withheld be tried again, and believes in its address once more.
pub async fn retry(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    mail: OutgoingMailId,
) -> Result<(), MailError> {
    may_administer(actor)?;
    let address = store::reopen(tx, mail, context.now()).await?.ok_or(MailError::NotFound)?;
    store::forgive(tx, &address).await?;
    audit::record(tx, context, actor, deed("mail.retried", mail.to_string(), json!({}))).await?;
    Ok(())
}

/// Whether somebody has stopped all mail.
pub async fn is_stopped(tx: &mut Tx) -> Result<bool, StoreError> {
    store::is_stopped(tx).await
}

/// Stops all mail, on every collector, before the next one; or lets it go again. What is written meanwhile waits.
pub async fn set_stopped(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    stopped: bool,
) -> Result<(), MailError> {
    may_administer(actor)?;
    store::set_stopped(tx, stopped, context.now(), &actor.label).await?;
    let action = if stopped { "mail.stopped" } else { "mail.started" };
    audit::record(tx, context, actor, deed(action, "outbox".into(), json!({}))).await?;
    Ok(())
}

/// Gives up what waited too long and forgets what is long done; gives the number of rows.
pub async fn prune(tx: &mut Tx, context: &Context) -> Result<u64, StoreError> {
    let now = context.now();
    let expired = store::expire(tx, now - days(UNTRIED_DAYS), now, TOO_OLD).await?;
    Ok(expired + store::delete_settled(tx, now - days(SETTLED_DAYS)).await?)
}

/// The outbox is that of all organisations, so nobody who administers one of them may look into it.
fn may_administer(actor: &Actor) -> Result<(), MailError> {
    if actor.may(Permission::Administer) && actor.scope == Scope::All {
        Ok(())
    } else {
        Err(MailError::Forbidden)
    }
}

fn deed(action: &'static str, subject_id: String, detail: serde_json::Value) -> Deed<'static> {
    Deed { organisation_id: None, action, subject_kind: "mail", subject_id, detail }
}
