//! The agent as a service: waits, contacts, waits. One thread, no open port; stopped at any moment
//! without loss, because everything that matters is on disk before it is sent.

use std::time::Instant;

use crate::agent::{Agent, AgentError, Contacted};
use crate::clock::{Clock, UtcMicros};
use crate::random::Random;
use crate::schedule;

/// What the service tells its log.
#[derive(Debug)]
pub enum Event<'a> {
    /// It waits until then.
    Waiting(UtcMicros),
    /// A contact was answered.
    Contacted(&'a Contacted),
    /// A contact came to nothing.
    Failed(&'a AgentError),
}

/// Runs until `stop` is ready, or until only a person can help.
pub async fn run(
    agent: &Agent,
    clock: &dyn Clock,
    random: &mut dyn Random,
    stop: impl Future<Output = ()>,
    mut tell: impl FnMut(&Event<'_>),
) -> Result<(), AgentError> {
    let mut stop = std::pin::pin!(stop);
    agent.dir.identity()?.ok_or(AgentError::NotEnrolled)?;
    let planned = agent.dir.status()?.next_contact_at_us;
    let mut due = schedule::after_start(clock.now_us(), planned, &agent.config.pace(), random.number()?);
    let mut failures = 0;
    loop {
        tell(&Event::Waiting(due));
        tokio::select! {
            () = wait_until(due, clock) => {}
            () = &mut stop => return Ok(()),
        }
        let result = tokio::select! {
            result = agent.contact(clock, random) => result,
            () = &mut stop => return Ok(()),
        };
        due = match result {
            Ok(contacted) => {
                failures = 0;
                tell(&Event::Contacted(&contacted));
                contacted.next_contact_at
            }
            Err(error) if error.needs_enrollment() => return Err(error),
            Err(error) => {
                failures += 1;
                tell(&Event::Failed(&error));
                let own_plan =
                    schedule::after_failure(clock.now_us(), error.retry(), failures, random.number()?);
                noted_plan(agent, clock.now_us()).unwrap_or(own_plan)
            }
        };
    }
}

/// The plan that the contact noted; none when the note could not be written, as on a full disk.
fn noted_plan(agent: &Agent, now: UtcMicros) -> Option<UtcMicros> {
    agent.dir.status().ok()?.next_contact_at_us.filter(|it| *it > now)
}

async fn wait_until(due: UtcMicros, clock: &dyn Clock) {
    let (began, wait) = (Instant::now(), due.saturating_sub(clock.now_us()));
    loop {
        let waited = i64::try_from(began.elapsed().as_micros()).unwrap_or(i64::MAX);
        let Some(step) = schedule::step(due.saturating_sub(clock.now_us()), wait.saturating_sub(waited))
        else {
            return;
        };
        tokio::time::sleep(step).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::config::Config;
    use crate::root::Root;
    use crate::testing::{Authority, Seeded};

    fn agent(folder: &tempfile::TempDir) -> Agent {
        let config = Config { boot_wait_max_s: 0, ..Config::default() };
        Agent::new(config, Root::captured(folder.path().join("root")), Some(folder.path().join("state")))
    }

    #[tokio::test]
    async fn a_machine_that_is_not_enrolled_stops_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let ended = run(&agent(&folder), &SystemClock, &mut Seeded(1), std::future::pending(), |_| {}).await;
        assert!(matches!(ended, Err(AgentError::NotEnrolled)));
    }

    #[tokio::test]
    async fn while_the_collector_is_away_the_report_waits_on_disk_and_the_next_try_is_planned() {
        let folder = tempfile::tempdir().unwrap();
        let mut agent = agent(&folder);
        agent.config.collector = "https://127.0.0.1:1".into();
        drop(agent.dir.lock().unwrap());
        agent.dir.save_identity(&Authority::new().identity()).unwrap();
        let (failed, stop) = tokio::sync::oneshot::channel();
        let mut failed = Some(failed);
        let stop = async { drop(stop.await) };
        let mut random = Seeded(1);
        let ended = run(&agent, &SystemClock, &mut random, stop, |event| {
            if let Event::Failed(_) = event {
                failed.take().map(|it| it.send(()));
            }
        });
        ended.await.unwrap();
        let status = agent.dir.status().unwrap();
        assert_eq!((status.failures, status.last_contact.unwrap().outcome.as_str()), (1, "failed"));
        assert!(status.next_contact_at_us.is_some());
    }
}
