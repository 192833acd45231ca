//! `status`: how this machine stands with its collector, on one screen.

use parc_wire::v1::{ProblemItem, ProblemKind};

use super::commands::claim_text;
use super::{CliError, Exit, output};
use crate::agent::{Agent, AgentError, Sight};
use crate::clock::{Clock, SECOND_US, SystemClock, UtcMicros, utc_text};
use crate::identity::{Identity, Seal};
use crate::probe;
use crate::schedule;
use crate::spool::Loaded;
use crate::status::{Status, section_word, wire_word};

/// Problems that are listed; the rest is counted.
const PROBLEMS_SHOWN_MAX: usize = 12;

type Rows = Vec<(&'static str, String)>;

pub(super) fn status(agent: &Agent) -> Result<Exit, CliError> {
    let sight = agent.look();
    let identity = agent.dir.identity().map_err(AgentError::from)?;
    let status = agent.dir.status().map_err(AgentError::from)?;
    let now = SystemClock.now_us();
    let mut rows = vec![("tag", claim_text(&sight.claim))];
    rows.extend(sight.claim.refused.iter().map(|it| ("tag refused", it.reason.to_string())));
    rows.extend(noted("assigned tag", &status.assigned_tag));
    rows.extend(noted("tag not bound", &status.tag_note));
    match &identity {
        Some(identity) => rows.extend(identity_rows(agent, identity, &status, now)),
        None => rows.push(("identity", AgentError::NotEnrolled.to_string())),
    }
    let broken =
        identity.as_ref().and_then(|it| it.seal.check(&Seal::of(&probe::evidence(&sight.findings))).err());
    rows.extend(broken.map(|it| ("identity", it.to_string())));
    rows.extend(contact_rows(&status, now));
    rows.extend(problem_rows(&sight));
    output::table(0, &rows);
    Ok(if identity.is_none() || broken.is_some() { Exit::NotEnrolled } else { Exit::Done })
}

fn identity_rows(agent: &Agent, identity: &Identity, status: &Status, now: UtcMicros) -> Rows {
    let collector =
        agent.collector(Some(identity)).map_or_else(|error| error.to_string(), |it| it.to_string());
    let mut rows = vec![
        ("agent", identity.agent_id.clone()),
        ("collector", collector),
        ("organisation", identity.organisation.clone()),
        ("site", identity.site.clone()),
    ];
    rows.push(match identity.validity() {
        Ok(validity) => {
            let (until, generation) = (moment(validity.not_after, now), identity.generation);
            let renewal = schedule::renew_at(validity, &identity.agent_id, generation);
            (
                "certificate",
                format!("until {until}, generation {generation}, renewal {}", moment(renewal, now)),
            )
        }
        Err(error) => ("certificate", error.to_string()),
    });
    rows.extend(noted("renewal failed", &status.renewal_failure));
    rows.push(("pending", pending_text(agent, identity)));
    rows.extend(failure_row(status, now));
    rows
}

fn pending_text(agent: &Agent, identity: &Identity) -> String {
    match agent.dir.state(&identity.agent_id) {
        Ok(Loaded::Known(state)) => match state.pending {
            Some(pending) => format!("report {} waits for its acknowledgement", pending.seq),
            None => format!("nothing, report {} is acknowledged", state.seq),
        },
        Ok(Loaded::Lost(why)) => format!("a whole report: {why}"),
        Err(error) => error.to_string(),
    }
}

/// Since when nothing came through, and why: told beside what waits for it.
fn failure_row(status: &Status, now: UtcMicros) -> Option<(&'static str, String)> {
    let last = status.last_contact.as_ref().filter(|_| status.failures > 0)?;
    let times = if status.failures == 1 { "once".to_owned() } else { format!("{} times", status.failures) };
    Some(("last error", format!("{}: {}; failed {times} in a row", moment(last.at_us, now), last.detail)))
}

fn contact_rows(status: &Status, now: UtcMicros) -> Rows {
    let mut rows = Rows::new();
    match &status.last_contact {
        Some(last) => {
            rows.push(("last contact", format!("{}: {}", moment(last.at_us, now), last.outcome)));
            rows.extend(noted("", &last.detail).filter(|_| status.failures == 0));
        }
        None => rows.push(("last contact", "none yet".to_owned())),
    }
    rows.extend(status.acknowledged_at_us.map(|it| ("acknowledged", moment(it, now))));
    rows.extend(status.next_contact_at_us.map(|it| ("next contact", moment(it, now))));
    rows.extend(status.set_aside.iter().map(|it| ("set aside", it.clone())));
    rows
}

fn problem_rows(sight: &Sight) -> Rows {
    let problems = &sight.findings.problems;
    let text = |it: &ProblemItem| {
        let kind = wire_word(ProblemKind::as_str_name(&it.kind()), "PROBLEM_KIND_");
        ("problem", format!("{} {kind}: {} ({})", section_word(it.section()), it.reason, it.source))
    };
    let mut rows: Rows = problems.iter().take(PROBLEMS_SHOWN_MAX).map(text).collect();
    if problems.len() > PROBLEMS_SHOWN_MAX {
        rows.push((
            "problem",
            format!("and {} more, see `parc-agent show`", problems.len() - PROBLEMS_SHOWN_MAX),
        ));
    }
    rows
}

fn noted(name: &'static str, text: &str) -> Option<(&'static str, String)> {
    (!text.is_empty()).then(|| (name, text.to_owned()))
}

/// `2026-11-21 14:03:09 UTC (in 3 h)`.
fn moment(at: UtcMicros, now: UtcMicros) -> String {
    let away_s = at.saturating_sub(now) / SECOND_US;
    let amount = match away_s.unsigned_abs() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 2 * 3600 => format!("{} min", seconds / 60),
        seconds if seconds < 48 * 3600 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    };
    let relative = match away_s {
        0 => "now".to_owned(),
        ahead if ahead > 0 => format!("in {amount}"),
        _ => format!("{amount} ago"),
    };
    format!("{} ({relative})", utc_text(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_told_until_a_contact_succeeds() {
        let now = 1_795_269_789 * SECOND_US;
        let mut status = Status::default();
        assert_eq!(failure_row(&status, now), None);
        status.failed(now - 60 * SECOND_US, "the collector cannot be reached".to_owned());
        status.failed(now, "the collector cannot be reached".to_owned());
        let (name, text) = failure_row(&status, now).unwrap();
        assert_eq!(name, "last error");
        assert!(text.ends_with("(now): the collector cannot be reached; failed 2 times in a row"), "{text}");
    }

    #[test]
    fn a_moment_says_how_far_away_it_is() {
        let now = 1_795_269_789 * SECOND_US;
        assert_eq!(moment(now + 3 * 3600 * SECOND_US, now), "2026-11-21 17:03:09 UTC (in 3 h)");
        assert_eq!(moment(now - 119 * SECOND_US, now), "2026-11-21 14:01:10 UTC (119 s ago)");
        assert!(moment(now - 1, now).ends_with("(now)"));
        assert!(moment(now + 15 * 86_400 * SECOND_US, now).ends_with("(in 15 days)"));
    }
}
