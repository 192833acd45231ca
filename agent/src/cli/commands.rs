//! What each command does and says.

use std::path::Path;

use serde_json::json;

use super::{CliError, EnrollArgs, Exit, TagArgs, output};
use crate::agent::{Agent, AgentError, Contacted, EnrollWish, TicketWish};
use crate::clock::{SystemClock, utc_text};
use crate::contact::Standing;
use crate::permissions;
use crate::random::OsRandom;
use crate::service::{self, Event};
use crate::status::{outcome_word, section_word};
use crate::tag::{Claim, place};

pub(super) async fn enroll(agent: &Agent, args: EnrollArgs) -> Result<Exit, CliError> {
    let token = args.token.read()?;
    let wish = EnrollWish { collector: args.collector, token, tag: args.tag, replace: args.replace };
    let identity = agent.enroll(&wish, &SystemClock, &mut OsRandom).await?;
    output::line(&format!("enrolled as {}", identity.agent_id));
    output::table(
        2,
        &[
            ("collector", identity.collector.clone()),
            ("organisation", identity.organisation.clone()),
            ("site", identity.site.clone()),
            ("tag", claim_text(&agent.look().claim)),
        ],
    );
    Ok(Exit::Done)
}

pub(super) async fn run(agent: &Agent, config_path: &Path) -> Result<Exit, CliError> {
    let program = std::env::current_exe().ok();
    let mut places = vec![agent.dir.folder(), config_path];
    places.extend(config_path.parent());
    places.extend(program.as_deref());
    places.extend(program.as_deref().and_then(Path::parent));
    permissions::check(places)?;
    let stop = stop_signal().map_err(CliError::Runtime)?;
    output::note(&format!("parc-agent {} started", crate::report::AGENT_VERSION));
    service::run(agent, &SystemClock, &mut OsRandom, stop, log).await?;
    output::note("stopped");
    Ok(Exit::Done)
}

pub(super) async fn report(agent: &Agent, json: bool) -> Result<Exit, CliError> {
    let contacted = agent.contact(&SystemClock, &mut OsRandom).await?;
    if json {
        output::json(&report_json(&contacted));
    } else {
        report_text(&contacted);
    }
    Ok(match contacted.exchange.standing {
        Standing::Acknowledged => Exit::Done,
        Standing::Held | Standing::Refused => Exit::Refused,
    })
}

pub(super) fn tag(agent: &Agent, args: &TagArgs) -> Result<Exit, CliError> {
    let claim = match args {
        TagArgs::Print => {
            agent.dir.tag().map_err(AgentError::from)?; // an unreadable tag must not look like none
            agent.look().claim
        }
        TagArgs::Set(tag) => agent.set_tag(Some(tag))?,
        TagArgs::Clear => agent.set_tag(None)?,
    };
    output::line(&claim_text(&claim));
    for refused in &claim.refused {
        output::note(&format!("refused from {}: {}", place(refused.source), refused.reason));
    }
    if *args != TagArgs::Print {
        output::note("sent with the next report");
    }
    Ok(Exit::Done)
}

pub(super) async fn ticket_link(agent: &Agent) -> Result<Exit, CliError> {
    let link = agent.ticket_link().await?;
    output::line(&link.url);
    output::note(&format!("valid for {} minutes", link.valid_s / 60));
    Ok(Exit::Done)
}

pub(super) async fn ticket(agent: &Agent, wish: &TicketWish) -> Result<Exit, CliError> {
    let ticket = agent.open_ticket(wish, &mut OsRandom).await?;
    output::line(&ticket.number);
    output::table(2, &[("machine", ticket.machine), ("match", ticket.asset_match), ("address", ticket.url)]);
    Ok(Exit::Done)
}

pub(super) fn seal_image(agent: &Agent) -> Result<Exit, CliError> {
    agent.seal_image()?;
    output::line("identity, tag and state are gone: this disk may be cloned, each clone needs a token");
    if !agent.config.tag.is_empty() {
        output::note("the configuration still holds a `tag`, which every clone would claim");
    }
    Ok(Exit::Done)
}

/// `INV-004217 (firmware chassis asset tag)`.
pub(super) fn claim_text(claim: &Claim) -> String {
    match &claim.tag {
        Some((tag, source)) => format!("{tag} ({})", place(*source)),
        None => "none".to_owned(),
    }
}

fn report_text(contacted: &Contacted) {
    let exchange = &contacted.exchange;
    let sections: Vec<String> = exchange.sections_sent.iter().map(|it| section_word(*it)).collect();
    output::line(&outcome_word(&exchange.answer));
    let mut rows = vec![
        ("bytes sent", exchange.bytes_sent.to_string()),
        (
            "sections sent",
            if sections.is_empty() { "none, nothing changed".into() } else { sections.join(", ") },
        ),
        ("next contact", utc_text(contacted.next_contact_at)),
    ];
    rows.extend(contacted.renewed.map(|it| ("certificate", format!("renewed, generation {it}"))));
    let answer = &exchange.answer;
    let texts = [
        ("reason", &answer.reason),
        ("assigned tag", &answer.assigned_tag),
        ("tag not bound", &answer.tag_note),
    ];
    rows.extend(
        texts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, text.clone())),
    );
    let set_aside = |it: &parc_wire::v1::SetAside| {
        ("set aside", format!("{} {} {}: {}", section_word(it.section()), it.item_key, it.field, it.reason))
    };
    rows.extend(answer.set_aside.iter().map(set_aside));
    output::table(2, &rows);
}

fn report_json(contacted: &Contacted) -> serde_json::Value {
    let exchange = &contacted.exchange;
    let answer = &exchange.answer;
    let sections: Vec<String> = exchange.sections_sent.iter().map(|it| section_word(*it)).collect();
    let set_aside = |it: &parc_wire::v1::SetAside| json!({ "section": section_word(it.section()), "item": it.item_key, "field": it.field, "reason": it.reason });
    json!({
        "outcome": outcome_word(answer),
        "acknowledged": exchange.standing == Standing::Acknowledged,
        "bytes_sent": exchange.bytes_sent,
        "sections_sent": sections,
        "reason": answer.reason,
        "assigned_tag": answer.assigned_tag,
        "tag_note": answer.tag_note,
        "set_aside": answer.set_aside.iter().map(set_aside).collect::<Vec<_>>(),
        "renewed_generation": contacted.renewed,
        "next_contact_at_us": contacted.next_contact_at,
    })
}

/// One line per event, as fields; the service manager adds time and name.
fn log(event: &Event<'_>) {
    match event {
        Event::Waiting(until) => output::note(&format!("waiting until=\"{}\"", utc_text(*until))),
        Event::Contacted(contacted) => {
            let exchange = &contacted.exchange;
            let (outcome, reason) = (outcome_word(&exchange.answer), &exchange.answer.reason);
            let (bytes, sections) = (exchange.bytes_sent, exchange.sections_sent.len());
            output::note(&format!(
                "contact outcome={outcome} bytes={bytes} sections={sections} reason={reason:?}"
            ));
            if let Some(generation) = contacted.renewed {
                output::note(&format!("renewed generation={generation}"));
            }
        }
        Event::Failed(error) => {
            output::note(&format!("contact outcome=failed reason={:?}", error.to_string()));
        }
    }
}

#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same face as on Unix")]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
