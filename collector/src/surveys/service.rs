//! Who may rate, once; what came of it.

use serde_json::json;

use super::model::{Answer, Criterion, NewCriterion, OwnerMean, Rating, Results, Survey, SurveyError};
use super::store;
use crate::audit::{self, Deed};
use crate::context::Context;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::{Actor, Permission, Role};
use crate::kernel::id::{CriterionId, OrganisationId, PersonId};
use crate::kernel::text;
use crate::kernel::time::{UtcMicros, days};
use crate::tickets::{self, Entry, Ticket, TicketNumber, TicketState};

/// Days after a closure in which it may be rated.
const OPEN_DAYS: u64 = 30;
/// Characters of a comment on one criterion.
const COMMENT_CHARS_MAX: usize = 500;
/// Characters of the comment on everything.
const WHOLE_COMMENT_CHARS_MAX: usize = 2_000;
/// Characters of a criterion.
const LABEL_CHARS_MAX: usize = 80;
/// Criteria asked at once: more are not answered.
const CRITERIA_MAX: usize = 8;

/// The survey the actor may answer for a ticket now.
pub async fn offered(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    ticket: &Ticket,
) -> Result<Option<Survey>, StoreError> {
    let Some((person, closed_at)) = may_rate(actor, ticket, context.now()) else { return Ok(None) };
    if store::is_answered(tx, &ticket.number, person, closed_at).await? {
        return Ok(None);
    }
    let criteria = store::list_criteria(tx, Some(ticket.organisation_id)).await?;
    Ok(Some(Survey { closed_at, criteria, ends_at: closed_at + days(OPEN_DAYS) }))
}

/// Requester and beneficiary of a closed ticket, but never who owned it.
fn may_rate(actor: &Actor, ticket: &Ticket, now: UtcMicros) -> Option<(PersonId, UtcMicros)> {
    let person = actor.person()?;
    let closed_at = ticket.closed_at?;
    let party = person == ticket.requester_id || person == ticket.beneficiary_id;
    let in_time = now.since(closed_at) < days(OPEN_DAYS);
    let open = ticket.state == TicketState::Closed && in_time && ticket.owner_id != Some(person);
    (party && open).then_some((person, closed_at))
}

/// Keeps an answer and tells the ticket's history that there is one.
pub async fn answer(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    number: &TicketNumber,
    rating: Rating,
) -> Result<(), SurveyError> {
    let ticket = tickets::find_for(tx, actor, number).await?.ok_or(SurveyError::NotFound)?;
    let survey = offered(tx, context, actor, &ticket).await?.ok_or(SurveyError::NotFound)?;
    let person = actor.person().ok_or(SurveyError::NotFound)?;
    let comment = text::optional_paragraphs(&rating.comment, WHOLE_COMMENT_CHARS_MAX)
        .map_err(|it| SurveyError::invalid("comment", it))?
        .unwrap_or_default();
    let answers = checked(rating.answers, &survey.criteria)?;
    if answers.is_empty() && comment.is_empty() {
        return Err(SurveyError::invalid("answers", "must rate one criterion or say something"));
    }
    let head = store::Head { ticket: &ticket, person, closed_at: survey.closed_at, at: context.now() };
    if !store::insert(tx, head, &comment).await? {
        return Err(SurveyError::NotFound);
    }
    for answer in &answers {
        store::insert_answer(tx, head, answer).await?;
    }
    // What was said stays out of the history: everybody reads it.
    let entry = Entry { kind: "rated", public: true, data: json!({ "answers": answers.len() }) };
    tickets::note_event(tx, context, actor, number, entry).await?;
    Ok(())
}

fn checked(answers: Vec<Answer>, criteria: &[Criterion]) -> Result<Vec<Answer>, SurveyError> {
    let mut kept: Vec<Answer> = Vec::with_capacity(answers.len());
    for answer in answers {
        let known = criteria.iter().any(|it| it.id == answer.criterion);
        let again = kept.iter().any(|it| it.criterion == answer.criterion);
        if !known || again {
            return Err(SurveyError::invalid("criterion", "is not asked, or answered twice"));
        }
        if !(1..=5).contains(&answer.score) {
            return Err(SurveyError::invalid("score", "must be between 1 and 5"));
        }
        let comment = text::optional_line(&answer.comment, COMMENT_CHARS_MAX)
            .map_err(|it| SurveyError::invalid("comment", it))?;
        kept.push(Answer { comment: comment.unwrap_or_default(), ..answer });
    }
    Ok(kept)
}

