//! How long opening a ticket over REST takes, with its machine pinned, among many stored machines.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parc_acceptance::api::{Api, text};
use parc_acceptance::wire;
use tonic::codec::CompressionEncoding;

use crate::catalogue::Seeded;
use crate::machine::Machine;
use crate::measure::Phase;
use crate::{Failed, Store, Subject, enrolling, stored};

const REQUESTER: &str = "claire.petit@sim.example";

/// What the run is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    store: Store,
    /// Machines that report; tickets quote their tags.
    #[arg(long, default_value_t = 200)]
    machines: u32,
    /// Installed titles of a machine.
    #[arg(long, default_value_t = 300)]
    titles: usize,
    /// Machines stored beside them.
    #[arg(long, default_value_t = 100_000)]
    stored: u32,
    /// Tickets opened.
    #[arg(long, default_value_t = 2_000)]
    tickets: usize,
    /// Tickets opened at once.
    #[arg(long, default_value_t = 4)]
    concurrency: usize,
}

/// Fills the database, opens the tickets, prints the figures.
pub(crate) async fn run(options: Options) -> Result<(), Failed> {
    let (url, folder) = options.store.url()?;
    stored::prepare(&url).await?;
    let subject = Subject::start(url, folder).await;
    let machines = enrolling::machines(&subject, options.machines, options.titles).await?;
    for machine in &machines {
        report(&subject, machine).await?;
    }
    println!("declaring {} machines", options.stored);
    stored::declare_machines(&subject.database_url, "SIM", options.stored).await?;
    let admin = |arguments: &[&str]| subject.collector.admin(arguments);
    admin(&[
        "person",
        "--organisation",
        "SIM",
        "--email",
        REQUESTER,
        "--name",
        "Claire Petit",
        "--role",
        "requester",
    ]);
    // A key may call a hundred times a second, so every worker has its own.
    let key = |_| admin(&["api-key", "--organisation", "SIM", "--name", "load", "--role", "technician_n1"]);
    let apis: Vec<Api> =
        (0..options.concurrency).map(key).map(|it| Api::new(&subject.collector.web(), &it)).collect();
    let tags: Arc<[String]> = machines.iter().map(Machine::tag).collect();
    open_tickets(&subject, &apis, &tags, &options).await?;
    println!("database: {}", stored::size_text(&subject.database_url).await?);
    Ok(())
}

async fn report(subject: &Subject, machine: &Machine) -> Result<(), Failed> {
    let port = subject.collector.agents_port();
    let channel = wire::connect_from(machine.address(), port, machine.identity.as_ref()).await?;
    let fleet = parc_wire::v1::fleet_client::FleetClient::new(channel);
    fleet.send_compressed(CompressionEncoding::Zstd).contact(machine.full()).await?;
    Ok(())
}

async fn open_tickets(
    subject: &Subject,
    apis: &[Api],
    tags: &Arc<[String]>,
    options: &Options,
) -> Result<(), Failed> {
    let phase = Phase::begin("tickets", subject.collector.pid());
    let left = Arc::new(AtomicUsize::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for (worker, api) in apis.iter().enumerate() {
        let (api, tags, left, count) = (api.clone(), Arc::clone(tags), Arc::clone(&left), options.tickets);
        workers.spawn(async move {
            let mut random = Seeded::new(u64::try_from(worker).unwrap_or(0));
            let mut latencies = Vec::new();
            while left.fetch_add(1, Ordering::Relaxed) < count {
                latencies.push(open_one(&api, &tags, &mut random).await?);
            }
            Ok::<_, Failed>(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = workers.join_next().await {
        latencies.extend(done??);
    }
    phase.end(latencies, 0);
    Ok(())
}

async fn open_one(api: &Api, tags: &[String], random: &mut Seeded) -> Result<Duration, Failed> {
    let at = usize::try_from(random.below(u64::try_from(tags.len())?))?;
    let since = Instant::now();
    let answer = api.open_ticket(REQUESTER, &tags[at]).await;
    let took = since.elapsed();
    if answer.status != 201 || text(&answer.json(), "/asset_match") != "attached" {
        return Err(format!("a ticket did not get its machine: {} {}", answer.status, answer.text()).into());
    }
    Ok(took)
}
