//! Wiring: database, clock, certificate authority, intake, the two doors and the hourly upkeep. No rule
//! lives here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use parc_mail::compose::Party;
use parc_mail::identity::Signer;
use parc_mail::smtp::Relay;
use parc_wire::limits::{CONTACT_BYTES_MAX, RENEW_GRACE_DAYS};
use parc_wire::v1::fleet_server::FleetServer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;

use crate::agents::grpc::EnrollmentService;
use crate::agents::{self, Authority, Identities, SealKey};
use crate::config::{MailSettings, MailboxSettings, Settings};
use crate::context::Context;
use crate::db::{self, Db, ServingLock};
use crate::fleet::FleetService;
use crate::inventory::{Intake, IntakeSettings, TagListener};
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::time::SystemClock;
use crate::mail::letterbox::{Fetcher, MailboxDoor};
use crate::mail::{self, Courier, CourierSettings, Desk};
use crate::people_door;
use crate::rpc::{ConnectionLimits, Guard, Server, ServerTls};
use crate::tickets::LateAttachment;
use crate::tickets::by_mail::{BoxRules, MailRoom, Postman};
use crate::tickets::link::{self, LinkKey};
use crate::tickets::notices::FailureNotes;
use crate::upkeep::{self, Upkeep};

/// How long requests in flight may take once the collector was told to stop.
const DRAIN: Duration = Duration::from_secs(20);
/// A machine that has just enrolled reports at once: somebody stands before it and waits. The rate of
/// enrollments already spreads many.
const FIRST_CONTACT_S: u32 = 5;

/// A running collector.
#[derive(Debug)]
pub struct App {
    /// Database, clock, randomness.
    pub context: Context,
    /// The certificate authority.
    pub authority: Arc<Authority>,
    /// Where agents are listened for.
    pub agents_address: SocketAddr,
    /// Where people open it.
    pub public_url: String,
    stop: watch::Sender<bool>,
    _lock: Option<ServingLock>,
    tasks: JoinSet<anyhow::Result<()>>,
}

/// Runs a collector until it is told to stop.
pub async fn serve(settings: Settings) -> anyhow::Result<()> {
    let mut app = App::start(settings).await?;
    tokio::select! {
        () = until_told_to_stop() => tracing::info!("told to stop, draining"),
        // Nothing is drained: what is written now may be lost and confirmed all the same.
        () = db::until_broken() => anyhow::bail!(
            "the disk of the database failed; look after the disk, then run `parc-collector check`"
        ),
        Some(ended) = app.tasks.join_next() => ended.context("a task was lost")??,
    }
    app.stop().await;
    Ok(())
}

/// Resolves at Ctrl+C or SIGTERM.
pub async fn until_told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! { _ = interrupted => (), _ = terminated.recv() => () }
            return;
        }
    }
    let _ = interrupted.await;
}

