//! The history of tickets: appended, read, verified; never changed.

use std::fmt;

use crate::audit;
use crate::db::{StoreError, Tx};
use crate::kernel::actor::Actor;
use crate::kernel::time::UtcMicros;
use crate::sql;
use crate::tickets::difference::FieldChange;
use crate::tickets::history::{self, BEGINNING};
use crate::tickets::model::{Entry, TicketEvent};
use crate::tickets::number::TicketNumber;

/// Events of one ticket that are shown; the latest are kept when a ticket has more.
const EVENTS_MAX: i64 = 1_000;
/// Events read at once while the chains are verified: bounds memory, not the work.
const VERIFIED_AT_ONCE: i64 = 2_000;

/// Who did one step, when, and which version of the ticket it made.
#[derive(Clone, Copy, Debug)]
pub(in crate::tickets) struct Stamp<'a> {
    pub(in crate::tickets) actor: &'a Actor,
    pub(in crate::tickets) at: UtcMicros,
    pub(in crate::tickets) version: i64,
}

#[derive(sqlx::FromRow)]
struct Head {
    event_count: i64,
    event_head: Option<Vec<u8>>,
}

/// Appends to a ticket's history; the first entry carries the `changes`. The ticket's row must have been written
/// before in this transaction: its lock keeps the chain in order.
pub(in crate::tickets) async fn append_events(
    tx: &mut Tx,
    number: &TicketNumber,
    stamp: Stamp<'_>,
    entries: &[Entry],
    changes: &[FieldChange],
) -> Result<(), StoreError> {
    let head: Head = sql!(&mut *tx, |conn| sqlx::query_as(
        "SELECT event_count, event_head FROM ticket WHERE number = $1"
    )
    .bind(number)
    .fetch_one(conn)
    .await)?;
    let mut event_no = head.event_count;
    let mut hash = head.event_head.unwrap_or_else(|| BEGINNING.to_vec());
    let mut changes = serde_json::to_string(changes).unwrap_or_else(|_| NO_CHANGES.to_owned());
    for entry in entries {
        event_no += 1;
        hash = append(tx, number, stamp, (event_no, &hash), (entry, &changes)).await?;
        NO_CHANGES.clone_into(&mut changes);
    }
    sql!(tx, |conn| sqlx::query("UPDATE ticket SET event_count = $2, event_head = $3 WHERE number = $1")
        .bind(number)
        .bind(event_no)
        .bind(&hash)
        .execute(conn)
        .await
        .map(drop))
}

/// No field changed.
const NO_CHANGES: &str = "[]";

async fn append(
    tx: &mut Tx,
    number: &TicketNumber,
    stamp: Stamp<'_>,
    (event_no, previous): (i64, &[u8]),
    (entry, changes): (&Entry, &str),
) -> Result<Vec<u8>, StoreError> {
    let (actor_kind, actor_id) = audit::actor_columns(stamp.actor);
    let data = entry.data.to_string();
    let content = history::content_hash(&stamp.actor.label, &data, changes);
    let Stamp { actor, at, version } = stamp;
    let link = history::Link {
        ticket: number,
        event_no,
        at,
        version,
        kind: entry.kind,
        public: entry.public,
        actor_kind,
        actor_id,
    };
    let hash = link.hash(previous, &content).to_vec();
    sql!(tx, |conn| {
        sqlx::query(
        "INSERT INTO ticket_event (ticket_number, event_no, at, kind, public, actor_kind, actor_id, actor_label, data,
            changes, version, content_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
    )
    .bind(number)
    .bind(event_no)
    .bind(at)
    .bind(entry.kind)
    .bind(entry.public)
    .bind(actor_kind)
    .bind(actor_id)
    .bind(&actor.label)
    .bind(&data)
    .bind(changes)
    .bind(version)
    .bind(content.as_slice())
    .bind(&hash)
    .execute(conn)
    .await
    .map(drop)
    })?;
    Ok(hash)
}

#[derive(sqlx::FromRow)]
struct EventRecord {
    event_no: i64,
    at: UtcMicros,
    kind: String,
    public: bool,
    actor_label: String,
    data: String,
    changes: String,
}

/// The history, oldest first; without internal events unless `internal`.
pub(in crate::tickets) async fn list_events(
    tx: &mut Tx,
    number: &TicketNumber,
    internal: bool,
) -> Result<Vec<TicketEvent>, StoreError> {
    let records: Vec<EventRecord> = sql!(tx, |conn| sqlx::query_as(
        "SELECT event_no, at, kind, public, actor_label, data, changes FROM ticket_event
         WHERE ticket_number = $1 AND (public = TRUE OR $2 = TRUE) ORDER BY event_no DESC LIMIT $3"
    )
    .bind(number)
    .bind(internal)
    .bind(EVENTS_MAX)
    .fetch_all(conn)
    .await)?;
    records.into_iter().rev().map(|it| it.parse(number)).collect()
}

impl EventRecord {
    fn parse(self, number: &TicketNumber) -> Result<TicketEvent, StoreError> {
        let place = || format!("{number}/{}", self.event_no);
        let data = serde_json::from_str(&self.data)
            .map_err(|_| StoreError::inconsistent("ticket_event", "data", place()))?;
        let changes = changes_of(&self.changes, place)?;
        let Self { event_no, at, kind, public, actor_label, .. } = self;
        Ok(TicketEvent { event_no, at, kind, public, actor_label, data, changes })
    }
}

