//! The found machine shown back while a ticket is being written: once as a fragment for the script, once
//! inside the form for everybody else. Both are drawn by the same template.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::inventory::CiSummary;
use crate::inventory::web::machine::make_and_model;
use crate::kernel::actor::{Actor, Permission};
use crate::kernel::id::OrganisationId;
use crate::kernel::page::PageRequest;
use crate::matching::{self, AssetMatch, Lookup};
use crate::tickets;
use crate::web::error::page;
use crate::web::{Asked, PageError, Reader, Shell, Texts, WebState};
use crate::web::{Section, parts::Choice};

/// Characters of a typed number that are looked at; the longest tag has 25.
const TYPED_CHARS_MAX: usize = 100;

/// Tickets of a machine that are looked at for open ones.
const TICKETS_LOOKED_AT: u32 = 20;
/// Open tickets named beside a found machine.
const OPEN_SHOWN_MAX: usize = 3;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LookUpQuery {
    tag: String,
    organisation: String,
}

/// What the form says about a typed number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `ok`, `warn` or empty when there is nothing to say.
    pub tone: &'static str,
    /// The sentence in bold.
    pub title: String,
    /// What follows from it.
    pub help: String,
    /// Near misses, each a button that takes it: tag and what it is.
    pub suggestions: Vec<Choice>,
    /// Tickets that are open for the found machine: address, number, summary.
    pub open: Vec<Choice>,
}

#[derive(Debug, Template)]
#[template(path = "tickets/web/look_up.html")]
struct Fragment {
    shell: Shell,
    answer: Answer,
}

pub(crate) async fn fragment(
    State(state): State<WebState>,
    Asked(asked): Asked<LookUpQuery>,
    reader: Reader,
) -> Result<Response, PageError> {
    reader.require(Permission::CreateTicket)?;
    let organisation = organisation(&reader, &asked.organisation);
    let answer = look_up(&state, &reader, organisation, &asked.tag).await?;
    page(&Fragment { shell: reader.shell("", Section::NewTicket), answer })
}

/// The organisation a person may open tickets in: the own one, or the one staff of several chose.
pub(crate) fn organisation(reader: &Reader, chosen: &str) -> Option<OrganisationId> {
    match reader.actor.scope.organisation() {
        Some(own) => Some(own),
        None => chosen.parse().ok(),
    }
}

/// Looks the number up as the ticket will.
pub(crate) async fn look_up(
    state: &WebState,
    reader: &Reader,
    organisation: Option<OrganisationId>,
    typed: &str,
) -> Result<Answer, PageError> {
    let typed: String = typed.trim().chars().take(TYPED_CHARS_MAX).collect();
    let texts = reader.texts();
    if typed.is_empty() {
        return Ok(Answer::default());
    }
    let Some(organisation) = organisation else { return Ok(Answer::default()) };
    let mut tx = state.context.db.read().await?;
    let found = matching::look_up(&mut tx, organisation, &typed).await?;
    drop(tx);
    let found = matching::visible(found, reader.actor.scope);
    let open = match (found.outcome, found.candidates.first()) {
        (AssetMatch::Attached, Some(ci)) => open_tickets(state, reader, ci).await?,
        _ => Vec::new(),
    };
    Ok(Answer { open, ..answer(texts, &reader.actor, &typed, &found) })
}

/// Open tickets of the machine that the reader may see: the same problem needs no second one (rule A15).
async fn open_tickets(state: &WebState, reader: &Reader, ci: &CiSummary) -> Result<Vec<Choice>, PageError> {
    let request = PageRequest::from_query(None, Some(TICKETS_LOOKED_AT));
    let found = tickets::list_tickets_of_ci(&state.context, &reader.actor, ci.id, &request).await?;
    let open = found.rows.into_iter().map(|it| it.ticket).filter(|it| it.state.is_open());
    let choice = |it: tickets::Ticket| Choice {
        value: format!("/tickets/{}", it.number),
        label: it.number.to_string(),
        help: it.summary,
        chosen: false,
    };
    Ok(open.take(OPEN_SHOWN_MAX).map(choice).collect())
}

/// The sticker also carries the hotline's number (R044).
fn phone_instead(texts: Texts) -> Answer {
    Answer {
        tone: "warn",
        title: texts.t("look-up-phone").into(),
        help: texts.t("look-up-phone-help").into(),
        suggestions: Vec::new(),
        open: Vec::new(),
    }
}

