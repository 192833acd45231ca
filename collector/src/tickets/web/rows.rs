//! Tickets as rows of lists. Pure.

use super::clock_mark::{ClockMark, foremost_mark};
use crate::inventory::web::machine::Lens;
use crate::matching::AssetMatch;
use crate::tickets::TicketRow;
use crate::web::Stamp;

/// One ticket in the queue.
#[derive(Clone, Debug)]
pub(crate) struct TicketLine {
    pub href: String,
    pub number: String,
    pub priority: i64,
    pub state_code: &'static str,
    pub state: String,
    /// The state in a requester's words.
    pub state_plain: String,
    pub kind: String,
    /// Organisation and site.
    pub place: String,
    pub beneficiary: String,
    pub summary: String,
    /// Make and model, or why there is none.
    pub machine: String,
    /// Tone of a machine that is not there: empty when it is.
    pub machine_tone: &'static str,
    pub tag: String,
    pub owner: String,
    /// Team whose pot it is in, empty for the common one.
    pub team: String,
    pub restricted: bool,
    pub major: bool,
    pub replies: i64,
    /// Who else has it open, filled in by the queue.
    pub looking: Vec<String>,
    /// What a change of several tickets sends along.
    pub version: i64,
    /// The clock to look at first.
    pub clock: Option<ClockMark>,
    /// Age, for columns.
    pub age: Stamp,
    /// When it was opened.
    pub at: Stamp,
}

/// Any ticket of a list.
pub(crate) fn ticket_line(lens: Lens<'_>, row: &TicketRow) -> TicketLine {
    let (ticket, texts) = (&row.ticket, lens.texts);
    let (machine, machine_tone) = machine(lens, row);
    let place = [ticket.organisation_name.as_str(), ticket.site_name.as_str()];
    TicketLine {
        href: format!("/tickets/{}", ticket.number),
        number: ticket.number.to_string(),
        priority: ticket.priority,
        state_code: ticket.state.code(),
        state: texts.word("state", ticket.state.code()).into_owned(),
        state_plain: texts.word("state-plain", ticket.state.code()).into_owned(),
        kind: texts.word("ticket-kind", ticket.kind.code()).into_owned(),
        place: place.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · "),
        beneficiary: ticket.beneficiary_name.clone(),
        summary: ticket.summary.clone(),
        machine,
        machine_tone,
        tag: row.machine_tag.clone(),
        owner: ticket.owner_name.clone(),
        team: ticket.team_name.clone(),
        restricted: ticket.restricted,
        major: ticket.major,
        replies: row.reply_count,
        looking: Vec::new(),
        version: ticket.version,
        clock: foremost_mark(lens, &row.clocks),
        age: Stamp::age(texts, lens.zone, ticket.created_at, lens.now),
        at: Stamp::day(texts, lens.zone, ticket.created_at),
    }
}

fn machine(lens: Lens<'_>, row: &TicketRow) -> (String, &'static str) {
    let texts = lens.texts;
    if !row.machine.is_empty() {
        return (row.machine.clone(), "");
    }
    let number = row.ticket.inventory_number.as_str();
    match row.ticket.asset_match {
        AssetMatch::Unknown => (texts.t1("row-waits", "tag", number).into_owned(), "warn"),
        AssetMatch::Ambiguous => (texts.t1("row-ambiguous", "tag", number).into_owned(), "danger"),
        AssetMatch::Foreign => (texts.t1("row-foreign", "tag", number).into_owned(), "danger"),
        AssetMatch::Placeholder => (texts.t("row-placeholder").into_owned(), "warn"),
        AssetMatch::None => (String::new(), ""),
        // A machine that says neither make nor model still has its tag.
        AssetMatch::Attached => (row.machine_tag.clone(), ""),
    }
}
