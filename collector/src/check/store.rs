//! The invariants as queries: each returns the records that break it.

use super::Finding;
use crate::db::{StoreError, Tx};
use crate::sql;

/// Something that must hold, and the query of what breaks it (one text column `example`).
#[derive(Debug)]
pub(super) struct Invariant {
    pub(super) sentence: &'static str,
    query: &'static str,
}

/// Beyond keys and checks of the schema.
pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        sentence: "a ticket whose number is attached has a machine, or had one that somebody detached",
        query: "SELECT t.number AS example FROM ticket t WHERE t.asset_match = 'attached'
                AND NOT EXISTS (SELECT 1 FROM ticket_asset a WHERE a.ticket_number = t.number)",
    },
    Invariant {
        sentence: "a machine on a ticket belongs to the ticket's organisation",
        query: "SELECT t.number AS example FROM ticket t JOIN ticket_asset a ON a.ticket_number = t.number
                JOIN inventory_ci c ON c.id = a.ci_id WHERE c.organisation_id <> t.organisation_id",
    },
    Invariant {
        sentence: "a ticket has at most one affected machine at a time",
        query: "SELECT ticket_number AS example FROM ticket_asset WHERE role = 'affected' AND detached_at IS NULL
                GROUP BY ticket_number HAVING COUNT(*) > 1",
    },
    Invariant {
        sentence: "a ticket in progress has an owner, a new or queued one has none",
        query: "SELECT number AS example FROM ticket WHERE (state IN ('in_progress', 'resolved') AND owner_id IS NULL)
                OR (state IN ('new', 'queued') AND owner_id IS NOT NULL)",
    },
    Invariant {
        sentence: "a resolved or closed ticket has its solution",
        query: "SELECT number AS example FROM ticket WHERE state IN ('resolved', 'closed') AND COALESCE(solution, '') = ''",
    },
    Invariant {
        sentence: "a ticket on hold has a reason",
        query: "SELECT number AS example FROM ticket WHERE state = 'pending' AND COALESCE(pending_reason, '') = ''",
    },
    Invariant {
        sentence: "every ticket has its opening event",
        query: "SELECT number AS example FROM ticket t WHERE NOT EXISTS
                (SELECT 1 FROM ticket_event e WHERE e.ticket_number = t.number AND e.event_no = 1)",
    },
    Invariant {
        sentence: "no ticket number is above its month's counter",
        query: "SELECT t.number AS example FROM ticket t JOIN ticket_number n ON n.month = SUBSTR(t.number, 2, 6)
                WHERE CAST(SUBSTR(t.number, 9) AS INTEGER) > n.last",
    },
    Invariant {
        sentence: "every current section of a machine has its content",
        query: "SELECT CAST(s.section AS TEXT) AS example FROM inventory_section s WHERE NOT EXISTS
                (SELECT 1 FROM inventory_content c WHERE c.id = s.content_id AND c.section = s.section)",
    },
    Invariant {
        sentence: "every installed title is known",
        query: "SELECT CAST(i.title_id AS TEXT) AS example FROM software_installation i WHERE NOT EXISTS
                (SELECT 1 FROM software_title t WHERE t.id = i.title_id)",
    },
    Invariant {
        sentence: "a machine's software count is the number of its installations",
        query: "SELECT c.name AS example FROM inventory_ci c WHERE c.has_agent = TRUE AND c.software_count <>
                (SELECT COUNT(*) FROM software_installation i WHERE i.ci_key = c.short_id)",
    },
    Invariant {
        sentence: "an active agent's machine exists and is in the agent's organisation",
        query: "SELECT a.version AS example FROM agent a LEFT JOIN inventory_ci c ON c.id = a.ci_id
                WHERE c.id IS NULL OR c.organisation_id <> a.organisation_id",
    },
    Invariant {
        sentence: "an open tag conflict's holder holds the tag",
        query: "SELECT x.tag AS example FROM inventory_tag_conflict x JOIN inventory_ci c ON c.id = x.holder_ci_id
                WHERE x.resolved_at IS NULL AND COALESCE(c.tag_key, '') <> x.tag_key",
    },
];

pub(super) async fn violations(
    tx: &mut Tx,
    invariant: &Invariant,
    limit: i64,
) -> Result<(i64, Vec<String>), StoreError> {
    let examples: Vec<String> = sql!(tx, |conn| sqlx::query_scalar(invariant.query).fetch_all(conn).await)?;
    let count = i64::try_from(examples.len()).unwrap_or(i64::MAX);
    let kept = usize::try_from(limit).unwrap_or_default();
    Ok((count, examples.into_iter().take(kept).collect()))
}

/// What the engine itself says about its files. PostgreSQL has no portable query for it; its own tool is
/// `pg_amcheck`.
pub(super) async fn engine_findings(tx: &mut Tx) -> Result<Vec<Finding>, StoreError> {
    let Tx::Sqlite(tx) = tx else { return Ok(Vec::new()) };
    let complaints: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check(20)").fetch_all(&mut **tx).await?;
    let complaints: Vec<String> = complaints.into_iter().filter(|it| it != "ok").collect();
    let count = i64::try_from(complaints.len()).unwrap_or(i64::MAX);
    let invariant = "the database file is intact";
    Ok(if complaints.is_empty() {
        Vec::new()
    } else {
        vec![Finding { invariant, count, examples: complaints }]
    })
}