impl App {
    /// Opens the database, brings the schema up to date and opens both doors.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        settings.make_data_dir()?;
        let url = settings.database_url()?;
        let lock = ServingLock::take(&url).context("cannot serve this database")?;
        let db = Db::open(&url).await.context("cannot open the database")?;
        db.migrate().await?;
        db.keep_room().await;
        let context = Context { db, clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) };
        let (authority, seal) = agents::open_authority(&context, &settings.seal_key_file()).await?;
        let authority = Arc::new(authority);
        let links = Arc::new(LinkKey::new(seal.derive(link::KEY_PURPOSE)));
        let signer = mail_signer(&seal, &settings);
        let mail_room = Arc::new(mail_room(&context, &signer, &settings));
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();

        let listener: Arc<dyn TagListener> = Arc::new(LateAttachment { context: context.clone() });
        let intake_settings = IntakeSettings { interval_s: settings.agents.interval_s };
        let (intake, applier) = Intake::start(context.clone(), Arc::clone(&listener), intake_settings);
        tasks.spawn(async move { applier.await.map_err(Into::into) });

        let public_url: Arc<str> = settings.public_url.as_str().into();
        let fleet = FleetService {
            context: context.clone(),
            authority: Arc::clone(&authority),
            identities: Arc::new(Identities::new(context.clone())),
            intake,
            links: Arc::clone(&links),
            public_url: Arc::clone(&public_url),
        };
        let door = AgentsDoor::open(&context, &authority, &settings, fleet).await?;
        let (agents_address, tls) = (door.address, Arc::clone(&door.server.tls));
        tasks.spawn(door.serve(stopped.clone()));

        let people = people_door::open(
            people_door::Door {
                context: context.clone(),
                authority_fingerprint: authority.fingerprint().into(),
                listener,
                links,
                signer: Arc::clone(&signer),
                mail_room: Arc::clone(&mail_room),
                public_url: Arc::clone(&public_url),
                agents_address,
                ticket_days: settings.retention.ticket_days,
                remote_tools: settings.remote.tools.clone().into(),
            },
            &settings.web,
        )
        .await?;
        tasks.spawn(people.serve(stopped.clone()));
        start_mail(&context, &settings, (signer, mail_room, public_url), (&mut tasks, &stopped))?;
        let upkeep = Upkeep {
            context: context.clone(),
            authority: Arc::clone(&authority),
            tls,
            names: settings.agents.names,
            retention: settings.retention,
        };
        tasks.spawn(upkeep::carry_tickets_on(context.clone(), stopped.clone()));
        tasks.spawn(upkeep.run(stopped));
        tracing::info!(agents = %agents_address, web = %settings.web.listen, "the collector is up");
        Ok(Self {
            context,
            authority,
            agents_address,
            public_url: settings.public_url,
            stop,
            _lock: lock,
            tasks,
        })
    }

    /// Stops listening, lets requests in flight finish, closes the database.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let drained =
            tokio::time::timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!("requests in flight were cut off");
            self.tasks.shutdown().await;
        }
        self.context.db.close().await;
    }
}

/// Starts what sends, fetches and deals with mail, as far as the settings name servers.
fn start_mail(
    context: &Context,
    settings: &Settings,
    (signer, room, public_url): (Arc<Signer>, Arc<MailRoom>, Arc<str>),
    (tasks, stopped): (&mut JoinSet<anyhow::Result<()>>, &watch::Receiver<bool>),
) -> anyhow::Result<()> {
    if let Some(mail) = &settings.mail {
        let desk = mail_desk(signer, mail, public_url);
        tasks.spawn(courier(context, desk, mail)?.run(stopped.clone()));
    }
    for mailbox in &settings.mailboxes {
        tasks.spawn(fetcher(context, mailbox)?.run(stopped.clone()));
    }
    if !settings.mailboxes.is_empty() {
        tasks.spawn(Postman { room }.run(stopped.clone()));
    }
    Ok(())
}

/// Signs what mails carry; the same on every collector of one installation, with or without a relay.
fn mail_signer(seal: &SealKey, settings: &Settings) -> Arc<Signer> {
    let pages = settings.public_url.split_once("://").map_or("", |it| it.1);
    let pages = pages.split([':', '/']).next().unwrap_or_default();
    let domain = settings.mail.as_ref().map_or(pages, MailSettings::domain);
    Arc::new(Signer::new(seal.derive(mail::KEY_PURPOSE), domain))
}

/// What every mail has in common.
fn mail_desk(signer: Arc<Signer>, settings: &MailSettings, public_url: Arc<str>) -> Arc<Desk> {
    Arc::new(Desk {
        signer,
        from: Party { name: settings.from_name.clone(), address: settings.from.clone() },
        plus_addressing: settings.plus_addressing,
        own_addresses: settings.own_addresses.clone(),
        public_url,
        contact: settings.contact.clone(),
    })
}

