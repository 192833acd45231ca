//! Putting a report together.

use super::model::{Breakdown, Dimension, Report, ReportError, Span, by_point};
use super::store::{self, Range};
use crate::db::Tx;
use crate::kernel::actor::{Actor, Permission};

/// Whether the actor reads indicators: who exports lists or distributes the work.
pub fn may_report(actor: &Actor) -> bool {
    actor.may(Permission::Export) || actor.may(Permission::QualifyTickets)
}

/// The indicators of a span, in the actor's scope.
pub async fn report(tx: &mut Tx, actor: &Actor, span: Span) -> Result<Report, ReportError> {
    if !may_report(actor) {
        return Err(ReportError::Forbidden);
    }
    let organisation = actor.scope.organisation().or(span.organisation);
    let range = Range { organisation, from: span.starts_at(), until: span.ends_at() };
    let opened = by_point(&span, &store::opened_by_quarter(tx, range).await?);
    let resolved = by_point(&span, &store::resolved_by_quarter(tx, range).await?);
    let mut breakdowns = Vec::new();
    for by in Dimension::ALL {
        breakdowns.push(Breakdown::cut(*by, store::count_by(tx, range, *by).await?));
    }
    Ok(Report {
        opened: opened.iter().sum(),
        resolved: resolved.iter().sum(),
        curve: span
            .points()
            .into_iter()
            .zip(opened.iter().zip(&resolved))
            .map(|(day, (opened, resolved))| (day, *opened, *resolved))
            .collect(),
        breakdowns,
        until_taken: store::until_taken(tx, range).await?,
        until_resolved: store::until_resolved(tx, range).await?,
        calls_reached: store::count_events(tx, range, "task", "%\"task\":\"call\"%").await?,
        calls_unanswered: store::count_events(tx, range, "task", "%\"task\":\"pdr\"%").await?,
        refused: store::count_events(tx, range, "refused", "%").await?,
        reopened: store::count_events(tx, range, "reopened", "%").await?,
        span,
    })
}
