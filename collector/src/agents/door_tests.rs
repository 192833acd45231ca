//! The agents' door from outside: real sockets, real TLS, real HTTP/2, on SQLite.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use parc_wire::limits::{CONTACT_BYTES_MAX, RENEW_GRACE_DAYS};
use parc_wire::v1::enrollment_client::EnrollmentClient;
use parc_wire::v1::fleet_client::FleetClient;
use parc_wire::v1::fleet_server::{Fleet, FleetServer};
use parc_wire::v1::{
    ContactRequest, ContactResponse, EnrollRequest, OpenTicketRequest, OpenTicketResponse, RenewRequest,
    RenewResponse, TicketLinkRequest, TicketLinkResponse,
};
use rcgen::KeyPair;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use tower::{Service, ServiceExt, service_fn};

use super::csr::tests::csr_of;
use super::grpc::EnrollmentService;
use super::tests::{House, request};
use crate::db::testing::TestDb;
use crate::kernel::time::{Clock, ManualClock, days};
use crate::rpc::{
    ConnectionLimits, Guard, PeerAddress, PeerCertificate, Server, ServerTls, crypto_provider, server_config,
};

const CONTACT: &str = "/parc.v1.Fleet/Contact";

/// Answers every call; `TicketLink` takes its time.
struct TestFleet;

#[tonic::async_trait]
impl Fleet for TestFleet {
    async fn contact(&self, request: Request<ContactRequest>) -> Result<Response<ContactResponse>, Status> {
        let uri = request.extensions().get::<Arc<PeerCertificate>>().and_then(|it| it.uri.clone());
        assert!(request.extensions().get::<PeerAddress>().is_some_and(|it| it.0.ip().is_loopback()));
        Ok(Response::new(ContactResponse { reason: uri.unwrap_or_default(), ..ContactResponse::default() }))
    }

    async fn renew(&self, _: Request<RenewRequest>) -> Result<Response<RenewResponse>, Status> {
        Ok(Response::new(RenewResponse::default()))
    }

    async fn open_ticket(
        &self,
        _: Request<OpenTicketRequest>,
    ) -> Result<Response<OpenTicketResponse>, Status> {
        Ok(Response::new(OpenTicketResponse::default()))
    }

    async fn ticket_link(
        &self,
        _: Request<TicketLinkRequest>,
    ) -> Result<Response<TicketLinkResponse>, Status> {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(Response::new(TicketLinkResponse::default()))
    }
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A running door.
struct Door {
    house: House,
    address: SocketAddr,
    tls: Arc<ServerTls>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
    _db: TestDb,
}

fn grace() -> u64 {
    u64::try_from(RENEW_GRACE_DAYS).expect("positive")
}

fn tls_of(house: &House) -> Arc<rustls::ServerConfig> {
    let now = house.context.now();
    let (chain, key) =
        house.authority.issue_server(&["localhost".into(), "127.0.0.1".into()], now).expect("identity");
    server_config(chain, key, house.authority.root(), days(grace()), house.clock.clone())
        .expect("configuration")
}

impl Door {
    async fn open() -> Self {
        Self::open_with(ConnectionLimits::default()).await
    }

    async fn open_with(limits: ConnectionLimits) -> Self {
        let db = TestDb::sqlite().await;
        let house = House::new(db.db.clone()).await;
        let tls = Arc::new(ServerTls::new(tls_of(&house)));
        let fleet = FleetServer::new(TestFleet)
            .max_decoding_message_size(CONTACT_BYTES_MAX)
            .accept_compressed(CompressionEncoding::Zstd);
        let enrollment =
            EnrollmentService::new(house.context.clone(), house.authority.clone(), 5, 60).into_server();
        let (_, health) = tonic_health::server::health_reporter();
        let router = Routes::new(fleet).add_service(enrollment).add_service(health).into_axum_router();
        let clock: Arc<dyn Clock> = house.clock.clone();
        let server = Server { tls: tls.clone(), router, guard: Guard::new(clock, grace()), limits };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.serve(listener, async { drop(stopped.await) }));
        Self { house, address, tls, stop, running, _db: db }
    }

    /// A machine that enrolled, with its certificate and key.
    async fn agent(&self) -> Identity {
        enrolled(&self.house).await
    }

