//! What a desk shares: who has which ticket open, views with a name, answers written once, one action on several
//! tickets.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::kernel::actor::Permission;
use crate::people::{self, Language};
use crate::tickets::{self, CannedReply, Presence, TicketAction, TicketError, TicketNumber};
use crate::web::error::{page, page_with};
use crate::web::parts::Choice;
use crate::web::{Asked, PageError, Posted, Reader, Section, Shell, Texts, WebState};

/// Tickets one press moves: as many as a page of the queue shows.
const PICKS_MAX: usize = 50;
/// How the field of a picked ticket begins; its value is the version that was seen.
const PICK: &str = "pick_";

#[derive(Debug, Template)]
#[template(path = "tickets/web/present.html")]
struct PresentFragment {
    present: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/refused_picks.html")]
struct RefusedPicks {
    shell: Shell,
    done: String,
    refused: Vec<(String, String)>,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/canned_replies.html")]
struct CannedRepliesPage {
    shell: Shell,
    replies: Vec<CannedReply>,
    form: ReplyForm,
    languages: Vec<Choice>,
    problem: String,
    may_write: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PresenceForm {
    writing: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ViewForm {
    name: String,
    query: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ReplyQuery {
    code: String,
    done: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ReplyForm {
    code: String,
    title: String,
    body: String,
    language: String,
    remove: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct BulkForm {
    action: String,
    team: String,
    owner: String,
    text: String,
    #[serde(flatten)]
    rest: HashMap<String, String>,
}

/// "Tom is reading", "Tom is writing": those at one ticket.
pub(super) fn sentences(texts: Texts, present: &[Presence], number: &TicketNumber) -> Vec<String> {
    let here = present.iter().filter(|it| it.ticket_number == *number);
    here.map(|it| {
        let key = if it.writing { "present-writing" } else { "present-reading" };
        texts.t1(key, "name", &it.name).into_owned()
    })
    .collect()
}

/// A sign of life of an open page; answers who else is there.
pub(crate) async fn presence(
    State(state): State<WebState>,
    Path(number): Path<String>,
    Posted { reader, fields }: Posted<PresenceForm>,
) -> Result<Response, PageError> {
    let number: TicketNumber = number.parse().map_err(|_| PageError::not_found())?;
    tickets::touch_presence(&state.context, &reader.actor, &number, !fields.writing.is_empty()).await?;
    let mut tx = state.context.db.read().await?;
    let present = tickets::present(&mut tx, &state.context, &reader.actor).await?;
    page(&PresentFragment { present: sentences(reader.texts(), &present, &number) })
}

/// Keeps the queue as it stands under a name; without query the view of that name is dropped.
pub(crate) async fn save_view(
    State(state): State<WebState>,
    Posted { reader, fields }: Posted<ViewForm>,
) -> Result<Response, PageError> {
    let query = fields.query.trim_start_matches('?');
    let mut tx = state.context.db.begin().await?;
    match tickets::save_view(&mut tx, &reader.actor, &fields.name, query).await {
        Ok(()) => tx.commit().await?,
        // A nameless view is none; the queue is where it was.
        Err(TicketError::Invalid { .. }) => drop(tx),
        Err(other) => return Err(other.into()),
    }
    let back = if query.is_empty() { "/tickets".to_owned() } else { format!("/tickets?{query}") };
    Ok(Redirect::to(&back).into_response())
}

/// One action on every picked ticket, each in its own transaction: what is refused is listed, the rest is done.
pub(crate) async fn bulk(
    State(state): State<WebState>,
    Posted { reader, fields }: Posted<BulkForm>,
) -> Result<Response, PageError> {
    reader.require(Permission::WorkTickets)?;
    let action = bulk_action(&state, &fields).await?.ok_or_else(PageError::not_found)?;
    let picks = fields.rest.iter().filter_map(|(name, version)| {
        let number: TicketNumber = name.strip_prefix(PICK)?.parse().ok()?;
        Some((number, version.parse().unwrap_or(0)))
    });
    let mut picks: Vec<(TicketNumber, i64)> = picks.take(PICKS_MAX).collect();
    picks.sort();
    let (mut done, mut refused) = (0_i64, Vec::new());
    for (number, version) in picks {
        let acted =
            tickets::act_on_ticket(&state.context, &reader.actor, &number, version, action.clone()).await;
        match acted {
            Ok(_) | Err(TicketError::Gone) => done += 1,
            Err(TicketError::Store(error)) => return Err(error.into()),
            Err(error) => refused.push((number.to_string(), refusal(reader.texts(), &error))),
        }
    }
    if refused.is_empty() {
        return Ok(Redirect::to("/tickets?done=ticket").into_response());
    }
    let shell = reader.shell(reader.texts().t("bulk-title"), Section::Tickets);
    let done = reader.texts().tn("bulk-done", done).into_owned();
    page_with(StatusCode::CONFLICT, &RefusedPicks { shell, done, refused })
}

async fn bulk_action(state: &WebState, form: &BulkForm) -> Result<Option<TicketAction>, PageError> {
    Ok(match form.action.as_str() {
        "claim" => Some(TicketAction::Claim),
        "watch" => Some(TicketAction::Watch),
        "transfer" => {
            Some(TicketAction::Transfer { team: form.team.parse().ok(), comment: form.text.clone() })
        }
        "assign" => {
            let Ok(email) = form.owner.parse() else { return Ok(None) };
            let mut tx = state.context.db.read().await?;
            let person = people::find_person_by_email(&mut tx, &email).await?;
            person.map(|it| TicketAction::Assign { owner: it.id })
        }
        _ => None,
    })
}

/// Why one of several was refused, short.
fn refusal(texts: Texts, error: &TicketError) -> String {
    match error {
        TicketError::Taken { owner, .. } => texts.t1("action-taken", "owner", owner).into_owned(),
        TicketError::State { state, .. } => {
            texts.t1("action-state", "state", &texts.word("state", state)).into_owned()
        }
        TicketError::Stale { .. } => texts.t("bulk-changed").into_owned(),
        TicketError::NotFound | TicketError::Forbidden => texts.t("bulk-forbidden").into_owned(),
        TicketError::Invalid { .. } | TicketError::KeyReused | TicketError::Gone | TicketError::Store(_) => {
            texts.t("bulk-invalid").into_owned()
        }
    }
}

pub(crate) async fn canned_replies(
    State(state): State<WebState>,
    Asked(asked): Asked<ReplyQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    let form = ReplyForm { code: asked.code, ..ReplyForm::default() };
    render_replies(&state, &reader, (StatusCode::OK, form), &asked.done, String::new()).await
}

pub(crate) async fn save_canned_reply(
    State(state): State<WebState>,
    Posted { reader, fields: form }: Posted<ReplyForm>,
) -> Result<Response, PageError> {
    let removed = !form.remove.is_empty();
    let reply = CannedReply {
        code: if removed { form.remove.clone() } else { form.code.clone() },
        title: form.title.clone(),
        body: if removed { String::new() } else { form.body.clone() },
        language: if form.language == "en" { Language::En } else { Language::Fr },
    };
    let empty = !removed && form.body.trim().is_empty();
    let mut tx = state.context.db.begin().await?;
    let saved = tickets::save_canned_reply(&mut tx, &state.context, &reader.actor, reply).await;
    match saved {
        Ok(()) if !empty => {
            tx.commit().await?;
            Ok(Redirect::to("/canned-replies?done=ticket").into_response())
        }
        Ok(()) | Err(TicketError::Invalid { .. } | TicketError::NotFound) => {
            drop(tx);
            let problem = reader.texts().t("canned-refused").into_owned();
            render_replies(&state, &reader, (StatusCode::UNPROCESSABLE_ENTITY, form), "", problem).await
        }
        Err(other) => Err(other.into()),
    }
}

async fn render_replies(
    state: &WebState,
    reader: &Reader,
    (status, form): (StatusCode, ReplyForm),
    done: &str,
    problem: String,
) -> Result<Response, PageError> {
    reader.require(Permission::WorkTickets).or_else(|_| reader.require(Permission::Administer))?;
    let mut tx = state.context.db.read().await?;
    let replies = tickets::canned_replies(&mut tx, &reader.actor, reader.language()).await?;
    let shell = reader.shell(reader.texts().t("nav-canned"), Section::Tickets).with_notice(done);
    let writes = reader.actor.may(Permission::QualifyTickets) || reader.actor.may(Permission::Administer);
    let may_write = writes && reader.actor.scope.organisation().is_none();
    page_with(status, &replies_page(shell, replies, form, problem, may_write))
}

fn replies_page(
    shell: Shell,
    replies: Vec<CannedReply>,
    mut form: ReplyForm,
    problem: String,
    may_write: bool,
) -> CannedRepliesPage {
    // Chosen to be changed: the form shows it.
    if form.body.is_empty()
        && let Some(known) = replies.iter().find(|it| it.code == form.code)
    {
        form.title.clone_from(&known.title);
        form.body.clone_from(&known.body);
        form.language = if known.language == Language::En { "en".into() } else { "fr".into() };
    }
    let english =
        form.language == "en" || (form.language.is_empty() && shell.texts.language() == Language::En);
    let languages = vec![Choice::new("fr", "Français", !english), Choice::new("en", "English", english)];
    CannedRepliesPage { shell, replies, form, languages, problem, may_write }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::actor::Role;
    use crate::web::rendering::{HOSTILE, LANGUAGES, check, shell};

    #[test]
    fn what_a_desk_shares_is_drawn_full_hostile_and_empty() {
        for language in LANGUAGES {
            let texts = Texts::of(language);
            let frame = |key: &str| shell(language, &[Role::Peu], &texts.t(key), Section::Tickets);
            let reply = CannedReply {
                code: "reboot".into(),
                title: HOSTILE.into(),
                body: HOSTILE.into(),
                language: Language::Fr,
            };
            let form = ReplyForm { code: "reboot".into(), ..ReplyForm::default() };
            let html = check(
                "canned-replies",
                language,
                &replies_page(frame("nav-canned"), vec![reply], form, HOSTILE.into(), true),
            );
            assert!(html.contains("<textarea"));
            let none =
                replies_page(frame("nav-canned"), Vec::new(), ReplyForm::default(), String::new(), false);
            assert!(!check("canned-replies-none", language, &none).contains("<textarea"));
            let refused = vec![("I202611_0042".to_owned(), HOSTILE.to_owned())];
            let done = texts.tn("bulk-done", 3).into_owned();
            check("bulk-refused", language, &RefusedPicks { shell: frame("bulk-title"), done, refused });
        }
    }

    #[test]
    fn who_is_at_a_ticket_is_said_for_that_ticket_only() {
        let number = |text: &str| text.parse().expect("number");
        let at = |text: &str, writing| Presence {
            ticket_number: number(text),
            person_id: uuid::Uuid::from_u128(7).into(),
            name: "Tom".into(),
            writing,
        };
        let present = [at("I202611_0001", true), at("I202611_0002", false)];
        let said = sentences(Texts::of(Language::En), &present, &number("I202611_0001"));
        assert_eq!(said, ["Tom is writing"]);
    }
}