/// How each criterion was rated since a moment, as far as the actor may see: technicians their own tickets, others
/// their scope.
pub async fn results(tx: &mut Tx, actor: &Actor, since: UtcMicros) -> Result<Vec<Results>, SurveyError> {
    let owner = seen_owner(actor)?;
    let rows = store::count_scores(tx, actor.scope, owner, since).await?;
    let criteria = store::list_all_criteria(tx, actor.scope).await?;
    let of = |criterion: Criterion| {
        let mut scores = [0; 5];
        for row in rows.iter().filter(|it| it.criterion_id == criterion.id) {
            if let Some(slot) = usize::try_from(row.score - 1).ok().and_then(|it| scores.get_mut(it)) {
                *slot += row.count;
            }
        }
        Results { criterion, scores }
    };
    Ok(criteria.into_iter().map(of).filter(|it| it.count() > 0).collect())
}

/// Means per technician, for leads only.
pub async fn results_by_owner(
    tx: &mut Tx,
    actor: &Actor,
    since: UtcMicros,
) -> Result<Vec<OwnerMean>, SurveyError> {
    if !actor.has_role(Role::Lead) {
        return Ok(Vec::new());
    }
    Ok(store::means_by_owner(tx, actor.scope, since).await?)
}

/// Whose tickets are counted: all for who leads, oversees or administers, the own for technicians.
fn seen_owner(actor: &Actor) -> Result<Option<PersonId>, SurveyError> {
    let oversees = [Role::Lead, Role::Peu, Role::Admin, Role::Auditor];
    if oversees.iter().any(|it| actor.has_role(*it)) {
        return Ok(None);
    }
    match actor.person() {
        Some(person) if actor.may(Permission::WorkTickets) => Ok(Some(person)),
        _ => Err(SurveyError::Forbidden),
    }
}

/// What is asked in an organisation; nothing names what is asked in all.
pub async fn criteria(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
) -> Result<Vec<Criterion>, StoreError> {
    store::list_criteria(tx, organisation).await
}

/// Adds a criterion, asked from now on.
pub async fn add_criterion(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    new: NewCriterion,
) -> Result<Criterion, SurveyError> {
    may_set(actor, new.organisation_id)?;
    let label = |field: &'static str, text: &str| {
        text::line(text, LABEL_CHARS_MAX).map_err(|it| SurveyError::invalid(field, it))
    };
    let asked = store::list_criteria(tx, new.organisation_id).await?.len();
    if asked >= CRITERIA_MAX {
        return Err(SurveyError::invalid("label_fr", format!("criteria must be at most {CRITERIA_MAX}")));
    }
    let criterion = Criterion {
        id: CriterionId::generate(context.now(), context.entropy.as_ref()),
        organisation_id: new.organisation_id,
        label_fr: label("label_fr", &new.label_fr)?,
        label_en: label("label_en", &new.label_en)?,
    };
    let position = i64::try_from(asked).unwrap_or(i64::MAX).saturating_add(100);
    store::insert_criterion(tx, &criterion, position).await?;
    record(tx, context, actor, criterion.id, "survey.criterion_added").await?;
    Ok(criterion)
}

/// Asks a criterion no longer; its results stay.
pub async fn retire_criterion(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    criterion: CriterionId,
) -> Result<(), SurveyError> {
    may_set(actor, None)?;
    if !store::retire_criterion(tx, criterion, context.now()).await? {
        return Err(SurveyError::NotFound);
    }
    record(tx, context, actor, criterion, "survey.criterion_retired").await
}

fn may_set(actor: &Actor, organisation: Option<OrganisationId>) -> Result<(), SurveyError> {
    let seen = organisation.is_none_or(|it| actor.scope.contains(it));
    let all = actor.scope.organisation().is_none();
    if actor.may(Permission::Administer) && seen && all { Ok(()) } else { Err(SurveyError::Forbidden) }
}

async fn record(
    tx: &mut Tx,
    context: &Context,
    actor: &Actor,
    criterion: CriterionId,
    action: &'static str,
) -> Result<(), SurveyError> {
    let deed = Deed {
        organisation_id: None,
        action,
        subject_kind: "survey_criterion",
        subject_id: criterion.to_string(),
        detail: json!({}),
    };
    Ok(audit::record(tx, context, actor, deed).await?)
}