    async fn connect(&self, identity: Option<Identity>) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_with(identity, &[b"h2"]).await
    }

    async fn connect_with(
        &self,
        identity: Option<Identity>,
        alpn: &[&[u8]],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.house.authority.root()).expect("root");
        let time = Arc::new(TestTime(self.house.clock.clone()));
        let builder = ClientConfig::builder_with_details(crypto_provider(), time)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).expect("identity"),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|it| it.to_vec()).collect();
        let stream = TcpStream::connect(self.address).await?;
        TlsConnector::from(Arc::new(config))
            .connect(ServerName::try_from("localhost").expect("name"), stream)
            .await
    }

    async fn channel(&self, identity: Option<Identity>) -> Channel {
        let stream = self.connect(identity).await.expect("connected");
        let mut stream = Some(TokioIo::new(stream));
        let once = service_fn(move |_| {
            let stream = stream.take().ok_or_else(|| std::io::Error::other("one connection only"));
            async move { stream }
        });
        Endpoint::from_static("http://localhost").connect_with_connector(once).await.expect("channel")
    }
}

async fn enrolled(house: &House) -> Identity {
    let key = KeyPair::generate().expect("key");
    let request = EnrollRequest { csr_der: csr_of(&key), ..request(&house.token(1).await) };
    let response = house.enroll(&request).await.expect("enrolled");
    (vec![response.certificate_der.into()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
}

#[derive(Debug)]
struct TestTime(Arc<ManualClock>);

impl TimeProvider for TestTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Calls a path with one frame as body; gives the status, or nothing when the connection broke.
async fn call(channel: &mut Channel, path: &str, frame: Vec<u8>, encoding: Option<&str>) -> Option<Code> {
    let mut request =
        http::Request::post(path).header("content-type", "application/grpc").header("te", "trailers");
    if let Some(encoding) = encoding {
        request = request.header("grpc-encoding", encoding);
    }
    let request = request.body(tonic::body::Body::new(Full::new(Bytes::from(frame)))).expect("request");
    let response = channel.ready().await.ok()?.call(request).await.ok()?;
    let (head, body) = response.into_parts();
    if let Some(status) = Status::from_header_map(&head.headers) {
        return Some(status.code());
    }
    let trailers = body.collect().await.ok()?.trailers().cloned()?;
    Status::from_header_map(&trailers).map(|it| it.code())
}

fn frame(compressed: bool, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short enough").to_be_bytes();
    [&[u8::from(compressed)], length.as_slice(), body].concat()
}

fn empty() -> Vec<u8> {
    frame(false, &[])
}

/// Every RPC of the schema, read from its sources.
fn rpc_paths() -> Vec<String> {
    let sources = [
        include_str!("../../../proto/parc/v1/enrollment.proto"),
        include_str!("../../../proto/parc/v1/fleet.proto"),
    ];
    let mut paths = Vec::new();
    for source in sources {
        let mut service = "";
        for line in source.lines().map(str::trim) {
            let word = |rest: &'static str| rest.split([' ', '(', '{']).next().unwrap_or_default();
            if let Some(rest) = line.strip_prefix("service ") {
                service = word(rest);
            } else if let Some(rest) = line.strip_prefix("rpc ") {
                paths.push(format!("/parc.v1.{service}/{}", word(rest)));
            }
        }
    }
    paths
}

#[tokio::test]
async fn a_machine_enrolls_without_a_certificate_and_calls_with_it() {
    let door = Door::open().await;
    let key = KeyPair::generate().expect("key");
    let request = EnrollRequest { csr_der: csr_of(&key), ..request(&door.house.token(1).await) };
    let mut stranger = EnrollmentClient::new(door.channel(None).await);
    let response = stranger.enroll(request).await.expect("enrolled").into_inner();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let channel = door.channel(Some((vec![response.certificate_der.into()], key.into()))).await;
    let mut agent = FleetClient::new(channel).send_compressed(CompressionEncoding::Zstd);
    let seen = agent.contact(ContactRequest::default()).await.expect("contact").into_inner().reason;
    assert!(seen.starts_with("urn:parc:agent:") && seen.ends_with(&response.agent_id), "{seen}");
}

#[tokio::test]
async fn no_rpc_but_enrollment_and_health_answers_a_stranger() {
    let door = Door::open().await;
    let paths = rpc_paths();
    assert!(paths.len() >= 5 && paths.iter().any(|it| it == CONTACT), "{paths:?}");
    let mut channel = door.channel(None).await;
    for path in paths {
        let code = call(&mut channel, &path, empty(), None).await;
        let expected =
            if path == "/parc.v1.Enrollment/Enroll" { Code::InvalidArgument } else { Code::Unauthenticated };
        assert_eq!(code, Some(expected), "{path}");
    }
    for path in ["/", "/parc.v1.Fleet/New", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] {
        assert_eq!(call(&mut channel, path, empty(), None).await, Some(Code::Unauthenticated), "{path}");
    }
    assert_eq!(call(&mut channel, "/grpc.health.v1.Health/Check", empty(), None).await, Some(Code::Ok));
}

#[tokio::test]
async fn a_certificate_of_another_authority_or_for_servers_is_refused() {
    let door = Door::open().await;
    let db = TestDb::sqlite().await;
    let foreign = enrolled(&House::new(db.db.clone()).await).await;
    let names = ["localhost".to_owned()];
    let server = door.house.authority.issue_server(&names, door.house.context.now()).expect("identity");
    let mine = door.agent().await;
    let stolen =
        (mine.0.clone(), PrivatePkcs8KeyDer::from(KeyPair::generate().expect("key").serialize_der()).into());
    for (name, identity) in [("other authority", foreign), ("server usage", server)] {
        let mut channel = door.channel(Some(identity)).await;
        assert_eq!(call(&mut channel, CONTACT, empty(), None).await, None, "{name}");
    }
    let roots = rustls::RootCertStore::empty();
    let without_its_key = ClientConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_client_auth_cert(stolen.0, stolen.1);
    assert!(without_its_key.is_err(), "a certificate without its key is not even offered");
    assert_eq!(call(&mut door.channel(Some(mine)).await, CONTACT, empty(), None).await, Some(Code::Ok));
}

#[tokio::test]
async fn an_expired_certificate_renews_within_the_grace_period_and_nothing_else() {
    let door = Door::open().await;
    let (chain, key) = door.agent().await;
    let identity = || Some((chain.clone(), key.clone_key()));
    let mut early = door.channel(identity()).await;
    assert_eq!(call(&mut early, CONTACT, empty(), None).await, Some(Code::Ok));
    door.house.clock.advance(days(30) + Duration::from_hours(1));
    assert_eq!(
        call(&mut early, CONTACT, empty(), None).await,
        Some(Code::Unauthenticated),
        "on the open connection too"
    );
    let mut late = door.channel(identity()).await;
    for path in rpc_paths() {
        let code = call(&mut late, &path, empty(), None).await;
        let expected = match path.as_str() {
            "/parc.v1.Fleet/Renew" => Code::Ok,
            "/parc.v1.Enrollment/Enroll" => Code::InvalidArgument,
            _ => Code::Unauthenticated,
        };
        assert_eq!(code, Some(expected), "{path}");
    }
    door.house.clock.advance(days(grace()));
    assert_eq!(call(&mut late, "/parc.v1.Fleet/Renew", empty(), None).await, Some(Code::Unauthenticated));
    let mut too_late = door.channel(identity()).await;
    assert_eq!(
        call(&mut too_late, "/parc.v1.Fleet/Renew", empty(), None).await,
        None,
        "refused in the handshake"
    );
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_unread() {
    let door = Door::open().await;
    let mut channel = door.channel(Some(door.agent().await)).await;
    let code = call(&mut channel, CONTACT, frame(false, &vec![0; 9 * 1024 * 1024]), None).await;
    assert_eq!(code, Some(Code::OutOfRange));
    let code =
        call(&mut channel, "/parc.v1.Enrollment/Enroll", frame(false, &vec![0; 65 * 1024]), None).await;
    assert_eq!(code, Some(Code::OutOfRange));
    assert_eq!(call(&mut channel, CONTACT, empty(), None).await, Some(Code::Ok), "the connection lives on");
}

#[tokio::test]
async fn a_decompression_bomb_is_refused_in_bounded_memory() {
    let door = Door::open().await;
    let mut channel = door.channel(Some(door.agent().await)).await;
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("encoder");
    for _ in 0..100 {
        encoder.write_all(&vec![b'a'; 1024 * 1024]).expect("written");
    }
    let bomb = encoder.finish().expect("finished");
    assert!(bomb.len() < 64 * 1024, "small on the wire: {}", bomb.len());
    let before = peak_memory_kib();
    for path in [CONTACT, "/parc.v1.Enrollment/Enroll"] {
        let code = call(&mut channel, path, frame(true, &bomb), Some("zstd")).await;
        assert_eq!(code, Some(Code::ResourceExhausted), "{path}");
    }
    let grown = peak_memory_kib() - before;
    assert!(grown < 64 * 1024, "{grown} KiB for 100 MiB of message");
}

/// Largest resident memory of this process so far.
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    line.and_then(|it| it.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn enrollments_of_one_address_are_slowed_down() {
    let door = Door::open().await;
    let mut client = EnrollmentClient::new(door.channel(None).await);
    for _ in 0..30 {
        let error = client.enroll(request("parc1.no.such.token")).await.expect_err("refused");
        assert_eq!(error.code(), Code::Unauthenticated);
    }
    let error = client.enroll(request("parc1.no.such.token")).await.expect_err("slowed down");
    assert_eq!(error.code(), Code::ResourceExhausted);
    let wait = error.metadata().get("grpc-retry-pushback-ms").and_then(|it| it.to_str().ok());
    assert_eq!(wait, Some("12000"));
}

#[tokio::test]
async fn a_peer_over_the_limit_or_silent_is_hung_up_on() {
    let limits = ConnectionLimits {
        per_address: 2,
        handshake_timeout: Duration::from_millis(300),
        first_call_timeout: Duration::from_millis(300),
        age_grace: Duration::from_millis(100),
        ..ConnectionLimits::default()
    };
    let door = Door::open_with(limits).await;
    let mut silent = TcpStream::connect(door.address).await.expect("first");
    let without_call = door.connect(None).await.expect("second");
    let mut third = TcpStream::connect(door.address).await.expect("accepted by the kernel");
    assert_eq!(until_closed(&mut third).await, 0, "hung up on before the handshake");
    until_closed(&mut silent).await;
    let (mut socket, _) = without_call.into_inner();
    until_closed(&mut socket).await;
    assert_eq!(
        call(&mut door.channel(None).await, CONTACT, empty(), None).await,
        Some(Code::Unauthenticated),
        "room again"
    );
}

/// Reads until the other side ends; gives the bytes that came.
async fn until_closed(stream: &mut TcpStream) -> usize {
    let mut read = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut read)).await;
    drop(ended.expect("the door hangs up"));
    read.len()
}

#[tokio::test]
async fn a_call_without_a_place_is_told_when_to_come_back_and_strangers_take_no_agents_place() {
    let limits = ConnectionLimits {
        calls: 1,
        stranger_calls: 0,
        call_queue_timeout: Duration::from_millis(50),
        ..ConnectionLimits::default()
    };
    let door = Door::open_with(limits).await;
    let mut slow = FleetClient::new(door.channel(Some(door.agent().await)).await);
    let mut other = FleetClient::new(door.channel(Some(door.agent().await)).await);
    let under_way = tokio::spawn(async move { slow.ticket_link(TicketLinkRequest {}).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let error = other.contact(ContactRequest::default()).await.expect_err("no place");
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.metadata().get("grpc-retry-pushback-ms").is_some());
    under_way.await.expect("joined").expect("answered");
    other.contact(ContactRequest::default()).await.expect("a place again");
    let mut stranger = EnrollmentClient::new(door.channel(None).await);
    let error = stranger.enroll(request("parc1.no.such.token")).await.expect_err("no place for strangers");
    assert_eq!(error.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_peer_that_does_not_offer_http2_is_hung_up_on() {
    let door = Door::open().await;
    let mut stream = door.connect_with(None, &[]).await.expect("handshake");
    let mut read = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut read)).await;
    drop(ended.expect("the door hangs up"));
    assert!(read.is_empty());
    door.connect_with(None, &[b"http/1.1"]).await.expect_err("no common protocol");
}

#[tokio::test]
async fn a_new_server_certificate_serves_the_next_connection() {
    let door = Door::open().await;
    let leaf = |stream: &TlsStream<TcpStream>| {
        let chain = stream.get_ref().1.peer_certificates().expect("chain");
        assert_eq!(chain.get(1), Some(&door.house.authority.root()), "the root comes along");
        chain[0].clone()
    };
    let before = leaf(&door.connect(None).await.expect("connected"));
    door.tls.replace(tls_of(&door.house));
    let after = leaf(&door.connect(None).await.expect("connected"));
    assert_ne!(before, after);
}

#[tokio::test]
async fn a_call_under_way_ends_before_the_collector_stops() {
    let door = Door::open().await;
    let mut agent = FleetClient::new(door.channel(Some(door.agent().await)).await);
    let slow = tokio::spawn(async move { agent.ticket_link(TicketLinkRequest {}).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    door.stop.send(()).expect("running");
    slow.await.expect("joined").expect("answered");
    door.running.await.expect("joined").expect("stopped");
    TcpStream::connect(door.address).await.expect_err("nobody listens");
}