fn changes_of<P: fmt::Display>(
    text: &str,
    place: impl FnOnce() -> P,
) -> Result<Vec<FieldChange>, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::inconsistent("ticket_event", "changes", place()))
}

/// What changed after `version`, field by field and oldest first.
pub(in crate::tickets) async fn list_changes_since(
    tx: &mut Tx,
    number: &TicketNumber,
    version: i64,
) -> Result<Vec<FieldChange>, StoreError> {
    let texts: Vec<String> = sql!(tx, |conn| {
        sqlx::query_scalar(
        "SELECT changes FROM ticket_event WHERE ticket_number = $1 AND version > $2 ORDER BY event_no LIMIT $3"
    )
    .bind(number)
    .bind(version)
    .bind(EVENTS_MAX)
    .fetch_all(conn)
    .await
    })?;
    let mut changes = Vec::new();
    for text in texts {
        changes.extend(changes_of(&text, || number)?);
    }
    Ok(changes)
}

#[derive(sqlx::FromRow)]
struct Stored {
    ticket_number: TicketNumber,
    event_no: i64,
    at: UtcMicros,
    kind: String,
    public: bool,
    actor_kind: String,
    actor_id: Option<uuid::Uuid>,
    actor_label: String,
    data: String,
    changes: String,
    version: i64,
    redacted_at: Option<UtcMicros>,
    content_hash: Vec<u8>,
    hash: Vec<u8>,
    event_count: i64,
    event_head: Option<Vec<u8>>,
}

impl Stored {
    /// The event follows the one with the hash `previous` and says what it said then.
    fn holds(&self, previous: &[u8]) -> bool {
        let link = history::Link {
            ticket: &self.ticket_number,
            event_no: self.event_no,
            at: self.at,
            version: self.version,
            kind: &self.kind,
            public: self.public,
            actor_kind: &self.actor_kind,
            actor_id: self.actor_id,
        };
        let content = history::content_hash(&self.actor_label, &self.data, &self.changes);
        let says = self.redacted_at.is_some() || content.as_slice() == self.content_hash;
        says && link.hash(previous, &self.content_hash).as_slice() == self.hash
    }

    fn is_last(&self) -> bool {
        self.event_no == self.event_count && self.event_head.as_deref() == Some(self.hash.as_slice())
    }
}

/// Walks every history and returns where a chain is broken: `I202611_0042 at event 3`, at most `limit`, with the
/// number of tickets whose history does not hold.
pub(in crate::tickets) async fn chain_faults(
    tx: &mut Tx,
    limit: usize,
) -> Result<(i64, Vec<String>), StoreError> {
    let mut walk =
        Walk { after: (String::new(), 0), previous: None, broken: false, count: 0, examples: Vec::new() };
    loop {
        let events: Vec<Stored> = sql!(&mut *tx, |conn| {
            sqlx::query_as(
            "SELECT e.ticket_number, e.event_no, e.at, e.kind, e.public, e.actor_kind, e.actor_id, e.actor_label, e.data,
                e.changes, e.version, e.redacted_at, e.content_hash, e.hash, t.event_count, t.event_head
             FROM ticket_event e JOIN ticket t ON t.number = e.ticket_number
             WHERE e.ticket_number > $1 OR (e.ticket_number = $1 AND e.event_no > $2)
             ORDER BY e.ticket_number, e.event_no LIMIT $3"
        )
        .bind(&walk.after.0)
        .bind(walk.after.1)
        .bind(VERIFIED_AT_ONCE)
        .fetch_all(conn)
        .await
        })?;
        if events.is_empty() {
            walk.end(limit);
            return Ok((walk.count, walk.examples));
        }
        for event in events {
            walk.visit(event, limit);
        }
    }
}

/// Where the verification stands.
struct Walk {
    after: (String, i64),
    previous: Option<Stored>,
    /// The present ticket was counted.
    broken: bool,
    count: i64,
    examples: Vec<String>,
}

impl Walk {
    fn visit(&mut self, event: Stored, limit: usize) {
        self.after = (event.ticket_number.to_string(), event.event_no);
        let same = self.previous.as_ref().is_some_and(|it| it.ticket_number == event.ticket_number);
        if !same {
            self.end(limit);
            self.broken = false;
        }
        let known = self.previous.as_ref().filter(|_| same);
        let (number, hash) = known.map_or((0, BEGINNING.as_slice()), |it| (it.event_no, it.hash.as_slice()));
        if event.event_no != number + 1 || !event.holds(hash) {
            self.report(&event, limit);
        }
        self.previous = Some(event);
    }

    /// The last event of a ticket is the one its row names.
    fn end(&mut self, limit: usize) {
        if let Some(last) = self.previous.take()
            && !last.is_last()
        {
            self.report(&last, limit);
        }
    }

    fn report(&mut self, event: &Stored, limit: usize) {
        if self.broken {
            return;
        }
        self.broken = true;
        self.count += 1;
        if self.examples.len() < limit {
            self.examples.push(format!("{} at event {}", event.ticket_number, event.event_no));
        }
    }
}