fn answer(texts: Texts, actor: &Actor, typed: &str, found: &Lookup) -> Answer {
    let say = |tone, title: &str, help: &str| Answer {
        tone,
        title: texts.t1(title, "tag", typed).into_owned(),
        help: texts.t(help).into_owned(),
        suggestions: Vec::new(),
        open: Vec::new(),
    };
    if found.looks_like_phone {
        return phone_instead(texts);
    }
    match (found.outcome, found.candidates.first()) {
        (AssetMatch::Attached, Some(ci)) => Answer {
            tone: "ok",
            title: is_this_it(texts, ci),
            help: whose(texts, actor, ci),
            suggestions: Vec::new(),
            open: Vec::new(),
        },
        (AssetMatch::Ambiguous, _) => say("warn", "look-up-ambiguous", "look-up-ambiguous-help"),
        (AssetMatch::Placeholder, _) => say("warn", "look-up-placeholder", "look-up-placeholder-help"),
        (AssetMatch::Foreign, _) => say("warn", "look-up-foreign", "look-up-foreign-help"),
        (AssetMatch::None, _) => Answer::default(),
        (AssetMatch::Unknown | AssetMatch::Attached, _) => {
            let suggestions = found.suggestions.iter().take(5).map(|it| suggestion(texts, it)).collect();
            Answer { suggestions, ..say("warn", "look-up-unknown", "look-up-unknown-help") }
        }
    }
}

/// `Dell Latitude 5420, Lyon : est-ce bien lui ?`
fn is_this_it(texts: Texts, ci: &CiSummary) -> String {
    texts.t1("look-up-found", "machine", &described(texts, ci)).into_owned()
}

/// Model and site, as somebody who sits before it would say it.
pub(crate) fn described(texts: Texts, ci: &CiSummary) -> String {
    let known = make_and_model(&ci.make, &ci.model);
    let model = if known.is_empty() { texts.t("machine-unknown-model").into_owned() } else { known };
    if ci.site_name.is_empty() { model } else { format!("{model}, {}", ci.site_name) }
}

/// Requesters read what stands on the case; names of colleagues are for staff.
fn whose(texts: Texts, actor: &Actor, ci: &CiSummary) -> String {
    if actor.is_staff() && !ci.assigned_to_name.is_empty() {
        return texts.t1("look-up-assigned", "name", &ci.assigned_to_name).into_owned();
    }
    texts.t("look-up-found-help").into_owned()
}

fn suggestion(texts: Texts, ci: &CiSummary) -> Choice {
    let tag = ci.tag.clone().unwrap_or_default();
    Choice { value: tag.clone(), label: tag, help: described(texts, ci), chosen: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::web::samples;
    use crate::kernel::text::AssetTag;
    use crate::people::Language;
    use crate::web::rendering::{HOSTILE, LANGUAGES, shell};

    fn lookup(outcome: AssetMatch, candidates: Vec<CiSummary>, suggestions: Vec<CiSummary>) -> Lookup {
        Lookup {
            outcome,
            tag: "PC-004217".parse::<AssetTag>().ok(),
            candidates,
            suggestions,
            looks_like_phone: false,
        }
    }

    #[test]
    fn the_found_machine_is_shown_back_as_a_question() {
        let found = lookup(AssetMatch::Attached, vec![samples::latitude_row()], Vec::new());
        let said = answer(Texts::of(Language::Fr), &Actor::system(), "PC-004217", &found);
        assert_eq!(said.title, "Dell Latitude 5420, Lyon\u{202F}: est-ce bien lui\u{202F}?");
        assert!(said.help.contains("Luc Martin"));
    }

    #[test]
    fn a_requester_is_not_told_whose_machine_it_is() {
        let found = lookup(AssetMatch::Attached, vec![samples::latitude_row()], Vec::new());
        let requester = Actor {
            roles: vec![crate::kernel::actor::Role::Requester],
            kind: crate::kernel::actor::ActorKind::Agent(uuid::Uuid::nil().into()),
            ..Actor::system()
        };
        assert!(!answer(Texts::of(Language::Fr), &requester, "x", &found).help.contains("Luc"));
    }

    #[test]
    fn every_answer_is_drawn_in_both_languages_and_escaped() {
        for language in LANGUAGES {
            for outcome in [
                AssetMatch::Attached,
                AssetMatch::Unknown,
                AssetMatch::Ambiguous,
                AssetMatch::Foreign,
                AssetMatch::Placeholder,
                AssetMatch::None,
            ] {
                let found = lookup(outcome, vec![samples::hostile_row()], vec![samples::hostile_row()]);
                let answer = answer(Texts::of(language), &Actor::system(), HOSTILE, &found);
                let html = Fragment { shell: shell(language, &[], "", Section::NewTicket), answer }
                    .render()
                    .expect("renders");
                assert!(!html.contains("<script>") && html.contains("class=\"found"), "{html}");
            }
        }
    }

    #[test]
    fn the_hotlines_number_is_explained() {
        let found = Lookup { looks_like_phone: true, ..lookup(AssetMatch::Unknown, Vec::new(), Vec::new()) };
        let texts = Texts::of(Language::Fr);
        assert_eq!(answer(texts, &Actor::system(), "04 72 00 00 12", &found).title, texts.t("look-up-phone"));
    }
}
