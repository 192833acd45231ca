//! Real enrollments, as fast as the collector lets strangers in.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use parc_acceptance::wire;
use tonic::{Code, Status};

use crate::machine::Machine;
use crate::{Failed, Subject};

/// The collector admits about twenty strangers a second; a refused one comes again.
const PAUSE: Duration = Duration::from_millis(400);
const TRIES_MAX: u32 = 500;
const AT_ONCE: usize = 16;

/// Machines `1..=count`, each with its own key and certificate.
pub(crate) async fn machines(subject: &Subject, count: u32, titles: usize) -> Result<Vec<Machine>, Failed> {
    let token = token(subject, count);
    let port = subject.collector.agents_port();
    println!("enrolling {count} machines with {titles} titles each (the collector admits about 20 a second)");
    let enrolled = stream::iter(1..=count).map(|number| {
        let token = Arc::clone(&token);
        async move {
            let mut machine = Machine::new(number, titles);
            machine.identity = Some(enroll(port, &token, &machine).await?);
            Ok::<Machine, Status>(machine)
        }
    });
    let mut machines = Vec::new();
    let mut enrolled = enrolled.buffer_unordered(AT_ONCE);
    while let Some(machine) = enrolled.next().await {
        machines.push(machine?);
        if machines.len() % 500 == 0 {
            println!("  {} enrolled", machines.len());
        }
    }
    Ok(machines)
}

/// Makes the organisation and a token for all machines.
fn token(subject: &Subject, count: u32) -> Arc<str> {
    let admin = |arguments: &[&str]| subject.collector.admin(arguments);
    admin(&["organisation", "--code", "SIM", "--name", "Simulated parc"]);
    admin(&["site", "--organisation", "SIM", "--name", "Lyon", "--main"]);
    let uses = count.to_string();
    admin(&["enroll-token", "--organisation", "SIM", "--site", "Lyon", "--uses", &uses]).into()
}

async fn enroll(port: u16, token: &str, machine: &Machine) -> Result<wire::Identity, Status> {
    let mut tries = 0;
    loop {
        let connected = wire::connect_from(machine.address(), port, None).await;
        let answer = match connected {
            Ok(channel) => wire::enroll_over(channel, token, &machine.tag(), machine.evidence()).await,
            Err(error) => Err(Status::unavailable(error.to_string())),
        };
        tries += 1;
        match answer {
            Err(status) if tries < TRIES_MAX && is_busy(&status) => tokio::time::sleep(PAUSE).await,
            other => return other,
        }
    }
}

fn is_busy(status: &Status) -> bool {
    matches!(status.code(), Code::ResourceExhausted | Code::Unavailable)
}
