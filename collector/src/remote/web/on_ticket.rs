//! Remote sessions on the page of their ticket: for staff the steps, for the person asked the question with the reminder
//! that comes before every answer (rule R091).

use crate::config::RemoteTool;
use crate::db::{StoreError, Tx};
use crate::inventory::web::machine::Lens;
use crate::kernel::actor::{Actor, Permission};
use crate::remote::{self, RemoteSession, RemoteStatus};
use crate::tickets::Ticket;
use crate::web::Stamp;
use crate::web::parts::Choice;

/// What a ticket's page shows of its remote sessions.
#[derive(Clone, Debug, Default)]
pub(crate) struct RemotePart {
    pub number: String,
    pub lines: Vec<RemoteLine>,
    pub may_ask: bool,
    pub tools: Vec<Choice>,
    /// Who is asked.
    pub asked: String,
}

/// One session.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each asked for by its own form")]
pub(crate) struct RemoteLine {
    pub id: String,
    pub sequence: i64,
    pub ticket: String,
    pub ticket_href: String,
    pub tool: String,
    /// Where the tool is fetched, if the settings say so.
    pub tool_href: Option<String>,
    pub technician: String,
    pub asked: String,
    pub status_code: &'static str,
    pub status: String,
    pub asked_at: Stamp,
    /// `Camille Roussel, sur la page du ticket`.
    pub answer: String,
    pub started: Option<Stamp>,
    pub ended: Option<Stamp>,
    pub report: String,
    /// The reader is asked and has not answered.
    pub may_answer: bool,
    /// The reader may take a yes back.
    pub may_take_back: bool,
    pub may_record: bool,
    pub may_start: bool,
    pub may_end: bool,
    pub may_withdraw: bool,
}

/// The part of a ticket's page, for an actor who was found to see the ticket.
pub(crate) async fn part(
    tx: &mut Tx,
    lens: Lens<'_>,
    actor: &Actor,
    ticket: &Ticket,
    tools: &[RemoteTool],
) -> Result<RemotePart, StoreError> {
    let found = remote::list_sessions_of_ticket(tx, &ticket.number).await?;
    let person = actor.person();
    let is_party = person.is_some_and(|it| it == ticket.beneficiary_id || it == ticket.requester_id);
    let lines = found.iter().map(|it| remote_line(lens, actor, is_party, tools, it)).collect();
    Ok(RemotePart {
        number: ticket.number.to_string(),
        lines,
        may_ask: remote::may_ask(actor, ticket),
        tools: tools.iter().map(|it| Choice::new(it.name.clone(), it.name.clone(), false)).collect(),
        asked: ticket.beneficiary_name.clone(),
    })
}

/// One session as lists show it.
pub(crate) fn remote_line(
    lens: Lens<'_>,
    actor: &Actor,
    is_party: bool,
    tools: &[RemoteTool],
    session: &RemoteSession,
) -> RemoteLine {
    let texts = lens.texts;
    let status = session.status_at(lens.now);
    let works = actor.may(Permission::WorkTickets);
    let stamp = |at| Stamp::moment(texts, lens.zone, at);
    let answer = if session.means.is_empty() {
        String::new()
    } else {
        let how = texts.word("consent", &session.means);
        texts.t2("remote-answer", ("who", &session.answered_by), ("how", &how)).into_owned()
    };
    let waits = matches!(status, RemoteStatus::Requested | RemoteStatus::Accepted);
    RemoteLine {
        id: session.id.to_string(),
        sequence: session.sequence,
        ticket: session.ticket_number.to_string(),
        ticket_href: format!("/tickets/{}", session.ticket_number),
        tool: session.tool.clone(),
        tool_href: tools.iter().find(|it| it.name == session.tool).map(|it| it.url.clone()),
        technician: session.technician_name.clone(),
        asked: session.asked_name.clone(),
        status_code: status.code(),
        status: texts.word("remote-status", status.code()).into_owned(),
        asked_at: stamp(session.asked_at),
        answer,
        started: session.started_at.map(stamp),
        ended: session.ended_at.map(stamp),
        report: session.report.clone(),
        may_answer: is_party && status == RemoteStatus::Requested,
        may_take_back: is_party && status == RemoteStatus::Accepted,
        may_record: works && status == RemoteStatus::Requested,
        may_start: works && status == RemoteStatus::Accepted,
        may_end: works && status == RemoteStatus::Started,
        may_withdraw: works && waits,
    }
}

/// A session for tests.
#[cfg(test)]
pub(crate) fn a_session(status: RemoteStatus) -> RemoteSession {
    use crate::kernel::id::{OrganisationId, PersonId, RemoteSessionId};
    use crate::kernel::time::UtcMicros;
    let id = uuid::Uuid::from_u128;
    // Ten minutes before the samples' present.
    let at = UtcMicros::from_seconds(1_795_298_700);
    RemoteSession {
        id: RemoteSessionId::from(id(1)),
        ticket_number: "I202611_0042".parse().expect("number"),
        organisation_id: OrganisationId::from(id(2)),
        organisation_name: "Acme SA".into(),
        time_zone: "Europe/Paris".into(),
        tool: "TeamViewer".into(),
        technician_id: PersonId::from(id(3)),
        technician_name: "Nadia Lefèvre".into(),
        asked_id: PersonId::from(id(7)),
        asked_name: "Camille Roussel".into(),
        status,
        asked_at: at,
        answered_at: (status != RemoteStatus::Requested).then_some(at),
        answered_by: if status == RemoteStatus::Requested { String::new() } else { "Camille Roussel".into() },
        means: if status == RemoteStatus::Requested { String::new() } else { "portal".into() },
        started_at: None,
        ended_at: None,
        report: String::new(),
        sequence: 0,
        updated_at: at,
    }
}
