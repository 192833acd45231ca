//! Wiring: database, clock, certificate authority, intake, the two doors and the hourly upkeep. No rule
//! lives here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use parc_wire::limits::{CONTACT_BYTES_MAX, RENEW_GRACE_DAYS};
use parc_wire::v1::fleet_server::FleetServer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;

use crate::agents::grpc::EnrollmentService;
use crate::agents::{self, Authority, Identities};
use crate::config::Settings;
use crate::context::Context;
use crate::db::{self, Db, ServingLock};
use crate::fleet::FleetService;
use crate::inventory::{Intake, IntakeSettings, TagListener};
use crate::kernel::entropy::SystemEntropy;
use crate::kernel::time::SystemClock;
use crate::people_door;
use crate::rpc::{ConnectionLimits, Guard, Server, ServerTls};
use crate::tickets::LateAttachment;
use crate::tickets::link::{self, LinkKey};
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
                public_url,
                agents_address,
                ticket_days: settings.retention.ticket_days,
                remote_tools: settings.remote.tools.into(),
            },
            &settings.web,
        )
        .await?;
        tasks.spawn(people.serve(stopped.clone()));
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
