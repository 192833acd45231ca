//! First full, unchanged and changed reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parc_acceptance::wire;
use parc_wire::v1::fleet_client::FleetClient;
use parc_wire::v1::{ContactRequest, Outcome};
use tokio::sync::Mutex;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;

use crate::machine::Machine;
use crate::measure::Phase;
use crate::{Failed, Store, Subject, enrolling, stored};

/// What the run is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    store: Store,
    /// Machines, each with its own certificate.
    #[arg(long, default_value_t = 500)]
    machines: u32,
    /// Installed titles of a machine.
    #[arg(long, default_value_t = 300)]
    titles: usize,
    /// Contacts under way at once.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// Seconds of each of the phases "unchanged" and "changed".
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Keep each machine's connection open instead of a new TLS handshake per contact.
    #[arg(long)]
    keep: bool,
}

/// A machine with its connection, when connections are kept.
struct Slot {
    machine: Machine,
    open: Option<FleetClient<Channel>>,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    FirstFull,
    Unchanged,
    Changed,
}

/// Runs all phases and prints their figures.
pub(crate) async fn run(options: Options) -> Result<(), Failed> {
    let (url, folder) = options.store.url()?;
    stored::prepare(&url).await?;
    let subject = Subject::start(url, folder).await;
    let machines = enrolling::machines(&subject, options.machines, options.titles).await?;
    let slots = machines.into_iter().map(|machine| Mutex::new(Slot { machine, open: None }));
    let slots: Arc<[Mutex<Slot>]> = slots.collect();
    let whole = Duration::from_hours(1);
    let lasting = Duration::from_secs(options.seconds);
    for (name, mode, limit) in [
        ("first full", Mode::FirstFull, whole),
        ("unchanged", Mode::Unchanged, lasting),
        ("changed", Mode::Changed, lasting),
    ] {
        phase(&subject, &slots, &options, name, mode, limit).await?;
    }
    println!("database: {}", stored::size_text(&subject.database_url).await?);
    Ok(())
}

async fn phase(
    subject: &Subject,
    slots: &Arc<[Mutex<Slot>]>,
    options: &Options,
    name: &'static str,
    mode: Mode,
    limit: Duration,
) -> Result<(), Failed> {
    let phase = Phase::begin(name, subject.collector.pid());
    let next = Arc::new(AtomicUsize::new(0));
    let port = subject.collector.agents_port();
    let (keep, until) = (options.keep, Instant::now() + limit);
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..options.concurrency {
        let (slots, next) = (Arc::clone(slots), Arc::clone(&next));
        workers.spawn(async move { work(&slots, &next, port, keep, mode, until).await });
    }
    let (mut latencies, mut refused) = (Vec::new(), 0);
    while let Some(done) = workers.join_next().await {
        let (own, own_refused) = done??;
        latencies.extend(own);
        refused += own_refused;
    }
    phase.end(latencies, refused);
    Ok(())
}

/// Takes machine after machine; once round for first reports, until the time is over for the others.
async fn work(
    slots: &[Mutex<Slot>],
    next: &AtomicUsize,
    port: u16,
    keep: bool,
    mode: Mode,
    until: Instant,
) -> Result<(Vec<Duration>, usize), Failed> {
    let (mut latencies, mut refused) = (Vec::new(), 0);
    while Instant::now() < until {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if matches!(mode, Mode::FirstFull) && at >= slots.len() {
            break;
        }
        let mut slot = slots[at % slots.len()].lock().await;
        let request = match mode {
            Mode::FirstFull => slot.machine.full(),
            Mode::Unchanged => slot.machine.unchanged(),
            Mode::Changed => slot.machine.changed(),
        };
        let since = Instant::now();
        if contact(&mut slot, port, keep, request, mode).await? {
            latencies.push(since.elapsed());
        } else {
            refused += 1;
        }
    }
    Ok((latencies, refused))
}

/// One contact; whether it was acknowledged. A first report that was shed comes again until it is in.
async fn contact(
    slot: &mut Slot,
    port: u16,
    keep: bool,
    request: ContactRequest,
    mode: Mode,
) -> Result<bool, Failed> {
    loop {
        let mut client = if let Some(client) = slot.open.take() {
            client
        } else {
            let channel =
                wire::connect_from(slot.machine.address(), port, slot.machine.identity.as_ref()).await?;
            FleetClient::new(channel)
        };
        if !request.changes.is_empty() {
            client = client.send_compressed(CompressionEncoding::Zstd);
        }
        let answer = client.contact(request.clone()).await;
        match answer {
            Ok(answer) => {
                let outcome = answer.get_ref().outcome();
                if !matches!(outcome, Outcome::Accepted | Outcome::Duplicate) {
                    return Err(
                        format!("a contact was answered {outcome:?}: {}", answer.get_ref().reason).into()
                    );
                }
                slot.open = keep.then_some(client);
                return Ok(true);
            }
            Err(status) if is_pushback(&status) && matches!(mode, Mode::FirstFull | Mode::Changed) => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(status) if is_pushback(&status) => return Ok(false),
            Err(status) => return Err(status.into()),
        }
    }
}

fn is_pushback(status: &tonic::Status) -> bool {
    matches!(status.code(), tonic::Code::ResourceExhausted | tonic::Code::Unavailable)
}