/// What dealing with arriving messages needs.
fn mail_room(context: &Context, signer: &Arc<Signer>, settings: &Settings) -> MailRoom {
    let sent_from = settings.mail.iter().flat_map(|it| std::iter::once(&it.from).chain(&it.own_addresses));
    let fetched = settings.mailboxes.iter().map(|it| &it.address);
    let rules = |it: &MailboxSettings| BoxRules {
        name: it.name.clone(),
        authentication_server: it.authentication_server.clone(),
        monitoring_senders: it.monitoring_senders.iter().map(|it| it.to_lowercase()).collect(),
    };
    MailRoom {
        context: context.clone(),
        signer: Arc::clone(signer),
        own_addresses: sent_from.chain(fetched).map(|it| it.to_lowercase()).collect(),
        boxes: settings.mailboxes.iter().map(rules).collect(),
    }
}

fn fetcher(context: &Context, mailbox: &MailboxSettings) -> anyhow::Result<Fetcher> {
    let door = MailboxDoor {
        name: mailbox.name.clone(),
        imap: mailbox.imap()?,
        stored_folder: mailbox.stored_folder.clone(),
        poll: mailbox.poll(),
    };
    Ok(Fetcher { context: context.clone(), door })
}

fn courier(context: &Context, desk: Arc<Desk>, settings: &MailSettings) -> anyhow::Result<Courier> {
    let relay = settings.relay(desk.signer.domain())?;
    Ok(Courier {
        context: context.clone(),
        desk,
        relay: Relay::new(&relay)?,
        settings: CourierSettings { hourly_per_address: i64::from(settings.hourly_per_address) },
        listener: Arc::new(FailureNotes { context: context.clone() }),
    })
}

/// Hands a test mail to the relay, past the outbox; gives the relay's answer.
pub async fn send_test_mail(
    settings: &Settings,
    seal: &SealKey,
    to: &str,
    now_s: u64,
) -> anyhow::Result<String> {
    let mail = settings.mail.as_ref().context("the configuration has no [mail] section")?;
    let desk = mail_desk(mail_signer(seal, settings), mail, settings.public_url.as_str().into());
    let relay = Relay::new(&mail.relay(desk.signer.domain())?)?;
    let (from, bytes) = desk.test_message(to, now_s)?;
    Ok(relay.send(&from, to, &bytes).await?)
}

/// The bound door of the agents.
#[derive(Debug)]
struct AgentsDoor {
    address: SocketAddr,
    listener: TcpListener,
    server: Server,
}

impl AgentsDoor {
    async fn open(
        context: &Context,
        authority: &Arc<Authority>,
        settings: &Settings,
        fleet: FleetService,
    ) -> anyhow::Result<Self> {
        let wanted = settings.agents.listen;
        let listener = TcpListener::bind(wanted)
            .await
            .with_context(|| format!("cannot listen on {wanted} for agents"))?;
        let per_minute = settings.agents.enrollments_per_minute;
        let enrollment =
            EnrollmentService::new(context.clone(), Arc::clone(authority), per_minute, FIRST_CONTACT_S);
        let fleet = FleetServer::new(fleet)
            .max_decoding_message_size(CONTACT_BYTES_MAX)
            .accept_compressed(CompressionEncoding::Zstd);
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_serving::<FleetServer<FleetService>>().await;
        let routes = Routes::new(health).add_service(enrollment.into_server()).add_service(fleet);
        let server = Server {
            tls: Arc::new(ServerTls::new(upkeep::server_config(context, authority, &settings.agents.names)?)),
            router: routes.into_axum_router(),
            guard: Guard::new(Arc::clone(&context.clock), RENEW_GRACE_DAYS.unsigned_abs()),
            limits: ConnectionLimits {
                total: settings.agents.connections_max,
                ..ConnectionLimits::default()
            },
        };
        Ok(Self { address: listener.local_addr()?, listener, server })
    }

    async fn serve(self, mut stopped: watch::Receiver<bool>) -> anyhow::Result<()> {
        let until_stopped = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        self.server.serve(self.listener, until_stopped).await.context("the agents' door broke")
    }
}
